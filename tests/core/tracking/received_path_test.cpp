// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/received_path.h"

#include <limits>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using tracking::Arrival;
using tracking::ReceivedPath;

/// The two ends of one path that stays in order: counts on both, and what the receiver measures.
class Path {
  public:
    explicit Path(std::uint64_t count = 0, std::uint32_t sequence = 0) : sent_(count), sequence_(sequence) {}

    void start() { EXPECT_TRUE(measured.start(++interval_, sent_, sequence_, received_, tick())); }
    void end() { EXPECT_TRUE(measured.end(interval_, sent_, sequence_, received_, tick())); }
    void data(int count) {
        for (int i = 0; i < count; ++i)
            ++sent_, ++received_;
    }
    void lose_data(std::uint64_t count) { sent_ += count; }
    /// A tagged packet that was sent and is still on its way.
    tracking::TrackedPacket send_tagged() {
        tracking::TrackedPacket packet;
        packet.sequence = sequence_++;
        packet.count_sent = ++sent_;
        packet.delay = Duration::microseconds(10);
        return packet;
    }
    Arrival arrive(tracking::TrackedPacket packet) {
        packet.count_received = ++received_;
        packet.now = tick();
        const Arrival arrival = measured.track(packet);
        if (arrival == Arrival::Duplicate) --received_;  // as the engine does
        return arrival;
    }
    Arrival tagged() { return arrive(send_tagged()); }
    [[nodiscard]] wire::PathRecord record() const { return measured.record(PathIndex{3}, PathGeneration{1}); }

    ReceivedPath measured;

  private:
    Time tick() { return now_ = now_ + Duration::microseconds(1); }

    std::uint64_t sent_;
    std::uint64_t received_ = 0;
    std::uint32_t sequence_;
    std::uint16_t interval_ = 0;
    Time now_{};
};

TEST(ReceivedPath, NothingIsMeasuredBeforeTheStart) {
    Path path;
    path.data(10);
    EXPECT_EQ(path.tagged(), Arrival::Outside);
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.intervals, 0);
    EXPECT_EQ(record.sent, 0U);
    EXPECT_EQ(record.tracked_received, 0U);
    EXPECT_EQ(record.delay_count, 0U);
    EXPECT_FALSE(path.measured.is_open());
}

TEST(ReceivedPath, WithoutLossSentEqualsReceived) {
    Path path;
    path.start();
    for (int i = 0; i < 50; ++i) {
        path.data(9);
        EXPECT_EQ(path.tagged(), Arrival::New);
    }
    path.data(4);
    path.end();
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.sent, 504U);
    EXPECT_EQ(record.received, 504U);
    EXPECT_EQ(record.tracked_sent, 50U);
    EXPECT_EQ(record.tracked_received, 50U);
    EXPECT_EQ(record.flags, 0);
    EXPECT_EQ(record.path, PathIndex{3});
    EXPECT_EQ(record.generation, PathGeneration{1});
}

TEST(ReceivedPath, LossBeforeTheFirstTagIsCounted) {
    Path path;
    path.start();
    path.lose_data(7);
    path.data(3);
    path.tagged();
    EXPECT_EQ(path.record().sent - path.record().received, 7U);
}

TEST(ReceivedPath, LossIsKnownAtEachTagAndTheTailIsSettledByTheEnd) {
    Path path;
    path.start();
    path.data(5);
    path.lose_data(2);
    path.tagged();
    path.data(1);
    path.lose_data(3);  // no tag follows
    EXPECT_EQ(path.record().sent, 8U);
    EXPECT_EQ(path.record().received, 6U);
    EXPECT_EQ(path.record().flags, wire::PathRecord::kFlagOpen);
    path.end();
    EXPECT_EQ(path.record().sent, 12U);
    EXPECT_EQ(path.record().received, 7U);
    EXPECT_EQ(path.record().flags, 0);
}

TEST(ReceivedPath, TrackedLossIsExactBySequence) {
    Path path;
    path.start();
    path.tagged();
    (void)path.send_tagged();  // lost
    (void)path.send_tagged();
    path.tagged();
    (void)path.send_tagged();  // lost in the tail
    path.end();
    EXPECT_EQ(path.record().tracked_sent, 5U);
    EXPECT_EQ(path.record().tracked_received, 2U);
    EXPECT_EQ(path.record().sent - path.record().received, 3U);
}

TEST(ReceivedPath, AnIntervalWithoutDataIsMeasuredAsEmpty) {
    Path path;
    path.start();
    path.end();
    EXPECT_EQ(path.record().intervals, 1);
    EXPECT_EQ(path.record().sent, 0U);
}

TEST(ReceivedPath, SequenceNumbersWrap) {
    Path path(0, 0xfffffffd);
    path.start();
    path.tagged();
    path.tagged();
    (void)path.send_tagged();  // 0xffffffff, lost
    path.tagged();             // 0
    path.tagged();
    path.end();
    EXPECT_EQ(path.record().tracked_sent, 5U);
    EXPECT_EQ(path.record().tracked_received, 4U);
    EXPECT_EQ(path.record().late, 0U);
}

TEST(ReceivedPath, CountsGoBeyondTwoToThe32) {
    Path path((std::uint64_t{1} << 32) - 5);
    path.start();
    path.data(20);
    path.tagged();
    path.lose_data(std::uint64_t{1} << 33);
    path.end();
    EXPECT_EQ(path.record().sent, 21 + (std::uint64_t{1} << 33));
    EXPECT_EQ(path.record().received, 21U);
}

TEST(ReceivedPath, ADuplicateIsCountedOnceAndChangesNoLoss) {
    Path path;
    path.start();
    const auto packet = path.send_tagged();
    EXPECT_EQ(path.arrive(packet), Arrival::New);
    EXPECT_EQ(path.arrive(packet), Arrival::Duplicate);
    path.tagged();
    EXPECT_EQ(path.arrive(packet), Arrival::Duplicate);
    path.end();
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.duplicates, 2U);
    EXPECT_EQ(record.tracked_received, 2U);
    EXPECT_EQ(record.sent, record.received);
    EXPECT_EQ(record.delay_count, 2U);
    EXPECT_EQ(record.flags & wire::PathRecord::kFlagExcess, 0);
}

TEST(ReceivedPath, LatePacketIsNotCountedAsLost) {
    Path path;
    path.start();
    path.tagged();
    const auto overtaken = path.send_tagged();
    path.tagged();
    EXPECT_EQ(path.record().tracked_sent - path.record().tracked_received, 1U);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Late);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Duplicate);
    path.tagged();
    path.end();
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.late, 1U);
    EXPECT_EQ(record.tracked_sent, record.tracked_received);
    EXPECT_EQ(record.sent, record.received);
    EXPECT_EQ(record.flags, 0);
}

TEST(ReceivedPath, LatePacketsAreToldFromDuplicatesWithinTheWindow) {
    for (const bool inside : {true, false}) {
        Path path;
        path.start();
        const auto overtaken = path.send_tagged();
        for (std::uint32_t i = 0; i + (inside ? 1 : 0) < ReceivedPath::kReorderWindow; ++i)
            path.tagged();
        EXPECT_EQ(path.arrive(overtaken), inside ? Arrival::Late : Arrival::Outside);
        EXPECT_EQ(path.record().late, inside ? 1U : 0U);
    }
}

TEST(ReceivedPath, AGapLongerThanTheWindowForgetsOldArrivals) {
    Path path;
    path.start();
    const auto old = path.send_tagged();
    path.arrive(old);
    for (int i = 0; i < 100; ++i)
        (void)path.send_tagged();
    EXPECT_EQ(path.tagged(), Arrival::New);
    EXPECT_EQ(path.arrive(old), Arrival::Outside);
    EXPECT_EQ(path.record().tracked_received, 2U);
    EXPECT_EQ(path.record().tracked_sent, 102U);
}

TEST(ReceivedPath, PacketsOfAnEarlierIntervalAreOutside) {
    Path path;
    path.start();
    const auto old = path.send_tagged();
    path.end();
    EXPECT_EQ(path.arrive(old), Arrival::Outside);
    path.start();
    EXPECT_EQ(path.arrive(old), Arrival::Outside);
    EXPECT_EQ(path.record().tracked_received, 0U);
}

TEST(ReceivedPath, IntervalsAddUpAndTheGapBetweenThemIsNobodys) {
    Path path;
    path.start();
    path.data(10);
    path.end();
    path.lose_data(1000);  // not measured: no interval is open
    path.data(5);
    path.start();
    path.data(10);
    path.lose_data(1);
    path.end();
    EXPECT_EQ(path.record().sent, 21U);
    EXPECT_EQ(path.record().received, 20U);
    EXPECT_EQ(path.record().intervals, 2);
}

TEST(ReceivedPath, ARepeatedStartDoesNotOpenAgain) {
    ReceivedPath path;
    EXPECT_TRUE(path.start(1, 100, 0, 50, Time{1}));
    EXPECT_FALSE(path.start(1, 120, 0, 60, Time{2}));  // retransmitted; its acknowledgement was lost
    EXPECT_TRUE(path.end(1, 130, 0, 80, Time{3}));
    EXPECT_EQ(path.record({}, {}).sent, 30U);
    EXPECT_EQ(path.record({}, {}).received, 30U);
    EXPECT_FALSE(path.start(1, 130, 0, 80, Time{4}));  // a copy that comes after the END
    EXPECT_FALSE(path.is_open());
}

TEST(ReceivedPath, ARepeatedOrForeignEndSettlesNothing) {
    ReceivedPath path;
    EXPECT_FALSE(path.end(1, 0, 0, 0, Time{1}));
    path.start(1, 0, 0, 0, Time{1});
    EXPECT_FALSE(path.end(2, 50, 0, 50, Time{2}));
    EXPECT_TRUE(path.end(1, 10, 0, 10, Time{3}));
    EXPECT_FALSE(path.end(1, 20, 0, 20, Time{4}));
    path.start(2, 20, 0, 20, Time{5});
    EXPECT_FALSE(path.end(1, 30, 0, 30, Time{6}));  // overtaken by its own interval's successor
    EXPECT_EQ(path.record({}, {}).sent, 10U);
}

TEST(ReceivedPath, AStartWithoutTheEndBeforeItKeepsWhatWasMeasured) {
    Path path;
    path.start();
    path.data(9);
    path.tagged();
    path.lose_data(100);  // behind the last tag: unsettled for ever
    path.start();
    path.data(1);
    path.end();
    EXPECT_EQ(path.record().sent, 11U);
    EXPECT_EQ(path.record().received, 11U);
}

TEST(ReceivedPath, IntervalNumbersWrapPastZero) {
    ReceivedPath path;
    path.start(65534, 0, 0, 0, Time{1});
    EXPECT_TRUE(path.end(65534, 1, 0, 1, Time{2}));
    EXPECT_TRUE(path.start(65535, 1, 0, 1, Time{3}));
    EXPECT_TRUE(path.end(65535, 2, 0, 2, Time{4}));
    EXPECT_TRUE(path.start(1, 2, 0, 2, Time{5}));
    EXPECT_FALSE(path.start(65535, 2, 0, 2, Time{6}));
    EXPECT_TRUE(path.end(1, 3, 0, 3, Time{7}));
    EXPECT_EQ(path.record({}, {}).sent, 3U);
}

TEST(ReceivedPath, MoreReceivedThanSentIsExcessForGood) {
    ReceivedPath path;
    path.start(1, 0, 0, 0, Time{1});
    path.end(1, 10, 0, 12, Time{2});  // two untagged packets were injected or duplicated
    EXPECT_EQ(path.record({}, {}).flags, wire::PathRecord::kFlagExcess);
    EXPECT_EQ(path.record({}, {}).received, 12U);
    path.start(2, 10, 0, 12, Time{3});
    path.end(2, 30, 0, 22, Time{4});  // a later loss does not make it healthy again
    EXPECT_EQ(path.record({}, {}).flags, wire::PathRecord::kFlagExcess);
}

TEST(ReceivedPath, DelayIsRawAndMayBeNegative) {
    Path path;
    path.start();
    for (const std::int64_t ns : {500, -2'000, 1'500}) {
        auto packet = path.send_tagged();
        packet.delay = Duration{ns};
        path.arrive(packet);
    }
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.delay_count, 3U);
    EXPECT_EQ(record.delay_ns_min, -2'000);
    EXPECT_EQ(record.delay_ns_max, 1'500);
    EXPECT_EQ(record.delay_ns_sum, 0);
}

TEST(ReceivedPath, ASumOfDelaysBeyondAllReasonSaturates) {
    Path path;
    path.start();
    for (int i = 0; i < 3; ++i) {
        auto packet = path.send_tagged();
        packet.delay = Duration{std::numeric_limits<std::int64_t>::max()};
        path.arrive(packet);
    }
    EXPECT_EQ(path.record().delay_ns_sum, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace dyetrace::test
