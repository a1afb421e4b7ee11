// SPDX-License-Identifier: GPL-2.0-or-later
// Topology files, which come from anywhere: each is planned, or refused with errors whose lines it has.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "scenarios/reader/edge_list.h"
#include "scenarios/reader/graphml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dyetrace;
    // The first byte says how to read the rest: an angle bracket begins GraphML and is part of it.
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const scenario::SourceText source("topology", text);
    scenario::Diagnostics diagnostics;
    scenario::FileReport report(source, diagnostics);
    const scenario::Network network =
        text.front() == '<' ? scenario::read_graphml(report) : scenario::read_edge_list(report);
    DYETRACE_ASSERT(network.is_whole || report.has_errors());
    for (const scenario::NetworkEdge& edge : network.edges)
        DYETRACE_ASSERT(edge.from < network.nodes.size() && edge.to < network.nodes.size());
    if (network.is_whole) {
        const auto plan = plan_network(network, {2, 1'000'000'000, Duration::microseconds(1)}, report);
        DYETRACE_ASSERT(plan.has_value() != report.has_errors());
        if (plan) {
            DYETRACE_ASSERT(plan->host_count() > 0 && plan->ports().size() == 2 * plan->cables().size());
            for (const localise::PlannedNode& node : plan->nodes())
                DYETRACE_ASSERT(plan->find(node.name).has_value());
        }
    }
    for (const scenario::Diagnostic& diagnostic : diagnostics.all())
        DYETRACE_ASSERT(diagnostic.line <= source.line_count() && !diagnostic.message.empty());
    return 0;
}
