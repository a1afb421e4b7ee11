// SPDX-License-Identifier: GPL-2.0-or-later
// The acceptor's side of one path of one session: measures loss twice, and one-way delay.
//
// Loss of all packets: at the START marker and at each tracked packet the sender's cumulative count is set
// beside the receiver's own. On one path packets stay in order, so between two such points
//
//   sent = difference of the sender's counts,  received = difference of the receiver's counts,
//   net loss = sent - received        (exact where nothing untracked was duplicated or injected)
//
// and the END marker settles the tail. Loss of tracked packets: from their sequence numbers, each exactly
// once.
#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/report.h"

namespace dyetrace::tracking {

/// What a tracked packet says, once its tag has been checked.
struct TrackedPacket {
    std::uint32_t sequence = 0;
    std::uint64_t count_sent = 0;      ///< the sender's cumulative count, this packet included
    std::uint64_t count_received = 0;  ///< the receiver's own, this packet included
    Duration delay;                    ///< receive time less transmit timestamp, each on its local clock
    Time now;
};

/// What a tracked packet turned out to be.
enum class Arrival : std::uint8_t {
    New,        ///< ahead of all before it
    Late,       ///< behind a later one, first time seen: not lost
    Duplicate,  ///< seen before; the caller takes it out of its count of received packets again
    Outside,    ///< no interval is open, or older than what can still be told apart
};

class ReceivedPath {
  public:
    /// How far behind the newest a tracked packet may come and still be told from a duplicate.
    static constexpr std::uint32_t kReorderWindow = 64;

    /// A START marker of interval `interval`, with the sender's count and next sequence number;
    /// `count_received` is the receiver's own count as the marker arrives. Returns false where that interval
    /// began already.
    bool start(std::uint16_t interval, std::uint64_t count_sent, std::uint32_t next_sequence,
               std::uint64_t count_received, Time now);
    /// The END marker of the same interval. Returns false where that interval is not open.
    bool end(std::uint16_t interval, std::uint64_t count_sent, std::uint32_t next_sequence,
             std::uint64_t count_received, Time now);
    Arrival track(const TrackedPacket& packet);

    [[nodiscard]] bool is_open() const { return open_; }
    /// Totals since the session began; the open interval up to its last snapshot.
    [[nodiscard]] wire::PathRecord record(PathIndex path, PathGeneration generation) const;

  private:
    void snapshot(std::uint64_t count_sent, std::uint32_t next_sequence, std::uint64_t count_received,
                  Time now);
    void settle();

    // The open interval
    bool open_ = false;
    bool excess_ = false;
    std::uint16_t interval_ = 0;
    std::uint32_t start_sequence_ = 0;
    std::uint32_t next_sequence_ = 0;  ///< one past the newest seen
    std::uint64_t seen_ = 0;           ///< bit i: sequence next_sequence_ - 1 - i has arrived
    std::uint64_t start_sent_ = 0;
    std::uint64_t start_received_ = 0;
    std::uint64_t open_sent_ = 0;  ///< at the last snapshot
    std::uint64_t open_received_ = 0;
    std::uint32_t open_tracked_ = 0;

    // Settled intervals, and what needs no settling
    std::uint64_t settled_sent_ = 0;
    std::uint64_t settled_received_ = 0;
    std::uint32_t settled_tracked_ = 0;
    std::uint32_t tracked_received_ = 0;
    std::uint32_t duplicates_ = 0;
    std::uint32_t late_ = 0;
    std::uint32_t delay_count_ = 0;
    std::int64_t delay_ns_min_ = 0;
    std::int64_t delay_ns_max_ = 0;
    std::int64_t delay_ns_sum_ = 0;
    Time measured_{};
};

}  // namespace dyetrace::tracking
