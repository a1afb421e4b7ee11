// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/false_discovery.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::health {
namespace {

TEST(FalseDiscovery, OneSessionAloneMayRiskNoMoreThanItsMost) {
    FalseDiscovery discovery(0.05, 1e-6);
    discovery.enter(0);
    EXPECT_DOUBLE_EQ(discovery.level(), 1e-6);
}

TEST(FalseDiscovery, EachOfManySessionsMayRiskLess) {
    FalseDiscovery discovery(0.05, 1e-2);
    for (int i = 0; i < 10'000; ++i)
        discovery.enter(0);
    EXPECT_DOUBLE_EQ(discovery.level(), 0.05 / 10'000);
}

TEST(FalseDiscovery, ManyWithEvidenceNeedLessEach) {
    FalseDiscovery discovery(0.05, 1e-2);
    for (int i = 0; i < 10'000; ++i)
        discovery.enter(0);
    // Fifty sessions cross one bad link: each needs 10^4 / (0.05 * 50) = 4000, and has 5000.
    for (int i = 0; i < 50; ++i)
        discovery.move(0, FalseDiscovery::bin_of(5000));
    EXPECT_DOUBLE_EQ(discovery.level(), 0.05 * 50 / 10'000);
}

TEST(FalseDiscovery, SessionsThatLeaveOrCalmDownAreForgotten) {
    FalseDiscovery discovery(0.05, 1e-2);
    discovery.enter(0);
    const double alone = discovery.level();
    for (int i = 0; i < 99; ++i)
        discovery.enter(FalseDiscovery::bin_of(1e9));
    EXPECT_EQ(discovery.tests(), 100U);
    for (int i = 0; i < 99; ++i) {
        discovery.move(FalseDiscovery::bin_of(1e9), 3);
        discovery.leave(3);
    }
    EXPECT_EQ(discovery.tests(), 1U);
    EXPECT_DOUBLE_EQ(discovery.level(), alone);
}

TEST(FalseDiscovery, BinsHoldTheirLowerEdgeAndUpToAFactorOfRootTwo) {
    for (const double e : {1.0, 1.4, 1.5, 2.0, 3.7, 1e6, 1e18}) {
        const double edge = std::exp2(FalseDiscovery::bin_of(e) / 2.0);
        EXPECT_LE(edge, e * (1 + 1e-12));
        EXPECT_GT(edge * std::sqrt(2.0), e);
    }
    EXPECT_EQ(FalseDiscovery::bin_of(0), 0);
    EXPECT_EQ(FalseDiscovery::bin_of(1e300), FalseDiscovery::kBins - 1);
}

TEST(FalseDiscovery, NeverFindsMoreThanTheSortedProcedureWithinABin) {
    Random random(5);
    constexpr double kShare = 0.1;
    for (int round = 0; round < 200; ++round) {
        FalseDiscovery discovery(kShare, 1);
        std::vector<double> values;
        for (int i = 0; i < 100; ++i) {
            values.push_back(std::exp2(random.below(160) / 8.0));
            discovery.enter(FalseDiscovery::bin_of(values.back()));
        }
        std::sort(values.rbegin(), values.rend());
        double found = 1;
        for (std::size_t k = 1; k <= values.size(); ++k) {
            if (values[k - 1] >= 100 / (kShare * static_cast<double>(k))) found = static_cast<double>(k);
        }
        EXPECT_LE(discovery.level(), kShare * found / 100 + 1e-15);
        EXPECT_GE(discovery.level(), kShare * found / 100 * 0.4);
    }
}

TEST(FalseDiscovery, SomeEvidenceOfManyIsADiscoveryWhereThatOfOneIsNot) {
    FalseDiscovery discovery(0.05, 1e-6);
    for (int i = 0; i < 1000; ++i)
        discovery.enter(FalseDiscovery::bin_of(i < 1 ? 1000 : 1));
    EXPECT_EQ(discovery.discoveries(), 0U);
    for (int i = 0; i < 29; ++i)
        discovery.move(FalseDiscovery::bin_of(1), FalseDiscovery::bin_of(1000));
    EXPECT_EQ(discovery.discoveries(), 30U);
    EXPECT_LE(discovery.level(), 1e-6);
}

}  // namespace
}  // namespace dyetrace::health
