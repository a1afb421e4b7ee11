// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/icmpv6.h"

#include <algorithm>

#include "core/wire/checksum.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"

namespace dyetrace::wire {
namespace {

constexpr std::size_t kHeader = IcmpTimeExceeded::kHeaderSize;

std::uint16_t checksum(const IpAddress& source, const IpAddress& destination, Bytes message) {
    return checksum_finish(checksum_add(
        message, pseudo_header_sum(source, destination, kProtocolIcmpv6, message.size())));  // RFC 4443 §2.3
}

}  // namespace

Result<IcmpTimeExceeded, DropReason> parse_icmpv6_time_exceeded(const IpAddress& source,
                                                                const IpAddress& destination, Bytes bytes) {
    if (bytes.size() < kHeader) return Failure{DropReason::IcmpTruncated};
    if (checksum(source, destination, bytes) != 0) return Failure{DropReason::IcmpBadChecksum};
    if (bytes[0] != kIcmpv6TimeExceeded || bytes[1] != 0) return Failure{DropReason::NotForUs};
    const Bytes quote = bytes.subspan(kHeader);
    if (quote.size() < Ipv6Header::kSize + UdpHeader::kSize) return Failure{DropReason::IcmpTruncated};
    // A quote may be cut short, so what the packet's own length says is not asked for.
    const auto ip = Ipv6Header::parse(quote, 0xffff + Ipv6Header::kSize);
    if (!ip) return Failure{ip.error()};
    if (ip->next_header != kProtocolUdp) return Failure{DropReason::NotForUs};
    const Bytes udp = quote.subspan(Ipv6Header::kSize);
    IcmpTimeExceeded message;
    message.quoted_source = ip->source;
    message.quoted_destination = ip->destination;
    message.quoted_source_port = load_u16(&udp[0]);
    message.quoted_destination_port = load_u16(&udp[2]);
    message.quoted_udp_checksum = load_u16(&udp[6]);
    message.payload_offset = kHeader + Ipv6Header::kSize + UdpHeader::kSize;
    return message;
}

namespace {

std::size_t encode_error(std::uint8_t type, std::uint32_t rest, const IpAddress& source,
                         const IpAddress& destination, Bytes packet, MutableBytes out) {
    const std::size_t size = std::min(kHeader + packet.size(), kIcmpv6SizeMost);
    ByteWriter writer(out.first(size));
    writer.u8(type);
    writer.u8(0);
    writer.u16(0);
    writer.u32(rest);
    writer.bytes(packet.first(size - kHeader));
    store_u16(&out[2], checksum(source, destination, out.first(size)));
    return size;
}

}  // namespace

std::size_t encode_icmpv6_time_exceeded(const IpAddress& source, const IpAddress& destination, Bytes packet,
                                        MutableBytes out) {
    return encode_error(kIcmpv6TimeExceeded, 0, source, destination, packet, out);
}

std::size_t encode_icmpv6_too_big(const IpAddress& source, const IpAddress& destination, Bytes packet,
                                  std::uint32_t mtu, MutableBytes out) {
    return encode_error(kIcmpv6TooBig, mtu, source, destination, packet, out);
}

}  // namespace dyetrace::wire
