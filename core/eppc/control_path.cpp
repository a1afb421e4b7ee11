// SPDX-License-Identifier: GPL-2.0-or-later
// The control path between EPPCs: who may speak, and what is done with markers,
// reports and closes.
#include <algorithm>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

void Eppc::Engine::handle_control(const UnderlayPacket& packet, Bytes payload, Time now) {
    const auto message = ControlMessage::parse(payload);
    if (!message) return drops.add(message.error());
    if (message->header.type >= ControlType::Update) return drops.add(DropReason::ControlUnexpected);
    if (wire::is_handshake(message->header.type)) return handle_handshake(packet, *message, now);
    // All else is of a session: where there is none, there is no key to look at it with.
    if (message->header.receiver_boot != boot_) return drops.add(DropReason::ControlWrongBoot);
    if (packet.peer == nullptr) return drops.add(DropReason::ControlUnknownSession);
    if (message->header.from_acceptor) {
        handle_for_requester(packet, *message, packet.peer_index, now);
    } else {
        handle_for_acceptor(packet, *message, packet.peer_index, now);
    }
    service_peer(packet.peer_index, now);
}

bool Eppc::Engine::is_genuine(const UnderlayPacket& packet, const ControlMessage& message,
                              session::Channel& channel, Time now) {
    const bool authentic =
        message.header.key_id == channel.key_id() &&
        auth::control_tag_ok(channel.keys().control, packet.source(), packet.destination(), message);
    if (!authentic) {
        drops.add(DropReason::ControlBadTag);
        return false;
    }
    if (!channel.hear(message.header.message_number, now)) {
        drops.add(DropReason::ControlReplayed);
        return false;
    }
    ++counters.control_received;
    return true;
}

void Eppc::Engine::handle_for_requester(const UnderlayPacket& packet, const ControlMessage& message,
                                        std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    session::RequesterSession* found = find_requested(peer, header.session);
    if (found == nullptr || !found->is_accepted()) return drops.add(DropReason::ControlUnknownSession);
    if (found->peer_boot() != header.sender_boot) return drops.add(DropReason::ControlWrongBoot);
    if (!is_genuine(packet, message, found->channel(), now)) return;
    // It was alive after the session was asked for: a sign of a restart, if another boot was known by then.
    // What was met since may be newer.
    if (peer.history.boot() != header.sender_boot && peer.history.boot() == found->known_boot()) {
        meet_boot(index, header.sender_boot, now);
        found = find_requested(peer, header.session);  // others of the list may be gone
    }
    session::RequesterSession& session = *found;
    switch (header.type) {
        case ControlType::MarkerAck: {
            const auto ack = wire::MarkerAckBody::parse(message.body);
            if (!ack) return drops.add(ack.error());
            if (!session.on_marker_ack(*ack, now, peer.paths, outbox_))
                drops.add(DropReason::ControlUnexpected);
            return;
        }
        case ControlType::Report: {
            std::vector<wire::PathRecord> records;
            const auto report = wire::ReportBody::parse(message.body, records);
            if (!report) return drops.add(report.error());
            ++counters.reports_received;
            session.on_report(header.message_number, *report, records, now, peer.paths, outbox_);
            return note_report_times(peer, session, *report, now);
        }
        case ControlType::DelaySketch: return handle_sketch(message, peer, session, now);
        case ControlType::PathTraceReply: {
            const auto reply = wire::PathTraceReplyBody::parse(message.body);
            if (!reply) return drops.add(reply.error());
            // Authentic, and perhaps one more than was needed.
            tracer_.on_reply(peer.address, header.session, *reply, now);
            return;
        }
        case ControlType::Close: {
            const auto close = wire::CloseBody::parse(message.body);
            if (!close) return drops.add(close.error());
            return session.on_close(*close, now, outbox_);
        }
        case ControlType::CloseAck: return session.on_close_ack(outbox_);
        case ControlType::KeepAlive: return;  // that it came is all that it says
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::handle_for_acceptor(const UnderlayPacket& packet, const ControlMessage& message,
                                       std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    session::AcceptorSession* found = find_accepted(peer, header.session, header.sender_boot);
    if (found == nullptr) return drops.add(DropReason::ControlUnknownSession);
    session::AcceptorSession& session = *found;
    if (!is_genuine(packet, message, session.channel(), now)) return;
    if (session.is_lingering() && header.type != ControlType::Close) {
        // What crossed the close on its way says nothing any more; the rest has no business here.
        if (header.type == ControlType::ReportAck || header.type == ControlType::CloseAck ||
            header.type == ControlType::KeepAlive)
            return;
        return drops.add(DropReason::ControlUnexpected);
    }
    switch (header.type) {
        case ControlType::Marker: return handle_marker(packet, message.body, peer, session, now);
        case ControlType::ReportAck: {
            const auto ack = wire::ReportAckBody::parse(message.body);
            if (!ack) return drops.add(ack.error());
            note_ack_times(peer, *ack, now);
            return session.on_report_ack(*ack, now, outbox_);
        }
        case ControlType::PathTrace: {
            const auto trace = wire::PathTraceBody::parse(message.body);
            if (!trace) return drops.add(trace.error());
            const wire::PathTraceReplyBody reply{trace->path, trace->generation, trace->ttl, trace->trace,
                                                 packet.ip.ttl};
            return outbox_.say(session.message(ControlType::PathTraceReply), reply);
        }
        case ControlType::Close: {
            const auto close = wire::CloseBody::parse(message.body);
            if (!close) return drops.add(close.error());
            return session.on_close(now, outbox_);
        }
        case ControlType::CloseAck:
            if (!session.on_close_ack(outbox_)) drops.add(DropReason::ControlUnexpected);
            return;
        case ControlType::KeepAlive: return session.on_keep_alive(outbox_);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::handle_marker(const UnderlayPacket& packet, Bytes body, Peer& peer,
                                 session::AcceptorSession& session, Time now) {
    const auto marker = wire::MarkerBody::parse(body);
    if (!marker) return drops.add(marker.error());
    // A marker speaks for the 5-tuple that it travels on, and for no other.
    const auto port = static_cast<std::uint16_t>(packet.udp.source_port - peer.announced_base);
    if (port >= session.request().port_count || port >= peer.received.size() ||
        !session.on_marker(*marker, port, peer.received[port], now, outbox_)) {
        drops.add(DropReason::ControlBadField);
    }
}

ControlRoute Eppc::Engine::route_to(const IpAddress& to, std::uint16_t source_port) const {
    ControlRoute route;
    route.source_mac = config.mac;
    route.next_hop_mac = config.gateway_mac;
    route.source = {config.address, source_port};
    const auto known = find_peer(to);
    if (known) route.encapsulation = peers_[*known].outer.encapsulation();
    route.destination = {to, tunnel_port(route.encapsulation)};
    route.vxlan_vni = config.vxlan_control_vni;
    route.dscp = config.dscp;
    route.flow_label = flow_label_of(to, source_port, flow_seed_);
    route.has_checksum = known ? peers_[*known].outer.has_checksum() : has_checksum_to(to, {});
    return route;
}

std::vector<std::uint8_t> Eppc::Engine::sealed(const session::OutgoingMessage& message,
                                               const Endpoint& source, const Endpoint& destination) const {
    wire::ControlHeader header;
    header.type = message.type;
    header.key_id = message.key_id;
    header.from_acceptor = message.from_acceptor;
    header.session = message.session;
    header.message_number = message.message_number;
    header.sender_boot = boot_;
    header.receiver_boot = message.receiver_boot;
    const auto key = message.key ? message.key : pair_key(message.key_id, destination.address);
    DYETRACE_ASSERT(key.has_value());
    return auth::seal(header, message.body, *key, source, destination);
}

void Eppc::Engine::send_to_peer(std::uint32_t index, const session::OutgoingMessage& message) {
    // What need not take one path takes them in turn, so that a sick path delays a retransmission but never
    // stops it.
    Peer& peer = peers_[index];
    std::uint16_t port = peer.paths[PathIndex{control_path_}].port;
    if (message.port) {
        port = *message.port;
    } else {
        control_path_ = static_cast<std::uint16_t>((control_path_ + 1) % config.path_count);
    }
    send_message(message, peer.address, port, ++control_identification_);
}

void Eppc::Engine::send_message(const session::OutgoingMessage& message, IpAddress to, std::uint16_t port,
                                std::uint16_t identification) {
    ControlRoute route = route_to(to, static_cast<std::uint16_t>(config.source_port_base + port));
    route.identification = identification;
    if (message.type == ControlType::Report) ++counters.reports_sent;
    emit_frame(build_control(route, sealed(message, route.source, route.destination)));
}

void Eppc::Engine::flush_outbox(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    for (session::OutgoingMessage& message : outbox_.messages) {
        if (message.type == ControlType::DelaySketch && !fill_sketch(peer, message, now)) continue;
        send_to_peer(index, message);
    }
    for (const session::StateChange& change : outbox_.changes) {
        emit(SessionChanged{change.role, peer.address, change.session, change.from, change.to, change.reason,
                            now});
        if (change.role == session::Role::Requester) tell_state(peer, change.session, change.to, now);
    }
    for (const session::NewRecord& news : outbox_.records) {
        emit(MetricsReported{peer.address, news.session, news.record, now});
        tell_nhms(wire::MetricsEntry{peer.address, news.session, news.record}, now, news.troubled);
        if (news.lossy) updates_.hurry(now);
    }
    for (const PathIndex path : outbox_.paths_started)
        trace_path(index, path, now);
    outbox_.clear();
}

}  // namespace dyetrace::eppc
