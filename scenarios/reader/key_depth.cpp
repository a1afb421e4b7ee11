// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/key_depth.h"

#include <algorithm>

namespace dyetrace::scenario {
namespace {

/// Offset behind the text in quotes that begins at `at` (TOML 1.0, "String").
std::size_t skip_quotes(std::string_view toml, std::size_t at) {
    const char quote = toml[at];
    const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
    const bool is_long = toml.substr(at).starts_with(triple);
    at += is_long ? 3 : 1;
    while (at < toml.size()) {
        if (quote == '"' && toml[at] == '\\') {
            at += 2;
        } else if (is_long && toml.substr(at).starts_with(triple)) {
            at += 3;
            // Up to two quotes may stand before the closing three.
            for (int i = 0; i < 2 && at < toml.size() && toml[at] == quote; ++i)
                ++at;
            return at;
        } else if (!is_long && (toml[at] == quote || toml[at] == '\n')) {
            return at + 1;
        } else {
            ++at;
        }
    }
    return toml.size();
}

}  // namespace

std::optional<std::size_t> find_deep_key(std::string_view toml) {
    constexpr std::string_view ends_of_keys = "=,[]{}\n";
    std::size_t dots = 0;
    for (std::size_t at = 0; at < toml.size();) {
        const char c = toml[at];
        if (c == '"' || c == '\'') {
            at = skip_quotes(toml, at);
            continue;
        }
        if (c == '#') {
            at = std::min(toml.find('\n', at), toml.size());
            continue;
        }
        if (ends_of_keys.find(c) != std::string_view::npos) dots = 0;
        if (c == '.' && ++dots >= key_parts_most) return at;
        ++at;
    }
    return std::nullopt;
}

}  // namespace dyetrace::scenario
