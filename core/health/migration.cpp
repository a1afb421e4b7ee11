// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/migration.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/health/percent.h"

namespace dyetrace::health {

using localise::Crossing;
using localise::HostPair;
using localise::PairPath;

double Migration::crossing_a_second(const Incident& incident, Time now) const {
    const Time since = std::max(incident.fresh_since, now + config_.memory * -1);
    const double span_s = (now - since).in_seconds();
    if (span_s <= 0) return 0;
    return static_cast<double>(crossings_.sum(incident.subject, since).sent) / span_s;
}

Crossing Migration::at_new_places(const Incident& incident, Time since) const {
    const IpAddress sick = graph_.address(crossings_.host_of(incident.subject));
    std::vector<HostPair> pairs;
    for (const PairPath& path : incident.watched) {
        for (const IpAddress& place : incident.moved_to) {
            const HostPair pair{path.requester == sick ? place : path.requester,
                                path.acceptor == sick ? place : path.acceptor};
            if (pair.first != pair.second) pairs.push_back(pair);
        }
    }
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    return evidence_.carried_between(pairs, since);
}

double Migration::remaining_share(const Incident& incident, const Crossing& left, Time since, Time now) {
    if (left.sent == 0) return 0;
    const double expected = incident.crossed_a_second * (now - since).in_seconds();
    return expected > 0 ? static_cast<double>(left.sent) / expected : std::numeric_limits<double>::infinity();
}

std::string Migration::remaining(const Incident& incident, const Crossing& left, Time since, Time now) {
    if (left.sent == 0) return "nothing crosses it any more";
    const double share = remaining_share(incident, left, since, now);
    return percent(share) + " of what crossed it still does: " + lost_of(left);
}

}  // namespace dyetrace::health
