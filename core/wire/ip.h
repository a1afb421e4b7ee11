// SPDX-License-Identifier: GPL-2.0-or-later
// What both versions of IP have in common, for whoever does not care which it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"

namespace dyetrace::wire {

struct IpHeader {
    IpAddress source;
    IpAddress destination;
    std::uint8_t dscp = 0;
    Ecn ecn = Ecn::NotEct;
    std::uint8_t ttl = 0;              ///< IPv6: hop limit
    std::uint8_t protocol = 0;         ///< of the payload; IPv6: behind the extension headers
    bool is_fragment = false;          ///< not the only one
    bool is_extended = false;          ///< IPv6: has extension headers
    std::uint16_t identification = 0;  ///< IPv4
    std::uint32_t flow_label = 0;      ///< IPv6
    std::size_t header_length = 0;     ///< bytes, options and extension headers included
    std::size_t payload_length = 0;    ///< bytes behind them

    bool operator==(const IpHeader&) const = default;

    /// Reads and checks the header that the EtherType announces; `NotForUs` where that is no IP. `wire_size`
    /// and padding as for Ipv4Header.
    static Result<IpHeader, DropReason> parse(std::uint16_t ether_type, Bytes bytes, std::size_t wire_size);
    /// The same in place, for the data path: a header is larger than what is worth copying for every packet.
    /// Every field is set, whatever it was before, unless a header is refused.
    Refusal read(std::uint16_t ether_type, Bytes bytes, std::size_t wire_size);

  private:
    Refusal read_ipv4(Bytes bytes, std::size_t wire_size);
    Refusal read_ipv6(Bytes bytes, std::size_t wire_size);
};

inline Refusal IpHeader::read_ipv4(Bytes bytes, std::size_t wire_size) {
    if (const auto refused = Ipv4Header::refusal(bytes, wire_size)) return refused;
    const std::uint8_t* const p = bytes.data();
    source = Ipv4Address{load_u32(p + 12)};
    destination = Ipv4Address{load_u32(p + 16)};
    dscp = p[1] >> 2;
    ecn = static_cast<Ecn>(p[1] & 3);
    ttl = p[8];
    protocol = p[9];
    constexpr std::uint16_t kOfFragments = Ipv4Header::kFlagMoreFragments | Ipv4Header::kFragmentOffsetMask;
    is_fragment = (load_u16(p + 6) & kOfFragments) != 0;
    is_extended = false;
    flow_label = 0;
    identification = load_u16(p + 4);
    header_length = static_cast<std::size_t>(p[0] & 0xf) * 4;
    payload_length = load_u16(p + 2) - header_length;
    return std::nullopt;
}

inline Refusal IpHeader::read(std::uint16_t ether_type, Bytes bytes, std::size_t wire_size) {
    if (ether_type == kEtherTypeIpv4) return read_ipv4(bytes, wire_size);
    if (ether_type == kEtherTypeIpv6) return read_ipv6(bytes, wire_size);
    return DropReason::NotForUs;
}

inline Result<IpHeader, DropReason> IpHeader::parse(std::uint16_t ether_type, Bytes bytes,
                                                    std::size_t wire_size) {
    IpHeader header;
    if (const auto refused = header.read(ether_type, bytes, wire_size)) return Failure{*refused};
    return header;
}

/// Bytes of the header that an engine writes in front of what goes to or from `address`.
constexpr std::size_t ip_header_size(const IpAddress& address) {
    return address.is_ipv4() ? 20 : 40;
}

}  // namespace dyetrace::wire
