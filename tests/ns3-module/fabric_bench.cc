// SPDX-License-Identifier: GPL-2.0-or-later
// How many packet-hops a second the lean fabric carries: a fat-tree with 10 Gbps links of 1 us, each guest
// sending 1000-byte UDP datagrams at a constant rate to one other guest (a random permutation), 30% load.
//
//   dyetrace_fabric_bench [--k N] [--ms SIMULATED] [--mode bare|untracked|tracked] [--fault] [--json]
//
// bare: the datagrams are the fabric's own, without EPPCs; untracked: encapsulated by an EPPC on every host;
// tracked: 1% of them carry the track option, reports flow. --fault: one link loses 1% of its packets, and
// another goes down halfway; the time that new routes take to work out is told.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/event-impl.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>
#include <sys/resource.h>

#include "analysis/cli/large_pages.h"
#include "core/base/random.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"
#include "ns3-module/model/dyetrace-datagram.h"
#include "ns3-module/model/dyetrace-routes.h"

using namespace ns3;
namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kPayloadBytes = 1000;
constexpr uint32_t kHeaderBytes = 42;
constexpr int64_t kPeriodNs = (kPayloadBytes + kHeaderBytes + 24) * 8 * 10 / 3 / 10;  // 30% of 10 Gbps

struct Options {
    uint32_t k = 8;
    double milliseconds = 20;
    std::string mode = "tracked";
    bool fault = false;
    bool json = false;
};

/// Of this process, so that others on the machine count less.
double CpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double ResidentMegabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Sends one datagram a period.
class Source : public EventImpl {
  public:
    explicit Source(uint32_t host) : m_host(host) {}

    void ScheduleIn(int64_t delayNs) {
        Ref();
        Simulator::GetImplementation()->ScheduleWithContext(
            m_host, NanoSeconds(static_cast<uint64_t>(delayNs)), this);
    }

  protected:
    void Notify() override {
        SendOne();
        ScheduleIn(kPeriodNs);
    }
    virtual void SendOne() = 0;
    uint32_t m_host;
};

/// Straight into the fabric.
class BareSource : public Source {
  public:
    BareSource(DyetraceFabric& fabric, uint32_t from, uint32_t to) : Source(from), m_fabric(fabric) {
        const DyetraceTopology& topology = fabric.GetTopology();
        uint8_t* head = m_head.data();
        wire::EthernetHeader{{}, {}, wire::kEtherTypeIpv4}.encode_into({head, 14});
        wire::Ipv4Header ip;
        ip.total_length = 28 + kPayloadBytes;
        ip.protocol = wire::kProtocolUdp;
        ip.source = dyetrace::Ipv4Address{topology.GetNode(from).address.Get()};
        ip.destination = dyetrace::Ipv4Address{topology.GetNode(to).address.Get()};
        ip.encode_into({head + 14, 20});
        wire::UdpHeader{static_cast<uint16_t>(49152 + from), 9, 8 + kPayloadBytes, 0}.encode_into(
            {head + 34, 8});
    }

  protected:
    void SendOne() override {
        m_fabric.TakeArrivals(m_host);
        DyetracePacket* packet = m_fabric.GetPool().Allocate(0, kHeaderBytes, kPayloadBytes);
        std::copy(m_head.begin(), m_head.end(), packet->Frame());
        m_fabric.Send(m_host, packet);
    }

  private:
    DyetraceFabric& m_fabric;
    std::array<uint8_t, kHeaderBytes> m_head{};
};

/// From a guest through its host's EPPC.
class GuestSource : public Source, public DyetraceReceiver {
  public:
    GuestSource(DyetraceHelper& helper, uint32_t from, uint32_t to)
        : Source(from), m_pool(helper.GetFabric()->GetPool()), m_port(helper.GetGuestPort(from)) {
        m_datagrams.Begin((*helper.GetGuests())[from], (*helper.GetGuests())[to], 0);
        m_port.Connect(this);
        m_port.Resolve(to);
    }
    void Receive(DyetracePacket* packet) override { m_pool.Free(packet); }

  protected:
    void SendOne() override { m_port.Receive(m_datagrams.Make(m_pool, kPayloadBytes)); }

  private:
    DyetracePacketPool& m_pool;
    DyetraceGuestPort& m_port;
    DyetraceDatagrams m_datagrams;
};

std::vector<uint32_t> Permutation(uint32_t count, dyetrace::Random& random) {
    std::vector<uint32_t> to(count);
    std::iota(to.begin(), to.end(), 0);
    for (uint32_t i = count - 1; i > 0; --i)
        std::swap(to[i], to[random.below(i)]);  // Sattolo: nobody keeps its own
    return to;
}

Options Parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--fault") {
            options.fault = true;
        } else if (name == "--json") {
            options.json = true;
        } else if (i + 1 < argc && name == "--k") {
            options.k = static_cast<uint32_t>(std::atoi(argv[++i]));
        } else if (i + 1 < argc && name == "--ms") {
            options.milliseconds = std::atof(argv[++i]);
        } else if (i + 1 < argc && name == "--mode") {
            options.mode = argv[++i];
        } else {
            std::fprintf(stderr, "dyetrace_fabric_bench: what is %s?\n", argv[i]);
            std::exit(2);
        }
    }
    return options;
}

/// Wall time of one change of routes: a cable between the upper tiers out of use, and back.
double ReconvergenceMs(const DyetraceTopology& topology) {
    DyetraceRoutes routes(topology);
    const uint32_t link = topology.FindLink(topology.FindNode("agg-0-0"), topology.FindNode("core-0"));
    double worst = 0;
    for (const bool inUse : {false, true}) {
        const auto begun = std::chrono::steady_clock::now();
        routes.SetInUse(link, inUse);
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
        worst = std::max(worst, took.count());
    }
    return worst;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = Parse(argc, argv);
    dyetrace::cli::take_large_pages(argv);
    ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::DyetraceScheduler");
    Simulator::SetScheduler(scheduler);

    const double begun = CpuSeconds();
    DyetraceHelper helper;
    Ptr<DyetraceFabric> fabric;
    if (options.mode == "bare") {
        fabric = CreateObjectWithAttributes<DyetraceFabric>("K", UintegerValue(options.k), "LinkRate",
                                                            StringValue("10Gbps"), "Seed", UintegerValue(1));
        fabric->Build();
    } else {
        helper.SetFabricAttribute("K", UintegerValue(options.k));
        helper.SetFabricAttribute("LinkRate", StringValue("10Gbps"));
        helper.SetFabricAttribute("Seed", UintegerValue(1));
        helper.SetHostAttribute("Key", StringValue(std::string(64, '5')));
        helper.SetHostAttribute("Rate", StringValue("0.01"));
        helper.SetHostAttribute("OpenOnTraffic", StringValue(options.mode == "tracked" ? "true" : "false"));
        helper.Install();
        fabric = helper.GetFabric();
    }
    const DyetraceTopology& topology = fabric->GetTopology();
    const double installed = CpuSeconds();
    const double installedMb = ResidentMegabytes();
    dyetrace::Random random(1);
    const uint32_t hosts = topology.GetNHosts();
    const std::vector<uint32_t> to = Permutation(hosts, random);
    std::vector<std::unique_ptr<Source>> sources;
    for (uint32_t host = 0; host < hosts; ++host) {
        if (options.mode == "bare") {
            sources.push_back(std::make_unique<BareSource>(*fabric, host, to[host]));
        } else {
            sources.push_back(std::make_unique<GuestSource>(helper, host, to[host]));
        }
        sources.back()->ScheduleIn(random.below(static_cast<uint32_t>(kPeriodNs)));
    }
    if (options.fault) {
        auto drop = DyetraceFault::Create("silent-drop");
        drop->SetAttribute("From", StringValue("agg-0-1"));
        drop->SetAttribute("To", StringValue("core-" + std::to_string(options.k / 2)));
        drop->SetAttribute("Probability", StringValue("0.01"));
        fabric->AddFault(drop);
    }
    const double built = CpuSeconds();
    Simulator::Stop(NanoSeconds(static_cast<uint64_t>(options.milliseconds * 1e6)));
    Simulator::Run();
    const double seconds = CpuSeconds() - built;
    uint64_t tracked = 0;
    for (const auto& host : helper.GetHosts()) {
        for (const auto& [name, count] : host->GetCounters())
            if (name == "tagged") tracked += count;
    }
    const double reconvergence = ReconvergenceMs(topology);
    const char* format =
        options.json
            ? "{\"k\": %u, \"mode\": \"%s\", \"hosts\": %u, \"setup_s\": %.4f, \"setup_mb\": %.1f, "
              "\"simulated_ms\": %g, \"cpu_s\": %.3f, \"events\": %lu, \"hops\": %lu, \"delivered\": %lu, "
              "\"dropped\": %lu, \"tracked\": %lu, \"hops_per_s\": %.0f, \"reconvergence_ms\": %.3f, "
              "\"peak_mb\": %.1f}\n"
            : "k=%u mode=%s hosts=%u setup_s=%.4f setup_mb=%.1f simulated_ms=%g cpu_s=%.3f events=%lu "
              "hops=%lu delivered=%lu dropped=%lu tracked=%lu hops_per_s=%.4g reconvergence_ms=%.3f "
              "peak_mb=%.1f\n";
    std::printf(format, options.k, options.mode.c_str(), hosts, installed - begun, installedMb,
                options.milliseconds, seconds, Simulator::GetEventCount(), fabric->GetPacketHops(),
                fabric->GetDelivered(), fabric->GetDrops(DyetraceDropCause::Queue), tracked,
                static_cast<double>(fabric->GetPacketHops()) / seconds, reconvergence, ResidentMegabytes());
    std::fflush(stdout);
    std::_Exit(0);  // what was simulated is torn down by the system
}
