// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/sketch_sender.h"

namespace dyetrace::session {

void SketchSender::hurry(Time now) {
    // What still comes is late: it waits for no interval, and yet is not told packet by packet.
    interval_ = kUrgent / kIntervalsPerSketch;
    if (!told_ && !is_whole_on_its_way()) due_at_ = now;
}

void SketchSender::note_sent(std::uint32_t number, Time now) {
    // What changed is worth all attempts again.
    if (due_at_ <= now) attempts_ = 0;
    due_at_ = Time::never();
    last_sent_ = now;
    numbers_[sent_++ % kNumbersKept] = number;
    again_at_ = ++attempts_ < retransmit_.most ? now + retransmit_.wait_after(attempts_) : Time::never();
}

void SketchSender::on_ack(std::uint32_t number) {
    if (number == 0) return;  // no message has it
    const std::uint32_t kept = std::min(sent_, kNumbersKept);
    for (std::uint32_t back = 1; back <= kept; ++back) {
        const std::uint32_t transmission = sent_ - back;
        if (numbers_[transmission % kNumbersKept] != number) continue;
        const bool whole = transmission >= whole_from_;
        // Where a later one that says more is on its way, that one waits for its own answer.
        if (!whole && is_whole_on_its_way()) return;
        again_at_ = Time::never();
        attempts_ = 0;
        if (!whole) return;  // what came since has its time already
        told_ = true;
        due_at_ = Time::never();
        return;
    }
}

}  // namespace dyetrace::session
