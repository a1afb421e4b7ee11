// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold between several values.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A scenario with one fault, whose kind is on line 3.
std::string fault(const std::string& from, const std::string& to, const std::string& more = "") {
    return without_key + "[[fault]]\nkind = \"silent-drop\"\nfrom = \"" + from + "\"\nto = \"" + to +
           "\"\nprobability = 0.01\n" + more;
}

TEST(FaultLink, BothDirectionsOfEveryTierAreLinks) {
    for (const auto& [from, to] : {std::pair{"agg-1-2", "core-8"},
                                   {"core-8", "agg-1-2"},
                                   {"edge-5-0", "agg-5-2"},
                                   {"agg-5-2", "edge-5-0"},
                                   {"host-0-1-2", "edge-0-1"},
                                   {"edge-0-1", "host-0-1-2"}}) {
        EXPECT_THAT(told(fault(from, to)), IsEmpty()) << from << " " << to;
    }
}

TEST(FaultLink, NodesThatAreNotJoinedAreToldWithThoseThatAre) {
    EXPECT_THAT(told(fault("agg-0-1", "core-0")), ElementsAre("5:6: no link joins agg-0-1 and core-0"));
    EXPECT_EQ(only_suggestion(fault("agg-0-1", "core-0")),
              "agg-0-1 has links to edge-0-0 to edge-0-2 and core-3 to core-5");
    EXPECT_EQ(only_suggestion(fault("core-0", "agg-0-1")), "core-0 has links to agg-0-0 to agg-5-0");
    EXPECT_EQ(only_suggestion(fault("host-0-1-2", "edge-0-0")), "host-0-1-2 has links to edge-0-1");
    EXPECT_THAT(told(fault("core-0", "core-0")), ElementsAre("5:6: core-0 has no link to itself"));
}

TEST(FaultLink, AnUnknownNodeIsToldWithTheNearest) {
    EXPECT_THAT(told(fault("agg-9-1", "core-4")),
                ElementsAre("4:8: there is no node \"agg-9-1\" in a fat-tree of k = 6"));
    EXPECT_EQ(only_suggestion(fault("agg-9-1", "core-4")),
              "did you mean \"agg-5-1\"? These names run from agg-0-0 to agg-5-2");
    EXPECT_EQ(only_suggestion(fault("agg-0-1", "cor-4")),
              "did you mean \"core-4\"? These names run from core-0 to core-8");
    EXPECT_EQ(only_suggestion(fault("aggregation-0-1", "core-4")),
              "did you mean \"agg-0-1\"? These names run from agg-0-0 to agg-5-2");
    EXPECT_EQ(only_suggestion(fault("agg0-1", "core-4")), "did you mean \"agg-0-1\"?");
    EXPECT_EQ(only_suggestion(fault("the red one", "core-4")),
              "nodes are host-P-E-N, edge-P-N, agg-P-N and core-N, from 0, up to host-5-2-2, edge-5-2, "
              "agg-5-2, core-8");
}

/// A scenario with one fault of these lines; the first of them is line 3.
std::string fault_of(const std::string& lines) {
    return without_key + "[[fault]]\n" + lines;
}

TEST(FaultPlace, PatternsMeanTheLinksOrNodesThatMatch) {
    EXPECT_THAT(told(fault_of("kind = \"link-flap\"\nfrom = \"agg-?-0\"\nto = \"core-*\"\ncount = 18\n")),
                IsEmpty());
    EXPECT_THAT(told(fault_of("kind = \"link-flap\"\nfrom = \"agg-?-0\"\nto = \"core-*\"\ncount = 19\n")),
                ElementsAre("6:9: only 18 links match, not 19"));
    EXPECT_THAT(told(fault_of("kind = \"link-down\"\nfrom = \"host-*\"\nto = \"core-*\"\n")),
                ElementsAre("4:8: no link goes from \"host-*\" to \"core-*\""));
    EXPECT_THAT(told(fault_of("kind = \"host-crash\"\nnode = \"spine-*\"\n")),
                ElementsAre("4:8: no host is called like \"spine-*\""));
}

TEST(FaultPlace, HostsAndSwitchesAreToldApart) {
    EXPECT_THAT(told(fault_of("kind = \"host-crash\"\nnode = \"core-1\"\n")),
                ElementsAre("4:8: core-1 is a switch; host-crash strikes hosts"));
    EXPECT_THAT(told(fault_of("kind = \"switch-down\"\nnode = \"host-0-0-1\"\n")),
                ElementsAre("4:8: host-0-0-1 is a host; switch-down strikes switches"));
    EXPECT_THAT(told(fault_of("kind = \"switch-down\"\nnode = \"core-99\"\n")),
                ElementsAre("4:8: there is no node \"core-99\" in a fat-tree of k = 6"));
}

TEST(FaultKeys, WhatAKindNeedsIsToldAndWhatItHasNoUseForIsWarnedOf) {
    EXPECT_THAT(told(fault_of("kind = \"flow-drop\"\nfrom = \"agg-0-0\"\nto = \"core-0\"\n")),
                ElementsAre("2:1: this flow-drop has no share and no match"));
    EXPECT_THAT(
        told(fault_of("kind = \"eppc-restart\"\nnode = \"host-0-0-1\"\nmtu = 1400\n")),
        ElementsAre("5:7: warning: mtu means nothing for eppc-restart: the EPPC begins anew at that time"));
    EXPECT_THAT(told(fault_of("kind = \"flow-drop\"\nfrom = \"agg-0-0\"\nto = \"core-0\"\nshare = 0.5\n"
                              "match = [\"protocol=udp\"]\n")),
                ElementsAre("6:9: warning: share means nothing where match says which flows"));
}

TEST(FaultKeys, AFlowDropMatchesWhatOuterHeadersHave) {
    const std::string drop = fault_of("kind = \"flow-drop\"\nfrom = \"agg-0-0\"\nto = \"core-0\"\n");
    EXPECT_THAT(told(drop + "match = [\"protocol=udp\", \"protocol=udp vni=1000\"]\n"),
                ElementsAre("6:26: match: outer headers have no vni, so this rule meets nothing"));
}

TEST(FaultPlace, AnOutageIsWhereTheHealthServiceIs) {
    const std::string outage = fault_of("kind = \"nhms-outage\"\nnode = ");
    EXPECT_THAT(told(outage + "\"host-0-0-0\"\n"), IsEmpty());
    EXPECT_THAT(told(outage + "\"host-0-*\"\n"), IsEmpty());
    EXPECT_THAT(told(outage + "\"host-1-0-0\"\n"),
                ElementsAre("4:8: the health service is on host-0-0-0: there is no outage anywhere else"));
    EXPECT_THAT(told(outage + "\"host-0-*\"\n", {"health.host=host-1-0-0"}),
                ElementsAre("4:8: the health service is on host-1-0-0: there is no outage anywhere else"));
    EXPECT_THAT(told(outage + "\"host-x\"\n"), ElementsAre(HasSubstr("there is no node \"host-x\"")));
}

TEST(FaultLink, BothUnknownNodesAreTold) {
    EXPECT_THAT(told(fault("x", "y")), ElementsAre("4:8: there is no node \"x\" in a fat-tree of k = 6",
                                                   "5:6: there is no node \"y\" in a fat-tree of k = 6"));
}

TEST(FaultLink, NamesDependOnTheFabric) {
    EXPECT_THAT(told(fault("agg-0-1", "core-2"), {"fabric.k=4"}), IsEmpty());
    EXPECT_THAT(told(fault("agg-0-1", "core-5"), {"fabric.k=4"}),
                ElementsAre("5:6: there is no node \"core-5\" in a fat-tree of k = 4"));
}

TEST(FaultLink, InAFabricThatIsWrongNamesAreNotJudged) {
    EXPECT_THAT(told(fault("agg-0-1", "core-99"), {"fabric.k=5"}),
                ElementsAre("--set fabric.k=5: k: 5 is odd; allowed: even, 4 to 64"));
}

TEST(FaultTimes, AFaultBeginsWithinTheRun) {
    EXPECT_THAT(told(fault("agg-0-1", "core-4", "at = \"1.5s\"\n"), {"run.duration=1.5s"}),
                ElementsAre("7:6: the fault begins at 1.5s, when the run has ended (1.5s)"));
    EXPECT_THAT(told(fault("agg-0-1", "core-4", "at = \"1.499s\"\n"), {"run.duration=1.5s"}), IsEmpty());
    EXPECT_THAT(told(fault("agg-0-1", "core-4", "at = \"0.5s\"\n"), {"run.duration=0.4s"}),
                ElementsAre("7:6: the fault begins at 500ms, when the run has ended (400ms)"));
}

TEST(FaultTimes, AFaultEndsAfterItBegins) {
    EXPECT_THAT(told(fault("agg-0-1", "core-4", "at = \"1s\"\nuntil = \"1s\"\n")),
                ElementsAre("8:9: the fault ends at 1s, not after it begins (1s)"));
    EXPECT_THAT(told(fault("agg-0-1", "core-4", "at = \"1s\"\nuntil = \"9s\"\n")), IsEmpty());
}

TEST(FaultProbability, ZeroAndOneAreProbabilities) {
    EXPECT_THAT(told(fault("agg-0-1", "core-4"), {"fault.0.probability=0"}), IsEmpty());
    EXPECT_THAT(told(fault("agg-0-1", "core-4"), {"fault.0.probability=100%"}), IsEmpty());
}

TEST(FaultProbability, ASilentDropMustHaveIt) {
    EXPECT_THAT(
        told(without_key + "[[fault]]\nkind = \"silent-drop\"\nfrom = \"core-0\"\nto = \"agg-0-0\"\n"),
        ElementsAre("2:1: this silent-drop has no probability"));
}

TEST(Workload, StopsWithinTheRunAndAfterItStarts) {
    EXPECT_THAT(told(without_key + "[workload]\nstop = \"2s\"\n", {"run.duration=1.5s"}),
                ElementsAre("3:8: the workload stops at 2s, after the run ends (1.5s)"));
    EXPECT_THAT(told(without_key + "[workload]\nstart = \"1s\"\nstop = \"1s\"\n"),
                ElementsAre("3:9: the workload starts at 1s, not before it stops (1s)"));
    EXPECT_THAT(told(without_key + "[workload]\nstart = \"1.5s\"\n", {"run.duration=1.5s"}),
                ElementsAre("3:9: the workload starts at 1.5s, not before the run ends (1.5s)"));
    EXPECT_THAT(told(without_key + "[workload]\nstart = \"1s\"\n"), IsEmpty());
}

TEST(Workload, AFlowFitsOnALink) {
    EXPECT_THAT(told(without_key + "[workload]\nflow_rate = \"2Gbps\"\n"),
                ElementsAre("3:13: one flow is to send at 2Gbps, more than a link carries (1Gbps)"));
    EXPECT_THAT(told(without_key + "[fabric]\nlink_rate = \"100Mbps\"\n"),
                ElementsAre("3:13: one flow is to send at 250Mbps, more than a link carries (100Mbps)"));
}

TEST(Underlay, IsIpv4OrIpv6) {
    EXPECT_EQ(read(without_key + "[fabric]\nunderlay = \"ipv6\"\n").fabric.underlay, "ipv6");
    EXPECT_THAT(told(without_key + "[fabric]\nunderlay = \"ipv5\"\n"),
                ElementsAre("3:12: underlay: \"ipv5\" is not \"ipv4\" or \"ipv6\""));
}

TEST(Underlay, AFullPacketFitsItsLongerHeader) {
    const std::string ipv6 = without_key + "[fabric]\nunderlay = \"ipv6\"\n[workload]\n";
    EXPECT_THAT(told(ipv6 + "packet = 1458\n"), IsEmpty());
    EXPECT_THAT(told(ipv6 + "packet = 1459\n"),
                ElementsAre("5:10: a packet of 1459 bytes is too long for an IPv6 underlay"));
    EXPECT_EQ(only_suggestion(ipv6 + "packet = 1472\n"), "1458 is the most; over IPv4 1472");
    EXPECT_THAT(told(without_key + "[workload]\npacket = 1472\n"), IsEmpty());
}

TEST(Clocks, AreSetOfHostsByNameOrPattern) {
    const Scenario read_one = read(without_key +
                                   "[[clock]]\nhosts = \"host-0-*\"\noffset = \"3ms\"\ndrift = -20\n"
                                   "jitter = \"200ns\"\n[[clock]]\nhosts = \"host-5-2-2\"\n");
    ASSERT_EQ(read_one.clocks.size(), 2U);
    EXPECT_EQ(read_one.clocks[0].hosts, "host-0-*");
    EXPECT_EQ(read_one.clocks[0].offset, Duration::milliseconds(3));
    EXPECT_EQ(read_one.clocks[0].drift, -20);
    EXPECT_EQ(read_one.clocks[0].jitter, Duration{200});
    EXPECT_EQ(read_one.clocks[1].offset, Duration{});
}

TEST(Clocks, ThatAreNobodysOrOutOfRangeAreTold) {
    const auto clock = [](const std::string& lines) { return told(without_key + "[[clock]]\n" + lines); };
    EXPECT_THAT(clock("offset = \"1ms\"\n"), ElementsAre("2:1: this clock has no hosts"));
    EXPECT_THAT(clock("hosts = \"host-9-*\"\n"), ElementsAre("3:9: no host is called like \"host-9-*\""));
    EXPECT_THAT(clock("hosts = \"core-*\"\n"), ElementsAre("3:9: no host is called like \"core-*\""));
    EXPECT_THAT(clock("hosts = \"core-0\"\n"),
                ElementsAre("3:9: core-0 is a switch; only hosts have clocks here"));
    EXPECT_THAT(clock("hosts = \"host-9-9-9\"\n"),
                ElementsAre("3:9: there is no node \"host-9-9-9\" in a fat-tree of k = 6"));
    EXPECT_THAT(clock("hosts = \"*\"\noffset = \"2h\"\n"),
                ElementsAre("4:10: offset: \"2h\" is out of range: 0s to 1h"));
    EXPECT_THAT(clock("hosts = \"*\"\ndrift = 1001\n"),
                ElementsAre("4:9: drift: 1001 is out of range: -1000 to 1000"));
    EXPECT_THAT(clock("hosts = \"*\"\njitter = \"2s\"\n"),
                ElementsAre("4:10: jitter: \"2s\" is out of range: 0s to 1s"));
}

TEST(Icmp, LimitsAreInRange) {
    EXPECT_EQ(read(without_key + "[fabric]\nicmp_rate = 100\nicmp_burst = 3\n").fabric.icmp_burst, 3U);
    EXPECT_THAT(told(without_key + "[fabric]\nicmp_rate = -1\nicmp_burst = 0\n"),
                ElementsAre("3:13: icmp_rate: -1 is out of range: 0 to 1000000000",
                            "4:14: icmp_burst: 0 is out of range: 1 to 1000000"));
}

TEST(Tracking, HasAKeyOrSaysThatItIsInsecureNotBoth) {
    const std::string key = "key = \"" + std::string(64, '0') + "\"\n";
    EXPECT_THAT(told("[tracking]\n" + key), IsEmpty());
    EXPECT_THAT(told("[tracking]\ninsecure = true\n"), IsEmpty());
    EXPECT_THAT(told("\n[tracking]\nrate = 0.5\n"),
                ElementsAre("2:1: [tracking] has no key, and does not say insecure = true"));
    EXPECT_THAT(told("[tracking]\ninsecure = false\n"),
                ElementsAre("2:12: [tracking] has no key, and does not say insecure = true"));
    EXPECT_THAT(told("[tracking]\n" + key + "insecure = true\n"),
                ElementsAre("3:12: there is a key, and insecure = true says to work without one"));
    EXPECT_THAT(told("[tracking]\n" + key, {"tracking.insecure=true", "tracking.key=-"}), IsEmpty());
}

TEST(Tracking, AKeyThatIsWrongIsNotMissingToo) {
    EXPECT_THAT(told("[tracking]\nkey = \"00\"\n"),
                ElementsAre("2:7: key: a key has 64 hexadecimal digits; this has 2 characters"));
}

TEST(Tracking, ARateBetweenNothingAndOneInABillionIsTold) {
    EXPECT_THAT(told("[tracking]\ninsecure = true\nrate = 1e-10\n"),
                ElementsAre("3:8: 1e-10 is less than one packet in 1e9"));
    EXPECT_THAT(told("[tracking]\ninsecure = true\nrate = 0\n"), IsEmpty());
}

TEST(Health, StandsOnAHost) {
    EXPECT_THAT(told(without_key + "health.host = \"host-5-2-2\"\n"), IsEmpty());
    EXPECT_THAT(told(without_key + "health.host = \"core-0\"\n"),
                ElementsAre("2:15: core-0 is a switch; the health service stands on a host"));
    EXPECT_THAT(told(without_key + "health.host = \"host-6-0-0\"\n"),
                ElementsAre("2:15: there is no node \"host-6-0-0\" in a fat-tree of k = 6"));
}

TEST(Health, GuestsAreToHaveMovedWhileSomebodyStillWaitsForThem) {
    const std::string late = without_key + "health.migrate_after = \"2s\"\n";
    EXPECT_THAT(told(late), IsEmpty());  // nobody moves them
    EXPECT_THAT(
        told(late, {"health.migrate=automatic"}),
        ElementsAre("2:24: guests move 2s after they are to, and nobody waits for them longer than 2s"));
    EXPECT_THAT(told(late, {"health.migrate=automatic", "health.verify_within=2.1s"}), IsEmpty());
}

TEST(Ports, AreNodeAndPeer) {
    EXPECT_THAT(
        told(without_key + "[record]\npcap = [\"agg-0-1:core-4\",\n  \"agg-0-1\", \"agg-0-1:core-9\",\n  "
                           "\"core-0:core-1\",\n \"agg-0-1:core-4\"]\n"),
        ElementsAre("4:3: \"agg-0-1\" is no port", "4:14: there is no node \"core-9\" in a fat-tree of k = 6",
                    "5:3: no link joins core-0 and core-1", "6:2: agg-0-1:core-4 is listed twice"));
}

}  // namespace
}  // namespace dyetrace::scenario
