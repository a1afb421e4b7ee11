// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/crossings.h"

#include <algorithm>
#include <set>
#include <utility>

namespace dyetrace::health {

using localise::Crossing;
using localise::HostPair;
using localise::LinkId;
using localise::NodeId;
using localise::NodeKind;
using localise::PathKey;

std::vector<LinkId> Crossings::links(const Subject& subject) const {
    std::vector<LinkId> links;
    if (subject.is_link()) {
        if (const auto link = graph_.link(subject.from, subject.to)) links.push_back(*link);
        return links;
    }
    const bool is_host = graph_.kind(subject.device) == NodeKind::Host;
    for (const LinkId link : graph_.links_of(subject.device)) {
        if (is_host || graph_.to(link) == subject.device) links.push_back(link);
    }
    return links;
}

Crossing Crossings::sum(const Subject& subject, Time since) const {
    Crossing sum;
    for (const LinkId link : links(subject)) {
        const Crossing one = evidence_.crossing(link, since);
        sum.sent += one.sent;
        sum.lost += one.lost;
    }
    return sum;
}

namespace {

/// Merges lists, each best first: the bests of all, then the seconds; each once.
template <class Item>
std::vector<Item> merge(const std::vector<std::vector<Item>>& lists, std::size_t most) {
    std::vector<Item> merged;
    std::size_t longest = 0;
    for (const auto& list : lists)
        longest = std::max(longest, list.size());
    std::set<Item> seen;
    for (std::size_t rank = 0; rank < longest; ++rank) {
        for (const auto& list : lists) {
            if (rank >= list.size() || merged.size() >= most) continue;
            if (seen.insert(list[rank]).second) merged.push_back(list[rank]);
        }
    }
    return merged;
}

}  // namespace

std::vector<HostPair> Crossings::pairs(const Subject& subject, Time since, std::size_t most) const {
    std::vector<std::vector<HostPair>> lists;
    for (const LinkId link : links(subject))
        lists.push_back(evidence_.pairs_across(link, since, most));
    return lists.size() == 1 ? std::move(lists.front()) : merge(lists, most);
}

std::vector<PathKey> Crossings::paths(const Subject& subject, Time since, std::size_t most) const {
    std::vector<std::vector<PathKey>> lists;
    for (const LinkId link : links(subject))
        lists.push_back(evidence_.paths_across(link, since, most));
    return lists.size() == 1 ? std::move(lists.front()) : merge(lists, most);
}

bool Crossings::is_of_host(const Subject& subject) const {
    const auto is_host = [this](NodeId node) { return graph_.kind(node) == NodeKind::Host; };
    return subject.is_link() ? is_host(subject.from) || is_host(subject.to) : is_host(subject.device);
}

NodeId Crossings::host_of(const Subject& subject) const {
    if (!subject.is_link()) return subject.device;
    return graph_.kind(subject.from) == NodeKind::Host ? subject.from : subject.to;
}

std::string lost_of(const Crossing& crossing, const char* what) {
    return std::to_string(crossing.lost) + " of " + std::to_string(crossing.sent) + " " + what +
           " lost on the way";
}

double rate_of(const Crossing& crossing) {
    return crossing.sent == 0 ? 0 : static_cast<double>(crossing.lost) / static_cast<double>(crossing.sent);
}

}  // namespace dyetrace::health
