// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/planning/pair_cover.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "analysis/planning/run_graph.h"

namespace dyetrace::planning {
namespace {

using localise::NodeId;

/// Session, path index, generation.
using PathName = std::tuple<store::RowId, std::uint16_t, std::uint8_t>;

std::map<PathName, std::uint64_t> packets_of(const store::RunReader& run) {
    std::map<PathName, std::uint64_t> packets;
    run.for_each_path_record([&](const store::PathRecordRow& row) {
        std::uint64_t& sent = packets[{row.session, row.path_index, row.generation}];
        sent = std::max(sent, row.sent);  // totals
    });
    return packets;
}

/// All of them, whatever the budgets.
health::PairPlan plan_all(const localise::FabricGraph& graph, std::span<const health::PairCandidate> pairs) {
    health::PairPlanConfig config;
    config.most = config.an_acceptor = config.a_requester = std::numeric_limits<std::size_t>::max();
    config.fill = true;
    health::PairPlan plan = health::plan_pairs(graph, pairs, config);
    std::sort(plan.chosen.begin(), plan.chosen.end());
    return plan;
}

}  // namespace

PairCover cover_of(const store::RunReader& run, const localise::FabricGraph& graph) {
    const auto packets = packets_of(run);
    std::map<std::pair<NodeId, NodeId>, health::PairCandidate> pairs;
    for (const store::PathRow& path : run.paths()) {
        const auto sent = packets.find({path.session, path.path_index, path.generation});
        if (!path.complete || sent == packets.end() || sent->second == 0) continue;
        const auto nodes = hops_of(run, path, graph);
        auto links = nodes.size() < 2 ? std::nullopt : graph.links_along(nodes);
        if (!links) continue;
        health::PairCandidate& pair = pairs[{nodes.front(), nodes.back()}];
        pair.requester = nodes.front();
        pair.acceptor = nodes.back();
        pair.paths.push_back(std::move(*links));
        pair.packets += sent->second;
    }
    PairCover cover;
    cover.links = graph.link_count();
    for (auto& [ends, pair] : pairs) {
        cover.paths += pair.paths.size();
        cover.pairs.push_back(std::move(pair));
    }
    cover.all = plan_all(graph, cover.pairs);
    health::PairPlanConfig config;
    config.most = cover.pairs.size();
    cover.fewest = health::plan_pairs(graph, cover.pairs, config);
    return cover;
}

}  // namespace dyetrace::planning
