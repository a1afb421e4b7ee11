// SPDX-License-Identifier: GPL-2.0-or-later
// The reader knows a fat-tree by name, so that a scenario is checked without ns-3. It is to be the one that
// the module builds.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <ns3/dyetrace-topology.h>

#include "scenarios/reader/fat_tree_names.h"

namespace dyetrace::runner {
namespace {

using ns3::DyetraceTopology;

class FatTree : public testing::TestWithParam<std::uint32_t> {
  protected:
    const scenario::FatTreeNames names_{GetParam()};
    const DyetraceTopology topology_ = DyetraceTopology::FatTree(GetParam());
};

TEST_P(FatTree, HasTheNodesThatTheReaderNamesInTheSameOrder) {
    std::vector<std::string> built;
    for (std::uint32_t node = 0; node < topology_.GetNNodes(); ++node)
        built.push_back(topology_.GetNode(node).name);
    EXPECT_EQ(built, names_.nodes());
    EXPECT_EQ(topology_.GetNHosts(), names_.host_count());
}

TEST_P(FatTree, HasTheLinksThatTheReaderNamesInTheSameOrder) {
    std::vector<std::pair<std::string, std::string>> built;
    for (std::uint32_t link = 0; link < topology_.GetNLinks(); ++link) {
        built.emplace_back(topology_.GetNode(topology_.GetFrom(link)).name,
                           topology_.GetNode(topology_.GetTo(link)).name);
    }
    EXPECT_EQ(built, names_.links());
}

TEST_P(FatTree, HasEachNodeInTheTierThatTheReaderSays) {
    const auto built_as = [](scenario::FatTreeTier tier) {
        switch (tier) {
            case scenario::FatTreeTier::Host: return DyetraceTopology::Tier::Host;
            case scenario::FatTreeTier::Edge: return DyetraceTopology::Tier::Edge;
            case scenario::FatTreeTier::Aggregation: return DyetraceTopology::Tier::Aggregation;
            case scenario::FatTreeTier::Core: return DyetraceTopology::Tier::Core;
        }
        return DyetraceTopology::Tier::Host;
    };
    for (const std::string& name : names_.nodes()) {
        const auto known = names_.find(name);
        ASSERT_TRUE(known.has_value()) << name;
        const auto& node = topology_.GetNode(topology_.FindNode(name));
        EXPECT_EQ(node.tier, built_as(known->tier)) << name;
        EXPECT_EQ(node.position, known->number) << name;
        if (known->tier != scenario::FatTreeTier::Core) {
            EXPECT_EQ(node.pod, known->pod) << name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(K, FatTree, testing::Values(4U, 6U, 8U));

}  // namespace
}  // namespace dyetrace::runner
