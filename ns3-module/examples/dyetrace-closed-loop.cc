// SPDX-License-Identifier: GPL-2.0-or-later
// The loop closed: guests with stacks of their own send by TCP from one pod to others, a link to a core
// switch begins to drop packets and tells nobody, the health service finds it and, where its policy says so,
// has the paths that cross it moved away. What the receivers get, by tenths of a second, says what that is
// worth.
//
//   dyetrace-closed-loop [--repath=off|advisory|automatic] [--drain=...] [--loss=0.05] [--seed=1] [--stop=4s]

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/bulk-send-helper.h>
#include <ns3/command-line.h>
#include <ns3/config.h>
#include <ns3/dyetrace-guest-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-nhms.h>
#include <ns3/inet-socket-address.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/packet-sink.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

using namespace ns3;

namespace {

constexpr uint16_t kPort = 5001;
constexpr uint32_t kFlowsOfAPair = 4;
const Time kFault = Seconds(1);
const Time kBin = MilliSeconds(100);

DyetraceHelper g_dyetrace;
std::vector<Ptr<PacketSink>> g_sinks;
uint64_t g_received = 0;
std::map<uint32_t, uint64_t> g_load;  // full packets by link from an aggregation switch up to a core
double g_loss = 0.05;
Time g_detected = Seconds(0);

void FabricForwards(uint32_t, uint32_t out, const DyetracePacket& packet) {
    const DyetraceTopology& topology = g_dyetrace.GetFabric()->GetTopology();
    if (topology.GetNode(topology.GetTo(out)).tier == DyetraceTopology::Tier::Core && packet.Length() > 1000)
        ++g_load[out];
}

void Sample() {
    uint64_t received = 0;
    for (const auto& sink : g_sinks)
        received += sink->GetTotalRx();
    std::cout << "goodput " << Simulator::Now().GetMilliSeconds() << ' '
              << static_cast<double>(received - g_received) * 8e-6 / kBin.GetSeconds() << std::endl;
    g_received = received;
    Simulator::Schedule(kBin, &Sample);
}

void BreakLink() {
    uint32_t link = DyetraceTopology::None;
    for (const auto& [one, packets] : g_load) {
        if (link == DyetraceTopology::None || packets > g_load[link]) link = one;
    }
    const DyetraceTopology& topology = g_dyetrace.GetFabric()->GetTopology();
    g_dyetrace.AddSilentDrop(topology.GetNode(topology.GetFrom(link)).name,
                             topology.GetNode(topology.GetTo(link)).name, Simulator::Now(), g_loss);
    std::cout << "fault " << Simulator::Now().GetMilliSeconds() << ' ' << topology.DescribeLink(link)
              << std::endl;
}

void HealthChanges(const DyetraceHealthChange& change) {
    if (change.health == "healthy" || Simulator::Now() < kFault || !g_detected.IsZero()) return;
    g_detected = Simulator::Now();
    std::cout << "detected " << g_detected.GetMilliSeconds() << ' ' << change.requester << " > "
              << change.acceptor << ": " << change.reason << std::endl;
}

void IncidentSteps(const DyetraceIncidentStep& step) {
    std::cout << step.step << ' ' << Simulator::Now().GetMilliSeconds() << " incident " << step.incident
              << ' ' << step.GetSubject() << ": " << step.detail << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    std::string repath = "automatic";
    std::string drain = "off";
    uint32_t seed = 1;
    Time stop = Seconds(4);
    CommandLine command(__FILE__);
    command.AddValue("repath", "Whether paths are moved off a confirmed suspect.", repath);
    command.AddValue("drain", "Whether a confirmed suspect is drained.", drain);
    command.AddValue("loss", "Share of the packets that the link drops.", g_loss);
    command.AddValue("seed", "Of everything.", seed);
    command.AddValue("stop", "When the simulation ends.", stop);
    command.Parse(argc, argv);

    // Its buffer, not the fabric, is what bounds a flow: none takes what another has lost.
    // Reno is back within some round trips of its last loss; CUBIC would take seconds to grow its small
    // windows.
    Config::SetDefault("ns3::TcpL4Protocol::SocketType", StringValue("ns3::TcpLinuxReno"));
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(22 * 1448));
    Config::SetDefault("ns3::TcpSocket::DelAckTimeout", StringValue("1ms"));
    Config::SetDefault("ns3::TcpSocketBase::MinRto", StringValue("20ms"));

    g_dyetrace.SetFabricAttribute("K", UintegerValue(4));
    g_dyetrace.SetFabricAttribute("LinkDelay", StringValue("500us"));
    g_dyetrace.SetFabricAttribute("Seed", UintegerValue(seed));
    g_dyetrace.SetHostAttribute("Insecure", BooleanValue(true));  // no secret is needed in a simulation
    g_dyetrace.SetHostAttribute("PathCount", UintegerValue(16));
    g_dyetrace.SetHostAttribute("ReportInterval", StringValue("20ms"));
    g_dyetrace.SetHostAttribute("UpdateInterval", StringValue("20ms"));
    g_dyetrace.SetHostAttribute("TraceTimeout", StringValue("20ms"));
    g_dyetrace.SetNhmsHost("host-1-1-1");
    g_dyetrace.SetNhmsAttribute("Insecure", BooleanValue(true));
    g_dyetrace.SetNhmsAttribute("EvaluateInterval", StringValue("20ms"));
    g_dyetrace.SetNhmsAttribute("Investigation", StringValue("300ms"));
    g_dyetrace.SetNhmsAttribute("FreshPacketsLeast", UintegerValue(500));
    g_dyetrace.SetNhmsAttribute("Repath", StringValue(repath));
    g_dyetrace.SetNhmsAttribute("Drain", StringValue(drain));

    const std::vector<std::string> senders{"host-0-0-0", "host-0-0-1", "host-0-1-0", "host-0-1-1"};
    const std::vector<std::string> receivers{"host-1-0-0", "host-2-0-1", "host-3-1-0", "host-2-1-1"};
    for (const auto* hosts : {&senders, &receivers}) {
        for (const std::string& host : *hosts)
            g_dyetrace.AddGuest(host);
    }
    g_dyetrace.Install();
    DyetraceGuestHelper guests;
    NodeContainer nodes = guests.Install(g_dyetrace);

    const auto pairs = static_cast<uint32_t>(senders.size());
    for (uint32_t pair = 0; pair < pairs; ++pair) {
        for (uint32_t flow = 0; flow < kFlowsOfAPair; ++flow) {
            const auto port = static_cast<uint16_t>(kPort + flow);
            PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
            ApplicationContainer sinks = sink.Install(nodes.Get(pairs + pair));
            sinks.Start(Seconds(0));
            g_sinks.push_back(DynamicCast<PacketSink>(sinks.Get(0)));
            BulkSendHelper bulk("ns3::TcpSocketFactory",
                                InetSocketAddress(guests.GetAddress(pairs + pair), port));
            bulk.SetAttribute("MaxBytes", UintegerValue(0));  // without end
            bulk.Install(nodes.Get(pair)).Start(MilliSeconds(1 + pair * kFlowsOfAPair + flow));
        }
    }

    g_dyetrace.GetFabric()->TraceConnectWithoutContext("Forward", MakeCallback(&FabricForwards));
    g_dyetrace.GetNhms()->TraceConnectWithoutContext("Health", MakeCallback(&HealthChanges));
    g_dyetrace.GetNhms()->TraceConnectWithoutContext("Incident", MakeCallback(&IncidentSteps));
    Simulator::Schedule(kBin, &Sample);
    Simulator::Schedule(kFault, &BreakLink);
    Simulator::Stop(stop + MicroSeconds(1));
    Simulator::Run();

    g_sinks.clear();
    g_dyetrace.Dispose();
    Simulator::Destroy();
}
