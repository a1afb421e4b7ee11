// SPDX-License-Identifier: GPL-2.0-or-later
// Challenges that nothing is kept of, and the numbers that nobody can guess.
#include "core/auth/cookie.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using namespace dyetrace::auth;

CookieClaims claims() {
    return {Ipv4Address{0x0a000001}, BootId{7}, 11, SessionId{13}, BootId{5}};
}

TEST(Cookie, IsGoodForOneTickAndNeverForTwo) {
    const CookieMaker maker{Secret(seed_from(1))};
    for (const std::int64_t start : {0L, 999'999'999L, -1L, -1'500'000'000L, 1'700'000'000'000'000'123L}) {
        const Time made{start};
        const std::uint64_t cookie = maker.make(claims(), made);
        EXPECT_NE(cookie, 0U);
        EXPECT_TRUE(maker.is_good(cookie, claims(), made));
        EXPECT_TRUE(maker.is_good(cookie, claims(), made + CookieMaker::kTick));
        EXPECT_FALSE(maker.is_good(cookie, claims(), made + CookieMaker::kLifeMost));
        EXPECT_FALSE(maker.is_good(cookie, claims(), made + Duration::seconds(1000)));
        EXPECT_FALSE(maker.is_good(cookie, claims(), Time{made.ns - CookieMaker::kTick.ns}));
    }
}

TEST(Cookie, IsBoundToEachClaim) {
    const CookieMaker maker{Secret(seed_from(1))};
    const std::uint64_t cookie = maker.make(claims(), Time{});
    const auto refused = [&](auto change) {
        CookieClaims other = claims();
        change(other);
        EXPECT_FALSE(maker.is_good(cookie, other, Time{}));
    };
    refused([](auto& c) { c.requester.low ^= 1; });
    refused([](auto& c) { c.requester.high ^= 1; });
    refused([](auto& c) { c.requester_boot.value ^= 1; });
    refused([](auto& c) { c.requester_nonce ^= 1; });
    refused([](auto& c) { c.session.value ^= 1; });
    refused([](auto& c) { c.known_boot.value ^= 1; });
    refused([](auto& c) { c.known_boot = {}; });
    for (int bit = 0; bit < 64; ++bit)
        EXPECT_FALSE(maker.is_good(cookie ^ std::uint64_t{1} << bit, claims(), Time{}));
}

TEST(Cookie, OfAnotherBootIsNotGood) {
    const CookieMaker before{Secret(seed_from(1))};
    const CookieMaker after{Secret(seed_from(2))};
    EXPECT_FALSE(after.is_good(before.make(claims(), Time{}), claims(), Time{}));
}

TEST(Secret, DrawsTheSameFromTheSameSeedAndNothingTwice) {
    Secret one(seed_from(3));
    Secret same(seed_from(3));
    Secret other(seed_from(4));
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t number = one.next();
        EXPECT_EQ(number, same.next());
        EXPECT_TRUE(seen.insert(number).second);
        EXPECT_TRUE(seen.insert(other.next()).second);
    }
    EXPECT_EQ(one.drawn(), 1000U);
    EXPECT_EQ(one.key_for("cookie"), same.key_for("cookie"));
    EXPECT_NE(one.key_for("cookie"), one.key_for("other"));
    EXPECT_NE(one.key_for("cookie"), other.key_for("cookie"));
}

}  // namespace
}  // namespace dyetrace::test
