// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/state_shares.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr Duration kSecond = Duration::seconds(1);

Time at(double seconds) {
    return Time{static_cast<std::int64_t>(seconds * 1e9)};
}

TEST(StateShares, AreWeightedByTime) {
    StateShares shares(kSecond, 10);
    shares.set({0, 2, 0, 0}, at(0));
    shares.set({0, 1, 1, 0}, at(0.5));
    const auto seen = shares.until(at(1.0));
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_NEAR(seen[0].share[1], 0.75, 1e-12);
    EXPECT_NEAR(seen[0].share[2], 0.25, 1e-12);
    EXPECT_EQ(seen[0].length, kSecond);
}

TEST(StateShares, LastUntilTheyAreSetAnew) {
    StateShares shares(kSecond, 10);
    shares.set({1, 0, 0, 0}, at(0));
    shares.set({0, 0, 0, 1}, at(2.5));
    const auto seen = shares.until(at(3.5));
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[1].share[0], 1);
    EXPECT_NEAR(seen[2].share[3], 0.5, 1e-12);
    EXPECT_EQ(seen[3].share[3], 1);
    EXPECT_EQ(seen[3].length, Duration::milliseconds(500));
}

TEST(StateShares, KeepTheNewestIntervalsOnly) {
    StateShares shares(kSecond, 3);
    shares.set({1, 0, 0, 0}, at(0));
    const auto seen = shares.until(at(100.5));
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen.front().start, at(98));
    EXPECT_EQ(seen.back().start, at(100));
    for (const StateShare& share : seen)
        EXPECT_EQ(share.share[0], 1);
}

TEST(StateShares, CountingNothingHasNoShares) {
    StateShares shares(kSecond, 3);
    EXPECT_TRUE(shares.until(at(5)).empty());
    shares.set({}, at(5));
    const auto seen = shares.until(at(6));
    ASSERT_EQ(seen.size(), 1U);
    for (const double share : seen[0].share)
        EXPECT_EQ(share, 0);
}

TEST(StateShares, SilenceAcrossManyIntervalsEndsWhereStepsWould) {
    StateShares quick(kSecond, 5);
    StateShares slow(kSecond, 5);
    const StateShares::Counts counts{1, 3, 0, 0};
    quick.set(counts, at(0.25));
    for (double t = 0.25; t < 1000; t += 0.5)
        slow.set(counts, at(t));
    const auto a = quick.until(at(1000));
    const auto b = slow.until(at(1000));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].start, b[i].start);
        EXPECT_EQ(a[i].length, b[i].length);
        EXPECT_NEAR(a[i].share[1], 0.75, 1e-9);
        EXPECT_NEAR(b[i].share[1], 0.75, 1e-9);
    }
}

}  // namespace
}  // namespace dyetrace::health
