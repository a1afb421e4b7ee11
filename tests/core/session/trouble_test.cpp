// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/trouble.h"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "core/session/requester_session.h"

namespace dyetrace::session {
namespace {

using wire::PathRecord;

PathRecord record(const std::function<void(PathRecord&)>& change = {}) {
    PathRecord made;
    made.sent = 1000;
    made.received = 990;
    made.ce = 5;
    made.corrupted = 3;
    made.ecn_invalid = 1;
    if (change) change(made);
    return made;
}

TEST(Trouble, IsWhatAnEarlierRecordDidNotShow) {
    EXPECT_FALSE(shows_trouble(record(), record()));
    EXPECT_TRUE(shows_trouble(record(), PathRecord{}));
    EXPECT_TRUE(shows_trouble(record([](auto& r) { r.sent += 1; }), record()));
    EXPECT_TRUE(shows_trouble(record([](auto& r) { r.ce += 1; }), record()));
    EXPECT_TRUE(shows_trouble(record([](auto& r) { r.corrupted += 1; }), record()));
    EXPECT_TRUE(shows_trouble(record([](auto& r) { r.ecn_invalid += 1; }), record()));
}

TEST(Trouble, IsExcessForAsLongAsItLasts) {
    const PathRecord excess = record([](auto& r) { r.flags = PathRecord::kFlagExcess; });
    EXPECT_TRUE(shows_trouble(excess, record()));
    EXPECT_TRUE(shows_trouble(excess, excess));
}

TEST(Trouble, IsNotTrafficNorDelayNorTrackedPacketsOnTheirWay) {
    EXPECT_FALSE(shows_trouble(record([](auto& r) { r.sent += 100, r.received += 100; }), record()));
    EXPECT_FALSE(shows_trouble(record([](auto& r) { r.received += 5; }), record()));  // late, not lost
    EXPECT_FALSE(shows_trouble(record([](auto& r) { r.tracked_sent += 1; }), record()));
    EXPECT_FALSE(shows_trouble(record([](auto& r) { r.delay_ns_max = 1'000'000'000; }), record()));
    EXPECT_FALSE(shows_trouble(record([](auto& r) { r.flags = PathRecord::kFlagOpen; }), record()));
}

struct TroubleOfASession : ::testing::Test {
    RequesterSession session{[] {
        RequesterParameters parameters;
        parameters.path_count = 2;
        parameters.port_count = 2;
        return parameters;
    }()};
    tracking::PathTable table{2, 2};
    std::uint32_t number = 0;

    /// Whether a report with such totals of path 1 tells of new trouble.
    bool reported(std::uint64_t sent, std::uint64_t received, std::uint8_t generation = 0) {
        PathRecord record;
        record.path = PathIndex{1};
        record.generation = PathGeneration{generation};
        record.intervals = 1;
        record.sent = sent;
        record.received = received;
        Outbox out;
        session.on_report(++number, {}, std::vector{record}, Time{}, table, out);
        EXPECT_EQ(out.records.size(), 1U);
        return !out.records.empty() && out.records[0].troubled;
    }
};

TEST_F(TroubleOfASession, IsWhatTheReportBeforeDidNotShow) {
    EXPECT_FALSE(reported(10, 10));
    EXPECT_TRUE(reported(20, 19));
    EXPECT_FALSE(reported(30, 29));
    EXPECT_TRUE(reported(40, 38));
}

TEST_F(TroubleOfASession, BeginsAnewWithAGeneration) {
    EXPECT_TRUE(reported(100, 90));
    EXPECT_TRUE(reported(10, 9, 1));  // fewer lost in all than before, but of another count
    EXPECT_FALSE(reported(20, 19, 1));
}

TEST_F(TroubleOfASession, IsShownAgainWhereItCouldNotBeTold) {
    EXPECT_TRUE(reported(100, 90));
    EXPECT_FALSE(reported(200, 190));
    session.note_untold(PathIndex{1});
    EXPECT_TRUE(reported(300, 290));
    EXPECT_FALSE(reported(400, 390));
}

TEST(Trouble, MoreReceivedThanSentIsNoLoss) {
    PathRecord before;
    before.sent = 10;
    before.received = 12;
    PathRecord now;
    now.sent = 20;
    now.received = 20;
    EXPECT_FALSE(shows_trouble(now, before));
}

}  // namespace
}  // namespace dyetrace::session
