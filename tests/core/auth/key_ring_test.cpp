// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/key_ring.h"

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using auth::KeyRing;
using auth::NamedKey;

const IpAddress kOne = Ipv4Address{0x0a000001};
const IpAddress kOther = Ipv4Address{0x0a000002};

NamedKey key(std::uint8_t id, std::uint8_t fill) {
    NamedKey named{KeyId{id}, {}};
    named.key.fill(fill);
    return named;
}

TEST(KeyRing, SendsUnderTheFirstAndTakesAll) {
    const auto ring = KeyRing::make(key(7, 1), {key(3, 2)});
    ASSERT_TRUE(ring.ok());
    EXPECT_EQ(ring->sending(), KeyId{7});
    for (const NamedKey& named : {key(7, 1), key(3, 2)}) {
        EXPECT_TRUE(ring->has(named.id));
        EXPECT_EQ(ring->pair_key(named.id, kOne, kOther), auth::derive_pair_key(named.key, kOne, kOther));
    }
    EXPECT_FALSE(ring->has(KeyId{4}));
    EXPECT_FALSE(ring->pair_key(KeyId{4}, kOne, kOther));
}

TEST(KeyRing, RefusesAnIdTwiceAndTooManyKeys) {
    EXPECT_EQ(KeyRing::make(key(7, 1), {key(7, 2)}).error(), "there are two keys with the id 7");
    EXPECT_EQ(KeyRing::make(key(7, 1), {key(3, 2), key(3, 2)}).error(), "there are two keys with the id 3");
    std::vector<NamedKey> others;
    for (std::uint8_t id = 1; id < KeyRing::kMost; ++id)
        others.push_back(key(id, id));
    EXPECT_TRUE(KeyRing::make(key(100, 1), others).ok());
    others.push_back(key(50, 1));
    EXPECT_EQ(KeyRing::make(key(100, 1), others).error(), "more than 8 keys");
}

}  // namespace
}  // namespace dyetrace::test
