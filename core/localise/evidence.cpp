// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/evidence.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dyetrace::localise {
namespace {

/// Mean delay of the packets between two records, above `floor`.
Duration mean_queueing(const PathTotals& before, const PathTotals& after, Duration floor) {
    const auto count = static_cast<std::int64_t>(after.delay_count - before.delay_count);
    return std::max((after.delay_sum - before.delay_sum) / count - floor, Duration{});
}

/// The route in force during all of a window; none where it changed meanwhile, and nobody knows when.
template <class Routes>
const typename Routes::value_type* route_during(const Routes& routes, Time start, Time end) {
    const typename Routes::value_type* found = nullptr;
    for (const auto& route : routes) {
        const bool before_the_next = &route == &routes.back() || start < (&route + 1)->first;
        const bool after_the_last = &route == &routes.front() || end > (&route - 1)->last;
        if (!before_the_next || !after_the_last) continue;
        if (found != nullptr) return nullptr;
        found = &route;
    }
    return found;
}

bool crosses(const WindowedObservation& window, LinkId link) {
    return std::find(window.path.begin(), window.path.end(), link) != window.path.end();
}

/// The keys of `sent` with the most traffic first, then by key; at most `most`.
template <class Key>
std::vector<Key> most_first(const std::map<Key, std::uint64_t>& sent, std::size_t most) {
    std::vector<std::pair<std::uint64_t, Key>> ranked;
    ranked.reserve(sent.size());
    for (const auto& [key, packets] : sent)
        ranked.push_back({packets, key});
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    ranked.resize(std::min(ranked.size(), most));
    std::vector<Key> keys;
    for (auto& [packets, key] : ranked)
        keys.push_back(std::move(key));
    return keys;
}

}  // namespace

std::optional<Duration> common_floor(std::vector<Duration> smallest, Duration tolerance) {
    if (smallest.empty()) return std::nullopt;
    std::sort(smallest.begin(), smallest.end());
    const Duration floor = smallest[smallest.size() / 20];  // not the very least: one clock may be wrong
    const auto agree = std::count_if(smallest.begin(), smallest.end(), [&](Duration d) {
        return d >= floor - tolerance && d <= floor + tolerance;
    });
    if (2 * static_cast<std::size_t>(agree) < smallest.size()) return std::nullopt;
    return floor;
}

EvidenceBuilder::EvidenceBuilder(const FabricGraph& graph, EvidenceConfig config)
    : graph_(&graph), config_(config) {}

EvidenceBuilder::Path* EvidenceBuilder::find_or_add(const PathKey& key) {
    const auto place = paths_.find(key);
    if (place != paths_.end()) return &place->second;
    if (paths_.size() >= config_.max_paths) {
        ++counters_.paths_over_limit;
        return nullptr;
    }
    return &paths_[key];
}

void EvidenceBuilder::record(const PathKey& key, Time at, const PathTotals& totals) {
    Path* const path = find_or_add(key);
    if (path == nullptr) return;
    if (at < path->forgotten_before) {
        ++counters_.records_forgotten;
        return;
    }
    auto& records = path->records;
    const auto place = std::lower_bound(records.begin(), records.end(), at,
                                        [](const Record& r, Time t) { return r.at < t; });
    if (place != records.end() && place->at == at) {
        ++(place->totals == totals ? counters_.records_repeated : counters_.records_conflicting);
        return;
    }
    records.insert(place, {at, totals});
    if (records.size() > std::max<std::size_t>(config_.max_records_per_path, 2)) {
        ++counters_.records_over_limit;
        records.erase(records.begin());
        path->forgotten_before = records.front().at;
    }
}

bool EvidenceBuilder::path(const PathKey& key, Time at, std::span<const NodeId> hops) {
    auto links = graph_->links_along(hops);
    if (!links) {
        ++counters_.routes_unknown_link;
        return false;
    }
    Path* const path = find_or_add(key);
    if (path == nullptr) return true;
    auto& routes = path->routes;
    const auto next = std::upper_bound(routes.begin(), routes.end(), at,
                                       [](Time t, const Route& r) { return t < r.first; });
    if (next != routes.begin() && std::prev(next)->links == *links) {
        std::prev(next)->last = std::max(std::prev(next)->last, at);
    } else if (next != routes.end() && next->links == *links) {
        next->first = at;
    } else {
        routes.insert(next, {at, at, std::move(*links)});
    }
    if (routes.size() > std::max<std::size_t>(config_.max_routes_per_path, 1)) {
        ++counters_.routes_over_limit;
        routes.erase(routes.begin());
    }
    return true;
}

void EvidenceBuilder::forget_before(Time since) {
    for (auto& [key, path] : paths_) {
        auto& records = path.records;
        auto keep = std::upper_bound(records.begin(), records.end(), since,
                                     [](Time t, const Record& r) { return t < r.at; });
        if (keep == records.begin()) continue;
        records.erase(records.begin(), std::prev(keep));
        path.forgotten_before = records.front().at;
    }
}

EvidenceBuilder::Floors EvidenceBuilder::delay_floors() const {
    std::map<std::size_t, std::vector<Duration>> smallest;  // by number of links
    for (const auto& [key, path] : paths_) {
        if (path.routes.empty() || path.records.empty()) continue;
        const PathTotals& totals = path.records.back().totals;
        if (totals.delay_count > 0) smallest[path.routes.back().links.size()].push_back(totals.delay_min);
    }
    Floors floors;
    for (auto& [links, delays] : smallest) {
        if (const auto floor = common_floor(std::move(delays), config_.floor_tolerance))
            floors[links] = *floor;
    }
    return floors;
}

void EvidenceBuilder::windows_of(const PathKey& key, const Path& path, Time since, Time until,
                                 const Floors& floors, std::vector<WindowedObservation>& out) const {
    const bool from_the_beginning = path.forgotten_before == kBeginning;
    const Record nothing{
        Time{path.records.empty() ? 0 : path.records.front().at.ns - config_.first_window.ns}, {}};
    const Record* before = from_the_beginning ? &nothing : nullptr;
    for (const Record& record : path.records) {
        const Record* const start = std::exchange(before, &record);
        if (start == nullptr || start->at < since || record.at > until) continue;
        if (record.totals.sent <= start->totals.sent || record.totals.received < start->totals.received)
            continue;
        const Route* const route = route_during(path.routes, start->at, record.at);
        if (route == nullptr) continue;
        WindowedObservation window{&key, route->links, record.totals.sent - start->totals.sent, 0, {}};
        const std::uint64_t received = record.totals.received - start->totals.received;
        window.lost = window.sent - std::min(window.sent, received);
        window.window = {start->at, record.at, 0, {}};
        const auto common = floors.find(route->links.size());
        const Duration own = path.records.back().totals.delay_min;
        const Duration floor = common == floors.end() ? own : std::min(own, common->second);
        if (record.totals.delay_count > start->totals.delay_count) {
            window.window.delay_count = record.totals.delay_count - start->totals.delay_count;
            window.window.queueing_mean = mean_queueing(start->totals, record.totals, floor);
        }
        out.push_back(window);
    }
}

std::vector<WindowedObservation> EvidenceBuilder::windows(Time since, Time until) const {
    std::vector<WindowedObservation> out;
    const Floors floors = delay_floors();
    for (const auto& [key, path] : paths_)
        windows_of(key, path, since, until, floors, out);
    return out;
}

std::size_t EvidenceBuilder::feed(Localiser& localiser, Time since, Time until) const {
    const auto all = windows(since, until);
    for (const auto& w : all)
        localiser.add({w.path, w.sent, w.lost, w.window});
    return all.size();
}

Verdict EvidenceBuilder::infer(const LocaliserConfig& config, Time since) const {
    Localiser localiser(*graph_, config);
    feed(localiser, since);
    return localiser.infer();
}

Crossing EvidenceBuilder::crossing(LinkId link, Time since) const {
    Crossing sum;
    for (const auto& window : windows(since)) {
        if (!crosses(window, link)) continue;
        sum.sent += window.sent;
        sum.lost += window.lost;
    }
    return sum;
}

std::vector<HostPair> EvidenceBuilder::pairs_across(LinkId link, Time since, std::size_t most) const {
    std::map<HostPair, std::uint64_t> sent;
    for (const auto& window : windows(since)) {
        if (crosses(window, link)) sent[{window.key->requester, window.key->acceptor}] += window.sent;
    }
    return most_first(sent, most);
}

std::vector<PathKey> EvidenceBuilder::paths_across(LinkId link, Time since, std::size_t most) const {
    std::map<PathKey, std::uint64_t> sent;
    for (const auto& window : windows(since)) {
        if (crosses(window, link)) sent[*window.key] += window.sent;
    }
    return most_first(sent, most);
}

namespace {

/// Sums over windows of what is `wanted`: paths, or pairs.
template <class Wanted>
Crossing sum_of(const std::vector<WindowedObservation>& windows, std::span<const Wanted> wanted) {
    Crossing sum;
    for (const auto& window : windows) {
        if (!is_among(wanted, *window.key)) continue;
        sum.sent += window.sent;
        sum.lost += window.lost;
    }
    return sum;
}

}  // namespace

Crossing EvidenceBuilder::carried(std::span<const PairPath> paths, Time since) const {
    return sum_of(windows(since), paths);
}

Crossing EvidenceBuilder::carried_between(std::span<const HostPair> pairs, Time since) const {
    return sum_of(windows(since), pairs);
}

std::size_t EvidenceBuilder::paths_waiting() const {
    return static_cast<std::size_t>(std::count_if(paths_.begin(), paths_.end(), [](const auto& entry) {
        return entry.second.routes.empty() && !entry.second.records.empty();
    }));
}

}  // namespace dyetrace::localise
