// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/ipv6.h"

namespace dyetrace::wire {
namespace {

// RFC 8200 §4.1, IANA's "IPv6 Extension Header Types".
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;

/// More than this many extension headers have no use; who strings them together wants to waste time.
constexpr int kExtensionHeadersMost = 8;

/// Bytes of an extension header by its length field; 0 where `type` is none that can be stepped over.
std::size_t extension_size(std::uint8_t type, std::uint8_t length) {
    switch (type) {
        case kHopByHop:
        case kRouting:
        case kDestinationOptions: return (std::size_t{length} + 1) * 8;  // RFC 8200 §4.3, §4.4, §4.6
        case kAuthentication: return (std::size_t{length} + 2) * 4;      // RFC 4302 §2.2
        default: return 0;
    }
}

}  // namespace

Result<Ipv6Header, DropReason> Ipv6Header::parse(Bytes bytes, std::size_t wire_size) {
    if (bytes.size() < kSize) return Failure{DropReason::Ipv6Truncated};
    const std::uint32_t first = load_u32(&bytes[0]);
    if (first >> 28 != 6) return Failure{DropReason::Ipv6BadVersion};
    Ipv6Header header;
    header.dscp = static_cast<std::uint8_t>(first >> 22 & 0x3f);
    header.ecn = static_cast<Ecn>(first >> 20 & 3);
    header.flow_label = first & kFlowLabelMask;
    header.payload_length = load_u16(&bytes[4]);
    if (header.payload_length > wire_size - kSize) return Failure{DropReason::Ipv6BadPayloadLength};
    header.next_header = bytes[6];
    header.hop_limit = bytes[7];
    header.source = load_ip(&bytes[8]);
    header.destination = load_ip(&bytes[24]);
    return header;
}

void Ipv6Header::encode_into(MutableBytes bytes) const {
    DYETRACE_ASSERT(bytes.size() >= kSize);
    store_u32(&bytes[0], 6U << 28 | static_cast<std::uint32_t>(dscp) << 22 |
                             static_cast<std::uint32_t>(ecn) << 20 | (flow_label & kFlowLabelMask));
    store_u16(&bytes[4], payload_length);
    bytes[6] = next_header;
    bytes[7] = hop_limit;
    store_ip(&bytes[8], source);
    store_ip(&bytes[24], destination);
}

Result<Ipv6UpperLayer, DropReason> find_ipv6_upper_layer(const Ipv6Header& header, Bytes payload) {
    Ipv6UpperLayer upper;
    upper.protocol = header.next_header;
    for (int i = 0; i < kExtensionHeadersMost; ++i) {
        const Bytes rest = payload.subspan(upper.offset);
        if (upper.protocol == kFragment) {
            if (rest.size() < 8) return Failure{DropReason::Ipv6Truncated};
            upper.protocol = rest[0];
            upper.offset += 8;
            upper.is_extended = upper.is_fragment = true;
            return upper;
        }
        if (extension_size(upper.protocol, 0) == 0) return upper;
        if (rest.size() < 8) return Failure{DropReason::Ipv6Truncated};
        const std::size_t size = extension_size(upper.protocol, rest[1]);
        if (rest.size() < size) return Failure{DropReason::Ipv6Truncated};
        upper.protocol = rest[0];
        upper.offset += size;
        upper.is_extended = true;
    }
    return upper;
}

void set_ipv6_ecn(MutableBytes bytes, Ecn ecn) {
    DYETRACE_ASSERT(bytes.size() >= 2);
    bytes[1] = static_cast<std::uint8_t>((bytes[1] & 0xcf) | static_cast<std::uint8_t>(ecn) << 4);
}

void set_ipv6_hop_limit(MutableBytes bytes, std::uint8_t hops) {
    DYETRACE_ASSERT(bytes.size() >= 8);
    bytes[7] = hops;
}

}  // namespace dyetrace::wire
