// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-icmp.h"

#include <algorithm>
#include <array>

#include "dyetrace-packet.h"

#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/ipv4.h"

namespace ns3 {

namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kEthernetBytes = wire::EthernetHeader::kSize;
constexpr uint8_t kInternetworkControl = 48;  ///< DSCP CS6: RFC 1812 section 4.3.2.5 wants precedence 6 or 7

dyetrace::Bytes IpBytes(const DyetracePacket& packet) {
    return {packet.Frame() + kEthernetBytes, packet.HeadLength() - kEthernetBytes};
}

bool IsIcmpError(uint8_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

}  // namespace

bool DyetraceMayAnswer(const DyetracePacket& packet) {
    const dyetrace::Bytes ip = IpBytes(packet);
    const std::size_t headerBytes = static_cast<std::size_t>(ip[0] & 0xf) * 4;
    if ((dyetrace::load_u16(&ip[6]) & 0x1fff) != 0) return false;
    const uint8_t sourceNetwork = ip[12];
    if (sourceNetwork == 0 || sourceNetwork == 127 || sourceNetwork >= 224) return false;
    if (ip[9] != wire::kProtocolIcmp) return true;
    return ip.size() > headerBytes && !IsIcmpError(ip[headerBytes]);
}

DyetracePacket* DyetraceMakeTimeExceeded(DyetracePacketPool& pool, const DyetracePacket& packet,
                                         uint32_t router, uint16_t identification) {
    const dyetrace::Bytes expired = IpBytes(packet);
    std::array<uint8_t, wire::IcmpTimeExceeded::kHeaderSize + 68> message;
    const std::size_t messageBytes = wire::encode_icmp_time_exceeded(expired, message);

    wire::Ipv4Header header;
    header.dscp = kInternetworkControl;
    header.total_length = static_cast<uint16_t>(wire::Ipv4Header::kSize + messageBytes);
    header.identification = identification;
    header.dont_fragment = false;
    header.protocol = wire::kProtocolIcmp;
    header.source = dyetrace::Ipv4Address{router};
    header.destination = dyetrace::Ipv4Address{dyetrace::load_u32(&expired[12])};

    const uint32_t length = kEthernetBytes + header.total_length;
    DyetracePacket* answer = pool.Allocate(0, length);
    uint8_t* frame = answer->Frame();
    wire::EthernetHeader{{}, {}, wire::kEtherTypeIpv4}.encode_into({frame, kEthernetBytes});
    header.encode_into({frame + kEthernetBytes, wire::Ipv4Header::kSize});
    std::copy_n(message.data(), messageBytes, frame + kEthernetBytes + wire::Ipv4Header::kSize);
    return answer;
}

}  // namespace ns3
