// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/pair_figures.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

MetricsWindow window() {
    MetricsWindow out;
    out.sent = 1000;
    out.lost = 5;
    out.tracked_received = 10;
    out.ce = 2;
    out.corrupted = 1;
    out.late = 3;
    out.duplicates = 4;
    out.delay_count = 10;
    out.delay_sum = Duration::microseconds(1500);
    out.delay_min = Duration::microseconds(100);
    out.jitter = Duration::microseconds(7);
    return out;
}

TEST(PairFigures, NamesAreReadBack) {
    ASSERT_EQ(figure_names().size(), kFigureCount);
    for (std::size_t i = 0; i < kFigureCount; ++i) {
        const auto figure = static_cast<Figure>(i);
        EXPECT_EQ(figure_of(to_string(figure)), figure);
    }
    EXPECT_FALSE(figure_of("los").has_value());
}

TEST(PairFigures, FollowTheirFormulas) {
    FigureSums sums;
    sums.add(window());
    const Figures figures = sums.figures(true, {});
    EXPECT_DOUBLE_EQ(*figures[Figure::Loss], 0.005);
    EXPECT_DOUBLE_EQ(*figures[Figure::Ce], 0.2);
    EXPECT_DOUBLE_EQ(*figures[Figure::Corrupted], 0.1);
    EXPECT_DOUBLE_EQ(*figures[Figure::Reordered], 0.3);
    EXPECT_DOUBLE_EQ(*figures[Figure::Duplicated], 0.4);
    EXPECT_DOUBLE_EQ(*figures[Figure::Jitter], 7'000);
    EXPECT_DOUBLE_EQ(*figures[Figure::Delay], 150'000);
    EXPECT_DOUBLE_EQ(*figures[Figure::Queueing], 50'000);
    EXPECT_DOUBLE_EQ(*figures[Figure::Packets], 1000);
    EXPECT_FALSE(figures[Figure::DelayP99].has_value());
}

TEST(PairFigures, RawDelayOfTwoClocksIsShownToNobody) {
    FigureSums sums;
    sums.add(window());
    EXPECT_FALSE(sums.figures(false, {})[Figure::Delay].has_value());
    EXPECT_TRUE(sums.figures(false, {})[Figure::Queueing].has_value());
}

TEST(PairFigures, CorrectedDelaysComeBeforeRawOnes) {
    FigureSums sums;
    sums.add(window());
    DelayFigures fed;
    fed.count = 5;
    fed.mean = Duration::microseconds(90);
    fed.p99 = Duration::microseconds(400);
    const Figures figures = sums.figures(true, fed);
    EXPECT_DOUBLE_EQ(*figures[Figure::Delay], 90'000);
    EXPECT_DOUBLE_EQ(*figures[Figure::DelayP99], 400'000);
}

TEST(PairFigures, ClockOffsetIsNotInQueueing) {
    FigureSums sums;
    MetricsWindow shifted = window();
    shifted.delay_sum = shifted.delay_sum - Duration::seconds(3) * 10;
    shifted.delay_min = shifted.delay_min - Duration::seconds(3);
    sums.add(shifted);
    EXPECT_DOUBLE_EQ(*sums.figures(false, {})[Figure::Queueing], 50'000);
}

TEST(PairFigures, WhatHasNoDenominatorIsNotMeasured) {
    const Figures figures = FigureSums{}.figures(true, {});
    for (std::size_t i = 0; i < kFigureCount; ++i) {
        const auto figure = static_cast<Figure>(i);
        EXPECT_EQ(figures[figure].has_value(), figure == Figure::Packets) << to_string(figure);
    }
}

TEST(PairFigures, MoreReceivedThanSentIsNoLossOfZero) {
    FigureSums sums;
    MetricsWindow more = window();
    more.lost = 0;
    more.excess = true;
    sums.add(more);
    EXPECT_FALSE(sums.figures(true, {})[Figure::Loss].has_value());
}

TEST(PairFigures, SumsOfPartsAreThoseOfTheWhole) {
    FigureSums one;
    FigureSums other;
    FigureSums both;
    one.add(window());
    MetricsWindow second = window();
    second.lost = 100;
    other.add(second);
    both.add(window());
    both.add(second);
    one.add(other);
    EXPECT_EQ(one.figures(true, {}), both.figures(true, {}));
    EXPECT_DOUBLE_EQ(*both.figures(true, {})[Figure::Loss], 105.0 / 2000);
}

TEST(ShareInterval, IsWilsons) {
    // Computed by hand from the formula: p = 0.1, n = 100, z = 1.96.
    const ShareInterval interval = share_interval(10, 100);
    EXPECT_NEAR(interval.low, 0.05523, 1e-4);
    EXPECT_NEAR(interval.high, 0.17437, 1e-4);
}

TEST(ShareInterval, NothingProvesNothing) {
    EXPECT_EQ(share_interval(0, 0).low, 0);
    EXPECT_EQ(share_interval(0, 0).high, 1);
    EXPECT_EQ(share_interval(0, 1000).low, 0);
    EXPECT_NEAR(share_interval(0, 1000).high, 0.00383, 1e-4);  // z^2 / (n + z^2)
    EXPECT_EQ(share_interval(1000, 1000).high, 1);
}

}  // namespace
}  // namespace dyetrace::health
