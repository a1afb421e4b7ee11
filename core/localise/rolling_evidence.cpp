// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/rolling_evidence.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/localise/evidence.h"

namespace dyetrace::localise {

RollingEvidence::RollingEvidence(const FabricGraph& graph, const PathNames& names, RollingConfig config,
                                 Time since)
    : graph_(&graph),
      names_(&names),
      config_(config),
      routes_(config.halves_most),
      epochs_(std::max<std::size_t>(config.epochs_most, 2)),
      oldest_(epoch_of(since.ns)),
      newest_(oldest_),
      cells_(graph.link_count() * epochs_.size()),
      links_(graph.link_count()),
      words_(graph.link_count()),
      told_(config.told) {
    DYETRACE_ASSERT(config.epoch.ns > 0);
}

/// Rounded down, also below zero; far from where arithmetic overflows.
std::int64_t RollingEvidence::epoch_of(std::int64_t ns) const {
    const std::int64_t whole = ns / config_.epoch.ns;
    return std::max(whole - (ns % config_.epoch.ns < 0 ? 1 : 0), kFirstEpoch);
}

RollingEvidence::Path& RollingEvidence::path_at(PathId path) {
    while (paths_.size() <= path.value)
        paths_.emplace_back();
    return paths_[path.value];
}

RollingEvidence::Slot RollingEvidence::take_slot() {
    if (free_ == kNoSlot) {
        slots_.emplace_back();
        return static_cast<Slot>(slots_.size() - 1);
    }
    const Slot slot = free_;
    free_ = slots_[slot].next;
    return slot;
}

std::uint64_t RollingEvidence::fingerprint_of(const Kept& kept) const {
    return mix64(mix64(kept.path + std::uint64_t{1}) ^ static_cast<std::uint64_t>(kept.end_ns));
}

Duration RollingEvidence::floor_of(const Path& path, RouteHalves route) const {
    const auto common = floors_.find(length_of(route));
    return common == floors_.end() ? path.delay_min : std::min(path.delay_min, common->second);
}

/// Counts a window under the route of its path.
void RollingEvidence::count(Kept& kept, const Path& path) {
    kept.route = path.route;
    if (kept.delay_count > 0) {
        const Duration wait = Duration{kept.delay_mean_ns} - floor_of(path, kept.route);
        kept.waited_shortly = std::max(wait, Duration{}) < config_.short_queue;
    }
    newest_ = std::max(newest_, epoch_of(kept.end_ns));
    add_to_sums(kept, 1);
}

void RollingEvidence::take_back(Kept& kept) {
    add_to_sums(kept, ~std::uint64_t{0});
    kept.route = {};
}

/// Adds a window `times` once, or minus once: sums are modulo a power of two.
void RollingEvidence::add_to_sums(const Kept& kept, std::uint64_t times) {
    const std::int64_t ends = epoch_of(kept.end_ns);
    const auto set = set_of(kept.route);
    const std::uint64_t sent = times * kept.sent;
    const auto delays = static_cast<std::uint32_t>(times) * kept.delay_count;
    if (!set) epoch(ends).counted += times;
    const std::uint64_t fingerprint = times * fingerprint_of(kept);
    const Ends hosts = ends_of(kept.route);
    routes_.for_each_link(kept.route, [&](LinkId link) {
        Cell& sum = cell(link, ends);
        if (!set) sum.sent += sent;
        (kept.waited_shortly ? sum.waited_shortly : sum.waited_long) += delays;
        LinkSum& all = links_[link.value];
        all.sent += sent;
        all.lost += times * kept.lost;
        all.fingerprint += fingerprint;
        add_word(words_[link.value], hosts, sent);
    });
    if (set) count_over_set(*set, kept, times);
}

/// Hosts forward nothing for others, so none is between the first link and the last.
RollingEvidence::Ends RollingEvidence::ends_of(RouteHalves route) const {
    const auto one = routes_.half(route.first), other = routes_.half(route.second);
    Ends ends;
    if (one.empty() && other.empty()) return ends;
    const NodeId source = graph_->from(one.empty() ? other.front() : one.front());
    const NodeId target = graph_->to(other.empty() ? one.back() : other.back());
    if (graph_->kind(source) == NodeKind::Host) ends.source = source.value;
    if (graph_->kind(target) == NodeKind::Host) ends.target = target.value;
    return ends;
}

void RollingEvidence::add_word(WordSum& sum, const Ends& ends, std::uint64_t sent) {
    if (ends.source != kNoReporter) sum.by_source[reporter_bucket(NodeId{ends.source})] += sent;
    if (ends.target != kNoReporter) sum.by_target[reporter_bucket(NodeId{ends.target})] += sent;
}

/// Its floor may have changed.
void RollingEvidence::look_at_queue(Kept& kept, const Path& path) {
    if (!kept.route.is_known() || kept.delay_count == 0) return;
    const Duration wait = Duration{kept.delay_mean_ns} - floor_of(path, kept.route);
    const bool shortly = std::max(wait, Duration{}) < config_.short_queue;
    if (shortly == kept.waited_shortly) return;
    kept.waited_shortly = shortly;
    const std::int64_t ends = epoch_of(kept.end_ns);
    routes_.for_each_link(kept.route, [&](LinkId link) {
        Cell& sum = cell(link, ends);
        (shortly ? sum.waited_shortly : sum.waited_long) += kept.delay_count;
        (shortly ? sum.waited_long : sum.waited_shortly) -= kept.delay_count;
    });
}

void RollingEvidence::note_delay(Path& path, std::uint32_t index, Duration delay_min) {
    if (delay_min >= path.delay_min) return;
    const bool is_first = path.delay_min.ns == std::numeric_limits<std::int64_t>::max();
    if (is_first) ++delays_known_;
    path.delay_min = delay_min;
    ++floors_moved_;
    if (!is_first) for_each_window(path, index, [&](Kept& kept) { look_at_queue(kept, path); });
}

/// Whether a window that starts in `for_epoch` can be held; the oldest give way to it.
bool RollingEvidence::make_room(std::int64_t for_epoch) {
    while (held_ >= config_.windows_most) {
        if (oldest_ >= for_epoch) return false;
        const std::size_t before = held_;
        forget_oldest();
        counters_.windows_over_limit += before - held_;
    }
    return true;
}

void RollingEvidence::add(PathId id, const PathWindow& window, Duration delay_min) {
    Path& path = path_at(id);
    if (window.delay_count > 0) note_delay(path, id.value, delay_min);
    const std::int64_t starts = epoch_of(window.start.ns);
    if (starts < oldest_) {
        ++counters_.windows_too_old;
        return;
    }
    if (epoch_of(window.end.ns) - oldest_ >= static_cast<std::int64_t>(epochs_.size())) {
        ++counters_.windows_ahead;
        return;
    }
    if (!make_room(starts)) {
        ++counters_.windows_over_limit;
        return;
    }
    const Slot slot = take_slot();
    Kept& kept = slots_[slot];
    Epoch& group = epoch(starts);
    Slot& list = window.lost > 0 ? group.lossy : group.lossless;
    kept = {window.start.ns,
            window.end.ns,
            window.delay_mean.ns,
            window.sent,
            window.lost,
            window.delay_count,
            id.value,
            {},
            path.newest,
            list,
            true,
            false,
            false};
    list = path.newest = slot;
    ++held_;
    if (window.lost > 0) ++lossy_;
    if (!path.route.is_known()) {
        ++waiting_;
    } else if (window.start < path.first) {
        kept.spanning = true;
        ++counters_.windows_across_change;
    } else {
        count(kept, path);
    }
}

void RollingEvidence::route(PathId id, Time at, std::span<const LinkId> links) {
    Path& path = path_at(id);
    const auto halves = routes_.intern(links);
    if (!halves) ++counters_.routes_over_limit;
    if (halves && path.route == *halves) {
        path.last = std::max(path.last, at);
    } else if (!path.route.is_known()) {
        if (!halves) return;
        learn_route(path, id.value, *halves);
        path.last = at;
    } else if (set_of(path.route) && !fitting(path.route, {{{links.begin(), links.end()}, 1}}).empty()) {
        if (halves) narrow(path, id.value, at, *halves);
    } else if (at <= path.last) {
        ++counters_.routes_late;
    } else {
        ++counters_.routes_changed;
        change_route(path, id.value, at, halves.value_or(RouteHalves{}));
    }
}

/// What waited for it is counted now.
void RollingEvidence::learn_route(Path& path, std::uint32_t index, RouteHalves route) {
    path.route = route;
    ++floors_moved_;
    for_each_window(path, index, [&](Kept& kept) {
        if (kept.spanning || kept.route.is_known()) return;
        --waiting_;
        if (Time{kept.start_ns} >= path.first) return count(kept, path);
        kept.spanning = true;
        ++counters_.windows_across_change;
    });
}

/// Between the last trace of the old route and the first of the new one, nobody knows which it was.
void RollingEvidence::change_route(Path& path, std::uint32_t index, Time at, RouteHalves route) {
    const Time last = path.last;
    path.route = route;
    path.first = path.last = at;
    ++floors_moved_;
    for_each_window(path, index, [&](Kept& kept) {
        if (kept.spanning || Time{kept.end_ns} <= last) return;
        if (kept.route.is_known()) take_back(kept);
        if (Time{kept.start_ns} < at) {
            kept.spanning = true;
            ++counters_.windows_across_change;
        } else if (route.is_known()) {
            count(kept, path);
        } else {
            ++waiting_;
        }
    });
}

void RollingEvidence::restart(PathId id) {
    Path& path = path_at(id);
    for_each_window(path, id.value, [&](Kept& kept) {
        if (!kept.route.is_known() && !kept.spanning) {
            --waiting_;
            kept.spanning = true;  // what it ran on will never be known
        }
        if (set_of(kept.route)) {
            take_back(kept);  // it is nothing without the others of its path
            kept.spanning = true;
        }
        if (kept.route.is_known()) {
            // What it says of its links stands, but nobody's name.
            const std::uint64_t before = fingerprint_of(kept);
            kept.path = kNoPath;
            const std::uint64_t after = fingerprint_of(kept);
            routes_.for_each_link(kept.route,
                                  [&](LinkId link) { links_[link.value].fingerprint += after - before; });
        }
        kept.path = kNoPath;
    });
    if (path.delay_min.ns != std::numeric_limits<std::int64_t>::max()) --delays_known_;
    path = {};
}

void RollingEvidence::forget_list(Slot& first) {
    for (Slot slot = std::exchange(first, kNoSlot); slot != kNoSlot;) {
        Kept& kept = slots_[slot];
        if (kept.route.is_known()) {
            take_back(kept);
        } else if (!kept.spanning) {
            --waiting_;
        }
        kept.live = false;
        --held_;
        if (kept.lost > 0) --lossy_;
        const Slot next = std::exchange(kept.next, free_);
        free_ = slot;
        slot = next;
    }
}

void RollingEvidence::forget_oldest() {
    Epoch& group = epoch(oldest_);
    forget_list(group.lossless);
    forget_list(group.lossy);
    ++oldest_;
}

void RollingEvidence::forget_before(Time since) {
    const std::int64_t until = epoch_of(since.ns);
    while (oldest_ < until && held_ > 0)
        forget_oldest();
    oldest_ = std::max(oldest_, until);
    newest_ = std::max(newest_, oldest_);
    told_.forget_before(since);
    settle_floors();
}

/// Where most paths of a length agree on their smallest delay, one that never saw a short queue is still
/// known to be slow. Looked at again when one in so many paths has news; of very many a sample says enough.
void RollingEvidence::settle_floors() {
    constexpr std::size_t kOneIn = 64;
    constexpr std::size_t kSample = 65'536;
    if (floors_moved_ == 0 || floors_moved_ < delays_known_ / kOneIn) return;
    floors_moved_ = 0;
    std::map<std::size_t, std::vector<Duration>> smallest;  // by number of links
    const std::size_t stride = paths_.size() / kSample + 1;
    for (std::size_t i = 0; i < paths_.size(); i += stride) {
        const Path& path = paths_[i];
        if (!path.route.is_known() || path.delay_min.ns == std::numeric_limits<std::int64_t>::max()) continue;
        smallest[length_of(path.route)].push_back(path.delay_min);
    }
    std::map<std::size_t, Duration> floors;
    bool moved = false;
    for (auto& [length, delays] : smallest) {
        auto floor = common_floor(std::move(delays), config_.floor_tolerance);
        const auto held = floors_.find(length);
        if (floor && held != floors_.end()) {
            const Duration by = *floor - held->second;
            if (std::max(by.ns, -by.ns) < config_.floor_step.ns) floor = held->second;
        }
        if (floor) floors[length] = *floor;
    }
    moved = floors != floors_;
    floors_ = std::move(floors);
    if (!moved) return;
    for (Kept& kept : slots_) {
        if (kept.live && kept.path != kNoPath) look_at_queue(kept, paths_[kept.path]);
    }
}

std::vector<LinkId> RollingEvidence::links_of(PathId id) const {
    std::vector<LinkId> links;
    if (ways_of(id) != 1) return links;
    routes_.for_each_link(paths_[id.value].route, [&](LinkId link) { links.push_back(link); });
    return links;
}

std::size_t RollingEvidence::link_count_of(PathId id) const {
    return ways_of(id) == 0 ? 0 : length_of(paths_[id.value].route);
}

std::size_t RollingEvidence::ways_of(PathId id) const {
    if (id.value >= paths_.size() || !paths_[id.value].route.is_known()) return 0;
    const auto set = set_of(paths_[id.value].route);
    return set ? sets_.choice_count(*set) : 1;
}

RollingEvidence::Traced RollingEvidence::traced(PathId id) const {
    if (id.value >= paths_.size()) return {kBeginning, kBeginning};
    return {paths_[id.value].first, paths_[id.value].last};
}

std::optional<Duration> RollingEvidence::delay_min(PathId id) const {
    if (id.value >= paths_.size()) return std::nullopt;
    const Duration least = paths_[id.value].delay_min;
    if (least.ns == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return least;
}

}  // namespace dyetrace::localise
