// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/simulation.h"

#include <algorithm>
#include <stdexcept>

#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/object-factory.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "core/base/random.h"
#include "ns3-module/model/dyetrace-engines.h"

namespace dyetrace::runner {
namespace {

ns3::Time to_ns3(Duration duration) {
    return ns3::NanoSeconds(duration.ns);
}

std::string hex(const std::array<std::uint8_t, 32>& key) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : key) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0xf];
    }
    return text;
}

void set_fabric(ns3::DyetraceHelper& helper, const scenario::Scenario& s, std::uint64_t seed) {
    helper.SetFabricAttribute("K", ns3::UintegerValue(static_cast<std::uint64_t>(s.fabric.k)));
    helper.SetFabricAttribute("LinkRate", ns3::DataRateValue(ns3::DataRate(s.fabric.link_rate_bps)));
    helper.SetFabricAttribute("LinkDelay", ns3::TimeValue(to_ns3(s.fabric.link_delay)));
    helper.SetFabricAttribute("QueueBytes", ns3::UintegerValue(s.fabric.queue_bytes));
    helper.SetFabricAttribute("Seed", ns3::UintegerValue(seed));
}

void set_hosts(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    const scenario::TrackingSettings& t = s.tracking;
    if (t.key) helper.SetHostAttribute("Key", ns3::StringValue(hex(*t.key)));
    helper.SetHostAttribute("Insecure", ns3::BooleanValue(t.insecure));
    helper.SetHostAttribute("PathCount", ns3::UintegerValue(static_cast<std::uint64_t>(t.paths)));
    // There is no N for a rate of zero; a probability of zero tags nothing either.
    const bool nth = t.sampling == scenario::SamplingKind::EveryNth && t.rate > 0;
    helper.SetHostAttribute("SamplingKind", ns3::StringValue(nth ? "every-nth" : "probability"));
    helper.SetHostAttribute("SamplingRate", ns3::DoubleValue(t.rate));
    helper.SetHostAttribute("ReportInterval", ns3::TimeValue(to_ns3(t.report_interval)));
    helper.SetHostAttribute("PathIdle", ns3::TimeValue(to_ns3(t.path_idle)));
    helper.SetHostAttribute("UpdateInterval", ns3::TimeValue(to_ns3(s.health.update_interval)));
}

void set_guests(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    const scenario::WorkloadSettings& w = s.workload;
    helper.SetGuestAttribute("Begin", ns3::TimeValue(to_ns3(w.start)));
    helper.SetGuestAttribute("End", ns3::TimeValue(to_ns3(w.stop.value_or(s.run.duration))));
    helper.SetGuestAttribute("FlowRate", ns3::DataRateValue(ns3::DataRate(w.flow_rate_bps)));
    helper.SetGuestAttribute("PacketBytes", ns3::UintegerValue(w.packet_bytes));
    std::vector<std::pair<double, double>> sizes;
    for (const auto& point : w.flow_sizes.points())
        sizes.emplace_back(point.bytes, point.cumulative);
    helper.SetTraffic(sizes, w.load);
}

void set_health(ns3::DyetraceHelper& helper, const scenario::Scenario& s) {
    if (s.tracking.key) helper.SetNhmsAttribute("Key", ns3::StringValue(hex(*s.tracking.key)));
    helper.SetNhmsAttribute("Insecure", ns3::BooleanValue(s.tracking.insecure));
    helper.SetNhmsAttribute("EvaluateInterval", ns3::TimeValue(to_ns3(s.health.evaluate_interval)));
    helper.SetNhmsAttribute("Investigation", ns3::TimeValue(to_ns3(s.health.investigation)));
    // A directive never asks for less than what is sampled anyway.
    helper.SetNhmsAttribute("RaisedSamplingRate",
                            ns3::DoubleValue(std::max(s.health.raise_rate, s.tracking.rate)));
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
    // With one event a packet and hop the scheduler is the bottleneck, and this one is the fastest of ns-3's.
    ns3::ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::PriorityQueueScheduler");
    ns3::Simulator::SetScheduler(scheduler);
    set_fabric(*helper_, scenario_, seed_);
    set_hosts(*helper_, scenario_);
    set_guests(*helper_, scenario_);
    set_health(*helper_, scenario_);
    helper_->Install();
    tables_ = make_fabric_tables(*helper_->GetFabric());
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

void Simulation::inject_faults() {
    for (const scenario::Fault& fault : scenario_.faults) {
        const ns3::Time until = fault.until ? to_ns3(*fault.until) : ns3::Time::Max();
        switch (fault.kind) {
            case scenario::FaultKind::SilentDrop:
                helper_->AddSilentDrop(fault.from, fault.to, to_ns3(fault.at), fault.probability, until);
                break;
            case scenario::FaultKind::LinkDown:
                helper_->AddLinkDown(fault.from, fault.to, to_ns3(fault.at), until);
                break;
        }
    }
}

void Simulation::capture(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) throw std::runtime_error(directory.string() + ": " + error.message());
    const auto ports = scenario_.record.pcap.empty() ? usual_captures(scenario_) : scenario_.record.pcap;
    for (const std::string& port : ports)
        helper_->EnablePcap(directory.string(), port);
}

std::vector<std::string> usual_captures(const scenario::Scenario& scenario) {
    std::vector<std::string> ports{"host-0-0-0:edge-0-0"};
    if (!scenario.faults.empty()) {
        const scenario::Fault& fault = scenario.faults.front();
        for (std::string port : {fault.from + ":" + fault.to, fault.to + ":" + fault.from}) {
            if (port != ports.front()) ports.push_back(std::move(port));
        }
    }
    return ports;
}

}  // namespace dyetrace::runner
