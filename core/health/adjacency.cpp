// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/adjacency.h"

namespace dyetrace::health {

using localise::LinkId;
using localise::NodeId;

Adjacency::Adjacency(const localise::FabricGraph& graph) : is_host_(graph.node_count()) {
    const auto nodes = static_cast<std::uint32_t>(graph.node_count());
    const auto links = static_cast<std::uint32_t>(graph.link_count());
    for (std::uint32_t n = 0; n < nodes; ++n)
        is_host_[n] = graph.kind(NodeId{n}) == localise::NodeKind::Host;
    const auto fill = [&](Lists& lists, auto near_end, auto far_end) {
        lists.begin.assign(nodes + std::size_t{2}, 0);
        for (std::uint32_t l = 0; l < links; ++l)
            ++lists.begin[near_end(LinkId{l}).value + std::size_t{2}];
        for (std::size_t n = 2; n < lists.begin.size(); ++n)
            lists.begin[n] += lists.begin[n - 1];
        lists.steps.resize(links);
        // Where a node's list begins moves on to where it ends, which is where the next one's does.
        for (std::uint32_t l = 0; l < links; ++l)
            lists.steps[lists.begin[near_end(LinkId{l}).value + std::size_t{1}]++] = {LinkId{l},
                                                                                      far_end(LinkId{l})};
        lists.begin.pop_back();
    };
    fill(
        out_, [&](LinkId link) { return graph.from(link); }, [&](LinkId link) { return graph.to(link); });
    fill(
        in_, [&](LinkId link) { return graph.to(link); }, [&](LinkId link) { return graph.from(link); });
}

}  // namespace dyetrace::health
