// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_shapes.h"

#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

using testing::HasSubstr;

FabricPlan made(Result<FabricPlan, std::string> plan) {
    EXPECT_TRUE(plan.ok()) << plan.error();
    return std::move(plan).value();
}

const PlannedNode& node(const FabricPlan& plan, const std::string& name) {
    const auto found = plan.find(name);
    EXPECT_TRUE(found.has_value()) << name;
    return plan.nodes()[found.value_or(0)];
}

/// "host-0-0-0:0 edge-0-0:0": both ends of a cable, with their ports.
std::string cable_words(const FabricPlan& plan, std::uint32_t cable) {
    std::array<std::string, 2> ends;
    for (const PlannedPort& port : plan.ports()) {
        if (port.cable != cable) continue;
        const PlannedNode& at = plan.nodes()[port.node];
        const auto number = static_cast<std::uint32_t>(&port - plan.ports().data()) - at.first_port;
        ends[port.direction] = at.name + ":" + std::to_string(number);
    }
    return ends[0] + " " + ends[1];
}

std::size_t links_between(const FabricPlan& plan, PlanTier lower, PlanTier upper) {
    std::size_t count = 0;
    for (const PlannedCable& cable : plan.cables()) {
        if (plan.nodes()[cable.lower].tier == lower && plan.nodes()[cable.upper].tier == upper) ++count;
    }
    return count;
}

TEST(FatTree, NumbersCablesPodByPodAndPortsAsTheCablesName) {
    const FabricPlan plan = made(plan_fat_tree(4));
    const std::array first{"host-0-0-0:0 edge-0-0:0", "host-0-0-1:0 edge-0-0:1", "edge-0-0:2 agg-0-0:0",
                           "edge-0-0:3 agg-0-1:0",    "host-0-1-0:0 edge-0-1:0", "host-0-1-1:0 edge-0-1:1",
                           "edge-0-1:2 agg-0-0:1",    "edge-0-1:3 agg-0-1:1",    "agg-0-0:2 core-0:0",
                           "agg-0-0:3 core-1:0",      "agg-0-1:2 core-2:0",      "agg-0-1:3 core-3:0",
                           "host-1-0-0:0 edge-1-0:0"};
    for (std::uint32_t cable = 0; cable < first.size(); ++cable)
        EXPECT_EQ(cable_words(plan, cable), first[cable]);
    EXPECT_EQ(cable_words(plan, 47), "agg-3-1:3 core-3:3");
}

TEST(FatTree, HasTheAddressesOfItsPaper) {
    const FabricPlan plan = made(plan_fat_tree(4));
    EXPECT_EQ(node(plan, "host-2-1-0").address.to_string(), "10.2.1.2");
    EXPECT_EQ(node(plan, "edge-2-1").address.to_string(), "10.2.1.1");
    EXPECT_EQ(node(plan, "agg-2-1").address.to_string(), "10.2.3.1");
    EXPECT_EQ(node(plan, "core-2").address.to_string(), "10.4.1.1");
}

TEST(FatTree, OfThirtyTwoPortsHasEightThousandHosts) {
    const FabricPlan plan = made(plan_fat_tree(32));
    EXPECT_EQ(plan.host_count(), 8192U);
    EXPECT_EQ(plan.switch_count(), 1280U);
    EXPECT_EQ(plan.cables().size(), 3U * 8192U);
    EXPECT_EQ(plan.ports().size(), 6U * 8192U);
}

TEST(FatTree, RefusesAKThatIsOddOrOutOfRange) {
    for (const std::uint32_t k : {0U, 1U, 5U, 256U})
        EXPECT_FALSE(plan_fat_tree(k).ok()) << k;
}

TEST(LeafSpine, JoinsEveryLeafWithEverySpine) {
    const FabricPlan plan = made(plan_leaf_spine({5, 3, 7, 0}));
    EXPECT_EQ(plan.host_count(), 35U);
    EXPECT_EQ(plan.switch_count(), 8U);
    EXPECT_EQ(links_between(plan, PlanTier::Edge, PlanTier::Core), 15U);
    for (std::uint32_t leaf = 0; leaf < 5; ++leaf) {
        for (std::uint32_t spine = 0; spine < 3; ++spine)
            EXPECT_TRUE(plan.link(*plan.find("leaf-" + std::to_string(leaf)),
                                  *plan.find("spine-" + std::to_string(spine))));
    }
}

TEST(LeafSpine, UplinksAloneHaveTheUplinkRate) {
    const FabricPlan plan = made(plan_leaf_spine({2, 2, 3, 40'000'000'000}));
    for (const PlannedCable& cable : plan.cables()) {
        const bool is_uplink = plan.nodes()[cable.lower].tier != PlanTier::Host;
        EXPECT_EQ(cable.settings.rate_bps, is_uplink ? 40'000'000'000U : 0U);
    }
}

TEST(Clos, JoinsAPlanesSpinesWithItsSwitchOfEveryPod) {
    const FabricPlan plan = made(plan_clos({3, 4, 2, 5, 6, 0, 0}));
    EXPECT_EQ(plan.host_count(), 3U * 4 * 6);
    EXPECT_EQ(plan.switch_count(), 3U * (4 + 2) + 2 * 5);
    EXPECT_EQ(links_between(plan, PlanTier::Edge, PlanTier::Aggregation), 3U * 4 * 2);
    EXPECT_EQ(links_between(plan, PlanTier::Aggregation, PlanTier::Core), 3U * 2 * 5);
    EXPECT_TRUE(plan.link(*plan.find("agg-2-1"), *plan.find("core-1-4")));
    EXPECT_FALSE(plan.link(*plan.find("agg-2-1"), *plan.find("core-0-4")));
    EXPECT_EQ(node(plan, "core-1-4").address.to_string(), "10.3.1.5");
    EXPECT_EQ(node(plan, "agg-2-1").address.to_string(), "10.2.5.1");
    EXPECT_EQ(node(plan, "host-2-3-5").address.to_string(), "10.2.3.7");
}

TEST(Clos, EachTierOfCablesHasARateOfItsOwn) {
    const FabricPlan plan = made(plan_clos({2, 2, 2, 2, 2, 10, 20}));
    for (const PlannedCable& cable : plan.cables()) {
        const PlanTier upper = plan.nodes()[cable.upper].tier;
        const std::uint64_t rate = upper == PlanTier::Core ? 20 : upper == PlanTier::Aggregation ? 10 : 0;
        EXPECT_EQ(cable.settings.rate_bps, rate);
    }
}

TEST(Clos, OfAFatTreesNumbersIsThatFatTreeButForItsCoresNames) {
    const FabricPlan clos = made(plan_clos({4, 2, 2, 2, 2, 0, 0}));
    const FabricPlan tree = made(plan_fat_tree(4));
    ASSERT_EQ(clos.nodes().size(), tree.nodes().size());
    for (std::size_t i = 0; i < tree.nodes().size(); ++i)
        EXPECT_EQ(clos.nodes()[i].address, tree.nodes()[i].address);
    ASSERT_EQ(clos.ports().size(), tree.ports().size());
    for (std::size_t i = 0; i < tree.ports().size(); ++i)
        EXPECT_EQ(clos.ports()[i].reverse, tree.ports()[i].reverse);
}

TEST(Jellyfish, IsARegularGraph) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const FabricPlan plan = made(plan_jellyfish({24, 5, 3, seed}));
        EXPECT_EQ(plan.host_count(), 72U);
        EXPECT_EQ(plan.cables().size(), 72U + 24 * 5 / 2);
        for (const std::uint32_t rack : plan.rack_switches())
            EXPECT_EQ(plan.nodes()[rack].port_count, 3U + 5) << "seed " << seed;
    }
}

TEST(Jellyfish, LeavesOnePortFreeWhereTheirNumberIsOdd) {
    const FabricPlan plan = made(plan_jellyfish({9, 3, 1, 7}));
    EXPECT_EQ(plan.cables().size(), 9U + 13);
}

TEST(Jellyfish, CanJoinEachWithEachOther) {
    EXPECT_EQ(made(plan_jellyfish({5, 4, 1, 3})).cables().size(), 5U + 10);
    EXPECT_EQ(made(plan_jellyfish({4, 3, 1, 3})).cables().size(), 4U + 6);
}

TEST(Jellyfish, IsDecidedByItsSeed) {
    const auto pairs = [](std::uint64_t seed) {
        std::set<std::pair<std::uint32_t, std::uint32_t>> all;
        const FabricPlan plan = made(plan_jellyfish({30, 4, 1, seed}));
        for (const PlannedCable& cable : plan.cables())
            all.emplace(cable.lower, cable.upper);
        return all;
    };
    EXPECT_EQ(pairs(1), pairs(1));
    EXPECT_NE(pairs(1), pairs(2));
}

TEST(Jellyfish, OfTheLargestSizeIsMade) {
    EXPECT_EQ(made(plan_jellyfish({4096, 64, 1, 1})).cables().size(), 4096U + 4096 * 32);
}

TEST(Shapes, SayWhichNumberIsOutOfRange) {
    EXPECT_THAT(plan_leaf_spine({1, 2, 3, 0}).error(), HasSubstr("leaves are 2 to 4096, not 1"));
    EXPECT_THAT(plan_leaf_spine({2, 2, 254, 0}).error(), HasSubstr("hosts of a leaf"));
    EXPECT_THAT(plan_clos({255, 2, 2, 2, 2, 0, 0}).error(), HasSubstr("pods are 1 to 254"));
    EXPECT_THAT(plan_clos({2, 200, 100, 2, 2, 0, 0}).error(), HasSubstr("together are 2 to 256, not 300"));
    EXPECT_THAT(plan_jellyfish({8, 8, 1, 1}).error(), HasSubstr("are 3 to 7, not 8"));
    EXPECT_THAT(plan_jellyfish({8, 2, 1, 1}).error(), HasSubstr("not 2"));
}

}  // namespace
}  // namespace dyetrace::localise
