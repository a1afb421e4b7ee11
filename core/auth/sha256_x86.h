// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-256 (FIPS 180-4) by the instructions that x86 processors have for it, several times as fast as in
// words. Every control message, report and health update is hashed whole, twice; libsodium's does not use
// them. Tests hold it against libsodium's and RFC 4231.
#pragma once

#include <initializer_list>

#include "core/auth/hmac.h"

namespace dyetrace::auth::x86 {

/// Whether this processor has them. Without, nothing else in here may be called.
[[nodiscard]] bool has_sha();
/// Precondition: has_sha(), and `key` is of at most 64 bytes.
[[nodiscard]] Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts);

}  // namespace dyetrace::auth::x86
