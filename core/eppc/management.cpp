// SPDX-License-Identifier: GPL-2.0-or-later
// The control path between this EPPC and the health service: updates out, acknowledgements and directives in.
#include <algorithm>
#include <array>

#include "core/auth/seal.h"
#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/directive.h"
#include "core/wire/session_messages.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

void Eppc::Engine::tell_nhms(const wire::UpdateEntry& entry, Time now, bool troubled) {
    if (!config.nhms) return;
    if (const auto given_up = updates_.add(entry, troubled, now)) note_given_up(*given_up);
}

void Eppc::Engine::note_given_up(const GivenUp& given_up) {
    ++counters.update_entries_dropped;
    const auto index = find_peer(given_up.peer);
    Peer* peer = index ? &peers_[*index] : nullptr;
    session::RequesterSession* session = peer != nullptr ? find_requested(*peer, given_up.session) : nullptr;
    switch (given_up.kind) {
        case GivenUp::Kind::Healthy: ++counters.updates_dropped_healthy; return;
        case GivenUp::Kind::Session: ++counters.updates_dropped_sessions; return;
        case GivenUp::Kind::Timing: ++counters.updates_dropped_timings; return;
        case GivenUp::Kind::Flow: ++counters.updates_dropped_flows; return;
        case GivenUp::Kind::Troubled:
            ++counters.updates_dropped_troubled;
            if (session != nullptr) session->note_untold(given_up.path);
            return;
        case GivenUp::Kind::Path:
            ++counters.updates_dropped_paths;
            // To be traced again when the path is next started, or by a directive.
            if (session != nullptr) peer->routers[given_up.path.value] = Peer::Routers::NotAsked;
            return;
    }
}

void Eppc::Engine::tell_state(Peer& peer, SessionId session, session::State state, Time now) {
    wire::SessionEntry entry;
    entry.peer = peer.address;
    entry.session = session;
    entry.state = static_cast<std::uint8_t>(state);
    entry.sampling = config.sampling;
    if (const auto* requested = find_requested(peer, session)) {
        const tracking::Sampler& sampler = requested->sampler();
        entry.sampling = sampler.spec();
        entry.offered = sampler.offered();
        entry.tagged = sampler.tagged();
    }
    entry.changed_ns = now.ns;
    tell_nhms(entry, now);
}

void Eppc::Engine::tell_anew(Time now) {
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        Peer& peer = peers_[index];
        bool active = false;
        for (const auto& requested : peer.requested) {
            if (requested.state() != session::State::Active) continue;
            tell_state(peer, requested.id(), session::State::Active, now);
            active = true;
        }
        if (active) trace_all_paths(index, now);
    }
}

std::uint16_t Eppc::Engine::trace_all_paths(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    std::uint16_t traced = 0;
    for (std::size_t i = 0; i < config.path_count; ++i) {
        const bool used = std::any_of(peer.requested.begin(), peer.requested.end(), [i](const auto& session) {
            return session.state() == session::State::Active && session.markers().paths()[i].interval != 0;
        });
        if (!used) continue;  // there is nothing to learn of it
        ++traced;
        peer.routers[i] = Peer::Routers::NotAsked;
        trace_path(index, PathIndex{static_cast<std::uint16_t>(i)}, now);
    }
    return traced;
}

void Eppc::Engine::service_updates(Time now) {
    std::vector<UpdateSender::Transmission> transmissions;
    updates_.service(now, transmissions);
    for (const auto& transmission : transmissions) {
        if (transmission.first) ++counters.updates_sent;
        send_to_nhms(ControlType::Update, transmission.number, transmission.challenge, *transmission.body);
    }
}

void Eppc::Engine::send_to_nhms(ControlType type, std::uint32_t number, std::uint32_t challenge, Bytes body) {
    wire::ControlHeader header;
    header.type = type;
    header.key_id = keys_.sending();
    header.session = SessionId{challenge};
    header.message_number = number;
    header.sender_boot = boot_;
    header.receiver_boot = nhms_.boot();
    ControlRoute route;
    route.source_mac = config.mac;
    route.next_hop_mac = config.gateway_mac;
    route.source = {config.address, config.management_port};
    route.destination = *config.nhms;
    const auto key = pair_key(header.key_id, config.nhms->address);
    DYETRACE_ASSERT(key.has_value());
    const std::vector<std::uint8_t> bytes = auth::seal(header, body, *key, route.source, route.destination);
    route.identification = ++control_identification_;
    route.flow_label = flow_label_of(route.destination.address, route.source.port, flow_seed_);
    emit_frame(build_datagram(route, bytes));
}

void Eppc::Engine::handle_management(const UnderlayPacket& packet, Bytes payload, Time now) {
    if (packet.ip.source != config.nhms->address) return drops.add(DropReason::ControlUnexpected);
    const auto message = ControlMessage::parse(payload);
    if (!message) return drops.add(message.error());
    const auto key = pair_key(message->header.key_id, packet.ip.source);
    if (!key) return drops.add(DropReason::ControlUnknownKey);
    if (!auth::control_tag_ok(*key, packet.source(), packet.destination(), *message))
        return drops.add(DropReason::ControlBadTag);
    // What the NHMS says answers what this boot of ours has said.
    if (message->header.receiver_boot != boot_) return drops.add(DropReason::ControlWrongBoot);
    ++counters.control_received;
    switch (message->header.type) {
        case ControlType::UpdateAck:
        case ControlType::NhmsHello: return handle_answer(*message, now);
        case ControlType::Directive: return handle_directive(*message, now);
        default: return drops.add(DropReason::ControlUnexpected);
    }
}

void Eppc::Engine::handle_answer(const ControlMessage& message, Time now) {
    if (const auto body = wire::parse_empty_body(message.body); !body) return drops.add(body.error());
    const wire::ControlHeader& header = message.header;
    const std::uint32_t challenge = header.session.value;
    if (!updates_.is_newest(header.message_number, challenge)) return drops.add(DropReason::ControlReplayed);
    if (header.type == ControlType::UpdateAck) {
        if (!nhms_.is_current(header.sender_boot)) return drops.add(DropReason::ControlWrongBoot);
        updates_.on_ack(header.message_number, now);
        ++counters.updates_acked;
    } else {
        if (header.sender_boot.value == 0) return drops.add(DropReason::ControlBadField);
        // The same boot again would send us round in circles; back-off repeats what it did not take.
        if (nhms_.is_current(header.sender_boot)) return drops.add(DropReason::ControlUnexpected);
        const bool restarted = nhms_.boot().value != 0;
        nhms_.learn(header.sender_boot);
        updates_.on_hello(now);
        if (restarted) tell_anew(now);
    }
}

void Eppc::Engine::handle_directive(const ControlMessage& message, Time now) {
    const wire::ControlHeader& header = message.header;
    if (!nhms_.is_current(header.sender_boot)) return drops.add(DropReason::ControlWrongBoot);
    const auto directive = wire::DirectiveBody::parse(message.body);
    if (!directive) return drops.add(directive.error());
    switch (nhms_.take_directive(header.message_number)) {
        case ReplayWindow::Verdict::New:
            nhms_.keep_result(header.message_number, obey(*directive, now));
            break;
        case ReplayWindow::Verdict::Repeated: break;  // our result was lost: what was asked is being done
        case ReplayWindow::Verdict::TooOld: return drops.add(DropReason::ControlReplayed);
    }
    std::array<std::uint8_t, wire::DirectiveResultBody::kSize> body{};
    nhms_.result_of(header.message_number).encode_into(body);
    send_to_nhms(ControlType::DirectiveResult, header.message_number, 0, body);
}

wire::DirectiveResultBody Eppc::Engine::obey(const wire::DirectiveBody& directive, Time now) {
    using Kind = wire::DirectiveKind;
    if (directive.kind == Kind::OpenSession) return measure_for_nhms(directive, now);
    if (directive.kind == Kind::TraceFlow) return follow_for_nhms(directive, now);
    wire::DirectiveResultBody result;
    result.status = wire::DirectiveStatus::NoSession;
    const auto index = find_peer(directive.peer);
    if (!index) return result;
    if (directive.kind == Kind::Repath) return repath_for_nhms(directive, now);
    Peer& peer = peers_[*index];
    for (auto& session : peer.requested) {
        if (session.state() != session::State::Active) continue;
        ++result.sessions;
        if (directive.kind == Kind::Investigate)
            session.raise_sampling(directive.sampling, now + directive.duration);
    }
    if (result.sessions == 0) return result;
    result.status = wire::DirectiveStatus::Done;
    result.paths = trace_all_paths(*index, now);
    service_peer(*index, now);
    return result;
}

wire::DirectiveResultBody Eppc::Engine::measure_for_nhms(const wire::DirectiveBody& directive, Time now) {
    wire::DirectiveResultBody result;
    if (const auto index = find_peer(directive.peer)) {
        // A pair that is measured already needs no other session: its sampling is raised instead.
        const Time until = directive.duration.ns == 0 ? Time::never() : now + directive.duration;
        for (auto& session : peers_[*index].requested) {
            // One that is being asked for is soon active; one that is closing measures nothing any more.
            const bool measures =
                session.state() == session::State::Active || session.state() == session::State::Requested;
            if (!measures) continue;
            ++result.sessions;
            session.raise_sampling(directive.sampling, until);
        }
        if (result.sessions > 0) {
            result.paths = trace_all_paths(*index, now);
            service_peer(*index, now);
            return result;
        }
    }
    SessionParameters wanted = SessionParameters::of(config);
    wanted.sampling = directive.sampling;
    wanted.duration = directive.duration;
    if (directive.metrics != 0) wanted.metrics = directive.metrics & wire::kMetricsAll;
    if (open_session(directive.peer, wanted, now)) {
        result.sessions = 1;
    } else {
        result.status = wire::DirectiveStatus::Refused;
    }
    return result;
}

wire::DirectiveResultBody Eppc::Engine::repath_for_nhms(const wire::DirectiveBody& directive, Time now) {
    wire::DirectiveResultBody result;
    const auto index = find_peer(directive.peer);
    std::size_t stay = 0;
    for (const wire::DirectivePath& wanted : directive.paths) {
        // Path counts are the EPPC's own: one that it has not is nothing to move.
        if (wanted.path.value >= config.path_count) {
            ++stay;
            continue;
        }
        const bool moved_before = peers_[*index].paths[wanted.path].generation != wanted.generation;
        if (moved_before || repath(directive.peer, wanted.path, now)) {
            ++result.paths;
        } else {
            ++stay;
        }
    }
    for (const auto& session : peers_[*index].requested) {
        if (session.state() == session::State::Active) ++result.sessions;
    }
    if (stay > 0) result.status = wire::DirectiveStatus::Partly;
    return result;
}

}  // namespace dyetrace::eppc
