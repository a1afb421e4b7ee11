// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/drains.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

namespace dyetrace::health {

using localise::LinkId;
using localise::NodeId;
using localise::NodeKind;

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::vector<std::uint32_t> tiers_of_nodes(const localise::FabricGraph& graph) {
    std::vector<std::uint32_t> tiers(graph.node_count(), kNone);
    std::vector<NodeId> reached;
    for (std::uint32_t n = 0; n < graph.node_count(); ++n) {
        if (graph.kind(NodeId{n}) != NodeKind::Host) continue;
        tiers[n] = 0;
        reached.push_back(NodeId{n});
    }
    for (std::size_t i = 0; i < reached.size(); ++i) {
        for (const LinkId link : graph.links_of(reached[i])) {
            const NodeId next = graph.to(link);
            if (tiers[next.value] != kNone) continue;
            tiers[next.value] = tiers[reached[i].value] + 1;
            reached.push_back(next);
        }
    }
    return tiers;
}

}  // namespace

Drains::Drains(const localise::FabricGraph& graph, double share)
    : graph_(graph), share_(share), tiers_(tiers_of_nodes(graph)) {}

Drains::Cable Drains::cable_of(const Subject& link) {
    return {std::min(link.from, link.to), std::max(link.from, link.to)};
}

std::pair<std::uint32_t, std::uint32_t> Drains::tiers_of(const Cable& cable) const {
    return std::minmax({tiers_[cable.first.value], tiers_[cable.second.value]});
}

bool Drains::is_out(const Cable& cable) const {
    return cables_.contains(cable) || nodes_.contains(cable.first) || nodes_.contains(cable.second);
}

/// None where so many more of `total` may be drained.
std::optional<std::string> Drains::over_share(const Tally& tally, const std::string& what) const {
    if (static_cast<double>(tally.drained + tally.more) <= share_ * static_cast<double>(tally.total))
        return std::nullopt;
    char text[160];
    std::snprintf(text, sizeof text, "%zu of %zu %s are drained already, and %s over %.3g%%", tally.drained,
                  tally.total, what.c_str(),
                  (tally.more == 1 ? "one more is" : std::to_string(tally.more) + " more are").c_str(),
                  100 * share_);
    return text;
}

/// A switch takes its cables out of use with it.
std::optional<std::string> Drains::over_share(const Subject& subject) const {
    std::map<std::pair<std::uint32_t, std::uint32_t>, Tally> cables;  // by the tiers that they join
    for (std::uint32_t l = 0; l < graph_.link_count(); ++l) {
        const NodeId from = graph_.from(LinkId{l}), to = graph_.to(LinkId{l});
        if (to < from && graph_.link(to, from)) continue;  // each cable once
        const Cable cable = cable_of(Subject::link(from, to));
        const bool is_its_own =
            subject.is_link() ? cable == cable_of(subject) : from == subject.device || to == subject.device;
        Tally& tally = cables[tiers_of(cable)];
        ++tally.total;
        if (is_out(cable)) {
            ++tally.drained;
        } else if (is_its_own) {
            ++tally.more;
        }
    }
    if (!subject.is_link()) {
        const std::uint32_t tier = tiers_[subject.device.value];
        Tally nodes{0, 0, 1};
        for (std::uint32_t n = 0; n < graph_.node_count(); ++n) {
            if (tiers_[n] != tier) continue;
            ++nodes.total;
            nodes.drained += nodes_.contains(NodeId{n}) ? 1U : 0U;
        }
        const std::string what = tier == 0 ? "hosts" : "switches of tier " + std::to_string(tier);
        if (auto over = over_share(nodes, what)) return over;
        if (!is_switch(subject.device)) return std::nullopt;  // packets go on to it
    }
    for (const auto& [tiers, tally] : cables) {
        if (tally.more == 0) continue;
        const std::string what =
            "cables between tiers " + std::to_string(tiers.first) + " and " + std::to_string(tiers.second);
        if (auto over = over_share(tally, what)) return over;
    }
    return std::nullopt;
}

std::vector<std::uint32_t> Drains::parts(const std::set<Cable>& cables, const std::set<NodeId>& nodes) const {
    std::vector<std::uint32_t> part(graph_.node_count(), kNone);
    std::uint32_t next = 0;
    for (std::uint32_t n = 0; n < graph_.node_count(); ++n) {
        if (part[n] != kNone || graph_.kind(NodeId{n}) != NodeKind::Host) continue;
        std::vector<NodeId> reached{NodeId{n}};
        part[n] = next;
        for (std::size_t i = 0; i < reached.size(); ++i) {
            for (const LinkId link : graph_.links_of(reached[i])) {
                const NodeId to = graph_.to(link);
                if (part[to.value] != kNone || nodes.contains(to)) continue;
                if (cables.contains(cable_of(Subject::link(graph_.from(link), to)))) continue;
                part[to.value] = next;
                // Hosts forward nothing for others.
                if (is_switch(to)) reached.push_back(to);
            }
        }
        ++next;
    }
    return part;
}

std::optional<std::string> Drains::refusal(const Subject& subject) const {
    if (has(subject)) return describe(subject, graph_) + " is drained already";
    if (auto over = over_share(subject)) return over;
    if (!subject.is_link() && !is_switch(subject.device))
        return std::nullopt;  // who places guests sees to it
    std::set<Cable> cables = cables_;
    std::set<NodeId> nodes = nodes_;
    subject.is_link() ? (void)cables.insert(cable_of(subject)) : (void)nodes.insert(subject.device);
    const auto before = parts(cables_, nodes_);
    const auto after = parts(cables, nodes);
    std::vector<std::uint32_t> becomes(graph_.node_count(), kNone);
    for (std::uint32_t n = 0; n < graph_.node_count(); ++n) {
        if (graph_.kind(NodeId{n}) != NodeKind::Host) continue;
        std::uint32_t& now = becomes[before[n]];
        if (now == kNone) now = after[n];
        if (now != after[n]) return "without it " + graph_.name(NodeId{n}) + " would be cut off";
    }
    return std::nullopt;
}

void Drains::add(const Subject& subject) {
    subject.is_link() ? (void)cables_.insert(cable_of(subject)) : (void)nodes_.insert(subject.device);
}

void Drains::remove(const Subject& subject) {
    subject.is_link() ? (void)cables_.erase(cable_of(subject)) : (void)nodes_.erase(subject.device);
}

bool Drains::has(const Subject& subject) const {
    return subject.is_link() ? cables_.contains(cable_of(subject)) : nodes_.contains(subject.device);
}

}  // namespace dyetrace::health
