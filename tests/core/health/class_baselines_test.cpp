// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/class_baselines.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr ShareLimits kLimits{1e-3, 5e-2, 2e-2};

TEST(ClassBaselines, LongRoutesAreOneClass) {
    EXPECT_EQ(ClassBaselines::class_of(0), 0U);
    EXPECT_EQ(ClassBaselines::class_of(6), 6U);
    EXPECT_EQ(ClassBaselines::class_of(15), ClassBaselines::class_of(40));
}

TEST(ClassBaselines, LearnsTheMedianDelay) {
    ClassBaselines baselines;
    for (int i = 0; i < 3000; ++i)
        baselines.learn_delay(6, Duration::microseconds(1 + i % 9));  // 1 to 9 us
    EXPECT_NEAR(static_cast<double>(baselines.delay(6).ns), 5000, 700);
    EXPECT_EQ(baselines.delay(4), Duration{});
}

TEST(ClassBaselines, ASickPathDoesNotTeachItsClass) {
    ClassBaselines baselines;
    for (int i = 0; i < 3000; ++i) {
        const bool sick = i % 5 == 0;
        baselines.learn_delay(6, sick ? Duration::seconds(1) : Duration::microseconds(2));
        baselines.learn_share(6, ShareTest::Reordering, sick ? 100 : 0, 100);
    }
    EXPECT_LT(baselines.delay(6), Duration::microseconds(4));
    EXPECT_LT(baselines.share(6, ShareTest::Reordering, kLimits), 3e-3);
}

TEST(ClassBaselines, WhatIsLearnedStaysInsideItsLimits) {
    ClassBaselines baselines;
    EXPECT_EQ(baselines.share(6, ShareTest::Reordering, kLimits), kLimits.usual_least);
    for (int i = 0; i < 1000; ++i)
        baselines.learn_share(6, ShareTest::Reordering, 1, 1);
    EXPECT_EQ(baselines.share(6, ShareTest::Reordering, kLimits), kLimits.usual_most);
    EXPECT_EQ(baselines.share(7, ShareTest::Reordering, kLimits), kLimits.usual_least);
}

}  // namespace
}  // namespace dyetrace::health
