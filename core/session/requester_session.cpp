// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/requester_session.h"

#include <algorithm>

#include "core/base/sequence.h"

namespace dyetrace::session {

using wire::ControlType;

namespace {
/// Keep-alives missed in a row before the peer counts as lost.
constexpr int kKeepAlivesMissed = 3;
}  // namespace

RequesterSession::RequesterSession(const RequesterParameters& parameters)
    : parameters_(parameters),
      sampler_(parameters.sampling, parameters.sampler_seed),
      markers_(parameters.path_count, parameters.path_idle, parameters.retransmit),
      records_(parameters.path_count) {}

OutgoingMessage RequesterSession::message(ControlType type) const {
    OutgoingMessage out;
    out.type = type;
    out.session = parameters_.id;
    out.receiver_boot = peer_boot_;
    return out;
}

Action RequesterSession::apply(Event event, std::string_view reason, Outbox& out) {
    const Transition next = transition(Role::Requester, state_, event);
    if (!next.allowed) return Action::None;
    if (next.to != state_) out.changes.push_back({Role::Requester, parameters_.id, state_, next.to, reason});
    state_ = next.to;
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
    request.nonce = parameters_.nonce;
    request.source_port_base = parameters_.source_port_base;
    request.path_count = parameters_.path_count;
    request.sampling = parameters_.sampling;
    request.report_interval = parameters_.report_interval;
    request.duration = parameters_.duration;
    out.say(message(ControlType::Request), request);
    retransmit_at_ = now + parameters_.retransmit.wait_after(++attempts_);
}

void RequesterSession::close(Time now, Outbox& out) {
    switch (apply(Event::CloseAsked, to_string(Event::CloseAsked), out)) {
        case Action::EndPaths: end_paths(now); break;
        case Action::AbandonClose:
            out.say(message(ControlType::Close), wire::CloseBody{close_reason_});
            break;
        default: break;
    }
}

void RequesterSession::end_paths(Time now) {
    markers_.end_all(now);
    attempts_ = 0;
    retransmit_at_ = now;  // looked at by `service`, which sends the ENDs first
}

void RequesterSession::on_accept(BootId peer_boot, const wire::AcceptBody& accept, const auth::TrackKey& key,
                                 Time now, Outbox& out) {
    last_heard_ = now;
    if (state_ != State::Requested) return;  // a repeat
    peer_boot_ = peer_boot;
    track_key_ = key;
    parameters_.report_interval = accept.report_interval;
    apply(Event::AcceptReceived, to_string(Event::AcceptReceived), out);
    retransmit_at_ = Time::never();
    keep_alive_at_ = now + parameters_.keep_alive_interval;
}

void RequesterSession::on_reject(const wire::RejectBody& reject, Time /*now*/, Outbox& out) {
    apply(Event::RejectReceived, wire::to_string(reject.reason), out);
}

bool RequesterSession::on_marker_ack(const wire::MarkerAckBody& ack, Time now, Outbox& out) {
    last_heard_ = now;
    return markers_.on_ack(ack, now, out);
}

void RequesterSession::on_report(std::uint32_t number, const wire::ReportHeader& header,
                                 std::span<const wire::PathRecord> records, Time now, Outbox& out) {
    last_heard_ = now;
    // A report that was repeated, or overtaken by a later one, must not turn totals back; it is acknowledged
    // all the same, since the first acknowledgement may be lost.
    const bool news = sequence_distance(report_number_, number) > 0;
    if (news) report_number_ = number;
    for (const wire::PathRecord& record : news ? records : std::span<const wire::PathRecord>{}) {
        if (record.path.value >= records_.size()) continue;
        wire::PathRecord& latest = records_[record.path.value];
        if (record == latest) continue;
        latest = record;
        out.records.push_back({parameters_.id, record});
    }
    wire::ReportAckBody ack;
    ack.acknowledged = number;
    ack.sent_ns = now.ns;
    ack.report_sent_ns = header.sent_ns;
    ack.report_delay_ns = clocks_difference(now, Time{header.sent_ns}).ns;
    out.say(message(ControlType::ReportAck), ack);
}

void RequesterSession::on_close(Time /*now*/, Outbox& out) {
    if (apply(Event::CloseReceived, to_string(Event::CloseReceived), out) == Action::SendCloseAck) {
        out.messages.push_back(message(ControlType::CloseAck));
    }
}

void RequesterSession::on_close_ack(Time /*now*/, Outbox& out) {
    apply(Event::CloseAckReceived, to_string(Event::CloseAckReceived), out);
}

void RequesterSession::raise_sampling(wire::SamplingSpec sampling, Time until) {
    sampler_.set_spec(sampling);
    sampling_until_ = until;
}

void RequesterSession::service_markers(Time now, const tracking::PathTable& table, Outbox& out) {
    while (const auto marker = markers_.take_due(now, table, last_heard_)) {
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

void RequesterSession::service(Time now, const tracking::PathTable& table, Outbox& out) {
    if (state_ == State::Requested) {
        if (now >= ends_at_) {
            close_reason_ = wire::CloseReason::DurationOver;
            if (apply(Event::DurationOver, "duration over", out) == Action::AbandonClose) {
                out.say(message(ControlType::Close), wire::CloseBody{close_reason_});
            }
        } else if (transmit_again(now, out)) {
            send_request(now, out);
        }
        return;
    }
    if (state_ == State::Active) {
        if (now >= sampling_until_) {
            sampler_.set_spec(parameters_.sampling);
            sampling_until_ = Time::never();
        }
        if (now >= ends_at_) {
            close_reason_ = wire::CloseReason::DurationOver;
            apply(Event::DurationOver, "duration over", out);
            end_paths(now);
        } else if (now >= keep_alive_at_) {
            if (now >= last_heard_ + parameters_.keep_alive_interval * kKeepAlivesMissed) {
                apply(Event::PeerSilent, "keep-alives unanswered", out);
                return;
            }
            out.messages.push_back(message(ControlType::KeepAlive));
            keep_alive_at_ = now + parameters_.keep_alive_interval;
        }
    }
    if (state_ != State::Active && state_ != State::Closing) return;
    service_markers(now, table, out);
    if (state_ == State::Closing) service_close(now, out);
}

Time RequesterSession::next_deadline() const {
    if (is_final(state_) || state_ == State::Idle) return Time::never();
    Time next = std::min(ends_at_, retransmit_at_);
    if (state_ == State::Requested) return next;
    if (state_ == State::Active) next = std::min({next, keep_alive_at_, sampling_until_});
    // While ENDs are outstanding the close waits for them, not for its own timer.
    if (state_ == State::Closing) return markers_.is_settled() ? retransmit_at_ : markers_.next_deadline();
    return std::min(next, markers_.next_deadline());
}

}  // namespace dyetrace::session
