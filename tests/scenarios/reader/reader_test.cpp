// SPDX-License-Identifier: GPL-2.0-or-later
// What is read, and what is told of keys and values. Syntax, types and consistency have tests of their own.
#include "scenarios/reader/reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Reader, WhatIsNotGivenHasTheDefault) {
    const Scenario scenario = read(without_key);
    EXPECT_EQ(scenario.run.duration, Duration::milliseconds(3000));
    EXPECT_EQ(scenario.run.seed, 1U);
    EXPECT_EQ(scenario.fabric.k, 6);
    EXPECT_EQ(scenario.fabric.link_rate_bps, 1'000'000'000U);
    EXPECT_EQ(scenario.tracking.rate, 0.01);
    EXPECT_EQ(scenario.workloads[0].stop, std::nullopt);
    EXPECT_EQ(scenario.workloads[0].flow_sizes.mean_bytes(), 1'711'250);
    EXPECT_THAT(scenario.faults, IsEmpty());
}

TEST(Reader, EveryKeyIsRead) {
    const Scenario s = read(R"(
[run]
duration = "2s"
drain = "50ms"
seed = 9
[fabric]
kind = "fat-tree"
k = 8
link_rate = "10Gbps"
link_delay = "2us"
queue = "1MB"
[workload]
kind = "flows"
distribution = "hadoop"
load = "30%"
flow_rate = "1Gbps"
packet = 1000
start = "10ms"
stop = "1.9s"
[tracking]
rate = "0.1%"
sampling = "probability"
path_count = 32
report_interval = "10ms"
path_idle = "30ms"
key = "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f"
insecure = false
[health]
host = "host-7-3-3"
update_interval = "11ms"
evaluate_interval = "12ms"
raised_rate = 0.5
investigation = "400ms"
cover_interval = "60ms"
cover_pairs = 7
read_counters = "50ms"
repath = "automatic"
drain = "advisory"
migrate = "advisory"
migrate_after = "20ms"
learn_after = "2ms"
drain_host = "off"
notify = "automatic"
drain_share = "10%"
repath_attempts = 3
verify_within = "700ms"
restore_after = "9s"
[[fault]]
kind = "silent-drop"
from = "core-15"
to = "agg-7-3"
at = "0.5s"
until = "1s"
probability = 0.02
[[fault]]
kind = "link-down"
from = "edge-0-0"
to = "agg-0-0"
[record]
pcap = ["agg-0-0:core-0", "host-0-0-0:edge-0-0"]
)");
    EXPECT_EQ(s.run.duration, Duration::seconds(2));
    EXPECT_EQ(s.run.drain, Duration::milliseconds(50));
    EXPECT_EQ(s.run.seed, 9U);
    EXPECT_EQ(s.fabric.kind, FabricKind::FatTree);
    EXPECT_EQ(s.fabric.k, 8);
    EXPECT_EQ(s.fabric.link_rate_bps, 10'000'000'000U);
    EXPECT_EQ(s.fabric.link_delay, Duration::microseconds(2));
    EXPECT_EQ(s.fabric.queue_bytes, 1'000'000U);
    EXPECT_EQ(s.workloads[0].distribution, "hadoop");
    EXPECT_THAT(s.workloads[0].flow_sizes.points(), SizeIs(20));
    EXPECT_EQ(s.workloads[0].load, 0.3);
    EXPECT_EQ(s.workloads[0].flow_rate_bps, 1'000'000'000U);
    EXPECT_EQ(s.workloads[0].packet_bytes, 1000U);
    EXPECT_EQ(s.workloads[0].start, Duration::milliseconds(10));
    EXPECT_EQ(s.workloads[0].stop, Duration::milliseconds(1900));
    EXPECT_EQ(s.tracking.rate, 0.001);
    EXPECT_EQ(s.tracking.sampling, SamplingKind::Probability);
    EXPECT_EQ(s.tracking.path_count, 32);
    EXPECT_EQ(s.tracking.report_interval, Duration::milliseconds(10));
    EXPECT_EQ(s.tracking.path_idle, Duration::milliseconds(30));
    ASSERT_TRUE(s.tracking.key.has_value());
    for (std::size_t i = 0; i < 32; ++i)
        EXPECT_EQ((*s.tracking.key)[i], i);
    EXPECT_FALSE(s.tracking.insecure);
    EXPECT_EQ(s.health.host, "host-7-3-3");
    EXPECT_EQ(s.health.update_interval, Duration::milliseconds(11));
    EXPECT_EQ(s.health.evaluate_interval, Duration::milliseconds(12));
    EXPECT_EQ(s.health.raised_rate, 0.5);
    EXPECT_EQ(s.health.investigation, Duration::milliseconds(400));
    EXPECT_EQ(s.health.cover_interval, Duration::milliseconds(60));
    EXPECT_EQ(s.health.cover_pairs, 7U);
    EXPECT_EQ(s.health.read_counters, Duration::milliseconds(50));
    EXPECT_EQ(s.health.repath, RemedyMode::Automatic);
    EXPECT_EQ(s.health.drain, RemedyMode::Advisory);
    EXPECT_EQ(s.health.migrate, RemedyMode::Advisory);
    EXPECT_EQ(s.health.migrate_after, Duration::milliseconds(20));
    EXPECT_EQ(s.health.learn_after, Duration::milliseconds(2));
    EXPECT_EQ(s.health.drain_host, RemedyMode::Off);
    EXPECT_EQ(s.health.notify, RemedyMode::Automatic);
    EXPECT_EQ(s.health.drain_share, 0.1);
    EXPECT_EQ(s.health.repath_attempts, 3U);
    EXPECT_EQ(s.health.verify_within, Duration::milliseconds(700));
    EXPECT_EQ(s.health.restore_after, Duration::seconds(9));
    ASSERT_THAT(s.faults, SizeIs(2));
    EXPECT_EQ(s.faults[0].kind, FaultKind::SilentDrop);
    EXPECT_EQ(s.faults[0].from, "core-15");
    EXPECT_EQ(s.faults[0].to, "agg-7-3");
    EXPECT_EQ(s.faults[0].at, Duration::milliseconds(500));
    EXPECT_EQ(s.faults[0].until, Duration::seconds(1));
    EXPECT_EQ(s.faults[0].probability, 0.02);
    EXPECT_EQ(s.faults[1].kind, FaultKind::LinkDown);
    EXPECT_EQ(s.faults[1].at, Duration{});
    EXPECT_EQ(s.faults[1].until, std::nullopt);
    EXPECT_THAT(s.record.pcap, ElementsAre("agg-0-0:core-0", "host-0-0-0:edge-0-0"));
}

TEST(Reader, TextPathAndOverridesAreKeptForProvenance) {
    const std::string text = "# as it is\r\n" + without_key;
    const Scenario scenario = read(text, {"run.seed=4"});
    EXPECT_EQ(scenario.text, text);
    EXPECT_EQ(scenario.path, "test.toml");
    EXPECT_THAT(scenario.overrides, ElementsAre("run.seed=4"));
}

TEST(Reader, ADashIsNoValueOfAnOptionalKey) {
    EXPECT_EQ(read("workload.stop = \"-\"\n" + without_key).workloads[0].stop, std::nullopt);
    EXPECT_THAT(told("run.drain = \"-\"\n" + without_key),
                ElementsAre("1:13: drain: \"-\" is not a duration"));
}

TEST(Reader, InlineTablesAndDottedKeysAreTomlToo) {
    const Scenario s = read(
        "fabric = { k = 4 }\nrun.seed = 7\ntracking.insecure = true\n"
        "fault = [{ kind = \"link-down\", from = \"core-0\", to = \"agg-0-0\" }]\n");
    EXPECT_EQ(s.fabric.k, 4);
    EXPECT_EQ(s.run.seed, 7U);
    EXPECT_THAT(s.faults, SizeIs(1));
}

TEST(Reader, AnUnknownKeyIsToldWithTheNearestName) {
    EXPECT_THAT(told("[fabric]\nqeue = \"1MB\"\n[tracking]\ninsecure = true\n"),
                ElementsAre("2:1: unknown key \"qeue\" in [fabric]"));
    EXPECT_EQ(only_suggestion("[fabric]\nqeue = \"1MB\"\n[tracking]\ninsecure = true\n"),
              "did you mean \"queue\"?");
}

TEST(Reader, AKeyInTheWrongTableIsToldWhereItBelongs) {
    EXPECT_EQ(only_suggestion("[run]\npath_count = 4\n[tracking]\ninsecure = true\n"),
              "it belongs in [tracking]");
    EXPECT_EQ(only_suggestion("[run]\nprobability = 4\n[tracking]\ninsecure = true\n"),
              "it belongs in [[fault]]");
    EXPECT_EQ(only_suggestion("seed = 4\n[tracking]\ninsecure = true\n"), "it belongs in [run]");
    EXPECT_THAT(told("seed = 4\n[tracking]\ninsecure = true\n"),
                ElementsAre("1:1: unknown key \"seed\" outside any table"));
}

TEST(Reader, AKeyLikeNoOtherIsToldWithThoseThereAre) {
    EXPECT_EQ(only_suggestion("[run]\nbananas = 4\n[tracking]\ninsecure = true\n"),
              "its keys are duration, drain, seed");
    EXPECT_EQ(only_suggestion("[bananas]\nx = 1\n[tracking]\ninsecure = true\n"),
              "the tables are run, fabric, workload, tracking, health, clock, fault, record, tenant, "
              "service, probe, "
              "flow_trace");
}

TEST(Reader, AnUnknownTableIsToldOnceAndNotItsKeys) {
    const std::string text = "[fabrik]\nk = 99\nx = 1\n[tracking]\ninsecure = true\n";
    EXPECT_THAT(told(text), ElementsAre("1:2: unknown table [fabrik]"));
    EXPECT_EQ(only_suggestion(text), "did you mean \"fabric\"?");
}

TEST(Reader, AnAbsurdlyLongKeyIsShortenedInItsMessage) {
    const auto lines = told("[run]\n" + std::string(5000, 'x') + " = 1\n[tracking]\ninsecure = true\n");
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_LT(lines[0].size(), 200U);
}

TEST(Reader, MissingKeysAreToldAtTheHeader) {
    EXPECT_THAT(told(without_key + "\n[[fault]]\nat = \"0s\"\n"), ElementsAre("3:1: this fault has no kind"));
    EXPECT_THAT(told(without_key + "\n[[fault]]\nkind = \"silent-drop\"\n"),
                ElementsAre("3:1: this fault has no from", "3:1: this fault has no to",
                            "3:1: this silent-drop has no probability"));
    EXPECT_THAT(told(without_key + "\n[[fault]]\nkind = \"host-crash\"\n"),
                ElementsAre("3:1: this fault has no node"));
}

TEST(Reader, AMisspeltRequiredKeyIsNotMissingToo) {
    EXPECT_THAT(told(without_key + "[[fault]]\nknid = \"link-down\"\nfrom = \"core-0\"\nto = \"agg-0-0\"\n"),
                ElementsAre("3:1: unknown key \"knid\" in [[fault]]"));
}

TEST(Reader, ATableWrittenAsAListAndTheOtherWayRound) {
    EXPECT_THAT(told("[[fabric]]\nk = 4\n[tracking]\ninsecure = true\n"),
                ElementsAre("1:3: fabric is a table; this is a list"));
    EXPECT_THAT(told("fabric = 4\n" + without_key),
                ElementsAre("1:1: fabric is a table; this is an integer"));
    EXPECT_THAT(told(without_key + "[fault]\nkind = \"link-down\"\n"),
                ElementsAre("2:2: there can be several fault tables; this is a table"));
    EXPECT_EQ(only_suggestion(without_key + "[fault]\nkind = \"link-down\"\n"),
              "write [[fault]], in double brackets");
    EXPECT_THAT(told("fault = [1]\n" + without_key),
                ElementsAre("1:10: this is an integer, where a [[fault]] table belongs"));
}

TEST(Reader, EveryErrorIsToldAtOnceInOrder) {
    const std::string text = R"([run]
duration = "-1s"
sede = 3
	drain = "10 parsecs"

[fabric]
link_rate = 10Gbps
queue = 150

[traking]
rate = 2

[workload]
distribution = "web-serch"
load = 25
start = "5s"
start = "6s"

[tracking]
rate = 1.5
key = "abc"

[[fault]]
kind = "silent-drop"
from = "agg-9-1"
to = "core-0"
at = "-2s"
probability = 1.5
)";
    EXPECT_THAT(
        told(text, {"run.seed=x", "nonsense"}),
        ElementsAre("2:12: duration: \"-1s\" is negative; allowed: 1ms to 24h",
                    "3:1: unknown key \"sede\" in [run]",
                    "4:10: drain: unknown unit \"parsecs\" in \"10 parsecs\"; a duration has one of ns, us, "
                    "ms, s, min, h",
                    "7:13: 10Gbps is not a TOML value",
                    "8:9: queue: this is an integer, where a size belongs", "10:2: unknown table [traking]",
                    "14:16: there is no distribution \"web-serch\"; there are data-mining, hadoop, storage, "
                    "web-search",
                    "15:8: load: 25 is out of range: 1e-06 to 1, or \"0.0001%\" to \"100%\"",
                    "17:1: start is given a second time",
                    "20:8: rate: 1.5 is out of range: 0 to 1, or \"0%\" to \"100%\"",
                    "21:7: key: a key has 64 hexadecimal digits; this has 3 characters",
                    "25:8: there is no node \"agg-9-1\" in a fat-tree of k = 6",
                    "27:6: at: \"-2s\" is negative; allowed: 0s to 24h",
                    "28:15: probability: 1.5 is out of range: 0 to 1, or \"0%\" to \"100%\"",
                    "--set nonsense: this has no \"=\"", "--set run.seed=x: seed: \"x\" is not an integer"));
}

TEST(Reader, TooManyFaultsAreTold) {
    std::string text = without_key + "fault = [\n";
    for (int i = 0; i < 1002; ++i)
        text += "{ kind = \"link-down\", from = \"core-0\", to = \"agg-0-0\" },\n";
    EXPECT_THAT(told(text + "]\n"), ElementsAre("1003:1: more than 1000 [[fault]] tables"));
}

TEST(Reader, ManyErrorsAreBounded) {
    std::string text = "[run]\n";
    for (int i = 0; i < 1000; ++i)
        text += "wrong_" + std::to_string(i) + " = 1\n";
    const Diagnostics diagnostics = diagnostics_of(text + "[tracking]\ninsecure = true\n");
    EXPECT_THAT(diagnostics.all(), SizeIs(Diagnostics::most));
    EXPECT_EQ(diagnostics.errors(), 1000U);
}

TEST(Reader, WarningsAloneDoNotKeepAScenarioFromBeingRead) {
    const std::string text =
        without_key +
        "[[fault]]\nkind = \"link-down\"\nfrom = \"core-0\"\nto = \"agg-0-0\"\nprobability = 1\n";
    EXPECT_THAT(told(text), ElementsAre("6:15: warning: probability means nothing for link-down: the cable "
                                        "carries nothing, in both directions"));
    EXPECT_THAT(read(text).faults, SizeIs(1));
}

}  // namespace
}  // namespace dyetrace::scenario
