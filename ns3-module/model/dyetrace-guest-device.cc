// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-guest-device.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>
#include <ns3/boolean.h>
#include <ns3/channel.h>
#include <ns3/log.h>
#include <ns3/node.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-arp.h"
#include "dyetrace-fabric.h"
#include "dyetrace-host.h"
#include "dyetrace-packet.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceGuestDevice");
NS_OBJECT_ENSURE_REGISTERED(DyetraceGuestDevice);

namespace {

constexpr uint16_t kMtuLeast = 68;  ///< RFC 791 section 3.2: every module forwards so much

}  // namespace

TypeId DyetraceGuestDevice::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceGuestDevice")
            .SetParent<DyetraceNetDevice>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceGuestDevice>()
            .AddAttribute(
                "Mtu",
                "Longest packet that the stack may send, Ethernet header not counted. What the "
                "host's EPPC carries (DyetraceHost::UnderlayMtu) is the upper limit.",
                UintegerValue(1500),
                MakeUintegerAccessor(&DyetraceGuestDevice::SetMtuAttribute, &DyetraceGuestDevice::GetMtu),
                MakeUintegerChecker<uint16_t>())
            .AddAttribute("ArpSuppression",
                          "Answer the guest's ARP requests from the overlay's directory (RFC 7432 section "
                          "10). Without it they are dropped by the EPPC, as all that is sent to a group.",
                          BooleanValue(true), MakeBooleanAccessor(&DyetraceGuestDevice::m_suppressArp),
                          MakeBooleanChecker())
            .AddTraceSource("MacTx", "The stack sends a frame.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_macTx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource(
                "MacTxDrop", "A packet of the stack was too long, or the device is not plugged in.",
                MakeTraceSourceAccessor(&DyetraceGuestDevice::m_macTxDrop), "ns3::Packet::TracedCallback")
            .AddTraceSource("MacPromiscRx", "A frame came for this guest or any other.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_macPromiscRx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("MacRx", "A frame came for this guest.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_macRx),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyTxDrop",
                            "A frame to a destination that no guest of the VNI has; the EPPC drops and "
                            "counts it.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_phyTxDrop),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PhyRxDrop", "A frame came that is longer than the MTU allows.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_phyRxDrop),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Sniffer", "Frames sent, and received for this guest: for captures.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_sniffer),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("PromiscSniffer", "All frames sent and received: for captures.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_promiscSniffer),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Arp", "The device dealt with an ARP message of its guest.",
                            MakeTraceSourceAccessor(&DyetraceGuestDevice::m_arp),
                            "ns3::DyetraceGuestDevice::ArpTracedCallback");
    return tid;
}

DyetraceGuestDevice::DyetraceGuestDevice()
    : m_mtuMost(GetMtuMost()), m_suppressArp(true), m_port(nullptr), m_guest(DyetraceGuestDirectory::None) {
    NS_LOG_FUNCTION(this);
}

DyetraceGuestDevice::~DyetraceGuestDevice() {
    NS_LOG_FUNCTION(this);
}

void DyetraceGuestDevice::DoDispose() {
    NS_LOG_FUNCTION(this);
    m_arrived.clear();
    if (IsPlugged()) m_port->Connect(nullptr);
    m_port = nullptr;
    m_host = nullptr;
    m_fabric = nullptr;
    DyetraceNetDevice::DoDispose();
}

uint16_t DyetraceGuestDevice::GetMtuMost() {
    return static_cast<uint16_t>(DyetracePacketPool::Large - DyetraceGuestPort::Headroom - EthernetBytes);
}

bool DyetraceGuestDevice::IsPlugged() const {
    return m_port != nullptr && m_host->IsStarted();
}

void DyetraceGuestDevice::Plug(Ptr<DyetraceFabric> fabric, Ptr<DyetraceHost> host,
                               std::shared_ptr<const DyetraceGuestDirectory> directory, uint32_t guest) {
    NS_LOG_FUNCTION(this << guest);
    NS_ABORT_MSG_IF(m_port != nullptr, "DyetraceGuestDevice::Plug was called before");
    NS_ABORT_MSG_UNLESS(m_node, "guest " << guest << ": Node::AddDevice comes before Plug");
    const DyetraceGuest& who = directory->Get(guest);
    NS_ABORT_MSG_IF(who.host != host->GetHost(),
                    "guest " << guest << " is on host " << who.host << ", not on " << host->GetHost());
    NS_ABORT_MSG_UNLESS(Node::ChecksumEnabled(),
                        "guest " << guest << ": a full guest needs real checksums: call "
                                 << "GlobalValue::Bind(\"ChecksumEnabled\", BooleanValue(true))");
    m_port = &host->AddGuest(guest);
    m_mtuMost = static_cast<uint16_t>(std::min<uint32_t>(m_port->GetMtu(), GetMtuMost()));
    NS_ABORT_MSG_IF(m_mtu > m_mtuMost, "guest " << guest << ": an MTU of " << m_mtu << " exceeds the "
                                                << m_mtuMost << " bytes that its host's EPPC carries "
                                                << "(DyetraceHost::UnderlayMtu)");
    m_fabric = fabric;
    m_host = host;
    m_directory = std::move(directory);
    m_guest = guest;
    m_address = who.mac;
    m_port->Connect(this);
    m_linkChange();
}

std::string DyetraceGuestDevice::GetMoveRefusal(const DyetraceHost& host) const {
    if (m_mtu <= host.GetGuestMtu()) return {};
    return "its MTU of " + std::to_string(m_mtu) + " exceeds the " + std::to_string(host.GetGuestMtu()) +
           " bytes that the EPPC there carries";
}

void DyetraceGuestDevice::MoveTo(Ptr<DyetraceHost> host, DyetraceGuestPort& port) {
    NS_LOG_FUNCTION(this << host->GetHost());
    m_host = host;
    m_port = &port;
    m_mtuMost = static_cast<uint16_t>(std::min<uint32_t>(m_port->GetMtu(), GetMtuMost()));
}

// Sending

bool DyetraceGuestDevice::SendFrom(Ptr<Packet> packet, const Address& source, const Address& destination,
                                   uint16_t protocol) {
    NS_LOG_FUNCTION(this << packet << source << destination << protocol);
    if (packet->GetSize() > m_mtu || !IsPlugged()) return Drop(packet);
    const Mac48Address to = Mac48Address::ConvertFrom(destination);
    const Mac48Address from = Mac48Address::ConvertFrom(source);
    Ptr<Packet> frame = packet->Copy();
    AddEthernet(*frame, from, to, protocol);
    m_macTx(frame);
    m_promiscSniffer(frame);
    m_sniffer(frame);
    if (!SuppressArp(packet, to, protocol)) ToOverlay(frame, to);
    return true;
}

bool DyetraceGuestDevice::Drop(Ptr<const Packet> packet) {
    m_macTxDrop(packet);
    return false;
}

void DyetraceGuestDevice::ToOverlay(Ptr<const Packet> frame, Mac48Address destination) {
    if (!destination.IsGroup()) {
        const uint32_t to = m_directory->FindByMac(m_directory->Get(m_guest).vni, destination);
        if (to == DyetraceGuestDirectory::None) {
            m_phyTxDrop(frame);
        } else {
            m_port->Resolve(to);
        }
    }
    // What has no destination goes to the EPPC too, which drops it under a name of its own.
    DyetracePacket* packet = m_fabric->GetPool().Allocate(DyetraceGuestPort::Headroom, frame->GetSize());
    frame->CopyData(packet->Frame(), frame->GetSize());
    m_port->Receive(packet);
}

bool DyetraceGuestDevice::SuppressArp(Ptr<const Packet> packet, Mac48Address destination, uint16_t protocol) {
    if (!m_suppressArp || protocol != DyetraceArp::EtherType || !destination.IsGroup()) return false;
    std::array<uint8_t, DyetraceArp::Size> bytes{};
    const uint32_t size = packet->CopyData(bytes.data(), static_cast<uint32_t>(bytes.size()));
    const auto asked = DyetraceArp::Parse(bytes.data(), size);
    if (!asked) {
        NoteArp(DyetraceArpOutcome::Malformed, Ipv4Address());
        return true;
    }
    const uint32_t owner = m_directory->FindByAddress(m_directory->Get(m_guest).vni, asked->targetAddress);
    if (owner == m_guest || asked->operation != DyetraceArp::Request) {
        NoteArp(DyetraceArpOutcome::Announced, asked->targetAddress);
        return true;
    }
    if (owner == DyetraceGuestDirectory::None) {
        NoteArp(DyetraceArpOutcome::Unknown, asked->targetAddress);
        return true;
    }
    // RFC 826: the fields swap roles, and the owner's address is filled in. RFC 5227 section 2.1.1: a probe
    // has no sender's address, and the answer says that the one it asks for is in use.
    const Mac48Address mac = m_directory->Get(owner).mac;
    const DyetraceArp answer{DyetraceArp::Reply, mac, asked->targetAddress, asked->senderMac,
                             asked->senderAddress};
    const auto encoded = answer.Encode();
    Ptr<Packet> frame = Create<Packet>(encoded.data(), static_cast<uint32_t>(encoded.size()));
    AddEthernet(*frame, mac, m_address, DyetraceArp::EtherType);
    NoteArp(DyetraceArpOutcome::Answered, asked->targetAddress);
    Enqueue(frame);
    return true;
}

void DyetraceGuestDevice::NoteArp(DyetraceArpOutcome outcome, Ipv4Address target) {
    ++m_arps.at(static_cast<std::size_t>(outcome));
    m_arp(outcome, target);
}

// Receiving

void DyetraceGuestDevice::Receive(DyetracePacket* packet) {
    NS_LOG_FUNCTION(this << packet->Length());
    Ptr<Packet> frame;
    if (packet->tail == 0) {
        frame = Create<Packet>(packet->Frame(), packet->HeadLength());
    } else {
        const std::vector<uint8_t> bytes = packet->Materialise();  // a lean guest stores no payload
        frame = Create<Packet>(bytes.data(), static_cast<uint32_t>(bytes.size()));
    }
    m_fabric->GetPool().Free(packet);
    Enqueue(frame);
}

void DyetraceGuestDevice::Enqueue(Ptr<Packet> frame) {
    m_arrived.push_back(std::move(frame));
    if (m_arrived.size() > 1) return;  // its delivery is planned
    // ScheduleWithContext returns no id to cancel, and the device may be gone by then: so it goes along.
    Simulator::ScheduleWithContext(m_node->GetId(), Time(0), &DyetraceGuestDevice::Deliver,
                                   Ptr<DyetraceGuestDevice>(this));
}

void DyetraceGuestDevice::Deliver() {
    // A stack's answer may bring in more: that waits for its own event, as does whatever came before it.
    std::deque<Ptr<Packet>> arrived;
    arrived.swap(m_arrived);
    for (const auto& frame : arrived)
        DeliverFrame(frame);
}

void DyetraceGuestDevice::DeliverFrame(Ptr<Packet> frame) {
    if (m_node == nullptr) return;
    if (frame->GetSize() < EthernetBytes || frame->GetSize() > uint32_t{m_mtu} + EthernetBytes) {
        m_phyRxDrop(frame);
        return;
    }
    HandToNode(frame);
}

// What NetDevice asks for

Ptr<Channel> DyetraceGuestDevice::GetChannel() const {
    return nullptr;
}

bool DyetraceGuestDevice::SetMtu(const uint16_t mtu) {
    if (mtu < kMtuLeast || mtu > m_mtuMost) {
        NS_LOG_WARN("an MTU of " << mtu << " is not from " << kMtuLeast << " to " << m_mtuMost);
        return false;
    }
    m_mtu = mtu;
    return true;
}

void DyetraceGuestDevice::SetMtuAttribute(uint16_t mtu) {
    NS_ABORT_MSG_UNLESS(
        SetMtu(mtu), "DyetraceGuestDevice: Mtu is " << kMtuLeast << " to " << m_mtuMost << ", not " << mtu);
}

uint16_t DyetraceGuestDevice::GetMtu() const {
    return m_mtu;
}
bool DyetraceGuestDevice::IsLinkUp() const {
    return IsPlugged();
}
bool DyetraceGuestDevice::IsPointToPoint() const {
    return false;
}
bool DyetraceGuestDevice::NeedsArp() const {
    return true;
}

}  // namespace ns3
