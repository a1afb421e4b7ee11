// SPDX-License-Identifier: GPL-2.0-or-later
// What one record of a (session, path) says beyond the one before it: the grain in which detectors look at a
// path. Whoever keeps the totals makes it; detectors only read it.
#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace dyetrace::health {

/// Differences of two `wire::PathRecord`s of one path, but where said otherwise. Formulas, denominators and
/// RFCs are in docs/metrics.md.
struct MetricsWindow {
    Time start;                          ///< measurement time of the record before, acceptor's clock
    Time end;                            ///< and of this one
    std::uint64_t sent = 0;              ///< data packets, tracked or not
    std::uint64_t lost = 0;              ///< of those, by counts; zero where `excess`
    std::uint32_t tracked_sent = 0;      ///< by sequence number
    std::uint32_t tracked_received = 0;  ///< distinct; the denominator of the counts that follow
    std::uint32_t duplicates = 0;
    std::uint32_t late = 0;  ///< RFC 4737 §3.3
    std::uint32_t ce = 0;    ///< marked CE by the fabric
    std::uint32_t ecn_invalid = 0;
    std::uint32_t corrupted = 0;
    std::uint32_t delay_count = 0;  ///< samples in `delay_sum`; zero: nothing is known of delay
    /// Raw one-way delays, so each holds the difference of the two clocks; may be negative.
    Duration delay_sum;
    Duration delay_min;  ///< smallest of the path so far, not of the window; means something once there
                         ///< was a sample
    Duration jitter;     ///< as it stands at the end (RFC 3550 §6.4.1)
    std::uint32_t ttl_changes = 0;
    std::uint16_t route_links = 0;  ///< links of the route as traced; zero: not known
    bool open = false;              ///< an interval is open: its tail is unsettled
    bool excess = false;            ///< more was received than sent: never healthy
};

}  // namespace dyetrace::health
