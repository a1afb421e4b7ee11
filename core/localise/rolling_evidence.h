// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence of the last seconds, kept so that a window more or less costs its path's length, and so that
// asking for a verdict costs what was lost, not what was sent.
//
//   windows     each in a slot; lists by the epoch in which they start, lossy ones apart; a chain a path
//   cells       link x epoch in which windows end: sent, waited shortly, waited long
//   links       sum over the epochs, and a sum of fingerprints: equal where nothing tells links apart
//
// A window is forgotten with the epoch in which it starts, by subtracting it again. A path's windows wait
// until its route is known; where its route changes, windows during which it may have been the one or the
// other are taken back. What `infer` says is what a `Localiser` says that was given the same windows
// (a test compares the two), but that links on no path with a loss are left out unless a device is to be
// judged by them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/base/stable_vector.h"
#include "core/localise/evidence_source.h"
#include "core/localise/laid_out.h"
#include "core/localise/route_table.h"

namespace dyetrace::localise {

/// A path as the caller numbers it, from 0 and without gaps.
using PathId = StrongId<struct PathIdTag, std::uint32_t>;

struct RollingConfig {
    Duration epoch = Duration::milliseconds(40);  ///< what windows are summed up by
    /// Epochs that windows may lie in, from the oldest that is not forgotten; 16 bytes a link each.
    std::size_t epochs_most = 320;
    std::size_t windows_most = 5'000'000;  ///< 64 bytes each; the oldest epoch gives way
    std::size_t halves_most = 1'000'000;   ///< different halves of routes, about 40 bytes each
    Duration floor_tolerance = Duration::microseconds(50);  ///< as `EvidenceConfig`'s
    /// A common floor that moves by less is left where it was.
    Duration floor_step = Duration::microseconds(5);
    /// So many links on paths with a loss are all judged; of more, those that may be faulty at all.
    std::size_t judged_at_least = 256;
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
    std::uint64_t routes_over_limit = 0;  ///< `halves_most` were held
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
    /// Smallest delay ever seen on `path`, from before there were windows of it.
    void remember_delay(PathId path, Duration delay_min) { note_delay(path_at(path), path.value, delay_min); }
    /// `path` stands for another one from now on.
    void restart(PathId path);
    /// Forgets windows that start in an epoch before that of `since`.
    void forget_before(Time since);

    [[nodiscard]] Verdict infer(const LocaliserConfig& config, Time since) const override;
    [[nodiscard]] Crossing crossing(LinkId link, Time since) const override;
    [[nodiscard]] std::vector<HostPair> pairs_across(LinkId link, Time since,
                                                     std::size_t most) const override;
    [[nodiscard]] std::vector<PathKey> paths_across(LinkId link, Time since, std::size_t most) const override;
    [[nodiscard]] Crossing carried(std::span<const PairPath> paths, Time since) const override;
    [[nodiscard]] Crossing carried_between(std::span<const HostPair> pairs, Time since) const override;
    /// What `infer` judges.
    [[nodiscard]] LaidOut lay_out(const LocaliserConfig& config, Time since) const;

    /// Links of the route of `path`; empty where it is not known.
    [[nodiscard]] std::vector<LinkId> links_of(PathId path) const;
    [[nodiscard]] std::size_t link_count_of(PathId path) const;
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
    struct Epoch {
        std::uint64_t counted = 0;                 ///< windows that end in it and are counted
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
    [[nodiscard]] bool is_all(Time since) const { return epoch_of(since.ns) <= oldest_; }
    Path& path_at(PathId path);
    Slot take_slot();
    void count(Kept& kept, const Path& path);
    void take_back(Kept& kept);
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
    [[nodiscard]] std::vector<bool> halves_across(LinkId link) const;

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
    std::map<std::size_t, Duration> floors_;  ///< that paths of so many links agree on
    std::size_t floors_moved_ = 0;            ///< paths whose smallest delay changed since those were found
    std::size_t delays_known_ = 0;
};

}  // namespace dyetrace::localise
