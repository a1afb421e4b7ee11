// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/state_shares.h"

#include <algorithm>

namespace dyetrace::health {

Time StateShares::end_of(Time at) const {
    const std::int64_t into = at.ns % interval_.ns;
    return at - Duration::nanoseconds(into < 0 ? into + interval_.ns : into) + interval_;
}

void StateShares::extend(Time now) {
    if (intervals_.empty()) return;
    // After a long silence only the intervals that are kept need to be made.
    const auto kept = interval_ * static_cast<std::int64_t>(most_);
    const Time newest = intervals_.back().start;
    if (now - newest > kept + interval_) {
        intervals_.clear();
        at_ = now - kept;
        intervals_.push_back({at_, end_of(at_), {}});
    }
    while (at_ < now) {
        const Time end = intervals_.back().end;
        const Time until = std::min(end, now);
        for (std::size_t i = 0; i < counts_.size(); ++i)
            intervals_.back().thing_seconds[i] +=
                static_cast<double>(counts_[i]) * (until - at_).in_seconds();
        at_ = until;
        if (at_ < end) continue;
        intervals_.push_back({end, end + interval_, {}});
        if (intervals_.size() > most_) intervals_.pop_front();
    }
}

void StateShares::set(const Counts& counts, Time now) {
    if (intervals_.empty()) {
        intervals_.push_back({now, end_of(now), {}});
        at_ = now;
    }
    extend(now);
    counts_ = counts;
}

std::vector<StateShare> StateShares::until(Time now) const {
    StateShares seen = *this;
    seen.extend(now);
    std::vector<StateShare> out;
    for (const Interval& interval : seen.intervals_) {
        StateShare share{interval.start, std::min(interval.end, seen.at_) - interval.start, {}};
        double sum = 0;
        for (const double seconds : interval.thing_seconds)
            sum += seconds;
        for (std::size_t i = 0; sum > 0 && i < share.share.size(); ++i)
            share.share[i] = interval.thing_seconds[i] / sum;
        if (share.length.ns > 0) out.push_back(share);
    }
    return out;
}

}  // namespace dyetrace::health
