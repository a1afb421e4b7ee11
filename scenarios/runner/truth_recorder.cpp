// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/truth_recorder.h"

#include <ns3/dyetrace-drop-cause.h>
#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-topology.h>
#include <ns3/dyetrace-truth.h>

namespace dyetrace::runner {

void record_truth_faults(store::RunWriter& writer, const scenario::Scenario& scenario,
                         const ns3::DyetraceFabric& fabric) {
    const ns3::DyetraceTopology& topology = fabric.GetTopology();
    for (const scenario::Fault& fault : scenario.faults) {
        store::TruthFaultRow row;
        row.t_ns = fault.at.ns;
        if (fault.until) row.until_ns = fault.until->ns;
        row.kind = fault.kind == scenario::FaultKind::SilentDrop ? "silent-drop" : "link-down";
        row.from_node = topology.FindNode(fault.from);
        row.to_node = topology.FindNode(fault.to);
        row.probability = fault.probability;
        writer.add_truth_fault(row);
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
