// SPDX-License-Identifier: GPL-2.0-or-later
// Reads scenarios from text, for tests that look at what is told about them.
#pragma once

#include <string>
#include <vector>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// What a scenario can't do without, in one line.
inline const std::string without_key = "tracking.insecure = true\n";

/// Everything told of the text, named "test.toml".
Diagnostics diagnostics_of(const std::string& text, const std::vector<std::string>& overrides = {});

/// Each as "line:column: message", or "--set a.b=v: message"; warnings with "warning: " before the message.
std::vector<std::string> told(const std::string& text, const std::vector<std::string>& overrides = {});
std::vector<std::string> told(const Diagnostics& diagnostics);

/// The suggestion of the only diagnostic; fails the test where there is another number of them.
std::string only_suggestion(const std::string& text, const std::vector<std::string>& overrides = {});

/// The scenario; fails the test where there is none.
Scenario read(const std::string& text, const std::vector<std::string>& overrides = {});

}  // namespace dyetrace::scenario
