// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace dyetrace {

constexpr std::size_t kCacheLine = 64;

/// Asks the memory for a cache line; changes nothing. The empty statement is there for the compiler, which
/// takes a function that does no more than ask to do nothing at all, and leaves out calls of it.
inline void prefetch_line(const void* place) {
    __builtin_prefetch(place);
    asm volatile("" ::"r"(place));
}

/// Asks the memory for all cache lines from the one of `first` to the one of `last`; changes nothing.
inline void prefetch_lines(const void* first, const void* last) {
    const auto* line = static_cast<const std::uint8_t*>(first);
    const auto* const end = static_cast<const std::uint8_t*>(last);
    for (; line < end; line += kCacheLine)
        prefetch_line(line);
    prefetch_line(end);
}

}  // namespace dyetrace
