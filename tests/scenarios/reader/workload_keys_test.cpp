// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of [workload]: its kinds, several at once, who takes part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/reader/workload_kinds.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A workload of a kind, whose further keys begin on line 4.
std::string of_kind(const std::string& kind) {
    return without_key + "[workload]\nkind = \"" + kind + "\"\n";
}

TEST(WorkloadKeys, AreTakenOver) {
    const WorkloadSettings stream = read(of_kind("on-off") + R"(
hosts = "host-?-0-*"
rate = "20Mbps"
flows = 3
destination = "permutation"
on_time = "2ms"
off_time = "8ms"
times = "pareto"
packet = 500
)")
                                        .workloads.at(0);
    EXPECT_EQ(stream.kind, WorkloadKind::OnOff);
    EXPECT_EQ(stream.hosts, "host-?-0-*");
    EXPECT_EQ(stream.rate_bps, 20'000'000U);
    EXPECT_EQ(stream.flows, 3U);
    EXPECT_EQ(stream.destination, "permutation");
    EXPECT_EQ(stream.on_time, Duration::milliseconds(2));
    EXPECT_EQ(stream.off_time, Duration::milliseconds(8));
    EXPECT_EQ(stream.times, "pareto");
    EXPECT_EQ(stream.packet_bytes, 500U);
    const WorkloadSettings incast = read(of_kind("incast") + R"(
interval = "1ms"
fan_in = 20
receivers = 1
receiver = "host-5-2-2"
response = "64kB"
flow_rate = "1Gbps"
jitter = "10us"
)")
                                        .workloads.at(0);
    EXPECT_EQ(incast.kind, WorkloadKind::Incast);
    EXPECT_EQ(incast.interval, Duration::milliseconds(1));
    EXPECT_EQ(incast.fan_in, 20U);
    EXPECT_EQ(incast.receiver, "host-5-2-2");
    EXPECT_EQ(incast.response_bytes, 64'000U);
    EXPECT_EQ(incast.flow_rate_bps, 1'000'000'000U);
    EXPECT_EQ(incast.jitter, Duration::microseconds(10));
}

TEST(WorkloadKeys, SeveralTablesAreSeveralWorkloads) {
    const auto workloads = read(without_key +
                                    "[[workload]]\ndistribution = \"hadoop\"\nload = 0.1\n"
                                    "[[workload]]\nkind = \"incast\"\n"
                                    "[[workload]]\nkind = \"poisson\"\n",
                                {"workload.1.fan_in=2", "workload.3.kind=constant"})
                               .workloads;
    ASSERT_THAT(workloads, SizeIs(4));
    EXPECT_EQ(workloads[0].distribution, "hadoop");
    EXPECT_THAT(workloads[0].flow_sizes.points(), SizeIs(20));
    EXPECT_EQ(workloads[1].fan_in, 2U);
    EXPECT_EQ(workloads[2].kind, WorkloadKind::Poisson);
    EXPECT_EQ(workloads[3].kind, WorkloadKind::Constant);
    EXPECT_THAT(read(without_key + "workload = []\n").workloads, IsEmpty());
    EXPECT_THAT(read(without_key).workloads, SizeIs(1)) << "flows, where nothing is said";
}

TEST(WorkloadKeys, ErrorsOfSeveralStandWhereTheyAre) {
    const std::string text = without_key +
                             "[[workload]]\nload = 2\n"
                             "[[workload]]\nkind = \"incast\"\nfan_im = 3\nstart = \"9s\"\n"
                             "[[workload]]\ndistribution = \"hadop\"\n";
    EXPECT_THAT(told(text),
                ElementsAre("3:8: load: 2 is out of range: 1e-06 to 1, or \"0.0001%\" to \"100%\"",
                            "6:1: unknown key \"fan_im\" in [workload]",
                            "7:9: the workload starts at 9s, not before the run ends (3s)",
                            HasSubstr("9:16: there is no distribution \"hadop\"")));
    EXPECT_THAT(told(without_key + "workload = 3\n"),
                ElementsAre("2:1: workload is a table; this is an integer"));
    EXPECT_THAT(told(without_key + "workload = [3]\n"),
                ElementsAre("2:13: this is an integer, where a [[workload]] table belongs"));
}

struct Bad {
    const char* kind;
    const char* key;
    const char* value;
    const char* message;
};

class BadWorkloadKey : public testing::TestWithParam<Bad> {};

TEST_P(BadWorkloadKey, IsToldWithItsPlace) {
    const auto& [kind, key, value, message] = GetParam();
    const std::string line = std::string(key) + " = " + value;
    const std::string place = "4:" + std::to_string(std::string(key).size() + 4) + ": ";
    EXPECT_THAT(told(of_kind(kind) + line + "\n"), ElementsAre(place + key + ": " + message));
}

INSTANTIATE_TEST_SUITE_P(
    EachKey, BadWorkloadKey,
    testing::Values(
        Bad{"flows", "hosts", "3", "this is an integer, where a text belongs"},
        Bad{"flows", "vni", "16777215", "16777215 is out of range: 1 to 16777214"},
        Bad{"flows", "load", "0", "0 is out of range: 1e-06 to 1, or \"0.0001%\" to \"100%\""},
        Bad{"flows", "flow_rate", "\"1bps\"", "\"1bps\" is out of range: 1kbps to 1Tbps"},
        Bad{"flows", "packet", "17", "17 is out of range: 18 to 1472"},
        Bad{"flows", "start", "\"-1s\"", "\"-1s\" is negative; allowed: 0s to 24h"},
        Bad{"flows", "stop", "5", "this is an integer, where a duration belongs"},
        Bad{"constant", "rate", "\"0bps\"", "\"0bps\" is out of range: 1kbps to 1Tbps"},
        Bad{"constant", "flows", "0", "0 is out of range: 1 to 1024"},
        Bad{"poisson", "destination", "\"nearest\"", "\"nearest\" is not \"random\" or \"permutation\""},
        Bad{"on-off", "on_time", "\"0s\"", "\"0s\" is out of range: 1us to 24h"},
        Bad{"on-off", "off_time", "\"-1s\"", "\"-1s\" is negative; allowed: 0s to 24h"},
        Bad{"on-off", "times", "\"normal\"", "\"normal\" is not \"exponential\", \"fixed\" or \"pareto\""},
        Bad{"incast", "interval", "\"0s\"", "\"0s\" is out of range: 1us to 24h"},
        Bad{"incast", "fan_in", "0", "0 is out of range: 1 to 65535"},
        Bad{"incast", "receivers", "0", "0 is out of range: 1 to 65535"},
        Bad{"incast", "receiver", "1", "this is an integer, where a text belongs"},
        Bad{"incast", "response", "32000", "this is an integer, where a size belongs"},
        Bad{"incast", "jitter", "\"25h\"", "\"25h\" is out of range: 0s to 24h"}),
    [](const auto& bad) { return bad.param.key; });

TEST(WorkloadKeys, WhatAKindHasNoUseForIsWarnedOf) {
    EXPECT_THAT(told(of_kind("poisson") + "load = 0.1\nrate = \"1Mbps\"\non_time = \"1ms\"\n"),
                ElementsAre("4:8: warning: load means nothing for poisson",
                            "6:11: warning: on_time means nothing for poisson"));
    EXPECT_EQ(only_suggestion(of_kind("poisson") + "load = 0.1\n"), "its keys are rate, flows, destination");
    EXPECT_THAT(told(of_kind("flows") + "fan_in = 3\n"),
                ElementsAre("4:10: warning: fan_in means nothing for flows"));
}

TEST(WorkloadRates, FitOnALink) {
    EXPECT_THAT(told(of_kind("constant") + "rate = \"2Gbps\"\n"),
                ElementsAre("4:8: each host is to send 2Gbps, more than a link carries (1Gbps)"));
    EXPECT_THAT(told(of_kind("incast") + "flow_rate = \"2Gbps\"\n"),
                ElementsAre("4:13: one flow is to send at 2Gbps, more than a link carries (1Gbps)"));
    EXPECT_THAT(told(of_kind("constant") + "[fabric]\nlink_rate = \"10Mbps\"\n"),
                ElementsAre("5:13: each host is to send 100Mbps, more than a link carries (10Mbps)"));
}

TEST(WorkloadRates, FitOnTheLinksThatTheHostsHave) {
    const std::string at = "[fabric]\nkind = \"edge-list\"\nfile = \"" DYETRACE_SOURCE_DIR
                           "/tests/data/topologies/two-speeds.edges\"\n";
    const std::string fast = of_kind("constant") + "hosts = \"fast-*\"\nrate = ";
    EXPECT_THAT(told(fast + "\"5Gbps\"\n" + at), IsEmpty());
    EXPECT_THAT(
        told(fast + "\"200Gbps\"\n" + at),
        ElementsAre("5:8: each host is to send 200Gbps, more than the link of fast-0 carries (100Gbps)"));
    EXPECT_THAT(told(of_kind("constant") + "rate = \"2Mbps\"\n" + at),
                ElementsAre("4:8: each host is to send 2Mbps, more than the link of slow-0 carries (1Mbps)"));
}

TEST(WorkloadHosts, AreHostsAndMoreThanOne) {
    EXPECT_THAT(told(of_kind("constant") + "hosts = \"core-*\"\n"),
                ElementsAre("4:9: no host is called like \"core-*\""));
    EXPECT_THAT(told(of_kind("constant") + "hosts = \"host-0-0-0\"\n"),
                ElementsAre("4:9: only one host matches, and there is none that it could send to"));
    const std::string one_rack =
        "4:9: all hosts that match are in one rack, and flows go from one rack to another";
    EXPECT_THAT(told(of_kind("flows") + "hosts = \"host-0-0-*\"\n"), ElementsAre(one_rack));
    EXPECT_THAT(told(of_kind("poisson") + "hosts = \"host-0-0-*\"\n"), ElementsAre(one_rack));
    EXPECT_THAT(told(of_kind("poisson") + "hosts = \"host-0-0-*\"\ndestination = \"permutation\"\n"),
                IsEmpty());
}

TEST(WorkloadIncast, HasAsManyHostsAsItNeeds) {
    EXPECT_THAT(told(of_kind("incast") + "fan_in = 53\n"), IsEmpty());
    EXPECT_THAT(told(of_kind("incast") + "fan_in = 54\n"),
                ElementsAre("4:10: 1 receiver with 54 senders each need 55 hosts; there are 54"));
    EXPECT_THAT(told(of_kind("incast") + "receivers = 7\n"),
                ElementsAre("4:13: 7 receivers with 8 senders each need 63 hosts; there are 54"));
    EXPECT_THAT(told(of_kind("incast") + "hosts = \"host-0-0-*\"\n"),
                ElementsAre("4:9: 1 receiver with 8 senders each need 9 hosts; there are 3"));
}

TEST(WorkloadIncast, ItsReceiverIsAHostThatTakesPart) {
    EXPECT_THAT(told(of_kind("incast") + "receiver = \"host-9-0-0\"\n"),
                ElementsAre("4:12: there is no node \"host-9-0-0\" in a fat-tree of k = 6"));
    EXPECT_THAT(told(of_kind("incast") + "receiver = \"core-0\"\n"),
                ElementsAre("4:12: core-0 is a switch; a host receives"));
    EXPECT_THAT(told(of_kind("incast") + "receiver = \"host-3-0-0\"\nhosts = \"host-0-*\"\n"),
                ElementsAre("4:12: host-3-0-0 takes no part: hosts is \"host-0-*\""));
    EXPECT_THAT(told(of_kind("incast") + "receiver = \"host-3-0-0\"\nreceivers = 2\n"),
                ElementsAre("5:13: one receiver is named, and there are to be 2"));
}

TEST(Workloads, HaveNoMoreGuestsThanAddresses) {
    std::string text = without_key + "[fabric]\nkind = \"fat-tree\"\nk = 32\n";
    for (int i = 0; i < 8; ++i)
        text += "[[workload]]\nkind = \"constant\"\n";
    EXPECT_THAT(told(text), ElementsAre(HasSubstr("19:1: there would be more than 65534 guests")));
}

TEST(Workloads, SayInALineWhatTheyAre) {
    const auto words = [](const std::string& text) { return workload_words(read(text).workloads.at(0)); };
    EXPECT_EQ(words(without_key),
              "web-search flows of 1.71 MB on average, each at 250Mbps, 20% of each host's link");
    EXPECT_EQ(words(of_kind("poisson") + "flows = 2\nhosts = \"host-0-*\"\n"),
              "poisson packets, 100Mbps of each host, in 2 flows, to random destinations, among host-0-*");
    EXPECT_EQ(words(of_kind("on-off")),
              "on-off packets, 100Mbps of each host while on, 10ms on and 10ms off, exponential, to random "
              "destinations");
    EXPECT_EQ(words(of_kind("incast")), "incast: every 10ms 8 hosts send 32kB each to one host, at 250Mbps");
    EXPECT_EQ(words(of_kind("incast") + "receivers = 3\n"),
              "incast: every 10ms 8 hosts send 32kB each to each of 3 hosts, at 250Mbps");
}

}  // namespace
}  // namespace dyetrace::scenario
