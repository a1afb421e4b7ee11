// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/checksum.h"

namespace dyetrace::wire {

std::uint64_t native_sum_of_blocks(const std::uint8_t* p, std::size_t blocks) {
    // Two words a vector, which every 64-bit machine has. The halves of all words must be summed apart, lest
    // a carry is lost; the low ones come for nothing: low = all - high * 2^32, modulo 2^64, and no such sum
    // exceeds that.
    using Words = std::uint64_t __attribute__((vector_size(16)));
    Words all[2] = {};
    Words high[2] = {};
    for (; blocks > 0; --blocks, p += kChecksumBlock) {
        for (std::size_t i = 0; i < kChecksumBlock / sizeof(Words); ++i) {
            Words words;
            std::memcpy(&words, p + i * sizeof words, sizeof words);
            all[i % 2] += words;
            high[i % 2] += words >> 32;
        }
    }
    const Words sum = all[0] + all[1];
    const Words above = high[0] + high[1];
    const std::uint64_t high_sum = above[0] + above[1];
    return sum[0] + sum[1] - (high_sum << 32) + high_sum;
}

}  // namespace dyetrace::wire
