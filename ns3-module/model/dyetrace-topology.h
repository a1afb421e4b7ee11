// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_TOPOLOGY_H
#define DYETRACE_TOPOLOGY_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/ipv6-address.h>
#include <ns3/mac48-address.h>
#include <ns3/nstime.h>

namespace dyetrace {
namespace localise {
class FabricPlan;
}
}  // namespace dyetrace

namespace ns3 {

/**
 * \ingroup dyetrace
 * What a fabric is made of: hosts, switches and cables, with names, addresses and port numbers.
 *
 * Nodes are numbered from 0, hosts first. The ports of all nodes are numbered through, node by node, so that
 * a number names a port and also the directed link that leaves it: link L goes from GetFrom(L) to GetTo(L),
 * and GetReverse(L) is both the link back and the port where L arrives.
 *
 * Hosts sit in racks. A rack is a switch with hosts; its hosts are the switch's first ports, and their
 * addresses are one /24 prefix inside 10.0.0.0/8: the host at port N has .(2+N), the switch .1.
 *
 * A topology is made by one of the functions below, or part by part with a Builder. All of them stop with
 * words where the numbers or the parts make no fabric.
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
        uint32_t position;    ///< of a switch: within its tier and pod; of a host: within its rack
        uint32_t column;      ///< from left to right within tier and pod: a host stands under its switch
        uint32_t rack;        ///< of a host and of the switch that it hangs on; else None
        uint32_t firstPort;
        uint32_t portCount;
    };

    /// Numbers of a three-tier Clos.
    struct ClosShape {
        uint32_t pods = 4;            ///< 1 to 254
        uint32_t edgesPerPod = 4;     ///< 1 to 253; with the planes no more than 256
        uint32_t planes = 2;          ///< aggregation switches of a pod, 1 to 254
        uint32_t spinesPerPlane = 2;  ///< 1 to 254
        uint32_t hostsPerEdge = 4;    ///< 1 to 253
        uint64_t uplinkRate = 0;      ///< edge to aggregation, bits a second; 0: as the fabric's links
        uint64_t coreRate = 0;        ///< aggregation to core; 0: as the fabric's links
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
    /**
     * Every leaf-L reaches every spine-S; a leaf has the hosts host-L-N.
     *
     * \param leaves 2 to 4096 \param spines 1 to 254 \param hostsPerLeaf 1 to 253
     * \param uplinkRate of the cables to spines, bits a second; 0: as the fabric's links. With it any
     * oversubscription: hostsPerLeaf * link rate / (spines * uplinkRate).
     */
    static DyetraceTopology LeafSpine(uint32_t leaves, uint32_t spines, uint32_t hostsPerLeaf,
                                      uint64_t uplinkRate = 0);
    /**
     * Three tiers with planes, as in Andreyev, "Introducing data center fabric" (Facebook, 2014): in pod P
     * every edge-P-E reaches every agg-P-A; agg-P-A is in plane A and reaches that plane's core-A-N, which
     * reach every pod. Hosts are host-P-E-N 10.P.E.(2+N).
     */
    static DyetraceTopology Clos(const ClosShape& shape);
    /**
     * A random regular graph, as in Singla, Hong, Popa and Godfrey, "Jellyfish: networking data centers
     * randomly" (NSDI 2012): switch-S with the hosts host-S-N. The seed alone decides the cables.
     *
     * \param switches 4 to 4096 \param degree other switches that one is joined with: 3 to 64, less than
     * switches \param hostsPerSwitch 1 to 253
     */
    static DyetraceTopology Jellyfish(uint32_t switches, uint32_t degree, uint32_t hostsPerSwitch,
                                      uint64_t seed = 1);
    /// For users of the engine's own headers; core/localise/fabric_plan.h.
    static DyetraceTopology FromPlan(const dyetrace::localise::FabricPlan& plan);

    class Builder;

    uint32_t GetNNodes() const { return static_cast<uint32_t>(m_nodes.size()); }
    uint32_t GetNHosts() const { return m_hostCount; }
    uint32_t GetNRacks() const { return static_cast<uint32_t>(m_rackSwitches.size()); }
    const Node& GetNode(uint32_t node) const { return m_nodes.at(node); }
    /// The switch of a rack.
    uint32_t GetRackSwitch(uint32_t rack) const { return m_rackSwitches.at(rack); }
    /// \return None for a name that no node has
    uint32_t FindNode(const std::string& name) const;
    /// \return None for an address that no host has
    uint32_t FindHost(Ipv4Address address) const;

    /// Directed links, and ports.
    uint32_t GetNLinks() const { return static_cast<uint32_t>(m_ports.size()); }
    uint32_t GetNCables() const { return static_cast<uint32_t>(m_cables.size()); }
    uint32_t GetFrom(uint32_t link) const { return m_ports.at(link).node; }
    uint32_t GetTo(uint32_t link) const { return m_ports.at(link).peer; }
    uint32_t GetReverse(uint32_t link) const { return m_ports.at(link).reverse; }
    /// The cable that a link runs in, and the direction in it: 0 is away from the hosts.
    uint32_t GetCable(uint32_t link) const { return m_ports.at(link).cable; }
    uint32_t GetDirection(uint32_t link) const { return m_ports.at(link).direction; }
    /// Bits a second; 0: as the fabric's LinkRate.
    uint64_t GetLinkRate(uint32_t link) const { return m_cables.at(GetCable(link)).rate; }
    /// Negative: as the fabric's LinkDelay.
    Time GetLinkDelay(uint32_t link) const { return NanoSeconds(m_cables.at(GetCable(link)).delayNs); }
    /// \return None where there is no such link
    uint32_t FindLink(uint32_t from, uint32_t to) const;
    /// "agg-0-1 > core-3"
    std::string DescribeLink(uint32_t link) const;

    /// 02:00 and the four bytes of the node's address; all ports of a node share it.
    Mac48Address GetMac(uint32_t node) const;
    /// fd00::/96 with the node's IPv4 address as its last 32 bits.
    Ipv6Address GetAddress6(uint32_t node) const;

  private:
    struct Port {
        uint32_t node;
        uint32_t peer;
        uint32_t reverse;
        uint32_t cable;
        uint32_t direction;
    };
    struct Cable {
        uint64_t rate;
        int64_t delayNs;
    };

    DyetraceTopology() = default;

    std::vector<Node> m_nodes;
    std::vector<Port> m_ports;
    std::vector<Cable> m_cables;
    std::vector<uint32_t> m_rackSwitches;
    std::vector<uint32_t> m_byName;     ///< nodes in the order of their names
    std::vector<uint32_t> m_byAddress;  ///< nodes in the order of their addresses
    uint32_t m_hostCount = 0;
};

/**
 * \ingroup dyetrace
 * Takes a topology of any shape part by part.
 *
 * Switches are numbered from 0 in the order of adding; that number is how hosts and cables name them here. A
 * switch with hosts is of tier Edge, one without of tier Core.
 */
class DyetraceTopology::Builder {
  public:
    Builder();
    ~Builder();
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;

    /// \param name without blanks, colons, asterisks and question marks \return the switch's number here
    uint32_t AddSwitch(const std::string& name, uint32_t pod = None);
    /// Hangs a host on a switch. \param rate bits a second, 0: the fabric's \param delay negative: the
    /// fabric's
    void AddHost(const std::string& name, uint32_t atSwitch, uint64_t rate = 0, Time delay = NanoSeconds(-1));
    /// Joins two switches; `lower` is the one nearer to the hosts, if any is.
    void AddCable(uint32_t lower, uint32_t upper, uint64_t rate = 0, Time delay = NanoSeconds(-1));

    /// Once, at the end. Stops with words that name the object where a cable leads to no switch, back to its
    /// own or beside another, a name is twice or no name, a switch has more than 253 hosts, there are no
    /// hosts, or not all switches are joined.
    DyetraceTopology Build();

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace ns3

#endif  // DYETRACE_TOPOLOGY_H
