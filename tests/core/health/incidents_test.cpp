// SPDX-License-Identifier: GPL-2.0-or-later
// From a suspicion to its end: what is asked, what is done, and what is left alone.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/health/small_fabric.h"

namespace dyetrace::health {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using Step = IncidentStep;

const std::string kLink = "leaf-3 > spine-1";

auto with(Remedy remedy, RemedyMode mode) {
    return [=](NhmsConfig& config) { config.remedies.mode(remedy) = mode; };
}

void sicken(SmallFabric& fabric, double share = 0.05) {
    fabric.run(20);
    fabric.loss[kLink] = share;
    fabric.run(60);
}

TEST(Incidents, WithAllRemediesOffAConfirmedIncidentStaysAndNothingIsDone) {
    SmallFabric fabric;
    sicken(fabric);
    EXPECT_THAT(fabric.steps_of(kLink), ElementsAre(Step::Opened, Step::Confirmed));
    EXPECT_TRUE(fabric.all<DrainRequested>().empty());
    for (const DirectiveSent& sent : fabric.all<DirectiveSent>())
        EXPECT_EQ(sent.body.kind, wire::DirectiveKind::Investigate);
    EXPECT_FALSE(fabric.all<SuspectsNamed>().empty());
}

TEST(Incidents, RepathMovesWhatCrossesTheSuspectIsVerifiedAndCloses) {
    SmallFabric fabric(with(Remedy::Repath, RemedyMode::Automatic));
    fabric.run(20);
    ASSERT_GT(fabric.paths_across(kLink), 5U);
    sicken(fabric);
    EXPECT_THAT(fabric.steps_of(kLink),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::Verified, Step::Closed));
    EXPECT_EQ(fabric.paths_across(kLink), 0U);
    EXPECT_THAT(fabric.detail_of(kLink, Step::Verified), HasSubstr("0 of "));
    // Some new ports lead across it again; these were moved again.
    std::map<std::tuple<IpAddress, IpAddress, std::uint16_t>, int> moves;
    for (const DirectiveSent& sent : fabric.all<DirectiveSent>()) {
        for (const auto& path : sent.body.paths)
            ++moves[{sent.eppc, sent.body.peer, path.path.value}];
    }
    EXPECT_TRUE(std::any_of(moves.begin(), moves.end(), [](const auto& m) { return m.second > 1; }));
}

// No path across it is known; which it is follows from the paths that are.
TEST(Incidents, AGrayLinkBehindASilentSwitchIsFound) {
    SmallFabric fabric;
    fabric.silent = {"spine-1"};
    sicken(fabric);
    EXPECT_THAT(fabric.steps_of(kLink), IsSupersetOf({Step::Opened, Step::Confirmed}));
    EXPECT_GT(fabric.nhms.counters().paths_partial, 20U);
    EXPECT_EQ(fabric.nhms.counters().paths_unusable, 0U);
    for (const SuspectsNamed& named : fabric.all<SuspectsNamed>()) {
        const localise::Suspect& first = named.suspects.front();
        EXPECT_EQ(fabric.graph().name(first.from) + " > " + fabric.graph().name(first.to), kLink);
    }
}

TEST(Incidents, WhereAllSpinesAreSilentAGroupIsSuspectedAndNothingIsDrained) {
    SmallFabric fabric(with(Remedy::Drain, RemedyMode::Automatic));
    fabric.silent = {"spine-0", "spine-1", "spine-2", "spine-3"};
    sicken(fabric);
    bool is_among = false;
    std::set<IncidentId> incidents;
    for (const SuspectsNamed& named : fabric.all<SuspectsNamed>()) {
        incidents.insert(named.incident);
        for (const localise::Suspect& suspect : named.suspects) {
            if (suspect.kind != localise::Suspect::Kind::Link || suspect.group < 0) continue;
            is_among |= fabric.graph().name(suspect.from) + " > " + fabric.graph().name(suspect.to) == kLink;
        }
    }
    EXPECT_TRUE(is_among);
    EXPECT_EQ(incidents.size(), 1U);
    EXPECT_TRUE(fabric.all<DrainRequested>().empty());
}

TEST(Incidents, NoRemedyWithoutConfirmation) {
    SmallFabric fabric([](NhmsConfig& config) {
        for (RemedyMode& mode : config.remedies.modes)
            mode = RemedyMode::Automatic;
    });
    fabric.run(20);
    fabric.loss[kLink] = 0.05;
    while (fabric.steps_of(kLink).empty())
        fabric.run(1);
    fabric.loss.clear();
    fabric.run(60);
    EXPECT_THAT(fabric.steps_of(kLink), Contains(Step::Refuted));
    EXPECT_THAT(fabric.steps_of(kLink), Not(Contains(Step::Remedy)));
    EXPECT_TRUE(fabric.all<DrainRequested>().empty());
    EXPECT_TRUE(fabric.all<OperatorNotified>().empty());
}

TEST(Incidents, AnAdvisoryRemedyIsSaidAndNotDone) {
    SmallFabric fabric([](NhmsConfig& config) {
        for (RemedyMode& mode : config.remedies.modes)
            mode = RemedyMode::Advisory;
    });
    sicken(fabric);
    EXPECT_THAT(fabric.steps_of(kLink),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Advised, Step::Advised, Step::Advised));
    ASSERT_EQ(fabric.all<DrainRequested>().size(), 1U);
    EXPECT_FALSE(fabric.all<DrainRequested>()[0].automatic);
    EXPECT_EQ(fabric.all<OperatorNotified>().size(), 1U);
    EXPECT_TRUE(fabric.drained.empty());
    EXPECT_GT(fabric.paths_across(kLink), 0U);
}

TEST(Incidents, PathsThatAllMovesLeadBackLeaveItToTheNextRemedy) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Repath) = RemedyMode::Automatic;
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
    });
    fabric.moves = false;
    sicken(fabric);
    fabric.run(150);
    EXPECT_THAT(fabric.steps_of(kLink),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::NotVerified, Step::Remedy,
                            Step::Verified, Step::Closed));
    EXPECT_THAT(fabric.drained, ElementsAre(kLink));
    EXPECT_EQ(fabric.paths_across(kLink), 0U);
    // No path is moved more often than it may be.
    std::map<std::tuple<IpAddress, IpAddress, std::uint16_t>, int> moves;
    for (const DirectiveSent& sent : fabric.all<DirectiveSent>()) {
        for (const auto& path : sent.body.paths)
            EXPECT_LE(++moves[std::make_tuple(sent.eppc, sent.body.peer, path.path.value)],
                      fabric.config.remedies.repath_attempts);
    }
}

TEST(Incidents, ADrainThatHelpsNothingIsUndone) {
    SmallFabric fabric(with(Remedy::Drain, RemedyMode::Automatic));
    fabric.obeys_drains = false;  // the controller says nothing and does nothing
    sicken(fabric);
    fabric.run(40);
    EXPECT_THAT(fabric.steps_of(kLink),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::NotVerified, Step::Restored));
    ASSERT_EQ(fabric.all<DrainRequested>().size(), 2U);
    EXPECT_TRUE(fabric.all<DrainRequested>()[1].undrain);
}

TEST(Incidents, TheOtherDirectionOfADrainedCableIsPartOfItsIncident) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
        config.remedies.restore_after = Duration::seconds(3);
    });
    const std::string other = "spine-1 > leaf-3";
    fabric.run(20);
    fabric.loss[kLink] = fabric.loss[other] = 0.05;
    while (fabric.drained.empty())
        fabric.run(1);
    fabric.loss.clear();  // it is repaired while it is out of use
    fabric.run(250);
    EXPECT_EQ(fabric.all<DrainRequested>().size(), 2U);  // and back into use, for good
    EXPECT_TRUE(fabric.drained.empty());
    EXPECT_TRUE(fabric.nhms.remember().incidents.incidents.empty());
}

TEST(Incidents, ASickHostGetsNoNewGuestsAsLongAsItIsSick) {
    SmallFabric fabric(with(Remedy::DrainHost, RemedyMode::Automatic));
    const std::string sick = "leaf-1 > host-1-0";
    fabric.obeys_drains = false;  // of those it has none moves
    fabric.run(20);
    fabric.loss[sick] = 0.05;
    fabric.run(300);
    EXPECT_THAT(fabric.steps_of(sick),
                ElementsAre(Step::Opened, Step::Confirmed, Step::Remedy, Step::NotVerified));
    ASSERT_EQ(fabric.all<DrainRequested>().size(), 1U);
    fabric.loss.clear();
    fabric.run(300);
    EXPECT_THAT(fabric.steps_of(sick), ::testing::IsSupersetOf({Step::Closed, Step::Restored}));
    ASSERT_EQ(fabric.all<DrainRequested>().size(), 2U);
    EXPECT_TRUE(fabric.all<DrainRequested>()[1].undrain);
    EXPECT_TRUE(fabric.nhms.remember().incidents.incidents.empty());
}

TEST(Incidents, WhatIsDrainedLeavesRoomForOthersToBeLookedAt) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
        config.bounds.incidents = 1;
    });
    sicken(fabric);
    ASSERT_THAT(fabric.steps_of(kLink), Contains(Step::Closed));
    fabric.loss["leaf-0 > spine-2"] = 0.05;
    fabric.run(300);
    EXPECT_THAT(fabric.steps_of("leaf-0 > spine-2"), Contains(Step::Closed));
}

TEST(Incidents, ALongMemoryIsHeldInLongerEpochs) {
    SmallFabric fabric([](NhmsConfig& config) { config.memory = Duration::seconds(60); });
    sicken(fabric);
    fabric.run(60);  // an epoch is a quarter of a second, and it takes a few
    EXPECT_THAT(fabric.steps_of(kLink), ElementsAre(Step::Opened, Step::Confirmed));
    EXPECT_EQ(fabric.nhms.counters().evidence.windows_ahead, 0U);
}

TEST(Incidents, WhatWasDrainedIsTriedAgainAndDrainedForLongerWhereItIsStillSick) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
        config.remedies.restore_after = Duration::seconds(1);
    });
    sicken(fabric);
    ASSERT_THAT(fabric.drained, ElementsAre(kLink));
    fabric.run(150);  // 3 s
    std::vector<Time> drains;
    std::vector<Time> restores;
    for (const DrainRequested& drain : fabric.all<DrainRequested>())
        (drain.undrain ? restores : drains).push_back(drain.at);
    ASSERT_GE(restores.size(), 1U);
    ASSERT_GE(drains.size(), 2U);
    fabric.loss.clear();
    fabric.run(300);
    EXPECT_TRUE(fabric.drained.empty());
    EXPECT_EQ(fabric.all<DrainRequested>().size() % 2, 0U);
    EXPECT_FALSE(fabric.nhms.remember().incidents.restored.empty());
}

TEST(Incidents, OneThatHealsByItselfIsClosed) {
    SmallFabric fabric;
    sicken(fabric);
    fabric.loss.clear();
    fabric.run(80);
    EXPECT_THAT(fabric.steps_of(kLink), ElementsAre(Step::Opened, Step::Confirmed, Step::Closed));
    EXPECT_THAT(fabric.detail_of(kLink, Step::Closed), HasSubstr("of its own accord"));
}

TEST(Incidents, ASickSwitchIsOneIncidentAndIsDrainedAsAWhole) {
    SmallFabric fabric(with(Remedy::Drain, RemedyMode::Automatic));
    fabric.run(20);
    for (const char* link : {"leaf-0 > spine-1", "leaf-1 > spine-1", "leaf-2 > spine-1", "leaf-3 > spine-1"})
        fabric.loss[link] = 0.03;
    fabric.run(100);
    EXPECT_THAT(fabric.steps_of("spine-1"),
                IsSupersetOf({Step::Opened, Step::Confirmed, Step::Remedy, Step::Verified, Step::Closed}));
    EXPECT_THAT(fabric.drained, ElementsAre("spine-1"));
    for (const char* link : {"leaf-0 > spine-1", "leaf-1 > spine-1"})
        EXPECT_THAT(fabric.steps_of(link), Not(Contains(Step::Remedy))) << link;
}

TEST(Incidents, AHostIsNotRoutedAroundButItsGuestsAreAskedToMove) {
    SmallFabric fabric([](NhmsConfig& config) {
        for (RemedyMode& mode : config.remedies.modes)
            mode = RemedyMode::Automatic;
    });
    fabric.run(20);
    fabric.loss["host-1-0 > leaf-1"] = 0.05;
    fabric.loss["leaf-1 > host-1-0"] = 0.05;
    fabric.run(60);
    ASSERT_FALSE(fabric.all<MigrationRequested>().empty());
    EXPECT_EQ(fabric.graph().name(fabric.all<MigrationRequested>()[0].host), "host-1-0");
    for (const DirectiveSent& sent : fabric.all<DirectiveSent>())
        EXPECT_NE(sent.body.kind, wire::DirectiveKind::Repath);
    fabric.run(100);  // the guests stay
    ASSERT_FALSE(fabric.all<DrainRequested>().empty());
    EXPECT_EQ(describe(fabric.all<DrainRequested>()[0].subject, fabric.graph()), "host-1-0");
}

TEST(Incidents, SeveralAtOnceEachHasItsOwnEnd) {
    SmallFabric fabric(with(Remedy::Repath, RemedyMode::Automatic));
    fabric.run(20);
    const std::vector<std::string> links{"leaf-0 > spine-1", "spine-2 > leaf-3", "leaf-2 > spine-3"};
    for (const std::string& link : links)
        fabric.loss[link] = 0.05;
    fabric.run(120);
    for (const std::string& link : links) {
        EXPECT_THAT(fabric.steps_of(link), Contains(Step::Closed)) << link;
        EXPECT_EQ(fabric.paths_across(link), 0U) << link;
    }
}

TEST(Incidents, NoMoreRemediesThanTheLimitOfATime) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Repath) = RemedyMode::Automatic;
        config.remedies.remedies_most = 1;
        config.remedies.remedy_interval = Duration::seconds(3600);
    });
    fabric.run(20);
    fabric.loss["leaf-0 > spine-1"] = 0.05;
    fabric.loss["leaf-2 > spine-3"] = 0.05;
    fabric.run(100);
    std::size_t remedies = 0;
    std::size_t held_back = 0;
    for (const IncidentChanged& change : fabric.all<IncidentChanged>()) {
        remedies += change.step == Step::Remedy ? 1U : 0U;
        held_back += change.step == Step::HeldBack ? 1U : 0U;
    }
    EXPECT_EQ(remedies, 1U);
    EXPECT_EQ(held_back, 1U);
}

TEST(Incidents, ADrainBeyondTheShareOfATierIsHeldBackAndSaysWhy) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
        config.remedies.mode(Remedy::Notify) = RemedyMode::Automatic;
        config.remedies.drain_share = 0.05;  // of 16 cables not even one
    });
    sicken(fabric);
    EXPECT_THAT(fabric.steps_of(kLink),
                ElementsAre(Step::Opened, Step::Confirmed, Step::HeldBack, Step::Advised));
    EXPECT_EQ(fabric.all<OperatorNotified>().size(), 1U);
    EXPECT_THAT(fabric.detail_of(kLink, Step::HeldBack), HasSubstr("0 of 16 cables between tiers 1 and 2"));
    EXPECT_TRUE(fabric.all<DrainRequested>().empty());
}

TEST(Incidents, AnEppcThatNeverAnswersDoesNotHoldUpTheRest) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Repath) = RemedyMode::Automatic;
        config.directive_retry = Duration::milliseconds(20);
        config.directive_attempts = 3;
    });
    fabric.mute.insert("host-3-0");
    sicken(fabric);
    fabric.run(100);
    EXPECT_GT(fabric.nhms.counters().directives_unanswered, 0U);
    EXPECT_THAT(fabric.steps_of(kLink), Contains(Step::NotVerified));
    EXPECT_THAT(fabric.detail_of(kLink, Step::NotVerified), HasSubstr("could not be moved off it"));
}

TEST(Incidents, ARestartedServiceGoesOnWhereTheOtherStopped) {
    SmallFabric fabric(with(Remedy::Repath, RemedyMode::Automatic));
    fabric.run(20);
    fabric.loss[kLink] = 0.05;
    while (!std::any_of(fabric.outputs.begin(), fabric.outputs.end(), [](const Output& output) {
        const auto* change = std::get_if<IncidentChanged>(&output);
        return change != nullptr && change->step == Step::Confirmed;
    }))
        fabric.run(1);
    const Memory memory = fabric.nhms.remember();
    ASSERT_EQ(memory.incidents.incidents.size(), 1U);
    fabric.restart_service(&memory);
    EXPECT_EQ(fabric.nhms.remember().incidents.next_incident, memory.incidents.next_incident);
    fabric.run(100);
    EXPECT_THAT(fabric.steps_of(kLink), IsSupersetOf({Step::Resumed, Step::Verified, Step::Closed}));
    std::set<std::uint32_t> ids;
    for (const IncidentChanged& change : fabric.all<IncidentChanged>())
        ids.insert(change.incident.value);
    EXPECT_EQ(ids.size(), 1U);
}

TEST(Incidents, ARestartedServiceInvestigatesAnewWhatWasUnderInvestigation) {
    SmallFabric fabric;
    fabric.run(20);
    fabric.loss[kLink] = 0.05;
    while (fabric.steps_of(kLink).empty())
        fabric.run(1);
    const Memory memory = fabric.nhms.remember();
    fabric.outputs.clear();
    fabric.restart_service(&memory);
    fabric.run(60);
    EXPECT_THAT(fabric.steps_of(kLink), ElementsAre(Step::Resumed, Step::Confirmed));
    EXPECT_FALSE(fabric.all<DirectiveSent>().empty());
}

TEST(Incidents, ARestartedServiceKeepsToWhatWasDrainedBefore) {
    SmallFabric fabric([](NhmsConfig& config) {
        config.remedies.mode(Remedy::Drain) = RemedyMode::Automatic;
        config.remedies.drain_share = 1.0 / 16;  // one cable of 16
        config.remedies.restore_after = Duration::seconds(60);
    });
    sicken(fabric);
    ASSERT_THAT(fabric.drained, ElementsAre(kLink));
    const Memory memory = fabric.nhms.remember();
    fabric.restart_service(&memory);
    EXPECT_EQ(fabric.nhms.remember().incidents, memory.incidents);
    EXPECT_LE(fabric.nhms.next_deadline(), memory.incidents.incidents.at(0).restore_at);
    fabric.loss["leaf-2 > spine-3"] = 0.05;
    fabric.run(80);
    EXPECT_THAT(fabric.steps_of("leaf-2 > spine-3"), Contains(Step::HeldBack));
    EXPECT_THAT(fabric.drained, ElementsAre(kLink));
}

TEST(Incidents, AMemoryOfAnotherFabricIsRefused) {
    SmallFabric fabric;
    Memory memory;
    Incident incident;
    incident.subject = Subject::of_device(localise::NodeId{999});
    memory.incidents.incidents.push_back(incident);
    const auto resumed = fabric.nhms.resume(memory, fabric.now);
    ASSERT_FALSE(resumed.ok());
    EXPECT_EQ(resumed.error(), "memory: incident 0 is about nothing that the graph has");
    EXPECT_TRUE(fabric.nhms.remember().incidents.incidents.empty());
}

TEST(Incidents, TheSameInputsGiveTheSameSteps) {
    std::vector<std::string> runs;
    for (int i = 0; i < 2; ++i) {
        SmallFabric fabric(with(Remedy::Repath, RemedyMode::Automatic));
        sicken(fabric);
        std::string& text = runs.emplace_back();
        for (const IncidentChanged& change : fabric.all<IncidentChanged>())
            text += std::to_string(change.at.ns) + " " + change.detail + "\n";
    }
    EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace dyetrace::health
