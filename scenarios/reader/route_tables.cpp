// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/route_tables.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "core/base/random.h"

namespace dyetrace::scenario {
namespace {

class RouteCounter {
  public:
    RouteCounter(const localise::FabricPlan& plan, const RouteBounds& bounds)
        : plan_(plan), bounds_(bounds), hosts_(static_cast<std::uint32_t>(plan.host_count())) {}

    /// Of links alone: a switch with n of them to others has fewer than 2^n choices, and none of more ports.
    [[nodiscard]] bool may_exceed() const {
        const std::size_t racks = plan_.rack_switches().size();
        std::size_t ports = 0;
        for (std::uint32_t node = hosts_; node < plan_.nodes().size(); ++node) {
            const std::size_t links = links_of(node);
            if (links > bounds_.ports_of_a_choice) return true;
            const bool has_few = links < std::numeric_limits<std::size_t>::digits - 1;
            ports += links * (has_few ? std::min(racks, (std::size_t{1} << links) - 1) : racks);
        }
        return ports > bounds_.ports_in_all;
    }

    std::string run() {
        for (const std::uint32_t rack : plan_.rack_switches()) {
            if (std::string problem = add_rack(rack); !problem.empty()) return problem;
        }
        return "";
    }

  private:
    static constexpr std::uint32_t far = std::numeric_limits<std::uint32_t>::max();

    template <class Visit>
    void for_links(std::uint32_t node, Visit visit) const {
        const localise::PlannedNode& from = plan_.nodes()[node];
        for (std::uint32_t port = from.first_port; port < from.first_port + from.port_count; ++port) {
            if (plan_.ports()[port].peer >= hosts_) visit(port, plan_.ports()[port].peer);
        }
    }
    [[nodiscard]] std::size_t links_of(std::uint32_t node) const {
        std::size_t links = 0;
        for_links(node, [&](std::uint32_t, std::uint32_t) { ++links; });
        return links;
    }

    /// Breadth first from the rack's switch: a switch chooses among the ports that lead one step nearer.
    std::string add_rack(std::uint32_t rack) {
        steps_.assign(plan_.nodes().size(), far);
        steps_[rack] = 0;
        order_.assign(1, rack);
        for (std::size_t i = 0; i < order_.size(); ++i) {
            const std::uint32_t at = order_[i];
            std::size_t ports = 0;
            std::uint64_t hash = mix64(at);
            for_links(at, [&](std::uint32_t port, std::uint32_t peer) {
                if (steps_[peer] == far) {
                    steps_[peer] = steps_[at] + 1;
                    order_.push_back(peer);
                } else if (steps_[peer] < steps_[at]) {
                    ++ports;
                    hash = mix64(hash ^ port);
                }
            });
            if (ports > bounds_.ports_of_a_choice)
                return fmt::format("{} has {} equal ways to {}; a switch chooses among at most {}",
                                   plan_.nodes()[at].name, ports, plan_.nodes()[rack].name,
                                   bounds_.ports_of_a_choice);
            if (ports > 0 && choices_.insert(hash).second) ports_ += ports;
            if (ports_ > bounds_.ports_in_all)
                return fmt::format(
                    "the switches would have to choose among more ports, over all they send "
                    "to, than their tables hold ({})",
                    bounds_.ports_in_all);
        }
        return "";
    }

    const localise::FabricPlan& plan_;
    const RouteBounds& bounds_;
    std::uint32_t hosts_;                        ///< switches are numbered after them
    std::unordered_set<std::uint64_t> choices_;  ///< hashes of a switch and its ports
    std::size_t ports_ = 0;                      ///< of all of these
    std::vector<std::uint32_t> steps_;           ///< to the present rack, by node
    std::vector<std::uint32_t> order_;
};

}  // namespace

std::string problem_of_routes(const localise::FabricPlan& plan, const RouteBounds& bounds) {
    RouteCounter counter(plan, bounds);
    return counter.may_exceed() ? counter.run() : "";
}

}  // namespace dyetrace::scenario
