// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/planning/run_graph.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "analysis/store/error.h"

namespace dyetrace::planning {
namespace {

using localise::FabricGraph;
using localise::NodeId;
using localise::NodeKind;

NodeId node_of(const store::RunReader& run, const char* table, store::RowId id, const FabricGraph& graph) {
    if (id < 0 || static_cast<std::size_t>(id) >= graph.node_count()) {
        throw store::Error(run.path().string() + ": table " + table + ": there is no node " +
                           std::to_string(id));
    }
    return NodeId{static_cast<std::uint32_t>(id)};
}

}  // namespace

FabricGraph read_graph(const store::RunReader& run) {
    FabricGraph graph;
    for (const auto& node : run.nodes()) {
        graph.add_node(node.name, node.kind == "host" ? NodeKind::Host : NodeKind::Switch,
                       Ipv4Address::parse(node.address).value_or(Ipv4Address{}));
    }
    for (const auto& link : run.links())
        graph.add_link(node_of(run, "links", link.from_node, graph),
                       node_of(run, "links", link.to_node, graph));
    return graph;
}

std::vector<NodeId> hops_of(const store::RunReader& run, const store::PathRow& path,
                            const FabricGraph& graph) {
    std::vector<NodeId> hops;
    for (const store::RowId node : path.hops)
        hops.push_back(node_of(run, "path_hops", node, graph));
    return hops;
}

}  // namespace dyetrace::planning
