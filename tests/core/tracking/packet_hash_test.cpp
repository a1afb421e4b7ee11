// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/packet_hash.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/core/tracking/guest_frames.h"

namespace dyetrace::test {
namespace {

using tracking::bob_hash;
using tracking::packet_hash;
using Frame = std::vector<std::uint8_t>;

std::uint32_t hash_of_text(std::string_view text) {
    return bob_hash({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, 0);
}

// Of the function that RFC 5475 calls BOB, under its older name lookup2; these values are in the tests of
// several public implementations.
TEST(BobHash, KnowsItsPublishedValues) {
    EXPECT_EQ(hash_of_text(""), 0xbd49d10dU);
    EXPECT_EQ(hash_of_text("a"), 0x29eec818U);
    EXPECT_EQ(hash_of_text("foobar"), 0x9d3ffa02U);
    EXPECT_EQ(hash_of_text("hello world"), 0x1aa919e6U);
    EXPECT_EQ(hash_of_text("1234567890abcdefghijklmnopqstuvwxyz"), 0x49eaee3eU);
}

// Bytes 0, 1, 2, ... under 0x123456: every length of the last block; by an implementation in Python that is
// written out line by line.
TEST(BobHash, AgreesWithAnotherImplementationAtEveryLengthOfTheLastBlock) {
    const std::vector<std::pair<std::size_t, std::uint32_t>> expected = {
        {0, 0x3d9a7f01},  {3, 0x1512d50e},  {4, 0xd4cc7a58},  {7, 0xd86e432a},
        {8, 0x7c5898a8},  {11, 0x883d4211}, {12, 0x32eaabc7}, {13, 0x989f206f},
        {23, 0xd6baa67c}, {24, 0x24abda78}, {25, 0x94937aff}, {36, 0x217391e6}};
    Frame bytes(36);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i);
    for (const auto& [size, hash] : expected)
        EXPECT_EQ(bob_hash(Bytes(bytes).first(size), 0x123456), hash) << size;
}

std::uint32_t hash_of(const Frame& frame, std::uint32_t seed = 1) {
    return packet_hash(frame, wire::InnerPacket::parse(frame), seed);
}

/// The bytes of `frame` from its network header on whose change changes the hash.
std::vector<std::size_t> hashed_bytes(const Frame& frame) {
    std::vector<std::size_t> places;
    const std::size_t network = wire::InnerPacket::parse(frame).network_offset;
    for (std::size_t at = network; at < frame.size(); ++at) {
        Frame other = frame;
        other[at] ^= at == network ? 0x0f : 0x40;  // of an IP header's first byte not the version
        if (hash_of(other) != hash_of(frame)) places.push_back(at - network);
    }
    return places;
}

std::vector<std::size_t> places(std::initializer_list<std::pair<std::size_t, std::size_t>> ranges) {
    std::vector<std::size_t> all;
    for (const auto& [first, last] : ranges) {
        for (std::size_t at = first; at <= last; ++at)
            all.push_back(at);
    }
    return all;
}

// RFC 5475 §6.2: the hash is of what stays the same from one observation point to the next.
TEST(PacketHash, OfIpv4IsOfAllThatNoRouterChangesAndOfNothingElse) {
    Frame frame = ipv4_frame({});
    // With more in the first word another header length is read, and what is behind it is another payload.
    std::vector<std::size_t> hashed = hashed_bytes(frame);
    std::erase(hashed, 0U);
    EXPECT_EQ(hashed, places({{2, 5}, {9, 9}, {12, 19}, {20, 39}}));
}

TEST(PacketHash, OfIpv6IsOfAllThatNoRouterChangesAndOfNothingElse) {
    std::vector<std::size_t> hashed = hashed_bytes(ipv6_frame({}));
    EXPECT_EQ(hashed, places({{4, 6}, {8, 39}, {40, 59}}));
}

TEST(PacketHash, IsTheSameBehindVlanTagsAndOtherEthernetAddresses) {
    const Frame frame = ipv4_frame({});
    Frame routed = frame;
    routed[0] ^= 0xff;
    routed[7] ^= 0xff;
    EXPECT_EQ(hash_of(routed), hash_of(frame));
    EXPECT_EQ(hash_of(with_vlan(frame, 7)), hash_of(frame));
    EXPECT_EQ(hash_of(with_vlan(with_vlan(frame, 7), 9, wire::kEtherTypeServiceVlan)), hash_of(frame));
}

TEST(PacketHash, OfOtherFramesIsOfTheirFirstBytes) {
    Frame arp = ethernet_frame(0x0806, 28);
    EXPECT_EQ(hashed_bytes(arp), places({{0, 19}}));
    Frame other = arp;
    store_u16(&other[12], 0x0835);  // another protocol
    EXPECT_NE(hash_of(other), hash_of(arp));
}

TEST(PacketHash, DiffersWithTheSeed) {
    EXPECT_NE(hash_of(ipv4_frame({}), 1), hash_of(ipv4_frame({}), 2));
}

TEST(PacketHash, ReadsNoByteBehindAnyCutFrame) {
    for (const Frame& frame : {ipv4_frame({}), ipv6_frame({}), with_vlan(ipv4_frame({}), 1)}) {
        for (std::size_t size = 14; size <= frame.size(); ++size) {
            const Frame cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
            (void)hash_of(cut);  // the reads are bounded by assertions
        }
    }
}

TEST(InnerPacket, ReadsFlowsOfBothVersionsBehindVlanTags) {
    const FlowOf flow{*Ipv4Address::parse("10.1.2.3"), *Ipv4Address::parse("10.9.8.7"), 6, 1234, 443};
    for (const Frame& frame : {ipv4_frame(flow), with_vlan(ipv4_frame(flow), 5)}) {
        const auto packet = wire::InnerPacket::parse(frame);
        EXPECT_TRUE(packet.is_ip);
        EXPECT_EQ(packet.source, flow.source);
        EXPECT_EQ(packet.destination, flow.destination);
        EXPECT_EQ(packet.protocol, 6);
        EXPECT_TRUE(packet.has_ports);
        EXPECT_EQ(packet.source_port, 1234);
        EXPECT_EQ(packet.destination_port, 443);
    }
    FlowOf six = flow;
    six.source = *IpAddress::parse("2001:db8::1");
    six.destination = *IpAddress::parse("2001:db8::2");
    const auto packet = wire::InnerPacket::parse(ipv6_frame(six));
    EXPECT_EQ(packet.source, six.source);
    EXPECT_EQ(packet.destination, six.destination);
    EXPECT_EQ(packet.destination_port, 443);
}

TEST(InnerPacket, HasNoPortsInFragmentsAndOtherProtocols) {
    Frame fragment = ipv4_frame({});
    fragment[14 + 6] |= 0x20;  // more fragments
    EXPECT_TRUE(wire::InnerPacket::parse(fragment).is_ip);
    EXPECT_FALSE(wire::InnerPacket::parse(fragment).has_ports);
    FlowOf icmp;
    icmp.protocol = 1;
    EXPECT_FALSE(wire::InnerPacket::parse(ipv4_frame(icmp)).has_ports);
}

TEST(InnerPacket, TakesNothingFromAMalformedHeader) {
    Frame frame = ipv4_frame({});
    for (const std::uint8_t first : std::initializer_list<std::uint8_t>{
             0x65, 0x44, 0x4f}) {  // another version; a header too short, and too long
        Frame bad(frame.begin(), frame.begin() + 14 + 50);
        bad[14] = first;
        EXPECT_FALSE(wire::InnerPacket::parse(bad).is_ip) << int{first};
    }
    for (std::size_t size = 14; size < 34; ++size)
        EXPECT_FALSE(wire::InnerPacket::parse(Bytes(frame).first(size)).is_ip) << size;
}

}  // namespace
}  // namespace dyetrace::test
