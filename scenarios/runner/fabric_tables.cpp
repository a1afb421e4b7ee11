// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/fabric_tables.h"

#include <sstream>

#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-topology.h>

namespace dyetrace::runner {
namespace {

using Tier = ns3::DyetraceTopology::Tier;

std::string kind_of(Tier tier) {
    switch (tier) {
        case Tier::Host: return "host";
        case Tier::Edge: return "edge";
        case Tier::Aggregation: return "agg";
        case Tier::Core: return "core";
    }
    return "switch";
}

std::string text_of(const ns3::Ipv4Address& address) {
    std::ostringstream text;
    address.Print(text);
    return text.str();
}

}  // namespace

FabricTables make_fabric_tables(const ns3::DyetraceFabric& fabric) {
    const ns3::DyetraceTopology& topology = fabric.GetTopology();
    FabricTables tables;
    for (std::uint32_t i = 0; i < topology.GetNNodes(); ++i) {
        const auto& node = topology.GetNode(i);
        store::NodeRow row;
        row.name = node.name;
        row.kind = kind_of(node.tier);
        row.address = text_of(node.address);
        if (node.pod != ns3::DyetraceTopology::None) row.pod = node.pod;
        // From left to right within the pod: a host stands under its rack's switch.
        const bool host = node.tier == Tier::Host;
        const std::uint32_t racks_per_pod =
            fabric.GetTopology().GetNode(topology.GetRackSwitch(0)).portCount / 2;
        row.position = host ? (node.rack % racks_per_pod) * racks_per_pod + node.position : node.position;
        tables.nodes.push_back(std::move(row));
    }
    for (std::uint32_t i = 0; i < topology.GetNLinks(); ++i) {
        store::LinkRow row;
        row.from_node = topology.GetFrom(i);
        row.to_node = topology.GetTo(i);
        row.rate_bps = fabric.GetLinkRate().GetBitRate();
        row.delay_ns = fabric.GetLinkDelay().GetNanoSeconds();
        tables.links.push_back(row);
    }
    return tables;
}

}  // namespace dyetrace::runner
