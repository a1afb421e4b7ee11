// SPDX-License-Identifier: GPL-2.0-or-later
// The other side of a run: what the simulator knows really happened, into tables of its own. Used to score
// the measurements, never to make them.
#pragma once

#include "analysis/store/run_writer.h"
#include "scenarios/reader/scenario.h"

namespace ns3 {
class DyetraceFabric;
class DyetraceTruth;
}  // namespace ns3

namespace dyetrace::runner {

/// Before the run: the faults that it will inject. Rows refer to nodes by the topology's numbers.
void record_truth_faults(store::RunWriter& writer, const scenario::Scenario& scenario,
                         const ns3::DyetraceFabric& fabric);
/// After it: what was dropped where, and what became of every measured interval's packets.
void record_truth(store::RunWriter& writer, const ns3::DyetraceFabric& fabric,
                  const ns3::DyetraceTruth& truth);

}  // namespace dyetrace::runner
