// SPDX-License-Identifier: GPL-2.0-or-later
// Tenants of the health service, and flows that are followed: that what is told of a packet's stages is when
// the simulator had it there.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-guest-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-packet.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/udp-echo-helper.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

constexpr uint32_t kSource = 1;
constexpr uint32_t kDestination = 9;
const Time kGuestDelay = MicroSeconds(4);

/// What the guest's frame is told by: its IPv4 addresses and identification, ports and first bytes.
std::string NameOf(const DyetracePacket& packet) {
    const uint8_t* const frame = packet.Frame();
    return std::string(frame + 18, frame + 20) + std::string(frame + 26, frame + 42);
}
uint32_t AddressAt(const DyetracePacket& packet, uint32_t offset) {
    const uint8_t* const at = packet.Frame() + offset;
    return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

/// What came of asking that a flow be followed.
struct Asked {
    uint32_t trace = 0;
    std::string why;
};
void Follow(DyetraceNhms* nhms, const DyetraceFlowTraceRequest* request, Asked* asked) {
    asked->trace = nhms->TraceFlow(*request, &asked->why);
}

/// A fabric of k=4 whose health service may have flows followed, with one tenant of all guests.
class ClientFabric {
  public:
    explicit ClientFabric(const std::string& grade) {
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Seed", UintegerValue(5));
        helper.SetFabricAttribute("Grade", StringValue(grade));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        helper.SetHostAttribute("Rate", DoubleValue(0.1));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(5)));
        helper.SetHostAttribute("UpdateInterval", TimeValue(MilliSeconds(5)));
        helper.SetHostAttribute("FlowTraces", UintegerValue(2));
        helper.SetHostAttribute("GuestDelay", TimeValue(kGuestDelay));
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsAttribute("FlowTraces", BooleanValue(true));
        helper.SetNhmsHost("host-0-0-0");
    }
    ~ClientFabric() {
        helper.Dispose();
        Simulator::Destroy();
    }
    void Serve(const std::vector<uint32_t>& guests) {
        DyetraceClients clients;
        DyetraceTenant& tenant = clients.tenants.emplace_back();
        tenant.name = "red";
        tenant.vnis = {1000};
        for (const uint32_t guest : guests)
            tenant.guests.push_back({"vm-" + std::to_string(guest), guest});
        tenant.conditions = {{"lossy", "loss > 1%"}};
        tenant.subscriptions = {"all"};
        helper.GetNhms()->SetClients(clients, helper.GetGuests());
    }

    DyetraceHelper helper;
};

/// Follows a flow between two lean guests, of hosts whose clocks differ, and compares each packet's times
/// with when the simulator had it there.
class FollowedFlowTestCase : public TestCase {
  public:
    explicit FollowedFlowTestCase(const std::string& grade)
        : TestCase("a followed flow's times are the simulator's, " + grade + " grade"), m_grade(grade) {}

  private:
    void NoteTx(const DyetracePacket& packet) {
        if (AddressAt(packet, 30) == 0xc0a80001 + kDestination) m_sent[NameOf(packet)] = Simulator::Now();
    }
    void NoteRx(const DyetracePacket& packet) {
        if (AddressAt(packet, 26) == 0xc0a80001 + kSource) m_received[NameOf(packet)] = Simulator::Now();
    }

    void DoRun() override {
        const Time ahead = MicroSeconds(700);
        ClientFabric fabric(m_grade);
        DyetraceHelper& helper = fabric.helper;
        helper.SetTraffic({{0, 0}, {20000, 1}}, 0.1);
        helper.SetGuestAttribute("Stop", TimeValue(MilliSeconds(220)));
        helper.SetHostAttribute("host-2-*", "ClockOffset", TimeValue(ahead));
        helper.Install();
        const std::string destination = helper.GetFabric()->GetTopology().GetNode(kDestination).name;
        NS_TEST_ASSERT_MSG_EQ(destination.substr(0, 7), "host-2-",
                              "the clock that is ahead is the far one's");
        fabric.Serve({kSource, kDestination});
        helper.GetSources()[kSource]->TraceConnectWithoutContext(
            "Tx", MakeCallback(&FollowedFlowTestCase::NoteTx, this));
        helper.GetSources()[kDestination]->TraceConnectWithoutContext(
            "Rx", MakeCallback(&FollowedFlowTestCase::NoteRx, this));
        helper.GetNhms()->TraceConnectWithoutContext("FlowTrace",
                                                     MakeCallback(&FollowedFlowTestCase::Told, this));
        DyetraceFlowTraceRequest request;
        request.from = kSource;
        request.to = kDestination;
        request.packets = 1000;
        request.duration = MilliSeconds(100);
        Asked asked;
        Simulator::Schedule(MilliSeconds(100), &Follow, PeekPointer(helper.GetNhms()), &request, &asked);
        Simulator::Stop(MilliSeconds(800));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_NE(asked.trace, 0, asked.why);
        NS_TEST_ASSERT_MSG_EQ(m_isTold, true, "it was told once it was over");
        NS_TEST_EXPECT_MSG_EQ((m_trace.isRefusedAtSource || m_trace.isRefusedAtDestination), false,
                              "both agreed");
        Compare(ahead);
        NS_TEST_EXPECT_MSG_EQ(helper.GetNhms()->GetPairs("red").empty(), false, "the tenant sees its pairs");
        NS_TEST_EXPECT_MSG_EQ(helper.GetNhms()->GetPairs("blue").empty(), true, "and nobody else any");
    }

    void Told(uint32_t, const DyetraceFlowTrace& trace) {
        m_isTold = true;
        m_trace = trace;
    }

    void Compare(Time ahead) {
        std::set<std::pair<Time, Time>> truth;
        std::set<Time> sent;
        for (const auto& [name, at] : m_sent) {
            sent.insert(at);
            if (const auto found = m_received.find(name); found != m_received.end())
                truth.emplace(at, found->second);
        }
        std::vector<Time> fabric;
        for (const DyetraceFlowTrace::Packet& packet : m_trace.packets) {
            if (packet.isSeen[0]) {
                NS_TEST_EXPECT_MSG_EQ(sent.count(packet.at[0]), 1, "it was sent then");
            }
            if (packet.isSeen[0] && packet.isSeen[1]) {
                NS_TEST_EXPECT_MSG_EQ(packet.at[1] - packet.at[0], kGuestDelay, "guest > EPPC");
            }
            if (packet.isSeen[2] && packet.isSeen[3]) {
                NS_TEST_EXPECT_MSG_EQ(packet.at[3] - packet.at[2], kGuestDelay, "EPPC > guest");
            }
            if (!packet.isSeen[0] || !packet.isSeen[3]) continue;
            const std::pair<Time, Time> both{packet.at[0], packet.at[3] - ahead};
            NS_TEST_EXPECT_MSG_EQ(truth.count(both), 1, "this very packet was sent and received then");
            fabric.push_back(both.second - both.first - kGuestDelay - kGuestDelay);
        }
        NS_TEST_ASSERT_MSG_GT(fabric.size(), 20, "packets were followed from guest to guest");
        std::sort(fabric.begin(), fabric.end());
        const DyetraceFlowTrace::Stretch& told = m_trace.stretches.at(1);
        NS_TEST_EXPECT_MSG_EQ(told.name, "fabric", "the second stretch");
        NS_TEST_EXPECT_MSG_EQ((told.packets >= fabric.size()), true, "of as many packets");
        NS_TEST_EXPECT_MSG_EQ((Abs(told.min - fabric.front()) <= told.bound), true,
                              "the clocks' difference is taken out within the bound: " << told.min << " and "
                                                                                       << fabric.front());
        NS_TEST_EXPECT_MSG_EQ((Abs(told.max - fabric.back()) <= told.bound), true, "of the greatest too");
        for (const DyetraceFlowTrace::Path& path : m_trace.paths) {
            if (path.nodes.empty()) continue;
            NS_TEST_EXPECT_MSG_EQ(path.nodes.front(), "host-0-0-1", "a path begins at the source's host");
            NS_TEST_EXPECT_MSG_EQ(path.nodes.size(), 7, "and leads over five switches");
        }
    }

    std::string m_grade;
    std::map<std::string, Time> m_sent;
    std::map<std::string, Time> m_received;
    bool m_isTold = false;
    DyetraceFlowTrace m_trace;
};

class FollowedLeanTestCase : public FollowedFlowTestCase {
  public:
    FollowedLeanTestCase() : FollowedFlowTestCase("lean") {}
};
class FollowedStockTestCase : public FollowedFlowTestCase {
  public:
    FollowedStockTestCase() : FollowedFlowTestCase("stock") {}
};

class FollowedFullGuestsTestCase : public TestCase {
  public:
    FollowedFullGuestsTestCase() : TestCase("a flow between full guests is followed from stack to stack") {}

  private:
    void NoteTx(Ptr<const Packet>) { m_sent.insert(Simulator::Now()); }
    void NoteRx(Ptr<const Packet>) { m_received.insert(Simulator::Now()); }

    void DoRun() override {
        ClientFabric fabric("lean");
        DyetraceHelper& helper = fabric.helper;
        helper.SetNhmsAttribute("ClocksAreOne", BooleanValue(true));
        helper.AddGuest("host-0-1-0");
        helper.AddGuest("host-3-1-1");
        helper.Install();
        DyetraceGuestHelper guests;
        const NodeContainer nodes = guests.Install(helper);
        UdpEchoServerHelper server(7);
        server.Install(nodes.Get(1)).Start(Seconds(0));
        UdpEchoClientHelper client(guests.GetAddress(1), 7);
        client.SetAttribute("MaxPackets", UintegerValue(1000));
        client.SetAttribute("Interval", TimeValue(MilliSeconds(1)));
        client.SetAttribute("PacketSize", UintegerValue(300));
        client.Install(nodes.Get(0)).Start(MilliSeconds(1));
        guests.GetDevices().Get(0)->TraceConnectWithoutContext(
            "MacTx", MakeCallback(&FollowedFullGuestsTestCase::NoteTx, this));
        guests.GetDevices().Get(1)->TraceConnectWithoutContext(
            "MacRx", MakeCallback(&FollowedFullGuestsTestCase::NoteRx, this));
        fabric.Serve({helper.GetAddedGuest(0), helper.GetAddedGuest(1)});
        DyetraceFlowTraceRequest request;
        request.from = helper.GetAddedGuest(0);
        request.to = helper.GetAddedGuest(1);
        request.protocol = 17;
        request.destinationPort = 7;
        request.duration = MilliSeconds(50);
        Asked asked;
        Simulator::Schedule(MilliSeconds(100), &Follow, PeekPointer(helper.GetNhms()), &request, &asked);
        Simulator::Stop(MilliSeconds(250));
        Simulator::Run();
        NS_TEST_ASSERT_MSG_NE(asked.trace, 0, asked.why);
        const DyetraceFlowTrace seen = helper.GetNhms()->GetFlowTrace(asked.trace);
        NS_TEST_EXPECT_MSG_EQ(seen.isOver, true, "its time is over");
        NS_TEST_EXPECT_MSG_EQ(seen.lost, 0, "nothing loses packets here");
        uint32_t whole = 0;
        for (const DyetraceFlowTrace::Packet& packet : seen.packets) {
            if (!packet.isSeen[0] || !packet.isSeen[3]) continue;
            ++whole;
            NS_TEST_EXPECT_MSG_EQ(m_sent.count(packet.at[0]), 1, "the stack sent it then");
            NS_TEST_EXPECT_MSG_EQ(m_received.count(packet.at[3]), 1, "the other stack had it then");
            NS_TEST_EXPECT_MSG_EQ(packet.at[1] - packet.at[0], kGuestDelay, "guest > EPPC");
        }
        NS_TEST_EXPECT_MSG_GT(whole, 40, "a packet each millisecond was followed");
    }

    std::set<Time> m_sent;
    std::set<Time> m_received;
};

const Offer<FollowedLeanTestCase, FollowedStockTestCase, FollowedFullGuestsTestCase> g_offer{"client"};

}  // namespace
