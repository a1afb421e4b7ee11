// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/reader/units.h"
#include "scenarios/reader/utf8.h"

namespace dyetrace::scenario {
namespace {

constexpr std::uint32_t none = localise::kPlanNone;

/// All edges between two nodes, as one cable.
struct Bundle {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    Place place;                              ///< of the first edge
    std::array<std::uint64_t, 2> rate_bps{};  ///< from a to b, and back
    std::array<std::size_t, 2> edges{};
    Duration delay{};  ///< the longest
    bool has_rate = false;
    bool has_delay = false;
};

class NetworkPlanner {
  public:
    NetworkPlanner(const Network& network, const NetworkDefaults& defaults, FileReport& report)
        : nodes_(network.nodes), edges_(network.edges), defaults_(defaults), report_(report) {}

    std::optional<localise::FabricPlan> plan() {
        if (nodes_.empty()) {
            if (!report_.has_errors()) report_.error({}, {"there is no node in this file", ""});
            return std::nullopt;
        }
        // Where edges are missing, so are ways and hosts' links.
        const bool is_complete = !report_.has_errors();
        for (const NetworkEdge& edge : edges_)
            add_to_bundle(edge);
        if (is_complete) {
            check_hosts();
            check_reach();
        }
        if (report_.has_errors()) return std::nullopt;
        add_switches();
        add_cables();
        attach_hosts();
        if (report_.has_errors()) return std::nullopt;
        auto plan = std::move(planner_).finish();
        if (plan) return std::move(plan).value();
        report_.error({}, {plan.error(), ""});
        return std::nullopt;
    }

  private:
    void add_to_bundle(const NetworkEdge& edge) {
        if (edge.from == edge.to)
            return report_.error(
                edge.place,
                {fmt::format("an edge joins {} with itself", nodes_[edge.from].name), "remove it"});
        const auto ends = std::minmax(edge.from, edge.to);
        const auto [found, is_new] = bundle_of_.try_emplace(ends, bundles_.size());
        if (is_new) bundles_.push_back({edge.from, edge.to, edge.place});
        Bundle& bundle = bundles_[found->second];
        const std::size_t direction = edge.from == bundle.a ? 0 : 1;
        if (bundle.edges[direction] > 0) {
            report_.warning(
                edge.place,
                {fmt::format("{} and {} are joined a second time, after line {}: one link of both "
                             "rates, and of the longer delay",
                             nodes_[edge.from].name, nodes_[edge.to].name, bundle.place.line),
                 ""});
        }
        const std::uint64_t rate = edge.rate_bps.value_or(defaults_.link_rate_bps);
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
            if (edge.directed && i != direction) continue;
            bundle.rate_bps[i] += rate;
            ++bundle.edges[i];
        }
        bundle.has_rate = bundle.has_rate || edge.rate_bps || bundle.edges[direction] > 1;
        bundle.delay = std::max(bundle.delay, edge.delay.value_or(defaults_.link_delay));
        bundle.has_delay = bundle.has_delay || edge.delay || bundle.edges[direction] > 1;
    }

    void check_hosts() {
        std::vector<std::size_t> links(nodes_.size(), 0);
        for (const Bundle& bundle : bundles_) {
            ++links[bundle.a];
            ++links[bundle.b];
            if (nodes_[bundle.a].is_host && nodes_[bundle.b].is_host)
                report_.error(bundle.place,
                              {fmt::format("{} and {} are both hosts; a host has one link, to a switch",
                                           nodes_[bundle.a].name, nodes_[bundle.b].name),
                               ""});
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!nodes_[i].is_host || links[i] == 1) continue;
            report_.error(nodes_[i].place, {fmt::format("host {} has {} links; a host has one, to a switch",
                                                        nodes_[i].name, links[i]),
                                            ""});
        }
    }

    /// Tells the first node of every piece but the first.
    void check_reach() {
        std::vector<std::vector<std::uint32_t>> peers(nodes_.size());
        for (const Bundle& bundle : bundles_) {
            peers[bundle.a].push_back(bundle.b);
            peers[bundle.b].push_back(bundle.a);
        }
        std::vector<bool> reached(nodes_.size(), false);
        for (std::uint32_t first = 0; first < nodes_.size(); ++first) {
            if (reached[first]) continue;
            if (first > 0)
                report_.error(nodes_[first].place,
                              {fmt::format("no way leads from {} to {}", nodes_[0].name, nodes_[first].name),
                               "every node must be reached from every other; fabric.largest_part = true "
                               "keeps the largest part"});
            std::vector<std::uint32_t> order{first};
            reached[first] = true;
            for (std::size_t i = 0; i < order.size(); ++i) {
                for (const std::uint32_t peer : peers[order[i]]) {
                    if (reached[peer]) continue;
                    reached[peer] = true;
                    order.push_back(peer);
                }
            }
        }
    }

    /// By node, its place from west to east; none where the file has no longitudes.
    [[nodiscard]] std::vector<std::uint32_t> columns() const {
        std::vector<std::uint32_t> order(nodes_.size());
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            const auto& left = nodes_[a].longitude;
            const auto& right = nodes_[b].longitude;
            return left && (!right || *left < *right);
        });
        std::vector<std::uint32_t> column(nodes_.size(), none);
        if (!nodes_[order.front()].longitude) return column;
        for (std::uint32_t i = 0; i < order.size(); ++i)
            column[order[i]] = i;
        return column;
    }

    void add_switches() {
        const auto column = columns();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            names_.insert(nodes_[i].name);
            declares_hosts_ = declares_hosts_ || nodes_[i].is_host;
            const bool is_switch = !nodes_[i].is_host;
            switch_of_.push_back(
                is_switch ? planner_.add_switch({nodes_[i].name, std::nullopt, none, column[i]}) : none);
        }
        hosts_.assign(nodes_.size(), 0);
    }

    void add_cables() {
        for (const Bundle& bundle : bundles_) {
            const std::uint64_t rate = std::max(bundle.rate_bps[0], bundle.rate_bps[1]);
            localise::CableSettings settings;
            if (bundle.has_rate) settings.rate_bps = std::min(rate, link_rate_most);
            if (bundle.has_delay) settings.delay = bundle.delay;
            const std::uint32_t a = switch_of_[bundle.a];
            const std::uint32_t b = switch_of_[bundle.b];
            if (a != none && b != none) {
                planner_.add_cable(a, b, settings);
            } else {
                const auto [host, at] =
                    a == none ? std::pair(bundle.a, bundle.b) : std::pair(bundle.b, bundle.a);
                count_host(at);
                planner_.add_host(nodes_[host].name, switch_of_[at], settings);
            }
        }
    }

    void attach_hosts() {
        // A file that names its hosts has no others.
        const std::uint32_t usual = declares_hosts_ ? 0 : defaults_.hosts_per_node;
        for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
            const std::uint32_t wanted = nodes_[i].is_host ? 0 : nodes_[i].hosts.value_or(usual);
            for (std::uint32_t n = 0; n < wanted; ++n) {
                if (!count_host(i)) break;
                planner_.add_host(free_name(fmt::format("host-{}-{}", nodes_[i].name, n)), switch_of_[i]);
            }
        }
        if (std::all_of(hosts_.begin(), hosts_.end(), [](std::uint32_t count) { return count == 0; }))
            report_.error({}, {"no node has a host", "hosts_per_node attaches some to each"});
    }

    bool count_host(std::uint32_t at) {
        if (++hosts_[at] <= node_hosts_most) return true;
        if (hosts_[at] == node_hosts_most + 1)
            report_.error(nodes_[at].place,
                          {fmt::format("{} has more than {} hosts, which is what its /24 has addresses for",
                                       nodes_[at].name, node_hosts_most),
                           ""});
        return false;
    }

    std::string free_name(std::string name) {
        const std::string wanted = name;
        for (int n = 2; !names_.insert(name).second; ++n)
            name = fmt::format("{}_{}", wanted, n);
        return name;
    }

    const std::vector<NetworkNode>& nodes_;
    const std::vector<NetworkEdge>& edges_;
    const NetworkDefaults& defaults_;
    FileReport& report_;
    localise::FabricPlanner planner_;
    std::vector<Bundle> bundles_;  ///< in the order of their first edges
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> bundle_of_;
    std::vector<std::uint32_t> switch_of_;  ///< by node: its number for the planner; none of a host
    std::vector<std::uint32_t> hosts_;      ///< by node: how many hang on it
    std::set<std::string> names_;
    bool declares_hosts_ = false;
};

constexpr std::size_t name_most = 64;

}  // namespace

Place FileReport::line(std::uint32_t number) const {
    const std::string_view text = source_.line(number);
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {number, 1, 1, 0};
    const std::size_t last = text.find_last_not_of(" \t\r");
    return {number, static_cast<std::uint32_t>(count_code_points(text.substr(0, first)) + 1),
            static_cast<std::uint32_t>(count_code_points(text.substr(first, last + 1 - first))), 0};
}

Duration fibre_delay(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
    constexpr double earth_radius_m = 6'371'008.8;  // the mean one of WGS 84
    constexpr double fibre_m_per_s = 299'792'458.0 * 2 / 3;
    const auto radians = [](double degrees) { return degrees * std::numbers::pi / 180; };
    const double north = std::sin(radians(latitude_b - latitude_a) / 2);
    const double east = std::sin(radians(longitude_b - longitude_a) / 2);
    const double haversine =
        north * north + std::cos(radians(latitude_a)) * std::cos(radians(latitude_b)) * east * east;
    const double distance_m = 2 * earth_radius_m * std::asin(std::sqrt(std::min(1.0, haversine)));
    return Duration{std::llround(distance_m / fibre_m_per_s * 1e9)};
}

std::string as_name(std::string_view text) {
    std::string name;
    std::size_t points = 0;
    for (const std::string& point : printable_code_points(text)) {
        if (points++ == name_most) break;
        const bool is_bad =
            point.size() == 1 && std::string_view(" \t:*?").find(point[0]) != std::string_view::npos;
        name += is_bad ? "_" : point;
    }
    return name;
}

bool is_link_rate(double bps, const Place& place, FileReport& report) {
    if (bps >= static_cast<double>(link_rate_least) && bps <= static_cast<double>(link_rate_most))
        return true;
    report.error(place, {fmt::format("a link of {:g} bits a second is out of range: {} to {}", bps,
                                     format_rate(link_rate_least), format_rate(link_rate_most)),
                         ""});
    return false;
}

bool is_link_delay(Duration delay, const Place& place, FileReport& report) {
    if (delay >= Duration{} && delay <= link_delay_most) return true;
    report.error(place, {fmt::format("a delay of {} is out of range: {} to {}", format_duration(delay),
                                     format_duration({}), format_duration(link_delay_most)),
                         ""});
    return false;
}

void keep_largest_part(Network& network, FileReport& report) {
    const std::size_t count = network.nodes.size();
    // By node, the lowest number in its part; joined by paths that are halved as they are walked.
    std::vector<std::uint32_t> lowest(count);
    std::iota(lowest.begin(), lowest.end(), 0U);
    const auto part_of = [&](std::uint32_t node) {
        while (lowest[node] != node)
            node = lowest[node] = lowest[lowest[node]];
        return node;
    };
    for (const NetworkEdge& edge : network.edges) {
        const auto [low, high] = std::minmax({part_of(edge.from), part_of(edge.to)});
        lowest[high] = low;
    }
    std::vector<std::size_t> sizes(count, 0);
    for (std::uint32_t node = 0; node < count; ++node)
        ++sizes[part_of(node)];
    const auto largest = std::max_element(sizes.begin(), sizes.end());
    if (largest == sizes.end() || *largest == count) return;
    const auto kept_part = static_cast<std::uint32_t>(largest - sizes.begin());

    std::vector<NetworkNode> kept;
    std::vector<std::uint32_t> number(count, none);
    std::optional<std::uint32_t> first_out;
    for (std::uint32_t node = 0; node < count; ++node) {
        if (part_of(node) != kept_part) {
            if (!first_out) first_out = node;
            continue;
        }
        number[node] = static_cast<std::uint32_t>(kept.size());
        kept.push_back(std::move(network.nodes[node]));
    }
    const NetworkNode& out = network.nodes[*first_out];
    report.warning(out.place, {fmt::format("{} of {} nodes are left out, {} the first of them: no way leads "
                                           "from them to {}",
                                           count - kept.size(), count, out.name, kept.front().name),
                               ""});
    network.nodes = std::move(kept);
    std::vector<NetworkEdge> edges;
    for (NetworkEdge& edge : network.edges) {
        if (number[edge.from] == none) continue;
        edge.from = number[edge.from];
        edge.to = number[edge.to];
        edges.push_back(edge);
    }
    network.edges = std::move(edges);
}

std::optional<localise::FabricPlan> plan_network(const Network& network, const NetworkDefaults& defaults,
                                                 FileReport& report) {
    return NetworkPlanner(network, defaults, report).plan();
}

}  // namespace dyetrace::scenario
