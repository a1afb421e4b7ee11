// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/recent_delays.h"

#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

/// A session whose delays are all in one sketch, which it tells now and then.
class Session {
  public:
    void measure(std::int64_t delay_us, int times) {
        for (int i = 0; i < times; ++i)
            delays_.add(1000 * delay_us);
    }
    [[nodiscard]] wire::TimingEntry tell(bool corrected = true) const {
        wire::TimingEntry entry;
        entry.sketch_corrected = corrected;
        entry.sketch.resize(wire::TimingEntry::kMaxSketchBytes);
        entry.sketch.resize(*delays_.encode_into(entry.sketch));
        return entry;
    }

  private:
    SketchPool pool_{SketchPool::kNodesOfFullSketch};
    QuantileSketch delays_{pool_};
};

TEST(RecentDelays, AreThoseBetweenTwoEntries) {
    RecentDelays delays(false);
    Session session;
    session.measure(50, 1000);
    const wire::TimingEntry first = session.tell();
    session.measure(200, 90);
    session.measure(3000, 10);
    const auto recent = delays.between(&first, session.tell());
    ASSERT_TRUE(recent.has_value());
    EXPECT_EQ(recent->count, 100U);
    EXPECT_NEAR(recent->p50.in_seconds(), 200e-6, 2e-6);
    EXPECT_NEAR(recent->p99.in_seconds(), 3e-3, 3e-5);
    EXPECT_NEAR(recent->max.in_seconds(), 3e-3, 3e-5);
    EXPECT_NEAR(recent->mean.in_seconds(), 480e-6, 5e-6);
}

TEST(RecentDelays, OfASessionThatToldNothingBeforeAreAllItHas) {
    RecentDelays delays(false);
    Session session;
    session.measure(50, 7);
    EXPECT_EQ(delays.between(nullptr, session.tell())->count, 7U);
}

TEST(RecentDelays, AreNoneWhereNothingNewWasMeasured) {
    RecentDelays delays(false);
    Session session;
    EXPECT_FALSE(delays.between(nullptr, wire::TimingEntry{}).has_value());
    EXPECT_FALSE(delays.between(nullptr, session.tell()).has_value());
    session.measure(50, 7);
    const wire::TimingEntry first = session.tell();
    EXPECT_FALSE(delays.between(&first, session.tell()).has_value());
}

TEST(RecentDelays, OfTwoClocksAreShownToNobody) {
    Session session;
    session.measure(50, 7);
    EXPECT_FALSE(RecentDelays(false).between(nullptr, session.tell(false)).has_value());
    EXPECT_TRUE(RecentDelays(true).between(nullptr, session.tell(false)).has_value());
}

TEST(RecentDelays, BeginAnewWhereTheSketchDoes) {
    RecentDelays delays(true);
    Session raw, corrected, restarted;
    raw.measure(9000, 5);
    const wire::TimingEntry before = raw.tell(false);
    corrected.measure(9000, 6);
    corrected.measure(80, 3);
    EXPECT_EQ(delays.between(&before, corrected.tell())->count, 9U);
    restarted.measure(70, 4);
    const wire::TimingEntry first = corrected.tell();
    EXPECT_EQ(delays.between(&first, restarted.tell())->count, 4U);
}

TEST(RecentDelays, WhatCannotBeReadSaysNothing) {
    RecentDelays delays(false);
    Session session;
    session.measure(50, 7);
    wire::TimingEntry bad = session.tell();
    bad.sketch.resize(bad.sketch.size() - 1);
    EXPECT_FALSE(delays.between(nullptr, bad).has_value());
    EXPECT_EQ(delays.between(&bad, session.tell())->count, 7U);
}

}  // namespace
}  // namespace dyetrace::health
