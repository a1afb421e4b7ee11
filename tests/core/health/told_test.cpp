// SPDX-License-Identifier: GPL-2.0-or-later
// What the service is told beside updates, and what it tells another service.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/health/small_fabric.h"

namespace dyetrace::health {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Step = IncidentStep;

const std::string kLink = "leaf-3 > spine-1";

void concluding(NhmsConfig& config) {
    config.conclude_interval = Duration::milliseconds(200);
}

/// A fabric's own service, and one above it that no EPPC reports to.
class Regions : public testing::Test {
  protected:
    Regions() : region(concluding) {}

    void run(int windows) {
        for (int i = 0; i < windows; ++i) {
            region.run(1);
            above.now = region.now;
            const auto told = region.all<Concluded>();
            for (; passed_on < told.size(); ++passed_on)
                above.nhms.take_conclusions("region", told[passed_on], above.now);
            above.let_pass();
        }
    }

    SmallFabric region;
    SmallFabric above;
    std::size_t passed_on = 0;
};

TEST_F(Regions, WhatOneConcludesTheOtherConfirmsAndClosesByItsWord) {
    run(20);
    region.loss[kLink] = 0.05;
    run(60);
    EXPECT_THAT(above.steps_of(kLink), Contains(Step::Opened));
    EXPECT_THAT(above.steps_of(kLink), Contains(Step::Confirmed));
    EXPECT_THAT(above.detail_of(kLink, Step::Confirmed), HasSubstr("others name it again"));
    EXPECT_GT(above.nhms.counters().conclusions, 0U);
    region.loss.clear();
    run(400);
    EXPECT_THAT(region.steps_of(kLink), Contains(Step::Closed));
    EXPECT_THAT(above.steps_of(kLink), Contains(Step::Closed));
    EXPECT_EQ(above.detail_of(kLink, Step::Closed), "well of its own accord, as others tell");
    for (const IncidentChanged& change : above.all<IncidentChanged>())
        EXPECT_EQ(describe(change.subject, above.graph()), kLink);
}

TEST_F(Regions, ARegionThatFallsSilentAcquitsNobody) {
    run(20);
    region.loss[kLink] = 0.05;
    run(60);
    ASSERT_THAT(above.steps_of(kLink), Contains(Step::Confirmed));
    for (const char* host : {"host-3-0", "host-3-1"})
        region.empty.insert(host);  // nothing crosses the link any more
    region.loss.clear();
    run(600);
    EXPECT_THAT(above.steps_of(kLink), Not(Contains(Step::Closed)));
}

TEST_F(Regions, AFabricThatIsWellHasNothingToConclude) {
    run(100);
    EXPECT_THAT(region.all<Concluded>(), IsEmpty());
    EXPECT_THAT(above.all<IncidentChanged>(), IsEmpty());
}

TEST(Told, ConclusionsThatCannotBeUsedAreCountedAndTheRestIsTaken) {
    SmallFabric fabric;
    Concluded told{fabric.now, fabric.now, {}};
    told.conclusions = {{"leaf-3", "spine-1", "", 30},
                        {"leaf-3", "leaf-1", "", 30},
                        {"", "", "spine-9", 30},
                        {"leaf-0", "spine-1", "", std::numeric_limits<double>::infinity()},
                        {"leaf-0", "spine-1", "", 30, 1.5}};
    fabric.nhms.take_conclusions("west", told, fabric.now);
    const NhmsCounters& counters = fabric.nhms.counters();
    EXPECT_EQ(counters.conclusions, 1U);
    EXPECT_EQ(counters.conclusions_unknown, 2U);
    EXPECT_EQ(counters.conclusions_refused, 2U);
    told.since = told.since + Duration::milliseconds(-10);
    fabric.nhms.take_conclusions("west", told, fabric.now);
    EXPECT_EQ(counters.conclusions_refused, 5U) << "older than what it said before";
}

TEST(Told, AClockThatIsAheadDoesNotHaveTheLastWordForEver) {
    SmallFabric fabric;
    const Time later = fabric.now + Duration::seconds(3'600);
    fabric.nhms.take_conclusions("west", {later, later, {{"leaf-3", "spine-1", "", 30}}}, fabric.now);
    fabric.nhms.take_conclusions("west", {later, later, {}}, fabric.now);
    fabric.let_pass(Duration::milliseconds(100));
    EXPECT_THAT(fabric.steps_of(kLink), IsEmpty());
}

TEST(Told, ReadingsThatCannotBeUsedAreCountedAndTheRestIsTaken) {
    SmallFabric fabric;
    const LinkReading readings[] = {
        {"leaf-3", "spine-1", 100, 1}, {"leaf-3", "leaf-1", 100, 1}, {"leaf-0", "spine-1", 1, 2}};
    fabric.nhms.take_counters(readings, fabric.now);
    fabric.nhms.take_counters(readings, fabric.now);
    const NhmsCounters& counters = fabric.nhms.counters();
    EXPECT_EQ(counters.readings, 1U);
    EXPECT_EQ(counters.readings_late, 1U);
    EXPECT_EQ(counters.readings_unknown_link, 2U);
    EXPECT_EQ(counters.readings_impossible, 2U);
    const LinkReading anew{"leaf-3", "spine-1", 5, 0};
    fabric.nhms.take_counters({&anew, 1}, fabric.now + Duration::milliseconds(1));
    EXPECT_EQ(fabric.nhms.counters().readings_ran_back, 1U);
}

// Nothing that EPPCs measure crosses it: only the switch at its far end sees it.
TEST(Told, ALinkThatOnlyItsSwitchCanAccuseIsSuspected) {
    SmallFabric fabric;
    fabric.empty = {"host-3-0", "host-3-1"};
    fabric.run(10);
    std::uint64_t sent = 0, lost = 0;
    for (int i = 0; i < 40; ++i) {
        sent += 20'000;
        lost += 400;
        const LinkReading reading{"spine-1", "leaf-3", sent, lost};
        fabric.nhms.take_counters({&reading, 1}, fabric.now);
        fabric.run(1);
    }
    EXPECT_THAT(fabric.steps_of("spine-1 > leaf-3"), Contains(Step::Opened));
    EXPECT_THAT(fabric.steps_of("spine-1 > leaf-3"), Contains(Step::Confirmed));
}

TEST(Told, ALongIntervalIsRefused) {
    NhmsConfig config;
    config.endpoint = {IpAddress{Ipv4Address{0x0a00ff01}}, 1};
    config.insecure = true;
    config.conclude_interval = config.memory * 2;
    EXPECT_EQ(Nhms::create(config, {}, 1, Time{}).error(), "conclude_interval: must be at most memory");
}

}  // namespace
}  // namespace dyetrace::health
