// SPDX-License-Identifier: GPL-2.0-or-later
// A scenario built in ns-3: fabric, hosts, guests, health service, faults, captures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ns3/ptr.h>

#include "core/health/nhms.h"
#include "scenarios/reader/scenario.h"
#include "scenarios/runner/clients.h"
#include "scenarios/runner/fabric_tables.h"

namespace ns3 {
class DyetraceEngineListener;
class DyetraceFault;
class DyetraceHelper;
}  // namespace ns3

namespace dyetrace::runner {

class Simulation {
  public:
    /// Sets ns-3's globals (seed, run, scheduler) and builds. Throws std::runtime_error where a distribution
    /// or a capture's directory can't be had.
    Simulation(const scenario::Scenario& scenario, std::uint64_t run);
    ~Simulation();
    Simulation(const Simulation&) = delete;
    Simulation& operator=(const Simulation&) = delete;

    /// Has the health service tell `listener`, which must outlive the simulation.
    void listen(ns3::DyetraceEngineListener& listener);
    /// Of followed flows; see ClientRun.
    void on_trace(ClientRun::OnTrace told) { clients_->on_trace(std::move(told)); }
    /// Has the health service tell what has not come to its end.
    void settle_clients();
    void inject_faults();
    /// In the order of the scenario; known once they are injected.
    [[nodiscard]] const std::vector<ns3::Ptr<ns3::DyetraceFault>>& faults() const { return faults_; }
    void capture(const std::filesystem::path& directory);

    [[nodiscard]] ns3::DyetraceHelper& helper() { return *helper_; }
    [[nodiscard]] const FabricTables& tables() const { return tables_; }
    [[nodiscard]] std::uint32_t health_host() const { return health_host_; }
    [[nodiscard]] const health::Nhms& nhms() const;
    [[nodiscard]] std::uint32_t host_count() const;

  private:
    void build(std::uint64_t run);

    const scenario::Scenario& scenario_;
    std::uint64_t seed_;
    std::unique_ptr<ns3::DyetraceHelper> helper_;
    std::vector<ns3::Ptr<ns3::DyetraceFault>> faults_;
    GuestSources sources_;
    std::unique_ptr<ClientRun> clients_;
    FabricTables tables_;
    std::uint32_t health_host_ = 0;
};

}  // namespace dyetrace::runner
