// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/keys.h"

#include <algorithm>
#include <string_view>

#include <sodium.h>

namespace dyetrace::auth {
namespace {

TrackKey derive_track_key(const ControlKey& key, std::string_view label) {
    const Digest whole = hmac_sha256(key, {text_bytes(label)});
    TrackKey track;
    std::copy_n(whole.begin(), track.size(), track.begin());
    return track;
}

}  // namespace

PairKey derive_pair_key(const SharedKey& shared, const IpAddress& one, const IpAddress& other) {
    const auto& [first, second] = std::minmax(one, other);
    std::array<std::uint8_t, 2 * IpAddress::kSize> addresses{};
    store_ip(&addresses[0], first);
    store_ip(&addresses[IpAddress::kSize], second);
    return hmac_sha256(shared, {text_bytes("dyetrace pair 1"), addresses});
}

wire::ControlTag control_tag(const ControlKey& key, const Endpoint& source, const Endpoint& destination,
                             Bytes message) {
    std::array<std::uint8_t, 2 * IpAddress::kSize + 4> endpoints{};
    ByteWriter out(endpoints);
    write_ip(out, source.address);
    write_ip(out, destination.address);
    out.u16(source.port);
    out.u16(destination.port);
    const Digest whole = hmac_sha256(key, {endpoints, message});
    wire::ControlTag tag;
    std::copy_n(whole.begin(), tag.size(), tag.begin());
    return tag;
}

bool control_tag_ok(const ControlKey& key, const Endpoint& source, const Endpoint& destination,
                    const wire::ControlMessage& message) {
    const wire::ControlTag expected = control_tag(key, source, destination, message.tagged);
    return sodium_memcmp(expected.data(), message.tag.data(), expected.size()) == 0;
}

SessionKeys derive_session_keys(const PairKey& key, const SessionIdentity& identity) {
    std::array<std::uint8_t, 2 * IpAddress::kSize + 40> fields{};
    ByteWriter out(fields);
    write_ip(out, identity.requester);
    write_ip(out, identity.acceptor);
    out.u64(identity.requester_boot.value);
    out.u64(identity.acceptor_boot.value);
    out.u64(identity.requester_nonce);
    out.u64(identity.acceptor_nonce);
    out.u64(identity.session.value);
    SessionKeys keys;
    keys.control = hmac_sha256(key, {text_bytes("dyetrace session 1"), fields});
    keys.track = derive_track_key(keys.control, "track");
    keys.ride = derive_track_key(keys.control, "ride");
    return keys;
}

}  // namespace dyetrace::auth
