// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/sha256.h"

#include <array>

#include <sodium.h>

namespace dyetrace::runner {

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
    std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    return hex.data();
}

}  // namespace dyetrace::runner
