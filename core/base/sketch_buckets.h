// SPDX-License-Identifier: GPL-2.0-or-later
// The buckets of the quantile sketch: which integers are told apart, and which one stands for each bucket.
//
// DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
// guarantees", VLDB 2019) cuts the positive numbers at powers of gamma = (1 + a) / (1 - a); here a = 1%. Of
// integers the same is had without logarithms, so that every compiler and machine draws the same lines:
//
//   bucket 1 begins at 1; of a bucket that begins at b,
//   value = b + b / 100    (rounded down: the greatest v with v <= (1 + a) b)
//   end   = value + value / 99   (the greatest x with (1 - a) x <= v)
//   and the next bucket begins at end + 1.
//
// So |value - x| <= x / 100 for every x of a bucket, each bucket is as wide as can be, and its ends are never
// more than gamma apart. Up to 98 each number has a bucket of its own. Negative numbers have the same with a
// negative index, zero has index 0.
#pragma once

#include <cstdint>

namespace dyetrace {

/// One a bucket of positive numbers; the last ends at 2^63, so that every std::int64_t has its bucket.
inline constexpr int kBucketsPerSign = 2050;

/// -kBucketsPerSign to kBucketsPerSign.
using BucketIndex = std::int16_t;

[[nodiscard]] BucketIndex bucket_of(std::int64_t value);
/// The number that stands for the bucket, within 1% of each of its numbers.
[[nodiscard]] std::int64_t bucket_value(BucketIndex index);
/// First and last magnitude of bucket `index`, 1 to kBucketsPerSign.
[[nodiscard]] std::uint64_t bucket_begin(BucketIndex index);
[[nodiscard]] std::uint64_t bucket_end(BucketIndex index);

}  // namespace dyetrace
