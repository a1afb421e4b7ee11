// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_STREAM_SOURCES_H
#define DYETRACE_STREAM_SOURCES_H

#include <cstdint>
#include <string>
#include <vector>

#include <ns3/data-rate.h>
#include <ns3/ptr.h>
#include <ns3/random-variable-stream.h>

#include "dyetrace-packet-source.h"

namespace ns3 {

/**
 * \ingroup dyetrace
 * A lean guest that sends packets of one size at a mean rate, from Start to Stop, in a few flows that last.
 *
 * The flows share the rate evenly. Each keeps its ports and its destination: drawn uniformly among the guests
 * of other racks, or, as a permutation, the next one of a circle in which all guests of the party stand in a
 * random order, so that each sends to one and gets from one.
 */
class DyetraceStreamSource : public DyetracePacketSource {
  public:
    static TypeId GetTypeId();
    DyetraceStreamSource();
    ~DyetraceStreamSource() override;

  protected:
    void Check() const override;
    int64_t Begin(int64_t startNs) override;
    int64_t NextPacket(uint32_t flow, int64_t dueNs) override;

    /// \name What a kind is. Times have their fractions, so that the rate is exact.
    /// @{
    /// When the first packet of a flow is due. Asked flow by flow, from 0.
    virtual double FirstDue(uint32_t flow, double startNs) = 0;
    virtual double NextDue(uint32_t flow, double dueNs) = 0;
    /// @}

    /// From a packet of a flow to its next at the flow's share of Rate.
    double GetGapNs() const { return m_gapNs; }

  private:
    uint32_t ChooseDestination();
    /// A time on the simulator's clock; Never from Stop on.
    int64_t OnClock(double dueNs) const;

    DataRate m_rate;
    uint32_t m_flowCount;
    std::string m_destination;
    double m_gapNs;
    std::vector<double> m_dueNs;  ///< of each flow's next packet
};

/**
 * \ingroup dyetrace
 * Sends at a constant rate. The first packet of each flow waits for a random part of a packet's time, so that
 * hosts are not in step.
 */
class DyetraceConstantSource : public DyetraceStreamSource {
  public:
    static TypeId GetTypeId();

  protected:
    double FirstDue(uint32_t flow, double startNs) override;
    double NextDue(uint32_t flow, double dueNs) override;
};

/**
 * \ingroup dyetrace
 * Sends packets as a Poisson process: from one of a flow to its next passes an exponentially distributed
 * time, whatever happened before.
 */
class DyetracePoissonSource : public DyetraceStreamSource {
  public:
    static TypeId GetTypeId();

  protected:
    double FirstDue(uint32_t flow, double startNs) override;
    double NextDue(uint32_t flow, double dueNs) override;
};

/**
 * \ingroup dyetrace
 * Sends at Rate while it is on and nothing while it is off; each flow has times of its own, and begins off.
 *
 * A flow's packets come at even distances of the time that it is on: what is left of a distance at the end of
 * one time counts in the next. So the mean rate is Rate * on / (on + off), however short the times are.
 */
class DyetraceOnOffSource : public DyetraceStreamSource {
  public:
    static TypeId GetTypeId();
    DyetraceOnOffSource();
    ~DyetraceOnOffSource() override;

    /// Three: the guest's own, OnTime's and OffTime's.
    int64_t AssignStreams(int64_t stream) override;

  protected:
    void Check() const override;
    double FirstDue(uint32_t flow, double startNs) override;
    double NextDue(uint32_t flow, double dueNs) override;
    void DoDispose() override;

  private:
    /// The time at which the flow will have been on for so long.
    double AfterTimeOn(uint32_t flow, double fromNs, double onNs);

    Ptr<RandomVariableStream> m_onTime;
    Ptr<RandomVariableStream> m_offTime;
    std::vector<double> m_onEndNs;  ///< of each flow: when its time on ends
};

}  // namespace ns3

#endif  // DYETRACE_STREAM_SOURCES_H
