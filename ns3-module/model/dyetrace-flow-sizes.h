// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FLOW_SIZES_H
#define DYETRACE_FLOW_SIZES_H

#include <cstdint>
#include <utility>
#include <vector>

namespace ns3 {

/**
 * \ingroup dyetrace
 * A distribution of flow sizes, given by points of its cumulative distribution and linear between them.
 */
class DyetraceFlowSizes {
  public:
    /// (bytes, cumulative probability): both grow, the probability from 0 to 1. Aborts, naming the point that
    /// doesn't.
    explicit DyetraceFlowSizes(std::vector<std::pair<double, double>> points);

    /// The size, in whole bytes and at least 1, that a flow is below with probability `u` in [0, 1].
    uint64_t GetQuantile(double u) const;
    /// Mean size, bytes.
    double GetMean() const;
    /// Mean number of packets of a flow that is cut into packets of `packetBytes`.
    double GetMeanPackets(uint32_t packetBytes) const;

    /// Flow arrivals a second that fill a link to the fraction `load`, all bytes on the wire counted.
    /// \param overheadBytes what each packet needs on the wire beyond its payload
    double GetArrivalRate(double load, double linkBitsPerSecond, uint32_t packetBytes,
                          uint32_t overheadBytes) const;

  private:
    std::vector<std::pair<double, double>> m_points;
};

}  // namespace ns3

#endif  // DYETRACE_FLOW_SIZES_H
