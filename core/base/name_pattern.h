// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace dyetrace {

/// Whether a name is meant as a pattern.
constexpr bool is_name_pattern(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
}

/// Whether `name` is what `pattern` says: `*` is any run of characters, `?` any one, all others are
/// themselves. Where the rest differs it goes back to the last `*`, so a comparison takes the product of both
/// lengths at most.
constexpr bool matches_name_pattern(std::string_view pattern, std::string_view name) {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace dyetrace
