// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and tags against published vectors, an independent encoder's, and every change of what they cover.
#include "core/auth/keys.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/auth/seal.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/ipv4.h"
#include "core/wire/track_option.h"
#include "core/wire/udp.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::auth;
using wire::TrackOption;

constexpr Ipv4Address kRequester{0x0a000001};
constexpr Ipv4Address kAcceptor{0x0a000102};

SharedKey shared_key() {
    SharedKey key;
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = static_cast<std::uint8_t>(i);
    return key;
}

SessionIdentity identity() {
    return {kRequester,         kAcceptor,          BootId{0x1122334455667788}, BootId{0x99aabbccddeeff01},
            0x0102030405060708, 0x1112131415161718, SessionId{0xa1b2c3d4}};
}

template <std::size_t N>
Buffer buffer(const std::array<std::uint8_t, N>& array) {
    return {array.begin(), array.end()};
}

Buffer text(std::string_view characters) {
    return {characters.begin(), characters.end()};
}

void expect_hmac(const Buffer& key, const Buffer& data, std::string_view hex) {
    const Bytes whole(data);
    for (const std::size_t cut : {std::size_t{0}, data.size() / 2, data.size()}) {
        std::string got;
        for (const std::uint8_t byte : hmac_sha256(key, {whole.first(cut), whole.subspan(cut)})) {
            constexpr std::string_view kDigits = "0123456789abcdef";
            got += kDigits[byte >> 4];
            got += kDigits[byte & 15];
        }
        EXPECT_EQ(got, hex);
    }
}

TEST(Hmac, IsThatOfRfc4231) {
    expect_hmac(Buffer(20, 0x0b), text("Hi There"),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    expect_hmac(text("Jefe"), text("what do ya want for nothing?"),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect_hmac(Buffer(20, 0xaa), Buffer(50, 0xdd),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    Buffer counting(25);
    for (std::size_t i = 0; i < counting.size(); ++i)
        counting[i] = static_cast<std::uint8_t>(i + 1);
    expect_hmac(counting, Buffer(50, 0xcd),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    // Section 4.7: a key longer than a block.
    expect_hmac(Buffer(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Keys, AreThoseOfTheIndependentEncoder) {
    const PairKey pair = derive_pair_key(shared_key(), kRequester, kAcceptor);
    EXPECT_EQ(buffer(pair), vector_of("pair_key"));
    const SessionKeys keys = derive_session_keys(pair, identity());
    EXPECT_EQ(buffer(keys.control), vector_of("session_key"));
    EXPECT_EQ(buffer(keys.track), vector_of("track_key"));
    EXPECT_EQ(buffer(keys.ride), vector_of("ride_key"));
}

TEST(Keys, OfAPairAreTheSameFromEitherEnd) {
    EXPECT_EQ(derive_pair_key(shared_key(), kRequester, kAcceptor),
              derive_pair_key(shared_key(), kAcceptor, kRequester));
}

TEST(Keys, DifferWithEachPartOfTheirIdentity) {
    const PairKey pair = derive_pair_key(shared_key(), kRequester, kAcceptor);
    std::vector<ControlKey> keys{derive_session_keys(pair, identity()).control};
    const auto vary = [&](auto change) {
        SessionIdentity other = identity();
        change(other);
        keys.push_back(derive_session_keys(pair, other).control);
    };
    vary([](auto& i) { i.requester.low ^= 1; });
    vary([](auto& i) { i.acceptor.high ^= 1; });
    vary([](auto& i) { std::swap(i.requester, i.acceptor); });  // the other direction
    vary([](auto& i) { i.requester_boot.value ^= 1; });
    vary([](auto& i) { i.acceptor_boot.value ^= 1; });
    vary([](auto& i) { i.requester_nonce ^= 1; });
    vary([](auto& i) { i.acceptor_nonce ^= 1; });
    vary([](auto& i) { i.session.value ^= 1; });
    std::sort(keys.begin(), keys.end());
    EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
    PairKey other = derive_pair_key(shared_key(), kRequester, Ipv4Address{0x0a000103});
    EXPECT_NE(other, pair);
}

struct Tracked {
    Buffer fields;
    TrackContext context;
};

Tracked tracked() {
    const Buffer option = vector_of("track_option");
    Tracked t;
    t.fields = Buffer(option.begin() + TrackOption::kTaggedOffset, option.begin() + TrackOption::kTagOffset);
    t.context = {49157, Vni{0x123456}};
    return t;
}

SessionKeys session_keys() {
    return derive_session_keys(derive_pair_key(shared_key(), kRequester, kAcceptor), identity());
}

TrackKey track_key() {
    return session_keys().track;
}

TEST(TrackTag, IsThatOfTheIndependentEncoder) {
    const Tracked t = tracked();
    EXPECT_EQ(track_tag(track_key(), t.fields, t.context),
              load_u64(&vector_of("track_option")[TrackOption::kTagOffset]));
}

TEST(TrackTag, DiffersForEachFlippedBitOfTheFields) {
    const Tracked good = tracked();
    const std::uint64_t expected = track_tag(track_key(), good.fields, good.context);
    for (std::size_t bit = 0; bit < good.fields.size() * 8; ++bit) {
        Tracked t = good;
        t.fields[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_NE(track_tag(track_key(), t.fields, t.context), expected) << "bit " << bit;
    }
}

TEST(TrackTag, DiffersForEachFlippedBitOfPortVniAndKey) {
    const Tracked t = tracked();
    const std::uint64_t expected = track_tag(track_key(), t.fields, t.context);
    for (int bit = 0; bit < 16; ++bit) {
        TrackContext context = t.context;
        context.source_port = static_cast<std::uint16_t>(context.source_port ^ 1U << bit);
        EXPECT_NE(track_tag(track_key(), t.fields, context), expected);
    }
    for (int bit = 0; bit < 24; ++bit) {
        TrackContext context = t.context;
        context.vni.value ^= 1U << bit;
        EXPECT_NE(track_tag(track_key(), t.fields, context), expected);
    }
    for (std::size_t bit = 0; bit < 128; ++bit) {
        TrackKey key = track_key();
        key[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_NE(track_tag(key, t.fields, t.context), expected);
    }
}

// The tag takes the addresses by its key: a session of other addresses, or of the other direction, has
// another one.
TEST(TrackTag, DiffersForEachFlippedBitOfEitherAddress) {
    const Tracked t = tracked();
    const PairKey pair = derive_pair_key(shared_key(), kRequester, kAcceptor);
    const std::uint64_t expected = track_tag(track_key(), t.fields, t.context);
    const auto tag_of = [&](const SessionIdentity& of) {
        return track_tag(derive_session_keys(pair, of).track, t.fields, t.context);
    };
    for (int bit = 0; bit < 128; ++bit) {
        const auto flip = [bit](IpAddress& address) {
            (bit < 64 ? address.low : address.high) ^= std::uint64_t{1} << bit % 64;
        };
        SessionIdentity other = identity();
        flip(other.requester);
        EXPECT_NE(tag_of(other), expected);
        other = identity();
        flip(other.acceptor);
        EXPECT_NE(tag_of(other), expected);
    }
    SessionIdentity reversed = identity();
    std::swap(reversed.requester, reversed.acceptor);
    EXPECT_NE(tag_of(reversed), expected);
}

wire::ControlHeader keep_alive() {
    wire::ControlHeader header;
    header.type = wire::ControlType::KeepAlive;
    header.key_id = KeyId{1};
    header.session = SessionId{0xa1b2c3d4};
    header.message_number = 3;
    header.sender_boot = BootId{0x1122334455667788};
    header.receiver_boot = BootId{0x99aabbccddeeff01};
    return header;
}

constexpr Endpoint kFrom{kRequester, 49157};
constexpr Endpoint kTo{kAcceptor, 6081};

TEST(Seal, MakesTheMessageOfTheIndependentEncoder) {
    EXPECT_EQ(seal(keep_alive(), {}, session_keys().control, kFrom, kTo), vector_of("control_message"));
}

TEST(Seal, IsBrokenByEachFlippedBit) {
    const ControlKey key = session_keys().control;
    const Buffer body{1, 2, 3, 4};
    const Buffer good = seal(keep_alive(), body, key, kFrom, kTo);
    const auto message = wire::ControlMessage::parse(good);
    ASSERT_TRUE(message.ok());
    EXPECT_TRUE(control_tag_ok(key, kFrom, kTo, *message));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        const auto changed = wire::ControlMessage::parse(bytes);
        EXPECT_FALSE(changed.ok() && control_tag_ok(key, kFrom, kTo, *changed)) << "bit " << bit;
    }
}

TEST(Seal, HoldsForItsEndpointsDirectionAndKeyOnly) {
    const ControlKey key = session_keys().control;
    const Buffer bytes = seal(keep_alive(), {}, key, kFrom, kTo);
    const auto message = wire::ControlMessage::parse(bytes);
    ASSERT_TRUE(message.ok());
    EXPECT_FALSE(control_tag_ok(key, kTo, kFrom, *message));
    EXPECT_FALSE(control_tag_ok(key, {Ipv4Address{kRequester.value ^ 1}, kFrom.port}, kTo, *message));
    EXPECT_FALSE(control_tag_ok(key, kFrom, {Ipv4Address{kAcceptor.value ^ 1}, kTo.port}, *message));
    for (int bit = 0; bit < 16; ++bit) {
        const auto flipped = [bit](Endpoint endpoint) {
            return Endpoint{endpoint.address, static_cast<std::uint16_t>(endpoint.port ^ 1U << bit)};
        };
        EXPECT_FALSE(control_tag_ok(key, flipped(kFrom), kTo, *message));
        EXPECT_FALSE(control_tag_ok(key, kFrom, flipped(kTo), *message));
    }
    ControlKey other = key;
    other[31] ^= 1;
    EXPECT_FALSE(control_tag_ok(other, kFrom, kTo, *message));
}

}  // namespace
}  // namespace dyetrace::test
