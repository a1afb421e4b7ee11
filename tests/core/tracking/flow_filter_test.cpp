// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/flow_filter.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/core/tracking/guest_frames.h"

namespace dyetrace::test {
namespace {

using tracking::FlowFilter;
using tracking::FlowRule;
using tracking::IpPrefix;
using tracking::PortRange;

constexpr Vni kVni{77};

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}
bool passes(const FlowRule& rule, const std::vector<std::uint8_t>& frame, Vni vni = kVni) {
    return rule.matches(wire::InnerPacket::parse(frame), vni);
}

TEST(IpPrefix, HoldsWhatAgreesInItsFirstBits) {
    EXPECT_TRUE((IpPrefix{ip("10.1.0.0"), 96 + 16}.contains(ip("10.1.255.1"))));
    EXPECT_FALSE((IpPrefix{ip("10.1.0.0"), 96 + 16}.contains(ip("10.2.0.1"))));
    EXPECT_TRUE((IpPrefix{ip("10.1.2.3"), 128}.contains(ip("10.1.2.3"))));
    EXPECT_FALSE((IpPrefix{ip("10.1.2.3"), 128}.contains(ip("10.1.2.2"))));
    EXPECT_TRUE((IpPrefix{ip("2001:db8::"), 32}.contains(ip("2001:db8:ffff::1"))));
    EXPECT_FALSE((IpPrefix{ip("2001:db8::"), 32}.contains(ip("2001:db9::1"))));
    EXPECT_TRUE((IpPrefix{ip("2001:db8:0:1::"), 64}.contains(ip("2001:db8:0:1:ffff::"))));
    EXPECT_FALSE((IpPrefix{ip("2001:db8:0:1::"), 64}.contains(ip("2001:db8:0:2::"))));
    EXPECT_TRUE((IpPrefix{ip("2001:db8:0:1:8000::"), 65}.contains(ip("2001:db8:0:1:ffff::"))));
    EXPECT_FALSE((IpPrefix{ip("2001:db8:0:1:8000::"), 65}.contains(ip("2001:db8:0:1:7fff::"))));
    EXPECT_TRUE(IpPrefix{}.contains(ip("10.1.2.3")));
    EXPECT_TRUE(IpPrefix{}.contains(ip("2001:db8::1")));
}

TEST(FlowRule, AnEmptyOneMatchesEverything) {
    EXPECT_TRUE(passes({}, ipv4_frame({})));
    EXPECT_TRUE(passes({}, ipv6_frame({})));
    EXPECT_TRUE(passes({}, ethernet_frame(0x0806, 28)));
}

TEST(FlowRule, EachPropertyMustHold) {
    FlowOf flow{ip("10.1.2.3"), ip("10.9.8.7"), 6, 1234, 443};
    const FlowRule whole{{ip("10.1.0.0"), 112}, {ip("10.9.8.7"), 128}, 6, {1000, 2000}, {443, 443}, kVni};
    EXPECT_TRUE(passes(whole, ipv4_frame(flow)));
    EXPECT_FALSE(passes(whole, ipv4_frame(flow), Vni{78}));
    const auto fails_with = [&](auto change) {
        FlowOf other = flow;
        change(other);
        EXPECT_FALSE(passes(whole, ipv4_frame(other)));
    };
    fails_with([](FlowOf& f) { f.source = ip("10.2.2.3"); });
    fails_with([](FlowOf& f) { f.destination = ip("10.9.8.6"); });
    fails_with([](FlowOf& f) { f.protocol = 17; });
    fails_with([](FlowOf& f) { f.source_port = 999; });
    fails_with([](FlowOf& f) { f.source_port = 2001; });
    fails_with([](FlowOf& f) { f.destination_port = 442; });
}

TEST(FlowRule, APacketWithoutPortsOrIpMeetsNoneThatAsksForThem) {
    FlowOf icmp;
    icmp.protocol = 1;
    FlowRule ports;
    ports.destination_ports = {0, 65534};
    EXPECT_FALSE(passes(ports, ipv4_frame(icmp)));
    FlowRule version_four;
    version_four.source = {ip("0.0.0.0"), 96};
    EXPECT_TRUE(passes(version_four, ipv4_frame(icmp)));
    EXPECT_FALSE(passes(version_four, ethernet_frame(0x0806, 28)));
    FlowOf six;
    six.source = ip("2001:db8::1");
    EXPECT_FALSE(passes(version_four, ipv6_frame(six)));
    FlowRule network;
    network.vni = kVni;
    EXPECT_TRUE(passes(network, ethernet_frame(0x0806, 28)));
}

TEST(FlowFilter, PassesWhatMeetsOneOfItsRulesAndWithoutRulesNothing) {
    FlowRule tcp;
    tcp.protocol = 6;
    FlowRule udp;
    udp.protocol = 17;
    FlowOf flow;
    flow.protocol = 17;
    const auto packet = wire::InnerPacket::parse(ipv4_frame(flow));
    EXPECT_TRUE((FlowFilter{{tcp, udp}}.matches(packet, kVni)));
    EXPECT_FALSE((FlowFilter{{tcp}}.matches(packet, kVni)));
    EXPECT_FALSE(FlowFilter{}.matches(packet, kVni));
}

}  // namespace
}  // namespace dyetrace::test
