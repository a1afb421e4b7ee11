// SPDX-License-Identifier: GPL-2.0-or-later
// Which process of a parallel simulation has which node of a fabric. Not installed.
//
// ns-3 calls a process's number its system id, and MPI its rank. All processes build the whole fabric; each
// simulates the nodes that are its own, and packets cross to another where a link does.
#ifndef DYETRACE_RANKS_H
#define DYETRACE_RANKS_H

#include <cstdint>
#include <functional>
#include <vector>

namespace ns3 {

class DyetraceTopology;

class DyetraceRanks {
  public:
    /// Splits the fabric among the processes that ns3::MpiInterface tells of; all is this one's where it has
    /// not been enabled, or where this ns-3 has no MPI. \param systemIds by node; empty: Split decides
    DyetraceRanks(const DyetraceTopology& topology, const std::vector<uint32_t>& systemIds);

    /**
     * Pods stay whole where there are as many as ranks, else racks do, and are dealt out in runs; a switch in
     * neither goes where most of its neighbours are, and evenly where that says nothing. Aborts where there
     * are more ranks than racks. \return by node
     */
    static std::vector<uint32_t> Split(const DyetraceTopology& topology, uint32_t count);

    uint32_t GetCount() const { return m_count; }
    uint32_t GetOwn() const { return m_own; }
    uint32_t Get(uint32_t node) const { return m_ranks[node]; }
    bool IsLocal(uint32_t node) const { return m_ranks[node] == m_own; }
    /// Whether a directed link leads from one rank to another.
    bool IsCrossing(const DyetraceTopology& topology, uint32_t link) const;
    /// The least of `ofLink` over the links that cross; INT64_MAX where none does.
    int64_t LeastOfCrossings(const DyetraceTopology& topology,
                             const std::function<int64_t(uint32_t link)>& ofLink) const;

  private:
    uint32_t m_count = 1;
    uint32_t m_own = 0;
    std::vector<uint32_t> m_ranks;  ///< by node
};

}  // namespace ns3

#endif  // DYETRACE_RANKS_H
