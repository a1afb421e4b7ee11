// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/flow_hash.h"

#include "core/base/random.h"

namespace dyetrace::eppc {
namespace {

/// Protocol, and ports where `transport` has them.
std::uint64_t transport_word(std::uint8_t protocol, Bytes transport) {
    std::uint64_t word = protocol;
    if (wire::has_ports(protocol) && transport.size() >= 4)
        word |= static_cast<std::uint64_t>(load_u32(&transport[0])) << 8;
    return word;
}

std::uint64_t ipv4_hash(Bytes ip, std::uint64_t seed) {
    const std::uint64_t hash = mix64(load_u64(&ip[12]) ^ seed);  // both addresses
    const std::uint8_t protocol = ip[9];
    const bool fragment = (load_u16(&ip[6]) & 0x3fff) != 0;  // more fragments, or an offset
    const std::size_t header = static_cast<std::size_t>(ip[0] & 0xf) * 4;
    if (fragment || ip.size() < header) return mix64(hash ^ protocol);
    return mix64(hash ^ transport_word(protocol, ip.subspan(header)));
}

std::uint64_t ipv6_hash(Bytes ip, std::uint64_t seed) {
    std::uint64_t hash = seed;
    for (std::size_t at = 8; at < 40; at += 8)
        hash = mix64(hash ^ load_u64(&ip[at]));
    // Behind extension headers, the fragment header among them, ports are not looked for: their next header
    // is theirs, and so every fragment of a packet has the same.
    return mix64(hash ^ transport_word(ip[6], ip.subspan(wire::Ipv6Header::kSize)));
}

std::uint64_t other_hash(Bytes frame, std::uint16_t ether_type, std::uint64_t seed) {
    const std::uint64_t low = load_u64(&frame[0]);  // both MAC addresses
    const std::uint64_t high = static_cast<std::uint64_t>(load_u32(&frame[8])) << 16 | ether_type;
    return mix64(mix64(low ^ seed) ^ high);
}

}  // namespace

std::uint64_t flow_hash(Bytes frame, const wire::GuestFrame& inner, std::uint64_t seed) {
    switch (inner.kind) {
        case wire::GuestFrame::Kind::Ipv4: return ipv4_hash(frame.subspan(inner.payload_offset), seed);
        case wire::GuestFrame::Kind::Ipv6: return ipv6_hash(frame.subspan(inner.payload_offset), seed);
        case wire::GuestFrame::Kind::Other: return other_hash(frame, inner.ether_type, seed);
    }
    return 0;
}

}  // namespace dyetrace::eppc
