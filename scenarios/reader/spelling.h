// SPDX-License-Identifier: GPL-2.0-or-later
// Which name was meant: for suggestions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dyetrace::scenario {

/// Letters to insert, remove, replace, or swap with their neighbour to make `b` of `a` (optimal string
/// alignment). Looks at the first 64 bytes of each.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate most like `name`, the first of equals; nothing where none is near (a third of the letters).
[[nodiscard]] std::optional<std::string> nearest(std::string_view name,
                                                 const std::vector<std::string>& candidates);

/// ASCII letters of either case are the same.
[[nodiscard]] bool equal_but_case(std::string_view a, std::string_view b);
[[nodiscard]] bool starts_with_but_case(std::string_view text, std::string_view start);

/// `did you mean "<nearest>"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace dyetrace::scenario
