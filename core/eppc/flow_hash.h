// SPDX-License-Identifier: GPL-2.0-or-later
// Which path a guest's frame takes: a hash of its flow, so that every flow keeps one outer source port and
// stays in order (RFC 8926 §3.3).
#pragma once

#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/wire/guest_frame.h"

namespace dyetrace::eppc {

/// Hashes addresses, protocol and ports of a guest's IPv4 or IPv6 packet, whatever VLAN tags stand before it;
/// addresses and EtherType of any other frame. A fragment is hashed without ports, so that all fragments of a
/// packet agree.
std::uint64_t flow_hash(Bytes frame, const wire::GuestFrame& inner, std::uint64_t seed);

/// The IPv6 flow label of what leaves `source_port` for `destination`: 20 bits, constant, never zero, and not
/// to be guessed without the seed (RFC 6437 §3, §6; RFC 6438 §3).
inline std::uint32_t flow_label_of(const IpAddress& destination, std::uint16_t source_port,
                                   std::uint64_t seed) {
    const std::uint64_t hash = mix64(mix64(destination.high ^ seed) ^ destination.low ^ source_port);
    return static_cast<std::uint32_t>((hash >> 32) * 0xfffff >> 32) + 1;
}

/// Maps a hash onto [0, path_count) without bias that matters.
inline PathIndex path_of(std::uint64_t hash, std::uint16_t path_count) {
    return PathIndex{static_cast<std::uint16_t>((hash >> 32) * path_count >> 32)};
}

}  // namespace dyetrace::eppc
