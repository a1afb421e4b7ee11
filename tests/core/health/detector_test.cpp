// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/detector.h"

#include <cmath>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

TEST(SessionDetector, KnowsNothingBeforeItIsToldSomething) {
    const SessionDetector detector;
    EXPECT_EQ(detector.health(), Health::NotMeasured);
}

TEST(SessionDetector, StatisticIsTheLogLikelihoodRatioOfTwoPoissonRates) {
    DetectorConfig config;
    config.window_most = 1e9;
    SessionDetector detector;
    detector.add(1000, 1, config);
    EXPECT_NEAR(detector.statistic(), std::log(1e-3 / 1e-5) - 1000 * (1e-3 - 1e-5), 1e-9);
}

TEST(SessionDetector, EnoughPacketsWithoutLossAreHealth) {
    const DetectorConfig config;
    SessionDetector detector;
    // ln(0.01) / -(1e-3 - 1e-5) = 4652 packets.
    EXPECT_FALSE(detector.add(4600, 0, config));
    EXPECT_EQ(detector.health(), Health::NotMeasured);
    EXPECT_TRUE(detector.add(100, 0, config));
    EXPECT_EQ(detector.health(), Health::Healthy);
}

TEST(SessionDetector, SteadyLossOfOnePercentIsFoundInFourWindows) {
    const DetectorConfig config;
    SessionDetector detector;
    for (int window = 0; window < 3; ++window)
        EXPECT_FALSE(detector.add(400, 4, config));
    EXPECT_TRUE(detector.add(400, 4, config));
    EXPECT_EQ(detector.health(), Health::Degraded);
    EXPECT_EQ(detector.sent(), 1600U);
    EXPECT_EQ(detector.lost(), 16U);
}

TEST(SessionDetector, OneBurstIsNoState) {
    const DetectorConfig config;
    SessionDetector detector;
    detector.add(400, 200, config);
    for (int window = 0; window < 30; ++window)
        detector.add(400, 0, config);
    EXPECT_EQ(detector.health(), Health::Healthy);
}

TEST(SessionDetector, RecoversWhenLossStops) {
    const DetectorConfig config;
    SessionDetector detector;
    for (int window = 0; window < 10; ++window)
        detector.add(400, 4, config);
    ASSERT_EQ(detector.health(), Health::Degraded);
    bool changed = false;
    for (int window = 0; window < 60; ++window)
        changed = detector.add(400, 0, config) || changed;
    EXPECT_TRUE(changed);
    EXPECT_EQ(detector.health(), Health::Healthy);
}

TEST(SessionDetector, ReasonSaysHowMuchWasLostAndAgainstWhatBound) {
    const DetectorConfig config;
    SessionDetector detector;
    for (int window = 0; window < 4; ++window)
        detector.add(400, 4, config);
    EXPECT_EQ(detector.reason(config), "lost 16 of 1600 packets (1%), statistic 16.0 above 13.8");
}

}  // namespace
}  // namespace dyetrace::health
