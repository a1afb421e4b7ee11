// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-ecmp-routing.h"

#include <iomanip>
#include <sstream>
#include <utility>

#include <ns3/ethernet-header.h>
#include <ns3/ipv4-route.h>
#include <ns3/ipv4.h>
#include <ns3/log.h>
#include <ns3/output-stream-wrapper.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>

#include "dyetrace-forwarding.h"
#include "dyetrace-frame-tag.h"
#include "dyetrace-packet.h"
#include "dyetrace-routes.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceEcmpRouting");
NS_OBJECT_ENSURE_REGISTERED(DyetraceEcmpRouting);

namespace {

constexpr uint32_t None = DyetraceTopology::None;
constexpr uint32_t kEthernetBytes = 14;

}  // namespace

TypeId DyetraceEcmpRouting::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceEcmpRouting")
            .SetParent<Ipv4RoutingProtocol>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceEcmpRouting>()
            .AddTraceSource("Drop", "A packet can't be forwarded: no route, or its TTL ran out.",
                            MakeTraceSourceAccessor(&DyetraceEcmpRouting::m_drop),
                            "ns3::DyetraceEcmpRouting::DropTracedCallback")
            .AddTraceSource("Forward", "A packet is about to be forwarded, as it came.",
                            MakeTraceSourceAccessor(&DyetraceEcmpRouting::m_forward),
                            "ns3::DyetraceEcmpRouting::ForwardTracedCallback");
    return tid;
}

DyetraceEcmpRouting::DyetraceEcmpRouting() {
    NS_LOG_FUNCTION(this);
}

DyetraceEcmpRouting::~DyetraceEcmpRouting() {
    NS_LOG_FUNCTION(this);
}

void DyetraceEcmpRouting::DoDispose() {
    NS_LOG_FUNCTION(this);
    m_ports.clear();
    m_ipv4 = nullptr;
    Ipv4RoutingProtocol::DoDispose();
}

void DyetraceEcmpRouting::Configure(Config config, std::vector<Ptr<NetDevice>> ports) {
    m_config = config;
    m_ports = std::move(ports);
}

DyetracePacket* DyetraceEcmpRouting::MakeFrame(const Ipv4Header& header, const Packet& packet) {
    if (!m_pool) m_pool = std::make_unique<DyetracePacketPool>();
    Ptr<Packet> frame = packet.Copy();
    Ipv4Header again = header;
    again.EnableChecksum();
    frame->AddHeader(again);
    EthernetHeader ethernet(false);
    ethernet.SetLengthType(0x0800);
    frame->AddHeader(ethernet);
    return DyetraceFrameTag::FromPacket(*m_pool, *frame);
}

uint32_t DyetraceEcmpRouting::ChoosePort(const Ipv4Header& header, const Packet& packet) {
    const DyetraceTopology& topology = *m_config.topology;
    if (m_config.node < topology.GetNHosts())
        return topology.GetNode(m_config.node).firstPort;  // its only one
    DyetracePacket* frame = MakeFrame(header, packet);
    const uint32_t port = m_config.forwarding->ChoosePort(m_config.node, DyetraceForwarding::Ip::V4, *frame);
    m_pool->Free(frame);
    return port;
}

Ptr<NetDevice> DyetraceEcmpRouting::GetDevice(uint32_t port) const {
    return m_ports.at(port - m_config.topology->GetNode(m_config.node).firstPort);
}

Ptr<Ipv4Route> DyetraceEcmpRouting::MakeRoute(uint32_t port, Ipv4Address source,
                                              Ipv4Address destination) const {
    Ptr<Ipv4Route> route = Create<Ipv4Route>();
    route->SetSource(source);
    route->SetDestination(destination);
    route->SetGateway(m_config.topology->GetNode(m_config.topology->GetTo(port)).address);
    route->SetOutputDevice(GetDevice(port));
    return route;
}

Ptr<Ipv4Route> DyetraceEcmpRouting::RouteOutput(Ptr<Packet>, const Ipv4Header& header, Ptr<NetDevice> device,
                                                Socket::SocketErrno& error) {
    error = Socket::ERROR_NOROUTETOHOST;
    if (m_config.topology == nullptr) return nullptr;
    const Ipv4Address own = m_config.topology->GetNode(m_config.node).address;
    const Ipv4Address destination = header.GetDestination();
    if (destination.IsLocalhost() || destination == own) {
        Ptr<Ipv4Route> route = Create<Ipv4Route>();
        route->SetSource(destination);
        route->SetDestination(destination);
        route->SetGateway(Ipv4Address::GetAny());
        route->SetOutputDevice(m_ipv4->GetNetDevice(0));  // the stack's loopback
        error = Socket::ERROR_NOTERROR;
        return route;
    }
    // A packet that a socket asks about has no transport header yet: the hash is of its addresses alone, so
    // all of an application's packets to one host take one path.
    Ipv4Header asked = header;
    asked.SetSource(own);  // a node has but one
    asked.SetProtocol(0);
    const uint32_t port = ChoosePort(asked, *Create<Packet>());
    Ptr<Ipv4Route> route = port == None ? nullptr : MakeRoute(port, own, destination);
    if (route == nullptr || (device != nullptr && device != route->GetOutputDevice())) return nullptr;
    error = Socket::ERROR_NOTERROR;
    return route;
}

bool DyetraceEcmpRouting::RouteInput(Ptr<const Packet> packet, const Ipv4Header& header,
                                     Ptr<const NetDevice> device, Callbacks::UnicastType forward,
                                     Callbacks::MulticastType, Callbacks::LocalType local,
                                     Callbacks::ErrorType) {
    if (m_config.topology == nullptr) return false;
    const auto interface = static_cast<uint32_t>(m_ipv4->GetInterfaceForDevice(device));
    if (m_ipv4->IsDestinationAddress(header.GetDestination(), interface)) {
        if (local.IsNull()) return false;
        local(packet, header, interface);
        return true;
    }
    if (header.GetTtl() <= 1) {
        Answer(header, *packet, 0);
        m_drop(DyetraceDropCause::TtlExpired, header, packet);
        return true;
    }
    // Hosts forward nothing.
    const bool isSwitch = m_config.node >= m_config.topology->GetNHosts();
    const uint32_t port = isSwitch ? ChoosePort(header, *packet) : None;
    if (port == None) {
        m_drop(DyetraceDropCause::NoRoute, header, packet);
        return false;
    }
    const uint32_t mtu = GetDevice(port)->GetMtu();
    if (packet->GetSize() + header.GetSerializedSize() > mtu) {
        Answer(header, *packet, mtu);
        m_drop(DyetraceDropCause::TooBig, header, packet);
        return true;
    }
    m_forward(header, packet);
    forward(MakeRoute(port, header.GetSource(), header.GetDestination()), packet, header);
    return true;
}

void DyetraceEcmpRouting::Answer(const Ipv4Header& header, const Packet& packet, uint32_t mtu) {
    using Error = DyetraceForwarding::IcmpError;
    DyetracePacket* frame = MakeFrame(header, packet);
    uint32_t port = None;
    DyetracePacket* made = m_config.forwarding->Answer(*m_pool, m_config.node, DyetraceForwarding::Ip::V4,
                                                       *frame, mtu == 0 ? Error::TimeExceeded : Error::TooBig,
                                                       mtu, Simulator::Now().GetNanoSeconds(), port);
    m_pool->Free(frame);
    if (made == nullptr) return;
    // Through the stack, as all that this node sends: header and payload apart.
    Ptr<Packet> answer = Create<Packet>(made->Frame() + kEthernetBytes, made->HeadLength() - kEthernetBytes);
    m_pool->Free(made);
    Ipv4Header answerHeader;
    answer->RemoveHeader(answerHeader);
    m_ipv4->SendWithHeader(answer, answerHeader,
                           MakeRoute(port, answerHeader.GetSource(), answerHeader.GetDestination()));
}

void DyetraceEcmpRouting::NotifyInterfaceUp(uint32_t) {}
void DyetraceEcmpRouting::NotifyInterfaceDown(uint32_t) {}
void DyetraceEcmpRouting::NotifyAddAddress(uint32_t, Ipv4InterfaceAddress) {}
void DyetraceEcmpRouting::NotifyRemoveAddress(uint32_t, Ipv4InterfaceAddress) {}

void DyetraceEcmpRouting::SetIpv4(Ptr<Ipv4> ipv4) {
    m_ipv4 = ipv4;
}

void DyetraceEcmpRouting::PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit) const {
    std::ostream& out = *stream->GetStream();
    const DyetraceTopology& topology = *m_config.topology;
    const DyetraceTopology::Node& node = topology.GetNode(m_config.node);
    out << "Node: " << node.name << ", Time: " << Simulator::Now().As(unit) << ", DyetraceEcmpRouting table\n"
        << std::left << std::setw(20) << "Destination"
        << "Next hops\n";
    if (m_config.node < topology.GetNHosts()) {
        out << std::setw(20) << "0.0.0.0/0" << topology.GetNode(topology.GetTo(node.firstPort)).name
            << "\n\n";
        return;
    }
    const DyetraceRoutes& routes = m_config.forwarding->GetRoutes();
    for (uint32_t rack = 0; rack < topology.GetNRacks(); ++rack) {
        const uint32_t prefix = topology.GetNode(topology.GetRackSwitch(rack)).address.Get() & 0xffffff00;
        if (rack == node.rack) {
            for (uint32_t i = 0; i < node.portCount; ++i) {
                if (topology.GetTo(node.firstPort + i) >= topology.GetNHosts()) continue;
                const DyetraceTopology::Node& to = topology.GetNode(topology.GetTo(node.firstPort + i));
                std::ostringstream name;
                name << to.address << "/32";
                out << std::setw(20) << name.str() << to.name << '\n';
            }
            continue;
        }
        std::ostringstream name;
        name << Ipv4Address(prefix) << "/24";
        out << std::setw(20) << name.str();
        const DyetraceRoutes::Group group = routes.GetGroup(m_config.node, rack);
        for (uint32_t i = 0; i < group.count; ++i)
            out << (i > 0 ? " " : "")
                << topology.GetNode(topology.GetTo(routes.GetPort(group.first + i))).name;
        out << (group.count == 0 ? "none\n" : "\n");
    }
    out << '\n';
}

}  // namespace ns3
