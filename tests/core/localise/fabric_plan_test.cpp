// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

using testing::ElementsAre;

/// Two racks with one host each, and a switch between them.
FabricPlanner two_racks() {
    FabricPlanner planner;
    planner.add_switch({"left"});
    planner.add_switch({"middle"});
    planner.add_switch({"right"});
    planner.add_cable(0, 1);
    planner.add_cable(2, 1, {5'000'000, Duration::microseconds(7)});
    planner.add_host("b", 2);
    planner.add_host("a", 0);
    return planner;
}

std::string problem_of(FabricPlanner planner) {
    const auto plan = std::move(planner).finish();
    return plan ? "" : plan.error();
}

std::vector<std::string> names_of(const FabricPlan& plan) {
    std::vector<std::string> names;
    for (const PlannedNode& node : plan.nodes())
        names.push_back(node.name);
    return names;
}

std::vector<std::string> peers_of(const FabricPlan& plan, std::uint32_t node) {
    std::vector<std::string> peers;
    const PlannedNode& at = plan.nodes()[node];
    for (std::uint32_t port = at.first_port; port < at.first_port + at.port_count; ++port)
        peers.push_back(plan.nodes()[plan.ports()[port].peer].name);
    return peers;
}

TEST(FabricPlan, NumbersHostsFirstRackByRack) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    EXPECT_THAT(names_of(*plan), ElementsAre("a", "b", "left", "middle", "right"));
    EXPECT_EQ(plan->host_count(), 2U);
    EXPECT_EQ(plan->switch_count(), 3U);
    EXPECT_THAT(plan->rack_switches(), ElementsAre(2U, 4U));
    EXPECT_EQ(plan->nodes()[0].rack, 0U);
    EXPECT_EQ(plan->nodes()[4].rack, 1U);
    EXPECT_EQ(plan->nodes()[3].rack, kPlanNone);
}

TEST(FabricPlan, GivesARackItsOwnPrefixAndOtherSwitchesOneBehindThem) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    std::vector<std::string> addresses;
    for (const PlannedNode& node : plan->nodes())
        addresses.push_back(node.address.to_string());
    EXPECT_THAT(addresses, ElementsAre("10.0.0.2", "10.0.1.2", "10.0.0.1", "10.0.2.1", "10.0.1.1"));
    EXPECT_EQ(plan->find(plan->nodes()[1].address), 1U);
    EXPECT_FALSE(plan->find(Ipv4Address{0x0a000003}).has_value());
}

TEST(FabricPlan, PutsHostsAtTheFirstPortsWhenTheyCameLast) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    EXPECT_THAT(peers_of(*plan, 2), ElementsAre("a", "middle"));
    EXPECT_THAT(peers_of(*plan, 3), ElementsAre("left", "right"));
    EXPECT_THAT(peers_of(*plan, 4), ElementsAre("b", "middle"));
}

TEST(FabricPlan, EveryPortKnowsItsOtherEnd) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    for (std::uint32_t port = 0; port < plan->ports().size(); ++port) {
        const PlannedPort& at = plan->ports()[port];
        const PlannedPort& other = plan->ports()[at.reverse];
        EXPECT_EQ(other.reverse, port);
        EXPECT_EQ(other.node, at.peer);
        EXPECT_EQ(other.cable, at.cable);
        EXPECT_NE(other.direction, at.direction);
        const PlannedCable& cable = plan->cables()[at.cable];
        EXPECT_EQ(at.direction == 0 ? cable.lower : cable.upper, at.node);
    }
}

TEST(FabricPlan, KeepsACablesRateAndDelay) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    const auto link = plan->link(*plan->find("middle"), *plan->find("right"));
    ASSERT_TRUE(link.has_value());
    const CableSettings& settings = plan->cables()[plan->ports()[*link].cable].settings;
    EXPECT_EQ(settings.rate_bps, 5'000'000U);
    EXPECT_EQ(settings.delay, Duration::microseconds(7));
    EXPECT_FALSE(plan->cables()[0].settings.delay.has_value());
    EXPECT_FALSE(plan->link(*plan->find("left"), *plan->find("right")).has_value());
}

TEST(FabricPlan, FindsEveryNodeByItsNameAndNoOther) {
    const auto plan = two_racks().finish();
    ASSERT_TRUE(plan) << plan.error();
    for (std::uint32_t node = 0; node < plan->nodes().size(); ++node)
        EXPECT_EQ(plan->find(plan->nodes()[node].name), node);
    EXPECT_FALSE(plan->find("").has_value());
    EXPECT_FALSE(plan->find("zzz").has_value());
}

TEST(FabricPlan, StandsHostsUnderTheirSwitch) {
    FabricPlanner planner;
    planner.add_switch({"east", std::nullopt, kPlanNone, 1});
    planner.add_switch({"west", std::nullopt, kPlanNone, 0});
    planner.add_cable(0, 1);
    planner.add_host("east-0", 0);
    planner.add_host("west-0", 1);
    planner.add_host("east-1", 0);
    const auto plan = std::move(planner).finish();
    ASSERT_TRUE(plan) << plan.error();
    const auto column = [&](const char* name) { return plan->nodes()[*plan->find(name)].column; };
    EXPECT_EQ(column("west-0"), 0U);
    EXPECT_EQ(column("east-0"), 1U);
    EXPECT_EQ(column("east-1"), 2U);
}

TEST(FabricPlan, RefusesACableThatLeadsNowhere) {
    auto planner = two_racks();
    planner.add_cable(0, 3);
    EXPECT_EQ(problem_of(std::move(planner)), "cable 4 leads to switch number 3, and there are 3");
    planner = two_racks();
    planner.add_host("c", 9);
    EXPECT_EQ(problem_of(std::move(planner)), "host c leads to switch number 9, and there are 3");
}

TEST(FabricPlan, RefusesACableFromASwitchToItself) {
    auto planner = two_racks();
    planner.add_cable(1, 1);
    EXPECT_EQ(problem_of(std::move(planner)), "a cable joins middle with itself");
}

TEST(FabricPlan, RefusesTwoCablesBetweenTheSameTwo) {
    auto planner = two_racks();
    planner.add_cable(1, 0);
    EXPECT_THAT(problem_of(std::move(planner)), testing::StartsWith("two cables join left and middle"));
}

TEST(FabricPlan, RefusesASwitchThatNoWayLeadsTo) {
    auto planner = two_racks();
    planner.add_switch({"island"});
    EXPECT_EQ(problem_of(std::move(planner)), "no way leads from left to island");
}

TEST(FabricPlan, RefusesANameThatTwoHaveOrNobodyMayHave) {
    auto planner = two_racks();
    planner.add_host("left", 0);
    EXPECT_EQ(problem_of(std::move(planner)), "two nodes are called left");
    for (const std::string name : {"", "a b", "a:b", "core-*", "wh?", "tab\t"}) {
        planner = two_racks();
        planner.add_host(name, 0);
        EXPECT_THAT(problem_of(std::move(planner)), testing::HasSubstr("is no name")) << name;
    }
}

TEST(FabricPlan, RefusesAFabricWithoutHosts) {
    FabricPlanner planner;
    planner.add_switch({"alone"});
    EXPECT_EQ(problem_of(std::move(planner)), "no switch has a host");
}

TEST(FabricPlan, FillsARackUpToItsPrefixAndNoFurther) {
    const auto rack_of = [](std::uint32_t hosts) {
        FabricPlanner planner;
        planner.add_switch({"rack"});
        for (std::uint32_t i = 0; i < hosts; ++i)
            planner.add_host("h" + std::to_string(i), 0);
        return planner;
    };
    const auto full = rack_of(kRackHostsMost).finish();
    ASSERT_TRUE(full) << full.error();
    EXPECT_EQ(full->nodes()[kRackHostsMost - 1].address.to_string(), "10.0.0.254");
    EXPECT_THAT(problem_of(rack_of(kRackHostsMost + 1)),
                testing::StartsWith("rack has more hosts than its /24 has addresses"));
}

TEST(FabricPlan, RefusesTwoNodesOfOneAddress) {
    auto planner = two_racks();
    planner.add_switch({"copy", std::nullopt, kPlanNone, kPlanNone, Ipv4Address{0x0a000001}});
    planner.add_cable(0, 3);
    EXPECT_EQ(problem_of(std::move(planner)), "left and copy have one address, 10.0.0.1");
}

TEST(FabricPlan, SwitchesWithoutHostsFillPrefixAfterPrefix) {
    FabricPlanner planner;
    planner.add_switch({"rack"});
    planner.add_host("h", 0);
    for (std::uint32_t i = 0; i < 255; ++i) {
        planner.add_switch({"s" + std::to_string(i)});
        planner.add_cable(0, i + 1);
    }
    const auto plan = std::move(planner).finish();
    ASSERT_TRUE(plan) << plan.error();
    EXPECT_EQ(plan->nodes()[*plan->find("s0")].address.to_string(), "10.0.1.1");
    EXPECT_EQ(plan->nodes()[*plan->find("s253")].address.to_string(), "10.0.1.254");
    EXPECT_EQ(plan->nodes()[*plan->find("s254")].address.to_string(), "10.0.2.1");
}

}  // namespace
}  // namespace dyetrace::localise
