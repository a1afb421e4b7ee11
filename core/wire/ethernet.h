// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet II header (IEEE 802.3 §3.2).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      Destination address                      |
//   |                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                               |                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//   |                        Source address                         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           EtherType           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
/// Transparent Ethernet Bridging: the protocol type of Geneve packets that carry Ethernet frames (RFC 8926
/// §3.4).
constexpr std::uint16_t kEtherTypeEthernet = 0x6558;
/// IEEE 802 Local Experimental EtherType 1 (IEEE 802-2014 §9.2.4): the engine's control messages.
constexpr std::uint16_t kEtherTypeControl = 0x88b5;

struct EthernetHeader {
    static constexpr std::size_t kSize = 14;

    MacAddress destination;
    MacAddress source;
    std::uint16_t ether_type = 0;

    bool operator==(const EthernetHeader&) const = default;

    static Result<EthernetHeader, DropReason> parse(Bytes bytes);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

inline Result<EthernetHeader, DropReason> EthernetHeader::parse(Bytes bytes) {
    if (bytes.size() < kSize) return Failure{DropReason::EthernetTruncated};
    EthernetHeader header;
    std::copy_n(bytes.begin(), 6, header.destination.octets.begin());
    std::copy_n(bytes.begin() + 6, 6, header.source.octets.begin());
    header.ether_type = load_u16(&bytes[12]);
    return header;
}

}  // namespace dyetrace::wire
