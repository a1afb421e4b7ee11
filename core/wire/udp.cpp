// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/udp.h"

#include "core/wire/checksum.h"
#include "core/wire/ipv4.h"

namespace dyetrace::wire {
namespace {

/// The pseudo header's share of the sum (RFC 768).
std::uint64_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, std::size_t length) {
    return static_cast<std::uint64_t>(source.value >> 16) + (source.value & 0xffff) +
           (destination.value >> 16) + (destination.value & 0xffff) + kProtocolUdp + length;
}

}  // namespace

Result<UdpHeader, DropReason> UdpHeader::parse(Bytes bytes, std::size_t payload_size) {
    if (bytes.size() < kSize) return Failure{DropReason::UdpTruncated};
    UdpHeader header;
    header.source_port = load_u16(&bytes[0]);
    header.destination_port = load_u16(&bytes[2]);
    header.length = load_u16(&bytes[4]);
    header.checksum = load_u16(&bytes[6]);
    if (header.length < kSize || header.length > payload_size) return Failure{DropReason::UdpBadLength};
    return header;
}

void UdpHeader::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(source_port);
    out.u16(destination_port);
    out.u16(length);
    out.u16(checksum);
}

std::uint16_t udp_checksum(Ipv4Address source, Ipv4Address destination, Bytes datagram) {
    const std::uint16_t sum =
        checksum_finish(checksum_add(datagram, pseudo_header_sum(source, destination, datagram.size())));
    return sum == 0 ? 0xffff : sum;  // RFC 768: zero means "no checksum"
}

bool udp_checksum_ok(Ipv4Address source, Ipv4Address destination, Bytes datagram) {
    DYETRACE_ASSERT(datagram.size() >= UdpHeader::kSize);
    if (load_u16(&datagram[6]) == 0) return true;
    return checksum_finish(checksum_add(datagram, pseudo_header_sum(source, destination, datagram.size()))) ==
           0;
}

}  // namespace dyetrace::wire
