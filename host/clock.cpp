// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/clock.h"

#include <algorithm>

namespace dyetrace::host {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * kSecond + t.tv_nsec;
}

}  // namespace

HostClock::HostClock() : offset_{read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)} {}

Time HostClock::now() {
    return {read(CLOCK_MONOTONIC) + offset_.ns};
}

Duration HostClock::behind_realtime() const {
    return {read(CLOCK_REALTIME) - (read(CLOCK_MONOTONIC) + offset_.ns)};
}

timespec HostClock::to_monotonic(Time time) const {
    const std::int64_t ns = std::max<std::int64_t>(time.ns - offset_.ns, 0);
    return {ns / kSecond, ns % kSecond};
}

}  // namespace dyetrace::host
