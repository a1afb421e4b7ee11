// SPDX-License-Identifier: GPL-2.0-or-later
// The types that values of a scenario have: what is accepted, in which range, and how it is written down.
//
// Each has `Value`, `read` (a value in range, or why not), `name` and `range` for the reference, and `show`,
// which writes a value as it stands in a file.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/document.h"

namespace dyetrace::scenario {

struct DurationType {
    using Value = Duration;
    Duration least;
    Duration most;
    bool or_zero = false;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "duration"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

/// Bits a second.
struct RateType {
    using Value = std::uint64_t;
    std::uint64_t least;
    std::uint64_t most;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "rate"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

/// Bytes.
struct SizeType {
    using Value = std::uint64_t;
    std::uint64_t least;
    std::uint64_t most;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "size"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

/// A share of a whole: a number, or a text with a percent sign.
struct ShareType {
    using Value = double;
    double least = 0;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "share"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

struct IntegerType {
    using Value = std::int64_t;
    std::int64_t least;
    std::int64_t most;
    bool even = false;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "integer"; }
    [[nodiscard]] std::string range() const;
    template <class Integer>
    [[nodiscard]] std::string show(Integer value) const {
        return std::to_string(value);
    }
};

struct BooleanType {
    using Value = bool;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "boolean"; }
    [[nodiscard]] std::string range() const { return "true or false"; }
    [[nodiscard]] std::string show(Value value) const { return value ? "true" : "false"; }
};

struct TextType {
    using Value = std::string;
    std::string_view what;  ///< "node": what kind of name it is
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "text"; }
    [[nodiscard]] std::string range() const { return std::string(what); }
    [[nodiscard]] std::string show(const Value& value) const;
};

struct TextListType {
    using Value = std::vector<std::string>;
    std::string_view what;
    std::size_t most;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "list of texts"; }
    [[nodiscard]] std::string range() const { return std::string(what); }
    [[nodiscard]] std::string show(const Value& value) const;
};

struct IntegerListType {
    using Value = std::vector<std::uint32_t>;
    std::string_view what;
    std::uint32_t least;
    std::uint32_t greatest;
    std::size_t most;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "list of integers"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(const Value& value) const;
};

/// 32 bytes as hexadecimal digits.
struct SecretType {
    using Value = std::array<std::uint8_t, 32>;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "text"; }
    [[nodiscard]] std::string range() const { return "64 hexadecimal digits"; }
    [[nodiscard]] std::string show(const Value& value) const;
};

/// One of a few words.
[[nodiscard]] Result<std::size_t, Problem> read_word(const Node& node, const std::vector<std::string>& words);
/// `"a", "b" or "c"`
[[nodiscard]] std::string show_choices(const std::vector<std::string>& words);

template <class T>
struct ChoiceType {
    using Value = T;
    std::vector<std::pair<std::string, T>> choices;

    [[nodiscard]] Result<Value, Problem> read(const Node& node) const {
        const auto index = read_word(node, words());
        if (!index) return Failure{index.error()};
        return choices[*index].second;
    }
    [[nodiscard]] std::string name() const { return "text"; }
    [[nodiscard]] std::string range() const { return show_choices(words()); }
    [[nodiscard]] std::string show(const Value& value) const {
        for (const auto& [word, choice] : choices) {
            if (choice == value) return '"' + word + '"';
        }
        return "";
    }
    [[nodiscard]] std::vector<std::string> words() const {
        std::vector<std::string> all;
        for (const auto& [word, choice] : choices)
            all.push_back(word);
        return all;
    }
};

}  // namespace dyetrace::scenario
