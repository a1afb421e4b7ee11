// SPDX-License-Identifier: GPL-2.0-or-later
// UDP header (RFC 768; over IPv6 RFC 8200 §8.1).
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
#include <optional>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"
#include "core/wire/frame_buffer.h"

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
    /// The same in place, for the data path. Every field is set unless there is no header.
    Refusal read(Bytes bytes, std::size_t payload_size);
    [[nodiscard]] static constexpr std::size_t encoded_size() { return kSize; }
    /// Precondition: bytes.size() >= kSize.
    void encode_into(MutableBytes bytes) const;
};

inline Refusal UdpHeader::read(Bytes bytes, std::size_t payload_size) {
    if (bytes.size() < kSize) return DropReason::UdpTruncated;
    source_port = load_u16(&bytes[0]);
    destination_port = load_u16(&bytes[2]);
    length = load_u16(&bytes[4]);
    checksum = load_u16(&bytes[6]);
    if (length < kSize || length > payload_size) return DropReason::UdpBadLength;
    return std::nullopt;
}

inline Result<UdpHeader, DropReason> UdpHeader::parse(Bytes bytes, std::size_t payload_size) {
    UdpHeader header;
    if (const auto refused = header.read(bytes, payload_size)) return Failure{*refused};
    return header;
}

/// The pseudo header's share of the sum of what is `length` bytes of `protocol` (RFC 768; RFC 8200 §8.1).
/// Both addresses are of one version.
std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                std::size_t length);

/// The checksum of a whole UDP datagram (RFC 768; RFC 8200 §8.1), whose checksum field holds zero; never
/// returns zero.
std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, const PartlyHeld& datagram);
inline std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, Bytes datagram) {
    return udp_checksum(source, destination, PartlyHeld{datagram});
}

/// Whether a whole datagram's checksum is right; a zero checksum means "not used" and is right (RFC 768).
/// Whether it may be zero is not asked here (RFC 8200 §8.1). Precondition: the header is held.
bool udp_checksum_ok(const IpAddress& source, const IpAddress& destination, const PartlyHeld& datagram);
inline bool udp_checksum_ok(const IpAddress& source, const IpAddress& destination, Bytes datagram) {
    return udp_checksum_ok(source, destination, PartlyHeld{datagram});
}

}  // namespace dyetrace::wire
