// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/hmac.h"

#include <sodium.h>

namespace dyetrace::auth {

Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    for (const Bytes part : parts)
        crypto_auth_hmacsha256_update(&state, part.data(), part.size());
    Digest digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    return digest;
}

}  // namespace dyetrace::auth
