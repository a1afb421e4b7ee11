// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-topology.h"

#include <algorithm>
#include <optional>

#include <ns3/abort.h>

#include "core/localise/fabric_shapes.h"

namespace ns3 {

namespace localise = dyetrace::localise;

namespace {

DyetraceTopology::Tier ToTier(localise::PlanTier tier) {
    switch (tier) {
        case localise::PlanTier::Host: return DyetraceTopology::Tier::Host;
        case localise::PlanTier::Edge: return DyetraceTopology::Tier::Edge;
        case localise::PlanTier::Aggregation: return DyetraceTopology::Tier::Aggregation;
        case localise::PlanTier::Core: return DyetraceTopology::Tier::Core;
    }
    NS_ABORT_MSG("a node of no tier");
}

localise::CableSettings ToSettings(uint64_t rate, Time delay) {
    localise::CableSettings settings{rate, std::nullopt};
    if (!delay.IsNegative()) settings.delay = dyetrace::Duration{delay.GetNanoSeconds()};
    return settings;
}

using Planned = dyetrace::Result<localise::FabricPlan, std::string>;

DyetraceTopology Made(const Planned& plan) {
    NS_ABORT_MSG_UNLESS(plan.ok(), "DyetraceTopology: " << plan.error());
    return DyetraceTopology::FromPlan(*plan);
}

}  // namespace

DyetraceTopology DyetraceTopology::FatTree(uint32_t k) {
    return Made(localise::plan_fat_tree(k));
}

DyetraceTopology DyetraceTopology::LeafSpine(uint32_t leaves, uint32_t spines, uint32_t hostsPerLeaf,
                                             uint64_t uplinkRate) {
    return Made(localise::plan_leaf_spine({leaves, spines, hostsPerLeaf, uplinkRate}));
}

DyetraceTopology DyetraceTopology::Clos(const ClosShape& shape) {
    return Made(localise::plan_clos({shape.pods, shape.edgesPerPod, shape.planes, shape.spinesPerPlane,
                                     shape.hostsPerEdge, shape.uplinkRate, shape.coreRate}));
}

DyetraceTopology DyetraceTopology::Jellyfish(uint32_t switches, uint32_t degree, uint32_t hostsPerSwitch,
                                             uint64_t seed) {
    return Made(localise::plan_jellyfish({switches, degree, hostsPerSwitch, seed}));
}

DyetraceTopology DyetraceTopology::FromPlan(const localise::FabricPlan& plan) {
    DyetraceTopology topology;
    topology.m_nodes.reserve(plan.nodes().size());
    for (const localise::PlannedNode& node : plan.nodes()) {
        topology.m_nodes.push_back({node.name, ToTier(node.tier), Ipv4Address(node.address.value), node.pod,
                                    node.position, node.column, node.rack, node.first_port, node.port_count});
    }
    topology.m_ports.reserve(plan.ports().size());
    for (const localise::PlannedPort& port : plan.ports())
        topology.m_ports.push_back({port.node, port.peer, port.reverse, port.cable, port.direction});
    topology.m_cables.reserve(plan.cables().size());
    for (const localise::PlannedCable& cable : plan.cables()) {
        const auto& [rate, delay] = cable.settings;
        topology.m_cables.push_back({rate, delay ? delay->ns : -1});
    }
    topology.m_rackSwitches = plan.rack_switches();
    topology.m_byName = plan.by_name();
    topology.m_byAddress = plan.by_address();
    topology.m_hostCount = static_cast<uint32_t>(plan.host_count());
    return topology;
}

uint32_t DyetraceTopology::FindNode(const std::string& name) const {
    const auto found = std::lower_bound(
        m_byName.begin(), m_byName.end(), name,
        [this](uint32_t node, const std::string& wanted) { return m_nodes[node].name < wanted; });
    return found == m_byName.end() || m_nodes[*found].name != name ? None : *found;
}

uint32_t DyetraceTopology::FindHost(Ipv4Address address) const {
    const auto found = std::lower_bound(
        m_byAddress.begin(), m_byAddress.end(), address,
        [this](uint32_t node, Ipv4Address wanted) { return m_nodes[node].address < wanted; });
    if (found == m_byAddress.end() || m_nodes[*found].address != address) return None;
    return *found < m_hostCount ? *found : None;
}

uint32_t DyetraceTopology::FindLink(uint32_t from, uint32_t to) const {
    const Node& node = GetNode(from);
    for (uint32_t link = node.firstPort; link < node.firstPort + node.portCount; ++link) {
        if (GetTo(link) == to) return link;
    }
    return None;
}

std::string DyetraceTopology::DescribeLink(uint32_t link) const {
    return GetNode(GetFrom(link)).name + " > " + GetNode(GetTo(link)).name;
}

Mac48Address DyetraceTopology::GetMac(uint32_t node) const {
    uint8_t octets[6] = {2, 0};
    GetNode(node).address.Serialize(octets + 2);
    Mac48Address mac;
    mac.CopyFrom(octets);
    return mac;
}

Ipv6Address DyetraceTopology::GetAddress6(uint32_t node) const {
    uint8_t octets[16] = {0xfd};
    GetNode(node).address.Serialize(octets + 12);
    return Ipv6Address(octets);
}

struct DyetraceTopology::Builder::State {
    localise::FabricPlanner planner;
};

DyetraceTopology::Builder::Builder() : m_state(std::make_unique<State>()) {}

DyetraceTopology::Builder::~Builder() = default;

uint32_t DyetraceTopology::Builder::AddSwitch(const std::string& name, uint32_t pod) {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceTopology::Builder: Build was called before");
    return m_state->planner.add_switch({name, std::nullopt, pod});
}

void DyetraceTopology::Builder::AddHost(const std::string& name, uint32_t atSwitch, uint64_t rate,
                                        Time delay) {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceTopology::Builder: Build was called before");
    m_state->planner.add_host(name, atSwitch, ToSettings(rate, delay));
}

void DyetraceTopology::Builder::AddCable(uint32_t lower, uint32_t upper, uint64_t rate, Time delay) {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceTopology::Builder: Build was called before");
    m_state->planner.add_cable(lower, upper, ToSettings(rate, delay));
}

DyetraceTopology DyetraceTopology::Builder::Build() {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceTopology::Builder: Build was called before");
    const std::unique_ptr<State> state = std::move(m_state);
    return Made(std::move(state->planner).finish());
}

}  // namespace ns3
