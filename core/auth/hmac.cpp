// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/hmac.h"

#include <sodium.h>

#include "core/auth/sha256_x86.h"

namespace dyetrace::auth {

Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts) {
    constexpr std::size_t kBlock = 64;
    if (key.size() <= kBlock && x86::has_sha()) return x86::hmac_sha256(key, parts);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    for (const Bytes part : parts)
        crypto_auth_hmacsha256_update(&state, part.data(), part.size());
    Digest digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    return digest;
}

}  // namespace dyetrace::auth
