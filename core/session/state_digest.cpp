// SPDX-License-Identifier: GPL-2.0-or-later
// What decides the future of a session's two ends (core/base/digest.h).
#include <array>
#include <span>

#include "core/base/digest.h"
#include "core/session/acceptor_session.h"
#include "core/session/channel.h"
#include "core/session/path_markers.h"
#include "core/session/peer_history.h"
#include "core/session/requester_session.h"

namespace dyetrace::session {

namespace {

void note(StateDigest& digest, const wire::SamplingSpec& spec) {
    digest.add(spec.kind);
    digest.add(spec.value);
    digest.add(spec.parameter);
    digest.add(spec.filtered);
}

/// Records are totals, measured at some time of the acceptor's clock.
void note(StateDigest& digest, std::span<const wire::PathRecord> records) {
    digest.add(records.size());
    for (wire::PathRecord record : records) {
        digest.add_once_set(Time{record.measured_ns});
        record.measured_ns = 0;
        std::array<std::uint8_t, wire::PathRecord::kSize> bytes{};
        ByteWriter out(bytes);
        record.encode_into(out);
        digest.add(Bytes(bytes));
    }
}

}  // namespace

void Channel::digest_into(StateDigest& digest) const {
    digest.add(key_id_);
    digest.add(confirmed_);
    digest.add(sent_);
    digest.add(Bytes(keys_.control));  // the others derive from it
    digest.add(last_heard_);
    window_.digest_into(digest);
}

void PathMarkers::digest_into(StateDigest& digest, const tracking::PathTable& table) const {
    digest.add(count_interval_);
    digest.add(count_least_);
    digest.add(paths_.size());
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        const PathIndex index{static_cast<std::uint16_t>(i)};
        paths_[i].digest_into(digest);
        // Of any other path the next data packet sets it anew before it is read.
        if (paths_[i].phase != Phase::Quiet) digest.add(table[index].last_packet);
        DYETRACE_ASSERT(paths_[i].phase == Phase::Running || (all_running_ & bit_of(index)) == 0);
    }
    timers_.digest_into(digest);
    digest.add(busy_);
    digest.add(closing_);
    digest.add(peer_silent_);
}

void PeerHistory::digest_into(StateDigest& digest) const {
    digest.add(boot_);
    ids_.digest_into(digest);
    digest.add(refused_.size());
    for (const Refusal& refusal : refused_) {
        digest.add(refusal.id);
        digest.add(refusal.reason);
        digest.add_if_ahead(refusal.until);
    }
}

void TagBudget::digest_into(StateDigest& digest) const {
    digest.add(left_);
    digest.add(a_second_);
    if (a_second_ == 0) return;
    digest.add(left_in_second_);
    digest.add_if_ahead(second_ends_);
}

void ReportSender::digest_into(StateDigest& digest) const {
    digest.add(Bytes(states_));
    digest.add(left_.size());
    for (const Left& left : left_) {
        note(digest, std::span(&left.record, 1));
        digest.add(left.in_report);
    }
    for (const InFlight& report : in_flight_) {
        digest.add(report.attempts);
        if (report.attempts == 0) continue;
        for (const std::uint32_t number : report.numbers)
            digest.add(number);
        digest.add(report.records);
        digest.add(report.again_at);
    }
    digest.add(changed_count_);
    digest.add(next_path_);
    digest.add(report_at_);
    digest.add(last_report_);
    digest.add(silent_at_);
    digest.add(is_urgent_);
    digest.add(rides_left_);
    digest.add(samples_at_);
    digest.add(newest_number_);
    digest.add(newest_acknowledged_);
    digest.add(has_delay_);
    if (!has_delay_) return;
    digest.add(best_is_told_);
    for (const wire::DelaySample& sample : {newest_, best_}) {
        digest.add(Time{sample.transmit_ns});
        digest.add(sample.delay_ns);
    }
}

void SketchSender::digest_into(StateDigest& digest) const {
    digest.add(interval_);
    for (std::uint32_t back = 1; back <= std::min(sent_, kNumbersKept); ++back)
        digest.add(numbers_[(sent_ - back) % kNumbersKept]);
    digest.add(sent_ - whole_from_);
    digest.add(attempts_);
    digest.add(told_);
    digest.add(given_up_);
    digest.add(due_at_);
    digest.add(again_at_);
    digest.add_if_ahead(last_sent_ + interval_ * kIntervalsPerSketch);
}

void ReportReceiver::digest_into(StateDigest& digest) const {
    note(digest, records_);
    for (const std::uint32_t number : numbers_)
        digest.add(number);
    for (const bool untold : trouble_untold_)
        digest.add(untold);
    digest.add_once_set(Time{newest_.transmit_ns});
    digest.add(newest_.delay_ns);
    digest.add(round_trip_.has_value());
    digest.add(sketch_number_);
    digest.add(sketch_is_corrected_);
    digest.add(Bytes(sketch_));
}

void RequesterSession::digest_into(StateDigest& digest, const tracking::PathTable& table) const {
    digest.add(parameters_.id);
    digest.add(parameters_.key_id);
    digest.add(parameters_.known_boot);
    digest.add(parameters_.nonce);
    digest.add(parameters_.encapsulation);
    note(digest, parameters_.sampling);
    digest.add(parameters_.metrics);
    digest.add(parameters_.packet_cap);
    digest.add(parameters_.report_interval);
    digest.add(parameters_.duration);
    digest.add(parameters_.keep_alive_interval);
    digest.add(state_);
    digest.add(last_event_);
    digest.add(peer_boot_);
    digest.add(acceptor_nonce_);
    digest.add(challenges_);
    if (is_accepted()) channel_.digest_into(digest);
    sampler_.digest_into(digest);
    budget_.digest_into(digest);
    digest.add(sampling_until_);
    markers_.digest_into(digest, table);
    reports_.digest_into(digest);
    digest.add(timing_at_);
    digest.add(active_since_);
    digest.add(parameters_.origin);
    digest.add(close_reason_);
    digest.add(attempts_);
    digest.add(retransmit_at_);
    digest.add(keep_alive_at_);
    digest.add(ends_at_);
}

void AcceptorSession::digest_into(StateDigest& digest) const {
    digest.add(parameters_.id);
    digest.add(parameters_.peer_boot);
    std::array<std::uint8_t, wire::RequestBody::kSize> request{};
    parameters_.request.encode_into(request);
    digest.add(Bytes(request));
    digest.add(parameters_.report_interval);
    digest.add(parameters_.keep_alive_interval);
    digest.add(parameters_.metrics);
    digest.add(parameters_.sketch);
    channel_.digest_into(digest);
    digest.add(state_);
    digest.add(measured_.size());
    for (const tracking::ReceivedPath& path : measured_)
        path.digest_into(digest);
    for (const Binding& binding : bindings_) {
        digest.add(binding.port);
        digest.add(binding.generation);
    }
    reports_.digest_into(digest);
    sketch_sender_.digest_into(digest);
    digest.add(sketch_until_);
    digest.add(ends_at_);
    digest.add(requester_closed_);
    digest.add(close_reason_);
    digest.add(close_attempts_);
    digest.add(close_again_at_);
    digest.add(linger_until_);
}

}  // namespace dyetrace::session
