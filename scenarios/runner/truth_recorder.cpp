// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/truth_recorder.h"

#include <ns3/dyetrace-drop-cause.h>
#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-fault.h>
#include <ns3/dyetrace-topology.h>
#include <ns3/dyetrace-truth.h>

#include "core/base/name_pattern.h"
#include "scenarios/reader/fault_kinds.h"

namespace dyetrace::runner {

namespace {

/// Of each packet or flow to be struck, where the kind has such a thing.
double probability_of(const scenario::Fault& fault) {
    if (fault.kind == scenario::FaultKind::FlowDrop) return fault.match.rules.empty() ? fault.share : 1;
    return scenario::has_key(scenario::info_of(fault.kind), "probability") ? fault.probability : 1;
}

/// Whether `link` is struck only as the way back of one that the scenario names.
bool is_other_half(const ns3::DyetraceTopology& topology, std::uint32_t link, const scenario::Fault& fault) {
    return !matches_name_pattern(fault.from, topology.GetNode(topology.GetFrom(link)).name) ||
           !matches_name_pattern(fault.to, topology.GetNode(topology.GetTo(link)).name);
}

}  // namespace

void record_truth_faults(store::RunWriter& writer, const scenario::Scenario& scenario,
                         const std::vector<ns3::Ptr<ns3::DyetraceFault>>& faults,
                         const ns3::DyetraceFabric& fabric) {
    const ns3::DyetraceTopology& topology = fabric.GetTopology();
    for (std::size_t i = 0; i < faults.size(); ++i) {
        const scenario::Fault& fault = scenario.faults[i];
        store::TruthFaultRow row;
        row.t_ns = fault.at.ns;
        if (fault.until) row.until_ns = fault.until->ns;
        row.kind = faults[i]->GetKind();
        row.probability = probability_of(fault);
        for (const std::uint32_t link : faults[i]->GetLinks()) {
            if (!fault.both_ways && is_other_half(topology, link, fault)) continue;
            row.from_node = topology.GetFrom(link);
            row.to_node = topology.GetTo(link);
            writer.add_truth_fault(row);
        }
        for (const std::uint32_t node : faults[i]->GetNodes()) {
            row.from_node = node;
            row.to_node = node;
            writer.add_truth_fault(row);
        }
    }
}

void record_truth(store::RunWriter& writer, const ns3::DyetraceFabric& fabric,
                  const ns3::DyetraceTruth& truth) {
    const ns3::DyetraceTopology& topology = fabric.GetTopology();
    for (const auto& drops : truth.GetLinkDrops()) {
        writer.add_truth_drop({topology.GetFrom(drops.link), topology.GetTo(drops.link),
                               ns3::DyetraceDropCauseName(drops.cause), drops.dataPackets, drops.packets});
    }
    for (const auto& interval : truth.GetIntervals()) {
        store::TruthPathRow row;
        row.requester_node = topology.FindHost(interval.requester);
        row.acceptor_node = topology.FindHost(interval.acceptor);
        row.session_id = interval.session;
        row.path_index = interval.path;
        row.generation = interval.generation;
        row.interval = interval.interval;
        row.sent = interval.sent;
        row.lost = interval.lost;
        writer.add_truth_path(row);
    }
}

}  // namespace dyetrace::runner
