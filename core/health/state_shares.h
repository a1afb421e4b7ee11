// SPDX-License-Identifier: GPL-2.0-or-later
// The share of things that were in each of a few states, over time: a ring of intervals of equal length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/time.h"

namespace dyetrace::health {

/// One interval. The shares sum to one, but for an interval in which nothing was counted, which has zeros.
struct StateShare {
    static constexpr std::size_t kStatesMost = 4;

    Time start;
    Duration length;  ///< seen so far, where it is the newest one
    std::array<double, kStatesMost> share{};
};

/// Time-weighted: a state that one of two pairs was in for half of an interval has 0.25. Bounded: the oldest
/// interval makes room. Intervals end at multiples of their length, so the first one may be short.
class StateShares {
  public:
    using Counts = std::array<std::uint64_t, StateShare::kStatesMost>;

    /// `interval` > 0, `most` > 0.
    StateShares(Duration interval, std::size_t most) : interval_(interval), most_(most) {}

    /// From `now` on so many are in each state. `now` must not run backwards.
    void set(const Counts& counts, Time now);
    /// Up to `now`, oldest first.
    [[nodiscard]] std::vector<StateShare> until(Time now) const;

  private:
    struct Interval {
        Time start, end;
        std::array<double, StateShare::kStatesMost> thing_seconds{};
    };
    /// Of the interval that this time is in.
    [[nodiscard]] Time end_of(Time at) const;
    void extend(Time now);

    Duration interval_;
    std::size_t most_;
    std::deque<Interval> intervals_;
    Counts counts_{};
    Time at_;
};

}  // namespace dyetrace::health
