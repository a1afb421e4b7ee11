// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of every kind, where they strike, and how the fabric routes around them.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <ns3/dyetrace-fault.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "../model/dyetrace-clock.h"
#include "../model/dyetrace-routes.h"
#include "dyetrace-test-cases.h"
#include "dyetrace-test-traffic.h"

#include "core/base/random.h"
#include "core/wire/icmp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

/// Sends `count` datagrams, one a microsecond, from pod 0 to pod 1 of a fabric with one path.
void SendAcross(TestFabric& fabric, uint32_t count, uint32_t payload = 500) {
    for (uint32_t i = 0; i < count; ++i) {
        Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
        datagram.sourcePort = static_cast<uint16_t>(i >> 8);
        datagram.destinationPort = static_cast<uint16_t>(i & 0xff);
        datagram.payload = payload;
        fabric.SendAt(MicroSeconds(i), datagram);
    }
}

uint32_t OrdinalOf(const TestFabric::Arrival& arrival) {
    const uint8_t* ports = arrival.head.data() + 34;
    return static_cast<uint32_t>(dyetrace::load_u16(ports)) << 8 | dyetrace::load_u16(ports + 2);
}

/// Ordinals in the order of arrival.
std::vector<uint32_t> Arrived(const TestFabric& fabric) {
    std::vector<uint32_t> ordinals;
    for (const auto& arrival : fabric.GetArrivals())
        ordinals.push_back(OrdinalOf(arrival));
    return ordinals;
}

/// How many come after one that was sent later.
uint32_t Overtaken(const std::vector<uint32_t>& ordinals) {
    uint32_t overtaken = 0;
    uint32_t highest = 0;
    for (const uint32_t ordinal : ordinals) {
        overtaken += ordinal < highest;
        highest = std::max(highest, ordinal);
    }
    return overtaken;
}

class PacketFaultsTestCase : public TestCase {
  public:
    PacketFaultsTestCase() : TestCase("each kind of fault does to packets what it says, and no more") {}

  private:
    static constexpr uint32_t Count = 2000;

    /// Arrivals under one fault of core-0 > agg-1-0.
    std::vector<TestFabric::Arrival> Under(Attributes fault) {
        TestFabric fabric{{"K", "2"}, {"Seed", "3"}};
        fault.insert(fault.end(), {{"From", "core-0"}, {"To", "agg-1-0"}});
        fabric.AddFault(fault);
        SendAcross(fabric, Count);
        fabric.Run();
        NS_TEST_EXPECT_MSG_EQ(fabric->GetPool().GetInUse(), 0, "no packet is left over");
        m_arrived = Arrived(fabric);
        const DyetraceTopology& topology = fabric->GetTopology();
        m_frameErrors = fabric->GetFrameErrors(
            topology.FindLink(topology.FindNode("core-0"), topology.FindNode("agg-1-0")));
        return fabric.GetArrivals();
    }

    void DoRun() override {
        const auto clean = Under({{"Kind", "silent-drop"}, {"Probability", "0"}});
        NS_TEST_ASSERT_MSG_EQ(clean.size(), Count, "all arrive where nothing is wrong");

        const auto late = Under({{"Kind", "added-delay"}, {"Delay", "30us"}, {"Jitter", "5us"}});
        NS_TEST_ASSERT_MSG_EQ(late.size(), Count, "a delay loses nothing");
        NS_TEST_EXPECT_MSG_EQ(std::is_sorted(m_arrived.begin(), m_arrived.end()), true,
                              "and keeps the order");
        int64_t least = INT64_MAX;
        int64_t most = 0;
        for (uint32_t i = 0; i < Count; ++i) {
            least = std::min(least, late[i].timeNs - clean[i].timeNs);
            most = std::max(most, late[i].timeNs - clean[i].timeNs);
        }
        NS_TEST_EXPECT_MSG_GT(least, 29999, "each takes longer");
        NS_TEST_EXPECT_MSG_LT(least, 31500,
                              "some hardly longer than that, though most wait for the one before");
        // A packet that keeps its place behind a late one also waits for that one to be sent.
        NS_TEST_EXPECT_MSG_LT(most, 37000, "and none by more than the jitter, and its place in the queue");

        Under({{"Kind", "reordering"}, {"Probability", "0.1"}, {"Delay", "10us"}});
        NS_TEST_EXPECT_MSG_EQ(m_arrived.size(), Count, "reordering loses nothing");
        const uint32_t overtaken = Overtaken(m_arrived);
        NS_TEST_EXPECT_MSG_GT(overtaken, 200 - 4 * 14, "a tenth is overtaken");
        NS_TEST_EXPECT_MSG_LT(overtaken, 200 + 4 * 14, "and no more");

        Under({{"Kind", "duplication"}, {"Probability", "0.1"}});
        std::map<uint32_t, uint32_t> times;
        for (const uint32_t ordinal : m_arrived)
            ++times[ordinal];
        const auto twice =
            std::count_if(times.begin(), times.end(), [](const auto& t) { return t.second == 2; });
        NS_TEST_EXPECT_MSG_EQ(times.size(), Count, "every packet arrives");
        NS_TEST_EXPECT_MSG_EQ(m_arrived.size(), Count + static_cast<std::size_t>(twice),
                              "or twice, never more");
        NS_TEST_EXPECT_MSG_GT(twice, 200 - 4 * 14, "a tenth does");
        NS_TEST_EXPECT_MSG_LT(twice, 200 + 4 * 14, "and no more");

        Under({{"Kind", "silent-drop"}, {"Probability", "0.1"}});
        NS_TEST_EXPECT_MSG_LT(m_arrived.size(), Count, "some are lost");
        NS_TEST_EXPECT_MSG_EQ(m_frameErrors, 0, "and no port counts what is lost silently");

        Under({{"Kind", "frame-errors"}, {"Probability", "0.1"}});
        const std::size_t damaged = Count - m_arrived.size();
        NS_TEST_EXPECT_MSG_GT(damaged, 200 - 4 * 14, "a tenth arrives damaged");
        NS_TEST_EXPECT_MSG_LT(damaged, 200 + 4 * 14, "and no more");
        NS_TEST_EXPECT_MSG_EQ(m_frameErrors, damaged, "and the port counts just these");
    }

    std::vector<uint32_t> m_arrived;
    uint64_t m_frameErrors = 0;
};

class DelaysAddTestCase : public TestCase {
  public:
    DelaysAddTestCase() : TestCase("delays of one link add, and reordering comes on top, in any order") {}

  private:
    static constexpr uint32_t Count = 2000;

    struct Arrivals {
        std::vector<uint32_t> ordinals;
        std::vector<int64_t> timesNs;
    };

    static Arrivals Under(const std::string& grade, const std::vector<Attributes>& faults) {
        TestFabric fabric{{"K", "2"}, {"Seed", "3"}, {"Grade", grade}};
        for (Attributes fault : faults) {
            fault.insert(fault.end(), {{"From", "core-0"}, {"To", "agg-1-0"}});
            fabric.AddFault(fault);
        }
        SendAcross(fabric, Count);
        fabric.Run();
        Arrivals arrivals{Arrived(fabric), {}};
        for (const auto& arrival : fabric.GetArrivals())
            arrivals.timesNs.push_back(arrival.timeNs);
        return arrivals;
    }

    void DoRun() override {
        const auto delay = [](const std::string& time) {
            return Attributes{{"Kind", "added-delay"}, {"Delay", time}};
        };
        const Attributes reordering{{"Kind", "reordering"}, {"Probability", "0.1"}, {"Delay", "10us"}};
        for (const std::string grade : {"lean", "stock"}) {
            const Arrivals one = Under(grade, {delay("50us")});
            const Arrivals two = Under(grade, {delay("30us"), delay("20us")});
            NS_TEST_ASSERT_MSG_EQ(one.timesNs.size(), Count, "all arrive, " << grade);
            NS_TEST_EXPECT_MSG_EQ((two.timesNs == one.timesNs), true, "two are as one, " << grade);
            for (const auto& faults : {std::vector{delay("30us"), reordering},
                                       std::vector{reordering, delay("30us"), delay("20us")}}) {
                const uint32_t overtaken = Overtaken(Under(grade, faults).ordinals);
                NS_TEST_EXPECT_MSG_GT(overtaken, 200 - 4 * 14, "a tenth is overtaken, " << grade);
                NS_TEST_EXPECT_MSG_LT(overtaken, 200 + 4 * 14, "and no more, " << grade);
            }
        }
    }
};

class CorruptionTestCase : public TestCase {
  public:
    CorruptionTestCase()
        : TestCase("corruption inverts one bit, and a router drops what it did to the header") {}

  private:
    void DoRun() override {
        ReachHost();
        ReachRouter();
    }

    void ReachHost() {
        TestFabric fabric{{"K", "2"}, {"Seed", "3"}};
        fabric.AddFault({{"Kind", "corruption"}, {"From", "edge-1-0"}, {"To", "host-1-0-0"}});
        std::vector<std::vector<uint8_t>> sent;
        fabric.OnForward([&](uint32_t, uint32_t out, const DyetracePacket& packet) {
            if (out != fabric.Link("edge-1-0", "host-1-0-0")) return;
            sent.emplace_back(packet.Frame(), packet.Frame() + packet.HeadLength());
        });
        SendAcross(fabric, 300);
        fabric.Run();
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), 300, "a host takes what comes");
        for (std::size_t i = 0; i < sent.size(); ++i) {
            const auto& head = fabric.GetArrivals()[i].head;
            int differing = 0;
            for (std::size_t byte = 0; byte < head.size(); ++byte) {
                for (uint32_t bits = static_cast<uint32_t>(head[byte] ^ sent[i][byte]); bits != 0;
                     bits &= bits - 1)
                    ++differing;
            }
            NS_TEST_EXPECT_MSG_EQ(differing, 1, "one bit");
        }
    }

    void ReachRouter() {
        TestFabric inside{{"K", "2"}, {"Seed", "3"}};
        inside.AddFault({{"Kind", "corruption"}, {"From", "agg-0-0"}, {"To", "core-0"}});
        SendAcross(inside, 300);
        inside.Run();
        // 20 of the 28 bytes that are stored behind the Ethernet header are IP's.
        const uint64_t bad = inside->GetDrops(DyetraceDropCause::BadHeader);
        NS_TEST_EXPECT_MSG_GT(bad, 300 * 20 / 28 - 4 * 8, "about as many as have it in the IP header");
        NS_TEST_EXPECT_MSG_EQ(inside.GetArrivals().size() + bad, 300, "all others pass");
    }
};

class EcnTestCase : public TestCase {
  public:
    EcnTestCase() : TestCase("queues and faults mark CE, bleaching clears ECN, and checksums stay right") {}

  private:
    /// How many packets arrive with each ECN codepoint, sent with `ecn`.
    std::map<uint32_t, uint32_t> Codepoints(uint8_t ecn, const Attributes& fault, int atOnce = 1) {
        TestFabric fabric{{"K", "2"}, {"EcnBytes", "12500"}};
        if (!fault.empty()) fabric.AddFault(fault);
        for (int i = 0; i < 100; ++i) {
            Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
            datagram.payload = MicrosecondPayload;
            DyetracePacket* packet = fabric.Make(datagram);
            dyetrace::wire::set_ipv4_ecn({packet->Frame() + 14, 20}, static_cast<dyetrace::wire::Ecn>(ecn));
            fabric.SendAt(MicroSeconds(i / atOnce * atOnce * 2), datagram.from, packet);
        }
        fabric.Run();
        std::map<uint32_t, uint32_t> counts;
        for (const auto& arrival : fabric.GetArrivals()) {
            NS_TEST_EXPECT_MSG_EQ(
                IsIpv4Right(arrival.head.data(), static_cast<uint32_t>(arrival.head.size()), arrival.length),
                true, "the header's checksum is right");
            ++counts[arrival.head[15] & 3U];
        }
        return counts;
    }

    void DoRun() override {
        using Counts = std::map<uint32_t, uint32_t>;
        const Attributes marking{{"Kind", "ecn-marking"}, {"From", "agg-0-0"}, {"To", "core-0"}};
        const Attributes bleaching{{"Kind", "ecn-bleaching"}, {"From", "agg-0-0"}, {"To", "core-0"}};
        NS_TEST_EXPECT_MSG_EQ((Codepoints(2, {}) == Counts{{2, 100}}), true, "no queue, no mark");
        NS_TEST_EXPECT_MSG_EQ((Codepoints(2, {}, 20) == Counts{{2, 50}, {3, 50}}), true,
                              "of twenty at once those that find more than ten queued are marked");
        NS_TEST_EXPECT_MSG_EQ((Codepoints(0, {}, 20) == Counts{{0, 100}}), true,
                              "what is not ECN-capable never");
        NS_TEST_EXPECT_MSG_EQ((Codepoints(1, marking) == Counts{{3, 100}}), true,
                              "a fault marks without queue");
        NS_TEST_EXPECT_MSG_EQ((Codepoints(0, marking) == Counts{{0, 100}}), true, "only ECN-capable packets");
        NS_TEST_EXPECT_MSG_EQ((Codepoints(2, bleaching) == Counts{{0, 100}}), true, "another clears");
    }
};

class FlowDropTestCase : public TestCase {
  public:
    FlowDropTestCase() : TestCase("a flow drop takes whole flows, by their headers or by hash") {}

  private:
    void DoRun() override {
        ByHeaders();
        ByHash();
    }

    void ByHeaders() {
        TestFabric matched{{"K", "2"}};
        matched.AddFault({{"Kind", "flow-drop"},
                          {"From", "agg-0-0"},
                          {"To", "core-0"},
                          {"Match", "protocol=udp destination_ports=10-19"}});
        SendAcross(matched, 256);
        matched.Run();
        std::set<uint32_t> missing;
        const auto arrived = Arrived(matched);
        for (uint32_t i = 0; i < 256; ++i) {
            if (std::find(arrived.begin(), arrived.end(), i) == arrived.end()) missing.insert(i);
        }
        NS_TEST_EXPECT_MSG_EQ(missing.size(), 10, "ten flows");
        NS_TEST_EXPECT_MSG_EQ(*missing.begin(), 10, "those that match");
    }

    void ByHash() {
        TestFabric hashed{{"K", "2"}};
        hashed.AddFault({{"Kind", "flow-drop"}, {"From", "agg-0-0"}, {"To", "core-0"}, {"Share", "0.25"}});
        for (uint32_t round = 0; round < 3; ++round) {
            for (uint32_t flow = 0; flow < 1000; ++flow) {
                Datagram datagram{hashed.Node("host-0-0-0"), hashed.Node("host-1-0-0")};
                datagram.sourcePort = static_cast<uint16_t>(flow);
                hashed.SendAt(MicroSeconds(round * 1000 + flow), datagram);
            }
        }
        hashed.Run();
        std::map<uint32_t, uint32_t> packets;
        for (const auto& arrival : hashed.GetArrivals())
            ++packets[dyetrace::load_u16(arrival.head.data() + 34)];
        NS_TEST_EXPECT_MSG_EQ(packets.size() * 3, hashed.GetArrivals().size(),
                              "a flow passes whole or not at all");
        NS_TEST_EXPECT_MSG_GT(packets.size(), 750 - 4 * 14, "three quarters pass");
        NS_TEST_EXPECT_MSG_LT(packets.size(), 750 + 4 * 14, "and no more");
    }
};

class MtuTestCase : public TestCase {
  public:
    MtuTestCase()
        : TestCase("a packet too long for the next link is dropped, and its sender is told the MTU") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "2"}};
        fabric.AddFault({{"Kind", "mtu-shrink"}, {"From", "agg-0-0"}, {"To", "core-0"}, {"Mtu", "600"}});
        SendAcross(fabric, 1, 600 - 28);
        SendAcross(fabric, 1, 601 - 28);
        fabric.Run();
        NS_TEST_EXPECT_MSG_EQ(fabric->GetDrops(DyetraceDropCause::TooBig), 1, "the longer one");
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), 2, "the other, and the answer");
        for (const auto& arrival : fabric.GetArrivals()) {
            if (arrival.host != fabric.Node("host-0-0-0")) continue;
            const auto ip = Ipv4Of(arrival.head);
            NS_TEST_EXPECT_MSG_EQ(ip.protocol, dyetrace::wire::kProtocolIcmp, "ICMP");
            NS_TEST_EXPECT_MSG_EQ(ip.source.value, 0x0a000101, "from agg-0-0");
            const uint8_t* icmp = arrival.head.data() + 34;
            NS_TEST_EXPECT_MSG_EQ(static_cast<int>(icmp[0]), 3, "destination unreachable");
            NS_TEST_EXPECT_MSG_EQ(static_cast<int>(icmp[1]), 4, "fragmentation needed");
            NS_TEST_EXPECT_MSG_EQ(dyetrace::load_u16(icmp + 6), 600, "RFC 1191: the MTU of the next hop");
        }
    }
};

class RateCutTestCase : public TestCase {
  public:
    RateCutTestCase() : TestCase("a rate cut slows the link while it lasts") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "2"}};
        fabric.AddFault({{"Kind", "rate-cut"},
                         {"From", "agg-0-0"},
                         {"To", "core-0"},
                         {"Rate", "1Gbps"},
                         {"At", "100us"},
                         {"Until", "200us"}});
        for (const int64_t at : {50, 150, 250}) {
            Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
            datagram.payload = MicrosecondPayload;
            fabric.SendAt(MicroSeconds(static_cast<uint64_t>(at)), datagram);
        }
        fabric.Run();
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), 3, "all arrive");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals()[0].timeNs, 50000 + 12000, "before");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals()[1].timeNs, 150000 + 12000 + 9000,
                              "ten times as long on it");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals()[2].timeNs, 250000 + 12000, "after");
    }
};

class PlacementTestCase : public TestCase {
  public:
    PlacementTestCase() : TestCase("faults are placed by name, by pattern, and by seeded choice") {}

  private:
    std::vector<uint32_t> Links(TestFabric& fabric, const Attributes& attributes) {
        const Ptr<DyetraceFault> fault = DyetraceFault::Create("silent-drop");
        for (const auto& [name, value] : attributes)
            fault->SetAttribute(name, StringValue(value));
        fabric->AddFault(fault);
        return fault->GetLinks();
    }

    void DoRun() override {
        TestFabric fabric{{"K", "4"}};
        const auto one = Links(fabric, {{"From", "agg-0-0"}, {"To", "core-1"}});
        NS_TEST_EXPECT_MSG_EQ((one == std::vector{fabric.Link("agg-0-0", "core-1")}), true, "by name");
        NS_TEST_EXPECT_MSG_EQ(Links(fabric, {{"From", "agg-?-0"}, {"To", "core-*"}}).size(), 8, "by pattern");
        NS_TEST_EXPECT_MSG_EQ(Links(fabric, {{"From", "*"}, {"To", "*"}}).size(),
                              fabric->GetTopology().GetNLinks(), "everywhere");
        const auto chosen = Links(fabric, {{"From", "agg-*"}, {"To", "core-*"}, {"Count", "3"}});
        NS_TEST_EXPECT_MSG_EQ(chosen.size(), 3, "three of sixteen");
        NS_TEST_EXPECT_MSG_EQ(
            (Links(fabric, {{"From", "agg-*"}, {"To", "core-*"}, {"Count", "3"}}) == chosen), true,
            "the same again");
        const auto other =
            Links(fabric, {{"From", "agg-*"}, {"To", "core-*"}, {"Count", "3"}, {"ChoiceSeed", "2"}});
        NS_TEST_EXPECT_MSG_EQ((other == chosen), false, "others by another seed");
        const auto both = Links(fabric, {{"From", "agg-0-0"}, {"To", "core-1"}, {"BothWays", "true"}});
        NS_TEST_EXPECT_MSG_EQ(both.size(), 2, "in both directions");
        const std::vector<std::string> kinds = DyetraceFault::GetKinds();
        NS_TEST_EXPECT_MSG_EQ(kinds.size(), 19, "all kinds are known by name");
        for (const std::string& kind : kinds)
            NS_TEST_EXPECT_MSG_EQ(DyetraceFault::Create(kind)->GetKind(), kind, "and by the name they have");
    }
};

class RerouteTestCase : public TestCase {
  public:
    RerouteTestCase() : TestCase("routes follow failures and returns after the detection delay") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "4"}, {"DetectionDelay", "20us"}};
        // All of host-0-0-0's ways to another pod, but one: three of four.
        fabric.AddFault({{"Kind", "switch-down"}, {"Node", "agg-0-1"}, {"At", "100us"}, {"Until", "300us"}});
        fabric.AddFault({{"Kind", "link-down"},
                         {"From", "agg-0-0"},
                         {"To", "core-0"},
                         {"At", "100us"},
                         {"Until", "300us"}});
        std::map<uint32_t, std::set<int64_t>> cores;  // core -> when it forwards, in units of 100 us
        fabric.OnForward([&](uint32_t in, uint32_t, const DyetracePacket&) {
            const uint32_t node = fabric->GetTopology().GetTo(in);
            if (fabric->GetTopology().GetNode(node).tier == DyetraceTopology::Tier::Core)
                cores[node].insert(Simulator::Now().GetNanoSeconds() / 100000);
        });
        std::vector<int64_t> lost;
        fabric.OnDrop([&](uint32_t, DyetraceDropCause cause, const DyetracePacket&) {
            NS_TEST_EXPECT_MSG_EQ(DyetraceDropCauseName(cause), std::string("down"), "nothing else is lost");
            lost.push_back(Simulator::Now().GetNanoSeconds());
        });
        for (uint32_t i = 0; i < 400; ++i) {
            Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-2-0-0")};
            datagram.sourcePort = static_cast<uint16_t>(i);
            datagram.payload = 500;
            fabric.SendAt(MicroSeconds(i), datagram);
        }
        fabric.Run();
        NS_TEST_EXPECT_MSG_EQ(cores[fabric.Node("core-1")].size(), 5, "the way that is left is used always");
        for (const char* name : {"core-0", "core-2", "core-3"}) {
            const std::set<int64_t>& used = cores[fabric.Node(name)];
            NS_TEST_EXPECT_MSG_EQ(used.count(2), 0, "no other is while they are away: " << name);
            NS_TEST_EXPECT_MSG_EQ(used.count(3), 1, "each comes back: " << name);
        }
        NS_TEST_ASSERT_MSG_GT(lost.size(), 8, "packets are lost before the fabric knows");
        NS_TEST_EXPECT_MSG_GT(lost.front(), 99999, "from the failure");
        NS_TEST_EXPECT_MSG_LT(lost.back(), 120000, "until it is detected");
        NS_TEST_EXPECT_MSG_EQ(lost.size() + fabric.GetArrivals().size(), 400, "and none besides");
    }
};

class DrainTestCase : public TestCase {
  public:
    DrainTestCase() : TestCase("what is drained is chosen no more, loses nothing, and comes back") {}

  private:
    static std::map<uint32_t, std::set<int64_t>> Run(const std::string& grade, std::size_t& arrived,
                                                     std::size_t& dropped) {
        TestFabric fabric{{"K", "4"}, {"Grade", grade}, {"DrainDelay", "20us"}};
        // All of host-0-0-0's ways to another pod, but one: three of four.
        const uint32_t node = fabric.Node("agg-0-1");
        const uint32_t link = fabric.Link("core-0", "agg-0-0");  // the cable's other direction
        DyetraceFabric* built = &*fabric;
        Simulator::Schedule(MicroSeconds(100), &DyetraceFabric::DrainNode, built, node, true);
        Simulator::Schedule(MicroSeconds(100), &DyetraceFabric::DrainLink, built, link, true);
        Simulator::Schedule(MicroSeconds(300), &DyetraceFabric::DrainNode, built, node, false);
        Simulator::Schedule(MicroSeconds(300), &DyetraceFabric::DrainLink, built, link, false);
        std::map<uint32_t, std::set<int64_t>> cores;  // core -> when it forwards, in units of 100 us
        fabric.OnForward([&](uint32_t in, uint32_t, const DyetracePacket&) {
            const uint32_t at = fabric->GetTopology().GetTo(in);
            if (fabric->GetTopology().GetNode(at).tier == DyetraceTopology::Tier::Core)
                cores[at].insert(Simulator::Now().GetNanoSeconds() / 100000);
        });
        dropped = 0;
        fabric.OnDrop([&](uint32_t, DyetraceDropCause, const DyetracePacket&) { ++dropped; });
        for (uint32_t i = 0; i < 400; ++i) {
            Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-2-0-0")};
            datagram.sourcePort = static_cast<uint16_t>(i);
            datagram.payload = 500;
            fabric.SendAt(MicroSeconds(i), datagram);
        }
        fabric.Run();
        arrived = fabric.GetArrivals().size();
        return cores;
    }

    void DoRun() override {
        std::size_t arrived = 0;
        std::size_t dropped = 0;
        const auto lean = Run("lean", arrived, dropped);
        NS_TEST_EXPECT_MSG_EQ(arrived, 400, "all arrive");
        NS_TEST_EXPECT_MSG_EQ(dropped, 0, "what is on its way goes on");
        NS_TEST_ASSERT_MSG_EQ(lean.size(), 4, "all cores are used");
        std::size_t always = 0;
        for (const auto& [core, used] : lean) {
            always += used.count(2);
            NS_TEST_EXPECT_MSG_EQ(used.count(0), 1, "each is used before");
            NS_TEST_EXPECT_MSG_EQ(used.count(3), 1, "each comes back");
        }
        NS_TEST_EXPECT_MSG_EQ(always, 1, "one way is left in between");
        const auto stock = Run("stock", arrived, dropped);
        NS_TEST_EXPECT_MSG_EQ((lean == stock), true, "both grades drain at one time");
    }
};

/// Routes as anyone may see them: the ports at each switch for each rack.
std::vector<std::vector<uint32_t>> Snapshot(const DyetraceTopology& topology, const DyetraceRoutes& routes) {
    std::vector<std::vector<uint32_t>> all;
    for (uint32_t node = topology.GetNHosts(); node < topology.GetNNodes(); ++node) {
        for (uint32_t rack = 0; rack < topology.GetNRacks(); ++rack) {
            const DyetraceRoutes::Group group = routes.GetGroup(node, rack);
            std::vector<uint32_t> ports;
            for (uint32_t i = 0; i < group.count; ++i)
                ports.push_back(routes.GetPort(group.first + i));
            all.push_back(std::move(ports));
        }
    }
    return all;
}

class RoutesTestCase : public TestCase {
  public:
    RoutesTestCase() : TestCase("routes worked out change by change are those worked out anew") {}

  private:
    void DoRun() override {
        for (const uint64_t seed : {1, 2, 3}) {
            const DyetraceTopology topology =
                seed == 1 ? DyetraceTopology::FatTree(4) : DyetraceTopology::Jellyfish(20, 3, 2, seed);
            DyetraceRoutes incremental(topology);
            std::set<uint32_t> down;
            dyetrace::Random random(seed);
            for (int step = 0; step < 60; ++step) {
                const uint32_t link = random.below(topology.GetNLinks());
                const uint32_t cable = std::min(link, topology.GetReverse(link));
                const bool isDown = down.insert(cable).second;
                if (!isDown) down.erase(cable);
                incremental.SetInUse(link, !isDown);
                DyetraceRoutes anew(topology);
                for (const uint32_t other : down)
                    anew.SetInUse(other, false);
                NS_TEST_ASSERT_MSG_EQ((Snapshot(topology, incremental) == Snapshot(topology, anew)), true,
                                      "seed " << seed << ", step " << step);
            }
            for (const uint32_t other : down)
                incremental.SetInUse(other, true);
            NS_TEST_EXPECT_MSG_EQ(
                (Snapshot(topology, incremental) == Snapshot(topology, DyetraceRoutes(topology))), true,
                "all back: as at the beginning");
        }
    }
};

class ClockTestCase : public TestCase {
  public:
    ClockTestCase() : TestCase("a clock has its offset, drift, jitter and steps, and never runs backwards") {}

  private:
    void DoRun() override {
        DyetraceClock clock({5000, 100, 0, 1});
        NS_TEST_EXPECT_MSG_EQ(clock.Read(0).ns, 5000, "the offset");
        NS_TEST_EXPECT_MSG_EQ(clock.Read(1000000).ns, 1005100, "100 ppm fast");
        clock.Change(1000000, 2000, -150);
        NS_TEST_EXPECT_MSG_EQ(clock.Read(2000000).ns, 2007050, "a step, and 50 ppm slow from then on");
        clock.Change(2000000, -10000, 50);
        NS_TEST_EXPECT_MSG_EQ(clock.Read(2005000).ns, 2007050, "set back, it stands");
        NS_TEST_EXPECT_MSG_EQ(clock.Read(2020000).ns, 2017050, "and goes on once it has caught up");
        DyetraceClock shaky({0, 0, 100, 7});
        int64_t last = 0;
        std::set<int64_t> errors;
        for (int64_t now = 0; now < 100000; now += 1000) {
            const int64_t shown = shaky.Read(now).ns;
            NS_TEST_EXPECT_MSG_EQ((shown >= last && shown >= now && shown <= now + 100), true,
                                  "within bounds");
            errors.insert(shown - now);
            last = shown;
        }
        NS_TEST_EXPECT_MSG_GT(errors.size(), 40, "each reading has an error of its own");
    }
};

const Offer<PacketFaultsTestCase, DelaysAddTestCase, CorruptionTestCase, EcnTestCase, FlowDropTestCase,
            MtuTestCase, RateCutTestCase, PlacementTestCase, RerouteTestCase, DrainTestCase, RoutesTestCase,
            ClockTestCase>
    g_offer{"fault"};

}  // namespace
