// SPDX-License-Identifier: GPL-2.0-or-later
// Writes down what tenants have, what they were told, and what was seen of followed flows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "analysis/store/run_writer.h"
#include "core/health/events.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::runner {

class ClientRecorder {
  public:
    /// Both must outlive it.
    ClientRecorder(store::RunWriter& writer, const scenario::Scenario& scenario)
        : writer_(writer), scenario_(scenario) {}

    /// The tenants themselves. Nodes have been added.
    void add_tenants();
    /// A flow was asked about. \param flow its number in the scenario \param trace 0: `why` it is not
    /// followed
    void add_trace(std::size_t flow, std::uint32_t trace, const std::string& why, std::int64_t t_ns);

    void record(const health::TenantNotified& told);
    void record(const health::PairsTold& told);
    void record(const health::ShareTold& told);
    void record(const health::InstanceScored& told);
    void record(const health::ProbeTold& told);
    void record(const health::FlowTraced& traced, const localise::FabricGraph& graph);

  private:
    void add_stretch(store::RowId trace, const char* name, const health::StageDelay& delay);
    void add_packet(store::RowId trace, const health::FlowTraceResult::Packet& packet);
    void add_hops(store::RowId trace, const health::FlowTraceResult::Path& path,
                  const localise::FabricGraph& graph);

    store::RunWriter& writer_;
    const scenario::Scenario& scenario_;
    std::map<std::string, store::RowId, std::less<>> tenants_;
    std::map<std::string, store::RowId> service_tenants_;  ///< by service
    std::map<std::uint32_t, store::FlowTraceRow> traces_;  ///< by the health service's number
};

}  // namespace dyetrace::runner
