// SPDX-License-Identifier: GPL-2.0-or-later
// Words of a line, for the files that are made of such.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

struct Word {
    std::string_view text;
    std::uint32_t column = 0;  ///< from 1, in code points
};

/// What blanks and tabs keep apart, up to a `#`.
[[nodiscard]] std::vector<Word> words_of(std::string_view line);
[[nodiscard]] Place place_of(std::uint32_t line, const Word& word);

}  // namespace dyetrace::scenario
