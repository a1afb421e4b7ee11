// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace dyetrace::runner {

/// SHA-256 of `text` as 64 hexadecimal digits (FIPS 180-4, by libsodium).
std::string sha256_hex(std::string_view text);

}  // namespace dyetrace::runner
