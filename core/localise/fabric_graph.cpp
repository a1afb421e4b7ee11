// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_graph.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/graph/adjacency_list.hpp>

#include "core/base/result.h"

namespace dyetrace::localise {
namespace {

struct Node {
    std::string name;
    NodeKind kind = NodeKind::Switch;
    IpAddress address;
};
struct Link {
    LinkId id;
};
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Node, Link>;

constexpr std::uint64_t ends_key(NodeId from, NodeId to) {
    return std::uint64_t{from.value} << 32 | to.value;
}

}  // namespace

struct FabricGraph::Store {
    Graph graph;
    std::vector<std::pair<NodeId, NodeId>> ends;             ///< of each link
    std::unordered_map<std::uint64_t, LinkId> link_by_ends;  ///< looked up, never walked
    std::map<std::string, NodeId, std::less<>> node_by_name;
    std::map<IpAddress, NodeId> node_by_address;

    [[nodiscard]] const Node& at(NodeId node) const {
        DYETRACE_ASSERT(node.value < boost::num_vertices(graph));
        return graph[node.value];
    }
};

FabricGraph::FabricGraph() : store_(std::make_unique<Store>()) {}
FabricGraph::~FabricGraph() = default;
FabricGraph::FabricGraph(const FabricGraph& other) : store_(std::make_unique<Store>(*other.store_)) {}
FabricGraph& FabricGraph::operator=(const FabricGraph& other) {
    if (this != &other) store_ = std::make_unique<Store>(*other.store_);
    return *this;
}
FabricGraph::FabricGraph(FabricGraph&&) noexcept = default;
FabricGraph& FabricGraph::operator=(FabricGraph&&) noexcept = default;

NodeId FabricGraph::add_node(std::string name, NodeKind kind, IpAddress address) {
    const NodeId id{static_cast<std::uint32_t>(boost::num_vertices(store_->graph))};
    store_->node_by_name.emplace(name, id);
    if (!address.is_unspecified()) store_->node_by_address.emplace(address, id);
    boost::add_vertex(Node{std::move(name), kind, address}, store_->graph);
    return id;
}

LinkId FabricGraph::add_link(NodeId from, NodeId to) {
    DYETRACE_ASSERT(from.value < node_count() && to.value < node_count());
    const LinkId id{static_cast<std::uint32_t>(store_->ends.size())};
    const auto [place, added] = store_->link_by_ends.emplace(ends_key(from, to), id);
    if (!added) return place->second;
    store_->ends.emplace_back(from, to);
    boost::add_edge(from.value, to.value, Link{id}, store_->graph);
    return id;
}

std::optional<NodeId> FabricGraph::find(std::string_view name) const {
    const auto place = store_->node_by_name.find(name);
    if (place == store_->node_by_name.end()) return std::nullopt;
    return place->second;
}

std::optional<NodeId> FabricGraph::find(IpAddress address) const {
    const auto place = store_->node_by_address.find(address);
    if (place == store_->node_by_address.end()) return std::nullopt;
    return place->second;
}

std::optional<LinkId> FabricGraph::link(NodeId from, NodeId to) const {
    const auto place = store_->link_by_ends.find(ends_key(from, to));
    if (place == store_->link_by_ends.end()) return std::nullopt;
    return place->second;
}

const std::string& FabricGraph::name(NodeId node) const {
    return store_->at(node).name;
}
NodeKind FabricGraph::kind(NodeId node) const {
    return store_->at(node).kind;
}
IpAddress FabricGraph::address(NodeId node) const {
    return store_->at(node).address;
}
NodeId FabricGraph::from(LinkId link) const {
    DYETRACE_ASSERT(link.value < link_count());
    return store_->ends[link.value].first;
}
NodeId FabricGraph::to(LinkId link) const {
    DYETRACE_ASSERT(link.value < link_count());
    return store_->ends[link.value].second;
}
std::size_t FabricGraph::node_count() const {
    return boost::num_vertices(store_->graph);
}
std::size_t FabricGraph::link_count() const {
    return store_->ends.size();
}

std::vector<LinkId> FabricGraph::links_of(NodeId node) const {
    DYETRACE_ASSERT(node.value < node_count());
    std::vector<LinkId> links;
    const auto [out, out_end] = boost::out_edges(node.value, store_->graph);
    for (auto edge = out; edge != out_end; ++edge)
        links.push_back(store_->graph[*edge].id);
    const auto [in, in_end] = boost::in_edges(node.value, store_->graph);
    for (auto edge = in; edge != in_end; ++edge)
        links.push_back(store_->graph[*edge].id);
    std::sort(links.begin(), links.end());
    return links;
}

std::optional<std::vector<LinkId>> FabricGraph::links_along(std::span<const NodeId> hops) const {
    if (hops.size() < 2) return std::nullopt;
    std::vector<LinkId> links;
    links.reserve(hops.size() - 1);
    for (std::size_t i = 0; i + 1 < hops.size(); ++i) {
        const auto next = link(hops[i], hops[i + 1]);
        if (!next) return std::nullopt;
        links.push_back(*next);
    }
    return links;
}

std::string FabricGraph::describe(LinkId link) const {
    return name(from(link)) + " > " + name(to(link));
}

}  // namespace dyetrace::localise
