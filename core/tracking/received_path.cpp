// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/received_path.h"

#include <algorithm>
#include <limits>

namespace dyetrace::tracking {
bool ReceivedPath::start(const Mark& mark, Duration waiting) {
    const bool first = interval_ == 0;
    if (!first && sequence_distance(interval_, mark.interval) <= 0) return false;
    const bool ended = !first && !open_;
    if (open_) settle(mark.now);  // its END never came: it keeps what was measured up to its last snapshot
    const bool waits = ended && mark.now - ended_at_ <= waiting;
    // Nothing was sent in between, so whatever came in between was on its way as the END overtook it.
    if (waits && mark.count_sent == mark_sent_ && mark.next_sequence == next_sequence_) {
        const std::uint64_t credit = mark.count_received - mark_received_;
        received_ += credit;
        add_saturating(balance_, -static_cast<std::int64_t>(credit));
        if (balance_ < 0) excess_ = true;
    }
    const std::int32_t by = sequence_distance(next_sequence_, mark.next_sequence);
    if (!waits) accept_from_ = mark.next_sequence;
    if (first || by < 0) {
        seen_ = 0;
        gap_count_ = 0;
        accept_from_ = mark.next_sequence;
    } else {
        advance(static_cast<std::uint32_t>(by));
    }
    start_sequence_ = next_sequence_ = mark.next_sequence;
    mark_sent_ = mark.count_sent;
    mark_received_ = mark.count_received;
    interval_ = mark.interval;
    open_ = true;
    balance_ = 0;
    measured_ = mark.now;
    return true;
}

bool ReceivedPath::count(const Mark& mark) {
    if (!open_ || mark.interval != interval_) return false;
    // Overtaken by a tracked packet or a marker that says more.
    if (sequence_distance(next_sequence_, mark.next_sequence) < 0 || mark.count_sent < mark_sent_)
        return false;
    snapshot(mark.count_sent, mark.next_sequence, mark.count_received, mark.now);
    return true;
}

bool ReceivedPath::end(const Mark& mark) {
    if (!count(mark)) return false;
    settle(mark.now);
    return true;
}

void ReceivedPath::settle(Time now) {
    if (balance_ < 0) excess_ = true;
    open_ = false;
    ended_at_ = now;
}

Arrival ReceivedPath::track_behind(const TrackedPacket& packet, std::uint32_t behind, Duration waiting) {
    if (behind >= kReorderWindow || !may_come(packet.sequence, packet.now, waiting)) return Arrival::Outside;
    const std::uint64_t bit = std::uint64_t{1} << behind;
    if ((seen_ & bit) != 0) {
        ++duplicates_;
        if (packet.ecn_invalid) ++ecn_invalid_;
        return Arrival::Duplicate;
    }
    const std::uint32_t newest = newest_behind();
    // RFC 4737 §3.3: reordered when a packet that was sent later has arrived before. A marker is no packet of
    // the stream: what only a marker has overtaken is in order.
    const bool late = behind > newest;
    if (late) {
        ++late_;
        extent_max_ = std::max(extent_max_, extent_of(behind));
    } else if (newest != behind + 1) {
        note_gap(packet.sequence);
    }
    if (!open_) {  // the END's snapshot missed it
        ++received_;
        ++mark_received_;
        add_saturating(balance_, -1);
        if (balance_ < 0) excess_ = true;
    } else if (sequence_distance(start_sequence_, packet.sequence) < 0) {
        add_saturating(balance_, 1);  // the next snapshot takes it for one of this interval
    }
    seen_ |= bit;
    take_sample(packet);
    return late ? Arrival::Late : Arrival::New;
}

/// Whether a sequence number behind the newest is of the open interval, or of one that still waits.
bool ReceivedPath::may_come(std::uint32_t sequence, Time now, Duration waiting) const {
    if (open_ && sequence_distance(start_sequence_, sequence) >= 0) return true;
    return sequence_distance(accept_from_, sequence) >= 0 && now - ended_at_ <= waiting;
}

/// Forgets the gaps that leave the window with it.
void ReceivedPath::forget_gaps(std::uint32_t by) {
    const auto left_window = [&](const Gap& gap) {
        const auto behind = static_cast<std::uint8_t>(next_sequence_ - 1 - gap.sequence);
        return std::uint64_t{behind} + by >= kReorderWindow;
    };
    std::size_t gone = 0;
    while (gone < gap_count_ && left_window(gaps_[gone]))
        ++gone;
    if (gone == 0) return;
    std::copy(gaps_.begin() + gone, gaps_.begin() + gap_count_, gaps_.begin());
    gap_count_ = static_cast<std::uint8_t>(gap_count_ - gone);
}

/// A tracked packet is about to be counted that leaves others behind it missing.
void ReceivedPath::note_gap(std::uint32_t sequence) {
    if (gap_count_ == kGapsMost) {
        std::copy(gaps_.begin() + 1, gaps_.end(), gaps_.begin());
        --gap_count_;
    }
    gaps_[gap_count_++] = {static_cast<std::uint8_t>(sequence),
                           static_cast<std::uint8_t>(tracked_received_ + 1)};
}

/// RFC 4737 §4.2.3, of the reordered packet that is about to be counted: arrivals since the first of those
/// that were sent later, that one included. It is the packet behind the gap that this one helps to close.
std::uint32_t ReceivedPath::extent_of(std::uint32_t behind) const {
    // Of those arrivals the ones that were sent later are certain even where the gap is forgotten.
    const std::uint64_t ahead = seen_ & ((std::uint64_t{1} << behind) - 1);
    const auto at_least = static_cast<std::uint32_t>(std::popcount(ahead));
    for (std::size_t i = 0; i < gap_count_; ++i) {
        if (static_cast<std::uint8_t>(next_sequence_ - 1 - gaps_[i].sequence) >= behind) continue;
        const auto since = static_cast<std::uint8_t>(tracked_received_ + 1 - gaps_[i].arrival);
        return std::max<std::uint32_t>(at_least, since);
    }
    return at_least;
}

wire::PathRecord ReceivedPath::record(PathIndex path, PathGeneration generation) const {
    wire::PathRecord record;
    record.path = path;
    record.generation = generation;
    if (open_) record.flags |= wire::PathRecord::kFlagOpen;
    if (excess_ || balance_ < 0) record.flags |= wire::PathRecord::kFlagExcess;
    record.intervals = interval_;
    record.ttl_changes = ttl_changes_;
    record.sent = sent_;
    record.received = received_;
    record.tracked_sent = tracked_sent_;
    record.tracked_received = tracked_received_;
    record.duplicates = duplicates_;
    record.late = late_;
    record.delay_ns_min = delay_ns_min_;
    record.delay_ns_max = delay_ns_max_;
    record.delay_ns_sum = delay_ns_sum_;
    record.delay_count = tracked_received_;
    record.ce = ce_;
    record.ecn_invalid = ecn_invalid_;
    record.corrupted = corrupted_;
    record.reordering_extent_max = extent_max_;
    constexpr std::uint64_t kJitterMost = std::numeric_limits<std::uint32_t>::max();
    record.jitter_ns = static_cast<std::uint32_t>(std::min((jitter_sixteenths_ + 8) >> 4, kJitterMost));
    record.ipdv_ns_sum = ipdv_ns_sum_;
    record.measured_ns = measured_.ns;
    return record;
}

}  // namespace dyetrace::tracking
