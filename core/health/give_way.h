// SPDX-License-Identifier: GPL-2.0-or-later
// Tables of fixed room, and those in them who are gone without a word: where there is no room for another,
// one of whom nothing was heard for long gives way.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/base/time.h"

namespace dyetrace::health {

/// Entries that are looked at each time that there is no room: a table that is full of the living costs no
/// more than that to find out.
inline constexpr std::size_t kStaleLooksMost = 64;

/// Takes one out of `map` (ordered, of values with a `heard`) that was not heard of for `forget_after`: the
/// first of the few behind `last`, where it looked the time before. An empty node where there is none.
template <class Map>
typename Map::node_type take_stale(Map& map, typename Map::key_type& last, Duration forget_after, Time now) {
    const std::size_t looks = std::min(map.size(), kStaleLooksMost);
    for (std::size_t i = 0; i < looks; ++i) {
        auto it = map.upper_bound(last);
        if (it == map.end()) it = map.begin();
        last = it->first;
        if (now - it->second.heard >= forget_after) return map.extract(it);
    }
    return {};
}

}  // namespace dyetrace::health
