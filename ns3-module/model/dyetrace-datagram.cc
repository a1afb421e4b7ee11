// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-datagram.h"

#include <algorithm>

#include "dyetrace-convert.h"
#include "dyetrace-guest.h"
#include "dyetrace-packet.h"

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"

namespace ns3 {

namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kIpOffset = wire::EthernetHeader::kSize;
constexpr uint32_t kUdpOffset = kIpOffset + wire::Ipv4Header::kSize;
constexpr uint32_t kPortFirst = 1024;
constexpr uint32_t kPortCount = 62000;

}  // namespace

void DyetraceDatagrams::Begin(const DyetraceGuest& from, const DyetraceGuest& to, uint64_t serial) {
    m_identification = 0;
    wire::EthernetHeader{DyetraceToMac(to.mac), DyetraceToMac(from.mac), wire::kEtherTypeIpv4}.encode_into(
        {m_head.data(), kIpOffset});
    wire::Ipv4Header ip;
    ip.protocol = wire::kProtocolUdp;
    ip.source = DyetraceToAddress(from.address);
    ip.destination = DyetraceToAddress(to.address);
    ip.encode_into({m_head.data() + kIpOffset, wire::Ipv4Header::kSize});
    const auto sourcePort = static_cast<uint16_t>(kPortFirst + serial % kPortCount);
    const auto destinationPort = static_cast<uint16_t>(kPortFirst + serial / kPortCount % kPortCount);
    wire::UdpHeader{sourcePort, destinationPort, 0, 0}.encode_into({m_head.data() + kUdpOffset, 8});
    m_udpSum = wire::checksum_add({m_head.data() + kIpOffset + 12, 8}, wire::kProtocolUdp) + sourcePort +
               destinationPort;
}

// The template's lengths and identification are zero, so its checksums only need these added.
DyetracePacket* DyetraceDatagrams::Make(DyetracePacketPool& pool, uint32_t payload) {
    DyetracePacket* packet = pool.Allocate(DyetraceGuestPort::Headroom, HeaderBytes, payload);
    uint8_t* frame = packet->Frame();
    std::copy(m_head.begin(), m_head.end(), frame);

    uint8_t* ip = frame + kIpOffset;
    const auto udpLength = static_cast<uint16_t>(wire::UdpHeader::kSize + payload);
    const auto ipLength = static_cast<uint16_t>(wire::Ipv4Header::kSize + udpLength);
    const uint16_t identification = m_identification++;
    dyetrace::store_u16(ip + 2, ipLength);
    dyetrace::store_u16(ip + 4, identification);
    const auto templateSum = static_cast<uint16_t>(~dyetrace::load_u16(ip + 10));
    dyetrace::store_u16(
        ip + 10, wire::checksum_finish(static_cast<uint64_t>(templateSum) + ipLength + identification));
    uint8_t* udp = frame + kUdpOffset;
    dyetrace::store_u16(udp + 4, udpLength);
    // The length counts twice: in the pseudo header and in the header (RFC 768). Zero would mean "no
    // checksum".
    const uint16_t checksum =
        wire::checksum_finish(m_udpSum + uint64_t{2} * udpLength + DyetracePayload::ChecksumSum(payload));
    dyetrace::store_u16(udp + 6, checksum == 0 ? 0xffff : checksum);
    return packet;
}

}  // namespace ns3
