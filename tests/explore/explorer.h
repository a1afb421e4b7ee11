// SPDX-License-Identifier: GPL-2.0-or-later
// Visits every state of a `World` that its budgets let it come into, each once, and judges it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/explore/model.h"

namespace dyetrace::explore {

struct Limits {
    std::size_t states_most = 100'000'000;  ///< of World::key; what goes beyond is not visited
    std::uint32_t end_one_in = 256;         ///< so many states' ends are looked at, silence and peace
    std::uint32_t compare_one_in = 64;      ///< so many states' futures are compared when met again
};

struct Violation {
    std::string what;
    std::vector<std::string> way;  ///< what happened, first to last
};

struct Explored {
    std::size_t states = 0;         ///< distinct: engines, messages on their way, time
    std::size_t nodes = 0;          ///< the same with what was left of the budgets
    std::size_t steps = 0;          ///< actions taken
    std::size_t depth = 0;          ///< actions of the longest way
    std::size_t ends = 0;           ///< states whose ends were looked at
    std::size_t compared = 0;       ///< futures compared
    std::size_t messages_most = 0;  ///< on their way at a time
    // Nodes in which such a message is on its way: that the search came by what it is meant to see
    std::size_t with_tags = 0;
    std::size_t with_rides = 0;
    std::size_t with_sketches = 0;
    std::size_t with_two_paths = 0;  ///< markers of different source ports
    bool complete = true;            ///< all within the budgets was visited
    std::optional<Violation> violation;
};

/// Depth first; ends at the first violation. Several searches, one after the other, count a state that more
/// than one of them comes into once, and its nodes in each.
Explored explore(const std::vector<Setup>& setups, const Limits& limits = {});

}  // namespace dyetrace::explore
