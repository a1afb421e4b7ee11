// SPDX-License-Identifier: GPL-2.0-or-later
// A counter and its name, for tables of all that a struct of counters holds.
#pragma once

#include <cstdint>
#include <string_view>

namespace dyetrace {

template <class Counters>
struct NamedCounter {
    std::string_view name;  ///< the field's, spelled like a drop reason's
    std::uint64_t Counters::*field;
};

}  // namespace dyetrace
