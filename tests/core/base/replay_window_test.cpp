// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/replay_window.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace {
namespace {

using Verdict = ReplayWindow::Verdict;

TEST(ReplayWindow, TakesEachNumberOnceInAnyOrderWithinItsWidth) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Random random(seed);
        ReplayWindow window;
        std::set<std::uint32_t> taken;
        std::uint32_t newest = 0;
        for (int i = 0; i < 2000; ++i) {
            const std::uint32_t number = newest + 40 - random.below(120);
            if (number == 0 || number > 0x7fffffff) continue;
            const bool too_old = newest >= ReplayWindow::kWidth && number <= newest - ReplayWindow::kWidth;
            const Verdict expected = too_old                  ? Verdict::TooOld
                                     : taken.contains(number) ? Verdict::Repeated
                                                              : Verdict::New;
            ASSERT_EQ(window.look(number), expected) << "seed " << seed << ", number " << number;
            ASSERT_EQ(window.take(number), expected) << "seed " << seed << ", number " << number;
            if (expected != Verdict::New) continue;
            taken.insert(number);
            newest = std::max(newest, number);
            ASSERT_EQ(window.newest(), newest);
        }
    }
}

TEST(ReplayWindow, BeginsAnywhere) {
    ReplayWindow window;
    EXPECT_TRUE(window.is_empty());
    EXPECT_EQ(window.take(0), Verdict::New);
    EXPECT_FALSE(window.is_empty());
    EXPECT_EQ(window.take(0), Verdict::Repeated);
}

TEST(ReplayWindow, EndsAfterSixtyFourNumbers) {
    ReplayWindow window;
    ASSERT_EQ(window.take(1000), Verdict::New);
    EXPECT_EQ(window.look(1000 - 63), Verdict::New);
    EXPECT_EQ(window.look(1000 - 64), Verdict::TooOld);
}

TEST(ReplayWindow, ForgetsAllBehindAGreatLeap) {
    for (const std::uint32_t leap : {63U, 64U, 65U, 1'000'000U}) {
        ReplayWindow window;
        window.take(10);
        window.take(10 + leap);
        EXPECT_EQ(window.look(10), leap < 64 ? Verdict::Repeated : Verdict::TooOld) << leap;
        EXPECT_EQ(window.look(10 + leap), Verdict::Repeated) << leap;
        EXPECT_EQ(window.look(9 + leap), Verdict::New) << leap;
    }
}

TEST(ReplayWindow, NumbersWrap) {
    ReplayWindow window;
    window.take(0xffffffff);
    EXPECT_EQ(window.take(1), Verdict::New);
    EXPECT_EQ(window.take(0), Verdict::New);
    EXPECT_EQ(window.take(0xffffffff), Verdict::Repeated);
    EXPECT_EQ(window.newest(), 1U);
}

template <std::uint32_t kWidth>
void compare_with_a_set(std::uint32_t spread) {
    Random random(kWidth + spread);
    WideReplayWindow<kWidth> window;
    std::set<std::uint32_t> seen;
    std::uint32_t newest = 1000;
    window.take(newest);
    seen.insert(newest);
    for (int i = 0; i < 5'000; ++i) {
        const std::uint32_t number = newest + 1 + random.below(spread) - std::min(newest, spread / 2);
        const bool fresh = !seen.contains(number) && (number > newest || newest - number < kWidth);
        ASSERT_EQ(window.take(number) == WideReplayWindow<kWidth>::Verdict::New, fresh) << i;
        if (!fresh) continue;
        seen.insert(number);
        newest = std::max(newest, number);
        ASSERT_EQ(window.newest(), newest);
        for (std::uint32_t behind = 0; i % 50 == 0 && behind < kWidth; ++behind) {
            const bool has = (window.seen(behind / 64) >> behind % 64 & 1) != 0;
            ASSERT_EQ(has, seen.contains(newest - behind));
        }
    }
}

TEST(WideReplayWindow, SaysWhatASetOfAllNumbersSays) {
    compare_with_a_set<64>(10);
    compare_with_a_set<64>(300);
    compare_with_a_set<128>(200);
    compare_with_a_set<1024>(3000);
}

}  // namespace
}  // namespace dyetrace
