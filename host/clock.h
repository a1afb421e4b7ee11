// SPDX-License-Identifier: GPL-2.0-or-later
// The clock that the engine lives on.
#pragma once

#include <ctime>

#include "core/base/time.h"

namespace dyetrace::host {

class Clock {
  public:
    virtual ~Clock() = default;
    /// Never runs backwards.
    virtual Time now() = 0;
};

/// Starts at the time of day and from then on runs as CLOCK_MONOTONIC does: NTP may slew it, but a step of
/// the time of day neither stalls a deadline nor shows as a delay.
class HostClock final : public Clock {
  public:
    HostClock();
    Time now() override;
    /// CLOCK_REALTIME less this clock, at this moment: what turns the kernel's receive timestamps into times
    /// of this clock.
    [[nodiscard]] Duration behind_realtime() const;
    /// A time of this clock on CLOCK_MONOTONIC, for timers.
    [[nodiscard]] timespec to_monotonic(Time time) const;

  private:
    Duration offset_;  ///< this clock less CLOCK_MONOTONIC
};

}  // namespace dyetrace::host
