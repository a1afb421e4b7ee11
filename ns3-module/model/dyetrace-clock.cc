// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-clock.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/random.h"

namespace ns3 {

DyetraceClock::DyetraceClock(const Config& config)
    : m_driftPpm(config.driftPpm),
      m_jitterNs(config.jitterNs),
      m_seed(config.seed),
      m_setNs(config.offsetNs),
      m_lastNs(std::numeric_limits<int64_t>::min()) {}

int64_t DyetraceClock::SteadyNs(int64_t trueNs) const {
    const int64_t elapsedNs = trueNs - m_changedNs;
    if (m_driftPpm == 0) return m_setNs + elapsedNs;
    return m_setNs + elapsedNs + std::llround(static_cast<double>(elapsedNs) * m_driftPpm * 1e-6);
}

dyetrace::Time DyetraceClock::Read(int64_t trueNs) {
    int64_t shownNs = SteadyNs(trueNs);
    if (m_jitterNs != 0) {
        const uint64_t hash = dyetrace::mix64(dyetrace::mix64(m_seed) + static_cast<uint64_t>(trueNs));
        shownNs += static_cast<int64_t>(hash % (static_cast<uint64_t>(m_jitterNs) + 1));
    }
    m_lastNs = std::max(m_lastNs, shownNs);
    return {m_lastNs};
}

void DyetraceClock::Change(int64_t trueNs, int64_t stepNs, double driftPpm) {
    m_setNs = SteadyNs(trueNs) + stepNs;
    m_changedNs = trueNs;
    m_driftPpm += driftPpm;
}

}  // namespace ns3
