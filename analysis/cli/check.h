// SPDX-License-Identifier: GPL-2.0-or-later
// What a scenario says, on one screen.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "scenarios/reader/scenario.h"

namespace dyetrace::cli {

[[nodiscard]] std::string summarise(const scenario::Scenario& scenario);
[[nodiscard]] nlohmann::ordered_json summary_json(const scenario::Scenario& scenario);

}  // namespace dyetrace::cli
