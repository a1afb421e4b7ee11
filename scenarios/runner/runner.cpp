// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/runner.h"

#include <chrono>
#include <ctime>

#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>

#include "analysis/store/run_writer.h"
#include "scenarios/runner/captures.h"
#include "scenarios/runner/client_recorder.h"
#include "scenarios/runner/recorder.h"
#include "scenarios/runner/sha256.h"
#include "scenarios/runner/simulation.h"
#include "scenarios/runner/truth_recorder.h"

namespace dyetrace::runner {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

void write_provenance(store::RunWriter& writer, const RunOptions& options) {
    const scenario::Scenario& s = options.scenario;
    std::string overrides;
    for (const std::string& one : s.overrides)
        overrides += one + "\n";
    writer.set_provenance("scenario_path", s.path);
    writer.set_provenance("scenario_text", s.text);
    writer.set_provenance("scenario_overrides", overrides);
    writer.set_provenance("scenario_sha256", sha256_hex(s.text + overrides));
    if (!s.fabric.topology_path.empty()) {
        writer.set_provenance("topology_path", s.fabric.topology_path);
        writer.set_provenance("topology_text", s.fabric.topology_text);
        writer.set_provenance("topology_sha256", sha256_hex(s.fabric.topology_text));
    }
    writer.set_provenance("seed", std::to_string(s.run.seed));
    writer.set_provenance("run", std::to_string(options.run));
    writer.set_provenance("version", options.version);
    writer.set_provenance("ns3_version", options.ns3_version);
    writer.set_provenance("started_utc", utc_now());
}

void write_fabric(store::RunWriter& writer, const FabricTables& tables) {
    for (const store::NodeRow& node : tables.nodes)
        writer.add_node(node);
    for (const store::LinkRow& link : tables.links)
        writer.add_link(link);
}

/// Steps through a run: traffic, orderly close, drain. Looks at the wall clock between steps, so that
/// progress, commits and interruption need no thread; the steps themselves change nothing in the simulation.
class Driver {
  public:
    Driver(const RunOptions& options, Simulation& simulation, store::RunWriter& writer,
           Clock::time_point start)
        : options_(options), simulation_(simulation), writer_(writer), start_(start) {
        const scenario::RunSettings& run = options.scenario.run;
        total_ = run.duration + run.drain;
        step_ = Duration{std::max<std::int64_t>(total_.ns / 400, 1)};
    }

    /// Returns whether the run came to its end.
    bool go() {
        const scenario::RunSettings& run = options_.scenario.run;
        ns3::Simulator::Schedule(ns3::NanoSeconds(run.duration.ns),
                                 [this] { simulation_.helper().CloseSessions(); });
        ns3::Simulator::Schedule(ns3::NanoSeconds(step_.ns), &Driver::tick, this);
        ns3::Simulator::Stop(ns3::NanoSeconds(total_.ns));
        ns3::Simulator::Run();
        return !stopped_;
    }

  private:
    void tick() {
        writer_.commit_if_due();
        const double wall_s = seconds_since(start_);
        if (options_.on_progress && wall_s - last_progress_s_ >= 0.1) {
            last_progress_s_ = wall_s;
            options_.on_progress({ns3::Simulator::Now().GetSeconds(), total_.in_seconds(), wall_s,
                                  simulation_.helper().GetFabric()->GetPacketHops()});
        }
        if (options_.interrupted != nullptr && options_.interrupted->load()) {
            stopped_ = true;
            ns3::Simulator::Stop();
            return;
        }
        ns3::Simulator::Schedule(ns3::NanoSeconds(step_.ns), &Driver::tick, this);
    }

    const RunOptions& options_;
    Simulation& simulation_;
    store::RunWriter& writer_;
    Clock::time_point start_;
    Duration total_;
    Duration step_;
    double last_progress_s_ = 0;
    bool stopped_ = false;
};

}  // namespace

RunOutcome run(const RunOptions& options) {
    const auto start = Clock::now();
    // Before the database: a run that was there is not given up for one that cannot be had.
    if (options.pcap_directory) check_captures(*options.pcap_directory, options.scenario, options.force);
    store::RunWriter writer = store::RunWriter::create(
        options.database, options.force ? store::Overwrite::Replace : store::Overwrite::Refuse);
    write_provenance(writer, options);
    Simulation simulation(options.scenario, options.run);
    ClientRecorder clients(writer, options.scenario);
    Recorder recorder(writer, simulation.nhms().graph(), clients);
    write_fabric(writer, simulation.tables());
    clients.add_tenants();
    simulation.listen(recorder);
    simulation.on_trace([&clients](std::size_t flow, std::uint32_t trace, const std::string& why) {
        clients.add_trace(flow, trace, why, ns3::Simulator::Now().GetNanoSeconds());
    });
    simulation.inject_faults();
    record_truth_faults(writer, options.scenario, simulation.faults(), *simulation.helper().GetFabric());
    if (options.pcap_directory) simulation.capture(*options.pcap_directory);
    writer.commit();

    RunOutcome outcome;
    outcome.complete = Driver(options, simulation, writer, start).go();

    simulation.settle_clients();
    const auto& fabric = *simulation.helper().GetFabric();
    for (std::uint32_t host = 0; host < simulation.host_count(); ++host) {
        recorder.add_counters(host, ns3::DyetraceEngines::GetEppc(*simulation.helper().GetHosts()[host]));
    }
    recorder.add_counters(simulation.nhms(), simulation.health_host());
    record_truth(writer, fabric, *simulation.helper().GetTruth());
    outcome.packet_hops = fabric.GetPacketHops();
    outcome.wall_s = seconds_since(start);
    writer.set_provenance("simulated_ns", std::to_string(ns3::Simulator::Now().GetNanoSeconds()));
    writer.set_provenance("packet_hops", std::to_string(outcome.packet_hops));
    writer.set_provenance("wall_seconds", std::to_string(outcome.wall_s));
    simulation.helper().GetFabric()->FlushCaptures();
    for (const auto& capture : fabric.GetCaptures()) {
        outcome.captures.push_back({capture.port, capture.file, capture.packets, capture.capped});
    }
    if (outcome.complete) {
        writer.finish();
    } else {
        writer.commit();
    }
    return outcome;
}

}  // namespace dyetrace::runner
