// SPDX-License-Identifier: GPL-2.0-or-later
// What [fabric] comes to, kind by kind.
#include "scenarios/reader/fabric.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/reader/reader.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string fabric(const std::string& keys) {
    return without_key + "[fabric]\n" + keys;
}

std::string fault(const std::string& from, const std::string& to) {
    return "\n[[fault]]\nkind = \"link-down\"\nfrom = \"" + from + "\"\nto = \"" + to + "\"\n";
}

TEST(Fabric, EachKindIsPlannedFromItsKeys) {
    const auto plan_of = [](const std::string& keys) { return *read(fabric(keys)).fabric.plan; };
    EXPECT_EQ(plan_of("").host_count(), 54U);
    EXPECT_EQ(plan_of("kind = \"leaf-spine\"\nleaves = 3\nhosts_per_rack = 5").host_count(), 15U);
    EXPECT_EQ(plan_of("kind = \"clos\"\npods = 2\nedges = 3\nplanes = 2\nspines = 5\n").switch_count(),
              2U * (3 + 2) + 2 * 5);
    EXPECT_EQ(plan_of("kind = \"jellyfish\"\nswitches = 10\ndegree = 3\n").cables().size(), 40U + 15);
    EXPECT_EQ(plan_of("kind = \"graphml\"\nfile = \"alps\"\nhosts_per_node = 2\n").host_count(), 24U);
    EXPECT_EQ(plan_of("kind = \"edge-list\"\nfile = \"campus\"\n").host_count(), 7U);
}

TEST(Fabric, RatesReachTheirCables) {
    const Scenario s = read(
        fabric("kind = \"clos\"\nuplink_rate = \"2Gbps\"\ncore_rate = \"4Gbps\"\nlink_rate = \"1Gbps\"\n"));
    for (const localise::PlannedCable& cable : s.fabric.plan->cables()) {
        const auto tier = s.fabric.plan->nodes()[cable.upper].tier;
        EXPECT_EQ(cable.settings.rate_bps, tier == localise::PlanTier::Edge          ? 0U
                                           : tier == localise::PlanTier::Aggregation ? 2'000'000'000U
                                                                                     : 4'000'000'000U);
    }
}

TEST(Fabric, TheWiringIsTheSeedsOfTheFabricAndNotOfTheRun) {
    const auto pairs = [](const std::string& keys, const std::vector<std::string>& overrides = {}) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
        const Scenario s = read(fabric("kind = \"jellyfish\"\n" + keys), overrides);
        for (const localise::PlannedCable& cable : s.fabric.plan->cables())
            all.emplace_back(cable.lower, cable.upper);
        return all;
    };
    EXPECT_EQ(pairs(""), pairs("", {"run.seed=9"}));
    EXPECT_NE(pairs(""), pairs("wiring_seed = 2"));
}

TEST(Fabric, AKeyOfAnotherKindIsToldWithThoseOfThisOne) {
    const std::string text = fabric("kind = \"leaf-spine\"\nk = 4\nfile = \"alps\"\nspines = 2\n");
    EXPECT_THAT(told(text), ElementsAre("4:5: warning: k means nothing for leaf-spine",
                                        "5:8: warning: file means nothing for leaf-spine"));
    EXPECT_EQ(diagnostics_of(text).all().front().suggestion,
              "its keys are leaves, spines, hosts_per_rack, uplink_rate");
    EXPECT_THAT(told(fabric("spines = 2\n")),
                ElementsAre("3:10: warning: spines means nothing for fat-tree"));
}

TEST(Fabric, NumbersThatDoNotGoTogetherAreTold) {
    EXPECT_THAT(told(fabric("kind = \"jellyfish\"\nswitches = 5\ndegree = 5\n")),
                ElementsAre("5:10: links of a switch to others are 3 to 4, not 5"));
    EXPECT_THAT(told(fabric("kind = \"leaf-spine\"\nleaves = 1024\nhosts_per_rack = 253\n")),
                ElementsAre("5:18: a fabric of 259072 hosts is too large: at most 65536 are allowed"));
    EXPECT_THAT(told(fabric("kind = \"clos\"\npods = 1\nedges = 1\n")),
                ElementsAre(HasSubstr("only edge-0-0 has hosts, and flows go from one rack to another")));
}

TEST(Fabric, AFileMustBeNamedAndBeThere) {
    EXPECT_THAT(told(fabric("kind = \"graphml\"\n")), ElementsAre("3:8: graphml has no file"));
    EXPECT_THAT(told(fabric("kind = \"graphml\"\nfile = \"alsp\"\n")),
                ElementsAre(HasSubstr("4:8: there is no topology \"alsp\"; there are alps")));
    EXPECT_EQ(only_suggestion(fabric("kind = \"graphml\"\nfile = \"alsp\"\n")), "did you mean \"alps\"?");
}

TEST(Fabric, WhatIsWrongInAFileIsToldWithItsOwnLine) {
    EXPECT_THAT(told(fabric("kind = \"graphml\"\nfile = \"campus.edges\"\n")),
                ElementsAre(HasSubstr("topologies/campus.edges:1:1: not XML: ")));
}

TEST(Fabric, HostsPerNodeMeansNothingForAFileThatNamesItsHosts) {
    EXPECT_THAT(told(fabric("kind = \"edge-list\"\nfile = \"campus\"\nhosts_per_node = 3\n")),
                ElementsAre("5:18: warning: hosts_per_node means nothing for campus, which names its hosts"));
}

TEST(Fabric, TheHealthServiceStandsOnTheFirstHostUnlessToldWhere) {
    EXPECT_EQ(read(fabric("kind = \"leaf-spine\"\n")).health.host, "host-0-0");
    EXPECT_EQ(read(fabric("kind = \"edge-list\"\nfile = \"campus\"\n")).health.host, "reading-room");
    EXPECT_EQ(read(fabric("kind = \"leaf-spine\"\n"), {"health.host=host-2-1"}).health.host, "host-2-1");
    EXPECT_THAT(
        told(fabric("kind = \"leaf-spine\"\n"), {"health.host=leaf-1"}),
        ElementsAre("--set health.host=leaf-1: leaf-1 is a switch; the health service stands on a host"));
}

TEST(Fabric, UnknownNodesAreToldWithTheNearestWhateverTheKind) {
    const std::string leaf_spine = fabric("kind = \"leaf-spine\"\n");
    EXPECT_EQ(only_suggestion(leaf_spine + fault("leaf-99", "spine-0")),
              "did you mean \"leaf-7\"? These names run from leaf-0 to leaf-7");
    EXPECT_EQ(only_suggestion(leaf_spine + fault("what is that", "spine-0")),
              "nodes are host-L-N, leaf-N and spine-N, from 0, up to host-7-3, leaf-7, spine-3");
    const std::string alps = fabric("kind = \"graphml\"\nfile = \"alps\"\n");
    EXPECT_THAT(told(alps + fault("Zurihc", "Milan")),
                ElementsAre("8:8: there is no node \"Zurihc\" in alps"));
    EXPECT_EQ(only_suggestion(alps + fault("Zurihc", "Milan")), "did you mean \"Zurich\"?");
    EXPECT_EQ(only_suggestion(alps + fault("Timbuktu", "Milan")),
              "its switches are Geneva, Lyon, Zurich, Turin, Milan, Innsbruck, Munich, Verona and 4 more");
    EXPECT_THAT(told(fabric("kind = \"clos\"\nplanes = 3\n") + fault("agg-0-1", "core-1-9")),
                ElementsAre("9:6: there is no node \"core-1-9\" in a Clos of 4 pods and 3 planes"));
}

TEST(Fabric, ALargeFabricsNamesAreStillSuggested) {
    const std::string large = fabric("k = 64\n");
    EXPECT_EQ(only_suggestion(large + fault("agg-0-1", "cor-33")),
              "did you mean \"core-33\"? These names run from core-0 to core-1023");
}

TEST(Fabric, NodesThatAreNotJoinedAreToldWithThoseThatAre) {
    const std::string alps = fabric("kind = \"graphml\"\nfile = \"alps\"\n");
    EXPECT_THAT(told(alps + fault("Lyon", "Vienna")), ElementsAre("9:6: no link joins Lyon and Vienna"));
    EXPECT_EQ(only_suggestion(alps + fault("Lyon", "Vienna")),
              "Lyon has links to host-Lyon-0 and Geneva, Turin");
    EXPECT_EQ(only_suggestion(fabric("kind = \"leaf-spine\"\n") + fault("leaf-0", "leaf-1")),
              "leaf-0 has links to host-0-0 to host-0-3 and spine-0 to spine-3");
}

}  // namespace
}  // namespace dyetrace::scenario
