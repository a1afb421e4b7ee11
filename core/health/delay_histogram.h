// SPDX-License-Identifier: GPL-2.0-or-later
// Delays in buckets of growing width: counts of a fixed size, which add up.
//
//   0 .. 31 ns            a bucket each
//   2^n .. 2^(n+1) - 1    32 buckets of 2^(n-5) ns each: the middle of one is within 1/64 (1.6%) of its
//   values 2^40 ns (18 min) and more, and below zero: one bucket each, told by the extremes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/time.h"

namespace dyetrace::health {

class DelayHistogram {
  public:
    void add(Duration delay);
    void add(const DelayHistogram& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// Exact. Nothing where count() is 0.
    [[nodiscard]] std::optional<Duration> min() const;
    [[nodiscard]] std::optional<Duration> max() const;
    /// The delay of rank ceil(q count) in ascending order, within 1.6%, so that so many are at most as long;
    /// q outside [0, 1] is the nearer end.
    [[nodiscard]] std::optional<Duration> quantile(double q) const;

  private:
    static constexpr int kOctaves = 35;  ///< from 2^5 to 2^40
    static constexpr std::size_t kBuckets = std::size_t{32} * (kOctaves + 1);
    static std::size_t bucket_of(std::int64_t ns);
    static std::int64_t middle_of(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t below_zero_ = 0;
    std::uint64_t above_ = 0;
    std::uint64_t count_ = 0;
    Duration min_, max_;
};

}  // namespace dyetrace::health
