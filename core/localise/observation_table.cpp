// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/observation_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/base/random.h"

namespace dyetrace::localise {
namespace {

constexpr UnitIndex kNoUnit = std::numeric_limits<UnitIndex>::max();

std::uint64_t fingerprint_of(const Observation& o) {
    std::uint64_t print = mix64(o.sent) ^ mix64(o.lost + 0x9e3779b97f4a7c15ULL);
    for (const LinkId link : o.path)
        print = mix64(print + link.value + 1);
    if (o.window) print = mix64(print + static_cast<std::uint64_t>(o.window->end.ns));
    return print;
}

/// What a unit carried in one epoch, as it is summed up.
struct Cell {
    std::uint64_t sent = 0;
    std::uint64_t waited_shortly = 0;  ///< packets whose delay is known, of paths with a short queue ..
    std::uint64_t waited_long = 0;     ///< .. and of paths with a long one
};

/// A queue that overflows holds up whatever passes through it. So a path that waited shortly speaks against
/// each of its links; one that waited long may have done so at any of them, and says less.
double burst_factor(const Cell& cell, const LocaliserConfig& config) {
    const double log_factor = config.long_wait_log_factor * static_cast<double>(cell.waited_long) +
                              config.short_wait_log_factor * static_cast<double>(cell.waited_shortly);
    return std::exp(
        std::clamp(log_factor, std::log(config.burst_factor_min), std::log(config.burst_factor_max)));
}

}  // namespace

void ObservationTable::add(const Observation& observation) {
    ++size_;
    const std::uint64_t fingerprint = fingerprint_of(observation);
    for (const LinkId link : observation.path) {
        if (link.value >= carried_.size()) carried_.resize(link.value + std::size_t{1});
        Carried& carried = carried_[link.value];
        carried.fingerprint += fingerprint;
        carried.any = true;
        if (!observation.window) carried.sent += observation.sent;
    }
    if (!observation.window && observation.lost == 0) return;  // nothing but its sum matters
    Kept kept{static_cast<std::uint32_t>(links_.size()),
              static_cast<std::uint32_t>(observation.path.size()),
              observation.sent,
              observation.lost,
              {}};
    links_.insert(links_.end(), observation.path.begin(), observation.path.end());
    if (observation.window) {
        kept.window = *observation.window;
        windowed_.push_back(kept);
    } else {
        lossy_any_time_.push_back(kept);
    }
}

std::span<const LinkId> ObservationTable::path_of(const Kept& kept) const {
    return std::span(links_).subspan(kept.first_link, kept.link_count);
}

/// Units in the order of their first link; the unit of each link.
std::vector<UnitIndex> ObservationTable::make_units(LaidOut& out) const {
    std::vector<UnitIndex> unit_of(carried_.size(), kNoUnit);
    std::map<std::uint64_t, UnitIndex> unit_by_fingerprint;
    for (std::uint32_t link = 0; link < carried_.size(); ++link) {
        if (!carried_[link].any) continue;
        const auto next = static_cast<UnitIndex>(out.unit_links.size());
        const auto [place, added] = unit_by_fingerprint.emplace(carried_[link].fingerprint, next);
        if (added) {
            out.unit_links.emplace_back();
            out.evidence.units.emplace_back();
            out.evidence.units.back().sent_any_time = static_cast<double>(carried_[link].sent);
        }
        unit_of[link] = place->second;
        out.unit_links[place->second].push_back(LinkId{link});
    }
    return unit_of;
}

std::int32_t ObservationTable::Clock::epoch_of(const Window& window) const {
    return static_cast<std::int32_t>((window.end.ns - origin_ns) / epoch_ns);
}

ObservationTable::Clock ObservationTable::make_clock(const LocaliserConfig& config) const {
    Clock clock;
    if (windowed_.empty()) return clock;
    const auto [first, last] =
        std::minmax_element(windowed_.begin(), windowed_.end(),
                            [](const Kept& a, const Kept& b) { return a.window.end < b.window.end; });
    const std::int64_t span = last->window.end.ns - first->window.end.ns;
    clock.origin_ns = first->window.end.ns;
    clock.epoch_ns =
        std::max<std::int64_t>({1, config.epoch.ns, span / static_cast<std::int64_t>(config.max_epochs) + 1});
    clock.epochs = static_cast<std::size_t>(span / clock.epoch_ns) + 1;
    return clock;
}

void ObservationTable::load_epochs(const LocaliserConfig& config, const Clock& clock,
                                   const std::vector<UnitIndex>& unit_of, LaidOut& out) const {
    std::vector<Cell> cells(out.unit_links.size() * clock.epochs);
    for (const Kept& kept : windowed_) {
        const auto epoch = static_cast<std::size_t>(clock.epoch_of(kept.window));
        for (const LinkId link : path_of(kept)) {
            const UnitIndex unit = unit_of[link.value];
            if (out.unit_links[unit].front() != link) continue;  // a unit's links carry the same
            Cell& cell = cells[unit * clock.epochs + epoch];
            cell.sent += kept.sent;
            const bool shortly = kept.window.queueing_mean < config.short_queue;
            (shortly ? cell.waited_shortly : cell.waited_long) += kept.window.delay_count;
        }
    }
    for (UnitIndex unit = 0; unit < out.unit_links.size(); ++unit) {
        for (std::size_t epoch = 0; epoch < clock.epochs; ++epoch) {
            const Cell& cell = cells[unit * clock.epochs + epoch];
            if (cell.sent == 0) continue;
            out.evidence.units[unit].epochs.push_back({static_cast<std::int32_t>(epoch),
                                                       static_cast<double>(cell.sent),
                                                       burst_factor(cell, config)});
        }
    }
}

void ObservationTable::list_lossy(const Clock& clock, const std::vector<UnitIndex>& unit_of,
                                  LaidOut& out) const {
    using Key = std::pair<std::int32_t, std::vector<UnitIndex>>;
    std::map<Key, std::uint64_t> lost;
    const auto take = [&](const Kept& kept, std::int32_t epoch) {
        Key key{epoch, {}};
        for (const LinkId link : path_of(kept))
            key.second.push_back(unit_of[link.value]);
        std::sort(key.second.begin(), key.second.end());
        key.second.erase(std::unique(key.second.begin(), key.second.end()), key.second.end());
        lost[std::move(key)] += kept.lost;
    };
    for (const Kept& kept : lossy_any_time_)
        take(kept, kNoEpoch);
    for (const Kept& kept : windowed_) {
        if (kept.lost > 0) take(kept, clock.epoch_of(kept.window));
    }
    for (const auto& [key, count] : lost) {
        out.evidence.lossy.push_back({static_cast<std::uint32_t>(out.evidence.path_units.size()),
                                      static_cast<std::uint32_t>(key.second.size()), key.first,
                                      static_cast<double>(count)});
        out.evidence.path_units.insert(out.evidence.path_units.end(), key.second.begin(), key.second.end());
    }
}

LaidOut ObservationTable::lay_out(const LocaliserConfig& config) const {
    LaidOut out;
    const auto unit_of = make_units(out);
    const Clock clock = make_clock(config);
    load_epochs(config, clock, unit_of, out);
    list_lossy(clock, unit_of, out);
    out.evidence.last_onset = static_cast<std::int32_t>(clock.epochs) - 1 -
                              static_cast<std::int32_t>(config.steady_min.ns / clock.epoch_ns);
    return out;
}

}  // namespace dyetrace::localise
