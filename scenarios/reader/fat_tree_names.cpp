// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/fat_tree_names.h"

#include <charconv>

#include <fmt/format.h>

#include "core/base/result.h"

namespace dyetrace::scenario {
namespace {

/// Reads "-0-12" into numbers; nothing unless there are exactly `count`, each without leading zeros.
std::optional<std::vector<std::uint32_t>> read_numbers(std::string_view text, std::size_t count) {
    std::vector<std::uint32_t> numbers;
    while (!text.empty()) {
        if (text.front() != '-' || numbers.size() == count) return std::nullopt;
        text.remove_prefix(1);
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const auto length = static_cast<std::size_t>(end - text.data());
        if (error != std::errc() || (length > 1 && text.front() == '0')) return std::nullopt;
        numbers.push_back(number);
        text.remove_prefix(length);
    }
    if (numbers.size() != count) return std::nullopt;
    return numbers;
}

}  // namespace

std::string to_string(const FatTreeNode& node) {
    switch (node.tier) {
        case FatTreeTier::Host: return fmt::format("host-{}-{}-{}", node.pod, node.rack, node.number);
        case FatTreeTier::Edge: return fmt::format("edge-{}-{}", node.pod, node.number);
        case FatTreeTier::Aggregation: return fmt::format("agg-{}-{}", node.pod, node.number);
        case FatTreeTier::Core: return fmt::format("core-{}", node.number);
    }
    DYETRACE_ASSERT(false);
}

FatTreeNames::FatTreeNames(std::uint32_t k) : k_(k), half_(k / 2) {
    DYETRACE_ASSERT(k >= 2 && k % 2 == 0);
}

std::optional<FatTreeNode> FatTreeNames::find(std::string_view name) const {
    const std::string_view word = name.substr(0, name.find('-'));
    const std::string_view rest = name.substr(word.size());
    if (word == "host") {
        const auto numbers = read_numbers(rest, 3);
        if (!numbers || (*numbers)[0] >= k_ || (*numbers)[1] >= half_ || (*numbers)[2] >= half_)
            return std::nullopt;
        return FatTreeNode{FatTreeTier::Host, (*numbers)[0], (*numbers)[1], (*numbers)[2]};
    }
    if (word == "edge" || word == "agg") {
        const auto numbers = read_numbers(rest, 2);
        if (!numbers || (*numbers)[0] >= k_ || (*numbers)[1] >= half_) return std::nullopt;
        return FatTreeNode{word == "edge" ? FatTreeTier::Edge : FatTreeTier::Aggregation, (*numbers)[0], 0,
                           (*numbers)[1]};
    }
    if (word == "core") {
        const auto numbers = read_numbers(rest, 1);
        if (!numbers || (*numbers)[0] >= half_ * half_) return std::nullopt;
        return FatTreeNode{FatTreeTier::Core, 0, 0, (*numbers)[0]};
    }
    return std::nullopt;
}

bool FatTreeNames::is_cable(const FatTreeNode& below, const FatTreeNode& above) const {
    switch (below.tier) {
        case FatTreeTier::Host:
            return above.tier == FatTreeTier::Edge && above.pod == below.pod && above.number == below.rack;
        case FatTreeTier::Edge: return above.tier == FatTreeTier::Aggregation && above.pod == below.pod;
        case FatTreeTier::Aggregation:
            return above.tier == FatTreeTier::Core && above.number / half_ == below.number;
        case FatTreeTier::Core: return false;
    }
    DYETRACE_ASSERT(false);
}

bool FatTreeNames::is_link(const FatTreeNode& from, const FatTreeNode& to) const {
    return is_cable(from, to) || is_cable(to, from);
}

std::vector<FatTreeNode> FatTreeNames::neighbours(const FatTreeNode& node) const {
    std::vector<FatTreeNode> found;
    const auto add = [&](FatTreeTier tier, std::uint32_t pod, std::uint32_t rack, std::uint32_t number) {
        found.push_back({tier, pod, rack, number});
    };
    if (node.tier == FatTreeTier::Core) {
        for (std::uint32_t pod = 0; pod < k_; ++pod)
            add(FatTreeTier::Aggregation, pod, 0, node.number / half_);
        return found;
    }
    if (node.tier == FatTreeTier::Host) {
        add(FatTreeTier::Edge, node.pod, 0, node.rack);
        return found;
    }
    const bool is_edge = node.tier == FatTreeTier::Edge;
    for (std::uint32_t i = 0; i < half_; ++i) {
        is_edge ? add(FatTreeTier::Host, node.pod, node.number, i) : add(FatTreeTier::Edge, node.pod, 0, i);
    }
    for (std::uint32_t i = 0; i < half_; ++i) {
        is_edge ? add(FatTreeTier::Aggregation, node.pod, 0, i)
                : add(FatTreeTier::Core, 0, 0, node.number * half_ + i);
    }
    return found;
}

std::vector<FatTreeNode> FatTreeNames::all() const {
    std::vector<FatTreeNode> found;
    found.reserve(host_count() + switch_count());
    for (std::uint32_t pod = 0; pod < k_; ++pod) {
        for (std::uint32_t rack = 0; rack < half_; ++rack) {
            for (std::uint32_t host = 0; host < half_; ++host)
                found.push_back({FatTreeTier::Host, pod, rack, host});
        }
    }
    for (const FatTreeTier tier : {FatTreeTier::Edge, FatTreeTier::Aggregation}) {
        for (std::uint32_t pod = 0; pod < k_; ++pod) {
            for (std::uint32_t number = 0; number < half_; ++number)
                found.push_back({tier, pod, 0, number});
        }
    }
    for (std::uint32_t number = 0; number < half_ * half_; ++number)
        found.push_back({FatTreeTier::Core, 0, 0, number});
    return found;
}

std::vector<std::string> FatTreeNames::nodes() const {
    std::vector<std::string> names;
    names.reserve(host_count() + switch_count());
    for (const FatTreeNode& node : all())
        names.push_back(to_string(node));
    return names;
}

std::vector<std::pair<std::string, std::string>> FatTreeNames::links() const {
    std::vector<std::pair<std::string, std::string>> found;
    found.reserve(link_count());
    for (const FatTreeNode& node : all()) {
        for (const FatTreeNode& neighbour : neighbours(node))
            found.emplace_back(to_string(node), to_string(neighbour));
    }
    return found;
}

}  // namespace dyetrace::scenario
