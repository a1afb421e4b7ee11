// SPDX-License-Identifier: GPL-2.0-or-later
// UTF-8 (RFC 3629) as far as messages need it: where it is broken, and text that a terminal shows as it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dyetrace::scenario {

/// Bytes of the code point that `text` begins with; 0 where that is no valid UTF-8, or `text` is empty.
[[nodiscard]] std::size_t code_point_length(std::string_view text);
/// Offset of the first byte that isn't valid; nothing where all are.
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);
/// Code points; a byte that isn't valid counts as one.
[[nodiscard]] std::size_t count_code_points(std::string_view text);

/// Each code point as it can be shown: control characters but the tab, and broken bytes, become '?'.
[[nodiscard]] std::vector<std::string> printable_code_points(std::string_view text);
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace dyetrace::scenario
