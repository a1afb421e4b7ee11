// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/candidate_paths.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/localise/congested_fabric.h"

namespace dyetrace::localise {
namespace {

using testing::UnorderedElementsAre;

class CandidatePathsTest : public testing::Test {
  protected:
    NodeId node(const std::string& name) const { return graph_.find(name).value(); }
    std::vector<std::string> names(std::span<const LinkId> links) const {
        std::vector<std::string> all;
        for (const LinkId link : links)
            all.push_back(graph_.describe(link));
        return all;
    }

    FabricGraph graph_ = test::make_fat_tree(4);
};

TEST_F(CandidatePathsTest, OneRackLeavesNoChoice) {
    CandidatePaths paths(graph_);
    const Candidates found = paths.between(node("host-0-0-0"), node("host-0-0-1"));
    ASSERT_TRUE(found.any);
    EXPECT_TRUE(found.one);
    EXPECT_THAT(names(found.common), UnorderedElementsAre("host-0-0-0 > edge-0-0", "edge-0-0 > host-0-0-1"));
}

TEST_F(CandidatePathsTest, BetweenPodsEachCoreIsAChoiceOfTheSameWeight) {
    CandidatePaths paths(graph_);
    const Candidates found = paths.between(node("host-0-0-0"), node("host-2-1-1"));
    ASSERT_TRUE(found.any);
    ASSERT_FALSE(found.one);
    EXPECT_THAT(names(found.common), UnorderedElementsAre("host-0-0-0 > edge-0-0", "edge-2-1 > host-2-1-1"));
    ASSERT_EQ(paths.sets().choice_count(found.set), 4U);
    std::set<LinkId> into_core;
    for (std::size_t c = 0; c < 4; ++c) {
        const Choice choice = paths.sets().choice(found.set, c);
        EXPECT_EQ(choice.links.size(), 4U);
        EXPECT_DOUBLE_EQ(choice.weight, 0.25);
        for (const LinkId link : choice.links)
            if (graph_.name(graph_.to(link)).substr(0, 4) == "core") into_core.insert(link);
    }
    EXPECT_EQ(into_core.size(), 4U);
}

TEST_F(CandidatePathsTest, PairsOfTheSameRacksShareASet) {
    CandidatePaths paths(graph_);
    const PathSetId first = paths.between(node("host-0-0-0"), node("host-2-1-1")).set;
    EXPECT_EQ(paths.between(node("host-0-0-1"), node("host-2-1-0")).set, first);
    EXPECT_EQ(paths.sets().size(), 1U);
    EXPECT_NE(paths.between(node("host-2-1-0"), node("host-0-0-1")).set, first);
}

TEST_F(CandidatePathsTest, HopsThatAnsweredNarrowTheSet) {
    CandidatePaths paths(graph_);
    const NodeId from = node("host-0-0-0"), to = node("host-2-1-1");
    using Hops = std::vector<std::optional<NodeId>>;
    const auto fit = [&](const Hops& hops) { return paths.fitting(from, to, hops); };
    const auto half = fit({std::nullopt, node("agg-0-1")});
    ASSERT_EQ(half.size(), 2U);
    for (const NewChoice& way : half) {
        EXPECT_DOUBLE_EQ(way.weight, 0.5);
        ASSERT_EQ(way.links.size(), 6U);
        EXPECT_EQ(graph_.describe(way.links.front()), "host-0-0-0 > edge-0-0");
        EXPECT_EQ(graph_.describe(way.links[1]), "edge-0-0 > agg-0-1");
        EXPECT_EQ(graph_.describe(way.links.back()), "edge-2-1 > host-2-1-1");
    }
    EXPECT_EQ(fit({}).size(), 4U);
    EXPECT_EQ(fit({std::nullopt, std::nullopt, node("core-3")}).size(), 1U);
    EXPECT_EQ(fit({std::nullopt, std::nullopt, std::nullopt, node("agg-2-0"), std::nullopt}).size(), 2U);
    EXPECT_TRUE(fit({node("edge-3-0")}).empty());
    EXPECT_TRUE(fit({std::nullopt, node("core-3")}).empty());  // it is a hop further
    EXPECT_TRUE(fit(Hops(6)).empty());                         // a switch more than any of them has
    EXPECT_TRUE(paths.fitting(from, from, {}).empty());
}

TEST_F(CandidatePathsTest, OnlyPathsThatFitCountAgainstTheLimit) {
    CandidateConfig config;
    config.max_choices = 2;
    CandidatePaths paths(graph_, config);
    const std::vector<std::optional<NodeId>> hops{std::nullopt, std::nullopt, std::nullopt, node("agg-2-1")};
    EXPECT_EQ(paths.fitting(node("host-0-0-0"), node("host-2-1-1"), hops).size(), 2U);
    EXPECT_EQ(paths.counters().choices_over_limit, 0U);
    EXPECT_TRUE(paths.fitting(node("host-0-0-0"), node("host-2-1-1"), {}).empty());
    EXPECT_EQ(paths.counters().choices_over_limit, 1U);
}

TEST_F(CandidatePathsTest, DistancesThatAreForgottenAreFoundAgain) {
    CandidateConfig config;
    config.max_distances = 1;
    CandidatePaths paths(graph_, config);
    for (int times = 0; times < 2; ++times) {
        EXPECT_EQ(paths.fitting(node("host-0-0-0"), node("host-2-1-1"), {}).size(), 4U);
        EXPECT_EQ(paths.fitting(node("host-2-1-1"), node("host-0-0-0"), {}).size(), 4U);
    }
}

TEST_F(CandidatePathsTest, SwitchesSplitEvenlyAmongNextHopsNotAmongPaths) {
    FabricGraph graph;
    const NodeId a = graph.add_node("a", NodeKind::Host), b = graph.add_node("b", NodeKind::Host);
    const auto add = [&](const char* name) { return graph.add_node(name, NodeKind::Switch); };
    const NodeId s = add("s"), t = add("t"), left = add("left"), right = add("right");
    const NodeId x = add("x"), y = add("y"), z = add("z");
    for (const auto& [from, to] : {std::pair{a, s},
                                   {s, left},
                                   {s, right},
                                   {left, x},
                                   {left, y},
                                   {right, z},
                                   {x, t},
                                   {y, t},
                                   {z, t},
                                   {t, b}})
        graph.add_link(from, to);
    CandidatePaths paths(graph);
    const PathSetId set = paths.between(a, b).set;
    std::vector<double> weights;
    for (std::size_t c = 0; c < paths.sets().choice_count(set); ++c)
        weights.push_back(paths.sets().choice(set, c).weight);
    EXPECT_THAT(weights, UnorderedElementsAre(0.25, 0.25, 0.5));
    CandidateConfig even;
    even.switches_split_evenly = false;
    CandidatePaths uniform(graph, even);
    EXPECT_DOUBLE_EQ(uniform.sets().choice(uniform.between(a, b).set, 0).weight, 1.0 / 3);
}

TEST_F(CandidatePathsTest, WhatIsNotGivenIsCounted) {
    CandidateConfig config;
    config.max_choices = 3;
    CandidatePaths paths(graph_, config);
    EXPECT_FALSE(paths.between(node("host-0-0-0"), node("host-2-1-1")).any);
    EXPECT_EQ(paths.counters().choices_over_limit, 1U);
    graph_.add_node("alone", NodeKind::Host);
    CandidatePaths others(graph_);
    EXPECT_FALSE(others.between(node("host-0-0-0"), node("alone")).any);
    EXPECT_EQ(others.counters().unreachable, 1U);
    config = {};
    config.max_pairs = 1;
    CandidatePaths few(graph_, config);
    EXPECT_TRUE(few.between(node("host-0-0-0"), node("host-2-1-1")).any);
    EXPECT_TRUE(few.between(node("host-0-0-1"), node("host-2-1-1")).any);
    EXPECT_FALSE(few.between(node("host-0-0-0"), node("host-1-1-1")).any);
    EXPECT_EQ(few.counters().pairs_over_limit, 1U);
}

}  // namespace
}  // namespace dyetrace::localise
