// SPDX-License-Identifier: GPL-2.0-or-later
// The control path between EPPCs: who may speak, and what is done with markers, reports and closes.
#include <algorithm>
#include <array>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

void Eppc::Engine::handle_control(const UnderlayPacket& packet, Bytes payload, Time now) {
    const auto message = ControlMessage::parse(payload);
    if (!message) return drops.add(message.error());
    if (message->header.type >= ControlType::Update) return drops.add(DropReason::ControlUnexpected);
    // A stranger costs one key derivation and one HMAC, and leaves nothing behind: a peer is entered when
    // proven.
    const auto known = find_peer(packet.ip.source);
    const auth::PairKey key =
        known ? peers_[*known].key : auth::derive_pair_key(*config.key, config.address, packet.ip.source);
    if (message->header.key_id != config.key_id ||
        !auth::control_tag_ok(key, packet.ip.source, packet.ip.destination, *message)) {
        return drops.add(DropReason::ControlBadTag);
    }
    const auto index = known ? known : find_or_add_peer(packet.ip.source);
    if (!index) return drops.add(DropReason::TableFull);
    const bool first_word =
        message->header.type == ControlType::Request ||
        (message->header.type == ControlType::Close && message->header.receiver_boot.value == 0);
    if (!first_word && message->header.receiver_boot != boot_) return drops.add(DropReason::ControlWrongBoot);
    ++counters.control_received;

    if (message->header.type == ControlType::Request) {
        handle_request(*message, *index, now);
    } else if (message->header.from_acceptor) {
        handle_for_requester(*message, *index, now);
    } else {
        handle_for_acceptor(*message, *index, packet, now);
    }
    service_peer(*index, now);
}

void Eppc::Engine::handle_for_requester(const ControlMessage& message, std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    if (header.type == ControlType::PathTraceReply) {
        const auto reply = wire::PathTraceReplyBody::parse(message.body);
        if (!reply) return drops.add(reply.error());
        tracer_.on_reply(peer.address, header.session, *reply,
                         now);  // authentic, and perhaps one more than was needed
        return;
    }
    if (!peer.requested || peer.requested->id() != header.session)
        return drops.add(DropReason::ControlUnknownSession);
    session::RequesterSession& session = *peer.requested;
    if (session.peer_boot().value != 0 && session.peer_boot() != header.sender_boot) {
        return drops.add(DropReason::ControlWrongBoot);
    }
    switch (header.type) {
        case ControlType::Accept: {
            const auto accept = wire::AcceptBody::parse(message.body);
            if (!accept) return drops.add(accept.error());
            if (accept->requester_nonce != session.nonce()) return drops.add(DropReason::ControlReplayed);
            const auth::TrackKey key =
                auth::derive_track_key(peer.key, {config.address, peer.address, boot_, header.sender_boot,
                                                  session.nonce(), accept->acceptor_nonce, header.session});
            return session.on_accept(header.sender_boot, *accept, key, now, outbox_);
        }
        case ControlType::Reject: {
            const auto reject = wire::RejectBody::parse(message.body);
            if (!reject) return drops.add(reject.error());
            if (reject->requester_nonce != session.nonce()) return drops.add(DropReason::ControlReplayed);
            peer.no_request_before = now + reject->back_off;
            return session.on_reject(*reject, now, outbox_);
        }
        case ControlType::MarkerAck: {
            const auto ack = wire::MarkerAckBody::parse(message.body);
            if (!ack) return drops.add(ack.error());
            if (!session.on_marker_ack(*ack, now, outbox_)) drops.add(DropReason::ControlUnexpected);
            return;
        }
        case ControlType::Report: {
            std::vector<wire::PathRecord> records;
            const auto report = wire::ReportBody::parse(message.body, records);
            if (!report) return drops.add(report.error());
            ++counters.reports_received;
            return session.on_report(header.message_number, *report, records, now, outbox_);
        }
        case ControlType::CloseAck: return session.on_close_ack(now, outbox_);
        case ControlType::Close: return session.on_close(now, outbox_);
        case ControlType::KeepAlive: return session.on_keep_alive(now);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::handle_for_acceptor(const ControlMessage& message, std::uint32_t index,
                                       const UnderlayPacket& packet, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    if (header.type == ControlType::PathTrace) {
        const auto trace = wire::PathTraceBody::parse(message.body);
        if (!trace) return drops.add(trace.error());
        session::OutgoingMessage out;
        out.type = ControlType::PathTraceReply;
        out.session = header.session;
        out.from_acceptor = true;
        out.receiver_boot = header.sender_boot;
        wire::PathTraceReplyBody reply{trace->path, trace->generation, trace->ttl, trace->trace,
                                       packet.ip.ttl};
        out.body.resize(wire::PathTraceReplyBody::kSize);
        reply.encode_into(out.body);
        return send_to_peer(index, out);
    }
    const auto it = std::find_if(peer.accepted.begin(), peer.accepted.end(), [&](const auto& s) {
        return s->id() == header.session && s->peer_boot() == header.sender_boot;
    });
    if (it == peer.accepted.end()) {
        if (header.type != ControlType::Close) return drops.add(DropReason::ControlUnknownSession);
        // The close of a session that is gone: our close-ack was lost, and is all that the peer waits for.
        session::OutgoingMessage out;
        out.type = ControlType::CloseAck;
        out.session = header.session;
        out.from_acceptor = true;
        out.receiver_boot = header.sender_boot;
        return send_to_peer(index, out);
    }
    session::AcceptorSession& session = **it;
    switch (header.type) {
        case ControlType::Marker: {
            const auto marker = wire::MarkerBody::parse(message.body);
            if (!marker) return drops.add(marker.error());
            // A marker speaks for the 5-tuple that it travels on, and for no other.
            const std::size_t path = static_cast<std::uint16_t>(packet.udp.source_port - peer.announced_base);
            if (path != marker->path.value || path >= peer.received.size()) {
                return drops.add(DropReason::ControlBadField);
            }
            if (!session.on_marker(*marker, peer.received[path], now, outbox_)) {
                drops.add(DropReason::ControlBadField);
            }
            return;
        }
        case ControlType::ReportAck: {
            const auto ack = wire::ReportAckBody::parse(message.body);
            if (!ack) return drops.add(ack.error());
            return session.on_report_ack(*ack, now, outbox_);
        }
        case ControlType::Close: {
            const auto close = wire::CloseBody::parse(message.body);
            if (!close) return drops.add(close.error());
            return session.on_close(now, outbox_);
        }
        case ControlType::KeepAlive: return session.on_keep_alive(now, outbox_);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::close_sessions(Time now) {
    config.open_on_traffic = false;
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        if (!peers_[index].requested) continue;
        peers_[index].requested->close(now, outbox_);
        service_peer(index, now);
    }
}

bool Eppc::Engine::is_draining() const {
    return requested_count_ > 0 || !updates_.is_empty() || !outputs_.empty();
}

void Eppc::Engine::send_to_peer(std::uint32_t index, const session::OutgoingMessage& message) {
    const Peer& peer = peers_[index];
    wire::ControlHeader header;
    header.type = message.type;
    header.key_id = config.key_id;
    header.from_acceptor = message.from_acceptor;
    header.session = message.session;
    header.message_number = message.message_number;
    header.sender_boot = boot_;
    header.receiver_boot = message.receiver_boot;
    const std::vector<std::uint8_t> bytes =
        auth::seal(header, message.body, peer.key, config.address, peer.address);
    ControlRoute route;
    route.source_mac = config.mac;
    route.next_hop_mac = config.gateway_mac;
    // What need not take one path takes them in turn, so that a sick path delays a retransmission but never
    // stops it.
    const std::uint16_t port =
        message.port
            ? *message.port
            : peer.paths[PathIndex{static_cast<std::uint16_t>(control_path_++ % config.path_count)}].port;
    route.source = {config.address, static_cast<std::uint16_t>(config.source_port_base + port)};
    route.destination = {peer.address, config.geneve_port};
    route.dscp = config.dscp;
    route.identification = ++control_identification_;
    if (message.type == ControlType::Report) ++counters.reports_sent;
    emit_frame(build_geneve_control(route, bytes));
}

void Eppc::Engine::flush_outbox(std::uint32_t index, Time now) {
    const Peer& peer = peers_[index];
    for (const session::OutgoingMessage& message : outbox_.messages)
        send_to_peer(index, message);
    for (const session::StateChange& change : outbox_.changes) {
        emit(SessionChanged{change.role, peer.address, change.session, change.from, change.to, change.reason,
                            now});
        if (change.role != session::Role::Requester) continue;
        wire::SessionEntry entry;
        entry.peer = peer.address;
        entry.session = change.session;
        entry.state = static_cast<std::uint8_t>(change.to);
        entry.sampling = config.sampling;
        if (peer.requested && peer.requested->id() == change.session) {
            const tracking::Sampler& sampler = peer.requested->sampler();
            entry.sampling = sampler.spec();
            entry.offered = sampler.offered();
            entry.tagged = sampler.tagged();
        }
        entry.changed_ns = now.ns;
        tell_nhms(entry, now);
    }
    for (const session::NewRecord& news : outbox_.records) {
        emit(MetricsReported{peer.address, news.session, news.record, now});
        tell_nhms(wire::MetricsEntry{peer.address, news.session, news.record}, now);
    }
    for (const PathIndex path : outbox_.paths_started)
        trace_path(index, path, now);
    outbox_.clear();
}

}  // namespace dyetrace::eppc
