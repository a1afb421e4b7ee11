// SPDX-License-Identifier: GPL-2.0-or-later
// What a switch answers when a packet's TTL ran out. Not installed.
#ifndef DYETRACE_ICMP_H
#define DYETRACE_ICMP_H

#include <cstdint>

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

/// Whether RFC 1812 section 4.3.2.7 lets a router send an ICMP error about `packet`, whose IPv4 header has
/// been checked: never about an ICMP error, a fragment but the first, or a source that is not one host.
bool DyetraceMayAnswer(const DyetracePacket& packet);

/// Time exceeded in transit (RFC 792: type 11, code 0), from `router` to the source of `packet`; the Ethernet
/// addresses are left to the port that sends it.
/// \param router address in host byte order
/// \param identification of the answer's IPv4 header
DyetracePacket* DyetraceMakeTimeExceeded(DyetracePacketPool& pool, const DyetracePacket& packet,
                                         uint32_t router, uint16_t identification);

}  // namespace ns3

#endif  // DYETRACE_ICMP_H
