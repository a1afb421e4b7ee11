// SPDX-License-Identifier: GPL-2.0-or-later
// What a host's clock shows: off by a constant, too fast or too slow, and stepped now and then.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/time.h"

namespace dyetrace::test {

class HostClock {
  public:
    Duration offset;             ///< the host's clock less the network's, at the network's time 0
    std::int64_t drift_ppb = 0;  ///< nanoseconds that it gains a second

    /// Sets the clock forward by `size` at the network's time `at`; steps in order of time. An engine's `now`
    /// must not run backwards, so a clock that is set back is the other host's set forward.
    void step(Time at, Duration size);

    /// What it shows at the network's time `network`.
    [[nodiscard]] Time at(Time network) const;
    /// The first of the network's times, `from` or later, at which it shows `shows` or more.
    [[nodiscard]] Time when(Time shows, Time from) const;

  private:
    std::vector<std::pair<Time, Duration>> steps_;
};

}  // namespace dyetrace::test
