// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/sha256.h"

#include <array>

#include <sodium.h>

#include "scenarios/runner/hex.h"

namespace dyetrace::runner {

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return hex(digest);
}

}  // namespace dyetrace::runner
