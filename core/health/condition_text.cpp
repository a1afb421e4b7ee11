// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/condition_text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace dyetrace::health {
namespace {

// Of the "C" locale, whatever the program's: texts come from anywhere.
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Least number of characters inserted, removed, replaced, or swapped with their neighbour.
std::size_t edits(std::string_view one, std::string_view other) {
    const std::size_t width = other.size() + 1;
    std::vector<std::size_t> table((one.size() + 1) * width);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return table[i * width + j]; };
    for (std::size_t i = 0; i <= one.size(); ++i) {
        for (std::size_t j = 0; j <= other.size(); ++j) {
            if (i == 0 || j == 0) {
                at(i, j) = i + j;
                continue;
            }
            const std::size_t replaced = at(i - 1, j - 1) + (one[i - 1] == other[j - 1] ? 0 : 1);
            at(i, j) = std::min({replaced, at(i - 1, j) + 1, at(i, j - 1) + 1});
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
        }
    }
    return at(one.size(), other.size());
}

}  // namespace

void ConditionLexer::skip_space() {
    for (; at_ < text_.size() && is_space(text_[at_]); ++at_) {
        if (text_[at_] != '\n') continue;
        ++line_;
        line_start_ = at_ + 1;
    }
}

ConditionToken ConditionLexer::next() {
    using Kind = ConditionToken::Kind;
    skip_space();
    ConditionToken token;
    token.line = line_;
    token.column = at_ - line_start_ + 1;
    const std::size_t begin = at_;
    const auto take = [&](Kind kind) {
        token.kind = kind;
        token.text = text_.substr(begin, at_ - begin);
        return token;
    };
    if (at_ >= text_.size()) return token;
    const char first = peek();
    if (is_letter(first)) {
        while (is_letter(peek()) || is_digit(peek()))
            ++at_;
        return take(Kind::Word);
    }
    if (is_digit(first) || (first == '.' && is_digit(peek(1)))) {
        while (is_digit(peek()) || peek() == '.')
            ++at_;
        if (peek() == '%') {
            ++at_;
        } else {
            while (is_letter(peek()))
                ++at_;
        }
        return take(Kind::Number);
    }
    ++at_;
    switch (first) {
        case '(': return take(Kind::Open);
        case ')': return take(Kind::Close);
        case '<':
        case '>':
        case '=':
        case '!':
            if (peek() == '=') ++at_;
            return take(Kind::Sign);
        case '&':
        case '|':
            if (peek() == first) ++at_;
            return take(Kind::Bad);
        default: return take(Kind::Bad);
    }
}

std::string value_text(std::int64_t value, FigureUnit unit) {
    if (unit == FigureUnit::Count) return std::to_string(value);
    if (unit == FigureUnit::Time) {
        static constexpr std::pair<std::int64_t, std::string_view> kUnits[] = {
            {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
        for (const auto& [size, name] : kUnits) {
            if (value != 0 && value % size == 0) return std::to_string(value / size) + std::string(name);
        }
        return std::to_string(value) + "ns";
    }
    constexpr std::int64_t kPercent = 10'000'000;  // parts of 10^9
    std::string text = std::to_string(value / kPercent);
    if (std::int64_t rest = value % kPercent; rest != 0) {
        std::string digits = std::to_string(kPercent + rest).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    return text + '%';
}

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known) {
    std::string_view best;
    std::size_t fewest = word.size() / 3 + 1;  // more than a third of it changed is another word
    if (word.size() > 32) return best;
    for (const std::string_view candidate : known) {
        // A longer name that begins so: "dup" is "duplicated".
        const bool begins = word.size() >= 3 && candidate.starts_with(word);
        const std::size_t count = begins ? 1 : edits(word, candidate);
        if (count > fewest || (count == fewest && !best.empty())) continue;
        fewest = count;
        best = candidate;
    }
    return best;
}

}  // namespace dyetrace::health
