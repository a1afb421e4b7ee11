// SPDX-License-Identifier: GPL-2.0-or-later
// What sessions tell of time: the peers' clocks, corrected delays, round trips.
//
//   requester                                             acceptor
//     | tracked packet                                       |  reverse evidence; its delay, corrected, is
//     |=====================================================>|  added to the sketch
//     | report: raw delays of tracked packets, sent at       |
//     |<-----------------------------------------------------|  to the requester forward and reverse
//     evidence, | report-ack: raw delay of that report, sent at        |  and a round trip
//     |----------------------------------------------------->|  forward and reverse evidence
//     | delay sketch                                         |
//     |<-----------------------------------------------------|
//     | report-ack: raw delay of that sketch, sent at        |  the same evidence
//     |----------------------------------------------------->|
#include <algorithm>
#include <limits>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

using wire::ControlMessage;
using wire::DropReason;

void Eppc::Engine::note_report_times(Peer& peer, session::RequesterSession& session,
                                     const wire::ReportHeader& report, Time now) {
    if ((session.metrics() & wire::kMetricDelay) == 0) return;
    if (!peer.clock) peer.clock.emplace();
    const std::uint32_t steps = peer.clock->steps();
    peer.clock->on_reverse(clocks_difference(now, Time{report.sent_ns}), now);
    if ((report.flags & wire::ReportHeader::kFlagDelays) != 0) {
        for (const wire::DelaySample& sample : {report.best, report.newest})
            peer.clock->on_forward(Time{sample.transmit_ns}, {sample.delay_ns}, now);
    }
    if (session.timing_is_due(now) || peer.clock->steps() != steps) tell_timing(peer, session, now);
}

void Eppc::Engine::note_ack_times(Peer& peer, const wire::ReportAckBody& ack, Time now) {
    if (!peer.clock) return;
    peer.clock->on_reverse(clocks_difference(now, Time{ack.sent_ns}), now);
    // Zero: it acknowledges what rode in an option, which does not say when it was sent.
    if (ack.report_sent_ns != 0) peer.clock->on_forward(Time{ack.report_sent_ns}, {ack.report_delay_ns}, now);
}

void Eppc::Engine::handle_sketch(const ControlMessage& message, Peer& peer,
                                 session::RequesterSession& session, Time now) {
    const auto body = wire::DelaySketchBody::parse(message.body);
    if (!body) return drops.add(body.error());
    if ((session.metrics() & wire::kMetricQuantiles) == 0) return drops.add(DropReason::ControlUnexpected);
    if (!tracking::fitted_sketch(body->sketch, body->sketch.size()))
        return drops.add(DropReason::ControlBadField);
    if (session.on_sketch(message.header.message_number, *body, now, outbox_))
        tell_timing(peer, session, now);
}

bool Eppc::Engine::fill_sketch(const Peer& peer, session::OutgoingMessage& message, Time now) const {
    const auto session = std::find_if(peer.accepted.begin(), peer.accepted.end(), [&](const auto& s) {
        return s.id() == message.session && s.peer_boot() == message.receiver_boot;
    });
    if (session == peer.accepted.end() || session->sketch() == tracking::SketchTable::kNone) return false;
    const QuantileSketch& sketch = sketches_[session->sketch()];
    if (!sketch.min()) return false;
    const std::size_t around = peer.outer.size_in_mtu() + wire::ControlHeader::kSize +
                               wire::ControlHeader::kTagSize + wire::DelaySketchBody::kHeaderSize;
    std::vector<std::uint8_t> encoded(
        std::min(wire::DelaySketchBody::kMaxSketchBytes, config.underlay_mtu - around));
    const auto size = sketch.encode_into(encoded);
    if (!size) return false;
    wire::DelaySketchBody body;
    body.corrected = sketches_.is_corrected(session->sketch());
    body.sent_ns = now.ns;
    body.sketch = Bytes(encoded).first(*size);
    message.body.resize(body.encoded_size());
    body.encode_into(message.body);
    return true;
}

void Eppc::Engine::tell_timing(Peer& peer, session::RequesterSession& session, Time now) {
    const session::ReportReceiver& reports = session.reports();
    wire::TimingEntry entry;
    entry.peer = peer.address;
    entry.session = session.id();
    entry.measured_ns = now.ns;
    if (peer.clock) {
        entry.clock_steps = peer.clock->steps();
        if (const auto estimate = peer.clock->estimate(now)) {
            entry.clock_known = true;
            entry.clock_offset = estimate->offset;
            entry.clock_bound = estimate->bound;
            entry.drift_ppb = static_cast<std::int32_t>(estimate->drift_ppb);  // within the model's limit
        }
    }
    if (const auto& trip = reports.round_trip()) {
        entry.round_trip_known = true;
        entry.round_trip_min = trip->least;
        entry.round_trip_last = trip->last;
    }
    if (!reports.sketch().empty()) {
        entry.sketch_corrected = reports.sketch_is_corrected();
        if (auto sketch = tracking::fitted_sketch(reports.sketch(), updates_.sketch_room()))
            entry.sketch = std::move(*sketch);
    }
    if (!entry.clock_known && !entry.round_trip_known && entry.sketch.empty()) return;
    session.note_timing_told(now);
    tell_nhms(entry, now);
    emit(TimingReported{std::move(entry), now});
}

void Eppc::Engine::close_sketch(session::AcceptorSession& session) {
    if (session.sketch() == tracking::SketchTable::kNone) return;
    sketches_.close(session.sketch());
    session.forget_sketch();
}

}  // namespace dyetrace::eppc
