// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/time_mapping.h"

#include <gtest/gtest.h>

namespace dyetrace::viewer {
namespace {

constexpr TimeRange second{0, 1'000'000'000};
constexpr TimeMapping mapping{second, 100, 1000};

TEST(TimeMapping, BordersOfTheRangeAreBordersOfTheAxis) {
    EXPECT_DOUBLE_EQ(mapping.to_pixel(0), 100);
    EXPECT_DOUBLE_EQ(mapping.to_pixel(1'000'000'000), 1100);
}

TEST(TimeMapping, PixelToTimeIsTheInverse) {
    for (const std::int64_t t : {0LL, 1LL, 333'333'333LL, 999'999'999LL}) {
        EXPECT_NEAR(static_cast<double>(mapping.to_time(mapping.to_pixel(t))), static_cast<double>(t), 1);
    }
}

TEST(TimeMapping, APixelLeftOfTheAxisIsBeforeIt) {
    EXPECT_EQ(mapping.to_time(99), -1'000'000);
}

TEST(TimeMapping, ZoomKeepsTheMomentUnderThePointer) {
    const auto zoomed = mapping.zoomed(4, 600, second);
    EXPECT_EQ(zoomed.visible.length_ns(), 250'000'000);
    EXPECT_NEAR(static_cast<double>(zoomed.to_time(600)), static_cast<double>(mapping.to_time(600)), 2);
}

TEST(TimeMapping, ZoomingOutEndsAtTheWholeRun) {
    EXPECT_EQ(mapping.zoomed(8, 900, second).zoomed(1e-9, 300, second).visible, second);
}

TEST(TimeMapping, ZoomReachesAMicrosecondAndNoLess) {
    EXPECT_EQ(mapping.zoomed(1e12, 500, second).visible.length_ns(), TimeMapping::span_ns_min);
}

TEST(TimeMapping, PanningStopsAtTheBorders) {
    const auto zoomed = mapping.zoomed(2, 100, second);
    EXPECT_EQ(zoomed.panned(-5000, second).visible.begin_ns, 0);
    EXPECT_EQ(zoomed.panned(5000, second).visible.end_ns, 1'000'000'000);
}

TEST(TimeMapping, ARunOfNoLengthHasAnAxis) {
    const TimeMapping empty{{0, 0}, 0, 100};
    EXPECT_DOUBLE_EQ(empty.to_pixel(0), 0);
    EXPECT_EQ(empty.zoomed(2, 50, {0, 0}).visible.begin_ns, 0);
}

TEST(RoundStep, IsTheNextOfOneTwoFive) {
    EXPECT_EQ(round_step(0.2), 1);
    EXPECT_EQ(round_step(11), 20);
    EXPECT_EQ(round_step(50), 50);
    EXPECT_EQ(round_step(51e6), 100'000'000);
}

TEST(TimeTicks, AreRoundMomentsWithinTheRangeAndFarEnoughApart) {
    const TimeMapping odd{{123'456'789, 987'654'321}, 0, 800};
    const auto ticks = time_ticks(odd, 80);
    ASSERT_GE(ticks.at_ns.size(), 4U);
    for (const auto t : ticks.at_ns) {
        EXPECT_EQ(t % ticks.step_ns, 0);
        EXPECT_GE(t, odd.visible.begin_ns);
        EXPECT_LE(t, odd.visible.end_ns);
    }
    EXPECT_GE(odd.to_pixel(ticks.at_ns[1]) - odd.to_pixel(ticks.at_ns[0]), 80);
}

}  // namespace
}  // namespace dyetrace::viewer
