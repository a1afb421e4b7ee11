// SPDX-License-Identifier: GPL-2.0-or-later
// The scenario file and `--set` of a command line: for every command that reads a scenario.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "analysis/cli/command.h"
#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::cli {

struct ScenarioInput {
    std::string file;
    std::vector<std::string> overrides;  ///< "key=value"
};

/// Adds FILE and --set to a command, and returns FILE. `input` must live until the command has run.
CLI::Option* add_scenario_options(CLI::App& command, ScenarioInput& input);

/// Reads the scenario. Warnings go to stderr; where there is an error, so do all of them, or as JSON to
/// stdout, and nothing is returned: the command ends with Exit::InvalidInput.
std::optional<scenario::Scenario> read_scenario(const ScenarioInput& input, const Context& context);

/// {"ok": .., "errors": [{"file", "line", "column", "message", "suggestion"}], "warnings": [...]}; line and
/// column are null where the message is of no line, such as a --set's.
nlohmann::ordered_json to_json(const scenario::Diagnostics& diagnostics);

}  // namespace dyetrace::cli
