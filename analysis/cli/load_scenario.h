// SPDX-License-Identifier: GPL-2.0-or-later
// A scenario for a command that needs a good one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/cli/command.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::cli {

/// Reads a scenario with `--set` overrides. Where it has errors, all of them are told, on stderr or, with -j,
/// as JSON on stdout, and nothing is returned.
std::optional<scenario::Scenario> load_scenario(const std::string& path,
                                                const std::vector<std::string>& overrides,
                                                const Context& context);

}  // namespace dyetrace::cli
