// SPDX-License-Identifier: GPL-2.0-or-later
// Routes of which only a set of ways is known.
#include <algorithm>
#include <utility>

#include "core/localise/rolling_evidence.h"

namespace dyetrace::localise {
namespace {

std::vector<LinkId> sorted(std::vector<LinkId> links) {
    std::sort(links.begin(), links.end());
    return links;
}

}  // namespace

/// The route whose first half is what all have in common, and whose second one stands for the set.
std::optional<RouteHalves> RollingEvidence::intern_ways(std::vector<NewChoice> ways) {
    if (ways.size() == 1) return routes_.intern(ways.front().links);
    if (seen_.empty()) seen_.resize(links_.size());
    const auto first = routes_.intern_half(take_common(ways, seen_));
    std::size_t links = sets_.link_count();
    for (const NewChoice& way : ways)
        links += way.links.size();
    if (!first || (links > config_.set_links_most && !sets_.find(ways))) return std::nullopt;
    const PathSetId set = sets_.intern(std::move(ways));
    if (set.value == half_of_set_.size()) {
        const auto half = routes_.add_placeholder();
        half_of_set_.push_back(half.value_or(RouteHalves::kNone));
        if (half) {
            set_of_half_.resize(routes_.half_count(), kNoSet);
            set_of_half_[*half] = set.value;
        }
    }
    const std::uint32_t second = half_of_set_[set.value];
    if (second == RouteHalves::kNone) return std::nullopt;
    if (set_sums_.empty()) set_sums_.resize(links_.size());
    return RouteHalves{*first, second};
}

/// Of `ways`, those that a route which is held allows too.
std::vector<NewChoice> RollingEvidence::fitting(RouteHalves held, std::vector<NewChoice> ways) const {
    std::vector<LinkId> certain;
    routes_.for_each_link(held, [&](LinkId link) { certain.push_back(link); });
    std::vector<std::vector<LinkId>> allowed;
    if (const auto set = set_of(held)) {
        for (std::size_t c = 0; c < sets_.choice_count(*set); ++c) {
            auto& way = allowed.emplace_back(certain);
            const auto links = sets_.choice(*set, c).links;
            way.insert(way.end(), links.begin(), links.end());
        }
    } else {
        allowed.push_back(std::move(certain));
    }
    for (auto& way : allowed)
        way = sorted(std::move(way));
    std::sort(allowed.begin(), allowed.end());
    std::erase_if(ways, [&](const NewChoice& way) {
        return !std::binary_search(allowed.begin(), allowed.end(), sorted(way.links));
    });
    double weight = 0;
    for (const NewChoice& way : ways)
        weight += way.weight;
    for (NewChoice& way : ways)
        way.weight /= weight;
    return ways;
}

void RollingEvidence::route_among(PathId id, Time at, std::vector<NewChoice> ways) {
    if (ways.size() == 1) return route(id, at, ways.front().links);
    Path& path = path_at(id);
    if (!path.route.is_known()) {
        const auto route = intern_ways(std::move(ways));
        if (!route) {
            ++counters_.routes_over_limit;
            return;
        }
        learn_route(path, id.value, *route);
        path.last = at;
        return;
    }
    auto fit = fitting(path.route, ways);
    if (!fit.empty()) {
        // It may have been another of them that was traced: that one of them is held is not confirmed.
        if (!set_of(path.route)) return;
        if (fit.size() == ways_of(id)) {
            path.last = std::max(path.last, at);
        } else if (const auto route = intern_ways(std::move(fit))) {
            narrow(path, id.value, at, *route);
        } else {
            ++counters_.routes_over_limit;
        }
    } else if (at <= path.last) {
        ++counters_.routes_late;
    } else {
        ++counters_.routes_changed;
        const auto route = intern_ways(std::move(ways));
        if (!route) ++counters_.routes_over_limit;
        change_route(path, id.value, at, route.value_or(RouteHalves{}));
    }
}

/// Of the same ways fewer are left: that holds for as long as they were held.
void RollingEvidence::narrow(Path& path, std::uint32_t index, Time at, RouteHalves route) {
    const RouteHalves before = std::exchange(path.route, route);
    path.last = std::max(path.last, at);
    ++floors_moved_;
    ++counters_.routes_narrowed;
    for_each_window(path, index, [&](Kept& kept) {
        if (kept.route != before || Time{kept.start_ns} < path.first) return;
        take_back(kept);
        count(kept, path);
    });
}

void RollingEvidence::count_over_set(PathSetId set, const Kept& kept, std::uint64_t times) {
    const std::uint64_t fingerprint = fingerprint_of(kept);
    for_each_maybe(set, [&](LinkId link, std::size_t c, std::uint64_t parts) {
        SetSum& sum = set_sums_[link.value];
        sum.sent_parts += times * kept.sent * parts;
        sum.lost_parts += times * kept.lost * parts;
        sum.lost += times * kept.lost;
        links_[link.value].fingerprint += times * choice_print(fingerprint, c);
    });
    const auto flow = flows_.try_emplace(flow_key(kept)).first;
    flow->second.windows += times;
    if (kept.lost == 0) flow->second.sent += times * kept.sent;
    if (flow->second.windows == 0) flows_.erase(flow);
}

}  // namespace dyetrace::localise
