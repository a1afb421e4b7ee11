// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/requester_session.h"

#include <algorithm>

namespace dyetrace::session {

using wire::ControlType;

namespace {
/// Keep-alives missed in a row before the peer counts as lost.
constexpr int kKeepAlivesMissed = 3;
}  // namespace

RequesterSession::RequesterSession(const RequesterParameters& parameters)
    : markers_(parameters.path_count, parameters.path_idle, parameters.retransmit),
      has_options_(parameters.encapsulation == wire::Encapsulation::Geneve),
      budget_(parameters.packet_cap, parameters.tracked_per_second),
      sampler_(parameters.sampling, parameters.sampler_seed, parameters.filter),
      parameters_(parameters),
      reports_(parameters.id, parameters.path_count) {}

OutgoingMessage RequesterSession::message(ControlType type) {
    OutgoingMessage out;
    out.type = type;
    out.session = parameters_.id;
    out.receiver_boot = peer_boot_;
    out.key_id = parameters_.key_id;
    if (!wire::is_handshake(type)) {
        out.key = channel_.keys().control;
        out.message_number = channel_.next_number();
    }
    return out;
}

Action RequesterSession::apply(Event event, std::string_view reason, Outbox& out) {
    const Transition next = transition(Role::Requester, state_, event);
    if (!next.allowed) return Action::None;
    if (next.to != state_) out.changes.push_back({Role::Requester, parameters_.id, state_, next.to, reason});
    state_ = next.to;
    last_event_ = event;
    return next.action;
}

void RequesterSession::open(Time now, Outbox& out) {
    if (apply(Event::OpenAsked, to_string(Event::OpenAsked), out) == Action::SendRequest) {
        if (parameters_.duration.ns > 0) ends_at_ = now + parameters_.duration;
        send_request(now, out);
    }
}

void RequesterSession::send_request(Time now, Outbox& out) {
    wire::RequestBody request;
    request.requester_nonce = parameters_.nonce;
    request.acceptor_nonce = acceptor_nonce_;
    request.source_port_base = parameters_.source_port_base;
    request.path_count = parameters_.path_count;
    request.port_count = parameters_.port_count;
    request.encapsulation = parameters_.encapsulation;
    request.sampling = parameters_.sampling;
    request.metrics = parameters_.metrics;
    request.tracked_per_second = parameters_.tracked_per_second;
    request.report_interval = parameters_.report_interval;
    request.keep_alive_interval = parameters_.keep_alive_interval;
    request.duration = parameters_.duration;
    request.packet_cap = parameters_.packet_cap;
    out.say(message(ControlType::Request), request);
    retransmit_at_ = now + parameters_.retransmit.wait_after(++attempts_);
}

void RequesterSession::begin_closing(wire::CloseReason reason, Time now) {
    close_reason_ = reason;
    markers_.end_all(now);
    attempts_ = 0;
    retransmit_at_ = now;  // looked at by `service`, which sends the ENDs first
}

void RequesterSession::close(wire::CloseReason reason, Time now, Outbox& out) {
    if (apply(Event::CloseAsked, wire::to_string(reason), out) == Action::EndPaths)
        begin_closing(reason, now);
}

void RequesterSession::on_challenge(BootId peer_boot, const wire::ChallengeBody& challenge, Time now,
                                    Outbox& out) {
    // A repeat asks nothing new; and recorded ones must not make it talk without end.
    const bool repeat = peer_boot_ == peer_boot && acceptor_nonce_ == challenge.acceptor_nonce;
    if (repeat || challenges_ >= kChallengesMost) return;
    if (apply(Event::ChallengeReceived, to_string(Event::ChallengeReceived), out) != Action::SendRequest)
        return;
    ++challenges_;
    peer_boot_ = peer_boot;
    acceptor_nonce_ = challenge.acceptor_nonce;
    attempts_ = 0;
    send_request(now, out);
}

void RequesterSession::on_accept(const wire::AcceptBody& accept, const auth::SessionKeys& keys, Time now,
                                 Outbox& out) {
    if (apply(Event::AcceptReceived, to_string(Event::AcceptReceived), out) != Action::SendKeepAlive)
        return;  // a repeat
    acceptor_nonce_ = accept.acceptor_nonce;
    active_since_ = now;
    channel_ = Channel(parameters_.key_id, keys, now);
    parameters_.report_interval = std::max(accept.report_interval, wire::AcceptBody::kReportIntervalLeast);
    markers_.set_count_interval(parameters_.report_interval,
                                has_options() ? kCountedLeast : std::uint16_t{1});
    parameters_.keep_alive_interval = std::min(parameters_.keep_alive_interval, accept.keep_alive_interval);
    parameters_.metrics &= accept.metrics;
    retransmit_at_ = Time::never();
    keep_alive_at_ = now;
    service_keep_alive(now, out);
}

void RequesterSession::on_reject(const wire::RejectBody& reject, Outbox& out) {
    apply(Event::RejectReceived, wire::to_string(reject.reason), out);
}

bool RequesterSession::on_marker_ack(const wire::MarkerAckBody& ack, Time now,
                                     const tracking::PathTable& table, Outbox& out) {
    return markers_.on_ack(ack, now, table, out);
}

void RequesterSession::on_report(std::uint32_t number, const wire::ReportHeader& header,
                                 std::span<const wire::PathRecord> records, Time now,
                                 const tracking::PathTable& table, Outbox& out) {
    const std::size_t before = out.records.size();
    reports_.on_report(number, header, records, now, out);
    look_closer(before, now, table, out);
    // Acknowledged also when it was overtaken: what it told is told.
    acknowledge(number, header.sent_ns, now, out);
}

bool RequesterSession::on_sketch(std::uint32_t number, const wire::DelaySketchBody& sketch, Time now,
                                 Outbox& out) {
    acknowledge(number, sketch.sent_ns, now, out);
    return reports_.on_sketch(number, sketch.corrected, sketch.sketch);
}

/// `sent_ns`: of what is acknowledged, by its own header.
void RequesterSession::acknowledge(std::uint32_t number, std::int64_t sent_ns, Time now, Outbox& out) {
    wire::ReportAckBody ack;
    ack.acknowledged = number;
    ack.sent_ns = now.ns;
    ack.report_sent_ns = sent_ns;
    ack.report_delay_ns = clocks_difference(now, Time{sent_ns}).ns;
    out.say(message(ControlType::ReportAck), ack);
}

/// At the paths that lost something, by the records from `first` on.
void RequesterSession::look_closer(std::size_t first, Time now, const tracking::PathTable& table,
                                   const Outbox& out) {
    for (std::size_t i = first; i < out.records.size(); ++i) {
        if (out.records[i].lossy) markers_.look_closer(out.records[i].record.path, now, table);
    }
}

void RequesterSession::on_ride(std::uint32_t number, const wire::PathRecord& record, Time now,
                               const tracking::PathTable& table, Outbox& out) {
    const std::size_t before = out.records.size();
    reports_.on_report(number, {}, {&record, 1}, now, out);
    look_closer(before, now, table, out);
    wire::ReportAckBody ack;  // of the option's own times it says nothing, as the option has none
    ack.acknowledged = number;
    ack.sent_ns = now.ns;
    out.say(message(ControlType::ReportAck), ack);
}

void RequesterSession::on_close(const wire::CloseBody& close, Time now, Outbox& out) {
    const Action action = apply(Event::CloseReceived, wire::to_string(close.reason), out);
    if (action != Action::AckAndEndPaths && action != Action::SendCloseAck) return;
    out.messages.push_back(message(ControlType::CloseAck));
    if (action == Action::AckAndEndPaths) begin_closing(close.reason, now);
}

void RequesterSession::on_close_ack(Outbox& out) {
    apply(Event::CloseAckReceived, to_string(Event::CloseAckReceived), out);
}

void RequesterSession::on_peer_restarted(Outbox& out) {
    apply(Event::PeerRestarted, "peer restarted", out);
}

void RequesterSession::raise_sampling(wire::SamplingSpec sampling, Time until) {
    const auto before = parameters_.sampling.share();
    const auto raised = sampling.share();
    const bool same_packets = parameters_.sampling.filtered == sampling.filtered;
    sampler_.set_spec(same_packets && before && raised && *raised < *before ? parameters_.sampling
                                                                            : sampling);
    sampling_until_ = until;
}

void RequesterSession::service_markers(Time now, const tracking::PathTable& table, Outbox& out) {
    while (const auto marker = markers_.take_due(now, table, channel_.last_heard())) {
        OutgoingMessage outgoing = message(ControlType::Marker);
        outgoing.port = marker->port;
        out.say(std::move(outgoing), marker->body);
    }
    if (markers_.is_peer_silent()) apply(Event::PeerSilent, "marker unanswered", out);
}

bool RequesterSession::transmit_again(Time now, Outbox& out) {
    if (now < retransmit_at_) return false;
    if (attempts_ < parameters_.retransmit.most) return true;
    apply(Event::PeerSilent, state_ == State::Requested ? "request unanswered" : "close unanswered", out);
    return false;
}

void RequesterSession::service_close(Time now, Outbox& out) {
    if (!markers_.is_settled() || !transmit_again(now, out)) return;
    out.say(message(ControlType::Close), wire::CloseBody{close_reason_});
    retransmit_at_ = now + parameters_.retransmit.wait_after(++attempts_);
}

void RequesterSession::service_keep_alive(Time now, Outbox& out) {
    if (now < keep_alive_at_) return;
    if (now >= channel_.last_heard() + parameters_.keep_alive_interval * kKeepAlivesMissed) {
        apply(Event::PeerSilent, "keep-alives unanswered", out);
        return;
    }
    out.messages.push_back(message(ControlType::KeepAlive));
    keep_alive_at_ = now + parameters_.keep_alive_interval;
}

void RequesterSession::service_active(Time now, Outbox& out) {
    if (now >= sampling_until_) {
        sampler_.set_spec(parameters_.sampling);
        sampling_until_ = Time::never();
    }
    if (now >= ends_at_) {
        apply(Event::DurationOver, "duration over", out);
        begin_closing(wire::CloseReason::DurationOver, now);
    } else if (budget_.is_spent()) {
        close(wire::CloseReason::PacketCap, now, out);
    } else if (channel_.is_nearly_spent()) {
        close(wire::CloseReason::Asked, now, out);
    }
}

void RequesterSession::service(Time now, const tracking::PathTable& table, Outbox& out) {
    if (state_ == State::Requested) {
        if (now >= ends_at_) {
            apply(Event::DurationOver, "duration over", out);
        } else if (transmit_again(now, out)) {
            send_request(now, out);
        }
        return;
    }
    if (state_ == State::Active) service_active(now, out);
    if (state_ == State::Active || state_ == State::Closing) service_keep_alive(now, out);
    if (state_ != State::Active && state_ != State::Closing) return;
    service_markers(now, table, out);
    if (state_ == State::Closing) service_close(now, out);
}

Time RequesterSession::next_deadline() const {
    if (is_final(state_) || state_ == State::Idle) return Time::never();
    if (state_ == State::Requested) return std::min(ends_at_, retransmit_at_);
    const Time markers = markers_.next_deadline();
    // While ENDs are outstanding the close waits for them, not for its own timer.
    if (state_ == State::Closing)
        return std::min(keep_alive_at_, markers_.is_settled() ? retransmit_at_ : markers);
    return std::min({ends_at_, keep_alive_at_, sampling_until_, markers});
}

}  // namespace dyetrace::session
