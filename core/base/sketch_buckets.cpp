// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/sketch_buckets.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <limits>

namespace dyetrace {
namespace {

constexpr std::uint64_t kGreatest = std::uint64_t{1} << 63;  // the magnitude of the least std::int64_t

constexpr std::uint64_t value_of_bucket_from(std::uint64_t begin) {
    return std::min(begin + begin / 100, kGreatest - 1);
}

/// ends[i]: last magnitude of bucket i; ends[0] = 0.
constexpr auto kEnds = [] {
    std::array<std::uint64_t, kBucketsPerSign + 1> ends{};
    for (std::size_t i = 1; i < ends.size(); ++i) {
        const std::uint64_t value = value_of_bucket_from(ends[i - 1] + 1);
        ends[i] = std::min(value + value / 99, kGreatest);
    }
    return ends;
}();
static_assert(kEnds[kBucketsPerSign] == kGreatest && kEnds[kBucketsPerSign - 1] < kGreatest);

/// Magnitudes with the same bit width and the same five bits after the first share a cell; those below 32
/// have one each. A cell spans at most three buckets.
constexpr std::size_t cell_of(std::uint64_t magnitude) {
    if (magnitude < 32) return magnitude;
    const int shift = static_cast<int>(std::bit_width(magnitude)) - 6;
    return static_cast<std::size_t>(shift) * 32 + static_cast<std::size_t>(magnitude >> shift);
}

/// The bucket of the least magnitude of each cell.
constexpr auto kFirstOfCell = [] {
    std::array<std::uint16_t, cell_of(std::numeric_limits<std::uint64_t>::max()) + 1> first{};
    std::uint16_t bucket = 0;
    for (std::size_t cell = 0; cell < first.size(); ++cell) {
        const std::size_t shift = cell < 64 ? 0 : cell / 32 - 1;
        const std::uint64_t least = static_cast<std::uint64_t>(cell - shift * 32) << shift;
        while (bucket < kBucketsPerSign && kEnds[bucket] < least)
            ++bucket;
        first[cell] = bucket;
    }
    return first;
}();

constexpr std::uint64_t magnitude_of(std::int64_t value) {
    return value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

}  // namespace

BucketIndex bucket_of(std::int64_t value) {
    const std::uint64_t magnitude = magnitude_of(value);
    std::size_t bucket = kFirstOfCell[cell_of(magnitude)];
    while (kEnds[bucket] < magnitude)
        ++bucket;
    return static_cast<BucketIndex>(value < 0 ? -static_cast<int>(bucket) : static_cast<int>(bucket));
}

std::int64_t bucket_value(BucketIndex index) {
    if (index == 0) return 0;
    const auto value = static_cast<std::int64_t>(
        value_of_bucket_from(bucket_begin(static_cast<BucketIndex>(index < 0 ? -index : index))));
    return index < 0 ? -value : value;
}

std::uint64_t bucket_begin(BucketIndex index) {
    return kEnds[static_cast<std::size_t>(index) - 1] + 1;
}

std::uint64_t bucket_end(BucketIndex index) {
    return kEnds[static_cast<std::size_t>(index)];
}

}  // namespace dyetrace
