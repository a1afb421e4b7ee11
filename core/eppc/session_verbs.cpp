// SPDX-License-Identifier: GPL-2.0-or-later
// What its owner, or traffic, asks an engine to do about sessions: open, close, close all.
#include <algorithm>
#include <limits>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

session::RequesterSession* Eppc::Engine::find_requested(Peer& peer, SessionId id) {
    const auto it = std::find_if(peer.requested.begin(), peer.requested.end(),
                                 [&](const auto& session) { return session.id() == id; });
    return it == peer.requested.end() ? nullptr : &*it;
}

session::AcceptorSession* Eppc::Engine::find_accepted(Peer& peer, SessionId id, BootId boot) {
    const auto it = std::find_if(peer.accepted.begin(), peer.accepted.end(), [&](const auto& session) {
        return session.id() == id && session.peer_boot() == boot;
    });
    return it == peer.accepted.end() ? nullptr : &*it;
}

SessionParameters SessionParameters::of(const EppcConfig& config) {
    SessionParameters parameters;
    parameters.sampling = config.sampling;
    parameters.report_interval = config.report_interval;
    parameters.duration = config.session_duration;
    parameters.metrics = config.metrics;
    parameters.tracked_per_second = config.tracked_per_second;
    return parameters;
}

std::optional<std::string> Eppc::Engine::no_room_for(const Peer& peer) const {
    if (requested_count_ >= config.bounds.requested_sessions)
        return "the table of requested sessions is full";
    if (peer.requested.size() >= config.bounds.requested_to_peer)
        return "there are as many sessions with " + peer.address.to_string() + " as may be";
    if (last_session_id_ == std::numeric_limits<std::uint32_t>::max()) return "session ids are used up";
    return std::nullopt;
}

SessionId Eppc::Engine::start_session(std::uint32_t index, const SessionParameters& wanted,
                                      session::Origin origin, Time now) {
    Peer& peer = peers_[index];
    session::RequesterParameters parameters;
    parameters.id = SessionId{++last_session_id_};
    parameters.origin = origin;
    parameters.key_id = keys_.sending();
    parameters.known_boot = peer.history.boot();
    parameters.nonce = secret_.next();
    parameters.sampler_seed = secret_.next();
    parameters.source_port_base = config.source_port_base;
    parameters.path_count = config.path_count;
    parameters.port_count = config.port_count;
    parameters.sampling = wanted.sampling;
    parameters.encapsulation = peer.outer.encapsulation();
    parameters.filter = &config.flow_filter;
    parameters.metrics = wanted.metrics & peer.metrics();
    parameters.tracked_per_second = wanted.tracked_per_second;
    parameters.packet_cap = wanted.packet_cap;
    parameters.report_interval = wanted.report_interval;
    parameters.path_idle = config.path_idle;
    parameters.duration = wanted.duration;
    parameters.keep_alive_interval = config.keep_alive_interval;
    parameters.retransmit = retransmit_policy(config);
    // The NHMS knows a path by its session, so a new session tells its paths anew.
    peer.routers.assign(config.path_count, Peer::Routers::NotAsked);
    make_room_for_one(peer.requested);
    peer.requested.emplace_back(parameters);
    ++requested_count_;
    peer.requested.back().open(now, outbox_);
    return parameters.id;
}

Result<SessionId, std::string> Eppc::Engine::open_session(IpAddress address, const SessionParameters& wanted,
                                                          Time now) {
    if (const auto wrong = wrong_peer(address)) return Failure{*wrong};
    if (const auto fault = wanted.sampling.fault(); !fault.empty())
        return Failure{"sampling: " + std::string(fault)};
    const auto index = find_or_add_peer(address);
    if (!index) return Failure{std::string("the table of peers is full")};
    if (const auto full = no_room_for(peers_[*index])) return Failure{*full};
    const SessionId id = start_session(*index, wanted, session::Origin::Asked, now);
    service_peer(*index, now);
    return id;
}

Result<Done, std::string> Eppc::Engine::close_session(session::Role role, IpAddress address, SessionId id,
                                                      wire::CloseReason reason, Time now) {
    const auto index = find_peer(address);
    bool found = false;
    if (index && role == session::Role::Requester) {
        session::RequesterSession* session = find_requested(peers_[*index], id);
        found = session != nullptr;
        if (found) session->close(reason, now, outbox_);
    } else if (index) {
        Peer& peer = peers_[*index];
        session::AcceptorSession* session = find_accepted(peer, id, peer.history.boot());
        found = session != nullptr && !session->is_lingering();
        if (found) session->close(reason, now, outbox_);
    }
    if (!found) return Failure{"there is no such session with " + address.to_string()};
    service_peer(*index, now);
    return Done{};
}

void Eppc::Engine::close_sessions(Time now) {
    config.open_on_traffic = false;
    config.accept_sessions = false;
    next_turns_.clear();
    choose_at_ = fill_at_ = Time::never();
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        Peer& peer = peers_[index];
        peer.waits = false;
        if (peer.requested.empty() && peer.accepted.empty()) continue;
        for (auto& session : peer.requested)
            session.close(wire::CloseReason::Asked, now, outbox_);
        for (auto& session : peer.accepted)
            session.close(wire::CloseReason::Asked, now, outbox_);
        service_peer(index, now);
    }
}

Result<Done, std::string> Eppc::Engine::set_keys(const auth::NamedKey& sending,
                                                 const std::vector<auth::NamedKey>& others, Time now) {
    auto keys = auth::KeyRing::make(sending, others);
    if (!keys) return Failure{keys.error()};
    keys_ = std::move(keys).value();
    for (std::uint32_t index = 0; index < peers_.size(); ++index) {
        Peer& peer = peers_[index];
        // Whoever has the shared key can make the keys of its sessions. The end is still said under those.
        for (auto& session : peer.requested) {
            if (!keys_.has(session.key_id())) session.close(wire::CloseReason::KeyRetired, now, outbox_);
        }
        for (auto& session : peer.accepted) {
            if (!keys_.has(session.channel().key_id()))
                session.close(wire::CloseReason::KeyRetired, now, outbox_);
        }
        service_peer(index, now);
    }
    return Done{};
}

bool Eppc::Engine::is_draining() const {
    return requested_count_ > 0 || !updates_.is_empty() || !outputs_.empty();
}

}  // namespace dyetrace::eppc
