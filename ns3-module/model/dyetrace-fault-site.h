// SPDX-License-Identifier: GPL-2.0-or-later
// What a fault can get its hands on. Not installed.
#ifndef DYETRACE_FAULT_SITE_H
#define DYETRACE_FAULT_SITE_H

#include <cstdint>
#include <vector>

#include <ns3/nstime.h>

namespace ns3 {

class DyetraceDataPlane;
class DyetraceRanks;
class DyetraceTopology;

/// The parts of a host that can break. What several faults hold down is up again when all of them have ended.
class DyetraceHostControl {
  public:
    virtual ~DyetraceHostControl() = default;
    /// The host is gone: it sends, takes and knows nothing. When it comes back its EPPC begins anew.
    virtual void SetCrashed(bool isCrashed) = 0;
    /// The EPPC begins anew with nothing but its configuration; its guests do not notice.
    virtual void RestartEppc() = 0;
    /// The health service on this host, if there is one, hears and says nothing.
    virtual void SetServicesDown(bool isDown) = 0;
    /// The host's clock jumps, and from then on gains so much more than it did.
    virtual void ChangeClock(Time step, double driftPpm) = 0;
};

struct DyetraceFaultSite {
    uint32_t faultId;
    const DyetraceTopology& topology;
    const DyetraceRanks& ranks;
    DyetraceDataPlane& plane;
    const std::vector<DyetraceHostControl*>& hosts;  ///< by number; null where no EPPC is
};

}  // namespace ns3

#endif  // DYETRACE_FAULT_SITE_H
