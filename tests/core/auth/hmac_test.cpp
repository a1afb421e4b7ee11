// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/hmac.h"

#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "core/auth/sha256_x86.h"
#include "core/base/random.h"

namespace dyetrace::auth {
namespace {

std::string hex(const Digest& digest) {
    std::string text;
    for (const std::uint8_t byte : digest) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", byte);
        text += two;
    }
    return text;
}

Digest by_libsodium(Bytes key, Bytes message) {
    crypto_auth_hmacsha256_state state;
    const std::uint8_t nothing = 0;  // libsodium wants to be shown some byte, of no key too
    crypto_auth_hmacsha256_init(&state, key.empty() ? &nothing : key.data(), key.size());
    if (!message.empty()) crypto_auth_hmacsha256_update(&state, message.data(), message.size());
    Digest digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    return digest;
}

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    for (std::uint8_t& byte : bytes)
        byte = static_cast<std::uint8_t>(random.next());
    return bytes;
}

// RFC 4231 §4.3 and §4.7: a short key, and one longer than a block.
TEST(Hmac, AgreesWithTheVectorsOfItsStandard) {
    EXPECT_EQ(
        hex(hmac_sha256(text_bytes("Jefe"), {text_bytes("what do ya want "), text_bytes("for nothing?")})),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const std::vector<std::uint8_t> key(131, 0xaa);
    EXPECT_EQ(hex(hmac_sha256(key, {text_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, TheProcessorsInstructionsGiveWhatLibsodiumGives) {
    if (!x86::has_sha()) GTEST_SKIP() << "this processor has no instructions for SHA-256";
    Random random(1);
    for (std::size_t length = 0; length < 400; ++length) {
        const auto key = random_bytes(random, random.below(65));
        const auto message = random_bytes(random, length);
        const Bytes whole(message);
        const std::size_t one = random.below(static_cast<std::uint32_t>(length) + 1);
        const std::size_t other = one + random.below(static_cast<std::uint32_t>(length - one) + 1);
        EXPECT_EQ(
            x86::hmac_sha256(key, {whole.first(one), whole.subspan(one, other - one), whole.subspan(other)}),
            by_libsodium(key, message))
            << "length " << length << ", parts of " << one << ", " << other - one << " and the rest";
    }
}

}  // namespace
}  // namespace dyetrace::auth
