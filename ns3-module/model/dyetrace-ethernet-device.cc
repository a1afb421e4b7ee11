// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-ethernet-device.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <ns3/abort.h>
#include <ns3/log.h>
#include <ns3/node.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-ethernet-channel.h"
#include "dyetrace-ethernet-tap.h"
#include "dyetrace-frame-time.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceEthernetDevice");
NS_OBJECT_ENSURE_REGISTERED(DyetraceEthernetDevice);

namespace {

/// A node's ports of this kind, in the order in which it got them.
class DyetraceEthernetPorts : public Object {
  public:
    static TypeId GetTypeId() {
        static TypeId tid = TypeId("ns3::DyetraceEthernetPorts").SetParent<Object>().SetGroupName("Dyetrace");
        return tid;
    }
    static Ptr<DyetraceEthernetPorts> Of(Ptr<Node> node) { return node->GetObject<DyetraceEthernetPorts>(); }

    std::vector<DyetraceEthernetDevice*> ports;
};

NS_OBJECT_ENSURE_REGISTERED(DyetraceEthernetPorts);

}  // namespace

TypeId DyetraceEthernetDevice::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceEthernetDevice")
            .SetParent<DyetraceNetDevice>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceEthernetDevice>()
            .AddAttribute(
                "Mtu", "Longest packet, Ethernet header not counted.", UintegerValue(9216),
                MakeUintegerAccessor(&DyetraceEthernetDevice::SetMtu, &DyetraceEthernetDevice::GetMtu),
                MakeUintegerChecker<uint16_t>(68))
            .AddAttribute(
                "DataRate", "Of the link, in this direction.", DataRateValue(DataRate("1Gbps")),
                MakeDataRateAccessor(&DyetraceEthernetDevice::SetRate, &DyetraceEthernetDevice::GetDataRate),
                MakeDataRateChecker())
            .AddAttribute(
                "QueueBytes",
                "Bytes, as on the wire, that the port holds: what is still to be sent, the rest of the frame "
                "under way and the frame that arrives included. What does not fit is dropped.",
                UintegerValue(150000), MakeUintegerAccessor(&DyetraceEthernetDevice::m_queueBytes),
                MakeUintegerChecker<uint32_t>(1600))
            .AddTraceSource("MacTx", "A frame was queued.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_macTx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("MacTxDrop", "A frame did not fit into the queue (drop-tail).",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_macTxDrop),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("MacPromiscRx", "A frame was received, for whomever.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_macPromiscRx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("MacRx", "A frame for this device was received.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_macRx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyTxDrop", "A frame was lost because the link is down.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_phyTxDrop),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyRxDrop",
                            "The fabric took a frame at the end of the link: a fault did, a frame "
                            "that is not IPv4, or one for the host's EPPC.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_phyRxDrop),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Sniffer", "Frames queued, and received for this device: for captures.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_sniffer),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PromiscSniffer", "All frames queued and received: for captures.",
                            MakeTraceSourceAccessor(&DyetraceEthernetDevice::m_promiscSniffer),
                            "ns3::Packet::TracedCallback");
    return tid;
}

DyetraceEthernetDevice::DyetraceEthernetDevice()
    : m_queueBytes(0), m_down(false), m_busyUntilNs(0), m_receivedFrames(0), m_tap(nullptr), m_tapPort(0) {
    NS_LOG_FUNCTION(this);
}

DyetraceEthernetDevice::~DyetraceEthernetDevice() {
    NS_LOG_FUNCTION(this);
}

void DyetraceEthernetDevice::DoDispose() {
    NS_LOG_FUNCTION(this);
    if (m_channel) m_channel->Detach(this);
    if (m_node) {
        if (const auto ports = DyetraceEthernetPorts::Of(m_node)) {
            ports->ports.erase(std::remove(ports->ports.begin(), ports->ports.end(), this),
                               ports->ports.end());
        }
    }
    m_arriving.clear();
    m_channel = nullptr;
    m_tap = nullptr;
    DyetraceNetDevice::DoDispose();
}

void DyetraceEthernetDevice::SetRate(DataRate rate) {
    NS_ABORT_MSG_IF(rate.GetBitRate() == 0, "DyetraceEthernetDevice: DataRate is zero");
    m_rate = rate;
}

void DyetraceEthernetDevice::Attach(Ptr<DyetraceEthernetChannel> channel) {
    NS_ABORT_MSG_IF(m_channel, "DyetraceEthernetDevice::Attach was called before");
    m_channel = channel;
    m_channel->Attach(this);
    m_linkChange();
}

void DyetraceEthernetDevice::SetTap(DyetraceEthernetTap* tap, uint32_t port) {
    m_tap = tap;
    m_tapPort = port;
}

// Sending

int64_t DyetraceEthernetDevice::TransmissionNs(uint32_t length) const {
    return DyetraceTransmissionNs(m_rate, length);
}

bool DyetraceEthernetDevice::SendFrame(Ptr<Packet> frame) {
    NS_LOG_FUNCTION(this << frame);
    if (m_tap != nullptr) m_tap->Queueing(m_tapPort, frame);
    DyetraceEthernetDevice* peer = m_channel ? m_channel->GetPeer(this) : nullptr;
    if (m_down || peer == nullptr) {
        m_phyTxDrop(frame);
        if (m_tap != nullptr) m_tap->Lost(m_tapPort, frame, DyetraceDropCause::Down);
        return false;
    }
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    const int64_t startNs = std::max(m_busyUntilNs, nowNs);
    const int64_t doneNs = startNs + TransmissionNs(frame->GetSize());
    if (doneNs - nowNs > DyetraceQueueNs(m_rate, m_queueBytes)) return Refuse(frame);
    if (m_tap != nullptr) m_tap->Sending(m_tapPort, frame, startNs, doneNs - nowNs);
    m_macTx(frame);
    m_promiscSniffer(frame);
    m_sniffer(frame);
    m_busyUntilNs = doneNs;
    const int64_t arrivalNs = doneNs + m_channel->GetDelay().GetNanoSeconds();
    m_channel->NoteFrame(frame, this, NanoSeconds(static_cast<uint64_t>(doneNs - nowNs)),
                         NanoSeconds(static_cast<uint64_t>(arrivalNs - nowNs)));
    const bool isElsewhere = m_tap != nullptr && m_tap->SendAcross(m_tapPort, frame, arrivalNs);
    if (!isElsewhere) peer->Expect(frame, arrivalNs);
    return true;
}

void DyetraceEthernetDevice::Expect(Ptr<Packet> frame, int64_t arrivalNs) {
    const auto isSooner = [](int64_t timeNs, const Arriving& other) { return timeNs < other.timeNs; };
    m_arriving.insert(std::upper_bound(m_arriving.begin(), m_arriving.end(), arrivalNs, isSooner),
                      {arrivalNs, frame});
    const int64_t waitNs = arrivalNs - Simulator::Now().GetNanoSeconds();
    Simulator::ScheduleWithContext(m_node->GetId(), NanoSeconds(static_cast<uint64_t>(waitNs)),
                                   &DyetraceEthernetDevice::ArrivalEvent, Ptr<DyetraceEthernetDevice>(this));
}

bool DyetraceEthernetDevice::Refuse(Ptr<Packet> frame) {
    m_macTxDrop(frame);
    if (m_tap != nullptr) m_tap->Lost(m_tapPort, frame, DyetraceDropCause::Queue);
    return false;
}

// A stack that needs no address resolution names no destination of its own; the peer is the only one.
bool DyetraceEthernetDevice::SendFrom(Ptr<Packet> packet, const Address& source, const Address&,
                                      uint16_t protocol) {
    NS_LOG_FUNCTION(this << packet << source << protocol);
    if (packet->GetSize() > m_mtu) return Refuse(packet);
    const DyetraceEthernetDevice* peer = m_channel ? m_channel->GetPeer(this) : nullptr;
    AddEthernet(*packet, Mac48Address::ConvertFrom(source),
                peer != nullptr ? peer->m_address : Mac48Address::GetBroadcast(), protocol);
    return SendFrame(packet);
}

void DyetraceEthernetDevice::SetTransmitDown(bool down) {
    NS_LOG_FUNCTION(this << down);
    m_down = down;
    m_busyUntilNs = Simulator::Now().GetNanoSeconds();
    if (DyetraceEthernetDevice* peer = m_channel ? m_channel->GetPeer(this) : nullptr) {
        std::deque<Arriving> lost;
        lost.swap(peer->m_arriving);
        for (const Arriving& arriving : lost) {
            m_phyTxDrop(arriving.frame);
            if (m_tap != nullptr) m_tap->Lost(m_tapPort, arriving.frame, DyetraceDropCause::Down);
        }
        peer->m_linkChange();
    }
    m_linkChange();
}

// Receiving

void DyetraceEthernetDevice::ArrivalEvent() {
    if (m_tap != nullptr) return m_tap->Due(m_tapPort);
    if (m_node) TakeArrivals(m_node);
}

void DyetraceEthernetDevice::TakeArrivals(Ptr<Node> node) {
    const auto ports = DyetraceEthernetPorts::Of(node);
    if (!ports) return;
    // By index: what is taken may lead to another call, which then takes the rest.
    for (std::size_t i = 0; i < ports->ports.size(); ++i)
        ports->ports[i]->TakeDue();
}

void DyetraceEthernetDevice::TakeDue() {
    const int64_t nowNs = Simulator::Now().GetNanoSeconds();
    while (!m_arriving.empty() && m_arriving.front().timeNs <= nowNs) {
        Ptr<Packet> frame = m_arriving.front().frame;
        m_arriving.pop_front();
        ++m_receivedFrames;
        if (m_tap != nullptr && !m_tap->Arrived(m_tapPort, frame)) {
            m_phyRxDrop(frame);
            continue;
        }
        HandUp(frame);
        if (m_tap != nullptr) m_tap->Taken(m_tapPort);
    }
}

// What NetDevice asks for

Ptr<Channel> DyetraceEthernetDevice::GetChannel() const {
    return m_channel;
}
bool DyetraceEthernetDevice::SetMtu(const uint16_t mtu) {
    m_mtu = mtu;
    return true;
}
uint16_t DyetraceEthernetDevice::GetMtu() const {
    return m_mtu;
}
bool DyetraceEthernetDevice::IsLinkUp() const {
    const DyetraceEthernetDevice* peer = m_channel ? m_channel->GetPeer(this) : nullptr;
    return peer != nullptr && !m_down && !peer->m_down;
}
bool DyetraceEthernetDevice::IsPointToPoint() const {
    return true;
}
void DyetraceEthernetDevice::SetNode(Ptr<Node> node) {
    DyetraceNetDevice::SetNode(node);
    auto ports = DyetraceEthernetPorts::Of(m_node);
    if (!ports) {
        ports = CreateObject<DyetraceEthernetPorts>();
        m_node->AggregateObject(ports);
    }
    ports->ports.push_back(this);
}
bool DyetraceEthernetDevice::NeedsArp() const {
    return false;
}

}  // namespace ns3
