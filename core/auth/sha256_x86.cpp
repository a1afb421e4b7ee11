// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth/sha256_x86.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/result.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace dyetrace::auth::x86 {

#if defined(__x86_64__)

namespace {

constexpr std::size_t kBlock = 64;

// FIPS 180-4 §4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// §5.3.3.
using State = std::array<std::uint32_t, 8>;
constexpr State kInitial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

__m128i* words(std::uint32_t* p) {
    return reinterpret_cast<__m128i*>(p);
}

/// §6.2.2. The instructions want the eight words as (a b e f) and (c d g h), and do two rounds each.
__attribute__((target("sha,sse4.1"))) void compress(State& state, const std::uint8_t* data,
                                                    std::size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(words(state.data())), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words(state.data() + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks > 0; --blocks, data += kBlock) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; ++i) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i), big_endian);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
            const auto* constants = reinterpret_cast<const __m128i*>(kRound.data()) + i;
            const __m128i sum = _mm_add_epi32(w[i % 4], _mm_load_si128(constants));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i >= 12) continue;
            const __m128i newest = w[(i + 3) % 4];
            const __m128i seven_back = _mm_alignr_epi8(newest, w[(i + 2) % 4], 4);
            const __m128i partial = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
            w[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(partial, seven_back), newest);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(words(state.data()), _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(words(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

class Sha256 {
  public:
    void update(Bytes bytes) {
        length_ += bytes.size();
        if (held_ > 0) {
            const std::size_t taken = std::min(bytes.size(), kBlock - held_);
            std::copy_n(bytes.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(held_));
            held_ += taken;
            bytes = bytes.subspan(taken);
            if (held_ < kBlock) return;
            compress(state_, buffer_.data(), 1);
        }
        compress(state_, bytes.data(), bytes.size() / kBlock);
        held_ = bytes.size() % kBlock;
        std::copy_n(bytes.end() - static_cast<std::ptrdiff_t>(held_), held_, buffer_.begin());
    }

    /// §5.1.1: a one, zeros, and the length in bits.
    Digest finish() {
        const std::uint64_t bits = length_ * 8;
        buffer_[held_++] = 0x80;
        if (held_ > kBlock - 8) {
            std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(held_), buffer_.end(), 0);
            compress(state_, buffer_.data(), 1);
            held_ = 0;
        }
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(held_), buffer_.end(), 0);
        store_u64(&buffer_[kBlock - 8], bits);
        compress(state_, buffer_.data(), 1);
        Digest digest{};
        for (std::size_t i = 0; i < state_.size(); ++i)
            store_u32(&digest[4 * i], state_[i]);
        return digest;
    }

  private:
    State state_ = kInitial;
    std::uint64_t length_ = 0;
    std::size_t held_ = 0;  ///< in the buffer
    std::array<std::uint8_t, kBlock> buffer_{};
};

bool ask_processor() {
    constexpr unsigned kSha = 1U << 29, kSse41 = 1U << 19, kSsse3 = 1U << 9;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSse41) == 0 || (c & kSsse3) == 0) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
}

}  // namespace

bool has_sha() {
    static const bool has = ask_processor();
    return has;
}

/// RFC 2104 §2.
Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts) {
    DYETRACE_ASSERT(key.size() <= kBlock);
    std::array<std::uint8_t, kBlock> pad{};
    std::copy(key.begin(), key.end(), pad.begin());
    for (std::uint8_t& byte : pad)
        byte ^= 0x36;
    Sha256 inner;
    inner.update(pad);
    for (const Bytes part : parts)
        inner.update(part);
    const Digest within = inner.finish();
    for (std::uint8_t& byte : pad)
        byte ^= 0x36 ^ 0x5c;
    Sha256 outer;
    outer.update(pad);
    outer.update(within);
    return outer.finish();
}

#else

bool has_sha() {
    return false;
}
Digest hmac_sha256(Bytes /*key*/, std::initializer_list<Bytes> /*parts*/) {
    DYETRACE_ASSERT(false);
    return {};
}

#endif

}  // namespace dyetrace::auth::x86
