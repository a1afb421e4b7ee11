// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and tags. One shared key per underlay; from it a key for each pair of hosts; from that a key for each
// session.
//
//   pair key    = HMAC-SHA-256(shared key, "dyetrace pair 1" | lower address | higher address)
//   control tag = HMAC-SHA-256(pair key, source | destination | message) truncated to 16 bytes (RFC 2104 §5)
//   track key   = HMAC-SHA-256(pair key, "dyetrace track 1" | requester | acceptor | both boot ids | both
//   nonces |
//                 session id) truncated to 16 bytes
//   track tag   = SipHash-2-4(track key, the option's fields | source | destination | source port | VNI)
#pragma once

#include <array>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/wire/control.h"

namespace dyetrace::auth {

/// A 32-byte secret that the EPPCs of an underlay and their NHMS share.
using SharedKey = std::array<std::uint8_t, 32>;
/// The secret of two hosts, the same seen from either.
using PairKey = std::array<std::uint8_t, 32>;
/// The secret of one session's tags.
using TrackKey = std::array<std::uint8_t, 16>;

PairKey derive_pair_key(const SharedKey& shared, IpAddress one, IpAddress other);

wire::ControlTag control_tag(const PairKey& key, IpAddress source, IpAddress destination, Bytes message);
/// Compares in constant time.
bool control_tag_ok(const PairKey& key, IpAddress source, IpAddress destination,
                    const wire::ControlMessage& message);

/// What makes a session's key its own.
struct SessionIdentity {
    IpAddress requester;
    IpAddress acceptor;
    BootId requester_boot;
    BootId acceptor_boot;
    std::uint64_t requester_nonce = 0;
    std::uint64_t acceptor_nonce = 0;
    SessionId session;
};
TrackKey derive_track_key(const PairKey& key, const SessionIdentity& identity);

/// Where a tracked packet is seen: the fields outside the option that its tag covers.
struct TrackContext {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    Vni vni;
};
/// `fields` are the option's bytes from the session id up to the tag.
std::uint64_t track_tag(const TrackKey& key, Bytes fields, const TrackContext& context);

}  // namespace dyetrace::auth
