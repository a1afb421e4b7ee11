// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the same packet at two observation points by what no router changes of it: trajectory sampling
// (Duffield and Grossglauser, IEEE/ACM ToN 9(3), 2001). A packet is named by the hash that all points compute
// alike (RFC 5475 §6.2).
//
// What the two points tell comes over two ways, so either may come first, and each waits for the other.
//
//   first seen there, matched here   delivered, with its delay
//   only at the first point          lost, once it has waited
//   only at the second               stray, once it has waited: it came in where nobody looks, or twice
//   seen at the first, while         not judged: neither delivered nor lost, but with its delay where it was
//   the second may not have looked   seen there too
//   twice at one point               ambiguous: what equals another packet, as a repeat of ICMP may, is left
//                                    out of everything else
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "core/base/time.h"
#include "core/health/delay_histogram.h"

namespace dyetrace::health {

struct PacketMatcherConfig {
    std::size_t waiting_most = 4096;
    /// After so long it does not come any more: RFC 7680 §2.2, Tmax, and two update intervals.
    Duration wait = Duration::seconds(3);
};

/// first = delivered + lost + unjudged + ambiguous of the first point + those that wait.
struct MatcherCounts {
    std::uint64_t first = 0;   ///< observations at the first point
    std::uint64_t second = 0;  ///< and at the second
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t unjudged = 0;  ///< that left when the second point may not have looked
    std::uint64_t strays = 0;
    std::uint64_t ambiguous = 0;        ///< packets of the first point
    std::uint64_t ambiguous_there = 0;  ///< of the second
    std::uint64_t overflow = 0;         ///< observations without room to wait; in no other count
};

class PacketMatcher {
  public:
    enum class Point : std::uint8_t { First, Second };

    explicit PacketMatcher(const PacketMatcherConfig& config) : config_(config) {}

    /// A packet was at a point at `at`, of one clock for both points; `now` is when that was heard, and does
    /// not run backwards. `is_judged`, of the first point: the second was looking.
    void see(Point point, std::uint32_t packet, Time at, Time now, bool is_judged = true);
    /// The second point may have looked away: what waits for it is not judged.
    void doubt();
    /// What has waited for long enough is settled.
    void advance(Time now);
    [[nodiscard]] Time next_deadline() const;

    [[nodiscard]] const MatcherCounts& counts() const { return counts_; }
    /// Of those seen at both points.
    [[nodiscard]] const DelayHistogram& delays() const { return delays_; }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  private:
    struct Waiting {
        Point point{};
        Time at;
        /// Seen at both, or twice at one: kept until its time is over, so that more of the same are known.
        bool is_settled = false;
        bool is_judged = true;
    };
    struct Entry {
        Time until;
        std::uint32_t packet = 0;
    };

    PacketMatcherConfig config_;
    std::map<std::uint32_t, Waiting> waiting_;
    std::deque<Entry> order_;
    MatcherCounts counts_;
    DelayHistogram delays_;
};

}  // namespace dyetrace::health
