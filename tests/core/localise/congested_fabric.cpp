// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/localise/congested_fabric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "core/base/random.h"

namespace dyetrace::localise::test {
namespace {

constexpr double kLinkBytesPerSecond = 125e6;  // 1 Gbps
constexpr double kQueueBytes = 150e3;
constexpr double kPacketBytes = 1486;  // on the wire, tunnel headers included
constexpr double kFlowPacketsPerSecond = 250e6 / 8 / kPacketBytes;
constexpr std::uint32_t kPortsPerPair = 16;
constexpr Duration kStep = Duration::microseconds(250);
constexpr Duration kIdle = Duration::milliseconds(20);

/// Flow sizes of a web search cluster (Alizadeh et al., "Data Center TCP", SIGCOMM 2010): bytes, share.
constexpr std::array<std::pair<double, double>, 12> kSizes = {{{0, 0},
                                                               {1e4, .15},
                                                               {2e4, .20},
                                                               {3e4, .30},
                                                               {5e4, .40},
                                                               {8e4, .53},
                                                               {2e5, .60},
                                                               {1e6, .70},
                                                               {2e6, .80},
                                                               {5e6, .90},
                                                               {1e7, .97},
                                                               {3e7, 1.0}}};

double mean_size() {
    double mean = 0;
    for (std::size_t i = 1; i < kSizes.size(); ++i)
        mean += (kSizes[i].second - kSizes[i - 1].second) * (kSizes[i].first + kSizes[i - 1].first) / 2;
    return mean;
}

std::string node_name(const char* kind, std::initializer_list<std::uint32_t> numbers) {
    std::string name = kind;
    for (const auto n : numbers)
        name += "-" + std::to_string(n);
    return name;
}

struct Path {
    PathKey key;
    std::vector<NodeId> hops;
    std::vector<LinkId> links;
    PathTotals now;      ///< exact
    PathTotals settled;  ///< as of the last tag or marker
    PathTotals reported;
    Time last_sent;
    std::uint32_t since_tag = 0;
};

struct Flow {
    std::size_t path = 0;
    double packets_left = 0;
    double credit = 0;
    std::uint32_t in_flight = 0;  ///< of this step, not yet dropped
    Duration queueing;
};

struct Queue {
    std::size_t tier = 0;
    double bytes = 0;
    double offered = 0;
    double drop_share = 0;
};

class Fabric {
  public:
    explicit Fabric(const CongestedFabricConfig& config)
        : config_(config), random_(config.seed * 7919 + 17), half_(config.arity / 2) {
        run_.graph = make_fat_tree(config.arity);
        queues_.resize(run_.graph.link_count());
        for (std::uint32_t link = 0; link < queues_.size(); ++link)
            queues_[link].tier = tier_of(LinkId{link});
        for (std::uint32_t pod = 0; pod < config.arity; ++pod)
            for (std::uint32_t edge = 0; edge < half_; ++edge)
                for (std::uint32_t host = 0; host < half_; ++host)
                    hosts_.push_back(*run_.graph.find(node_name("host", {pod, edge, host})));
        if (config.fault_rate > 0) draw_fault();
    }

    CongestedRun run() {
        const auto steps = config_.duration.ns / kStep.ns;
        for (std::int64_t i = 0; i < steps; ++i) {
            const Time now{i * kStep.ns};
            start_flows();
            send(now);
            for (std::size_t tier = 0; tier < 6; ++tier)
                cross(tier, now);
            arrive(now);
            report(Time{now.ns + kStep.ns});
        }
        for (Path& path : paths_)
            path.settled = path.now;
        report_all(Time{config_.duration.ns + kIdle.ns});
        return std::move(run_);
    }

  private:
    std::uint32_t drops(std::uint32_t packets, double share) {
        std::uint32_t dropped = 0;
        for (std::uint32_t i = 0; i < packets; ++i)
            dropped += random_.uniform() < share ? 1 : 0;
        return dropped;
    }

    /// Hops from a sending host: 0 host > edge, 1 edge > aggregation .. 5 edge > host.
    std::size_t tier_of(LinkId link) const {
        const auto level = [this](NodeId node) { return std::string("heac").find(run_.graph.name(node)[0]); };
        const std::size_t from = level(run_.graph.from(link)), to = level(run_.graph.to(link));
        return from < to ? from : 5 - to;
    }

    void draw_fault() {
        const std::uint32_t pod = random_.below(config_.arity);
        const std::uint32_t agg = random_.below(half_);
        const std::uint32_t core = agg * half_ + random_.below(half_);
        const NodeId a = *run_.graph.find(node_name("agg", {pod, agg}));
        const NodeId c = *run_.graph.find(node_name("core", {core}));
        run_.faulty = random_.below(2) == 0 ? run_.graph.link(a, c) : run_.graph.link(c, a);
    }

    void start_flows() {
        const double per_step =
            config_.load * kLinkBytesPerSecond / (mean_size() / 1400 * kPacketBytes) * kStep.in_seconds();
        for (std::uint32_t source = 0; source < hosts_.size(); ++source) {
            if (random_.uniform() >= per_step) continue;
            std::uint32_t target = random_.below(static_cast<std::uint32_t>(hosts_.size()) - 1);
            if (target >= source) ++target;
            const double share = random_.uniform();
            std::size_t i = 1;
            while (kSizes[i].second < share)
                ++i;
            const double within = (share - kSizes[i - 1].second) / (kSizes[i].second - kSizes[i - 1].second);
            const double bytes = kSizes[i - 1].first + within * (kSizes[i].first - kSizes[i - 1].first);
            flows_.push_back(
                {path_of(source, target, random_.below(kPortsPerPair)), std::ceil(bytes / 1400), 0, 0, {}});
        }
    }

    std::size_t path_of(std::uint32_t source, std::uint32_t target, std::uint32_t port) {
        const std::array<std::uint32_t, 3> id{source, target, port};
        const auto [place, added] = path_ids_.emplace(id, paths_.size());
        if (!added) return place->second;
        Path path;
        path.key = {run_.graph.address(hosts_[source]), run_.graph.address(hosts_[target]),
                    SessionId{source * 1000 + target}, PathIndex{static_cast<std::uint16_t>(port)},
                    PathGeneration{}};
        const std::uint32_t rack_s = source / half_, rack_t = target / half_;
        const std::uint32_t pod_s = rack_s / half_, pod_t = rack_t / half_;
        const std::uint32_t agg = random_.below(half_), core = agg * half_ + random_.below(half_);
        std::vector<std::string> names{node_name("edge", {pod_s, rack_s % half_})};
        if (rack_s != rack_t) {
            names.push_back(node_name("agg", {pod_s, agg}));
            if (pod_s != pod_t) {
                names.push_back(node_name("core", {core}));
                names.push_back(node_name("agg", {pod_t, agg}));
            }
            names.push_back(node_name("edge", {pod_t, rack_t % half_}));
        }
        path.hops.push_back(hosts_[source]);
        for (const auto& name : names)
            path.hops.push_back(*run_.graph.find(name));
        path.hops.push_back(hosts_[target]);
        path.links = *run_.graph.links_along(path.hops);
        run_.paths.push_back({path.key, Time{}, path.hops});
        paths_.push_back(std::move(path));
        return place->second;
    }

    void send(Time now) {
        for (Flow& flow : flows_) {
            flow.credit += kFlowPacketsPerSecond * kStep.in_seconds() * (0.9 + 0.2 * random_.uniform());
            flow.in_flight = static_cast<std::uint32_t>(std::min(std::floor(flow.credit), flow.packets_left));
            flow.credit -= flow.in_flight;
            flow.packets_left -= flow.in_flight;
            flow.queueing = {};
            run_.packets += flow.in_flight;
            paths_[flow.path].now.sent += flow.in_flight;
            if (flow.in_flight > 0) paths_[flow.path].last_sent = now;
        }
    }

    /// The link of `flow` in one of the fabric's six tiers: up from host, edge, aggregation; down likewise.
    std::optional<LinkId> link_in_tier(const Flow& flow, std::size_t tier) const {
        const auto& links = paths_[flow.path].links;
        const std::size_t up = links.size() / 2;
        if (tier < 3) return tier < up ? std::optional(links[tier]) : std::nullopt;
        return 5 - tier < up ? std::optional(links[links.size() - 1 - (5 - tier)]) : std::nullopt;
    }

    void cross(std::size_t tier, Time now) {
        for (const Flow& flow : flows_) {
            if (const auto link = link_in_tier(flow, tier))
                queues_[link->value].offered += flow.in_flight * kPacketBytes;
        }
        const double served = kLinkBytesPerSecond * kStep.in_seconds();
        for (Queue& queue : queues_) {
            if (queue.tier != tier || (queue.offered == 0 && queue.bytes == 0)) continue;
            const double excess = queue.bytes + queue.offered - served - kQueueBytes;
            queue.drop_share = excess > 0 ? std::min(1.0, excess / queue.offered) : 0;
            queue.bytes = std::clamp(queue.bytes + queue.offered - served, 0.0, kQueueBytes);
        }
        for (Flow& flow : flows_) {
            if (const auto link = link_in_tier(flow, tier)) cross(flow, *link, now);
        }
        for (const Flow& flow : flows_) {
            if (const auto link = link_in_tier(flow, tier)) queues_[link->value].offered = 0;
        }
    }

    void cross(Flow& flow, LinkId link, Time now) {
        const Queue& queue = queues_[link.value];
        const std::uint32_t overflow = queue.drop_share > 0 ? drops(flow.in_flight, queue.drop_share) : 0;
        flow.in_flight -= overflow;
        run_.lost_to_queues += overflow;
        flow.queueing =
            flow.queueing + Duration{static_cast<std::int64_t>(queue.bytes / kLinkBytesPerSecond * 1e9)};
        if (link == run_.faulty && now.ns >= config_.fault_at.ns) {
            run_.crossed_faulty += flow.in_flight;
            const std::uint32_t silent = drops(flow.in_flight, config_.fault_rate);
            flow.in_flight -= silent;
            run_.lost_to_fault += silent;
        }
    }

    void arrive(Time now) {
        for (Flow& flow : flows_) {
            Path& path = paths_[flow.path];
            path.now.received += flow.in_flight;
            path.since_tag += flow.in_flight;
            if (path.since_tag < config_.packets_per_tag) continue;
            path.since_tag -= config_.packets_per_tag;
            const Duration delay = Duration::microseconds(80) + flow.queueing;
            path.now.delay_min = path.now.delay_count == 0 ? delay : std::min(path.now.delay_min, delay);
            path.now.delay_sum = path.now.delay_sum + delay;
            ++path.now.delay_count;
            path.settled = path.now;
        }
        std::erase_if(flows_, [](const Flow& flow) { return flow.packets_left <= 0; });
        for (Path& path : paths_) {
            if (now.ns - path.last_sent.ns == kIdle.ns) path.settled = path.now;
        }
    }

    void report(Time now) {
        if (now.ns % config_.report_interval.ns == 0) report_all(now);
    }

    void report_all(Time now) {
        for (Path& path : paths_) {
            if (path.settled == path.reported) continue;
            run_.records.push_back({path.key, now, path.settled});
            path.reported = path.settled;
        }
    }

    CongestedFabricConfig config_;
    Random random_;
    std::uint32_t half_;
    CongestedRun run_;
    std::vector<NodeId> hosts_;
    std::vector<Queue> queues_;  ///< by link
    std::vector<Path> paths_;
    std::map<std::array<std::uint32_t, 3>, std::size_t> path_ids_;
    std::vector<Flow> flows_;
};

}  // namespace

FabricGraph make_fat_tree(std::uint32_t arity) {
    FabricGraph graph;
    const std::uint32_t half = arity / 2;
    const auto both_ways = [&graph](NodeId a, NodeId b) {
        graph.add_link(a, b);
        graph.add_link(b, a);
    };
    std::vector<NodeId> cores;
    for (std::uint32_t c = 0; c < half * half; ++c)
        cores.push_back(
            graph.add_node(node_name("core", {c}), NodeKind::Switch,
                           Ipv4Address{10U << 24 | arity << 16 | c / half << 8 | (1 + c % half)}));
    for (std::uint32_t pod = 0; pod < arity; ++pod) {
        std::vector<NodeId> aggs;
        for (std::uint32_t a = 0; a < half; ++a) {
            aggs.push_back(graph.add_node(node_name("agg", {pod, a}), NodeKind::Switch,
                                          Ipv4Address{10U << 24 | pod << 16 | (half + a) << 8 | 1}));
            for (std::uint32_t c = 0; c < half; ++c)
                both_ways(aggs[a], cores[a * half + c]);
        }
        for (std::uint32_t e = 0; e < half; ++e) {
            const NodeId edge = graph.add_node(node_name("edge", {pod, e}), NodeKind::Switch,
                                               Ipv4Address{10U << 24 | pod << 16 | e << 8 | 1});
            for (const NodeId agg : aggs)
                both_ways(edge, agg);
            for (std::uint32_t h = 0; h < half; ++h)
                both_ways(graph.add_node(node_name("host", {pod, e, h}), NodeKind::Host,
                                         Ipv4Address{10U << 24 | pod << 16 | e << 8 | (2 + h)}),
                          edge);
        }
    }
    return graph;
}

CongestedRun run_congested_fabric(const CongestedFabricConfig& config) {
    return Fabric(config).run();
}

}  // namespace dyetrace::localise::test
