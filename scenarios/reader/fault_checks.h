// SPDX-License-Identifier: GPL-2.0-or-later
// What keys of a [[fault]] must agree with: its kind, the run, and the fabric.
#pragma once

#include <cstddef>

#include "scenarios/reader/node_names.h"
#include "scenarios/reader/reading.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// Keys that its kind has or has not, and its times.
void check_fault(const Scenario& scenario, std::size_t index, const Reading& reading, const Tell& tell);
/// Whether it strikes anything of the fabric.
void check_fault_place(const Scenario& scenario, std::size_t index, NodeNames& names, const Reading& reading,
                       const Tell& tell);

}  // namespace dyetrace::scenario
