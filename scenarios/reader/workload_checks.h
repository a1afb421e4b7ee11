// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold between the values of one workload, and of all of them together.
#pragma once

#include "scenarios/reader/node_names.h"
#include "scenarios/reader/reading.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// Times, rates and keys.
void check_workloads(const Scenario& scenario, const Reading& reading, const Tell& tell);
/// Which hosts take part; `scenario.fabric` has a plan.
void check_workload_hosts(const Scenario& scenario, NodeNames& names, const Reading& reading,
                          const Tell& tell);

}  // namespace dyetrace::scenario
