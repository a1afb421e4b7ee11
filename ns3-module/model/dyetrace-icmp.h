// SPDX-License-Identifier: GPL-2.0-or-later
// What a switch answers when it cannot send a packet on. Not installed.
#ifndef DYETRACE_ICMP_H
#define DYETRACE_ICMP_H

#include <cstdint>

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

/// Which message: time exceeded (RFC 792, RFC 4443 section 3.3), or fragmentation needed (RFC 1191) and
/// packet too big (RFC 4443 section 3.2).
struct DyetraceIcmpError {
    bool isIpv6;
    bool isTooBig;
    uint32_t mtu;  ///< of the link that is too narrow, bytes
};

/// Whether RFC 1812 section 4.3.2.7 or RFC 4443 section 2.4 (e) lets a router send an ICMP error about
/// `packet`, whose IP header has been checked: never about an ICMP error, a fragment but the first, or a
/// source that is not one host.
bool DyetraceMayAnswer(bool isIpv6, const DyetracePacket& packet);

/// The message from `router` to the source of `packet`; the Ethernet addresses are left to the port that
/// sends it. \param router IPv4 address in host byte order; its IPv6 address is that in fd00::/96 \param
/// identification of the answer's IPv4 header
DyetracePacket* DyetraceMakeIcmpError(DyetracePacketPool& pool, const DyetracePacket& packet,
                                      const DyetraceIcmpError& error, uint32_t router,
                                      uint16_t identification);

}  // namespace ns3

#endif  // DYETRACE_ICMP_H
