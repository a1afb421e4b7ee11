// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/loss_history.h"

#include <gtest/gtest.h>

namespace dyetrace::viewer {
namespace {

constexpr std::int64_t ms = 1'000'000;

LossHistory filled() {
    LossHistory history(2, 100 * ms, 1'000'000);
    history.add(0, 10 * ms, {100, 1});
    history.add(0, 10 * ms + 1, {50, 2});
    history.add(0, 50 * ms, {10, 0});
    history.add(1, 50 * ms, {1000, 10});
    history.add(0, 100 * ms, {7, 7});
    history.seal();
    return history;
}

TEST(LossHistory, SumsExactlyWhatIsInTheStretch) {
    const auto history = filled();
    EXPECT_EQ(history.over(0, {10 * ms, 11 * ms}), (Loss{150, 3}));
    EXPECT_EQ(history.over(0, {11 * ms, 50 * ms}), (Loss{0, 0}));
    EXPECT_EQ(history.over(0, {0, 51 * ms}), (Loss{160, 3}));
    EXPECT_EQ(history.over(1, {0, 51 * ms}), (Loss{1000, 10}));
}

TEST(LossHistory, LooksBackOverWholeBinsThatAreOver) {
    const auto history = filled();
    EXPECT_EQ(history.bins_before(20 * ms + 500, 10 * ms), (TimeRange{10 * ms, 20 * ms}));
    EXPECT_EQ(history.bins_before(5 * ms, 20 * ms), (TimeRange{0, 5 * ms}));
}

TEST(LossHistory, TheFutureDoesNotCount) {
    const auto history = filled();
    EXPECT_EQ(history.over(0, history.bins_before(10 * ms, 100 * ms)), Loss{});
}

TEST(LossHistory, AtTheEndTheLastBinCounts) {
    const auto history = filled();
    EXPECT_EQ(history.over(0, history.bins_before(100 * ms, 1000 * ms)), (Loss{167, 10}));
}

TEST(LossHistory, BinsGrowWhereRowsAreMany) {
    const LossHistory history(1000, 10'000 * ms, 100'000);
    EXPECT_GE(history.bin_ns(), 100 * ms);
    EXPECT_LE(history.bin_count(), 101U);
}

TEST(LossClass, OneLostOfAFewIsNoDisaster) {
    EXPECT_EQ(loss_class({0, 0}), LossClass::NotMeasured);
    EXPECT_EQ(loss_class({5, 1}), LossClass::TooFew);
    EXPECT_EQ(loss_class({packets_min, 0}), LossClass::None);
}

TEST(LossClass, RoundRatesAreInTheMiddleOfTheirClass) {
    EXPECT_EQ(loss_class({1'000'000, 1'000}), LossClass::Low);
    EXPECT_EQ(loss_class({1'000'000, 3'000}), LossClass::Medium);
    EXPECT_EQ(loss_class({1'000'000, 8'000}), LossClass::High);
    EXPECT_EQ(loss_class({1'000'000, 10'000}), LossClass::High);
    EXPECT_EQ(loss_class({1'000'000, 12'000}), LossClass::High);
    EXPECT_EQ(loss_class({1'000'000, 30'000}), LossClass::Severe);
    EXPECT_EQ(loss_class({1'000'000, 1'000'000}), LossClass::Extreme);
}

TEST(LossClass, MoreReceivedThanSentIsNoLoss) {
    EXPECT_EQ(loss_class({100, -5}), LossClass::None);
    EXPECT_EQ((Loss{100, -5}).rate(), 0);
}

}  // namespace
}  // namespace dyetrace::viewer
