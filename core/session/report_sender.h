// SPDX-License-Identifier: GPL-2.0-or-later
// What the acceptor of a session still has to tell its requester: which paths' records changed, which are on
// their way, and what is acknowledged.
//
//   changed --report--> in flight --acknowledged--> told
//      ^                    |  ^ |
//      +----- changes ------+  +-+ no answer: the same paths again
//
// Records are totals. So nothing is kept of a report but which paths it carried: one that is sent again goes
// under a new number and carries the totals as they are by then, and a path that changes while its report is
// in flight is carried by the next one as well. Several reports may be in flight.
//
// A few records that are due may ride in data packets, each as a report of its own (`take_ride`), for as long
// as `ride_wait`. Then, or where there are more of them, or one of them is urgent, they go together.
//
// It sends nothing itself. When `next_deadline` has come, its owner takes what is due with `prepare`, gives
// it a number and says so with `note_sent`, until nothing is due.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/outbox.h"
#include "core/wire/report.h"

namespace dyetrace::session {

struct ReportSenderParameters {
    Duration interval;  ///< reports of what goes on keep this distance
    RetransmitPolicy retransmit;
    std::size_t records_per_report = 16;  ///< that fit one packet
    Duration ride_wait = {};  ///< of a report that is due, for data packets to ride in; zero: it never rides
};

class ReportSender {
  public:
    /// Reports in flight at a time. At an MTU of 1,600 bytes five carry 64 paths.
    static constexpr std::size_t kInFlightMost = 8;
    /// Records of generations that were left and not told, so many at least and one for each fourth path. A
    /// requester needs a spare port to leave a generation, and has a quarter of its paths of them, so that
    /// more wait only where reports are lost again and again; the next START is then not answered.
    static constexpr std::size_t kLeftMost = 16;
    [[nodiscard]] static constexpr std::size_t left_most(std::size_t path_count) {
        return std::max(kLeftMost, path_count / 4);
    }

    /// An END is reported after this: others of the same moment join its report.
    static constexpr Duration kUrgent = Duration::microseconds(100);
    /// Where packets are lost there are so many times as many reports at most: whoever waits for evidence of
    /// a fault would otherwise wait for an interval that was not over.
    static constexpr std::int64_t kSoonShare = 4;

    /// No more records ride at a time: each is acknowledged by itself, so that many of them cost less in one
    /// packet. Half of what may be in flight, so that an urgent report finds room beside them.
    static constexpr std::size_t kRidesMost = 4;
    static_assert(kRidesMost < kInFlightMost);
    /// Delay samples ride in no option, and the clock model takes them in slots of two and a half default
    /// intervals: where delays are measured, so many intervals after one report comes another with a header.
    static constexpr int kIntervalsPerSample = 2;

    /// The newest record of a path.
    using RecordOf = std::function<wire::PathRecord(PathIndex)>;
    struct Prepared {
        std::size_t report = 0;  ///< which one, for `note_sent`
        std::vector<std::uint8_t> body;
    };

    struct Ride {
        std::size_t report = 0;  ///< which one, for `note_sent`
        PathIndex path;
        const wire::PathRecord* left = nullptr;  ///< of a generation that was left; else the path's newest
    };

    ReportSender(std::size_t path_count, const ReportSenderParameters& parameters, Time now);

    /// How soon a change is to be told.
    enum class Haste : std::uint8_t {
        None,  ///< at the next interval
        Soon,  ///< a loss: once a part of it, 1 / `kSoonShare`, is over
        Now    ///< an END
    };
    /// The record of `path` is another one. Returns whether that may have brought the next deadline forward.
    bool note_change(PathIndex path, Time now, Haste haste) {
        std::uint8_t& state = states_[path.value];
        if ((state & kChanged) != 0) {
            if (haste != Haste::None) plan(now, haste);
            return haste != Haste::None;
        }
        state |= kChanged;
        ++changed_count_;
        plan(now, haste);
        return true;
    }
    /// `path` begins another generation; `last` is what the one before came to, and is kept until the
    /// requester has it. Returns false where there is no room for that, and then changes nothing.
    bool leave(PathIndex path, const wire::PathRecord& last, Time now);
    /// A tracked packet that was not seen before.
    void note_delay(const wire::DelaySample& sample) {
        if (!has_delay_ || best_is_told_ || sample.delay_ns < best_.delay_ns) best_ = sample;
        newest_ = sample;
        if (!has_delay_) samples_at_ = Time::earliest();
        has_delay_ = true;
        best_is_told_ = false;
    }
    /// From now on nothing waits for its interval.
    void hurry(Time now);

    /// From when on `take_ride` has something.
    [[nodiscard]] Time rides_from() const {
        return may_ride() && in_flight_now_ < kRidesMost ? report_at_ : Time::never();
    }
    /// A record that is due by `now` and may ride. Its number is to be noted at once. Allocates nothing.
    std::optional<Ride> take_ride(Time now);
    /// A report that is due by `now`: one more, or one to be sent again.
    std::optional<Prepared> prepare(Time now, const RecordOf& record_of);
    void note_sent(std::size_t report, std::uint32_t number, Time now);
    void on_ack(std::uint32_t number, Time now);

    /// Whether the requester has all there is.
    [[nodiscard]] bool is_done() const { return changed_count_ == 0 && in_flight_count() == 0; }
    [[nodiscard]] std::size_t in_flight_count() const;
    /// Whether no report was acknowledged for as long as one may take.
    [[nodiscard]] bool is_unanswered(Time now) const { return now >= silent_at_; }
    /// Cheap: it is asked for with every tracked packet.
    [[nodiscard]] Time next_deadline() const {
        const Time again = std::min(silent_at_, again_at_);
        return has_room_ && changed_count_ > 0 ? std::min(again, own_at()) : again;
    }

    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t path_count) {
        return heap::vector<std::uint8_t>(path_count) + heap::vector<Left>(left_most(path_count));
    }

    /// Of each path, beside the session's own part.
    static constexpr std::size_t kBytesPerPath = sizeof(std::uint8_t);

  private:
    /// State of a path: in which report it is on its way, counted from one, and whether it changed since.
    static constexpr std::uint8_t kInReport = 0x0f;
    static constexpr std::uint8_t kChanged = 0x80;
    /// An answer may come after the report was sent again: so many numbers of it are known.
    static constexpr std::size_t kNumbersKept = 4;
    static_assert(kInFlightMost <= kInReport);

    struct InFlight {
        std::array<std::uint32_t, kNumbersKept> numbers{};  ///< of its transmissions; a ring
        std::uint32_t attempts = 0;                         ///< zero: not in use
        std::uint32_t records = 0;                          ///< that it still has to deliver
        Time again_at;
    };
    struct Left {
        wire::PathRecord record;
        std::uint8_t in_report = 0;  ///< as in a path's state
    };

    void plan(Time now, Haste haste) {
        const Duration interval = parameters_.interval;
        Time wanted = now + kUrgent;
        if (haste == Haste::None) wanted = std::max(now, last_report_ + interval);
        if (haste == Haste::Soon) wanted = std::max(wanted, last_report_ + interval / kSoonShare);
        report_at_ = std::min(report_at_, wanted);
        is_urgent_ = is_urgent_ || haste == Haste::Now;
    }
    /// Whether what changed waits for a ride when it is due.
    [[nodiscard]] bool may_ride() const {
        return parameters_.ride_wait.ns > 0 && !is_urgent_ && changed_count_ > 0 &&
               changed_count_ <= kRidesMost && report_at_ < samples_at_;
    }
    /// When it goes in a packet of its own.
    [[nodiscard]] Time own_at() const { return may_ride() ? report_at_ + parameters_.ride_wait : report_at_; }
    /// What was due is on its way; `report_at_` is that of what changes next.
    void end_round(Time now);
    /// After any change of what is in flight.
    void look_at_flight();
    [[nodiscard]] std::optional<std::size_t> due(Time now) const;
    [[nodiscard]] std::optional<std::size_t> unused() const;
    /// Whether an earlier generation of `path`, among the first `count` of `left_`, is not in `report`.
    [[nodiscard]] bool waits(PathIndex path, std::size_t count, std::size_t report) const;
    void put(std::uint8_t& state, std::size_t report);
    /// Puts into `report` the next record that no other one has to precede.
    std::optional<Ride> put_next(std::size_t report);
    void go_on_behind(const Ride& ride);
    using Records = std::vector<wire::PathRecord>;
    [[nodiscard]] Records fill(std::size_t report, const RecordOf& record_of);
    [[nodiscard]] Records collect(std::size_t report, const RecordOf& record_of) const;
    [[nodiscard]] std::vector<std::uint8_t> encoded(const Records& records, Time now);

    ReportSenderParameters parameters_;
    std::vector<std::uint8_t> states_;  ///< by path
    std::vector<Left> left_;            ///< oldest first
    std::array<InFlight, kInFlightMost> in_flight_{};
    std::size_t changed_count_ = 0;  ///< records that no report in flight carries as they are, `left_` too
    std::size_t next_path_ = 0;      ///< where the next report begins to look, so that no path starves
    Time report_at_ = Time::never();
    Time last_report_{};
    Time silent_at_ = Time::never();
    Time again_at_ = Time::never();  ///< the first of those in flight
    bool has_room_ = true;           ///< for one more in flight
    bool is_urgent_ = false;         ///< what waits for `report_at_`
    std::uint8_t rides_left_ = 0;    ///< of the records that were due when the first of them rode
    std::size_t in_flight_now_ = 0;
    Time samples_at_ = Time::never();  ///< what is due from then on goes with a header
    std::uint32_t newest_number_ = 0;
    std::uint32_t newest_acknowledged_ = 0;

    bool has_delay_ = false;
    bool best_is_told_ = false;  ///< by a report: what comes next begins anew
    wire::DelaySample newest_;
    wire::DelaySample best_;
};

}  // namespace dyetrace::session
