// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/pair_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

using localise::FabricGraph;
using localise::LinkId;
using localise::NodeId;
using localise::NodeKind;
using ::testing::HasSubstr;

/// A fat-tree of switches with k ports, as al-Fares et al. (SIGCOMM 2008) describe it.
FabricGraph fat_tree(std::uint32_t k) {
    FabricGraph graph;
    const std::uint32_t half = k / 2;
    const auto join = [&](NodeId one, NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    };
    std::vector<NodeId> cores;
    for (std::uint32_t c = 0; c < half * half; ++c)
        cores.push_back(graph.add_node("core-" + std::to_string(c), NodeKind::Switch));
    for (std::uint32_t p = 0; p < k; ++p) {
        const std::string pod = std::to_string(p) + "-";
        std::vector<NodeId> aggs;
        for (std::uint32_t a = 0; a < half; ++a) {
            aggs.push_back(graph.add_node("agg-" + pod + std::to_string(a), NodeKind::Switch));
            for (std::uint32_t c = 0; c < half; ++c)
                join(aggs.back(), cores[a * half + c]);
        }
        for (std::uint32_t e = 0; e < half; ++e) {
            const NodeId edge = graph.add_node("edge-" + pod + std::to_string(e), NodeKind::Switch);
            for (const NodeId agg : aggs)
                join(edge, agg);
            for (std::uint32_t h = 0; h < half; ++h)
                join(graph.add_node("host-" + pod + std::to_string(e) + "-" + std::to_string(h),
                                    NodeKind::Host),
                     edge);
        }
    }
    return graph;
}

TEST(PairPlan, ShortestPathsOfAFatTreeAreOneForEachCoreOrAggregationSwitch) {
    const FabricGraph graph = fat_tree(4);
    const auto host = [&](const char* name) { return *graph.find(std::string_view(name)); };
    EXPECT_EQ(shortest_paths(graph, host("host-0-0-0"), host("host-1-0-0"), 100).size(), 4U);
    EXPECT_EQ(shortest_paths(graph, host("host-0-0-0"), host("host-0-1-0"), 100).size(), 2U);
    EXPECT_EQ(shortest_paths(graph, host("host-0-0-0"), host("host-0-0-1"), 100).size(), 1U);
    EXPECT_EQ(shortest_paths(graph, host("host-0-0-0"), host("host-1-0-0"), 3).size(), 3U);
    EXPECT_TRUE(shortest_paths(graph, host("host-0-0-0"), host("host-0-0-0"), 3).empty());
}

TEST(PairPlan, CoversEveryLinkOfAFatTreeWithAPairAHost) {
    for (const std::uint32_t k : {4U, 6U, 8U}) {
        const FabricGraph graph = fat_tree(k);
        const auto candidates = candidate_pairs(graph, 8, 64);
        const PairPlan plan = plan_pairs(graph, candidates, {});
        const std::size_t hosts = std::size_t{k} * k * k / 4;
        EXPECT_EQ(plan.links, graph.link_count()) << k;
        EXPECT_EQ(plan.covered, graph.link_count()) << k;
        EXPECT_EQ(plan.coverage(), 1.0);
        // Each host's two links take a pair that it requests and one that it accepts: no cover has fewer.
        EXPECT_GE(plan.chosen.size(), hosts) << k;
        EXPECT_LE(plan.chosen.size(), hosts + hosts / 2) << k;
        // A host's two links are told from others by more pairs of its own only.
        PairPlanConfig more;
        more.most = 4 * hosts;
        more.fill = true;
        const PairPlan filled = plan_pairs(graph, candidates, more);
        EXPECT_GT(filled.identifiability(), plan.identifiability()) << k;
        EXPECT_GT(filled.identifiability(), 0.9) << k;
    }
}

TEST(PairPlan, KeepsToTheBudgetsOfAcceptorsAndRequesters) {
    const FabricGraph graph = fat_tree(4);
    const auto candidates = candidate_pairs(graph, 15, 16);
    PairPlanConfig config;
    config.an_acceptor = 2;
    config.a_requester = 3;
    config.fill = true;
    const PairPlan plan = plan_pairs(graph, candidates, config);
    std::map<NodeId, std::size_t> accepts;
    std::map<NodeId, std::size_t> requests;
    for (const std::size_t c : plan.chosen) {
        EXPECT_LE(++accepts[candidates[c].acceptor], 2U);
        EXPECT_LE(++requests[candidates[c].requester], 3U);
    }
    EXPECT_EQ(plan.chosen.size(), 32U);  // 16 hosts, two each
    config.most = 5;
    EXPECT_EQ(plan_pairs(graph, candidates, config).chosen.size(), 5U);
}

/// Two hosts at each end of one cable.
struct Dumbbell : ::testing::Test {
    FabricGraph graph;
    NodeId a = graph.add_node("a", NodeKind::Host);
    NodeId b = graph.add_node("b", NodeKind::Host);
    NodeId c = graph.add_node("c", NodeKind::Host);
    NodeId left = graph.add_node("left", NodeKind::Switch);
    NodeId right = graph.add_node("right", NodeKind::Switch);
    Dumbbell() {
        for (const auto& [one, other] : {std::pair{a, left}, {b, left}, {left, right}, {c, right}}) {
            graph.add_link(one, other);
            graph.add_link(other, one);
        }
    }
    [[nodiscard]] PairCandidate pair(NodeId from, NodeId to) const {
        PairCandidate candidate;
        candidate.requester = from;
        candidate.acceptor = to;
        candidate.paths = shortest_paths(graph, from, to, 8);
        return candidate;
    }
};

TEST_F(Dumbbell, SaysWhichLinksCannotBeToldApart) {
    const std::vector one{pair(a, c)};
    const PairPlan alone = plan_pairs(graph, one, {});
    EXPECT_EQ(alone.covered, 3U);
    EXPECT_EQ(alone.groups, 1U);
    EXPECT_EQ(alone.in_groups, 3U);
    EXPECT_EQ(alone.identifiability(), 0);
    const std::vector two{pair(a, c), pair(b, c)};
    const PairPlan both = plan_pairs(graph, two, {});
    EXPECT_EQ(both.covered, 4U);
    EXPECT_EQ(both.in_groups, 2U);  // left > right and right > c
    EXPECT_EQ(both.identifiability(), 0.5);
}

TEST_F(Dumbbell, AmongEqualsTrafficDecidesThenStaleness) {
    std::vector pairs{pair(a, c), pair(b, c)};
    PairPlanConfig config;
    config.most = 1;
    EXPECT_EQ(plan_pairs(graph, pairs, config).chosen, std::vector<std::size_t>{0});
    pairs[1].unmeasured = Duration::seconds(1);
    EXPECT_EQ(plan_pairs(graph, pairs, config).chosen, std::vector<std::size_t>{1});
    pairs[0].packets = 1;
    EXPECT_EQ(plan_pairs(graph, pairs, config).chosen, std::vector<std::size_t>{0});
}

TEST_F(Dumbbell, TheNeedOfAnIncidentComesBeforeCover) {
    const std::vector pairs{pair(a, c), pair(b, a)};  // three links, or two
    PairPlanConfig config;
    config.most = 1;
    std::vector<double> need(graph.link_count(), 0);
    need[graph.link(b, left)->value] = 5;
    EXPECT_EQ(plan_pairs(graph, pairs, config, need).chosen, std::vector<std::size_t>{1});
}

TEST_F(Dumbbell, NamesPairsThatMayCrossASuspect) {
    const auto of_link = pairs_that_may_cross(graph, Subject::link(left, right), 8);
    ASSERT_EQ(of_link.size(), 1U);
    EXPECT_EQ(of_link[0].second, c);
    for (const auto& [from, to] : pairs_that_may_cross(graph, Subject::of_device(left), 8))
        EXPECT_NE(from, to);
    EXPECT_TRUE(pairs_that_may_cross(graph, Subject::link(left, right), 0).empty());
}

TEST_F(Dumbbell, IsPrintedWithItsFigures) {
    const std::vector pairs{pair(a, c), pair(b, c)};
    const std::string text = to_text(plan_pairs(graph, pairs, {}), pairs, graph);
    EXPECT_THAT(text, HasSubstr("2 pairs, 2 of them for cover: 4 of 4 links covered (100.0%)"));
    EXPECT_THAT(text, HasSubstr("  a > c, 1 paths\n"));
}

}  // namespace
}  // namespace dyetrace::health
