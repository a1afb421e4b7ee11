// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/session/report_receiver.h"

#include <algorithm>

#include "core/base/sequence.h"
#include "core/session/trouble.h"

namespace dyetrace::session {

void ReportReceiver::on_report(std::uint32_t number, const wire::ReportHeader& header,
                               std::span<const wire::PathRecord> records, Time now, Outbox& out) {
    for (const wire::PathRecord& record : records) {
        if (record.path.value < records_.size()) take(number, record, out);
    }
    time_round_trip(header, now);
}

void ReportReceiver::take(std::uint32_t number, const wire::PathRecord& record, Outbox& out) {
    wire::PathRecord& latest = records_[record.path.value];
    std::uint32_t& newest = numbers_[record.path.value];
    const int ahead =
        latest.intervals == 0 ? 1 : sequence_distance(latest.generation.value, record.generation.value);
    // It was overtaken: totals do not go back.
    if (ahead < 0 || (ahead == 0 && number < newest)) return;
    newest = number;
    if (record == latest) return;
    // A new generation begins to count anew.
    const bool goes_on = ahead == 0 && !trouble_untold_[record.path.value];
    const wire::PathRecord before = goes_on ? latest : wire::PathRecord{};
    trouble_untold_[record.path.value] = false;
    latest = record;
    out.records.push_back(
        {session_, record, shows_trouble(record, before), lost_of(record) > lost_of(before)});
}

/// (now - transmitted) - (report sent - received there), the first of our clock, the second of theirs: that
/// is the packet's raw delay and the report's raw delay together.
void ReportReceiver::time_round_trip(const wire::ReportHeader& header, Time now) {
    // Each packet once: the longer ago it came, the more the clocks' drift is in the difference.
    if ((header.flags & wire::ReportHeader::kFlagDelays) == 0 || header.newest == newest_) return;
    newest_ = header.newest;
    std::int64_t trip = 0;
    if (__builtin_add_overflow(clocks_difference(now, Time{header.sent_ns}).ns, header.newest.delay_ns,
                               &trip) ||
        trip < 0)
        return;  // a clock was set meanwhile: no packet comes back before it was sent
    const Duration least = round_trip_ ? std::min(round_trip_->least, Duration{trip}) : Duration{trip};
    round_trip_ = RoundTrip{least, {trip}};
}

bool ReportReceiver::on_sketch(std::uint32_t number, bool corrected, Bytes encoded) {
    if (number <= sketch_number_) return false;
    sketch_number_ = number;
    sketch_is_corrected_ = corrected;
    sketch_.assign(encoded.begin(), encoded.end());
    return true;
}

}  // namespace dyetrace::session
