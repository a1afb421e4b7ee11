// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/congestion_memory.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr IpAddress kOne = Ipv4Address{0x0a000001};
constexpr IpAddress kOther = Ipv4Address{0x0a000002};
constexpr double kUnknown = 0.02;

TEST(CongestionMemory, KnowsNothingAtFirst) {
    CongestionMemory memory(10);
    EXPECT_NEAR(memory.congested_share(memory.group_of(kOne), 0, kUnknown), kUnknown, 1e-12);
}

TEST(CongestionMemory, LossInLongQueuesMakesCongestionLikely) {
    CongestionMemory memory(10);
    const auto one = memory.group_of(kOne);
    const auto other = memory.group_of(kOther);
    for (int i = 0; i < 20; ++i)
        memory.add(one, 3, 100, 5, true, true);
    EXPECT_GT(memory.congested_share(one, 3, kUnknown), 0.9);
    EXPECT_LT(memory.congested_share(other, 3, kUnknown), memory.congested_share(one, 3, kUnknown));
    // And is forgotten after ten seconds.
    EXPECT_NEAR(memory.congested_share(one, 3 + 30, kUnknown), kUnknown, 1e-12);
}

TEST(CongestionMemory, AFabricWithoutQueuesMakesItUnlikely) {
    CongestionMemory memory(10);
    const auto one = memory.group_of(kOne);
    for (int i = 0; i < 1000; ++i)
        memory.add(one, 3, 100, 0, true, false);
    EXPECT_LT(memory.congested_share(one, 3, kUnknown), 1e-3);
}

TEST(CongestionMemory, AQueueThatLosesNothingDoesNotExplainLoss) {
    CongestionMemory memory(10);
    const auto one = memory.group_of(kOne);
    for (int i = 0; i < 1000; ++i)
        memory.add(one, 3, 100, 0, true, i % 10 == 0);
    EXPECT_LT(memory.congested_share(one, 3, kUnknown), 1e-3);
    for (int i = 0; i < 1000; ++i)
        memory.add(one, 3, 100, i % 10 == 0 ? 5 : 0, true, i % 10 == 0);
    EXPECT_GT(memory.congested_share(one, 3, kUnknown), 0.9);
}

TEST(CongestionMemory, LossOfOthersLeavesOutOnesOwn) {
    CongestionMemory memory(10);
    const auto one = memory.group_of(kOne);
    RecentLoss own;
    add_recent(own, 5, 1000, 500);
    memory.add(one, 5, 1000, 500, false, false);
    EXPECT_EQ(memory.loss_of_others(one, own, 5), 0);
    memory.add(one, 5, 1000, 10, false, false);
    EXPECT_NEAR(memory.loss_of_others(one, own, 5), 0.01, 1e-6);
    EXPECT_EQ(memory.loss_of_others(one, own, 8), 0);
}

TEST(CongestionMemory, AcceptorsBeyondItsBoundAreCountedAndShareWithNobody) {
    CongestionMemory memory(1);
    EXPECT_EQ(memory.group_of(kOne), 1U);
    EXPECT_EQ(memory.group_of(kOther), 0U);
    EXPECT_EQ(memory.group_of(kOne), 1U);
    EXPECT_EQ(memory.over_limit(), 1U);
}

TEST(CongestionMemory, SlicesMayWrap) {
    RecentLoss recent;
    recent.slice = 0xffffffff;
    add_recent(recent, 0xffffffff, 10, 1);
    add_recent(recent, 0, 20, 2);
    EXPECT_EQ(recent.sent[0], 10);
    EXPECT_EQ(recent.sent[1], 20);
}

}  // namespace
}  // namespace dyetrace::health
