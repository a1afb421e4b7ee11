// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/reference.h"

#include <string_view>

#include <fmt/format.h>

#include "scenarios/reader/schema.h"

namespace dyetrace::scenario {
namespace {

/// As code where it stands so in a file, in words otherwise.
std::string shown_default(const KeyInfo& key) {
    if (key.is_required()) return "**required**";
    const bool is_value = key.fallback.find(' ') == std::string::npos && key.fallback != "never";
    return is_value ? fmt::format("`{}`", key.fallback) : key.fallback;
}

}  // namespace

std::string reference_markdown() {
    std::string text;
    for (const TableInfo& table : schema()) {
        if (!text.empty()) text += "\n";
        text += fmt::format("### `{}`\n\n{}\n\n", table.header(), table.meaning);
        text += "| key | type | allowed | default | meaning |\n|---|---|---|---|---|\n";
        for (const KeyInfo& key : table.keys) {
            text += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, key.type, key.range,
                                shown_default(key), key.meaning);
        }
    }
    return text;
}

}  // namespace dyetrace::scenario
