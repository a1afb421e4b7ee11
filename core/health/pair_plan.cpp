// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/pair_plan.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <queue>
#include <tuple>

namespace dyetrace::health {

using localise::FabricGraph;
using localise::LinkId;
using localise::NodeId;
using localise::NodeKind;

namespace {

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

void extend(const Adjacency& fabric, const std::vector<std::uint32_t>& distance, std::size_t most,
            std::vector<LinkId>& path, NodeId at, std::vector<std::vector<LinkId>>& found) {
    if (distance[at.value] == 0) {
        found.push_back(path);
        return;
    }
    for (const auto& [link, next] : fabric.out_of(at)) {
        if (found.size() >= most) return;
        if (distance[next.value] == kFar || distance[next.value] + 1 != distance[at.value]) continue;
        path.push_back(link);
        extend(fabric, distance, most, path, next, found);
        path.pop_back();
    }
}

std::vector<NodeId> hosts_of(const FabricGraph& graph) {
    std::vector<NodeId> hosts;
    for (std::uint32_t n = 0; n < graph.node_count(); ++n) {
        if (graph.kind(NodeId{n}) == NodeKind::Host) hosts.push_back(NodeId{n});
    }
    return hosts;
}

/// The cover as it grows.
class Cover {
  public:
    Cover(const FabricGraph& graph, std::span<const PairCandidate> candidates, const PairPlanConfig& config,
          std::span<const double> need)
        : candidates_(candidates),
          config_(config),
          need_(need),
          covered_(graph.link_count(), false),
          accepts_(graph.node_count(), 0),
          requests_(graph.node_count(), 0),
          links_(candidates.size()) {
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            for (const auto& path : candidates[c].paths)
                links_[c].insert(links_[c].end(), path.begin(), path.end());
            std::sort(links_[c].begin(), links_[c].end());
            links_[c].erase(std::unique(links_[c].begin(), links_[c].end()), links_[c].end());
        }
    }

    PairPlan plan() {
        std::vector<bool> crossed(covered_.size(), false);
        for (const auto& links : links_) {
            for (const LinkId link : links) {
                plan_.links += crossed[link.value] ? 0U : 1U;
                crossed[link.value] = true;
            }
        }
        greedy();
        plan_.for_cover = plan_.chosen.size();
        if (config_.fill) fill();
        tell_apart();
        return std::move(plan_);
    }

  private:
    struct Entry {
        double gain = 0;
        std::size_t candidate = 0;
        std::size_t worked_out_at = 0;  ///< number of pairs chosen by then
    };

    [[nodiscard]] double gain_of(std::size_t c) const {
        double gain = 0;
        for (const LinkId link : links_[c]) {
            if (covered_[link.value]) continue;
            gain += 1 + (link.value < need_.size() ? need_[link.value] : 0);
        }
        return gain;
    }
    [[nodiscard]] bool has_budget(std::size_t c) const {
        return accepts_[candidates_[c].acceptor.value] < config_.an_acceptor &&
               requests_[candidates_[c].requester.value] < config_.a_requester;
    }
    /// Traffic first, then what was not looked at for longest; then the order they were given in.
    [[nodiscard]] auto merit(std::size_t c) const {
        return std::make_tuple(candidates_[c].packets, candidates_[c].unmeasured.ns,
                               std::numeric_limits<std::size_t>::max() - c);
    }

    void choose(std::size_t c) {
        plan_.chosen.push_back(c);
        ++accepts_[candidates_[c].acceptor.value];
        ++requests_[candidates_[c].requester.value];
        for (const LinkId link : links_[c]) {
            plan_.covered += covered_[link.value] ? 0U : 1U;
            covered_[link.value] = true;
        }
    }

    void greedy() {
        const auto worse = [this](const Entry& a, const Entry& b) {
            return a.gain != b.gain ? a.gain < b.gain : merit(a.candidate) < merit(b.candidate);
        };
        std::priority_queue<Entry, std::vector<Entry>, decltype(worse)> queue(worse);
        for (std::size_t c = 0; c < candidates_.size(); ++c)
            queue.push({gain_of(c), c, 0});
        while (!queue.empty() && plan_.chosen.size() < config_.most) {
            Entry best = queue.top();
            queue.pop();
            if (best.gain <= 0) return;
            if (!has_budget(best.candidate)) continue;
            if (best.worked_out_at != plan_.chosen.size()) {
                best.gain = gain_of(best.candidate);
                best.worked_out_at = plan_.chosen.size();
                queue.push(best);
                continue;
            }
            choose(best.candidate);
        }
    }

    void fill() {
        std::vector<bool> is_chosen(candidates_.size(), false);
        for (const std::size_t c : plan_.chosen)
            is_chosen[c] = true;
        std::vector<std::size_t> rest;
        for (std::size_t c = 0; c < candidates_.size(); ++c) {
            if (!is_chosen[c]) rest.push_back(c);
        }
        std::sort(rest.begin(), rest.end(),
                  [this](std::size_t a, std::size_t b) { return merit(a) > merit(b); });
        for (const std::size_t c : rest) {
            if (plan_.chosen.size() >= config_.most) return;
            if (has_budget(c)) choose(c);
        }
    }

    /// Links with the same list of chosen paths cannot be told apart by what these lose.
    void tell_apart() {
        std::map<LinkId, std::vector<std::uint32_t>> paths_of;
        std::uint32_t number = 0;
        for (const std::size_t c : plan_.chosen) {
            for (const auto& path : candidates_[c].paths) {
                for (const LinkId link : path)
                    paths_of[link].push_back(number);
                ++number;
            }
        }
        std::map<std::vector<std::uint32_t>, std::size_t> same;
        for (const auto& [link, paths] : paths_of)
            ++same[paths];
        for (const auto& [paths, links] : same) {
            if (links < 2) continue;
            ++plan_.groups;
            plan_.in_groups += links;
        }
    }

    std::span<const PairCandidate> candidates_;
    const PairPlanConfig& config_;
    std::span<const double> need_;
    std::vector<bool> covered_;
    std::vector<std::size_t> accepts_;
    std::vector<std::size_t> requests_;
    std::vector<std::vector<LinkId>> links_;  ///< by candidate, each once
    PairPlan plan_;
};

}  // namespace

double PairPlan::coverage() const {
    return links == 0 ? 1 : static_cast<double>(covered) / static_cast<double>(links);
}

double PairPlan::identifiability() const {
    return covered == 0 ? 1 : 1 - static_cast<double>(in_groups) / static_cast<double>(covered);
}

PairPlan plan_pairs(const FabricGraph& graph, std::span<const PairCandidate> candidates,
                    const PairPlanConfig& config, std::span<const double> need) {
    return Cover(graph, candidates, config, need).plan();
}

std::vector<std::uint32_t> hops_to(const Adjacency& fabric, NodeId to) {
    std::vector<std::uint32_t> hops(fabric.node_count(), kFar);
    std::vector<NodeId> reached{to};
    hops[to.value] = 0;
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const NodeId at = reached[i];
        if (at != to && fabric.is_host(at)) continue;
        for (const auto& [link, from] : fabric.into(at)) {
            if (hops[from.value] != kFar) continue;
            hops[from.value] = hops[at.value] + 1;
            reached.push_back(from);
        }
    }
    return hops;
}

std::vector<LinkId> links_towards(const Adjacency& fabric, std::span<const std::uint32_t> hops,
                                  std::span<const NodeId> from) {
    std::vector<LinkId> links;
    std::vector<NodeId> reached;
    std::vector<bool> is_reached(fabric.node_count(), false);
    for (const NodeId node : from) {
        if (hops[node.value] != kFar) reached.push_back(node);
    }
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const NodeId at = reached[i];
        for (const auto& [link, next] : fabric.out_of(at)) {
            if (hops[next.value] == kFar || hops[next.value] + 1 != hops[at.value]) continue;
            links.push_back(link);
            if (is_reached[next.value]) continue;
            is_reached[next.value] = true;
            reached.push_back(next);
        }
    }
    return links;
}

/// Hosts at one switch have all links in common but their own, so one of them stands for all.
std::vector<bool> links_in_reach(const Adjacency& fabric, std::span<const NodeId> hosts) {
    std::vector<bool> in_reach(fabric.link_count(), false);
    std::vector<bool> is_done(fabric.node_count(), false);
    for (const NodeId acceptor : hosts) {
        const auto out = fabric.out_of(acceptor), in = fabric.into(acceptor);
        for (const auto& own : {out, in})
            for (const auto& step : own)
                in_reach[step.link.value] = hosts.size() > 1;
        const bool is_single_homed = out.size() == 1 && in.size() == 1 && out[0].node == in[0].node;
        if (is_single_homed && is_done[out[0].node.value]) continue;
        if (is_single_homed) is_done[out[0].node.value] = true;
        const auto hops = hops_to(fabric, acceptor);
        std::vector<NodeId> others;
        for (const NodeId requester : hosts) {
            if (requester != acceptor) others.push_back(requester);
        }
        for (const LinkId link : links_towards(fabric, hops, others))
            in_reach[link.value] = true;
    }
    return in_reach;
}

std::vector<std::vector<LinkId>> shortest_paths(const FabricGraph& graph, NodeId from, NodeId to,
                                                std::size_t most) {
    std::vector<std::vector<LinkId>> found;
    const Adjacency fabric(graph);
    const auto distance = hops_to(fabric, to);
    if (from == to || distance[from.value] == kFar) return found;
    std::vector<LinkId> path;
    extend(fabric, distance, most, path, from, found);
    return found;
}

std::vector<PairCandidate> candidate_pairs(const FabricGraph& graph, std::size_t a_host,
                                           std::size_t paths_most) {
    const std::vector<NodeId> hosts = hosts_of(graph);
    std::vector<PairCandidate> candidates;
    if (hosts.size() < 2) return candidates;
    const Adjacency fabric(graph);
    const std::size_t others = std::min(a_host, hosts.size() - 1);
    for (std::size_t acceptor = 0; acceptor < hosts.size(); ++acceptor) {
        const auto distance = hops_to(fabric, hosts[acceptor]);
        for (std::size_t i = 0; i < others; ++i) {
            const std::size_t ahead = 1 + i * (hosts.size() - 1) / others;
            const std::size_t requester = (acceptor + ahead) % hosts.size();
            if (distance[hosts[requester].value] == kFar) continue;
            PairCandidate& pair = candidates.emplace_back();
            pair.requester = hosts[requester];
            pair.acceptor = hosts[acceptor];
            std::vector<LinkId> path;
            extend(fabric, distance, paths_most, path, pair.requester, pair.paths);
        }
    }
    return candidates;
}

std::vector<std::pair<NodeId, NodeId>> pairs_that_may_cross(const FabricGraph& graph, const Subject& subject,
                                                            std::size_t most) {
    // Between two nodes a way leads across the subject where going there and on is no detour.
    const NodeId enter = subject.is_link() ? subject.from : subject.device;
    const NodeId leave = subject.is_link() ? subject.to : subject.device;
    const std::uint32_t across = subject.is_link() ? 1 : 0;
    const Adjacency fabric(graph);
    const auto to_enter = hops_to(fabric, enter);
    std::vector<NodeId> hosts = hosts_of(graph);
    std::vector<NodeId> requesters = hosts;
    std::stable_sort(requesters.begin(), requesters.end(),
                     [&](NodeId a, NodeId b) { return to_enter[a.value] < to_enter[b.value]; });
    std::vector<std::pair<NodeId, NodeId>> pairs;
    // Enough acceptors to find some; each costs a look at the whole graph.
    constexpr std::size_t kLooks = 64;
    const std::size_t stride = std::max<std::size_t>(1, hosts.size() / kLooks);
    for (std::size_t i = 0; i < hosts.size() && pairs.size() < most; i += stride) {
        const NodeId acceptor = hosts[i];
        const auto distance = hops_to(fabric, acceptor);
        if (distance[leave.value] == kFar) continue;
        for (const NodeId requester : requesters) {
            const std::uint32_t there = to_enter[requester.value];
            if (requester == acceptor || there == kFar) continue;
            if (there + across + distance[leave.value] != distance[requester.value]) continue;
            pairs.emplace_back(requester, acceptor);
            break;  // another acceptor next, so that the pairs differ at both ends
        }
    }
    return pairs;
}

std::string to_text(const PairPlan& plan, std::span<const PairCandidate> candidates,
                    const FabricGraph& graph) {
    char line[256];
    std::snprintf(
        line, sizeof line,
        "%zu pairs, %zu of them for cover: %zu of %zu links covered (%.1f%%), %.1f%% of these told from all "
        "others; %zu groups of %zu links cannot be told apart\n",
        plan.chosen.size(), plan.for_cover, plan.covered, plan.links, 100 * plan.coverage(),
        100 * plan.identifiability(), plan.groups, plan.in_groups);
    std::string text = line;
    for (const std::size_t c : plan.chosen) {
        const PairCandidate& pair = candidates[c];
        text += "  " + graph.name(pair.requester) + " > " + graph.name(pair.acceptor) + ", " +
                std::to_string(pair.paths.size()) + " paths\n";
    }
    return text;
}

}  // namespace dyetrace::health
