// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/rate_prior.h"

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

double mass(const RatePrior& prior, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i)
        sum += std::exp(prior.log_mass()[i]);
    return sum;
}

TEST(RatePrior, CoversHealthyAndFaultyRatesInRisingOrder) {
    const RatePrior prior(1e-4, 3e-4, 0.01, 100);
    for (std::size_t i = 1; i < kRates; ++i)
        EXPECT_LT(prior.rates()[i - 1], prior.rates()[i]);
    EXPECT_LT(prior.rates()[kHealthyRates - 1], 1e-4);
    EXPECT_NEAR(prior.rates()[kHealthyRates], 3e-4, 1e-12);
    EXPECT_NEAR(prior.rates()[kRates - 1], 1, 1e-12);
    EXPECT_NEAR(prior.healthy_mean(), 5e-5, 1e-12);
    EXPECT_NEAR(prior.log_odds(), std::log(0.01 / 0.99), 1e-12);
}

TEST(RatePrior, MassesSumToOneBeforeAndAfterLearning) {
    RatePrior prior(1e-4, 3e-4, 0.01, 100);
    EXPECT_NEAR(mass(prior, 0, kHealthyRates), 1, 1e-9);
    EXPECT_NEAR(mass(prior, kHealthyRates, kRates), 1, 1e-9);
    std::array<double, kFaultyRates> faulty{};
    faulty[10] = 3.5;
    faulty[0] = 0.25;
    prior.learn(faulty, 1000);
    // A little of what is learned at the ends is spread beyond them.
    EXPECT_NEAR(mass(prior, kHealthyRates, kRates), 1, 1e-3);
}

TEST(RatePrior, LearnsWhereTheFaultsAre) {
    RatePrior prior(1e-4, 3e-4, 0.01, 100);
    std::array<double, kFaultyRates> faulty{};
    faulty[10] = 16;
    prior.learn(faulty, 1000);
    EXPECT_GT(prior.log_mass()[kHealthyRates + 10], prior.log_mass()[kHealthyRates + 20] + 3);
    EXPECT_NEAR(prior.log_odds(), std::log((1 + 16.0) / (1100 - 17.0)), 0.01);
}

TEST(LogSumExp, NeitherOverflowsNorUnderflows) {
    EXPECT_NEAR(log_sum_exp(std::vector{1000.0, 1000.0}), 1000 + std::log(2), 1e-9);
    EXPECT_NEAR(log_sum_exp(std::vector{-1000.0, -2000.0}), -1000, 1e-9);
}

}  // namespace
}  // namespace dyetrace::localise
