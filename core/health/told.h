// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service is told beside EPPCs' updates, and what it tells another: all of it by the names of
// nodes, since each service has a graph of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace dyetrace::health {

/// What a switch has counted of a link since it started.
struct LinkReading {
    std::string from, to;
    std::uint64_t sent = 0;  ///< packets put on the link
    std::uint64_t lost = 0;  ///< of those, lost by errors: what its far end calls ifInErrors (RFC 2863), and
                             ///< not what a full queue discarded
};

struct NamedConclusion {
    std::string from, to;         ///< of a link
    std::string device;           ///< of a device; empty: a link
    double log_bayes_factor = 0;  ///< of faulty against healthy, natural logarithm; below 0: it is well
    double loss_rate = 0;         ///< most likely probability of losing a packet; 0: not known

    bool operator==(const NamedConclusion&) const = default;
};

/// What a service holds for likely by evidence from `since` on, and nothing older: all of it, so that it
/// takes the place of what it said before. Whom it accused before and holds for well now it acquits; of whom
/// it says nothing, it knows nothing.
struct Concluded {
    Time at;
    Time since;
    std::vector<NamedConclusion> conclusions;  ///< the likeliest first
};

}  // namespace dyetrace::health
