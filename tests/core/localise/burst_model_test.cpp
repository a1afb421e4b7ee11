// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/burst_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::localise {
namespace {

const RatePrior& prior() {
    static const RatePrior kPrior(1e-4, 3e-4, 0.01, 1000);
    return kPrior;
}

/// `lost` of `sent` packets, Poisson, beside other links that lose `others`.
EpochEvidence epoch(std::int32_t number, double sent, double lost, double others = 3e-4) {
    EpochEvidence e;
    e.epoch = number;
    for (std::size_t r = 0; r < kRates; ++r) {
        const double rate = prior().rates()[r];
        e.log_likelihood[r] = lost * std::log(1 + rate / others) - sent * rate;
    }
    return e;
}

double log_bayes_factor(const std::vector<EpochEvidence>& epochs, const BurstConfig& config = {}) {
    const LinkHistory history = weigh_history(epochs, prior(), config);
    PerRate weights{};
    for (std::size_t r = 0; r < kRates; ++r)
        weights[r] = history.log_likelihood[r] + prior().log_mass()[r];
    const std::span<const double> all(weights);
    return log_sum_exp(all.subspan(kHealthyRates)) - log_sum_exp(all.first(kHealthyRates));
}

TEST(BurstModel, SteadyLossIsAFault) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 50; ++i)
        epochs.push_back(epoch(i, 300, 3));
    EXPECT_GT(log_bayes_factor(epochs), 30);
}

TEST(BurstModel, OneHeavyBurstIsNone) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 50; ++i)
        epochs.push_back(epoch(i, 300, i >= 20 && i < 24 ? 60 : 0));
    EXPECT_LT(log_bayes_factor(epochs), -1);
}

TEST(BurstModel, BurstsOfDifferentStrengthAreNoFaultHoweverMuchIsLost) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 50; ++i)
        epochs.push_back(epoch(i, 300, i % 6 == 0 ? 10.0 * (1 + i % 5) : 0));
    EXPECT_LT(log_bayes_factor(epochs), 0);
}

TEST(BurstModel, FaultThatBeginsHalfWayIsFound) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 60; ++i)
        epochs.push_back(epoch(i, 300, i < 30 ? 0 : 3));
    EXPECT_GT(log_bayes_factor(epochs), 20);
}

TEST(BurstModel, FaultMayNotBeginWhereOnsetIsRuledOut) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 60; ++i) {
        epochs.push_back(epoch(i, 1000, i < 54 ? 0 : 100));
        epochs.back().onset = i < 50;
    }
    EXPECT_LT(log_bayes_factor(epochs), 0);
}

TEST(BurstModel, ShortQueuesMakeEveryLossCountMore) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 20; ++i)
        epochs.push_back(epoch(i, 300, i % 3 == 0 ? 4 : 1));
    const double unknown = log_bayes_factor(epochs);
    for (auto& e : epochs)
        e.burst_factor = 0.02;
    EXPECT_GT(log_bayes_factor(epochs), unknown + 5);
}

TEST(BurstModel, EvidenceOfOneBurstIsBounded) {
    std::vector<EpochEvidence> mild, wild;
    for (int i = 0; i < 20; ++i) {
        mild.push_back(epoch(i, 300, i == 10 ? 30 : 0));
        wild.push_back(epoch(i, 300, i == 10 ? 290 : 0));
    }
    EXPECT_NEAR(log_bayes_factor(mild), log_bayes_factor(wild), 3);
}

TEST(BurstModel, ExpectedRateFollowsTheBurst) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 30; ++i)
        epochs.push_back(epoch(i, 300, i == 12 ? 60 : 0));
    const LinkHistory history = weigh_history(epochs, prior(), {});
    ASSERT_EQ(history.healthy_rate.size(), 30U);
    EXPECT_NEAR(history.healthy_rate[12], 0.2, 0.05);
    EXPECT_LT(history.healthy_rate[11], 1e-3);
    EXPECT_LT(history.healthy_rate[20], 1e-3);
}

TEST(BurstModel, ExpectedRateOfAFaultyLinkIsItsSteadyRateFromTheOnset) {
    std::vector<EpochEvidence> epochs;
    for (int i = 0; i < 60; ++i)
        epochs.push_back(epoch(i, 300, i < 30 ? 0 : 3));
    const LinkHistory history = weigh_history(epochs, prior(), {});
    EXPECT_LT(history.faulty_rate[20], 1e-3);
    EXPECT_NEAR(history.faulty_rate[45], 0.01, 0.004);
}

/// The chain written down plainly: four states, one rate, logarithms taken at each step.
double plain_log_likelihood(const std::vector<EpochEvidence>& epochs, std::size_t rate,
                            const BurstConfig& config) {
    std::array<double, kFaultyRates> mass{};
    double sum = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i)
        sum += mass[i] = prior().rates()[kHealthyRates + i] >= config.rate_min ? 1 : 1e-3;
    for (double& m : mass)
        m /= sum;
    double onsets = 0;
    for (const auto& e : epochs)
        onsets += e.onset ? 1 : 0;

    std::array<double, 4> s{0.5, 0, 0.5, 0};  // healthy calm, healthy burst, faulty calm, faulty burst
    double log_sum = 0;
    for (const auto& e : epochs) {
        const double enter = config.enter * e.burst_factor;
        const double stay = std::max(enter, config.stay * std::min(1.0, e.burst_factor));
        const double onset = e.onset ? 1 / (onsets + 1) : 0;
        PerRate ll = e.log_likelihood;
        const double scale = *std::max_element(ll.begin(), ll.end());
        for (double& l : ll)
            l -= scale;
        double healthy_burst = 0, faulty_burst = 0;
        for (std::size_t i = 0; i < kFaultyRates; ++i) {
            healthy_burst += mass[i] * std::exp(ll[kHealthyRates + i]);
            faulty_burst += mass[i] * std::exp(ll[std::max(kHealthyRates + i, rate)]);
        }
        const double hc = s[0] * (1 - enter) + s[1] * (1 - stay), hb = s[0] * enter + s[1] * stay;
        const double fc = s[2] * (1 - enter) + s[3] * (1 - stay), fb = s[2] * enter + s[3] * stay;
        s = {hc * (1 - onset) * std::exp(ll[kHealthyRates / 2]), hb * (1 - onset) * healthy_burst,
             (fc + hc * onset) * std::exp(ll[rate]), (fb + hb * onset) * faulty_burst};
        const double total = s[0] + s[1] + s[2] + s[3];
        log_sum += std::log(total) + scale;
        for (double& x : s)
            x /= total;
    }
    return log_sum;
}

TEST(BurstModel, SideBySideChainsEqualThePlainOne) {
    Random random(7);
    for (int trial = 0; trial < 50; ++trial) {
        std::vector<EpochEvidence> epochs;
        for (int i = 0; i < 80; ++i) {
            const double sent = random.below(2000);
            const double share =
                random.below(4) == 0 ? random.below(300) / 1000.0 : 0.01 * (random.below(3) == 0);
            epochs.push_back(epoch(i, sent, std::floor(sent * share), 1e-5 + random.below(100) * 1e-4));
            epochs.back().burst_factor = random.below(2) == 0 ? 1 : 0.05 * (1 + random.below(100));
            epochs.back().onset = i < 70;
        }
        const LinkHistory history = weigh_history(epochs, prior(), {});
        for (std::size_t r = kHealthyRates; r < kRates; ++r) {
            const double plain = plain_log_likelihood(epochs, r, {});
            EXPECT_NEAR(history.log_likelihood[r], plain, 1e-6 * std::abs(plain) + 1e-6)
                << "trial " << trial << " rate " << r;
        }
    }
}

}  // namespace
}  // namespace dyetrace::localise
