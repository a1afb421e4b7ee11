// SPDX-License-Identifier: GPL-2.0-or-later
// How much of the loss was congestion lately, at each acceptor and in the whole fabric: incast fills the one
// queue that all sessions to an acceptor share, and few of their packets are tracked, so one session's delays
// are not enough to know that its losses came of it.
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

/// Adds to two slices of half a second, which `slice_of(now)` moves on.
void add_recent(RecentLoss& recent, std::uint32_t slice, double sent, double lost);
[[nodiscard]] std::uint32_t slice_of(Time now);

class CongestionMemory {
  public:
    explicit CongestionMemory(std::size_t most) : most_(most) { groups_.resize(1); }

    /// The group of sessions to this acceptor; zero, which remembers nothing, where the table is full.
    [[nodiscard]] std::uint32_t group_of(IpAddress acceptor);

    void add(std::uint32_t group, std::uint32_t slice, double sent, double lost, bool sampled, bool queued);
    /// The chance that a window with loss is congestion, where nothing else is known of it: of windows with
    /// loss and delays, the share in which a queue was long, in 5 to 10 s. The fabric's share counts as four
    /// such windows of the acceptor's own; as one of the fabric's counts the share of windows that lost in a
    /// long queue among all windows, lossy or not, and `unknown` as one of those: a queue that loses nothing
    /// is no reason why others should.
    [[nodiscard]] double congested_share(std::uint32_t group, std::uint32_t slice, double unknown) const;
    /// Share of packets lost by sessions other than the one of `own`; zero where they sent too few.
    [[nodiscard]] double loss_of_others(std::uint32_t group, const RecentLoss& own,
                                        std::uint32_t slice) const;

    [[nodiscard]] std::uint64_t over_limit() const { return over_limit_; }

  private:
    /// Windows with delays in two slices of 5 s.
    struct QueueShare {
        std::uint32_t slice = 0;
        std::array<std::uint32_t, 2> sampled{};
        std::array<std::uint32_t, 2> queued{};

        void add(std::uint32_t now_slice, bool was_queued);
        /// (queued + weight * prior) / (sampled + weight)
        [[nodiscard]] double share(std::uint32_t now_slice, double weight, double prior) const;
    };
    struct Group {
        RecentLoss loss;
        QueueShare lossy;
    };
    std::size_t most_;
    std::map<IpAddress, std::uint32_t> index_;
    std::vector<Group> groups_;
    QueueShare fabric_;        ///< of windows with delays; a queue counts where it lost
    QueueShare fabric_lossy_;  ///< and with loss
    std::uint64_t over_limit_ = 0;
};

}  // namespace dyetrace::health
