// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/udp.h"

#include "core/wire/checksum.h"
#include "core/wire/ipv4.h"

namespace dyetrace::wire {

void UdpHeader::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(source_port);
    out.u16(destination_port);
    out.u16(length);
    out.u16(checksum);
}

std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                std::size_t length) {
    const auto words = [](std::uint64_t value) {
        return (value >> 48) + (value >> 32 & 0xffff) + (value >> 16 & 0xffff) + (value & 0xffff);
    };
    std::uint64_t sum = protocol + length;
    for (const IpAddress& address : {source, destination}) {
        sum += address.is_ipv4() ? words(address.ipv4().value) : words(address.high) + words(address.low);
    }
    return sum;
}

std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination,
                           const PartlyHeld& datagram) {
    const std::uint16_t sum = checksum_finish(
        checksum_add(datagram, pseudo_header_sum(source, destination, kProtocolUdp, datagram.size())));
    return sum == 0 ? 0xffff : sum;  // RFC 768, RFC 8200 §8.1: zero means "no checksum"
}

bool udp_checksum_ok(const IpAddress& source, const IpAddress& destination, const PartlyHeld& datagram) {
    DYETRACE_ASSERT(datagram.head.size() >= UdpHeader::kSize);
    if (load_u16(&datagram.head[6]) == 0) return true;
    return checksum_finish(checksum_add(
               datagram, pseudo_header_sum(source, destination, kProtocolUdp, datagram.size()))) == 0;
}

}  // namespace dyetrace::wire
