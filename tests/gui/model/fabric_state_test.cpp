// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/fabric_state.h"

#include <gtest/gtest.h>

#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::link_named;
using testing::ms;
using testing::sample;
using testing::SmallRun;

TEST(FabricState, ALinkShowsWhatItsPathsLostInTheWindow) {
    SmallRun small;
    small.path(0)
        .record(0, 20 * ms, 1000, 1000)
        .record(0, 40 * ms, 2000, 1990)
        .record(0, 60 * ms, 3000, 2990);
    const auto run = small.load();
    const auto link = static_cast<std::size_t>(link_named(*run, "s1 > s2"));
    EXPECT_EQ(fabric_state(*run, 50 * ms, 20 * ms).links[link], (Loss{1000, 10}));
    EXPECT_EQ(fabric_state(*run, 70 * ms, 20 * ms).links[link], (Loss{1000, 0}));
    EXPECT_EQ(fabric_state(*run, 70 * ms, 100 * ms).links[link], (Loss{3000, 10}));
    EXPECT_EQ(fabric_state(*run, 70 * ms, 100 * ms).all, (Loss{3000, 10}));
}

TEST(FabricState, AnIncidentIsSuspicionThenVerdict) {
    SmallRun small;
    const auto incident = small.incident(100 * ms);
    small.suspect(incident, 300 * ms, 20).step(incident, 300 * ms, "confirmed");
    const auto run = small.load();
    EXPECT_TRUE(fabric_state(*run, 99 * ms, ms).suspects.empty());
    const auto during = fabric_state(*run, 200 * ms, ms);
    ASSERT_EQ(during.suspects.size(), 1U);
    EXPECT_EQ(during.suspects[0].status, VerdictStatus::Suspected);
    EXPECT_EQ(run->link_name(during.suspects[0].suspect.link), "s1 > s2");
    EXPECT_EQ(during.incidents_open, 1);
    const auto after = fabric_state(*run, 300 * ms, ms);
    ASSERT_EQ(after.suspects.size(), 1U);
    EXPECT_EQ(after.suspects[0].status, VerdictStatus::Confirmed);
    EXPECT_EQ(after.suspects[0].suspect.log_odds, 20);
    EXPECT_EQ(after.incidents_confirmed, 1);
}

TEST(FabricState, ARefutedSuspectIsNoSuspect) {
    SmallRun small;
    const auto incident = small.incident(100 * ms);
    small.step(incident, 200 * ms, "refuted");
    const auto run = small.load();
    EXPECT_EQ(fabric_state(*run, 150 * ms, ms).suspects.size(), 1U);
    EXPECT_TRUE(fabric_state(*run, 200 * ms, ms).suspects.empty());
    EXPECT_EQ(fabric_state(*run, 200 * ms, ms).incidents_refuted, 1);
}

TEST(FabricState, TheLatestInferenceCounts) {
    SmallRun small;
    const auto incident = small.incident(100 * ms);
    small.suspect(incident, 200 * ms, 10).suspect(incident, 300 * ms, 30, 2, 3);
    small.step(incident, 200 * ms, "confirmed");
    const auto run = small.load();
    EXPECT_EQ(fabric_state(*run, 250 * ms, ms).suspects[0].suspect.name, "s1 > s2");
    EXPECT_EQ(fabric_state(*run, 300 * ms, ms).suspects[0].suspect.name, "s2 > host-b");
}

TEST(FabricState, ALinkThatTwoIncidentsSuspectIsMarkedOnceByTheSurerOne) {
    SmallRun small;
    const auto first = small.incident(100 * ms);
    const auto second = small.incident(110 * ms);
    small.suspect(second, 200 * ms, 15).step(second, 200 * ms, "confirmed");
    const auto run = small.load();
    const auto state = fabric_state(*run, 300 * ms, ms);
    ASSERT_EQ(state.suspects.size(), 1U);
    EXPECT_EQ(state.suspects[0].incident->id, second);
    EXPECT_NE(state.suspects[0].incident->id, first);
    EXPECT_EQ(state.suspects[0].number, 1);
}

TEST(FabricState, TruthIsThereWhileItLasts) {
    SmallRun small;
    const auto run = small.fault(100 * ms, 200 * ms).load();
    EXPECT_TRUE(fabric_state(*run, 99 * ms, ms).truth_faults.empty());
    EXPECT_EQ(fabric_state(*run, 100 * ms, ms).truth_faults.size(), 1U);
    EXPECT_TRUE(fabric_state(*run, 200 * ms, ms).truth_faults.empty());
}

TEST(FabricState, CountsActiveSessions) {
    SmallRun small;
    const auto run = small.load();
    EXPECT_EQ(fabric_state(*run, 9 * ms, ms).sessions_active, 0);
    EXPECT_EQ(fabric_state(*run, 10 * ms, ms).sessions_active, 1);
}

TEST(FabricState, TheSickLinkOfTheSampleIsSickOnlySinceTheFault) {
    const auto link = static_cast<std::size_t>(link_named(*sample(), "agg-0-1 > core-2"));
    const auto before = fabric_state(*sample(), dyetrace::testing::sample_fault_ns, 100 * ms);
    const auto after = fabric_state(*sample(), 900 * ms, 200 * ms);
    EXPECT_EQ(before.links[link].lost, 0);
    EXPECT_NEAR(after.links[link].rate(), 0.01, 0.005);
}

}  // namespace
}  // namespace dyetrace::viewer
