// SPDX-License-Identifier: GPL-2.0-or-later
// How sessions begin: asking for one, and answering who asks.
#include <algorithm>

#include "core/eppc/engine.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

/// Records that fit one report: underlay MTU less every header and the tag.
std::size_t records_per_report(const EppcConfig& config) {
    constexpr std::size_t kAround =
        20 + 8 + 8 + wire::ControlHeader::kSize + wire::ControlHeader::kTagSize + wire::ReportHeader::kSize;
    const std::size_t room = config.underlay_mtu > kAround ? config.underlay_mtu - kAround : 0;
    return std::clamp<std::size_t>(room / wire::PathRecord::kSize, 1, 256);
}

session::RetransmitPolicy retransmit_policy(const EppcConfig& config) {
    return {config.retransmit_first, config.retransmit_last, config.retransmit_most};
}

}  // namespace

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
    peer.routers.assign(config.path_count, Peer::Routers::NotAsked);
    peer.requested->open(now, outbox_);
    return peer.requested.get();
}

Result<SessionId, std::string> Eppc::Engine::open_session(IpAddress address, Time now) {
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

}  // namespace dyetrace::eppc
