// SPDX-License-Identifier: GPL-2.0-or-later
// The acceptor's side of one path generation of one session: measures loss twice, and what tracked packets
// went through. docs/metrics.md has each figure's formula and what it does not prove.
//
// Loss of all packets: at each marker and each tracked packet the sender's cumulative count is set beside the
// receiver's own. On one path packets stay in order, so between two such points
//
//   sent = difference of the sender's counts,  received = difference of the receiver's counts,
//   net loss = sent - received        (exact where nothing untracked was duplicated, injected or reordered
//                                      past START or END)
//
// and the END marker settles the tail. Loss of tracked packets: from their sequence numbers, each exactly
// once. What comes late is taken back from both losses, until a waiting time after the END (RFC 7680 §2.2,
// Tmax).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/base/digest.h"
#include "core/base/ids.h"
#include "core/base/sequence.h"
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
    std::uint8_t ttl = 0;      ///< outer, as it arrived
    bool marked = false;       ///< outer CE that was not there when it was sent
    bool ecn_invalid = false;  ///< will be dropped at decapsulation (RFC 6040 §4.2)
    bool corrupted = false;    ///< its own check failed
};

/// What a marker says, beside the receiver's own count as it arrived.
struct Mark {
    std::uint16_t interval = 0;
    std::uint64_t count_sent = 0;
    std::uint32_t next_sequence = 0;  ///< of the tracked packet that will follow
    std::uint64_t count_received = 0;
    Time now;
};

/// What a tracked packet turned out to be.
enum class Arrival : std::uint8_t {
    New,        ///< ahead of all tracked packets before it
    Late,       ///< reordered (RFC 4737 §3.3): behind a later one, first time seen; not lost
    Duplicate,  ///< seen before; the caller takes it out of its count of received packets again
    Outside,    ///< of no interval that is open or still waits, or older than what can be told apart
};

class ReceivedPath {
  public:
    /// How far behind the newest a tracked packet may come and still be told from a duplicate.
    static constexpr std::uint32_t kReorderWindow = 64;
    /// So many gaps in the sequence are remembered, each with when it was left. Of a packet that closes an
    /// older one the reordering extent is known from below only.
    static constexpr std::size_t kGapsMost = 10;

    /// A START marker. Where it shows that nothing was sent since the last END, what was received since was
    /// late, and is credited if the END is no further back than `waiting`. Returns false where that interval
    /// began already.
    bool start(const Mark& mark, Duration waiting);
    /// A COUNT marker inside the interval: a snapshot. Returns false where it is not open, or was overtaken.
    bool count(const Mark& mark);
    /// The END marker of the same interval. Returns false where that interval is not open.
    bool end(const Mark& mark);
    /// A tracked packet. One of an interval that has ended counts until `waiting` after its END; intervals
    /// that follow each other within `waiting` wait together.
    Arrival track(const TrackedPacket& packet, Duration waiting);

    [[nodiscard]] bool is_open() const { return open_; }
    /// Packets lost since the generation began, up to the last snapshot; wraps where more were received.
    [[nodiscard]] std::uint64_t net_loss() const { return sent_ - received_; }
    /// Totals since the generation began; the open interval up to its last snapshot.
    [[nodiscard]] wire::PathRecord record(PathIndex path, PathGeneration generation) const;

    void digest_into(StateDigest& digest) const;

  private:
    /// The first tracked packet behind a gap, low bits: arrivals are counted by `tracked_received_`.
    struct Gap {
        std::uint8_t sequence = 0;
        std::uint8_t arrival = 0;
    };

    void snapshot(std::uint64_t count_sent, std::uint32_t next_sequence, std::uint64_t count_received,
                  Time now);
    void advance(std::uint32_t by);
    void forget_gaps(std::uint32_t by);
    void settle(Time now);
    [[nodiscard]] std::uint32_t newest_behind() const;
    [[nodiscard]] bool may_come(std::uint32_t sequence, Time now, Duration waiting) const;
    Arrival track_behind(const TrackedPacket& packet, std::uint32_t behind, Duration waiting);
    void note_gap(std::uint32_t sequence);
    [[nodiscard]] std::uint32_t extent_of(std::uint32_t behind) const;
    void take_sample(const TrackedPacket& packet);

    // Counts: what both sides showed at the last snapshot, and the totals up to it
    std::uint64_t mark_sent_ = 0;
    std::uint64_t mark_received_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t seen_ = 0;  ///< bit i: sequence next_sequence_ - 1 - i has arrived
    Time ended_at_{};
    Time measured_{};

    // Delay samples; their number is tracked_received_
    std::int64_t delay_ns_min_ = 0;
    std::int64_t delay_ns_max_ = 0;
    std::int64_t delay_ns_sum_ = 0;
    std::int64_t delay_ns_last_ = 0;
    std::int64_t ipdv_ns_sum_ = 0;
    std::uint64_t jitter_sixteenths_ = 0;

    std::int32_t balance_ = 0;          ///< of the newest interval: sent less received; saturates
    std::uint32_t accept_from_ = 0;     ///< older sequence numbers are of no interval that waits
    std::uint32_t start_sequence_ = 0;  ///< of the newest interval
    std::uint32_t next_sequence_ = 0;   ///< one past the newest that was sent, as far as is known
    std::uint32_t last_sequence_ = 0;   ///< of the tracked packet that came last
    std::uint32_t tracked_sent_ = 0;
    std::uint32_t tracked_received_ = 0;
    std::uint32_t duplicates_ = 0;
    std::uint32_t late_ = 0;
    std::uint32_t ce_ = 0;
    std::uint32_t ecn_invalid_ = 0;
    std::uint32_t corrupted_ = 0;
    std::uint32_t extent_max_ = 0;

    std::uint16_t interval_ = 0;
    std::uint16_t ttl_changes_ = 0;
    std::uint8_t ttl_ = 0;      ///< of the last tracked packet
    bool sampled_ : 1 = false;  ///< whether there was one
    bool open_ : 1 = false;
    bool excess_ : 1 = false;  ///< of an interval that has ended
    std::uint8_t gap_count_ = 0;
    std::array<Gap, kGapsMost> gaps_{};  ///< oldest first
};

/// A peer may say any count and any time; a sum that has left the range stays at its end.
template <class Integer>
void add_saturating(Integer& sum, std::int64_t value) {
    if (!__builtin_add_overflow(sum, value, &sum)) return;
    sum = value < 0 ? std::numeric_limits<Integer>::min() : std::numeric_limits<Integer>::max();
}

/// |one - other|, at most a quarter of an hour: what a clock steps is no jitter.
inline std::uint64_t distance_of_delays(std::int64_t one, std::int64_t other) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    const auto a = static_cast<std::uint64_t>(one);
    const auto b = static_cast<std::uint64_t>(other);
    return std::min(one < other ? b - a : a - b, kMost);
}

// Inline from here on: what every tracked packet goes through.

inline Arrival ReceivedPath::track(const TrackedPacket& packet, Duration waiting) {
    if (interval_ == 0) return Arrival::Outside;
    const std::int32_t ahead = sequence_distance(next_sequence_, packet.sequence);
    if (ahead < 0) return track_behind(packet, static_cast<std::uint32_t>(-ahead) - 1, waiting);
    if (!open_) return Arrival::Outside;  // nothing is tagged between intervals
    const bool leaves_gap = ahead != 0 || newest_behind() != 0;
    snapshot(packet.count_sent, packet.sequence + 1, packet.count_received, packet.now);
    if (leaves_gap) note_gap(packet.sequence);
    seen_ |= 1;
    take_sample(packet);
    return Arrival::New;
}

inline void ReceivedPath::snapshot(std::uint64_t count_sent, std::uint32_t next_sequence,
                                   std::uint64_t count_received, Time now) {
    const std::uint32_t by = next_sequence - next_sequence_;
    advance(by);
    next_sequence_ = next_sequence;
    tracked_sent_ += by;
    const std::uint64_t sent = count_sent - mark_sent_;
    const std::uint64_t received = count_received - mark_received_;
    sent_ += sent;
    received_ += received;
    add_saturating(balance_, static_cast<std::int64_t>(sent - received));
    mark_sent_ = count_sent;
    mark_received_ = count_received;
    measured_ = now;
}

/// Moves the window forward, and forgets the gaps that leave it. To be called before `next_sequence_` moves.
inline void ReceivedPath::advance(std::uint32_t by) {
    seen_ = by < kReorderWindow ? seen_ << by : 0;
    if (gap_count_ > 0) forget_gaps(by);
}

/// Place in the window of the tracked packet that is ahead of all others that came.
inline std::uint32_t ReceivedPath::newest_behind() const {
    return static_cast<std::uint32_t>(std::countr_zero(seen_));
}

/// Counts a tracked packet that came for the first time.
inline void ReceivedPath::take_sample(const TrackedPacket& packet) {
    const bool first = !sampled_;
    sampled_ = true;
    ++tracked_received_;
    measured_ = packet.now;
    if (packet.marked) ++ce_;
    if (packet.ecn_invalid) ++ecn_invalid_;
    if (packet.corrupted) ++corrupted_;
    if (!first && packet.ttl != ttl_ && ttl_changes_ != 0xffff) ++ttl_changes_;
    ttl_ = packet.ttl;

    const std::int64_t delay_ns = packet.delay.ns;
    delay_ns_min_ = first ? delay_ns : std::min(delay_ns_min_, delay_ns);
    delay_ns_max_ = first ? delay_ns : std::max(delay_ns_max_, delay_ns);
    add_saturating(delay_ns_sum_, delay_ns);
    if (!first) {
        const std::uint64_t variation = distance_of_delays(delay_ns, delay_ns_last_);
        // RFC 3550 §6.4.1: J += (|D| - J) / 16 with each arrival; in sixteenths, J rounded, as its A.8 has
        // it.
        jitter_sixteenths_ += variation - ((jitter_sixteenths_ + 8) >> 4);
        // RFC 3393 §2.5, selection function: pairs that were sent, and arrived, one after the other.
        if (packet.sequence == last_sequence_ + 1)
            add_saturating(ipdv_ns_sum_, static_cast<std::int64_t>(variation));
    }
    delay_ns_last_ = delay_ns;
    last_sequence_ = packet.sequence;
}

}  // namespace dyetrace::tracking
