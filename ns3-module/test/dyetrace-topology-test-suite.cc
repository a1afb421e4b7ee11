// SPDX-License-Identifier: GPL-2.0-or-later
// Fabrics of every shape: what they are made of, and that every host reaches every other in them.

#include <set>
#include <string>
#include <vector>

#include <ns3/test.h>

#include "dyetrace-test-cases.h"
#include "dyetrace-test-traffic.h"

using namespace ns3;
using namespace ns3::dyetrace_test;

namespace {

constexpr uint64_t kGigabit = 1000000000;

DyetraceTopology MadeByHand() {
    DyetraceTopology::Builder builder;
    const uint32_t left = builder.AddSwitch("left");
    const uint32_t middle = builder.AddSwitch("middle");
    const uint32_t right = builder.AddSwitch("right");
    builder.AddHost("a", left);
    builder.AddHost("b", right);
    builder.AddHost("c", right, 2 * kGigabit);
    builder.AddCable(left, middle, kGigabit / 2, MilliSeconds(3));
    builder.AddCable(right, middle);
    return builder.Build();
}

/// One datagram from each host to each other.
class ReachesAllTestCase : public TestCase {
  public:
    ReachesAllTestCase(const std::string& what, DyetraceTopology topology)
        : TestCase("every host reaches every other in " + what), m_topology(std::move(topology)) {}

  private:
    void DoRun() override {
        TestFabric fabric({{"Seed", "1"}, {"QueueBytes", "10000000"}}, &m_topology);
        std::vector<Datagram> sent;
        for (uint32_t from = 0; from < m_topology.GetNHosts(); ++from) {
            for (uint32_t to = 0; to < m_topology.GetNHosts(); ++to) {
                if (from == to) continue;
                Datagram datagram{from, to};
                datagram.identification = static_cast<uint16_t>(sent.size());
                fabric.SendAt(MicroSeconds(sent.size() + 1), datagram);
                sent.push_back(datagram);
            }
        }
        fabric.Run();
        NS_TEST_ASSERT_MSG_EQ(fabric.GetArrivals().size(), sent.size(), "everything arrives");
        for (const auto& arrival : fabric.GetArrivals()) {
            const Datagram& datagram = sent.at(Ipv4Of(arrival.head).identification);
            NS_TEST_EXPECT_MSG_EQ(arrival.host, datagram.to, "at the host it was sent to");
        }
    }

    DyetraceTopology m_topology;
};

class MadeByHandTestCase : public TestCase {
  public:
    MadeByHandTestCase() : TestCase("a topology made by hand has the parts that were added") {}

  private:
    void DoRun() override {
        const DyetraceTopology topology = MadeByHand();
        NS_TEST_EXPECT_MSG_EQ(topology.GetNHosts(), 3, "hosts");
        NS_TEST_EXPECT_MSG_EQ(topology.GetNRacks(), 2, "switches with hosts");
        NS_TEST_EXPECT_MSG_EQ(topology.GetNCables(), 5, "cables");
        const uint32_t middle = topology.FindNode("middle");
        NS_TEST_EXPECT_MSG_EQ(static_cast<int>(topology.GetNode(middle).tier),
                              static_cast<int>(DyetraceTopology::Tier::Core), "a switch without hosts");
        const uint32_t slow = topology.FindLink(topology.FindNode("left"), middle);
        NS_TEST_EXPECT_MSG_EQ(topology.GetLinkRate(slow), kGigabit / 2, "a rate of its own");
        NS_TEST_EXPECT_MSG_EQ(topology.GetLinkRate(topology.GetReverse(slow)), kGigabit / 2, "both ways");
        NS_TEST_EXPECT_MSG_EQ(topology.GetLinkDelay(slow), MilliSeconds(3), "a delay of its own");
        const uint32_t usual = topology.FindLink(topology.FindNode("right"), middle);
        NS_TEST_EXPECT_MSG_EQ(topology.GetLinkRate(usual), 0, "as the fabric's links");
        NS_TEST_EXPECT_MSG_EQ(topology.GetLinkDelay(usual).IsNegative(), true, "as the fabric's links");
        NS_TEST_EXPECT_MSG_EQ(topology.FindHost(Ipv4Address("10.0.1.3")), topology.FindNode("c"),
                              "by address");
        NS_TEST_EXPECT_MSG_EQ(topology.FindHost(Ipv4Address("10.0.1.1")), DyetraceTopology::None,
                              "a switch is no host");
    }
};

class AddressTestCase : public TestCase {
  public:
    AddressTestCase() : TestCase("an IPv6 address ends in the IPv4 address, and no two are alike") {}

  private:
    void DoRun() override {
        const DyetraceTopology topology = DyetraceTopology::LeafSpine(3, 2, 4);
        NS_TEST_EXPECT_MSG_EQ(topology.GetAddress6(topology.FindNode("host-1-2")),
                              Ipv6Address("fd00::a00:104"), "fd00::/96 and 10.0.1.4");
        std::set<Ipv6Address> addresses;
        for (uint32_t node = 0; node < topology.GetNNodes(); ++node)
            addresses.insert(topology.GetAddress6(node));
        NS_TEST_EXPECT_MSG_EQ(addresses.size(), topology.GetNNodes(), "no address is used twice");
    }
};

class ShapeTestCase : public TestCase {
  public:
    ShapeTestCase() : TestCase("shapes have the nodes and rates that were asked for") {}

  private:
    void DoRun() override {
        const DyetraceTopology leafSpine = DyetraceTopology::LeafSpine(6, 3, 8, 40 * kGigabit);
        NS_TEST_EXPECT_MSG_EQ(leafSpine.GetNHosts(), 48, "hosts of 6 leaves");
        const uint32_t up = leafSpine.FindLink(leafSpine.FindNode("leaf-5"), leafSpine.FindNode("spine-2"));
        NS_TEST_EXPECT_MSG_EQ(leafSpine.GetLinkRate(up), 40 * kGigabit, "of an uplink");
        NS_TEST_EXPECT_MSG_EQ(leafSpine.GetLinkRate(0), 0, "of a host");
        DyetraceTopology::ClosShape shape;
        shape.pods = 2;
        shape.edgesPerPod = 3;
        shape.planes = 2;
        shape.spinesPerPlane = 4;
        shape.hostsPerEdge = 5;
        shape.coreRate = 100 * kGigabit;
        const DyetraceTopology clos = DyetraceTopology::Clos(shape);
        NS_TEST_EXPECT_MSG_EQ(clos.GetNNodes(), 30 + 6 + 4 + 8, "hosts, edges, aggregations, cores");
        const uint32_t core = clos.FindLink(clos.FindNode("agg-1-1"), clos.FindNode("core-1-3"));
        NS_TEST_ASSERT_MSG_NE(core, DyetraceTopology::None, "an aggregation switch reaches its plane");
        NS_TEST_EXPECT_MSG_EQ(clos.GetLinkRate(core), 100 * kGigabit, "of a core link");
        const DyetraceTopology jellyfish = DyetraceTopology::Jellyfish(16, 4, 2, 9);
        NS_TEST_EXPECT_MSG_EQ(jellyfish.GetNCables(), 32 + 16 * 4 / 2, "cables");
    }
};

/// Cases of one class, each of another shape.
struct OfferShapes {
    OfferShapes() {
        DyetraceTopology::ClosShape shape;
        shape.pods = 3;
        FilledTestSuite& suite = SuiteOf("topology");
        suite.AddTestCase(new ReachesAllTestCase("leaf-spine", DyetraceTopology::LeafSpine(4, 3, 4)));
        suite.AddTestCase(new ReachesAllTestCase("a Clos", DyetraceTopology::Clos(shape)));
        suite.AddTestCase(new ReachesAllTestCase("Jellyfish", DyetraceTopology::Jellyfish(12, 3, 2, 5)));
        suite.AddTestCase(new ReachesAllTestCase("what was made by hand", MadeByHand()));
    }
};

const Offer<ShapeTestCase, MadeByHandTestCase, AddressTestCase> g_offer{"topology"};
const OfferShapes g_offerShapes;

}  // namespace
