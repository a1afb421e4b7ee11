// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/scenario_input.h"

#include <cstdio>

#include <fmt/format.h>

#include "scenarios/reader/reader.h"

namespace dyetrace::cli {
namespace {

nlohmann::ordered_json to_json(const scenario::Diagnostic& diagnostic) {
    nlohmann::ordered_json json;
    json["file"] = diagnostic.input;
    json["line"] = nullptr;
    json["column"] = nullptr;
    if (diagnostic.line != 0) {
        json["line"] = diagnostic.line;
        json["column"] = diagnostic.column;
    }
    json["message"] = diagnostic.message;
    json["suggestion"] = nullptr;
    if (!diagnostic.suggestion.empty()) json["suggestion"] = diagnostic.suggestion;
    return json;
}

}  // namespace

CLI::Option* add_scenario_options(CLI::App& command, ScenarioInput& input) {
    CLI::Option* file = command.add_option("FILE", input.file,
                                           "Scenario file (TOML); `dyetrace check --keys` lists its keys");
    file->required();
    command
        .add_option(
            "--set", input.overrides,
            "Replace or add a value, as in tracking.rate=0.05 or fault.0.from=agg-1-2; any number of times")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    return file;
}

std::optional<scenario::Scenario> read_scenario(const ScenarioInput& input, const Context& context) {
    scenario::Diagnostics diagnostics;
    auto scenario = scenario::load(input.file, input.overrides, diagnostics);
    if (!scenario && context.json) {
        fmt::print("{}\n",
                   to_json(diagnostics).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return scenario;
    }
    fmt::print(stderr, "{}", diagnostics.to_text());
    if (!scenario) {
        fmt::print(stderr, "{} error{} in {}\n", diagnostics.errors(), diagnostics.errors() == 1 ? "" : "s",
                   input.file);
    }
    return scenario;
}

nlohmann::ordered_json to_json(const scenario::Diagnostics& diagnostics) {
    nlohmann::ordered_json json{{"ok", !diagnostics.has_errors()}};
    json["errors"] = nlohmann::ordered_json::array();
    json["warnings"] = nlohmann::ordered_json::array();
    for (const scenario::Diagnostic& diagnostic : diagnostics.all()) {
        const bool is_error = diagnostic.severity == scenario::Severity::Error;
        json[is_error ? "errors" : "warnings"].push_back(to_json(diagnostic));
    }
    if (diagnostics.left_out() != 0) json["left_out"] = diagnostics.left_out();
    return json;
}

}  // namespace dyetrace::cli
