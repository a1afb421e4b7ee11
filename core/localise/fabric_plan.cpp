// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/fabric_plan.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace dyetrace::localise {
namespace {

constexpr std::uint32_t kTen = 10U << 24;
constexpr std::uint32_t kRacksMost = 1U << 16;  ///< /24s in 10/8
/// Switches without hosts share a /24 in which nothing else is.
constexpr std::uint32_t kSwitchesOfPrefix = 254;

/// "node:peer" names a port and "core-*" many nodes, so a name has nothing of that in it.
bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f && c != ':' && c != '*' && c != '?';
    });
}

}  // namespace

std::optional<std::uint32_t> FabricPlan::find(std::string_view name) const {
    const auto found = std::lower_bound(
        by_name_.begin(), by_name_.end(), name,
        [&](std::uint32_t node, std::string_view wanted) { return nodes_[node].name < wanted; });
    if (found == by_name_.end() || nodes_[*found].name != name) return std::nullopt;
    return *found;
}

std::optional<std::uint32_t> FabricPlan::find(Ipv4Address address) const {
    const auto found = std::lower_bound(
        by_address_.begin(), by_address_.end(), address,
        [&](std::uint32_t node, Ipv4Address wanted) { return nodes_[node].address < wanted; });
    if (found == by_address_.end() || nodes_[*found].address != address) return std::nullopt;
    return *found;
}

std::optional<std::uint32_t> FabricPlan::link(std::uint32_t from, std::uint32_t to) const {
    const PlannedNode& node = nodes_[from];
    for (std::uint32_t port = node.first_port; port < node.first_port + node.port_count; ++port) {
        if (ports_[port].peer == to) return port;
    }
    return std::nullopt;
}

std::uint32_t FabricPlanner::add_switch(Switch added) {
    switches_.push_back(std::move(added));
    return static_cast<std::uint32_t>(switches_.size() - 1);
}

void FabricPlanner::add_host(std::string name, std::uint32_t at, CableSettings settings) {
    const auto host = static_cast<std::uint32_t>(hosts_.size());
    hosts_.push_back({std::move(name), at});
    cables_.push_back({true, host, at, settings});
}

void FabricPlanner::add_cable(std::uint32_t lower, std::uint32_t upper, CableSettings settings) {
    cables_.push_back({false, lower, upper, settings});
}

Result<FabricPlan, std::string> FabricPlanner::finish() && {
    for (const auto check : {&FabricPlanner::problem_of_ends, &FabricPlanner::problem_of_pairs,
                             &FabricPlanner::problem_of_racks, &FabricPlanner::problem_of_reach}) {
        if (std::string problem = (this->*check)(); !problem.empty()) return Failure{std::move(problem)};
    }
    FabricPlan plan;
    const Numbers numbers = number(plan);
    add_nodes(plan, numbers);
    add_ports(plan, numbers);
    give_addresses(plan);
    give_columns(plan);
    for (const auto index : {&FabricPlanner::index_names, &FabricPlanner::index_addresses}) {
        if (std::string problem = index(plan); !problem.empty()) return Failure{std::move(problem)};
    }
    return plan;
}

std::string FabricPlanner::problem_of_ends() const {
    const auto count = switches_.size();
    const auto are = ", and there are " + std::to_string(count);
    for (std::size_t i = 0; i < cables_.size(); ++i) {
        const Cable& cable = cables_[i];
        if (cable.upper >= count) {
            std::string problem =
                cable.to_host ? "host " + hosts_[cable.lower].name : "cable " + std::to_string(i);
            return problem.append(" leads to switch number ").append(std::to_string(cable.upper)).append(are);
        }
        if (cable.to_host) continue;
        if (cable.lower >= count)
            return "cable " + std::to_string(i) + " leads to switch number " + std::to_string(cable.lower) +
                   are;
        if (cable.lower == cable.upper)
            return "a cable joins " + switches_[cable.lower].name + " with itself";
    }
    return "";
}

std::string FabricPlanner::problem_of_pairs() const {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const Cable& cable : cables_) {
        if (!cable.to_host) pairs.push_back(std::minmax(cable.lower, cable.upper));
    }
    std::sort(pairs.begin(), pairs.end());
    const auto twice = std::adjacent_find(pairs.begin(), pairs.end());
    if (twice == pairs.end()) return "";
    return "two cables join " + switches_[twice->first].name + " and " + switches_[twice->second].name +
           "; a link is known by its ends, so make them one of twice the rate";
}

std::string FabricPlanner::problem_of_racks() const {
    if (hosts_.empty()) return "no switch has a host";
    std::vector<std::uint32_t> hosts(switches_.size(), 0);
    for (const Host& host : hosts_) {
        if (++hosts[host.at] > kRackHostsMost)
            return switches_[host.at].name +
                   " has more hosts than its /24 has addresses: " + std::to_string(kRackHostsMost);
    }
    const auto racks = static_cast<std::size_t>(
        std::count_if(hosts.begin(), hosts.end(), [](std::uint32_t count) { return count > 0; }));
    const std::size_t others = (switches_.size() - racks + kSwitchesOfPrefix - 1) / kSwitchesOfPrefix;
    if (racks + others > kRacksMost)
        return std::to_string(racks) + " racks are more than 10.0.0.0/8 has /24 prefixes";
    return "";
}

std::string FabricPlanner::problem_of_reach() const {
    // Union-find with path halving: the order of the cables does not matter.
    std::vector<std::uint32_t> above(switches_.size());
    std::iota(above.begin(), above.end(), 0U);
    const auto top = [&](std::uint32_t at) {
        while (above[at] != at)
            at = above[at] = above[above[at]];
        return at;
    };
    for (const Cable& cable : cables_) {
        if (!cable.to_host) above[top(cable.upper)] = top(cable.lower);
    }
    for (std::uint32_t i = 1; i < switches_.size(); ++i) {
        if (top(i) != top(0)) return "no way leads from " + switches_[0].name + " to " + switches_[i].name;
    }
    return "";
}

FabricPlanner::Numbers FabricPlanner::number(FabricPlan& plan) const {
    Numbers numbers;
    std::vector<std::uint32_t> count(switches_.size(), 0);
    for (const Host& host : hosts_)
        ++count[host.at];
    plan.host_count_ = static_cast<std::uint32_t>(hosts_.size());
    numbers.racks.assign(switches_.size(), kPlanNone);
    std::vector<std::uint32_t> next(switches_.size(), 0);  // number of the rack's next host
    std::uint32_t hosts = 0;
    for (std::uint32_t i = 0; i < switches_.size(); ++i) {
        next[i] = hosts;
        hosts += count[i];
        if (count[i] == 0) continue;
        numbers.racks[i] = static_cast<std::uint32_t>(plan.rack_switches_.size());
        plan.rack_switches_.push_back(plan.host_count_ + i);
    }
    numbers.hosts.reserve(hosts_.size());
    for (const Host& host : hosts_)
        numbers.hosts.push_back(next[host.at]++);
    return numbers;
}

void FabricPlanner::add_nodes(FabricPlan& plan, const Numbers& numbers) {
    plan.nodes_.resize(hosts_.size() + switches_.size());
    std::vector<std::uint32_t> placed(plan.rack_switches_.size(), 0);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        PlannedNode& node = plan.nodes_[numbers.hosts[i]];
        node.name = std::move(hosts_[i].name);
        node.pod = switches_[hosts_[i].at].pod;
        node.rack = numbers.racks[hosts_[i].at];
        node.position = placed[node.rack]++;
    }
    std::map<std::pair<PlanTier, std::uint32_t>, std::uint32_t> counts;
    for (std::size_t i = 0; i < switches_.size(); ++i) {
        Switch& from = switches_[i];
        PlannedNode& node = plan.nodes_[hosts_.size() + i];
        node.name = std::move(from.name);
        node.rack = numbers.racks[i];
        node.tier = from.tier.value_or(node.rack == kPlanNone ? PlanTier::Core : PlanTier::Edge);
        node.pod = from.pod;
        const std::uint32_t next = counts[{node.tier, node.pod}]++;
        node.position = from.position == kPlanNone ? next : from.position;
        node.address = from.address;
    }
}

void FabricPlanner::add_ports(FabricPlan& plan, const Numbers& numbers) const {
    plan.cables_.reserve(cables_.size());
    for (const Cable& cable : cables_) {
        const std::uint32_t lower =
            cable.to_host ? numbers.hosts[cable.lower] : plan.host_count_ + cable.lower;
        plan.cables_.push_back({lower, plan.host_count_ + cable.upper, cable.settings});
        ++plan.nodes_[lower].port_count;
        ++plan.nodes_[plan.host_count_ + cable.upper].port_count;
    }
    std::vector<std::uint32_t> next;  // by node: its next port
    next.reserve(plan.nodes_.size());
    std::uint32_t ports = 0;
    for (PlannedNode& node : plan.nodes_) {
        node.first_port = ports;
        next.push_back(ports);
        ports += node.port_count;
    }
    plan.ports_.resize(ports);
    const auto connect = [&](std::uint32_t cable) {
        const auto& [lower, upper, settings] = plan.cables_[cable];
        const std::uint32_t up = next[lower]++;
        const std::uint32_t down = next[upper]++;
        plan.ports_[up] = {lower, upper, down, cable, 0};
        plan.ports_[down] = {upper, lower, up, cable, 1};
    };
    // Hosts' cables first: host n of a rack is at port n of its switch.
    for (const bool to_host : {true, false}) {
        for (std::uint32_t i = 0; i < cables_.size(); ++i) {
            if (cables_[i].to_host == to_host) connect(i);
        }
    }
}

void FabricPlanner::give_addresses(FabricPlan& plan) {
    const auto racks = static_cast<std::uint32_t>(plan.rack_switches_.size());
    std::uint32_t others = 0;
    for (std::size_t i = plan.host_count_; i < plan.nodes_.size(); ++i) {
        PlannedNode& node = plan.nodes_[i];
        if (!node.address.is_unspecified()) continue;
        if (node.rack != kPlanNone) {
            node.address = Ipv4Address{kTen | node.rack << 8 | 1};
        } else {
            const std::uint32_t prefix = racks + others / kSwitchesOfPrefix;
            node.address = Ipv4Address{kTen | prefix << 8 | (1 + others % kSwitchesOfPrefix)};
            ++others;
        }
    }
    for (std::uint32_t host = 0; host < plan.host_count_; ++host) {
        PlannedNode& node = plan.nodes_[host];
        const std::uint32_t prefix = plan.nodes_[plan.rack_switches_[node.rack]].address.value & ~0xffU;
        node.address = Ipv4Address{prefix | (2 + node.position)};
    }
}

void FabricPlanner::give_columns(FabricPlan& plan) {
    for (PlannedNode& node : plan.nodes_)
        node.column = node.position;
    std::vector<std::uint32_t> racks = plan.rack_switches_;
    std::stable_sort(racks.begin(), racks.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::pair(plan.nodes_[a].pod, plan.nodes_[a].position) <
               std::pair(plan.nodes_[b].pod, plan.nodes_[b].position);
    });
    std::uint32_t column = 0;
    std::uint32_t pod = kPlanNone;
    for (const std::uint32_t rack : racks) {
        const PlannedNode& node = plan.nodes_[rack];
        if (node.pod != pod) column = 0;
        pod = node.pod;
        for (std::uint32_t port = node.first_port; port < node.first_port + node.port_count; ++port) {
            PlannedNode& host = plan.nodes_[plan.ports_[port].peer];
            if (host.tier == PlanTier::Host) host.column = column++;
        }
    }
}

std::string FabricPlanner::index_names(FabricPlan& plan) {
    for (const PlannedNode& node : plan.nodes_) {
        if (!is_name(node.name))
            return "\"" + node.name +
                   "\" is no name: a name has no blanks, colons, asterisks or question marks";
    }
    plan.by_name_.resize(plan.nodes_.size());
    std::iota(plan.by_name_.begin(), plan.by_name_.end(), 0U);
    const auto name = [&](std::uint32_t node) -> const std::string& { return plan.nodes_[node].name; };
    std::sort(plan.by_name_.begin(), plan.by_name_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return name(a) < name(b); });
    const auto twice =
        std::adjacent_find(plan.by_name_.begin(), plan.by_name_.end(),
                           [&](std::uint32_t a, std::uint32_t b) { return name(a) == name(b); });
    return twice == plan.by_name_.end() ? "" : "two nodes are called " + name(*twice);
}

std::string FabricPlanner::index_addresses(FabricPlan& plan) {
    plan.by_address_.resize(plan.nodes_.size());
    std::iota(plan.by_address_.begin(), plan.by_address_.end(), 0U);
    const auto address = [&](std::uint32_t node) { return plan.nodes_[node].address; };
    std::sort(plan.by_address_.begin(), plan.by_address_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return address(a) < address(b); });
    const auto twice =
        std::adjacent_find(plan.by_address_.begin(), plan.by_address_.end(),
                           [&](std::uint32_t a, std::uint32_t b) { return address(a) == address(b); });
    if (twice == plan.by_address_.end()) return "";
    return plan.nodes_[*twice].name + " and " + plan.nodes_[*(twice + 1)].name + " have one address, " +
           address(*twice).to_string();
}

}  // namespace dyetrace::localise
