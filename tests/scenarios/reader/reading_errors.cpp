// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenarios/reader/reading_errors.h"

#include <gtest/gtest.h>

#include "scenarios/reader/reader.h"

namespace dyetrace::scenario {

Diagnostics diagnostics_of(const std::string& text, const std::vector<std::string>& overrides) {
    Diagnostics diagnostics;
    const auto scenario = load_text("test.toml", text, overrides, diagnostics);
    EXPECT_EQ(scenario.has_value(), !diagnostics.has_errors()) << diagnostics.to_text();
    return diagnostics;
}

std::vector<std::string> told(const std::string& text, const std::vector<std::string>& overrides) {
    return told(diagnostics_of(text, overrides));
}

std::vector<std::string> told(const Diagnostics& diagnostics) {
    std::vector<std::string> lines;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        std::string place = diagnostic.input;
        if (diagnostic.line != 0) {
            if (diagnostic.input == "test.toml") place.clear();
            place += (place.empty() ? "" : ":") + std::to_string(diagnostic.line);
            place += ":" + std::to_string(diagnostic.column);
        }
        const bool is_error = diagnostic.severity == Severity::Error;
        lines.push_back(place + ": " + (is_error ? "" : "warning: ") + diagnostic.message);
    }
    return lines;
}

std::string only_suggestion(const std::string& text, const std::vector<std::string>& overrides) {
    const Diagnostics diagnostics = diagnostics_of(text, overrides);
    EXPECT_EQ(diagnostics.all().size(), 1U) << diagnostics.to_text();
    return diagnostics.all().empty() ? "" : diagnostics.all().front().suggestion;
}

Scenario read(const std::string& text, const std::vector<std::string>& overrides) {
    Diagnostics diagnostics;
    const auto scenario = load_text("test.toml", text, overrides, diagnostics);
    EXPECT_TRUE(scenario.has_value()) << diagnostics.to_text();
    return scenario.value_or(Scenario{});
}

}  // namespace dyetrace::scenario
