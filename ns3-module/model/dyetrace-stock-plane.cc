// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-stock-plane.h"

#include <algorithm>

#include <ns3/abort.h>
#include <ns3/boolean.h>
#include <ns3/data-rate.h>
#include <ns3/global-value.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4.h>
#include <ns3/simulator.h>
#include <ns3/uinteger.h>

#include "dyetrace-capture.h"
#include "dyetrace-ecmp-routing.h"
#include "dyetrace-ethernet-channel.h"
#include "dyetrace-ethernet-device.h"
#include "dyetrace-frame-tag.h"
#include "dyetrace-frame-time.h"
#include "dyetrace-packet-bytes.h"
#include "dyetrace-ranks.h"
#include "dyetrace-receiver.h"

#include "core/base/bytes.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"

namespace ns3 {

namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t None = DyetraceTopology::None;
constexpr uint32_t kEthernetBytes = wire::EthernetHeader::kSize;

int64_t NowNs() {
    return Simulator::Now().GetNanoSeconds();
}

}  // namespace

DyetraceStockPlane::DyetraceStockPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks,
                                       const Config& config, Traces traces)
    : DyetraceDataPlane(topology, ranks, config, traces),
      m_receivers(topology.GetNHosts(), nullptr),
      m_lookaheadNs(ranks.LeastOfCrossings(topology, [this](uint32_t link) { return DelayNsOf(link); })),
      m_across(ranks.GetCount()),
      m_self(std::make_shared<DyetraceStockPlane*>(this)) {
    NS_ABORT_MSG_IF(Time::GetResolution() != Time::NS, "the fabric counts time in nanoseconds");
    GlobalValue::Bind("ChecksumEnabled", BooleanValue(true));
    MakeNodes();
    MakeLinks();
    Configure();
    m_exchange = std::make_unique<DyetraceRankExchange>(
        ranks, m_lookaheadNs, [this](dyetrace::Bytes message) { ReceiveAcross(message); },
        DyetraceRankExchange::ShorterThanFrames);
}

// The nodes live on until Simulator::Destroy, and look no more for what is gone.
DyetraceStockPlane::~DyetraceStockPlane() {
    for (const auto& device : m_devices) {
        device->SetTap(nullptr, 0);
        device->SetTransmitDown(true);
    }
    for (const auto& routing : m_routing)
        routing->Configure({}, {});
}

void DyetraceStockPlane::MakeNodes() {
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    for (uint32_t number = 0; number < GetTopology().GetNNodes(); ++number) {
        m_nodes.push_back(CreateObject<Node>(GetRanks().Get(number)));
        stack.Install(m_nodes.back());
    }
}

void DyetraceStockPlane::MakeLinks() {
    const DyetraceTopology& topology = GetTopology();
    for (uint32_t port = 0; port < topology.GetNLinks(); ++port) {
        auto device = CreateObjectWithAttributes<DyetraceEthernetDevice>(
            "DataRate", DataRateValue(RateOf(port)), "QueueBytes", UintegerValue(GetConfig().queueBytes));
        device->SetAddress(topology.GetMac(topology.GetFrom(port)));
        m_nodes[topology.GetFrom(port)]->AddDevice(device);
        device->SetTap(this, port);
        m_devices.push_back(device);
        DoSetMtu(port, GetConfig().mtu);
    }
    for (uint32_t port = 0; port < topology.GetNLinks(); ++port) {
        const uint32_t reverse = topology.GetReverse(port);
        if (reverse < port) continue;
        auto channel = CreateObjectWithAttributes<DyetraceEthernetChannel>(
            "Delay", TimeValue(NanoSeconds(static_cast<uint64_t>(DelayNsOf(port)))));
        m_devices[port]->Attach(channel);
        m_devices[reverse]->Attach(channel);
    }
}

void DyetraceStockPlane::Configure() {
    const DyetraceTopology& topology = GetTopology();
    for (uint32_t number = 0; number < topology.GetNNodes(); ++number) {
        const DyetraceTopology::Node& node = topology.GetNode(number);
        Ptr<Ipv4> ipv4 = m_nodes[number]->GetObject<Ipv4>();
        std::vector<Ptr<NetDevice>> ports;
        for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port) {
            ports.push_back(m_devices[port]);
            const uint32_t interface = ipv4->AddInterface(m_devices[port]);
            ipv4->AddAddress(interface, Ipv4InterfaceAddress(node.address, Ipv4Mask::GetOnes()));
            ipv4->SetUp(interface);
        }
        auto protocol = CreateObject<DyetraceEcmpRouting>();
        protocol->Configure({&topology, &m_forwarding, number}, std::move(ports));
        ipv4->SetRoutingProtocol(protocol);
        protocol->TraceConnectWithoutContext("Forward", MakeCallback(&DyetraceStockPlane::NoteForward, this));
        protocol->TraceConnectWithoutContext("Drop", MakeCallback(&DyetraceStockPlane::NoteSwitchDrop, this));
        m_routing.push_back(protocol);
    }
}

Ptr<DyetraceEthernetDevice> DyetraceStockPlane::GetDevice(uint32_t port) const {
    return m_devices.at(port);
}

uint64_t DyetraceStockPlane::GetLinkPackets(uint32_t link) const {
    return m_devices.at(GetTopology().GetReverse(link))->GetReceivedFrames();
}

// An EPPC's frames enter below the stack, as on a real host: it writes the outer headers itself.
void DyetraceStockPlane::Send(uint32_t host, DyetracePacket* packet) {
    ApplyChanges(NowNs());
    const uint32_t port = GetTopology().GetNode(host).firstPort;
    if (packet->Length() > uint32_t{m_devices[port]->GetMtu()} + kEthernetBytes)
        return Drop(port, DyetraceDropCause::TooBig, packet);
    Ptr<Packet> frame = DyetraceFrameTag::ToPacket(*packet);
    m_pool.Free(packet);
    m_devices[port]->SendFrame(frame);
}

// Changes first; then, port by port, what comes out of the link and what a fault has held until now.
void DyetraceStockPlane::TakeArrivals(uint32_t number) {
    const int64_t nowNs = NowNs();
    ApplyChanges(nowNs);
    if (!IsHost(number)) m_takenUntilNs = nowNs + 1;
    const DyetraceTopology::Node& node = GetTopology().GetNode(number);
    for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port) {
        m_devices[port]->TakeDue();
        const auto held = m_held.find(number);
        if (held == m_held.end()) continue;
        std::set<Held>& frames = held->second;
        while (!frames.empty() && frames.begin()->timeNs <= nowNs && frames.begin()->port == port) {
            const Ptr<Packet> frame = frames.begin()->frame;
            frames.erase(frames.begin());
            if (!Arrive(port, frame)) continue;
            m_devices[port]->HandUp(frame);
            Taken(port);
        }
    }
}

// What changes

void DyetraceStockPlane::DoSetDown(uint32_t link, bool isDown) {
    NoteEmptied(link, NowNs());
    const auto capture = m_captures.find(link);
    if (capture != m_captures.end()) capture->second->QueueLost(NowNs());
    m_devices[link]->SetTransmitDown(isDown);
}

void DyetraceStockPlane::DoSetRate(uint32_t link, DataRate rate) {
    m_devices[link]->SetAttribute("DataRate", DataRateValue(rate));
}

void DyetraceStockPlane::DoSetMtu(uint32_t link, uint32_t mtu) {
    m_devices[link]->SetMtu(static_cast<uint16_t>(std::min<uint32_t>(mtu, UINT16_MAX)));
}

// What ports tell

void DyetraceStockPlane::Due(uint32_t port) {
    TakeArrivals(NodeOf(port));
}

void DyetraceStockPlane::Queueing(uint32_t port, Ptr<const Packet> frame) {
    const bool isForwarded = m_isForwarding;
    m_isForwarding = false;
    if (!isForwarded || m_traces.forward.IsEmpty()) return;
    DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, *frame);
    m_traces.forward(m_inLink, port, *packet);
    m_pool.Free(packet);
}

void DyetraceStockPlane::Sending(uint32_t port, Ptr<Packet>& frame, int64_t startNs, int64_t queuedNs) {
    const auto capture = m_captures.find(port);
    const bool isMarked = GetConfig().ecnBytes != 0 &&
                          queuedNs > DyetraceQueueNs(m_devices[port]->GetDataRate(), GetConfig().ecnBytes);
    if (!isMarked && capture == m_captures.end()) return;
    DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, *frame);
    if (isMarked) {
        const DyetraceForwarding::Ip ip = DyetraceForwarding::Check(*packet);
        if (ip != DyetraceForwarding::Ip::Bad && DyetraceForwarding::MarkCongestion(ip, *packet))
            frame = DyetraceFrameTag::ToPacket(*packet);
    }
    if (capture != m_captures.end()) capture->second->Sending(startNs, *packet);
    m_pool.Free(packet);
}

// It has to be there just before it arrives: then it waits at the port like those from near, and whoever
// comes first at that time takes all in the order of ports. Until a look-ahead before that, others join it.
bool DyetraceStockPlane::SendAcross(uint32_t port, Ptr<Packet> frame, int64_t arrivalNs) {
    if (!GetRanks().IsCrossing(GetTopology(), port)) return false;
    const uint32_t rank = GetRanks().Get(GetTopology().GetTo(port));
    Across& across = m_across[rank];
    Passage{NowNs(), arrivalNs, port}.AppendTo(across.bytes);
    DyetraceFrameBytes::Append(across.bytes, m_pool, *frame);
    if (arrivalNs - 1 >= across.readNs) return true;
    across.readNs = arrivalNs - 1;
    Simulator::ScheduleWithContext(
        Simulator::NO_CONTEXT, TimeStep(static_cast<uint64_t>(across.readNs - m_lookaheadNs - NowNs())),
        &DyetraceStockPlane::FlushEvent, std::weak_ptr<DyetraceStockPlane*>(m_self), rank);
    return true;
}

void DyetraceStockPlane::FlushEvent(const std::weak_ptr<DyetraceStockPlane*>& plane, uint32_t rank) {
    if (const auto alive = plane.lock()) (*alive)->Flush(rank);
}

void DyetraceStockPlane::Flush(uint32_t rank) {
    Across& across = m_across[rank];
    if (across.readNs != NowNs() + m_lookaheadNs) return;  // sent already, for the sake of another frame
    m_exchange->Send(rank, across.readNs, across.bytes);
    across.bytes.clear();
    across.readNs = Never;
}

void DyetraceStockPlane::ReceiveAcross(dyetrace::Bytes message) {
    ApplyChanges(NowNs());
    while (!message.empty()) {
        const Passage passage = Passage::Take(message);
        const Ptr<Packet> frame = DyetraceFrameBytes::Take(m_pool, message);
        if (IsLost(passage)) {
            DropFrame(passage.link, DyetraceDropCause::Down, *frame);
            continue;
        }
        m_devices[GetTopology().GetReverse(passage.link)]->Expect(frame, passage.arrivalNs);
    }
}

void DyetraceStockPlane::Lost(uint32_t port, Ptr<const Packet> frame, DyetraceDropCause cause) {
    DropFrame(port, cause, *frame);
}

bool DyetraceStockPlane::Arrived(uint32_t port, Ptr<Packet>& frame) {
    const uint32_t link = GetTopology().GetReverse(port);
    ++m_counters.hops;
    if (!m_impairments.IsImpaired(link)) return Arrive(port, frame);
    DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, *frame);
    const DyetraceVerdict verdict = m_impairments.Judge(link, GetLinkPackets(link), *packet, NowNs());
    if (verdict.isLost) {
        Drop(link, DyetraceDropCause::Fault, packet);
        return false;
    }
    frame = DyetraceFrameTag::ToPacket(*packet);  // a fault may have changed it
    m_pool.Free(packet);
    if (verdict.isDuplicated) Hold(port, frame->Copy(), verdict.releaseNs);
    if (verdict.isHeld) {
        Hold(port, frame, verdict.releaseNs);
        return false;
    }
    return Arrive(port, frame);
}

void DyetraceStockPlane::Hold(uint32_t port, Ptr<Packet> frame, int64_t releaseNs) {
    const uint32_t node = NodeOf(port);
    m_held[node].insert({releaseNs, port, ++m_heldOrders, frame});
    const int64_t delayNs = std::max<int64_t>(releaseNs - NowNs(), 0);
    Simulator::ScheduleWithContext(m_nodes[node]->GetId(), NanoSeconds(static_cast<uint64_t>(delayNs)),
                                   &DyetraceStockPlane::Release, std::weak_ptr<DyetraceStockPlane*>(m_self),
                                   node);
}

void DyetraceStockPlane::Release(const std::weak_ptr<DyetraceStockPlane*>& plane, uint32_t node) {
    if (const auto alive = plane.lock()) (*alive)->TakeArrivals(node);
}

bool DyetraceStockPlane::Arrive(uint32_t port, Ptr<Packet> frame) {
    const uint32_t node = NodeOf(port);
    const auto capture = m_captures.find(port);
    if (capture != m_captures.end()) {
        DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, *frame);
        capture->second->Received(NowNs(), *packet);
        m_pool.Free(packet);
    }
    if (IsHost(node)) return ArriveAtHost(node, *frame);
    const uint32_t link = GetTopology().GetReverse(port);
    DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, *frame);
    switch (DyetraceForwarding::Check(*packet)) {
        case DyetraceForwarding::Ip::Bad: Drop(link, DyetraceDropCause::BadHeader, packet); return false;
        case DyetraceForwarding::Ip::V6: ForwardBelow(port, packet); return false;
        case DyetraceForwarding::Ip::V4: break;
    }
    m_pool.Free(packet);
    m_inLink = link;
    m_inFrame = frame;
    return true;
}

void DyetraceStockPlane::Taken(uint32_t) {
    m_inLink = None;
    m_inFrame = nullptr;
    m_isForwarding = false;
}

// IPv6, as the lean switches have it.
void DyetraceStockPlane::ForwardBelow(uint32_t in, DyetracePacket* packet) {
    constexpr auto ip = DyetraceForwarding::Ip::V6;
    const uint32_t node = NodeOf(in);
    const uint32_t inLink = GetTopology().GetReverse(in);
    if (DyetraceForwarding::IsLastHop(ip, *packet)) {
        AnswerBelow(node, *packet, DyetraceForwarding::IcmpError::TimeExceeded, 0);
        return Drop(inLink, DyetraceDropCause::TtlExpired, packet);
    }
    const uint32_t port = m_forwarding.ChoosePort(node, ip, *packet);
    if (port == None) return Drop(inLink, DyetraceDropCause::NoRoute, packet);
    const uint32_t mtu = m_devices[port]->GetMtu();
    if (packet->Length() > mtu + kEthernetBytes) {
        AnswerBelow(node, *packet, DyetraceForwarding::IcmpError::TooBig, mtu);
        return Drop(inLink, DyetraceDropCause::TooBig, packet);
    }
    DyetraceForwarding::TakeHop(ip, *packet);
    m_forwarding.Rewrite(port, *packet);
    Ptr<Packet> frame = DyetraceFrameTag::ToPacket(*packet);
    m_pool.Free(packet);
    m_inLink = inLink;
    m_isForwarding = true;
    m_devices[port]->SendFrame(frame);
    m_inLink = None;
}

void DyetraceStockPlane::AnswerBelow(uint32_t node, const DyetracePacket& packet,
                                     DyetraceForwarding::IcmpError error, uint32_t mtu) {
    uint32_t port = None;
    DyetracePacket* answer =
        m_forwarding.Answer(m_pool, node, DyetraceForwarding::Ip::V6, packet, error, mtu, NowNs(), port);
    if (answer == nullptr) return;
    Ptr<Packet> frame = DyetraceFrameTag::ToPacket(*answer);
    m_pool.Free(answer);
    m_devices[port]->SendFrame(frame);
}

bool DyetraceStockPlane::ArriveAtHost(uint32_t host, const Packet& frame) {
    ++m_counters.delivered;
    DyetracePacket* packet = DyetraceFrameTag::FromPacket(m_pool, frame);
    m_traces.deliver(host, *packet);
    const bool isRight = DyetraceForwarding::Check(*packet) == DyetraceForwarding::Ip::V4;
    if (m_receivers[host] != nullptr && IsForReceiver(host, *packet)) {
        m_receivers[host]->Receive(packet);
        return false;
    }
    m_pool.Free(packet);
    return isRight;  // ns-3's stack would stumble over a cut header
}

bool DyetraceStockPlane::IsForReceiver(uint32_t host, const DyetracePacket& packet) const {
    const dyetrace::Bytes frame{packet.Frame(), packet.HeadLength()};
    if (frame.size() < kEthernetBytes + wire::Ipv4Header::kSize + 4) return true;
    if (dyetrace::load_u16(&frame[12]) != wire::kEtherTypeIpv4) return true;
    const std::size_t payload = kEthernetBytes + static_cast<std::size_t>(frame[kEthernetBytes] & 0xf) * 4;
    if (frame.size() < payload + 4) return true;
    switch (frame[kEthernetBytes + 9]) {
        case wire::kProtocolUdp: {
            const uint16_t port = dyetrace::load_u16(&frame[payload + 2]);
            return m_stackPorts.count({host, port}) == 0;
        }
        case wire::kProtocolIcmp: {
            constexpr uint8_t echoReply = 0;
            constexpr uint8_t echo = 8;
            return frame[payload] != echoReply && frame[payload] != echo;
        }
        default: return false;
    }
}

// What the switches' routing tells, while their stack has a frame in its hands

void DyetraceStockPlane::NoteForward(const Ipv4Header&, Ptr<const Packet>) {
    m_isForwarding = m_inLink != None;
}

void DyetraceStockPlane::NoteSwitchDrop(DyetraceDropCause cause, const Ipv4Header&, Ptr<const Packet>) {
    if (m_inFrame) DropFrame(m_inLink, cause, *m_inFrame);
}

void DyetraceStockPlane::DropFrame(uint32_t link, DyetraceDropCause cause, const Packet& frame) {
    Drop(link, cause, DyetraceFrameTag::FromPacket(m_pool, frame));
}

}  // namespace ns3
