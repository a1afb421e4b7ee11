// SPDX-License-Identifier: GPL-2.0-or-later
// Which routers a path crosses: asks the tracer, sends its probes, tells the health service.
#include <algorithm>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/icmpv6.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlType;
using wire::DropReason;

bool Eppc::Engine::handle_icmp(const UnderlayPacket& packet, Bytes message, Time now) {
    const auto exceeded = packet.ip.source.is_ipv4() ? wire::IcmpTimeExceeded::parse(message)
                                                     : wire::parse_icmpv6_time_exceeded(
                                                           packet.ip.source, packet.ip.destination, message);
    if (!exceeded) {
        if (exceeded.error() == DropReason::NotForUs) return false;
        drops.add(exceeded.error());
        return true;
    }
    const std::uint64_t disagreements = tracer_.disagreements();
    if (!tracer_.on_time_exceeded(*exceeded, message.subspan(exceeded->payload_offset), packet.ip.source,
                                  now)) {
        drops.add(DropReason::ControlUnexpected);
    }
    counters.traces_disagreed += tracer_.disagreements() - disagreements;
    return true;
}

void Eppc::Engine::trace_path(std::uint32_t index, PathIndex path, Time now) {
    Peer& peer = peers_[index];
    Peer::Routers& routers = peer.routers[path.value];
    if (!config.trace_paths || routers == Peer::Routers::AskedOrKnown) return;
    const auto uses_path = [path](const session::RequesterSession& session) {
        return session.is_accepted() && session.markers().paths()[path.value].interval != 0;
    };
    const auto session = std::find_if(peer.requested.begin(), peer.requested.end(), uses_path);
    if (session == peer.requested.end()) return;
    // A router that answers nobody is not to be asked at each burst of traffic.
    if (routers == Peer::Routers::NotAllKnown && now < peer.trace_again_at) return;
    TracedPath traced;
    traced.peer = index;
    traced.address = peer.address;
    traced.session = session->id();
    traced.path = path;
    traced.generation = peer.paths[path].generation;
    traced.source_port = static_cast<std::uint16_t>(config.source_port_base + peer.paths[path].port);
    traced.destination_port = tunnel_port(peer.outer.encapsulation());
    if (tracer_.request(traced, now)) {
        routers = Peer::Routers::AskedOrKnown;
    } else {
        ++counters.traces_dropped;
    }
}

void Eppc::Engine::service_tracer(Time now) {
    std::vector<TraceProbe> probes;
    std::vector<LearnedPath> learned;
    tracer_.service(now, probes, learned);
    for (const TraceProbe& probe : probes) {
        Peer& peer = peers_[probe.path.peer];
        session::RequesterSession* session = find_requested(peer, probe.path.session);
        if (session == nullptr || !session->is_accepted()) continue;
        session::OutgoingMessage message = session->message(ControlType::PathTrace);
        message.body.resize(wire::PathTraceBody::kSize);
        probe.body.encode_into(message.body);
        ControlRoute route = route_to(peer.address, probe.path.source_port);
        route.ttl = probe.body.ttl;
        route.identification = probe.identification;
        // Over IPv4 too: it covers the tag, so that nobody who did not see the probe can quote it.
        route.has_checksum = true;
        std::vector<std::uint8_t> frame =
            build_control(route, sealed(message, route.source, route.destination));
        const Bytes datagram =
            Bytes(frame).subspan(wire::EthernetHeader::kSize + wire::ip_header_size(config.address));
        tracer_.on_sent(probe, load_u16(&datagram[6]), datagram.subspan(wire::UdpHeader::kSize));
        ++counters.traces_sent;
        emit_frame(std::move(frame));
    }
    for (const LearnedPath& path : learned) {
        wire::PathEntry entry;
        entry.peer = path.path.address;
        entry.path = path.path.path;
        entry.generation = path.path.generation;
        entry.complete = path.complete;
        entry.source_port = path.path.source_port;
        entry.traced_ns = now.ns;
        entry.hop_count = path.hop_count;
        entry.hops = path.hops;
        Peer& peer = peers_[path.path.peer];
        if (!path.complete) {  // asked again when the path is next started, or by a directive
            peer.routers[path.path.path.value] = Peer::Routers::NotAllKnown;
            peer.trace_again_at = now + config.trace_retry;
        }
        for (const auto& session : peer.requested) {  // it is the same path to all of them
            entry.session = session.id();
            tell_nhms(entry, now);
        }
    }
}

}  // namespace dyetrace::eppc
