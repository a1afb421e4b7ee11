// SPDX-License-Identifier: GPL-2.0-or-later
// The underlay over IPv6: the same sessions and measures, and what only IPv6 asks for: UDP checksums, flow
// labels, extension headers.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using eppc::UdpChecksum;
using wire::ControlType;
using wire::DropReason;
using Frame = std::vector<std::uint8_t>;
using Kind = Decapsulated::Kind;

constexpr std::size_t kUdp6 = kOuterIp + 40;  ///< of the outer UDP header
constexpr Endpoint kNhms6{ipv6_of(0xff), 46081};

struct Ipv6Underlay : TunnelTest {
    void two_hosts(const Network::Configure& configure = {}) {
        for (std::size_t i = 0; i < 2; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.address = ipv6_of(net.host_count());
                if (configure) configure(config);
            });
        }
    }
    Frame guest_frame(std::uint16_t flow = 0, std::size_t payload = 100) {
        GuestPacket guest = packet();
        guest.source_port = flow;
        guest.payload = payload;
        return guest.frame();
    }
    /// Puts extension headers in front of the outer UDP header.
    static Frame extended(Frame frame, std::uint8_t type, const Frame& headers) {
        frame[kOuterIp + 6] = type;
        frame.insert(frame.begin() + kUdp6, headers.begin(), headers.end());
        store_u16(&frame[kOuterIp + 4], static_cast<std::uint16_t>(frame.size() - kUdp6));
        return frame;
    }
    static Frame without_checksum(Frame frame) {
        store_u16(&frame[kUdp6 + 6], 0);
        return frame;
    }
};

TEST_F(Ipv6Underlay, ASessionMeasuresReportsAndClosesAsOverIpv4) {
    FakeNhms nhms(net, kNhms6);
    two_hosts([](auto& config) { config.nhms = kNhms6; });
    net.line(0, 1).hook = [](Transit& transit) {
        return Fate{transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 10 == 3 ? 0 : 1, {}};
    };
    net.send_many(0, 1, 1000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(50));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(session::Role::Requester, session::State::Closed), 1);
    std::uint64_t lost = 0;
    std::uint64_t sent = 0;
    for (std::uint16_t path = 0; path < net.host(0).config.path_count; ++path) {
        const auto entry = nhms.newest_metrics(net.host(1).config.address, PathIndex{path});
        if (!entry) continue;
        sent += entry->record.sent;
        lost += entry->record.sent - entry->record.received;
    }
    EXPECT_GT(sent, 900U);
    EXPECT_GT(lost, 80U);
    EXPECT_EQ(nhms.malformed, 0U);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
    for (const Captured& packet : net.captured()) {
        EXPECT_EQ(load_u16(&packet.bytes[12]), wire::kEtherTypeIpv6);
        EXPECT_EQ(packet.seen.ip.ttl, 64);
    }
}

// RFC 4443 §3.3: the routers of each path name themselves by ICMPv6.
TEST_F(Ipv6Underlay, PathsAreLearned) {
    FakeNhms nhms(net, kNhms6);
    two_hosts([](auto& config) {
        config.nhms = kNhms6;
        config.trace_paths = true;
    });
    const std::vector<IpAddress> routers{ipv6_of(0x101), ipv6_of(0x102)};
    for (const IpAddress& router : routers)
        net.line(0, 1).routers.push_back({router});
    net.send_many(0, 1, 200, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(500));
    const auto paths = nhms.paths();
    ASSERT_EQ(paths.size(), 4U);
    for (const wire::PathEntry& path : paths) {
        EXPECT_TRUE(path.complete);
        EXPECT_TRUE(std::equal(routers.begin(), routers.end(), path.hops.begin(),
                               path.hops.begin() + path.hop_count));
    }
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

// RFC 6437 §3, RFC 6438 §3: the label is that of the flow, not zero, and another path's is another.
TEST_F(Ipv6Underlay, EveryPacketOfAPathBearsItsFlowLabel) {
    two_hosts([](auto& config) { config.path_count = 64; });
    net.send_many(0, 1, 2000, Duration::microseconds(10), 500);
    net.run_for(Duration::milliseconds(50));
    std::map<std::pair<std::size_t, std::uint16_t>, std::uint32_t> label_of;
    std::set<std::uint32_t> labels;
    std::set<SeenPacket::Kind> kinds;
    for (const Captured& packet : net.captured()) {
        const auto [known, is_new] =
            label_of.emplace(std::pair{packet.from, packet.seen.source_port}, packet.seen.ip.flow_label);
        EXPECT_EQ(known->second, packet.seen.ip.flow_label);
        EXPECT_NE(packet.seen.ip.flow_label, 0U);
        labels.insert(packet.seen.ip.flow_label);
        kinds.insert(packet.seen.kind);
    }
    EXPECT_EQ(kinds, (std::set{SeenPacket::Kind::Data, SeenPacket::Kind::Control}));
    EXPECT_EQ(label_of.size(), 128U);
    EXPECT_GE(labels.size(), 127U);  // of 2^20 two may meet
}

// RFC 8926 §3.3, §4.3.1 (1); RFC 6935 §5; RFC 8200 §8.1: over IPv6 a checksum is made by default, of every
// packet.
TEST_F(Ipv6Underlay, EveryPacketHasARightUdpChecksumByDefault) {
    two_hosts();
    net.send_many(0, 1, 400, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(20));
    std::set<SeenPacket::Kind> kinds;
    for (const Captured& packet : net.captured()) {
        const Bytes datagram = Bytes(packet.bytes).subspan(kUdp6);
        EXPECT_NE(load_u16(&datagram[6]), 0);
        EXPECT_TRUE(wire::udp_checksum_ok(packet.seen.ip.source, packet.seen.ip.destination, datagram));
        kinds.insert(packet.seen.kind);
    }
    EXPECT_EQ(kinds, (std::set{SeenPacket::Kind::Data, SeenPacket::Kind::Control}));
}

// RFC 8926 §3.3; RFC 6936 §4 (7): a checksum that is there is verified.
TEST_F(Ipv6Underlay, AWrongUdpChecksumDropsThePacket) {
    two_hosts();
    const Frame good = encapsulated(guest_frame());
    EXPECT_EQ(net.inject(1, good).kind, Kind::Deliver);
    for (const std::size_t at : {kOuterIp + 8, kUdp6, kUdp6 + 6, kUdp6 + 8 + 5, good.size() - 1}) {
        Frame frame = good;
        frame[at] ^= 0x40;
        expect_dropped(frame, DropReason::UdpBadChecksum);
    }
}

// RFC 6935 §5, RFC 6936 §4 (5): a receiver discards a zero checksum by default; it is counted, as the log
// that RFC 8200 §8.1 asks for.
TEST_F(Ipv6Underlay, AZeroUdpChecksumIsDroppedByDefault) {
    two_hosts();
    expect_dropped(without_checksum(encapsulated(guest_frame())), DropReason::UdpZeroChecksum);
}

// RFC 6936 §4 (2), (3), §5 (1); RFC 8926 §4.3.1 (1).
TEST_F(Ipv6Underlay, ZeroChecksumsAreSentAndTakenOnlyWhereAPeerIsConfiguredSo) {
    two_hosts();
    net.add_host([](auto& config) { config.address = ipv6_of(2); });
    eppc::PeerOptions zero;
    zero.udp_checksum = UdpChecksum::Zero;
    ASSERT_TRUE(net.engine(0).add_peer(ipv6_of(1), zero).ok());
    ASSERT_TRUE(net.engine(1).add_peer(ipv6_of(0), zero).ok());
    const Frame plain = encapsulated(guest_frame());
    EXPECT_EQ(load_u16(&plain[kUdp6 + 6]), 0);
    EXPECT_EQ(net.inject(1, plain).kind, Kind::Deliver);
    // RFC 6936 §4 (7): with a checksum it is taken as well, and a wrong one is still wrong.
    Frame summed = plain;
    mend_udp(summed);
    EXPECT_EQ(net.inject(1, summed).kind, Kind::Deliver);
    summed.back() ^= 1;
    expect_dropped(summed, DropReason::UdpBadChecksum);
    // RFC 8926 §4.3.1 (3): from any other address it is not.
    Frame stranger = plain;
    store_ip(&stranger[kOuterIp + 8], ipv6_of(2));
    expect_dropped(stranger, DropReason::UdpZeroChecksum);
    store_ip(&stranger[kOuterIp + 8], ipv6_of(77));
    expect_dropped(stranger, DropReason::UdpZeroChecksum);
    EXPECT_FALSE(net.send(0, 2));
    EXPECT_NE(load_u16(&net.captured().back().bytes[kUdp6 + 6]), 0);
}

// RFC 6936 §5 (1): for the tunnel's port, and no other.
TEST_F(Ipv6Underlay, AZeroChecksumHoldsForTheTunnelsPortOnly) {
    FakeNhms nhms(net, kNhms6);
    two_hosts([](auto& config) { config.nhms = kNhms6; });
    eppc::PeerOptions zero;
    zero.udp_checksum = UdpChecksum::Zero;
    ASSERT_TRUE(net.engine(1).add_peer(ipv6_of(0), zero).ok());
    ASSERT_TRUE(net.engine(1).add_peer(kNhms6.address, zero).ok());
    Frame frame = without_checksum(encapsulated(guest_frame()));
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    store_ip(&frame[kOuterIp + 8], kNhms6.address);
    store_u16(&frame[kUdp6 + 2], net.host(1).config.management_port);
    expect_dropped(frame, DropReason::UdpZeroChecksum);
}

TEST_F(Ipv6Underlay, SessionsLiveWithoutChecksumsToo) {
    two_hosts();
    eppc::PeerOptions zero;
    zero.udp_checksum = UdpChecksum::Zero;
    ASSERT_TRUE(net.engine(0).add_peer(ipv6_of(1), zero).ok());
    ASSERT_TRUE(net.engine(1).add_peer(ipv6_of(0), zero).ok());
    net.send_many(0, 1, 400, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(20));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(session::Role::Requester, session::State::Closed), 1);
    EXPECT_GT(net.engine(1).counters().tracked_received, 50U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

// RFC 6936 §4 (4): a datagram can have a checksum where others have none.
TEST_F(Ipv6Underlay, TracesOfAPeerWithoutChecksumsHaveThem) {
    FakeNhms nhms(net, kNhms6);
    two_hosts([](auto& config) {
        config.nhms = kNhms6;
        config.trace_paths = true;
    });
    eppc::PeerOptions zero;
    zero.udp_checksum = UdpChecksum::Zero;
    ASSERT_TRUE(net.engine(0).add_peer(ipv6_of(1), zero).ok());
    ASSERT_TRUE(net.engine(1).add_peer(ipv6_of(0), zero).ok());
    net.line(0, 1).routers.push_back({ipv6_of(0x101)});
    net.send_many(0, 1, 100, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(300));
    int traces = 0;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.kind == SeenPacket::Kind::Datagram) continue;
        const bool is_trace = packet.seen.is(ControlType::PathTrace);
        EXPECT_EQ(load_u16(&packet.bytes[kUdp6 + 6]) != 0, is_trace);
        traces += is_trace ? 1 : 0;
    }
    EXPECT_GT(traces, 4);
    EXPECT_EQ(nhms.paths().size(), 4U);
}

// RFC 8200 §4: the host may take such packets, a tunnel does not (RFC 8926 §4.4.1).
TEST_F(Ipv6Underlay, TunnelPacketsWithExtensionHeadersOrInFragmentsAreDropped) {
    two_hosts();
    const Frame good = encapsulated(guest_frame());
    const Frame options{17, 0, 1, 4, 0, 0, 0, 0};
    for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 43, 60})
        expect_dropped(extended(good, type, options), DropReason::Ipv6ExtensionHeader);
    expect_dropped(extended(good, 44, {17, 0, 0, 1, 0, 0, 0, 9}), DropReason::Ipv6Fragment);
    expect_dropped(extended(good, 44, {17, 0, 0, 0x50, 0, 0, 0, 9}), DropReason::Ipv6Fragment);
    Frame both{44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 9};
    expect_dropped(extended(good, 60, both), DropReason::Ipv6Fragment);
}

TEST_F(Ipv6Underlay, WhatIsNotTheEnginesStaysTheHosts) {
    two_hosts();
    const Frame good = encapsulated(guest_frame());
    Frame other_port = good;
    store_u16(&other_port[kUdp6 + 2], 546);
    Frame other_host = good;
    other_host[kOuterIp + 39] ^= 0x55;
    Frame tcp = good;
    tcp[kOuterIp + 6] = 6;
    const Frame options{58, 0, 5, 2, 0, 0, 0, 0};
    const Frame not_ours[] = {
        other_port,
        other_host,
        tcp,
        extended(other_port, 60, {17, 0, 1, 4, 0, 0, 0, 0}),
        extended(good, 0, options),                       // a listener report behind its router alert
        extended(good, 60, {17, 255, 1, 4, 0, 0, 0, 0}),  // a chain that runs past the packet
    };
    for (const Frame& frame : not_ours)
        EXPECT_EQ(net.inject(1, frame).kind, Kind::NotOurs);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

TEST_F(Ipv6Underlay, EveryTruncationIsCounted) {
    two_hosts();
    const Frame frame = encapsulated(guest_frame());
    for (std::size_t size = 0; size < frame.size(); ++size) {
        const std::uint64_t total = net.engine(1).drops().total();
        EXPECT_EQ(net.inject(1, Frame(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size))).kind,
                  Kind::Dropped)
            << size;
        EXPECT_EQ(net.engine(1).drops().total(), total + 1) << size;
    }
}

// RFC 1071 §2: sums of parts; the checksum on the wire is the same whether or not the engine holds the tail.
TEST_F(Ipv6Underlay, ChecksumsAreMadeAndVerifiedWithoutHoldingThePayload) {
    two_hosts();
    const Frame whole = guest_frame(7, 1001);
    const Frame expected = encapsulated(whole);
    for (const std::size_t held : {64U, 65U, 100U, 777U}) {
        OwnedFrame head(Bytes(whole).first(held), eppc::Eppc::kHeadroom);
        head.buffer.tail = whole.size() - held;
        head.buffer.tail_sum = wire::checksum_fold(wire::checksum_add(Bytes(whole).subspan(held)));
        ASSERT_FALSE(net.engine(0).encapsulate(kGuestPort, head.buffer, net.clock_of(0)));
        const Bytes sent = head.buffer.head();
        EXPECT_TRUE(std::ranges::equal(sent, Bytes(expected).first(sent.size()))) << held;
        OwnedFrame arriving(sent);
        arriving.buffer.tail = head.buffer.tail;
        arriving.buffer.tail_sum = head.buffer.tail_sum;
        EXPECT_EQ(net.engine(1).decapsulate(arriving.buffer, net.clock_of(1)).kind, Kind::Deliver);
        OwnedFrame changed(sent);
        changed.buffer.tail = head.buffer.tail;
        changed.buffer.tail_sum = static_cast<std::uint16_t>(head.buffer.tail_sum ^ 0x0100);
        EXPECT_EQ(net.engine(1).decapsulate(changed.buffer, net.clock_of(1)).reason,
                  DropReason::UdpBadChecksum);
    }
}

TEST_F(Ipv6Underlay, TheMtuCountsTheLongerHeader) {
    two_hosts();
    const eppc::EppcConfig& config = net.host(0).config;
    const std::size_t guest_mtu = eppc::Eppc::guest_mtu(config);
    EXPECT_EQ(guest_mtu + 14 + 40 + 8 + 8 + wire::TrackOption::kSize, config.underlay_mtu);
    const auto offer = [&](std::size_t ip_packet) {
        OwnedFrame owned(guest_frame(0, ip_packet - 28), eppc::Eppc::kHeadroom);
        return net.engine(0).encapsulate(kGuestPort, owned.buffer, net.clock_of(0));
    };
    EXPECT_FALSE(offer(guest_mtu));
    EXPECT_EQ(offer(guest_mtu + 1), DropReason::FrameTooLong);
}

// RFC 8926 §4.3: over IPv4 it may be left out, and is by default; it can be asked for.
TEST(UdpChecksumOverIpv4, IsMadeWhereItIsAskedFor) {
    Network net;
    net.add_host([](auto& config) { config.udp_checksum = UdpChecksum::Full; });
    net.add_host();
    net.send_many(0, 1, 200, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(10));
    for (const Captured& packet : net.captured()) {
        const Bytes datagram = Bytes(packet.bytes).subspan(kOuterUdp);
        EXPECT_EQ(load_u16(&datagram[6]) != 0, packet.from == 0);
        EXPECT_TRUE(wire::udp_checksum_ok(packet.seen.ip.source, packet.seen.ip.destination, datagram));
    }
    EXPECT_GT(net.engine(1).counters().tracked_received, 10U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
}

TEST(IpVersions, DoNotMix) {
    Network net;
    net.add_host();
    const auto add = [&](IpAddress peer) {
        const auto added = net.engine(0).add_remote(kVni, MacAddress::from_integer(0x020900000001), peer);
        return added.ok() ? std::string("added") : added.error();
    };
    EXPECT_EQ(add(ipv6_of(1)), "peer: 2001:db8::2 is IPv6, but address 10.0.0.1 is IPv4");
    EXPECT_EQ(add(*IpAddress::parse("224.0.0.1")), "peer: 224.0.0.1 is not the address of one host");
    EXPECT_FALSE(net.engine(0).open_session(ipv6_of(1), net.now()).ok());
    EXPECT_FALSE(net.engine(0).add_peer(ipv6_of(1), {}).ok());
    const auto wrong = [](auto change) {
        eppc::EppcConfig config;
        config.address = ipv6_of(0);
        config.key = auth::SharedKey{};
        change(config);
        const auto engine = eppc::Eppc::create(config, 1, Time{});
        return engine.ok() ? std::string("accepted") : engine.error().substr(0, engine.error().find(':'));
    };
    EXPECT_EQ(wrong([](auto&) {}), "accepted");
    EXPECT_EQ(wrong([](auto& c) { c.nhms = FakeNhms::kEndpoint; }), "nhms");
    EXPECT_EQ(wrong([](auto& c) { c.nhms = kNhms6; }), "accepted");
    EXPECT_EQ(wrong([](auto& c) { c.address = *IpAddress::parse("ff02::1"); }), "address");
    EXPECT_EQ(wrong([](auto& c) { c.address = *IpAddress::parse("::"); }), "address");
    // RFC 6936 §5 (1): not for whoever may turn up.
    EXPECT_EQ(wrong([](auto& c) { c.udp_checksum = UdpChecksum::Zero; }), "udp_checksum");
    EXPECT_EQ(wrong([](auto& c) { c.udp_checksum = UdpChecksum::Full; }), "accepted");
    EXPECT_EQ(wrong([](auto& c) { c.underlay_mtu = 1279; }), "underlay_mtu");  // RFC 8200 §5
}

}  // namespace
}  // namespace dyetrace::test
