// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the routes of a fabric fit into the forwarding tables of ns3-module's switches
// (dyetrace-routes.h), which ways of no regular shape may outgrow.
#pragma once

#include <cstddef>
#include <string>

#include "core/localise/fabric_plan.h"

namespace dyetrace::scenario {

struct RouteBounds {
    std::size_t ports_of_a_choice = 255;
    std::size_t ports_in_all = 1 << 24;  ///< of all choices; equal ones of a switch are stored once
};

/// Why the routes don't fit; empty where they do. Works them out only where the number of links leaves it
/// open, which takes seconds for thousands of switches with dozens of links each.
[[nodiscard]] std::string problem_of_routes(const localise::FabricPlan& plan, const RouteBounds& bounds = {});

}  // namespace dyetrace::scenario
