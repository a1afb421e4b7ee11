// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a scenario in ns-3 and records it: what was measured and decided, and, apart from that, the truth.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/reader/scenario.h"

namespace dyetrace::runner {

/// How far a run is.
struct Progress {
    double simulated_s = 0;
    double total_s = 0;
    double wall_s = 0;
    std::uint64_t packet_hops = 0;
};

struct RunOptions {
    scenario::Scenario scenario;
    std::filesystem::path database;
    bool force = false;  ///< replace a run database and captures that are there
    std::optional<std::filesystem::path> pcap_directory;  ///< made where it does not exist
    std::uint64_t run = 1;                                ///< replication: same seed, other random numbers
    std::string version;                                  ///< of dyetrace, for provenance
    std::string ns3_version;
    std::function<void(const Progress&)> on_progress;  ///< a few times a second
    const std::atomic<bool>* interrupted = nullptr;    ///< set by a signal handler: stop, keep what there is
};

struct CaptureOutcome {
    std::string port;
    std::string file;
    std::uint64_t packets = 0;
    bool capped = false;
};

struct RunOutcome {
    bool complete = false;  ///< false: interrupted
    std::uint64_t packet_hops = 0;
    double wall_s = 0;
    std::vector<CaptureOutcome> captures;
};

/// Throws `store::Error` and its kind where the database or captures can't be made, std::runtime_error with
/// words otherwise. ns-3 keeps its simulator in globals: one run at a time in a process.
RunOutcome run(const RunOptions& options);

}  // namespace dyetrace::runner
