// SPDX-License-Identifier: GPL-2.0-or-later
// A k-ary fat-tree as a graph, for benchmarks of the health service.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/localise/fabric_graph.h"

namespace dyetrace::bench {

class FatTree {
  public:
    explicit FatTree(std::uint32_t k) : half_(k / 2) {
        using Kind = localise::NodeKind;
        for (std::uint32_t c = 0; c < half_ * half_; ++c)
            cores_.push_back(graph.add_node("core-" + std::to_string(c), Kind::Switch, next()));
        for (std::uint32_t pod = 0; pod < k; ++pod) {
            for (std::uint32_t i = 0; i < half_; ++i) {
                aggs_.push_back(graph.add_node("agg-" + std::to_string(aggs_.size()), Kind::Switch, next()));
                for (std::uint32_t c = 0; c < half_; ++c)
                    join(aggs_.back(), cores_[i * half_ + c]);
            }
            for (std::uint32_t i = 0; i < half_; ++i) {
                edges_.push_back(
                    graph.add_node("edge-" + std::to_string(edges_.size()), Kind::Switch, next()));
                for (std::uint32_t a = 0; a < half_; ++a)
                    join(edges_.back(), aggs_[pod * half_ + a]);
                for (std::uint32_t h = 0; h < half_; ++h) {
                    hosts_.push_back(
                        graph.add_node("host-" + std::to_string(hosts_.size()), Kind::Host, next()));
                    join(edges_.back(), hosts_.back());
                }
            }
        }
    }

    [[nodiscard]] std::uint32_t hosts() const { return static_cast<std::uint32_t>(hosts_.size()); }
    [[nodiscard]] IpAddress address(std::uint32_t host) const { return graph.address(hosts_[host]); }
    /// `path`: which of the ways between them, modulo their number.
    [[nodiscard]] std::vector<localise::NodeId> hops(std::uint32_t from, std::uint32_t to,
                                                     std::uint32_t path) const {
        const std::uint32_t one = from / half_, other = to / half_;
        const std::uint32_t up = path % half_, across = path / half_ % half_;
        std::vector<localise::NodeId> hops{hosts_[from], edges_[one]};
        if (one != other) {
            hops.push_back(aggs_[one / half_ * half_ + up]);
            if (one / half_ != other / half_) {
                hops.push_back(cores_[up * half_ + across]);
                hops.push_back(aggs_[other / half_ * half_ + up]);
            }
            hops.push_back(edges_[other]);
        }
        hops.push_back(hosts_[to]);
        return hops;
    }
    [[nodiscard]] std::vector<localise::LinkId> links(std::uint32_t from, std::uint32_t to,
                                                      std::uint32_t path) const {
        return *graph.links_along(hops(from, to, path));
    }

    localise::FabricGraph graph;

  private:
    [[nodiscard]] Ipv4Address next() const {
        return Ipv4Address{0x0a000001 + static_cast<std::uint32_t>(graph.node_count())};
    }
    void join(localise::NodeId one, localise::NodeId other) {
        graph.add_link(one, other);
        graph.add_link(other, one);
    }

    std::uint32_t half_;
    std::vector<localise::NodeId> cores_, aggs_, edges_, hosts_;
};

}  // namespace dyetrace::bench
