// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/host_clock.h"

#include "core/base/result.h"

namespace dyetrace::test {

void HostClock::step(Time at, Duration size) {
    DYETRACE_ASSERT(size.ns > 0 && (steps_.empty() || at >= steps_.back().first));
    steps_.emplace_back(at, size);
}

Time HostClock::at(Time network) const {
    __extension__ using Wide = __int128;
    const auto gained = static_cast<std::int64_t>(Wide{network.ns} * drift_ppb / 1'000'000'000);
    Time shown = network + offset + Duration{gained};
    for (const auto& [when, size] : steps_) {
        if (when <= network) shown = shown + size;
    }
    return shown;
}

Time HostClock::when(Time shows, Time from) const {
    if (at(from) >= shows) return from;
    // It never runs backwards, and no slower than at half speed.
    DYETRACE_ASSERT(drift_ppb > -500'000'000);
    Time early = from;
    Time late = from + (shows - at(from)) * 2 + Duration{2};
    while (late - early > Duration{1}) {
        const Time middle = early + Duration{(late - early).ns / 2};
        (at(middle) >= shows ? late : early) = middle;
    }
    return late;
}

}  // namespace dyetrace::test
