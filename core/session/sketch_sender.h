// SPDX-License-Identifier: GPL-2.0-or-later
// When the acceptor of a session tells its requester the delay sketch, until the requester has it.
//
// A sketch is totals, like a record, and is acknowledged like a report: each transmission has a number of its
// own and carries the sketch as it is by then, so a repeat is also what replaces the one before. An
// acknowledgement vouches for what the transmission that it names told.
//
// It sends nothing and knows no sketch. When `next_deadline` has come, its owner sends the sketch and says so
// with `note_sent`.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/digest.h"
#include "core/base/time.h"
#include "core/session/outbox.h"

namespace dyetrace::session {

class SketchSender {
  public:
    /// Report intervals from one sketch to the next: it is larger than a report, and not urgent.
    static constexpr int kIntervalsPerSketch = 10;
    /// What is urgent goes after this: others of the same moment join it.
    static constexpr Duration kUrgent = Duration::microseconds(100);

    /// `interval`: of reports.
    SketchSender(Duration interval, const RetransmitPolicy& retransmit)
        : interval_(interval), retransmit_(retransmit) {}

    /// A delay was added. Returns whether that may have brought the next deadline forward.
    bool note_change(Time now) {
        told_ = false;
        whole_from_ = sent_;
        if (due_at_ != Time::never()) return false;
        due_at_ = std::max(now + interval_, last_sent_ + interval_ * kIntervalsPerSketch);
        return true;
    }
    /// What is not on its way as it is now is to be told soon, not at its interval.
    void urge(Time now) {
        if (!told_ && !is_whole_on_its_way()) due_at_ = std::min(due_at_, now + kUrgent);
    }
    /// From now on nothing waits for its interval.
    void hurry(Time now);

    /// The sketch goes out as it is now, in the message of this number.
    void note_sent(std::uint32_t number, Time now);
    /// Of any message: which numbers are of sketches it knows.
    void on_ack(std::uint32_t number);

    /// It is not sent any more, whatever comes.
    void give_up() { given_up_ = true; }

    /// Whether the requester has it as it is, or will not have it.
    [[nodiscard]] bool is_settled() const { return told_ || given_up_; }
    [[nodiscard]] Time next_deadline() const {
        return given_up_ ? Time::never() : std::min(due_at_, again_at_);
    }

    void digest_into(StateDigest& digest) const;

  private:
    /// An answer may come after the sketch was sent again: so many numbers are known.
    static constexpr std::uint32_t kNumbersKept = 4;

    [[nodiscard]] bool is_whole_on_its_way() const {
        return sent_ != whole_from_ && again_at_ != Time::never();
    }

    Duration interval_;
    RetransmitPolicy retransmit_;
    std::array<std::uint32_t, kNumbersKept> numbers_{};  ///< of the last transmissions; a ring
    std::uint32_t sent_ = 0;                             ///< transmissions
    std::uint32_t whole_from_ = 0;                       ///< that one and those after it carry all there is
    int attempts_ = 0;  ///< since the last one that began anew, or was answered
    bool told_ = true;
    bool given_up_ = false;
    Time due_at_ = Time::never();    ///< of what changed since the last transmission
    Time again_at_ = Time::never();  ///< of what is not answered
    Time last_sent_ = Time::earliest();
};

}  // namespace dyetrace::session
