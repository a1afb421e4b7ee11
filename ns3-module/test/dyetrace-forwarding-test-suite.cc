// SPDX-License-Identifier: GPL-2.0-or-later
// Switches: that every host is reached, by which path, and what becomes of what cannot be forwarded.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <ns3/simulator.h>
#include <ns3/test.h>

#include "dyetrace-test-cases.h"
#include "dyetrace-test-traffic.h"

#include "core/wire/icmp.h"
#include "core/wire/ipv4.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

/// Names, numbers, addresses and cables of the fat-tree.
class TopologyTestCase : public TestCase {
  public:
    TopologyTestCase() : TestCase("a fat-tree has the nodes, addresses and links of its definition") {}

  private:
    void DoRun() override {
        const DyetraceTopology topology = DyetraceTopology::FatTree(6);
        NS_TEST_EXPECT_MSG_EQ(topology.GetNHosts(), 54, "k^3/4 hosts");
        NS_TEST_EXPECT_MSG_EQ(topology.GetNNodes(), 54 + 18 + 18 + 9,
                              "k^2/2 edges and aggregations, k^2/4 cores");
        NS_TEST_EXPECT_MSG_EQ(topology.GetNLinks(), 2 * 3 * 54, "three layers of k^3/4 cables");
        ExpectAddress(topology, "host-5-2-1", "10.5.2.3");
        ExpectAddress(topology, "edge-5-2", "10.5.2.1");
        ExpectAddress(topology, "agg-5-2", "10.5.5.1");
        ExpectAddress(topology, "core-7", "10.6.2.2");
        for (uint32_t n = 0; n < 9; ++n) {
            const bool linked =
                topology.FindLink(topology.FindNode("agg-0-1"),
                                  topology.FindNode("core-" + std::to_string(n))) != DyetraceTopology::None;
            NS_TEST_EXPECT_MSG_EQ(linked, (n >= 3 && n <= 5),
                                  "agg-0-1 reaches core-3 to core-5, and core-" << n);
        }
        std::set<Ipv4Address> addresses;
        for (uint32_t node = 0; node < topology.GetNNodes(); ++node)
            addresses.insert(topology.GetNode(node).address);
        NS_TEST_EXPECT_MSG_EQ(addresses.size(), topology.GetNNodes(), "no address is used twice");
        for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
            const uint32_t reverse = topology.GetReverse(link);
            NS_TEST_EXPECT_MSG_EQ(topology.GetReverse(reverse), link, "a link back leads back");
            NS_TEST_EXPECT_MSG_EQ(topology.GetFrom(link), topology.GetTo(reverse),
                                  "a link back starts at the end");
            NS_TEST_EXPECT_MSG_EQ(topology.GetCable(link), topology.GetCable(reverse),
                                  "both are in one cable");
            NS_TEST_EXPECT_MSG_NE(topology.GetDirection(link), topology.GetDirection(reverse),
                                  "in two directions");
        }
    }

    void ExpectAddress(const DyetraceTopology& topology, const std::string& name, const char* address) {
        const uint32_t node = topology.FindNode(name);
        NS_TEST_ASSERT_MSG_NE(node, DyetraceTopology::None, name << " exists");
        NS_TEST_EXPECT_MSG_EQ(topology.GetNode(node).address, Ipv4Address(address),
                              "the address of " << name);
    }
};

/// All pairs, with the headers looked at on every hop.
class ReachTestCase : public TestCase {
  public:
    ReachTestCase() : TestCase("every host reaches every other, and headers are right on every hop") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "4"}, {"Seed", "1"}};
        const DyetraceTopology& topology = fabric->GetTopology();
        uint32_t hops = 0;
        fabric.OnForward([&](uint32_t in, uint32_t out, const DyetracePacket& packet) {
            ++hops;
            ExpectHop(topology, in, out, packet);
        });
        uint32_t sent = 0;
        for (uint32_t from = 0; from < topology.GetNHosts(); ++from) {
            for (uint32_t to = 0; to < topology.GetNHosts(); ++to) {
                if (from == to) continue;
                Datagram datagram{from, to};
                datagram.identification = static_cast<uint16_t>(from << 8 | to);
                fabric.SendAt(MicroSeconds(++sent), datagram);
            }
        }
        fabric.Run();
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), sent, "everything arrives");
        uint32_t switches = 0;
        for (const auto& arrival : fabric.GetArrivals())
            switches += ExpectArrival(topology, arrival);
        NS_TEST_EXPECT_MSG_EQ(hops, switches, "as many switches were passed as the TTL says");
        NS_TEST_EXPECT_MSG_EQ(fabric->GetPacketHops(), hops + sent,
                              "and as many links as switches, and one more");
        NS_TEST_EXPECT_MSG_EQ(fabric->GetPool().GetInUse(), 0, "no packet is left over");
    }

    void ExpectHop(const DyetraceTopology& topology, uint32_t in, uint32_t out,
                   const DyetracePacket& packet) {
        NS_TEST_EXPECT_MSG_EQ(topology.GetTo(in), topology.GetFrom(out), "a packet leaves where it arrived");
        NS_TEST_EXPECT_MSG_EQ(IsIpv4Right(packet.Frame(), packet.HeadLength(), packet.Length()), true,
                              "the header checksum is right at " << topology.DescribeLink(out));
        Mac48Address destination;
        Mac48Address source;
        destination.CopyFrom(packet.Frame());
        source.CopyFrom(packet.Frame() + 6);
        NS_TEST_EXPECT_MSG_EQ(destination, topology.GetMac(topology.GetTo(out)), "to the next hop's address");
        NS_TEST_EXPECT_MSG_EQ(source, topology.GetMac(topology.GetFrom(out)), "from the switch's address");
    }

    /// Returns the number of switches that the packet passed.
    uint32_t ExpectArrival(const DyetraceTopology& topology, const TestFabric::Arrival& arrival) {
        const wire::Ipv4Header ip = Ipv4Of(arrival.head);
        const auto& from = topology.GetNode(ip.identification >> 8);
        const auto& to = topology.GetNode(ip.identification & 0xff);
        NS_TEST_EXPECT_MSG_EQ(arrival.host, (ip.identification & 0xff), "at the host it was sent to");
        NS_TEST_EXPECT_MSG_EQ(arrival.length, FrameBytes(1000), "whole");
        uint32_t expected = 5;
        if (from.pod == to.pod) expected = 3;
        if (from.rack == to.rack) expected = 1;
        NS_TEST_EXPECT_MSG_EQ(64 - ip.ttl, expected, from.name << " to " << to.name);
        return 64U - ip.ttl;
    }
};

/// Sends one datagram a flow and tells which core switch each passed.
std::map<uint16_t, uint32_t> CoresOfFlows(const std::string& seed, uint32_t flows, uint32_t packetsEach) {
    TestFabric fabric{{"K", "8"}, {"Seed", seed}, {"QueueBytes", "10000000"}};
    const DyetraceTopology& topology = fabric->GetTopology();
    std::map<uint16_t, uint32_t> cores;
    bool constant = true;
    fabric.OnForward([&](uint32_t, uint32_t out, const DyetracePacket& packet) {
        const uint32_t to = topology.GetTo(out);
        if (topology.GetNode(to).tier != DyetraceTopology::Tier::Core) return;
        const uint16_t port = dyetrace::load_u16(packet.Frame() + 34);
        const auto [known, isNew] = cores.try_emplace(port, topology.GetNode(to).position);
        constant = constant && known->second == topology.GetNode(to).position;
    });
    for (uint32_t i = 0; i < flows * packetsEach; ++i) {
        Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-7-3-3")};
        datagram.sourcePort = static_cast<uint16_t>(1024 + i % flows);
        datagram.identification = static_cast<uint16_t>(i);
        datagram.payload = 100 + i % 7;
        fabric.SendAt(MicroSeconds(i), datagram);
    }
    fabric.Run();
    if (!constant) cores.clear();
    return cores;
}

class EcmpTestCase : public TestCase {
  public:
    EcmpTestCase()
        : TestCase("flows spread evenly over all paths, each keeps to one, and a seed changes which") {}

  private:
    void DoRun() override {
        constexpr uint32_t flows = 16000;
        const auto cores = CoresOfFlows("1", flows, 1);
        NS_TEST_ASSERT_MSG_EQ(cores.size(), flows, "every flow passed a core");
        std::vector<double> counts(16);
        for (const auto& [port, core] : cores)
            ++counts[core];
        double chiSquare = 0;
        for (const double count : counts)
            chiSquare += (count - flows / 16.0) * (count - flows / 16.0) / (flows / 16.0);
        // 15 degrees of freedom: one in 1000 evenly random choices exceeds 37.7. Polarisation would leave
        // cores empty.
        NS_TEST_EXPECT_MSG_LT(chiSquare, 37.7, "16 paths are used evenly");

        constexpr uint32_t few = 1000;
        const auto one = CoresOfFlows("1", few, 5);
        const auto two = CoresOfFlows("2", few, 1);
        NS_TEST_ASSERT_MSG_EQ(one.size(), few, "all packets of a flow take one path");
        uint32_t same = 0;
        for (const auto& [port, core] : one)
            same += two.at(port) == core;
        // One in 16 agrees by chance: 62.5 of 1000, with a standard deviation of 7.7.
        NS_TEST_EXPECT_MSG_LT(same, 62.5 + 4 * 7.7, "another seed chooses other paths");
        NS_TEST_EXPECT_MSG_GT(same, 62.5 - 4 * 7.7, "and independently so");
    }
};

/// Routers name themselves as a trace asks, hop by hop.
class TtlTestCase : public TestCase {
  public:
    TtlTestCase() : TestCase("the router where the TTL runs out answers, from its own address") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "4"}, {"Seed", "3"}};
        const DyetraceTopology& topology = fabric->GetTopology();
        const uint32_t from = fabric.Node("host-0-0-0");
        std::vector<Ipv4Address> path;
        bool recording = true;
        fabric.OnForward([&](uint32_t, uint32_t out, const DyetracePacket&) {
            if (recording) path.push_back(topology.GetNode(topology.GetFrom(out)).address);
        });
        Datagram datagram{from, fabric.Node("host-3-1-1")};
        fabric.SendAt(Simulator::Now(), datagram);
        fabric.Run();
        recording = false;
        NS_TEST_ASSERT_MSG_EQ(path.size(), 5, "edge, aggregation, core, aggregation, edge");
        for (uint8_t ttl = 1; ttl <= 6; ++ttl) {
            fabric.ClearArrivals();
            datagram.ttl = ttl;
            datagram.identification = static_cast<uint16_t>(1000 + ttl);
            fabric.SendAt(Simulator::Now(), datagram);
            fabric.Run();
            NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), 1, "something comes back, or arrives");
            const auto& arrival = fabric.GetArrivals().front();
            if (ttl == 6) {
                NS_TEST_EXPECT_MSG_EQ(arrival.host, datagram.to, "a TTL of 6 is enough");
            } else {
                ExpectAnswer(arrival, datagram, topology.GetNode(from), path[ttl - 1U]);
            }
        }
        NS_TEST_EXPECT_MSG_EQ(fabric->GetDrops(DyetraceDropCause::TtlExpired), 5, "and five packets died");
        NS_TEST_EXPECT_MSG_EQ(fabric->GetIcmpSent(), 5, "with an answer each");
    }

    void ExpectAnswer(const TestFabric::Arrival& arrival, const Datagram& datagram,
                      const DyetraceTopology::Node& sender, Ipv4Address router) {
        NS_TEST_EXPECT_MSG_EQ(arrival.host, datagram.from, "the answer goes to the sender");
        NS_TEST_ASSERT_MSG_EQ(
            IsIpv4Right(arrival.head.data(), static_cast<uint32_t>(arrival.head.size()), arrival.length),
            true, "with a right header");
        const wire::Ipv4Header ip = Ipv4Of(arrival.head);
        NS_TEST_EXPECT_MSG_EQ(Ipv4Address(ip.source.value), router, "from the router's own address");
        NS_TEST_EXPECT_MSG_EQ(Ipv4Address(ip.destination.value), sender.address, "to the sender's");
        NS_TEST_EXPECT_MSG_EQ(ip.protocol, wire::kProtocolIcmp, "as ICMP");
        const auto icmp = wire::IcmpTimeExceeded::parse(
            dyetrace::Bytes(arrival.head).subspan(34, static_cast<std::size_t>(ip.total_length) - 20));
        NS_TEST_ASSERT_MSG_EQ(icmp.ok(), true, "time exceeded, with a right checksum");
        NS_TEST_EXPECT_MSG_EQ(icmp->quoted_identification, datagram.identification, "that quotes the packet");
        NS_TEST_EXPECT_MSG_EQ(icmp->quoted_source_port, datagram.sourcePort, "and its ports");
        NS_TEST_EXPECT_MSG_EQ(icmp->quoted_destination_port, datagram.destinationPort, "both");
        NS_TEST_EXPECT_MSG_EQ(arrival.head[34 + 8 + 8], 1, "with the TTL that it arrived with");
    }
};

/// Changes a packet of the fabric into ICMP of one type.
void MakeIcmp(DyetracePacket& packet, uint8_t type) {
    wire::Ipv4Header ip = Ipv4Of({packet.Frame(), packet.Frame() + packet.HeadLength()});
    ip.protocol = wire::kProtocolIcmp;
    ip.encode_into({packet.Frame() + 14, 20});
    packet.Frame()[34] = type;
}

class IcmpRulesTestCase : public TestCase {
  public:
    IcmpRulesTestCase()
        : TestCase("no ICMP error answers an ICMP error or a fragment, or exceeds its rate") {}

  private:
    void DoRun() override {
        ExpectAnswers("an echo request (RFC 1812 section 4.3.2.7)", 1,
                      [](DyetracePacket& p) { MakeIcmp(p, 8); });
        ExpectAnswers("time exceeded", 0, [](DyetracePacket& p) { MakeIcmp(p, 11); });
        ExpectAnswers("destination unreachable", 0, [](DyetracePacket& p) { MakeIcmp(p, 3); });
        ExpectAnswers("the first fragment", 1, [](DyetracePacket& p) { Edit(p, 0, true); });
        ExpectAnswers("a later fragment", 0, [](DyetracePacket& p) { Edit(p, 100, false); });

        TestFabric limited{{"K", "4"}, {"IcmpRate", "1000"}, {"IcmpBurst", "5"}};
        Datagram datagram{0, 15};
        datagram.ttl = 1;
        for (int i = 0; i < 100; ++i)
            limited.SendAt(MicroSeconds(10), datagram);
        for (int i = 0; i < 30; ++i)
            limited.SendAt(MilliSeconds(100) + MicroSeconds(500) * i, datagram);
        limited.Run();
        // Five at once; later one a millisecond, that is each second packet, after four more of the burst.
        NS_TEST_EXPECT_MSG_EQ(limited->GetIcmpSent() + limited->GetIcmpSuppressed(), 130,
                              "each is one or the other");
        NS_TEST_EXPECT_MSG_EQ(limited->GetIcmpSent(), 5 + 5 + 14, "the limit holds");
    }

    static void Edit(DyetracePacket& packet, uint16_t offset, bool more) {
        wire::Ipv4Header ip = Ipv4Of({packet.Frame(), packet.Frame() + packet.HeadLength()});
        ip.fragment_offset = offset;
        ip.more_fragments = more;
        ip.dont_fragment = false;
        ip.encode_into({packet.Frame() + 14, 20});
    }

    void ExpectAnswers(const std::string& what, uint64_t answers, void (*change)(DyetracePacket&)) {
        TestFabric fabric{{"K", "4"}};
        Datagram datagram{0, 15};
        datagram.ttl = 1;
        DyetracePacket* packet = fabric.Make(datagram);
        change(*packet);
        fabric.SendAt(Seconds(0), 0, packet);
        fabric.Run();
        NS_TEST_EXPECT_MSG_EQ(fabric->GetIcmpSent(), answers, what);
    }
};

class BadPacketTestCase : public TestCase {
  public:
    BadPacketTestCase()
        : TestCase("a packet that cannot be forwarded is dropped and counted under its cause") {}

  private:
    void DoRun() override {
        ExpectDrop("a wrong checksum", DyetraceDropCause::BadHeader,
                   [](DyetracePacket& p) { p.Frame()[24] ^= 1; });
        ExpectDrop("another version", DyetraceDropCause::BadHeader,
                   [](DyetracePacket& p) { p.Frame()[14] = 0x65; });
        ExpectDrop("a cut header", DyetraceDropCause::BadHeader, [](DyetracePacket& p) {
            p.end = p.begin + 33;
            p.tail = 0;
        });
        ExpectDrop("no header", DyetraceDropCause::BadHeader, [](DyetracePacket& p) {
            p.end = p.begin;
            p.tail = 0;
        });
        ExpectDrop("a length beyond the frame", DyetraceDropCause::BadHeader,
                   [](DyetracePacket& p) { --p.tail; });
        ExpectDrop("ARP", DyetraceDropCause::BadHeader, [](DyetracePacket& p) { p.Frame()[13] = 6; });
        ExpectDrop("a host that a rack does not have", DyetraceDropCause::NoRoute,
                   [](DyetracePacket& p) { SetDestination(p, "10.0.0.99"); });
        ExpectDrop("a switch", DyetraceDropCause::NoRoute,
                   [](DyetracePacket& p) { SetDestination(p, "10.4.1.1"); });
        ExpectDrop("another network", DyetraceDropCause::NoRoute,
                   [](DyetracePacket& p) { SetDestination(p, "11.0.0.2"); });
    }

    static void SetDestination(DyetracePacket& packet, const char* address) {
        wire::Ipv4Header ip = Ipv4Of({packet.Frame(), packet.Frame() + packet.HeadLength()});
        ip.destination = dyetrace::Ipv4Address{Ipv4Address(address).Get()};
        ip.encode_into({packet.Frame() + 14, 20});
    }

    void ExpectDrop(const std::string& what, DyetraceDropCause cause, void (*change)(DyetracePacket&)) {
        TestFabric fabric{{"K", "4"}};
        DyetracePacket* packet = fabric.Make({0, 15});
        change(*packet);
        fabric.SendAt(Seconds(0), 0, packet);
        fabric.Run();
        NS_TEST_EXPECT_MSG_EQ(fabric->GetDrops(cause), 1, what << ": " << DyetraceDropCauseName(cause));
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals().size(), 0, what << " does not arrive");
        NS_TEST_EXPECT_MSG_EQ(fabric->GetPool().GetInUse(), 0, what << " goes back to the pool");
    }
};

const Offer<TopologyTestCase, ReachTestCase, EcmpTestCase, TtlTestCase, IcmpRulesTestCase, BadPacketTestCase>
    g_offer{"forwarding"};

}  // namespace
