// SPDX-License-Identifier: GPL-2.0-or-later
// One name in two spellings.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace dyetrace::runner {

/// "path_count": "PathCount"
inline std::string camel_case(std::string_view snake_case) {
    std::string text;
    bool begins = true;
    for (const char c : snake_case) {
        if (c == '_') {
            begins = true;
            continue;
        }
        text += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        begins = false;
    }
    return text;
}

}  // namespace dyetrace::runner
