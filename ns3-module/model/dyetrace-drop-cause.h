// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_DROP_CAUSE_H
#define DYETRACE_DROP_CAUSE_H

#include <cstdint>

namespace ns3 {

/**
 * \ingroup dyetrace
 * Why the fabric did not carry a packet on. The first three happen on a link, the others in a switch.
 */
enum class DyetraceDropCause : uint8_t {
    Queue,       ///< the port's queue was full
    Fault,       ///< a fault took it from the link
    Down,        ///< the link was down, or went down while the packet was queued or under way
    BadHeader,   ///< no IP, a header cut or wrong, or a wrong header checksum (RFC 1812 section 5.2.2)
    NoRoute,     ///< a destination that no host has, or that no link in use leads to
    TtlExpired,  ///< the TTL or hop limit ran out (RFC 1812 section 5.3.1, RFC 8200 section 3)
    TooBig,      ///< longer than the MTU of the next link (RFC 1191, RFC 8201)
    kCount,
};

constexpr uint32_t DyetraceDropCauseCount = static_cast<uint32_t>(DyetraceDropCause::kCount);

/// "queue", "fault", "down", "bad-header", "no-route", "ttl-expired", "too-big"
const char* DyetraceDropCauseName(DyetraceDropCause cause);

}  // namespace ns3

#endif  // DYETRACE_DROP_CAUSE_H
