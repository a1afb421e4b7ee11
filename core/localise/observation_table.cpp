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
    if (o.set) print = mix64(print + o.set->value);
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

ObservationTable::Carried& ObservationTable::carried(LinkId link) {
    if (link.value >= carried_.size()) carried_.resize(link.value + std::size_t{1});
    return carried_[link.value];
}

void ObservationTable::add(const Observation& observation, Ends ends) {
    ++size_;
    const std::uint64_t fingerprint = fingerprint_of(observation);
    for (const LinkId link : observation.path) {
        Carried& sum = carried(link);
        sum.fingerprint += fingerprint;
        sum.any = true;
        if (!observation.window) sum.sent += observation.sent;
        if (ends.source != kNoReporter)
            sum.by_source[reporter_bucket(NodeId{ends.source})] += observation.sent;
        if (ends.target != kNoReporter)
            sum.by_target[reporter_bucket(NodeId{ends.target})] += observation.sent;
    }
    if (observation.set) {
        const SetIndex set = observation.set->value;
        if (set >= set_prints_.size()) set_prints_.resize(set + std::size_t{1});
        set_prints_[set] += fingerprint | 1;
        if (!observation.window && observation.lost == 0) {
            lossless_.push_back({set, observation.sent});
            return;
        }
    }
    if (!observation.window && observation.lost == 0) return;  // nothing but its sum matters
    Kept kept;
    kept.first_link = static_cast<std::uint32_t>(links_.size());
    kept.link_count = static_cast<std::uint32_t>(observation.path.size());
    kept.sent = observation.sent;
    kept.lost = observation.lost;
    if (observation.set) kept.set = observation.set->value;
    kept.ends = ends;
    links_.insert(links_.end(), observation.path.begin(), observation.path.end());
    if (observation.window) {
        kept.window = *observation.window;
        windowed_.push_back(kept);
    } else {
        lossy_any_time_.push_back(kept);
    }
}

// What is known of one link alone tells it from all others.
void ObservationTable::add_counter(LinkId link, std::uint64_t sent, std::uint64_t lost) {
    Carried& sum = carried(link);
    sum.fingerprint += mix64(link.value ^ 0xc0437e500000000ULL);
    sum.any = true;
    counters_.push_back({link, sent, lost});
}

void ObservationTable::conclude(LinkId link, double log_odds, double loss_rate) {
    Carried& sum = carried(link);
    if (link_conclusions_.find(link) == link_conclusions_.end())
        sum.fingerprint += mix64(link.value ^ 0xc04c105e00000000ULL);
    sum.any = true;
    link_conclusions_[link].add(log_odds, loss_rate);
}

void ObservationTable::conclude(NodeId device, double log_odds) {
    if (device.value >= device_conclusions_.size()) device_conclusions_.resize(device.value + std::size_t{1});
    device_conclusions_[device.value] += log_odds;
}

std::span<const LinkId> ObservationTable::path_of(const Kept& kept) const {
    return std::span(links_).subspan(kept.first_link, kept.link_count);
}

/// Units in the order of their first link; the unit of each link.
std::vector<UnitIndex> ObservationTable::make_units(LaidOut& out, const PathSets* sets) const {
    std::vector<Carried> carried = carried_;
    for (SetIndex set = 0; set < set_prints_.size(); ++set) {
        if (set_prints_[set] == 0) continue;
        for (std::size_t c = 0; c < sets->choice_count(PathSetId{set}); ++c) {
            for (const LinkId link : sets->choice(PathSetId{set}, c).links) {
                if (link.value >= carried.size()) carried.resize(link.value + std::size_t{1});
                carried[link.value].fingerprint += mix64(set_prints_[set] + c);
                carried[link.value].any = true;
            }
        }
    }
    std::vector<UnitIndex> unit_of(carried.size(), kNoUnit);
    std::map<std::uint64_t, UnitIndex> unit_by_fingerprint;
    for (std::uint32_t link = 0; link < carried.size(); ++link) {
        if (!carried[link].any) continue;
        const auto next = static_cast<UnitIndex>(out.unit_links.size());
        const auto [place, added] = unit_by_fingerprint.emplace(carried[link].fingerprint, next);
        if (added) {
            out.unit_links.emplace_back();
            UnitEvidence& unit = out.evidence.units.emplace_back();
            unit.sent_any_time = static_cast<double>(carried[link].sent);
            for (std::size_t b = 0; b < kReporterBuckets; ++b) {
                unit.sent_by_source[b] = static_cast<double>(carried[link].by_source[b]);
                unit.sent_by_target[b] = static_cast<double>(carried[link].by_target[b]);
            }
        }
        unit_of[link] = place->second;
        out.unit_links[place->second].push_back(LinkId{link});
    }
    return unit_of;
}

/// Every set, so that indices stay the same; only the choices of those that were used.
void ObservationTable::lay_out_sets(const PathSets& sets, const std::vector<UnitIndex>& unit_of,
                                    LaidOut& out) const {
    Evidence& evidence = out.evidence;
    evidence.sets.resize(set_prints_.size());
    std::vector<UnitIndex> units;
    for (SetIndex set = 0; set < set_prints_.size(); ++set) {
        if (set_prints_[set] == 0) continue;
        const std::size_t count = sets.choice_count(PathSetId{set});
        evidence.sets[set] = {static_cast<std::uint32_t>(evidence.choices.size()),
                              static_cast<std::uint32_t>(count)};
        for (std::size_t c = 0; c < count; ++c) {
            const Choice choice = sets.choice(PathSetId{set}, c);
            units.clear();
            for (const LinkId link : choice.links)
                units.push_back(unit_of[link.value]);
            std::sort(units.begin(), units.end());
            units.erase(std::unique(units.begin(), units.end()), units.end());
            evidence.choices.push_back({static_cast<std::uint32_t>(evidence.choice_units.size()),
                                        static_cast<std::uint32_t>(units.size()), choice.weight});
            evidence.choice_units.insert(evidence.choice_units.end(), units.begin(), units.end());
        }
    }
}

void ObservationTable::list_lossless(const Clock& clock, LaidOut& out) const {
    std::map<std::pair<std::int32_t, SetSent>, double> flows;
    std::vector<SetSent> any_time = lossless_;
    std::sort(any_time.begin(), any_time.end());
    for (const SetSent& flow : any_time) {
        auto& list = out.evidence.lossless;
        if (!list.empty() && list.back().set == flow.set &&
            list.back().sent == static_cast<double>(flow.sent)) {
            list.back().flows += 1;
        } else {
            list.push_back({flow.set, kNoEpoch, static_cast<double>(flow.sent), 1});
        }
    }
    for (const Kept& kept : windowed_) {
        if (kept.set != kNoSet && kept.lost == 0)
            flows[{clock.epoch_of(kept.window), {kept.set, kept.sent}}] += 1;
    }
    for (const auto& [key, count] : flows)
        out.evidence.lossless.push_back(
            {key.second.set, key.first, static_cast<double>(key.second.sent), count});
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
    struct Key {
        std::int32_t epoch = kNoEpoch;
        std::vector<UnitIndex> units;
        std::uint32_t source = kNoReporter, target = kNoReporter;
        SetIndex set = kNoSet;
        std::uint64_t sent = 0;  // where there is a set: what one flow lost is not another's
        std::uint64_t lost = 0;
        auto operator<=>(const Key&) const = default;
    };
    std::map<Key, Kept> paths;
    const auto take = [&](const Kept& kept, std::int32_t epoch) {
        Key key{epoch, {}, kept.ends.source, kept.ends.target, kept.set, 0, 0};
        for (const LinkId link : path_of(kept))
            key.units.push_back(unit_of[link.value]);
        std::sort(key.units.begin(), key.units.end());
        key.units.erase(std::unique(key.units.begin(), key.units.end()), key.units.end());
        if (kept.set != kNoSet) {
            key.sent = kept.sent;
            key.lost = kept.lost;
        }
        Kept& sum = paths[std::move(key)];
        sum.sent += kept.sent;
        sum.lost += kept.lost;
        ++sum.link_count;  // flows
    };
    for (const Kept& kept : lossy_any_time_)
        take(kept, kNoEpoch);
    for (const Kept& kept : windowed_) {
        if (kept.lost > 0) take(kept, clock.epoch_of(kept.window));
    }
    for (const auto& [key, sum] : paths) {
        LossyPath path;
        path.first_unit = static_cast<std::uint32_t>(out.evidence.path_units.size());
        path.unit_count = static_cast<std::uint32_t>(key.units.size());
        path.epoch = key.epoch;
        path.source = key.source;
        path.target = key.target;
        path.set = key.set;
        out.evidence.path_units.insert(out.evidence.path_units.end(), key.units.begin(), key.units.end());
        const std::uint32_t flows = key.set == kNoSet ? 1 : sum.link_count;
        path.sent = static_cast<double>(sum.sent) / flows;
        path.lost = static_cast<double>(sum.lost) / flows;
        for (std::uint32_t flow = 0; flow < flows; ++flow)
            out.evidence.lossy.push_back(path);
    }
}

LaidOut ObservationTable::lay_out(const LocaliserConfig& config, const PathSets* sets) const {
    LaidOut out;
    const auto unit_of = make_units(out, sets);
    if (!set_prints_.empty()) lay_out_sets(*sets, unit_of, out);
    const Clock clock = make_clock(config);
    load_epochs(config, clock, unit_of, out);
    list_lossy(clock, unit_of, out);
    list_lossless(clock, out);
    for (const Counter& counter : counters_) {
        out.evidence.units[unit_of[counter.link.value]].counters.push_back(
            {static_cast<double>(counter.sent), static_cast<double>(counter.lost)});
    }
    for (UnitEvidence& unit : out.evidence.units) {
        std::sort(unit.counters.begin(), unit.counters.end(),
                  [](const CounterReading& a, const CounterReading& b) {
                      return std::pair(a.sent, a.lost) < std::pair(b.sent, b.lost);
                  });
    }
    for (const auto& [link, concluded] : link_conclusions_) {
        out.evidence.units[unit_of[link.value]].conclusion = concluded.conclusion;
        out.evidence.units[unit_of[link.value]].conclusion_rate = concluded.loss_rate;
    }
    out.device_conclusions = device_conclusions_;
    out.evidence.last_onset = static_cast<std::int32_t>(clock.epochs) - 1 -
                              static_cast<std::int32_t>(config.steady_min.ns / clock.epoch_ns);
    return out;
}

}  // namespace dyetrace::localise
