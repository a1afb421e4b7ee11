// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/overrides.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string one_fault = without_key +
                              "[run]\nseed = 3\n[[fault]]\nkind = \"silent-drop\"\nfrom = \"agg-0-1\"\nto = "
                              "\"core-4\"\nprobability = 0.01\n";

TEST(Override, ReplacesAValueOfTheFile) {
    EXPECT_EQ(read(one_fault, {"run.seed=8"}).run.seed, 8U);
}

TEST(Override, AddsAKeyAndATable) {
    EXPECT_EQ(read(one_fault, {"run.drain=1ms"}).run.drain, Duration::milliseconds(1));
    EXPECT_EQ(read(one_fault, {"health.host=host-1-1-1"}).health.host, "host-1-1-1");
}

TEST(Override, TheLastOfAKeyCounts) {
    EXPECT_EQ(read(one_fault, {"run.seed=8", "run.seed=9"}).run.seed, 9U);
}

TEST(Override, MendsAWrongValueOfTheFile) {
    EXPECT_EQ(read(without_key + "run.seed = \"three\"\n", {"run.seed=3"}).run.seed, 3U);
}

TEST(Override, ReachesIntoAListByNumber) {
    const Scenario scenario = read(one_fault, {"fault.0.from=core-4", "fault.0.to=agg-3-1"});
    ASSERT_EQ(scenario.faults.size(), 1U);
    EXPECT_EQ(scenario.faults[0].from, "core-4");
    EXPECT_EQ(scenario.faults[0].to, "agg-3-1");
    EXPECT_EQ(scenario.faults[0].probability, 0.01);
}

TEST(Override, AppendsOneEntryToAList) {
    const std::vector<std::string> second = {"fault.1.kind=link-down", "fault.1.from=core-0",
                                             "fault.1.to=agg-0-0"};
    EXPECT_EQ(read(one_fault, second).faults.size(), 2U);
    const std::vector<std::string> first = {"fault.0.kind=link-down", "fault.0.from=core-0",
                                            "fault.0.to=agg-0-0"};
    EXPECT_EQ(read(without_key, first).faults.size(), 1U);
}

TEST(Override, AGapInAListIsTold) {
    EXPECT_THAT(told(one_fault, {"fault.2.at=1s"}),
                ElementsAre("--set fault.2.at=1s: fault has 1 entry; the next one is fault.1"));
    EXPECT_THAT(told(without_key, {"fault.1.at=1s"}),
                ElementsAre("--set fault.1.at=1s: fault has 0 entries; the next one is fault.0"));
}

TEST(Override, WhatIsMissingOfANewEntryIsToldAtTheOverrideThatMadeIt) {
    EXPECT_THAT(told(without_key, {"fault.0.kind=link-down"}),
                ElementsAre("--set fault.0.kind=link-down: this fault has no from",
                            "--set fault.0.kind=link-down: this fault has no to"));
}

TEST(Override, AWrongValueIsToldAtTheOverride) {
    EXPECT_THAT(told(one_fault, {"fault.0.probability=1.5"}),
                ElementsAre("--set fault.0.probability=1.5: probability: \"1.5\" is out of range: 0 to 1, or "
                            "\"0%\" to \"100%\""));
    EXPECT_THAT(told(one_fault, {"fault.0.to=core-0"}),
                ElementsAre("--set fault.0.to=core-0: no link joins agg-0-1 and core-0"));
}

TEST(Override, AnUnknownKeyIsToldWithTheNearestName) {
    EXPECT_THAT(told(one_fault, {"fault.0.probabilty=0"}),
                ElementsAre("--set fault.0.probabilty=0: unknown key \"probabilty\" in [[fault]]"));
    EXPECT_EQ(only_suggestion(one_fault, {"fault.0.probabilty=0"}), "did you mean \"probability\"?");
    EXPECT_EQ(only_suggestion(one_fault, {"trakcing.rate=0"}), "did you mean \"tracking\"?");
    EXPECT_EQ(only_suggestion(one_fault, {"seed=0"}), "it belongs in [run]");
}

TEST(Override, WhatIsNoAssignmentIsTold) {
    EXPECT_THAT(told(one_fault, {"run.seed"}), ElementsAre("--set run.seed: this has no \"=\""));
    EXPECT_THAT(told(one_fault, {"run..seed=1"}),
                ElementsAre("--set run..seed=1: a part of the key is empty"));
    EXPECT_THAT(told(one_fault, {"=1"}), ElementsAre("--set =1: a part of the key is empty"));
    EXPECT_THAT(told(one_fault, {""}), ElementsAre("--set : this has no \"=\""));
    EXPECT_THAT(told(one_fault, {"a.b.c.d.e.f.g.h.i=1"}),
                ElementsAre("--set a.b.c.d.e.f.g.h.i=1: no key has so many parts"));
}

TEST(Override, AWholeTableIsNoValue) {
    EXPECT_THAT(told(one_fault, {"run=1"}), ElementsAre("--set run=1: run is a table, not a value"));
    EXPECT_EQ(only_suggestion(one_fault, {"run=1"}), "name the key, for example run.seed");
    EXPECT_THAT(told(one_fault, {"fault=1"}), ElementsAre("--set fault=1: fault is a list of tables"));
    EXPECT_THAT(told(one_fault, {"fault.0=1"}),
                ElementsAre("--set fault.0=1: fault.0 is a table, not a value"));
}

TEST(Override, AListNeedsANumber) {
    EXPECT_THAT(told(one_fault, {"fault.from=core-4"}),
                ElementsAre("--set fault.from=core-4: fault is a list; \"from\" is no number of an entry"));
    EXPECT_EQ(only_suggestion(one_fault, {"fault.from=core-4"}), "for example fault.0.from");
}

TEST(Override, AValueHasNoParts) {
    EXPECT_THAT(told(one_fault, {"run.seed.x=1"}),
                ElementsAre("--set run.seed.x=1: run.seed is a value; it has no x"));
}

TEST(Override, SpacesAroundItsPartsDoNotCount) {
    EXPECT_EQ(read(one_fault, {" run.seed = 8 "}).run.seed, 8U);
}

TEST(Override, AValueMayHaveAnEqualsSign) {
    EXPECT_THAT(told(one_fault, {"health.host=a=b"}),
                ElementsAre("--set health.host=a=b: there is no node \"a=b\" in a fat-tree of k = 6"));
}

TEST(Override, TooManyAreTold) {
    const std::vector<std::string> many(1001, "run.seed=1");
    EXPECT_THAT(told(one_fault, many), ElementsAre("--set run.seed=1: more than 1000 overrides"));
}

}  // namespace
}  // namespace dyetrace::scenario
