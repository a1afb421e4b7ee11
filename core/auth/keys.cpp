// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/keys.h"

#include <algorithm>
#include <string_view>

#include <sodium.h>

#include "core/wire/track_option.h"

namespace dyetrace::auth {
namespace {

using Hmac = crypto_auth_hmacsha256_state;

void absorb(Hmac& state, Bytes bytes) {
    crypto_auth_hmacsha256_update(&state, bytes.data(), bytes.size());
}

template <class... Fields>
std::array<std::uint8_t, 32> derive(const std::array<std::uint8_t, 32>& key, std::string_view label,
                                    Fields... fields) {
    std::array<std::uint8_t, 8 * sizeof...(Fields)> encoded{};
    ByteWriter out(encoded);
    (out.u64(fields), ...);
    Hmac state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    absorb(state, {reinterpret_cast<const std::uint8_t*>(label.data()), label.size()});
    absorb(state, encoded);
    std::array<std::uint8_t, 32> derived{};
    crypto_auth_hmacsha256_final(&state, derived.data());
    return derived;
}

}  // namespace

PairKey derive_pair_key(const SharedKey& shared, IpAddress one, IpAddress other) {
    const auto& [first, second] = std::minmax(one, other);
    return derive(shared, "dyetrace pair 1", first.high, first.low, second.high, second.low);
}

wire::ControlTag control_tag(const PairKey& key, IpAddress source, IpAddress destination, Bytes message) {
    std::array<std::uint8_t, 2 * IpAddress::kSize> addresses{};
    store_ip(&addresses[0], source);
    store_ip(&addresses[IpAddress::kSize], destination);
    Hmac state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    absorb(state, addresses);
    absorb(state, message);
    std::array<std::uint8_t, 32> whole{};
    crypto_auth_hmacsha256_final(&state, whole.data());
    wire::ControlTag tag;
    std::copy_n(whole.begin(), tag.size(), tag.begin());
    return tag;
}

bool control_tag_ok(const PairKey& key, IpAddress source, IpAddress destination,
                    const wire::ControlMessage& message) {
    const wire::ControlTag expected = control_tag(key, source, destination, message.tagged);
    return sodium_memcmp(expected.data(), message.tag.data(), expected.size()) == 0;
}

TrackKey derive_track_key(const PairKey& key, const SessionIdentity& identity) {
    const auto whole = derive(key, "dyetrace track 1", identity.requester.high, identity.requester.low,
                              identity.acceptor.high, identity.acceptor.low, identity.requester_boot.value,
                              identity.acceptor_boot.value, identity.requester_nonce, identity.acceptor_nonce,
                              std::uint64_t{identity.session.value});
    TrackKey track;
    std::copy_n(whole.begin(), track.size(), track.begin());
    return track;
}

std::uint64_t track_tag(const TrackKey& key, Bytes fields, const TrackContext& context) {
    constexpr std::size_t kFields = wire::TrackOption::kTagOffset - wire::TrackOption::kTaggedOffset;
    DYETRACE_ASSERT(fields.size() == kFields);
    std::array<std::uint8_t, kFields + 2 * IpAddress::kSize + 8> block;
    std::copy_n(fields.begin(), kFields, block.begin());
    store_ip(&block[kFields], context.source);
    store_ip(&block[kFields + 16], context.destination);
    store_u32(&block[kFields + 32], context.source_port);
    store_u32(&block[kFields + 36], context.vni.value);
    std::array<std::uint8_t, crypto_shorthash_BYTES> tag{};
    crypto_shorthash(tag.data(), block.data(), block.size(), key.data());
    return load_u64(tag.data());
}

}  // namespace dyetrace::auth
