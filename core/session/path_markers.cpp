// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/path_markers.h"

#include <algorithm>

namespace dyetrace::session {
namespace {

/// How often the END of a generation that its path has left is sent. A path is left because it is sick:
/// where it carries nothing any more the next interval must not wait for an answer for ever, and where it
/// loses even a third, six transmissions and their answers all fail once in some seven hundred times.
constexpr int kLeftBehindMost = 6;

}  // namespace

PathMarkers::PathMarkers(std::uint16_t path_count, Duration path_idle, const RetransmitPolicy& retransmit)
    : paths_(path_count), path_idle_(path_idle), retransmit_(retransmit) {
    timers_.reserve(path_count);  // so that the data path only writes
}

OutgoingMarker PathMarkers::marker_of(PathIndex index, wire::MarkerKind kind,
                                      const tracking::PathTable& table) const {
    const tracking::SentPath& path = paths_[index.value];
    const tracking::PathCount* count = table.find(index, path.generation);
    DYETRACE_ASSERT(count != nullptr);  // a generation is kept until every session has settled it
    OutgoingMarker marker;
    marker.port = count->port;
    marker.body.path = index;
    marker.body.generation = path.generation;
    marker.body.kind = kind;
    marker.body.interval = path.interval;
    // Fresh at every transmission: the receiver takes its own count as the marker arrives. That of a
    // generation that was left stands still, as does what its port carries.
    marker.body.count = count->packets;
    marker.body.next_sequence = path.next_sequence;
    return marker;
}

OutgoingMarker PathMarkers::transmit(PathIndex index, Time now, const tracking::PathTable& table) {
    tracking::SentPath& path = paths_[index.value];
    timers_.set(index.value, now + retransmit_.wait_after(++path.attempts));
    return marker_of(index, path.phase == Phase::Starting ? wire::MarkerKind::Start : wire::MarkerKind::End,
                     table);
}

/// A path changes its phase here and nowhere else.
void PathMarkers::enter(PathIndex index, Phase phase) {
    paths_[index.value].phase = phase;
    all_running_ &= ~bit_of(index);
    for (std::size_t i = index.value % 64; i < paths_.size(); i += 64)
        if (paths_[i].phase != Phase::Running) return;
    all_running_ |= bit_of(index);
}

/// When a running path is to be looked at again. Its interval ends before its generation does, so what the
/// pair's table has of the path is of this interval.
Time PathMarkers::running_deadline(PathIndex index, Time now, const tracking::PathTable& table) const {
    const Time idle = table[index].last_packet + path_idle_;
    if (count_interval_.ns == 0) return idle;
    const bool is_close = paths_[index.value].close_looks > 0;
    return std::min(idle, now + (is_close ? count_interval_ / kClose : count_interval_));
}

/// Whether a running path is to tell its count now: tags tell it as well, where there are any.
bool PathMarkers::takes_count(PathIndex index, const tracking::PathTable& table) {
    if (count_interval_.ns == 0) return false;
    tracking::SentPath& path = paths_[index.value];
    const tracking::PathCount* count = table.find(index, path.generation);
    DYETRACE_ASSERT(count != nullptr);
    const auto packets = static_cast<std::uint16_t>(count->packets);
    const auto sequence = static_cast<std::uint16_t>(path.next_sequence);
    const bool was_tagged = sequence != path.seen_sequence;
    const auto untold = static_cast<std::uint16_t>(packets - path.told_packets);
    path.seen_sequence = sequence;
    if (path.close_looks > 0) --path.close_looks;
    if (was_tagged || untold >= count_least_) path.told_packets = packets;
    return !was_tagged && untold >= count_least_;
}

void PathMarkers::fall_quiet(PathIndex index, Time now) {
    tracking::SentPath& path = paths_[index.value];
    enter(index, Phase::Quiet);
    path.attempts = 0;
    --busy_;
    timers_.set(index.value, path.wanted && !closing_ ? now : Time::never());
}

std::optional<OutgoingMarker> PathMarkers::service(PathIndex index, Time now,
                                                   const tracking::PathTable& table, Time last_heard) {
    tracking::SentPath& path = paths_[index.value];
    switch (path.phase) {
        case Phase::Quiet:
            if (!path.wanted || closing_) return std::nullopt;
            path.wanted = false;
            enter(index, Phase::Starting);
            ++busy_;
            if (++path.interval == 0) path.interval = 1;  // zero means "none yet"
            if (path.generation != table[index].generation) {
                path.generation = table[index].generation;
                path.next_sequence = 0;  // begins with the generation, as its count does
            }
            return transmit(index, now, table);
        case Phase::Running:
            if (!closing_ && now < table[index].last_packet + path_idle_) {
                timers_.set(index.value, running_deadline(index, now, table));
                if (takes_count(index, table)) return marker_of(index, wire::MarkerKind::Count, table);
                return std::nullopt;
            }
            enter(index, Phase::Ending);
            path.wanted = false;
            return transmit(index, now, table);
        case Phase::Starting:
        case Phase::Ending: break;
    }
    const bool left_behind = path.generation != table[index].generation;
    const int most = left_behind ? std::min(kLeftBehindMost, retransmit_.most) : retransmit_.most;
    if (path.attempts < most) return transmit(index, now, table);
    if (!left_behind && last_heard <= now - retransmit_.span()) {
        peer_silent_ = true;
        return std::nullopt;
    }
    if (left_behind || closing_) {
        ++given_up_;
        fall_quiet(index, now);
        return std::nullopt;
    }
    // The peer speaks and this path does not: that is a finding about the path, and no end of the session.
    path.attempts = static_cast<std::uint16_t>(most - 1);
    return transmit(index, now, table);
}

std::optional<OutgoingMarker> PathMarkers::take_due(Time now, const tracking::PathTable& table,
                                                    Time last_heard) {
    while (!peer_silent_) {
        const auto due = timers_.take_due(now);
        if (!due) break;
        if (auto marker = service(PathIndex{static_cast<std::uint16_t>(*due)}, now, table, last_heard))
            return marker;
    }
    return std::nullopt;
}

void PathMarkers::look_closer(PathIndex index, Time now, const tracking::PathTable& table) {
    tracking::SentPath& path = paths_[index.value];
    const bool was_close = path.close_looks > 0;
    path.close_looks = kCloseLooks;
    if (was_close || path.phase != Phase::Running || closing_) return;
    timers_.set(index.value, std::min(timers_.wanted(index.value), running_deadline(index, now, table)));
}

bool PathMarkers::on_ack(const wire::MarkerAckBody& ack, Time now, const tracking::PathTable& table,
                         Outbox& out) {
    if (ack.path.value >= paths_.size()) return false;
    tracking::SentPath& path = paths_[ack.path.value];
    if (!path.marker_in_flight() || ack.interval != path.interval || ack.generation != path.generation) {
        return false;
    }
    const bool starting = path.phase == Phase::Starting;
    if (starting != (ack.kind == wire::MarkerKind::Start)) return false;
    if (!starting) {
        fall_quiet(ack.path, now);
        return true;
    }
    enter(ack.path, Phase::Running);
    path.attempts = 0;
    timers_.set(ack.path.value, closing_ ? now : running_deadline(ack.path, now, table));
    out.paths_started.push_back(ack.path);
    return true;
}

void PathMarkers::on_repath(PathIndex index, Time now) {
    tracking::SentPath& path = paths_[index.value];
    switch (path.phase) {
        case Phase::Quiet:
        case Phase::Ending: return;  // under way, from now on with the count that stands still
        case Phase::Starting:
            // Nothing was tagged and nothing measured yet; the next START takes the place of this one.
            path.wanted = true;
            fall_quiet(index, now);
            return;
        case Phase::Running:  // at once, so that no tag of this session mixes the two generations
            enter(index, Phase::Ending);
            path.wanted = false;
            timers_.set(index.value, now);
            return;
    }
}

void PathMarkers::end_all(Time now) {
    closing_ = true;
    for (std::uint32_t i = 0; i < paths_.size(); ++i) {
        if (paths_[i].phase == Phase::Running) timers_.set(i, now);
        if (paths_[i].phase == Phase::Quiet) timers_.set(i, Time::never());
    }
}

}  // namespace dyetrace::session
