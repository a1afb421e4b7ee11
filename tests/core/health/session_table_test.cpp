// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/session_table.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr Ipv4Address kOne{1}, kOther{2}, kThird{3};
constexpr SessionId kSession{7};
constexpr Time kNow{1'000'000'000};

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
    SessionTableTest() { table_.begin(kOne, BootId{1}, kNow); }
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
    table_.begin(kOne, BootId{2}, kNow);
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
    EXPECT_EQ(table_.take_restarted().paths, std::vector{oldest});
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
    table.begin(kOne, BootId{1}, kNow);
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

class ForgettingTest : public testing::Test {
  protected:
    static constexpr Time kLater = kNow + Duration::seconds(601);

    static SessionTableConfig config() {
        SessionTableConfig config;
        config.sessions = 2;
        config.paths = 5;
        return config;
    }
    TakenRecord take(Time now, IpAddress peer, SessionId session, std::uint16_t path = 0,
                     std::uint64_t sent = 1) {
        table_.begin(kOne, BootId{1}, now);
        return table_.take(peer, session, record(now.ns / 1'000'000, sent, sent, path));
    }

    localise::FabricGraph anyone_;
    SessionTable table_{anyone_, config()};
};

TEST_F(ForgettingTest, ASessionThatWasLongSilentGivesWayToAnother) {
    const TakenRecord silent = take(kNow, kOther, SessionId{1});
    const TakenRecord living = take(kNow, kOther, SessionId{2});
    take(kLater, kOther, SessionId{2}, 0, 2);
    const TakenRecord another = take(kLater, kThird, SessionId{3});
    ASSERT_EQ(another.verdict, RecordVerdict::Window);
    EXPECT_EQ(another.path, silent.path);
    EXPECT_EQ(another.window.sent, 1U) << "of its own";
    EXPECT_EQ(table_.key(another.path).acceptor, IpAddress{kThird});
    EXPECT_EQ(table_.take_restarted().paths, std::vector{silent.path});
    EXPECT_EQ(table_.counters().sessions_forgotten, 1U);
    EXPECT_EQ(table_.sessions(), 2U);
    EXPECT_EQ(take(kLater + Duration::seconds(1), kOther, SessionId{2}, 0, 12).window.sent, 10U);
    EXPECT_EQ(table_.key(living.path).session, SessionId{2});
    // And who was forgotten and comes back finds the table full of the living.
    EXPECT_EQ(take(kLater, kOther, SessionId{1}).verdict, RecordVerdict::OverLimit);
}

TEST_F(ForgettingTest, NobodyIsForgottenBeforeItsTime) {
    take(kNow, kOther, SessionId{1});
    take(kNow, kOther, SessionId{2});
    EXPECT_EQ(take(kNow + Duration::seconds(599), kOther, SessionId{3}).verdict, RecordVerdict::OverLimit);
    EXPECT_EQ(table_.counters().sessions_forgotten, 0U);
}

TEST_F(ForgettingTest, NobodyIsForgottenWhereThereIsRoom) {
    take(kNow, kOther, SessionId{1});
    take(kLater, kOther, SessionId{2});
    EXPECT_FALSE(table_.any_restarted());
    EXPECT_EQ(take(kLater, kOther, SessionId{1}, 0, 5).window.sent, 4U);
}

TEST_F(ForgettingTest, PathsGiveWayToAnyPath) {
    for (const std::uint16_t path : std::initializer_list<std::uint16_t>{0, 1, 2})
        take(kNow, kOther, SessionId{1}, path);
    for (const std::uint16_t path : std::initializer_list<std::uint16_t>{0, 1, 2, 3, 4}) {
        EXPECT_EQ(take(kLater, kOther, SessionId{2}, path).verdict, RecordVerdict::Window) << path;
    }
    EXPECT_EQ(take(kLater, kOther, SessionId{2}, 5).verdict, RecordVerdict::OverLimit) << "its own are kept";
    EXPECT_EQ(table_.take_restarted().paths.size(), 3U);
    EXPECT_EQ(table_.paths(), 5U);
    EXPECT_EQ(table_.sessions(), 1U);
}

TEST_F(ForgettingTest, APairKeepsItsNumberUntilAnotherNeedsIt) {
    const PairIndex first = take(kNow, kOther, SessionId{1}).pair;
    take(kNow, kThird, SessionId{2});
    take(kLater, kThird, SessionId{2}, 0, 2);
    take(kLater, kThird, SessionId{3});  // the first session gives way, and its pair has none left
    EXPECT_TRUE(table_.take_restarted().pairs.empty());
    EXPECT_FALSE(table_.find_pair(kOne, kOther));
    EXPECT_EQ(table_.pair(first), (localise::HostPair{kOne, kOther}));
    const Time still_later = kLater + Duration::seconds(601);
    const PairIndex reused = take(still_later, Ipv4Address{4}, SessionId{4}).pair;
    EXPECT_EQ(reused, first);
    EXPECT_EQ(table_.take_restarted().pairs, std::vector{first});
    EXPECT_EQ(table_.pair(reused), (localise::HostPair{kOne, Ipv4Address{4}}));
    EXPECT_EQ(table_.find_pair(kOne, Ipv4Address{4}), reused);
    EXPECT_EQ(table_.pairs(), 2U);
}

TEST_F(ForgettingTest, WhatWasForgottenIsNotHeld) {
    for (const std::uint16_t path : std::initializer_list<std::uint16_t>{0, 1})
        take(kNow, kOther, SessionId{1}, path);
    take(kNow, kThird, SessionId{2});
    take(kLater, kThird, SessionId{2}, 0, 2);
    take(kLater, kThird, SessionId{3});  // in the place of one path of two
    std::size_t held = 0;
    for (std::uint32_t i = 0; i < table_.paths(); ++i) {
        const localise::PathId path{i};
        held += table_.is_held(path) ? 1 : 0;
        EXPECT_NE(table_.key(path).acceptor, IpAddress{kOther});
    }
    EXPECT_EQ(held, 2U);
}

TEST(SessionTable, HostsThatTheGraphDoesNotHaveAreRefused) {
    localise::FabricGraph graph;
    graph.add_node("one", localise::NodeKind::Host, kOne);
    graph.add_node("other", localise::NodeKind::Host, kOther);
    SessionTable table(graph, {});
    table.begin(kOne, BootId{1}, kNow);
    EXPECT_EQ(table.take(kThird, kSession, record(1, 1, 1)).verdict, RecordVerdict::UnknownHost);
    EXPECT_EQ(table.take(kOther, kSession, record(1, 1, 1)).verdict, RecordVerdict::Window);
    table.begin(kThird, BootId{1}, kNow);
    EXPECT_EQ(table.take(kOther, kSession, record(1, 1, 1)).verdict, RecordVerdict::UnknownHost);
    EXPECT_EQ(table.counters().unknown_host, 2U);
}

TEST_F(SessionTableTest, WhatIsRememberedIsTakenBack) {
    wire::PathRecord r = record(100, 1000, 990, 3, 2);
    r.duplicates = 4;
    const auto path = table_.take(kOther, kSession, r).path;
    SessionTable resumed(anyone_, {});
    ASSERT_TRUE(resumed.resume(table_.remember(path), kNow));
    EXPECT_EQ(resumed.remember(localise::PathId{0}), table_.remember(path));
    EXPECT_FALSE(resumed.resume(table_.remember(path), kNow));  // it is there already
    resumed.begin(kOne, BootId{1}, kNow);
    r = record(200, 1100, 1085, 3, 2);
    r.duplicates = 5;
    const MetricsWindow window = resumed.take(kOther, kSession, r).window;
    EXPECT_EQ(window.sent, 100U);
    EXPECT_EQ(window.lost, 5U);
    EXPECT_EQ(window.duplicates, 1U);
}

}  // namespace
}  // namespace dyetrace::health
