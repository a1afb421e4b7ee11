// SPDX-License-Identifier: GPL-2.0-or-later
// [[tenant]], [[service]], [[probe]], [[flow_trace]], and the tables inside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/reader/guests.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two workloads on a fat-tree of 16 hosts; what comes next begins on line 12.
const std::string networks = R"(tracking.insecure = true
[fabric]
k = 4
[[workload]]
vni = 10
hosts = "host-0-*"
load = "10%"
[[workload]]
kind = "constant"
vni = 20
hosts = "host-[01]-*"
)";
const std::string two_networks = [] {
    std::string text = networks;
    return text.replace(text.find("host-[01]-*"), 11, "host-?-0-0");
}();

/// A tenant of both networks on lines 12 and on.
const std::string red = two_networks + "[[tenant]]\nname = \"red\"\nvnis = [10]\n";
/// With two guests that have names, up to line 20.
const std::string with_guests =
    red +
    "[[tenant.guest]]\nname = \"web\"\nhost = \"host-0-0-0\"\n[[tenant.guest]]\nname = \"db\"\nhost = "
    "\"host-0-1-0\"\n";

TEST(TenantKeys, AreTakenOverWithTheTablesInside) {
    const Scenario s = read(with_guests + R"(
[[tenant.condition]]
name = "lossy"
text = "loss > 0.5% and delay < 2ms for 1s"
[[tenant.subscription]]
[[tenant.subscription]]
state = "lossy"
[[tenant]]
name = "blue"
vnis = [20]
[[tenant.condition]]
name = "slow"
text = "queueing > 1ms"
[[service]]
name = "shop"
tenant = "red"
[[service.instance]]
name = "first"
guest = "web"
own_health = "80%"
capacity = "100Mbps"
[[service.instance]]
name = "second"
guest = "vm-2"
[[probe]]
name = "to-db"
tenant = "red"
to = "db"
share = 0.25
[[flow_trace]]
tenant = "red"
from = "web"
to = "db"
protocol = "udp"
source_port = 7
destination_port = 8
stages = ["eppc-out", "eppc-in"]
packets = 20
captured_packets = 2
capture_bytes = 64
at = "1s"
duration = "2s"
)");
    ASSERT_EQ(s.tenants.size(), 2U);
    EXPECT_THAT(s.tenants[0].vnis, ElementsAre(10U));
    ASSERT_EQ(s.tenants[0].guests.size(), 2U);
    EXPECT_EQ(s.tenants[0].guests[1].host, "host-0-1-0");
    ASSERT_EQ(s.tenants[0].conditions.size(), 1U);
    EXPECT_EQ(s.tenants[0].conditions[0].text, "loss > 0.5% and delay < 2ms for 1s");
    ASSERT_EQ(s.tenants[0].subscriptions.size(), 2U);
    EXPECT_EQ(s.tenants[0].subscriptions[0].state, "all");
    EXPECT_EQ(s.tenants[0].subscriptions[1].state, "lossy");
    EXPECT_EQ(s.tenants[1].conditions.at(0).name, "slow");
    EXPECT_EQ(s.services.at(0).instances.at(0).own_health, 0.8);
    EXPECT_EQ(s.services.at(0).instances.at(0).capacity_bps, 100'000'000U);
    EXPECT_FALSE(s.services.at(0).instances.at(1).capacity_bps.has_value());
    EXPECT_FALSE(s.probes.at(0).from.has_value());
    EXPECT_EQ(s.probes.at(0).to, "db");
    EXPECT_EQ(s.probes.at(0).share, 0.25);
    const FlowTraceSettings& trace = s.flow_traces.at(0);
    EXPECT_EQ(trace.protocol, 17U);
    EXPECT_EQ(trace.source_port, 7U);
    EXPECT_EQ(trace.destination_port, 8U);
    EXPECT_EQ(trace.stages, 0x06);
    EXPECT_EQ(trace.packets, 20U);
    EXPECT_EQ(trace.captured_packets, 2U);
    EXPECT_EQ(trace.capture_bytes, 64U);
    EXPECT_EQ(trace.at, Duration::seconds(1));
    EXPECT_EQ(trace.duration, Duration::seconds(2));
}

TEST(TenantKeys, GuestsAreThoseOfTheNetworksInTheOrderOfWorkloadsAndHosts) {
    const Scenario s = read(two_networks +
                            "[[tenant]]\nname = \"red\"\nvnis = [20, 10]\n[[tenant.guest]]\nname = "
                            "\"second-one\"\nhost = \"host-0-0-0\"\nvni = 20\n");
    const auto guests = guests_of(s, s.tenants.at(0));
    ASSERT_EQ(guests.size(), 8U);  // four on pod 0, and one on the first host of each pod
    EXPECT_EQ(guests[0].name, "vm-1");
    EXPECT_EQ(guests[0].guest.number, 0U);
    EXPECT_EQ(guests[3].guest.vni, 10U);
    EXPECT_EQ(guests[4].name, "second-one");
    EXPECT_EQ(guests[4].guest.number, 16U);  // behind those that all hosts have
    EXPECT_EQ(guests[4].guest.host, 0U);
    EXPECT_EQ(guests[4].guest.vni, 20U);
    EXPECT_EQ(guests[5].name, "vm-6");
    EXPECT_EQ(guests[5].guest.number, 17U);
}

TEST(TenantKeys, AnOverrideReachesIntoTheTablesInside) {
    const Scenario s = read(with_guests + "[[tenant.condition]]\nname = \"lossy\"\ntext = \"loss > 1%\"\n",
                            {"tenant.0.condition.0.text=loss > 2%", "tenant.0.vnis=10,20"});
    EXPECT_EQ(s.tenants[0].conditions[0].text, "loss > 2%");
    EXPECT_THAT(s.tenants[0].vnis, ElementsAre(10U, 20U));
}

TEST(TenantKeys, ThoseThatMustBeThereAreAskedFor) {
    EXPECT_THAT(
        told(two_networks + "[[tenant]]\n[[tenant.condition]]\n[[tenant.guest]]\n"),
        ElementsAre("12:1: this tenant has no name", "12:1: this tenant has no vnis",
                    "13:1: this tenant.condition has no name", "13:1: this tenant.condition has no text",
                    "14:1: this tenant.guest has no name", "14:1: this tenant.guest has no host"));
    EXPECT_THAT(told(two_networks + "[[service]]\n[[service.instance]]\n[[probe]]\n[[flow_trace]]\n"),
                ElementsAre("12:1: this service has no name", "12:1: this service has no tenant",
                            "13:1: this service.instance has no name",
                            "13:1: this service.instance has no guest", "14:1: this probe has no name",
                            "14:1: this probe has no tenant", "15:1: this flow_trace has no tenant",
                            "15:1: this flow_trace has no from", "15:1: this flow_trace has no to"));
}

TEST(TenantKeys, AnUnknownOneInsideIsNamedWithItsTable) {
    EXPECT_THAT(told(red + "[[tenant.condition]]\nname = \"a\"\ntext = \"loss > 1%\"\nlos = 1\n"),
                ElementsAre("18:1: unknown key \"los\" in [[tenant.condition]]"));
    EXPECT_THAT(told(red + "[tenant.condition]\nname = \"a\"\n"),
                ElementsAre(HasSubstr("there can be several tenant.condition tables")));
}

TEST(TenantKeys, ANetworkIsOfOneTenantAndHasGuests) {
    EXPECT_THAT(
        told(two_networks + "[[tenant]]\nname = \"red\"\nvnis = [10, 30]\n[[tenant]]\nname = "
                            "\"blue\"\nvnis = [10]\n"),
        ElementsAre("14:13: no workload has guests in VNI 30", "17:9: VNI 10 is that of \"red\" already"));
    EXPECT_THAT(told(two_networks + "[[tenant]]\nname = \"red\"\nvnis = [10]\n[[tenant]]\nname = "
                                    "\"red\"\nvnis = []\n"),
                ElementsAre("16:8: the name \"red\" is there already",
                            "17:8: a tenant without a virtual network has no guests"));
    EXPECT_THAT(told(two_networks + "[[tenant]]\nname = \"a b\"\nvnis = 10\n"),
                ElementsAre(HasSubstr("13:8: a name has up to 64 characters"),
                            "14:8: vnis: this is an integer, where a list belongs"));
    EXPECT_THAT(told(two_networks + "[[tenant]]\nname = \"a\"\nvnis = [0]\n"),
                ElementsAre("14:9: vnis: 0 is out of range: 1 to 16777214"));
}

TEST(TenantKeys, WithoutWorkloadsThereIsNoNetwork) {
    const std::string text = without_key + "workload = []\n[[tenant]]\nname = \"red\"\nvnis = [10]\n";
    EXPECT_THAT(told(text), ElementsAre("5:9: no workload has guests in VNI 10"));
    EXPECT_EQ(only_suggestion(text), "there is no workload");
}

TEST(TenantKeys, SubscriptionsAreNoMoreThanTheServiceHasRoomFor) {
    std::string text = with_guests;
    for (int i = 0; i < 700; ++i)
        text += "[[tenant.subscription]]\n";
    text += "[[tenant]]\nname = \"blue\"\nvnis = [20]\n";
    for (int i = 0; i < 324; ++i)
        text += "[[tenant.subscription]]\n";
    EXPECT_THAT(told(text), IsEmpty());
    EXPECT_THAT(told(text + "[[tenant.subscription]]\n"),
                ElementsAre("1048:1: all tenants together have more than 1024 subscriptions"));
}

TEST(TenantKeys, AGuestIsOnAHostThatHasOne) {
    const std::string guest = "[[tenant.guest]]\nname = \"x\"\nhost = ";
    EXPECT_THAT(told(red + guest + "\"host-9-0-0\"\n"), ElementsAre(HasSubstr("17:8: ")));
    EXPECT_THAT(told(red + guest + "\"host-1-0-0\"\n"),
                ElementsAre("17:8: the tenant has no further guest on host-1-0-0"));
    EXPECT_THAT(told(red + guest + "\"host-0-0-0\"\nvni = 20\n"),
                ElementsAre("18:7: VNI 20 is not the tenant's"));
    EXPECT_THAT(told(red + "[[tenant.guest]]\nname = \"vm-3\"\nhost = \"host-0-0-0\"\n"),
                ElementsAre("16:8: \"vm-3\" is the name of a guest that is given none"));
    EXPECT_THAT(told(with_guests + "[[tenant.guest]]\nname = \"web\"\nhost = \"host-0-0-0\"\n"),
                ElementsAre("22:8: the name \"web\" is there already",
                            "23:8: the tenant has no further guest on host-0-0-0"));
}

TEST(TenantKeys, AConditionThatDoesNotParseIsNamedWithItsPlace) {
    const std::string condition = "[[tenant.condition]]\nname = \"a\"\ntext = ";
    EXPECT_THAT(told(red + condition + "\"los > 1%\"\n"),
                ElementsAre("17:8: text: \"los\" is no figure (character 1 of the condition)"));
    EXPECT_EQ(only_suggestion(red + condition + "\"los > 1%\"\n"), "did you mean \"loss\"?");
    EXPECT_THAT(told(red + "[[tenant.condition]]\nname = \"health\"\ntext = \"loss > 1%\"\n"),
                ElementsAre("16:8: \"health\" has a meaning already"));
    EXPECT_THAT(told(red + "[[tenant.subscription]]\nstate = \"lossy\"\n"),
                ElementsAre("16:9: the tenant has no state \"lossy\""));
}

TEST(ServiceKeys, NameATenantAndItsGuests) {
    EXPECT_THAT(told(with_guests + "[[service]]\nname = \"shop\"\ntenant = \"rad\"\n"),
                ElementsAre("23:10: there is no tenant \"rad\""));
    EXPECT_EQ(only_suggestion(with_guests + "[[service]]\nname = \"shop\"\ntenant = \"rad\"\n"),
              "did you mean \"red\"?");
    EXPECT_THAT(
        told(with_guests + "[[service]]\nname = \"shop\"\ntenant = \"red\"\n[[service.instance]]\nname = "
                           "\"a\"\nguest = \"host-0-0-0\"\nown_health = 2\n"),
        ElementsAre(HasSubstr("26:9: tenant red has no guest \"host-0-0-0\""),
                    HasSubstr("27:14: own_health: 2")));
}

TEST(ProbeKeys, AreOfTheTenantsNetworksAndGuests) {
    const std::string probe = "[[probe]]\nname = \"p\"\ntenant = \"red\"\n";
    EXPECT_THAT(told(with_guests + probe + "from = \"web\"\nto = \"dv\"\n"),
                ElementsAre("25:6: tenant red has no guest \"dv\""));
    EXPECT_THAT(
        told(with_guests + probe + "from = \"web\"\nto = \"web\"\n"),
        ElementsAre("25:6: both guests are on one host, so the network carries nothing between them"));
    EXPECT_THAT(told(with_guests + probe + "vni = 20\n"), ElementsAre("24:7: VNI 20 is not the tenant's"));
    EXPECT_THAT(told(with_guests + probe + probe), ElementsAre("25:8: VNI 10 has a probe \"p\" already"));
}

TEST(ProbeKeys, AreNoMoreThanTheServiceHasRoomFor) {
    std::string text = red;
    for (int i = 0; i < 257; ++i)
        text += "[[probe]]\nname = \"p" + std::to_string(i) + "\"\ntenant = \"red\"\n";
    EXPECT_THAT(told(text), ElementsAre("783:1: more than 256 probes"));
}

TEST(FlowTraceKeys, AreHeldAgainstGuestsAndTimes) {
    const std::string trace = "[[flow_trace]]\ntenant = \"red\"\nfrom = \"web\"\nto = ";
    EXPECT_THAT(told(with_guests + trace + "\"db\"\n"), IsEmpty());
    EXPECT_THAT(told(with_guests + trace + "\"db\"\nat = \"3s\"\n"),
                ElementsAre("25:6: it would begin at 3s, and run.duration is 3s"));
    EXPECT_THAT(told(with_guests + trace + "\"db\"\nstages = [\"eppc-out\", \"epc-in\"]\n"),
                ElementsAre("25:23: stages: \"epc-in\" is no stage"));
    EXPECT_THAT(told(with_guests + trace + "\"db\"\ncaptured_packets = 3\n"),
                ElementsAre("25:20: nothing is captured of them"));
    EXPECT_THAT(told(with_guests + trace + "\"web\"\n"),
                ElementsAre(HasSubstr("24:6: both guests are on one host")));
}

}  // namespace
}  // namespace dyetrace::scenario
