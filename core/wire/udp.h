// SPDX-License-Identifier: GPL-2.0-or-later
// UDP header (RFC 768).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source port          |        Destination port       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |             Length            |            Checksum           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

struct UdpHeader {
    static constexpr std::size_t kSize = 8;

    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint16_t length = 0;    ///< bytes, header included
    std::uint16_t checksum = 0;  ///< zero: not used

    bool operator==(const UdpHeader&) const = default;

    /// `payload_size` is the length of the IP packet's payload on the wire. The checksum is not verified
    /// here: it covers payload that may be held elsewhere; see `udp_checksum_ok`.
    static Result<UdpHeader, DropReason> parse(Bytes bytes, std::size_t payload_size);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

/// The checksum of a whole UDP datagram over IPv4 (RFC 768), whose checksum field holds zero; never returns
/// zero.
std::uint16_t udp_checksum(Ipv4Address source, Ipv4Address destination, Bytes datagram);

/// Whether a whole datagram's checksum is right; a zero checksum means "not used" and is right (RFC 768).
bool udp_checksum_ok(Ipv4Address source, Ipv4Address destination, Bytes datagram);

}  // namespace dyetrace::wire
