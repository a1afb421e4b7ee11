// SPDX-License-Identifier: GPL-2.0-or-later
// Links: time, queues, faults, and the order of what happens at one time.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <ns3/object-factory.h>
#include <ns3/simulator.h>
#include <ns3/test.h>

#include "../model/dyetrace-frame-time.h"
#include "dyetrace-test-cases.h"
#include "dyetrace-test-traffic.h"

#include "core/base/random.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

class TimingTestCase : public TestCase {
  public:
    TimingTestCase() : TestCase("a packet takes its transmission time and the delay of every link") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "4"}, {"LinkRate", "10Gbps"}, {"LinkDelay", "1us"}};
        const uint32_t from = fabric.Node("host-0-0-0");
        Datagram far{from, fabric.Node("host-3-0-0")};
        far.payload = MicrosecondPayload;
        fabric.SendAt(MicroSeconds(5), far);
        Datagram small{from, fabric.Node("host-0-0-1")};
        small.payload = 1;  // padded to 60 bytes: 84 on the wire, 67.2 ns
        fabric.SendAt(MicroSeconds(100), small);
        fabric.Run();
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), 2, "both arrive");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals()[0].timeNs, 5000 + 6 * 2000, "six links of 1 us + 1 us");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals()[1].timeNs, 100000 + 2 * 1067, "two links of 67 ns + 1 us");
    }
};

class QueueTestCase : public TestCase {
  public:
    QueueTestCase() : TestCase("a port drops exactly what does not fit into its queue") {}

  private:
    void DoRun() override {
        DropOfBurst();
        DropOfIncast();
        DropOfSlowLink();
        HoldMuch();
    }

    /// A queue that takes 2.4 s to send.
    void DropOfSlowLink() {
        for (const std::string grade : {"lean", "stock"}) {
            TestFabric slow{{"K", "2"}, {"LinkRate", "1Mbps"}, {"QueueBytes", "300000"}, {"Grade", grade}};
            Datagram datagram{slow.Node("host-0-0-0"), slow.Node("host-1-0-0")};
            datagram.payload = MicrosecondPayload;
            for (int i = 0; i < 250; ++i)
                slow.SendAt(MicroSeconds(1), datagram);
            slow.Run();
            NS_TEST_EXPECT_MSG_EQ(slow.GetArrivals().size(), 240, "300000 / 1250 fit, " << grade);
            NS_TEST_EXPECT_MSG_EQ(slow->GetDrops(DyetraceDropCause::Queue), 10, "the others do not");
        }
    }

    void HoldMuch() {
        NS_TEST_EXPECT_MSG_EQ(DyetraceQueueNs(DataRate("10Gbps"), 1'000'000'000), 800'000'000,
                              "more bits than 32 bits count");
        for (const char* rate : {"1Mbps", "7Gbps", "333333333bps"}) {
            NS_TEST_EXPECT_MSG_EQ(DyetraceQueueNs(DataRate(rate), 150'001),
                                  DataRate(rate).CalculateBytesTxTime(150'001).GetNanoSeconds(),
                                  "rounded as ns-3 does, at " << rate);
        }
    }

    /// At one time to one port: as many as fit, the one under way included.
    void DropOfBurst() {
        TestFabric burst{{"K", "4"}, {"QueueBytes", "125000"}};
        Datagram datagram{burst.Node("host-0-0-0"), burst.Node("host-0-0-1")};
        datagram.payload = MicrosecondPayload;
        for (int i = 0; i < 130; ++i)
            burst.SendAt(MicroSeconds(1), datagram);
        burst.Run();
        NS_TEST_EXPECT_MSG_EQ(burst.GetArrivals().size(), 100, "125000 / 1250 fit");
        NS_TEST_EXPECT_MSG_EQ(burst->GetDrops(DyetraceDropCause::Queue), 30, "and the others do not");
    }

    /// Two senders at full rate into one port that holds ten: from the first, fill grows by one a
    /// microsecond, and stands at 2, 3, .. 10 after the pair at 0, 1, .. 8 us. Then each pair finds room for
    /// one.
    void DropOfIncast() {
        TestFabric incast{{"K", "6"}, {"QueueBytes", "12500"}};
        constexpr int pairs = 100;
        std::set<uint32_t> victims;
        incast.OnDrop([&](uint32_t link, DyetraceDropCause, const DyetracePacket& packet) {
            NS_TEST_EXPECT_MSG_EQ(link, incast.Link("edge-0-0", "host-0-0-2"),
                                  "only the port to the receiver");
            victims.insert(dyetrace::load_u16(packet.Frame() + 34));
        });
        for (int i = 0; i < pairs; ++i) {
            // The higher port first: the order of sending must not matter.
            for (const uint32_t sender : {1U, 0U}) {
                Datagram one{sender, 2};
                one.sourcePort = static_cast<uint16_t>(50000 + sender);
                one.payload = MicrosecondPayload;
                incast.SendAt(MicroSeconds(i), one);
            }
        }
        incast.Run();
        NS_TEST_EXPECT_MSG_EQ(incast->GetDrops(DyetraceDropCause::Queue), pairs - 9,
                              "one of each pair from the tenth");
        NS_TEST_EXPECT_MSG_EQ(incast.GetArrivals().size(), pairs + 9, "all others arrive");
        NS_TEST_EXPECT_MSG_EQ(victims.size(), 1, "all victims are of one sender");
        NS_TEST_EXPECT_MSG_EQ(victims.count(50001), 1, "the one at the higher port, which is served second");
    }
};

/// Sends `count` packets over agg-0-0 > core-0 or back, and tells which the fault took.
std::set<uint32_t> LostUnder(const std::string& seed, const std::string& scheduler, uint32_t count,
                             const std::vector<std::pair<std::string, std::string>>& fault,
                             int64_t spacingNs = 100) {
    ObjectFactory factory;
    factory.SetTypeId(scheduler);
    Simulator::SetScheduler(factory);
    TestFabric fabric{{"K", "2"}, {"Seed", seed}};  // one path
    fabric.AddFault(fault);
    std::set<uint32_t> lost;
    fabric.OnDrop([&](uint32_t, DyetraceDropCause cause, const DyetracePacket& packet) {
        if (cause != DyetraceDropCause::Fault) return;
        lost.insert(dyetrace::load_u32(packet.Frame() + 34));  // both ports: the ordinal
    });
    for (uint32_t i = 0; i < count; ++i) {
        Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
        datagram.sourcePort = static_cast<uint16_t>(i >> 16);
        datagram.destinationPort = static_cast<uint16_t>(i);
        datagram.payload = 20;
        fabric.SendAt(NanoSeconds(spacingNs) * i, datagram);
    }
    fabric.Run();
    return lost;
}

class SilentDropTestCase : public TestCase {
  public:
    SilentDropTestCase()
        : TestCase("a silent drop takes its share, repeatably, in its direction and time only") {}

  private:
    void DoRun() override {
        constexpr uint32_t count = 100000;
        const std::string pq = "ns3::PriorityQueueScheduler";
        const std::vector<std::pair<std::string, std::string>> onePercent{
            {"From", "agg-0-0"}, {"To", "core-0"}, {"Probability", "0.01"}};
        const auto lost = LostUnder("1", pq, count, onePercent);
        // Binomial: mean 1000, standard deviation 31.5.
        NS_TEST_EXPECT_MSG_GT(static_cast<double>(lost.size()), 1000 - 4 * 31.5, "not too few");
        NS_TEST_EXPECT_MSG_LT(static_cast<double>(lost.size()), 1000 + 4 * 31.5, "not too many");
        NS_TEST_EXPECT_MSG_EQ((LostUnder("1", "ns3::HeapScheduler", count, onePercent) == lost), true,
                              "the same packets, whatever the scheduler");
        NS_TEST_EXPECT_MSG_EQ((LostUnder("1", pq, count, onePercent, 130) == lost), true,
                              "and whenever they come: it is their number on the link that counts");
        const auto other = LostUnder("2", pq, count, onePercent);
        uint32_t both = 0;
        for (const uint32_t ordinal : lost)
            both += static_cast<uint32_t>(other.count(ordinal));
        NS_TEST_EXPECT_MSG_LT(both, 10 + 4 * 3.2,
                              "another seed takes others: about one in 100 of these again");

        auto reverse = onePercent;
        reverse[0].second = "core-0";
        reverse[1].second = "agg-0-0";
        NS_TEST_EXPECT_MSG_EQ(LostUnder("1", pq, count, reverse).size(), 0, "the other direction is well");

        auto all = onePercent;
        all[2].second = "1";
        all.emplace_back("At", "1ms");
        all.emplace_back("Until", "2ms");
        const auto window = LostUnder("1", pq, count, all);
        // Sent each 100 ns; three links of 86 bytes at 10 Gbps (68.8 ns, rounded) and 1 us to the link's end.
        const double travelNs = 3 * 1069;
        NS_TEST_EXPECT_MSG_EQ(window.size(), 10000, "all packets of one millisecond");
        NS_TEST_EXPECT_MSG_EQ(*window.begin(), std::ceil((1e6 - travelNs) / 100), "from its beginning");
    }
};

class LinkDownTestCase : public TestCase {
  public:
    LinkDownTestCase()
        : TestCase("a link that is down carries nothing, either way, and loses what was under way") {}

  private:
    void DoRun() override {
        TestFabric fabric{{"K", "2"}};
        fabric.AddFault({{"Kind", "link-down"},
                         {"From", "agg-0-0"},
                         {"To", "core-0"},
                         {"At", "100us"},
                         {"Until", "200us"}});
        const uint32_t a = fabric.Node("host-0-0-0");
        const uint32_t b = fabric.Node("host-1-0-0");
        for (int i = 0; i < 300; ++i) {
            for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
                Datagram datagram{from, to};
                datagram.payload = MicrosecondPayload;
                fabric.SendAt(MicroSeconds(i), datagram);
            }
        }
        std::set<uint32_t> where;
        fabric.OnDrop([&](uint32_t link, DyetraceDropCause, const DyetracePacket&) { where.insert(link); });
        fabric.Run();
        // Packet i reaches its switch before the link at i + 4 us (a side) or i + 6 us (b side) and its far
        // end 2 us later. Lost: those that reach the switch from 100 up to 200 us, and those under way at 100
        // us.
        const uint64_t lost = fabric->GetDrops(DyetraceDropCause::Down);
        NS_TEST_EXPECT_MSG_EQ(lost, 2 * (100 + 2), "a hundred sent, and two under way, each way");
        NS_TEST_EXPECT_MSG_EQ(fabric.GetArrivals().size(), 600 - lost, "the others arrive");
        const std::set<uint32_t> both{fabric.Link("agg-0-0", "core-0"), fabric.Link("core-0", "agg-0-0")};
        NS_TEST_EXPECT_MSG_EQ((where == both), true, "in both directions of that link, and nowhere else");
        NS_TEST_EXPECT_MSG_EQ(fabric->GetPool().GetInUse(), 0, "no packet is left over");
    }
};

/// Everything that happens, in its order.
using Story = std::vector<std::tuple<int64_t, uint32_t, uint32_t, uint32_t>>;

/// A busy fabric with faults; packets are sent in groups at equal times, in an order that `shuffle` changes.
/// \param watch whether the drops are told too; with a sink for them the fabric does not run ahead
Story Tell(const std::string& scheduler, bool shuffle, bool watch = true) {
    ObjectFactory factory;
    factory.SetTypeId(scheduler);
    Simulator::SetScheduler(factory);
    TestFabric fabric{{"K", "4"}, {"Seed", "5"}, {"QueueBytes", "12500"}};
    fabric.AddFault({{"From", "agg-0-1"}, {"To", "core-2"}, {"Probability", "0.1"}, {"At", "10us"}});
    fabric.AddFault(
        {{"Kind", "link-down"}, {"From", "agg-1-0"}, {"To", "core-1"}, {"At", "50us"}, {"Until", "80us"}});
    fabric.AddFault({{"Kind", "reordering"},
                     {"From", "core-*"},
                     {"To", "agg-2-*"},
                     {"Delay", "1500ns"},
                     {"Probability", "0.2"}});
    fabric.AddFault({{"Kind", "added-delay"},
                     {"From", "edge-*"},
                     {"To", "agg-0-*"},
                     {"Delay", "300ns"},
                     {"Jitter", "700ns"},
                     {"Until", "90us"}});
    fabric.AddFault({{"Kind", "duplication"}, {"From", "agg-3-*"}, {"To", "edge-*"}, {"Probability", "0.3"}});
    fabric.AddFault({{"Kind", "rate-cut"},
                     {"From", "agg-*"},
                     {"To", "edge-*"},
                     {"Count", "2"},
                     {"Rate", "3Gbps"},
                     {"At", "20us"},
                     {"Until", "60us"}});
    Story story;
    if (watch) {
        fabric.OnDrop([&](uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
            story.emplace_back(Simulator::Now().GetNanoSeconds(), link, static_cast<uint32_t>(cause),
                               dyetrace::load_u32(packet.Frame() + 34));
        });
    }
    dyetrace::Random random(9);
    for (uint32_t group = 0; group < 200; ++group) {
        std::vector<Datagram> datagrams;
        for (uint32_t from = 0; from < 16; ++from) {
            Datagram datagram{from, (from + 1 + random.below(15)) % 16};
            datagram.sourcePort = static_cast<uint16_t>(group);
            datagram.destinationPort = static_cast<uint16_t>(from);
            datagram.payload = MicrosecondPayload;
            datagrams.push_back(datagram);
        }
        if (shuffle) std::reverse(datagrams.begin(), datagrams.end());
        for (const Datagram& datagram : datagrams)
            fabric.SendAt(MicroSeconds(group), datagram);
    }
    fabric.Run();
    for (const auto& arrival : fabric.GetArrivals()) {
        story.emplace_back(arrival.timeNs, arrival.host, UINT32_MAX,
                           dyetrace::load_u32(arrival.head.data() + 34));
    }
    std::sort(story.begin(), story.end());  // what happens at one time at two places has no order of its own
    return story;
}

class OrderTestCase : public TestCase {
  public:
    OrderTestCase()
        : TestCase(
              "a run is a function of its inputs: not of the scheduler, nor of the order of equal times") {}

  private:
    void DoRun() override {
        const Story first = Tell("ns3::PriorityQueueScheduler", false);
        NS_TEST_ASSERT_MSG_GT(first.size(), 3000, "something happens");
        NS_TEST_EXPECT_MSG_EQ((Tell("ns3::PriorityQueueScheduler", false) == first), true,
                              "once more, the same");
        NS_TEST_EXPECT_MSG_EQ((Tell("ns3::MapScheduler", false) == first), true, "by another scheduler");
        NS_TEST_EXPECT_MSG_EQ((Tell("ns3::HeapScheduler", false) == first), true, "by a third");
        NS_TEST_EXPECT_MSG_EQ((Tell("ns3::DyetraceScheduler", false) == first), true, "by our own");
        NS_TEST_EXPECT_MSG_EQ((Tell("ns3::PriorityQueueScheduler", true) == first), true,
                              "with packets of one time sent in another order");
        const Story ahead = Tell("ns3::PriorityQueueScheduler", false, false);
        Story arrivals;
        std::copy_if(first.begin(), first.end(), std::back_inserter(arrivals),
                     [](const auto& one) { return std::get<2>(one) == UINT32_MAX; });
        NS_TEST_EXPECT_MSG_EQ((ahead == arrivals), true, "with nobody watching, so that switches run ahead");
    }
};

const Offer<TimingTestCase, QueueTestCase, SilentDropTestCase, LinkDownTestCase, OrderTestCase> g_offer{
    "links"};

}  // namespace
