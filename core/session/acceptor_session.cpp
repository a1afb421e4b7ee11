// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/acceptor_session.h"

#include <algorithm>

#include "core/base/sequence.h"

namespace dyetrace::session {

using wire::ControlType;

namespace {
/// Keep-alives missed in a row before the requester counts as lost.
constexpr int kKeepAlivesMissed = 3;
/// How long after the agreed duration the acceptor waits for the requester's close.
constexpr Duration kCloseGrace = Duration::seconds(1);
}  // namespace

AcceptorSession::AcceptorSession(const AcceptorParameters& parameters, Time now)
    : parameters_(parameters),
      channel_(parameters.key_id, parameters.keys, now),
      measured_(parameters.request.path_count),
      bindings_(parameters.request.path_count),
      reports_(parameters.request.path_count,
               {parameters.report_interval, parameters.retransmit, parameters.records_per_report,
                parameters.ride_wait},
               now),
      sketch_sender_(parameters.report_interval, parameters.retransmit) {
    if (parameters.request.duration.ns > 0) ends_at_ = now + parameters.request.duration + kCloseGrace;
}

OutgoingMessage AcceptorSession::message(ControlType type) {
    OutgoingMessage out;
    out.type = type;
    out.key_id = channel_.key_id();
    if (!wire::is_handshake(type)) {
        out.key = channel_.keys().control;
        out.message_number = channel_.next_number();
    }
    out.session = parameters_.id;
    out.from_acceptor = true;
    out.receiver_boot = parameters_.peer_boot;
    return out;
}

Action AcceptorSession::apply(Event event, std::string_view reason, Outbox& out) {
    const Transition next = transition(Role::Acceptor, state_, event);
    if (!next.allowed) return Action::None;
    if (next.to != state_) out.changes.push_back({Role::Acceptor, parameters_.id, state_, next.to, reason});
    state_ = next.to;
    return next.action;
}

wire::PathRecord AcceptorSession::record(PathIndex path) const {
    return measured_[path.value].record(path, bindings_[path.value].generation);
}

void AcceptorSession::on_request(Outbox& out) {
    if (apply(Event::RequestReceived, to_string(Event::RequestReceived), out) != Action::SendAccept) return;
    wire::AcceptBody accept;
    accept.requester_nonce = parameters_.request.requester_nonce;
    accept.acceptor_nonce = parameters_.request.acceptor_nonce;
    accept.report_interval = parameters_.report_interval;
    accept.keep_alive_interval = parameters_.keep_alive_interval;
    accept.metrics = parameters_.metrics;
    out.say(message(ControlType::Accept), accept);
}

void AcceptorSession::close(wire::CloseReason reason, Time now, Outbox& out) {
    if (apply(Event::CloseAsked, wire::to_string(reason), out) != Action::SendClose) return;
    close_reason_ = reason;
    send_close(now, out);
}

void AcceptorSession::send_close(Time now, Outbox& out) {
    out.say(message(ControlType::Close), wire::CloseBody{close_reason_});
    close_again_at_ = now + parameters_.retransmit.wait_after(++close_attempts_);
}

bool AcceptorSession::begin_generation(PathIndex path, Time now) {
    if (!reports_.leave(path, record(path), now)) return false;
    measured_[path.value] = {};
    return true;
}

bool AcceptorSession::on_marker(const wire::MarkerBody& marker, std::uint16_t port,
                                std::uint64_t count_received, Time now, Outbox& out) {
    if (marker.path.value >= bindings_.size()) return false;
    Binding& binding = bindings_[marker.path.value];
    tracking::ReceivedPath& measured = measured_[marker.path.value];
    const bool bound = binding.port != kUnbound;
    const int ahead = bound ? sequence_distance(binding.generation.value, marker.generation.value) : 1;
    if (ahead == 0 && binding.port != port) return false;
    bool news = false;
    const tracking::Mark mark{marker.interval, marker.count, marker.next_sequence, count_received, now};
    switch (marker.kind) {
        case wire::MarkerKind::Start:
            if (ahead < 0) break;  // of a generation that its path has left
            if (bound && ahead > 0 && !begin_generation(marker.path, now)) return true;  // it comes again
            news = measured.start(mark, parameters_.waiting_time);
            if (news) {
                binding.generation = marker.generation;
                binding.port = port;
            }
            break;
        case wire::MarkerKind::End:
            if (ahead != 0) break;  // given up meanwhile: acknowledged, so that it stops
            news = measured.end(mark);
            break;
        case wire::MarkerKind::Count:
            // Not acknowledged: the next one says more.
            if (ahead == 0) on_count(marker.path, mark);
            return true;
    }
    using Haste = ReportSender::Haste;
    const bool ended = marker.kind == wire::MarkerKind::End;
    if (news) reports_.note_change(marker.path, now, ended ? Haste::Now : Haste::None);
    // Where all is quiet the sketch is complete, and a close may be next: it goes out before that.
    if (news &&
        std::none_of(measured_.begin(), measured_.end(), [](const auto& path) { return path.is_open(); }))
        sketch_sender_.urge(now);
    // Acknowledged also when it was a repeat: the first acknowledgement may be lost.
    wire::MarkerAckBody ack;
    ack.path = marker.path;
    ack.generation = marker.generation;
    ack.kind = marker.kind;
    ack.interval = marker.interval;
    out.say(message(ControlType::MarkerAck), ack);
    return true;
}

void AcceptorSession::on_count(PathIndex path, const tracking::Mark& mark) {
    tracking::ReceivedPath& measured = measured_[path.value];
    const std::uint64_t lost = measured.net_loss();
    if (measured.count(mark)) reports_.note_change(path, mark.now, haste(measured, lost));
}

void AcceptorSession::on_keep_alive(Outbox& out) {
    if (!is_final(state_)) out.messages.push_back(message(ControlType::KeepAlive));
}

void AcceptorSession::on_peer_restarted(Outbox& out) {
    apply(Event::PeerRestarted, "peer restarted", out);
}

void AcceptorSession::send_reports(Time now, Outbox& out) {
    while (auto report = reports_.prepare(now, [this](PathIndex path) { return record(path); })) {
        OutgoingMessage outgoing = message(ControlType::Report);
        outgoing.body = std::move(report->body);
        reports_.note_sent(report->report, outgoing.message_number, now);
        out.messages.push_back(std::move(outgoing));
    }
}

std::optional<wire::ReportOption> AcceptorSession::take_ride(Time now) {
    const auto ride = reports_.take_ride(now);
    if (!ride) return std::nullopt;
    wire::ReportOption option;
    option.session = parameters_.id;
    option.number = channel_.next_number();
    option.record = ride->left != nullptr ? *ride->left : record(ride->path);
    reports_.note_sent(ride->report, option.number, now);
    return option;
}

/// Its owner fills it, with what the sketch is as it goes out.
void AcceptorSession::send_sketch(Time now, Outbox& out) {
    out.messages.push_back(message(ControlType::DelaySketch));
    sketch_sender_.note_sent(out.messages.back().message_number, now);
}

void AcceptorSession::hurry_sketch(Time now, Outbox& out) {
    sketch_sender_.hurry(now);
    if (now >= sketch_sender_.next_deadline()) send_sketch(now, out);
}

void AcceptorSession::on_report_ack(const wire::ReportAckBody& ack, Time now, Outbox& out) {
    reports_.on_ack(ack.acknowledged, now);
    sketch_sender_.on_ack(ack.acknowledged);
    flush_if_done(now, out);
}

void AcceptorSession::on_close(Time now, Outbox& out) {
    switch (apply(Event::CloseReceived, to_string(Event::CloseReceived), out)) {
        case Action::SendReport:
            // The requester repeats its close for the whole span; and the session must not expire meanwhile.
            if (!requester_closed_)
                sketch_until_ = std::min(now + parameters_.retransmit.span() / 2, ends_at_ - kCloseGrace / 2);
            requester_closed_ = true;
            close_again_at_ = Time::never();
            reports_.hurry(now);
            send_reports(now, out);
            hurry_sketch(now, out);
            flush_if_done(now, out);
            return;
        case Action::SendCloseAck: out.messages.push_back(message(ControlType::CloseAck)); return;
        default: return;
    }
}

bool AcceptorSession::on_close_ack(Outbox& out) {
    if (close_attempts_ == 0) return false;
    apply(Event::CloseAckReceived, to_string(Event::CloseAckReceived), out);
    close_again_at_ = Time::never();  // the requester ends its paths now, and closes
    return true;
}

void AcceptorSession::flush_if_done(Time now, Outbox& out) {
    if (!requester_closed_ || !reports_.is_done() || !sketch_sender_.is_settled()) return;
    if (apply(Event::Flushed, to_string(Event::Flushed), out) != Action::SendCloseAck) return;
    out.messages.push_back(message(ControlType::CloseAck));
    linger_until_ = now + parameters_.retransmit.span();
    // An assignment of {} would keep their memory.
    measured_ = std::vector<tracking::ReceivedPath>();
    bindings_ = std::vector<Binding>();
}

Time AcceptorSession::silent_at() const {
    return channel_.last_heard() + parameters_.keep_alive_interval * kKeepAlivesMissed;
}

bool AcceptorSession::end_if_over(Time now, Outbox& out) {
    if (now >= ends_at_) {
        if (apply(Event::DurationOver, "duration over", out) == Action::SendReport) {
            reports_.hurry(now);
            send_reports(now, out);
            hurry_sketch(now, out);
        }
    } else if (now >= silent_at()) {
        if (channel_.is_confirmed()) {
            apply(Event::PeerSilent, "requester silent", out);
        } else {
            apply(Event::Unconfirmed, "never confirmed", out);
        }
    } else if (reports_.is_unanswered(now)) {
        apply(Event::PeerSilent, "report unanswered", out);
    } else if (now >= close_again_at_ && close_attempts_ >= parameters_.retransmit.most) {
        apply(Event::PeerSilent, "close unanswered", out);
    }
    return is_final(state_);
}

void AcceptorSession::service(Time now, Outbox& out) {
    if (is_final(state_) || end_if_over(now, out)) return;
    if (channel_.is_nearly_spent()) close(wire::CloseReason::NoCapacity, now, out);
    if (now >= close_again_at_) send_close(now, out);
    send_reports(now, out);
    if (now >= sketch_sender_.next_deadline()) send_sketch(now, out);
    if (now < sketch_until_) return;
    sketch_sender_.give_up();
    sketch_until_ = Time::never();
    flush_if_done(now, out);
}

Time AcceptorSession::next_deadline() const {
    if (state_ == State::Closed) return linger_until_;
    if (is_final(state_) || state_ == State::Idle) return Time::never();
    return std::min({silent_at(), reports_.next_deadline(), sketch_sender_.next_deadline(), sketch_until_,
                     ends_at_, close_again_at_});
}

}  // namespace dyetrace::session
