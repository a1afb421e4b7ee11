// SPDX-License-Identifier: GPL-2.0-or-later
// TCP between two guests with stacks of their own, over the overlay: a link on its way begins to lose packets
// and tells nobody, TCP copes as it can, and then the host moves that path to another source port, so that
// the fabric's hash takes it another way. Lean guests on all hosts make the background.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>

#include <ns3/boolean.h>
#include <ns3/bulk-send-helper.h>
#include <ns3/command-line.h>
#include <ns3/config.h>
#include <ns3/dyetrace-guest-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/ethernet-header.h>
#include <ns3/inet-socket-address.h>
#include <ns3/ipv4-header.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/packet-sink.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/tcp-header.h>
#include <ns3/uinteger.h>

using namespace ns3;

namespace {

constexpr uint16_t kPort = 5001;
constexpr uint16_t kFirstSourcePort = 49152;  // DyetraceHost::SourcePortBase: path n starts on port n
const std::string kFrom = "host-0-0-0";
const std::string kTo = "host-3-1-1";

DyetraceHelper g_dyetrace;
Ptr<PacketSink> g_sink;
uint32_t g_link = DyetraceTopology::None;  // the flow's link from an aggregation switch up to a core
uint16_t g_sourcePort = 0;                 // of its encapsulation packets
uint32_t g_highest = 0;                    // sequence number sent
uint64_t g_retransmitted = 0;
uint64_t g_bytesSeen = 0;

uint16_t Load16(const uint8_t* bytes) {
    return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}

std::string Describe(uint32_t link) {
    return g_dyetrace.GetFabric()->GetTopology().DescribeLink(link);
}

// What the guest's own card sends: Ethernet, IPv4, TCP.
void GuestSends(Ptr<const Packet> frame) {
    Ptr<Packet> packet = frame->Copy();
    EthernetHeader ethernet(false);
    Ipv4Header ip;
    TcpHeader tcp;
    packet->RemoveHeader(ethernet);
    if (ethernet.GetLengthType() != 0x0800) return;
    packet->RemoveHeader(ip);
    if (ip.GetProtocol() != 6) return;
    packet->RemoveHeader(tcp);
    if (packet->GetSize() == 0) return;
    const uint32_t sequence = tcp.GetSequenceNumber().GetValue();
    g_retransmitted += sequence < g_highest;
    g_highest = std::max(g_highest, sequence + packet->GetSize());
}

// Where the fabric takes the flow: Ethernet, IPv4, UDP, Geneve with its options, and the guest's frame.
void FabricForwards(uint32_t, uint32_t out, const DyetracePacket& packet) {
    const DyetraceTopology& topology = g_dyetrace.GetFabric()->GetTopology();
    if (topology.GetNode(topology.GetTo(out)).tier != DyetraceTopology::Tier::Core) return;
    const uint8_t* frame = packet.Frame();
    const uint32_t inner = 50 + (frame[42] & 0x3f) * 4U;
    if (packet.HeadLength() < inner + 38) return;
    const bool isTcp = Load16(frame + inner + 12) == 0x0800 && frame[inner + 23] == 6;
    if (!isTcp || Load16(frame + inner + 36) != kPort) return;
    g_link = out;
    g_sourcePort = Load16(frame + 34);
}

void Tell(const std::string& when, Time since) {
    const uint64_t bytes = g_sink->GetTotalRx() - g_bytesSeen;
    g_bytesSeen += bytes;
    std::cout << Simulator::Now().As(Time::MS) << "  " << when << ": "
              << static_cast<double>(bytes) * 8e-6 / (Simulator::Now() - since).GetSeconds() << " Mbit/s, "
              << g_retransmitted << " segments sent again, by " << Describe(g_link) << std::endl;
    g_retransmitted = 0;
}

void BreakLink() {
    Tell("before the fault", MilliSeconds(20));
    const DyetraceTopology& topology = g_dyetrace.GetFabric()->GetTopology();
    g_dyetrace.AddSilentDrop(topology.GetNode(topology.GetFrom(g_link)).name,
                             topology.GetNode(topology.GetTo(g_link)).name, Simulator::Now(), 0.02);
}

void MovePath() {
    Tell("with 2% lost", MilliSeconds(200));
    const DyetraceTopology& topology = g_dyetrace.GetFabric()->GetTopology();
    const std::string refused =
        g_dyetrace.GetHost(kFrom)->Repath(topology.GetNode(topology.FindNode(kTo)).address,
                                          static_cast<uint16_t>(g_sourcePort - kFirstSourcePort));
    if (!refused.empty()) std::cout << "the path stays: " << refused << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    CommandLine command(__FILE__);
    command.Parse(argc, argv);  // --PrintAttributes=ns3::DyetraceGuestDevice

    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::DelAckTimeout", StringValue("1ms"));  // round trips are microseconds
    Config::SetDefault("ns3::TcpSocketBase::MinRto", StringValue("10ms"));

    g_dyetrace.SetFabricAttribute("K", UintegerValue(4));
    g_dyetrace.SetFabricAttribute("Seed", UintegerValue(7));
    g_dyetrace.SetHostAttribute("Insecure", BooleanValue(true));  // no secret is needed in a simulation
    g_dyetrace.SetTraffic({{0, 0}, {10000, 0.5}, {1000000, 1}}, 0.1);
    g_dyetrace.AddGuest(kFrom);
    g_dyetrace.AddGuest(kTo);
    g_dyetrace.Install();

    DyetraceGuestHelper guests;
    NodeContainer nodes = guests.Install(g_dyetrace);

    PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), kPort));
    ApplicationContainer sinks = sink.Install(nodes.Get(1));
    sinks.Start(Seconds(0));
    g_sink = DynamicCast<PacketSink>(sinks.Get(0));
    BulkSendHelper bulk("ns3::TcpSocketFactory", InetSocketAddress(guests.GetAddress(1), kPort));
    bulk.SetAttribute("MaxBytes", UintegerValue(0));  // without end
    bulk.Install(nodes.Get(0)).Start(MilliSeconds(1));

    guests.GetDevices().Get(0)->TraceConnectWithoutContext("MacTx", MakeCallback(&GuestSends));
    g_dyetrace.GetFabric()->TraceConnectWithoutContext("Forward", MakeCallback(&FabricForwards));
    Simulator::Schedule(MilliSeconds(200), &BreakLink);
    Simulator::Schedule(MilliSeconds(400), &MovePath);
    Simulator::Stop(MilliSeconds(600));
    Simulator::Run();
    Tell("after the repath", MilliSeconds(400));

    g_sink = nullptr;
    g_dyetrace.Dispose();
    Simulator::Destroy();
}
