// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/coverage.h"

#include <algorithm>

namespace dyetrace::health {

using localise::LinkId;
using localise::NodeId;

namespace {

constexpr std::size_t kNearHosts = 16;
constexpr std::size_t kPairsOfALink = 4;
constexpr std::size_t kAskedMost = 65536;
constexpr std::size_t kTrafficMost = 65536;

}  // namespace

Coverage::Coverage(const CoverPolicy& policy, const localise::FabricGraph& graph,
                   const localise::EvidenceSource& evidence)
    : policy_(policy),
      graph_(graph),
      fabric_(graph),
      evidence_(evidence),
      was_missing_(graph.link_count(), false) {}

std::vector<LinkId> Coverage::missing(Time since) {
    std::vector<LinkId> missing;
    std::vector<bool> is_missing(graph_.link_count(), false);
    in_reach_count_ = crossed_count_ = 0;
    for (std::uint32_t l = 0; l < in_reach_.size(); ++l) {
        if (!in_reach_[l]) continue;
        ++in_reach_count_;
        if (evidence_.crossing(LinkId{l}, since).sent > 0) {
            ++crossed_count_;
            continue;
        }
        is_missing[l] = true;
        if (was_missing_[l]) missing.push_back(LinkId{l});
    }
    was_missing_ = std::move(is_missing);
    return missing;
}

std::vector<Coverage::NearHost> Coverage::nearest(NodeId node, NodeId avoided, Way way) const {
    std::vector<NearHost> hosts;
    std::vector<NearHost> reached{{node, 0}};
    std::vector<bool> seen(graph_.node_count(), false);
    seen[node.value] = seen[avoided.value] = true;
    for (std::size_t i = 0; i < reached.size() && hosts.size() < kNearHosts; ++i) {
        const NearHost at = reached[i];
        if (fabric_.is_host(at.host)) {  // forwards nothing for others
            if (reports_[at.host.value]) hosts.push_back(at);
            continue;
        }
        for (const auto& [link, next] : way == Way::On ? fabric_.out_of(at.host) : fabric_.into(at.host)) {
            if (seen[next.value]) continue;
            seen[next.value] = true;
            reached.push_back({next, at.hops + 1});
        }
    }
    return hosts;
}

void Coverage::note_traffic(NodeId requester, NodeId acceptor, std::uint64_t packets, Time now) {
    auto& requesters = traffic_[acceptor];
    const auto known = requesters.find(requester);
    if (known != requesters.end()) {
        known->second = {packets, now};
    } else if (traffic_pairs_ < kTrafficMost) {  // else there is room once older figures have gone
        ++traffic_pairs_;
        requesters[requester] = {packets, now};
    }
}

bool Coverage::is_asked(const Pair& pair, Time now) const {
    const auto asked = asked_.find(pair);
    return asked != asked_.end() && now - asked->second < policy_.session;
}

void Coverage::add_with_traffic(const std::vector<bool>& wanted, Time now,
                                std::vector<PairCandidate>& candidates) {
    for (auto at = traffic_.begin(); at != traffic_.end();) {
        traffic_pairs_ -= std::erase_if(
            at->second, [&](const auto& one) { return now - one.second.told > policy_.traffic_memory; });
        at = at->second.empty() ? traffic_.erase(at) : std::next(at);
    }
    std::size_t pairs = 0;
    auto at = traffic_.lower_bound(next_acceptor_);
    for (std::size_t looks = traffic_.size(); looks > 0 && pairs < policy_.candidates_most; --looks, ++at) {
        if (at == traffic_.end()) at = traffic_.begin();
        const NodeId acceptor = at->first;
        next_acceptor_ = NodeId{acceptor.value + 1};
        const auto distance = hops_to(fabric_, acceptor);
        for (const auto& [requester, traffic] : at->second) {
            if (!reports_[requester.value] || !reports_[acceptor.value] ||
                is_asked({requester, acceptor}, now))
                continue;
            ++pairs;
            PairCandidate candidate{requester, acceptor, {}, traffic.packets, {}};
            for (const LinkId link : links_towards(fabric_, distance, {&requester, 1})) {
                if (wanted[link.value]) candidate.paths.push_back({link});
            }
            if (!candidate.paths.empty()) candidates.push_back(std::move(candidate));
        }
    }
}

void Coverage::add_any(LinkId link, Time now, std::map<Pair, PairCandidate>& candidates) {
    const NodeId from = graph_.from(link), to = graph_.to(link);
    const auto requesters = nearest(from, to, Way::Back);
    const auto acceptors = nearest(to, from, Way::On);
    if (requesters.empty()) return;
    std::size_t found = 0;
    for (std::size_t i = 0; i < acceptors.size() && found < kPairsOfALink; ++i) {
        const NearHost& acceptor = acceptors[(round_ + i) % acceptors.size()];
        const auto distance = hops_to(fabric_, acceptor.host);
        for (std::size_t j = 0; j < requesters.size(); ++j) {
            const NearHost& requester = requesters[(round_ + i + j) % requesters.size()];
            if (requester.host == acceptor.host ||
                requester.hops + 1 + acceptor.hops != distance[requester.host.value])
                continue;  // a detour
            const Pair pair{requester.host, acceptor.host};
            if (is_asked(pair, now)) continue;
            PairCandidate& candidate = candidates[pair];
            candidate.requester = pair.first;
            candidate.acceptor = pair.second;
            candidate.paths.push_back({link});
            const auto asked = asked_.find(pair);
            candidate.unmeasured = now - (asked == asked_.end() ? Time{} : asked->second);
            ++found;
            break;  // another acceptor next, so that the pairs differ at both ends
        }
    }
}

std::vector<WantedDirective> Coverage::look(std::span<const NodeId> hosts, Time since, Time now) {
    if (!std::equal(hosts.begin(), hosts.end(), hosts_.begin(), hosts_.end())) {
        hosts_.assign(hosts.begin(), hosts.end());
        reports_.assign(graph_.node_count(), false);
        for (const NodeId host : hosts_)
            reports_[host.value] = true;
        in_reach_ = links_in_reach(fabric_, hosts_);
    }
    std::vector<WantedDirective> wanted;
    const std::vector<LinkId> links = missing(since);
    if (links.empty()) return wanted;

    ++round_;
    std::vector<bool> is_open(graph_.link_count(), false);
    for (const LinkId link : links)
        is_open[link.value] = true;
    std::vector<PairCandidate> candidates;
    add_with_traffic(is_open, now, candidates);
    for (const PairCandidate& candidate : candidates) {
        for (const auto& path : candidate.paths)
            is_open[path.front().value] = false;
    }
    std::map<Pair, PairCandidate> any;
    std::size_t looks = 0;
    for (std::size_t i = 0; i < links.size() && looks < policy_.links_most; ++i) {
        const LinkId link = links[(next_link_ + i) % links.size()];
        if (!is_open[link.value]) continue;
        add_any(link, now, any);
        ++looks;
    }
    next_link_ = (next_link_ + looks) % links.size();
    for (auto& [pair, candidate] : any)
        candidates.push_back(std::move(candidate));

    PairPlanConfig plan;
    plan.most = policy_.pairs_most;
    plan.an_acceptor = plan.a_requester = policy_.a_host_most;
    if (asked_.size() + plan.most > kAskedMost) asked_.clear();
    for (const std::size_t chosen : plan_pairs(graph_, candidates, plan).chosen) {
        const PairCandidate& pair = candidates[chosen];
        asked_[{pair.requester, pair.acceptor}] = now;
        wanted.push_back(
            WantedDirective::to_sample(wire::DirectiveKind::OpenSession, IncidentId{},
                                       {graph_.address(pair.requester), graph_.address(pair.acceptor)},
                                       policy_.sampling, policy_.session));
    }
    return wanted;
}

}  // namespace dyetrace::health
