// SPDX-License-Identifier: GPL-2.0-or-later
// What containers take from the heap, so that what a configuration needs can be told beforehand. Counted as
// glibc's malloc and libstdc++'s containers do it, and rounded up where they leave a choice;
// tests/core/base/heap_test.cpp holds both to it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace dyetrace::heap {

/// What something takes. A container that grows has its old block beside the new one for a moment; of many
/// containers only one does so at a time.
struct Need {
    std::size_t kept = 0;   ///< bytes, for good
    std::size_t moved = 0;  ///< bytes on top, while it grows

    [[nodiscard]] constexpr std::size_t bytes() const { return kept + moved; }
    constexpr Need& operator+=(const Need& other) {
        kept += other.kept;
        moved = std::max(moved, other.moved);
        return *this;
    }
    friend constexpr Need operator+(Need one, const Need& other) { return one += other; }
    /// So many of the same.
    friend constexpr Need operator*(std::size_t count, const Need& one) {
        return {count * one.kept, count == 0 ? 0 : one.moved};
    }
    bool operator==(const Need&) const = default;
};

/// A block of so many bytes: a word before it, multiples of 16, 32 at least; more to align it, and whole
/// pages where it is large. Nothing where nothing is asked.
constexpr std::size_t block(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
    constexpr std::size_t kMapped = std::size_t{128} * 1024;  // from there on malloc asks the system
    constexpr std::size_t kPage = 4096;
    if (bytes == 0) return 0;
    if (alignment > alignof(std::max_align_t)) bytes += alignment + 32;
    if (bytes >= kMapped) return (bytes + 32 + kPage - 1) / kPage * kPage;
    return std::max<std::size_t>(32, (bytes + 8 + 15) / 16 * 16);
}

/// One object.
template <class T>
constexpr Need object() {
    return {block(sizeof(T), alignof(T)), 0};
}
/// A vector made with `count` elements, or whose room was reserved for them at first.
template <class T>
constexpr Need vector(std::size_t count) {
    return {block(count * sizeof(T), alignof(T)), 0};
}
/// A vector that grew to `count` elements one by one from nothing: it doubles.
template <class T>
constexpr Need grown_vector(std::size_t count) {
    if (count == 0) return {};
    const std::size_t capacity = std::bit_ceil(count);
    return {vector<T>(capacity).kept, vector<T>(capacity / 2).kept};
}
/// One that grew to `count` in steps of any size: what it has is less than double.
template <class T>
constexpr Need stepped_vector(std::size_t count) {
    return {vector<T>(2 * count).kept, vector<T>(count).kept};
}
template <class T>
constexpr Need list(std::size_t count) {
    return {count * block(2 * sizeof(void*) + sizeof(T)), 0};
}
template <class Key, class Value>
constexpr Need map(std::size_t count) {
    return {count * block(4 * sizeof(void*) + sizeof(std::pair<const Key, Value>)), 0};
}
/// A queue that holds `count` elements at most, pushed at one end and taken from the other: blocks of 512
/// bytes, or of one larger element, begun and not full at either end; and their addresses, whose table is
/// made anew, twice as large, when they reach its end and fill half of it.
template <class T>
constexpr Need deque(std::size_t count) {
    constexpr std::size_t kInBlock = sizeof(T) < 512 ? 512 / sizeof(T) : 1;
    const std::size_t blocks = count / kInBlock + 2;
    const std::size_t table = std::max<std::size_t>(8, 4 * (blocks + 1) + 2);
    return {blocks * block(kInBlock * sizeof(T)) + block(table * sizeof(void*)),
            block(2 * (blocks + 1) * sizeof(void*)) + block(kInBlock * sizeof(T))};
}

}  // namespace dyetrace::heap
