// SPDX-License-Identifier: GPL-2.0-or-later
// How long an Ethernet frame occupies a link. The lean links and the stock ones share it. Not installed.
#ifndef DYETRACE_FRAME_TIME_H
#define DYETRACE_FRAME_TIME_H

#include <algorithm>
#include <cstdint>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>

namespace ns3 {

/// \param length of the frame without FCS, bytes. IEEE 802.3: it is padded to 60; preamble and start
/// delimiter 8, FCS 4, gap between frames 12 come on top. \return at least 1
inline int64_t DyetraceTransmissionNs(const DataRate& rate, uint32_t length) {
    constexpr uint32_t overheadBytes = 24;
    constexpr uint32_t frameBytesMin = 60;
    const uint32_t onTheWire = std::max(length, frameBytesMin) + overheadBytes;
    return std::max<int64_t>(rate.CalculateBytesTxTime(onTheWire).GetNanoSeconds(), 1);
}

}  // namespace ns3

#endif  // DYETRACE_FRAME_TIME_H
