// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-flow-sizes.h"

#include <algorithm>
#include <cmath>

#include <ns3/abort.h>

namespace ns3 {

DyetraceFlowSizes::DyetraceFlowSizes(std::vector<std::pair<double, double>> points)
    : m_points(std::move(points)) {
    NS_ABORT_MSG_IF(m_points.size() < 2, "a distribution of flow sizes has at least two points");
    NS_ABORT_MSG_IF(m_points.front().first < 0, "a flow size is not negative");
    NS_ABORT_MSG_IF(m_points.front().second != 0, "the first point's cumulative probability is 0");
    NS_ABORT_MSG_IF(m_points.back().second != 1, "the last point's cumulative probability is 1");
    for (std::size_t i = 1; i < m_points.size(); ++i) {
        const auto& [bytes, probability] = m_points[i];
        // A step, of many flows of one size, is two points of that size.
        const bool grows = bytes >= m_points[i - 1].first && probability >= m_points[i - 1].second &&
                           m_points[i] != m_points[i - 1];
        NS_ABORT_MSG_UNLESS(grows, "flow sizes: point " << i << " (" << bytes << ' ' << probability
                                                        << ") does not grow from the one before");
    }
}

uint64_t DyetraceFlowSizes::GetQuantile(double u) const {
    const auto above = std::find_if(m_points.begin() + 1, m_points.end() - 1,
                                    [u](const auto& point) { return point.second >= u; });
    const auto& [bytes1, probability1] = *above;
    const auto& [bytes0, probability0] = *(above - 1);
    const double width = probability1 - probability0;
    const double size = width > 0 ? bytes0 + (bytes1 - bytes0) * (u - probability0) / width : bytes1;
    return static_cast<uint64_t>(std::max(1.0, std::round(size)));
}

double DyetraceFlowSizes::GetMean() const {
    double mean = 0;
    for (std::size_t i = 1; i < m_points.size(); ++i) {
        mean +=
            (m_points[i].second - m_points[i - 1].second) * (m_points[i].first + m_points[i - 1].first) / 2;
    }
    return mean;
}

double DyetraceFlowSizes::GetMeanPackets(uint32_t packetBytes) const {
    // The mean of ceil(size / packetBytes), at the middles of equal slices of probability.
    constexpr int slices = 100000;
    double packets = 0;
    for (int i = 0; i < slices; ++i) {
        const uint64_t size = GetQuantile((i + 0.5) / slices);
        const uint64_t packetsOfFlow = (size + packetBytes - 1) / packetBytes;
        packets += static_cast<double>(packetsOfFlow);
    }
    return packets / slices;
}

double DyetraceFlowSizes::GetArrivalRate(double load, double linkBitsPerSecond, uint32_t packetBytes,
                                         uint32_t overheadBytes) const {
    const double bytesOnTheWire = GetMean() + GetMeanPackets(packetBytes) * overheadBytes;
    return load * linkBitsPerSecond / (8 * bytesOnTheWire);
}

}  // namespace ns3
