// SPDX-License-Identifier: GPL-2.0-or-later
// ICMPv6 time exceeded (RFC 4443 §3.3): as icmp.h, but its checksum covers a pseudo-header, and it quotes as
// much of the packet as fits 1280 bytes. Packet too big (RFC 4443 §3.2) has the same form: type 2, and the
// MTU of the next hop in the unused word.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |    Type (3)   |   Code (0)    |           Checksum            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                             unused                            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    As much of the packet ...                  ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/drop_reason.h"
#include "core/wire/icmp.h"

namespace dyetrace::wire {

constexpr std::uint8_t kIcmpv6TimeExceeded = 3;
constexpr std::uint8_t kIcmpv6TooBig = 2;
/// An error message is no longer than the least MTU of IPv6 (RFC 4443 §2.4 (c)), its own IP header included.
constexpr std::size_t kIcmpv6SizeMost = 1280 - 40;

/// `bytes` is the whole ICMPv6 message, which went from `source` to `destination`. Anything but a
/// time-exceeded message that quotes UDP right behind an IPv6 header is `NotForUs`.
Result<IcmpTimeExceeded, DropReason> parse_icmpv6_time_exceeded(const IpAddress& source,
                                                                const IpAddress& destination, Bytes bytes);

/// Writes a time-exceeded message from `source` to `destination` that quotes the start of `packet` (an IPv6
/// packet) into `out` and returns its length. Precondition: out holds kIcmpv6SizeMost bytes.
std::size_t encode_icmpv6_time_exceeded(const IpAddress& source, const IpAddress& destination, Bytes packet,
                                        MutableBytes out);
/// The same for a packet that is longer than `mtu` bytes.
std::size_t encode_icmpv6_too_big(const IpAddress& source, const IpAddress& destination, Bytes packet,
                                  std::uint32_t mtu, MutableBytes out);

}  // namespace dyetrace::wire
