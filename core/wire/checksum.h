// SPDX-License-Identifier: GPL-2.0-or-later
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace dyetrace::wire {

/// Adds the 16-bit words of `bytes` (an odd last byte padded with zero) to `sum`, unfolded.
std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum = 0);

/// Folds an unfolded sum to 16 bits.
constexpr std::uint16_t checksum_fold(std::uint64_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
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
