// SPDX-License-Identifier: GPL-2.0-or-later
// A fabric as it is planned: nodes with names, places and addresses, the cables between them, and the number
// of every port. The simulator builds from it, and a scenario's names are checked against it.
//
// Nodes are numbered from 0, hosts first, rack by rack; then the switches in the order of adding. Ports are
// numbered through, node by node, and a port's number is also that of the directed link that leaves it. A
// node's ports are in the order in which the cables name it, those to hosts first; cables are numbered in the
// order of adding. A rack is a switch that has hosts; its hosts have .2, .3, ... of its own /24 inside 10/8,
// the switch .1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace dyetrace::localise {

enum class PlanTier : std::uint8_t { Host, Edge, Aggregation, Core };

/// Of a pod, rack, node or link that is not there.
constexpr std::uint32_t kPlanNone = 0xffffffff;
/// Addresses .2 to .254 of a rack's /24.
constexpr std::uint32_t kRackHostsMost = 253;

struct PlannedNode {
    std::string name;
    PlanTier tier = PlanTier::Host;
    std::uint32_t pod = kPlanNone;
    std::uint32_t position = 0;  ///< of a switch: within its tier and pod; of a host: within its rack
    std::uint32_t column = 0;    ///< from left to right within tier and pod: a host stands under its switch
    std::uint32_t rack = kPlanNone;  ///< of a host and of the switch it hangs on
    Ipv4Address address;
    std::uint32_t first_port = 0;
    std::uint32_t port_count = 0;
};

/// What a cable carries; none: as the fabric's links do.
struct CableSettings {
    std::uint64_t rate_bps = 0;  ///< 0: none
    std::optional<Duration> delay{};
};

struct PlannedCable {
    std::uint32_t lower = 0;  ///< the node nearer to the hosts, where one is
    std::uint32_t upper = 0;
    CableSettings settings;
};

struct PlannedPort {
    std::uint32_t node = 0;
    std::uint32_t peer = 0;     ///< node at the other end
    std::uint32_t reverse = 0;  ///< port at the other end
    std::uint32_t cable = 0;
    std::uint32_t direction = 0;  ///< 0: from the cable's lower end to its upper one
};

class FabricPlan {
  public:
    [[nodiscard]] const std::vector<PlannedNode>& nodes() const { return nodes_; }
    [[nodiscard]] const std::vector<PlannedCable>& cables() const { return cables_; }
    [[nodiscard]] const std::vector<PlannedPort>& ports() const { return ports_; }
    /// The switch of each rack.
    [[nodiscard]] const std::vector<std::uint32_t>& rack_switches() const { return rack_switches_; }
    [[nodiscard]] std::size_t host_count() const { return host_count_; }
    [[nodiscard]] std::size_t switch_count() const { return nodes_.size() - host_count_; }

    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint32_t> find(Ipv4Address address) const;
    /// The port of `from` that leads to `to`.
    [[nodiscard]] std::optional<std::uint32_t> link(std::uint32_t from, std::uint32_t to) const;
    /// Nodes in the order of their names, and of their addresses.
    [[nodiscard]] const std::vector<std::uint32_t>& by_name() const { return by_name_; }
    [[nodiscard]] const std::vector<std::uint32_t>& by_address() const { return by_address_; }

  private:
    friend class FabricPlanner;

    std::vector<PlannedNode> nodes_;
    std::vector<PlannedCable> cables_;
    std::vector<PlannedPort> ports_;
    std::vector<std::uint32_t> rack_switches_;
    std::vector<std::uint32_t> by_name_;
    std::vector<std::uint32_t> by_address_;
    std::uint32_t host_count_ = 0;
};

/// Takes switches, hosts and cables, and makes a plan of them.
class FabricPlanner {
  public:
    struct Switch {
        std::string name;
        std::optional<PlanTier> tier{};      ///< none: edge where it has hosts, core where it has none
        std::uint32_t pod = kPlanNone;       ///< None: in no pod
        std::uint32_t position = kPlanNone;  ///< None: the next of its tier and pod
        Ipv4Address address{};               ///< unspecified: the next /24, or one of those behind the racks
    };

    /// \return its number among the switches, which is how the rest is told of it
    std::uint32_t add_switch(Switch added);
    /// A host with its cable.
    void add_host(std::string name, std::uint32_t at, CableSettings settings = {});
    /// A cable between two switches; `lower` is the one nearer to the hosts, if any is.
    void add_cable(std::uint32_t lower, std::uint32_t upper, CableSettings settings = {});

    /// Words that name the object where the parts make no fabric: a cable that leads nowhere, to its own
    /// switch or beside another, a name that two have or nobody may have, a rack that is too large, a fabric
    /// without hosts, in two pieces, or with more racks than 10/8 has /24s.
    [[nodiscard]] Result<FabricPlan, std::string> finish() &&;

  private:
    struct Host {
        std::string name;
        std::uint32_t at = 0;  ///< the switch
    };
    struct Cable {
        bool to_host = false;
        std::uint32_t lower = 0;  ///< a host's place in hosts_, or a switch
        std::uint32_t upper = 0;
        CableSettings settings;
    };
    /// Of each switch and host, its number in the plan.
    struct Numbers {
        std::vector<std::uint32_t> hosts;
        std::vector<std::uint32_t> racks;  ///< by switch
    };

    [[nodiscard]] std::string problem_of_ends() const;
    [[nodiscard]] std::string problem_of_pairs() const;
    [[nodiscard]] std::string problem_of_racks() const;
    [[nodiscard]] std::string problem_of_reach() const;
    [[nodiscard]] Numbers number(FabricPlan& plan) const;
    void add_nodes(FabricPlan& plan, const Numbers& numbers);
    void add_ports(FabricPlan& plan, const Numbers& numbers) const;
    static void give_addresses(FabricPlan& plan);
    static void give_columns(FabricPlan& plan);
    [[nodiscard]] static std::string index_names(FabricPlan& plan);
    [[nodiscard]] static std::string index_addresses(FabricPlan& plan);

    std::vector<Switch> switches_;
    std::vector<Host> hosts_;
    std::vector<Cable> cables_;
};

}  // namespace dyetrace::localise
