// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/drains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

using localise::FabricGraph;
using localise::NodeId;
using localise::NodeKind;
using ::testing::HasSubstr;

/// Two racks of two hosts, joined by four spines.
FabricGraph leaf_spine() {
    FabricGraph graph;
    const auto join = [&](NodeId one, NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    };
    std::vector<NodeId> hosts;
    for (int h = 0; h < 4; ++h)
        hosts.push_back(graph.add_node("host-" + std::to_string(h), NodeKind::Host));
    std::vector<NodeId> leaves;
    for (int l = 0; l < 2; ++l) {
        leaves.push_back(graph.add_node("leaf-" + std::to_string(l), NodeKind::Switch));
        join(hosts[static_cast<std::size_t>(2 * l)], leaves.back());
        join(hosts[static_cast<std::size_t>(2 * l + 1)], leaves.back());
    }
    for (int s = 0; s < 4; ++s) {
        const NodeId spine = graph.add_node("spine-" + std::to_string(s), NodeKind::Switch);
        join(leaves[0], spine);
        join(leaves[1], spine);
    }
    return graph;
}

struct DrainsTest : ::testing::Test {
    FabricGraph graph = leaf_spine();
    [[nodiscard]] NodeId node(const char* name) const { return *graph.find(std::string_view(name)); }
    [[nodiscard]] Subject link(const char* from, const char* to) const {
        return Subject::link(node(from), node(to));
    }
    [[nodiscard]] Subject device(const char* name) const { return Subject::of_device(node(name)); }
};

TEST_F(DrainsTest, TiersAreStepsFromTheNearestHost) {
    const Drains drains(graph, 1);
    EXPECT_EQ(drains.tier_of(node("host-3")), 0U);
    EXPECT_EQ(drains.tier_of(node("leaf-0")), 1U);
    EXPECT_EQ(drains.tier_of(node("spine-2")), 2U);
}

TEST_F(DrainsTest, ACableIsDrainedInBothDirectionsAndOnce) {
    Drains drains(graph, 1);
    drains.add(link("leaf-0", "spine-1"));
    EXPECT_TRUE(drains.has(link("spine-1", "leaf-0")));
    EXPECT_EQ(drains.refusal(link("spine-1", "leaf-0")), "spine-1 > leaf-0 is drained already");
    drains.remove(link("spine-1", "leaf-0"));
    EXPECT_EQ(drains.size(), 0U);
    EXPECT_EQ(drains.refusal(link("leaf-0", "spine-1")), std::nullopt);
}

TEST_F(DrainsTest, NoMoreThanTheShareOfATier) {
    Drains drains(graph, 0.25);  // 2 of 8 cables, 1 of 4 spines, 1 of 4 hosts
    for (const char* spine : {"spine-0", "spine-1"}) {
        ASSERT_EQ(drains.refusal(link("leaf-0", spine)), std::nullopt);
        drains.add(link("leaf-0", spine));
    }
    EXPECT_EQ(drains.refusal(link("leaf-1", "spine-2")),
              "2 of 8 cables between tiers 1 and 2 are drained already, and one more is over 25%");
    // A switch takes its cables with it.
    EXPECT_EQ(drains.refusal(device("spine-2")),
              "2 of 8 cables between tiers 1 and 2 are drained already, and 2 more are over 25%");
    EXPECT_EQ(drains.refusal(device("spine-1")),
              "2 of 8 cables between tiers 1 and 2 are drained already, and one more is over 25%");
    drains.remove(link("leaf-0", "spine-1"));
    EXPECT_THAT(*drains.refusal(device("spine-2")), HasSubstr("1 of 8 cables"));
    ASSERT_EQ(drains.refusal(device("spine-0")), std::nullopt);  // of which one is out of use already
    drains.add(device("spine-0"));
    EXPECT_THAT(*drains.refusal(device("spine-3")), HasSubstr("1 of 4 switches of tier 2"));
    EXPECT_THAT(*drains.refusal(link("leaf-1", "spine-2")), HasSubstr("2 of 8 cables"));
    ASSERT_EQ(drains.refusal(device("host-0")), std::nullopt);
    drains.add(device("host-0"));
    EXPECT_THAT(*drains.refusal(device("host-1")), HasSubstr("1 of 4 hosts"));
}

TEST_F(DrainsTest, NothingThatCutsHostsOff) {
    Drains drains(graph, 1);
    EXPECT_EQ(drains.refusal(link("host-2", "leaf-1")), "without it host-2 would be cut off");
    EXPECT_THAT(*drains.refusal(device("leaf-0")), HasSubstr("cut off"));
    for (const char* spine : {"spine-0", "spine-1", "spine-2"}) {
        ASSERT_EQ(drains.refusal(device(spine)), std::nullopt);
        drains.add(device(spine));
    }
    EXPECT_THAT(*drains.refusal(device("spine-3")), HasSubstr("cut off"));
    EXPECT_THAT(*drains.refusal(link("leaf-1", "spine-3")), HasSubstr("cut off"));
    EXPECT_EQ(drains.refusal(link("leaf-1", "spine-0")), std::nullopt);  // of a spine that is out of use
}

TEST_F(DrainsTest, PartsThatNeverReachedEachOtherAreNoReasonToRefuse) {
    const NodeId lonely = graph.add_node("host-lonely", NodeKind::Host);
    const NodeId other = graph.add_node("host-other", NodeKind::Host);
    const NodeId hub = graph.add_node("hub", NodeKind::Switch);
    for (const NodeId host : {lonely, other}) {
        graph.add_link(host, hub);
        graph.add_link(hub, host);
    }
    const Drains drains(graph, 1);
    EXPECT_EQ(drains.refusal(device("spine-0")), std::nullopt);
    EXPECT_THAT(*drains.refusal(device("hub")), HasSubstr("cut off"));
}

}  // namespace
}  // namespace dyetrace::health
