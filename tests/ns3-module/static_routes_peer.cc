// SPDX-License-Identifier: GPL-2.0-or-later
// The same fat-tree and the same traffic as fabric_bench.cc, built of nothing but ns-3's own models as its
// users build it: point-to-point links, internet stacks, default queue discs, static routes, OnOff
// applications and packet sinks. It is what the lean fabric is held against. It has no encapsulation, no
// tracking, no hash among equal paths and no faults: each of those would only slow it down.
//
//   dyetrace_static_routes_peer [--k N] [--ms SIMULATED]

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include <ns3/dyetrace-topology.h>
#include <ns3/inet-socket-address.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-interface-address.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4.h>
#include <ns3/node-container.h>
#include <ns3/on-off-helper.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/packet.h>
#include <ns3/point-to-point-helper.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/traffic-control-helper.h>
#include <sys/resource.h>

#include "core/base/random.h"

using namespace ns3;

namespace {

constexpr uint32_t kPayloadBytes = 1000;
constexpr uint32_t kPppBytes = 30;  ///< PPP, IPv4 and UDP headers, which the load counts too
constexpr uint16_t kPort = 9;

uint64_t g_hops = 0;
uint64_t g_delivered = 0;

void CountHop(Ptr<const Packet>) {
    ++g_hops;
}
void CountDelivered(Ptr<const Packet>, const Address&) {
    ++g_delivered;
}

double CpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/// A fat-tree of ns-3's own parts. Interface 1 + P of a node is its port P of the topology.
class StaticFatTree {
  public:
    explicit StaticFatTree(uint32_t k) : m_k(k), m_half(k / 2), m_topology(DyetraceTopology::FatTree(k)) {
        m_nodes.Create(m_topology.GetNNodes());
        InternetStackHelper stack;
        stack.SetIpv6StackInstall(false);
        stack.SetRoutingHelper(m_routing);
        stack.Install(m_nodes);
        Connect();
        for (uint32_t node = 0; node < m_topology.GetNNodes(); ++node)
            AddRoutes(node);
    }

    uint32_t GetNHosts() const { return m_topology.GetNHosts(); }
    Ptr<Node> GetHost(uint32_t host) const { return m_nodes.Get(host); }
    Ipv4Address GetAddress(uint32_t host) const { return m_topology.GetNode(host).address; }

  private:
    /// Devices get interfaces in the order of their node's ports, since cables are in that order at every
    /// node.
    void Connect() {
        PointToPointHelper cable;
        cable.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
        cable.SetChannelAttribute("Delay", StringValue("1us"));
        std::vector<uint32_t> links(m_topology.GetNCables());
        for (uint32_t link = 0; link < m_topology.GetNLinks(); ++link) {
            if (m_topology.GetDirection(link) == 0) links[m_topology.GetCable(link)] = link;
        }
        for (const uint32_t link : links) {
            const uint32_t lower = m_topology.GetFrom(link);
            const uint32_t upper = m_topology.GetTo(link);
            const auto devices = cable.Install(m_nodes.Get(lower), m_nodes.Get(upper));
            const uint32_t base = 0xac100000 + 4 * m_topology.GetCable(link);  // 172.16.0.0/12
            const bool isHost = lower < GetNHosts();
            AddInterface(devices.Get(0), isHost ? GetAddress(lower) : Ipv4Address(base + 1));
            AddInterface(devices.Get(1), Ipv4Address(base + 2));
        }
    }

    static void AddInterface(Ptr<NetDevice> device, Ipv4Address address) {
        const Ptr<Ipv4> ip = device->GetNode()->GetObject<Ipv4>();
        const uint32_t interface = ip->AddInterface(device);
        ip->AddAddress(interface, Ipv4InterfaceAddress(address, Ipv4Mask("255.255.255.255")));
        ip->SetUp(interface);
        TrafficControlHelper::Default().Install(device);
        device->TraceConnectWithoutContext("PhyRxEnd", MakeCallback(&CountHop));
    }

    /// As few as do: a route for each pod, and below that for each rack or host; equal paths are shared out
    /// by pod.
    void AddRoutes(uint32_t number) {
        const DyetraceTopology::Node& node = m_topology.GetNode(number);
        const auto routes = m_routing.GetStaticRouting(m_nodes.Get(number)->GetObject<Ipv4>());
        if (node.tier == DyetraceTopology::Tier::Host)
            return routes->SetDefaultRoute(Ipv4Address("0.0.0.0"), 1);
        for (uint32_t pod = 0; pod < m_k; ++pod) {
            const uint32_t up = m_half + (pod + node.position) % m_half;
            const uint32_t port = node.tier == DyetraceTopology::Tier::Core ? pod : up;
            routes->AddNetworkRouteTo(Ipv4Address(10U << 24 | pod << 16), Ipv4Mask("255.255.0.0"), 1 + port);
        }
        for (uint32_t below = 0; below < m_half; ++below) {
            if (node.tier == DyetraceTopology::Tier::Edge) {
                const uint32_t host = m_topology.GetTo(node.firstPort + below);
                routes->AddHostRouteTo(GetAddress(host), 1 + below);
            } else if (node.tier == DyetraceTopology::Tier::Aggregation) {
                routes->AddNetworkRouteTo(Ipv4Address(10U << 24 | node.pod << 16 | below << 8),
                                          Ipv4Mask("255.255.255.0"), 1 + below);
            }
        }
    }

    uint32_t m_k;
    uint32_t m_half;
    DyetraceTopology m_topology;
    NodeContainer m_nodes;
    Ipv4StaticRoutingHelper m_routing;
};

/// Everyone sends to one other at 30% of 10 Gbps.
void AddTraffic(const StaticFatTree& fabric) {
    dyetrace::Random random(1);
    std::vector<uint32_t> to(fabric.GetNHosts());
    std::iota(to.begin(), to.end(), 0);
    for (auto i = static_cast<uint32_t>(to.size()) - 1; i > 0; --i)
        std::swap(to[i], to[random.below(i)]);
    const DataRate rate(static_cast<uint64_t>(0.3 * 10e9 * kPayloadBytes / (kPayloadBytes + kPppBytes)));
    for (uint32_t host = 0; host < to.size(); ++host) {
        OnOffHelper source("ns3::UdpSocketFactory", InetSocketAddress(fabric.GetAddress(to[host]), kPort));
        source.SetConstantRate(rate, kPayloadBytes);
        source.Install(fabric.GetHost(host)).Start(NanoSeconds(random.below(2800)));
        PacketSinkHelper sink("ns3::UdpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), kPort));
        const auto sinks = sink.Install(fabric.GetHost(host));
        sinks.Get(0)->TraceConnectWithoutContext("Rx", MakeCallback(&CountDelivered));
    }
}

}  // namespace

int main(int argc, char** argv) {
    uint32_t k = 8;
    double milliseconds = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::string(argv[i]) == "--k") k = static_cast<uint32_t>(std::atoi(argv[i + 1]));
        if (std::string(argv[i]) == "--ms") milliseconds = std::atof(argv[i + 1]);
    }
    ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::PriorityQueueScheduler");
    Simulator::SetScheduler(scheduler);
    const double begun = CpuSeconds();
    const StaticFatTree fabric(k);
    const double built = CpuSeconds();
    AddTraffic(fabric);
    Simulator::Stop(NanoSeconds(static_cast<uint64_t>(milliseconds * 1e6)));
    const double ready = CpuSeconds();
    Simulator::Run();
    const double seconds = CpuSeconds() - ready;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "{\"k\": %u, \"mode\": \"ns-3 static routes\", \"hosts\": %u, \"setup_s\": %.4f, \"simulated_ms\": "
        "%g, "
        "\"cpu_s\": %.3f, \"events\": %lu, \"hops\": %lu, \"delivered\": %lu, \"hops_per_s\": %.0f, "
        "\"peak_mb\": %.1f}\n",
        k, fabric.GetNHosts(), built - begun, milliseconds, seconds, Simulator::GetEventCount(), g_hops,
        g_delivered, static_cast<double>(g_hops) / seconds, static_cast<double>(usage.ru_maxrss) / 1024);
    std::fflush(stdout);
    std::_Exit(0);
}
