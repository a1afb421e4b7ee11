// SPDX-License-Identifier: GPL-2.0-or-later
// VLAN tags between the addresses and the EtherType of an Ethernet frame (IEEE 802.1Q-2018 §9.6: customer
// tags 0x8100, service tags 0x88a8, which was 802.1ad).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   Tag protocol (0x8100 ...)   | PCP |D|        VLAN id        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace dyetrace::wire {

constexpr std::uint16_t kEtherTypeVlan = 0x8100;
constexpr std::uint16_t kEtherTypeServiceVlan = 0x88a8;

constexpr bool is_vlan_tag(std::uint16_t ether_type) {
    return ether_type == kEtherTypeVlan || ether_type == kEtherTypeServiceVlan;
}

struct VlanTag {
    static constexpr std::size_t kSize = 4;
    /// So many are looked through; a frame with more is carried like one of an unknown protocol.
    static constexpr std::size_t kDepthMost = 4;

    std::uint16_t protocol = kEtherTypeVlan;
    std::uint8_t priority = 0;  ///< PCP, 3 bits
    bool drop_eligible = false;
    std::uint16_t id = 0;  ///< 12 bits

    bool operator==(const VlanTag&) const = default;

    /// Precondition: bytes.size() >= kSize, and they begin with the protocol of a tag.
    static VlanTag parse(Bytes bytes);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

/// What an Ethernet frame carries behind its tags.
struct EtherPayload {
    std::uint16_t ether_type =
        0;                   ///< that of a tag where there are more than kDepthMost, or the frame ends in one
    std::size_t offset = 0;  ///< of the payload, from the frame's start
    std::size_t tags = 0;

    bool operator==(const EtherPayload&) const = default;
};

/// Looks through the tags of a frame. Precondition: frame.size() >= EthernetHeader::kSize.
inline EtherPayload find_ether_payload(Bytes frame) {
    std::uint16_t ether_type = load_u16(&frame[12]);
    std::size_t offset = 14;
    std::size_t tags = 0;
    while (is_vlan_tag(ether_type) && tags < VlanTag::kDepthMost && frame.size() >= offset + VlanTag::kSize) {
        ether_type = load_u16(&frame[offset + 2]);
        offset += VlanTag::kSize;
        ++tags;
    }
    return {ether_type, offset, tags};
}

}  // namespace dyetrace::wire
