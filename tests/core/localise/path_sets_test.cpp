// SPDX-License-Identifier: GPL-2.0-or-later
// Flows whose path nobody traced: all shortest paths between their hosts are candidates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/localise/flows_on_fat_tree.h"

namespace dyetrace::localise {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class PathSetsTest : public test::FlowsTest {
  protected:
    enum class Known { Lossy, None };

    void add(Localiser& localiser, CandidatePaths& paths, const Flow& flow, Known known) const {
        if (known == Known::Lossy && flow.lost > 0) {
            localiser.add({flow.path, flow.sent, flow.lost});
            return;
        }
        const Candidates found = paths.between(graph_.from(flow.path.front()), graph_.to(flow.path.back()));
        Observation observation{found.common, flow.sent, flow.lost};
        if (!found.one) observation.set = found.set;
        localiser.add(observation);
    }

    Verdict locate(const std::vector<Flow>& all, Known known) const {
        CandidatePaths paths(graph_);
        Localiser localiser(graph_);
        localiser.use_sets(paths.sets());
        for (const Flow& flow : all)
            add(localiser, paths, flow, known);
        return localiser.infer();
    }
};

TEST_F(PathSetsTest, PathsOfLossyFlowsAreEnough) {
    lose("agg-1-0", "core-1", 0.005);
    lose("core-2", "agg-3-1", 0.01);
    EXPECT_THAT(names(locate(flows(4000), Known::Lossy).suspects),
                testing::UnorderedElementsAre("core-2>agg-3-1", "agg-1-0>core-1"));
}

// A likelihood that takes known paths of lossy flows for all there is would blame what carries most.
TEST_F(PathSetsTest, ThatOnlyLossyPathsAreKnownMakesNoSuspect) {
    for (int i = 0; i < 20; ++i)
        EXPECT_THAT(names(locate(flows(1000), Known::Lossy).suspects), IsEmpty()) << "fabric " << i;
}

TEST_F(PathSetsTest, LossRateIsThatOfKnownPaths) {
    lose("agg-1-0", "core-1", 0.01);
    const auto all = flows(4000);
    const auto suspects = locate(all, Known::Lossy).suspects;
    ASSERT_THAT(names(suspects), ElementsAre("agg-1-0>core-1"));
    EXPECT_NEAR(suspects[0].loss_rate, FlowsTest::locate(all).suspects[0].loss_rate, 0.002);
}

TEST_F(PathSetsTest, FaultyHostLinkIsNamedWithoutAnyPath) {
    lose("edge-2-0", "host-2-0-1", 0.02);
    EXPECT_THAT(names(locate(flows(4000), Known::None).suspects), ElementsAre("edge-2-0>host-2-0-1"));
}

// Both uplinks of a rack carry a share of each flow's chances, and nothing says which one lost.
TEST_F(PathSetsTest, UplinksThatNothingTellsApartShareAGroup) {
    lose("edge-1-0", "agg-1-0", 0.03);
    const auto suspects = locate(flows(4000), Known::None).suspects;
    ASSERT_THAT(names(suspects), Contains("edge-1-0>agg-1-0"));
    ASSERT_THAT(names(suspects), Contains("edge-1-0>agg-1-1"));
    std::map<std::string, int> group;
    for (const Suspect& s : suspects)
        group[name_of(s)] = s.group;
    EXPECT_GE(group["edge-1-0>agg-1-0"], 0);
    EXPECT_EQ(group["edge-1-0>agg-1-0"], group["edge-1-0>agg-1-1"]);
}

TEST_F(PathSetsTest, HealthyFabricHasNoSuspectWithoutAnyPath) {
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(names(locate(flows(1000), Known::None).suspects), IsEmpty()) << "fabric " << i;
}

TEST_F(PathSetsTest, OrderOfAddingDoesNotMatter) {
    lose("agg-1-0", "core-1", 0.01);
    auto all = flows(1000);
    const Verdict forward = locate(all, Known::Lossy);
    std::reverse(all.begin(), all.end());
    const Verdict backward = locate(all, Known::Lossy);
    ASSERT_EQ(names(forward.suspects), names(backward.suspects));
    for (std::size_t i = 0; i < forward.suspects.size(); ++i)
        EXPECT_NEAR(forward.suspects[i].log_odds, backward.suspects[i].log_odds, 1e-6);
}

TEST_F(PathSetsTest, SetThatNobodyBroughtIsRefusedAndCounted) {
    Localiser localiser(graph_);
    localiser.add({{}, 10, 0, std::nullopt, PathSetId{0}});
    EXPECT_EQ(localiser.counters().unknown_sets, 1U);
    EXPECT_EQ(localiser.observations(), 0U);
}

}  // namespace
}  // namespace dyetrace::localise
