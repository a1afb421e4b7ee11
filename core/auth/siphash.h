// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF", 2012) of 64-bit words.
//
// The data path's own beside libsodium's, since the words of a tag are in registers already: put into memory
// and read again for a library call they come back late (docs/performance.md). A test holds it against
// libsodium.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace dyetrace::auth {

class SipHash {
  public:
    static constexpr std::size_t kKeySize = 16;

    explicit SipHash(const std::array<std::uint8_t, kKeySize>& key) {
        const std::uint64_t low = __builtin_bswap64(load_u64(&key[0]));
        const std::uint64_t high = __builtin_bswap64(load_u64(&key[8]));
        v0_ = low ^ 0x736f6d6570736575ULL;
        v1_ = high ^ 0x646f72616e646f6dULL;
        v2_ = low ^ 0x6c7967656e657261ULL;
        v3_ = high ^ 0x7465646279746573ULL;
    }

    /// The next 8 bytes, as a big-endian number.
    void add(std::uint64_t bytes) {
        add_little(__builtin_bswap64(bytes));
        ++words_;
    }
    /// Of all that was added. Its first byte is the highest.
    std::uint64_t finish() {
        add_little(words_ * 8 << 56);  // the length modulo 256, behind no odd bytes
        v2_ ^= 0xff;
        for (int i = 0; i < 4; ++i)
            round();
        return __builtin_bswap64(v0_ ^ v1_ ^ v2_ ^ v3_);
    }

  private:
    void add_little(std::uint64_t word) {
        v3_ ^= word;
        round();
        round();
        v0_ ^= word;
    }
    void round() {
        v0_ += v1_;
        v2_ += v3_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v1_;
        v0_ += v3_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ = std::rotl(v2_, 32);
    }

    std::uint64_t v0_;
    std::uint64_t v1_;
    std::uint64_t v2_;
    std::uint64_t v3_;
    std::uint64_t words_ = 0;
};

}  // namespace dyetrace::auth
