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

template <class Address>
std::string text_of(const Address& address) {
    std::ostringstream text;
    address.Print(text);
    return text.str();
}

}  // namespace

FabricTables make_fabric_tables(const ns3::DyetraceFabric& fabric, bool is_ipv6) {
    const ns3::DyetraceTopology& topology = fabric.GetTopology();
    FabricTables tables;
    for (std::uint32_t i = 0; i < topology.GetNNodes(); ++i) {
        const auto& node = topology.GetNode(i);
        store::NodeRow row;
        row.name = node.name;
        row.kind = kind_of(node.tier);
        row.address = is_ipv6 ? text_of(topology.GetAddress6(i)) : text_of(node.address);
        if (node.pod != ns3::DyetraceTopology::None) row.pod = node.pod;
        row.position = node.column;
        tables.nodes.push_back(std::move(row));
    }
    for (std::uint32_t i = 0; i < topology.GetNLinks(); ++i) {
        store::LinkRow row;
        row.from_node = topology.GetFrom(i);
        row.to_node = topology.GetTo(i);
        const std::uint64_t rate_bps = topology.GetLinkRate(i);
        const ns3::Time delay = topology.GetLinkDelay(i);
        row.rate_bps = rate_bps != 0 ? rate_bps : fabric.GetLinkRate().GetBitRate();
        row.delay_ns = (delay.IsNegative() ? fabric.GetLinkDelay() : delay).GetNanoSeconds();
        tables.links.push_back(row);
    }
    return tables;
}

}  // namespace dyetrace::runner
