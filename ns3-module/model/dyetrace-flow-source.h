// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FLOW_SOURCE_H
#define DYETRACE_FLOW_SOURCE_H

#include <cstdint>
#include <memory>

#include <ns3/data-rate.h>

#include "dyetrace-packet-source.h"

namespace ns3 {

class DyetraceFlowSizes;

/**
 * \ingroup dyetrace
 * A lean guest that sends flows of many sizes to guests in other racks.
 *
 * Flows arrive as a Poisson process. Each has a size drawn from a distribution, a destination drawn uniformly
 * among the guests of other racks, and sends its packets at an even pace.
 */
class DyetraceFlowSource : public DyetracePacketSource {
  public:
    static TypeId GetTypeId();
    DyetraceFlowSource();
    ~DyetraceFlowSource() override;

    /// Of the flows; call before Start().
    void SetSizes(std::shared_ptr<const DyetraceFlowSizes> sizes);

  protected:
    void Check() const override;
    int64_t Begin(int64_t startNs) override;
    int64_t Arrive(int64_t nowNs) override;
    int64_t NextPacket(uint32_t flow, int64_t dueNs) override;

  private:
    /// \return when the next flow arrives
    int64_t DrawArrival();

    DataRate m_flowRate;
    double m_arrivalRate;
    std::shared_ptr<const DyetraceFlowSizes> m_sizes;
    int64_t m_packetNs;  ///< between two packets of a flow
    double m_arrivalNs;  ///< when the next flow arrives, with its fraction
};

}  // namespace ns3

#endif  // DYETRACE_FLOW_SOURCE_H
