// SPDX-License-Identifier: GPL-2.0-or-later
// What switches count and other services conclude, as time goes by; and what it does to rolling evidence.
#include "core/localise/told_evidence.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/localise/rolling_evidence.h"
#include "tests/core/localise/rolling_fabric.h"

namespace dyetrace::localise {
namespace {

using test::at_ms;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Reading = ToldEvidence::Reading;

constexpr LinkId kLink{3};

std::map<LinkId, ToldEvidence::OfLink> links(const ToldEvidence& told, std::int64_t since_ms) {
    return told.links(LocaliserConfig{}, at_ms(since_ms));
}

TEST(ToldEvidence, DifferenceOfTwoReadingsIsAWindow) {
    ToldEvidence told;
    EXPECT_EQ(told.counted(kLink, at_ms(0), 5'000, 7), Reading::Begun);
    EXPECT_THAT(links(told, 0), IsEmpty());
    EXPECT_EQ(told.counted(kLink, at_ms(100), 6'000, 10), Reading::LossyWindow);
    EXPECT_EQ(told.counted(kLink, at_ms(200), 8'000, 10), Reading::Window);
    EXPECT_EQ(links(told, 0).at(kLink).counter.sent, 3'000);
    EXPECT_EQ(links(told, 0).at(kLink).counter.lost, 3);
    EXPECT_EQ(links(told, 100).at(kLink).counter.sent, 2'000) << "only the window that began then";
    EXPECT_FALSE(links(told, 100).at(kLink).accuses());
}

TEST(ToldEvidence, ReadingsThatCannotBeAreNotTaken) {
    ToldEvidence told;
    EXPECT_EQ(told.counted(kLink, at_ms(0), 10, 11), Reading::Impossible);
    EXPECT_TRUE(told.empty());
    told.counted(kLink, at_ms(0), 1'000, 0);
    EXPECT_EQ(told.counted(kLink, at_ms(0), 2'000, 0), Reading::Late);
    EXPECT_EQ(told.counted(kLink, at_ms(10), 1'010, 11), Reading::Impossible);
    EXPECT_THAT(links(told, 0), IsEmpty());
}

TEST(ToldEvidence, ASwitchThatRestartsBeginsAnew) {
    ToldEvidence told;
    told.counted(kLink, at_ms(0), 1'000, 5);
    EXPECT_EQ(told.counted(kLink, at_ms(10), 200, 0), Reading::RanBack);
    EXPECT_EQ(told.counted(kLink, at_ms(20), 500, 1), Reading::LossyWindow);
    EXPECT_EQ(links(told, 0).at(kLink).counter.sent, 300);
    EXPECT_EQ(links(told, 0).at(kLink).counter.lost, 1);
}

TEST(ToldEvidence, TheOldestWindowsOfALinkGiveWay) {
    ToldConfig config;
    config.windows_most_of_a_link = 2;
    ToldEvidence told(config);
    for (int i = 0; i <= 5; ++i)
        told.counted(kLink, at_ms(10 * i), 100U * static_cast<std::uint64_t>(i), 0);
    EXPECT_EQ(links(told, 0).at(kLink).counter.sent, 200);
}

TEST(ToldEvidence, OfAServiceOnlyTheNewestWordCounts) {
    ToldEvidence told;
    const LocaliserConfig config;
    ASSERT_TRUE(told.concluded("west", at_ms(100), {{kLink, {}, 5}}));
    ASSERT_TRUE(told.concluded("east", at_ms(100), {{kLink, {}, 2}, {{}, NodeId{1}, 3}}));
    EXPECT_NEAR(links(told, 0).at(kLink).conclusion, 7 * config.conclusion_trust, 1e-9);
    EXPECT_NEAR(told.devices(config, at_ms(0)).at(NodeId{1}), 3 * config.conclusion_trust, 1e-9);
    EXPECT_FALSE(told.concluded("west", at_ms(50), {})) << "from before";
    ASSERT_TRUE(told.concluded("west", at_ms(200), {}));
    EXPECT_NEAR(links(told, 0).at(kLink).conclusion, 2 * config.conclusion_trust, 1e-9);
    EXPECT_THAT(links(told, 101), IsEmpty());
    told.forget_before(at_ms(150));
    EXPECT_THAT(links(told, 0), IsEmpty());
}

TEST(ToldEvidence, OneIsAcquittedWhereSomebodySaysSoAndNobodyAccusesIt) {
    ToldEvidence told;
    EXPECT_FALSE(told.is_acquitted(kLink, {}, at_ms(0)));
    ASSERT_TRUE(told.concluded("west", at_ms(100), {{kLink, {}, -5}, {{}, NodeId{1}, -1}}));
    EXPECT_TRUE(told.is_acquitted(kLink, {}, at_ms(100)));
    EXPECT_FALSE(told.is_acquitted(kLink, {}, at_ms(101)));
    EXPECT_FALSE(told.is_acquitted(LinkId{4}, {}, at_ms(100)));
    EXPECT_TRUE(told.is_acquitted({}, NodeId{1}, at_ms(100)));
    EXPECT_FALSE(told.is_acquitted({}, NodeId{2}, at_ms(100)));
    ASSERT_TRUE(told.concluded("east", at_ms(100), {{kLink, {}, 1}}));
    EXPECT_FALSE(told.is_acquitted(kLink, {}, at_ms(100)));
}

TEST(ToldEvidence, TooManyServicesOrWordsAreRefused) {
    ToldConfig config;
    config.services_most = 1;
    config.conclusions_most = 1;
    ToldEvidence told(config);
    EXPECT_FALSE(told.concluded("west", at_ms(0), {{kLink, {}, 1}, {kLink, {}, 1}}));
    EXPECT_TRUE(told.concluded("west", at_ms(0), {{kLink, {}, 1}}));
    EXPECT_FALSE(told.concluded("east", at_ms(0), {}));
}

TEST(ToldEvidence, NoWordCountsWithoutBound) {
    ToldEvidence told;
    const LocaliserConfig config;
    ASSERT_TRUE(told.concluded("west", at_ms(0), {{kLink, {}, 1e9}, {LinkId{4}, {}, -1e9}}));
    EXPECT_EQ(links(told, 0).at(kLink).conclusion, config.conclusion_log_odds_max);
    EXPECT_EQ(links(told, 0).at(LinkId{4}).conclusion, -config.conclusion_log_odds_max);
    ASSERT_TRUE(told.concluded("west", at_ms(0), {{kLink, {}, std::numeric_limits<double>::quiet_NaN()}}));
    EXPECT_EQ(links(told, 0).at(kLink).conclusion, 0);
}

TEST(ToldEvidence, TheRateIsThatOfTheSurest) {
    ToldEvidence told;
    ASSERT_TRUE(told.concluded("west", at_ms(0), {{kLink, {}, 5, 0.01}}));
    ASSERT_TRUE(told.concluded("east", at_ms(0), {{kLink, {}, 6, 0.02}}));
    ASSERT_TRUE(told.concluded("north", at_ms(0), {{kLink, {}, -6, 0.03}}));
    EXPECT_EQ(links(told, 0).at(kLink).loss_rate, 0.02);
}

// ---- in rolling evidence ------------------------------------------------------------------------------

/// One path from rack 0 to rack 1 by spine 0, and whatever a test adds.
class ToldOfARack : public testing::Test, public PathNames {
  protected:
    ToldOfARack() : rolling(fabric.graph, *this, {}, at_ms(0)) {
        rolling.route(PathId{0}, at_ms(0), *fabric.graph.links_along(fabric.hops(0, 4, 0)));
    }
    [[nodiscard]] PathKey key(PathId path) const override {
        return {fabric.address(0),
                fabric.address(4),
                SessionId{1},
                PathIndex{static_cast<std::uint16_t>(path.value)},
                {}};
    }
    void windows(int count, std::uint32_t sent, std::uint32_t lost) {
        for (int i = 0; i < count; ++i) {
            now_ms += 20;
            rolling.add(PathId{0}, {at_ms(now_ms - 20), at_ms(now_ms), sent, lost, 0, {}}, {});
        }
    }
    [[nodiscard]] LinkId link(const char* from, const char* to) const {
        return *fabric.graph.link(*fabric.graph.find(std::string_view(from)),
                                  *fabric.graph.find(std::string_view(to)));
    }
    [[nodiscard]] std::vector<std::string> named(std::int64_t since_ms = 0) const {
        std::vector<std::string> names;
        for (const Suspect& suspect : rolling.infer(LocaliserConfig{}, at_ms(since_ms)).suspects)
            names.push_back(fabric.graph.name(suspect.from) + " > " + fabric.graph.name(suspect.to));
        return names;
    }

    test::RackFabric fabric;
    RollingEvidence rolling;
    std::int64_t now_ms = 0;
};

TEST_F(ToldOfARack, ACounterTellsApartWhatOnePathCannot) {
    windows(50, 1'000, 10);
    EXPECT_THAT(named(), SizeIs(testing::Gt(1U)));
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(0), 0, 0);
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(500), 60'000, 590);
    EXPECT_THAT(named(), ElementsAre("rack-0 > spine-0"));
}

TEST_F(ToldOfARack, ACounterFromBeforeIsNoFreshEvidence) {
    windows(50, 1'000, 10);
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(0), 0, 0);
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(500), 60'000, 590);
    EXPECT_THAT(named(100), SizeIs(testing::Gt(1U)));
}

TEST_F(ToldOfARack, ALinkThatNoPathCrossesIsNamedOnASureWord) {
    EXPECT_THAT(named(), IsEmpty());
    rolling.told().concluded("west", at_ms(0), {{link("rack-2", "spine-1"), {}, 30}});
    EXPECT_THAT(named(), ElementsAre("rack-2 > spine-1"));
    EXPECT_THAT(named(1), IsEmpty());
    windows(50, 1'000, 0);
    EXPECT_THAT(named(), ElementsAre("rack-2 > spine-1")) << "beside evidence of others";
}

TEST_F(ToldOfARack, WhatOthersSawItLoseIsItsRate) {
    rolling.told().concluded("west", at_ms(0), {{link("rack-2", "spine-1"), {}, 30, 0.02}});
    const Verdict verdict = rolling.infer(LocaliserConfig{}, at_ms(0));
    ASSERT_THAT(verdict.suspects, SizeIs(1));
    EXPECT_NEAR(verdict.suspects[0].loss_rate, 0.02, 0.005);
}

TEST_F(ToldOfARack, AWordThatIsNotSureNamesNobody) {
    rolling.told().concluded("west", at_ms(0), {{link("rack-2", "spine-1"), {}, 8}});
    EXPECT_THAT(named(), IsEmpty());
}

TEST_F(ToldOfARack, AWordDoesNotOverruleWhatOwnPathsProve) {
    windows(50, 10'000, 0);
    rolling.told().concluded("west", at_ms(0), {{link("rack-0", "spine-0"), {}, 100}});
    EXPECT_THAT(named(), IsEmpty());
}

TEST_F(ToldOfARack, CountersOfSwitchesThatSawNothingNameNobody) {
    windows(50, 1'000, 0);
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(0), 0, 0);
    rolling.told().counted(link("rack-0", "spine-0"), at_ms(500), 60'000, 0);
    EXPECT_THAT(named(), IsEmpty());
}

}  // namespace
}  // namespace dyetrace::localise
