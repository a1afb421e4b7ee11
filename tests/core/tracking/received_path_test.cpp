// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/received_path.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/core/tracking/scripted_path.h"

namespace dyetrace::test {
namespace {

using tracking::Arrival;
using tracking::Mark;
using tracking::ReceivedPath;
using tracking::TrackedPacket;

constexpr Duration kWaiting = ScriptedPath::kWaiting;

TEST(ReceivedPath, NothingIsMeasuredBeforeTheStart) {
    ScriptedPath path;
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
    ScriptedPath path;
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
    ScriptedPath path;
    path.start();
    path.lose_data(7);
    path.data(3);
    path.tagged();
    EXPECT_EQ(path.record().sent - path.record().received, 7U);
}

TEST(ReceivedPath, LossIsKnownAtEachTagAndTheTailIsSettledByTheEnd) {
    ScriptedPath path;
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

TEST(ReceivedPath, ACountMarkerTakesASnapshotAndLeavesTheIntervalOpen) {
    ScriptedPath path;
    path.start();
    path.data(5);
    path.lose_data(2);
    EXPECT_TRUE(path.count());
    EXPECT_EQ(path.record().sent, 7U);
    EXPECT_EQ(path.record().received, 5U);
    EXPECT_EQ(path.record().flags, wire::PathRecord::kFlagOpen);
    path.data(3);
    path.end();
    EXPECT_EQ(path.record().sent, 10U);
    EXPECT_EQ(path.record().received, 8U);
}

TEST(ReceivedPath, ACountMarkerSettlesTrackedPacketsToo) {
    ScriptedPath path;
    path.start();
    path.tagged();
    (void)path.send_tagged();  // lost, and no tag behind it
    EXPECT_TRUE(path.count());
    EXPECT_EQ(path.record().tracked_sent, 2U);
    EXPECT_EQ(path.record().tracked_received, 1U);
}

TEST(ReceivedPath, ACountMarkerThatWasOvertakenOrIsForeignIsNoSnapshot) {
    ScriptedPath path;
    path.start();
    path.data(5);
    const Mark early = path.mark();
    path.tagged();
    EXPECT_FALSE(path.measured.count(early));
    EXPECT_EQ(path.record().sent, 6U);
    Mark other = path.mark();
    other.interval = 2;
    EXPECT_FALSE(path.measured.count(other));
    path.end();
    EXPECT_FALSE(path.measured.count(path.mark()));
}

TEST(ReceivedPath, TrackedLossIsExactBySequence) {
    ScriptedPath path;
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
    ScriptedPath path;
    path.start();
    path.end();
    EXPECT_EQ(path.record().intervals, 1);
    EXPECT_EQ(path.record().sent, 0U);
}

TEST(ReceivedPath, SequenceNumbersWrap) {
    ScriptedPath path(0, 0xfffffffd);
    path.start();
    path.tagged();
    const auto overtaken = path.send_tagged();
    (void)path.send_tagged();  // 0xffffffff, lost
    path.tagged();             // 0
    EXPECT_EQ(path.arrive(overtaken), Arrival::Late);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Duplicate);
    path.tagged();
    path.end();
    EXPECT_EQ(path.record().tracked_sent, 5U);
    EXPECT_EQ(path.record().tracked_received, 4U);
    EXPECT_EQ(path.record().late, 1U);
}

TEST(ReceivedPath, CountsGoBeyondTwoToThe32) {
    ScriptedPath path((std::uint64_t{1} << 32) - 5);
    path.start();
    path.data(20);
    path.tagged();
    path.lose_data(std::uint64_t{1} << 33);
    path.end();
    EXPECT_EQ(path.record().sent, 21 + (std::uint64_t{1} << 33));
    EXPECT_EQ(path.record().received, 21U);
    EXPECT_EQ(path.record().flags, 0);  // a loss beyond 2^31 is still a loss
}

TEST(ReceivedPath, CountsWrapAt2ToThe64) {
    ScriptedPath path(std::numeric_limits<std::uint64_t>::max() - 3);
    path.start();
    path.data(10);
    path.lose_data(2);
    path.tagged();
    path.end();
    EXPECT_EQ(path.record().sent, 13U);
    EXPECT_EQ(path.record().received, 11U);
}

TEST(ReceivedPath, ADuplicateIsCountedOnceAndChangesNoLoss) {
    ScriptedPath path;
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
    ScriptedPath path;
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
        ScriptedPath path;
        path.start();
        const auto overtaken = path.send_tagged();
        for (std::uint32_t i = 0; i + (inside ? 1 : 0) < ReceivedPath::kReorderWindow; ++i)
            path.tagged();
        EXPECT_EQ(path.arrive(overtaken), inside ? Arrival::Late : Arrival::Outside);
        EXPECT_EQ(path.record().late, inside ? 1U : 0U);
    }
}

TEST(ReceivedPath, AGapLongerThanTheWindowForgetsOldArrivals) {
    ScriptedPath path;
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

// RFC 7680 §2.2: what comes within the waiting time is late and not lost, also behind the END.
TEST(ReceivedPath, ATrackedPacketBehindTheEndIsTakenBackFromBothLosses) {
    ScriptedPath path;
    path.start();
    path.tagged();
    const auto overtaken = path.send_tagged();
    path.tagged();
    path.end();
    EXPECT_EQ(path.record().sent - path.record().received, 1U);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Late);
    EXPECT_EQ(path.record().received, path.record().sent);
    EXPECT_EQ(path.record().tracked_received, path.record().tracked_sent);
    EXPECT_EQ(path.record().late, 1U);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Duplicate);
    EXPECT_EQ(path.record().received, path.record().sent);
    EXPECT_EQ(path.record().flags, 0);
}

TEST(ReceivedPath, WhatOnlyAMarkerHasOvertakenIsNotReordered) {
    ScriptedPath path;
    path.start();
    path.tagged();
    const auto last = path.send_tagged();
    path.end();
    EXPECT_EQ(path.arrive(last), Arrival::New);
    EXPECT_EQ(path.record().late, 0U);
    EXPECT_EQ(path.record().received, path.record().sent);
    EXPECT_EQ(path.record().tracked_received, 2U);
}

TEST(ReceivedPath, TheWaitingTimeEndsWhatIsTakenBack) {
    for (const bool in_time : {true, false}) {
        ScriptedPath path;
        path.start();
        const auto overtaken = path.send_tagged();
        path.tagged();
        path.end();
        path.wait(in_time ? kWaiting - ScriptedPath::kTick : kWaiting);
        EXPECT_EQ(path.arrive(overtaken), in_time ? Arrival::Late : Arrival::Outside);
        EXPECT_EQ(path.record().sent - path.record().received, in_time ? 0U : 1U);
    }
}

TEST(ReceivedPath, ATrackedPacketOfTheIntervalBeforeIsNotCountedForThisOne) {
    ScriptedPath path;
    path.start();
    const auto overtaken = path.send_tagged();
    path.tagged();
    path.end();
    path.lose_data(1);  // something is sent in between, so that nothing can be credited at the START
    path.start();
    path.data(4);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Late);
    path.data(4);
    path.end();
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.sent, 10U);
    EXPECT_EQ(record.received, 10U);
    EXPECT_EQ(record.tracked_received, record.tracked_sent);
    EXPECT_EQ(record.flags, 0);  // one more than sent in the second interval, and no excess
}

TEST(ReceivedPath, AnOldPacketInANewIntervalWaitsNoLongerThanItsOwn) {
    ScriptedPath path;
    path.start();
    const auto overtaken = path.send_tagged();
    path.tagged();
    path.end();
    path.start();
    path.tagged();
    path.wait(kWaiting);
    EXPECT_EQ(path.arrive(overtaken), Arrival::Outside);
    EXPECT_EQ(path.tagged(), Arrival::New);  // the open interval's own are not touched by that
}

TEST(ReceivedPath, IntervalsInQuickSuccessionWaitTogether) {
    ScriptedPath path;
    path.start();
    const auto overtaken = path.send_tagged();
    path.tagged();
    path.end();
    for (int i = 0; i < 3; ++i) {
        path.start();
        path.tagged();
        path.end();
    }
    EXPECT_EQ(path.arrive(overtaken), Arrival::Late);
    path.wait(kWaiting * 2);
    path.start();
    const auto newer = path.send_tagged();
    path.tagged();
    path.end();
    EXPECT_EQ(path.arrive(newer), Arrival::Late);
    EXPECT_EQ(path.record().tracked_received, path.record().tracked_sent);
}

TEST(ReceivedPath, UntrackedPacketsBehindTheEndAreCreditedWhereNothingWasSentInBetween) {
    ScriptedPath path;
    path.start();
    path.data(10);
    path.lose_data(3);
    path.end();
    EXPECT_EQ(path.record().sent - path.record().received, 3U);
    path.arrive_late(2);  // two of the three were only slow
    path.start();
    path.data(5);
    path.end();
    EXPECT_EQ(path.record().sent, 18U);
    EXPECT_EQ(path.record().received, 17U);
    EXPECT_EQ(path.record().flags, 0);
}

TEST(ReceivedPath, NothingIsCreditedWhereSomethingWasSentInBetweenOrTheWaitingTimeIsOver) {
    for (const bool sent : {true, false}) {
        ScriptedPath path;
        path.start();
        path.data(10);
        path.lose_data(3);
        path.end();
        path.arrive_late(2);
        if (sent) path.data(1);
        if (!sent) path.wait(kWaiting);
        path.start();
        EXPECT_EQ(path.record().sent - path.record().received, 3U);
    }
}

TEST(ReceivedPath, ATrackedPacketBehindTheEndIsNotCreditedTwice) {
    ScriptedPath path;
    path.start();
    path.data(10);
    path.lose_data(3);
    const auto overtaken = path.send_tagged();
    path.tagged();
    path.end();
    path.arrive(overtaken);
    path.arrive(overtaken);
    path.arrive_late(1);
    path.start();
    EXPECT_EQ(path.record().sent, 15U);
    EXPECT_EQ(path.record().received, 13U);
}

TEST(ReceivedPath, MoreCreditThanWasMissingIsExcess) {
    ScriptedPath path;
    path.start();
    path.data(10);
    path.lose_data(1);
    path.end();
    path.arrive_late(2);
    path.start();
    EXPECT_NE(path.record().flags & wire::PathRecord::kFlagExcess, 0);
}

TEST(ReceivedPath, IntervalsAddUpAndTheGapBetweenThemIsNobodys) {
    ScriptedPath path;
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

Mark mark(std::uint16_t interval, std::uint64_t sent, std::uint64_t received, std::int64_t at) {
    Mark mark;
    mark.interval = interval;
    mark.count_sent = sent;
    mark.count_received = received;
    mark.now = Time{at};
    return mark;
}

TEST(ReceivedPath, ARepeatedStartDoesNotOpenAgain) {
    ReceivedPath path;
    EXPECT_TRUE(path.start(mark(1, 100, 50, 1), kWaiting));
    EXPECT_FALSE(path.start(mark(1, 120, 60, 2), kWaiting));  // its acknowledgement was lost
    EXPECT_TRUE(path.end(mark(1, 130, 80, 3)));
    EXPECT_EQ(path.record({}, {}).sent, 30U);
    EXPECT_EQ(path.record({}, {}).received, 30U);
    EXPECT_FALSE(path.start(mark(1, 130, 80, 4), kWaiting));  // a copy that comes after the END
    EXPECT_FALSE(path.is_open());
}

TEST(ReceivedPath, ARepeatedOrForeignEndSettlesNothing) {
    ReceivedPath path;
    EXPECT_FALSE(path.end(mark(1, 0, 0, 1)));
    path.start(mark(1, 0, 0, 1), kWaiting);
    EXPECT_FALSE(path.end(mark(2, 50, 50, 2)));
    EXPECT_TRUE(path.end(mark(1, 10, 10, 3)));
    EXPECT_FALSE(path.end(mark(1, 20, 20, 4)));
    path.start(mark(2, 20, 20, 5), kWaiting);
    EXPECT_FALSE(path.end(mark(1, 30, 30, 6)));  // overtaken by its own interval's successor
    EXPECT_EQ(path.record({}, {}).sent, 10U);
}

TEST(ReceivedPath, AStartWithoutTheEndBeforeItKeepsWhatWasMeasured) {
    ScriptedPath path;
    path.start();
    path.data(9);
    path.tagged();
    path.lose_data(100);  // behind the last tag: unsettled for ever
    const auto unsettled = path.send_tagged();
    path.start();
    EXPECT_EQ(path.arrive(unsettled), Arrival::Outside);
    path.data(1);
    path.end();
    EXPECT_EQ(path.record().sent, 11U);
    EXPECT_EQ(path.record().tracked_sent, 1U);
    EXPECT_EQ(path.record().tracked_received, 1U);
}

TEST(ReceivedPath, IntervalNumbersWrapPastZero) {
    ReceivedPath path;
    path.start(mark(65534, 0, 0, 1), kWaiting);
    EXPECT_TRUE(path.end(mark(65534, 1, 1, 2)));
    EXPECT_TRUE(path.start(mark(65535, 1, 1, 3), kWaiting));
    EXPECT_TRUE(path.end(mark(65535, 2, 2, 4)));
    EXPECT_TRUE(path.start(mark(1, 2, 2, 5), kWaiting));
    EXPECT_FALSE(path.start(mark(65535, 2, 2, 6), kWaiting));
    EXPECT_TRUE(path.end(mark(1, 3, 3, 7)));
    EXPECT_EQ(path.record({}, {}).sent, 3U);
}

TEST(ReceivedPath, AnIntervalThatEndsWithMoreReceivedThanSentIsExcessForGood) {
    ReceivedPath path;
    path.start(mark(1, 0, 0, 1), kWaiting);
    path.end(mark(1, 10, 12, 2));  // two untagged packets were injected or duplicated
    EXPECT_EQ(path.record({}, {}).flags, wire::PathRecord::kFlagExcess);
    EXPECT_EQ(path.record({}, {}).received, 12U);
    path.start(mark(2, 10, 12, 3), kWaiting);
    path.end(mark(2, 30, 22, 4));  // a later loss does not make it healthy again
    EXPECT_EQ(path.record({}, {}).flags, wire::PathRecord::kFlagExcess);
}

TEST(ReceivedPath, ExcessInTheMiddleOfAnIntervalMayBeReorderingAndPasses) {
    ScriptedPath path;
    path.start();
    const auto overtaken = path.send_tagged();
    path.data(2);  // sent behind it, received before it
    path.arrive(overtaken);
    EXPECT_NE(path.record().flags & wire::PathRecord::kFlagExcess, 0);
    path.tagged();
    EXPECT_EQ(path.record().flags, wire::PathRecord::kFlagOpen);
    path.end();
    EXPECT_EQ(path.record().flags, 0);
}

TEST(ReceivedPath, DelayIsRawAndMayBeNegative) {
    ScriptedPath path;
    path.start();
    for (const std::int64_t ns : {500, -2'000, 1'500})
        path.tagged(Duration{ns});
    const wire::PathRecord record = path.record();
    EXPECT_EQ(record.delay_count, 3U);
    EXPECT_EQ(record.delay_ns_min, -2'000);
    EXPECT_EQ(record.delay_ns_max, 1'500);
    EXPECT_EQ(record.delay_ns_sum, 0);
}

TEST(ReceivedPath, DelaysBeyondAllReasonSaturate) {
    ScriptedPath path;
    path.start();
    constexpr Duration kMost{std::numeric_limits<std::int64_t>::max()};
    constexpr Duration kLeast{std::numeric_limits<std::int64_t>::min()};
    path.tagged(kMost);
    path.tagged(kMost);
    EXPECT_EQ(path.record().delay_ns_sum, kMost.ns);
    for (int i = 0; i < 1000; ++i)
        path.tagged(i % 2 == 0 ? kLeast : kMost);
    EXPECT_EQ(path.record().jitter_ns, std::numeric_limits<std::uint32_t>::max());
    EXPECT_GT(path.record().ipdv_ns_sum, 0);
    EXPECT_EQ(path.record().delay_ns_min, kLeast.ns);
}

TEST(ReceivedPath, MarksOfCongestionAreCountedOncePerPacket) {
    ScriptedPath path;
    path.start();
    for (const bool marked : {false, true, true, false}) {
        TrackedPacket packet = path.send_tagged();
        packet.marked = marked;
        path.arrive(packet);
        path.arrive(packet);
    }
    EXPECT_EQ(path.record().ce, 2U);
    EXPECT_EQ(path.record().ecn_invalid, 0U);
}

TEST(ReceivedPath, EveryDropForAnInvalidCombinationOfEcnIsCounted) {
    ScriptedPath path;
    path.start();
    TrackedPacket packet = path.send_tagged();
    packet.marked = packet.ecn_invalid = true;
    EXPECT_EQ(path.arrive(packet), Arrival::New);  // it did arrive: no loss of the network's
    path.arrive(packet);                           // and its copy is dropped as well
    path.tagged();
    EXPECT_EQ(path.record().ecn_invalid, 2U);
    EXPECT_EQ(path.record().ce, 1U);
    EXPECT_EQ(path.record().tracked_received, 2U);
}

TEST(ReceivedPath, ACorruptedPacketArrivedAndIsNoLoss) {
    ScriptedPath path;
    path.start();
    TrackedPacket packet = path.send_tagged();
    packet.corrupted = true;
    path.arrive(packet);
    path.arrive(packet);
    path.tagged();
    path.end();
    EXPECT_EQ(path.record().corrupted, 1U);
    EXPECT_EQ(path.record().sent, path.record().received);
}

TEST(ReceivedPath, EachChangeOfTtlIsCountedInOrderOfArrival) {
    ScriptedPath path;
    path.start();
    for (const int ttl : {61, 61, 60, 60, 61, 255, 0, 0}) {
        TrackedPacket packet = path.send_tagged();
        packet.ttl = static_cast<std::uint8_t>(ttl);
        path.arrive(packet);
        packet.ttl = 9;  // of a copy, which is nobody's
        path.arrive(packet);
    }
    EXPECT_EQ(path.record().ttl_changes, 4U);
}

TEST(ReceivedPath, ChangesOfTtlStayAtTheirMost) {
    ScriptedPath path;
    path.start();
    for (int i = 0; i < 70'000; ++i) {
        TrackedPacket packet = path.send_tagged();
        packet.ttl = static_cast<std::uint8_t>(60 + i % 2);
        path.arrive(packet);
    }
    EXPECT_EQ(path.record().ttl_changes, 0xffffU);
}

TEST(ReceivedPath, AStartThatTurnsTheSequenceBackBeginsAnew) {
    ScriptedPath path(0, 1000);
    path.start();
    path.tagged();
    path.end();
    path.turn_back(500);
    path.start();
    EXPECT_EQ(path.tagged(), Arrival::New);
    EXPECT_EQ(path.record().late, 0U);
    EXPECT_EQ(path.record().tracked_received, 2U);
}

TEST(ReceivedPath, FitsItsShareOfTheStateOfAPath) {
    EXPECT_LE(sizeof(ReceivedPath), 184U);
}

}  // namespace
}  // namespace dyetrace::test
