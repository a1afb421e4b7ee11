// SPDX-License-Identifier: GPL-2.0-or-later
// The two ends of one path, played by a script: counts on both, and what the receiver measures.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>

#include "core/tracking/received_path.h"

namespace dyetrace::test {

class ScriptedPath {
  public:
    static constexpr Duration kWaiting = Duration::milliseconds(10);
    static constexpr Duration kTick = Duration::microseconds(1);  ///< from one event to the next

    explicit ScriptedPath(std::uint64_t count = 0, std::uint32_t sequence = 0)
        : sent_(count), sequence_(sequence) {}

    void start() {
        ++interval_;
        EXPECT_TRUE(measured.start(mark(), kWaiting));
    }
    bool count() { return measured.count(mark()); }
    void end() { EXPECT_TRUE(measured.end(mark())); }
    /// What a marker of the newest interval would say if it were sent and received now.
    tracking::Mark mark() {
        tracking::Mark mark;
        mark.interval = interval_;
        mark.count_sent = sent_;
        mark.next_sequence = sequence_;
        mark.count_received = received_;
        mark.now = tick();
        return mark;
    }
    void wait(Duration time) { now_ = now_ + time; }

    void data(int count) {
        sent_ += static_cast<std::uint64_t>(count);
        received_ += static_cast<std::uint64_t>(count);
    }
    void lose_data(std::uint64_t count) { sent_ += count; }
    /// Untracked packets that were sent, and seemed lost, arrive after all.
    void arrive_late(std::uint64_t count) { received_ += count; }
    /// A tagged packet that was sent and is still on its way.
    tracking::TrackedPacket send_tagged(Duration delay = Duration::microseconds(10)) {
        tracking::TrackedPacket packet;
        packet.sequence = sequence_++;
        packet.count_sent = ++sent_;
        packet.delay = delay;
        packet.ttl = 64;
        return packet;
    }
    tracking::Arrival arrive(tracking::TrackedPacket packet) {
        packet.count_received = ++received_;
        packet.now = tick();
        const tracking::Arrival arrival = measured.track(packet, kWaiting);
        if (arrival == tracking::Arrival::Duplicate) --received_;  // as the engine does
        return arrival;
    }
    tracking::Arrival tagged(Duration delay = Duration::microseconds(10)) {
        return arrive(send_tagged(delay));
    }
    void turn_back(std::uint32_t sequence) { sequence_ = sequence; }
    [[nodiscard]] wire::PathRecord record() const { return measured.record(PathIndex{3}, PathGeneration{1}); }

    tracking::ReceivedPath measured;

  private:
    Time tick() { return now_ = now_ + kTick; }

    std::uint64_t sent_;
    std::uint64_t received_ = 0;
    std::uint32_t sequence_;
    std::uint16_t interval_ = 0;
    Time now_{};
};

}  // namespace dyetrace::test
