// SPDX-License-Identifier: GPL-2.0-or-later
// Hash-based selection (RFC 5475 §6.2): a number that every observation point computes from the same packet,
// so that all of them pick the same ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/wire/inner_packet.h"

namespace dyetrace::tracking {

/// The hash function BOB (RFC 5475, appendix A.2; B. Jenkins, "Hash functions", Dr. Dobb's Journal 1997).
std::uint32_t bob_hash(Bytes key, std::uint32_t initial);

/// So many bytes behind the IP header enter the hash.
constexpr std::size_t kHashedPayload = 20;

/// BOB over what no router changes of a guest's packet, from its network header on:
///
///   IPv4:  total length | identification | protocol | source | destination | first 20 bytes behind the
///   header IPv6:  payload length | next header | source | destination | first 20 bytes behind the header
///   other: EtherType | first 20 bytes behind it
///
/// Not TTL and hop limit, DSCP, ECN, flow label, options, checksum, nor anything of Ethernet. As many of the
/// 20 bytes as the packet has must be held in `frame`; those that are not are left out.
std::uint32_t packet_hash(Bytes frame, const wire::InnerPacket& packet, std::uint32_t seed);

}  // namespace dyetrace::tracking
