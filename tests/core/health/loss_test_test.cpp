// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/loss_test.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::health {
namespace {

double sum_of(const LossEvidence& evidence) {
    double sum = 0;
    for (const float one : evidence)
        sum += static_cast<double>(one);
    return sum;
}

/// Numbers of losses by inversion, so that they are the same with every library.
std::uint64_t losses(std::uint64_t packets, double rate, Random& random) {
    std::uint64_t lost = 0;
    for (std::uint64_t i = 0; i < packets; ++i)
        lost += random.uniform() < rate ? 1 : 0;
    return lost;
}

TEST(LossTest, WaldsSampleIsThatOfThePaper) {
    // ln(0.99e6) / (1e-3 ln 100 - 0.99e-3) = 13.8055 / 0.0036152
    EXPECT_NEAR(wald_sample(1e-3, 1e-5, 1e-6, 1e-2), 3818.8, 0.5);
    EXPECT_NEAR(wald_sample(1e-2, 1e-5, 1e-6, 1e-2), 233.6, 0.5);
}

TEST(LossTest, RatesReachFromTheImpairedOneToAHundredTimesIt) {
    const LossTest test{DetectorConfig{}};
    EXPECT_NEAR(test.rate(0), 1e-3, 1e-12);
    EXPECT_NEAR(test.rate(1), 1e-2, 1e-12);
    EXPECT_NEAR(test.rate(2), 1e-1, 1e-12);
}

TEST(LossTest, OneWindowIsTheLikelihoodRatioOfTwoBinomials) {
    const LossTest test{DetectorConfig{}};
    LossEvidence evidence{1, 0, 0};
    const double rest = test.at_rest()[0];
    test.add(evidence, 1000, 2, {});
    const double ratio = 2 * std::log(1e-3 / 1e-5) + 998 * (std::log1p(-1e-3) - std::log1p(-1e-5));
    const double head_start = 1000 * rest * (std::log1p(-1e-5) - std::log1p(-1e-3));
    EXPECT_NEAR(std::log(static_cast<double>(evidence[0])), ratio + std::log(1 + head_start), 1e-5);
}

TEST(LossTest, WithoutLossItStaysAtRestHoweverLong) {
    const LossTest test{DetectorConfig{}};
    LossEvidence evidence = test.at_rest();
    for (int i = 0; i < 100'000; ++i)
        test.add(evidence, 1, 0, {});
    EXPECT_NEAR(sum_of(evidence), 1,
                0.06);  // a window of one packet of the greatest rate is 10% of its memory
}

TEST(LossTest, MeanUnderHealthGrowsNoFasterThanItsExposure) {
    // The supermartingale behind all error rates, by exact sums over one window's losses.
    const LossTest test{DetectorConfig{}};
    constexpr std::uint64_t kPackets = 200;
    const double p0 = DetectorConfig{}.baseline_rate;
    double mean = 0;
    for (std::uint64_t lost = 0; lost <= 12; ++lost) {
        LossEvidence evidence = test.at_rest();
        test.add(evidence, kPackets, lost, {});
        const double n = kPackets;
        const double m = static_cast<double>(lost);
        const double chance = std::exp(std::lgamma(n + 1) - std::lgamma(m + 1) - std::lgamma(n - m + 1) +
                                       m * std::log(p0) + (n - m) * std::log1p(-p0));
        mean += chance * sum_of(evidence);
    }
    EXPECT_LE(mean, 1 + kPackets / test.exposure() + 1e-4);
    EXPECT_GT(mean, 1);
}

TEST(LossTest, AWindowSaysNoMoreThanItIsTrustedWith) {
    const LossTest test{DetectorConfig{}};
    LossEvidence clipped = test.at_rest(), free = test.at_rest();
    test.add(clipped, 100, 50, {4.0, 0});
    test.add(free, 100, 50, {});
    EXPECT_LE(sum_of(clipped), (1 + 100 / test.exposure()) * std::exp(4.0) * 1.0001);
    EXPECT_GT(sum_of(free), 1e9);
}

TEST(LossTest, LossThatIsUsualNowIsNoEvidence) {
    const LossTest test{DetectorConfig{}};
    LossEvidence evidence = test.at_rest();
    test.add(evidence, 100, 20, {4.0, 0.4});
    EXPECT_LE(sum_of(evidence), (1 + 100 / test.exposure()) * 1.0001);
}

TEST(LossTest, AFaultAfterLongHealthIsFoundAsFastAsOneAtOnce) {
    const LossTest test{DetectorConfig{}};
    const auto packets_until_found = [&](int healthy_windows) {
        Random random(7);
        double sum = 0;
        for (int run = 0; run < 400; ++run) {
            LossEvidence evidence = test.at_rest();
            for (int i = 0; i < healthy_windows; ++i)
                test.add(evidence, 50, 0, {});
            while (test.value(evidence) < 1e6) {
                test.add(evidence, 50, losses(50, 1e-2, random), {});
                sum += 50;
            }
        }
        return sum / 400;
    };
    const double at_once = packets_until_found(0);
    EXPECT_NEAR(packets_until_found(1000), at_once, 0.05 * at_once);
}

TEST(LossTest, FalseAlarmsStayBelowTheirBound) {
    const LossTest test{DetectorConfig{}};
    Random random(11);
    constexpr double kLevel = 1e-2;
    constexpr int kWindows = 40'000;
    int alarms = 0;
    LossEvidence evidence = test.at_rest();
    for (int i = 0; i < kWindows; ++i) {
        test.add(evidence, 500, losses(500, 1e-5, random), {});
        if (test.value(evidence) < 1 / kLevel) continue;
        ++alarms;
        evidence = test.at_rest();
    }
    const double bound = kLevel * (kWindows * 500 / test.exposure());
    EXPECT_GT(alarms, 0);  // else this shows nothing
    EXPECT_LT(alarms, bound);
}

TEST(LossTest, HealthIsAcceptedAfterAsManyPacketsAsTheSprtNeeds) {
    const LossTest test{DetectorConfig{}};
    float clean = 0;
    test.add_clean(clean, 4600, 0);  // ln((1 - 1e-6) / 1e-2) / 0.99e-3 = 4650
    EXPECT_FALSE(test.accepts(clean));
    test.add_clean(clean, 100, 0);
    EXPECT_TRUE(test.accepts(clean));
    test.add_clean(clean, 1, 1);
    EXPECT_FALSE(test.accepts(clean));
}

TEST(LossTest, ImpairedPathsAreRarelyAccepted) {
    const LossTest test{DetectorConfig{}};
    Random random(3);
    int accepted = 0;
    for (int run = 0; run < 500; ++run) {
        float clean = 0;
        for (int i = 0; i < 100 && !test.accepts(clean); ++i)  // 5000 packets: the time that a verdict takes
            test.add_clean(clean, 50, losses(50, 1e-3, random));
        accepted += test.accepts(clean) ? 1 : 0;
    }
    EXPECT_LE(accepted, 5 + 7);  // 1% of 500, and three standard deviations
}

}  // namespace
}  // namespace dyetrace::health
