// SPDX-License-Identifier: GPL-2.0-or-later
// When an investigation ends, by what evidence says that a test plays.
#include "core/health/investigation.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

using localise::Crossing;
using localise::NodeKind;
using localise::Suspect;
using localise::Verdict;

class Played final : public localise::EvidenceSource {
  public:
    [[nodiscard]] Verdict infer(const localise::LocaliserConfig& /*config*/, Time /*since*/) const override {
        return verdict;
    }
    [[nodiscard]] Crossing crossing(localise::LinkId /*link*/, Time /*since*/) const override {
        return crossed;
    }
    [[nodiscard]] std::vector<localise::HostPair> pairs_across(localise::LinkId /*link*/, Time /*since*/,
                                                               std::size_t /*most*/) const override {
        return {};
    }
    [[nodiscard]] std::vector<localise::PathKey> paths_across(localise::LinkId /*link*/, Time /*since*/,
                                                              std::size_t /*most*/) const override {
        return {};
    }
    [[nodiscard]] Crossing carried(std::span<const localise::PairPath> /*paths*/,
                                   Time /*since*/) const override {
        return {};
    }

    [[nodiscard]] Crossing carried_between(std::span<const localise::HostPair> /*pairs*/,
                                           Time /*since*/) const override {
        return {};
    }

    Verdict verdict;
    Crossing crossed;
};

/// A suspicion about the link between two switches; what is fresh then is as the test says.
struct Suspicion : ::testing::Test {
    Suspicion() {
        a = graph.add_node("a", NodeKind::Switch);
        b = graph.add_node("b", NodeKind::Switch);
        graph.add_link(a, b);
        suspect.from = a;
        suspect.to = b;
        suspect.log_odds = 2;
        suspect.loss_rate = 2e-3;
        evidence.verdict.suspects = {suspect};
        take(investigation.evaluate(now, true));
        EXPECT_EQ(steps, std::vector{IncidentStep::Opened});
        evidence.verdict.suspects.clear();
        evidence.crossed = {20'000, 4};  // enough to see the loss that was suspected, and few were lost
    }
    void take(const IncidentOutputs& outputs) {
        for (const IncidentChanged& change : outputs.changes)
            steps.push_back(change.step);
    }
    /// Lets so many investigations' time pass.
    void pass(double investigations) {
        const Time end = now + Duration{static_cast<std::int64_t>(
                                   static_cast<double>(config.investigation.ns) * investigations)};
        for (; now <= end; now = now + config.evaluate_interval)
            take(investigation.evaluate(now, false));
    }
    [[nodiscard]] bool is_refuted() const { return steps.back() == IncidentStep::Refuted; }
    /// Of a link between switches, before looking.
    [[nodiscard]] double log_odds_before() const {
        const double share = config.localiser.faulty_share;
        return std::log(share / (1 - share)) + config.localiser.windowed_log_odds;
    }

    Time now = Time{} + Duration::seconds(1);
    NhmsConfig config;
    localise::FabricGraph graph;
    localise::NodeId a, b;
    Suspect suspect;
    Played evidence;
    Investigation investigation{config, graph, evidence};
    std::vector<IncidentStep> steps;
};

// Of two that the evidence cannot tell apart, one incident says all there is to say; what evidence names
// later is a matter of its own.
TEST(AlikeSuspicions, AreConfirmedAsOneThatListsBoth) {
    NhmsConfig config;
    localise::FabricGraph graph;
    std::vector<localise::NodeId> nodes;
    for (const char* name : {"a", "b", "c"})
        nodes.push_back(graph.add_node(name, NodeKind::Switch));
    Played evidence;
    for (const std::size_t i : {0U, 1U}) {
        graph.add_link(nodes[i], nodes[i + 1]);
        Suspect& suspect = evidence.verdict.suspects.emplace_back();
        suspect.from = nodes[i];
        suspect.to = nodes[i + 1];
        suspect.log_odds = 5;
        suspect.group = 0;
        suspect.loss_rate = 0.01;
    }
    evidence.crossed = {20'000, 200};
    Investigation investigation(config, graph, evidence);
    Time now = Time{} + Duration::seconds(1);
    std::vector<std::pair<std::uint32_t, IncidentStep>> steps;
    std::vector<SuspectsNamed> named;
    const auto pass = [&] {
        for (const Time end = now + config.investigation * 2; now <= end;
             now = now + config.evaluate_interval) {
            const IncidentOutputs outputs = investigation.evaluate(now, true);
            for (const IncidentChanged& change : outputs.changes)
                steps.emplace_back(change.incident.value, change.step);
            named.insert(named.end(), outputs.named.begin(), outputs.named.end());
        }
    };
    pass();
    EXPECT_EQ(steps, (std::vector<std::pair<std::uint32_t, IncidentStep>>{{1, IncidentStep::Opened},
                                                                          {2, IncidentStep::Opened},
                                                                          {1, IncidentStep::Confirmed},
                                                                          {2, IncidentStep::Merged}}));
    ASSERT_FALSE(named.empty());
    for (const SuspectsNamed& list : named) {
        EXPECT_EQ(list.incident, IncidentId{1});
        EXPECT_EQ(list.suspects.size(), 2U);
    }
}

TEST_F(Suspicion, IsRefutedInTimeWhereFreshEvidenceSaysNothingOfTheLink) {
    pass(1.5);
    EXPECT_TRUE(is_refuted());
}

TEST_F(Suspicion, IsRefutedInTimeWhereTheLinkHasBecomeLessLikely) {
    suspect.log_odds = log_odds_before() - 0.5;
    evidence.verdict.candidates = {suspect};
    pass(1.5);
    EXPECT_TRUE(is_refuted());
}

TEST_F(Suspicion, GoesOnWhereFreshEvidenceSpeaksForItAndIsTooLittleToNameIt) {
    suspect.log_odds = log_odds_before() + 3;
    evidence.verdict.candidates = {suspect};
    pass(5);
    EXPECT_FALSE(is_refuted());
    suspect.log_odds = 4;
    evidence.verdict.suspects = {suspect};
    pass(0.5);
    EXPECT_EQ(steps[1], IncidentStep::Confirmed);
}

TEST_F(Suspicion, GoesOnTenTimesAsLongAndNoLonger) {
    suspect.log_odds = log_odds_before() + 3;
    evidence.verdict.candidates = {suspect};
    pass(9.5);
    EXPECT_FALSE(is_refuted());
    pass(1);
    EXPECT_TRUE(is_refuted());
}

TEST_F(Suspicion, EndsAsSoonAsFreshEvidenceTurnsAgainstIt) {
    suspect.log_odds = log_odds_before() + 3;
    evidence.verdict.candidates = {suspect};
    pass(3);
    EXPECT_FALSE(is_refuted());
    evidence.verdict.candidates.front().log_odds = log_odds_before() - 1;
    pass(0.5);
    EXPECT_TRUE(is_refuted());
}

}  // namespace
}  // namespace dyetrace::health
