// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/playhead.h"

#include <QSignalSpy>

#include <gtest/gtest.h>

namespace dyetrace::viewer {
namespace {

TEST(Playhead, TellsWhereItMovedTo) {
    Playhead playhead;
    playhead.set_run({0, 1000});
    const QSignalSpy moved(&playhead, &Playhead::moved);
    playhead.seek(400);
    ASSERT_EQ(moved.size(), 1);
    EXPECT_EQ(moved[0][0].toLongLong(), 400);
}

TEST(Playhead, SaysNothingWhereNothingChanged) {
    Playhead playhead;
    playhead.set_run({0, 1000});
    const QSignalSpy moved(&playhead, &Playhead::moved);
    const QSignalSpy playing(&playhead, &Playhead::playing_changed);
    playhead.seek(0);
    playhead.pause();
    EXPECT_FALSE(playhead.step_forward());
    EXPECT_EQ(moved.size() + playing.size(), 0);
}

TEST(Playhead, TellsThatItStoppedAtTheEnd) {
    Playhead playhead;
    playhead.set_run({0, 1000});
    playhead.play();
    const QSignalSpy playing(&playhead, &Playhead::playing_changed);
    playhead.advance(5000);
    ASSERT_EQ(playing.size(), 1);
    EXPECT_FALSE(playing[0][0].toBool());
}

TEST(Playhead, StepsThroughItsMoments) {
    Playhead playhead;
    playhead.set_run({0, 1000});
    playhead.set_moments({300, 700});
    EXPECT_TRUE(playhead.step_forward());
    EXPECT_TRUE(playhead.step_forward());
    EXPECT_EQ(playhead.now_ns(), 700);
    EXPECT_FALSE(playhead.step_forward());
    EXPECT_TRUE(playhead.step_backward());
    EXPECT_EQ(playhead.now_ns(), 300);
}

TEST(Playhead, ANewRunPausesAtItsBeginningAndKeepsTheSpeed) {
    Playhead playhead;
    playhead.set_run({0, 1000});
    playhead.set_speed(0.5);
    playhead.play();
    playhead.advance(600);
    playhead.set_run({0, 2000});
    EXPECT_EQ(playhead.now_ns(), 0);
    EXPECT_FALSE(playhead.clock().playing());
    EXPECT_EQ(playhead.clock().speed(), 0.5);
}

}  // namespace
}  // namespace dyetrace::viewer
