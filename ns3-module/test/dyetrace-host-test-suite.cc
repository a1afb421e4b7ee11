// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts: what guests send, and that what EPPCs measure is what really happened.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-flow-sizes.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/object-factory.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

#include "core/wire/geneve.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

/// Web search (Alizadeh et al., "Data Center TCP", SIGCOMM 2010), a tenth of each size.
const std::vector<std::pair<double, double>> kSmallWebSearch{
    {0, 0},        {1000, 0.15},   {2000, 0.20},   {3000, 0.30},   {5000, 0.40},    {8000, 0.53},
    {20000, 0.60}, {100000, 0.70}, {200000, 0.80}, {500000, 0.90}, {1000000, 0.97}, {3000000, 1}};

class FlowSizesTestCase : public TestCase {
  public:
    FlowSizesTestCase()
        : TestCase("flow sizes follow the points of their distribution, linear between them") {}

  private:
    void DoRun() override {
        const DyetraceFlowSizes sizes({{0, 0}, {1000, 0.5}, {1000000, 1}});
        NS_TEST_EXPECT_MSG_EQ(sizes.GetQuantile(0), 1, "no flow is empty");
        NS_TEST_EXPECT_MSG_EQ(sizes.GetQuantile(0.25), 500, "half way to the first point");
        NS_TEST_EXPECT_MSG_EQ(sizes.GetQuantile(0.5), 1000, "at it");
        NS_TEST_EXPECT_MSG_EQ(sizes.GetQuantile(1), 1000000, "the largest");
        NS_TEST_EXPECT_MSG_EQ_TOL(sizes.GetMean(), 0.5 * 500 + 0.5 * 500500, 1e-6, "two rectangles' middles");
        const DyetraceFlowSizes step({{0, 0}, {1000, 0.5}, {1000, 0.6}, {5000, 1}});
        NS_TEST_EXPECT_MSG_EQ(step.GetQuantile(0.5), 1000, "many flows may be of one size:");
        NS_TEST_EXPECT_MSG_EQ(step.GetQuantile(0.6), 1000, "where the distribution has a step");
        NS_TEST_EXPECT_MSG_EQ(step.GetQuantile(0.8), 3000, "it goes on behind it");
        const DyetraceFlowSizes fixed({{9999, 0}, {10000, 1}});
        NS_TEST_EXPECT_MSG_EQ_TOL(fixed.GetMeanPackets(1000), 10, 1e-9, "ten packets of 1000");
        // 10 packets of 1000 + 250 bytes on the wire, 100 kbit a flow: 1000 flows a second are a tenth of 1
        // Gbps.
        NS_TEST_EXPECT_MSG_EQ_TOL(fixed.GetArrivalRate(0.1, 1e9, 1000, 250), 1000, 0.1,
                                  "and the load they make");
    }
};

/// A fabric of k=4 with tracking, ready to run.
class TrackedFabric {
  public:
    explicit TrackedFabric(Time traffic, double load = 0.3,
                           const std::string& scheduler = "ns3::MapScheduler") {
        ObjectFactory factory;
        factory.SetTypeId(scheduler);
        Simulator::SetScheduler(factory);
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("LinkRate", StringValue("1Gbps"));
        helper.SetFabricAttribute("QueueBytes", UintegerValue(30000));
        helper.SetFabricAttribute("Seed", UintegerValue(11));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(10)));
        helper.SetHostAttribute("PathIdle", TimeValue(MilliSeconds(5)));
        helper.SetGuestAttribute("Stop", TimeValue(traffic));
        helper.SetTraffic(kSmallWebSearch, load);
    }
    ~TrackedFabric() {
        helper.Dispose();
        Simulator::Destroy();
    }
    /// Runs for so long, then ends all sessions in order.
    void Run(Time duration) {
        Simulator::Stop(duration);
        Simulator::Run();
        helper.CloseSessions();
        for (int i = 0; i < 100 && helper.IsDraining(); ++i) {
            Simulator::Stop(MilliSeconds(10));
            Simulator::Run();
        }
    }
    uint64_t Count(const std::string& name) const {
        uint64_t sum = 0;
        for (const auto& host : helper.GetHosts()) {
            for (const auto& [counter, value] : host->GetCounters())
                sum += counter == name ? value : 0;
        }
        return sum;
    }

    DyetraceHelper helper;
};

class GuestTrafficTestCase : public TestCase {
  public:
    GuestTrafficTestCase()
        : TestCase("guests' flows come at the rate and in the sizes asked for, and arrive") {}

  private:
    void NoteFlow(uint32_t, uint64_t bytes) {
        m_flowBytes += bytes;
        m_flowPackets += (bytes + 1399) / 1400;
    }

    void DoRun() override {
        constexpr double load = 0.05;
        TrackedFabric fabric(MilliSeconds(400), load);
        fabric.helper.Install();
        for (const auto& source : fabric.helper.GetSources())
            source->TraceConnectWithoutContext("Flow", MakeCallback(&GuestTrafficTestCase::NoteFlow, this));
        fabric.Run(MilliSeconds(800));
        uint64_t flows = 0;
        uint64_t sent = 0;
        uint64_t received = 0;
        for (const auto& source : fabric.helper.GetSources()) {
            flows += source->GetFlows();
            sent += source->GetSentPackets();
            received += source->GetReceivedPackets();
        }
        const DyetraceFlowSizes sizes(kSmallWebSearch);
        const double expected = 16 * 0.4 * sizes.GetArrivalRate(load, 1e9, 1400, 116);
        NS_TEST_EXPECT_MSG_EQ_TOL(static_cast<double>(flows), expected, 4 * std::sqrt(expected),
                                  "Poisson arrivals");
        NS_TEST_EXPECT_MSG_EQ(sent, m_flowPackets, "each flow is sent whole");
        NS_TEST_EXPECT_MSG_EQ(received + fabric.helper.GetTruth()->GetDataDropped(), sent,
                              "and arrives, or is dropped");
        // The mean of so many draws is known to 1/sqrt(n) of the distribution's spread: about twice its mean.
        const double mean = static_cast<double>(m_flowBytes) / static_cast<double>(flows);
        NS_TEST_EXPECT_MSG_EQ_TOL(mean, sizes.GetMean(), 4 * 2.5 * sizes.GetMean() / std::sqrt(expected),
                                  "mean size");
    }

    uint64_t m_flowBytes = 0;
    uint64_t m_flowPackets = 0;
};

class RareFlowsTestCase : public TestCase {
  public:
    RareFlowsTestCase() : TestCase("flows may be so large, and so few, that none begins for years") {}

  private:
    void DoRun() override {
        DyetraceHelper helper;
        helper.SetFabricAttribute("K", UintegerValue(2));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetTraffic({{9e14, 0}, {1e15, 1}}, 1e-6);
        helper.Install();
        Simulator::Stop(Seconds(1));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(helper.GetSources().at(0)->GetFlows(), 0, "none in a second");
        helper.Dispose();
        Simulator::Destroy();
    }
};

class GuestSeedTestCase : public TestCase {
  public:
    GuestSeedTestCase()
        : TestCase("guests' traffic is of their seed, and of the fabric's where they have none") {}

  private:
    void NoteFlow(uint32_t, uint64_t bytes) { m_flows.push_back(bytes); }

    std::vector<uint64_t> Flows(uint64_t seed) {
        TrackedFabric fabric(MilliSeconds(50), 0.05);
        fabric.helper.SetGuestAttribute("Seed", UintegerValue(seed));
        fabric.helper.Install();
        for (const auto& source : fabric.helper.GetSources())
            source->TraceConnectWithoutContext("Flow", MakeCallback(&GuestSeedTestCase::NoteFlow, this));
        m_flows.clear();
        fabric.Run(MilliSeconds(50));
        return m_flows;
    }

    void DoRun() override {
        const std::vector<uint64_t> fabrics = Flows(0);
        NS_TEST_ASSERT_MSG_GT(fabrics.size(), 10, "there are flows");
        NS_TEST_EXPECT_MSG_EQ((Flows(0) == fabrics), true, "the same again");
        NS_TEST_EXPECT_MSG_EQ((Flows(7) == fabrics), false, "others by a seed of their own");
    }

    std::vector<uint64_t> m_flows;
};

/// A look into every packet at an edge's port.
class EncapsulationTestCase : public TestCase {
  public:
    EncapsulationTestCase()
        : TestCase("guests' frames are encapsulated whole, to another rack, in flows of their own") {}

  private:
    void NoteForward(uint32_t in, uint32_t, const DyetracePacket& packet) {
        if (m_topology->GetNode(m_topology->GetFrom(in)).tier != DyetraceTopology::Tier::Host) return;
        const std::vector<uint8_t> frame = packet.Materialise();
        const dyetrace::Bytes bytes(frame);
        const auto ip = wire::Ipv4Header::parse(bytes.subspan(14), bytes.size() - 14);
        NS_TEST_ASSERT_MSG_EQ(ip.ok(), true, "the outer header is right");
        const auto geneve = wire::GeneveHeader::parse(bytes.subspan(42));
        NS_TEST_ASSERT_MSG_EQ(geneve.ok(), true, "it is Geneve");
        if (geneve->control) return;
        m_tagged += geneve->options_length > 0;
        ++m_data;
        const dyetrace::Bytes inner = bytes.subspan(50 + geneve->options_length);
        const auto innerIp = wire::Ipv4Header::parse(inner.subspan(14), inner.size() - 14);
        NS_TEST_ASSERT_MSG_EQ(innerIp.ok(), true, "the inner header is right");
        const dyetrace::Bytes datagram = inner.subspan(34);
        NS_TEST_EXPECT_MSG_EQ(wire::udp_checksum_ok(innerIp->source, innerIp->destination, datagram), true,
                              "the inner checksum is right for the whole payload");
        NS_TEST_EXPECT_MSG_EQ(datagram.size(), innerIp->total_length - 20U, "and nothing is missing");
        const uint32_t from = m_topology->FindHost(Ipv4Address(ip->source.value));
        const uint32_t to = m_topology->FindHost(Ipv4Address(ip->destination.value));
        NS_TEST_EXPECT_MSG_NE(m_topology->GetNode(from).rack, m_topology->GetNode(to).rack,
                              "to another rack");
        const auto udp = wire::UdpHeader::parse(datagram, datagram.size());
        m_flows.insert(
            {innerIp->source.value, innerIp->destination.value, udp->source_port, udp->destination_port});
    }

    void DoRun() override {
        TrackedFabric fabric(MilliSeconds(50), 0.1);
        fabric.helper.Install();
        m_topology = &fabric.helper.GetFabric()->GetTopology();
        fabric.helper.GetFabric()->TraceConnectWithoutContext(
            "Forward", MakeCallback(&EncapsulationTestCase::NoteForward, this));
        fabric.Run(MilliSeconds(200));
        uint64_t flows = 0;
        for (const auto& source : fabric.helper.GetSources())
            flows += source->GetFlows();
        NS_TEST_EXPECT_MSG_EQ(m_flows.size(), flows, "as many 5-tuples as flows");
        NS_TEST_ASSERT_MSG_GT(m_data, 1000, "something was sent");
        NS_TEST_EXPECT_MSG_GT(m_tagged, 0, "and some of it tagged");
        NS_TEST_EXPECT_MSG_EQ(m_tagged, fabric.Count("tagged"), "as often as the engine says");
        NS_TEST_EXPECT_MSG_EQ(m_data, fabric.Count("encapsulated"), "and so for all");
    }

    const DyetraceTopology* m_topology = nullptr;
    uint64_t m_data = 0;
    uint64_t m_tagged = 0;
    std::set<std::tuple<uint32_t, uint32_t, uint16_t, uint16_t>> m_flows;
};

/// requester, acceptor, session, path, generation
using PathKey = std::tuple<uint32_t, uint32_t, uint32_t, uint16_t, uint8_t>;

/// Runs with congestion and a silent drop, and keeps each path's last metrics.
class MeasuredRun {
  public:
    explicit MeasuredRun(const std::string& scheduler) : fabric(MilliSeconds(100), 0.5, scheduler) {
        fabric.helper.Install();
        fabric.helper.AddSilentDrop("agg-0-0", "core-1", MilliSeconds(20), 0.05);
        for (const auto& host : fabric.helper.GetHosts())
            host->TraceConnectWithoutContext("Metrics", MakeCallback(&MeasuredRun::NoteMetrics, this));
        fabric.Run(MilliSeconds(300));
    }

    TrackedFabric fabric;
    std::map<PathKey, DyetracePathMetrics> last;
    std::vector<std::tuple<int64_t, PathKey, uint64_t, uint64_t>> story;

  private:
    void NoteMetrics(const DyetracePathMetrics& metrics) {
        const Ipv4Address requester = fabric.helper.GetFabric()->GetTopology().GetNode(metrics.host).address;
        const PathKey key{requester.Get(), metrics.peer.Get(), metrics.session, metrics.path,
                          metrics.generation};
        last[key] = metrics;
        story.emplace_back(Simulator::Now().GetNanoSeconds(), key, metrics.sent, metrics.received);
    }
};

class CountsTestCase : public TestCase {
  public:
    CountsTestCase() : TestCase("loss by counts, START to END, equals the truth packet for packet") {}

  private:
    void DoRun() override {
        MeasuredRun run("ns3::MapScheduler");
        const DyetraceTruth& truth = *run.fabric.helper.GetTruth();
        NS_TEST_EXPECT_MSG_EQ(run.fabric.helper.IsDraining(), false, "every session ended in order");
        NS_TEST_EXPECT_MSG_EQ(truth.GetDataSent(), truth.GetDataArrived() + truth.GetDataDropped(),
                              "no packet is unaccounted for");
        std::map<PathKey, std::pair<uint64_t, uint64_t>> really;
        for (const auto& interval : truth.GetIntervals()) {
            auto& [sent, lost] = really[{interval.requester.Get(), interval.acceptor.Get(), interval.session,
                                         interval.path, interval.generation}];
            sent += interval.sent;
            lost += interval.lost;
        }
        NS_TEST_ASSERT_MSG_GT(run.last.size(), 100, "many paths were measured");
        NS_TEST_EXPECT_MSG_EQ(run.last.size(), really.size(), "each of those with markers");
        uint64_t lostInAll = 0;
        for (const auto& [key, metrics] : run.last) {
            const auto& [sent, lost] = really[key];
            NS_TEST_EXPECT_MSG_EQ(metrics.isOpen, false, "no tail is unsettled");
            NS_TEST_EXPECT_MSG_EQ(metrics.sent, sent, "packets sent on a path");
            NS_TEST_EXPECT_MSG_EQ(metrics.sent - metrics.received, lost, "packets lost on a path");
            lostInAll += lost;
        }
        NS_TEST_EXPECT_MSG_GT(lostInAll, 100, "there was loss to measure");
        uint64_t byQueue = 0;
        uint64_t byFault = 0;
        for (const auto& drops : truth.GetLinkDrops()) {
            byQueue += drops.cause == DyetraceDropCause::Queue ? drops.dataPackets : 0;
            byFault += drops.cause == DyetraceDropCause::Fault ? drops.dataPackets : 0;
        }
        NS_TEST_EXPECT_MSG_GT(byQueue, 0, "some of it by congestion");
        NS_TEST_EXPECT_MSG_GT(byFault, 0, "and some by the fault");
        NS_TEST_EXPECT_MSG_EQ(byQueue + byFault, truth.GetDataDropped(), "and in no other way");
    }
};

class RepeatTestCase : public TestCase {
  public:
    RepeatTestCase() : TestCase("a measured run is the same twice, and by any scheduler") {}

  private:
    void DoRun() override {
        const auto first = MeasuredRun("ns3::MapScheduler").story;
        NS_TEST_ASSERT_MSG_GT(first.size(), 100, "something was reported");
        NS_TEST_EXPECT_MSG_EQ((MeasuredRun("ns3::MapScheduler").story == first), true, "once more, the same");
        NS_TEST_EXPECT_MSG_EQ((MeasuredRun("ns3::PriorityQueueScheduler").story == first), true,
                              "by another scheduler");
        NS_TEST_EXPECT_MSG_EQ((MeasuredRun("ns3::DyetraceScheduler").story == first), true, "by our own");
    }
};

class NhmsTestCase : public TestCase {
  public:
    NhmsTestCase() : TestCase("health updates reach the service through the fabric, and are acknowledged") {}

  private:
    void DoRun() override {
        TrackedFabric fabric(MilliSeconds(100), 0.2);
        fabric.helper.SetNhmsHost("host-0-0-0");
        fabric.helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        fabric.helper.SetHostAttribute("UpdateInterval", TimeValue(MilliSeconds(10)));
        fabric.helper.Install();
        fabric.Run(MilliSeconds(200));
        std::map<std::string, uint64_t> nhms;
        for (const auto& [name, value] : fabric.helper.GetNhms()->GetCounters())
            nhms[name] = value;
        NS_TEST_EXPECT_MSG_GT(nhms["updates"], 100, "updates arrive");
        NS_TEST_EXPECT_MSG_EQ(nhms["updates"], fabric.Count("updates-sent"), "all of them");
        NS_TEST_EXPECT_MSG_EQ(fabric.Count("updates-acked"), fabric.Count("updates-sent"),
                              "and are acknowledged");
        NS_TEST_EXPECT_MSG_GT(nhms["paths"], 100, "and say where packets go");
        NS_TEST_EXPECT_MSG_EQ(nhms["paths-unusable"], 0, "by links that exist");
    }
};

const Offer<FlowSizesTestCase, GuestTrafficTestCase, RareFlowsTestCase, GuestSeedTestCase,
            EncapsulationTestCase, CountsTestCase, RepeatTestCase, NhmsTestCase>
    g_offer{"host"};

}  // namespace
