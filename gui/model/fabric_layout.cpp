// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/fabric_layout.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <tuple>

namespace dyetrace::viewer {
namespace {

// In units of one host's slot.
constexpr double rack_gap = 0.6;
constexpr double pod_gap = 1.5;
/// How far down the ends of a row hang whose nodes are linked to each other, in units of a tier's height.
constexpr double arch_height = 0.6;

class Planner {
  public:
    Planner(const std::vector<Node>& nodes, const std::vector<Link>& links) : nodes_(nodes), links_(links) {
        neighbours_.resize(nodes.size());
        for (const auto& link : links)
            neighbours_[index(link.from)].push_back(link.to);
        layout_.nodes.resize(nodes.size());
        layout_.tier_of.assign(nodes.size(), 0);
    }

    FabricLayout plan() {
        if (nodes_.empty()) return std::move(layout_);
        find_tiers();
        place_hosts();
        for (int tier = layout_.tier_count - 2; tier >= 0; --tier)
            place_switches(tier);
        for (int tier = 0; tier < layout_.tier_count - 1; ++tier)
            arch_if_flat(tier);
        find_pods();
        find_spacing();
        return std::move(layout_);
    }

  private:
    static std::size_t index(int node) { return static_cast<std::size_t>(node); }
    [[nodiscard]] const Node& node(int n) const { return nodes_[index(n)]; }

    /// Links to the nearest host; that of a switch nobody can reach counts as 1.
    [[nodiscard]] std::vector<int> distances_to_hosts() const {
        std::vector<int> distance(nodes_.size(), -1);
        std::queue<int> reached;
        for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
            if (node(n).kind != NodeKind::Host) continue;
            distance[index(n)] = 0;
            reached.push(n);
        }
        while (!reached.empty()) {
            const int from = reached.front();
            reached.pop();
            for (const int to : neighbours_[index(from)]) {
                if (distance[index(to)] >= 0) continue;
                distance[index(to)] = distance[index(from)] + 1;
                reached.push(to);
            }
        }
        std::replace(distance.begin(), distance.end(), -1, 1);
        return distance;
    }

    void find_tiers() {
        const auto distance = distances_to_hosts();
        // Height above the hosts; a kind that says its tier is believed.
        std::vector<int> height(nodes_.size());
        for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
            switch (node(n).kind) {
                case NodeKind::Host: height[index(n)] = 0; break;
                case NodeKind::Edge: height[index(n)] = 1; break;
                case NodeKind::Aggregation: height[index(n)] = 2; break;
                case NodeKind::Core: height[index(n)] = 3; break;
                case NodeKind::Switch: height[index(n)] = distance[index(n)]; break;
            }
        }
        const std::set<int> used(height.begin(), height.end());
        layout_.tier_count = static_cast<int>(used.size());
        for (std::size_t n = 0; n < nodes_.size(); ++n) {
            const auto above = std::distance(used.upper_bound(height[n]), used.end());
            layout_.tier_of[n] = static_cast<int>(above);
            layout_.nodes[n].y =
                used.size() == 1 ? 1.0 : static_cast<double>(above) / static_cast<double>(used.size() - 1);
        }
    }

    [[nodiscard]] std::vector<int> nodes_of_tier(int tier) const {
        std::vector<int> members;
        for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
            if (layout_.tier_of[index(n)] == tier) members.push_back(n);
        }
        return members;
    }

    [[nodiscard]] int rack_of(int host) const {
        const auto& around = neighbours_[index(host)];
        return around.empty() ? -1 : around.front();
    }

    /// Side by side in pods and racks, over the whole width.
    void place_hosts() {
        auto hosts = nodes_of_tier(layout_.tier_count - 1);
        std::stable_sort(hosts.begin(), hosts.end(), [&](int a, int b) {
            return std::tuple(node(a).pod, node(a).position, rack_of(a)) <
                   std::tuple(node(b).pod, node(b).position, rack_of(b));
        });
        double at = 0;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            if (i > 0) {
                at += 1;
                const int before = hosts[i - 1];
                if (node(hosts[i]).pod != node(before).pod)
                    at += pod_gap;
                else if (rack_of(hosts[i]) != rack_of(before))
                    at += rack_gap;
            }
            layout_.nodes[index(hosts[i])].x = at + 0.5;
        }
        const double width = at + 1;
        for (const int host : hosts)
            layout_.nodes[index(host)].x /= width;
    }

    /// The span of the hosts of `pod`; of all for a pod of -1, or one that has no hosts.
    [[nodiscard]] LayoutPod span_of(int pod) const {
        LayoutPod span{pod, 1, 0};
        double count = 0;
        for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
            if (layout_.tier_of[index(n)] != layout_.tier_count - 1 || node(n).pod != pod) continue;
            span.left = std::min(span.left, layout_.nodes[index(n)].x);
            span.right = std::max(span.right, layout_.nodes[index(n)].x);
            ++count;
        }
        if (pod < 0 || count == 0) return {pod, 0, 1};
        const double half = count > 1 ? (span.right - span.left) / (count - 1) / 2 : 0.5 / count;
        return {pod, std::max(0.0, span.left - half), std::min(1.0, span.right + half)};
    }

    /// Evenly within the pod, or the whole width; in the order of positions, else of the nodes below.
    void place_switches(int tier) {
        std::map<int, std::vector<int>> by_pod;
        for (const int n : nodes_of_tier(tier))
            by_pod[node(n).pod].push_back(n);
        for (auto& [pod, members] : by_pod) {
            std::stable_sort(members.begin(), members.end(), [&](int a, int b) {
                return std::pair(node(a).position, centre_below(a)) <
                       std::pair(node(b).position, centre_below(b));
            });
            const LayoutPod span = span_of(pod);
            const double slot = (span.right - span.left) / static_cast<double>(members.size());
            for (std::size_t i = 0; i < members.size(); ++i) {
                layout_.nodes[index(members[i])].x = span.left + slot * (static_cast<double>(i) + 0.5);
            }
        }
    }

    /// Links within a row would lie on each other; on an arch they are chords, each seen by itself.
    void arch_if_flat(int tier) {
        const bool is_flat = std::any_of(links_.begin(), links_.end(), [&](const Link& link) {
            return layout_.tier_of[index(link.from)] == tier && layout_.tier_of[index(link.to)] == tier;
        });
        if (!is_flat) return;
        const double height = arch_height / (layout_.tier_count - 1);
        for (const int n : nodes_of_tier(tier)) {
            const double aside = 2 * layout_.nodes[index(n)].x - 1;
            layout_.nodes[index(n)].y += height * aside * aside;
        }
    }

    [[nodiscard]] double centre_below(int n) const {
        double sum = 0;
        int count = 0;
        for (const int other : neighbours_[index(n)]) {
            if (layout_.tier_of[index(other)] <= layout_.tier_of[index(n)]) continue;
            sum += layout_.nodes[index(other)].x;
            ++count;
        }
        return count > 0 ? sum / count : 0.5;
    }

    void find_pods() {
        std::set<int> pods;
        for (const auto& n : nodes_) {
            if (n.pod >= 0) pods.insert(n.pod);
        }
        for (const int pod : pods)
            layout_.pods.push_back(span_of(pod));
        std::stable_sort(layout_.pods.begin(), layout_.pods.end(),
                         [](const auto& a, const auto& b) { return a.left < b.left; });
    }

    void find_spacing() {
        for (int tier = 0; tier < layout_.tier_count; ++tier) {
            std::vector<double> at;
            for (const int n : nodes_of_tier(tier))
                at.push_back(layout_.nodes[index(n)].x);
            std::sort(at.begin(), at.end());
            double least = 1;
            for (std::size_t i = 1; i < at.size(); ++i)
                least = std::min(least, at[i] - at[i - 1]);
            layout_.spacing.push_back(least);
        }
    }

    const std::vector<Node>& nodes_;
    const std::vector<Link>& links_;
    std::vector<std::vector<int>> neighbours_;
    FabricLayout layout_;
};

}  // namespace

FabricLayout lay_out(const std::vector<Node>& nodes, const std::vector<Link>& links) {
    return Planner(nodes, links).plan();
}

}  // namespace dyetrace::viewer
