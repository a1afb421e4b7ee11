// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace dyetrace {

constexpr std::size_t kCacheLine = 64;

/// Asks the memory for all cache lines from the one of `first` to the one of `last`; changes nothing.
inline void prefetch_lines(const void* first, const void* last) {
    const auto* line = static_cast<const std::uint8_t*>(first);
    const auto* const end = static_cast<const std::uint8_t*>(last);
    for (; line < end; line += kCacheLine)
        __builtin_prefetch(line);
    __builtin_prefetch(end);
}

}  // namespace dyetrace
