// SPDX-License-Identifier: GPL-2.0-or-later
// What a scenario says of tenants, services, probes and followed flows, in ns-3.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ns3/dyetrace-clients.h>
#include <ns3/dyetrace-packet-source.h>
#include <ns3/ptr.h>

#include "scenarios/reader/scenario.h"

namespace ns3 {
class DyetraceHelper;
}

namespace dyetrace::runner {

/// Sources by the number of their guest.
using GuestSources = std::map<std::uint32_t, ns3::Ptr<ns3::DyetracePacketSource>>;

/// The tenants with the guests that they have, and all else that the health service serves them with.
ns3::DyetraceClients make_clients(const scenario::Scenario& scenario);

/// Before the hosts are made: has them and the health service let flows be followed where the scenario has
/// any followed, and tells the service whether all clocks show one time.
void set_client_attributes(ns3::DyetraceHelper& helper, const scenario::Scenario& scenario);

/// What happens in the course of a run: instances tell of themselves, flows are asked about.
class ClientRun {
  public:
    /// What became of a flow that was asked about. \param trace its number; 0: `why` it is not followed
    using OnTrace = std::function<void(std::size_t flow, std::uint32_t trace, const std::string& why)>;

    /// All must outlive the simulation; called once its hosts are there.
    ClientRun(ns3::DyetraceHelper& helper, const scenario::Scenario& scenario, const GuestSources& sources);
    void on_trace(OnTrace told) { on_trace_ = std::move(told); }

  private:
    struct Instance {
        std::string service;
        const scenario::ServiceInstance* settings;
        ns3::Ptr<ns3::DyetracePacketSource> source;
        std::uint64_t received_bytes = 0;
    };
    void tell_health();
    void trace(std::size_t flow);

    ns3::DyetraceHelper& helper_;
    const scenario::Scenario& scenario_;
    std::vector<Instance> instances_;
    OnTrace on_trace_;
};

}  // namespace dyetrace::runner
