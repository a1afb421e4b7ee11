// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/spelling.h"

#include <algorithm>
#include <array>

namespace dyetrace::scenario {
namespace {

constexpr std::size_t longest = 64;

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, longest);
    b = b.substr(0, longest);
    // Three rows of the usual table: the one being filled and the two above it, for swaps.
    std::array<std::array<std::size_t, longest + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        rows[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i - 1) % 3];
        const auto& second_above = rows[(i + 1) % 3];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], second_above[j - 2] + 1);
            }
        }
    }
    return rows[a.size() % 3][b.size()];
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, (std::min(name.size(), longest) + 2) / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = equal_but_case(name, candidate) ? 0 : edit_distance(name, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

bool equal_but_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && starts_with_but_case(a, b);
}

bool starts_with_but_case(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(),
                                                     [](char x, char y) { return lower(x) == lower(y); });
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
    const auto near = nearest(name, candidates);
    return near ? "did you mean \"" + *near + "\"?" : "";
}

}  // namespace dyetrace::scenario
