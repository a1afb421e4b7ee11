// SPDX-License-Identifier: GPL-2.0-or-later
// The other side of a run: what the simulator knows really happened, into tables of its own. Used to score
// the measurements, never to make them.
#pragma once

#include <vector>

#include <ns3/ptr.h>

#include "analysis/store/run_writer.h"
#include "scenarios/reader/scenario.h"

namespace ns3 {
class DyetraceFabric;
class DyetraceFault;
class DyetraceTruth;
}  // namespace ns3

namespace dyetrace::runner {

/// Before the run: what each injected fault strikes, a row for each link, and for each node a row from it to
/// itself. Of a cable that is struck whole there is one row. \param faults in the order of the scenario
void record_truth_faults(store::RunWriter& writer, const scenario::Scenario& scenario,
                         const std::vector<ns3::Ptr<ns3::DyetraceFault>>& faults,
                         const ns3::DyetraceFabric& fabric);
/// After it: what was dropped where, and what became of every measured interval's packets.
void record_truth(store::RunWriter& writer, const ns3::DyetraceFabric& fabric,
                  const ns3::DyetraceTruth& truth);

}  // namespace dyetrace::runner
