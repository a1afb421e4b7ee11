// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/node_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/base/result.h"
#include "scenarios/reader/spelling.h"

namespace dyetrace::scenario {
namespace {

/// All names of a larger fabric are too many to compare with.
constexpr int compared_k_most = 8;

/// A kind of node: its word, and the largest of each of its numbers.
struct Family {
    std::string word;
    std::vector<std::uint32_t> last;
};

std::array<Family, 4> families(int k) {
    const auto pods = static_cast<std::uint32_t>(k);
    const std::uint32_t half = pods / 2;
    return {Family{"host", {pods - 1, half - 1, half - 1}}, Family{"edge", {pods - 1, half - 1}},
            Family{"agg", {pods - 1, half - 1}}, Family{"core", {half * half - 1}}};
}

std::string name_of(const std::string& word, const std::vector<std::uint32_t>& numbers) {
    return fmt::format("{}-{}", word, fmt::join(numbers, "-"));
}

/// "agg-9-1" as its word and numbers; nothing where the rest isn't numbers.
std::optional<Family> take_apart(std::string_view name) {
    Family parts;
    parts.word = name.substr(0, name.find('-'));
    for (std::string_view rest = name.substr(parts.word.size()); !rest.empty();) {
        rest.remove_prefix(1);
        const std::string_view digits = rest.substr(0, rest.find('-'));
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
        parts.last.push_back(number);
        rest.remove_prefix(digits.size());
    }
    return parts;
}

/// The nearest family of as many numbers.
const Family* family_of(const Family& written, const std::array<Family, 4>& all) {
    std::vector<std::string> words;
    for (const Family& family : all) {
        if (family.last.size() == written.last.size()) words.push_back(family.word);
    }
    const bool is_long_agg = written.word.starts_with("aggr");
    const auto near = is_long_agg ? std::optional<std::string>("agg") : nearest(written.word, words);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Family& family) {
        return near && family.word == *near && family.last.size() == written.last.size();
    });
    return found == all.end() ? nullptr : &*found;
}

/// "edge-0-0 to edge-0-2"
std::string show_run(const std::vector<FatTreeNode>& nodes, std::size_t begin, std::size_t end) {
    if (end - begin == 1) return to_string(nodes[begin]);
    return to_string(nodes[begin]) + (end - begin == 2 ? ", " : " to ") + to_string(nodes[end - 1]);
}

}  // namespace

Problem unknown_node(std::string_view name, const FatTreeNames& names, int k) {
    Problem problem{fmt::format("there is no node \"{}\" in a fat-tree of k = {}", name, k)};
    const auto all = families(k);
    if (auto written = take_apart(name)) {
        if (const Family* family = family_of(*written, all)) {
            for (std::size_t i = 0; i < family->last.size(); ++i) {
                written->last[i] = std::min(written->last[i], family->last[i]);
            }
            problem.suggestion = fmt::format(
                "did you mean \"{}\"? These names run from {} to {}", name_of(family->word, written->last),
                name_of(family->word, std::vector<std::uint32_t>(family->last.size(), 0)),
                name_of(family->word, family->last));
            return problem;
        }
    }
    if (k <= compared_k_most) problem.suggestion = did_you_mean(name, names.nodes());
    if (problem.suggestion.empty()) {
        std::vector<std::string> last;
        last.reserve(std::size(all));
        for (const Family& family : all)
            last.push_back(name_of(family.word, family.last));
        problem.suggestion = fmt::format(
            "nodes are host-P-E-N, edge-P-N, agg-P-N and core-N, from 0, up to {}", fmt::join(last, ", "));
    }
    return problem;
}

Problem no_link(const FatTreeNode& from, const FatTreeNode& to, const FatTreeNames& names) {
    if (from == to) return {fmt::format("{} has no link to itself", to_string(from)), {}, {}};
    const auto neighbours = names.neighbours(from);
    // Neighbours below come first, then those above: two runs of names at most.
    const auto above = std::find_if(neighbours.begin(), neighbours.end(), [&](const FatTreeNode& node) {
        return node.tier != neighbours.front().tier;
    });
    const auto split = static_cast<std::size_t>(above - neighbours.begin());
    std::string shown = show_run(neighbours, 0, split);
    if (split < neighbours.size()) shown += " and " + show_run(neighbours, split, neighbours.size());
    return {fmt::format("no link joins {} and {}", to_string(from), to_string(to)),
            fmt::format("{} has links to {}", to_string(from), shown),
            {}};
}

}  // namespace dyetrace::scenario
