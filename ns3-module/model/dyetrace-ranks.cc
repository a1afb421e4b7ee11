// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-ranks.h"

#include <algorithm>
#include <limits>

#include <ns3/abort.h>

#include "dyetrace-topology.h"

#ifdef DYETRACE_HAVE_MPI
#include <ns3/global-value.h>
#include <ns3/mpi-interface.h>
#include <ns3/string.h>
#endif

namespace ns3 {

namespace {

constexpr uint32_t None = DyetraceTopology::None;

uint32_t CountPods(const DyetraceTopology& topology) {
    uint32_t pods = 0;
    for (uint32_t node = 0; node < topology.GetNNodes(); ++node) {
        const uint32_t pod = topology.GetNode(node).pod;
        if (pod != None) pods = std::max(pods, pod + 1);
    }
    return pods;
}

/// Part `part` of `parts` in runs of one length, or nearly.
uint32_t Deal(uint32_t part, uint32_t parts, uint32_t count) {
    return static_cast<uint32_t>(uint64_t{part} * count / parts);
}

/// The rank that has most neighbours of `node`; of several such, the n-th, wrapping round.
uint32_t NearestRank(const DyetraceTopology& topology, const std::vector<uint32_t>& ranks, uint32_t node,
                     uint32_t n, uint32_t count) {
    std::vector<uint32_t> neighbours(count, 0);
    const DyetraceTopology::Node& it = topology.GetNode(node);
    for (uint32_t port = it.firstPort; port < it.firstPort + it.portCount; ++port) {
        const uint32_t rank = ranks[topology.GetTo(port)];
        if (rank != None) ++neighbours[rank];
    }
    const uint32_t most = *std::max_element(neighbours.begin(), neighbours.end());
    std::vector<uint32_t> nearest;
    for (uint32_t rank = 0; rank < count; ++rank) {
        if (neighbours[rank] == most) nearest.push_back(rank);
    }
    return nearest[n % nearest.size()];
}

void Check(const DyetraceTopology& topology, const std::vector<uint32_t>& systemIds, uint32_t count) {
    NS_ABORT_MSG_IF(systemIds.size() != topology.GetNNodes(),
                    "the fabric has " << topology.GetNNodes() << " nodes, and " << systemIds.size()
                                      << " system ids were given");
    for (uint32_t node = 0; node < systemIds.size(); ++node) {
        const DyetraceTopology::Node& it = topology.GetNode(node);
        NS_ABORT_MSG_IF(systemIds[node] >= count, it.name << " is on rank " << systemIds[node] << " of "
                                                          << count << ", which are numbered from 0");
        if (node >= topology.GetNHosts()) continue;
        const uint32_t rack = topology.GetRackSwitch(it.rack);
        NS_ABORT_MSG_IF(systemIds[node] != systemIds[rack],
                        it.name << " is not on the rank of its switch " << topology.GetNode(rack).name);
    }
}

}  // namespace

DyetraceRanks::DyetraceRanks(const DyetraceTopology& topology, const std::vector<uint32_t>& systemIds) {
#ifdef DYETRACE_HAVE_MPI
    if (MpiInterface::IsEnabled()) {
        m_count = MpiInterface::GetSize();
        m_own = MpiInterface::GetSystemId();
    }
    if (m_count > 1) {
        // The other one grants time channel by channel, to point-to-point channels alone.
        StringValue simulator;
        GlobalValue::GetValueByName("SimulatorImplementationType", simulator);
        NS_ABORT_MSG_IF(simulator.Get() != "ns3::DistributedSimulatorImpl",
                        "a fabric on several ranks needs SimulatorImplementationType "
                        "ns3::DistributedSimulatorImpl, not "
                            << simulator.Get());
    }
#endif
    if (!systemIds.empty()) Check(topology, systemIds, m_count);
    m_ranks = systemIds.empty() ? Split(topology, m_count) : systemIds;
}

std::vector<uint32_t> DyetraceRanks::Split(const DyetraceTopology& topology, uint32_t count) {
    NS_ABORT_MSG_IF(count > topology.GetNRacks(), "a fabric of " << topology.GetNRacks()
                                                                 << " racks is not split among " << count
                                                                 << " ranks");
    if (count == 1) return std::vector<uint32_t>(topology.GetNNodes(), 0);
    std::vector<uint32_t> ranks(topology.GetNNodes(), None);
    const uint32_t pods = CountPods(topology);
    const bool isByPod = pods >= count;
    for (uint32_t node = 0; node < ranks.size(); ++node) {
        const DyetraceTopology::Node& it = topology.GetNode(node);
        if (isByPod && it.pod != None) {
            ranks[node] = Deal(it.pod, pods, count);
        } else if (it.rack != None) {
            // A rack without a pod in a fabric with pods is dealt out among its like.
            ranks[node] = Deal(it.rack, topology.GetNRacks(), count);
        }
    }
    uint32_t others = 0;
    for (uint32_t node = 0; node < ranks.size(); ++node) {
        if (ranks[node] == None) ranks[node] = NearestRank(topology, ranks, node, others++, count);
    }
    return ranks;
}

bool DyetraceRanks::IsCrossing(const DyetraceTopology& topology, uint32_t link) const {
    return m_ranks[topology.GetFrom(link)] != m_ranks[topology.GetTo(link)];
}

int64_t DyetraceRanks::LeastOfCrossings(const DyetraceTopology& topology,
                                        const std::function<int64_t(uint32_t link)>& ofLink) const {
    int64_t least = std::numeric_limits<int64_t>::max();
    if (m_count == 1) return least;
    for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
        if (IsCrossing(topology, link)) least = std::min(least, ofLink(link));
    }
    return least;
}

}  // namespace ns3
