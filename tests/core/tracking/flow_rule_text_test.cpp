// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/flow_rule_text.h"

#include <gtest/gtest.h>

namespace dyetrace::tracking {
namespace {

TEST(FlowRuleText, SaysEveryPartOfARule) {
    const auto rule = parse_flow_rule(
        "source=10.1.0.0/16 destination=2001:db8::/32  protocol=udp source_ports=1000-2000 "
        "destination_ports=80 vni=77");
    ASSERT_TRUE(rule.ok()) << rule.error();
    EXPECT_EQ(rule->source, (IpPrefix{Ipv4Address{0x0a010000}, 112}));
    EXPECT_EQ(rule->destination, (IpPrefix{IpAddress{0x20010db800000000, 0}, 32}));
    EXPECT_EQ(rule->protocol, 17);
    EXPECT_EQ(rule->source_ports, (PortRange{1000, 2000}));
    EXPECT_EQ(rule->destination_ports, (PortRange{80, 80}));
    EXPECT_EQ(rule->vni, Vni{77});
}

TEST(FlowRuleText, AnAddressWithoutLengthIsOneHost) {
    EXPECT_EQ(parse_flow_rule("source=10.0.0.1")->source.length, 128);
    EXPECT_EQ(parse_flow_rule("source=fd00::1")->source.length, 128);
}

TEST(FlowRuleText, WhatIsWrittenReadsBackAsTheSame) {
    for (const char* text : {"source=10.1.0.0/16", "source=::/0", "destination=0.0.0.0/0",
                             "destination=fd00::/8 protocol=6", "protocol=132 source_ports=0-65535 vni=0",
                             "source_ports=5-5 destination_ports=0-1", "protocol=icmpv6 vni=16777215"}) {
        const auto rule = parse_flow_rule(text);
        ASSERT_TRUE(rule.ok()) << text << ": " << rule.error();
        const auto again = parse_flow_rule(to_string(*rule));
        ASSERT_TRUE(again.ok()) << to_string(*rule);
        EXPECT_EQ(*again, *rule) << text;
    }
}

TEST(FlowRuleText, WhatIsWrongIsQuoted) {
    struct Wrong {
        const char* text;
        const char* message;
    };
    for (const Wrong& wrong :
         {Wrong{"", "a flow rule says something"}, Wrong{"   ", "a flow rule says something"},
          Wrong{"udp", "\"udp\" is no key=value"},
          Wrong{"sauce=10.0.0.1", "\"sauce\" is no part of a flow rule"},
          Wrong{"vni=1 vni=2", "\"vni\" is said twice"},
          Wrong{"source=10.0.0/8", "\"source=10.0.0/8\" cannot be read, or is out of range"},
          Wrong{"source=10.0.0.0/33", "\"source=10.0.0.0/33\" cannot be read, or is out of range"},
          Wrong{"source=fd00::/129", "\"source=fd00::/129\" cannot be read, or is out of range"},
          Wrong{"source=10.0.0.0/", "\"source=10.0.0.0/\" cannot be read, or is out of range"},
          Wrong{"protocol=256", "\"protocol=256\" cannot be read, or is out of range"},
          Wrong{"protocol=quic", "\"protocol=quic\" cannot be read, or is out of range"},
          Wrong{"source_ports=20-10", "\"source_ports=20-10\" cannot be read, or is out of range"},
          Wrong{"source_ports=-1", "\"source_ports=-1\" cannot be read, or is out of range"},
          Wrong{"destination_ports=65536", "\"destination_ports=65536\" cannot be read, or is out of range"},
          Wrong{"vni=16777216", "\"vni=16777216\" cannot be read, or is out of range"},
          Wrong{"vni=", "\"vni=\" cannot be read, or is out of range"}}) {
        const auto rule = parse_flow_rule(wrong.text);
        ASSERT_FALSE(rule.ok()) << wrong.text;
        EXPECT_EQ(rule.error(), wrong.message);
    }
}

TEST(FlowFilterText, HasRulesBetweenCommas) {
    const auto filter = parse_flow_filter("protocol=udp,vni=3 protocol=tcp");
    ASSERT_TRUE(filter.ok());
    ASSERT_EQ(filter->rules.size(), 2U);
    EXPECT_EQ(filter->rules[1].vni, Vni{3});
    EXPECT_EQ(to_string(*filter), "protocol=udp,protocol=tcp vni=3");
    EXPECT_TRUE(parse_flow_filter("")->rules.empty());
    EXPECT_FALSE(parse_flow_filter("vni=1,").ok());
    EXPECT_FALSE(parse_flow_filter(",").ok());
}

}  // namespace
}  // namespace dyetrace::tracking
