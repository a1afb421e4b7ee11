// SPDX-License-Identifier: GPL-2.0-or-later
// What switches count, what others concluded, and whose word is not to be believed.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/localise/conclusion.h"
#include "tests/core/localise/flows_on_fat_tree.h"

namespace dyetrace::localise {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class OtherEvidenceTest : public test::FlowsTest {
  protected:
    Localiser localiser(const std::vector<Flow>& all) const {
        Localiser made(graph_);
        for (const Flow& flow : all)
            made.add({flow.path, flow.sent, flow.lost});
        return made;
    }
    double odds_of(const Verdict& verdict, const std::string& name) const {
        for (const auto* list : {&verdict.suspects, &verdict.candidates}) {
            for (const Suspect& suspect : *list)
                if (name_of(suspect) == name) return suspect.log_odds;
        }
        return -std::numeric_limits<double>::infinity();
    }
    std::vector<Flow> one_path(int count, std::uint64_t lost) const {
        const auto path = graph_.links_along(std::vector{
            node("host-0-0-0"), node("edge-0-0"), node("agg-0-0"), node("edge-0-1"), node("host-0-1-0")});
        return std::vector<Flow>(static_cast<std::size_t>(count), Flow{*path, 500, lost});
    }
};

TEST_F(OtherEvidenceTest, CountedLossTellsApartWhatPathsCannot) {
    Localiser with = localiser(one_path(20, 5));
    with.add_counter(link("edge-0-0", "agg-0-0"), 10'000, 95);
    EXPECT_THAT(names(with.infer().suspects), ElementsAre("edge-0-0>agg-0-0"));
}

// A switch that drops silently counts nothing.
TEST_F(OtherEvidenceTest, CountingNothingIsWeakEvidence) {
    lose("agg-1-0", "core-1", 0.01);
    const auto all = flows(2000);
    Localiser with = localiser(all);
    with.add_counter(link("agg-1-0", "core-1"), 20'000, 0);
    const Verdict verdict = with.infer();
    EXPECT_THAT(names(verdict.suspects), ElementsAre("agg-1-0>core-1"));
    const double without = odds_of(localiser(all).infer(), "agg-1-0>core-1");
    EXPECT_LT(odds_of(verdict, "agg-1-0>core-1"), without);
    EXPECT_GT(odds_of(verdict, "agg-1-0>core-1"), without - 2);
}

TEST_F(OtherEvidenceTest, CounterThatLiesDoesNotOverruleWhatPathsProve) {
    Localiser with = localiser(flows(4000));
    with.add_counter(link("agg-1-0", "core-1"), 100'000, 3'000);
    EXPECT_THAT(names(with.infer().suspects), IsEmpty());
}

TEST_F(OtherEvidenceTest, ImpossibleCountersAndConclusionsAreRefusedAndCounted) {
    Localiser with = localiser(flows(100));
    with.add_counter(link("agg-1-0", "core-1"), 10, 11);
    with.add_counter(link("agg-1-0", "core-1"), 0, 0);
    with.add_conclusion({{}, node("core-1"), std::numeric_limits<double>::quiet_NaN()});
    EXPECT_EQ(with.counters().impossible_counts, 1U);
    EXPECT_EQ(with.counters().empty, 1U);
    EXPECT_EQ(with.counters().impossible_conclusions, 1U);
}

TEST_F(OtherEvidenceTest, ConclusionOfAnotherServiceMovesTheOddsByABoundedAmount) {
    const auto all = flows(1000);
    const double before = odds_of(localiser(all).infer(), "agg-1-0>core-1");
    Localiser with = localiser(all);
    with.add_conclusion({link("agg-1-0", "core-1"), {}, 5});
    const double after = odds_of(with.infer(), "agg-1-0>core-1");
    EXPECT_GT(after, -100);
    if (std::isfinite(before)) {
        EXPECT_NEAR(after - before, 5 * LocaliserConfig{}.conclusion_trust, 1);
    }
    Localiser loud = localiser(all);
    loud.add_conclusion({link("agg-1-0", "core-1"), {}, 1e9});
    EXPECT_LE(odds_of(loud.infer(), "agg-1-0>core-1"), after + LocaliserConfig{}.conclusion_log_odds_max);
}

TEST_F(OtherEvidenceTest, ConclusionTipsTheBalanceBetweenLinksThatPathsCannotTellApart) {
    Localiser with = localiser(one_path(20, 5));
    with.add_conclusion({link("agg-0-0", "edge-0-1"), {}, 6});
    const Verdict verdict = with.infer();
    ASSERT_THAT(names(verdict.suspects), Contains("agg-0-0>edge-0-1"));
    EXPECT_EQ(name_of(verdict.suspects.front()), "agg-0-0>edge-0-1");
}

TEST_F(OtherEvidenceTest, ConclusionAboutADeviceCountsForIt) {
    lose_device("agg-2-1", 0.02);
    const auto all = flows(2000);
    const double before = odds_of(localiser(all).infer(), "agg-2-1");
    Localiser with = localiser(all);
    with.add_conclusion({{}, node("agg-2-1"), 5});
    EXPECT_NEAR(odds_of(with.infer(), "agg-2-1") - before, 5 * LocaliserConfig{}.conclusion_trust, 0.5);
}

// ---- devices ------------------------------------------------------------------------------------------

TEST_F(OtherEvidenceTest, DeadSwitchIsNamedAsADevice) {
    lose_device("agg-2-1", 1);
    const Verdict verdict = localiser(flows(2000)).infer();
    EXPECT_THAT(names(verdict.suspects), Contains("agg-2-1"));
}

TEST_F(OtherEvidenceTest, SickHostIsToldFromItsSwitch) {
    lose_device("host-2-0-1", 0.05);
    const auto named = names(localiser(flows(4000)).infer().suspects);
    EXPECT_THAT(named, Contains("host-2-0-1"));
    EXPECT_THAT(named, Not(Contains("edge-2-0")));
}

// ---- liars --------------------------------------------------------------------------------------------

class LiarTest : public OtherEvidenceTest {
  protected:
    /// What flows through `framed` by the word of `host`, who claims that much of it lost.
    void lie(std::vector<Flow>& all, const std::string& host, LinkId framed, std::uint64_t lost) const {
        for (Flow& flow : all) {
            const bool its = graph_.from(flow.path.front()) == node(host);
            if (its && std::find(flow.path.begin(), flow.path.end(), framed) != flow.path.end())
                flow.lost = lost;
        }
    }
};

TEST_F(LiarTest, OneHostCannotFrameALinkThatOthersProveGood) {
    auto all = flows(6000);
    lie(all, "host-0-0-0", link("agg-0-0", "core-1"), 50);
    const auto named = names(localiser(all).infer().suspects);
    EXPECT_THAT(named, Not(Contains("agg-0-0>core-1")));
    EXPECT_THAT(named, ElementsAre("host-0-0-0"));
}

TEST_F(LiarTest, RealFaultIsNamedBesideALiar) {
    lose("agg-1-0", "core-1", 0.01);
    auto all = flows(6000);
    lie(all, "host-0-0-0", link("agg-0-0", "core-1"), 50);
    EXPECT_THAT(names(localiser(all).infer().suspects),
                testing::UnorderedElementsAre("agg-1-0>core-1", "host-0-0-0"));
}

TEST_F(LiarTest, NobodyIsCalledALiarWhereALinkIsFaulty) {
    for (int i = 0; i < 10; ++i) {
        rates_.clear();
        lose("agg-0-0", "core-1", i % 2 == 0 ? 0.01 : 0.2);
        EXPECT_THAT(names(localiser(flows(2000)).infer().suspects), ElementsAre("agg-0-0>core-1"));
    }
}

// Nobody else crosses it: who is to say?
TEST_F(LiarTest, OnlyWitnessIsNoLiar) {
    auto all = flows(3000);
    const LinkId crossed = link("agg-0-0", "core-1");
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Flow& flow) {
                                 return graph_.from(flow.path.front()) != node("host-0-0-0") &&
                                        std::find(flow.path.begin(), flow.path.end(), crossed) !=
                                            flow.path.end();
                             }),
              all.end());
    lie(all, "host-0-0-0", crossed, 50);
    EXPECT_THAT(names(localiser(all).infer().suspects), ElementsAre("agg-0-0>core-1"));
}

}  // namespace
}  // namespace dyetrace::localise
