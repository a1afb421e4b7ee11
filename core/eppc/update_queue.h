// SPDX-License-Identifier: GPL-2.0-or-later
// What the health service is still to be told. Bounded: when the bound is reached, that is given up which it
// would miss least.
//
//   class     what                                                                       given up
//   healthy   metrics that tell of no trouble which was not told before                  first
//   event     states of sessions, routers of paths                                       then
//   troubled  metrics with new loss, corruption or CE marks, or with more received       last
//             than sent
//
// and in each class what has waited longest. Timing has a bound of its own: its sketches are large, and there
// is one of a session.
//
// So has traffic to peers that are not measured: a newer figure takes the place of an older one.
//
// Packets of followed flows have a bound too, and go last: whoever asked for them can ask again.
//
// Metrics and timing are totals: a newer one takes the place, and the age, of an older one of the same
// (session, path, generation) or session. A state is an event, and each is told; the routers of a path are
// told again only when they are others. So with a bound of N an outage of the health service, however long,
// loses nothing for as long as the (session, path)s that changed and the events in it are N at most.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

/// What was given up, so that whoever told it can tell it again.
struct GivenUp {
    enum class Kind : std::uint8_t { Healthy, Troubled, Session, Path, Timing, Flow };
    Kind kind{};
    IpAddress peer;
    SessionId session;
    PathIndex path;  ///< metrics and routers
    PathGeneration generation;

    bool operator==(const GivenUp&) const = default;
};

class UpdateQueue {
  public:
    /// Peers whose traffic waits to be told; the oldest figure gives way.
    static constexpr std::size_t kTrafficMost = 64;

    UpdateQueue(std::size_t entries_most, std::size_t timings_most, std::size_t flows_most = 0)
        : entries_most_(entries_most), timings_most_(timings_most), flows_most_(flows_most) {}
    UpdateQueue(const UpdateQueue& other);
    UpdateQueue& operator=(const UpdateQueue& other) { return *this = UpdateQueue(other); }
    UpdateQueue(UpdateQueue&&) noexcept = default;
    UpdateQueue& operator=(UpdateQueue&&) noexcept = default;
    ~UpdateQueue() = default;

    /// Queues an entry. `troubled`: metrics that show trouble which was not told before; they stay so for as
    /// long as they wait. Returns what had to go for it, perhaps the entry itself.
    std::optional<GivenUp> add(const wire::UpdateEntry& entry, bool troubled);

    /// Takes entries that fit `room` bytes: events, then troubled metrics, healthy ones and timing, each in
    /// the order in which they came.
    std::vector<wire::UpdateEntry> take(std::size_t room);

    [[nodiscard]] std::size_t entries() const { return healthy_.size() + troubled_.size() + events_.size(); }
    [[nodiscard]] std::size_t timings() const { return timings_.size(); }
    [[nodiscard]] bool is_empty() const {
        return entries() == 0 && timings_.empty() && traffic_.empty() && flows_.empty();
    }
    [[nodiscard]] static heap::Need memory_bound(std::size_t entries_most, std::size_t timings_most,
                                                 std::size_t flows_most = 0);
    void digest_into(StateDigest& digest) const;

  private:
    struct PathKey {
        IpAddress peer;
        SessionId session;
        PathIndex path;
        PathGeneration generation;
        auto operator<=>(const PathKey&) const = default;
    };
    struct SessionKey {
        IpAddress peer;
        SessionId session;
        auto operator<=>(const SessionKey&) const = default;
    };
    using Metrics = std::list<wire::MetricsEntry>;
    struct WaitingMetrics {
        Metrics::iterator at;
        bool troubled = false;
    };
    using Event = std::variant<wire::SessionEntry, wire::PathEntry>;
    using Events = std::list<Event>;
    using Timings = std::list<wire::TimingEntry>;

    static PathKey key_of(const wire::MetricsEntry& entry);
    static PathKey key_of(const wire::PathEntry& entry);
    static SessionKey key_of(const wire::TimingEntry& entry);

    std::optional<GivenUp> add(const wire::MetricsEntry& entry, bool troubled);
    std::optional<GivenUp> add(const wire::PathEntry& entry, bool troubled);
    std::optional<GivenUp> add(const wire::SessionEntry& entry, bool troubled);
    std::optional<GivenUp> add(const wire::TimingEntry& entry, bool troubled);
    std::optional<GivenUp> add(const wire::TrafficEntry& entry, bool troubled);
    std::optional<GivenUp> add(const wire::FlowStageEntry& entry, bool troubled);
    void index_all();
    std::optional<GivenUp> shrink();
    GivenUp drop_event();
    GivenUp drop_metrics(Metrics& metrics, GivenUp::Kind kind);
    void forget(const Event& event);

    std::size_t entries_most_;
    std::size_t timings_most_;
    std::size_t flows_most_;
    Metrics healthy_;  ///< each list: what has waited longest first
    Metrics troubled_;
    Events events_;
    Timings timings_;
    std::list<wire::TrafficEntry> traffic_;
    std::list<wire::FlowStageEntry> flows_;
    std::map<PathKey, WaitingMetrics> metrics_at_;
    std::map<PathKey, Events::iterator> paths_at_;  ///< the newest of each path
    std::map<SessionKey, Timings::iterator> timings_at_;
};

}  // namespace dyetrace::eppc
