// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_graph.h"

#include <array>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

using testing::ElementsAre;

struct Triangle {
    FabricGraph graph;
    NodeId host = graph.add_node("host-0", NodeKind::Host, Ipv4Address{0x0a000002});
    NodeId edge = graph.add_node("edge-0", NodeKind::Switch, Ipv4Address{0x0a000001});
    NodeId core = graph.add_node("core-0", NodeKind::Switch);
    LinkId up = graph.add_link(host, edge);
    LinkId down = graph.add_link(edge, host);
    LinkId over = graph.add_link(edge, core);
};

TEST(FabricGraph, IdsAreDenseInTheOrderOfAdding) {
    const Triangle t;
    EXPECT_EQ(t.graph.node_count(), 3U);
    EXPECT_EQ(t.graph.link_count(), 3U);
    EXPECT_EQ(t.host.value, 0U);
    EXPECT_EQ(t.core.value, 2U);
    EXPECT_EQ(t.over.value, 2U);
}

TEST(FabricGraph, KeepsWhatANodeIs) {
    const Triangle t;
    EXPECT_EQ(t.graph.name(t.edge), "edge-0");
    EXPECT_EQ(t.graph.kind(t.host), NodeKind::Host);
    EXPECT_EQ(t.graph.kind(t.core), NodeKind::Switch);
    EXPECT_EQ(t.graph.address(t.edge), Ipv4Address{0x0a000001});
}

TEST(FabricGraph, FindsNodesByNameAndByAddress) {
    const Triangle t;
    EXPECT_EQ(t.graph.find("core-0"), t.core);
    EXPECT_EQ(t.graph.find(Ipv4Address{0x0a000002}), t.host);
    EXPECT_EQ(t.graph.find("core-1"), std::nullopt);
    EXPECT_EQ(t.graph.find(Ipv4Address{0x0a0000ff}), std::nullopt);
}

TEST(FabricGraph, UnspecifiedAddressFindsNobody) {
    const Triangle t;
    EXPECT_EQ(t.graph.find(Ipv4Address{}), std::nullopt);
}

TEST(FabricGraph, TakenNameAndAddressStayWithTheirFirstOwner) {
    Triangle t;
    t.graph.add_node("edge-0", NodeKind::Switch, Ipv4Address{0x0a000001});
    EXPECT_EQ(t.graph.find("edge-0"), t.edge);
    EXPECT_EQ(t.graph.find(Ipv4Address{0x0a000001}), t.edge);
}

TEST(FabricGraph, LinksHaveADirection) {
    const Triangle t;
    EXPECT_EQ(t.graph.link(t.host, t.edge), t.up);
    EXPECT_EQ(t.graph.link(t.edge, t.host), t.down);
    EXPECT_EQ(t.graph.link(t.core, t.edge), std::nullopt);
    EXPECT_EQ(t.graph.from(t.over), t.edge);
    EXPECT_EQ(t.graph.to(t.over), t.core);
    EXPECT_EQ(t.graph.describe(t.over), "edge-0 > core-0");
}

TEST(FabricGraph, LinkAddedTwiceIsOneLink) {
    Triangle t;
    EXPECT_EQ(t.graph.add_link(t.host, t.edge), t.up);
    EXPECT_EQ(t.graph.link_count(), 3U);
}

TEST(FabricGraph, LinksOfANodeAreThoseInAndOut) {
    const Triangle t;
    EXPECT_THAT(t.graph.links_of(t.edge), ElementsAre(t.up, t.down, t.over));
    EXPECT_THAT(t.graph.links_of(t.core), ElementsAre(t.over));
}

TEST(FabricGraph, LinksAlongHopsNeedALinkAtEachHop) {
    const Triangle t;
    EXPECT_THAT(*t.graph.links_along(std::array{t.host, t.edge, t.core}), ElementsAre(t.up, t.over));
    EXPECT_EQ(t.graph.links_along(std::array{t.host, t.core}), std::nullopt);
    EXPECT_EQ(t.graph.links_along(std::array{t.host}), std::nullopt);
    EXPECT_EQ(t.graph.links_along({}), std::nullopt);
}

TEST(FabricGraph, CopyIsIndependent) {
    Triangle t;
    FabricGraph copy = t.graph;
    copy.add_link(t.core, t.edge);
    EXPECT_EQ(t.graph.link_count(), 3U);
    EXPECT_EQ(copy.link_count(), 4U);
    t.graph = std::move(copy);
    EXPECT_EQ(t.graph.link_count(), 4U);
}

}  // namespace
}  // namespace dyetrace::localise
