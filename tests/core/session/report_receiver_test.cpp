// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/report_receiver.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::session {
namespace {

wire::PathRecord record(std::uint16_t path, std::uint64_t sent, std::uint8_t generation = 0) {
    wire::PathRecord made;
    made.path = PathIndex{path};
    made.generation = PathGeneration{generation};
    made.intervals = 1;
    made.sent = sent;
    made.received = sent;
    return made;
}

struct Receiver : ::testing::Test {
    ReportReceiver receiver{SessionId{3}, 4};
    Outbox out;

    std::size_t take(std::uint32_t number, const std::vector<wire::PathRecord>& records) {
        out.clear();
        receiver.on_report(number, {}, records, Time{}, out);
        return out.records.size();
    }
    void time(std::int64_t now, std::int64_t sent, std::int64_t transmit, std::int64_t delay) {
        wire::ReportHeader header;
        header.flags = wire::ReportHeader::kFlagDelays;
        header.sent_ns = sent;
        header.newest = {transmit, delay};
        receiver.on_report(1, header, {}, Time{now}, out);
    }
};

TEST_F(Receiver, WhatIsOlderOfOnePathIsNewOfAnother) {
    EXPECT_EQ(take(7, {record(0, 20)}), 1U);
    EXPECT_EQ(take(5, {record(0, 10), record(1, 11)}), 1U);
    EXPECT_EQ(receiver.records()[0].sent, 20U);
    EXPECT_EQ(receiver.records()[1].sent, 11U);
}

TEST_F(Receiver, WhatIsKnownAlreadyIsNoNews) {
    EXPECT_EQ(take(1, {record(0, 20)}), 1U);
    EXPECT_EQ(take(2, {record(0, 20)}), 0U);
    EXPECT_EQ(take(3, {record(4, 1)}), 0U);  // a path that the session does not have
}

TEST_F(Receiver, AGenerationThatWasLeftTurnsNothingBack) {
    take(4, {record(0, 20, 0)});
    EXPECT_EQ(take(6, {record(0, 25, 0), record(0, 3, 1)}), 2U);
    EXPECT_EQ(take(7, {record(0, 25, 0), record(0, 3, 1)}), 0U);
    EXPECT_EQ(take(5, {record(0, 22, 0)}), 0U);
    EXPECT_EQ(receiver.records()[0], record(0, 3, 1));
}

TEST_F(Receiver, ARoundTripLeavesOutTheTimeThatTheAcceptorKeptTheNews) {
    EXPECT_FALSE(receiver.round_trip());
    // Their clock is 1000 ahead; there in 30, kept for 500, back in 50.
    time(580, 1530, 0, 1030);
    EXPECT_EQ(receiver.round_trip(), (RoundTrip{{80}, {80}}));
    time(1200, 2140, 500, 1040);  // 40 there, 600 kept, 60 back
    EXPECT_EQ(receiver.round_trip(), (RoundTrip{{80}, {100}}));
}

TEST_F(Receiver, APacketIsTimedOnce) {
    time(580, 1530, 0, 1030);
    time(2000, 2900, 0, 1030);
    EXPECT_EQ(receiver.round_trip(), (RoundTrip{{80}, {80}}));
}

TEST_F(Receiver, AClockThatWasSetMeanwhileMakesNoRoundTripBelowZero) {
    time(580, 5000, 0, 1030);
    EXPECT_FALSE(receiver.round_trip());
    time(580, std::numeric_limits<std::int64_t>::min(), 1, std::numeric_limits<std::int64_t>::max());
    EXPECT_FALSE(receiver.round_trip());
}

TEST_F(Receiver, AnOlderSketchDoesNotReplaceANewerOne) {
    const std::vector<std::uint8_t> one{1};
    const std::vector<std::uint8_t> two{2};
    EXPECT_TRUE(receiver.on_sketch(9, true, two));
    EXPECT_FALSE(receiver.on_sketch(8, false, one));
    EXPECT_EQ(receiver.sketch()[0], 2);
    EXPECT_TRUE(receiver.sketch_is_corrected());
}

}  // namespace
}  // namespace dyetrace::session
