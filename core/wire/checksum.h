// SPDX-License-Identifier: GPL-2.0-or-later
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace dyetrace::wire {

/// Adds the 16-bit words of `bytes` (an odd last byte padded with zero) to `sum`, unfolded.
std::uint64_t checksum_add(Bytes bytes, std::uint64_t sum = 0);

/// Folds an unfolded sum and complements it: the value of a checksum field.
constexpr std::uint16_t checksum_finish(std::uint64_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// A checksum field's new value after one 16-bit word it covers changed (RFC 1624 §3, equation 3).
constexpr std::uint16_t checksum_update(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
    return checksum_finish(static_cast<std::uint64_t>(static_cast<std::uint16_t>(~checksum)) +
                           static_cast<std::uint16_t>(~before) + after);
}

}  // namespace dyetrace::wire
