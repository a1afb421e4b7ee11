// SPDX-License-Identifier: GPL-2.0-or-later
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"

namespace dyetrace::wire {

/// Folds an unfolded sum to 16 bits, in two steps: both halves are added at once, and the upper one takes the
/// carry of the lower, which is the end-around carry.
constexpr std::uint16_t checksum_fold(std::uint64_t sum) {
    const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
    return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

/// Whether the checksum of an IPv4 header of 20 bytes is right: they sum to ones. In the machine's own byte
/// order, as ones are ones in either (RFC 1071 §2 (B)); by words as engines write them, since a look at bytes
/// that were just written in other words waits for them.
inline bool is_ipv4_sum_right(const std::uint8_t* header) {
    std::uint64_t first = 0;
    std::uint32_t second = 0;
    std::uint64_t addresses = 0;
    std::memcpy(&first, header, sizeof first);
    std::memcpy(&second, header + 8, sizeof second);
    std::memcpy(&addresses, header + 12, sizeof addresses);
    const auto low = [](std::uint64_t word) { return word & 0xffffffff; };
    const std::uint64_t native = low(first) + (first >> 32) + second + low(addresses) + (addresses >> 32);
    return checksum_fold(native) == 0xffff;
}

constexpr std::size_t kChecksumBlock = 64;
/// The sum of 32-bit words in the machine's own byte order. Cannot overflow below 16 GB.
std::uint64_t native_sum_of_blocks(const std::uint8_t* p, std::size_t blocks);

/// Adds the 16-bit words of `bytes` (an odd last byte padded with zero) to `sum`, unfolded.
inline std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum = 0) {
    // In the machine's own byte order and by wide words: the sum comes out with its bytes in that order too
    // (RFC 1071 §2 (B), (C)).
    const std::uint8_t* p = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t native = 0;
    if (left >= kChecksumBlock) {
        native = native_sum_of_blocks(p, left / kChecksumBlock);
        p += left / kChecksumBlock * kChecksumBlock;
        left %= kChecksumBlock;
    }
    std::uint32_t word = 0;
    for (; left >= sizeof word; left -= sizeof word, p += sizeof word) {
        std::memcpy(&word, p, sizeof word);
        native += word;
    }
    std::uint8_t last[sizeof word] = {};  // up to three bytes, padded with zeros behind them
    for (std::size_t i = 0; i < left; ++i)
        last[i] = p[i];
    std::memcpy(&word, last, sizeof word);
    std::uint16_t folded = checksum_fold(native + word);
    if constexpr (std::endian::native == std::endian::little)
        folded = static_cast<std::uint16_t>(folded << 8 | folded >> 8);
    return sum + folded;
}

/// Folds an unfolded sum and complements it: the value of a checksum field.
constexpr std::uint16_t checksum_finish(std::uint64_t sum) {
    return static_cast<std::uint16_t>(~checksum_fold(sum));
}

/// What a folded sum of bytes that began at an even offset contributes where they begin at `offset`: at an
/// odd one each byte is the other half of its word (RFC 1071 §2 (B)).
constexpr std::uint16_t checksum_at(std::uint16_t sum, std::size_t offset) {
    return offset % 2 == 0 ? sum : static_cast<std::uint16_t>(sum << 8 | sum >> 8);
}

/// A checksum field's new value after one 16-bit word it covers changed (RFC 1624 §3, equation 3).
constexpr std::uint16_t checksum_update(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
    return checksum_finish(static_cast<std::uint64_t>(static_cast<std::uint16_t>(~checksum)) +
                           static_cast<std::uint16_t>(~before) + after);
}

}  // namespace dyetrace::wire
