// SPDX-License-Identifier: GPL-2.0-or-later
// What the sessions to one acceptor saw in the last second: incast fills the one queue that they share, and
// few of their packets are tracked, so one session's delays are not enough to know that its losses came of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/time.h"
#include "core/health/detector.h"

namespace dyetrace::health {

/// Adds to two slices of half a second, which the caller's `now` moves on.
void add_recent(RecentLoss& recent, std::uint32_t slice, double sent, double lost);
[[nodiscard]] std::uint32_t slice_of(Time now);

class CongestionMemory {
  public:
    explicit CongestionMemory(std::size_t most) : most_(most) { groups_.resize(1); }

    /// The group of sessions to this acceptor; zero, which remembers nothing, where the table is full.
    [[nodiscard]] std::uint32_t group_of(IpAddress acceptor);

    void add(std::uint32_t group, std::uint32_t slice, double sent, double lost, bool sampled, bool queued);
    /// Did a tenth of the windows with delays see long queues?
    [[nodiscard]] bool is_congested(std::uint32_t group, std::uint32_t slice) const;
    /// Share of packets lost by sessions other than the one of `own`; zero where they sent too few.
    [[nodiscard]] double loss_of_others(std::uint32_t group, const RecentLoss& own, std::uint32_t slice) const;

    [[nodiscard]] std::uint64_t over_limit() const { return over_limit_; }

  private:
    struct Group {
        RecentLoss loss;
        std::array<std::uint32_t, 2> sampled{};
        std::array<std::uint32_t, 2> queued{};
    };
    std::size_t most_;
    std::map<IpAddress, std::uint32_t> index_;
    std::vector<Group> groups_;
    std::uint64_t over_limit_ = 0;
};

}  // namespace dyetrace::health
