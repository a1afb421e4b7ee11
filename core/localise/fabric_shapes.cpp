// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_shapes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace dyetrace::localise {
namespace {

Ipv4Address ten_dot(std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return Ipv4Address{10U << 24 | b << 16 | c << 8 | d};
}

std::string named(const char* kind, std::uint32_t a) {
    return std::string(kind) + '-' + std::to_string(a);
}
std::string named(const char* kind, std::uint32_t a, std::uint32_t b) {
    return named(kind, a) + '-' + std::to_string(b);
}
std::string named(const char* kind, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    return named(kind, a, b) + '-' + std::to_string(c);
}

struct Bound {
    const char* what;
    std::uint32_t value;
    std::uint32_t least;
    std::uint32_t most;
};

/// Words for the first that is not within its bounds; empty where all are.
std::string outside(std::initializer_list<Bound> bounds) {
    for (const auto& [what, value, least, most] : bounds) {
        if (value < least || value > most)
            return std::string(what) + " are " + std::to_string(least) + " to " + std::to_string(most) +
                   ", not " + std::to_string(value);
    }
    return "";
}

/// The pods of a fat-tree or Clos: how many switches of each tier, and how the core is named.
struct PodTree {
    std::uint32_t pods;
    std::uint32_t edges;
    std::uint32_t aggregations;
    std::uint32_t spines;  ///< of one plane
    std::uint32_t hosts;
    bool core_by_plane;  ///< core-A-N, not core-N
    CableSettings uplink;
    CableSettings core;
};

class PodTreePlanner {
  public:
    explicit PodTreePlanner(const PodTree& tree) : tree_(tree) {}

    Result<FabricPlan, std::string> plan() {
        add_switches();
        for (std::uint32_t pod = 0; pod < tree_.pods; ++pod)
            connect(pod);
        return std::move(planner_).finish();
    }

  private:
    void add_switches() {
        for (std::uint32_t pod = 0; pod < tree_.pods; ++pod) {
            for (std::uint32_t n = 0; n < tree_.edges; ++n)
                planner_.add_switch({named("edge", pod, n), PlanTier::Edge, pod, n, ten_dot(pod, n, 1)});
        }
        for (std::uint32_t pod = 0; pod < tree_.pods; ++pod) {
            for (std::uint32_t n = 0; n < tree_.aggregations; ++n) {
                planner_.add_switch(
                    {named("agg", pod, n), PlanTier::Aggregation, pod, n, ten_dot(pod, tree_.edges + n, 1)});
            }
        }
        for (std::uint32_t plane = 0; plane < tree_.aggregations; ++plane) {
            for (std::uint32_t n = 0; n < tree_.spines; ++n) {
                const std::uint32_t number = plane * tree_.spines + n;
                planner_.add_switch({tree_.core_by_plane ? named("core", plane, n) : named("core", number),
                                     PlanTier::Core, kPlanNone, number, ten_dot(tree_.pods, plane, 1 + n)});
            }
        }
    }

    void connect(std::uint32_t pod) {
        const std::uint32_t edges = pod * tree_.edges;
        const std::uint32_t aggregations = tree_.pods * tree_.edges + pod * tree_.aggregations;
        const std::uint32_t cores = tree_.pods * (tree_.edges + tree_.aggregations);
        for (std::uint32_t edge = 0; edge < tree_.edges; ++edge) {
            for (std::uint32_t n = 0; n < tree_.hosts; ++n)
                planner_.add_host(named("host", pod, edge, n), edges + edge);
            for (std::uint32_t n = 0; n < tree_.aggregations; ++n)
                planner_.add_cable(edges + edge, aggregations + n, tree_.uplink);
        }
        for (std::uint32_t n = 0; n < tree_.aggregations; ++n) {
            for (std::uint32_t i = 0; i < tree_.spines; ++i)
                planner_.add_cable(aggregations + n, cores + n * tree_.spines + i, tree_.core);
        }
    }

    const PodTree& tree_;
    FabricPlanner planner_;
};

/// Cables of a random regular graph; see JellyfishShape.
class RandomWiring {
  public:
    RandomWiring(std::uint32_t switches, std::uint32_t degree, std::uint64_t seed)
        : degree_(degree), random_(seed), peers_(switches) {
        for (std::uint32_t i = 0; i < switches; ++i)
            open_.push_back(i);
    }

    /// Lower number first, sorted.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> wire() {
        while (join_two()) {
        }
        // Whoever has two ports left and no one to join takes them into a cable that is there: x-y becomes
        // x-p and p-y.
        for (const std::uint32_t p : open_) {
            while (peers_[p].size() + 2 <= degree_)
                take_into_cable(p);
        }
        // Two that are joined already, with a port left each: x-y becomes x-p and q-y.
        std::erase_if(open_, [&](std::uint32_t p) { return peers_[p].size() == degree_; });
        for (std::size_t i = 0; i + 1 < open_.size(); i += 2)
            take_both_into_cable(open_[i], open_[i + 1]);
        std::vector<std::pair<std::uint32_t, std::uint32_t>> cables;
        for (std::uint32_t a = 0; a < peers_.size(); ++a) {
            std::sort(peers_[a].begin(), peers_[a].end());
            for (const std::uint32_t b : peers_[a]) {
                if (a < b) cables.emplace_back(a, b);
            }
        }
        return cables;
    }

  private:
    [[nodiscard]] bool are_joined(std::uint32_t a, std::uint32_t b) const {
        return std::find(peers_[a].begin(), peers_[a].end(), b) != peers_[a].end();
    }
    void join(std::uint32_t a, std::uint32_t b) {
        peers_[a].push_back(b);
        peers_[b].push_back(a);
    }
    void part(std::uint32_t a, std::uint32_t b) {
        std::erase(peers_[a], b);
        std::erase(peers_[b], a);
    }

    /// Joins two of the open switches, by their places in open_, `i` before `j`.
    void join_open(std::uint32_t i, std::uint32_t j) {
        join(open_[i], open_[j]);
        for (const std::uint32_t place : {j, i}) {
            if (peers_[open_[place]].size() < degree_) continue;
            open_[place] = open_.back();
            open_.pop_back();
        }
    }

    /// Joins two switches at random that have ports left and are not joined; false where none are.
    bool join_two() {
        const auto count = static_cast<std::uint32_t>(open_.size());
        // Nearly always the first pair will do; where few are left, all pairs are looked at.
        for (int attempt = 0; count >= 2 && attempt < 16; ++attempt) {
            const std::uint32_t i = random_.below(count);
            const std::uint32_t j = random_.below(count);
            if (i == j || are_joined(open_[i], open_[j])) continue;
            join_open(std::min(i, j), std::max(i, j));
            return true;
        }
        if (count > pairs_looked_at_) return true;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
        for (std::uint32_t i = 0; i < count; ++i) {
            for (std::uint32_t j = i + 1; j < count; ++j) {
                if (!are_joined(open_[i], open_[j])) pairs.emplace_back(i, j);
            }
        }
        if (pairs.empty()) return false;
        const auto [i, j] = pairs[random_.below(static_cast<std::uint32_t>(pairs.size()))];
        join_open(i, j);
        return true;
    }

    /// There is always such a cable: a switch that `p` is not joined with has no port left, or they would
    /// have been joined, so two of its peers at least are none of `p`'s.
    void take_into_cable(std::uint32_t p) {
        for (;;) {
            const std::uint32_t x = random_.below(static_cast<std::uint32_t>(peers_.size()));
            if (x == p || peers_[x].empty() || are_joined(p, x)) continue;
            const std::uint32_t y = peers_[x][random_.below(static_cast<std::uint32_t>(peers_[x].size()))];
            if (y == p || are_joined(p, y)) continue;
            part(x, y);
            join(x, p);
            join(p, y);
            return;
        }
    }

    /// In a small and dense graph there may be no such cable; then both keep a port free.
    void take_both_into_cable(std::uint32_t p, std::uint32_t q) {
        const auto count = static_cast<std::uint32_t>(peers_.size());
        for (std::uint32_t attempt = 0; attempt < 64 * count; ++attempt) {
            const std::uint32_t x = random_.below(count);
            if (x == p || x == q || are_joined(p, x)) continue;
            const std::uint32_t y = peers_[x][random_.below(static_cast<std::uint32_t>(peers_[x].size()))];
            if (y == p || y == q || are_joined(q, y)) continue;
            part(x, y);
            join(x, p);
            join(q, y);
            return;
        }
    }

    static constexpr std::uint32_t pairs_looked_at_ =
        128;  ///< open switches of which all pairs are tried; more cannot all be joined
    std::uint32_t degree_;
    Random random_;
    std::vector<std::vector<std::uint32_t>> peers_;
    std::vector<std::uint32_t> open_;  ///< switches that have ports left
};

}  // namespace

Result<FabricPlan, std::string> plan_fat_tree(std::uint32_t k) {
    if (k < 2 || k > 254 || k % 2 != 0)
        return Failure{"a fat-tree's k is even and 2 to 254, not " + std::to_string(k)};
    const PodTree tree{k, k / 2, k / 2, k / 2, k / 2, false, {}, {}};
    return PodTreePlanner(tree).plan();
}

Result<FabricPlan, std::string> plan_clos(const ClosShape& shape) {
    std::string problem =
        outside({{"pods", shape.pods, 1, 254},
                 {"edge switches of a pod", shape.edges_per_pod, 1, 253},
                 {"planes", shape.planes, 1, 254},
                 {"spines of a plane", shape.spines_per_plane, 1, 254},
                 {"hosts of an edge switch", shape.hosts_per_edge, 1, kRackHostsMost},
                 {"edge switches and planes together", shape.edges_per_pod + shape.planes, 2, 256}});
    if (!problem.empty()) return Failure{std::move(problem)};
    const PodTree tree{shape.pods,
                       shape.edges_per_pod,
                       shape.planes,
                       shape.spines_per_plane,
                       shape.hosts_per_edge,
                       true,
                       {shape.uplink_rate_bps},
                       {shape.core_rate_bps}};
    return PodTreePlanner(tree).plan();
}

Result<FabricPlan, std::string> plan_leaf_spine(const LeafSpineShape& shape) {
    std::string problem = outside({{"leaves", shape.leaves, 2, 4096},
                                   {"spines", shape.spines, 1, 254},
                                   {"hosts of a leaf", shape.hosts_per_leaf, 1, kRackHostsMost}});
    if (!problem.empty()) return Failure{std::move(problem)};
    FabricPlanner planner;
    for (std::uint32_t leaf = 0; leaf < shape.leaves; ++leaf)
        planner.add_switch({named("leaf", leaf), PlanTier::Edge});
    for (std::uint32_t spine = 0; spine < shape.spines; ++spine)
        planner.add_switch({named("spine", spine), PlanTier::Core});
    for (std::uint32_t leaf = 0; leaf < shape.leaves; ++leaf) {
        for (std::uint32_t n = 0; n < shape.hosts_per_leaf; ++n)
            planner.add_host(named("host", leaf, n), leaf);
        for (std::uint32_t spine = 0; spine < shape.spines; ++spine)
            planner.add_cable(leaf, shape.leaves + spine, {shape.uplink_rate_bps});
    }
    return std::move(planner).finish();
}

Result<FabricPlan, std::string> plan_jellyfish(const JellyfishShape& shape) {
    std::string problem =
        outside({{"switches", shape.switches, 4, 4096},
                 {"links of a switch to others", shape.degree, 3, std::min(64U, shape.switches - 1)},
                 {"hosts of a switch", shape.hosts_per_switch, 1, kRackHostsMost}});
    if (!problem.empty()) return Failure{std::move(problem)};
    // A random regular graph of degree 3 and more is connected but for small and rare ones: draw again.
    constexpr std::uint64_t draws_most = 100;
    std::string reason;
    for (std::uint64_t draw = 0; draw < draws_most; ++draw) {
        FabricPlanner planner;
        for (std::uint32_t i = 0; i < shape.switches; ++i) {
            planner.add_switch({named("switch", i), PlanTier::Edge});
            for (std::uint32_t n = 0; n < shape.hosts_per_switch; ++n)
                planner.add_host(named("host", i, n), i);
        }
        RandomWiring wiring(shape.switches, shape.degree, mix64(shape.seed) + draw);
        for (const auto& [a, b] : wiring.wire())
            planner.add_cable(a, b);
        auto plan = std::move(planner).finish();
        if (plan) return plan;
        reason = plan.error();
    }
    return Failure{std::move(reason)};
}

}  // namespace dyetrace::localise
