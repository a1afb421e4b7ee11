// SPDX-License-Identifier: GPL-2.0-or-later
// How long an Ethernet frame occupies a link, and what a port holds takes to send. The lean links and the
// stock ones share it. Not installed.
#ifndef DYETRACE_FRAME_TIME_H
#define DYETRACE_FRAME_TIME_H

#include <algorithm>
#include <cstdint>

#include <ns3/data-rate.h>
#include <ns3/int64x64.h>
#include <ns3/nstime.h>

namespace ns3 {

/// Bytes that a frame takes up. IEEE 802.3: it is padded to 60; preamble and start delimiter 8, FCS 4, gap
/// between frames 12 come on top.
/// \param length of the frame without FCS, bytes
constexpr uint32_t DyetraceBytesOnTheWire(uint32_t length) {
    constexpr uint32_t overheadBytes = 24;
    constexpr uint32_t frameBytesMin = 60;
    return std::max(length, frameBytesMin) + overheadBytes;
}

/// \param length of the frame without FCS, bytes \return at least 1
inline int64_t DyetraceTransmissionNs(const DataRate& rate, uint32_t length) {
    return std::max<int64_t>(rate.CalculateBytesTxTime(DyetraceBytesOnTheWire(length)).GetNanoSeconds(), 1);
}

/// For what a port holds. DataRate::CalculateBytesTxTime, which rounds as its release of ns-3 does, counts
/// bits in 32 bits: half a gigabyte is too much for it.
inline int64_t DyetraceQueueNs(const DataRate& rate, uint32_t bytes) {
    constexpr uint32_t bytesMost = UINT32_MAX / 8;
    if (bytes <= bytesMost) return rate.CalculateBytesTxTime(bytes).GetNanoSeconds();
    return Seconds(int64x64_t(uint64_t{bytes} * 8) / int64x64_t(rate.GetBitRate())).GetNanoSeconds();
}

}  // namespace ns3

#endif  // DYETRACE_FRAME_TIME_H
