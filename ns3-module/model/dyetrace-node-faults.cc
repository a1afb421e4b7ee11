// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-node-faults.h"

#include <ns3/abort.h>
#include <ns3/double.h>

#include "dyetrace-data-plane.h"
#include "dyetrace-fault-site.h"
#include "dyetrace-ranks.h"
#include "dyetrace-topology.h"

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceSwitchDown);
NS_OBJECT_ENSURE_REGISTERED(DyetraceHostFault);
NS_OBJECT_ENSURE_REGISTERED(DyetraceHostCrash);
NS_OBJECT_ENSURE_REGISTERED(DyetraceEppcRestart);
NS_OBJECT_ENSURE_REGISTERED(DyetraceNhmsOutage);
NS_OBJECT_ENSURE_REGISTERED(DyetraceClockChange);

namespace {

/// Does `what` to those of the hosts that this rank has.
template <class What>
void ForHosts(const DyetraceFaultSite& site, const std::vector<uint32_t>& hosts, const DyetraceFault& fault,
              What what) {
    for (const uint32_t host : hosts) {
        if (!site.ranks.IsLocal(host)) continue;
        DyetraceHostControl* control = site.hosts.at(host);
        NS_ABORT_MSG_IF(control == nullptr, "DyetraceFault " << fault.Describe() << ": "
                                                             << site.topology.GetNode(host).name
                                                             << " has no EPPC");
        what(*control);
    }
}

void SetLinksDown(DyetraceFaultSite& site, uint32_t node, bool isDown) {
    const DyetraceTopology::Node& what = site.topology.GetNode(node);
    for (uint32_t link = what.firstPort; link < what.firstPort + what.portCount; ++link) {
        site.plane.SetDown(link, isDown);
        site.plane.SetDown(site.topology.GetReverse(link), isDown);
    }
}

}  // namespace

TypeId DyetraceSwitchDown::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceSwitchDown")
                            .SetParent<DyetraceNodeFault>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceSwitchDown>();
    return tid;
}

void DyetraceSwitchDown::Switch(DyetraceFaultSite& site, bool isActive) {
    for (const uint32_t node : m_nodes)
        SetLinksDown(site, node, isActive);
}

TypeId DyetraceHostFault::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceHostFault").SetParent<DyetraceNodeFault>().SetGroupName("Dyetrace");
    return tid;
}

TypeId DyetraceHostCrash::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceHostCrash")
                            .SetParent<DyetraceHostFault>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceHostCrash>();
    return tid;
}

void DyetraceHostCrash::Switch(DyetraceFaultSite& site, bool isActive) {
    ForHosts(site, m_nodes, *this, [isActive](auto& host) { host.SetCrashed(isActive); });
    for (const uint32_t node : m_nodes)
        SetLinksDown(site, node, isActive);
}

TypeId DyetraceEppcRestart::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceEppcRestart")
                            .SetParent<DyetraceHostFault>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceEppcRestart>();
    return tid;
}

void DyetraceEppcRestart::Switch(DyetraceFaultSite& site, bool isActive) {
    if (!isActive) return;
    ForHosts(site, m_nodes, *this, [](auto& host) { host.RestartEppc(); });
}

TypeId DyetraceNhmsOutage::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceNhmsOutage")
                            .SetParent<DyetraceHostFault>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceNhmsOutage>();
    return tid;
}

void DyetraceNhmsOutage::Switch(DyetraceFaultSite& site, bool isActive) {
    ForHosts(site, m_nodes, *this, [isActive](auto& host) { host.SetServicesDown(isActive); });
}

TypeId DyetraceClockChange::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceClockChange")
            .SetParent<DyetraceHostFault>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceClockChange>()
            .AddAttribute("Step", "That the clock jumps forward, or back where it is negative.",
                          TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceClockChange::m_step),
                          MakeTimeChecker(Seconds(-3600), Seconds(3600)))
            .AddAttribute("Drift", "How much faster the clock runs, in millionths.", DoubleValue(0),
                          MakeDoubleAccessor(&DyetraceClockChange::m_driftPpm),
                          MakeDoubleChecker<double>(-1000, 1000));
    return tid;
}

void DyetraceClockChange::Switch(DyetraceFaultSite& site, bool isActive) {
    const Time step = isActive ? m_step : Seconds(0);
    const double driftPpm = isActive ? m_driftPpm : -m_driftPpm;
    ForHosts(site, m_nodes, *this, [step, driftPpm](auto& host) { host.ChangeClock(step, driftPpm); });
}

}  // namespace ns3
