// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/utf8.h"

#include <cstdint>

namespace dyetrace::scenario {

std::size_t code_point_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    // RFC 3629 §3: neither longer than need be, nor a surrogate, nor beyond U+10FFFF.
    const std::uint8_t second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return length;
}

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = code_point_length(text.substr(at));
        if (length == 0) return at;
        at += length;
    }
    return std::nullopt;
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        const std::size_t length = code_point_length(text.substr(at));
        at += length == 0 ? 1 : length;
    }
    return count;
}

std::vector<std::string> printable_code_points(std::string_view text) {
    std::vector<std::string> points;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = code_point_length(text.substr(at));
        const auto first = static_cast<std::uint8_t>(text[at]);
        const bool is_c0 = (first < 0x20 && first != '\t') || first == 0x7f;
        const bool is_c1 = length == 2 && first == 0xc2 && static_cast<std::uint8_t>(text[at + 1]) < 0xa0;
        points.emplace_back(length == 0 || is_c0 || is_c1 ? "?" : std::string(text.substr(at, length)));
        at += length == 0 ? 1 : length;
    }
    return points;
}

std::string printable(std::string_view text) {
    std::string shown;
    for (const std::string& point : printable_code_points(text))
        shown += point;
    return shown;
}

}  // namespace dyetrace::scenario
