// SPDX-License-Identifier: GPL-2.0-or-later
// `--set key=value`: values that replace or add to those of the file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/document.h"

namespace dyetrace::scenario {

/// Most overrides of one scenario.
constexpr std::size_t overrides_most = 1000;

/// Puts one override, "tracking.rate=0.05" or "fault.0.from=agg-1-2", into the tree. Tables, keys and one
/// more list entry are made where missing; whether there is such a key is not looked at here. `number` counts
/// from 1.
[[nodiscard]] std::optional<Problem> apply_override(Table& root, const std::string& override_text,
                                                    std::size_t number);

}  // namespace dyetrace::scenario
