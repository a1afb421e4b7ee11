// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_NODE_FAULTS_H
#define DYETRACE_NODE_FAULTS_H

#include <string>

#include "dyetrace-fault.h"

namespace ns3 {

/// \ingroup dyetrace
/// "switch-down": a switch is dead, and with it all its cables.
class DyetraceSwitchDown : public DyetraceNodeFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "switch-down"; }

  protected:
    Which GetWhich() const override { return Which::Switches; }
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// A fault of hosts that have an EPPC.
class DyetraceHostFault : public DyetraceNodeFault {
  public:
    static TypeId GetTypeId();

  protected:
    Which GetWhich() const override { return Which::Hosts; }
};

/// \ingroup dyetrace
/// "host-crash": a host is dead with all its guests; when it comes back its EPPC has forgotten everything.
class DyetraceHostCrash : public DyetraceHostFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "host-crash"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "eppc-restart": at its beginning the EPPC starts anew with nothing but its configuration; the end means
/// nothing.
class DyetraceEppcRestart : public DyetraceHostFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "eppc-restart"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "nhms-outage": the health service on the host hears and says nothing.
class DyetraceNhmsOutage : public DyetraceHostFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "nhms-outage"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "clock-change": the host's clock jumps by Step, and runs Drift faster; the end takes back the drift and
/// not the step.
class DyetraceClockChange : public DyetraceHostFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "clock-change"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    Time m_step;
    double m_driftPpm = 0;
};

}  // namespace ns3

#endif  // DYETRACE_NODE_FAULTS_H
