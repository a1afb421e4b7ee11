// SPDX-License-Identifier: GPL-2.0-or-later
// Which ports a run captures, and whether their files may be written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenarios/reader/scenario.h"

namespace dyetrace::runner {

/// `record.pcap`; where it lists none the uplink of the first host and both ends of the first fault's link.
std::vector<std::string> captured_ports(const scenario::Scenario& scenario);

/// Throws `store::CannotWrite` where `directory` cannot be made or written to, and `store::OutputExists`
/// where a capture is there already, unless `force`, or a file of its name that is none. Changes nothing.
void check_captures(const std::filesystem::path& directory, const scenario::Scenario& scenario, bool force);

}  // namespace dyetrace::runner
