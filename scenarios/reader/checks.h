// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold between the values of a scenario, each of which is fine by itself.
#pragma once

#include "scenarios/reader/reading.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

/// Tells whatever does not hold. Compares only values that were read without error.
void check_consistency(const Scenario& scenario, const Reading& reading, const Tell& tell);

}  // namespace dyetrace::scenario
