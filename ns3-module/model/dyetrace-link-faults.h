// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_LINK_FAULTS_H
#define DYETRACE_LINK_FAULTS_H

#include <cstdint>
#include <string>

#include <ns3/data-rate.h>

#include "dyetrace-fault.h"

namespace ns3 {

/// \ingroup dyetrace
/// "link-down": the cables carry nothing, in both directions. What is queued or under way is lost.
class DyetraceLinkDown : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "link-down"; }

  protected:
    bool IsOfCable() const override { return true; }
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "link-flap": the cables go down and come up again and again.
class DyetraceLinkFlap : public DyetraceLinkDown {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "link-flap"; }

  protected:
    Time GetNextSwitch(Time now, bool isActive) const override;

  private:
    Time m_downTime;
    Time m_upTime;
};

/// \ingroup dyetrace
/// A fault of links that strikes each packet with a probability, of which nothing else can be set.
class DyetracePacketFault : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    double GetProbability() const { return m_probability; }

  private:
    double m_probability = 1;
};

/// \ingroup dyetrace
/// "silent-drop": packets are lost at random.
class DyetraceSilentDrop : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "silent-drop"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "frame-errors": packets arrive damaged, and the check of the link (Ethernet's FCS) finds it. They are
/// lost, and the port counts them: see DyetraceFabric::GetFrameErrors.
class DyetraceFrameErrors : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "frame-errors"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "control-loss": control packets between EPPCs are lost, data packets pass.
class DyetraceControlLoss : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "control-loss"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "corruption": one bit behind the Ethernet header is inverted, and the link's own check does not see it.
class DyetraceCorruption : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "corruption"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "duplication": packets come out twice.
class DyetraceDuplication : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "duplication"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "ecn-marking": ECN-capable packets are marked CE though no queue is long.
class DyetraceEcnMarking : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "ecn-marking"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "ecn-bleaching": the ECN field is cleared.
class DyetraceEcnBleaching : public DyetracePacketFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "ecn-bleaching"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;
};

/// \ingroup dyetrace
/// "flow-drop": all packets of some flows are lost: of those that match, or of a share of all, by a hash of
/// the outer addresses and ports.
class DyetraceFlowDrop : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "flow-drop"; }
    double GetShare() const { return m_share; }

  protected:
    void Place(const DyetraceTopology& topology) override;
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    double m_share = 1;
    std::string m_match;
};

/// \ingroup dyetrace
/// "added-delay": packets take longer, and stay in order.
class DyetraceAddedDelay : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "added-delay"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    Time m_delay;
    Time m_jitter;
};

/// \ingroup dyetrace
/// "reordering": some packets are held back while others pass.
class DyetraceReordering : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "reordering"; }
    double GetProbability() const { return m_probability; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    double m_probability = 1;
    Time m_delay;
};

/// \ingroup dyetrace
/// "rate-cut": the links send more slowly. What is queued already keeps the time that it was to leave at.
class DyetraceRateCut : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "rate-cut"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    DataRate m_rate;
};

/// \ingroup dyetrace
/// "mtu-shrink": longer packets are dropped before the link; a switch says so by ICMP, a host's own port does
/// not.
class DyetraceMtuShrink : public DyetraceLinkFault {
  public:
    static TypeId GetTypeId();
    std::string GetKind() const override { return "mtu-shrink"; }

  protected:
    void Switch(DyetraceFaultSite& site, bool isActive) override;

  private:
    uint32_t m_mtu = 0;
};

}  // namespace ns3

#endif  // DYETRACE_LINK_FAULTS_H
