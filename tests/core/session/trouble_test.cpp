// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/trouble.h"

#include <functional>

#include <gtest/gtest.h>

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
