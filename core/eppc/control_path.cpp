// SPDX-License-Identifier: GPL-2.0-or-later
// The control path between EPPCs: handshake, markers, reports, traces.
#include <algorithm>
#include <array>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/icmp.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

/// Records that fit one report: underlay MTU less every header and the tag.
std::size_t records_per_report(const EppcConfig& config) {
    constexpr std::size_t kAround = 20 + 8 + 8 + wire::ControlHeader::kSize + wire::ControlHeader::kTagSize +
                                    wire::ReportBody::kHeaderSize;
    const std::size_t room = config.underlay_mtu > kAround ? config.underlay_mtu - kAround : 0;
    return std::clamp<std::size_t>(room / wire::PathRecord::kSize, 1, 256);
}

session::RetransmitPolicy retransmit_policy(const EppcConfig& config) {
    return {config.retransmit_first, config.retransmit_last, config.retransmit_most};
}

}  // namespace

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

std::optional<wire::RejectReason> Eppc::Engine::refusal(const Peer& peer,
                                                        const wire::RequestBody& request) const {
    if (!config.accept_sessions) return wire::RejectReason::NotMeasuring;
    if (!request.sampling.is_known()) return wire::RejectReason::UnsupportedSampling;
    if (accepted_count_ >= config.bounds.accepted_sessions) return wire::RejectReason::TooManySessions;
    if (peer.accepted.size() >= config.bounds.accepted_from_peer) return wire::RejectReason::TooManyFromPeer;
    if (request.path_count > config.bounds.paths_from_peer) return wire::RejectReason::TooManyPaths;
    return std::nullopt;
}

void Eppc::Engine::handle_request(const ControlMessage& message, std::uint32_t index, Time now) {
    const auto request = wire::RequestBody::parse(message.body);
    if (!request) return drops.add(request.error());
    Peer& peer = peers_[index];
    for (auto& session : peer.accepted) {
        if (session->id() != message.header.session || session->peer_boot() != message.header.sender_boot)
            continue;
        if (session->request().nonce == request->nonce) {
            session->on_request(now, outbox_);
        } else {
            drops.add(DropReason::ControlReplayed);
        }
        return;
    }
    if (const auto reason = refusal(peer, *request)) return reject(index, message, *request, *reason);
    accept(index, message, *request, now);
}

void Eppc::Engine::reject(std::uint32_t index, const ControlMessage& message,
                          const wire::RequestBody& request, wire::RejectReason reason) {
    wire::RejectBody body;
    body.requester_nonce = request.nonce;
    body.reason = reason;
    body.back_off = config.reject_back_off;
    session::OutgoingMessage out;
    out.type = ControlType::Reject;
    out.session = message.header.session;
    out.from_acceptor = true;
    out.receiver_boot = message.header.sender_boot;
    out.body.resize(wire::RejectBody::kSize);
    body.encode_into(out.body);
    send_to_peer(index, out);
}

void Eppc::Engine::accept(std::uint32_t index, const ControlMessage& message,
                          const wire::RequestBody& request, Time now) {
    Peer& peer = peers_[index];
    session::AcceptorParameters parameters;
    parameters.id = message.header.session;
    parameters.peer_boot = message.header.sender_boot;
    parameters.nonce = random_.next();
    parameters.request = request;
    parameters.track_key =
        auth::derive_track_key(peer.key, {peer.address, config.address, message.header.sender_boot, boot_,
                                          request.nonce, parameters.nonce, message.header.session});
    parameters.report_interval = std::max(request.report_interval, Duration::milliseconds(1));
    parameters.keep_alive_interval = config.keep_alive_interval;
    parameters.retransmit = retransmit_policy(config);
    parameters.records_per_report = records_per_report(config);
    // The ports that the peer announces are the ones whose packets are counted; sessions of one peer share
    // them.
    peer.announced_base = request.source_port_base;
    if (peer.received.size() < request.path_count) peer.received.resize(request.path_count);
    peer.accepted.push_back(std::make_unique<session::AcceptorSession>(parameters, now));
    ++accepted_count_;
    peer.accepted.back()->on_request(now, outbox_);
}

void Eppc::Engine::handle_for_requester(const ControlMessage& message, std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    if (header.type == ControlType::PathTraceReply) {
        const auto reply = wire::PathTraceReplyBody::parse(message.body);
        if (!reply) return drops.add(reply.error());
        tracer_.on_reply(peer.address, *reply, now);  // authentic, and perhaps one more than was needed
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
            return session.on_report(header.message_number, records, now, outbox_);
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
            peer.received[path].generation = marker->generation;
            if (!session.on_marker(*marker, peer.received[path].packets, now, outbox_)) {
                drops.add(DropReason::ControlBadField);
            }
            return;
        }
        case ControlType::ReportAck: return session.on_report_ack(header.message_number, now, outbox_);
        case ControlType::Close: {
            const auto close = wire::CloseBody::parse(message.body);
            if (!close) return drops.add(close.error());
            return session.on_close(now, outbox_);
        }
        case ControlType::KeepAlive: return session.on_keep_alive(now, outbox_);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

bool Eppc::Engine::handle_icmp(const UnderlayPacket& packet, Bytes message, Time now) {
    const auto exceeded = wire::IcmpTimeExceeded::parse(message);
    if (!exceeded) {
        if (exceeded.error() == DropReason::NotForUs) return false;
        drops.add(exceeded.error());
        return true;
    }
    if (!tracer_.on_time_exceeded(*exceeded, packet.ip.source, now)) drops.add(DropReason::ControlUnexpected);
    return true;
}

session::RequesterSession* Eppc::Engine::start_session(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    if (requested_count_ >= config.bounds.requested_sessions) {
        drops.add(DropReason::TableFull);
        peer.no_request_before = now + config.reject_back_off;
        return nullptr;
    }
    session::RequesterParameters parameters;
    parameters.id = SessionId{random_.next_u32()};
    parameters.nonce = random_.next();
    parameters.sampler_seed = random_.next();
    parameters.source_port_base = config.source_port_base;
    parameters.path_count = config.path_count;
    parameters.sampling = config.sampling;
    parameters.report_interval = config.report_interval;
    parameters.path_idle = config.path_idle;
    parameters.duration = config.session_duration;
    parameters.keep_alive_interval = config.keep_alive_interval;
    parameters.retransmit = retransmit_policy(config);
    peer.requested = std::make_unique<session::RequesterSession>(parameters);
    ++requested_count_;
    // The NHMS knows a path by its session, so a new session tells its paths anew.
    peer.traced.assign(config.path_count, false);
    peer.requested->open(now, outbox_);
    return peer.requested.get();
}

Result<SessionId, std::string> Eppc::Engine::open_session(Ipv4Address address, Time now) {
    if (address == config.address) return Failure{address.to_string() + " is this host's own address"};
    const auto index = find_or_add_peer(address);
    if (!index) return Failure{std::string("the table of peers is full")};
    if (peers_[*index].requested) return peers_[*index].requested->id();
    const session::RequesterSession* session = start_session(*index, now);
    if (session == nullptr) return Failure{std::string("the table of requested sessions is full")};
    const SessionId id = session->id();
    service_peer(*index, now);
    return id;
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
    const auto path =
        static_cast<std::uint16_t>(message.path ? message.path->value : control_path_++ % config.path_count);
    route.source = {config.address, static_cast<std::uint16_t>(config.source_port_base + path)};
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

void Eppc::Engine::trace_path(std::uint32_t index, PathIndex path, Time now) {
    Peer& peer = peers_[index];
    if (!config.trace_paths || peer.traced[path.value] || !peer.requested) return;
    TracedPath traced;
    traced.peer = index;
    traced.address = peer.address;
    traced.session = peer.requested->id();
    traced.path = path;
    traced.generation = peer.sent[path.value].generation;
    traced.source_port = static_cast<std::uint16_t>(config.source_port_base + path.value);
    if (tracer_.request(traced, now)) {
        peer.traced[path.value] = true;
    } else {
        ++counters.traces_dropped;
    }
}

void Eppc::Engine::service_tracer(Time now) {
    std::vector<TraceProbe> probes;
    std::vector<LearnedPath> learned;
    tracer_.service(now, probes, learned);
    for (const TraceProbe& probe : probes) {
        const Peer& peer = peers_[probe.path.peer];
        if (!peer.requested) continue;
        wire::ControlHeader header;
        header.type = ControlType::PathTrace;
        header.key_id = config.key_id;
        header.session = probe.path.session;
        header.sender_boot = boot_;
        header.receiver_boot = peer.requested->peer_boot();
        std::array<std::uint8_t, wire::PathTraceBody::kSize> body{};
        probe.body.encode_into(body);
        const std::vector<std::uint8_t> bytes =
            auth::seal(header, body, peer.key, config.address, peer.address);
        ControlRoute route;
        route.source_mac = config.mac;
        route.next_hop_mac = config.gateway_mac;
        route.source = {config.address, probe.path.source_port};
        route.destination = {peer.address, config.geneve_port};
        route.ttl = probe.body.ttl;
        route.dscp = config.dscp;
        route.identification = probe.identification;
        ++counters.traces_sent;
        emit_frame(build_geneve_control(route, bytes));
    }
    for (const LearnedPath& path : learned) {
        wire::PathEntry entry;
        entry.peer = path.path.address;
        entry.session = path.path.session;
        entry.path = path.path.path;
        entry.generation = path.path.generation;
        entry.complete = path.complete;
        entry.source_port = path.path.source_port;
        entry.traced_ns = now.ns;
        entry.hop_count = path.hop_count;
        entry.hops = path.hops;
        const bool told = tell_nhms(entry, now);
        // What stayed incomplete or unsaid is asked again when the path is next started, or by a directive.
        if (!path.complete || !told) peers_[path.path.peer].traced[path.path.path.value] = false;
    }
}

}  // namespace dyetrace::eppc
