// SPDX-License-Identifier: GPL-2.0-or-later
// The requester's side of all paths of a session: opens and ends measured intervals by markers, each on its
// path's own source port, and sends them again until they are acknowledged.
//
// Costs what is due, not what there is: each path has one deadline in a queue, and a data packet moves none
// of them. (A running path's deadline is looked at when it comes: was there data meanwhile, it moves on.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/base/timer_queue.h"
#include "core/session/outbox.h"
#include "core/tracking/path_table.h"
#include "core/tracking/sent_path.h"
#include "core/wire/session_messages.h"

namespace dyetrace::session {

/// A marker to send.
struct OutgoingMarker {
    wire::MarkerBody body;
    std::uint16_t port = 0;  ///< offset of the source port that it must leave from
};

class PathMarkers {
  public:
    using Phase = tracking::SentPath::Phase;

    PathMarkers(std::uint16_t path_count, Duration path_idle, const RetransmitPolicy& retransmit);
    /// Tells the count of a running path by COUNT markers, so often, where nothing was tagged on it since and
    /// that many packets were sent; zero, as at first: never.
    void set_count_interval(Duration interval, std::uint16_t packets_least) {
        count_interval_ = interval;
        count_least_ = packets_least;
    }

    // Data path
    /// Notes a data packet on `path`, which the pair has counted; returns whether an interval is open, so
    /// that it may be tagged.
    bool on_data(PathIndex path, Time now) {
        if ((all_running_ & bit_of(path)) != 0) return true;
        tracking::SentPath& sent = paths_[path.value];
        if (sent.phase == Phase::Running) return true;
        if (!sent.wanted && sent.phase == Phase::Quiet) timers_.set(path.value, now);
        sent.wanted = true;
        return false;
    }
    /// Whether a path waits for its START: `take_due` should be asked soon.
    [[nodiscard]] bool wants_start(PathIndex path) const {
        return paths_[path.value].phase == Phase::Quiet && paths_[path.value].wanted;
    }
    /// The sequence number of the packet being tagged.
    std::uint32_t take_sequence(PathIndex path) { return paths_[path.value].next_sequence++; }

    // Control path
    /// The next marker that is due, with the pair's count as it is now; ask until there is none. `last_heard`
    /// is when the peer last said anything.
    std::optional<OutgoingMarker> take_due(Time now, const tracking::PathTable& table, Time last_heard);
    /// Whether a marker was sent as often as may be, and nothing was heard meanwhile.
    [[nodiscard]] bool is_peer_silent() const { return peer_silent_; }
    /// The peer told that packets of `path` were lost: for the next while its count is told more often, so
    /// that what follows is known sooner.
    void look_closer(PathIndex path, Time now, const tracking::PathTable& table);
    /// Returns false where no such marker is in flight. Tells of a path whose interval is now open.
    bool on_ack(const wire::MarkerAckBody& ack, Time now, const tracking::PathTable& table, Outbox& out);
    /// The pair has moved `path`: what is measured on the generation before ends with that one's count.
    void on_repath(PathIndex path, Time now);
    /// Ends every interval and opens no other.
    void end_all(Time now);

    [[nodiscard]] Time next_deadline() const { return timers_.next(); }
    /// Whether nothing is in progress on any path.
    [[nodiscard]] bool is_settled() const { return busy_ == 0; }
    /// Whether nothing is in progress on a generation that its path has left.
    [[nodiscard]] bool is_settled(PathIndex path, PathGeneration generation) const {
        return paths_[path.value].phase == Phase::Quiet || paths_[path.value].generation != generation;
    }
    [[nodiscard]] std::span<const tracking::SentPath> paths() const { return paths_; }
    /// Intervals whose END was given up, since their path was left or the session is closing: tail unsettled.
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
    void digest_into(StateDigest& digest, const tracking::PathTable& table) const;

    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count) {
        return heap::vector<tracking::SentPath>(path_count) + TimerQueue::memory_reserved(path_count);
    }
    /// Of each path.
    static constexpr std::size_t kBytesPerPath = sizeof(tracking::SentPath) + TimerQueue::kBytesPerKey;

  private:
    /// A path that lost something is looked at so many times as often, for eight count intervals.
    static constexpr std::uint8_t kClose = 4;
    static constexpr std::uint8_t kCloseLooks = 8 * kClose;

    std::optional<OutgoingMarker> service(PathIndex path, Time now, const tracking::PathTable& table,
                                          Time last_heard);
    OutgoingMarker transmit(PathIndex path, Time now, const tracking::PathTable& table);
    [[nodiscard]] OutgoingMarker marker_of(PathIndex path, wire::MarkerKind kind,
                                           const tracking::PathTable& table) const;
    /// When a running path is to be looked at again.
    [[nodiscard]] Time running_deadline(PathIndex path, Time now, const tracking::PathTable& table) const;
    void enter(PathIndex path, Phase phase);
    static constexpr std::uint64_t bit_of(PathIndex path) { return std::uint64_t{1} << (path.value % 64); }
    bool takes_count(PathIndex path, const tracking::PathTable& table);
    void fall_quiet(PathIndex path, Time now);

    std::vector<tracking::SentPath> paths_;
    TimerQueue timers_;  ///< by path index
    Duration path_idle_;
    Duration count_interval_{};
    std::uint16_t count_least_ = 0;
    RetransmitPolicy retransmit_;
    std::size_t busy_ = 0;
    std::uint64_t given_up_ = 0;
    bool closing_ = false;
    bool peer_silent_ = false;
    /// A bit for all paths whose index has the same remainder by 64: each of them runs. Last, as a data
    /// packet asks for it, and for what stands behind these markers in the session.
    std::uint64_t all_running_ = 0;
};

}  // namespace dyetrace::session
