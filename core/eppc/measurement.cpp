// SPDX-License-Identifier: GPL-2.0-or-later
// What a tracked packet from a peer means to the sessions of that peer.
#include <algorithm>
#include <optional>

#include "core/eppc/engine.h"
#include "core/wire/frame_buffer.h"

namespace dyetrace::eppc {

using wire::DropReason;
using wire::TrackOption;

namespace {

/// The own check. A segment that LSO cut from a longer packet carries that one's option (RFC 8926 §4.6), so
/// the check is applied to what has the length that the option says.
bool is_corrupted(const TrackOption& track, const wire::FrameBuffer& frame) {
    return track.inner_length == frame.wire_size() && track.inner_checksum != wire::inner_checksum(frame);
}

/// Few: those that one peer may have.
session::AcceptorSession* find_session(std::vector<session::AcceptorSession>& sessions, SessionId id) {
    for (session::AcceptorSession& session : sessions) {
        if (session.id() == id) return &session;
    }
    return nullptr;
}

}  // namespace

inline void Eppc::Engine::note_delay(Peer& peer, const session::AcceptorSession& session, Duration raw,
                                     Time now) {
    std::optional<Duration> corrected;
    if (peer.clock) {
        peer.clock->note_reverse(raw, now);
        if (const auto delay = peer.clock->corrected_reverse(raw, now)) corrected = delay->delay;
    }
    if (session.sketch() != tracking::SketchTable::kNone) sketches_.add(session.sketch(), raw, corrected);
}

void Eppc::Engine::measure_tracked(Peer& peer, const UnderlayPacket& packet, Bytes data,
                                   const wire::FrameBuffer& frame, const InnerFrame& inner, std::size_t port,
                                   Time now) {
    DYETRACE_ASSERT(data.size() == TrackOption::kDataSize);
    const TrackOption track = TrackOption::read(data.first<TrackOption::kDataSize>());
    session::AcceptorSession* const session = find_session(peer.accepted, track.session);
    if (session == nullptr) {
        drops.add(DropReason::TrackUnknownSession);
        return;
    }
    if (!session->is_bound(track.path, track.generation, port)) {
        drops.add(DropReason::TrackUnbound);
        return;
    }
    const std::uint64_t expected = auth::track_tag(
        session->track_key(), data.first(TrackOption::kTagOffset - TrackOption::kTaggedOffset),
        {packet.udp.source_port, inner.vni});
    if (expected != track.tag) {
        drops.add(DropReason::TrackBadTag);
        return;
    }
    ++counters.tracked_received;
    tracking::TrackedPacket tracked;
    tracked.sequence = track.sequence;
    tracked.count_sent = track.count;
    tracked.count_received = peer.received[port];
    tracked.delay = clocks_difference(now, Time{track.transmit_ns});
    tracked.now = now;
    tracked.ttl = packet.ip.ttl;
    tracked.marked = packet.ip.ecn == wire::Ecn::Ce && (track.flags & TrackOption::kFlagSentCe) == 0;
    tracked.ecn_invalid = inner.ecn.is_invalid;
    tracked.corrupted = is_corrupted(track, frame);
    const auto result = session->on_tracked(track.path, tracked);
    switch (result.arrival) {
        case tracking::Arrival::New:
        case tracking::Arrival::Late: note_delay(peer, *session, tracked.delay, now); break;
        case tracking::Arrival::Duplicate: --peer.received[port]; break;
        case tracking::Arrival::Outside: break;
    }
    // Whatever else moves a deadline forward comes by a control message or by `advance`, which set it.
    if (result.may_be_due_sooner) {
        timers_.set(packet.peer_index, std::min(session->next_deadline(), timers_.wanted(packet.peer_index)));
        plan();
    }
    peer.rides_from = std::min(peer.rides_from, session->rides_from());
}

}  // namespace dyetrace::eppc
