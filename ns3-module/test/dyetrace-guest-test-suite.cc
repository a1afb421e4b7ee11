// SPDX-License-Identifier: GPL-2.0-or-later
// Full guests: that ns-3's own stack and applications run over the overlay as over any network.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <ns3/application-container.h>
#include <ns3/arp-header.h>
#include <ns3/boolean.h>
#include <ns3/bulk-send-helper.h>
#include <ns3/config.h>
#include <ns3/double.h>
#include <ns3/dyetrace-guest-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/inet-socket-address.h>
#include <ns3/object-factory.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/packet-sink.h>
#include <ns3/pcap-file.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/udp-echo-helper.h>
#include <ns3/udp-socket-factory.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

constexpr uint16_t kPort = 5001;
const std::string kClientHost = "host-0-0-0";
const std::string kServerHost = "host-3-1-1";

/// A fabric of k=4 with two full guests in different pods; lean ones on all hosts.
class GuestFabric {
  public:
    explicit GuestFabric(double load = 0, const std::string& scheduler = "ns3::MapScheduler",
                         uint32_t underlayMtu = 1600, uint16_t guestMtu = 1500,
                         const std::string& underlay = "ipv4") {
        ObjectFactory factory;
        factory.SetTypeId(scheduler);
        Simulator::SetScheduler(factory);
        Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
        Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(60000));
        Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(60000));
        // Round trips are tens of microseconds: a lone segment's acknowledgement must not wait beyond the
        // RTO.
        Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(MilliSeconds(10)));
        Config::SetDefault("ns3::TcpSocket::DelAckTimeout", TimeValue(MilliSeconds(1)));
        Config::SetDefault("ns3::ArpCache::PendingQueueSize", UintegerValue(1000));
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Seed", UintegerValue(7));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(10)));
        helper.SetHostAttribute("PathIdle", TimeValue(MilliSeconds(20)));
        helper.SetHostAttribute("UnderlayMtu", UintegerValue(underlayMtu));
        helper.SetHostAttribute("Underlay", StringValue(underlay));
        if (load > 0) helper.SetTraffic({{0, 0}, {20000, 1}}, load);
        helper.AddGuest(kClientHost);
        helper.AddGuest(kServerHost);
        helper.Install();
        guests.SetDeviceAttribute("Mtu", UintegerValue(guestMtu));
        nodes = guests.Install(helper);
        guests.AssignStreams(1);
    }
    ~GuestFabric() {
        helper.Dispose();
        Simulator::Destroy();
        Config::Reset();
    }
    Ptr<DyetraceGuestDevice> Device(uint32_t n) const {
        return DynamicCast<DyetraceGuestDevice>(guests.GetDevices().Get(n));
    }
    uint64_t Count(const std::string& host, const std::string& name) const {
        for (const auto& [counter, value] : helper.GetHost(host)->GetCounters())
            if (counter == name) return value;
        return 0;
    }

    DyetraceHelper helper;
    DyetraceGuestHelper guests;
    NodeContainer nodes;
};

std::vector<uint8_t> BytesOf(Ptr<const Packet> packet) {
    std::vector<uint8_t> bytes(packet->GetSize());
    packet->CopyData(bytes.data(), packet->GetSize());
    return bytes;
}

/// Whether the checksums of an Ethernet frame's IPv4 header and of the TCP, UDP or ICMP in it are right.
bool AreChecksumsRight(dyetrace::Bytes frame) {
    const auto ip = wire::Ipv4Header::parse(frame.subspan(14), frame.size() - 14);
    if (!ip.ok()) return false;
    const dyetrace::Bytes rest = frame.subspan(
        14U + ip->header_length, static_cast<std::size_t>(ip->total_length) - ip->header_length);
    if (ip->protocol == wire::kProtocolUdp) {
        return dyetrace::load_u16(&rest[6]) != 0 && wire::udp_checksum_ok(ip->source, ip->destination, rest);
    }
    const uint64_t pseudo =
        ip->protocol == wire::kProtocolTcp
            ? wire::pseudo_header_sum(ip->source, ip->destination, ip->protocol, rest.size())
            : 0;
    return wire::checksum_finish(wire::checksum_add(rest, pseudo)) == 0;
}

bool IsIpv4(dyetrace::Bytes frame) {
    return frame.size() >= 34 && dyetrace::load_u16(&frame[12]) == wire::kEtherTypeIpv4;
}

/// ARP as the device sees it, and what the stack is told.
class GuestArpTestCase : public TestCase {
  public:
    GuestArpTestCase() : TestCase("address requests are answered from the directory, as RFC 7432 has it") {}

  private:
    bool NoteReply(Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t protocol, const Address& from,
                   const Address& to, NetDevice::PacketType) {
        if (protocol != 0x0806) return true;
        ArpHeader header;
        packet->PeekHeader(header);
        m_replies.push_back(header);
        m_replyFrom = Mac48Address::ConvertFrom(from);
        m_replyTo = Mac48Address::ConvertFrom(to);
        return true;
    }

    void Ask(GuestFabric& fabric, const char* sender, const char* target, bool isReply = false) {
        ArpHeader header;
        const Address mac = fabric.Device(0)->GetAddress();
        if (isReply) {
            header.SetReply(mac, Ipv4Address(sender), mac, Ipv4Address(target));
        } else {
            header.SetRequest(mac, Ipv4Address(sender), Mac48Address("ff:ff:ff:ff:ff:ff"),
                              Ipv4Address(target));
        }
        Ptr<Packet> packet = Create<Packet>();
        packet->AddHeader(header);
        m_replies.clear();
        fabric.Device(0)->Send(packet, fabric.Device(0)->GetBroadcast(), 0x0806);
        Simulator::Stop(MilliSeconds(1));
        Simulator::Run();
    }

    uint64_t Sum(const GuestFabric& fabric, DyetraceArpOutcome outcome) const {
        return fabric.Device(0)->GetArps(outcome);
    }

    void DoRun() override {
        GuestFabric fabric;
        // Guests 0 to 15 are the hosts' own, 192.168.0.1 to .16; ours are .17 and .18.
        fabric.Device(0)->SetPromiscReceiveCallback(MakeCallback(&GuestArpTestCase::NoteReply, this));
        Ask(fabric, "192.168.0.17", "192.168.0.18");
        NS_TEST_ASSERT_MSG_EQ(m_replies.size(), 1, "a request for another guest is answered");
        const Mac48Address server = Mac48Address::ConvertFrom(fabric.Device(1)->GetAddress());
        NS_TEST_EXPECT_MSG_EQ(m_replies[0].IsReply(), true, "with a reply");
        NS_TEST_EXPECT_MSG_EQ(m_replies[0].GetSourceIpv4Address(), Ipv4Address("192.168.0.18"), "for it");
        NS_TEST_EXPECT_MSG_EQ(Mac48Address::ConvertFrom(m_replies[0].GetSourceHardwareAddress()), server,
                              "that has its Ethernet address");
        NS_TEST_EXPECT_MSG_EQ(m_replyFrom, server, "and comes from there");
        NS_TEST_EXPECT_MSG_EQ(m_replyTo, Mac48Address::ConvertFrom(fabric.Device(0)->GetAddress()),
                              "to who asked");
        NS_TEST_EXPECT_MSG_EQ(m_replies[0].GetDestinationIpv4Address(), Ipv4Address("192.168.0.17"),
                              "by its address");
        Ask(fabric, "192.168.0.17", "192.168.9.9");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 0, "nobody answers for an address that nobody has");
        Ask(fabric, "192.168.0.17", "192.168.0.17");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 0, "nor to a guest that announces its own");
        Ask(fabric, "0.0.0.0", "192.168.0.17");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 0, "or probes for it (RFC 5227 section 2.1.1)");
        Ask(fabric, "192.168.0.17", "192.168.0.17", true);
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 0, "or tells of it in a reply to all");
        Ask(fabric, "0.0.0.0", "192.168.0.1");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 1, "a probe for an address in use learns that it is");
        Ask(fabric, "192.168.0.1", "192.168.0.1");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 1,
                              "and so does who announces another's (RFC 5227 section 2.4)");
        fabric.Device(0)->Send(Create<Packet>(27), fabric.Device(0)->GetBroadcast(), 0x0806);
        NS_TEST_EXPECT_MSG_EQ(Sum(fabric, DyetraceArpOutcome::Answered), 3, "answered");
        NS_TEST_EXPECT_MSG_EQ(Sum(fabric, DyetraceArpOutcome::Unknown), 1, "unknown");
        NS_TEST_EXPECT_MSG_EQ(Sum(fabric, DyetraceArpOutcome::Announced), 3, "announced");
        NS_TEST_EXPECT_MSG_EQ(Sum(fabric, DyetraceArpOutcome::Malformed), 1, "malformed");
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "encapsulated"), 0, "none of it used the underlay");

        fabric.Device(0)->Send(Create<Packet>(100), Mac48Address("01:00:5e:00:00:01"), 0x0800);
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "dropped-group-address"), 1,
                              "what else is sent to a group is dropped under that name");
        fabric.Device(0)->Send(Create<Packet>(100), Mac48Address("02:02:00:00:ff:ff"), 0x0800);
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "dropped-unknown-destination"), 1,
                              "as is what goes to nobody");
        fabric.Device(0)->SetAttribute("ArpSuppression", BooleanValue(false));
        Ask(fabric, "192.168.0.17", "192.168.0.18");
        NS_TEST_EXPECT_MSG_EQ(m_replies.size(), 0, "without suppression nobody answers");
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "dropped-group-address"), 2,
                              "since the overlay carries no broadcast");
    }

    std::vector<ArpHeader> m_replies;
    Mac48Address m_replyFrom;
    Mac48Address m_replyTo;
};

class GuestMtuTestCase : public TestCase {
  public:
    GuestMtuTestCase() : TestCase("a guest's MTU is at most what its host's EPPC carries, to the byte") {}

  private:
    void NoteDrop(Ptr<const Packet>) { ++m_dropped; }

    void DoRun() override {
        GuestFabric fabric(0, "ns3::MapScheduler", 1400, 1200);
        auto device = fabric.Device(0);
        device->TraceConnectWithoutContext("MacTxDrop", MakeCallback(&GuestMtuTestCase::NoteDrop, this));
        uint16_t most = 1200;
        while (device->SetMtu(static_cast<uint16_t>(most + 1)))
            ++most;
        NS_TEST_EXPECT_MSG_EQ(device->GetMtu(), most, "a refused MTU changes nothing");
        NS_TEST_EXPECT_MSG_LT(most, 1400 - 20 - 8 - 8 - 14, "an option has room beside the longest packet");
        NS_TEST_EXPECT_MSG_EQ(device->SetMtu(67), false, "RFC 791: not less than 68");
        const Address to = fabric.Device(1)->GetAddress();
        NS_TEST_EXPECT_MSG_EQ(device->Send(Create<Packet>(most), to, 0x0800), true, "the longest is sent");
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "encapsulated"), 1, "and carried");
        NS_TEST_EXPECT_MSG_EQ(device->Send(Create<Packet>(most + 1), to, 0x0800), false, "no longer one");
        NS_TEST_EXPECT_MSG_EQ(m_dropped, 1, "which is dropped by the device");
        NS_TEST_EXPECT_MSG_EQ(fabric.Count(kClientHost, "dropped-frame-too-long"), 0, "not by the EPPC");
    }

    uint64_t m_dropped = 0;
};

class GuestEchoTestCase : public TestCase {
  public:
    GuestEchoTestCase() : TestCase("UDP echo runs over the overlay, and lean guests' datagrams are whole") {}

  private:
    void NoteEcho(Ptr<const Packet> packet) { m_echoBytes.push_back(packet->GetSize()); }
    void NoteReceived(Ptr<const Packet> frame) {
        const auto bytes = BytesOf(frame);
        if (!IsIpv4(bytes)) return;
        m_wrong += !AreChecksumsRight(bytes);
        m_lean += bytes[23] == wire::kProtocolUdp && dyetrace::load_u16(&bytes[36]) != 9;
    }
    void NoteSent(Ptr<const Packet> frame) {
        const auto bytes = BytesOf(frame);
        if (!IsIpv4(bytes)) return;
        m_wrong += !AreChecksumsRight(bytes);
        m_unreachable += bytes[23] == wire::kProtocolIcmp && bytes[34] == 3;
    }

    void DoRun() override {
        GuestFabric fabric(0.05);
        for (const auto& source : fabric.helper.GetSources())
            source->SetAttribute("Stop", TimeValue(MilliSeconds(150)));
        UdpEchoServerHelper server(9);
        server.Install(fabric.nodes.Get(1)).Start(Seconds(0));
        UdpEchoClientHelper client(fabric.guests.GetAddress(1), 9);
        client.SetAttribute("MaxPackets", UintegerValue(20));
        client.SetAttribute("Interval", TimeValue(MilliSeconds(5)));
        client.SetAttribute("PacketSize", UintegerValue(1472));
        auto clients = client.Install(fabric.nodes.Get(0));
        clients.Start(MilliSeconds(1));
        clients.Get(0)->TraceConnectWithoutContext("Rx", MakeCallback(&GuestEchoTestCase::NoteEcho, this));
        fabric.Device(1)->TraceConnectWithoutContext("MacRx",
                                                     MakeCallback(&GuestEchoTestCase::NoteReceived, this));
        fabric.Device(1)->TraceConnectWithoutContext("MacTx",
                                                     MakeCallback(&GuestEchoTestCase::NoteSent, this));
        Simulator::Stop(MilliSeconds(300));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(m_echoBytes.size(), 20, "every datagram comes back");
        for (const uint32_t bytes : m_echoBytes)
            NS_TEST_EXPECT_MSG_EQ(bytes, 1472, "whole");
        NS_TEST_EXPECT_MSG_GT(m_lean, 50, "lean guests send to it too");
        // The stack only says "port unreachable" after it has found the datagram's checksum right.
        NS_TEST_EXPECT_MSG_EQ(m_unreachable, m_lean,
                              "and their datagrams, whose payload nobody stored, are right");
        NS_TEST_EXPECT_MSG_EQ(m_wrong, 0, "as are all checksums");
    }

    std::vector<uint32_t> m_echoBytes;
    uint64_t m_lean = 0;
    uint64_t m_unreachable = 0;
    uint64_t m_wrong = 0;
};

/// One TCP transfer between the two guests. A fault is put on its way, and later it is moved off it.
class TcpRun {
  public:
    static constexpr uint64_t Bytes = 6'000'000;

    explicit TcpRun(const std::string& scheduler, const std::string& pcap = "") : m_fabric(0.1, scheduler) {
        PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), kPort));
        auto sinks = sink.Install(m_fabric.nodes.Get(1));
        sinks.Start(Seconds(0));
        BulkSendHelper bulk("ns3::TcpSocketFactory", InetSocketAddress(m_fabric.guests.GetAddress(1), kPort));
        bulk.SetAttribute("MaxBytes", UintegerValue(Bytes));
        bulk.Install(m_fabric.nodes.Get(0)).Start(MilliSeconds(1));
        if (!pcap.empty()) m_fabric.guests.EnablePcap(pcap, m_fabric.Device(0), true, true);
        auto fabric = m_fabric.helper.GetFabric();
        fabric->TraceConnectWithoutContext("Forward", MakeCallback(&TcpRun::NoteForward, this));
        fabric->TraceConnectWithoutContext("Drop", MakeCallback(&TcpRun::NoteDrop, this));
        m_sink = DynamicCast<PacketSink>(sinks.Get(0));
        m_sink->TraceConnectWithoutContext("Rx", MakeCallback(&TcpRun::NoteReceived, this));
        Simulator::Schedule(MilliSeconds(20), &TcpRun::PlaceFault, this);
        Simulator::Schedule(MilliSeconds(60), &TcpRun::Repath, this);
        Simulator::Stop(MilliSeconds(300));
        Simulator::Run();
        bytes = m_sink->GetTotalRx();
    }

    uint64_t bytes = 0;
    uint32_t faultyLink = DyetraceTopology::None;
    std::string refusal = "not asked";
    uint64_t bytesBefore = 0;     ///< received when the path was moved
    uint64_t lostBefore = 0;      ///< of the flow, by the fault
    uint64_t lostAfter = 0;       ///< of those sent since
    uint64_t forwardedAfter = 0;  ///< on the links of aggregation switches up
    bool moved = false;
    std::vector<std::pair<int64_t, uint32_t>> story;

  private:
    /// The outer source port, of a packet of the client's flow to the server.
    std::optional<uint16_t> PortOfFlow(const DyetracePacket& packet) const {
        const dyetrace::Bytes frame{packet.Frame(), packet.HeadLength()};
        if (frame.size() < 50 || frame[23] != wire::kProtocolUdp) return std::nullopt;
        const auto geneve = wire::GeneveHeader::parse(frame.subspan(42));
        if (!geneve.ok() || geneve->control) return std::nullopt;
        const dyetrace::Bytes inner = frame.subspan(50U + geneve->options_length);
        if (!IsIpv4(inner) || inner[23] != wire::kProtocolTcp) return std::nullopt;
        if (dyetrace::load_u16(&inner[36]) != kPort) return std::nullopt;
        return dyetrace::load_u16(&frame[34]);
    }

    void NoteForward(uint32_t, uint32_t out, const DyetracePacket& packet) {
        const DyetraceTopology& topology = m_fabric.helper.GetFabric()->GetTopology();
        if (topology.GetNode(topology.GetTo(out)).tier != DyetraceTopology::Tier::Core) return;
        const auto port = PortOfFlow(packet);
        if (!port) return;
        m_port = *port;
        m_link = out;
        if (!refusal.empty()) return;
        ++forwardedAfter;
        moved = moved || out != faultyLink;
    }
    void NoteDrop(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
        if (cause != DyetraceDropCause::Fault || link != faultyLink) return;
        const auto port = PortOfFlow(packet);
        if (!port) return;
        // What was under way on the old port when the path was moved is lost on the old path.
        (refusal.empty() && *port != m_oldPort ? lostAfter : lostBefore) += 1;
    }
    void NoteReceived(Ptr<const Packet> packet, const Address&) {
        story.emplace_back(Simulator::Now().GetNanoSeconds(), packet->GetSize());
    }
    void PlaceFault() {
        const DyetraceTopology& topology = m_fabric.helper.GetFabric()->GetTopology();
        faultyLink = m_link;
        m_fabric.helper.AddSilentDrop(topology.GetNode(topology.GetFrom(m_link)).name,
                                      topology.GetNode(topology.GetTo(m_link)).name, Simulator::Now(), 0.02);
    }
    void Repath() {
        bytesBefore = m_sink->GetTotalRx();
        m_oldPort = m_port;
        const DyetraceTopology& topology = m_fabric.helper.GetFabric()->GetTopology();
        const Ipv4Address peer = topology.GetNode(topology.FindNode(kServerHost)).address;
        refusal = m_fabric.helper.GetHost(kClientHost)->Repath(peer, static_cast<uint16_t>(m_port - 49152));
    }

    GuestFabric m_fabric;
    Ptr<PacketSink> m_sink;
    uint32_t m_link = DyetraceTopology::None;
    uint16_t m_port = 0;
    uint16_t m_oldPort = 0;
};

class GuestTcpTestCase : public TestCase {
  public:
    GuestTcpTestCase()
        : TestCase("TCP recovers what a faulty link loses, and loses nothing after a repath") {}

  private:
    void DoRun() override {
        const std::string pcap = CreateTempDirFilename("guest.pcap");
        {
            const TcpRun run("ns3::MapScheduler", pcap);
            NS_TEST_EXPECT_MSG_EQ(run.bytes, TcpRun::Bytes, "every byte arrives, none twice");
            NS_TEST_EXPECT_MSG_GT(run.lostBefore, 5, "the fault took some of the flow's packets");
            NS_TEST_EXPECT_MSG_EQ(run.refusal, "", "the path was moved");
            NS_TEST_EXPECT_MSG_LT(run.bytesBefore, TcpRun::Bytes, "in the midst of the transfer");
            NS_TEST_EXPECT_MSG_GT(run.forwardedAfter, 500, "which went on");
            NS_TEST_EXPECT_MSG_EQ(run.moved, true, "by another link");
            NS_TEST_EXPECT_MSG_EQ(run.lostAfter, 0, "and without loss");
        }
        ExpectRightCapture(pcap);
    }

    void ExpectRightCapture(const std::string& file) {
        PcapFile pcap;
        pcap.Open(file, std::ios::in | std::ios::binary);
        std::array<uint8_t, 4096> bytes{};
        uint32_t seconds = 0;
        uint32_t fraction = 0;
        uint32_t included = 0;
        uint32_t original = 0;
        uint32_t read = 0;
        uint64_t tcp = 0;
        uint64_t wrong = 0;
        for (;;) {
            pcap.Read(bytes.data(), static_cast<uint32_t>(bytes.size()), seconds, fraction, included,
                      original, read);
            if (pcap.Eof() || pcap.Fail()) break;
            const dyetrace::Bytes frame{bytes.data(), read};
            if (!IsIpv4(frame)) continue;
            NS_TEST_EXPECT_MSG_EQ(included, original, "frames are whole");
            tcp += frame[23] == wire::kProtocolTcp;
            wrong += !AreChecksumsRight(frame);
        }
        NS_TEST_EXPECT_MSG_GT(tcp, TcpRun::Bytes / 1448, "the capture has the transfer");
        NS_TEST_EXPECT_MSG_EQ(wrong, 0, "with right checksums");
        ExpectWiresharkAgrees(file);
    }

    /// Where tshark is installed.
    void ExpectWiresharkAgrees(const std::string& file) {
        if (std::system("command -v tshark >/dev/null 2>&1") != 0) return;
        const std::string command = "tshark -r '" + file +
                                    "' -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE "
                                    "-o udp.check_checksum:TRUE -T fields -e ip.checksum.status "
                                    "-e tcp.checksum.status -e udp.checksum.status 2>/dev/null";
        FILE* output = popen(command.c_str(), "r");
        NS_TEST_ASSERT_MSG_EQ((output != nullptr), true, "tshark runs");
        std::array<char, 256> line{};
        uint64_t good = 0;
        uint64_t bad = 0;
        while (std::fgets(line.data(), line.size(), output) != nullptr) {
            const std::string fields(line.data());  // 1 is good, 0 is bad
            good += fields.find('1') != std::string::npos;
            bad += fields.find('0') != std::string::npos;
        }
        pclose(output);
        NS_TEST_EXPECT_MSG_GT(good, 1000, "tshark reads the capture");
        NS_TEST_EXPECT_MSG_EQ(bad, 0, "and finds no bad checksum");
    }
};

/// The guests know nothing of what carries them.
class GuestIpv6UnderlayTestCase : public TestCase {
  public:
    GuestIpv6UnderlayTestCase() : TestCase("full guests' TCP over IPv4 runs over an IPv6 underlay") {}

  private:
    void NoteForward(uint32_t, uint32_t, const DyetracePacket& packet) {
        m_notIpv6 += dyetrace::load_u16(packet.Frame() + 12) != wire::kEtherTypeIpv6;
    }

    void DoRun() override {
        constexpr uint64_t bytes = 1'000'000;
        GuestFabric fabric(0, "ns3::MapScheduler", 1620, 1500, "ipv6");
        PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), kPort));
        auto sinks = sink.Install(fabric.nodes.Get(1));
        sinks.Start(Seconds(0));
        BulkSendHelper bulk("ns3::TcpSocketFactory", InetSocketAddress(fabric.guests.GetAddress(1), kPort));
        bulk.SetAttribute("MaxBytes", UintegerValue(bytes));
        bulk.Install(fabric.nodes.Get(0)).Start(MilliSeconds(1));
        fabric.helper.GetFabric()->TraceConnectWithoutContext(
            "Forward", MakeCallback(&GuestIpv6UnderlayTestCase::NoteForward, this));
        fabric.helper.AddSilentDrop("edge-0-0", "agg-0-*", MilliSeconds(3), 0.01);
        Simulator::Stop(MilliSeconds(200));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(DynamicCast<PacketSink>(sinks.Get(0))->GetTotalRx(), bytes, "every byte");
        NS_TEST_EXPECT_MSG_GT(fabric.Count(kClientHost, "encapsulated"), bytes / 1448, "in packets of 1500");
        NS_TEST_EXPECT_MSG_GT(fabric.helper.GetTruth()->GetDataDropped(), 0, "though some were lost");
        NS_TEST_EXPECT_MSG_EQ(m_notIpv6, 0, "and all by IPv6");
    }

    uint64_t m_notIpv6 = 0;
};

class GuestRepeatTestCase : public TestCase {
  public:
    GuestRepeatTestCase() : TestCase("a transfer is the same twice, and by any scheduler") {}

  private:
    void DoRun() override {
        const auto first = TcpRun("ns3::MapScheduler").story;
        NS_TEST_ASSERT_MSG_GT(first.size(), 1000, "something was received");
        NS_TEST_EXPECT_MSG_EQ((TcpRun("ns3::MapScheduler").story == first), true, "once more, the same");
        for (const char* scheduler :
             {"ns3::PriorityQueueScheduler", "ns3::CalendarScheduler", "ns3::DyetraceScheduler"})
            NS_TEST_EXPECT_MSG_EQ((TcpRun(scheduler).story == first), true, scheduler);
    }
};

const Offer<GuestArpTestCase, GuestMtuTestCase, GuestEchoTestCase, GuestTcpTestCase,
            GuestIpv6UnderlayTestCase, GuestRepeatTestCase>
    g_offer{"guest"};

}  // namespace
