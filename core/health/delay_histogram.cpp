// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/delay_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dyetrace::health {

std::size_t DelayHistogram::bucket_of(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(ns);
    if (value < 32) return value;
    const int octave = static_cast<int>(std::bit_width(value)) - 6;  // 0 for 32 .. 63
    return 32U * (static_cast<std::size_t>(octave) + 1) + ((value >> octave) & 31U);
}

std::int64_t DelayHistogram::middle_of(std::size_t bucket) {
    if (bucket < 32) return static_cast<std::int64_t>(bucket);
    const std::size_t octave = bucket / 32 - 1;
    const std::int64_t first = static_cast<std::int64_t>(32 + bucket % 32) << octave;
    return first + ((std::int64_t{1} << octave) - 1) / 2;
}

void DelayHistogram::add(Duration delay) {
    min_ = count_ == 0 ? delay : std::min(min_, delay);
    max_ = count_ == 0 ? delay : std::max(max_, delay);
    ++count_;
    if (delay.ns < 0) {
        ++below_zero_;
    } else if (delay.ns >> (kOctaves + 5) != 0) {
        ++above_;
    } else {
        ++buckets_[bucket_of(delay.ns)];
    }
}

void DelayHistogram::add(const DelayHistogram& other) {
    if (other.count_ == 0) return;
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
    count_ += other.count_;
    below_zero_ += other.below_zero_;
    above_ += other.above_;
    for (std::size_t i = 0; i < kBuckets; ++i)
        buckets_[i] += other.buckets_[i];
}

std::optional<Duration> DelayHistogram::min() const {
    return count_ == 0 ? std::nullopt : std::optional(min_);
}

std::optional<Duration> DelayHistogram::max() const {
    return count_ == 0 ? std::nullopt : std::optional(max_);
}

std::optional<Duration> DelayHistogram::quantile(double q) const {
    if (count_ == 0) return std::nullopt;
    const double share = q >= 0 ? std::min(q, 1.0) : 0.0;  // and where q is no number
    constexpr double kInexact = 1 - 1e-12;                 // 0.07 of 100 is no more than 7
    const auto rank = std::max(1.0, std::ceil(share * kInexact * static_cast<double>(count_)));
    std::uint64_t seen = below_zero_;
    if (rank <= static_cast<double>(seen)) return min_;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += buckets_[i];
        if (rank <= static_cast<double>(seen))
            return std::clamp(Duration::nanoseconds(middle_of(i)), min_, max_);
    }
    return max_;
}

}  // namespace dyetrace::health
