// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine looks at in a guest's frame: the IP header, if there is one, behind any VLAN tags.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"
#include "core/wire/vlan.h"

namespace dyetrace::wire {

/// Transports whose header begins with two 16-bit ports: TCP, UDP, DCCP (RFC 4340), SCTP (RFC 9260), UDP-Lite
/// (RFC 3828).
constexpr bool has_ports(std::uint8_t protocol) {
    return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == 33 || protocol == 132 ||
           protocol == 136;
}

struct GuestFrame {
    enum class Kind : std::uint8_t { Other, Ipv4, Ipv6 };

    Kind kind = Kind::Other;
    Ecn ecn = Ecn::NotEct;             ///< of other protocols, which know no ECN: not-ECT
    std::uint16_t ether_type = 0;      ///< behind the tags
    std::uint16_t payload_offset = 0;  ///< of the IP header, or whatever it is
    std::uint8_t tags = 0;
};

/// Nothing is refused here: an IP header that is not wholly there is none.
inline GuestFrame inspect_guest_frame(Bytes frame) {
    if (frame.size() < EthernetHeader::kSize) return {};
    const EtherPayload payload = find_ether_payload(frame);
    GuestFrame inner;
    inner.ether_type = payload.ether_type;
    inner.payload_offset = static_cast<std::uint16_t>(payload.offset);
    inner.tags = static_cast<std::uint8_t>(payload.tags);
    const Bytes ip = frame.subspan(payload.offset);
    if (payload.ether_type == kEtherTypeIpv4 && ip.size() >= Ipv4Header::kSize && ip[0] >> 4 == 4) {
        inner.kind = GuestFrame::Kind::Ipv4;
        inner.ecn = static_cast<Ecn>(ip[1] & 3);
    } else if (payload.ether_type == kEtherTypeIpv6 && ip.size() >= Ipv6Header::kSize && ip[0] >> 4 == 6) {
        inner.kind = GuestFrame::Kind::Ipv6;
        inner.ecn = static_cast<Ecn>(ip[1] >> 4 & 3);
    }
    return inner;
}

/// Sets the ECN field of the frame's IP header, and mends the checksum of IPv4. Does nothing to other frames.
inline void set_ecn(MutableBytes frame, const GuestFrame& inner, Ecn ecn) {
    const MutableBytes ip = frame.subspan(inner.payload_offset);
    if (inner.kind == GuestFrame::Kind::Ipv4) set_ipv4_ecn(ip, ecn);
    if (inner.kind == GuestFrame::Kind::Ipv6) set_ipv6_ecn(ip, ecn);
}

}  // namespace dyetrace::wire
