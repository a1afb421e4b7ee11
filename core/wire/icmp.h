// SPDX-License-Identifier: GPL-2.0-or-later
// ICMP time exceeded (RFC 792), as routers send it when a packet's TTL runs out: it quotes the packet's IP
// header and at least the first 8 bytes behind it, which is the UDP header. Fragmentation needed (RFC 1191
// §4) has the same form: type 3, code 4, and in the unused word's low half the MTU of the next hop.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   Type (11)   |   Code (0)    |           Checksum            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                             unused                            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      Internet header + 64 bits of original data datagram      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::wire {

constexpr std::uint8_t kIcmpTimeExceeded = 11;
constexpr std::uint8_t kIcmpUnreachable = 3;
constexpr std::uint8_t kIcmpFragmentationNeeded = 4;  ///< a code of it

/// What a time-exceeded message, of IPv4 or of IPv6 (icmpv6.h), says of the packet that died.
struct IcmpTimeExceeded {
    static constexpr std::size_t kHeaderSize = 8;
    static constexpr std::size_t kQuoteSize = 28;  ///< least of IPv4: header without options + 8 bytes

    IpAddress quoted_source;
    IpAddress quoted_destination;
    std::uint16_t quoted_identification = 0;  ///< IPv4
    std::uint16_t quoted_source_port = 0;
    std::uint16_t quoted_destination_port = 0;
    std::uint16_t quoted_udp_checksum = 0;
    std::size_t payload_offset =
        0;  ///< from the message's start: what it quotes of the UDP payload, if anything

    bool operator==(const IcmpTimeExceeded&) const = default;

    /// `bytes` is the whole ICMP message. Anything but a time-exceeded message that quotes UDP over IPv4 is
    /// `NotForUs`.
    static Result<IcmpTimeExceeded, DropReason> parse(Bytes bytes);
};

/// Writes a time-exceeded message that quotes the start of `packet` (an IPv4 packet) into `out` and returns
/// its length: header, IP header and 8 bytes (RFC 792), whatever is there of them. Precondition: out holds 8
/// + 68 bytes.
std::size_t encode_icmp_time_exceeded(Bytes packet, MutableBytes out);
/// The same for a packet that must not be fragmented and is longer than `mtu` bytes.
std::size_t encode_icmp_fragmentation_needed(Bytes packet, std::uint16_t mtu, MutableBytes out);

}  // namespace dyetrace::wire
