// SPDX-License-Identifier: GPL-2.0-or-later
// Conditions as people write them: words, numbers with units, and what is wrong with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/health/pair_figures.h"

namespace dyetrace::health {

struct ConditionToken {
    enum class Kind : std::uint8_t { End, Word, Number, Sign, Open, Close, Bad };

    Kind kind = Kind::End;
    std::string_view text;  ///< a number with its unit
    std::size_t line = 1;
    std::size_t column = 1;
};

/// Cuts a text into tokens. Never fails: what belongs to none is one of kind `Bad`.
class ConditionLexer {
  public:
    explicit ConditionLexer(std::string_view text) : text_(text) {}
    ConditionToken next();

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    void skip_space();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t line_start_ = 0;
};

/// A value as conditions write it; reads back as the same: "0.5%", "2ms", "100".
std::string value_text(std::int64_t value, FigureUnit unit);

/// What is alike enough to be meant, of `known`; empty where nothing is.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace dyetrace::health
