// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/peer_clock.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::test {
namespace {

using tracking::PeerClock;

constexpr std::int64_t kMs = 1'000'000;

/// Two clocks and packets between them; our clock is the true one.
struct Pair {
    std::int64_t offset_ns = 0;
    std::int64_t ppb = 0;
    PeerClock clock;

    [[nodiscard]] std::int64_t theta(std::int64_t t) const { return offset_ns + t / kMs * ppb / 1000; }
    void packet_from_us(std::int64_t at, std::int64_t delay, std::int64_t told_after) {
        clock.on_forward(Time{at}, {delay + theta(at + delay)}, Time{at + told_after});
    }
    std::int64_t packet_from_them(std::int64_t at, std::int64_t delay) {
        const std::int64_t raw = delay - theta(at);
        clock.note_reverse({raw}, Time{at});
        return raw;
    }
};

TEST(PeerClock, KnowsNothingBeforeBothDirectionsHaveSpoken) {
    Pair pair;
    EXPECT_FALSE(pair.clock.estimate(Time{}));
    pair.packet_from_them(0, 10'000);
    EXPECT_FALSE(pair.clock.estimate(Time{}));
    EXPECT_FALSE(pair.clock.corrected_reverse({10'000}, Time{}));
    pair.packet_from_us(0, 10'000, 20'000);
    EXPECT_TRUE(pair.clock.estimate(Time{20'000}));
}

TEST(PeerClock, TheLineHoldsTheTruthUntilAWindowAfterItWasDrawn) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        Pair pair;
        pair.offset_ns = static_cast<std::int64_t>(random.next() % 2'000'000'000) - 1'000'000'000;
        pair.ppb = static_cast<std::int64_t>(random.below(200'001)) - 100'000;
        std::int64_t t = 0;
        const auto delay = [&] {
            return static_cast<std::int64_t>(20'000 + random.below(4) * random.below(300'000));
        };
        for (int i = 0; i < 200; ++i) {
            t += static_cast<std::int64_t>(random.below(10)) * kMs;
            const std::int64_t true_delay = delay();
            const std::int64_t raw = pair.packet_from_them(t, true_delay);
            if (const auto corrected = pair.clock.corrected_reverse({raw}, Time{t})) {
                ASSERT_LE(std::abs(corrected->delay.ns - true_delay), corrected->bound.ns) << "seed " << seed;
            }
            if (i % 10 == 0) pair.packet_from_us(t, delay(), 900'000);
        }
        for (std::int64_t later = 0; later <= 8'000; later += 500) {
            const Time at = pair.clock.drawn_at() + Duration::milliseconds(later);
            const auto estimate = pair.clock.estimate(at);
            ASSERT_TRUE(estimate);
            ASSERT_LE(std::abs(estimate->offset.ns - pair.theta(at.ns)), estimate->bound.ns)
                << "seed " << seed << ", " << later << " ms later";
        }
        EXPECT_FALSE(pair.clock.estimate(pair.clock.drawn_at() + Duration::milliseconds(8'001)));
    }
}

TEST(PeerClock, OfManyPacketsTheOneThatBindsMostIsEvidence) {
    Pair pair;
    pair.packet_from_them(0, 900'000);
    for (int i = 1; i < 25; ++i)
        pair.packet_from_them(i * kMs, i == 13 ? 5'000 : 500'000);
    pair.packet_from_us(25 * kMs, 5'000, 10'000);
    const auto estimate = pair.clock.estimate(Time{25 * kMs});
    ASSERT_TRUE(estimate);
    // Half of the round trip, and 250 ppm of 12 ms on each side.
    EXPECT_LE(estimate->bound.ns, 5'000 + 3'100);
}

TEST(PeerClock, AStepIsNoticedAlsoByPacketsAlone) {
    Pair pair;
    for (int i = 0; i < 10; ++i) {
        pair.packet_from_them(i * 30 * kMs, 10'000);
        pair.packet_from_us(i * 30 * kMs, 10'000, 20'000);
    }
    pair.offset_ns = 10 * kMs;  // their clock forward: packets from them seem to arrive sooner
    std::int64_t t = 300 * kMs;
    for (; pair.clock.steps() == 0 && t < 400 * kMs; t += kMs)
        pair.packet_from_them(t, 10'000);
    EXPECT_EQ(pair.clock.steps(), 1U);
    EXPECT_LE(t, 330 * kMs);
    EXPECT_FALSE(pair.clock.estimate(Time{t}));
}

TEST(PeerClock, NothingThatAPeerSaysOverflows) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    PeerClock clock;
    for (const std::int64_t time : {kLeast, std::int64_t{0}, kMost}) {
        for (const std::int64_t raw : {kLeast, std::int64_t{-1}, kMost}) {
            clock.on_forward(Time{time}, {raw}, Time{0});
            clock.on_reverse({raw}, Time{0});
            clock.note_reverse({raw}, Time{0});
            (void)clock.estimate(Time{time});
            (void)clock.corrected_reverse({raw}, Time{time});
        }
    }
    SUCCEED();
}

}  // namespace
}  // namespace dyetrace::test
