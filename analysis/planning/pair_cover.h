// SPDX-License-Identifier: GPL-2.0-or-later
// What the pairs that a run measured tell of its fabric, and how few of them would tell of as many links.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/store/run_reader.h"
#include "core/health/pair_plan.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::planning {

struct PairCover {
    std::vector<health::PairCandidate> pairs;  ///< with packets and a traced path, by requester and acceptor
    std::size_t paths = 0;                     ///< of all of them, each as often as it changed its way
    std::size_t links = 0;                     ///< of the fabric
    health::PairPlan all;                      ///< all pairs, in their order
    health::PairPlan fewest;  ///< a cover of the same links, but for hosts with more than 64 sessions
};

/// Pairs are those whose sessions sent something over paths whose hops were learned; what truth says is not
/// looked at. `graph` has the run's nodes in the order of their rows. Throws `store::Error`.
[[nodiscard]] PairCover cover_of(const store::RunReader& run, const localise::FabricGraph& graph);

}  // namespace dyetrace::planning
