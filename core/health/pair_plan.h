// SPDX-License-Identifier: GPL-2.0-or-later
// Which pairs to measure, so that few sessions say something of every link.
//
// Greedy set cover: each time the pair whose paths cover most links that nobody covers yet. It is within
// ln(n) + 1 of the least number (Chvatal, Mathematics of Operations Research 4(3), 1979), and gains only
// shrink, so a pair's old gain bounds its new one and few need be worked out anew (Minoux, Optimization
// Techniques, 1978). What the acceptors' budgets have left over goes to the pairs with most traffic, then to
// those that were not measured for longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/health/adjacency.h"
#include "core/health/events.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::health {

struct PairCandidate {
    localise::NodeId requester;
    localise::NodeId acceptor;
    /// Learned paths; where none are, all that the fabric may choose among.
    std::vector<std::vector<localise::LinkId>> paths;
    std::uint64_t packets = 0;  ///< sent lately
    Duration unmeasured;        ///< since its last session ended
};

struct PairPlanConfig {
    std::size_t most = 4096;       ///< pairs in all
    std::size_t an_acceptor = 64;  ///< sessions that one host accepts
    std::size_t a_requester = 64;  ///< sessions that one host asks for
    bool fill = false;             ///< beyond the cover, as far as the budgets go
};

struct PairPlan {
    std::vector<std::size_t> chosen;  ///< of the candidates, in order of choice
    std::size_t links = 0;            ///< that some candidate crosses
    std::size_t covered = 0;          ///< of these
    std::size_t for_cover = 0;        ///< of the chosen, those that cover something new
    std::size_t groups = 0;           ///< of several covered links that lie on exactly the same chosen paths
    std::size_t in_groups = 0;        ///< links in them

    /// Covered links over links; 1 where there are none.
    [[nodiscard]] double coverage() const;
    /// Covered links that can be told from every other, over covered links; 1 where there are none.
    [[nodiscard]] double identifiability() const;
};

/// `need`, by link: how much more it counts than others, for incidents; may be empty.
PairPlan plan_pairs(const localise::FabricGraph& graph, std::span<const PairCandidate> candidates,
                    const PairPlanConfig& config, std::span<const double> need = {});

/// Hops to `to` from every node; the greatest number from where no way leads. Hosts forward nothing for
/// others.
std::vector<std::uint32_t> hops_to(const Adjacency& fabric, localise::NodeId to);
/// All links on shortest paths from some nodes to the one that the hops are to, each once.
std::vector<localise::LinkId> links_towards(const Adjacency& fabric, std::span<const std::uint32_t> hops,
                                            std::span<const localise::NodeId> from);
/// By link: whether it is on a shortest path between two of these hosts.
std::vector<bool> links_in_reach(const Adjacency& fabric, std::span<const localise::NodeId> hosts);
/// All shortest paths between two nodes, by hosts' ports first; at most `most`.
std::vector<std::vector<localise::LinkId>> shortest_paths(const localise::FabricGraph& graph,
                                                          localise::NodeId from, localise::NodeId to,
                                                          std::size_t most);
/// For each host `a_host` others, spread evenly over all, with at most `paths_most` paths each.
std::vector<PairCandidate> candidate_pairs(const localise::FabricGraph& graph, std::size_t a_host,
                                           std::size_t paths_most);
/// Pairs of hosts that have a shortest path across the subject, nearest first; at most `most`.
std::vector<std::pair<localise::NodeId, localise::NodeId>> pairs_that_may_cross(
    const localise::FabricGraph& graph, const Subject& subject, std::size_t most);

/// Lines for people: the figures, then a line a pair.
std::string to_text(const PairPlan& plan, std::span<const PairCandidate> candidates,
                    const localise::FabricGraph& graph);

}  // namespace dyetrace::health
