// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/localiser.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/core/localise/congested_fabric.h"

namespace dyetrace::localise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// One observation a flow, without windows, on a fat-tree of k = 4 with losses of given links.
class FlowsTest : public testing::Test {
  protected:
    struct Flow {
        std::vector<LinkId> path;
        std::uint64_t sent = 0, lost = 0;
    };

    NodeId node(const std::string& name) const { return graph_.find(name).value(); }
    LinkId link(const std::string& from, const std::string& to) const {
        return graph_.link(node(from), node(to)).value();
    }

    void lose(const std::string& from, const std::string& to, double rate) { rates_[link(from, to)] = rate; }
    void lose_device(const std::string& name, double rate) { device_rates_[node(name)] = rate; }

    std::vector<NodeId> random_route() {
        const auto host = [&](std::uint32_t h) {
            return "host-" + std::to_string(h / 4) + "-" + std::to_string(h / 2 % 2) + "-" +
                   std::to_string(h % 2);
        };
        const std::uint32_t source = random_.below(16), target = (source + 1 + random_.below(15)) % 16;
        const auto pod = [](std::uint32_t h) { return std::to_string(h / 4); };
        const auto edge = [&](std::uint32_t h) { return "edge-" + pod(h) + "-" + std::to_string(h / 2 % 2); };
        const std::uint32_t agg = random_.below(2), core = 2 * agg + random_.below(2);
        std::vector<NodeId> hops{node(host(source)), node(edge(source))};
        if (edge(source) != edge(target)) {
            hops.push_back(node("agg-" + pod(source) + "-" + std::to_string(agg)));
            if (pod(source) != pod(target)) {
                hops.push_back(node("core-" + std::to_string(core)));
                hops.push_back(node("agg-" + pod(target) + "-" + std::to_string(agg)));
            }
            hops.push_back(node(edge(target)));
        }
        hops.push_back(node(host(target)));
        return hops;
    }

    double loss_of(const std::vector<NodeId>& hops) const {
        double pass = 1;
        for (std::size_t i = 0; i + 1 < hops.size(); ++i) {
            const auto rate = rates_.find(*graph_.link(hops[i], hops[i + 1]));
            pass *= 1 - (rate == rates_.end() ? 3e-5 : rate->second);
        }
        for (const NodeId hop : hops) {
            const auto rate = device_rates_.find(hop);
            if (rate != device_rates_.end()) pass *= 1 - rate->second;
        }
        return 1 - pass;
    }

    std::vector<Flow> flows(std::size_t count, std::uint64_t packets = 500) {
        std::vector<Flow> all;
        for (std::size_t i = 0; i < count; ++i) {
            const auto hops = random_route();
            Flow flow{*graph_.links_along(hops), packets, 0};
            const double loss = loss_of(hops);
            for (std::uint64_t p = 0; p < packets; ++p)
                flow.lost += static_cast<double>(random_.next() >> 11) * 0x1p-53 < loss ? 1 : 0;
            all.push_back(flow);
        }
        return all;
    }

    Verdict locate(const std::vector<Flow>& all, LocaliserConfig config = {}) const {
        Localiser localiser(graph_, config);
        for (const Flow& flow : all)
            localiser.add({flow.path, flow.sent, flow.lost});
        return localiser.infer();
    }

    std::string name_of(const Suspect& s) const {
        if (s.kind == Suspect::Kind::Device) return graph_.name(s.device);
        return graph_.name(s.from) + ">" + graph_.name(s.to);
    }
    std::vector<std::string> names(const std::vector<Suspect>& list) const {
        std::vector<std::string> all;
        for (const Suspect& s : list)
            all.push_back(name_of(s));
        return all;
    }

    FabricGraph graph_ = test::make_fat_tree(4);
    Random random_{11};
    std::map<LinkId, double> rates_;
    std::map<NodeId, double> device_rates_;
};

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
