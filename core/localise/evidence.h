// SPDX-License-Identifier: GPL-2.0-or-later
// From cumulative records and learned paths to the localiser's observations.
//
// A record says what one path had sent and received in all by some time; the difference of two neighbouring
// records is a window. Records may come twice, late, in any order, and before their path is known: they are
// kept (bounded) and windows are made when asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/localise/evidence_source.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::localise {

/// Cumulative totals of one path since its generation began. Delays are of tracked packets, one way, and may
/// be negative (two clocks); only their differences are used.
struct PathTotals {
    std::uint64_t sent = 0;  ///< all data packets, tracked or not
    std::uint64_t received = 0;
    std::uint64_t delay_count = 0;
    Duration delay_sum;
    Duration delay_min;  ///< meaningless where delay_count is 0

    constexpr bool operator==(const PathTotals&) const = default;
};

/// What one path sent and lost between two records.
struct WindowedObservation {
    const PathKey* key = nullptr;  ///< owned by the builder
    std::span<const LinkId> path;  ///< owned by the builder
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    Window window;
};

struct EvidenceConfig {
    std::size_t max_paths = 1'000'000;         ///< keys, learned or not; records of more are refused
    std::size_t max_records_per_path = 4'096;  ///< the oldest give way
    Duration first_window = Duration::milliseconds(20);  ///< how long before its first record a path began
    Duration floor_tolerance =
        Duration::microseconds(50);        ///< paths of a length agree on their smallest delay
    std::size_t max_routes_per_path = 16;  ///< route changes remembered; the oldest give way
};

/// What was refused or gave way, by reason.
struct EvidenceCounters {
    std::uint64_t paths_over_limit = 0;     ///< record or route of a new key while `max_paths` are held
    std::uint64_t records_over_limit = 0;   ///< oldest record of a path given up for a new one
    std::uint64_t routes_over_limit = 0;    ///< oldest route of a path given up for a new one
    std::uint64_t records_repeated = 0;     ///< same path, time and totals as one that is held
    std::uint64_t records_conflicting = 0;  ///< same path and time, other totals: the first stays
    std::uint64_t records_forgotten = 0;    ///< older than what `forget_before` dropped
    std::uint64_t routes_unknown_link = 0;  ///< a learned path that the fabric graph does not have
};

/// The delay without queueing that most of these paths agree on, given the smallest delay seen on each.
[[nodiscard]] std::optional<Duration> common_floor(std::vector<Duration> smallest, Duration tolerance);

class EvidenceBuilder final : public EvidenceSource {
  public:
    explicit EvidenceBuilder(const FabricGraph& graph,
                             EvidenceConfig config = {});  ///< `graph` must outlive it

    /// Takes a record of `key` as of `at` (the acceptor's or requester's clock, but always the same one).
    void record(const PathKey& key, Time at, const PathTotals& totals);
    /// Takes a path as traced at `at`: host, switches, host. False where the graph has no such links.
    bool path(const PathKey& key, Time at, std::span<const NodeId> hops);
    /// Gives up records older than `since`, except that the newest of them stays as the start of a window.
    void forget_before(Time since);

    /// Windows that start at or after `since` and end at or before `until`, of paths that are known, ordered
    /// by key and time. Valid until the next non-const call. Windows in which nothing was sent are left out.
    [[nodiscard]] std::vector<WindowedObservation> windows(Time since = kBeginning,
                                                           Time until = Time::never()) const;
    /// Adds those windows to `localiser`; returns how many.
    std::size_t feed(Localiser& localiser, Time since = kBeginning, Time until = Time::never()) const;

    [[nodiscard]] Verdict infer(const LocaliserConfig& config, Time since) const override;
    [[nodiscard]] Crossing crossing(LinkId link, Time since) const override;
    [[nodiscard]] std::vector<HostPair> pairs_across(LinkId link, Time since,
                                                     std::size_t most) const override;
    [[nodiscard]] std::vector<PathKey> paths_across(LinkId link, Time since, std::size_t most) const override;
    [[nodiscard]] Crossing carried(std::span<const PairPath> paths, Time since) const override;
    [[nodiscard]] Crossing carried_between(std::span<const HostPair> pairs, Time since) const override;

    [[nodiscard]] const EvidenceCounters& counters() const { return counters_; }
    [[nodiscard]] std::size_t path_count() const { return paths_.size(); }
    /// Paths with records whose route is not known yet.
    [[nodiscard]] std::size_t paths_waiting() const;

  private:
    struct Record {
        Time at;
        PathTotals totals;
    };
    struct Route {
        Time first, last;  ///< times of the first and of the last trace that gave it
        std::vector<LinkId> links;
    };
    struct Path {
        std::vector<Record> records;  ///< by time
        std::vector<Route> routes;    ///< by time; neighbours differ
        Time forgotten_before = kBeginning;
    };

    Path* find_or_add(const PathKey& key);
    using Floors = std::map<std::size_t, Duration>;  ///< delay without queueing, by number of links

    /// Where most paths of a length agree on their smallest delay, clocks agree, and a path that never saw a
    /// short queue is still known to be slow. Where they don't, each path has only its own smallest delay.
    [[nodiscard]] Floors delay_floors() const;
    void windows_of(const PathKey& key, const Path& path, Time since, Time until, const Floors& floors,
                    std::vector<WindowedObservation>& out) const;

    const FabricGraph* graph_;
    EvidenceConfig config_;
    EvidenceCounters counters_;
    std::map<PathKey, Path> paths_;
};

}  // namespace dyetrace::localise
