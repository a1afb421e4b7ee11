// SPDX-License-Identifier: GPL-2.0-or-later
// How much heap an engine takes at most: the sum of its tables and queues at their bounds.
#include <algorithm>

#include "core/base/heap.h"
#include "core/eppc/engine.h"
#include "core/session/candidate.h"
#include "core/wire/ethernet.h"

namespace dyetrace::eppc {
namespace {

using heap::Need;

/// Messages of one session that wait at the same time, beside one a path or a report: sketch, close, trace.
constexpr std::size_t kOtherMessages = 4;
/// A peer's report may be as long as a datagram, whatever our MTU is.
constexpr std::size_t kRecordsMost = 65535 / wire::PathRecord::kSize;

std::size_t frame_bytes(const EppcConfig& config) {
    return wire::EthernetHeader::kSize + config.underlay_mtu;
}

/// `bound` sessions of at most `of_peer` with each peer (engine.h: make_room_for_one).
template <class Session>
Need session_lists(std::size_t bound, std::size_t of_peer) {
    const auto with_room = [](std::size_t count) { return count + count / 8; };
    return {bound * heap::block(sizeof(Session)) + heap::block(bound / 8 * sizeof(Session)),
            heap::vector<Session>(with_room(of_peer)).kept};
}

Need requested_sessions(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    return session_lists<session::RequesterSession>(bounds.requested_sessions, bounds.requested_to_peer) +
           bounds.requested_sessions * session::RequesterSession::memory_bound(config.path_count);
}

/// Some have more paths than others; the sum counts. What a session takes is a line above its paths.
Need accepted_sessions(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    constexpr std::size_t kPaths = 1024;  // so many that what a session takes beside them does not show
    const std::size_t path = (session::AcceptorSession::memory_bound(kPaths).kept + kPaths - 1) / kPaths;
    const std::size_t paths =
        std::min(bounds.accepted_paths, bounds.accepted_sessions * bounds.paths_from_peer);
    // Records of generations that were left: there is room for some whatever the number of paths, and the
    // least blocks are of 32 bytes.
    const std::size_t session = session::AcceptorSession::memory_bound(1).kept;
    return session_lists<session::AcceptorSession>(bounds.accepted_sessions, bounds.accepted_from_peer) +
           Need{paths * path + bounds.accepted_sessions * session,
                session::AcceptorSession::memory_bound(bounds.paths_from_peer).moved};
}

Need peers(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    const std::size_t ports =
        std::min({bounds.announced_ports, bounds.accepted_sessions * bounds.paths_from_peer,
                  bounds.peers * bounds.paths_from_peer});
    const Need received{
        ports * sizeof(std::uint64_t) + std::min(bounds.peers, bounds.accepted_sessions) * heap::block(1),
        heap::vector<std::uint64_t>(bounds.paths_from_peer).kept};
    return StableVector<Peer>::memory_bound(bounds.peers) +
           bounds.peers * Peer::memory_bound(config.path_count, port_count_of(config)) + received;
}

/// Messages that the sessions with one peer want sent at a time, and what comes with them.
struct OutboxBound {
    std::size_t markers = 0;
    std::size_t others = 0;
};

OutboxBound outbox_bound(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    return {bounds.requested_to_peer * config.path_count,
            bounds.requested_to_peer * kOtherMessages +
                bounds.accepted_from_peer * (session::ReportSender::kInFlightMost + kOtherMessages)};
}

Need outbox(const EppcConfig& config) {
    const OutboxBound bound = outbox_bound(config);
    const std::size_t sessions = config.bounds.requested_to_peer + config.bounds.accepted_from_peer;
    return heap::grown_vector<session::OutgoingMessage>(bound.markers + bound.others) +
           heap::grown_vector<session::StateChange>(2 * sessions) +
           heap::grown_vector<session::NewRecord>(std::min<std::size_t>(kRecordsMost, config.path_count)) +
           heap::grown_vector<PathIndex>(1);
}

/// What lives only while a verb runs. No verb does all of it.
Need scratch(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    const OutboxBound bound = outbox_bound(config);
    const std::size_t frame = heap::block(frame_bytes(config));
    const std::size_t turns = std::min(config.traffic_sessions, bounds.peers);
    // The bodies of messages; then one is sealed and built.
    const Need messages{bound.markers * heap::block(wire::MarkerBody::kSize) + (bound.others + 3) * frame, 0};
    const Need report = heap::vector<wire::PathRecord>(kRecordsMost);
    const Need tracing = heap::grown_vector<TraceProbe>(bounds.traces * wire::PathEntry::kMaxHops) +
                         heap::grown_vector<LearnedPath>(bounds.traces);
    const Need choice = heap::grown_vector<session::Candidate>(bounds.peers) +
                        heap::grown_vector<session::Turn>(std::min(turns, bounds.requested_sessions));
    const UpdateSenderConfig updates = update_config(config);
    const Need update = heap::grown_vector<UpdateSender::Transmission>(2 * updates.in_flight_most) +
                        heap::grown_vector<wire::UpdateEntry>(updates.body_bytes_most / 32);
    const Need sketch = heap::vector<SketchPool::Node>(SketchPool::kNodesOfFullSketch + 1) +
                        3 * heap::vector<std::uint8_t>(wire::TimingEntry::kMaxSketchBytes);
    return {messages.bytes() + sketch.bytes() +
                std::max({report.bytes(), tracing.bytes(), choice.bytes(), update.bytes()}),
            0};
}

}  // namespace

heap::Need Peer::memory_bound(std::size_t path_count, std::size_t port_count) {
    return tracking::PathTable::memory_bound(path_count, port_count) + heap::vector<Routers>(path_count) +
           tracking::PeerClock::memory_bound() + session::PeerHistory::memory_bound();
}

heap::Need Eppc::Engine::memory_bound(const EppcConfig& config) {
    const EppcBounds& bounds = config.bounds;
    const Need told = heap::vector<auth::NamedKey>(2 * auth::KeyRing::kMost) +
                      heap::vector<auth::NamedKey>(config.other_keys.size()) +
                      heap::vector<tracking::FlowRule>(config.flow_filter.rules.size());
    const Need outputs =
        heap::deque<Queued>(bounds.outputs) +
        bounds.outputs *
            Need{heap::block(std::max(frame_bytes(config), wire::TimingEntry::kMaxSketchBytes)), 0};
    // Which peers wait for attention: reserved for two each.
    const Need lists = TimerQueue::memory_bound(bounds.peers) +
                       heap::stepped_vector<std::uint32_t>(bounds.peers) +
                       heap::grown_vector<std::uint32_t>(std::min(config.traffic_sessions, bounds.peers));
    const Need transmitting = heap::vector<std::uint8_t>(frame_bytes(config));
    return heap::object<Engine>() + told + Overlay::memory_bound(bounds.guests, bounds.remotes) +
           decltype(peer_index_)::memory_bound(bounds.peers) + peers(config) + lists +
           requested_sessions(config) + accepted_sessions(config) +
           tracking::SketchTable::memory_bound(bounds.sketches, bounds.accepted_sessions) +
           PathTracer::memory_bound(tracer_config(config), bounds.peers) +
           FlowTap::memory_bound(config.flow_traces) + UpdateSender::memory_bound(update_config(config)) +
           outputs + transmitting + outbox(config) + scratch(config);
}

}  // namespace dyetrace::eppc
