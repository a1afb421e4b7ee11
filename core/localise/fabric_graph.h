// SPDX-License-Identifier: GPL-2.0-or-later
// The fabric as its operator configured it: hosts, switches and the directed links between them.
//
// A graph is filled once and then only read. Ids are dense and count up from 0 in the order of adding, so
// that they index plain vectors; the same calls give the same ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"

namespace dyetrace::localise {

using NodeId = StrongId<struct NodeTag, std::uint32_t>;  ///< 0 .. node_count()-1
using LinkId = StrongId<struct LinkTag, std::uint32_t>;  ///< one direction of a cable; 0 .. link_count()-1

enum class NodeKind { Host, Switch };

class FabricGraph {
  public:
    FabricGraph();
    ~FabricGraph();
    FabricGraph(const FabricGraph& other);
    FabricGraph& operator=(const FabricGraph& other);
    FabricGraph(FabricGraph&&) noexcept;
    FabricGraph& operator=(FabricGraph&&) noexcept;

    /// `address`: what a switch answers with (its ICMP source), a host's underlay address; may be
    /// unspecified. A name or an address that is already taken keeps its first owner in `find`.
    NodeId add_node(std::string name, NodeKind kind, IpAddress address = {});
    /// Adds one direction. A link that exists already is returned, not doubled.
    LinkId add_link(NodeId from, NodeId to);

    [[nodiscard]] std::optional<NodeId> find(std::string_view name) const;
    [[nodiscard]] std::optional<NodeId> find(IpAddress address) const;
    [[nodiscard]] std::optional<LinkId> link(NodeId from, NodeId to) const;

    [[nodiscard]] const std::string& name(NodeId node) const;
    [[nodiscard]] NodeKind kind(NodeId node) const;
    [[nodiscard]] IpAddress address(NodeId node) const;
    [[nodiscard]] NodeId from(LinkId link) const;
    [[nodiscard]] NodeId to(LinkId link) const;
    [[nodiscard]] std::size_t node_count() const;
    [[nodiscard]] std::size_t link_count() const;

    /// Links that end at or start from `node`, in the order of their ids.
    [[nodiscard]] std::vector<LinkId> links_of(NodeId node) const;
    /// The links along `hops`; none where two neighbours in `hops` share no link, or there are under two
    /// hops.
    [[nodiscard]] std::optional<std::vector<LinkId>> links_along(std::span<const NodeId> hops) const;
    /// "agg-0-1 > core-3"
    [[nodiscard]] std::string describe(LinkId link) const;

  private:
    struct Store;
    std::unique_ptr<Store> store_;
};

}  // namespace dyetrace::localise
