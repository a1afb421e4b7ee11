// SPDX-License-Identifier: GPL-2.0-or-later
// Runs on fabrics of every kind: what is recorded of the fabric, and that a fault is found in it.
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

using testing::ContainsRegex;

TEST(FabricKinds, TheLeafSpinesGrayLinkIsNamed) {
    const TestFolder folder;
    const Outcome outcome = run_of("leaf-spine.toml", folder.file("run.db"));
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_THAT(outcome.out, ContainsRegex("1  link   spine-1 > leaf-4 .*truth agrees"));
}

TEST(FabricKinds, TheWideAreasGrayLinkIsNamed) {
    const TestFolder folder;
    const Outcome outcome = run_of("wide-area.toml", folder.file("run.db"));
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_THAT(outcome.out, ContainsRegex("1  link   Zurich > Milan .*truth agrees"));
}

TEST(FabricKinds, RatesAndDelaysOfLinksAreRecordedAsTheFileHasThem) {
    const TestFolder folder;
    ASSERT_EQ(run_of("wide-area.toml", folder.file("run.db"), {"run.duration=310ms"}).exit, 0);
    const store::RunReader run(folder.file("run.db"));
    const auto nodes = run.nodes();
    std::size_t between_cities = 0;
    for (const store::LinkRow& link : run.links()) {
        const bool is_host = nodes[static_cast<std::size_t>(link.from_node)].kind == "host" ||
                             nodes[static_cast<std::size_t>(link.to_node)].kind == "host";
        EXPECT_EQ(link.rate_bps, is_host ? 1'000'000'000 : 10'000'000'000);
        EXPECT_EQ(link.delay_ns == 1'000, is_host) << link.delay_ns;
        between_cities += is_host ? 0 : 1;
    }
    EXPECT_EQ(between_cities, 2U * 18);
}

TEST(FabricKinds, OverIpv6TheSameLinkIsNamedAndNodesHaveItsAddresses) {
    const TestFolder folder;
    const Outcome outcome = run_of("leaf-spine.toml", folder.file("run.db"), {"fabric.underlay=ipv6"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_THAT(outcome.out, ContainsRegex("1  link   spine-1 > leaf-4 .*truth agrees"));
    const store::RunReader run(folder.file("run.db"));
    EXPECT_EQ(run.nodes().front().address, "fd00::a00:2");
}

class EveryKind : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(EveryKind, RunsAndIsRecordedWithAPlaceOfItsOwnForEveryNode) {
    const TestFolder folder;
    std::vector<std::string> sets = GetParam();
    sets.insert(sets.end(), {"run.duration=50ms", "run.drain=50ms"});
    const Outcome outcome = run_of("quiet.toml", folder.file("run.db"), sets);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const store::RunReader run(folder.file("run.db"));
    std::set<std::tuple<std::string, std::int64_t, std::int64_t>> places;
    for (const store::NodeRow& node : run.nodes())
        EXPECT_TRUE(places.emplace(node.kind, node.pod.value_or(-1), node.position.value_or(-1)).second)
            << node.name;
    EXPECT_GT(places.size(), 10U);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, EveryKind,
    testing::Values(std::vector<std::string>{"fabric.k=4"},
                    std::vector<std::string>{"fabric.kind=leaf-spine"},
                    std::vector<std::string>{"fabric.kind=clos", "fabric.core_rate=10Gbps"},
                    std::vector<std::string>{"fabric.kind=jellyfish"},
                    std::vector<std::string>{"fabric.kind=graphml", "fabric.file=alps"},
                    std::vector<std::string>{"fabric.kind=edge-list", "fabric.file=campus"}));

}  // namespace
}  // namespace dyetrace::runner
