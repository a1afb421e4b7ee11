// SPDX-License-Identifier: GPL-2.0-or-later
// With six losses, every way to give them to units can be written down: sampling has to come to the same.
#include "core/localise/loss_sampler.h"

#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

struct LossyTriangle {
    static constexpr std::size_t kUnits = 3;

    LossyTriangle() {
        evidence.units.resize(kUnits);
        evidence.units[1].prior_log_odds = 1;
        evidence.path_units = {0, 1, 1, 2, 2};
        add_path(0, 2, 3, 0);
        add_path(2, 2, 2, 0);
        add_path(4, 1, 1, 2e-4);  // lost by the unit, or by links that are none
        for (std::size_t unit = 0; unit < kUnits; ++unit) {
            for (std::size_t r = 0; r < kRates; ++r)
                carried[unit][r] = -sent[unit] * prior.rates()[r];
        }
    }
    void add_path(std::uint32_t first, std::uint32_t count, double lost, double others) {
        LossyPath& path = evidence.lossy.emplace_back();
        path.first_unit = first;
        path.unit_count = count;
        path.lost = lost;
        path.others_rate = others;
    }

    RatePrior prior{1e-4, 3e-4, 0.1, 1000};
    Evidence evidence;
    std::vector<double> sent{3000, 12000, 6000};
    std::vector<PerRate> carried{kUnits};
};

/// Sums over all ways to give losses to units.
struct Enumerated {
    std::vector<double> faulty{std::vector<double>(LossyTriangle::kUnits)};
    double none = 0;
    double none_before = 1;
};

Enumerated enumerate(const LossyTriangle& given) {
    Enumerated sums;
    std::vector<double> chance;  // of each unit, before looking
    for (const UnitEvidence& unit : given.evidence.units) {
        chance.push_back(probability(given.prior.log_odds() + unit.prior_log_odds));
        sums.none_before *= 1 - chance.back();
    }
    const auto weight = [&](std::size_t unit, int losses, std::size_t first, std::size_t end) {
        double sum = 0;
        for (std::size_t r = first; r < end; ++r)
            sum += std::exp(given.prior.log_mass()[r] + given.carried[unit][r]) *
                   std::pow(given.prior.rates()[r], losses);
        return sum;
    };
    double all = 0;
    std::vector<int> lost(LossyTriangle::kUnits);
    const auto take_sum = [&](double others) {
        double product = others, none = others;
        std::vector<double> share;
        for (std::size_t unit = 0; unit < lost.size(); ++unit) {
            const double healthy = (1 - chance[unit]) * weight(unit, lost[unit], 0, kHealthyRates);
            const double faulty = chance[unit] * weight(unit, lost[unit], kHealthyRates, kRates);
            share.push_back(faulty / (faulty + healthy));
            product *= faulty + healthy;
            none *= healthy;
        }
        all += product;
        sums.none += none;
        for (std::size_t unit = 0; unit < lost.size(); ++unit)
            sums.faulty[unit] += product * share[unit];
    };
    std::vector<const LossyPath*> losses;
    for (const LossyPath& path : given.evidence.lossy)
        losses.insert(losses.end(), static_cast<std::size_t>(path.lost), &path);
    const std::function<void(std::size_t, double)> give = [&](std::size_t next, double others) {
        if (next == losses.size()) return take_sum(others);
        const LossyPath& path = *losses[next];
        for (std::uint32_t i = 0; i < path.unit_count; ++i) {
            int& count = lost[given.evidence.path_units[path.first_unit + i]];
            ++count;
            give(next + 1, others);
            --count;
        }
        if (path.others_rate > 0) give(next + 1, others * path.others_rate);
    };
    give(0, 1);
    for (double& one : sums.faulty)
        one /= all;
    sums.none /= all;
    return sums;
}

InferenceConfig many_sweeps() {
    InferenceConfig config;
    config.sampler.min_sweeps = config.sampler.max_sweeps = 40'000;
    config.sampler.learn_every = 1'000'000;  // what the prior says stays
    return config;
}

TEST(LossSampler, SaysWhatAllAssignmentsTogetherSay) {
    const LossyTriangle given;
    const Enumerated exact = enumerate(given);
    const InferenceConfig config = many_sweeps();
    LossSampler sampler(given.evidence, config, given.carried, given.prior);
    std::vector<Belief> beliefs(LossyTriangle::kUnits, Belief{0, -3, 1e-3});
    sampler.run(beliefs);
    sampler.update(beliefs);
    for (std::size_t unit = 0; unit < beliefs.size(); ++unit) {
        // Else agreement would say little.
        EXPECT_GT(exact.faulty[unit], 0.05) << unit;
        EXPECT_LT(exact.faulty[unit], 0.95) << unit;
        EXPECT_NEAR(probability(beliefs[unit].log_odds), exact.faulty[unit], 0.01) << unit;
    }
    EXPECT_NEAR(sampler.log_evidence_of_faults(), std::log(exact.none_before / exact.none), 0.05);
}

TEST(LossSampler, DrawsTheSameFromTheSameSeed) {
    const LossyTriangle given;
    InferenceConfig config;
    const auto odds = [&](std::uint64_t seed) {
        config.sampler.seed = seed;
        LossSampler sampler(given.evidence, config, given.carried, given.prior);
        std::vector<Belief> beliefs(LossyTriangle::kUnits, Belief{0, -3, 1e-3});
        sampler.run(beliefs);
        sampler.update(beliefs);
        std::vector<double> all;
        for (const Belief& belief : beliefs)
            all.push_back(belief.log_odds);
        return all;
    };
    EXPECT_EQ(odds(7), odds(7));
    EXPECT_NE(odds(7), odds(8));
}

TEST(LossSampler, LearnsThatFaultsAreAlike) {
    // A dozen units with one rate, on a path each: what the others lost makes a weak one likelier.
    RatePrior prior(1e-4, 3e-4, 0.1, 10);
    const auto odds_of_last = [&](double others_lost) {
        Evidence evidence;
        std::vector<PerRate> carried;
        for (std::uint32_t unit = 0; unit < 12; ++unit) {
            evidence.units.emplace_back();
            evidence.path_units.push_back(unit);
            LossyPath& path = evidence.lossy.emplace_back();
            path.first_unit = unit;
            path.unit_count = 1;
            path.lost = unit < 11 ? others_lost : 4;
            PerRate& logs = carried.emplace_back();
            for (std::size_t r = 0; r < kRates; ++r)
                logs[r] = -10'000 * prior.rates()[r];
        }
        const InferenceConfig config;
        LossSampler sampler(evidence, config, carried, prior);
        std::vector<Belief> beliefs(12, Belief{0, -3, 1e-3});
        sampler.run(beliefs);
        sampler.update(beliefs);
        return beliefs.back().log_odds;
    };
    EXPECT_GT(odds_of_last(8), odds_of_last(1) + 1);
}

TEST(LossSampler, TakesOnlyLossesOfKnownPathsAtNoKnownTime) {
    const InferenceConfig config;
    LossyTriangle given;
    EXPECT_TRUE(LossSampler::takes(given.evidence, config));
    given.evidence.lossy[1].epoch = 4;
    EXPECT_FALSE(LossSampler::takes(given.evidence, config));
    given.evidence.lossy[1].epoch = kNoEpoch;
    given.evidence.lossy[1].set = 0;
    EXPECT_FALSE(LossSampler::takes(given.evidence, config));
    given.evidence.lossy[1].set = kNoSet;
    given.evidence.lossy[1].lost = static_cast<double>(config.sampler.max_losses);
    EXPECT_FALSE(LossSampler::takes(given.evidence, config));
    EXPECT_FALSE(LossSampler::takes(Evidence{}, config));  // there is nothing to give
}

}  // namespace
}  // namespace dyetrace::localise
