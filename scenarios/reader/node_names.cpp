// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/node_names.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "scenarios/reader/fabric.h"
#include "scenarios/reader/spelling.h"

namespace dyetrace::scenario {
namespace {

/// Names that are compared with unknown ones, for all of these together: a second's worth.
constexpr std::size_t compared_most = 2'000'000;

std::string name_of(const std::string& word, const std::vector<std::uint32_t>& numbers) {
    return fmt::format("{}-{}", word, fmt::join(numbers, "-"));
}

}  // namespace

/// "agg-9-1" as its word and numbers; nothing where the rest isn't numbers.
std::optional<NodeNames::Family> NodeNames::take_apart(std::string_view name) {
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

void NodeNames::find_families() {
    if (!families_.empty()) return;
    std::map<std::pair<std::string, std::size_t>, std::size_t> places;
    for (const localise::PlannedNode& node : plan_.nodes()) {
        auto parts = take_apart(node.name);
        if (!parts || parts->last.empty()) continue;
        const auto [place, is_new] = places.try_emplace({parts->word, parts->last.size()}, families_.size());
        if (is_new) {
            families_.push_back(*std::move(parts));
            continue;
        }
        auto& last = families_[place->second].last;
        for (std::size_t i = 0; i < last.size(); ++i)
            last[i] = std::max(last[i], parts->last[i]);
    }
}

/// The nearest family of as many numbers.
const NodeNames::Family* NodeNames::family_of(const Family& written) const {
    std::vector<std::string> words;
    for (const Family& family : families_) {
        if (family.last.size() == written.last.size()) words.push_back(family.word);
    }
    const bool is_long_agg = written.word.starts_with("aggr");
    const auto near = is_long_agg ? std::optional<std::string>("agg") : nearest(written.word, words);
    const auto found = std::find_if(families_.begin(), families_.end(), [&](const Family& family) {
        return near && family.word == *near && family.last.size() == written.last.size();
    });
    return found == families_.end() ? nullptr : &*found;
}

std::string NodeNames::like_in_family(std::string_view name) const {
    auto written = take_apart(name);
    if (!written || written->last.empty()) return "";
    const Family* family = family_of(*written);
    if (family == nullptr) return "";
    for (std::size_t i = 0; i < family->last.size(); ++i)
        written->last[i] = std::min(written->last[i], family->last[i]);
    const std::string like = name_of(family->word, written->last);
    const std::string first = name_of(family->word, std::vector<std::uint32_t>(family->last.size(), 0));
    const std::string last = name_of(family->word, family->last);
    // A file's names need not fill their family.
    if (!find(like) || !find(first) || !find(last)) return "";
    return fmt::format("did you mean \"{}\"? These names run from {} to {}", like, first, last);
}

std::string NodeNames::like_any(std::string_view name) {
    compared_ += plan_.nodes().size();
    if (compared_ > compared_most) return "";
    if (names_.empty()) {
        for (const localise::PlannedNode& node : plan_.nodes())
            names_.push_back(node.name);
    }
    return did_you_mean(name, names_);
}

std::string NodeNames::overview() const {
    constexpr std::size_t shown_most = 8;
    if (const std::string patterns = fabric_name_patterns(fabric_.kind); !patterns.empty()) {
        std::vector<std::string> last;
        for (const Family& family : families_)
            last.push_back(name_of(family.word, family.last));
        return fmt::format("nodes are {}, from 0, up to {}", patterns, fmt::join(last, ", "));
    }
    std::vector<std::string> shown;
    for (std::size_t i = plan_.host_count(); i < plan_.nodes().size() && shown.size() < shown_most; ++i)
        shown.push_back(plan_.nodes()[i].name);
    const std::size_t more = plan_.switch_count() - shown.size();
    return fmt::format("its switches are {}{}", fmt::join(shown, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
}

Problem NodeNames::unknown_node(std::string_view name) {
    find_families();
    const bool is_file = !fabric_.file ? false : fabric_name_patterns(fabric_.kind).empty();
    Problem problem{fmt::format("there is no node \"{}\" in {}{}", name, is_file ? "" : "a ",
                                is_file ? *fabric_.file : fabric_words(fabric_))};
    problem.suggestion = like_in_family(name);
    if (problem.suggestion.empty()) problem.suggestion = like_any(name);
    if (problem.suggestion.empty()) problem.suggestion = overview();
    return problem;
}

/// Three and more that are numbered evenly, such as agg-0-1, agg-1-1, agg-2-1.
bool NodeNames::is_run(const std::vector<std::uint32_t>& nodes) const {
    if (nodes.size() < 3) return false;
    const auto first = take_apart(name(nodes.front()));
    if (!first || first->last.empty()) return false;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        const auto parts = take_apart(name(nodes[i]));
        if (!parts || parts->word != first->word || parts->last.size() != first->last.size()) return false;
        if (nodes[i] - nodes[i - 1] != nodes[1] - nodes[0]) return false;
    }
    return true;
}

/// "edge-0-0 to edge-0-2"
std::string NodeNames::show(const std::vector<std::uint32_t>& nodes) const {
    constexpr std::size_t shown_most = 8;
    if (is_run(nodes)) return name(nodes.front()) + " to " + name(nodes.back());
    std::string shown;
    for (std::size_t i = 0; i < nodes.size() && i < shown_most; ++i)
        shown += (i == 0 ? "" : ", ") + name(nodes[i]);
    if (nodes.size() > shown_most) shown += fmt::format(" and {} more", nodes.size() - shown_most);
    return shown;
}

Problem NodeNames::no_link(std::uint32_t from, std::uint32_t to) const {
    if (from == to) return {fmt::format("{} has no link to itself", name(from)), {}, {}};
    // Ports to hosts come first, and one kind of switch after the other.
    std::string shown;
    std::vector<std::uint32_t> peers;
    const auto flush = [&] {
        if (!peers.empty()) shown += (shown.empty() ? "" : " and ") + show(peers);
        peers.clear();
    };
    const localise::PlannedNode& node = plan_.nodes()[from];
    for (std::uint32_t port = node.first_port; port < node.first_port + node.port_count; ++port) {
        const std::uint32_t peer = plan_.ports()[port].peer;
        if (!peers.empty() && plan_.nodes()[peers.front()].tier != plan_.nodes()[peer].tier) flush();
        peers.push_back(peer);
    }
    flush();
    return {fmt::format("no link joins {} and {}", name(from), name(to)),
            fmt::format("{} has links to {}", name(from), shown),
            {}};
}

}  // namespace dyetrace::scenario
