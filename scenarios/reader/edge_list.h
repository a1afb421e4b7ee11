// SPDX-License-Identifier: GPL-2.0-or-later
// A network as a list of its links, one a line: two names, then perhaps a rate and a delay.
//
//     # comment
//     paris lyon 10Gbps 2ms
//     lyon  turin - 3ms          "-": as the scenario says
//     host  web-1                declares a host; a link to a switch hangs it on
//     web-1 paris
#pragma once

#include "scenarios/reader/network.h"

namespace dyetrace::scenario {

/// Reads a whole file; tells everything that is wrong in it.
[[nodiscard]] Network read_edge_list(FileReport& report);

}  // namespace dyetrace::scenario
