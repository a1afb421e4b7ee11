// SPDX-License-Identifier: GPL-2.0-or-later
// What `dyetrace show -j` prints.
#pragma once

#include <nlohmann/json.hpp>

#include "analysis/store/run_reader.h"

namespace dyetrace::cli {

/// Times are seconds (`*_s`), nodes are names, what is not known is null. Everything below `faults`, and only
/// that, is truth, and each entry of it says so.
[[nodiscard]] nlohmann::ordered_json show_json(const store::RunReader& run);

}  // namespace dyetrace::cli
