// SPDX-License-Identifier: GPL-2.0-or-later
// Guests that move from one host to another, by hand and because their host is sick.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ns3/application-container.h>
#include <ns3/boolean.h>
#include <ns3/bulk-send-helper.h>
#include <ns3/config.h>
#include <ns3/double.h>
#include <ns3/dyetrace-guest-helper.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-source-helper.h>
#include <ns3/inet-socket-address.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/packet-sink.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/test.h>
#include <ns3/uinteger.h>

#include "dyetrace-test-cases.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

constexpr uint32_t kGuest = 9;
const std::string kNewHost = "host-0-1-0";

/// A fabric of k=4.
class MovingFabric {
  public:
    explicit MovingFabric(const std::string& grade = "lean") {
        helper.SetFabricAttribute("K", UintegerValue(4));
        helper.SetFabricAttribute("Seed", UintegerValue(5));
        helper.SetFabricAttribute("Grade", StringValue(grade));
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.SetHostAttribute("PathCount", UintegerValue(8));
        helper.SetHostAttribute("Rate", DoubleValue(0.1));
        helper.SetHostAttribute("ReportInterval", TimeValue(MilliSeconds(10)));
        helper.SetHostAttribute("PathIdle", TimeValue(MilliSeconds(10)));
        helper.SetHostAttribute("UpdateInterval", TimeValue(MilliSeconds(10)));
    }
    ~MovingFabric() {
        helper.Dispose();
        Simulator::Destroy();
    }
    void SetNhms() {
        helper.SetNhmsAttribute("Insecure", BooleanValue(true));
        helper.SetNhmsAttribute("EvaluateInterval", TimeValue(MilliSeconds(20)));
        helper.SetNhmsAttribute("Investigation", TimeValue(MilliSeconds(200)));
        helper.SetNhmsAttribute("VerifyWithin", TimeValue(MilliSeconds(600)));
        helper.SetNhmsAttribute("Migrate", StringValue("automatic"));
        helper.SetNhmsHost("host-0-0-0");
    }
    /// All hosts' guests send all the time, each to one and getting from one.
    void Send(const std::string& rate, Time stop) {
        DyetraceSourceHelper sources("ns3::DyetraceConstantSource");
        sources.SetAttribute("Rate", StringValue(rate));
        sources.SetAttribute("Destination", StringValue("permutation"));
        sources.SetAttribute("Stop", TimeValue(stop));
        sources.Install(helper);
        for (const auto& source : sources.GetSources())
            guests.push_back(source);
    }
    uint64_t Count(uint32_t host, const std::string& name) const {
        for (const auto& [counter, value] : helper.GetHosts()[host]->GetCounters())
            if (counter == name) return value;
        return 0;
    }
    uint64_t CountAll(const std::string& name) const {
        uint64_t sum = 0;
        for (uint32_t host = 0; host < helper.GetHosts().size(); ++host)
            sum += Count(host, name);
        return sum;
    }
    uint32_t HostOf(uint32_t guest) const { return helper.GetGuests()->at(guest).host; }
    uint32_t Find(const std::string& host) const { return helper.GetFabric()->GetTopology().FindNode(host); }

    DyetraceHelper helper;
    std::vector<Ptr<DyetracePacketSource>> guests;
};

struct Move {
    uint32_t guest;
    std::string host;
    std::string refused;
};
void DoMove(DyetraceHelper* helper, Move* move) {
    move->refused = helper->MoveGuest(move->guest, move->host);
}

/// A lean guest moves while it sends and is sent to.
class LeanMoveTestCase : public TestCase {
  public:
    LeanMoveTestCase()
        : TestCase(
              "a lean guest goes on from its new host, and only what was on its way is lost, in both "
              "grades") {}

  private:
    struct Counts {
        uint64_t sent = 0, received = 0, elsewhere = 0, moved = 0, fromNew = 0, dropped = 0;
        bool operator==(const Counts& other) const {
            return sent == other.sent && received == other.received && elsewhere == other.elsewhere &&
                   moved == other.moved && fromNew == other.fromNew && dropped == other.dropped;
        }
    };

    Counts Try(const std::string& grade) {
        MovingFabric fabric(grade);
        fabric.helper.SetPlacementAttribute("LearnAfter", TimeValue(MilliSeconds(2)));
        fabric.helper.Install();
        fabric.Send("50Mbps", MilliSeconds(100));
        Move move{kGuest, kNewHost, "not tried"};
        Simulator::Schedule(MilliSeconds(50), &DoMove, &fabric.helper, &move);
        Simulator::Stop(MilliSeconds(300));
        Simulator::Run();
        NS_TEST_EXPECT_MSG_EQ(move.refused, "", "it was moved");
        NS_TEST_EXPECT_MSG_EQ(fabric.HostOf(kGuest), fabric.Find(kNewHost), "the directory says so");
        Counts counts;
        for (const auto& guest : fabric.guests) {
            counts.sent += guest->GetSentPackets();
            counts.received += guest->GetReceivedPackets();
        }
        counts.elsewhere = fabric.Count(kGuest, "dropped-guest-elsewhere");
        counts.moved = fabric.CountAll("guests-moved");
        counts.fromNew = fabric.Count(fabric.Find(kNewHost), "encapsulated");
        for (uint32_t host = 0; host < fabric.helper.GetHosts().size(); ++host) {
            for (const auto& [name, value] : fabric.helper.GetHosts()[host]->GetCounters())
                counts.dropped += name.rfind("dropped-", 0) == 0 ? value : 0;
        }
        NS_TEST_EXPECT_MSG_EQ_TOL(fabric.guests[kGuest]->GetSentPackets(), fabric.guests[0]->GetSentPackets(),
                                  1, "it sent as much as any other, but for where in its gap it began");
        return counts;
    }

    void DoRun() override {
        const Counts lean = Try("lean");
        NS_TEST_EXPECT_MSG_EQ(lean.sent - lean.received, lean.elsewhere,
                              "what is lost is what came too late");
        NS_TEST_EXPECT_MSG_GT(lean.elsewhere, 4, "50 Mbps for 2 ms is nine packets");
        NS_TEST_EXPECT_MSG_LT(lean.elsewhere, 12, "and no more");
        NS_TEST_EXPECT_MSG_EQ(lean.dropped, lean.elsewhere, "nothing else was dropped by any EPPC");
        NS_TEST_EXPECT_MSG_EQ(lean.moved, 1, "its one sender has heard of it");
        NS_TEST_EXPECT_MSG_GT(lean.fromNew, 600, "the new host sends for two");
        NS_TEST_EXPECT_MSG_EQ((Try("stock") == lean), true, "stock ns-3 does the same");
        NS_TEST_EXPECT_MSG_EQ((Try("lean") == lean), true, "and so does another run");
    }
};

/// A guest that goes away and comes back.
class ReturnTestCase : public TestCase {
  public:
    ReturnTestCase() : TestCase("guests come and go, also to where their own peers are") {}

  private:
    void DoRun() override {
        MovingFabric fabric;
        fabric.helper.SetPlacementAttribute("LearnAfter", TimeValue(Seconds(0)));
        fabric.helper.Install();
        fabric.Send("20Mbps", MilliSeconds(200));
        const auto& topology = fabric.helper.GetFabric()->GetTopology();
        std::vector<Move> moves;
        for (uint32_t host = 0; host < 16; ++host)
            moves.push_back({kGuest, topology.GetNode((kGuest + 1 + host) % 16).name, "not tried"});
        for (uint32_t i = 0; i < moves.size(); ++i)
            Simulator::Schedule(MilliSeconds(10 * (i + 1)), &DoMove, &fabric.helper, &moves[i]);
        Simulator::Stop(MilliSeconds(400));
        Simulator::Run();
        for (const Move& move : moves)
            NS_TEST_EXPECT_MSG_EQ(move.refused, "", move.host);
        NS_TEST_EXPECT_MSG_EQ(fabric.HostOf(kGuest), kGuest, "it is where it began");
        uint64_t sent = 0;
        uint64_t received = 0;
        for (const auto& guest : fabric.guests) {
            sent += guest->GetSentPackets();
            received += guest->GetReceivedPackets();
        }
        const uint64_t elsewhere = fabric.CountAll("dropped-guest-elsewhere");
        NS_TEST_EXPECT_MSG_EQ(sent - received, elsewhere, "only what was in flight is lost");
        NS_TEST_EXPECT_MSG_LT(elsewhere, 32, "and that is little");
        NS_TEST_EXPECT_MSG_EQ(fabric.CountAll("dropped-unknown-destination"), 0,
                              "two guests of one host reach each other without the underlay");
        NS_TEST_EXPECT_MSG_LT(fabric.CountAll("encapsulated"), sent, "which some did");
    }
};

/// A full guest moves in the midst of a transfer.
class FullMoveTestCase : public TestCase {
  public:
    explicit FullMoveTestCase(const std::string& grade = "lean")
        : TestCase("a TCP connection of a full guest survives its move, " + grade + " grade"),
          m_grade(grade) {}

  private:
    void DoRun() override {
        Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
        // An acknowledgement that waits for longer than a sender does makes it begin anew with each segment.
        Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(MilliSeconds(10)));
        Config::SetDefault("ns3::TcpSocket::DelAckTimeout", TimeValue(MilliSeconds(1)));
        {
            MovingFabric fabric(m_grade);
            fabric.helper.AddGuest("host-0-0-0");
            fabric.helper.AddGuest("host-3-1-1");
            fabric.helper.Install();
            DyetraceGuestHelper guests;
            const NodeContainer nodes = guests.Install(fabric.helper);
            constexpr uint64_t kBytes = 8000000;
            BulkSendHelper sender("ns3::TcpSocketFactory", InetSocketAddress(guests.GetAddress(1), 5001));
            sender.SetAttribute("MaxBytes", UintegerValue(kBytes));
            sender.Install(nodes.Get(0)).Start(MilliSeconds(1));
            PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), 5001));
            const ApplicationContainer sinks = sink.Install(nodes.Get(1));
            const uint32_t server = fabric.helper.GetAddedGuest(1);
            const uint32_t client = fabric.helper.GetAddedGuest(0);
            Move away{server, "host-2-0-0", "not tried"};
            Move after{client, "host-1-0-0", "not tried"};
            // It takes up to 20 ms to connect, and 70 ms from there.
            Simulator::Schedule(MilliSeconds(30), &DoMove, &fabric.helper, &away);
            Simulator::Schedule(MilliSeconds(50), &DoMove, &fabric.helper, &after);
            Simulator::Stop(Seconds(5));
            Simulator::Run();
            NS_TEST_EXPECT_MSG_EQ(away.refused, "", "the server was moved");
            NS_TEST_EXPECT_MSG_EQ(after.refused, "", "the client was moved");
            NS_TEST_EXPECT_MSG_EQ(DynamicCast<PacketSink>(sinks.Get(0))->GetTotalRx(), kBytes, "all arrived");
            NS_TEST_EXPECT_MSG_GT(fabric.Count(fabric.Find("host-3-1-1"), "decapsulated"), 100,
                                  "some of it at the old host");
            NS_TEST_EXPECT_MSG_GT(fabric.Count(fabric.Find("host-2-0-0"), "decapsulated"), 1000,
                                  "most of it at the new host");
        }
        Config::Reset();
    }

    std::string m_grade;
};

class StockFullMoveTestCase : public FullMoveTestCase {
  public:
    StockFullMoveTestCase() : FullMoveTestCase("stock") {}
};

class RefusedMoveTestCase : public TestCase {
  public:
    RefusedMoveTestCase() : TestCase("a move that cannot be is refused in words") {}

  private:
    void DoRun() override {
        MovingFabric fabric;
        fabric.helper.SetHostAttribute("host-3-1-1", "UnderlayMtu", UintegerValue(1500));
        fabric.helper.AddGuest("host-0-0-0");
        fabric.helper.AddGuest("host-0-0-1");
        fabric.helper.Install();
        DyetraceHelper& helper = fabric.helper;
        DyetraceGuestHelper guests;
        guests.SetDeviceAttribute("Mtu", UintegerValue(1450));
        const uint32_t full = helper.GetAddedGuest(0);
        const uint32_t without = helper.GetAddedGuest(1);
        auto node = CreateObject<Node>();
        guests.Install(helper, 0, node);
        NS_TEST_EXPECT_MSG_EQ(helper.MoveGuest(99, "host-0-0-1"), "there is no guest number 99", "guest");
        NS_TEST_EXPECT_MSG_EQ(helper.MoveGuest(3, "core-0"), "no host is called core-0", "host");
        NS_TEST_EXPECT_MSG_EQ(helper.MoveGuest(0, "host-0-0-0"), "guest 0 is on host-0-0-0 already", "same");
        NS_TEST_EXPECT_MSG_EQ(helper.MoveGuest(without, "host-1-0-0"),
                              "guest " + std::to_string(without) + " is not plugged in yet", "no device");
        const std::string refused = helper.MoveGuest(full, "host-3-1-1");
        NS_TEST_EXPECT_MSG_NE(refused.find("its MTU of 1450 exceeds"), std::string::npos, refused);
        NS_TEST_EXPECT_MSG_EQ(fabric.HostOf(full), 0, "it stays where it is");
        NS_TEST_EXPECT_MSG_EQ(helper.MoveGuest(full, "host-1-0-0"), "", "and may move elsewhere");
    }
};

/// Emptying a host by request.
class EvacuationTestCase : public TestCase {
  public:
    EvacuationTestCase()
        : TestCase("a host's guests go to where the fewest are, and to none that is drained") {}

  private:
    void DoRun() override {
        std::vector<uint32_t> first;
        for (int run = 0; run < 2; ++run) {
            MovingFabric fabric;
            fabric.helper.AddGuestGroup("host-2-*");  // a second guest on four hosts
            fabric.helper.Install();
            const Ptr<DyetracePlacement> placement = fabric.helper.GetPlacement();
            for (uint32_t host = 0; host < 16; ++host) {
                const bool isOneOfFew = host == 1 || host == 5 || host == 8 || host == 9;
                if (!isOneOfFew) placement->SetDrained(host, true);
            }
            std::vector<DyetraceEvacuation> told;
            placement->Evacuate(8, [&told](const DyetraceEvacuation& one) { told.push_back(one); });
            Simulator::Stop(MilliSeconds(200));
            Simulator::Run();
            NS_TEST_ASSERT_MSG_EQ(told.size(), 1, "it was told once");
            NS_TEST_EXPECT_MSG_EQ(told[0].stayed.size(), 0, "none stays");
            NS_TEST_ASSERT_MSG_EQ(told[0].moved.size(), 2, "both have moved");
            std::set<uint32_t> places;
            for (const auto& moved : told[0].moved) {
                places.insert(moved.to);
                NS_TEST_EXPECT_MSG_EQ(fabric.HostOf(moved.guest), moved.to, "as it was told");
                if (run == 0) first.push_back(moved.to);
            }
            NS_TEST_EXPECT_MSG_EQ((places == std::set<uint32_t>{1, 5}), true,
                                  "one each to those with one guest");
            if (run == 1) {
                NS_TEST_EXPECT_MSG_EQ((first[0] == told[0].moved[0].to), true, "every run chooses alike");
            }
            // Those that it goes to are the fullest now; the one that was emptied is not taken.
            placement->Evacuate(8, [&told](const DyetraceEvacuation& one) { told.push_back(one); });
            placement->Evacuate(1, [&told](const DyetraceEvacuation& one) { told.push_back(one); });
            Simulator::Stop(MilliSeconds(200));
            Simulator::Run();
            NS_TEST_ASSERT_MSG_EQ(told.size(), 3, "both were told");
            NS_TEST_EXPECT_MSG_EQ(told[1].isOld, true, "they had left before");
            NS_TEST_EXPECT_MSG_EQ(told[1].moved.size(), 2, "and it is known where to");
            for (const auto& moved : told[2].moved)
                NS_TEST_EXPECT_MSG_NE(moved.to, 8, "a host that was emptied gets none");
            for (uint32_t host = 0; host < 16; ++host)
                placement->SetDrained(host, true);
            placement->Evacuate(9, [&told](const DyetraceEvacuation& one) { told.push_back(one); });
            Simulator::Stop(MilliSeconds(200));
            Simulator::Run();
            NS_TEST_ASSERT_MSG_EQ(told.size(), 4, "it was told");
            NS_TEST_EXPECT_MSG_EQ(told[3].moved.size(), 0, "nobody takes them");
            NS_TEST_ASSERT_MSG_GT(told[3].stayed.size(), 0, "so they stay");
            NS_TEST_EXPECT_MSG_EQ(told[3].stayed[0].why, "no other host may take it", "in words");
        }
    }
};

/// A sick host's incident, from the fault to its end.
class SickHostTestCase : public TestCase {
  public:
    explicit SickHostTestCase(const std::string& grade = "lean")
        : TestCase("a sick host's guests move, and its incident ends verified, " + grade + " grade"),
          m_grade(grade) {}

  private:
    void NoteIncident(const DyetraceIncidentStep& step) {
        if (step.GetSubject().find("host-2-0-1") == std::string::npos) return;
        m_steps.push_back(step.step);
        if (step.step == "verified") m_verified = step.detail;
        if (step.step == "migrated") m_migrated = step.detail;
    }
    void NoteMove(uint32_t guest, uint32_t from, uint32_t) {
        NS_TEST_EXPECT_MSG_EQ(from, kGuest, "off the sick host");
        NS_TEST_EXPECT_MSG_EQ(guest, kGuest, "its guest");
        ++m_moves;
    }

    void DoRun() override {
        MovingFabric fabric(m_grade);
        fabric.SetNhms();
        fabric.helper.Install();
        const Ptr<DyetraceNhms> nhms = fabric.helper.GetNhms();
        DyetraceClients clients;
        DyetraceTenant& tenant = clients.tenants.emplace_back();
        tenant.name = "red";
        tenant.vnis = {1000};
        for (uint32_t guest = 0; guest < 16; ++guest)
            tenant.guests.push_back({"vm-" + std::to_string(guest), guest});
        nhms->SetClients(clients, fabric.helper.GetGuests());
        nhms->TraceConnectWithoutContext("Incident", MakeCallback(&SickHostTestCase::NoteIncident, this));
        fabric.helper.GetPlacement()->TraceConnectWithoutContext(
            "Move", MakeCallback(&SickHostTestCase::NoteMove, this));
        DyetraceSourceHelper sources("ns3::DyetracePoissonSource");
        sources.SetAttribute("Rate", StringValue("80Mbps"));
        sources.SetAttribute("Flows", UintegerValue(16));
        sources.SetAttribute("Stop", TimeValue(MilliSeconds(2500)));
        sources.Install(fabric.helper);
        fabric.helper.AddSilentDrop("host-2-0-1", "edge-2-0", MilliSeconds(200), 0.05);
        fabric.helper.AddSilentDrop("edge-2-0", "host-2-0-1", MilliSeconds(200), 0.05);
        Simulator::Stop(MilliSeconds(2500));
        Simulator::Run();
        std::string steps;
        for (const std::string& step : m_steps)
            steps += step + " ";
        const auto has = [this](const char* step) {
            return std::find(m_steps.begin(), m_steps.end(), step) != m_steps.end();
        };
        NS_TEST_EXPECT_MSG_EQ(has("migrated"), true, steps);
        NS_TEST_EXPECT_MSG_EQ(has("verified"), true, steps);
        NS_TEST_EXPECT_MSG_EQ(has("closed"), true, steps);
        NS_TEST_EXPECT_MSG_EQ(has("not-verified"), false, steps);
        NS_TEST_EXPECT_MSG_EQ(m_moves, 1, m_migrated);
        NS_TEST_EXPECT_MSG_NE(fabric.HostOf(kGuest), kGuest, "its guest is elsewhere");
        NS_TEST_EXPECT_MSG_NE(m_verified.find("migrate: "), std::string::npos, m_verified);
        // The tenant's pairs are measured where its guest is now.
        bool isSeen = false;
        for (const DyetracePairHealth& pair : nhms->GetPairs("red")) {
            if (pair.from == "vm-9" || pair.to == "vm-9") {
                isSeen = true;
                NS_TEST_EXPECT_MSG_EQ(pair.reason.rfind("loss 0% ", 0), 0,
                                      pair.from + " to " + pair.to + ": " + pair.reason);
            }
        }
        NS_TEST_EXPECT_MSG_EQ(isSeen, true, "the tenant sees its guest");
    }

    std::string m_grade;
    std::vector<std::string> m_steps;
    std::string m_verified;
    std::string m_migrated;
    uint32_t m_moves = 0;
};

class StockSickHostTestCase : public SickHostTestCase {
  public:
    StockSickHostTestCase() : SickHostTestCase("stock") {}
};

const Offer<LeanMoveTestCase, ReturnTestCase, FullMoveTestCase, StockFullMoveTestCase, RefusedMoveTestCase,
            EvacuationTestCase, SickHostTestCase, StockSickHostTestCase>
    g_offer{"placement"};

}  // namespace
