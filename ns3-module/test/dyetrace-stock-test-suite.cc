// SPDX-License-Identifier: GPL-2.0-or-later
// The stock grade: that it does what the lean grade does, packet by packet, and is ns-3's besides.

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/dyetrace-ethernet-device.h>
#include <ns3/dyetrace-ethernet-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-receiver.h>
#include <ns3/dyetrace-truth.h>
#include <ns3/global-value.h>
#include <ns3/inet-socket-address.h>
#include <ns3/ipv4-routing-protocol.h>
#include <ns3/ipv4.h>
#include <ns3/ipv6-address.h>
#include <ns3/output-stream-wrapper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/udp-echo-helper.h>
#include <ns3/uinteger.h>

#include "../model/dyetrace-capture.h"
#include "../model/dyetrace-lean-plane.h"
#include "../model/dyetrace-ranks.h"
#include "../model/dyetrace-stock-plane.h"
#include "dyetrace-test-cases.h"

#include "core/base/random.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kHead = 50;  ///< Ethernet, IPv4, UDP, Geneve
constexpr uint16_t kEcho = 7;   ///< source port of what a host sends back

/// What happened to a packet, where and when.
struct Event {
    int64_t timeNs;
    uint32_t node;
    char kind;  ///< d(rop), f(orward), a(rrived)
    uint32_t place;
    uint32_t detail;  ///< the other link, or the cause
    uint32_t tail;
    std::vector<uint8_t> bytes;

    bool operator==(const Event& other) const {
        return std::tie(timeNs, node, kind, place, detail, tail, bytes) ==
               std::tie(other.timeNs, other.node, other.kind, other.place, other.detail, other.tail,
                        other.bytes);
    }
};

struct Workload {
    std::string scheduler = "ns3::MapScheduler";
    uint32_t packets = 8000;
    uint64_t seed = 1;
    std::string capture;  ///< file, of the port agg-0-0:core-0
};

/// Everything that a plane of the fabric tells, of a workload with faults.
template <class Plane>
class GradeRun {
  public:
    explicit GradeRun(const Workload& workload)
        : m_topology(DyetraceTopology::FatTree(4)),
          m_ranks(m_topology, {}),
          m_random(workload.seed),
          m_truth(CreateObject<DyetraceTruth>()) {
        ObjectFactory factory;
        factory.SetTypeId(workload.scheduler);
        Simulator::SetScheduler(factory);
        DyetraceDataPlane::Config config;
        config.linkRate = DataRate("1Gbps");
        config.linkDelayNs = 1000;
        config.queueBytes = 15000;
        config.ecnBytes = 6000;
        config.mtu = 1400;
        config.detectionNs = 100000;
        config.forwarding = {workload.seed, 200000, 3};
        m_drop.ConnectWithoutContext(MakeCallback(&GradeRun::NoteDrop, this));
        m_forward.ConnectWithoutContext(MakeCallback(&GradeRun::NoteForward, this));
        m_deliver.ConnectWithoutContext(MakeCallback(&GradeRun::NoteDeliver, this));
        std::unique_ptr<DyetraceCapture> capture;
        if (!workload.capture.empty()) capture = std::make_unique<DyetraceCapture>(workload.capture, 100000);
        m_plane = std::make_unique<Plane>(m_topology, m_ranks, config,
                                          DyetraceDataPlane::Traces{m_drop, m_forward, m_deliver});
        if (capture) m_plane->SetCapture(Link("agg-0-0", "core-0"), capture.get());
        for (uint32_t host = 0; host < m_topology.GetNHosts(); ++host) {
            m_hosts.push_back(std::make_unique<Host>(*this, host));
            m_plane->Attach(host, m_hosts.back().get());
        }
        PlanFaults();
        // At whole microseconds, so that many fall together.
        for (uint32_t i = 0; i < workload.packets; ++i) {
            const uint64_t us = m_random.below(2000);
            const uint32_t from = m_random.below(m_topology.GetNHosts());
            Simulator::Schedule(MicroSeconds(us), &GradeRun::SendOne, this, from, m_random.next());
        }
        Simulator::Run();
        counters = m_plane->GetCounters();
        icmpSent = m_plane->GetForwarding().GetIcmpSent();
        icmpSuppressed = m_plane->GetForwarding().GetIcmpSuppressed();
        for (uint32_t link = 0; link < m_topology.GetNLinks(); ++link)
            linkPackets.push_back(m_plane->GetLinkPackets(link));
        inUse = m_plane->GetPool().GetInUse();
        arrivedByTruth = m_truth->GetDataArrived();
        if (capture) capture->Flush(Simulator::Now().GetNanoSeconds());
        // What happens at one node is in order; what happens at two at the same time is in none.
        std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
            return std::tie(a.timeNs, a.node) < std::tie(b.timeNs, b.node);
        });
        m_plane.reset();
        Simulator::Destroy();
        GlobalValue::Bind("ChecksumEnabled", BooleanValue(false));
    }

    std::vector<Event> events;
    DyetraceDataPlane::Counters counters;
    uint64_t icmpSent = 0;
    uint64_t icmpSuppressed = 0;
    std::vector<uint64_t> linkPackets;
    uint64_t inUse = 0;
    uint64_t arrivedByTruth = 0;

  private:
    class Host : public DyetraceReceiver {
      public:
        Host(GradeRun& run, uint32_t number) : m_run(run), m_number(number) {}
        void Receive(DyetracePacket* packet) override { m_run.TakeAtHost(m_number, packet); }

      private:
        GradeRun& m_run;
        uint32_t m_number;
    };

    uint32_t Link(const std::string& from, const std::string& to) const {
        return m_topology.FindLink(m_topology.FindNode(from), m_topology.FindNode(to));
    }

    void Change(uint32_t microseconds, std::function<void()> change) {
        m_plane->AddChange(int64_t{microseconds} * 1000, std::move(change));
        Simulator::Schedule(MicroSeconds(microseconds), &GradeRun::ApplyChanges, this);
    }
    void ApplyChanges() { m_plane->ApplyChanges(Simulator::Now().GetNanoSeconds()); }

    void Impair(uint32_t link, DyetraceImpairment::Kind kind, double probability, int64_t delayNs = 0,
                int64_t jitterNs = 0) {
        DyetraceImpairment impairment;
        impairment.kind = kind;
        impairment.faultId = m_faults++;
        impairment.probability = probability;
        impairment.delayNs = delayNs;
        impairment.jitterNs = jitterNs;
        Change(100, [this, link, impairment] { m_plane->AddImpairment(link, impairment); });
        Change(1800, [this, link, impairment] { m_plane->RemoveImpairment(link, impairment.faultId); });
    }

    void PlanFaults() {
        using Kind = DyetraceImpairment::Kind;
        Impair(Link("agg-0-0", "core-1"), Kind::Loss, 0.2);
        Impair(Link("agg-0-0", "core-1"), Kind::Loss, 0.1);
        Impair(Link("edge-3-1", "host-3-1-0"), Kind::Loss, 0.3);
        Impair(Link("host-1-0-0", "edge-1-0"), Kind::Loss, 1);
        Impair(Link("core-2", "agg-1-1"), Kind::FlowLoss, 0.3);
        Impair(Link("agg-3-0", "edge-3-0"), Kind::Corruption, 0.3);
        Impair(Link("edge-2-0", "agg-2-1"), Kind::Delay, 1, 5000, 3000);
        Impair(Link("agg-0-1", "edge-0-0"), Kind::Reordering, 0.2, 20000);
        Impair(Link("core-3", "agg-3-1"), Kind::Duplication, 0.2, 1000);
        Impair(Link("edge-1-1", "host-1-1-1"), Kind::Duplication, 0.2, 1000);
        Impair(Link("agg-2-1", "core-2"), Kind::EcnMarking, 0.5);
        Impair(Link("core-0", "agg-1-0"), Kind::EcnBleaching, 0.5);
        for (const uint32_t link : {Link("agg-2-0", "core-0"), Link("core-0", "agg-2-0")}) {
            Change(700, [this, link] { m_plane->SetDown(link, true); });
            Change(1200, [this, link] { m_plane->SetDown(link, false); });
        }
        const uint32_t slow = Link("edge-0-1", "agg-0-1");
        Change(300, [this, slow] { m_plane->AddRateCut(slow, 100, DataRate("300Mbps")); });
        Change(900, [this, slow] { m_plane->RemoveRateCut(slow, 100); });
        const uint32_t narrow = Link("agg-3-1", "core-3");
        Change(500, [this, narrow] { m_plane->AddMtuCut(narrow, 101, 700); });
        Change(1500, [this, narrow] { m_plane->RemoveMtuCut(narrow, 101); });
    }

    DyetracePacket* Make(uint32_t from, Ipv4Address to, uint8_t ttl, uint16_t sourcePort, uint32_t payload) {
        DyetracePacket* packet = m_plane->GetPool().Allocate(0, kHead, payload);
        const dyetrace::MutableBytes frame{packet->Frame(), kHead};
        std::fill(frame.begin(), frame.end(), uint8_t{0});
        dyetrace::MacAddress gateway;
        m_topology.GetMac(m_topology.GetTo(m_topology.GetNode(from).firstPort)).CopyTo(gateway.octets.data());
        dyetrace::MacAddress own;
        m_topology.GetMac(from).CopyTo(own.octets.data());
        wire::EthernetHeader{gateway, own, wire::kEtherTypeIpv4}.encode_into(frame);
        wire::Ipv4Header ip;
        ip.total_length = static_cast<uint16_t>(kHead - 14 + payload);
        // Of the host alone: what other hosts do at the same time may come before or after.
        const uint64_t random = dyetrace::mix64(uint64_t{from} << 32 | ++m_made[from]);
        ip.identification = static_cast<uint16_t>(random);
        ip.dscp = static_cast<uint8_t>(random >> 16 & 63);
        ip.ecn = static_cast<wire::Ecn>(random >> 24 & 3);
        ip.ttl = ttl;
        ip.protocol = wire::kProtocolUdp;
        ip.source = dyetrace::Ipv4Address{m_topology.GetNode(from).address.Get()};
        ip.destination = dyetrace::Ipv4Address{to.Get()};
        ip.encode_into(frame.subspan(14));
        wire::UdpHeader{sourcePort, 6081, static_cast<uint16_t>(16 + payload), 0}.encode_into(
            frame.subspan(34));
        return packet;
    }

    DyetracePacket* Make6(uint32_t from, uint32_t to, uint8_t hopLimit, uint16_t sourcePort,
                          uint32_t payload) {
        constexpr uint32_t head = 14 + 40 + 8 + 8;
        DyetracePacket* like4 = Make(from, m_topology.GetNode(to).address, hopLimit, sourcePort, payload);
        DyetracePacket* packet = m_plane->GetPool().Allocate(0, head, payload);
        const dyetrace::MutableBytes frame{packet->Frame(), head};
        std::copy_n(like4->Frame(), 14, frame.begin());
        dyetrace::store_u16(&frame[12], wire::kEtherTypeIpv6);
        std::copy_n(like4->Frame() + 34, 16, &frame[54]);
        wire::Ipv6Header ip;
        ip.ecn = static_cast<wire::Ecn>(like4->Frame()[15] & 3);
        ip.payload_length = static_cast<uint16_t>(16 + payload);
        ip.next_header = wire::kProtocolUdp;
        ip.hop_limit = hopLimit;
        ip.source = ToCore(m_topology.GetAddress6(from));
        ip.destination = ToCore(m_topology.GetAddress6(to));
        ip.encode_into(frame.subspan(14));
        m_plane->GetPool().Free(like4);
        return packet;
    }

    static dyetrace::IpAddress ToCore(Ipv6Address address) {
        uint8_t bytes[16];
        address.GetBytes(bytes);
        return {dyetrace::load_u64(bytes), dyetrace::load_u64(bytes + 8)};
    }

    void SendOne(uint32_t from, uint64_t random) {
        const auto draw = [&random](uint32_t below) {
            random = dyetrace::mix64(random);
            return static_cast<uint32_t>(random % below);
        };
        Ipv4Address to = m_topology.GetNode(draw(m_topology.GetNHosts())).address;
        if (draw(50) == 0) to = Ipv4Address(to.Get() | 0xf0);  // a host that the rack has not
        if (draw(100) == 0) to = Ipv4Address("11.0.0.1");      // and one that nobody has
        const auto ttl = static_cast<uint8_t>(draw(10) == 0 ? draw(8) : 64);
        if (draw(5) == 0) {
            m_plane->TakeArrivals(from);
            m_plane->Send(from, Make6(from, draw(m_topology.GetNHosts()), ttl,
                                      static_cast<uint16_t>(49152 + draw(64)), draw(1400)));
            return;
        }
        DyetracePacket* packet =
            Make(from, to, ttl, static_cast<uint16_t>(49152 + draw(64)), draw(4) == 0 ? 0 : draw(1400));
        switch (draw(60)) {
            case 0: packet->Frame()[24] ^= 1; break;  // a wrong checksum
            case 1: packet->Frame()[13] = 6; break;   // ARP
            case 2: packet->Frame()[14] = 0x65; break;
            case 3:  // a cut header
                packet->end = packet->begin + draw(34);
                packet->tail = 0;
                break;
            default: m_truth->NoteSent(*packet); break;
        }
        m_plane->TakeArrivals(from);
        m_plane->Send(from, packet);
    }

    /// Answers some of what arrives at once, so that order at a host matters for all that follows.
    void TakeAtHost(uint32_t host, DyetracePacket* packet) {
        m_truth->NoteArrived(*packet);
        const uint8_t* frame = packet->Frame();
        const bool isUdp = packet->HeadLength() == kHead && frame[23] == wire::kProtocolUdp;
        if (isUdp && dyetrace::load_u16(frame + 34) != kEcho && packet->tail % 2 == 0) {
            DyetracePacket* answer =
                Make(host, Ipv4Address(dyetrace::load_u32(frame + 26)), 64, kEcho, packet->tail);
            m_truth->NoteSent(*answer);
            m_plane->TakeArrivals(host);
            m_plane->Send(host, answer);
        }
        m_plane->GetPool().Free(packet);
    }

    void Note(uint32_t node, char kind, uint32_t place, uint32_t detail, const DyetracePacket& packet) {
        events.push_back({Simulator::Now().GetNanoSeconds(), node, kind, place, detail, packet.tail,
                          packet.Materialise()});
    }
    void NoteDrop(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
        const bool atSender = cause == DyetraceDropCause::Queue || cause == DyetraceDropCause::Down;
        Note(atSender ? m_topology.GetFrom(link) : m_topology.GetTo(link), 'd', link,
             static_cast<uint32_t>(cause), packet);
    }
    void NoteForward(uint32_t in, uint32_t out, const DyetracePacket& packet) {
        Note(m_topology.GetFrom(out), 'f', in, out, packet);
    }
    void NoteDeliver(uint32_t host, const DyetracePacket& packet) { Note(host, 'a', host, 0, packet); }

    DyetraceTopology m_topology;
    DyetraceRanks m_ranks;
    dyetrace::Random m_random;
    Ptr<DyetraceTruth> m_truth;
    TracedCallback<uint32_t, DyetraceDropCause, const DyetracePacket&> m_drop;
    TracedCallback<uint32_t, uint32_t, const DyetracePacket&> m_forward;
    TracedCallback<uint32_t, const DyetracePacket&> m_deliver;
    std::unique_ptr<Plane> m_plane;
    std::vector<std::unique_ptr<Host>> m_hosts;
    std::array<uint32_t, 16> m_made{};  ///< packets, by host
    uint32_t m_faults = 0;
};

std::string ReadAll(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string Describe(const Event& event) {
    std::ostringstream text;
    text << event.timeNs << " ns, node " << event.node << ", " << event.kind << ' ' << event.place << ' '
         << event.detail << ", " << event.bytes.size() << " bytes, tail " << event.tail << ':' << std::hex;
    for (std::size_t i = 0; i < event.bytes.size() && i < 42; ++i)
        text << ' ' << static_cast<int>(event.bytes[i]);
    return text.str();
}

class GradesTestCase : public TestCase {
  public:
    GradesTestCase() : TestCase("both grades forward, drop and deliver the same packets, byte by byte") {}

  private:
    void DoRun() override {
        const std::string leanFile = CreateTempDirFilename("lean.pcap");
        const std::string stockFile = CreateTempDirFilename("stock.pcap");
        Workload workload;
        workload.capture = leanFile;
        const GradeRun<DyetraceLeanPlane> lean(workload);
        workload.capture = stockFile;
        const GradeRun<DyetraceStockPlane> stock(workload);
        NS_TEST_ASSERT_MSG_GT(lean.events.size(), 20000, "much happened");
        for (uint32_t cause = 0; cause < DyetraceDropCauseCount; ++cause) {
            const char* name = DyetraceDropCauseName(static_cast<DyetraceDropCause>(cause));
            NS_TEST_EXPECT_MSG_GT(lean.counters.drops.at(cause), 10, "also drops by " << name);
            NS_TEST_EXPECT_MSG_EQ(stock.counters.drops.at(cause), lean.counters.drops.at(cause), name);
        }
        NS_TEST_EXPECT_MSG_EQ(stock.counters.hops, lean.counters.hops, "packet-hops");
        NS_TEST_EXPECT_MSG_EQ(stock.counters.delivered, lean.counters.delivered, "delivered");
        NS_TEST_EXPECT_MSG_GT(lean.icmpSent, 50, "routers answered");
        NS_TEST_EXPECT_MSG_EQ(stock.icmpSent, lean.icmpSent, "in both");
        NS_TEST_EXPECT_MSG_GT(lean.icmpSuppressed, 10, "and were held back");
        NS_TEST_EXPECT_MSG_EQ(stock.icmpSuppressed, lean.icmpSuppressed, "alike");
        NS_TEST_EXPECT_MSG_EQ((stock.linkPackets == lean.linkPackets), true, "each link carried as many");
        NS_TEST_EXPECT_MSG_EQ(lean.inUse + stock.inUse, 0, "no packet is left over");
        NS_TEST_EXPECT_MSG_GT(lean.arrivedByTruth, 1000, "truth knows what arrived");
        NS_TEST_EXPECT_MSG_EQ(stock.arrivedByTruth, lean.arrivedByTruth, "through real nodes too");
        ExpectSame(lean.events, stock.events);
        NS_TEST_EXPECT_MSG_GT(ReadAll(leanFile).size(), 10000, "a port was captured");
        NS_TEST_EXPECT_MSG_EQ((ReadAll(stockFile) == ReadAll(leanFile)), true, "to the same file");
    }

    void ExpectSame(const std::vector<Event>& lean, const std::vector<Event>& stock) {
        NS_TEST_EXPECT_MSG_EQ(stock.size(), lean.size(), "as much happened");
        const auto end = std::min(lean.size(), stock.size());
        for (std::size_t i = 0; i < end; ++i) {
            if (lean[i] == stock[i]) continue;
            NS_TEST_EXPECT_MSG_EQ(Describe(stock[i]), Describe(lean[i]), "event " << i << " is the same");
            return;
        }
    }
};

class StockRepeatTestCase : public TestCase {
  public:
    StockRepeatTestCase() : TestCase("the stock grade does the same by any scheduler") {}

  private:
    void DoRun() override {
        Workload workload;
        workload.packets = 1000;
        workload.seed = 2;
        const auto first = GradeRun<DyetraceStockPlane>(workload).events;
        NS_TEST_ASSERT_MSG_GT(first.size(), 3000, "something happened");
        for (const char* scheduler : {"ns3::PriorityQueueScheduler", "ns3::CalendarScheduler"}) {
            workload.scheduler = scheduler;
            NS_TEST_EXPECT_MSG_EQ((GradeRun<DyetraceStockPlane>(workload).events == first), true, scheduler);
        }
    }
};

/// A stock plane without EPPCs, or with.
class BareFabric {
  public:
    BareFabric() : topology(DyetraceTopology::FatTree(4)), ranks(topology, {}) {
        DyetraceDataPlane::Config config;
        config.linkRate = DataRate("1Gbps");
        config.linkDelayNs = 1000;
        config.queueBytes = 150000;
        config.mtu = 9216;
        config.detectionNs = -1;
        config.forwarding.seed = 1;
        plane = std::make_unique<DyetraceStockPlane>(topology, ranks, config,
                                                     DyetraceDataPlane::Traces{drop, forward, deliver});
    }
    ~BareFabric() {
        plane.reset();
        Simulator::Destroy();
        GlobalValue::Bind("ChecksumEnabled", BooleanValue(false));
    }

    DyetraceTopology topology;
    DyetraceRanks ranks;
    TracedCallback<uint32_t, DyetraceDropCause, const DyetracePacket&> drop;
    TracedCallback<uint32_t, uint32_t, const DyetracePacket&> forward;
    TracedCallback<uint32_t, const DyetracePacket&> deliver;
    std::unique_ptr<DyetraceStockPlane> plane;
};

class StockApplicationTestCase : public TestCase {
  public:
    StockApplicationTestCase() : TestCase("applications run on the nodes of hosts and of racks' switches") {}

  private:
    class Eppc : public DyetraceReceiver {
      public:
        explicit Eppc(DyetraceStockPlane& plane) : m_plane(plane) {}
        void Receive(DyetracePacket* packet) override {
            ++packets;
            m_plane.GetPool().Free(packet);
        }
        uint64_t packets = 0;

      private:
        DyetraceStockPlane& m_plane;
    };

    void NoteEcho(Ptr<const Packet>) { ++m_echoes; }

    /// A test's macros look at what they are given more than once: so the count goes into a variable first.
    uint64_t Echoes(BareFabric& fabric, const std::string& from, const std::string& to, uint16_t port = 9) {
        m_echoes = 0;
        const auto& topology = fabric.topology;
        UdpEchoServerHelper server(port);
        server.Install(fabric.plane->GetNode(topology.FindNode(to))).Start(Seconds(0));
        UdpEchoClientHelper client(topology.GetNode(topology.FindNode(to)).address, port);
        client.SetAttribute("MaxPackets", UintegerValue(10));
        client.SetAttribute("Interval", TimeValue(MicroSeconds(100)));
        auto clients = client.Install(fabric.plane->GetNode(topology.FindNode(from)));
        clients.Get(0)->TraceConnectWithoutContext("Rx",
                                                   MakeCallback(&StockApplicationTestCase::NoteEcho, this));
        Simulator::Stop(MilliSeconds(5));
        Simulator::Run();
        return m_echoes;
    }

    void DoRun() override {
        const std::string pcap = CreateTempDirFilename("port.pcap");
        {
            BareFabric fabric;
            const uint32_t port = fabric.topology.GetNode(fabric.topology.FindNode("host-0-0-0")).firstPort;
            DyetraceEthernetHelper().EnablePcap(pcap, fabric.plane->GetDevice(port), true, true);
            const uint64_t betweenHosts = Echoes(fabric, "host-0-0-0", "host-3-1-1");
            NS_TEST_EXPECT_MSG_EQ(betweenHosts, 10, "between hosts");
            const uint64_t toSwitch = Echoes(fabric, "host-0-0-1", "edge-2-1");
            NS_TEST_EXPECT_MSG_EQ(toSwitch, 10, "from a host to a switch");
            const uint64_t fromSwitch = Echoes(fabric, "edge-0-0", "host-2-0-0");
            NS_TEST_EXPECT_MSG_EQ(fromSwitch, 10, "and from a switch");
        }
        NS_TEST_EXPECT_MSG_EQ(ReadAll(pcap).size(), 24 + 20 * (16 + 42 + 100), "a port has its capture");
        BareFabric fabric;
        Eppc eppc(*fabric.plane);
        const uint32_t host = fabric.topology.FindNode("host-3-1-1");
        fabric.plane->Attach(host, &eppc);
        const uint64_t pastEppc = Echoes(fabric, "host-0-0-0", "host-3-1-1");
        NS_TEST_EXPECT_MSG_EQ(pastEppc, 0, "an EPPC takes a host's datagrams");
        NS_TEST_EXPECT_MSG_EQ(eppc.packets, 10, "all of them");
        fabric.plane->UseStack(host, 10);
        const uint64_t besideEppc = Echoes(fabric, "host-0-0-1", "host-3-1-1", 10);
        NS_TEST_EXPECT_MSG_EQ(besideEppc, 10, "but for the ports that are left to the stack");
        NS_TEST_EXPECT_MSG_EQ(eppc.packets, 10, "which it does not see");
    }

    uint64_t m_echoes = 0;
};

/// What engines measure and the health service decides.
class MeasuredGrade {
  public:
    explicit MeasuredGrade(const std::string& grade) {
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Grade", StringValue(grade));
        helper.SetFabricAttribute("Seed", UintegerValue(5));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        for (const char* interval : {"ReportInterval", "PathIdle", "UpdateInterval"})
            helper.SetHostAttribute(interval, StringValue("10ms"));
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsHost("host-0-0-0");
        helper.SetTraffic({{0, 0}, {10000, 0.5}, {200000, 1}}, 0.15);
        helper.Install();
        helper.AddSilentDrop("agg-1-0", "core-1", MilliSeconds(30), 0.3);
        for (const auto& host : helper.GetHosts())
            host->TraceConnectWithoutContext("Metrics", MakeCallback(&MeasuredGrade::NoteMetrics, this));
        helper.GetNhms()->TraceConnectWithoutContext("Incident",
                                                     MakeCallback(&MeasuredGrade::NoteIncident, this));
        Simulator::Stop(MilliSeconds(700));
        Simulator::Run();
        delivered = helper.GetFabric()->GetDelivered();
        dropped = helper.GetTruth()->GetDataDropped();
        helper.Dispose();
        Simulator::Destroy();
        GlobalValue::Bind("ChecksumEnabled", BooleanValue(false));
        // What two hosts learn at one time comes in no order.
        std::sort(metrics.begin(), metrics.end());
    }

    /// Time, host, peer, session, path and generation, sent, received, sum of delays.
    using Metrics = std::tuple<int64_t, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, int64_t>;
    std::vector<Metrics> metrics;
    std::vector<std::string> incidents;
    uint64_t delivered = 0;
    uint64_t dropped = 0;

  private:
    void NoteMetrics(const DyetracePathMetrics& m) {
        metrics.emplace_back(Simulator::Now().GetNanoSeconds(), m.host, m.peer.Get(), m.session,
                             uint32_t{m.path} << 8 | m.generation, m.sent, m.received,
                             m.delaySum.GetNanoSeconds());
    }
    void NoteIncident(const DyetraceIncidentStep& step) {
        incidents.push_back(std::to_string(Simulator::Now().GetNanoSeconds()) + ' ' + step.state + ' ' +
                            step.step + ' ' + step.from + " > " + step.to + ' ' + step.detail);
    }

    DyetraceHelper helper;
};

class HealthTestCase : public TestCase {
  public:
    HealthTestCase() : TestCase("EPPCs measure, and the health service decides, the same over both grades") {}

  private:
    void DoRun() override {
        const MeasuredGrade lean("lean");
        const MeasuredGrade stock("stock");
        NS_TEST_ASSERT_MSG_GT(lean.metrics.size(), 500, "paths were measured");
        NS_TEST_EXPECT_MSG_GT(lean.dropped, 20, "there was loss");
        NS_TEST_EXPECT_MSG_GT(lean.incidents.size(), 0, "which the service told of");
        // Not packet-hops: where a run is stopped, the lean switches are up to a look-ahead further.
        NS_TEST_EXPECT_MSG_EQ(stock.delivered, lean.delivered, "packets at hosts");
        NS_TEST_EXPECT_MSG_EQ(stock.dropped, lean.dropped, "losses");
        NS_TEST_EXPECT_MSG_EQ((stock.metrics == lean.metrics), true, "every report of every path");
        NS_TEST_EXPECT_MSG_EQ((stock.incidents == lean.incidents), true, "every step of every incident");
    }
};

class RoutingTableTestCase : public TestCase {
  public:
    RoutingTableTestCase() : TestCase("a switch's routing table shows its hosts and its equal-cost ports") {}

  private:
    void DoRun() override {
        BareFabric fabric;
        std::ostringstream text;
        Ptr<Ipv4> ipv4 = fabric.plane->GetNode(fabric.topology.FindNode("edge-0-1"))->GetObject<Ipv4>();
        ipv4->GetRoutingProtocol()->PrintRoutingTable(Create<OutputStreamWrapper>(&text));
        const std::string table = text.str();
        for (const char* line : {"10.0.1.2/32         host-0-1-0\n", "10.0.1.3/32         host-0-1-1\n",
                                 "10.3.0.0/24         agg-0-0 agg-0-1\n", "Node: edge-0-1"})
            NS_TEST_EXPECT_MSG_NE(table.find(line), std::string::npos, line << " is in\n" << table);
    }
};

/// Two nodes and a cable.
class EthernetTestCase : public TestCase {
  public:
    EthernetTestCase() : TestCase("a frame takes its bytes' time, and what does not fit is dropped") {}

  private:
    bool NoteReceived(Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t, const Address&) {
        m_received.emplace_back(Simulator::Now().GetNanoSeconds(), packet->GetSize());
        return true;
    }
    void NoteDrop(Ptr<const Packet>) { ++m_dropped; }

    void DoRun() override {
        auto a = CreateObject<Node>();
        auto b = CreateObject<Node>();
        DyetraceEthernetHelper helper;
        helper.SetDeviceAttribute("DataRate", StringValue("8Gbps"));  // a nanosecond a byte
        helper.SetDeviceAttribute("QueueBytes", UintegerValue(3100));
        helper.SetChannelAttribute("Delay", StringValue("500ns"));
        const std::string ascii = CreateTempDirFilename("ethernet.tr");
        const auto devices = helper.Install(a, b);
        helper.EnableAscii(ascii, devices.Get(0), true);
        devices.Get(1)->SetReceiveCallback(MakeCallback(&EthernetTestCase::NoteReceived, this));
        devices.Get(0)->TraceConnectWithoutContext("MacTxDrop",
                                                   MakeCallback(&EthernetTestCase::NoteDrop, this));
        NS_TEST_EXPECT_MSG_EQ(devices.Get(0)->IsLinkUp(), true, "the cable is in");
        for (int i = 0; i < 4; ++i)
            devices.Get(0)->Send(Create<Packet>(962), devices.Get(1)->GetAddress(), 0x0800);
        devices.Get(0)->Send(Create<Packet>(1), devices.Get(1)->GetAddress(), 0x0800);
        Simulator::Run();
        // 962 + 14 + 24 = 1000 bytes on the wire; the fourth would make 4000, the short one makes 3084.
        const std::vector<std::pair<int64_t, uint32_t>> expected{
            {1500, 962}, {2500, 962}, {3500, 962}, {3584, 1}};
        NS_TEST_EXPECT_MSG_EQ((m_received == expected), true,
                              "each after its time on the wire and the delay");
        NS_TEST_EXPECT_MSG_EQ(m_dropped, 1, "the fourth did not fit");
        Simulator::Destroy();
        const std::string lines = ReadAll(ascii);
        NS_TEST_EXPECT_MSG_EQ(std::count(lines.begin(), lines.end(), '\n'), 5,
                              "each has its line in the trace");
    }

    std::vector<std::pair<int64_t, uint32_t>> m_received;
    uint64_t m_dropped = 0;
};

const Offer<EthernetTestCase, GradesTestCase, StockRepeatTestCase, StockApplicationTestCase,
            RoutingTableTestCase, HealthTestCase>
    g_offer{"stock"};

}  // namespace
