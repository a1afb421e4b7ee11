// SPDX-License-Identifier: GPL-2.0-or-later
// Which fabrics have more routes than switches' tables hold.
#include "scenarios/reader/route_tables.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/localise/fabric_shapes.h"

namespace dyetrace::scenario {
namespace {

using localise::FabricPlan;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two switches with a host each, and so many between them.
FabricPlan with_ways(std::size_t ways) {
    localise::FabricPlanner planner;
    const std::uint32_t left = planner.add_switch({"left"});
    const std::uint32_t right = planner.add_switch({"right"});
    planner.add_host("a", left);
    planner.add_host("b", right);
    for (std::size_t i = 0; i < ways; ++i) {
        const std::uint32_t middle = planner.add_switch({"middle-" + std::to_string(i)});
        planner.add_cable(left, middle);
        planner.add_cable(right, middle);
    }
    return std::move(planner).finish().value();
}

TEST(RouteTables, ASwitchChoosesAmongAtMost255Ways) {
    EXPECT_THAT(problem_of_routes(with_ways(255)), IsEmpty());
    EXPECT_EQ(problem_of_routes(with_ways(256)),
              "right has 256 equal ways to left; a switch chooses among at most 255");
}

TEST(RouteTables, OfManyLinksOnlyWaysCount) {
    localise::FabricPlanner planner;
    const std::uint32_t hub = planner.add_switch({"hub"});
    for (int i = 0; i < 300; ++i) {
        const std::uint32_t leaf = planner.add_switch({"leaf-" + std::to_string(i)});
        planner.add_host("host-" + std::to_string(i), leaf);
        planner.add_cable(leaf, hub);
    }
    EXPECT_THAT(problem_of_routes(std::move(planner).finish().value()), IsEmpty());
}

/// Each of 2 ends has the middle switches as its choice, and each of these one port to either end.
TEST(RouteTables, EqualChoicesOfASwitchTakeTheirRoomOnce) {
    constexpr std::size_t ways = 5;
    EXPECT_THAT(problem_of_routes(with_ways(ways), {255, 4 * ways}), IsEmpty());
    EXPECT_THAT(problem_of_routes(with_ways(ways), {255, 4 * ways - 1}), HasSubstr("(19)"));
    const FabricPlan regular = localise::plan_leaf_spine({4, 3, 2, 0}).value();
    EXPECT_THAT(problem_of_routes(regular, {255, 4 * 3 + 3 * 4}), IsEmpty())
        << "of each leaf its uplinks, whatever the other leaf; of each spine a port to each leaf";
    EXPECT_THAT(problem_of_routes(regular, {255, 4 * 3 + 3 * 4 - 1}), HasSubstr("more ports"));
}

}  // namespace
}  // namespace dyetrace::scenario
