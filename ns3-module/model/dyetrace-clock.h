// SPDX-License-Identifier: GPL-2.0-or-later
// A host's own clock, which is all that its engine sees of time. Not installed.
#ifndef DYETRACE_CLOCK_H
#define DYETRACE_CLOCK_H

#include <cstdint>

#include "core/base/time.h"

namespace ns3 {

/**
 * Reads offset + drift + jitter from the simulator's time. Like a host's steady clock it never runs
 * backwards: set back, it stands still until it has caught up.
 */
class DyetraceClock {
  public:
    struct Config {
        int64_t offsetNs = 0;  ///< ahead of the simulator's time at its beginning
        double driftPpm = 0;   ///< how much faster it runs, in millionths
        int64_t jitterNs = 0;  ///< of each reading: uniform from 0 to this
        uint64_t seed = 0;     ///< of the jitter
    };

    explicit DyetraceClock(const Config& config);

    /// \param trueNs the simulator's time; never decreases
    dyetrace::Time Read(int64_t trueNs);
    /// Jumps by `stepNs`, and gains `driftPpm` more than before from now on.
    void Change(int64_t trueNs, int64_t stepNs, double driftPpm);

  private:
    /// Without jitter.
    int64_t SteadyNs(int64_t trueNs) const;

    double m_driftPpm;
    int64_t m_jitterNs;
    uint64_t m_seed;
    int64_t m_changedNs = 0;  ///< when drift or offset changed, in true time
    int64_t m_setNs;          ///< what it showed then
    int64_t m_lastNs;         ///< largest reading so far
};

}  // namespace ns3

#endif  // DYETRACE_CLOCK_H
