// SPDX-License-Identifier: GPL-2.0-or-later
// Sees to it that every link that hosts can reach is crossed by a pair that is measured.
//
// EPPCs choose pairs by traffic, within budgets of their own, and know nothing of links. So now and then this
// looks which links no learned path of the last seconds crosses, and asks for the few pairs whose paths may
// cross most of them (pair_plan.h): of those that EPPCs say have traffic and are not measured, the busiest
// first, then those that were not asked for longest. Across a link that no such pair may cross any will do,
// others each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/health/incident.h"
#include "core/health/pair_plan.h"
#include "core/localise/evidence_source.h"
#include "core/localise/fabric_graph.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::health {

struct CoverPolicy {
    Duration interval;                  ///< between two looks; zero: never
    std::size_t links_most = 32;        ///< that pairs are looked for in one look
    std::size_t pairs_most = 32;        ///< asked for in one look ..
    std::size_t a_host_most = 4;        ///< .. of these by one host, and with one
    std::size_t candidates_most = 256;  ///< pairs with traffic that are looked through in one look
    Duration traffic_memory = Duration::seconds(30);  ///< what was told of traffic counts for so long
    Duration session = Duration::seconds(30);         ///< how long such a pair is measured
    wire::SamplingSpec sampling = wire::SamplingSpec::probability(0.01);
};

class Coverage {
  public:
    /// All must outlive it.
    Coverage(const CoverPolicy& policy, const localise::FabricGraph& graph,
             const localise::EvidenceSource& evidence);

    /// So many packets went there lately, and nobody measures them.
    void note_traffic(localise::NodeId requester, localise::NodeId acceptor, std::uint64_t packets, Time now);
    /// What to ask for now. `hosts`: whose EPPCs report, by number. A link counts as crossed by evidence from
    /// `since` on; one is missing that was not crossed at the look before either.
    std::vector<WantedDirective> look(std::span<const localise::NodeId> hosts, Time since, Time now);

    /// At the last look: links on shortest paths between hosts that report, and those of them that were
    /// crossed.
    [[nodiscard]] std::size_t in_reach() const { return in_reach_count_; }
    [[nodiscard]] std::size_t crossed() const { return crossed_count_; }

  private:
    using Pair = std::pair<localise::NodeId, localise::NodeId>;

    [[nodiscard]] std::vector<localise::LinkId> missing(Time since);
    [[nodiscard]] bool is_asked(const Pair& pair, Time now) const;
    /// Pairs with traffic, each with the links among `wanted` (by link) that it may cross.
    void add_with_traffic(const std::vector<bool>& wanted, Time now, std::vector<PairCandidate>& candidates);
    /// Pairs that may cross a link, whoever sends there.
    void add_any(localise::LinkId link, Time now, std::map<Pair, PairCandidate>& candidates);
    /// Hosts that report, the nearest first: from `node` on along links, or back against them, never by
    /// `avoided`.
    enum class Way { On, Back };
    struct NearHost {
        localise::NodeId host;
        std::uint32_t hops = 0;
    };
    [[nodiscard]] std::vector<NearHost> nearest(localise::NodeId node, localise::NodeId avoided,
                                                Way way) const;

    const CoverPolicy& policy_;
    const localise::FabricGraph& graph_;
    const Adjacency fabric_;
    const localise::EvidenceSource& evidence_;
    std::vector<localise::NodeId> hosts_;
    std::vector<bool> reports_;      ///< by node
    std::vector<bool> in_reach_;     ///< by link
    std::vector<bool> was_missing_;  ///< by link, at the look before
    std::map<Pair, Time> asked_;     ///< for a pair, when last
    struct Traffic {
        std::uint64_t packets = 0;
        Time told;
    };
    std::map<localise::NodeId, std::map<localise::NodeId, Traffic>>
        traffic_;  ///< by acceptor, then requester
    std::size_t traffic_pairs_ = 0;
    localise::NodeId next_acceptor_;  ///< whose traffic is looked through next
    std::size_t next_link_ = 0;       ///< to look for pairs for, of those that are missing
    std::size_t round_ = 0;
    std::size_t in_reach_count_ = 0;
    std::size_t crossed_count_ = 0;
};

}  // namespace dyetrace::health
