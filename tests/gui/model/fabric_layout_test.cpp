// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/fabric_layout.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::sample;

TEST(FabricLayout, TiersGoFromCoreDownToHosts) {
    const auto layout = lay_out(sample()->nodes, sample()->links);
    EXPECT_EQ(layout.tier_count, 4);
    for (std::size_t n = 0; n < layout.nodes.size(); ++n) {
        const double y = layout.nodes[n].y;
        switch (sample()->nodes[n].kind) {
            case NodeKind::Core: EXPECT_EQ(y, 0); break;
            case NodeKind::Aggregation: EXPECT_NEAR(y, 1.0 / 3, 1e-9); break;
            case NodeKind::Edge: EXPECT_NEAR(y, 2.0 / 3, 1e-9); break;
            case NodeKind::Host: EXPECT_EQ(y, 1); break;
            case NodeKind::Switch: FAIL();
        }
    }
}

TEST(FabricLayout, NoTwoNodesShareAPlace) {
    const auto layout = lay_out(sample()->nodes, sample()->links);
    std::set<std::pair<double, double>> places;
    for (const auto& point : layout.nodes) {
        EXPECT_TRUE(places.insert({point.x, point.y}).second);
        EXPECT_GE(point.x, 0);
        EXPECT_LE(point.x, 1);
    }
}

TEST(FabricLayout, PodsAreSideBySideAndHoldTheirNodes) {
    const auto layout = lay_out(sample()->nodes, sample()->links);
    ASSERT_EQ(layout.pods.size(), 4U);
    for (std::size_t i = 1; i < layout.pods.size(); ++i)
        EXPECT_LT(layout.pods[i - 1].right, layout.pods[i].left);
    for (std::size_t n = 0; n < layout.nodes.size(); ++n) {
        const int pod = sample()->nodes[n].pod;
        if (pod < 0) continue;
        EXPECT_GE(layout.nodes[n].x, layout.pods[static_cast<std::size_t>(pod)].left);
        EXPECT_LE(layout.nodes[n].x, layout.pods[static_cast<std::size_t>(pod)].right);
    }
}

TEST(FabricLayout, WithoutPodsAndKindsTheLinksDecide) {
    const std::vector<Node> nodes{{"a", NodeKind::Host, "", -1, -1},
                                  {"leaf", NodeKind::Switch, "", -1, -1},
                                  {"spine", NodeKind::Switch, "", -1, -1}};
    std::vector<Link> links;
    for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0), std::pair(1, 2), std::pair(2, 1)})
        links.push_back({from, to, -1, 0, 0});
    const auto layout = lay_out(nodes, links);
    EXPECT_EQ(layout.tier_count, 3);
    EXPECT_LT(layout.nodes[2].y, layout.nodes[1].y);
    EXPECT_LT(layout.nodes[1].y, layout.nodes[0].y);
}

TEST(FabricLayout, NoLinkWithinATierRunsOverANodeOfIt) {
    std::vector<Node> nodes;
    std::vector<Link> links;
    const auto join = [&](int a, int b) {
        links.push_back({a, b, -1, 0, 0});
        links.push_back({b, a, -1, 0, 0});
    };
    constexpr int racks = 5;
    for (int n = 0; n < racks; ++n)
        nodes.push_back({"host", NodeKind::Host, "", -1, n});
    for (int n = 0; n < racks; ++n) {
        nodes.push_back({"switch", NodeKind::Edge, "", -1, n});
        join(n, racks + n);
        for (int other = 0; other < n; ++other)
            join(racks + other, racks + n);
    }
    const auto layout = lay_out(nodes, links);
    const auto at = [&](int n) { return layout.nodes[static_cast<std::size_t>(racks + n)]; };
    for (int n = 1; n + 1 < racks; ++n) {
        const double share = (at(n).x - at(n - 1).x) / (at(n + 1).x - at(n - 1).x);
        const double chord = at(n - 1).y + share * (at(n + 1).y - at(n - 1).y);
        EXPECT_LT(at(n).y, chord - 0.01) << n;
        EXPECT_LT(at(n).y, 1);
    }
}

TEST(FabricLayout, HostsAloneAreOneRow) {
    const std::vector<Node> nodes{{"a", NodeKind::Host, "", -1, -1}, {"b", NodeKind::Host, "", -1, -1}};
    const auto layout = lay_out(nodes, {});
    EXPECT_EQ(layout.tier_count, 1);
    EXPECT_LT(layout.nodes[0].x, layout.nodes[1].x);
}

TEST(FabricLayout, AnEmptyFabricIsNoProblem) {
    EXPECT_TRUE(lay_out({}, {}).nodes.empty());
}

}  // namespace
}  // namespace dyetrace::viewer
