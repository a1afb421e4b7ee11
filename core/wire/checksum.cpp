// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/checksum.h"

#include <bit>
#include <cstring>

namespace dyetrace::wire {
namespace {

template <class Word>
Word load_native(const std::uint8_t* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

}  // namespace

std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum) {
    // In the machine's own byte order and by wide words: the sum comes out with its bytes in that order too
    // (RFC 1071 §2 (B), (C)). Two independent sums of 32-bit halves cannot overflow below 16 GB.
    const std::uint8_t* p = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t even = 0;
    std::uint64_t odd = 0;
    for (; left >= 16; left -= 16, p += 16) {
        const auto one = load_native<std::uint64_t>(p);
        const auto other = load_native<std::uint64_t>(p + 8);
        even += (one & 0xffffffff) + (other & 0xffffffff);
        odd += (one >> 32) + (other >> 32);
    }
    std::uint64_t native = even + odd;
    for (; left >= 4; left -= 4, p += 4)
        native += load_native<std::uint32_t>(p);
    std::uint32_t last = 0;  // up to three bytes, padded with zeros behind them
    if (left > 0) std::memcpy(&last, p, left);
    std::uint16_t folded = checksum_fold(native + last);
    if constexpr (std::endian::native == std::endian::little)
        folded = static_cast<std::uint16_t>(folded << 8 | folded >> 8);
    return sum + folded;
}

}  // namespace dyetrace::wire
