// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a scenario file: everything that is wrong with it at once, each with its place.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// Where the scenarios, distributions and topologies that come with dyetrace lie.
[[nodiscard]] std::filesystem::path shipped_scenarios();

struct LoadOptions {
    /// A named distribution is looked for beside the scenario, in `distributions/` there, then in this
    /// folder's; a topology in `topologies/`.
    std::filesystem::path share = shipped_scenarios();
};

/// Reads `path` and applies `overrides` ("key=value", as after --set) in order.
/// \return nothing where `diagnostics` has errors. Warnings alone don't keep a scenario from being read.
[[nodiscard]] std::optional<Scenario> load(const std::string& path, const std::vector<std::string>& overrides,
                                           Diagnostics& diagnostics, const LoadOptions& options = {});

/// The same of a text in memory; `path` names it in messages and says where relative files are looked for.
[[nodiscard]] std::optional<Scenario> load_text(const std::string& path, std::string text,
                                                const std::vector<std::string>& overrides,
                                                Diagnostics& diagnostics, const LoadOptions& options = {});

}  // namespace dyetrace::scenario
