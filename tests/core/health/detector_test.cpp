// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/detector.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

TEST(DetectorConfig, ItsDefaultsAreRight) {
    EXPECT_EQ(wrong_field(DetectorConfig{}), std::nullopt);
}

TEST(DetectorConfig, NamesTheFieldThatIsWrong) {
    const auto wrong = [](auto change) {
        DetectorConfig config;
        change(config);
        return wrong_field(config).value_or("nothing");
    };
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.baseline_rate = c.impaired_rate; }),
              "detector: needs 0 < baseline_rate < impaired_rate < 0.5");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.impaired_rate = 0.6; }),
              "detector: needs 0 < baseline_rate < impaired_rate < 0.5");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.miss = 0; }),
              "detector: false_alarm and miss lie between 0 and 1");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.false_discovery_share = 1; }),
              "detector: false_discovery_share lies between 0 and 1");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.window_most = 0; }), "detector: window_most must be positive");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.stale_after = {}; }), "detector: stale_after must be positive");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.hold = {-1}; }),
              "detector: hold and clear_after may not be negative");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.queue_most = {1}; }),
              "detector: needs 0 < queue_least <= queue_most");
    EXPECT_EQ(wrong([](DetectorConfig& c) { c.marking.impaired = 1; }),
              "detector: shares need 0 < usual_least <= usual_most < 1 and usual_least < impaired < 1");
}

TEST(Metric, OnlyWhatTrafficAloneDoesNotDoIsAFault) {
    EXPECT_TRUE(is_fault(Metric::Loss));
    EXPECT_TRUE(is_fault(Metric::Delay));
    EXPECT_TRUE(is_fault(Metric::Marking));
    EXPECT_TRUE(is_fault(Metric::Excess));
    EXPECT_FALSE(is_fault(Metric::Congestion));
    EXPECT_FALSE(is_fault(Metric::Silence));
    EXPECT_FALSE(is_fault(Metric::None));
}

TEST(SessionDetector, IsSmallEnoughForAMillion) {
    EXPECT_LE(sizeof(PathDetector), 32U);
    EXPECT_LE(sizeof(SessionDetector), 192U);
}

TEST(SessionDetector, KnowsNothingBeforeItIsToldSomething) {
    const SessionDetector session;
    EXPECT_EQ(session.health(), Health::NotMeasured);
    EXPECT_EQ(session.confidence(), 0);
    EXPECT_EQ(session.reason(), "no window yet");
}

}  // namespace
}  // namespace dyetrace::health
