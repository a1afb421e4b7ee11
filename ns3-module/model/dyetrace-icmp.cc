// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-icmp.h"

#include <algorithm>
#include <array>

#include "dyetrace-packet.h"

#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/icmpv6.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"

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

dyetrace::IpAddress Ipv6At(const uint8_t* octets) {
    return {dyetrace::load_u64(octets), dyetrace::load_u64(octets + 8)};
}

/// A switch's address in fd00::/96.
dyetrace::IpAddress Ipv6OfRouter(uint32_t router) {
    return {0xfd00000000000000, router};
}

bool MayAnswerIpv6(dyetrace::Bytes ip) {
    const dyetrace::IpAddress source = Ipv6At(&ip[8]);
    if (source.is_multicast() || source.is_unspecified()) return false;
    if (ip[6] != wire::kProtocolIcmpv6) return true;
    constexpr std::size_t type = wire::Ipv6Header::kSize;
    return ip.size() > type && ip[type] >= 128;  // errors have the lower types (RFC 4443 section 2.1)
}

DyetracePacket* MakeFrame(DyetracePacketPool& pool, uint16_t etherType, std::size_t headerBytes,
                          dyetrace::Bytes message) {
    DyetracePacket* answer =
        pool.Allocate(0, static_cast<uint32_t>(kEthernetBytes + headerBytes + message.size()));
    wire::EthernetHeader{{}, {}, etherType}.encode_into({answer->Frame(), kEthernetBytes});
    std::copy(message.begin(), message.end(), answer->Frame() + kEthernetBytes + headerBytes);
    return answer;
}

DyetracePacket* MakeIpv4(DyetracePacketPool& pool, dyetrace::Bytes packet, const DyetraceIcmpError& error,
                         uint32_t router, uint16_t identification) {
    std::array<uint8_t, wire::IcmpTimeExceeded::kHeaderSize + 68> message;
    const std::size_t bytes = error.isTooBig ? wire::encode_icmp_fragmentation_needed(
                                                   packet, static_cast<uint16_t>(error.mtu), message)
                                             : wire::encode_icmp_time_exceeded(packet, message);
    wire::Ipv4Header header;
    header.dscp = kInternetworkControl;
    header.total_length = static_cast<uint16_t>(wire::Ipv4Header::kSize + bytes);
    header.identification = identification;
    header.dont_fragment = false;
    header.protocol = wire::kProtocolIcmp;
    header.source = dyetrace::Ipv4Address{router};
    header.destination = dyetrace::Ipv4Address{dyetrace::load_u32(&packet[12])};
    DyetracePacket* answer =
        MakeFrame(pool, wire::kEtherTypeIpv4, wire::Ipv4Header::kSize, {message.data(), bytes});
    header.encode_into({answer->Frame() + kEthernetBytes, wire::Ipv4Header::kSize});
    return answer;
}

DyetracePacket* MakeIpv6(DyetracePacketPool& pool, dyetrace::Bytes packet, const DyetraceIcmpError& error,
                         uint32_t router) {
    const dyetrace::IpAddress from = Ipv6OfRouter(router);
    const dyetrace::IpAddress to = Ipv6At(&packet[8]);
    std::array<uint8_t, wire::kIcmpv6SizeMost> message;
    const std::size_t bytes = error.isTooBig
                                  ? wire::encode_icmpv6_too_big(from, to, packet, error.mtu, message)
                                  : wire::encode_icmpv6_time_exceeded(from, to, packet, message);
    wire::Ipv6Header header;
    header.dscp = kInternetworkControl;
    header.payload_length = static_cast<uint16_t>(bytes);
    header.next_header = wire::kProtocolIcmpv6;
    header.source = from;
    header.destination = to;
    DyetracePacket* answer =
        MakeFrame(pool, wire::kEtherTypeIpv6, wire::Ipv6Header::kSize, {message.data(), bytes});
    header.encode_into({answer->Frame() + kEthernetBytes, wire::Ipv6Header::kSize});
    return answer;
}

}  // namespace

bool DyetraceMayAnswer(bool isIpv6, const DyetracePacket& packet) {
    const dyetrace::Bytes ip = IpBytes(packet);
    if (isIpv6) return MayAnswerIpv6(ip);
    const std::size_t headerBytes = static_cast<std::size_t>(ip[0] & 0xf) * 4;
    if ((dyetrace::load_u16(&ip[6]) & 0x1fff) != 0) return false;
    const uint8_t sourceNetwork = ip[12];
    if (sourceNetwork == 0 || sourceNetwork == 127 || sourceNetwork >= 224) return false;
    if (ip[9] != wire::kProtocolIcmp) return true;
    return ip.size() > headerBytes && !IsIcmpError(ip[headerBytes]);
}

DyetracePacket* DyetraceMakeIcmpError(DyetracePacketPool& pool, const DyetracePacket& packet,
                                      const DyetraceIcmpError& error, uint32_t router,
                                      uint16_t identification) {
    const dyetrace::Bytes ip = IpBytes(packet);
    return error.isIpv6 ? MakeIpv6(pool, ip, error, router)
                        : MakeIpv4(pool, ip, error, router, identification);
}

}  // namespace ns3
