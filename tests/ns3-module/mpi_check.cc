// SPDX-License-Identifier: GPL-2.0-or-later
// What every host of a fat-tree measures, for mpi.py: it has to be the same on any number of ranks.
//
//   dyetrace_mpi_check --Grade=lean|stock --K=N --Milliseconds=N --Ranks=N --Results=STEM
//
// Each guest sends 1000-byte datagrams at a constant rate to one other guest, 30% load on links of 10 Gbps;
// 1% are tracked. One link loses 1% of its packets, and another is down for the second half. A rank writes
// what its hosts saw to STEM.RANK, a line each that begins with the host's name, and to standard output a
// line of JSON about itself.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <ns3/command-line.h>
#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/event-impl.h>
#include <ns3/global-value.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>
#ifdef DYETRACE_HAVE_MPI
#include <ns3/mpi-interface.h>
#endif

#include "core/base/random.h"
#include "ns3-module/model/dyetrace-datagram.h"

using namespace ns3;

namespace {

constexpr uint32_t kPayloadBytes = 1000;
constexpr int64_t kPeriodNs =
    (kPayloadBytes + DyetraceDatagrams::HeaderBytes + 24) * 8 * 10 / 3 / 10;  // 30% of 10 Gbps

struct Options {
    std::string grade = "lean";
    uint32_t k = 4;
    uint32_t milliseconds = 10;
    uint32_t ranks = 1;
    std::string results;
};

/// A guest that sends one datagram a period, and remembers what came, when, and in which order.
class Guest : public EventImpl, public DyetraceReceiver {
  public:
    Guest(DyetraceHelper& helper, uint32_t from, uint32_t to)
        : m_host(from), m_pool(helper.GetFabric()->GetPool()), m_port(helper.GetGuestPort(from)) {
        m_datagrams.Begin((*helper.GetGuests())[from], (*helper.GetGuests())[to], 0);
        m_port.Connect(this);
        m_port.Resolve(to);
    }

    void ScheduleIn(int64_t delayNs) {
        Ref();
        Simulator::GetImplementation()->ScheduleWithContext(
            m_host, NanoSeconds(static_cast<uint64_t>(delayNs)), this);
    }

    void Receive(DyetracePacket* packet) override {
        ++m_received;
        Remember(static_cast<uint64_t>(Simulator::Now().GetNanoSeconds()));
        Remember(packet->Length());
        for (uint32_t i = 0; i < packet->HeadLength(); ++i)
            Remember(packet->Frame()[i]);
        m_pool.Free(packet);
    }

    uint64_t GetReceived() const { return m_received; }
    uint64_t GetDigest() const { return m_digest; }

  protected:
    void Notify() override {
        m_port.Receive(m_datagrams.Make(m_pool, kPayloadBytes));
        ScheduleIn(kPeriodNs);
    }

  private:
    /// FNV-1a over words.
    void Remember(uint64_t word) { m_digest = (m_digest ^ word) * 0x100000001b3; }

    uint32_t m_host;
    DyetracePacketPool& m_pool;
    DyetraceGuestPort& m_port;
    DyetraceDatagrams m_datagrams;
    uint64_t m_received = 0;
    uint64_t m_digest = 0xcbf29ce484222325;
};

/// What the sessions that a host requested were told, by host, in the order of the reports.
class Reports {
  public:
    explicit Reports(uint32_t hosts) : m_lines(hosts) {}

    void Add(const DyetracePathMetrics& metrics) {
        m_lines[metrics.host] +=
            " [" + std::to_string(Simulator::Now().GetNanoSeconds()) + " " + std::to_string(metrics.session) +
            "/" + std::to_string(metrics.path) + " " + std::to_string(metrics.received) + " of " +
            std::to_string(metrics.sent) + ", tracked " + std::to_string(metrics.trackedReceived) + " of " +
            std::to_string(metrics.trackedSent) + ", " + std::to_string(metrics.delayMin.GetNanoSeconds()) +
            "-" + std::to_string(metrics.delayMax.GetNanoSeconds()) + " sum " +
            std::to_string(metrics.delaySum.GetNanoSeconds()) + " ns]";
    }
    const std::string& Of(uint32_t host) const { return m_lines[host]; }

  private:
    std::vector<std::string> m_lines;
};

std::vector<uint32_t> Permutation(uint32_t count, dyetrace::Random& random) {
    std::vector<uint32_t> to(count);
    std::iota(to.begin(), to.end(), 0);
    for (uint32_t i = count - 1; i > 0; --i)
        std::swap(to[i], to[random.below(i)]);  // Sattolo: nobody keeps its own
    return to;
}

/// This process's rank; sets up ns-3's parallel engine where there are several.
uint32_t Enter([[maybe_unused]] int* argc, [[maybe_unused]] char*** argv, const Options& options) {
    if (options.ranks == 1) return 0;
#ifdef DYETRACE_HAVE_MPI
    GlobalValue::Bind("SimulatorImplementationType", StringValue("ns3::DistributedSimulatorImpl"));
    MpiInterface::Enable(argc, argv);
    if (MpiInterface::GetSize() != options.ranks) {
        std::cerr << "dyetrace_mpi_check: " << MpiInterface::GetSize() << " ranks, not " << options.ranks
                  << "\n";
        std::exit(2);
    }
    return MpiInterface::GetSystemId();
#else
    std::cerr << "dyetrace_mpi_check: built against an ns-3 without MPI\n";
    std::exit(2);
#endif
}

void Leave([[maybe_unused]] const Options& options) {
#ifdef DYETRACE_HAVE_MPI
    if (options.ranks > 1) MpiInterface::Disable();
#endif
}

void Install(DyetraceHelper& helper, const Options& options) {
    helper.SetFabricAttribute("K", UintegerValue(options.k));
    helper.SetFabricAttribute("Grade", StringValue(options.grade));
    helper.SetFabricAttribute("LinkRate", StringValue("10Gbps"));
    helper.SetFabricAttribute("Seed", UintegerValue(1));
    helper.SetHostAttribute("Key", StringValue(std::string(64, '5')));
    helper.SetHostAttribute("Rate", StringValue("0.01"));
    helper.SetHostAttribute("ReportInterval", StringValue("1ms"));
    helper.Install();
    const std::string core = "core-" + std::to_string(options.k / 2);
    helper.AddSilentDrop("agg-0-1", core, MicroSeconds(500), 0.01);
    helper.AddLinkDown("agg-1-0", "core-0", MicroSeconds(500 * options.milliseconds));
}

void Write(const Options& options, uint32_t rank, const DyetraceHelper& helper,
           const std::vector<Ptr<Guest>>& guests, const Reports& reports) {
    std::ofstream file(options.results + "." + std::to_string(rank));
    for (uint32_t host = 0; host < guests.size(); ++host) {
        if (!guests[host]) continue;
        file << helper.GetFabric()->GetTopology().GetNode(host).name
             << " received=" << guests[host]->GetReceived() << " digest=" << guests[host]->GetDigest();
        for (const auto& [name, count] : helper.GetHosts()[host]->GetCounters())
            file << " " << name << "=" << count;
        file << reports.Of(host) << "\n";
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CommandLine command(__FILE__);
    command.AddValue("Grade", "lean or stock", options.grade);
    command.AddValue("K", "of the fat-tree", options.k);
    command.AddValue("Milliseconds", "that are simulated", options.milliseconds);
    command.AddValue("Ranks", "that there have to be", options.ranks);
    command.AddValue("Results", "beginning of the names of the files to write", options.results);
    command.Parse(argc, argv);
    ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::DyetraceScheduler");

    using Clock = std::chrono::steady_clock;
    const auto begun = Clock::now();
    const uint32_t rank = Enter(&argc, &argv, options);
    Simulator::SetScheduler(scheduler);
    DyetraceHelper helper;
    Install(helper, options);
    const Ptr<DyetraceFabric> fabric = helper.GetFabric();
    const uint32_t hosts = fabric->GetTopology().GetNHosts();
    Reports reports(hosts);
    dyetrace::Random random(1);
    const std::vector<uint32_t> to = Permutation(hosts, random);
    std::vector<Ptr<Guest>> guests;
    for (uint32_t host = 0; host < hosts; ++host) {
        guests.emplace_back();
        const uint32_t begin = random.below(static_cast<uint32_t>(kPeriodNs));
        if (!fabric->IsLocal(host)) continue;
        guests.back() = Ptr<Guest>(new Guest(helper, host, to[host]), false);
        guests.back()->ScheduleIn(begin);
        helper.GetHosts()[host]->TraceConnectWithoutContext("Metrics", MakeCallback(&Reports::Add, &reports));
    }
    const auto built = Clock::now();
    Simulator::Stop(MilliSeconds(options.milliseconds));
    Simulator::Run();
    const auto done = Clock::now();

    Write(options, rank, helper, guests, reports);
    const auto seconds = [](Clock::duration of) { return std::chrono::duration<double>(of).count(); };
    std::printf("{\"rank\": %u, \"ranks\": %u, \"setup_s\": %.4f, \"wall_s\": %.4f, \"hops\": %lu}\n", rank,
                options.ranks, seconds(built - begun), seconds(done - built), fabric->GetPacketHops());
    std::fflush(stdout);
    Leave(options);
    std::_Exit(0);  // what was simulated is torn down by the system
}
