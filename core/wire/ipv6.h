// SPDX-License-Identifier: GPL-2.0-or-later
// IPv6 header (RFC 8200 §3; DSCP RFC 2474; ECN RFC 3168; flow label RFC 6437).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version|   DSCP    |ECN|              Flow label               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Payload length        |  Next header  |   Hop limit   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                                                               |
//   |                         Source address                        |
//   |                                                               |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                                                               |
//   |                      Destination address                      |
//   |                                                               |
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"
#include "core/wire/ipv4.h"

namespace dyetrace::wire {

constexpr std::uint8_t kProtocolIcmpv6 = 58;

struct Ipv6Header {
    static constexpr std::size_t kSize = 40;
    static constexpr std::uint8_t kHopLimitDefault = 64;
    static constexpr std::uint32_t kFlowLabelMask = 0xfffff;

    std::uint8_t dscp = 0;  ///< 6 bits
    Ecn ecn = Ecn::NotEct;
    std::uint32_t flow_label = 0;      ///< 20 bits; zero: not labelled (RFC 6437 §2)
    std::uint16_t payload_length = 0;  ///< bytes behind this header
    std::uint8_t next_header = 0;
    std::uint8_t hop_limit = kHopLimitDefault;
    IpAddress source;
    IpAddress destination;

    bool operator==(const Ipv6Header&) const = default;

    /// Reads and checks the fixed header; `wire_size` and padding as for Ipv4Header.
    static Result<Ipv6Header, DropReason> parse(Bytes bytes, std::size_t wire_size);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

/// What follows the fixed header and its extension headers (RFC 8200 §4).
struct Ipv6UpperLayer {
    std::uint8_t protocol = 0;
    std::size_t offset = 0;    ///< of the upper layer, from the fixed header's end
    bool is_extended = false;  ///< some extension header stands before it
    bool is_fragment = false;  ///< one of them a fragment header: what follows may be anything

    bool operator==(const Ipv6UpperLayer&) const = default;
};

/// Walks the extension headers; `payload` is what is held behind the fixed header. Stops at a fragment
/// header.
Result<Ipv6UpperLayer, DropReason> find_ipv6_upper_layer(const Ipv6Header& header, Bytes payload);

/// Sets the ECN field of an encoded IPv6 header, which has no checksum. Precondition: bytes.size() >= 2.
void set_ipv6_ecn(MutableBytes bytes, Ecn ecn);
/// The same of the hop limit. Precondition: bytes.size() >= 8.
void set_ipv6_hop_limit(MutableBytes bytes, std::uint8_t hops);

}  // namespace dyetrace::wire
