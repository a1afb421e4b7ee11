// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/waiter.h"

#include <cerrno>
#include <csignal>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace dyetrace::host {
namespace {

class WaiterTest : public testing::Test {
  protected:
    HostClock clock_;
    Waiter waiter_{clock_};
};

TEST_F(WaiterTest, SleepsUntilTheDeadline) {
    const Time deadline = clock_.now() + Duration::milliseconds(3);
    waiter_.wait_until(deadline);
    EXPECT_GE(clock_.now(), deadline);
}

TEST_F(WaiterTest, DeadlineThatIsOverDoesNotBlock) {
    waiter_.wait_until(clock_.now() + Duration::milliseconds(-5));
    waiter_.wait_until(Time{0});
}

TEST_F(WaiterTest, SameDeadlineTwiceWakesTwice) {
    const Time deadline = clock_.now();
    waiter_.wait_until(deadline);
    waiter_.wait_until(deadline);
}

TEST_F(WaiterTest, PortWithSomethingToReadWakes) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    waiter_.watch(ends[0], {});
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    waiter_.wait_until(Time::never());
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(WaiterTest, WhatHasEndedIsToldOnceAndKeepsNobodyAwake) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    std::vector<int> errors;
    waiter_.watch(ends[0], [&](int error) { errors.push_back(error); });
    ::close(ends[1]);
    waiter_.wait_until(Time::never());
    const Time deadline = clock_.now() + Duration::milliseconds(20);
    while (clock_.now() < deadline)
        waiter_.wait_until(deadline);
    EXPECT_EQ(errors, std::vector{ENODEV});
    ::close(ends[0]);
}

TEST_F(WaiterTest, SignalsWakeAndAreCountedOnce) {
    ::raise(SIGUSR1);
    waiter_.wait_until(Time::never());
    ::raise(SIGTERM);
    ::raise(SIGHUP);
    waiter_.look();
    const SignalRequests requests = waiter_.take_signals();
    EXPECT_EQ(requests.report, 1);
    EXPECT_EQ(requests.stop, 1);
    EXPECT_EQ(requests.reload, 1);
    EXPECT_EQ(waiter_.take_signals().stop, 0);
}

TEST(HostClock, TurnsItsTimesIntoMonotonicOnesAndNeverIntoNegativeOnes) {
    const HostClock clock;
    EXPECT_EQ(clock.to_monotonic(Time{0}).tv_sec, 0);
    EXPECT_EQ(clock.to_monotonic(Time{0}).tv_nsec, 0);
}

}  // namespace
}  // namespace dyetrace::host
