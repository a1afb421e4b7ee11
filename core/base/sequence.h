// SPDX-License-Identifier: GPL-2.0-or-later
// Arithmetic on numbers that wrap (RFC 1982), all of it in this file.
#pragma once

#include <cstdint>

namespace dyetrace {

/// How far `to` lies ahead of `from` on the 32-bit circle; negative when it lies behind.
constexpr std::int32_t sequence_distance(std::uint32_t from, std::uint32_t to) {
    return static_cast<std::int32_t>(to - from);
}

/// The same on the 16-bit circle.
constexpr std::int16_t sequence_distance(std::uint16_t from, std::uint16_t to) {
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(to - from));
}

/// The same on the 8-bit circle.
constexpr std::int8_t sequence_distance(std::uint8_t from, std::uint8_t to) {
    return static_cast<std::int8_t>(static_cast<std::uint8_t>(to - from));
}

}  // namespace dyetrace
