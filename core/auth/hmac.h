// SPDX-License-Identifier: GPL-2.0-or-later
// HMAC-SHA-256 (RFC 2104, RFC 4231), of which all keys and control tags are made.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "core/base/bytes.h"

namespace dyetrace::auth {

using Digest = std::array<std::uint8_t, 32>;

/// A label among the parts.
inline Bytes text_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Over the parts as if they were one.
Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts);

}  // namespace dyetrace::auth
