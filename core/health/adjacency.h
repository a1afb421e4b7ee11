// SPDX-License-Identifier: GPL-2.0-or-later
// A fabric's graph laid out to be walked over and over: FabricGraph makes the list of a node's links anew
// each time that it is asked.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/localise/fabric_graph.h"

namespace dyetrace::health {

class Adjacency {
  public:
    struct Step {
        localise::LinkId link;
        localise::NodeId node;  ///< at its other end
    };

    explicit Adjacency(const localise::FabricGraph& graph);

    /// In the order of the links' ids.
    [[nodiscard]] std::span<const Step> out_of(localise::NodeId node) const { return out_.of(node); }
    [[nodiscard]] std::span<const Step> into(localise::NodeId node) const { return in_.of(node); }
    [[nodiscard]] bool is_host(localise::NodeId node) const { return is_host_[node.value]; }
    [[nodiscard]] std::size_t node_count() const { return is_host_.size(); }
    [[nodiscard]] std::size_t link_count() const { return out_.steps.size(); }

  private:
    struct Lists {
        std::vector<std::uint32_t> begin;  ///< by node, and one past the last
        std::vector<Step> steps;

        [[nodiscard]] std::span<const Step> of(localise::NodeId node) const {
            return std::span(steps).subspan(begin[node.value], begin[node.value + 1] - begin[node.value]);
        }
    };

    Lists out_, in_;
    std::vector<bool> is_host_;
};

}  // namespace dyetrace::health
