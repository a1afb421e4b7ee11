// SPDX-License-Identifier: GPL-2.0-or-later
// What the keys of [fabric] come to: a plan.
#pragma once

#include <filesystem>
#include <string>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/reading.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// "fat-tree of k = 6", "leaf-spine of 8 leaves and 4 spines", "network of alps"
[[nodiscard]] std::string fabric_words(const FabricSettings& fabric);
/// How its nodes are named: "host-L-N, leaf-N and spine-N, from 0"; empty where a file names them.
[[nodiscard]] std::string fabric_name_patterns(FabricKind kind);

/// Makes the plan of `scenario.fabric`, and tells what keeps it from being made and what keys mean nothing
/// for its kind; what is wrong in a topology file goes to `diagnostics`. Nothing is made of values that were
/// told to be wrong.
void plan_fabric(Scenario& scenario, const Reading& reading, const std::filesystem::path& share,
                 const Tell& tell, Diagnostics& diagnostics);

}  // namespace dyetrace::scenario
