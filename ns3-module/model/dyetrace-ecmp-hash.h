// SPDX-License-Identifier: GPL-2.0-or-later
// How the fabric's switches choose among equal-cost ports. Known to the fabric alone: an engine that measures
// or decides learns a path from traces, never from here. Not installed.
#ifndef DYETRACE_ECMP_HASH_H
#define DYETRACE_ECMP_HASH_H

#include <cstdint>

#include "core/base/random.h"

namespace ns3 {

/**
 * \param seed the switch's own. Switches that shared one would choose alike at every stage, so that a switch
 * whose input was chosen by the stage before uses one of its ports only (polarisation). \param addresses
 * source and destination address of the outer IPv4 header \param protocol of the outer IPv4 header \param
 * ports source and destination port of the outer UDP or TCP header; 0 where there is none
 */
inline uint64_t DyetraceEcmpHash(uint64_t seed, uint64_t addresses, uint8_t protocol, uint32_t ports) {
    const uint64_t rest = static_cast<uint64_t>(protocol) << 32 | ports;
    return dyetrace::mix64(dyetrace::mix64(addresses ^ seed) + rest);
}

/// One of `count` equal choices, by the hash's high bits.
inline uint32_t DyetraceEcmpChoice(uint64_t hash, uint32_t count) {
    return static_cast<uint32_t>((hash >> 32) * count >> 32);
}

}  // namespace ns3

#endif  // DYETRACE_ECMP_HASH_H
