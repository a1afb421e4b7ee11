// SPDX-License-Identifier: GPL-2.0-or-later
// What is drained, and whether more may be: never more than a share of a tier, and never so that hosts lose
// each other.
//
// A tier is how far a node is from the nearest host: hosts 0, their racks' switches 1, and so on. Cables are
// of the pair of tiers that they join. Parallel, smaller limits for each pod are left to the operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/health/events.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::health {

class Drains {
  public:
    /// `graph` must outlive it, and stays as it is.
    Drains(const localise::FabricGraph& graph, double share);

    /// Why `subject` must not be drained beside what is; none where it may be.
    [[nodiscard]] std::optional<std::string> refusal(const Subject& subject) const;
    void add(const Subject& subject);
    void remove(const Subject& subject);
    [[nodiscard]] bool has(const Subject& subject) const;
    [[nodiscard]] std::size_t size() const { return cables_.size() + nodes_.size(); }
    [[nodiscard]] std::uint32_t tier_of(localise::NodeId node) const { return tiers_[node.value]; }

  private:
    using Cable = std::pair<localise::NodeId, localise::NodeId>;  ///< the lower id first
    static Cable cable_of(const Subject& link);
    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> tiers_of(const Cable& cable) const;
    /// Of one kind: how many there are, are out of use, and would be besides.
    struct Tally {
        std::size_t total = 0, drained = 0, more = 0;
    };
    [[nodiscard]] bool is_out(const Cable& cable) const;
    [[nodiscard]] std::optional<std::string> over_share(const Tally& tally, const std::string& what) const;
    [[nodiscard]] std::optional<std::string> over_share(const Subject& subject) const;
    /// By node: which hosts reach each other share a number; kNone for other nodes.
    [[nodiscard]] std::vector<std::uint32_t> parts(const std::set<Cable>& cables,
                                                   const std::set<localise::NodeId>& nodes) const;
    [[nodiscard]] bool is_switch(localise::NodeId node) const {
        return graph_.kind(node) == localise::NodeKind::Switch;
    }

    const localise::FabricGraph& graph_;
    double share_;
    std::vector<std::uint32_t> tiers_;
    std::set<Cable> cables_;
    std::set<localise::NodeId> nodes_;
};

}  // namespace dyetrace::health
