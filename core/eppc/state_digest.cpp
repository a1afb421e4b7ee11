// SPDX-License-Identifier: GPL-2.0-or-later
// Copies of an engine, and what decides its future (core/base/digest.h).
#include <array>
#include <memory>
#include <span>

#include "core/base/digest.h"
#include "core/eppc/engine.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

namespace {

void note(StateDigest& digest, const TracedPath& path) {
    digest.add(path.peer);
    digest.add(path.session);
    digest.add(path.path);
    digest.add(path.generation);
    digest.add(path.source_port);
    digest.add(path.destination_port);
}

void note(StateDigest& digest, const wire::UpdateEntry& entry) {
    std::vector<std::uint8_t> bytes(wire::UpdateBody::encoded_size(std::span(&entry, 1)));
    wire::UpdateBody::encode_into(bytes, std::span(&entry, 1));
    digest.add(Bytes(bytes));
}

template <class Entries>
void note_all(StateDigest& digest, const Entries& entries) {
    digest.add(entries.size());
    for (const auto& entry : entries)
        note(digest, wire::UpdateEntry{entry});
}

}  // namespace

void PathTracer::digest_into(StateDigest& digest) const {
    digest.add(random_.state());
    digest.add(next_number_);
    digest.add(next_);
    digest.add_if_ahead(paced_until_);
    digest.add(window_);
    digest.add(threshold_);
    digest.add(ended_);
    digest.add(halved_at_);
    digest.add(waiting_.size());
    for (const TracedPath& path : waiting_)
        note(digest, path);
    digest.add(active_.size());
    for (const Trace& trace : active_) {
        note(digest, trace.path);
        digest.add(trace.number);
        digest.add(trace.ttl_sent);
        digest.add(trace.distance);
        digest.add(trace.rounds);
        digest.add(trace.silent_rounds);
        digest.add(trace.outstanding);
        digest.add(trace.payload_size);
        digest.add(trace.deadline);
        for (const Hop& hop : trace.hops) {
            digest.add(hop.router);
            digest.add(hop.answers);
            digest.add(hop.newest);
            for (const Probe& probe : hop.probes) {
                digest.add(probe.tag);
                digest.add(probe.identification);
                digest.add(probe.checksum);
                digest.add(probe.outstanding);
            }
        }
    }
    digest.add(Bytes(distances_));
}

void UpdateQueue::digest_into(StateDigest& digest) const {
    note_all(digest, healthy_);
    note_all(digest, troubled_);
    digest.add(events_.size());
    for (const Event& event : events_)
        std::visit([&](const auto& entry) { note(digest, wire::UpdateEntry{entry}); }, event);
    note_all(digest, timings_);
    note_all(digest, traffic_);
    note_all(digest, flows_);
}

void UpdateSender::digest_into(StateDigest& digest) const {
    waiting_.digest_into(digest);
    digest.add(in_flight_.size());
    for (const InFlight& update : in_flight_) {
        digest.add(update.number);
        digest.add(update.challenge);
        digest.add(update.attempts);
        digest.add(update.retransmit_at);
        digest.add(Bytes(update.body));
    }
    digest.add(next_number_);
    digest.add(random_.state());
    digest.add(answered_);
    digest.add(window_was_full_);
    digest.add(flush_at_);
    if (flushed_at_ != Time::earliest()) digest.add_if_ahead(flushed_at_ + config_.interval / kHurryShare);
    digest.add(retransmit_at_);
}

void NhmsChannel::digest_into(StateDigest& digest) const {
    digest.add(boot_);
    directives_.digest_into(digest);
    if (directives_.is_empty()) return;  // results of an earlier boot are never asked for
    for (const wire::DirectiveResultBody& result : results_) {
        std::array<std::uint8_t, wire::DirectiveResultBody::kSize> bytes{};
        result.encode_into(bytes);
        digest.add(Bytes(bytes));
    }
}

void Peer::digest_into(StateDigest& digest) const {
    digest.add(address);
    digest.add(queued);
    digest.add(requested.size());
    for (const auto& session : requested)
        session.digest_into(digest, paths);
    paths.digest_into(digest);
    digest.add(received.size());
    for (const std::uint64_t count : received)
        digest.add(count);
    digest.add(announced_base);
    digest.add(accepted.size());
    for (const auto& session : accepted)
        session.digest_into(digest);
    digest.add(clock.has_value());
    if (clock) clock->digest_into(digest);
    history.digest_into(digest);
    for (const Routers known : routers)
        digest.add(known);
    digest.add_if_ahead(trace_again_at);
    back_off.digest_into(digest);
    digest.add_if_ahead(no_request_before);
    digest.add(waits);
    if (waits) digest.add(packets_at_choice);
    digest.add(measured_until);
}

void Eppc::Engine::digest_into(StateDigest& digest) const {
    DYETRACE_ASSERT(planned_at_ == earliest_deadline());
    DYETRACE_ASSERT(has_outputs_ == !outputs_.empty());
    digest.add(config.open_on_traffic);  // `close_sessions` turns these two off
    digest.add(config.accept_sessions);
    keys_.digest_into(digest);
    digest.add(secret_.drawn());
    digest.add(boot_);
    digest.add(flow_seed_);
    digest.add(last_session_id_);
    digest.add(peers_.size());
    for (const Peer& peer : peers_)
        peer.digest_into(digest);
    digest.add(attention_.size());
    for (const std::uint32_t index : attention_)
        digest.add(index);
    digest.add(attention_at_);
    digest.add(choose_at_);
    digest.add(fill_at_);
    for (const std::uint32_t index : next_turns_)
        digest.add(index);
    digest.add(load_ >= config.load_most);
    sketches_.digest_into(digest);
    timers_.digest_into(digest);
    tracer_.digest_into(digest);
    flow_tap_.digest_into(digest);
    updates_.digest_into(digest);
    digest.add(requested_count_);
    digest.add(accepted_count_);
    digest.add(control_path_);
    nhms_.digest_into(digest);
    digest.add(outputs_.size());
    for (const Queued& output : outputs_)
        digest.add(output.frame ? Bytes(*output.frame) : Bytes());
}

void Eppc::Engine::adopt() {
    for (Peer& peer : peers_) {
        for (session::RequesterSession& session : peer.requested)
            session.set_filter(&config.flow_filter);
    }
}

Eppc Eppc::clone() const {
    auto copy = std::make_unique<Engine>(*engine_);
    copy->adopt();
    return Eppc(std::move(copy));
}

StateDigest::Value Eppc::digest(Time now) const {
    StateDigest digest(now);
    engine_->digest_into(digest);
    return digest.value();
}

}  // namespace dyetrace::eppc
