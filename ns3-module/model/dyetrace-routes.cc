// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-routes.h"

#include <ns3/abort.h>

namespace ns3 {

DyetraceRoutes::DyetraceRoutes(const DyetraceTopology& topology)
    : m_hosts(topology.GetNHosts()),
      m_racks(topology.GetNRacks()),
      m_rackOfPrefix(1U << 16, None),
      m_groups(static_cast<std::size_t>(topology.GetNNodes() - m_hosts) * m_racks, 0) {
    for (uint32_t rack = 0; rack < m_racks; ++rack) {
        const uint32_t address = topology.GetNode(topology.GetRackSwitch(rack)).address.Get();
        NS_ABORT_MSG_IF(address >> 24 != 10, "rack " << rack << " is not in 10.0.0.0/8");
        m_rackOfPrefix[address >> 8 & 0xffff] = rack;
        AddRack(topology, rack);
    }
}

// Breadth first from the rack's switch: a port is on a shortest path when it leads one step nearer.
void DyetraceRoutes::AddRack(const DyetraceTopology& topology, uint32_t rack) {
    std::vector<uint32_t> distance(topology.GetNNodes(), None);
    std::vector<uint32_t> order{topology.GetRackSwitch(rack)};
    distance[order.front()] = 0;
    std::vector<uint32_t> ports;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const uint32_t at = order[i];
        const DyetraceTopology::Node& node = topology.GetNode(at);
        ports.clear();
        for (uint32_t link = node.firstPort; link < node.firstPort + node.portCount; ++link) {
            const uint32_t peer = topology.GetTo(link);
            if (topology.GetNode(peer).tier == DyetraceTopology::Tier::Host) continue;
            if (distance[peer] == None) {
                distance[peer] = distance[at] + 1;
                order.push_back(peer);
            } else if (distance[peer] < distance[at]) {
                ports.push_back(link);
            }
        }
        m_groups[Index(at, rack)] = Intern(ports);
    }
}

uint32_t DyetraceRoutes::Intern(const std::vector<uint32_t>& ports) {
    const std::size_t first = m_ports.size();
    NS_ABORT_MSG_IF(ports.size() > 0xff || first > 0xffffff,
                    "too many equal-cost ports for the forwarding tables");
    const auto packed = static_cast<uint32_t>(first << 8 | ports.size());
    const auto [found, isNew] = m_interned.try_emplace(ports, packed);
    if (isNew) m_ports.insert(m_ports.end(), ports.begin(), ports.end());
    return found->second;
}

}  // namespace ns3
