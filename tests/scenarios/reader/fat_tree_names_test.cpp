// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/fat_tree_names.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;

class EveryFatTree : public testing::TestWithParam<std::uint32_t> {};

TEST_P(EveryFatTree, HasAsManyNodesAndLinksAsItSays) {
    const std::uint32_t k = GetParam();
    const FatTreeNames names(k);
    EXPECT_EQ(names.host_count(), k * k * k / 4);
    EXPECT_EQ(names.switch_count(), 5 * k * k / 4);
    const auto nodes = names.nodes();
    EXPECT_EQ(nodes.size(), names.host_count() + names.switch_count());
    EXPECT_EQ(std::set<std::string>(nodes.begin(), nodes.end()).size(), nodes.size());
    const auto links = names.links();
    EXPECT_EQ(links.size(), names.link_count());
    EXPECT_EQ(links.size(), 3U * k * k * k / 2);
}

TEST_P(EveryFatTree, EveryNameIsFoundAgain) {
    const FatTreeNames names(GetParam());
    for (const std::string& name : names.nodes()) {
        const auto node = names.find(name);
        ASSERT_TRUE(node.has_value()) << name;
        EXPECT_EQ(to_string(*node), name);
    }
}

TEST_P(EveryFatTree, LinksAreThoseOfNeighboursInBothDirections) {
    const FatTreeNames names(GetParam());
    const auto list = names.links();
    const std::set<std::pair<std::string, std::string>> links(list.begin(), list.end());
    ASSERT_EQ(links.size(), list.size());
    for (const auto& [from, to] : links) {
        EXPECT_TRUE(links.contains({to, from}));
        EXPECT_TRUE(names.is_link(*names.find(from), *names.find(to))) << from << " " << to;
    }
    std::size_t adjacent = 0;
    for (const std::string& from : names.nodes()) {
        for (const std::string& to : names.nodes())
            adjacent += names.is_link(*names.find(from), *names.find(to)) ? 1 : 0;
    }
    EXPECT_EQ(adjacent, links.size());
}

TEST_P(EveryFatTree, EverySwitchHasKLinksAndEveryHostOne) {
    const FatTreeNames names(GetParam());
    for (const std::string& name : names.nodes()) {
        const auto node = *names.find(name);
        EXPECT_EQ(names.neighbours(node).size(), node.tier == FatTreeTier::Host ? 1U : GetParam()) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(K, EveryFatTree, testing::Values(2U, 4U, 6U, 8U));

TEST(FatTreeNames, AggregationSwitchReachesItsRunOfCores) {
    const FatTreeNames names(6);
    std::vector<std::string> reached;
    for (const FatTreeNode& node : names.neighbours(*names.find("agg-4-1")))
        reached.push_back(to_string(node));
    EXPECT_THAT(reached, ElementsAre("edge-4-0", "edge-4-1", "edge-4-2", "core-3", "core-4", "core-5"));
}

TEST(FatTreeNames, OnlyExactNamesAreFound) {
    const FatTreeNames names(6);
    for (const char* name : {"",
                             "host",
                             "host-",
                             "host-0-0",
                             "host-0-0-3",
                             "host-6-0-0",
                             "host-0-3-0",
                             "host-0-0-0-0",
                             "host-00-0-0",
                             "host-0-0-01",
                             "host--0-0",
                             "host-0-0-0 ",
                             "Host-0-0-0",
                             "edge-0",
                             "edge-0-3",
                             "agg-6-0",
                             "core-9",
                             "core-0-0",
                             "core--1",
                             "core-+1",
                             "core-99999999999999999999",
                             "tor-0-0"}) {
        EXPECT_FALSE(names.find(name).has_value()) << name;
    }
}

TEST(FatTreeNames, TheLargestIsCounted) {
    const FatTreeNames names(64);
    EXPECT_EQ(names.host_count(), 65'536U);
    EXPECT_EQ(names.switch_count(), 5'120U);
    EXPECT_TRUE(names.is_link(*names.find("agg-63-31"), *names.find("core-1023")));
}

}  // namespace
}  // namespace dyetrace::scenario
