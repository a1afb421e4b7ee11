// SPDX-License-Identifier: GPL-2.0-or-later
// A run's fabric as a graph, and its paths over that.
#pragma once

#include <vector>

#include "analysis/store/run_reader.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::planning {

/// The run's nodes in the order of their rows, and its links. Throws `store::Error` where a link names a node
/// that is not there.
[[nodiscard]] localise::FabricGraph read_graph(const store::RunReader& run);

/// From requester to acceptor. Throws likewise.
[[nodiscard]] std::vector<localise::NodeId> hops_of(const store::RunReader& run, const store::PathRow& path,
                                                    const localise::FabricGraph& graph);

}  // namespace dyetrace::planning
