// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence of the last seconds, kept so that a window more or less costs its path's length, and so that
// asking for a verdict costs what was lost, not what was sent.
//
//   windows     each in a slot; lists by the epoch in which they start, lossy ones apart; a chain a path
//   cells       link x epoch in which windows end: sent, waited shortly, waited long
//   links       sum over the epochs, and a sum of fingerprints: equal where nothing tells links apart
//   words       what was sent across a link by the word of which hosts, in a few sums that hosts share
//
// A window is forgotten with the epoch in which it starts, by subtracting it again. A path's windows wait
// until its route is known; where its route changes, windows during which it may have been the one or the
// other are taken back. What `infer` says is what a `Localiser` says that was given the same windows
// (a test compares the two), but that links on no path with a loss are left out unless a device is to be
// judged by them.
//
// Of a path that was traced in part only, the route is a set of ways. The links that all of them have are
// crossed for certain. All windows of such a path took the same one of its ways, whichever that was: together
// they are to inference what a flow of an unknown path is to a localiser, without epochs (docs/health.md). A
// set is held once for all paths that have it, and paths and windows name it as they name routes: where there
// are no sets, they cost nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "core/base/stable_vector.h"
#include "core/localise/candidate_paths.h"
#include "core/localise/evidence_source.h"
#include "core/localise/laid_out.h"
#include "core/localise/route_table.h"
#include "core/localise/told_evidence.h"

namespace dyetrace::localise {

/// A path as the caller numbers it, from 0 and without gaps.
using PathId = StrongId<struct PathIdTag, std::uint32_t>;

struct RollingConfig {
    Duration epoch = Duration::milliseconds(40);  ///< what windows are summed up by
    /// Epochs that windows may lie in, from the oldest that is not forgotten; 16 bytes a link each.
    std::size_t epochs_most = 320;
    std::size_t windows_most = 5'000'000;  ///< 64 bytes each; the oldest epoch gives way
    std::size_t halves_most = 1'000'000;   ///< different halves of routes, about 40 bytes each
    /// Ways that a path traced in part may have taken; one that more fit is as good as not traced.
    std::size_t ways_most = 64;
    std::size_t set_links_most = 4'000'000;  ///< of all ways of all different sets, about 12 bytes each
    Duration floor_tolerance = Duration::microseconds(50);  ///< as `EvidenceConfig`'s
    /// A common floor that moves by less is left where it was.
    Duration floor_step = Duration::microseconds(5);
    /// So many links on paths with a loss are all judged; of more, those that may be faulty at all.
    std::size_t judged_at_least = 256;
    ToldConfig told;
    Duration short_queue = Duration::microseconds(50);  ///< `LocaliserConfig`'s
};

/// Windows and routes that were not used, by reason.
struct RollingCounters {
    std::uint64_t windows_too_old = 0;        ///< began before what is remembered
    std::uint64_t windows_ahead = 0;          ///< end further ahead than `epochs_most` allows
    std::uint64_t windows_over_limit = 0;     ///< forgotten early, because `windows_most` were held
    std::uint64_t windows_across_change = 0;  ///< the path's route changed meanwhile, nobody knows when
    std::uint64_t routes_changed = 0;
    std::uint64_t routes_late = 0;        ///< traced before the one that is held
    std::uint64_t routes_over_limit = 0;  ///< `halves_most` or `set_links_most` were held
    std::uint64_t routes_narrowed = 0;    ///< a later trace left fewer ways
};

/// One window of a path.
struct PathWindow {
    Time start, end;
    std::uint32_t sent = 0;
    std::uint32_t lost = 0;
    std::uint32_t delay_count = 0;
    Duration delay_mean;  ///< of those
};

/// Tells what a `PathId` stands for.
class PathNames {
  public:
    virtual ~PathNames() = default;
    [[nodiscard]] virtual PathKey key(PathId path) const = 0;
};

class RollingEvidence final : public EvidenceSource {
  public:
    /// Graph and names must outlive it. Windows that start before `since` are not taken.
    RollingEvidence(const FabricGraph& graph, const PathNames& names, RollingConfig config, Time since);

    /// Takes a window of `path`, which starts where the one before it ended or later. `delay_min`: smallest
    /// delay ever seen on the path; meaningless where no delay was.
    void add(PathId path, const PathWindow& window, Duration delay_min);
    /// Takes a route as traced at `at`. Precondition: links of the graph, not empty.
    void route(PathId path, Time at, std::span<const LinkId> links);
    /// Takes a trace at `at` that leaves these ways open: each from end to end, links of the graph in order
    /// and each once, all of one length, weights that are positive and sum to 1. A route or a set that is
    /// held and has some of them was not contradicted: what fits both is held from then on, for windows
    /// before it too.
    void route_among(PathId path, Time at, std::vector<NewChoice> ways);
    /// Smallest delay ever seen on `path`, from before there were windows of it.
    void remember_delay(PathId path, Duration delay_min) { note_delay(path_at(path), path.value, delay_min); }
    /// `path` stands for another one from now on.
    void restart(PathId path);
    /// Forgets windows that start in an epoch before that of `since`.
    void forget_before(Time since);
    /// What is told beside what EPPCs measured; it takes part in `infer`.
    [[nodiscard]] ToldEvidence& told() { return told_; }

    [[nodiscard]] Verdict infer(const LocaliserConfig& config, Time since) const override;
    [[nodiscard]] Crossing crossing(LinkId link, Time since) const override;
    [[nodiscard]] std::vector<HostPair> pairs_across(LinkId link, Time since,
                                                     std::size_t most) const override;
    [[nodiscard]] std::vector<PathKey> paths_across(LinkId link, Time since, std::size_t most) const override;
    [[nodiscard]] Crossing carried(std::span<const PairPath> paths, Time since) const override;
    [[nodiscard]] Crossing carried_between(std::span<const HostPair> pairs, Time since) const override;
    [[nodiscard]] bool is_acquitted(LinkId link, Time since) const override {
        return told_.is_acquitted(link, {}, since);
    }
    [[nodiscard]] bool is_acquitted(NodeId device, Time since) const override {
        return told_.is_acquitted({}, device, since);
    }
    /// What `infer` judges.
    [[nodiscard]] LaidOut lay_out(const LocaliserConfig& config, Time since) const;

    /// Links of the route of `path`; empty where it is not known, or only as one of several.
    [[nodiscard]] std::vector<LinkId> links_of(PathId path) const;
    /// Of any of its ways; 0 where nothing is known.
    [[nodiscard]] std::size_t link_count_of(PathId path) const;
    /// How many ways its route may be; 0 where nothing is known.
    [[nodiscard]] std::size_t ways_of(PathId path) const;
    /// When that route was traced first and last; `first` is the beginning where there was no other before.
    struct Traced {
        Time first, last;
    };
    [[nodiscard]] Traced traced(PathId path) const;
    /// None where no delay was seen.
    [[nodiscard]] std::optional<Duration> delay_min(PathId path) const;

    [[nodiscard]] const RollingCounters& counters() const { return counters_; }
    [[nodiscard]] std::size_t windows() const { return held_; }
    /// Of them, those in which something was lost.
    [[nodiscard]] std::size_t windows_lossy() const { return lossy_; }
    /// Of them, those whose route is not known.
    [[nodiscard]] std::size_t windows_waiting() const { return waiting_; }

  private:
    using Slot = std::uint32_t;
    static constexpr Slot kNoSlot = std::numeric_limits<Slot>::max();
    static constexpr std::uint32_t kNoPath = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::int64_t kFirstEpoch = std::numeric_limits<std::int64_t>::min() / 2;

    struct Kept {
        std::int64_t start_ns = 0;
        std::int64_t end_ns = 0;
        std::int64_t delay_mean_ns = 0;
        std::uint32_t sent = 0;
        std::uint32_t lost = 0;
        std::uint32_t delay_count = 0;
        std::uint32_t path = 0;
        RouteHalves route;      ///< that it is counted under
        Slot before = kNoSlot;  ///< of the same path
        Slot next = kNoSlot;    ///< of the same list, or free
        bool live = false;      ///< else the slot is free
        bool spanning = false;  ///< across a change of route: not counted
        bool waited_shortly = false;
    };
    struct Path {
        Slot newest = kNoSlot;
        RouteHalves route;
        Time first = kBeginning;  ///< windows from here on are on that route
        Time last = kBeginning;   ///< newest trace that gave it
        Duration delay_min{std::numeric_limits<std::int64_t>::max()};
    };
    struct Cell {
        std::uint64_t sent = 0;
        std::uint32_t waited_shortly = 0;
        std::uint32_t waited_long = 0;
    };
    struct LinkSum {
        std::uint64_t sent = 0;
        std::uint64_t lost = 0;
        std::uint64_t fingerprint = 0;
    };
    /// Of what was sent across a link for certain, by bucket of the host that sent, and that received.
    struct WordSum {
        std::array<std::uint64_t, kReporterBuckets> by_source{}, by_target{};
    };
    /// The hosts at a route's ends, by NodeId; kNoReporter where they are not known.
    struct Ends {
        std::uint32_t source = kNoReporter, target = kNoReporter;
    };
    /// What windows over sets add to a link that they may have crossed, beside its fingerprint.
    struct SetSum {
        std::uint64_t sent_parts = 0;  ///< by weight, in `kParts` a packet
        std::uint64_t lost_parts = 0;
        std::uint64_t lost = 0;  ///< all that it may have been
    };
    /// Windows of a path as long as one set is held of it.
    struct FlowKey {
        std::uint32_t path = 0;
        std::uint32_t first = 0, second = 0;  ///< halves of the route
        constexpr auto operator<=>(const FlowKey&) const = default;
        [[nodiscard]] RouteHalves route() const { return {first, second}; }
    };
    struct Flow {
        std::uint64_t windows = 0;
        std::uint64_t sent = 0;  ///< by those without loss
    };
    static FlowKey flow_key(const Kept& kept) { return {kept.path, kept.route.first, kept.route.second}; }
    /// Weights are whole multiples of one over this, so that what is taken back leaves nothing behind. Sums
    /// of all packets that a link carries in 16 s at 800 Gbit/s fit.
    static constexpr std::uint64_t kParts = std::uint64_t{1} << 28;
    struct Epoch {
        std::uint64_t counted = 0;                 ///< windows that end in it, of routes that are known
        Slot lossless = kNoSlot, lossy = kNoSlot;  ///< lists of those that start in it
    };
    class Layout;
    friend class Layout;

    [[nodiscard]] std::int64_t epoch_of(std::int64_t ns) const;
    [[nodiscard]] std::size_t ring_place(std::int64_t epoch) const {
        return static_cast<std::size_t>(epoch - kFirstEpoch) % epochs_.size();
    }
    [[nodiscard]] Epoch& epoch(std::int64_t number) { return epochs_[ring_place(number)]; }
    [[nodiscard]] const Epoch& epoch(std::int64_t number) const { return epochs_[ring_place(number)]; }
    [[nodiscard]] Cell& cell(LinkId link, std::int64_t number) {
        return cells_[link.value * epochs_.size() + ring_place(number)];
    }
    [[nodiscard]] const Cell& cell(LinkId link, std::int64_t number) const {
        return cells_[link.value * epochs_.size() + ring_place(number)];
    }
    [[nodiscard]] static double packets(std::uint64_t parts) {
        return static_cast<double>(parts) / static_cast<double>(kParts);
    }
    [[nodiscard]] static std::uint64_t parts_of(double weight) {
        return static_cast<std::uint64_t>(std::llround(weight * static_cast<double>(kParts)));
    }
    [[nodiscard]] SetSum over_sets(LinkId link) const {
        return set_sums_.empty() ? SetSum{} : set_sums_[link.value];
    }
    [[nodiscard]] bool is_all(Time since) const { return epoch_of(since.ns) <= oldest_; }
    // Sets of ways (rolling_ways.cpp).
    /// The set of a route of which not all is certain.
    [[nodiscard]] std::optional<PathSetId> set_of(RouteHalves route) const {
        if (route.second >= set_of_half_.size()) return std::nullopt;  // always, where there are no sets
        const std::uint32_t set = set_of_half_[route.second];
        return set == kNoSet ? std::nullopt : std::optional(PathSetId{set});
    }
    [[nodiscard]] std::size_t length_of(RouteHalves route) const {
        const auto set = set_of(route);
        return routes_.length(route) + (set ? sets_.choice(*set, 0).links.size() : 0);
    }
    /// Visits links that are crossed by one choice of the set, with the choice's number and weight.
    template <class Visit>
    void for_each_maybe(PathSetId set, Visit visit) const {
        for (std::size_t c = 0; c < sets_.choice_count(set); ++c) {
            const Choice choice = sets_.choice(set, c);
            for (const LinkId link : choice.links)
                visit(link, c, parts_of(choice.weight));
        }
    }
    /// Of a window, for links of choice `c` of its set.
    [[nodiscard]] static std::uint64_t choice_print(std::uint64_t fingerprint, std::size_t c) {
        return mix64(fingerprint + c + 1);
    }
    std::optional<RouteHalves> intern_ways(std::vector<NewChoice> ways);
    [[nodiscard]] std::vector<NewChoice> fitting(RouteHalves held, std::vector<NewChoice> ways) const;
    void narrow(Path& path, std::uint32_t index, Time at, RouteHalves route);
    void count_over_set(PathSetId set, const Kept& kept, std::uint64_t times);

    Path& path_at(PathId path);
    Slot take_slot();
    void count(Kept& kept, const Path& path);
    void take_back(Kept& kept);
    void add_to_sums(const Kept& kept, std::uint64_t times);
    [[nodiscard]] Ends ends_of(RouteHalves route) const;
    static void add_word(WordSum& sum, const Ends& ends, std::uint64_t sent);
    void forget_oldest();
    void forget_list(Slot& first);
    [[nodiscard]] Duration floor_of(const Path& path, RouteHalves route) const;
    void look_at_queue(Kept& kept, const Path& path);
    void learn_route(Path& path, std::uint32_t index, RouteHalves route);
    void change_route(Path& path, std::uint32_t index, Time at, RouteHalves route);
    /// Visits the windows of `path` that are held, newest first.
    template <class Visit>
    void for_each_window(const Path& path, std::uint32_t index, Visit visit);
    /// Visits the windows that start at or after `since` and are counted; of those lists.
    enum class Which { Lossy, All };
    template <class Visit>
    void for_each_counted(Time since, Which which, Visit visit) const;
    [[nodiscard]] std::uint64_t fingerprint_of(const Kept& kept) const;
    void note_delay(Path& path, std::uint32_t index, Duration delay_min);
    bool make_room(std::int64_t for_epoch);
    void settle_floors();
    [[nodiscard]] std::vector<std::uint32_t> shares_across(LinkId link) const;
    template <class IsWanted>
    [[nodiscard]] Crossing carried_where(Time since, IsWanted is_wanted) const;

    const FabricGraph* graph_;
    const PathNames* names_;
    RollingConfig config_;
    RollingCounters counters_;
    RouteTable routes_;
    StableVector<Path> paths_;
    StableVector<Kept> slots_;
    Slot free_ = kNoSlot;
    std::size_t held_ = 0;
    std::size_t lossy_ = 0;
    std::size_t waiting_ = 0;
    std::vector<Epoch> epochs_;  ///< a ring
    std::int64_t oldest_ = 0;    ///< epoch before which all is forgotten
    std::int64_t newest_ = 0;    ///< latest epoch in which a window ended
    std::vector<Cell> cells_;    ///< by link, then by place in the ring
    std::vector<LinkSum> links_;
    std::vector<WordSum> words_;  ///< by link
    // Sets of ways; all empty where there never was one.
    PathSets sets_;
    std::vector<std::uint32_t> set_of_half_;  ///< by half; kNoSet but for placeholders
    std::vector<std::uint32_t> half_of_set_;
    std::vector<SetSum> set_sums_;  ///< by link
    std::map<FlowKey, Flow> flows_;
    ToldEvidence told_;
    std::vector<std::uint32_t> seen_;         ///< scratch, by link
    std::map<std::size_t, Duration> floors_;  ///< that paths of so many links agree on
    std::size_t floors_moved_ = 0;            ///< paths whose smallest delay changed since those were found
    std::size_t delays_known_ = 0;
};

template <class Visit>
void RollingEvidence::for_each_window(const Path& path, std::uint32_t index, Visit visit) {
    std::int64_t until_ns = std::numeric_limits<std::int64_t>::max();
    // A slot that was given to another window since says so: by its path, or by its time.
    for (Slot slot = path.newest; slot != kNoSlot;) {
        Kept& kept = slots_[slot];
        if (!kept.live || kept.path != index || kept.end_ns > until_ns) return;
        slot = kept.before;
        until_ns = kept.start_ns;
        visit(kept);
    }
}

template <class Visit>
void RollingEvidence::for_each_counted(Time since, Which which, Visit visit) const {
    const bool all = is_all(since);
    const auto walk = [&](Slot slot) {
        while (slot != kNoSlot) {
            const Kept& kept = slots_[slot];
            if (kept.route.is_known() && (all || kept.start_ns >= since.ns)) visit(kept);
            slot = kept.next;
        }
    };
    const auto ring = static_cast<std::int64_t>(epochs_.size());
    const std::int64_t last = std::min(newest_, oldest_ + ring - 1);
    for (std::int64_t number = all ? oldest_ : epoch_of(since.ns); number <= last; ++number) {
        walk(epoch(number).lossy);
        if (which == Which::All) walk(epoch(number).lossless);
    }
}

}  // namespace dyetrace::localise
