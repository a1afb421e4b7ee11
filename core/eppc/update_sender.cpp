// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/update_sender.h"

#include <algorithm>

namespace dyetrace::eppc {

std::optional<GivenUp> UpdateSender::add(const wire::UpdateEntry& entry, bool troubled, Time now) {
    DYETRACE_ASSERT(wire::UpdateBody::kHeaderSize + wire::encoded_size(entry) <= config_.body_bytes_most);
    const auto given_up = waiting_.add(entry, troubled);
    if (flush_at_ == Time::never() && !waiting_.is_empty()) flush_at_ = now + config_.interval;
    return given_up;
}

void UpdateSender::hurry(Time now) {
    // Not with the window full: what waits then waits for an acknowledgement.
    if (flush_at_ == Time::never() || window_was_full_) return;
    const bool first = flushed_at_ == Time::earliest();
    flush_at_ =
        std::min(flush_at_, first ? now : std::max(now, flushed_at_ + config_.interval / kHurryShare));
}

std::size_t UpdateSender::sketch_room() const {
    const std::size_t around =
        wire::UpdateBody::kHeaderSize + wire::encoded_size(wire::UpdateEntry{wire::TimingEntry{}});
    return std::min(wire::TimingEntry::kMaxSketchBytes, config_.body_bytes_most - around);
}

bool UpdateSender::is_newest(std::uint32_t number, std::uint32_t challenge) const {
    return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const InFlight& update) {
        return update.number == number && update.challenge == challenge;
    });
}

void UpdateSender::on_ack(std::uint32_t number, Time now) {
    std::erase_if(in_flight_, [&](const InFlight& update) { return update.number == number; });
    heard(now);
    if (window_was_full_) flush_at_ = now;
}

void UpdateSender::on_hello(Time now) {
    answered_ = false;
    heard(now);
}

void UpdateSender::heard(Time now) {
    if (answered_) return;
    answered_ = true;
    for (InFlight& update : in_flight_) {
        update.attempts = 0;
        update.retransmit_at = now;
    }
    retransmit_at_ = in_flight_.empty() ? Time::never() : now;
    if (!waiting_.is_empty() && flush_at_ == Time::never()) flush_at_ = now;
}

bool UpdateSender::may_begin() const {
    if (in_flight_.empty()) return true;
    // The receiver tells repeats from news within a window: what is older than that must have arrived.
    return answered_ && in_flight_.size() < config_.in_flight_most &&
           next_number_ - in_flight_.front().number < ReplayWindow::kWidth;
}

void UpdateSender::transmit(InFlight& update, Time now, std::vector<Transmission>& out) {
    update.challenge = random_.next_u32();
    update.retransmit_at = now + config_.retransmit.wait_after(++update.attempts);
    out.push_back({update.number, update.challenge, false, &update.body});
}

std::vector<std::uint8_t> UpdateSender::next_body() {
    const std::vector<wire::UpdateEntry> entries =
        waiting_.take(config_.body_bytes_most - wire::UpdateBody::kHeaderSize);
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(entries));
    wire::UpdateBody::encode_into(body, entries);
    return body;
}

heap::Need UpdateSender::memory_bound(const UpdateSenderConfig& config) {
    return UpdateQueue::memory_bound(config.entries_most, config.timings_most, config.flows_most) +
           heap::deque<InFlight>(config.in_flight_most) +
           config.in_flight_most * heap::vector<std::uint8_t>(config.body_bytes_most);
}

void UpdateSender::service(Time now, std::vector<Transmission>& out) {
    // Appending to a deque leaves its elements where they are, so the bodies' addresses stay good.
    for (InFlight& update : in_flight_) {
        if (now >= update.retransmit_at) {
            if (update.attempts >= kSilentAfter) answered_ = false;
            transmit(update, now, out);
        }
        if (!answered_) break;
    }
    if (now >= flush_at_) {
        while (!waiting_.is_empty() && may_begin()) {
            InFlight& update = in_flight_.emplace_back();
            update.number = next_number_++;
            update.body = next_body();
            transmit(update, now, out);
            out.back().first = true;
        }
        // With the window full the rest waits for acknowledgements, and grows no further than its bound.
        window_was_full_ = !waiting_.is_empty();
        flushed_at_ = now;
        flush_at_ = window_was_full_ ? now + config_.interval : Time::never();
    }
    retransmit_at_ = Time::never();
    for (const InFlight& update : in_flight_) {
        retransmit_at_ = std::min(retransmit_at_, update.retransmit_at);
        if (!answered_) break;
    }
}

}  // namespace dyetrace::eppc
