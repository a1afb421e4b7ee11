// SPDX-License-Identifier: GPL-2.0-or-later
// The nodes of a k-ary fat-tree by name, and which of them a link joins.
//
// There are k pods. Pod P has edge switches edge-P-E and aggregation switches agg-P-A, k/2 of each; edge-P-E
// has the hosts host-P-E-N, k/2 of them. agg-P-A reaches core-(A*k/2) to core-(A*k/2 + k/2 - 1). All numbers
// are from 0. (M. Al-Fares, A. Loukissas, A. Vahdat: A Scalable, Commodity Data Center Network Architecture,
// SIGCOMM 2008.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dyetrace::scenario {

enum class FatTreeTier : std::uint8_t { Host, Edge, Aggregation, Core };

struct FatTreeNode {
    FatTreeTier tier = FatTreeTier::Host;
    std::uint32_t pod = 0;     ///< 0 for a core switch
    std::uint32_t rack = 0;    ///< of a host: its edge switch in the pod; 0 for a switch
    std::uint32_t number = 0;  ///< host in its rack, switch in its pod, or core switch
    bool operator==(const FatTreeNode&) const = default;
};

/// "host-0-1-2", "edge-0-1", "agg-0-1", "core-3"
[[nodiscard]] std::string to_string(const FatTreeNode& node);

class FatTreeNames {
  public:
    /// `k` is even and at least 2.
    explicit FatTreeNames(std::uint32_t k);

    [[nodiscard]] std::size_t host_count() const { return std::size_t{k_} * half_ * half_; }
    [[nodiscard]] std::size_t switch_count() const {
        return std::size_t{k_} * k_ + std::size_t{half_} * half_;
    }
    /// Directed: each cable is two.
    [[nodiscard]] std::size_t link_count() const { return host_count() * 6; }

    /// Nothing where there is no node of this name; leading zeros are not part of a name.
    [[nodiscard]] std::optional<FatTreeNode> find(std::string_view name) const;
    [[nodiscard]] bool is_link(const FatTreeNode& from, const FatTreeNode& to) const;
    /// Neighbours below, then above, each in order.
    [[nodiscard]] std::vector<FatTreeNode> neighbours(const FatTreeNode& node) const;
    /// Hosts, edge, aggregation, core switches, each in order.
    [[nodiscard]] std::vector<std::string> nodes() const;
    /// Every directed link once, by its first node's place in nodes().
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> links() const;

  private:
    [[nodiscard]] std::vector<FatTreeNode> all() const;
    [[nodiscard]] bool is_cable(const FatTreeNode& below, const FatTreeNode& above) const;

    std::uint32_t k_;
    std::uint32_t half_;
};

}  // namespace dyetrace::scenario
