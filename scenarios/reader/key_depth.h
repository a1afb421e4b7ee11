// SPDX-License-Identifier: GPL-2.0-or-later
// A guard in front of the TOML parser, which makes a table inside a table for every part of a dotted key, and
// takes them apart by recursion: one key of a hundred thousand parts is the end of the stack.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace dyetrace::scenario {

/// Parts that a key of a scenario may have; none has more than three.
constexpr std::size_t key_parts_most = 8;

/// Offset of the dot with which a key gets more than `key_parts_most` parts; nothing where none does. Text in
/// quotes and comments is not looked at. Where the text is no TOML, this agrees with a parser up to the first
/// error.
[[nodiscard]] std::optional<std::size_t> find_deep_key(std::string_view toml);

}  // namespace dyetrace::scenario
