// SPDX-License-Identifier: GPL-2.0-or-later
// How many packet-hops a second the bare fabric carries: a fat-tree with 10 Gbps links of 1 us, each host
// sending 1000-byte UDP datagrams at a constant rate to one other host (a random permutation), 30% load.
//
//   dyetrace_fabric_bench [k] [simulated milliseconds] [scheduler]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <ns3/dyetrace-fabric.h>
#include <ns3/event-impl.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>
#include <sys/resource.h>

#include "core/base/random.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"

using namespace ns3;
namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kPayloadBytes = 1000;
constexpr uint32_t kHeaderBytes = 42;
constexpr int64_t kPeriodNs = (kPayloadBytes + kHeaderBytes + 24) * 8 * 10 / 3 / 10;  // 30% of 10 Gbps

dyetrace::MacAddress Mac(Mac48Address from) {
    dyetrace::MacAddress mac;
    from.CopyTo(mac.octets.data());
    return mac;
}

/// Sends one datagram a period, its headers made once.
class Source : public EventImpl {
  public:
    Source(DyetraceFabric& fabric, uint32_t from, uint32_t to) : m_fabric(fabric), m_from(from), m_head() {
        const DyetraceTopology& topology = fabric.GetTopology();
        uint8_t* head = m_head.data();
        wire::EthernetHeader{Mac(fabric.GetGatewayMac(from)), Mac(topology.GetMac(from)),
                             wire::kEtherTypeIpv4}
            .encode_into({head, 14});
        wire::Ipv4Header ip;
        ip.total_length = 28 + kPayloadBytes;
        ip.protocol = wire::kProtocolUdp;
        ip.source = dyetrace::Ipv4Address{topology.GetNode(from).address.Get()};
        ip.destination = dyetrace::Ipv4Address{topology.GetNode(to).address.Get()};
        ip.encode_into({head + 14, 20});
        wire::UdpHeader{static_cast<uint16_t>(49152 + from), 9, 8 + kPayloadBytes, 0}.encode_into(
            {head + 34, 8});
    }

    void ScheduleIn(int64_t delayNs) {
        Ref();
        Simulator::GetImplementation()->ScheduleWithContext(
            m_from, NanoSeconds(static_cast<uint64_t>(delayNs)), this);
    }

  protected:
    void Notify() override {
        m_fabric.TakeArrivals(m_from);
        DyetracePacket* packet = m_fabric.GetPool().Allocate(0, kHeaderBytes, kPayloadBytes);
        std::copy(m_head.begin(), m_head.end(), packet->Frame());
        m_fabric.Send(m_from, packet);
        ScheduleIn(kPeriodNs);
    }

  private:
    DyetraceFabric& m_fabric;
    uint32_t m_from;
    std::array<uint8_t, kHeaderBytes> m_head;
};

std::vector<uint32_t> Permutation(uint32_t count, dyetrace::Random& random) {
    std::vector<uint32_t> to(count);
    std::iota(to.begin(), to.end(), 0);
    for (uint32_t i = count - 1; i > 0; --i)
        std::swap(to[i], to[random.below(i)]);  // Sattolo: nobody keeps its own
    return to;
}

/// Of this process, so that others on the machine count less.
double CpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
    const auto k = static_cast<uint32_t>(argc > 1 ? std::atoi(argv[1]) : 8);
    const double milliseconds = argc > 2 ? std::atof(argv[2]) : 20;
    ObjectFactory scheduler;
    scheduler.SetTypeId(argc > 3 ? argv[3] : "ns3::PriorityQueueScheduler");
    Simulator::SetScheduler(scheduler);

    const double begun = CpuSeconds();
    auto fabric = CreateObjectWithAttributes<DyetraceFabric>("K", UintegerValue(k), "LinkRate",
                                                             StringValue("10Gbps"), "Seed", UintegerValue(1));
    fabric->Build();
    dyetrace::Random random(1);
    const uint32_t hosts = fabric->GetTopology().GetNHosts();
    const std::vector<uint32_t> to = Permutation(hosts, random);
    std::vector<Ptr<Source>> sources;
    for (uint32_t host = 0; host < hosts; ++host) {
        sources.push_back(Create<Source>(*fabric, host, to[host]));
        sources.back()->ScheduleIn(random.below(static_cast<uint32_t>(kPeriodNs)));
    }
    const double built = CpuSeconds();
    Simulator::Stop(NanoSeconds(static_cast<uint64_t>(milliseconds * 1e6)));
    Simulator::Run();
    const double seconds = CpuSeconds() - built;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "k=%u hosts=%u built_s=%.3f simulated_ms=%g cpu_s=%.3f events=%lu hops=%lu delivered=%lu "
        "dropped=%lu "
        "hops_per_s=%.3g rss_mb=%ld\n",
        k, hosts, built - begun, milliseconds, seconds, Simulator::GetEventCount(), fabric->GetPacketHops(),
        fabric->GetDelivered(), fabric->GetDrops(DyetraceDropCause::Queue),
        static_cast<double>(fabric->GetPacketHops()) / seconds, usage.ru_maxrss / 1024);
    fabric->Dispose();
    Simulator::Destroy();
}
