// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold between tenants, their services, probes and followed flows, and the rest of the scenario.
#pragma once

#include "scenarios/reader/node_names.h"
#include "scenarios/reader/reading.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// `scenario.fabric` has a plan, and `names` are its.
void check_clients(const Scenario& scenario, NodeNames& names, const Reading& reading, const Tell& tell);

}  // namespace dyetrace::scenario
