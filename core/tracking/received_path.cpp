// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/received_path.h"

#include <algorithm>
#include <limits>

#include "core/base/sequence.h"

namespace dyetrace::tracking {

bool ReceivedPath::start(std::uint16_t interval, std::uint64_t count_sent, std::uint32_t next_sequence,
                         std::uint64_t count_received, Time now) {
    if (interval_ != 0 && sequence_distance(interval_, interval) <= 0) return false;
    settle();  // an interval whose END never came keeps what was measured up to its last snapshot
    open_ = true;
    interval_ = interval;
    start_sequence_ = next_sequence_ = next_sequence;
    seen_ = 0;
    start_sent_ = count_sent;
    start_received_ = count_received;
    measured_ = now;
    return true;
}

bool ReceivedPath::end(std::uint16_t interval, std::uint64_t count_sent, std::uint32_t next_sequence,
                       std::uint64_t count_received, Time now) {
    if (!open_ || interval != interval_) return false;
    snapshot(count_sent, next_sequence, count_received, now);
    settle();
    return true;
}

Arrival ReceivedPath::track(const TrackedPacket& packet) {
    if (!open_ || sequence_distance(start_sequence_, packet.sequence) < 0) return Arrival::Outside;
    const std::int32_t ahead = sequence_distance(next_sequence_, packet.sequence);
    Arrival arrival = Arrival::New;
    if (ahead >= 0) {
        const auto shift = static_cast<std::uint32_t>(ahead) + 1;
        seen_ = shift < kReorderWindow ? seen_ << shift | 1 : 1;
        snapshot(packet.count_sent, packet.sequence + 1, packet.count_received, packet.now);
    } else {
        const auto behind = static_cast<std::uint32_t>(-ahead) - 1;
        if (behind >= kReorderWindow) return Arrival::Outside;
        const std::uint64_t bit = std::uint64_t{1} << behind;
        if ((seen_ & bit) != 0) {
            ++duplicates_;
            return Arrival::Duplicate;
        }
        seen_ |= bit;
        ++late_;
        arrival = Arrival::Late;
    }
    ++tracked_received_;
    measured_ = packet.now;
    const std::int64_t delay_ns = packet.delay.ns;
    delay_ns_min_ = delay_count_ == 0 ? delay_ns : std::min(delay_ns_min_, delay_ns);
    delay_ns_max_ = delay_count_ == 0 ? delay_ns : std::max(delay_ns_max_, delay_ns);
    // A peer may say any time; a sum that has left the range stays at its end.
    if (__builtin_add_overflow(delay_ns_sum_, delay_ns, &delay_ns_sum_)) {
        delay_ns_sum_ = delay_ns < 0 ? std::numeric_limits<std::int64_t>::min()
                                     : std::numeric_limits<std::int64_t>::max();
    }
    ++delay_count_;
    return arrival;
}

void ReceivedPath::snapshot(std::uint64_t count_sent, std::uint32_t next_sequence,
                            std::uint64_t count_received, Time now) {
    next_sequence_ = next_sequence;
    open_sent_ = count_sent - start_sent_;
    open_received_ = count_received - start_received_;
    open_tracked_ = next_sequence - start_sequence_;
    if (open_received_ > open_sent_) excess_ = true;
    measured_ = now;
}

void ReceivedPath::settle() {
    settled_sent_ += open_sent_;
    settled_received_ += open_received_;
    settled_tracked_ += open_tracked_;
    open_sent_ = open_received_ = 0;
    open_tracked_ = 0;
    open_ = false;
}

wire::PathRecord ReceivedPath::record(PathIndex path, PathGeneration generation) const {
    wire::PathRecord record;
    record.path = path;
    record.generation = generation;
    record.flags = static_cast<std::uint8_t>((open_ ? wire::PathRecord::kFlagOpen : 0) |
                                             (excess_ ? wire::PathRecord::kFlagExcess : 0));
    record.intervals = interval_;
    record.sent = settled_sent_ + open_sent_;
    record.received = settled_received_ + open_received_;
    record.tracked_sent = settled_tracked_ + open_tracked_;
    record.tracked_received = tracked_received_;
    record.duplicates = duplicates_;
    record.late = late_;
    record.delay_ns_min = delay_ns_min_;
    record.delay_ns_max = delay_ns_max_;
    record.delay_ns_sum = delay_ns_sum_;
    record.delay_count = delay_count_;
    record.measured_ns = measured_.ns;
    return record;
}

}  // namespace dyetrace::tracking
