// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/acceptor_session.h"

#include <algorithm>

#include "core/base/sequence.h"

namespace dyetrace::session {

using wire::ControlType;

namespace {
/// Keep-alives missed in a row before the requester counts as lost.
constexpr int kKeepAlivesMissed = 3;
/// An END is reported after this: others of the same moment join its report.
constexpr Duration kUrgent = Duration::microseconds(100);
/// Records of generations that were left and not reported, for each path. A requester leaves one at a time,
/// when its END was answered, so that several wait only where reports are lost again and again.
constexpr std::size_t kLeftMost = 4;
/// How long after the agreed duration the acceptor waits for the requester's close.
constexpr Duration kCloseGrace = Duration::seconds(1);
}  // namespace

AcceptorSession::AcceptorSession(const AcceptorParameters& parameters, Time now)
    : parameters_(parameters),
      channel_(parameters.key_id, parameters.keys, now),
      paths_(parameters.request.path_count),
      last_report_(now) {
    unacknowledged_.reserve(parameters.records_per_report);
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
    const Path& p = paths_[path.value];
    return p.measured.record(path, p.generation);
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

void AcceptorSession::mark_changed(PathIndex index, Time now, bool urgent) {
    Path& path = paths_[index.value];
    if (!path.changed) {
        path.changed = true;
        ++changed_count_;
    }
    const Time due = urgent ? now + kUrgent : std::max(now, last_report_ + parameters_.report_interval);
    report_at_ = std::min(report_at_, due);
}

bool AcceptorSession::begin_generation(PathIndex index, Time now) {
    Path& path = paths_[index.value];
    if (path.changed) {
        if (left_.size() >= kLeftMost * paths_.size()) return false;
        left_.push_back(record(index));
        path.changed = false;  // and one record to report all the same
        report_at_ = std::min(report_at_, now + kUrgent);
    }
    path.measured = {};
    return true;
}

bool AcceptorSession::on_marker(const wire::MarkerBody& marker, std::uint16_t port,
                                std::uint64_t count_received, Time now, Outbox& out) {
    if (marker.path.value >= paths_.size()) return false;
    Path& path = paths_[marker.path.value];
    const bool bound = path.port != kUnbound;
    const int ahead = bound ? sequence_distance(path.generation.value, marker.generation.value) : 1;
    if (ahead == 0 && path.port != port) return false;
    bool news = false;
    const tracking::Mark mark{marker.interval, marker.count, marker.next_sequence, count_received, now};
    switch (marker.kind) {
        case wire::MarkerKind::Start:
            if (ahead < 0) break;  // of a generation that its path has left
            if (bound && ahead > 0 && !begin_generation(marker.path, now)) return true;  // it comes again
            news = path.measured.start(mark, parameters_.waiting_time);
            if (news) {
                path.generation = marker.generation;
                path.port = port;
            }
            break;
        case wire::MarkerKind::End:
            if (ahead != 0) break;  // given up meanwhile: acknowledged, so that it stops
            news = path.measured.end(mark);
            break;
        case wire::MarkerKind::Count:
            // Not acknowledged: the next one says more.
            if (ahead == 0 && path.measured.count(mark)) mark_changed(marker.path, now, false);
            return true;
    }
    if (news) mark_changed(marker.path, now, marker.kind == wire::MarkerKind::End);
    // Acknowledged also when it was a repeat: the first acknowledgement may be lost.
    wire::MarkerAckBody ack;
    ack.path = marker.path;
    ack.generation = marker.generation;
    ack.kind = marker.kind;
    ack.interval = marker.interval;
    out.say(message(ControlType::MarkerAck), ack);
    return true;
}

tracking::Arrival AcceptorSession::on_tracked(PathIndex index, const tracking::TrackedPacket& packet) {
    const tracking::Arrival arrival = paths_[index.value].measured.track(packet, parameters_.waiting_time);
    if (arrival != tracking::Arrival::Outside) mark_changed(index, packet.now, false);
    // A repeat may be anybody's recording: it keeps no session alive.
    if (arrival == tracking::Arrival::New || arrival == tracking::Arrival::Late) channel_.hear(packet.now);
    return arrival;
}

void AcceptorSession::on_keep_alive(Outbox& out) {
    if (!is_final(state_)) out.messages.push_back(message(ControlType::KeepAlive));
}

void AcceptorSession::on_peer_restarted(Outbox& out) {
    apply(Event::PeerRestarted, "peer restarted", out);
}

void AcceptorSession::send_report(Time now, Outbox& out) {
    if (unacknowledged_.empty()) {
        while (!left_.empty() && unacknowledged_.size() < parameters_.records_per_report) {
            unacknowledged_.push_back(left_.front());
            left_.erase(left_.begin());
            --changed_count_;
        }
        for (std::size_t i = 0; i < paths_.size() && unacknowledged_.size() < parameters_.records_per_report;
             ++i) {
            if (!paths_[i].changed) continue;
            paths_[i].changed = false;
            --changed_count_;
            unacknowledged_.push_back(record(PathIndex{static_cast<std::uint16_t>(i)}));
        }
        if (unacknowledged_.empty()) return;
        report_first_ = 0;
        attempts_ = 0;
        last_report_ = now;
    }
    OutgoingMessage report = message(ControlType::Report);
    report_newest_ = report.message_number;
    if (report_first_ == 0) report_first_ = report_newest_;
    report.body.resize(wire::ReportBody::encoded_size(unacknowledged_.size()));
    wire::ReportHeader header;
    header.sent_ns = now.ns;
    wire::ReportBody::encode_into(report.body, header, unacknowledged_);
    out.messages.push_back(std::move(report));
    retransmit_at_ = now + parameters_.retransmit.wait_after(++attempts_);
    report_at_ = Time::never();
}

void AcceptorSession::on_report_ack(const wire::ReportAckBody& ack, Time now, Outbox& out) {
    if (unacknowledged_.empty() || ack.acknowledged < report_first_ || ack.acknowledged > report_newest_)
        return;
    unacknowledged_.clear();
    retransmit_at_ = Time::never();
    if (changed_count_ > 0) {
        // What did not fit goes at once; what changed since waits for its interval.
        const bool hurry = requester_closed_ || changed_count_ >= parameters_.records_per_report;
        report_at_ =
            hurry ? now : std::min(report_at_, std::max(now, last_report_ + parameters_.report_interval));
    }
    flush_if_done(now, out);
}

void AcceptorSession::on_close(Time now, Outbox& out) {
    switch (apply(Event::CloseReceived, to_string(Event::CloseReceived), out)) {
        case Action::SendReport:
            requester_closed_ = true;
            close_again_at_ = Time::never();
            if (unacknowledged_.empty() && changed_count_ > 0) send_report(now, out);
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
    if (!requester_closed_ || !unacknowledged_.empty() || changed_count_ > 0) return;
    if (apply(Event::Flushed, to_string(Event::Flushed), out) != Action::SendCloseAck) return;
    out.messages.push_back(message(ControlType::CloseAck));
    linger_until_ = now + parameters_.retransmit.span();
    paths_ = {};
}

Time AcceptorSession::silent_at() const {
    return channel_.last_heard() + parameters_.keep_alive_interval * kKeepAlivesMissed;
}

bool AcceptorSession::end_if_over(Time now, Outbox& out) {
    if (now >= ends_at_) {
        if (apply(Event::DurationOver, "duration over", out) == Action::SendReport && changed_count_ > 0) {
            unacknowledged_.clear();
            send_report(now, out);
        }
    } else if (now >= silent_at()) {
        if (channel_.is_confirmed()) {
            apply(Event::PeerSilent, "requester silent", out);
        } else {
            apply(Event::Unconfirmed, "never confirmed", out);
        }
    } else if (!unacknowledged_.empty() && now >= retransmit_at_ &&
               attempts_ >= parameters_.retransmit.most) {
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
    if (now >= (unacknowledged_.empty() ? report_at_ : retransmit_at_)) send_report(now, out);
}

Time AcceptorSession::next_deadline() const {
    if (state_ == State::Closed) return linger_until_;
    if (is_final(state_) || state_ == State::Idle) return Time::never();
    const Time report = unacknowledged_.empty() ? report_at_ : retransmit_at_;
    return std::min({silent_at(), report, ends_at_, close_again_at_});
}

}  // namespace dyetrace::session
