// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/timer_queue.h"

#include <map>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::test {
namespace {

TEST(TimerQueue, IsEmptyAtFirst) {
    TimerQueue timers;
    EXPECT_EQ(timers.next(), Time::never());
    EXPECT_EQ(timers.wanted(3), Time::never());
    EXPECT_FALSE(timers.take_due(Time::never()));
}

TEST(TimerQueue, GivesTheEarliestFirstAndEqualOnesByKey) {
    TimerQueue timers;
    timers.set(4, Time{10});
    timers.set(2, Time{10});
    timers.set(9, Time{5});
    EXPECT_EQ(timers.next(), Time{5});
    EXPECT_FALSE(timers.take_due(Time{4}));
    EXPECT_EQ(timers.take_due(Time{20}), 9U);
    EXPECT_EQ(timers.take_due(Time{20}), 2U);
    EXPECT_EQ(timers.take_due(Time{20}), 4U);
    EXPECT_FALSE(timers.take_due(Time{20}));
}

TEST(TimerQueue, AMovedDeadlineIsTheOnlyOne) {
    TimerQueue timers;
    timers.set(1, Time{10});
    timers.set(1, Time{30});
    EXPECT_FALSE(timers.take_due(Time{29}));
    timers.set(1, Time{20});
    EXPECT_EQ(timers.next(), Time{20});
    EXPECT_EQ(timers.take_due(Time{40}), 1U);
    EXPECT_FALSE(timers.take_due(Time{40}));
}

TEST(TimerQueue, NeverClears) {
    TimerQueue timers;
    timers.set(1, Time{10});
    timers.set(2, Time{20});
    timers.set(1, Time::never());
    EXPECT_EQ(timers.next(), Time{20});
    EXPECT_EQ(timers.wanted(1), Time::never());
}

TEST(TimerQueue, DoesAsAnOrderedMapDoes) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Random random(seed);
        TimerQueue timers;
        std::map<std::uint32_t, Time> model;
        Time now{0};
        for (int i = 0; i < 5'000; ++i) {
            const std::uint32_t key = random.below(50);
            switch (random.below(4)) {
                case 0:
                    timers.set(key, Time::never());
                    model.erase(key);
                    break;
                case 1: {
                    now = now + Duration{random.below(20)};
                    std::pair<Time, std::uint32_t> expected{Time::never(), 0};
                    for (const auto& [k, at] : model)
                        expected = std::min(expected, {at, k});
                    const auto taken = timers.take_due(now);
                    ASSERT_EQ(taken.has_value(), expected.first <= now) << "seed " << seed;
                    if (taken) {
                        ASSERT_EQ(*taken, expected.second) << "seed " << seed;
                        model.erase(*taken);
                    }
                    break;
                }
                default: {
                    const Time at = now + Duration{random.below(100)};
                    timers.set(key, at);
                    model[key] = at;
                }
            }
            ASSERT_EQ(timers.wanted(key), model.contains(key) ? model[key] : Time::never())
                << "seed " << seed;
            Time next = Time::never();
            for (const auto& [k, at] : model)
                next = std::min(next, at);
            ASSERT_EQ(timers.next(), next) << "seed " << seed;
        }
    }
}

}  // namespace
}  // namespace dyetrace::test
