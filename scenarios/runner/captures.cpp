// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/captures.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <ns3/dyetrace-helper.h>
#include <unistd.h>

#include "analysis/store/error.h"
#include "analysis/store/output_path.h"
#include "core/base/name_pattern.h"
#include "scenarios/reader/fault_kinds.h"

namespace dyetrace::runner {
namespace {

// The four bytes that begin a pcap file with nanoseconds, low byte first, as the fabric writes them.
constexpr std::string_view capture_begin = "\x4d\x3c\xb2\xa1";

bool is_capture(const std::filesystem::path& file) {
    return store::first_bytes(file, capture_begin.size()) == capture_begin;
}

/// Of a folder that is not there it asks the nearest one above that is.
void check_directory(const std::filesystem::path& directory) {
    std::error_code error;
    auto there = std::filesystem::absolute(directory);
    while (!std::filesystem::exists(there, error) && there.has_relative_path())
        there = there.parent_path();
    if (!std::filesystem::is_directory(there, error))
        throw store::CannotWrite(there.string() + " is not a folder: no captures can be written there");
    if (access(there.c_str(), W_OK | X_OK) != 0)
        throw store::CannotWrite(there.string() + " takes no captures: " + std::strerror(errno));
}

/// Ports to capture where the scenario lists none.
std::vector<std::string> usual_captures(const scenario::Scenario& scenario) {
    // A host's only port is its first, and host 0's is the first of all.
    const localise::FabricPlan& plan = *scenario.fabric.plan;
    const localise::PlannedPort& uplink = plan.ports().front();
    std::vector<std::string> ports{plan.nodes()[uplink.node].name + ":" + plan.nodes()[uplink.peer].name};
    if (!scenario.faults.empty()) {
        const scenario::Fault& fault = scenario.faults.front();
        const bool is_one_link = scenario::info_of(fault.kind).place == scenario::FaultPlace::Links &&
                                 !is_name_pattern(fault.from) && !is_name_pattern(fault.to);
        if (!is_one_link) return ports;
        for (std::string port : {fault.from + ":" + fault.to, fault.to + ":" + fault.from}) {
            if (port != ports.front()) ports.push_back(std::move(port));
        }
    }
    return ports;
}

}  // namespace

std::vector<std::string> captured_ports(const scenario::Scenario& scenario) {
    return scenario.record.pcap.empty() ? usual_captures(scenario) : scenario.record.pcap;
}

void check_captures(const std::filesystem::path& directory, const scenario::Scenario& scenario, bool force) {
    check_directory(directory);
    for (const std::string& port : captured_ports(scenario)) {
        store::refuse_existing(ns3::DyetraceHelper::GetPcapFile(directory.string(), port), force,
                               {"a capture", is_capture});
    }
}

}  // namespace dyetrace::runner
