// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and tags. One shared key per underlay; from it a key for each pair of hosts; from that the keys of
// each session.
//
//   pair key            = HMAC-SHA-256(shared key, "dyetrace pair 1" | lower address | higher address)
//   session control key = HMAC-SHA-256(pair key, "dyetrace session 1" | requester | acceptor | both boot ids
//   |
//                         both nonces | session id)
//   track key, ride key = HMAC-SHA-256(session control key, "track") and (..., "ride"), truncated to 16 bytes
//   control tag         = HMAC-SHA-256(pair key or session control key, source | destination | both UDP ports
//   |
//                         message) truncated to 16 bytes (RFC 2104 §5)
//   track tag           = SipHash-2-4(track key or ride key, the option's fields | source port | VNI)
//
// The addresses are in every session's key, and its packets are looked up by them: the tag need not take them
// again (docs/decisions/addresses-in-the-key.md).
#pragma once

#include <array>
#include <cstdint>

#include "core/auth/hmac.h"
#include "core/auth/siphash.h"
#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/wire/control.h"

namespace dyetrace::auth {

/// A 32-byte secret that the EPPCs of an underlay and their NHMS share.
using SharedKey = std::array<std::uint8_t, 32>;
/// What a control message is authenticated with: the key of a pair, or of a session.
using ControlKey = std::array<std::uint8_t, 32>;
/// The secret of two hosts, the same seen from either.
using PairKey = ControlKey;
/// What the options of data packets are authenticated with.
using TrackKey = std::array<std::uint8_t, 16>;

PairKey derive_pair_key(const SharedKey& shared, const IpAddress& one, const IpAddress& other);

/// `message` is all of it up to its tag.
wire::ControlTag control_tag(const ControlKey& key, const Endpoint& source, const Endpoint& destination,
                             Bytes message);
/// Compares in constant time.
bool control_tag_ok(const ControlKey& key, const Endpoint& source, const Endpoint& destination,
                    const wire::ControlMessage& message);

/// What makes a session's keys its own.
struct SessionIdentity {
    IpAddress requester;
    IpAddress acceptor;
    BootId requester_boot;
    BootId acceptor_boot;
    std::uint64_t requester_nonce = 0;
    std::uint64_t acceptor_nonce = 0;
    SessionId session;
};

struct SessionKeys {
    ControlKey control{};  ///< of every message behind the handshake
    TrackKey track{};      ///< of the track options, by the requester
    TrackKey ride{};       ///< of the report options, by the acceptor
};
SessionKeys derive_session_keys(const PairKey& key, const SessionIdentity& identity);

/// Where a tracked packet is seen: the fields outside the option that its tag covers.
struct TrackContext {
    std::uint16_t source_port = 0;
    Vni vni;
};
/// `fields` are the option's bytes from the session id up to the tag: a multiple of 8 of them. Inline, since
/// each packet waits for it.
inline std::uint64_t track_tag(const TrackKey& key, Bytes fields, const TrackContext& context) {
    DYETRACE_ASSERT(fields.size() % 8 == 0);
    SipHash hash(key);
    for (std::size_t at = 0; at < fields.size(); at += 8)
        hash.add(load_u64(&fields[at]));
    hash.add(std::uint64_t{context.source_port} << 32 | context.vni.value);
    return hash.finish();
}

}  // namespace dyetrace::auth
