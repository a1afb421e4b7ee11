// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_TOPOLOGY_H
#define DYETRACE_TOPOLOGY_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/mac48-address.h>

namespace ns3 {

/**
 * \ingroup dyetrace
 * What a fabric is made of: hosts, switches and cables, with names, addresses and port numbers.
 *
 * Nodes are numbered from 0, hosts first. The ports of all nodes are numbered through, node by node, so that
 * a number names a port and also the directed link that leaves it: link L goes from GetFrom(L) to GetTo(L),
 * and GetReverse(L) is both the link back and the port where L arrives.
 *
 * Hosts sit in racks. A rack is one edge switch; its hosts are the switch's first ports, and their addresses
 * are one /24 prefix: the host at port N has .(2+N), the switch .1.
 */
class DyetraceTopology {
  public:
    static constexpr uint32_t None = UINT32_MAX;

    enum class Tier : uint8_t { Host, Edge, Aggregation, Core };

    struct Node {
        std::string name;
        Tier tier;
        Ipv4Address address;  ///< a host's underlay address; a switch's router address (source of its ICMP)
        uint32_t pod;         ///< None where there is no pod
        uint32_t position;    ///< within its tier and pod; a host: within its rack
        uint32_t rack;        ///< of a host and of its edge switch; else None
        uint32_t firstPort;
        uint32_t portCount;
    };

    /**
     * The k-ary fat-tree of Al-Fares, Loukissas and Vahdat, "A scalable, commodity data center network
     * architecture" (SIGCOMM 2008) with its addresses: host-P-E-N 10.P.E.(2+N), edge-P-N 10.P.N.1,
     * agg-P-N 10.P.(k/2+N).1, core-N 10.k.(N/(k/2)).(1+N%(k/2)). agg-P-N reaches core-(N*k/2) to
     * core-(N*k/2+k/2-1). A switch's ports down come before its ports up; a core's port P leads to pod P.
     *
     * \param k ports of a switch: even, 2 to 254
     */
    static DyetraceTopology FatTree(uint32_t k);

    uint32_t GetNNodes() const { return static_cast<uint32_t>(m_nodes.size()); }
    uint32_t GetNHosts() const { return m_hostCount; }
    uint32_t GetNRacks() const { return static_cast<uint32_t>(m_rackSwitches.size()); }
    const Node& GetNode(uint32_t node) const { return m_nodes.at(node); }
    /// The edge switch of a rack.
    uint32_t GetRackSwitch(uint32_t rack) const { return m_rackSwitches.at(rack); }
    /// \return None for a name that no node has
    uint32_t FindNode(const std::string& name) const;
    uint32_t FindHost(Ipv4Address address) const;

    /// Directed links, and ports.
    uint32_t GetNLinks() const { return static_cast<uint32_t>(m_ports.size()); }
    uint32_t GetFrom(uint32_t link) const { return m_ports.at(link).node; }
    uint32_t GetTo(uint32_t link) const { return m_ports.at(m_ports.at(link).reverse).node; }
    uint32_t GetReverse(uint32_t link) const { return m_ports.at(link).reverse; }
    /// The cable that a link runs in, and the direction in it: 0 is away from the hosts.
    uint32_t GetCable(uint32_t link) const { return m_ports.at(link).cable; }
    uint32_t GetDirection(uint32_t link) const { return m_ports.at(link).direction; }
    /// \return None where there is no such link
    uint32_t FindLink(uint32_t from, uint32_t to) const;
    /// "agg-0-1 > core-3"
    std::string DescribeLink(uint32_t link) const;

    /// 02:00 and the four bytes of the node's address; all ports of a node share it.
    Mac48Address GetMac(uint32_t node) const;

  private:
    struct Port {
        uint32_t node;
        uint32_t reverse;
        uint32_t cable;
        uint32_t direction;
    };
    /// The numbers of a fat-tree's switches and hosts while one is built.
    struct FatTreeNumbers;

    uint32_t AddNode(Node node);
    /// Adds a cable between two ports; `lower` is the end that is nearer to the hosts.
    void Connect(uint32_t lower, uint32_t lowerPort, uint32_t upper, uint32_t upperPort);
    void AddFatTreeNodes(const FatTreeNumbers& numbers);
    void ConnectFatTree(const FatTreeNumbers& numbers);

    std::vector<Node> m_nodes;
    std::vector<Port> m_ports;
    std::vector<uint32_t> m_rackSwitches;
    std::map<std::string, uint32_t> m_byName;
    std::map<Ipv4Address, uint32_t> m_hostByAddress;
    uint32_t m_hostCount = 0;
    uint32_t m_cableCount = 0;
};

}  // namespace ns3

#endif  // DYETRACE_TOPOLOGY_H
