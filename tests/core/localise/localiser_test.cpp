// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/localiser.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/localise/flows_on_fat_tree.h"

namespace dyetrace::localise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using test::FlowsTest;

TEST_F(FlowsTest, OneFaultyLinkIsNamedAloneWithItsRate) {
    lose("agg-1-0", "core-1", 0.01);
    const Verdict verdict = locate(flows(2000));
    ASSERT_THAT(names(verdict.suspects), ElementsAre("agg-1-0>core-1"));
    EXPECT_GT(verdict.suspects[0].log_odds, 20);
    EXPECT_NEAR(verdict.suspects[0].loss_rate, 0.01, 0.002);
    EXPECT_EQ(verdict.suspects[0].group, -1);
}

TEST_F(FlowsTest, DirectionIsToldApart) {
    lose("core-2", "agg-3-1", 0.01);
    EXPECT_THAT(names(locate(flows(2000)).suspects), ElementsAre("core-2>agg-3-1"));
}

TEST_F(FlowsTest, SeveralFaultsOfDifferentRatesAreAllNamedTheClearestFirst) {
    lose("agg-1-0", "core-1", 0.02);
    lose("edge-0-1", "agg-0-0", 0.004);
    lose("core-3", "agg-2-1", 0.01);
    const auto named = names(locate(flows(4000)).suspects);
    EXPECT_THAT(named, UnorderedElementsAre("agg-1-0>core-1", "edge-0-1>agg-0-0", "core-3>agg-2-1"));
    EXPECT_EQ(named.front(), "agg-1-0>core-1");
}

TEST_F(FlowsTest, FaultyHostLinkIsNamed) {
    lose("edge-2-0", "host-2-0-1", 0.02);
    EXPECT_THAT(names(locate(flows(2000)).suspects), ElementsAre("edge-2-0>host-2-0-1"));
}

TEST_F(FlowsTest, HealthyFabricHasNoSuspectButCandidates) {
    const Verdict verdict = locate(flows(4000));
    EXPECT_THAT(verdict.suspects, IsEmpty());
    EXPECT_THAT(verdict.candidates, testing::SizeIs(LocaliserConfig{}.max_candidates));
}

TEST_F(FlowsTest, NoFalseNameInFiftyHealthyFabrics) {
    for (int i = 0; i < 50; ++i)
        EXPECT_THAT(names(locate(flows(500)).suspects), IsEmpty()) << "fabric " << i;
}

TEST_F(FlowsTest, ThreePacketsAreNoEvidence) {
    std::vector<Flow> few = flows(1, 3);
    few[0].lost = 3;
    EXPECT_THAT(locate(few).suspects, IsEmpty());
}

TEST_F(FlowsTest, LosslessFlowsAcquit) {
    // All losses cross one link; what tells it from the next one is only what else crosses that without loss.
    const std::vector<LinkId> bad = *graph_.links_along(std::vector{
        node("host-0-0-0"), node("edge-0-0"), node("agg-0-0"), node("edge-0-1"), node("host-0-1-0")});
    std::vector<Flow> all;
    for (int i = 0; i < 20; ++i)
        all.push_back({bad, 500, 5});
    for (const auto& [from, via, to, host] : {std::tuple{"host-0-0-0", "edge-0-0", "agg-0-1", "edge-0-1"},
                                              {"host-0-0-0", "edge-0-0", "agg-0-0", "edge-0-1"}}) {
        const bool around = std::string(to) == "agg-0-1";
        std::vector<NodeId> hops{node(from), node(via), node(to), node(host),
                                 node(around ? "host-0-1-0" : "host-0-1-1")};
        if (around)
            for (int i = 0; i < 20; ++i)
                all.push_back({*graph_.links_along(hops), 500, 0});
    }
    const std::vector<LinkId> down = *graph_.links_along(std::vector{
        node("host-0-0-1"), node("edge-0-0"), node("agg-0-1"), node("edge-0-1"), node("host-0-1-0")});
    for (int i = 0; i < 20; ++i)
        all.push_back({down, 500, 0});
    const auto named = names(locate(all).suspects);
    EXPECT_THAT(named, UnorderedElementsAre("edge-0-0>agg-0-0", "agg-0-0>edge-0-1"));
}

TEST_F(FlowsTest, LinksWithTheSameEvidenceShareAGroupAndItsOdds) {
    const std::vector<LinkId> path = *graph_.links_along(std::vector{
        node("host-0-0-0"), node("edge-0-0"), node("agg-0-0"), node("edge-0-1"), node("host-0-1-0")});
    std::vector<Flow> all;
    for (int i = 0; i < 20; ++i)
        all.push_back({path, 500, 5});
    const auto suspects = locate(all).suspects;
    ASSERT_EQ(suspects.size(), 4U);
    std::set<int> groups;
    for (const Suspect& s : suspects) {
        groups.insert(s.group);
        EXPECT_DOUBLE_EQ(s.log_odds, suspects[0].log_odds);
    }
    EXPECT_EQ(groups.size(), 1U);
    EXPECT_GE(*groups.begin(), 0);
}

TEST_F(FlowsTest, LinksWithNearlyTheSameEvidenceShareAGroupToo) {
    const std::vector<LinkId> path = *graph_.links_along(std::vector{
        node("host-0-0-0"), node("edge-0-0"), node("agg-0-0"), node("edge-0-1"), node("host-0-1-0")});
    std::vector<Flow> all;
    for (int i = 0; i < 20; ++i)
        all.push_back({path, 500, 5});
    // Ten packets more over the second link only: no reason to call the first one guilty.
    all.push_back({*graph_.links_along(std::vector{node("edge-0-0"), node("agg-0-0")}), 10, 0});
    const auto suspects = locate(all).suspects;
    EXPECT_THAT(names(suspects), UnorderedElementsAre("host-0-0-0>edge-0-0", "edge-0-0>agg-0-0",
                                                      "agg-0-0>edge-0-1", "edge-0-1>host-0-1-0"));
    for (const Suspect& s : suspects)
        EXPECT_EQ(s.group, suspects[0].group);
}

TEST_F(FlowsTest, FaultyDeviceIsNamedBesideItsLinks) {
    lose_device("agg-2-1", 0.02);
    const auto named = names(locate(flows(4000)).suspects);
    EXPECT_THAT(named, testing::Contains("agg-2-1"));
    EXPECT_THAT(named, testing::Contains(testing::HasSubstr(">")));
}

TEST_F(FlowsTest, TwoFaultyLinksOfASwitchAreNoFaultySwitch) {
    lose("agg-1-0", "core-1", 0.01);
    lose("edge-1-0", "agg-1-0", 0.01);
    EXPECT_THAT(names(locate(flows(4000)).suspects),
                UnorderedElementsAre("agg-1-0>core-1", "edge-1-0>agg-1-0"));
}

TEST_F(FlowsTest, BlackHoleIsNamed) {
    lose("agg-1-0", "core-1", 1);
    EXPECT_THAT(names(locate(flows(2000)).suspects), ElementsAre("agg-1-0>core-1"));
}

/// Equal to the last bit.
void expect_same(const std::vector<Suspect>& a, const std::vector<Suspect>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].kind, b[i].kind);
        EXPECT_EQ(a[i].from, b[i].from);
        EXPECT_EQ(a[i].to, b[i].to);
        EXPECT_EQ(a[i].device, b[i].device);
        EXPECT_EQ(a[i].log_odds, b[i].log_odds);
        EXPECT_EQ(a[i].loss_rate, b[i].loss_rate);
        EXPECT_EQ(a[i].group, b[i].group);
    }
}

TEST_F(FlowsTest, OrderOfAddingDoesNotMatter) {
    lose("agg-1-0", "core-1", 0.01);
    auto all = flows(2000);
    const Verdict forward = locate(all);
    std::reverse(all.begin(), all.end());
    const Verdict backward = locate(all);
    expect_same(forward.suspects, backward.suspects);
    expect_same(forward.candidates, backward.candidates);
}

TEST_F(FlowsTest, SameEvidenceGivesTheSameVerdictToTheLastBit) {
    lose("agg-1-0", "core-1", 0.01);
    const auto all = flows(2000);
    expect_same(locate(all).candidates, locate(all).candidates);
}

TEST_F(FlowsTest, ImpossibleAndEmptyObservationsAreRefusedAndCounted) {
    Localiser localiser(graph_);
    const std::vector<LinkId> path{link("agg-1-0", "core-1")};
    localiser.add({path, 10, 11});
    localiser.add({path, 0, 0});
    localiser.add({{}, 10, 0});
    EXPECT_EQ(localiser.observations(), 0U);
    EXPECT_EQ(localiser.counters().impossible_counts, 1U);
    EXPECT_EQ(localiser.counters().empty, 2U);
    EXPECT_THAT(localiser.infer().suspects, IsEmpty());
    EXPECT_THAT(localiser.infer().candidates, IsEmpty());
}

TEST_F(FlowsTest, ObservationsAreBoundedAndOverflowIsCounted) {
    LocaliserConfig config;
    config.max_observations = 5;
    Localiser localiser(graph_, config);
    const std::vector<LinkId> path{link("agg-1-0", "core-1")};
    for (int i = 0; i < 8; ++i)
        localiser.add({path, 10, 0});
    EXPECT_EQ(localiser.observations(), 5U);
    EXPECT_EQ(localiser.counters().observations_over_limit, 3U);
}

}  // namespace
}  // namespace dyetrace::localise
