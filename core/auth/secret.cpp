// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/secret.h"

#include "core/base/bytes.h"

namespace dyetrace::auth {
namespace {

std::array<std::uint8_t, 8> eight_bytes(std::uint64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    store_u64(bytes.data(), number);
    return bytes;
}

}  // namespace

Seed seed_from(std::uint64_t number) {
    return hmac_sha256(text_bytes("dyetrace seed 1"), {eight_bytes(number)});
}

Digest Secret::key_for(std::string_view purpose) const {
    return hmac_sha256(seed_, {text_bytes("dyetrace key 1"), text_bytes(purpose)});
}

std::uint64_t Secret::next() {
    const Digest digest = hmac_sha256(seed_, {text_bytes("dyetrace number 1"), eight_bytes(drawn_++)});
    return load_u64(digest.data());
}

}  // namespace dyetrace::auth
