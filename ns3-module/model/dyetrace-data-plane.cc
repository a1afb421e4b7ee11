// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-data-plane.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <ns3/abort.h>
#include <ns3/event-impl.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>

#include "dyetrace-capture.h"
#include "dyetrace-ecmp-hash.h"
#include "dyetrace-icmp.h"
#include "dyetrace-receiver.h"

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"

namespace ns3 {

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr uint32_t kEthernetBytes = dyetrace::wire::EthernetHeader::kSize;
constexpr uint32_t kIpv4Bytes = dyetrace::wire::Ipv4Header::kSize;

/// IEEE 802.3: preamble and start delimiter 8, FCS 4, gap between frames 12; a frame is padded to 60 without
/// FCS.
constexpr uint32_t kEthernetOverheadBytes = 24;
constexpr uint32_t kEthernetFrameBytesMin = 60;

/// Salts, so that no two kinds of decision share a random number.
constexpr uint64_t kSaltSwitch = 0x7377697463680001;
constexpr uint64_t kSaltLink = 0x6c696e6b00000001;

uint32_t ToNetwork(uint32_t value) {
    uint32_t network;
    uint8_t bytes[4];
    dyetrace::store_u32(bytes, value);
    std::memcpy(&network, bytes, sizeof network);
    return network;
}

/// Whether the header of 20 bytes sums up right. The sum does not depend on byte order (RFC 1071 section 2B).
bool IsChecksumRight(const uint8_t* ip) {
    uint32_t words[5];
    std::memcpy(words, ip, sizeof words);
    uint64_t sum = 0;
    for (const uint32_t word : words)
        sum += word;
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/// Whether a frame's head is an IPv4 header that a router would forward by (RFC 1812 section 5.2.2).
bool IsForwardable(const DyetracePacket& packet) {
    if (packet.HeadLength() < kEthernetBytes + kIpv4Bytes) return false;
    const uint8_t* frame = packet.Frame();
    if (dyetrace::load_u16(frame + 12) != dyetrace::wire::kEtherTypeIpv4) return false;
    const uint8_t* ip = frame + kEthernetBytes;
    if (ip[0] == 0x45) [[likely]] {
        return IsChecksumRight(ip) && dyetrace::load_u16(ip + 2) <= packet.Length() - kEthernetBytes;
    }
    return dyetrace::wire::Ipv4Header::parse({ip, packet.HeadLength() - kEthernetBytes},
                                             packet.Length() - kEthernetBytes)
        .ok();
}

/// Source and destination port of UDP or TCP; 0 for other protocols and for fragments, of which only the
/// first has them.
uint32_t PortsOf(const DyetracePacket& packet) {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    const bool hasPorts = ip[9] == dyetrace::wire::kProtocolUdp || ip[9] == dyetrace::wire::kProtocolTcp;
    if (!hasPorts || (dyetrace::load_u16(ip + 6) & 0x3fff) != 0) return 0;
    const uint32_t offset = kEthernetBytes + static_cast<uint32_t>(ip[0] & 0xf) * 4;
    return offset + 4 <= packet.HeadLength() ? dyetrace::load_u32(packet.Frame() + offset) : 0;
}

}  // namespace

/// The one event of a node; it is in the scheduler as many times as packets are awaited.
class DyetraceDataPlane::ArrivalEvent : public EventImpl {
  public:
    ArrivalEvent(DyetraceDataPlane* plane, uint32_t node) : m_plane(plane), m_node(node) {}

  protected:
    void Notify() override { m_plane->TakeArrivals(m_node); }

  private:
    DyetraceDataPlane* m_plane;
    uint32_t m_node;
};

DyetraceDataPlane::DyetraceDataPlane(const DyetraceTopology& topology, const Config& config, Traces traces)
    : m_traces(traces),
      m_routes(topology),
      m_rate(config.linkRate),
      m_seed(config.seed),
      m_icmpIntervalNs(config.icmpIntervalNs),
      m_icmpBurstNs(config.icmpIntervalNs * (static_cast<int64_t>(config.icmpBurst) - 1)),
      m_simulator(PeekPointer(Simulator::GetImplementation())) {
    NS_ABORT_MSG_IF(Time::GetResolution() != Time::NS, "the lean fabric counts time in nanoseconds");
    MakeTransmissionTimes(config.linkRate);
    MakeNodes(topology);
    MakeLinks(topology, config);
}

DyetraceDataPlane::~DyetraceDataPlane() {
    for (const auto& event : m_events)
        event->Cancel();  // the scheduler may outlive the fabric
}

void DyetraceDataPlane::MakeTransmissionTimes(const DataRate& rate) {
    m_txNs.resize(TabledLength + 1);
    for (uint32_t length = 0; length <= TabledLength; ++length) {
        const uint32_t onTheWire = std::max(length, kEthernetFrameBytesMin) + kEthernetOverheadBytes;
        const int64_t ns = rate.CalculateBytesTxTime(onTheWire).GetNanoSeconds();
        NS_ABORT_MSG_IF(ns > std::numeric_limits<int32_t>::max(),
                        "a link rate of " << rate << " is too slow");
        m_txNs[length] = static_cast<int32_t>(std::max<int64_t>(ns, 1));
    }
}

void DyetraceDataPlane::MakeNodes(const DyetraceTopology& topology) {
    m_nodes.reserve(topology.GetNNodes());
    for (uint32_t number = 0; number < topology.GetNNodes(); ++number) {
        const DyetraceTopology::Node& from = topology.GetNode(number);
        m_events.push_back(Create<ArrivalEvent>(this, number));
        Node node{};
        node.event = PeekPointer(m_events.back());
        node.ecmpSeed = dyetrace::mix64(dyetrace::mix64(m_seed ^ kSaltSwitch) + number);
        node.firstPort = from.firstPort;
        node.portCount = from.portCount;
        node.rack = from.rack;
        node.address = from.address.Get();
        node.addressNetwork = ToNetwork(node.address);
        node.isHost = from.tier == DyetraceTopology::Tier::Host;
        m_nodes.push_back(node);
    }
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host) {
        ++m_nodes[topology.GetRackSwitch(m_nodes[host].rack)].rackHosts;
    }
}

void DyetraceDataPlane::MakeLinks(const DyetraceTopology& topology, const Config& config) {
    m_arrivalNs.assign(topology.GetNLinks(), kNever);
    m_links.reserve(topology.GetNLinks());
    m_linkSeeds.reserve(topology.GetNLinks());
    const int64_t queueNs = config.linkRate.CalculateBytesTxTime(config.queueBytes).GetNanoSeconds();
    constexpr int64_t longest = std::numeric_limits<int32_t>::max();
    NS_ABORT_MSG_IF(queueNs > longest, "a queue takes over two seconds to send at " << config.linkRate);
    NS_ABORT_MSG_IF(config.linkDelayNs < 0 || config.linkDelayNs > longest,
                    "a link's delay is 0 to two seconds");
    for (uint32_t number = 0; number < topology.GetNLinks(); ++number) {
        Link link{};
        link.txNs = m_txNs.data();
        link.delayNs = static_cast<int32_t>(config.linkDelayNs);
        link.queueLimitNs = static_cast<int32_t>(queueNs);
        link.to = topology.GetTo(number);
        link.reverse = topology.GetReverse(number);
        link.toAddress = m_nodes[link.to].addressNetwork;
        m_links.push_back(link);
        const uint64_t place =
            static_cast<uint64_t>(topology.GetCable(number)) << 1 | topology.GetDirection(number);
        m_linkSeeds.push_back(dyetrace::mix64(dyetrace::mix64(m_seed ^ kSaltLink) + place));
    }
}

void DyetraceDataPlane::Send(uint32_t host, DyetracePacket* packet) {
    Transmit(m_links[m_nodes[host].firstPort], packet, Simulator::Now().GetTimeStep());
}

int64_t DyetraceDataPlane::TransmissionNs(const Link& link, uint32_t length) const {
    if (length <= TabledLength) [[likely]]
        return link.txNs[length];
    return m_rate.CalculateBytesTxTime(length + kEthernetOverheadBytes).GetNanoSeconds();
}

void DyetraceDataPlane::Transmit(Link& link, DyetracePacket* packet, int64_t nowNs) {
    if (link.flags & Down) [[unlikely]]
        return Drop(LinkNumber(link), DyetraceDropCause::Down, packet);
    const int64_t startNs = std::max(link.busyUntilNs, nowNs);
    const int64_t doneNs = startNs + TransmissionNs(link, packet->Length());
    if (doneNs - nowNs > link.queueLimitNs) [[unlikely]] {
        return Drop(LinkNumber(link), DyetraceDropCause::Queue, packet);
    }
    if (link.flags & CaptureOut) [[unlikely]]
        m_captures.at(LinkNumber(link))->Sending(startNs, *packet);
    link.busyUntilNs = doneNs;
    packet->arrivalNs = doneNs + link.delayNs;
    packet->next = nullptr;
    if (link.first == nullptr) {
        link.first = packet;
        m_arrivalNs[link.reverse] = packet->arrivalNs;
        ScheduleArrival(link.to, packet->arrivalNs - nowNs);
    } else {
        link.last->next = packet;
    }
    link.last = packet;
}

void DyetraceDataPlane::ScheduleArrival(uint32_t node, int64_t delayNs) {
    ArrivalEvent* event = m_nodes[node].event;
    event->Ref();  // the simulator drops one reference for each time the event was scheduled
    m_simulator->ScheduleWithContext(node, TimeStep(static_cast<uint64_t>(delayNs)), event);
}

void DyetraceDataPlane::TakeArrivals(uint32_t number) {
    const int64_t nowNs = Simulator::Now().GetTimeStep();
    Node& node = m_nodes[number];
    for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port) {
        if (m_arrivalNs[port] <= nowNs) Take(node, port, nowNs);
    }
}

void DyetraceDataPlane::Take(Node& node, uint32_t port, int64_t nowNs) {
    Link& link = m_links[m_links[port].reverse];
    DyetracePacket* packet = link.first;
    link.first = packet->next;
    if (link.first == nullptr) {
        m_arrivalNs[port] = kNever;
    } else {
        m_arrivalNs[port] = link.first->arrivalNs;
        ScheduleArrival(link.to, link.first->arrivalNs - nowNs);
    }
    ++link.ordinal;
    ++m_counters.hops;
    if (link.flags & (Faulty | CaptureIn)) [[unlikely]] {
        if (!Survives(link, *packet)) return Drop(LinkNumber(link), DyetraceDropCause::Fault, packet);
    }
    if (!node.isHost) return Forward(node, port, packet, nowNs);
    ++m_counters.delivered;
    m_traces.deliver(NodeNumber(node), *packet);
    if (node.receiver != nullptr) return node.receiver->Receive(packet);
    m_pool.Free(packet);
}

bool DyetraceDataPlane::Survives(Link& link, const DyetracePacket& packet) {
    if ((link.flags & Faulty) && IsSilentlyLost(link)) return false;
    if (link.flags & CaptureIn) m_captures.at(link.reverse)->Received(packet.arrivalNs, packet);
    return true;
}

bool DyetraceDataPlane::IsSilentlyLost(const Link& link) const {
    const uint32_t number = LinkNumber(link);
    const uint64_t packetHash = dyetrace::mix64(m_linkSeeds[number] + link.ordinal);
    const auto& drops = m_silentDrops.at(number);
    return std::any_of(drops.begin(), drops.end(), [packetHash](const SilentDrop& drop) {
        return dyetrace::mix64(packetHash + drop.faultId) < drop.threshold;
    });
}

void DyetraceDataPlane::Forward(Node& node, uint32_t in, DyetracePacket* packet, int64_t nowNs) {
    const uint32_t inLink = m_links[in].reverse;
    if (!IsForwardable(*packet)) [[unlikely]]
        return Drop(inLink, DyetraceDropCause::BadHeader, packet);
    uint8_t* ip = packet->Frame() + kEthernetBytes;
    if (ip[8] <= 1) [[unlikely]] {
        AnswerTtlExpired(node, *packet, nowNs);
        return Drop(inLink, DyetraceDropCause::TtlExpired, packet);
    }
    const uint32_t port = ChoosePort(node, *packet);
    if (port == DyetraceRoutes::None) [[unlikely]]
        return Drop(inLink, DyetraceDropCause::NoRoute, packet);

    dyetrace::wire::set_ipv4_ttl(dyetrace::MutableBytes(ip, dyetrace::wire::Ipv4Header::kSize),
                                 static_cast<uint8_t>(ip[8] - 1));
    Link& out = m_links[port];
    Rewrite(node, out, packet->Frame());
    if (!m_traces.forward.IsEmpty()) m_traces.forward(inLink, port, *packet);
    Transmit(out, packet, nowNs);
}

uint32_t DyetraceDataPlane::ChoosePort(const Node& node, const DyetracePacket& packet) const {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    const uint32_t destination = dyetrace::load_u32(ip + 16);
    const uint32_t rack = m_routes.GetRack(destination);
    if (rack == DyetraceRoutes::None) return DyetraceRoutes::None;
    if (rack == node.rack) {
        const uint32_t host = (destination & 0xff) - 2;
        return host < node.rackHosts ? node.firstPort + host : DyetraceRoutes::None;
    }
    const DyetraceRoutes::Group group = m_routes.GetGroup(NodeNumber(node), rack);
    if (group.count == 1) return m_routes.GetPort(group.first);
    if (group.count == 0) return DyetraceRoutes::None;
    const uint64_t hash =
        DyetraceEcmpHash(node.ecmpSeed, dyetrace::load_u64(ip + 12), ip[9], PortsOf(packet));
    return m_routes.GetPort(group.first + DyetraceEcmpChoice(hash, group.count));
}

void DyetraceDataPlane::Rewrite(const Node& node, const Link& out, uint8_t* frame) const {
    frame[0] = 2;
    frame[1] = 0;
    std::memcpy(frame + 2, &out.toAddress, 4);
    frame[6] = 2;
    frame[7] = 0;
    std::memcpy(frame + 8, &node.addressNetwork, 4);
}

// The limit is a bucket that fills with time (GCRA): `icmpDueNs` runs ahead of now by at most the burst.
void DyetraceDataPlane::AnswerTtlExpired(Node& node, const DyetracePacket& packet, int64_t nowNs) {
    if (!DyetraceMayAnswer(packet)) return;
    if (node.icmpDueNs - nowNs > m_icmpBurstNs) {
        ++m_counters.icmpSuppressed;
        return;
    }
    node.icmpDueNs = std::max(node.icmpDueNs, nowNs) + m_icmpIntervalNs;
    DyetracePacket* answer =
        DyetraceMakeTimeExceeded(m_pool, packet, node.address, ++node.icmpIdentification);
    const uint32_t port = ChoosePort(node, *answer);
    if (port == DyetraceRoutes::None) return m_pool.Free(answer);
    ++m_counters.icmpSent;
    Rewrite(node, m_links[port], answer->Frame());
    Transmit(m_links[port], answer, nowNs);
}

void DyetraceDataPlane::Drop(uint32_t link, DyetraceDropCause cause, DyetracePacket* packet) {
    ++m_counters.drops[static_cast<std::size_t>(cause)];
    m_traces.drop(link, cause, *packet);
    m_pool.Free(packet);
}

void DyetraceDataPlane::SetDown(uint32_t number, bool down) {
    Link& link = m_links[number];
    const int64_t nowNs = Simulator::Now().GetTimeStep();
    link.flags = down ? link.flags | Down : link.flags & ~Down;
    link.busyUntilNs = nowNs;
    if (link.flags & CaptureOut) m_captures.at(number)->QueueLost(nowNs);
    m_arrivalNs[link.reverse] = kNever;
    for (DyetracePacket* packet = link.first; packet != nullptr;) {
        DyetracePacket* next = packet->next;
        Drop(number, DyetraceDropCause::Down, packet);
        packet = next;
    }
    link.first = nullptr;
}

void DyetraceDataPlane::AddSilentDrop(uint32_t link, uint32_t faultId, double probability) {
    // 2^64 itself does not fit; for a probability of 1 the largest number stands in, short by one packet in
    // 2^64.
    const double scaled = std::ldexp(probability, 64);
    const uint64_t threshold =
        probability >= 1 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(scaled);
    m_silentDrops[link].push_back({faultId, threshold});
    m_links[link].flags |= Faulty;
}

void DyetraceDataPlane::RemoveSilentDrop(uint32_t link, uint32_t faultId) {
    std::vector<SilentDrop>& drops = m_silentDrops[link];
    drops.erase(std::remove_if(drops.begin(), drops.end(),
                               [faultId](const SilentDrop& drop) { return drop.faultId == faultId; }),
                drops.end());
    if (drops.empty()) m_links[link].flags &= ~static_cast<uint32_t>(Faulty);
}

void DyetraceDataPlane::SetCapture(uint32_t port, DyetraceCapture* capture) {
    m_captures[port] = capture;
    m_links[port].flags |= CaptureOut;
    m_links[m_links[port].reverse].flags |= CaptureIn;
}

}  // namespace ns3
