// SPDX-License-Identifier: GPL-2.0-or-later
// IPv6 between hosts: that everything which works over IPv4 works over it, in both grades of the fabric.

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/global-value.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "../model/dyetrace-convert.h"
#include "dyetrace-test-cases.h"

#include "core/wire/ethernet.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/geneve.h"
#include "core/wire/icmpv6.h"
#include "core/wire/ip.h"
#include "core/wire/ipv6.h"
#include "core/wire/track_option.h"
#include "core/wire/udp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kUdp6Offset = wire::EthernetHeader::kSize + wire::Ipv6Header::kSize;

/// Tracking on a fat-tree of k=4 whose hosts report to a health service, over IPv4 or IPv6.
class UnderlayFabric {
  public:
    explicit UnderlayFabric(const std::string& underlay, const std::string& grade = "lean") {
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Grade", StringValue(grade));
        helper.SetFabricAttribute("LinkRate", StringValue("1Gbps"));
        helper.SetFabricAttribute("Seed", UintegerValue(11));
        helper.SetHostAttribute("Underlay", StringValue(underlay));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("Rate", DoubleValue(0.1));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(10)));
        helper.SetHostAttribute("PathIdle", TimeValue(MilliSeconds(5)));
        helper.SetHostAttribute("UpdateInterval", TimeValue(MilliSeconds(10)));
        helper.SetNhmsHost("host-0-0-0");
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsAttribute("EvaluateInterval", TimeValue(MilliSeconds(10)));
        helper.SetNhmsAttribute("Investigation", TimeValue(MilliSeconds(60)));
        helper.SetGuestAttribute("Stop", TimeValue(MilliSeconds(250)));
        helper.SetTraffic({{0, 0}, {5000, 0.5}, {50000, 1}}, 0.1);
        helper.Install();
    }
    ~UnderlayFabric() {
        helper.Dispose();
        Simulator::Destroy();
        GlobalValue::Bind("ChecksumEnabled", BooleanValue(false));  // the stock grade binds it
    }
    /// Runs to the end of all traffic, then ends all sessions in order.
    void Run() {
        Simulator::Stop(MilliSeconds(300));
        Simulator::Run();
        helper.CloseSessions();
        for (int i = 0; i < 100 && helper.IsDraining(); ++i) {
            Simulator::Stop(MilliSeconds(10));
            Simulator::Run();
        }
    }
    uint64_t Count(const std::string& name) const {
        uint64_t sum = 0;
        for (const auto& host : helper.GetHosts()) {
            for (const auto& [counter, value] : host->GetCounters())
                sum += counter == name ? value : 0;
        }
        return sum;
    }
    std::map<std::string, uint64_t> NhmsCounters() const {
        std::map<std::string, uint64_t> counters;
        for (const auto& [name, value] : helper.GetNhms()->GetCounters())
            counters[name] = value;
        return counters;
    }
    DyetraceFabric& Fabric() const { return *helper.GetFabric(); }

    DyetraceHelper helper;
};

/// Every frame as a switch forwards it.
class Ipv6FramesTestCase : public TestCase {
  public:
    Ipv6FramesTestCase()
        : TestCase("over IPv6 all frames between hosts are IPv6, 20 bytes longer, with a right checksum") {}

  private:
    void NoteForward(uint32_t in, uint32_t, const DyetracePacket& packet) {
        const DyetraceTopology& topology = m_fabric->GetTopology();
        const std::vector<uint8_t> frame = packet.Materialise();
        const dyetrace::Bytes bytes(frame);
        const dyetrace::Bytes packetBytes = bytes.subspan(wire::EthernetHeader::kSize);
        m_other += dyetrace::load_u16(&frame[12]) != wire::kEtherTypeIpv6;
        const auto ip =
            wire::IpHeader::parse(dyetrace::load_u16(&frame[12]), packetBytes, packetBytes.size());
        NS_TEST_ASSERT_MSG_EQ(ip.ok(), true, "the outer header is right");
        if (ip->protocol == wire::kProtocolIcmpv6) {
            m_answers += frame[kUdp6Offset] == wire::kIcmpv6TimeExceeded;
            return;
        }
        const dyetrace::Bytes datagram = bytes.subspan(kUdp6Offset, ip->payload_length);
        m_wrong += dyetrace::load_u16(&datagram[6]) == 0 ||
                   !wire::udp_checksum_ok(ip->source, ip->destination, datagram);
        // What comes from a host is from that host's IPv6 address.
        const uint32_t from = topology.GetFrom(in);
        if (topology.GetNode(from).tier == DyetraceTopology::Tier::Host)
            m_wrong += ip->source != DyetraceToUnderlay(topology.GetNode(from).address, true);
        if (dyetrace::load_u16(&datagram[2]) == wire::kGenevePort) NoteEncapsulation(bytes, datagram);
    }

    void NoteEncapsulation(dyetrace::Bytes frame, dyetrace::Bytes datagram) {
        const auto geneve = wire::GeneveHeader::parse(datagram.subspan(wire::UdpHeader::kSize));
        NS_TEST_ASSERT_MSG_EQ(geneve.ok(), true, "it is Geneve");
        if (geneve->control) return;
        ++m_data;
        const std::size_t around = kUdp6Offset + 8U + 8U + geneve->options_length;
        const dyetrace::Bytes inner = frame.subspan(around);
        m_wrong += frame.size() != around + 14 + dyetrace::load_u16(&inner[16]);
        if (geneve->options_length != wire::TrackOption::kSize) return;
        // Inner length and checksum, 12 bytes before the option's end.
        ++m_tagged;
        const uint8_t* check = &inner[0] - 12;
        m_wrong += dyetrace::load_u16(check) != inner.size();
        m_wrong += dyetrace::load_u16(check + 2) != wire::inner_checksum({inner});
    }

    void DoRun() override {
        UnderlayFabric fabric("ipv6");
        m_fabric = &fabric.Fabric();
        m_fabric->TraceConnectWithoutContext("Forward", MakeCallback(&Ipv6FramesTestCase::NoteForward, this));
        fabric.Run();
        NS_TEST_ASSERT_MSG_GT(m_data, 1000, "something was sent");
        NS_TEST_EXPECT_MSG_GT(m_tagged, 100, "some of it tagged");
        NS_TEST_EXPECT_MSG_EQ(m_other, 0, "nothing but IPv6");
        NS_TEST_EXPECT_MSG_EQ(m_wrong, 0, "lengths, addresses and checksums of the whole frame are right");
        NS_TEST_EXPECT_MSG_GT(m_answers, 100, "routers answer path traces by ICMPv6");
    }

    DyetraceFabric* m_fabric = nullptr;
    uint64_t m_data = 0;
    uint64_t m_tagged = 0;
    uint64_t m_other = 0;
    uint64_t m_wrong = 0;
    uint64_t m_answers = 0;
};

/// What a run with a sick link comes to.
struct SickRun {
    static constexpr const char* Link = "agg-1-0 > core-1";
    /// requester, acceptor, session, path, generation
    using PathKey = std::tuple<uint32_t, uint32_t, uint32_t, uint16_t, uint8_t>;

    SickRun(const std::string& underlay, const std::string& grade) : fabric(underlay, grade) {
        fabric.helper.AddSilentDrop("agg-1-0", "core-1", MilliSeconds(20), 0.1);
        for (const auto& host : fabric.helper.GetHosts())
            host->TraceConnectWithoutContext("Metrics", MakeCallback(&SickRun::NoteMetrics, this));
        fabric.helper.GetNhms()->TraceConnectWithoutContext("Suspects",
                                                            MakeCallback(&SickRun::NoteSuspects, this));
        fabric.Run();
    }

    UnderlayFabric fabric;
    std::string named = "nothing";                          ///< first of the first list of suspects
    std::map<PathKey, std::pair<uint64_t, uint64_t>> last;  ///< sent and lost, as reported last

  private:
    void NoteMetrics(const DyetracePathMetrics& metrics) {
        const Ipv4Address requester = fabric.Fabric().GetTopology().GetNode(metrics.host).address;
        last[{requester.Get(), metrics.peer.Get(), metrics.session, metrics.path, metrics.generation}] = {
            metrics.sent, metrics.sent - metrics.received};
    }
    void NoteSuspects(uint32_t, const std::vector<DyetraceSuspect>& suspects) {
        if (named == "nothing" && !suspects.empty())
            named = suspects[0].isDevice ? suspects[0].device : suspects[0].from + " > " + suspects[0].to;
    }
};

class SameVerdictTestCase : public TestCase {
  public:
    SameVerdictTestCase()
        : TestCase("the sick link is named over IPv4 and IPv6, in both grades, from exact counts") {}

  private:
    void DoRun() override {
        std::map<SickRun::PathKey, std::pair<uint64_t, uint64_t>> lean;
        for (const std::string underlay : {"ipv4", "ipv6"}) {
            for (const std::string grade : {"lean", "stock"}) {
                const SickRun run(underlay, grade);
                const std::string where = underlay + ", " + grade;
                NS_TEST_EXPECT_MSG_EQ(run.named, SickRun::Link, where << ": the link is named");
                ExpectTruth(run, where);
                if (grade == "lean") lean = run.last;
                NS_TEST_EXPECT_MSG_EQ((run.last == lean), true, where << ": as the lean grade measures");
            }
        }
    }

    void ExpectTruth(const SickRun& run, const std::string& where) {
        const DyetraceTruth& truth = *run.fabric.helper.GetTruth();
        NS_TEST_EXPECT_MSG_EQ(truth.GetDataSent(), truth.GetDataArrived() + truth.GetDataDropped(),
                              where << ": no packet is unaccounted for");
        std::map<SickRun::PathKey, std::pair<uint64_t, uint64_t>> really;
        uint64_t lostInAll = 0;
        for (const auto& interval : truth.GetIntervals()) {
            auto& [sent, lost] = really[{interval.requester.Get(), interval.acceptor.Get(), interval.session,
                                         interval.path, interval.generation}];
            sent += interval.sent;
            lost += interval.lost;
            lostInAll += interval.lost;
        }
        NS_TEST_EXPECT_MSG_GT(lostInAll, 50, where << ": there was loss to measure");
        NS_TEST_ASSERT_MSG_GT(run.last.size(), 100, where << ": many paths were measured");
        NS_TEST_EXPECT_MSG_EQ((run.last == really), true, where << ": sent and lost, packet for packet");
        const auto nhms = run.fabric.NhmsCounters();
        NS_TEST_EXPECT_MSG_GT(nhms.count("paths"), 0, where << ": paths are told");
        NS_TEST_EXPECT_MSG_EQ(nhms.count("paths-unusable"), 0, where << ": by links that exist");
        NS_TEST_EXPECT_MSG_EQ(run.fabric.Count("updates-acked"), run.fabric.Count("updates-sent"),
                              where << ": every update is acknowledged");
    }
};

class TooBigTestCase : public TestCase {
  public:
    TooBigTestCase() : TestCase("over IPv6 a narrow link says packet too big, and the loss is counted") {}

  private:
    void NoteDelivered(uint32_t, const DyetracePacket& packet) {
        const uint8_t* frame = packet.Frame();
        if (packet.HeadLength() < kUdp6Offset + 8 || frame[20] != wire::kProtocolIcmpv6) return;
        if (frame[kUdp6Offset] != wire::kIcmpv6TooBig) return;
        ++m_told;
        m_wrong += dyetrace::load_u32(frame + kUdp6Offset + 4) != 1400;
    }

    void DoRun() override {
        UnderlayFabric fabric("ipv6");
        auto fault = DyetraceFault::Create("mtu-shrink");
        fault->SetAttribute("From", StringValue("edge-2-0"));
        fault->SetAttribute("To", StringValue("agg-2-1"));
        fault->SetAttribute("Mtu", UintegerValue(1400));
        fabric.Fabric().AddFault(fault);
        fabric.Fabric().TraceConnectWithoutContext("Deliver",
                                                   MakeCallback(&TooBigTestCase::NoteDelivered, this));
        fabric.Run();
        NS_TEST_EXPECT_MSG_GT(m_told, 50, "senders are told");
        NS_TEST_EXPECT_MSG_EQ(m_wrong, 0, "with the link's MTU");
        const uint64_t dropped = fabric.Fabric().GetDrops(DyetraceDropCause::TooBig);
        NS_TEST_EXPECT_MSG_EQ(dropped, m_told, "once for each packet that was dropped");
        NS_TEST_EXPECT_MSG_EQ(fabric.helper.GetTruth()->GetDataDropped(), dropped, "all of them data");
    }

    uint64_t m_told = 0;
    uint64_t m_wrong = 0;
};

const Offer<Ipv6FramesTestCase, SameVerdictTestCase, TooBigTestCase> g_offer{"underlay"};

}  // namespace
