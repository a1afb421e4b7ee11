// SPDX-License-Identifier: GPL-2.0-or-later
// What a data packet from a peer means to the sessions of that peer: counts, and tracked packets.
#include <algorithm>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

using wire::DropReason;
using wire::TrackOption;

void Eppc::Engine::measure(const UnderlayPacket& packet, const std::optional<TrackOption>& track,
                           Bytes fields, Vni vni, Time now) {
    const auto index = find_peer(packet.ip.source);
    if (!index) {
        if (track) drops.add(DropReason::TrackUnknownSession);
        return;
    }
    Peer& peer = peers_[*index];
    const std::size_t path = static_cast<std::uint16_t>(packet.udp.source_port - peer.announced_base);
    if (path < peer.received.size()) ++peer.received[path];
    if (!track) return;

    const auto session = std::find_if(peer.accepted.begin(), peer.accepted.end(),
                                      [&](const auto& s) { return s->id() == track->session; });
    if (session == peer.accepted.end() || track->path.value != path || path >= (*session)->path_count()) {
        drops.add(DropReason::TrackUnknownSession);
        return;
    }
    const std::uint64_t expected =
        auth::track_tag((*session)->track_key(), fields,
                        {packet.ip.source, packet.ip.destination, packet.udp.source_port, vni});
    if (expected != track->tag) {
        drops.add(DropReason::TrackBadTag);
        return;
    }
    ++counters.tracked_received;
    tracking::TrackedPacket tracked;
    tracked.sequence = track->sequence;
    tracked.count_sent = track->count;
    tracked.count_received = peer.received[path];
    tracked.delay = clocks_difference(now, Time{track->transmit_ns});
    tracked.now = now;
    if ((*session)->on_tracked(track->path, tracked) == tracking::Arrival::Duplicate) --peer.received[path];
    timers_.set(*index, std::min((*session)->next_deadline(), timers_.wanted(*index)));
}

}  // namespace dyetrace::eppc
