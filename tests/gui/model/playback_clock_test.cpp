// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/playback_clock.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace dyetrace::viewer {
namespace {

constexpr TimeRange range{0, 1'000'000'000};
constexpr std::array<std::int64_t, 3> events{100, 200, 300};

TEST(PlaybackClock, BeginsPausedAtTheBeginning) {
    const PlaybackClock clock({50, 100});
    EXPECT_EQ(clock.now_ns(), 50);
    EXPECT_FALSE(clock.playing());
}

TEST(PlaybackClock, APausedClockStandsStill) {
    PlaybackClock clock(range);
    clock.advance(1'000'000);
    EXPECT_EQ(clock.now_ns(), 0);
}

TEST(PlaybackClock, GoesAtItsSpeed) {
    PlaybackClock clock(range);
    clock.set_speed(0.1);
    clock.play();
    clock.advance(1'000'000'000);
    EXPECT_EQ(clock.now_ns(), 100'000'000);
}

TEST(PlaybackClock, SlowMotionDoesNotLoseTime) {
    PlaybackClock clock(range);
    clock.set_speed(0.001);
    clock.play();
    for (int i = 0; i < 10'000; ++i)
        clock.advance(100);  // a tenth of a nanosecond each
    EXPECT_NEAR(static_cast<double>(clock.now_ns()), 1000, 1);
}

TEST(PlaybackClock, StopsAtTheEnd) {
    PlaybackClock clock(range);
    clock.play();
    clock.advance(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(clock.now_ns(), range.end_ns);
    EXPECT_FALSE(clock.playing());
}

TEST(PlaybackClock, PlayAtTheEndStartsOver) {
    PlaybackClock clock(range);
    clock.seek(range.end_ns);
    clock.play();
    EXPECT_EQ(clock.now_ns(), 0);
    EXPECT_TRUE(clock.playing());
}

TEST(PlaybackClock, PlaysBackwards) {
    PlaybackClock clock(range);
    clock.set_speed(-1);
    clock.seek(500'000'000);
    clock.play();
    clock.advance(200'000'000);
    EXPECT_EQ(clock.now_ns(), 300'000'000);
    clock.advance(900'000'000);
    EXPECT_EQ(clock.now_ns(), 0);
    EXPECT_FALSE(clock.playing());
}

TEST(PlaybackClock, BackwardsFromTheBeginningStartsAtTheEnd) {
    PlaybackClock clock(range);
    clock.set_speed(-1);
    clock.play();
    EXPECT_EQ(clock.now_ns(), range.end_ns);
}

TEST(PlaybackClock, ScrubbingIsClampedToTheRun) {
    PlaybackClock clock(range);
    clock.seek(-5);
    EXPECT_EQ(clock.now_ns(), 0);
    clock.seek(range.end_ns + 1);
    EXPECT_EQ(clock.now_ns(), range.end_ns);
}

TEST(PlaybackClock, ScrubbingGoesOnPlaying) {
    PlaybackClock clock(range);
    clock.play();
    clock.seek(100);
    EXPECT_TRUE(clock.playing());
}

TEST(PlaybackClock, StepsFromEventToEventAndPauses) {
    PlaybackClock clock(range);
    clock.play();
    EXPECT_TRUE(clock.step_forward(events));
    EXPECT_EQ(clock.now_ns(), 100);
    EXPECT_FALSE(clock.playing());
    EXPECT_TRUE(clock.step_forward(events));
    EXPECT_EQ(clock.now_ns(), 200);
    EXPECT_TRUE(clock.step_backward(events));
    EXPECT_EQ(clock.now_ns(), 100);
}

TEST(PlaybackClock, StepsFromBetweenEventsToTheNearestOnThatSide) {
    PlaybackClock clock(range);
    clock.seek(250);
    EXPECT_TRUE(clock.step_backward(events));
    EXPECT_EQ(clock.now_ns(), 200);
    clock.seek(250);
    EXPECT_TRUE(clock.step_forward(events));
    EXPECT_EQ(clock.now_ns(), 300);
}

TEST(PlaybackClock, ThereIsNoStepPastTheLastEvent) {
    PlaybackClock clock(range);
    clock.seek(300);
    EXPECT_FALSE(clock.step_forward(events));
    EXPECT_EQ(clock.now_ns(), 300);
    clock.seek(100);
    EXPECT_FALSE(clock.step_backward(events));
    EXPECT_FALSE(clock.step_forward({}));
}

TEST(PlaybackClock, KeepsItsSpeedWithinBounds) {
    PlaybackClock clock(range);
    clock.set_speed(0);
    EXPECT_EQ(clock.speed(), 1.0);
    clock.set_speed(-1e9);
    EXPECT_EQ(clock.speed(), -PlaybackClock::speed_max);
    clock.set_speed(1e-20);
    EXPECT_EQ(clock.speed(), PlaybackClock::speed_min);
}

TEST(RoundSpeeds, AreOneTwoAndFiveOfEachPowerOfTen) {
    EXPECT_EQ(round_speeds(-1, 1), (std::vector<double>{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50}));
}

TEST(ComfortableSpeed, StaysWithinTheClocksBounds) {
    EXPECT_EQ(comfortable_speed({0, 1}, 20), PlaybackClock::speed_min);
    EXPECT_EQ(comfortable_speed({0, 1'000'000'000'000'000}, 20), PlaybackClock::speed_max);
}

TEST(ComfortableSpeed, IsRoundAndNotFasterThanAsked) {
    EXPECT_NEAR(comfortable_speed({0, 1'600'000'000}, 20), 0.05, 1e-9);
    EXPECT_NEAR(comfortable_speed({0, 20'000'000'000}, 20), 1, 1e-9);
}

}  // namespace
}  // namespace dyetrace::viewer
