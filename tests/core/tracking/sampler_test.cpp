// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sampler.h"

#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using tracking::Sampler;
using wire::SamplingSpec;

/// P(X <= k) and P(X >= k) of a binomial distribution, summed term by term.
struct BinomialTails {
    double below = 0;
    double above = 0;
};
BinomialTails binomial_tails(int n, double p, int k) {
    BinomialTails tails;
    for (int i = 0; i <= n; ++i) {
        const double term = std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) +
                                     i * std::log(p) + (n - i) * std::log1p(-p));
        if (i <= k) tails.below += term;
        if (i >= k) tails.above += term;
    }
    return tails;
}

/// A count that a fair sampler would miss less than once in 10^9 runs on either side. Seeds are fixed, so the
/// test passes always or never.
void expect_binomial(int n, double p, int count) {
    const BinomialTails tails = binomial_tails(n, p, count);
    EXPECT_GT(tails.below, 1e-9) << count << " of " << n << " at " << p;
    EXPECT_GT(tails.above, 1e-9) << count << " of " << n << " at " << p;
}

TEST(Sampler, EveryNthTakesExactlyOneOfEachN) {
    for (const std::uint32_t n : {1U, 2U, 3U, 10U, 100U, 1000U}) {
        Sampler sampler(SamplingSpec::every_nth(n), n);
        std::vector<std::uint32_t> taken;
        for (std::uint32_t i = 0; i < 20 * n; ++i) {
            if (sampler.sample({})) taken.push_back(i);
        }
        ASSERT_EQ(taken.size(), 20U) << n;
        EXPECT_LT(taken.front(), n);
        for (std::size_t i = 1; i < taken.size(); ++i)
            EXPECT_EQ(taken[i] - taken[i - 1], n);
    }
}

TEST(Sampler, EveryNthBeginsAtAPhaseDrawnFromTheSeed) {
    std::set<int> phases;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Sampler sampler(SamplingSpec::every_nth(10), seed);
        int phase = 0;
        while (!sampler.sample({}))
            ++phase;
        phases.insert(phase);
    }
    EXPECT_EQ(phases.size(), 10U);
}

TEST(Sampler, ProbabilityZeroTakesNoneAndOneTakesAll) {
    Sampler none(SamplingSpec::probability(0), 1);
    Sampler all(SamplingSpec::probability(1), 1);
    for (int i = 0; i < 100'000; ++i) {
        EXPECT_FALSE(none.sample({}));
        EXPECT_TRUE(all.sample({}));
    }
}

TEST(Sampler, ProbabilityTakesItsShareWithinTheBinomialBound) {
    for (const double p : {0.001, 0.01, 0.25, 0.5, 0.9}) {
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            Sampler sampler(SamplingSpec::probability(p), seed);
            constexpr int kPackets = 20'000;
            int taken = 0;
            for (int i = 0; i < kPackets; ++i)
                taken += sampler.sample({}) ? 1 : 0;
            expect_binomial(kPackets, p, taken);
        }
    }
}

TEST(Sampler, ProbabilityDecidesEachPacketApart) {
    Sampler sampler(SamplingSpec::probability(0.1), 9);
    constexpr int kPairs = 20'000;
    int both = 0;  // of two neighbours, counted on pairs that do not overlap
    for (int i = 0; i < kPairs; ++i) {
        const bool first = sampler.sample({});
        const bool second = sampler.sample({});
        both += first && second ? 1 : 0;
    }
    expect_binomial(kPairs, 0.01, both);
}

TEST(Sampler, CountsWhatItWasOfferedAndWhatItTook) {
    Sampler sampler(SamplingSpec::every_nth(4), 5);
    for (int i = 0; i < 400; ++i)
        (void)sampler.sample({});
    EXPECT_EQ(sampler.offered(), 400U);
    EXPECT_EQ(sampler.tagged(), 100U);
    sampler.set_spec(SamplingSpec::every_nth(1));
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(sampler.sample({}));
    EXPECT_EQ(sampler.offered(), 450U);
    EXPECT_EQ(sampler.tagged(), 150U);
    EXPECT_EQ(sampler.spec(), SamplingSpec::every_nth(1));
}

TEST(Sampler, TheSameSeedTakesTheSamePackets) {
    for (const SamplingSpec spec : {SamplingSpec::every_nth(7), SamplingSpec::probability(0.3)}) {
        Sampler one(spec, 77);
        Sampler other(spec, 77);
        for (int i = 0; i < 1'000; ++i)
            EXPECT_EQ(one.sample({}), other.sample({}));
    }
}

}  // namespace
}  // namespace dyetrace::test
