// SPDX-License-Identifier: GPL-2.0-or-later
// How sessions begin: asking for one, and answering who asks.
//
// Nothing is kept of a request that has not shown, by the nonce of a challenge, that its sender is alive; and
// the answer to it is never longer than it was.
#include <algorithm>

#include "core/eppc/engine.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

namespace {

static_assert(wire::ChallengeBody::kSize <= wire::RequestBody::kSize);
static_assert(wire::AcceptBody::kSize <= wire::RequestBody::kSize);
static_assert(wire::RejectBody::kSize <= wire::RequestBody::kSize);

/// A shorter one is not granted.
constexpr Duration kKeepAliveLeast = Duration::milliseconds(10);

/// Records that fit one report: underlay MTU less every header and the tag.
std::size_t records_per_report(const EppcConfig& config, const OuterHeader& outer) {
    const std::size_t inner_ethernet = outer.is_vxlan() ? 14 : 0;
    const std::size_t around = outer.size_in_mtu() + inner_ethernet + wire::ControlHeader::kSize +
                               wire::ControlHeader::kTagSize + wire::ReportHeader::kSize;
    const std::size_t room = config.underlay_mtu > around ? config.underlay_mtu - around : 0;
    return std::clamp<std::size_t>(room / wire::PathRecord::kSize, 1, 256);
}

/// What a challenge to the request is bound to, as things stand.
auth::CookieClaims claims_of(const UnderlayPacket& packet, const ControlMessage& message,
                             const wire::RequestBody& request) {
    return {packet.ip.source, message.header.sender_boot, request.requester_nonce, message.header.session,
            packet.peer != nullptr ? packet.peer->history.boot() : BootId{}};
}

}  // namespace

std::optional<auth::PairKey> Eppc::Engine::pair_key(KeyId id, IpAddress peer) const {
    return keys_.pair_key(id, config.address, peer);
}

void Eppc::Engine::handle_handshake(const UnderlayPacket& packet, const ControlMessage& message, Time now) {
    // A stranger costs one key derivation and one HMAC, and leaves nothing behind.
    const auto key = pair_key(message.header.key_id, packet.ip.source);
    if (!key) return drops.add(DropReason::ControlUnknownKey);
    if (!auth::control_tag_ok(*key, packet.source(), packet.destination(), message))
        return drops.add(DropReason::ControlBadTag);
    if ((message.header.type == ControlType::Request) == message.header.from_acceptor)
        return drops.add(DropReason::ControlUnexpected);
    if (message.header.type == ControlType::Request) return handle_request(packet, message, now);
    if (message.header.receiver_boot != boot_) return drops.add(DropReason::ControlWrongBoot);
    if (packet.peer == nullptr) return drops.add(DropReason::ControlUnknownSession);
    handle_answer(message, packet.peer_index, now);
    service_peer(packet.peer_index, now);
}

void Eppc::Engine::handle_request(const UnderlayPacket& packet, const ControlMessage& message, Time now) {
    const auto request = wire::RequestBody::parse(message.body);
    if (!request) return drops.add(request.error());
    const wire::ControlHeader& header = message.header;
    if (packet.peer != nullptr && answer_repeat(packet, message, *request, packet.peer_index, now)) return;
    if (request->acceptor_nonce == 0) return challenge(packet, message, *request, now);
    if (header.receiver_boot != boot_ ||
        !cookies_.is_good(request->acceptor_nonce, claims_of(packet, message, *request), now)) {
        drops.add(DropReason::ControlStaleCookie);
        return challenge(packet, message, *request, now);
    }
    // From here on the request is of a peer that was alive a moment ago, since the boot of it that is known
    // here was met, and never seen before.
    const auto index = find_or_add_peer(packet.ip.source);
    if (!index) return drops.add(DropReason::TableFull);
    Peer& peer = peers_[*index];
    meet_boot(*index, header.sender_boot, now);
    if (!peer.received.empty() && peer.announced_base != request->source_port_base)
        return drops.add(DropReason::ControlBadField);  // one boot has one range of ports
    ++counters.control_received;
    peer.history.use(header.session);
    make_room_for_session(peer, *request);
    if (const auto reason = refusal(peer, *request)) {
        ++counters.sessions_refused;
        peer.history.note_refusal(header.session, *reason, now);
        return reject(packet, message, *request, *reason);
    }
    accept(*index, message, *request, now);
    service_peer(*index, now);
}

bool Eppc::Engine::answer_repeat(const UnderlayPacket& packet, const ControlMessage& message,
                                 const wire::RequestBody& request, std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    if (peer.history.is_fresh(header.sender_boot, header.session)) return false;
    session::AcceptorSession* session = find_accepted(peer, header.session, header.sender_boot);
    const bool same = session != nullptr && session->request().requester_nonce == request.requester_nonce &&
                      session->channel().key_id() == header.key_id && request.acceptor_nonce != 0 &&
                      !session->channel().is_confirmed() && !session::is_final(session->state());
    const auto refused = peer.history.refusal_of(header.session, now);
    if ((same || refused) && request.acceptor_nonce != 0 && header.receiver_boot != boot_) {
        // It answers a belated challenge of a boot before this one, and would hear nothing from us.
        drops.add(DropReason::ControlStaleCookie);
        challenge(packet, message, request, now);
    } else if (same) {
        ++counters.control_received;
        session->on_request(outbox_);
        flush_outbox(index, now);
    } else if (refused && request.acceptor_nonce != 0) {
        ++counters.control_received;
        reject(packet, message, request, *refused);
    } else {
        drops.add(DropReason::ControlReplayed);
    }
    return true;
}

void Eppc::Engine::meet_boot(std::uint32_t index, BootId boot, Time now) {
    Peer& peer = peers_[index];
    const auto before = peer.history.meet(boot);
    if (!before) return;
    for (auto& session : peer.accepted)
        session.on_peer_restarted(outbox_);
    for (auto& session : peer.requested) {
        if (session.peer_boot() == *before) session.on_peer_restarted(outbox_);
    }
    flush_outbox(index, now);
    forget_all_accepted(peer);
    peer.clock.reset();  // whatever its clock shows now has nothing to do with what it showed
    remove_ended_sessions(peer, now);
}

std::optional<wire::RejectReason> Eppc::Engine::refusal(const Peer& peer,
                                                        const wire::RequestBody& request) const {
    if (!config.accept_sessions) return wire::RejectReason::NotMeasuring;
    if (request.encapsulation != peer.outer.encapsulation())
        return wire::RejectReason::UnsupportedEncapsulation;
    if (!peer.outer.is_vxlan() && request.track_option_type != wire::TrackOption::kType)
        return wire::RejectReason::UnsupportedVersion;
    if (!request.sampling.is_known()) return wire::RejectReason::UnsupportedSampling;
    if ((request.metrics & peer.metrics()) == 0) return wire::RejectReason::UnsupportedMetrics;
    if (request.port_count > config.bounds.paths_from_peer || !has_room_for(peer, request))
        return wire::RejectReason::TooManyPaths;
    if (load_ >= config.load_most) return wire::RejectReason::OverCpuBudget;
    if (config.accepted_per_second > 0) {
        // Without a promise there is no telling what it will cost.
        const std::uint32_t promise = request.tracked_per_second;
        if (promise == 0 || promised_per_second() + promise > config.accepted_per_second)
            return wire::RejectReason::OverPacketBudget;
    }
    if (accepted_count_ >= config.bounds.accepted_sessions) return wire::RejectReason::TooManySessions;
    if (peer.accepted.size() >= config.bounds.accepted_from_peer) return wire::RejectReason::TooManyFromPeer;
    return std::nullopt;
}

std::uint64_t Eppc::Engine::promised_per_second() const {
    std::uint64_t promised = 0;
    for (const Peer& peer : peers_) {
        for (const auto& session : peer.accepted) {
            if (!session.is_lingering()) promised += session.request().tracked_per_second;
        }
    }
    return promised;
}

bool Eppc::Engine::has_room_for(const Peer& peer, const wire::RequestBody& request) const {
    const std::size_t more_ports =
        request.port_count - std::min<std::size_t>(request.port_count, peer.received.size());
    return accepted_paths_ + request.path_count <= config.bounds.accepted_paths &&
           announced_ports_ + more_ports <= config.bounds.announced_ports;
}

/// Sessions that linger only answer who has not heard that they are closed.
void Eppc::Engine::make_room_for_session(Peer& peer, const wire::RequestBody& request) {
    if (peer.accepted.size() >= config.bounds.accepted_from_peer) forget_longest_lingering(&peer);
    while (accepted_count_ >= config.bounds.accepted_sessions || !has_room_for(peer, request)) {
        if (!forget_longest_lingering(nullptr)) return;
    }
}

void Eppc::Engine::answer_statelessly(const UnderlayPacket& packet, const ControlMessage& message,
                                      const wire::RequestBody& request, session::OutgoingMessage answer) {
    answer.session = message.header.session;
    answer.from_acceptor = true;
    answer.receiver_boot = message.header.sender_boot;
    answer.key_id = message.header.key_id;
    // The requester's repeats take its paths in turn, and so does what answers them.
    const auto port = static_cast<std::uint16_t>(
        static_cast<std::uint16_t>(packet.udp.source_port - request.source_port_base) % config.path_count);
    send_message(answer, packet.ip.source, port, 0);
}

void Eppc::Engine::challenge(const UnderlayPacket& packet, const ControlMessage& message,
                             const wire::RequestBody& request, Time now) {
    wire::ChallengeBody body;
    body.requester_nonce = request.requester_nonce;
    body.acceptor_nonce = cookies_.make(claims_of(packet, message, request), now);
    session::OutgoingMessage out;
    out.type = ControlType::Challenge;
    out.body.resize(wire::ChallengeBody::kSize);
    body.encode_into(out.body);
    ++counters.challenges_sent;
    answer_statelessly(packet, message, request, std::move(out));
}

void Eppc::Engine::reject(const UnderlayPacket& packet, const ControlMessage& message,
                          const wire::RequestBody& request, wire::RejectReason reason) {
    wire::RejectBody body;
    body.requester_nonce = request.requester_nonce;
    body.reason = reason;
    body.back_off = config.reject_back_off;
    session::OutgoingMessage out;
    out.type = ControlType::Reject;
    out.body.resize(wire::RejectBody::kSize);
    body.encode_into(out.body);
    answer_statelessly(packet, message, request, std::move(out));
}

void Eppc::Engine::accept(std::uint32_t index, const ControlMessage& message,
                          const wire::RequestBody& request, Time now) {
    Peer& peer = peers_[index];
    const auto key = pair_key(message.header.key_id, peer.address);
    DYETRACE_ASSERT(key.has_value());  // the request came under it
    session::AcceptorParameters parameters;
    parameters.id = message.header.session;
    parameters.peer_boot = message.header.sender_boot;
    parameters.key_id = message.header.key_id;
    parameters.request = request;
    parameters.keys = auth::derive_session_keys(
        *key, {peer.address, config.address, message.header.sender_boot, boot_, request.requester_nonce,
               request.acceptor_nonce, message.header.session});
    parameters.report_interval = std::max(request.report_interval, wire::AcceptBody::kReportIntervalLeast);
    parameters.keep_alive_interval =
        std::max(std::min(request.keep_alive_interval, config.keep_alive_interval), kKeepAliveLeast);
    parameters.metrics = request.metrics & peer.metrics();
    parameters.waiting_time = config.waiting_time;
    parameters.retransmit = retransmit_policy(config);
    if (!peer.outer.is_vxlan()) parameters.ride_wait = config.ride_wait;  // VXLAN has no options
    parameters.records_per_report = records_per_report(config, peer.outer);
    // The ports that the peer announces are the ones whose packets are counted; sessions of one peer share
    // them.
    peer.announced_base = request.source_port_base;
    if (peer.received.size() < request.port_count) {
        announced_ports_ += request.port_count - peer.received.size();
        peer.received.reserve(request.port_count);  // no more than that
        peer.received.resize(request.port_count);
    }
    if ((parameters.metrics & wire::kMetricDelay) != 0 && !peer.clock) peer.clock.emplace();
    if ((parameters.metrics & wire::kMetricQuantiles) != 0) parameters.sketch = sketches_.open();
    make_room_for_one(peer.accepted);
    peer.accepted.emplace_back(parameters, now);
    ++accepted_count_;
    accepted_paths_ += request.path_count;
    peer.accepted.back().on_request(outbox_);
}

void Eppc::Engine::handle_answer(const ControlMessage& message, std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    const wire::ControlHeader& header = message.header;
    session::RequesterSession* session = find_requested(peer, header.session);
    if (session == nullptr || session->key_id() != header.key_id)
        return drops.add(DropReason::ControlUnknownSession);
    // Accept and reject are of the boot that has challenged; another challenge may be of a later one.
    if (header.type != ControlType::Challenge && session->peer_boot() != header.sender_boot)
        return drops.add(DropReason::ControlWrongBoot);
    // To a session that has its answer all of these are repeats.
    if (session->state() != session::State::Requested) return drops.add(DropReason::ControlReplayed);
    if (header.type == ControlType::Challenge) {
        const auto challenge = wire::ChallengeBody::parse(message.body);
        if (!challenge) return drops.add(challenge.error());
        if (challenge->requester_nonce != session->nonce()) return drops.add(DropReason::ControlReplayed);
        session->on_challenge(header.sender_boot, *challenge, now, outbox_);
        if (outbox_.messages.empty())
            return drops.add(DropReason::ControlReplayed);  // it was answered before
    } else if (header.type == ControlType::Accept) {
        const auto accept = wire::AcceptBody::parse(message.body);
        if (!accept) return drops.add(accept.error());
        if (accept->requester_nonce != session->nonce()) return drops.add(DropReason::ControlReplayed);
        const auto key = pair_key(header.key_id, peer.address);
        DYETRACE_ASSERT(key.has_value());  // the accept came under it
        const auto keys =
            auth::derive_session_keys(*key, {config.address, peer.address, boot_, header.sender_boot,
                                             session->nonce(), accept->acceptor_nonce, header.session});
        session->on_accept(*accept, keys, now, outbox_);
        peer.back_off.succeeded();
    } else {
        const auto reject = wire::RejectBody::parse(message.body);
        if (!reject) return drops.add(reject.error());
        if (reject->requester_nonce != session->nonce()) return drops.add(DropReason::ControlReplayed);
        peer.no_request_before = now + peer.back_off.after_failure(reject->back_off);
        session->on_reject(*reject, outbox_);
    }
    ++counters.control_received;
}

}  // namespace dyetrace::eppc
