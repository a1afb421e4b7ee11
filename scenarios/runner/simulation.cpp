// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/simulation.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/nstime.h>
#include <ns3/object-factory.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/uinteger.h>

#include "core/base/random.h"
#include "ns3-module/model/dyetrace-engines.h"
#include "scenarios/reader/fault_kinds.h"
#include "scenarios/reader/workload_kinds.h"
#include "scenarios/runner/attributes.h"
#include "scenarios/runner/captures.h"

namespace dyetrace::runner {
namespace {

void set_fabric(ns3::DyetraceHelper& helper, const scenario::Scenario& s, std::uint64_t seed) {
    for (const KeyAttribute& one : fabric_attributes())
        helper.SetFabricAttribute(one.attribute, *one.value(s));
    helper.SetFabricAttribute("Seed", ns3::UintegerValue(seed));
    // A fat-tree is made of its K, which is an attribute.
    if (s.fabric.kind != scenario::FabricKind::FatTree)
        helper.SetTopology(ns3::DyetraceTopology::FromPlan(*s.fabric.plan));
}

void set_hosts(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    for (const KeyAttribute& one : host_attributes())
        helper.SetHostAttribute(one.attribute, *one.value(s));
    for (const scenario::Clock& clock : s.clocks) {
        for (const ClockKeyAttribute& one : clock_attributes())
            helper.SetHostAttribute(clock.hosts, one.attribute, *one.value(clock));
    }
}

/// The guests of the workloads: those of the first are there anyway. \return the number of each group
std::vector<std::uint32_t> add_guests(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    std::vector<std::uint32_t> groups;
    if (!s.workloads.empty()) helper.SetVni(s.workloads.front().vni);
    for (std::size_t i = 1; i < s.workloads.size(); ++i)
        groups.push_back(helper.AddGuestGroup(s.workloads[i].hosts, s.workloads[i].vni));
    return groups;
}

/// The guest of these that a host carries.
std::uint32_t guest_on(const ns3::DyetraceHelper& helper, const std::vector<std::uint32_t>& guests,
                       const std::string& host) {
    const std::uint32_t node = helper.GetFabric()->GetTopology().FindNode(host);
    return *std::find_if(guests.begin(), guests.end(),
                         [&](std::uint32_t guest) { return (*helper.GetGuests())[guest].host == node; });
}

/// \return how many streams of ns-3's random numbers it took, from `stream` on
std::int64_t install_workload(ns3::DyetraceHelper& helper, const scenario::WorkloadSettings& workload,
                              Duration end, const std::vector<std::uint32_t>& guests, std::int64_t stream,
                              GuestSources& made) {
    const scenario::WorkloadKindInfo& info = scenario::info_of(workload.kind);
    ns3::DyetraceSourceHelper sources(source_type(workload.kind).GetName());
    for (const WorkloadKeyAttribute& one : workload_attributes()) {
        if (scenario::has_key(info, one.key)) sources.SetAttribute(one.attribute, *one.value(workload));
    }
    sources.SetAttribute("Stop", ns3::TimeValue(ns3::NanoSeconds(workload.stop.value_or(end).ns)));
    if (workload.kind == scenario::WorkloadKind::Flows) {
        std::vector<std::pair<double, double>> sizes;
        for (const auto& point : workload.flow_sizes.points())
            sizes.emplace_back(point.bytes, point.cumulative);
        sources.SetFlows(sizes, workload.load);
    }
    if (workload.receiver && scenario::has_key(info, "receiver"))
        sources.SetAttribute("Receiver", ns3::UintegerValue(guest_on(helper, guests, *workload.receiver)));
    sources.Install(helper, guests);
    for (std::size_t i = 0; i < guests.size(); ++i)
        made[guests[i]] = sources.GetSources()[i];
    // Only times on and off are ns-3's to draw; all else follows from the seed and a guest's number.
    return workload.kind == scenario::WorkloadKind::OnOff ? sources.AssignStreams(stream) : 0;
}

void install_workloads(ns3::DyetraceHelper& helper, const scenario::Scenario& s,
                       const std::vector<std::uint32_t>& groups, GuestSources& made) {
    std::int64_t stream = 0;
    for (std::size_t i = 0; i < s.workloads.size(); ++i) {
        const scenario::WorkloadSettings& workload = s.workloads[i];
        const auto guests =
            i == 0 ? helper.GetHostGuests(workload.hosts) : helper.GetGuestGroup(groups[i - 1]);
        stream += install_workload(helper, workload, s.run.duration, guests, stream, made);
    }
}

void set_health(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    for (const KeyAttribute& one : nhms_attributes())
        helper.SetNhmsAttribute(one.attribute, *one.value(s));
    for (const KeyAttribute& one : placement_attributes())
        helper.SetPlacementAttribute(one.attribute, *one.value(s));
    helper.SetNhmsHost(s.health.host);
}

}  // namespace

Simulation::Simulation(const scenario::Scenario& scenario, std::uint64_t run)
    : scenario_(scenario),
      seed_(mix64(mix64(scenario.run.seed) ^ run)),
      helper_(std::make_unique<ns3::DyetraceHelper>()) {
    build(run);
}

Simulation::~Simulation() {
    helper_->Dispose();
    helper_.reset();
    ns3::Simulator::Destroy();
}

void Simulation::build(std::uint64_t run) {
    // ns-3 wants a 32-bit seed that is not zero.
    ns3::RngSeedManager::SetSeed(static_cast<std::uint32_t>(scenario_.run.seed % 4294967295U) + 1);
    ns3::RngSeedManager::SetRun(run);
    // It takes events in the same order as ns-3's own, in less time.
    ns3::ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::DyetraceScheduler");
    ns3::Simulator::SetScheduler(scheduler);
    set_fabric(*helper_, scenario_, seed_);
    set_hosts(*helper_, scenario_);
    set_health(*helper_, scenario_);
    set_client_attributes(*helper_, scenario_);
    const std::vector<std::uint32_t> groups = add_guests(*helper_, scenario_);
    helper_->Install();
    install_workloads(*helper_, scenario_, groups, sources_);
    clients_ = std::make_unique<ClientRun>(*helper_, scenario_, sources_);
    tables_ = make_fabric_tables(*helper_->GetFabric(), helper_->GetHosts().front()->IsIpv6());
    health_host_ = helper_->GetFabric()->GetTopology().FindNode(scenario_.health.host);
}

std::uint32_t Simulation::host_count() const {
    return helper_->GetFabric()->GetTopology().GetNHosts();
}

const health::Nhms& Simulation::nhms() const {
    return ns3::DyetraceEngines::GetNhms(*helper_->GetNhms());
}

void Simulation::listen(ns3::DyetraceEngineListener& listener) {
    ns3::DyetraceEngines::Listen(*helper_->GetNhms(), &listener);
}

void Simulation::settle_clients() {
    helper_->GetNhms()->SettleClients();
}

void Simulation::inject_faults() {
    for (const scenario::Fault& fault : scenario_.faults) {
        const scenario::FaultKindInfo& info = scenario::info_of(fault.kind);
        const ns3::Ptr<ns3::DyetraceFault> made = ns3::DyetraceFault::Create(info.name);
        for (const FaultKeyAttribute& one : fault_attributes()) {
            if (scenario::has_key(info, one.key)) made->SetAttribute(one.attribute, *one.value(fault));
        }
        helper_->GetFabric()->AddFault(made);
        faults_.push_back(made);
    }
}

void Simulation::capture(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) throw std::runtime_error(directory.string() + ": " + error.message());
    for (const std::string& port : captured_ports(scenario_))
        helper_->EnablePcap(directory.string(), port);
}

}  // namespace dyetrace::runner
