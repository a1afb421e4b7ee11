// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-net-device.h"

#include <ns3/ethernet-header.h>
#include <ns3/node.h>

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceNetDevice);

namespace {

constexpr uint16_t kEtherTypeLeast = 1536;  ///< IEEE 802.3: below is a length

}  // namespace

TypeId DyetraceNetDevice::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceNetDevice").SetParent<NetDevice>().SetGroupName("Dyetrace");
    return tid;
}

DyetraceNetDevice::DyetraceNetDevice() : m_ifIndex(0), m_mtu(0) {}

DyetraceNetDevice::~DyetraceNetDevice() = default;

void DyetraceNetDevice::DoDispose() {
    m_node = nullptr;
    m_receive = ReceiveCallback();
    m_promiscReceive = PromiscReceiveCallback();
    NetDevice::DoDispose();
}

void DyetraceNetDevice::AddEthernet(Packet& packet, Mac48Address source, Mac48Address destination,
                                    uint16_t type) {
    EthernetHeader header(false);
    header.SetSource(source);
    header.SetDestination(destination);
    header.SetLengthType(type);
    packet.AddHeader(header);
}

void DyetraceNetDevice::HandToNode(Ptr<Packet> frame) {
    m_promiscSniffer(frame);
    m_macPromiscRx(frame);
    if (frame->GetSize() < EthernetBytes) return;
    Ptr<Packet> packet = frame->Copy();
    EthernetHeader header(false);
    packet->RemoveHeader(header);
    const Mac48Address destination = header.GetDestination();
    PacketType type = PACKET_OTHERHOST;
    if (destination.IsBroadcast()) {
        type = PACKET_BROADCAST;
    } else if (destination.IsGroup()) {
        type = PACKET_MULTICAST;
    } else if (destination == m_address) {
        type = PACKET_HOST;
    }
    const uint16_t protocol = header.GetLengthType();
    const bool isNamed = protocol >= kEtherTypeLeast;
    if (isNamed && !m_promiscReceive.IsNull()) {
        m_promiscReceive(this, packet, protocol, header.GetSource(), destination, type);
    }
    if (type == PACKET_OTHERHOST) return;
    m_sniffer(frame);
    m_macRx(frame);
    if (isNamed && !m_receive.IsNull()) m_receive(this, packet, protocol, header.GetSource());
}

// What NetDevice asks for

void DyetraceNetDevice::SetIfIndex(const uint32_t index) {
    m_ifIndex = index;
}
uint32_t DyetraceNetDevice::GetIfIndex() const {
    return m_ifIndex;
}
void DyetraceNetDevice::SetAddress(Address address) {
    m_address = Mac48Address::ConvertFrom(address);
}
Address DyetraceNetDevice::GetAddress() const {
    return m_address;
}
void DyetraceNetDevice::AddLinkChangeCallback(Callback<void> callback) {
    m_linkChange.ConnectWithoutContext(callback);
}
bool DyetraceNetDevice::IsBroadcast() const {
    return true;
}
Address DyetraceNetDevice::GetBroadcast() const {
    return Mac48Address::GetBroadcast();
}
bool DyetraceNetDevice::IsMulticast() const {
    return true;
}
Address DyetraceNetDevice::GetMulticast(Ipv4Address group) const {
    return Mac48Address::GetMulticast(group);
}
Address DyetraceNetDevice::GetMulticast(Ipv6Address group) const {
    return Mac48Address::GetMulticast(group);
}
bool DyetraceNetDevice::IsBridge() const {
    return false;
}
Ptr<Node> DyetraceNetDevice::GetNode() const {
    return m_node;
}
void DyetraceNetDevice::SetReceiveCallback(ReceiveCallback callback) {
    m_receive = callback;
}
void DyetraceNetDevice::SetPromiscReceiveCallback(PromiscReceiveCallback callback) {
    m_promiscReceive = callback;
}
bool DyetraceNetDevice::SupportsSendFrom() const {
    return true;
}
bool DyetraceNetDevice::Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol) {
    return SendFrom(packet, m_address, destination, protocol);
}
void DyetraceNetDevice::SetNode(Ptr<Node> node) {
    m_node = node;
}

}  // namespace ns3
