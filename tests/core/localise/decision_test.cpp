// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::localise {
namespace {

using testing::ElementsAre;

Beliefs beliefs(std::initializer_list<double> log_odds, double log_evidence) {
    Beliefs b;
    for (const double l : log_odds)
        b.units.push_back({l, l, 0.01});
    b.log_evidence_of_faults = log_evidence;
    return b;
}

TEST(Decision, RanksByOddsAndNamesWhatIsNearlyCertain) {
    const Decision decision = decide(beliefs({-6, 9, -5, 12}, 20), {});
    EXPECT_THAT(decision.ranked, ElementsAre(3, 1, 2, 0));
    EXPECT_EQ(decision.named, 2U);
}

TEST(Decision, NamesNothingWithoutEvidenceThatThereIsAFault) {
    EXPECT_EQ(decide(beliefs({-6, 0.5, -5}, 0.5), {}).named, 0U);
}

TEST(Decision, NamesNothingWhereNothingIsLikely) {
    EXPECT_EQ(decide(beliefs({-6, -4, -5}, 5), {}).named, 0U);
}

TEST(Decision, LowersTheBarWhereManyFaultsAreHardToSee) {
    // Twenty that are as likely as not, or a little less: leaving all out would miss ten.
    Beliefs hard = beliefs({}, 20);
    hard.units.assign(20, {-0.3, -0.3, 0.01});
    EXPECT_EQ(decide(hard, {}).named, 20U);
    // One such beside a certain one is not worth a false name.
    EXPECT_EQ(decide(beliefs({9, -0.7}, 20), {}).named, 1U);
}

TEST(Decision, CostOfAMissIsConfigured) {
    DecisionConfig careful;
    careful.missed_weight = 0.1;
    DecisionConfig thorough;
    thorough.missed_weight = 10;
    const Beliefs b = beliefs({9, -1, -1, -1, -1}, 20);
    EXPECT_EQ(decide(b, careful).named, 1U);
    EXPECT_EQ(decide(b, thorough).named, 5U);
}

TEST(Decision, NoUnitsNoNames) {
    EXPECT_EQ(decide(Beliefs{}, {}).named, 0U);
}

}  // namespace
}  // namespace dyetrace::localise
