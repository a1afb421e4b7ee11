// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/clock_model.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::test {
namespace {

using tracking::ClockModel;
using tracking::ClockModelConfig;

constexpr Duration us(std::int64_t n) {
    return Duration::microseconds(n);
}
constexpr Duration ms(std::int64_t n) {
    return Duration::milliseconds(n);
}

/// Packets to and fro between two clocks of equal rate, `theta` apart.
class Exchange {
  public:
    explicit Exchange(const ClockModelConfig& config = {}, Time start = {}) : model(config), now(start) {}

    void forward(Duration delay) { model.on_forward(now, theta + delay, now); }
    void reverse(Duration delay) { model.on_reverse(now, delay - theta, now); }
    /// Both directions every 10 ms, `forward_delay` and `reverse_delay` on their way.
    void run(Duration length, Duration forward_delay = us(30), Duration reverse_delay = us(50)) {
        for (const Time end = now + length; now < end; now = now + ms(10)) {
            forward(forward_delay);
            reverse(reverse_delay);
        }
    }
    [[nodiscard]] bool knows_theta() const {
        const auto estimate = model.estimate(now);
        return estimate && theta >= estimate->offset - estimate->bound &&
               theta <= estimate->offset + estimate->bound;
    }

    ClockModel model;
    Time now;
    Duration theta = ms(1);
};

TEST(ClockModel, NothingIsKnownUntilBothDirectionsHaveEvidence) {
    for (const bool forward_first : {true, false}) {
        Exchange exchange;
        EXPECT_FALSE(exchange.model.estimate(exchange.now));
        forward_first ? exchange.forward(us(30)) : exchange.reverse(us(30));
        EXPECT_FALSE(exchange.model.estimate(exchange.now));
        EXPECT_FALSE(exchange.model.corrected_forward(us(5), exchange.now));
        forward_first ? exchange.reverse(us(30)) : exchange.forward(us(30));
        EXPECT_TRUE(exchange.model.estimate(exchange.now));
    }
}

TEST(ClockModel, OffsetIsTheMiddleAndTheBoundIsHalfTheRoundTrip) {
    Exchange exchange;
    exchange.forward(us(30));
    exchange.reverse(us(50));
    const auto estimate = exchange.model.estimate(exchange.now);
    ASSERT_TRUE(estimate);
    EXPECT_EQ(estimate->offset, ms(1) - us(10));
    EXPECT_EQ(estimate->bound, us(40) + Duration{2});  // and the clocks' reading
    EXPECT_EQ(estimate->drift_ppb, 0);
    EXPECT_EQ(estimate->drift_bound_ppb, 250'001);  // rounded outward
}

TEST(ClockModel, AnotherTimeIsKnownLessWellByTheDrift) {
    Exchange exchange;
    exchange.forward(us(30));
    exchange.reverse(us(50));
    EXPECT_EQ(exchange.model.estimate(exchange.now + ms(100))->bound, us(40 + 25) + Duration{3});
    EXPECT_EQ(exchange.model.estimate(exchange.now + ms(-100))->bound, us(40 + 25) + Duration{3});
}

TEST(ClockModel, DelayedPacketsDoNotSpoilWhatIsKnown) {
    Exchange exchange;
    exchange.run(ms(500));
    const auto before = exchange.model.estimate(exchange.now);
    exchange.forward(ms(7));
    exchange.reverse(Duration::seconds(3));
    EXPECT_EQ(exchange.model.estimate(exchange.now), before);
    EXPECT_EQ(exchange.model.steps(), 0U);
}

TEST(ClockModel, TheLeastDelaysOfEachDirectionNeedNotComeTogether) {
    Exchange exchange;
    exchange.run(ms(1000), us(10), us(900));
    exchange.run(ms(1000), us(900), us(10));
    const auto estimate = exchange.model.estimate(exchange.now);
    ASSERT_TRUE(estimate);
    EXPECT_TRUE(exchange.knows_theta());
    EXPECT_LT(estimate->bound, us(300));  // half of any round trip is 455 us
}

TEST(ClockModel, DriftIsKnownFromAWindowAndReachesBeyondIt) {
    ClockModel model;
    constexpr std::int64_t kPpm = 80;
    const auto theta = [](Time t) { return Duration{t.ns / 1'000'000 * kPpm}; };
    Time now;
    for (; now < Time{} + Duration::seconds(10); now = now + ms(10)) {
        model.on_forward(now, theta(now) + us(20), now);
        model.on_reverse(now, us(20) - theta(now), now);
    }
    const auto estimate = model.estimate(now);
    ASSERT_TRUE(estimate);
    EXPECT_LE(estimate->drift_bound_ppb, 5'500);  // 40 us over 7.75 s is 5.2 ppm
    EXPECT_LE(std::abs(estimate->drift_ppb - kPpm * 1000), estimate->drift_bound_ppb);
    for (const Duration ahead : {Duration{}, Duration::seconds(2), Duration::seconds(7), ms(-4000)}) {
        const auto then = model.estimate(now + ahead);
        ASSERT_TRUE(then);
        EXPECT_LE(std::abs((then->offset - theta(now + ahead)).ns), then->bound.ns) << ahead.ns;
    }
    EXPECT_LE(model.estimate(now + ms(-4000))->bound, us(20) + Duration{4});
}

TEST(ClockModel, AKnownMinimumNarrowsTheBound) {
    ClockModelConfig config;
    config.forward_minimum = us(25);
    config.reverse_minimum = us(45);
    Exchange exchange(config);
    exchange.run(ms(100));
    EXPECT_EQ(exchange.model.estimate(exchange.now + ms(-10))->bound, us(5) + Duration{2});
    EXPECT_TRUE(exchange.knows_theta());
}

TEST(ClockModel, CorrectedDelaysAddUpAndMayBeNegative) {
    Exchange exchange;
    exchange.forward(us(30));
    exchange.reverse(us(50));
    const auto forward = exchange.model.corrected_forward(exchange.theta + us(30), exchange.now);
    const auto reverse = exchange.model.corrected_reverse(us(50) - exchange.theta, exchange.now);
    ASSERT_TRUE(forward && reverse);
    EXPECT_EQ(forward->delay, us(40));
    EXPECT_EQ(reverse->delay, us(40));
    EXPECT_EQ(forward->bound, us(40) + Duration{4});  // the estimate's, and this raw delay's own reading
    EXPECT_EQ(exchange.model.corrected_forward(ms(1) - us(25), exchange.now)->delay, us(-15));
    EXPECT_EQ(exchange.model.corrected_reverse(us(-15) - ms(1), exchange.now)->delay, us(-25));
}

TEST(ClockModel, AStepBeyondTheWidthIsNoticedByTheFirstPacketThatContradictsIt) {
    for (const Duration step : {us(85), us(-85), ms(700), ms(-700), Duration::seconds(100'000)}) {
        Exchange exchange;
        exchange.run(Duration::seconds(9));
        exchange.theta = exchange.theta + step;
        // A step ahead shows in what we receive, a step back in what they do.
        step.ns > 0 ? exchange.forward(us(30)) : exchange.reverse(us(50));
        EXPECT_EQ(exchange.model.steps(), 0U);
        step.ns > 0 ? exchange.reverse(us(50)) : exchange.forward(us(30));
        ASSERT_EQ(exchange.model.steps(), 1U) << step.ns;
        EXPECT_EQ(exchange.model.last_step()->at, exchange.now);
        EXPECT_LE(std::abs((exchange.model.last_step()->size - step).ns), us(3).ns);
        EXPECT_FALSE(exchange.model.estimate(exchange.now));
        exchange.now = exchange.now + ms(50);
        exchange.run(ms(20));
        EXPECT_TRUE(exchange.knows_theta());
        EXPECT_EQ(exchange.model.steps(), 1U);
    }
}

TEST(ClockModel, AStepInsideTheWidthIsNotNoticedAndForgottenAfterTheSettlingTime) {
    Exchange exchange;
    exchange.run(Duration::seconds(9));
    exchange.theta = exchange.theta + us(60);  // the gap is 80 us
    exchange.run(ms(100));
    EXPECT_EQ(exchange.model.steps(), 0U);
    EXPECT_FALSE(exchange.knows_theta());
    exchange.run(exchange.model.settling_time());
    EXPECT_TRUE(exchange.knows_theta());
    EXPECT_EQ(exchange.model.steps(), 0U);
}

TEST(ClockModel, OneSampleBelowTheTruthCostsARestartAndLeavesNoTrace) {
    Exchange exchange;
    exchange.run(Duration::seconds(9));
    exchange.forward(ms(-3));  // no network makes this, a faulty clock may
    EXPECT_EQ(exchange.model.steps(), 1U);
    exchange.run(ms(100));
    EXPECT_TRUE(exchange.knows_theta());
    EXPECT_EQ(exchange.model.steps(), 1U);
}

TEST(ClockModel, WhatWasOnItsWayWhenAStepWasNoticedIsRefused) {
    Exchange exchange;
    exchange.run(Duration::seconds(9));
    const Time before = exchange.now;
    const Duration old_theta = exchange.theta;
    exchange.now = exchange.now + ms(5);
    exchange.theta = exchange.theta + ms(20);
    exchange.reverse(us(50));
    ASSERT_EQ(exchange.model.steps(), 1U);
    // A report of what was sent before, and a packet that the others overtook.
    exchange.now = exchange.now + ms(30);
    exchange.model.on_forward(before, old_theta + us(30), exchange.now);
    exchange.model.on_reverse(exchange.now, ms(30) - old_theta, exchange.now);
    EXPECT_EQ(exchange.model.refused().before_step, 2U);
    exchange.run(ms(100));
    EXPECT_TRUE(exchange.knows_theta());
    EXPECT_FALSE(exchange.model.estimate(before));
    EXPECT_EQ(exchange.model.steps(), 1U);
}

TEST(ClockModel, OurOwnClockSetBackIsNoticedAtOnceOrByContradiction) {
    for (const Duration back :
         {ms(1), ms(100), ms(400), Duration::seconds(3), Duration::seconds(1'000'000)}) {
        Exchange exchange;
        exchange.run(Duration::seconds(9));
        exchange.now = exchange.now + Duration{-back.ns};
        exchange.theta = exchange.theta + back;
        exchange.reverse(us(50));
        ASSERT_EQ(exchange.model.steps(), 1U) << back.ns;
        EXPECT_LE(std::abs((exchange.model.last_step()->size - back).ns), ms(10).ns);
        // What was sent before shows a later time than now, and is told a little later.
        exchange.now = exchange.now + ms(60);
        const Duration old_theta = exchange.theta + Duration{-back.ns};
        if (back > ms(60))
            exchange.model.on_forward(exchange.now + Duration{-1}, old_theta + us(30), exchange.now);
        exchange.run(ms(550));
        EXPECT_TRUE(exchange.knows_theta()) << back.ns;
        EXPECT_EQ(exchange.model.steps(), 1U);
    }
}

TEST(ClockModel, OurOwnClockSetAheadIsNoticedInsideTheWindow) {
    Exchange exchange;
    exchange.run(Duration::seconds(9));
    exchange.now = exchange.now + Duration::seconds(2);
    exchange.theta = exchange.theta + Duration::seconds(-2);
    exchange.run(ms(100));
    EXPECT_EQ(exchange.model.steps(), 1U);
    EXPECT_TRUE(exchange.knows_theta());
}

TEST(ClockModel, ADirectionThatIsSilentForAWindowIsForgotten) {
    Exchange exchange;
    exchange.run(Duration::seconds(1));
    for (int i = 0; i < 800; ++i) {
        exchange.now = exchange.now + ms(10);
        exchange.reverse(us(50));
        if (i < 650) {
            ASSERT_TRUE(exchange.knows_theta());
        }
    }
    EXPECT_FALSE(exchange.model.estimate(exchange.now));
    exchange.forward(us(30));
    EXPECT_TRUE(exchange.knows_theta());
}

TEST(ClockModel, NothingIsSaidOfATimeMoreThanAWindowAway) {
    Exchange exchange;
    exchange.run(Duration::seconds(9));
    for (const std::int64_t sign : {1, -1}) {
        EXPECT_TRUE(exchange.model.estimate(exchange.now + ms(7'700 * sign)));
        EXPECT_FALSE(exchange.model.estimate(exchange.now + ms(8'300 * sign)));
    }
}

TEST(ClockModel, WhatCannotBeIsRefusedUnderItsName) {
    Exchange exchange({}, Time{} + Duration::seconds(100));
    exchange.run(ms(100));
    ClockModel& model = exchange.model;
    const Time now = exchange.now;
    const auto before = model.estimate(now);
    model.on_forward(now + Duration{1}, us(30), now);
    EXPECT_EQ(model.refused().from_the_future, 1U);
    model.on_forward(now + Duration::seconds(-9), us(30), now);
    EXPECT_EQ(model.refused().too_old, 1U);
    constexpr std::int64_t kBeyond = std::int64_t{1} << 62;
    model.on_reverse(now, Duration{-kBeyond}, now);
    model.on_forward(Time{kBeyond}, us(30), now);
    model.on_forward(now, us(30), Time{-kBeyond});
    EXPECT_EQ(model.refused().out_of_range, 3U);
    EXPECT_FALSE(model.estimate(Time{kBeyond}));
    EXPECT_EQ(model.estimate(now), before);
}

TEST(ClockModel, ItsMemoryIsSetAtConstruction) {
    Exchange exchange;
    const std::size_t before = exchange.model.memory();
    exchange.run(Duration::seconds(20));
    EXPECT_EQ(exchange.model.memory(), before);
    EXPECT_LE(before, 1300U);
}

TEST(ClockModel, AConfigurationOutOfRangeIsNamed) {
    const auto fault = [](auto change) {
        ClockModelConfig config;
        change(config);
        return config.fault();
    };
    EXPECT_EQ(ClockModelConfig{}.fault(), "");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.slot = {}; }), "slot");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.slots = 1; }), "slots");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.slots = 1025; }), "slots");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.drift_ppb_max = 0; }), "drift_ppb_max");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.stamp_error.ns = -1; }), "stamp_error");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.flight_max = Duration::seconds(61); }), "flight_max");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.forward_minimum.ns = -1; }), "forward_minimum");
    EXPECT_EQ(fault([](ClockModelConfig& c) { c.reverse_minimum = Duration::seconds(2); }),
              "reverse_minimum");
}

// The interval against all lines there are.
// ---------------------------------------------------------------------

struct Constraint {
    long double at;
    long double most;
};

/// The greatest value at t of the lines through any two ceilings, or one with an extreme slope, that lie
/// below all ceilings and above all floors: the corners of what is feasible.
std::optional<long double> greatest(const std::vector<Constraint>& ceilings,
                                    const std::vector<Constraint>& floors, long double limit, long double t) {
    std::optional<long double> best;
    const auto offer = [&](long double slope, const Constraint& through) {
        if (std::abs(slope) > limit * (1 + 1e-12L)) return;
        const auto line = [&](long double x) { return through.most + slope * (x - through.at); };
        for (const Constraint& c : ceilings) {
            if (line(c.at) > c.most + 1e-3L) return;
        }
        for (const Constraint& f : floors) {
            if (line(f.at) < -f.most - 1e-3L) return;
        }
        if (!best || line(t) > *best) best = line(t);
    };
    for (const Constraint& a : ceilings) {
        offer(limit, a);
        offer(-limit, a);
        for (const Constraint& b : ceilings) {
            if (a.at != b.at) offer((a.most - b.most) / (a.at - b.at), a);
        }
        for (const Constraint& f : floors) {
            if (a.at != f.at) offer((a.most + f.most) / (a.at - f.at), a);
        }
    }
    return best;
}

TEST(ClockModel, ItsIntervalIsThatOfAllFeasibleLines) {
    ClockModelConfig config;
    config.slots = 12;
    const long double limit = static_cast<long double>(config.drift_ppb_max) * 1e-9L;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Random random(seed);
        const Time start{(static_cast<std::int64_t>(random.next()) >> 2) / config.slot.ns * config.slot.ns};
        const std::int64_t theta_0 = static_cast<std::int64_t>(random.next()) >> 20;
        const auto ppm = static_cast<std::int64_t>(random.below(401)) - 200;
        ClockModel model(config);
        std::array<std::vector<Constraint>, 2> points;
        Time now = start;
        for (int slot = 0; slot < 10; ++slot) {  // one a slot and direction: all are kept
            for (const bool forward : {true, false}) {
                if (random.below(5) == 0) continue;
                now = start + ms(250) * slot + us(random.below(100'000)) + (forward ? Duration{} : ms(120));
                const Duration since = now - start;
                const std::int64_t theta = theta_0 + since.ns / 1'000'000 * ppm;
                const Duration delay = us(1 + random.below(1u << random.below(11)));
                const Duration raw{delay.ns + (forward ? theta : -theta)};
                forward ? model.on_forward(now, raw, now) : model.on_reverse(now, raw, now);
                points[forward ? 0 : 1].push_back({static_cast<long double>(since.ns),
                                                   static_cast<long double>((raw + config.stamp_error).ns)});
            }
        }
        ASSERT_EQ(model.steps(), 0U) << "seed " << seed;
        if (points[0].empty() || points[1].empty()) continue;
        for (int i = -2; i < 12; ++i) {
            const Duration t = ms(250) * i + us(random.below(250'000));
            const auto estimate = model.estimate(start + t);
            if (!estimate) continue;
            const auto at = static_cast<long double>(t.ns);
            const auto hi = greatest(points[0], points[1], limit, at);
            const auto minus_lo = greatest(points[1], points[0], limit, at);
            ASSERT_TRUE(hi && minus_lo) << "seed " << seed;
            EXPECT_NEAR(
                static_cast<double>(static_cast<long double>(estimate->offset.ns) - (*hi - *minus_lo) / 2), 0,
                3)
                << "seed " << seed << " t " << t.ns;
            EXPECT_NEAR(
                static_cast<double>(static_cast<long double>(estimate->bound.ns) - (*hi + *minus_lo) / 2), 0,
                3)
                << "seed " << seed << " t " << t.ns;
        }
    }
}

// Whatever a peer says.
// ------------------------------------------------------------------------------------------

std::int64_t hostile(Random& random) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kRange = std::int64_t{1} << 62;
    constexpr std::array<std::int64_t, 15> kExtremes = {kLeast,
                                                        kLeast + 1,
                                                        -kRange - 1,
                                                        -kRange,
                                                        -kRange + 1,
                                                        -1,
                                                        0,
                                                        1,
                                                        kRange - 1,
                                                        kRange,
                                                        kRange + 1,
                                                        kGreatest - 1,
                                                        kGreatest,
                                                        1'800'000'000'000'000'000,
                                                        -1'800'000'000'000'000'000};
    if (random.below(3) == 0) return static_cast<std::int64_t>(random.next()) >> random.below(64);
    return kExtremes[random.below(static_cast<std::uint32_t>(kExtremes.size()))];
}

TEST(ClockModel, NoTimesAndDelaysAreTooWild) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Random random(seed);
        ClockModelConfig config;
        if (seed % 2 == 0) config = {Duration::seconds(60), 1024, 900'000, {}, Duration::seconds(60), {}, {}};
        if (seed % 3 == 0) config = {us(1), 2, 1, Duration::seconds(1), {}, Duration::seconds(1), {}};
        ClockModel model(config);
        Time now{hostile(random)};
        for (int i = 0; i < 2'000; ++i) {
            if (random.below(4) == 0) now.ns = hostile(random);
            const bool near = random.below(2) == 0;
            const Time at{near ? now.ns : hostile(random)};
            const Duration raw{hostile(random)};
            random.below(2) == 0 ? model.on_forward(at, raw, now) : model.on_reverse(at, raw, now);
            for (const Time t : {now, Time{hostile(random)}}) {
                if (const auto estimate = model.estimate(t)) {
                    ASSERT_GE(estimate->bound.ns, 0) << "seed " << seed;
                    ASSERT_GE(estimate->drift_bound_ppb, 0) << "seed " << seed;
                }
                (void)model.corrected_forward(Duration{hostile(random)}, t);
                (void)model.corrected_reverse(Duration{hostile(random)}, t);
            }
        }
    }
}

TEST(ClockModel, WildClaimsOfAPeerAreForgottenOnceItSpeaksTheTruth) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        Exchange exchange({}, Time{1'800'000'000'000'000'000});
        for (int i = 0; i < 2'000; ++i) {
            exchange.now = exchange.now + ms(1);
            exchange.model.on_forward(random.below(2) == 0 ? exchange.now : Time{hostile(random)},
                                      Duration{hostile(random)}, exchange.now);
            exchange.model.on_reverse(exchange.now, Duration{hostile(random)}, exchange.now);
        }
        exchange.run(exchange.model.settling_time());
        EXPECT_TRUE(exchange.knows_theta()) << "seed " << seed;
    }
}

TEST(ClockModel, TheSameEvidenceGivesTheSameEstimates) {
    Exchange one;
    Exchange other;
    for (int i = 0; i < 100; ++i) {
        one.run(ms(50), us(30 + i * 7 % 13), us(50));
        other.run(ms(50), us(30 + i * 7 % 13), us(50));
        EXPECT_EQ(one.model.estimate(one.now), other.model.estimate(other.now));
    }
}

}  // namespace
}  // namespace dyetrace::test
