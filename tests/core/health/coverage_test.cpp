// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/coverage.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/health/nhms.h"
#include "tests/core/health/small_fabric.h"

namespace dyetrace::health {
namespace {

using localise::Crossing;
using localise::LinkId;
using localise::NodeId;
using localise::NodeKind;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

/// Knows only which links were crossed.
class Crossed : public localise::EvidenceSource {
  public:
    [[nodiscard]] Crossing crossing(LinkId link, Time) const override {
        return {links.contains(link) ? 1U : 0U, 0};
    }
    [[nodiscard]] localise::Verdict infer(const localise::LocaliserConfig&, Time) const override {
        return {};
    }
    [[nodiscard]] std::vector<localise::HostPair> pairs_across(LinkId, Time, std::size_t) const override {
        return {};
    }
    [[nodiscard]] std::vector<localise::PathKey> paths_across(LinkId, Time, std::size_t) const override {
        return {};
    }
    [[nodiscard]] Crossing carried(std::span<const localise::PairPath>, Time) const override { return {}; }
    [[nodiscard]] Crossing carried_between(std::span<const localise::HostPair>, Time) const override {
        return {};
    }

    std::set<LinkId> links;
};

/// Leaves and spines of SmallFabric, all of whose hosts report.
class CoverageTest : public testing::Test {
  protected:
    CoverageTest() : graph_(SmallFabric().graph()) {
        for (std::uint32_t n = 0; n < graph_.node_count(); ++n)
            if (graph_.kind(NodeId{n}) == NodeKind::Host) hosts_.push_back(NodeId{n});
    }
    std::vector<WantedDirective> look() {
        now_ = now_ + Duration::seconds(1);
        return coverage_.look(hosts_, now_ + Duration::seconds(-10), now_);
    }
    /// What is asked for is measured from now on, on all its paths.
    void measure(const std::vector<WantedDirective>& wanted) {
        for (const WantedDirective& one : wanted) {
            const auto from = *graph_.find(one.eppc), to = *graph_.find(one.body.peer);
            for (const auto& path : shortest_paths(graph_, from, to, 64))
                crossed_.links.insert(path.begin(), path.end());
        }
    }

    localise::FabricGraph graph_;
    std::vector<NodeId> hosts_;
    Crossed crossed_;
    CoverPolicy policy_;
    Coverage coverage_{policy_, graph_, crossed_};
    Time now_;
};

TEST_F(CoverageTest, FewPairsCoverAllThatHostsCanReach) {
    EXPECT_THAT(look(), IsEmpty()) << "missing once is not missing";
    EXPECT_EQ(coverage_.in_reach(), graph_.link_count());
    std::size_t asked = 0;
    for (int i = 0; i < 3; ++i) {
        const auto wanted = look();
        asked += wanted.size();
        measure(wanted);
    }
    EXPECT_EQ(coverage_.crossed(), graph_.link_count());
    EXPECT_LE(asked, 2 * hosts_.size());
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(CoverageTest, WhatIsCrossedAsksForNothing) {
    for (std::uint32_t l = 0; l < graph_.link_count(); ++l)
        crossed_.links.insert(LinkId{l});
    EXPECT_THAT(look(), IsEmpty());
    EXPECT_THAT(look(), IsEmpty());
    EXPECT_EQ(coverage_.crossed(), coverage_.in_reach());
}

// Which pairs have traffic is not known: where one brings nothing, another is asked for.
TEST_F(CoverageTest, PairsThatBringNothingGiveWayToOthers) {
    for (std::uint32_t l = 0; l < graph_.link_count(); ++l)
        crossed_.links.insert(LinkId{l});
    crossed_.links.erase(*graph_.link(*graph_.find("leaf-0"), *graph_.find("spine-1")));
    look();
    std::set<std::pair<IpAddress, IpAddress>> pairs;
    for (int i = 0; i < 6; ++i) {
        const auto wanted = look();
        ASSERT_EQ(wanted.size(), 1U);
        EXPECT_TRUE(pairs.insert({wanted[0].eppc, wanted[0].body.peer}).second) << "asked for before";
        EXPECT_TRUE(graph_.name(*graph_.find(wanted[0].eppc)).starts_with("host-0-"));
        EXPECT_EQ(wanted[0].body.kind, wire::DirectiveKind::OpenSession);
        EXPECT_EQ(wanted[0].body.duration, policy_.session);
    }
}

TEST_F(CoverageTest, PairsWithTrafficComeFirstTheBusiestFirst) {
    for (std::uint32_t l = 0; l < graph_.link_count(); ++l)
        crossed_.links.insert(LinkId{l});
    crossed_.links.erase(*graph_.link(*graph_.find("leaf-0"), *graph_.find("spine-1")));
    const auto node = [&](const char* name) { return *graph_.find(std::string_view(name)); };
    look();
    coverage_.note_traffic(node("host-0-0"), node("host-2-0"), 10, now_);
    coverage_.note_traffic(node("host-0-1"), node("host-3-1"), 1000, now_);
    coverage_.note_traffic(node("host-1-0"), node("host-3-0"), 9999, now_);  // never crosses it
    coverage_.note_traffic(node("host-0-0"), node("host-0-1"), 9999, now_);  // likewise
    const auto busiest = look();
    ASSERT_EQ(busiest.size(), 1U);
    EXPECT_EQ(busiest[0].eppc, graph_.address(node("host-0-1")));
    EXPECT_EQ(busiest[0].body.peer, graph_.address(node("host-3-1")));
    const auto next = look();
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next[0].body.peer, graph_.address(node("host-2-0"))) << "the first has been asked";
    EXPECT_EQ(look().size(), 1U) << "then any";
}

TEST_F(CoverageTest, OldFiguresOfTrafficAreForgotten) {
    policy_.traffic_memory = Duration::milliseconds(500);
    const auto node = [&](const char* name) { return *graph_.find(std::string_view(name)); };
    for (std::uint32_t l = 0; l < graph_.link_count(); ++l)
        crossed_.links.insert(LinkId{l});
    crossed_.links.erase(*graph_.link(node("leaf-0"), node("spine-1")));
    look();
    coverage_.note_traffic(node("host-0-1"), node("host-3-1"), 1000, now_);
    const auto any = look();
    ASSERT_EQ(any.size(), 1U);
    EXPECT_NE(any[0].body.peer, graph_.address(node("host-3-1")));
}

TEST_F(CoverageTest, HostsThatDoNotReportAreNotAskedAndReachNothing) {
    std::erase_if(hosts_, [&](NodeId host) { return graph_.name(host).starts_with("host-2-"); });
    look();
    const auto wanted = look();
    EXPECT_THAT(wanted, Not(IsEmpty()));
    for (const WantedDirective& one : wanted) {
        for (const IpAddress host : {one.eppc, one.body.peer})
            EXPECT_FALSE(graph_.name(*graph_.find(host)).starts_with("host-2-"));
    }
    // Two hosts, each with a link there and one back, and a leaf with as many to each of four spines.
    EXPECT_EQ(coverage_.in_reach(), graph_.link_count() - 4 - 8);
}

TEST_F(CoverageTest, NoHostIsAskedForMoreThanItsShare) {
    policy_.a_host_most = 1;
    look();
    std::map<IpAddress, int> by, with;
    for (const WantedDirective& one : look()) {
        ++by[one.eppc];
        ++with[one.body.peer];
    }
    EXPECT_THAT(by, Each(testing::Pair(testing::_, 1)));
    EXPECT_THAT(with, Each(testing::Pair(testing::_, 1)));
}

TEST_F(CoverageTest, HostsOfOneRackReachNoMoreThanEachOther) {
    hosts_.resize(2);
    look();
    EXPECT_EQ(coverage_.in_reach(), 4U);
    EXPECT_THAT(look(), Not(IsEmpty()));
    hosts_.resize(1);
    look();
    EXPECT_EQ(coverage_.in_reach(), 0U);
}

TEST(Cover, TheServiceAsksForPairsAcrossWhatNobodyMeasures) {
    SmallFabric fabric([](NhmsConfig& config) { config.cover.interval = Duration::milliseconds(100); });
    fabric.empty = {"host-3-0", "host-3-1"};
    fabric.run(60);
    const NhmsCounters& counters = fabric.nhms.counters();
    EXPECT_GT(counters.cover_pairs, 0U);
    EXPECT_GT(counters.cover_links, counters.cover_links_crossed);
    for (const DirectiveSent& sent : fabric.all<DirectiveSent>()) {
        EXPECT_EQ(sent.body.kind, wire::DirectiveKind::OpenSession);
        EXPECT_EQ(sent.incident, IncidentId{});
    }
    EXPECT_TRUE(fabric.all<IncidentChanged>().empty());
}

}  // namespace
}  // namespace dyetrace::health
