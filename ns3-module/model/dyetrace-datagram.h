// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's UDP datagrams of one flow, made from a template. Not installed.
#ifndef DYETRACE_DATAGRAM_H
#define DYETRACE_DATAGRAM_H

#include <array>
#include <cstdint>

namespace ns3 {

struct DyetraceGuest;
struct DyetracePacket;
class DyetracePacketPool;

/// The headers of a flow's packets but for lengths, identification and checksums, which Make() fills in.
class DyetraceDatagrams {
  public:
    /// Bytes in front of the UDP payload: Ethernet, IPv4, UDP.
    static constexpr uint32_t HeaderBytes = 42;

    /// Ports of a guest's n-th flow: no two of its first 3.8 thousand million flows share both.
    void Begin(const DyetraceGuest& from, const DyetraceGuest& to, uint64_t serial);
    /// The next packet, with headroom for encapsulation. \param payload bytes, of DyetracePayload's pattern
    DyetracePacket* Make(DyetracePacketPool& pool, uint32_t payload);

  private:
    std::array<uint8_t, HeaderBytes> m_head;
    uint64_t m_udpSum;  ///< of the pseudo header and the ports, for the UDP checksum
    uint16_t m_identification;
};

}  // namespace ns3

#endif  // DYETRACE_DATAGRAM_H
