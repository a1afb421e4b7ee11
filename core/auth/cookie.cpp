// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/cookie.h"

#include <algorithm>
#include <array>

#include <sodium.h>

#include "core/base/bytes.h"

namespace dyetrace::auth {
namespace {

std::int64_t tick_of(Time now) {
    constexpr std::int64_t kNs = CookieMaker::kTick.ns;
    return now.ns / kNs - (now.ns % kNs < 0 ? 1 : 0);
}

}  // namespace

CookieMaker::CookieMaker(const Secret& secret) {
    const Digest whole = secret.key_for("cookie");
    std::copy_n(whole.begin(), key_.size(), key_.begin());
}

std::uint64_t CookieMaker::at_tick(const CookieClaims& claims, std::int64_t tick) const {
    std::array<std::uint8_t, IpAddress::kSize + 36> fields{};
    ByteWriter out(fields);
    write_ip(out, claims.requester);
    out.u64(claims.requester_boot.value);
    out.u64(claims.requester_nonce);
    out.u32(claims.session.value);
    out.u64(claims.known_boot.value);
    out.i64(tick);
    std::array<std::uint8_t, crypto_shorthash_BYTES> hash{};
    crypto_shorthash(hash.data(), fields.data(), fields.size(), key_.data());
    return std::max<std::uint64_t>(load_u64(hash.data()), 1);
}

std::uint64_t CookieMaker::make(const CookieClaims& claims, Time now) const {
    return at_tick(claims, tick_of(now));
}

bool CookieMaker::is_good(std::uint64_t cookie, const CookieClaims& claims, Time now) const {
    const std::int64_t tick = tick_of(now);
    return cookie == at_tick(claims, tick) || cookie == at_tick(claims, tick - 1);
}

}  // namespace dyetrace::auth
