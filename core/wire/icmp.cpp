// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/icmp.h"

#include <algorithm>

#include "core/wire/checksum.h"
#include "core/wire/ipv4.h"

namespace dyetrace::wire {

Result<IcmpTimeExceeded, DropReason> IcmpTimeExceeded::parse(Bytes bytes) {
    if (bytes.size() < kHeaderSize) return Failure{DropReason::IcmpTruncated};
    if (checksum_finish(checksum_add(bytes)) != 0) return Failure{DropReason::IcmpBadChecksum};
    if (bytes[0] != kIcmpTimeExceeded || bytes[1] != 0) return Failure{DropReason::NotForUs};
    const Bytes quote = bytes.subspan(kHeaderSize);
    if (quote.size() < kQuoteSize) return Failure{DropReason::IcmpTruncated};
    const std::size_t header_bytes = static_cast<std::size_t>(quote[0] & 0xf) * 4;
    if (quote[0] >> 4 != 4 || header_bytes < Ipv4Header::kSize) return Failure{DropReason::Ipv4BadVersion};
    if (quote.size() < header_bytes + 8) return Failure{DropReason::IcmpTruncated};
    if (quote[9] != kProtocolUdp) return Failure{DropReason::NotForUs};
    // The quoted header's checksum is not asked for: routers differ in whether they mend it after the TTL's
    // change.
    IcmpTimeExceeded message;
    message.quoted_identification = load_u16(&quote[4]);
    message.quoted_source = Ipv4Address{load_u32(&quote[12])};
    message.quoted_destination = Ipv4Address{load_u32(&quote[16])};
    message.quoted_source_port = load_u16(&quote[header_bytes]);
    message.quoted_destination_port = load_u16(&quote[header_bytes + 2]);
    message.quoted_udp_checksum = load_u16(&quote[header_bytes + 6]);
    message.payload_offset = kHeaderSize + header_bytes + 8;
    return message;
}

namespace {

std::size_t encode_error(std::uint8_t type, std::uint8_t code, std::uint32_t rest, Bytes packet,
                         MutableBytes out) {
    DYETRACE_ASSERT(packet.size() >= Ipv4Header::kSize);
    const std::size_t header_bytes = static_cast<std::size_t>(packet[0] & 0xf) * 4;
    const std::size_t quote = std::min(packet.size(), header_bytes + 8);
    const std::size_t size = IcmpTimeExceeded::kHeaderSize + quote;
    ByteWriter writer(out.first(size));
    writer.u8(type);
    writer.u8(code);
    writer.u16(0);
    writer.u32(rest);
    writer.bytes(packet.first(quote));
    store_u16(&out[2], checksum_finish(checksum_add(out.first(size))));
    return size;
}

}  // namespace

std::size_t encode_icmp_time_exceeded(Bytes packet, MutableBytes out) {
    return encode_error(kIcmpTimeExceeded, 0, 0, packet, out);
}

std::size_t encode_icmp_fragmentation_needed(Bytes packet, std::uint16_t mtu, MutableBytes out) {
    return encode_error(kIcmpUnreachable, kIcmpFragmentationNeeded, mtu, packet, out);
}

}  // namespace dyetrace::wire
