// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-topology.h"

#include <ns3/abort.h>

namespace ns3 {

uint32_t DyetraceTopology::FindNode(const std::string& name) const {
    const auto found = m_byName.find(name);
    return found == m_byName.end() ? None : found->second;
}

uint32_t DyetraceTopology::FindHost(Ipv4Address address) const {
    const auto found = m_hostByAddress.find(address);
    return found == m_hostByAddress.end() ? None : found->second;
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

uint32_t DyetraceTopology::AddNode(Node node) {
    const uint32_t number = GetNNodes();
    node.firstPort = GetNLinks();
    m_ports.resize(m_ports.size() + node.portCount, Port{number, None, None, 0});
    m_byName.emplace(node.name, number);
    if (node.tier == Tier::Host) {
        m_hostByAddress.emplace(node.address, number);
        ++m_hostCount;
    }
    m_nodes.push_back(std::move(node));
    return number;
}

void DyetraceTopology::Connect(uint32_t lower, uint32_t lowerPort, uint32_t upper, uint32_t upperPort) {
    const uint32_t up = GetNode(lower).firstPort + lowerPort;
    const uint32_t down = GetNode(upper).firstPort + upperPort;
    m_ports.at(up) = Port{lower, down, m_cableCount, 0};
    m_ports.at(down) = Port{upper, up, m_cableCount, 1};
    ++m_cableCount;
}

struct DyetraceTopology::FatTreeNumbers {
    uint32_t k;

    uint32_t Half() const { return k / 2; }
    uint32_t Hosts() const { return k * Half() * Half(); }
    uint32_t Cores() const { return Half() * Half(); }
    uint32_t Host(uint32_t pod, uint32_t edge, uint32_t n) const {
        return (pod * Half() + edge) * Half() + n;
    }
    uint32_t Edge(uint32_t pod, uint32_t n) const { return Hosts() + pod * Half() + n; }
    uint32_t Aggregation(uint32_t pod, uint32_t n) const { return Hosts() + k * Half() + pod * Half() + n; }
    uint32_t Core(uint32_t n) const { return Hosts() + 2 * k * Half() + n; }
};

DyetraceTopology DyetraceTopology::FatTree(uint32_t k) {
    NS_ABORT_MSG_IF(k < 2 || k > 254 || k % 2 != 0, "a fat-tree's k is even and 2 to 254, not " << k);
    const FatTreeNumbers numbers{k};
    DyetraceTopology topology;
    topology.AddFatTreeNodes(numbers);
    topology.ConnectFatTree(numbers);
    return topology;
}

namespace {

Ipv4Address TenDot(uint32_t b, uint32_t c, uint32_t d) {
    return Ipv4Address(10U << 24 | b << 16 | c << 8 | d);
}

std::string Named(const char* kind, uint32_t a, uint32_t b) {
    return std::string(kind) + '-' + std::to_string(a) + '-' + std::to_string(b);
}

}  // namespace

void DyetraceTopology::AddFatTreeNodes(const FatTreeNumbers& numbers) {
    const uint32_t k = numbers.k;
    const uint32_t half = numbers.Half();
    for (uint32_t host = 0; host < numbers.Hosts(); ++host) {
        const uint32_t n = host % half;
        const uint32_t rack = host / half;
        const uint32_t pod = rack / half;
        AddNode({Named("host", pod, rack % half) + '-' + std::to_string(n), Tier::Host,
                 TenDot(pod, rack % half, 2 + n), pod, n, rack, 0, 1});
    }
    for (uint32_t rack = 0; rack < k * half; ++rack) {
        const uint32_t pod = rack / half;
        const uint32_t n = rack % half;
        m_rackSwitches.push_back(
            AddNode({Named("edge", pod, n), Tier::Edge, TenDot(pod, n, 1), pod, n, rack, 0, k}));
    }
    for (uint32_t i = 0; i < k * half; ++i) {
        const uint32_t pod = i / half;
        const uint32_t n = i % half;
        AddNode({Named("agg", pod, n), Tier::Aggregation, TenDot(pod, half + n, 1), pod, n, None, 0, k});
    }
    for (uint32_t n = 0; n < numbers.Cores(); ++n) {
        AddNode({"core-" + std::to_string(n), Tier::Core, TenDot(k, n / half, 1 + n % half), None, n, None, 0,
                 k});
    }
}

void DyetraceTopology::ConnectFatTree(const FatTreeNumbers& numbers) {
    const uint32_t half = numbers.Half();
    for (uint32_t pod = 0; pod < numbers.k; ++pod) {
        for (uint32_t edge = 0; edge < half; ++edge) {
            for (uint32_t n = 0; n < half; ++n) {
                Connect(numbers.Host(pod, edge, n), 0, numbers.Edge(pod, edge), n);
            }
            for (uint32_t n = 0; n < half; ++n) {
                Connect(numbers.Edge(pod, edge), half + n, numbers.Aggregation(pod, n), edge);
            }
        }
        for (uint32_t n = 0; n < half; ++n) {
            for (uint32_t i = 0; i < half; ++i) {
                Connect(numbers.Aggregation(pod, n), half + i, numbers.Core(n * half + i), pod);
            }
        }
    }
}

}  // namespace ns3
