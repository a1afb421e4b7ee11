// SPDX-License-Identifier: GPL-2.0-or-later
// Runs on fabrics of every kind: what is recorded of the fabric, and that a fault is found in it.
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
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

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

TEST(FabricKinds, ARunKeepsTheTextsThatItWasMadeOf) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    ASSERT_EQ(run_of("wide-area.toml", database, {"run.duration=310ms"}).exit, 0);
    EXPECT_EQ(run_program({dyetrace(), "show", database, "--topology"}).out,
              text_of(scenario("topologies/alps.graphml")));
    EXPECT_EQ(run_program({dyetrace(), "show", database, "--scenario"}).out,
              text_of(scenario("wide-area.toml")));
    EXPECT_THAT(run_program({dyetrace(), "show", database}).out, ContainsRegex("fabric of .*alps.graphml"));
}

TEST(FabricKinds, ARunOfAShapeHasNoTopologyToPrint) {
    const TestFolder folder;
    const std::string database = folder.file("run.db");
    ASSERT_EQ(run_of("quiet.toml", database, {"run.duration=10ms", "run.drain=10ms"}).exit, 0);
    const Outcome outcome = run_program({dyetrace(), "show", database, "--topology"});
    EXPECT_EQ(outcome.exit, 3);
    EXPECT_THAT(outcome.err, testing::HasSubstr("has no topology"));
}

TEST(Clocks, AreThoseOfTheHostsThatTheyAreSetOf) {
    const TestFolder folder;
    ASSERT_EQ(run_of("quiet.toml", folder.file("run.db"),
                     {"run.duration=100ms", "run.drain=100ms", "tracking.path_idle=5ms", "tracking.rate=1",
                      "tracking.report_interval=10ms", "health.update_interval=10ms",
                      "clock.0.hosts=host-1-*", "clock.0.offset=50ms"})
                  .exit,
              0);
    const store::RunReader run(folder.file("run.db"));
    const auto nodes = run.nodes();
    const auto is_ahead = [&](store::RowId node) {
        return nodes[static_cast<std::size_t>(node)].name.starts_with("host-1-");
    };
    std::map<store::RowId, store::SessionRow> sessions;
    for (const store::SessionRow& session : run.sessions())
        sessions[session.id] = session;
    constexpr std::int64_t ms = 1'000'000;
    std::map<std::int64_t, int> seen;
    for (const store::PathRecordRow& record : run.last_path_records()) {
        if (record.delay_count == 0) continue;
        const store::SessionRow& session = sessions.at(record.session);
        // What the acceptor's clock is ahead of the requester's is in every raw delay.
        const std::int64_t ahead_ms =
            (is_ahead(session.acceptor_node) ? 50 : 0) - (is_ahead(session.requester_node) ? 50 : 0);
        EXPECT_GT(record.delay_ns_min, ahead_ms * ms);
        EXPECT_LT(record.delay_ns_min, ahead_ms * ms + 5 * ms);
        ++seen[ahead_ms];
    }
    EXPECT_EQ(seen.size(), 3U);
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
