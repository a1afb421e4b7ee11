// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/report_sender.h"

#include <algorithm>

#include "core/base/result.h"

namespace dyetrace::session {

ReportSender::ReportSender(std::size_t path_count, const ReportSenderParameters& parameters, Time now)
    : parameters_(parameters), states_(path_count), last_report_(now) {}

void ReportSender::hurry(Time now) {
    parameters_.interval = {};
    parameters_.ride_wait = {};
    if (changed_count_ > 0) report_at_ = std::min(report_at_, now);
}

bool ReportSender::leave(PathIndex path, const wire::PathRecord& last, Time now) {
    std::uint8_t& state = states_[path.value];
    if (state == 0) return true;  // told as it is
    if (left_.size() >= left_most(states_.size())) return false;
    const bool changed = (state & kChanged) != 0;
    const std::uint8_t in_report = state & kInReport;
    // Where it changed since, what is on its way is not the last word: it need not arrive.
    if (changed && in_report != 0) --in_flight_[in_report - 1U].records;
    left_.reserve(left_most(states_.size()));
    left_.push_back({last, changed ? std::uint8_t{0} : in_report});
    state = 0;
    if (changed) plan(now, Haste::Now);  // and one record to tell all the same
    look_at_flight();
    return true;
}

std::size_t ReportSender::in_flight_count() const {
    return static_cast<std::size_t>(std::count_if(in_flight_.begin(), in_flight_.end(),
                                                  [](const InFlight& report) { return report.records > 0; }));
}

std::optional<std::size_t> ReportSender::due(Time now) const {
    for (std::size_t i = 0; i < in_flight_.size(); ++i) {
        if (in_flight_[i].records > 0 && in_flight_[i].again_at <= now) return i;
    }
    return std::nullopt;
}

/// One whose records were all delivered, or are carried by a later one.
std::optional<std::size_t> ReportSender::unused() const {
    for (std::size_t i = 0; i < in_flight_.size(); ++i) {
        if (in_flight_[i].records == 0) return i;
    }
    return std::nullopt;
}

void ReportSender::put(std::uint8_t& state, std::size_t report) {
    if (const std::uint8_t before = state & kInReport; before != 0) --in_flight_[before - 1U].records;
    state = static_cast<std::uint8_t>(report + 1);
    ++in_flight_[report].records;
    --changed_count_;
}

bool ReportSender::waits(PathIndex path, std::size_t count, std::size_t report) const {
    return std::any_of(
        left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(count),
        [&](const Left& left) { return left.record.path == path && left.in_report != report + 1; });
}

/// First the generations that were left, which no later record repeats.
std::optional<ReportSender::Ride> ReportSender::put_next(std::size_t report) {
    for (std::size_t i = 0; i < left_.size(); ++i) {
        Left& left = left_[i];
        if (left.in_report != 0 || waits(left.record.path, i, report)) continue;
        put(left.in_report, report);
        return Ride{report, left.record.path, &left.record};
    }
    for (std::size_t i = 0; i < states_.size() && changed_count_ > 0; ++i) {
        const PathIndex path{static_cast<std::uint16_t>((next_path_ + i) % states_.size())};
        if ((states_[path.value] & kChanged) == 0 || waits(path, left_.size(), report)) continue;
        put(states_[path.value], report);
        return Ride{report, path, nullptr};
    }
    return std::nullopt;
}

/// So that the next report does not begin with the same path again.
void ReportSender::go_on_behind(const Ride& ride) {
    if (ride.left == nullptr) next_path_ = (ride.path.value + 1U) % states_.size();
}

/// What changed, as much as fits.
ReportSender::Records ReportSender::fill(std::size_t report, const RecordOf& record_of) {
    Records records;
    while (records.size() < parameters_.records_per_report) {
        const auto next = put_next(report);
        if (!next) break;
        records.push_back(next->left != nullptr ? *next->left : record_of(next->path));
        if (records.size() == parameters_.records_per_report) go_on_behind(*next);
    }
    return records;
}

void ReportSender::end_round(Time now) {
    rides_left_ = 0;
    last_report_ = now;
    report_at_ = Time::never();
    is_urgent_ = false;
    if (changed_count_ > 0) plan(now, Haste::None);
}

std::optional<ReportSender::Ride> ReportSender::take_ride(Time now) {
    if (rides_from() > now) return std::nullopt;
    const auto report = unused();
    if (!report) return std::nullopt;
    // Each record that is due rides once; one that changes again meanwhile waits for its interval.
    if (rides_left_ == 0) rides_left_ = static_cast<std::uint8_t>(changed_count_);
    in_flight_[*report] = {};
    const auto ride = put_next(*report);
    if (!ride) {  // all wait for what is in flight; the answer to that plans them anew
        rides_left_ = 0;
        report_at_ = Time::never();
        return std::nullopt;
    }
    go_on_behind(*ride);
    if (--rides_left_ == 0 || changed_count_ == 0) end_round(now);
    return ride;
}

/// What it carries, as it is now. What changed since its first transmission stays changed: an answer to that
/// one may still come, and would not vouch for it.
ReportSender::Records ReportSender::collect(std::size_t report, const RecordOf& record_of) const {
    Records records;
    for (const Left& left : left_) {
        if (left.in_report == report + 1) records.push_back(left.record);
    }
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if ((states_[i] & kInReport) == report + 1)
            records.push_back(record_of(PathIndex{static_cast<std::uint16_t>(i)}));
    }
    return records;
}

std::vector<std::uint8_t> ReportSender::encoded(const Records& records, Time now) {
    wire::ReportHeader header;
    header.sent_ns = now.ns;
    if (has_delay_) {
        header.flags = wire::ReportHeader::kFlagDelays;
        header.newest = newest_;
        header.best = best_;
        best_is_told_ = true;
        samples_at_ = now + parameters_.interval * kIntervalsPerSample;
    }
    std::vector<std::uint8_t> body(wire::ReportBody::encoded_size(records.size()));
    wire::ReportBody::encode_into(body, header, records);
    return body;
}

std::optional<ReportSender::Prepared> ReportSender::prepare(Time now, const RecordOf& record_of) {
    Records records;
    std::optional<std::size_t> report = due(now);
    if (report) {
        records = collect(*report, record_of);
    } else if (own_at() <= now && changed_count_ > 0) {
        report = unused();
        if (!report) return std::nullopt;  // when one is answered, it goes
        in_flight_[*report] = {};
        records = fill(*report, record_of);
        // What is left goes at once if it only did not fit, else with the answer that it waits for.
        if (changed_count_ == 0 || records.empty()) {
            report_at_ = Time::never();
            is_urgent_ = false;
        } else {
            is_urgent_ = true;
        }
        rides_left_ = 0;
        if (records.empty()) return std::nullopt;
        last_report_ = now;
    }
    if (!report) return std::nullopt;
    DYETRACE_ASSERT(records.size() == in_flight_[*report].records);
    return Prepared{*report, encoded(records, now)};
}

void ReportSender::note_sent(std::size_t report, std::uint32_t number, Time now) {
    InFlight& sent = in_flight_[report];
    sent.numbers[sent.attempts % kNumbersKept] = number;
    sent.again_at = now + parameters_.retransmit.wait_after(static_cast<int>(++sent.attempts));
    newest_number_ = number;
    look_at_flight();
    if (silent_at_ == Time::never()) silent_at_ = now + parameters_.retransmit.span();
}

void ReportSender::on_ack(std::uint32_t number, Time now) {
    if (number == 0) return;  // no message has it
    // Any answer that is new shows that reports arrive, also to one whose records a later one has taken over.
    if (number > newest_acknowledged_ && number <= newest_number_) {
        newest_acknowledged_ = number;
        silent_at_ = now + parameters_.retransmit.span();
    }
    for (std::size_t i = 0; i < in_flight_.size(); ++i) {
        InFlight& report = in_flight_[i];
        const auto& numbers = report.numbers;
        if (report.records == 0 || std::find(numbers.begin(), numbers.end(), number) == numbers.end())
            continue;
        report.records = 0;
        std::erase_if(left_, [i](const Left& left) { return left.in_report == i + 1; });
        for (std::uint8_t& state : states_) {
            if ((state & kInReport) == i + 1) state &= kChanged;
        }
    }
    look_at_flight();
    if (changed_count_ > 0 && report_at_ == Time::never()) plan(now, Haste::Now);
    if (in_flight_count() == 0) silent_at_ = Time::never();
}

void ReportSender::look_at_flight() {
    again_at_ = Time::never();
    has_room_ = false;
    in_flight_now_ = 0;
    for (const InFlight& report : in_flight_) {
        if (report.records > 0) {
            again_at_ = std::min(again_at_, report.again_at);
            ++in_flight_now_;
        } else {
            has_room_ = true;
        }
    }
}

}  // namespace dyetrace::session
