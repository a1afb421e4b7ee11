// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-routes.h"

#include <algorithm>

#include <ns3/abort.h>

namespace ns3 {

DyetraceRoutes::DyetraceRoutes(const DyetraceTopology& topology)
    : m_topology(topology),
      m_hosts(topology.GetNHosts()),
      m_switches(topology.GetNNodes() - m_hosts),
      m_racks(topology.GetNRacks()),
      m_rackOfPrefix(1U << 16, None),
      m_groups(static_cast<std::size_t>(m_switches) * m_racks, 0),
      m_distances(m_groups.size(), Far),
      m_unused(topology.GetNLinks(), false) {
    for (uint32_t rack = 0; rack < m_racks; ++rack) {
        const uint32_t address = topology.GetNode(topology.GetRackSwitch(rack)).address.Get();
        NS_ABORT_MSG_IF(address >> 24 != 10, "rack " << rack << " is not in 10.0.0.0/8");
        m_rackOfPrefix[address >> 8 & 0xffff] = rack;
        ComputeRack(rack);
    }
}

// Breadth first from the rack's switch: a port is on a shortest path when it leads one step nearer.
void DyetraceRoutes::ComputeRack(uint32_t rack) {
    for (uint32_t node = m_hosts; node < m_hosts + m_switches; ++node) {
        Distance(node, rack) = Far;
        m_groups[Index(node, rack)] = 0;
    }
    m_order.assign(1, m_topology.GetRackSwitch(rack));
    Distance(m_order.front(), rack) = 0;
    for (std::size_t i = 0; i < m_order.size(); ++i) {
        const uint32_t at = m_order[i];
        const uint16_t steps = Distance(at, rack);
        const DyetraceTopology::Node& node = m_topology.GetNode(at);
        m_nearer.clear();
        for (uint32_t link = node.firstPort; link < node.firstPort + node.portCount; ++link) {
            const uint32_t peer = m_topology.GetTo(link);
            if (peer < m_hosts || m_unused[link]) continue;
            uint16_t& peerSteps = Distance(peer, rack);
            if (peerSteps == Far) {
                peerSteps = static_cast<uint16_t>(steps + 1);
                m_order.push_back(peer);
            } else if (peerSteps < steps) {
                m_nearer.push_back(link);
            }
        }
        m_groups[Index(at, rack)] = Intern(m_nearer);
    }
}

// A link counts for a rack only where its ends are one step apart. Without it a switch that has other ports
// as near stays as near; with it, so does everything. Only otherwise do distances change.
void DyetraceRoutes::SetInUse(uint32_t link, bool inUse) {
    const uint32_t back = m_topology.GetReverse(link);
    const uint32_t a = m_topology.GetFrom(link);
    const uint32_t b = m_topology.GetTo(link);
    if (m_unused[link] != inUse) return;
    m_unused[link] = !inUse;
    m_unused[back] = !inUse;
    if (a < m_hosts || b < m_hosts) return;  // a host has one link, and its rack's switch no other way
    for (uint32_t rack = 0; rack < m_racks; ++rack) {
        const uint16_t fromA = Distance(a, rack);
        const uint16_t fromB = Distance(b, rack);
        if (fromA == fromB) continue;
        const uint32_t nearer = fromA > fromB ? link : back;  // the direction that leads towards the rack
        const uint32_t behind = std::max(fromA, fromB);
        const bool isOneStep = behind != Far && behind - std::min(fromA, fromB) == 1;
        if (inUse) {
            isOneStep ? AddPort(nearer, rack) : ComputeRack(rack);
        } else if (isOneStep) {
            RemovePort(nearer, rack);
        }
    }
}

void DyetraceRoutes::AddPort(uint32_t link, uint32_t rack) {
    const uint32_t node = m_topology.GetFrom(link);
    std::vector<uint32_t> ports = PortsOf(node, rack);
    ports.insert(std::lower_bound(ports.begin(), ports.end(), link), link);
    m_groups[Index(node, rack)] = Intern(ports);
}

void DyetraceRoutes::RemovePort(uint32_t link, uint32_t rack) {
    const uint32_t node = m_topology.GetFrom(link);
    std::vector<uint32_t> ports = PortsOf(node, rack);
    ports.erase(std::remove(ports.begin(), ports.end(), link), ports.end());
    if (ports.empty()) return ComputeRack(rack);
    m_groups[Index(node, rack)] = Intern(ports);
}

std::vector<uint32_t> DyetraceRoutes::PortsOf(uint32_t node, uint32_t rack) const {
    const Group group = GetGroup(node, rack);
    const auto first = m_ports.begin() + group.first;
    return {first, first + group.count};
}

uint32_t DyetraceRoutes::Intern(const std::vector<uint32_t>& ports) {
    if (ports.empty()) return 0;
    const std::size_t first = m_ports.size();
    NS_ABORT_MSG_IF(ports.size() > 0xff, m_topology.GetNode(m_topology.GetFrom(ports.front())).name
                                             << " has " << ports.size()
                                             << " equal ways to a rack; there may be 255");
    NS_ABORT_MSG_IF(first > 0xffffff,
                    "the forwarding tables have no room for so many different groups of ports");
    const auto packed = static_cast<uint32_t>(first << 8 | ports.size());
    const auto [found, isNew] = m_interned.try_emplace(ports, packed);
    if (isNew) m_ports.insert(m_ports.end(), ports.begin(), ports.end());
    return found->second;
}

}  // namespace ns3
