// SPDX-License-Identifier: GPL-2.0-or-later
// That the explorer finds what is wrong: each defect is put in on purpose. And a small search of the real
// engines, for builds in which the large one (explore.exhaustive) would take too long.
#include "tests/explore/explorer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::explore {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::string way_of(const Explored& explored) {
    if (!explored.violation) return "nothing";
    std::string text = explored.violation->what;
    for (const std::string& step : explored.violation->way)
        text += "\n  " + step;
    return text;
}

/// Small budgets, with many states' ends looked at.
Explored search(Defect defect, std::uint32_t end_one_in = 4, std::uint32_t compare_one_in = 1) {
    Setup setup;
    setup.budgets = {.data = 2,
                     .advances = 2,
                     .disturbances = 1,
                     .losses = 0,
                     .repeats = 0,
                     .overtakings = 0,
                     .restarts = 0};
    setup.defect = defect;
    return explore({setup},
                   {.states_most = 60'000, .end_one_in = end_one_in, .compare_one_in = compare_one_in});
}

TEST(Explorer, FindsATagBeforeTheAccept) {
    EXPECT_THAT(way_of(search(Defect::EarlyTag)),
                HasSubstr("tagged a packet before its session was accepted"));
}

TEST(Explorer, FindsAHiddenDeadline) {
    EXPECT_THAT(way_of(search(Defect::HiddenDeadline)), HasSubstr("a dead end"));
}

TEST(Explorer, FindsASessionThatOutlivesItsBound) {
    EXPECT_THAT(way_of(search(Defect::SleepsOn)),
                AnyOf(HasSubstr("though its peer is silent"), HasSubstr("outlives the silence of its peer")));
}

TEST(Explorer, FindsThatNoSessionComesAboutAnyMore) {
    EXPECT_THAT(way_of(search(Defect::EatenAccepts)), HasSubstr("no session comes about any more"));
}

TEST(Explorer, FindsAKeyThatForgetsSomething) {
    EXPECT_THAT(way_of(search(Defect::ForgetfulKey)), HasSubstr("different futures"));
}

TEST(Explorer, FindsNothingWrongWithTheEngines) {
    const Explored explored = search(Defect::None, 64, 8);
    EXPECT_FALSE(explored.violation) << way_of(explored);
    EXPECT_TRUE(explored.complete);
    EXPECT_GT(explored.states, 300U);
    EXPECT_GT(explored.ends, 50U);
    EXPECT_GT(explored.compared, 100U);
}

/// What a third packet of the guest comes by, undisturbed.
Explored look(Setup setup) {
    setup.budgets.disturbances = 0;
    setup.budgets.advances = 2;
    return explore({setup}, {.end_one_in = 64, .compare_one_in = 8});
}

TEST(Explorer, ComesByTagsAndRecordsThatRide) {
    explore::Setup setup;
    setup.budgets.data = 3;
    setup.budgets.replies = 1;
    setup.rides = true;
    const Explored explored = look(setup);
    EXPECT_FALSE(explored.violation) << way_of(explored);
    EXPECT_GT(explored.with_tags, 100U);
    EXPECT_GT(explored.with_rides, 100U);
}

TEST(Explorer, ComesByDelaySketches) {
    explore::Setup setup;
    setup.budgets.data = 3;
    setup.delays = true;
    const Explored explored = look(setup);
    EXPECT_FALSE(explored.violation) << way_of(explored);
    EXPECT_GT(explored.with_sketches, 100U);
}

TEST(Explorer, ComesByTwoPathsAtOnce) {
    explore::Setup setup;
    setup.budgets.data = 3;
    setup.paths = 2;
    const Explored explored = look(setup);
    EXPECT_FALSE(explored.violation) << way_of(explored);
    EXPECT_GT(explored.with_two_paths, 100U);
}

TEST(Explorer, VisitsTheSameStatesEachTime) {
    const Explored one = search(Defect::None, 1'000'000, 1'000'000);
    const Explored other = search(Defect::None, 1'000'000, 1'000'000);
    EXPECT_EQ(one.states, other.states);
    EXPECT_EQ(one.nodes, other.nodes);
    EXPECT_EQ(one.steps, other.steps);
    EXPECT_EQ(one.depth, other.depth);
}

}  // namespace
}  // namespace dyetrace::explore
