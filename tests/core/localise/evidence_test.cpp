// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/evidence.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Time at_ms(std::int64_t ms) {
    return Time{ms * 1'000'000};
}

PathTotals totals(std::uint64_t sent, std::uint64_t received) {
    PathTotals t;
    t.sent = sent;
    t.received = received;
    return t;
}

PathTotals delayed(std::uint64_t packets, std::int64_t sum_us, std::int64_t min_us) {
    PathTotals t = totals(packets * 100, packets * 100);
    t.delay_count = packets;
    t.delay_sum = Duration::microseconds(sum_us);
    t.delay_min = Duration::microseconds(min_us);
    return t;
}

class EvidenceTest : public testing::Test {
  protected:
    EvidenceTest() {
        for (const auto& [from, to] : {std::pair{a_, s_}, {s_, b_}, {s_, t_}, {t_, b_}, {a_, t_}})
            graph_.add_link(from, to);
    }
    static PathKey key(std::uint16_t path) {
        PathKey k;
        k.requester = Ipv4Address{1};
        k.acceptor = Ipv4Address{2};
        k.session = SessionId{7};
        k.path = PathIndex{path};
        return k;
    }
    EvidenceBuilder builder(EvidenceConfig config = {}) { return EvidenceBuilder(graph_, config); }

    FabricGraph graph_;
    NodeId a_ = graph_.add_node("a", NodeKind::Host);
    NodeId b_ = graph_.add_node("b", NodeKind::Host);
    NodeId s_ = graph_.add_node("s", NodeKind::Switch);
    NodeId t_ = graph_.add_node("t", NodeKind::Switch);
    const std::vector<NodeId> route_{a_, s_, b_};
    const std::vector<NodeId> other_route_{a_, t_, b_};
};

TEST_F(EvidenceTest, WindowsAreDifferencesOfCumulativeRecords) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.record(key(1), at_ms(20), totals(100, 98));
    evidence.record(key(1), at_ms(40), totals(250, 245));
    const auto windows = evidence.windows();
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[0].sent, 100U);
    EXPECT_EQ(windows[0].lost, 2U);
    EXPECT_EQ(windows[1].sent, 150U);
    EXPECT_EQ(windows[1].lost, 3U);
    EXPECT_EQ(windows[1].window.start, at_ms(20));
    EXPECT_EQ(windows[1].window.end, at_ms(40));
    EXPECT_THAT(windows[1].path, SizeIs(2));
}

TEST_F(EvidenceTest, RecordsAreHeldUntilTheirPathIsKnown) {
    EvidenceBuilder evidence = builder();
    evidence.record(key(1), at_ms(20), totals(100, 98));
    EXPECT_THAT(evidence.windows(), IsEmpty());
    EXPECT_EQ(evidence.paths_waiting(), 1U);
    EXPECT_TRUE(evidence.path(key(1), at_ms(90), route_));
    EXPECT_THAT(evidence.windows(), SizeIs(1));
    EXPECT_EQ(evidence.paths_waiting(), 0U);
}

TEST_F(EvidenceTest, RepeatedRecordChangesNothing) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    for (int i = 0; i < 3; ++i)
        evidence.record(key(1), at_ms(20), totals(100, 98));
    EXPECT_THAT(evidence.windows(), SizeIs(1));
    EXPECT_EQ(evidence.counters().records_repeated, 2U);
}

TEST_F(EvidenceTest, ConflictingRecordIsCountedAndTheFirstStays) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.record(key(1), at_ms(20), totals(100, 98));
    evidence.record(key(1), at_ms(20), totals(100, 10));
    EXPECT_EQ(evidence.windows().at(0).lost, 2U);
    EXPECT_EQ(evidence.counters().records_conflicting, 1U);
}

TEST_F(EvidenceTest, OrderOfArrivalDoesNotMatter) {
    const std::vector<std::pair<std::int64_t, PathTotals>> records{
        {20, totals(100, 98)}, {40, totals(250, 245)}, {60, totals(300, 290)}, {80, totals(310, 300)}};
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        EvidenceBuilder evidence = builder();
        evidence.path(key(1), at_ms(0), route_);
        for (const std::size_t i : order)
            evidence.record(key(1), at_ms(records[i].first), records[i].second);
        const auto windows = evidence.windows();
        ASSERT_THAT(windows, SizeIs(4));
        EXPECT_EQ(windows[2].sent, 50U);
        EXPECT_EQ(windows[2].lost, 5U);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(EvidenceTest, WindowInWhichNothingWasSentIsLeftOut) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.record(key(1), at_ms(20), totals(100, 98));
    evidence.record(key(1), at_ms(40), totals(100, 98));
    evidence.record(key(1), at_ms(60), totals(150, 148));
    EXPECT_THAT(evidence.windows(), SizeIs(2));
}

TEST_F(EvidenceTest, MoreReceivedThanSentIsNoLoss) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.record(key(1), at_ms(20), totals(100, 105));
    EXPECT_EQ(evidence.windows().at(0).lost, 0U);
}

TEST_F(EvidenceTest, OnlyWindowsWithinTheAskedTimeAreGiven) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    for (int i = 1; i <= 5; ++i)
        evidence.record(key(1), at_ms(20 * i), totals(100U * i, 100U * i));
    const auto windows = evidence.windows(at_ms(40), at_ms(80));
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[0].window.start, at_ms(40));
    EXPECT_EQ(windows[1].window.end, at_ms(80));
}

TEST_F(EvidenceTest, GenerationsOfAPathAreApart) {
    EvidenceBuilder evidence = builder();
    PathKey next = key(1);
    next.generation = PathGeneration{1};
    evidence.path(key(1), at_ms(0), route_);
    evidence.path(next, at_ms(30), other_route_);
    evidence.record(key(1), at_ms(20), totals(100, 100));
    evidence.record(next, at_ms(40), totals(30, 10));
    const auto windows = evidence.windows();
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[1].sent, 30U);
    EXPECT_EQ(windows[1].lost, 20U);
}

TEST_F(EvidenceTest, WindowAcrossARouteChangeIsLeftOut) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.path(key(1), at_ms(25), route_);
    evidence.path(key(1), at_ms(50), other_route_);
    for (int i = 1; i <= 4; ++i)
        evidence.record(key(1), at_ms(20 * i), totals(100U * i, 100U * i));
    const auto windows = evidence.windows();
    // Of 0-20, 20-40, 40-60 and 60-80: between the traces at 25 and 50 ms nobody knows.
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[0].path[0], *graph_.link(a_, s_));
    EXPECT_EQ(windows[1].window.start, at_ms(60));
    EXPECT_EQ(windows[1].path[0], *graph_.link(a_, t_));
}

TEST_F(EvidenceTest, PathThatTheFabricDoesNotHaveIsRefused) {
    EvidenceBuilder evidence = builder();
    EXPECT_FALSE(evidence.path(key(1), at_ms(0), std::vector{a_, b_}));
    EXPECT_EQ(evidence.counters().routes_unknown_link, 1U);
    EXPECT_EQ(evidence.path_count(), 0U);
}

TEST_F(EvidenceTest, ForgettingKeepsTheStartOfTheNextWindow) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    for (int i = 1; i <= 5; ++i)
        evidence.record(key(1), at_ms(20 * i), totals(100U * i, 99U * i));
    evidence.forget_before(at_ms(65));
    const auto windows = evidence.windows();
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[0].window.start, at_ms(60));
    EXPECT_EQ(windows[0].sent, 100U);
    evidence.record(key(1), at_ms(30), totals(150, 149));
    EXPECT_EQ(evidence.counters().records_forgotten, 1U);
    EXPECT_THAT(evidence.windows(), SizeIs(2));
}

TEST_F(EvidenceTest, TablesAreBoundedAndOverflowIsCounted) {
    EvidenceConfig config;
    config.max_paths = 2;
    config.max_records_per_path = 3;
    config.max_routes_per_path = 2;
    EvidenceBuilder evidence = builder(config);
    for (std::uint16_t p = 1; p <= 3; ++p)
        evidence.record(key(p), at_ms(20), totals(100, 100));
    evidence.path(key(3), at_ms(0), route_);
    EXPECT_EQ(evidence.counters().paths_over_limit, 2U);
    EXPECT_EQ(evidence.path_count(), 2U);

    for (int i = 2; i <= 6; ++i)
        evidence.record(key(1), at_ms(20 * i), totals(100U * i, 100U * i));
    EXPECT_EQ(evidence.counters().records_over_limit, 3U);
    evidence.path(key(1), at_ms(0), route_);
    const auto windows = evidence.windows();
    ASSERT_THAT(windows, SizeIs(2));  // of three records; what came before them is forgotten
    EXPECT_EQ(windows[0].sent, 100U);

    evidence.path(key(1), at_ms(200), other_route_);
    evidence.path(key(1), at_ms(300), route_);
    EXPECT_EQ(evidence.counters().routes_over_limit, 1U);
}

TEST_F(EvidenceTest, QueueingIsTheMeanDelayAboveThePathsSmallest) {
    EvidenceBuilder evidence = builder();
    evidence.path(key(1), at_ms(0), route_);
    evidence.record(key(1), at_ms(20), delayed(2, 200, 100));
    evidence.record(key(1), at_ms(40), delayed(6, 200 + 4 * 700, 100));
    const auto windows = evidence.windows();
    EXPECT_EQ(windows[0].window.queueing_mean, Duration{});
    EXPECT_EQ(windows[1].window.delay_count, 4U);
    EXPECT_EQ(windows[1].window.queueing_mean, Duration::microseconds(600));
}

TEST_F(EvidenceTest, PathThatNeverSawAShortQueueIsJudgedByItsPeersWhereClocksAgree) {
    EvidenceBuilder evidence = builder();
    for (std::uint16_t p = 1; p <= 5; ++p) {
        evidence.path(key(p), at_ms(0), route_);
        const std::int64_t delay_us = p == 5 ? 1300 : 100;
        evidence.record(key(p), at_ms(20), delayed(4, 4 * delay_us, delay_us));
    }
    EXPECT_EQ(evidence.windows().at(4).window.queueing_mean, Duration::microseconds(1200));
}

TEST_F(EvidenceTest, EachPathIsJudgedByItselfWhereClocksDisagree) {
    EvidenceBuilder evidence = builder();
    for (std::uint16_t p = 1; p <= 5; ++p) {
        evidence.path(key(p), at_ms(0), route_);
        const std::int64_t delay_us = 5000 * p - 12000;  // offsets of clocks, some negative
        evidence.record(key(p), at_ms(20), delayed(4, 4 * delay_us, delay_us));
    }
    for (const auto& window : evidence.windows())
        EXPECT_EQ(window.window.queueing_mean, Duration{});
}

TEST_F(EvidenceTest, WhoCrossesALinkIsToldWithTheMostTrafficFirst) {
    EvidenceBuilder evidence = builder();
    for (std::uint16_t path = 1; path <= 3; ++path)
        evidence.path(key(path), at_ms(0), path == 3 ? other_route_ : route_);
    evidence.record(key(1), at_ms(20), totals(100, 98));
    evidence.record(key(2), at_ms(20), totals(300, 295));
    evidence.record(key(3), at_ms(20), totals(900, 900));
    const LinkId link = *graph_.link(s_, b_);
    EXPECT_EQ(evidence.crossing(link, kBeginning), (Crossing{400, 7}));
    EXPECT_EQ(evidence.crossing(link, at_ms(10)), (Crossing{0, 0}));
    EXPECT_EQ(evidence.paths_across(link, kBeginning, 9), (std::vector{key(2), key(1)}));
    EXPECT_EQ(evidence.paths_across(link, kBeginning, 1), (std::vector{key(2)}));
    EXPECT_EQ(evidence.pairs_across(link, kBeginning, 9),
              (std::vector<HostPair>{{key(1).requester, key(1).acceptor}}));
}

}  // namespace
}  // namespace dyetrace::localise
