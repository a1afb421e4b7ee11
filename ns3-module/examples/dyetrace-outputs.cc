// SPDX-License-Identifier: GPL-2.0-or-later
// ns-3 modules: stats config-store
// The loss on each path of one session, as its acceptor reports it, plotted by ns-3's Gnuplot: a link begins
// to lose packets, the health service confirms it, and the paths that lose are moved to other source ports. A
// second plot holds what was reported of every path in the fabric against the truth. All settings are
// attributes' defaults, which ns-3's ConfigStore saves and loads.
//
//   dyetrace-outputs && gnuplot dyetrace-loss.plt dyetrace-truth.plt
//   dyetrace-outputs --ns3::ConfigStore::Mode=Save --ns3::ConfigStore::Filename=defaults.txt
//   dyetrace-outputs --ns3::ConfigStore::Mode=Load --ns3::ConfigStore::Filename=defaults.txt

#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <ns3/boolean.h>
#include <ns3/command-line.h>
#include <ns3/config-store.h>
#include <ns3/config.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/gnuplot.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

using namespace ns3;

/// Turns the totals that are reported of each path into its loss from report to report.
class LossPlot {
  public:
    explicit LossPlot(Ipv4Address peer) : m_peer(peer) {}

    void Note(const DyetracePathMetrics& metrics) {
        if (metrics.peer != m_peer) return;
        Totals& last = m_last[{metrics.path, metrics.generation}];
        const uint64_t sent = metrics.sent - last.sent;
        if (sent < LeastPackets) return;
        const uint64_t received = metrics.received - last.received;
        last = {metrics.sent, metrics.received};
        const double loss =
            100.0 * (static_cast<double>(sent) - static_cast<double>(received)) / static_cast<double>(sent);
        m_loss[metrics.path] = loss;
        m_paths.try_emplace(metrics.path, "path " + std::to_string(metrics.path))
            .first->second.Add(Simulator::Now().GetSeconds() * 1e3, loss);
    }

    /// Moves each path that lost packets lately.
    void Repath(Ptr<DyetraceHost> host) const {
        for (const auto& [path, loss] : m_loss) {
            if (loss < 1) continue;
            const std::string refusal = host->Repath(m_peer, path);
            std::cout << Simulator::Now().As(Time::MS) << "  path " << path << " loses " << loss
                      << "%: " << (refusal.empty() ? "moved" : "not moved, " + refusal) << std::endl;
        }
    }

    void Write(const std::string& prefix, const std::string& terminal) {
        Gnuplot plot(prefix + '.' + terminal, "Loss by path of one session");
        plot.SetTerminal(terminal);
        plot.SetLegend("simulated time, ms", "lost, %");
        plot.SetExtra("set yrange [0:]\nset key outside right");
        for (auto& [number, path] : m_paths) {
            path.SetStyle(Gnuplot2dDataset::LINES_POINTS);
            plot.AddDataset(path);
        }
        std::ofstream file(prefix + ".plt");
        plot.GenerateOutput(file);
    }

    std::size_t GetNPaths() const { return m_paths.size(); }

  private:
    static constexpr uint64_t LeastPackets = 100;  ///< below it a share is mostly noise
    struct Totals {
        uint64_t sent = 0;
        uint64_t received = 0;
    };

    Ipv4Address m_peer;
    std::map<std::pair<uint16_t, uint8_t>, Totals> m_last;  ///< by path and generation
    std::map<uint16_t, Gnuplot2dDataset> m_paths;
    std::map<uint16_t, double> m_loss;  ///< as last reported
};

/// Loss of every path of every session, as reported last, against what the fabric really dropped.
class TruthPlot {
  public:
    explicit TruthPlot(const DyetraceHelper& dyetrace) : m_dyetrace(dyetrace) {
        for (const auto& host : dyetrace.GetHosts())
            host->TraceConnectWithoutContext("Metrics", MakeCallback(&TruthPlot::Note, this));
    }

    void Write(const std::string& prefix, const std::string& terminal) {
        std::map<Path, Totals> truth;
        for (const auto& interval : m_dyetrace.GetTruth()->GetIntervals()) {
            Totals& totals = truth[{interval.requester.Get(), interval.acceptor.Get(), interval.session,
                                    interval.path, interval.generation}];
            totals.sent += interval.sent;
            totals.lost += interval.lost;
        }
        Gnuplot2dDataset points("paths, " + std::to_string(m_reported.size()) + " of them");
        points.SetStyle(Gnuplot2dDataset::POINTS);
        for (const auto& [path, totals] : m_reported)
            points.Add(Share(truth[path]), Share(totals));
        Gnuplot plot(prefix + '.' + terminal, "Loss of every path, from START to END");
        plot.SetTerminal(terminal);
        plot.SetLegend("dropped by the fabric, %", "reported, %");
        plot.SetExtra("set key left top");
        plot.AddDataset(points);
        plot.AddDataset(Gnuplot2dFunction("equal", "x"));
        std::ofstream file(prefix + ".plt");
        plot.GenerateOutput(file);
    }

  private:
    using Path = std::tuple<uint32_t, uint32_t, uint32_t, uint16_t, uint8_t>;
    struct Totals {
        uint64_t sent = 0;
        uint64_t lost = 0;
    };
    static double Share(const Totals& totals) {
        return totals.sent == 0 ? 0
                                : 100.0 * static_cast<double>(totals.lost) / static_cast<double>(totals.sent);
    }
    void Note(const DyetracePathMetrics& metrics) {
        const Ipv4Address requester = m_dyetrace.GetFabric()->GetTopology().GetNode(metrics.host).address;
        m_reported[{requester.Get(), metrics.peer.Get(), metrics.session, metrics.path, metrics.generation}] =
            {metrics.sent, metrics.sent - metrics.received};
    }

    const DyetraceHelper& m_dyetrace;
    std::map<Path, Totals> m_reported;
};

static void IncidentStep(LossPlot* loss, Ptr<DyetraceHost> host, const DyetraceIncidentStep& step) {
    std::cout << Simulator::Now().As(Time::MS) << "  incident " << step.incident << " " << step.step << ": "
              << step.GetSubject() << "  " << step.detail << std::endl;
    // Not from inside the service's own event: the host it stands on may be the one that is asked.
    if (step.step == "confirmed") Simulator::ScheduleNow(&LossPlot::Repath, loss, host);
}

static void SetDefaults() {
    Config::SetDefault("ns3::DyetraceHost::Insecure", BooleanValue(true));
    Config::SetDefault("ns3::DyetraceHost::PathCount", UintegerValue(8));
    Config::SetDefault("ns3::DyetraceHost::ReportInterval", StringValue("20ms"));
    Config::SetDefault("ns3::DyetraceHost::PathIdle", StringValue("20ms"));
    Config::SetDefault("ns3::DyetraceHost::UpdateInterval", StringValue("20ms"));
    Config::SetDefault("ns3::DyetraceNhms::Insecure", BooleanValue(true));
    Config::SetDefault("ns3::DyetraceNhms::EvaluateInterval", StringValue("50ms"));
    Config::SetDefault("ns3::DyetraceNhms::Investigation", StringValue("200ms"));
    Config::SetDefault("ns3::DyetraceFabric::LinkRate", StringValue("1Gbps"));
}

int main(int argc, char** argv) {
    std::string prefix = "dyetrace";
    std::string terminal = "png";
    SetDefaults();
    CommandLine command(__FILE__);
    command.AddValue("prefix", "Of the plot's files", prefix);
    command.AddValue("terminal", "Of gnuplot: png, svg, pdf", terminal);
    command.Parse(argc, argv);
    ConfigStore store;
    store.ConfigureDefaults();

    DyetraceHelper dyetrace;
    dyetrace.SetTopology(DyetraceTopology::LeafSpine(3, 4, 2));
    dyetrace.SetNhmsHost("host-0-1");
    dyetrace.SetTraffic({{0, 0}, {10000, 1}}, 0.3);
    dyetrace.Install();
    const DyetraceTopology& topology = dyetrace.GetFabric()->GetTopology();
    LossPlot loss(topology.GetNode(topology.FindNode("host-1-0")).address);
    TruthPlot truth(dyetrace);
    Ptr<DyetraceHost> host = dyetrace.GetHost("host-0-0");
    host->TraceConnectWithoutContext("Metrics", MakeCallback(&LossPlot::Note, &loss));
    dyetrace.GetNhms()->TraceConnectWithoutContext("Incident", MakeBoundCallback(&IncidentStep, &loss, host));
    dyetrace.AddSilentDrop("spine-1", "leaf-1", MilliSeconds(300), 0.1);

    Simulator::Stop(Seconds(1.2));
    Simulator::Run();
    // Only in order do sessions end with counts of all that was sent.
    for (const auto& source : dyetrace.GetSources())
        source->Dispose();
    dyetrace.CloseSessions();
    while (dyetrace.IsDraining()) {
        Simulator::Stop(MilliSeconds(10));
        Simulator::Run();
    }
    loss.Write(prefix + "-loss", terminal);
    truth.Write(prefix + "-truth", terminal);
    std::cout << loss.GetNPaths() << " paths are in " << prefix << "-loss.plt" << std::endl;
    dyetrace.Dispose();
    Simulator::Destroy();
}
