// SPDX-License-Identifier: GPL-2.0-or-later
// Guests are moved off a sick host: when that is said to have helped, and when it is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/health/small_fabric.h"

namespace dyetrace::health {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Step = IncidentStep;

const std::string kSick = "leaf-1 > host-1-0";
const std::string kNew = "host-3-1";

struct MigrationTest : ::testing::Test {
    explicit MigrationTest()
        : fabric([](NhmsConfig& config) { config.remedies.mode(Remedy::Migrate) = RemedyMode::Automatic; }) {}

    /// Whoever places guests moves them to `to` and says so.
    void answer_with_a_move(const std::string& to = kNew) {
        fabric.moves_guests = [this, to](const MigrationRequested& request) {
            fabric.empty.insert(fabric.graph().name(request.host));
            return GuestsMoved{request.incident, {fabric.address(to)}, 0, "guest 2 to " + to};
        };
    }
    void sicken() {
        fabric.run(20);
        fabric.loss[kSick] = 0.05;
        fabric.run(100);
    }
    std::vector<Step> steps() { return fabric.steps_of(kSick); }
    std::string why() { return fabric.detail_of(kSick, Step::NotVerified); }

    SmallFabric fabric;
};

TEST_F(MigrationTest, GuestsThatFareWellElsewhereEndTheIncident) {
    answer_with_a_move();
    sicken();
    EXPECT_THAT(steps(), ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::Migrated,
                                     Step::Verified, Step::Closed));
    EXPECT_EQ(fabric.detail_of(kSick, Step::Migrated), "1 guest has moved: guest 2 to host-3-1");
    EXPECT_THAT(fabric.detail_of(kSick, Step::Verified), HasSubstr("migrate: 0 of "));
    EXPECT_THAT(fabric.detail_of(kSick, Step::Verified), HasSubstr("nothing crosses it any more"));
    EXPECT_EQ(fabric.all<MigrationRequested>().size(), 1U);
    // What the host has lost before says nothing of it any more.
    fabric.run(100);
    EXPECT_THAT(fabric.steps_of("host-1-0"), ElementsAre());
    EXPECT_EQ(steps().back(), Step::Closed);
}

TEST_F(MigrationTest, AHostThatStillCarriesAsMuchHasNotBeenLeft) {
    fabric.moves_guests = [this](const MigrationRequested& request) {
        return GuestsMoved{request.incident, {fabric.address(kNew)}, 0, "so they say"};
    };
    sicken();
    EXPECT_THAT(steps(),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::Migrated, Step::NotVerified));
    EXPECT_THAT(why(), HasSubstr("of what crossed it still does"));
}

TEST_F(MigrationTest, AHostThatHasBecomeWellButWasNotLeftIsNotVerifiedByTheMove) {
    fabric.moves_guests = [this](const MigrationRequested& request) {
        fabric.loss.clear();
        return GuestsMoved{request.incident, {fabric.address(kNew)}, 0, "so they say"};
    };
    sicken();
    EXPECT_THAT(steps(), Contains(Step::NotVerified));
    EXPECT_THAT(steps(), Not(Contains(Step::Verified)));
}

TEST_F(MigrationTest, GuestsThatLoseAsMuchInTheirNewPlaceAreNotHelped) {
    answer_with_a_move();
    fabric.run(20);
    fabric.loss[kSick] = 0.05;
    while (fabric.empty.empty())
        fabric.run(1);
    fabric.loss["leaf-3 > " + kNew] = 0.05;
    fabric.run(60);
    EXPECT_THAT(steps(), Contains(Step::NotVerified));
    EXPECT_THAT(steps(), Not(Contains(Step::Verified)));
    EXPECT_THAT(why(), HasSubstr("nothing crosses it any more"));
}

TEST_F(MigrationTest, SilenceAtTheirNewPlaceIsNoEvidence) {
    answer_with_a_move();
    fabric.run(20);
    fabric.loss[kSick] = 0.05;
    while (fabric.empty.empty())
        fabric.run(1);
    fabric.empty.insert(kNew);
    fabric.run(60);
    EXPECT_THAT(steps(), Contains(Step::NotVerified));
    EXPECT_THAT(why(), HasSubstr("0 of 0 packets"));
    EXPECT_THAT(why(), HasSubstr("too few packets to tell"));
}

TEST_F(MigrationTest, ARefusalIsTakenAtItsWordAtOnce) {
    fabric.moves_guests = [](const MigrationRequested& request) {
        return GuestsMoved{request.incident, {}, 3, "no host has room"};
    };
    fabric.run(20);
    fabric.loss[kSick] = 0.05;
    while (fabric.all<MigrationRequested>().empty())
        fabric.run(1);
    EXPECT_EQ(steps().back(), Step::NotVerified);
    EXPECT_EQ(why(), "migrate: no guest has moved: no host has room");
}

TEST_F(MigrationTest, WhereNobodySaysThatGuestsHaveMovedTheyHaveNot) {
    sicken();
    EXPECT_THAT(steps(), ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::NotVerified));
    EXPECT_EQ(why(), "migrate: nobody has said that the guests have moved");
}

TEST_F(MigrationTest, GuestsThatStayAreSaidToStay) {
    fabric.moves_guests = [this](const MigrationRequested& request) {
        return GuestsMoved{request.incident, {fabric.address(kNew), fabric.address(kNew)}, 1, "as told"};
    };
    sicken();
    EXPECT_EQ(fabric.detail_of(kSick, Step::Migrated), "2 guests have moved, not so 1: as told");
}

TEST_F(MigrationTest, NobodyWaitsForWhatWasNotAskedOrWasAnswered) {
    EXPECT_FALSE(fabric.nhms.guests_moved({IncidentId{1}, {fabric.address(kNew)}, 0, ""}, fabric.now));
    answer_with_a_move();
    sicken();
    const IncidentId incident = fabric.all<MigrationRequested>().at(0).incident;
    EXPECT_FALSE(fabric.nhms.guests_moved({incident, {fabric.address(kNew)}, 0, ""}, fabric.now));
}

TEST_F(MigrationTest, ARestartedServiceStillWaitsForTheGuests) {
    fabric.run(20);
    fabric.loss[kSick] = 0.05;
    while (fabric.all<MigrationRequested>().empty())
        fabric.run(1);
    const MigrationRequested request = fabric.all<MigrationRequested>()[0];
    const Memory memory = fabric.nhms.remember();
    fabric.restart_service(&memory);
    EXPECT_EQ(fabric.nhms.remember().incidents.incidents.at(0).watched,
              memory.incidents.incidents.at(0).watched);
    fabric.empty.insert("host-1-0");
    ASSERT_TRUE(fabric.nhms.guests_moved({request.incident, {fabric.address(kNew)}, 0, "late"}, fabric.now));
    fabric.run(60);
    EXPECT_THAT(steps(), Contains(Step::Closed));
}

}  // namespace
}  // namespace dyetrace::health
