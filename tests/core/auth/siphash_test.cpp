// SPDX-License-Identifier: GPL-2.0-or-later
// The track tag is SipHash-2-4: judged by an implementation from the paper that knows nothing of libsodium.
#include <array>
#include <bit>

#include <gtest/gtest.h>

#include "core/auth/keys.h"
#include "core/wire/track_option.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

std::uint64_t little(const std::uint8_t* p, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value |= static_cast<std::uint64_t>(p[i]) << 8 * i;
    return value;
}

/// J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF" (2012), §2.
class SipHash {
  public:
    static std::uint64_t hash(Bytes key, Bytes message) {
        SipHash state(little(key.data(), 8), little(key.data() + 8, 8));
        std::size_t at = 0;
        for (; at + 8 <= message.size(); at += 8)
            state.compress(little(&message[at], 8));
        state.compress(little(message.data() + at, message.size() - at) |
                       static_cast<std::uint64_t>(message.size()) << 56);
        state.v_[2] ^= 0xff;
        state.rounds(4);
        return state.v_[0] ^ state.v_[1] ^ state.v_[2] ^ state.v_[3];
    }

  private:
    SipHash(std::uint64_t k0, std::uint64_t k1)
        : v_{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
             k1 ^ 0x7465646279746573} {}

    void compress(std::uint64_t word) {
        v_[3] ^= word;
        rounds(2);
        v_[0] ^= word;
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) {
            v_[0] += v_[1];
            v_[2] += v_[3];
            v_[1] = std::rotl(v_[1], 13) ^ v_[0];
            v_[3] = std::rotl(v_[3], 16) ^ v_[2];
            v_[0] = std::rotl(v_[0], 32);
            v_[2] += v_[1];
            v_[0] += v_[3];
            v_[1] = std::rotl(v_[1], 17) ^ v_[2];
            v_[3] = std::rotl(v_[3], 21) ^ v_[0];
            v_[2] = std::rotl(v_[2], 32);
        }
    }

    std::array<std::uint64_t, 4> v_;
};

Buffer counting(std::size_t size) {
    Buffer bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

// Appendix A of the paper, and the outermost rows of the table that its authors publish with their code.
TEST(SipHashReference, KnowsItsPublishedVectors) {
    EXPECT_EQ(SipHash::hash(counting(16), counting(15)), 0xa129ca6149be45e5U);
    EXPECT_EQ(SipHash::hash(counting(16), counting(0)), 0x726fdb47dd0e0e31U);
    EXPECT_EQ(SipHash::hash(counting(16), counting(63)), 0x958a324ceb064572U);
}

TEST(TrackTag, IsSipHash24OfFieldsPortAndVni) {
    Random random(42);
    for (int i = 0; i < 1'000; ++i) {
        constexpr std::size_t kFields = wire::TrackOption::kTagOffset - wire::TrackOption::kTaggedOffset;
        const Buffer fields = random_bytes(random, kFields);
        auth::TrackKey key;
        for (auto& byte : key)
            byte = static_cast<std::uint8_t>(random.next());
        const auth::TrackContext context{static_cast<std::uint16_t>(random.next()),
                                         Vni{random.below(1U << 24)}};
        Buffer message = fields;
        message.resize(kFields + 8);
        store_u32(&message[kFields], context.source_port);
        store_u32(&message[kFields + 4], context.vni.value);
        // The tag's bytes travel in the order in which SipHash puts them out: little-endian.
        Buffer tag(8);
        store_u64(tag.data(), auth::track_tag(key, fields, context));
        EXPECT_EQ(little(tag.data(), 8), SipHash::hash(key, message));
    }
}

}  // namespace
}  // namespace dyetrace::test
