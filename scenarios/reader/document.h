// SPDX-License-Identifier: GPL-2.0-or-later
// A TOML document as a tree in which every key and value knows its place. The one file that knows toml++ is
// document.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

struct Entry;
struct Node;

/// Could not be read, and that was told: takes part in nothing, and is not missing either.
struct Unreadable {};
/// A TOML date or time, which no key takes.
struct DateOrTime {};
/// What stood after the `=` of an override. Its type is that of the key.
struct RawText {
    std::string text;
};
struct Table {
    std::vector<Entry> entries;  ///< in no particular order
    [[nodiscard]] Entry* find(std::string_view key);
    [[nodiscard]] const Entry* find(std::string_view key) const;
};
using Array = std::vector<Node>;

struct Node {
    Place place;
    std::variant<Unreadable, bool, std::int64_t, double, std::string, DateOrTime, RawText, Array, Table>
        value;

    template <class T>
    [[nodiscard]] const T* as() const {
        return std::get_if<T>(&value);
    }
    template <class T>
    [[nodiscard]] T* as() {
        return std::get_if<T>(&value);
    }
    /// "a text", "an integer", "a table": for messages.
    [[nodiscard]] std::string_view type_name() const;
};

struct Entry {
    std::string key;
    Place key_place;
    Node node;
};

/// What was read of a text.
struct Document {
    Table root;
    /// False where a syntax error hides so much that to tell what is missing or unknown would mislead.
    bool whole = true;
};

/// Reads TOML 1.0. A syntax error within `key = value` is told, the value becomes Unreadable, and reading
/// goes on.
[[nodiscard]] Document parse_document(const SourceText& source, Diagnostics& diagnostics);

/// Reads one TOML value, such as `["a", "b"]`; an Unreadable node where it isn't one. All places are `place`.
[[nodiscard]] Node parse_value(std::string_view text, const Place& place);

}  // namespace dyetrace::scenario
