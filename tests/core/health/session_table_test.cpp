// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/session_table.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr Ipv4Address kOne{1}, kOther{2}, kThird{3};
constexpr SessionId kSession{7};

wire::PathRecord record(std::int64_t ms, std::uint64_t sent, std::uint64_t received, std::uint16_t path = 0,
                        std::uint8_t generation = 0) {
    wire::PathRecord r;
    r.path = PathIndex{path};
    r.generation = PathGeneration{generation};
    r.measured_ns = ms * 1'000'000;
    r.sent = sent;
    r.received = received;
    return r;
}

class SessionTableTest : public testing::Test {
  protected:
    SessionTableTest() { table_.begin(kOne, BootId{1}); }
    RecordVerdict take(const wire::PathRecord& r) { return table_.take(kOther, kSession, r).verdict; }

    localise::FabricGraph anyone_;
    SessionTable table_{anyone_, {}};
};

TEST_F(SessionTableTest, AWindowIsWhatARecordSaysBeyondTheOneBefore) {
    wire::PathRecord first = record(100, 1000, 990), second = record(200, 1500, 1480);
    first.tracked_sent = 10;
    second.tracked_sent = 15;
    first.delay_count = 2;
    first.delay_ns_sum = 100;
    second.delay_count = 5;
    second.delay_ns_sum = 400;
    second.delay_ns_min = 40;
    const TakenRecord begun = table_.take(kOther, kSession, first);
    ASSERT_EQ(begun.verdict, RecordVerdict::Window);
    EXPECT_EQ(begun.window.start, Time{80'000'000});
    EXPECT_EQ(begun.window.sent, 1000U);
    const TakenRecord next = table_.take(kOther, kSession, second);
    ASSERT_EQ(next.verdict, RecordVerdict::Window);
    EXPECT_EQ(next.path, begun.path);
    EXPECT_EQ(next.window.start, Time{100'000'000});
    EXPECT_EQ(next.window.end, Time{200'000'000});
    EXPECT_EQ(next.window.sent, 500U);
    EXPECT_EQ(next.window.lost, 10U);
    EXPECT_EQ(next.window.tracked_sent, 5U);
    EXPECT_EQ(next.window.delay_count, 3U);
    EXPECT_EQ(next.window.delay_sum, Duration{300});
    EXPECT_EQ(next.window.delay_min, Duration{40});
}

TEST_F(SessionTableTest, RepeatedAndLateRecordsSayNothingNew) {
    take(record(100, 1000, 990));
    take(record(200, 2000, 1990));
    EXPECT_EQ(take(record(200, 2000, 1990)), RecordVerdict::Repeated);
    EXPECT_EQ(take(record(150, 1500, 1490)), RecordVerdict::Late);
    EXPECT_EQ(table_.counters().repeated, 1U);
    EXPECT_EQ(table_.counters().late, 1U);
    EXPECT_EQ(table_.take(kOther, kSession, record(300, 2100, 2090)).window.sent, 100U);
}

TEST_F(SessionTableTest, WhatCannotBeIsRefusedAndWhatFollowsIsTaken) {
    take(record(100, 1000, 990));
    EXPECT_EQ(take(record(100, 1001, 990)), RecordVerdict::Impossible);
    EXPECT_EQ(take(record(200, 999, 990)), RecordVerdict::Impossible);
    EXPECT_EQ(take(record(200, 1000, 989)), RecordVerdict::Impossible);
    EXPECT_EQ(take(record(200, 1100, 1101)), RecordVerdict::Impossible);
    EXPECT_EQ(take(record(200, 1100, 1091)), RecordVerdict::Impossible);
    EXPECT_EQ(take(record(200, 1000 + 2'000'000'000, 990)), RecordVerdict::Impossible);
    EXPECT_EQ(table_.counters().conflicting, 1U);
    EXPECT_EQ(table_.counters().ran_back, 2U);
    EXPECT_EQ(table_.counters().excess, 2U);
    EXPECT_EQ(table_.counters().absurd, 1U);
    EXPECT_EQ(table_.take(kOther, kSession, record(200, 1200, 1180)).window.lost, 10U);
}

TEST_F(SessionTableTest, ALongPastIsWhereWindowsBeginAndNoWindow) {
    EXPECT_EQ(take(record(1'000'000, 1'000'000'000'000, 999'000'000'000)), RecordVerdict::Begun);
    EXPECT_EQ(table_.counters().whole_past, 1U);
    EXPECT_EQ(
        table_.take(kOther, kSession, record(1'000'100, 1'000'000'000'500, 999'000'000'499)).window.lost, 1U);
}

TEST_F(SessionTableTest, ExtremeTimesAndCountsAreSurvived) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    wire::PathRecord r = record(0, std::numeric_limits<std::uint64_t>::max(), 0);
    for (const std::int64_t ns : {-kMost - 1, std::int64_t{-1}, std::int64_t{0}, kMost}) {
        r.measured_ns = ns;
        r.delay_ns_sum = ~ns;
        r.delay_count += 1;
        table_.take(kOther, kSession, r);
    }
    EXPECT_EQ(table_.paths(), 1U);
}

TEST_F(SessionTableTest, ARequesterThatRestartedBeginsAnew) {
    take(record(100, 1000, 990));
    table_.begin(kOne, BootId{2});
    const TakenRecord taken = table_.take(kOther, kSession, record(300, 10, 9));
    EXPECT_EQ(taken.verdict, RecordVerdict::Window);
    EXPECT_EQ(taken.window.sent, 10U);
    EXPECT_EQ(table_.counters().reboots, 1U);
}

TEST_F(SessionTableTest, EachPathGenerationAndSessionCountsForItself) {
    for (const std::uint16_t path : std::initializer_list<std::uint16_t>{5, 3, 4, 900, 0})
        EXPECT_EQ(table_.take(kOther, kSession, record(100, 10U + path, 10, path)).window.lost, path);
    EXPECT_EQ(table_.take(kOther, SessionId{8}, record(100, 20, 10, 3)).window.lost, 10U);
    EXPECT_EQ(table_.take(kThird, kSession, record(100, 21, 10, 3)).window.lost, 11U);
    EXPECT_EQ(table_.take(kOther, kSession, record(100, 22, 10, 3, 1)).window.lost, 12U);
    EXPECT_EQ(table_.take(kOther, kSession, record(200, 30, 20, 900)).verdict, RecordVerdict::Impossible);
    EXPECT_EQ(table_.take(kOther, kSession, record(200, 920, 20, 900)).window.sent, 10U);
    EXPECT_EQ(table_.sessions(), 3U);
    EXPECT_EQ(table_.pairs(), 2U);
    EXPECT_EQ(table_.paths(), 8U);
}

TEST_F(SessionTableTest, OfAPathsGenerationsTheTwoNewestAreHeld) {
    const auto oldest = table_.take(kOther, kSession, record(100, 10, 10, 3, 254)).path;
    take(record(100, 10, 10, 3, 255));
    const auto newest = table_.take(kOther, kSession, record(100, 10, 10, 3, 0)).path;
    EXPECT_EQ(newest, oldest);
    EXPECT_EQ(table_.take_restarted(), std::vector{oldest});
    EXPECT_FALSE(table_.any_restarted());
    EXPECT_EQ(table_.key(newest).generation, PathGeneration{0});
    EXPECT_EQ(take(record(200, 20, 20, 3, 254)), RecordVerdict::OldGeneration);
    EXPECT_EQ(table_.counters().old_generation, 1U);
    EXPECT_EQ(table_.take(kOther, kSession, record(200, 20, 20, 3, 255)).window.sent, 10U);
}

TEST(SessionTable, TablesAreBoundedAndOverflowIsCounted) {
    const localise::FabricGraph anyone;
    SessionTableConfig config;
    config.hosts = 3;
    config.sessions = 2;
    config.paths = 3;
    SessionTable table(anyone, config);
    table.begin(kOne, BootId{1});
    EXPECT_EQ(table.take(kOther, SessionId{1}, record(1, 1, 1)).verdict, RecordVerdict::Window);
    EXPECT_EQ(table.take(kOther, SessionId{2}, record(1, 1, 1)).verdict, RecordVerdict::Window);
    EXPECT_EQ(table.take(kOther, SessionId{3}, record(1, 1, 1)).verdict, RecordVerdict::OverLimit);
    EXPECT_EQ(table.take(kOther, SessionId{1}, record(1, 1, 1, 1)).verdict, RecordVerdict::Window);
    EXPECT_EQ(table.take(kOther, SessionId{1}, record(1, 1, 1, 2)).verdict, RecordVerdict::OverLimit);
    EXPECT_EQ(table.take(kThird, SessionId{1}, record(1, 1, 1)).verdict, RecordVerdict::OverLimit);
    EXPECT_EQ(table.take(Ipv4Address{4}, SessionId{1}, record(1, 1, 1)).verdict, RecordVerdict::OverLimit);
    EXPECT_EQ(table.take(kOther, SessionId{1}, record(2, 2, 2)).verdict, RecordVerdict::Window);
    EXPECT_EQ(table.counters().over_limit, 4U);
}

TEST(SessionTable, HostsThatTheGraphDoesNotHaveAreRefused) {
    localise::FabricGraph graph;
    graph.add_node("one", localise::NodeKind::Host, kOne);
    graph.add_node("other", localise::NodeKind::Host, kOther);
    SessionTable table(graph, {});
    table.begin(kOne, BootId{1});
    EXPECT_EQ(table.take(kThird, kSession, record(1, 1, 1)).verdict, RecordVerdict::UnknownHost);
    EXPECT_EQ(table.take(kOther, kSession, record(1, 1, 1)).verdict, RecordVerdict::Window);
    table.begin(kThird, BootId{1});
    EXPECT_EQ(table.take(kOther, kSession, record(1, 1, 1)).verdict, RecordVerdict::UnknownHost);
    EXPECT_EQ(table.counters().unknown_host, 2U);
}

TEST_F(SessionTableTest, WhatIsRememberedIsTakenBack) {
    wire::PathRecord r = record(100, 1000, 990, 3, 2);
    r.duplicates = 4;
    const auto path = table_.take(kOther, kSession, r).path;
    SessionTable resumed(anyone_, {});
    ASSERT_TRUE(resumed.resume(table_.remember(path)));
    EXPECT_EQ(resumed.remember(localise::PathId{0}), table_.remember(path));
    EXPECT_FALSE(resumed.resume(table_.remember(path)));  // it is there already
    resumed.begin(kOne, BootId{1});
    r = record(200, 1100, 1085, 3, 2);
    r.duplicates = 5;
    const MetricsWindow window = resumed.take(kOther, kSession, r).window;
    EXPECT_EQ(window.sent, 100U);
    EXPECT_EQ(window.lost, 5U);
    EXPECT_EQ(window.duplicates, 1U);
}

}  // namespace
}  // namespace dyetrace::health
