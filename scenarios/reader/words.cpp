// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/words.h"

#include <algorithm>

#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {

std::vector<Word> words_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::vector<Word> words;
    const std::string_view blank = " \t";
    for (std::size_t at = line.find_first_not_of(blank); at < line.size();
         at = line.find_first_not_of(blank, at)) {
        const std::size_t end = std::min(line.find_first_of(blank, at), line.size());
        const auto column = static_cast<std::uint32_t>(count_code_points(line.substr(0, at)) + 1);
        words.push_back({line.substr(at, end - at), column});
        at = end;
    }
    return words;
}

Place place_of(std::uint32_t line, const Word& word) {
    return {line, word.column, static_cast<std::uint32_t>(count_code_points(word.text)), 0};
}

}  // namespace dyetrace::scenario
