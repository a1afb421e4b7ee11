// SPDX-License-Identifier: GPL-2.0-or-later
// A fat-tree under real load, in small: flows of web-search sizes, paced, on random paths; queues that fill
// and drop; one link that loses silently. It yields what a health service would be told, and nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/localise/evidence.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::localise::test {

struct CongestedFabricConfig {
    std::uint64_t seed = 1;
    std::uint32_t arity = 6;
    double load = 0.25;  ///< of each host's link
    Duration duration = Duration::milliseconds(1500);
    Duration report_interval = Duration::milliseconds(20);
    std::uint32_t packets_per_tag = 100;
    // The fault; on a random link between aggregation and core.
    double fault_rate = 0;  ///< 0: none
    Duration fault_at = Duration::milliseconds(500);
};

struct Telling {
    PathKey key;
    Time at;
    PathTotals totals;
};

struct LearnedPath {
    PathKey key;
    Time at;
    std::vector<NodeId> hops;
};

struct CongestedRun {
    FabricGraph graph;
    std::vector<LearnedPath> paths;
    std::vector<Telling> records;
    // Truth, for scoring.
    std::optional<LinkId> faulty;
    std::uint64_t packets = 0;
    std::uint64_t lost_to_queues = 0;
    std::uint64_t lost_to_fault = 0;
    std::uint64_t crossed_faulty = 0;  ///< packets over the faulty link while it was faulty
};

/// Hosts, edge, aggregation and core switches, named as everywhere: "host-0-0-0", "agg-0-1", "core-3".
[[nodiscard]] FabricGraph make_fat_tree(std::uint32_t arity);

[[nodiscard]] CongestedRun run_congested_fabric(const CongestedFabricConfig& config);

}  // namespace dyetrace::localise::test
