// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/clients.h"

#include <algorithm>

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/uinteger.h>

#include "core/base/result.h"
#include "scenarios/reader/guests.h"

namespace dyetrace::runner {
namespace {

using scenario::Scenario;

constexpr Duration kTellInterval = Duration::milliseconds(100);
constexpr std::uint64_t kFlowsOfAHost = 4;  // as many as an EPPC can follow

std::uint32_t guest_of(const Scenario& s, const std::string& tenant, const std::string& name) {
    const auto guests = scenario::guests_of(s, *scenario::find_tenant(s, tenant));
    const scenario::NamedGuest* const guest = scenario::find_guest(guests, name);
    DYETRACE_ASSERT(guest != nullptr);  // the reader has seen to that
    return guest->guest.number;
}

bool clocks_are_one(const Scenario& s) {
    return s.clocks.empty() && std::none_of(s.faults.begin(), s.faults.end(), [](const auto& fault) {
               return fault.kind == scenario::FaultKind::ClockChange;
           });
}

}  // namespace

ns3::DyetraceClients make_clients(const Scenario& s) {
    ns3::DyetraceClients clients;
    for (const scenario::TenantSettings& settings : s.tenants) {
        ns3::DyetraceTenant& tenant = clients.tenants.emplace_back();
        tenant.name = settings.name;
        tenant.vnis = settings.vnis;
        for (const scenario::NamedGuest& guest : scenario::guests_of(s, settings))
            tenant.guests.push_back({guest.name, guest.guest.number});
        for (const scenario::TenantCondition& condition : settings.conditions)
            tenant.conditions.push_back({condition.name, condition.text});
        for (const scenario::TenantSubscription& subscription : settings.subscriptions)
            tenant.subscriptions.push_back(subscription.state);
    }
    for (const scenario::ServiceSettings& service : s.services) {
        for (const scenario::ServiceInstance& instance : service.instances)
            clients.instances.push_back({service.name, instance.name, service.tenant, instance.guest});
    }
    for (const scenario::ProbeSettings& probe : s.probes) {
        const scenario::TenantSettings& tenant = *scenario::find_tenant(s, probe.tenant);
        clients.probes.push_back({probe.name, probe.tenant,
                                  scenario::vni_of(probe, tenant, scenario::guests_of(s, tenant)),
                                  probe.from.value_or(""), probe.to.value_or(""), probe.share});
    }
    return clients;
}

void set_client_attributes(ns3::DyetraceHelper& helper, const Scenario& s) {
    helper.SetNhmsAttribute("ClocksAreOne", ns3::BooleanValue(clocks_are_one(s)));
    if (s.flow_traces.empty() && s.probes.empty()) return;
    std::uint32_t capture = 0;
    for (const scenario::FlowTraceSettings& trace : s.flow_traces)
        capture = std::max(capture, trace.capture_bytes);
    helper.SetNhmsAttribute("FlowTraces", ns3::BooleanValue(true));
    helper.SetNhmsAttribute("FlowCapture", ns3::UintegerValue(capture));
    helper.SetHostAttribute("FlowTraces", ns3::UintegerValue(kFlowsOfAHost));
    helper.SetHostAttribute("FlowCapture", ns3::UintegerValue(capture));
}

ClientRun::ClientRun(ns3::DyetraceHelper& helper, const Scenario& s, const GuestSources& sources)
    : helper_(helper), scenario_(s) {
    if (s.tenants.empty()) return;
    helper_.GetNhms()->SetClients(make_clients(s), helper_.GetGuests());
    for (const scenario::ServiceSettings& service : s.services) {
        for (const scenario::ServiceInstance& instance : service.instances) {
            const auto source = sources.find(guest_of(s, service.tenant, instance.guest));
            DYETRACE_ASSERT(source != sources.end());
            instances_.push_back({service.name, &instance, source->second, 0});
        }
    }
    if (!instances_.empty()) ns3::Simulator::ScheduleNow(&ClientRun::tell_health, this);
    for (std::size_t i = 0; i < s.flow_traces.size(); ++i)
        ns3::Simulator::Schedule(ns3::NanoSeconds(s.flow_traces[i].at.ns), &ClientRun::trace, this, i);
}

void ClientRun::tell_health() {
    for (Instance& instance : instances_) {
        const std::uint64_t received = instance.source->GetReceivedBytes();
        double own = instance.settings->own_health;
        if (instance.settings->capacity_bps) {
            const double bps =
                8 * static_cast<double>(received - instance.received_bytes) / kTellInterval.in_seconds();
            own *= std::max(0.0, 1 - bps / static_cast<double>(*instance.settings->capacity_bps));
        }
        instance.received_bytes = received;
        helper_.GetNhms()->SetOwnHealth(instance.service, instance.settings->name, own);
    }
    ns3::Simulator::Schedule(ns3::NanoSeconds(kTellInterval.ns), &ClientRun::tell_health, this);
}

void ClientRun::trace(std::size_t flow) {
    const scenario::FlowTraceSettings& settings = scenario_.flow_traces[flow];
    ns3::DyetraceFlowTraceRequest request;
    request.from = guest_of(scenario_, settings.tenant, settings.from);
    request.to = guest_of(scenario_, settings.tenant, settings.to);
    request.protocol = static_cast<std::uint8_t>(settings.protocol);
    request.sourcePort = static_cast<std::uint16_t>(settings.source_port);
    request.destinationPort = static_cast<std::uint16_t>(settings.destination_port);
    request.stages = settings.stages;
    request.packets = static_cast<std::uint16_t>(settings.packets);
    request.capturedPackets = static_cast<std::uint16_t>(settings.captured_packets);
    request.captureBytes = static_cast<std::uint16_t>(settings.capture_bytes);
    request.duration = ns3::NanoSeconds(settings.duration.ns);
    std::string why;
    const std::uint32_t trace = helper_.GetNhms()->TraceFlow(request, &why);
    if (on_trace_) on_trace_(flow, trace, why);
}

}  // namespace dyetrace::runner
