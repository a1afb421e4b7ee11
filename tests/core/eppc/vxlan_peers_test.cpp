// SPDX-License-Identifier: GPL-2.0-or-later
// Peers that have VXLAN only (RFC 7348): no options, so no tags; control messages in a reserved VNI on the
// data path's own 5-tuple, and loss from marker counts.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/session_messages.h"
#include "core/wire/udp.h"
#include "core/wire/vxlan.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using eppc::InnerVlan;
using wire::ControlType;
using wire::DropReason;
using Frame = std::vector<std::uint8_t>;
using Kind = Decapsulated::Kind;

constexpr std::size_t kVxlan = kGeneve;  ///< where the VXLAN header of a packet over IPv4 begins
constexpr std::size_t kInner = kVxlan + 8;
constexpr GuestTag kCustomer{0x8100, 0x6007};
constexpr GuestTag kService{0x88a8, 0x0123};

struct VxlanPeers : TunnelTest {
    VxlanPeers() { net.peer_options.encapsulation = wire::Encapsulation::Vxlan; }

    void two_hosts(const Network::Configure& configure = {}) {
        net.add_host(configure);
        net.add_host(configure);
    }
    /// The newest frame of host 0 that says `type`.
    Frame control(ControlType type) {
        for (auto it = net.captured().rbegin(); it != net.captured().rend(); ++it) {
            if (it->from == 0 && it->seen.is(type)) return it->bytes;
        }
        ADD_FAILURE() << "no such frame";
        return {};
    }
};

Frame without(Frame frame, std::size_t from, std::size_t count) {
    frame.erase(frame.begin() + static_cast<std::ptrdiff_t>(from),
                frame.begin() + static_cast<std::ptrdiff_t>(from + count));
    return frame;
}

/// An encapsulation packet over IPv4 with another inner frame.
Frame around(Frame packet, const Frame& inner) {
    packet.resize(kInner);
    packet.insert(packet.end(), inner.begin(), inner.end());
    store_u16(&packet[kOuterUdp + 4], static_cast<std::uint16_t>(packet.size() - kOuterUdp));
    store_u16(&packet[kOuterIp + 2], static_cast<std::uint16_t>(packet.size() - kOuterIp));
    mend_ip(packet);
    return packet;
}

// RFC 7348 §5: header, ports, and no UDP checksum over IPv4.
TEST_F(VxlanPeers, PacketsAreThoseOfTheRfc) {
    two_hosts([](auto& config) { config.path_count = 64; });
    const Frame inner = packet().frame();
    const Frame frame = encapsulated(inner);
    EXPECT_EQ(Frame(frame.begin() + kVxlan, frame.begin() + kInner), (Frame{8, 0, 0, 0, 0, 0x03, 0xe8, 0}));
    EXPECT_EQ(load_u16(&frame[kOuterUdp + 2]), 4789);
    EXPECT_GE(load_u16(&frame[kOuterUdp]), 49152);
    EXPECT_EQ(load_u16(&frame[kOuterUdp + 6]), 0);
    EXPECT_TRUE(std::equal(inner.begin(), inner.end(), frame.begin() + kInner, frame.end()));
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), inner);
    std::set<std::uint16_t> ports;
    for (std::uint16_t flow = 0; flow < 1000; ++flow) {
        GuestPacket guest = packet();
        guest.source_port = flow;
        ports.insert(look_at(encapsulated(guest.frame())).source_port);
    }
    EXPECT_EQ(ports.size(), 64U);
}

// RFC 7348 §5: the destination port should be configurable.
TEST_F(VxlanPeers, TheirPortIsConfigurable) {
    two_hosts([](auto& config) { config.vxlan_port = 8472; });
    const Frame frame = encapsulated(packet().frame());
    EXPECT_EQ(load_u16(&frame[kOuterUdp + 2]), 8472);
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    Frame other = frame;
    store_u16(&other[kOuterUdp + 2], 4789);
    EXPECT_EQ(net.inject(1, other).kind, Kind::NotOurs);
}

// RFC 7348 §5: without the I flag there is no VNI; the rest of the flags and the reserved fields are ignored.
TEST_F(VxlanPeers, TheIFlagMustBeSetAndReservedFieldsAreIgnored) {
    two_hosts();
    const Frame good = encapsulated(packet().frame());
    Frame frame = good;
    frame[kVxlan] = 0xf7;
    expect_dropped(frame, DropReason::VxlanNoVni);
    frame = good;
    for (const std::size_t at : {0U, 1U, 2U, 3U, 7U})
        frame[kVxlan + at] = 0xff;
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
}

// RFC 7348 §5: a checksum of zero is accepted, another one, if verified, must be right.
TEST_F(VxlanPeers, AUdpChecksumMayBeZeroOrRight) {
    two_hosts();
    Frame frame = encapsulated(packet().frame());
    mend_udp(frame);
    EXPECT_NE(load_u16(&frame[kOuterUdp + 6]), 0);
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    frame.back() ^= 1;
    expect_dropped(frame, DropReason::UdpBadChecksum);
}

// RFC 6935 §5 holds for every tunnel over IPv6, also for one whose own RFC prefers zeros (RFC 7348 §5).
TEST_F(VxlanPeers, OverIpv6AChecksumIsMadeUnlessThePeerIsConfiguredOtherwise) {
    for (std::size_t i = 0; i < 2; ++i)
        net.add_host([i](auto& config) { config.address = ipv6_of(i); });
    Frame frame = encapsulated(packet().frame());
    EXPECT_TRUE(wire::udp_checksum_ok(ipv6_of(0), ipv6_of(1), Bytes(frame).subspan(outer_udp_of(frame))));
    EXPECT_NE(load_u16(&frame[outer_udp_of(frame) + 6]), 0);
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    store_u16(&frame[outer_udp_of(frame) + 6], 0);
    expect_dropped(frame, DropReason::UdpZeroChecksum);
    eppc::PeerOptions options = net.peer_options;
    options.udp_checksum = eppc::UdpChecksum::Zero;
    ASSERT_TRUE(net.engine(1).add_peer(ipv6_of(0), options).ok());
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
}

// RFC 7348 §6.1: a VTEP should strip the inner VLAN tag, and discard what comes with one, unless configured.
TEST_F(VxlanPeers, VlanTagsAreStrippedAndNotTaken) {
    two_hosts();
    const Frame plain = packet().frame();
    const Frame bare = encapsulated(plain);
    for (const auto& tags : {std::vector<GuestTag>{kCustomer},
                             {kService, kCustomer},
                             {kService, kService, kCustomer, kCustomer}}) {
        GuestPacket guest = packet();
        guest.tags = tags;
        const Frame carried = encapsulated(guest.frame());
        Frame untagged = guest.frame();
        untagged.erase(untagged.begin() + 12, untagged.begin() + 12 + 4 * static_cast<int>(tags.size()));
        EXPECT_EQ(Frame(carried.begin() + kInner, carried.end()), untagged);
        EXPECT_EQ(load_u16(&carried[kOuterIp + 2]), carried.size() - kOuterIp);
        EXPECT_EQ(net.inject(1, carried).kind, Kind::Deliver);
        expect_dropped(around(bare, guest.frame()), DropReason::VxlanInnerVlan);
    }
    // What cannot be stripped is refused, as it was.
    GuestPacket deep = packet();
    deep.tags.assign(5, kCustomer);
    const Frame five = deep.frame();
    for (const Frame& frame : {five, Frame(five.begin(), five.begin() + 15)}) {
        OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
        EXPECT_EQ(net.engine(0).encapsulate(kGuestPort, owned.buffer, net.clock_of(0)),
                  DropReason::VxlanInnerVlan);
        EXPECT_EQ(owned.bytes(), frame);
    }
    expect_dropped(around(bare, five), DropReason::VxlanInnerVlan);
}

TEST_F(VxlanPeers, VlanTagsAreKeptWhereThatIsConfigured) {
    two_hosts([](auto& config) { config.vxlan_vlan = InnerVlan::Keep; });
    GuestPacket guest = packet();
    guest.tags = {kService, kCustomer};
    const Frame frame = guest.frame();
    EXPECT_EQ(net.inject(1, encapsulated(frame)).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), frame);
}

// RFC 7348 §4.3: VXLAN packets are not fragmented.
TEST_F(VxlanPeers, WhatDoesNotFitIsRefusedAndNoRoomIsKeptForOptions) {
    two_hosts();
    const std::size_t room = net.host(0).config.underlay_mtu - 20 - 8 - 8;
    GuestPacket guest = packet();
    guest.payload = room - 42;
    EXPECT_EQ(encapsulated(guest.frame()).size() - 14, net.host(0).config.underlay_mtu);
    guest.tags = {kCustomer};  // which does not go along
    EXPECT_EQ(encapsulated(guest.frame()).size() - 14, net.host(0).config.underlay_mtu);
    ++guest.payload;
    OwnedFrame owned(guest.frame(), eppc::Eppc::kHeadroom);
    EXPECT_EQ(net.engine(0).encapsulate(kGuestPort, owned.buffer, net.clock_of(0)), DropReason::FrameTooLong);
}

class VxlanSessions : public VxlanPeers, public ::testing::WithParamInterface<bool> {
  protected:
    void hosts(const Network::Configure& configure = {}) {
        for (std::size_t i = 0; i < 2; ++i) {
            net.add_host([&](auto& config) {
                if (GetParam()) config.address = ipv6_of(i);
                if (configure) configure(config);
            });
        }
    }
};
INSTANTIATE_TEST_SUITE_P(OverIpv4AndIpv6, VxlanSessions, ::testing::Bool());

TEST_P(VxlanSessions, MeasureLossOfAllPacketsExactlyByCounts) {
    hosts();
    net.line(0, 1).hook = [](Transit& transit) {
        const bool lost = transit.seen.kind == SeenPacket::Kind::Data && mix64(transit.ordinal) % 7 == 0;
        return Fate{lost ? 0 : 1, {}};
    };
    net.send_many(0, 1, 3000, Duration::microseconds(30), 16);
    net.run_for(Duration::milliseconds(200));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(session::Role::Requester, session::State::Closed), 1);
    EXPECT_EQ(net.engine(0).counters().tagged, 0U);
    const auto truths = path_truth(net, 0, 1);
    ASSERT_EQ(truths.size(), 4U);
    std::uint64_t lost = 0;
    for (const PathTruth& truth : truths) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->sent - record->received, truth.lost);
        EXPECT_EQ(record->flags, 0);
        EXPECT_EQ(record->tracked_sent, 0U);
        EXPECT_EQ(record->delay_count, 0U);
        lost += truth.lost;
    }
    EXPECT_GT(lost, 300U);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
    for (const Captured& packet : net.captured()) {
        EXPECT_TRUE(packet.seen.vxlan);
        EXPECT_NE(packet.seen.kind, SeenPacket::Kind::Other);
    }
}

// COUNT markers: a busy path is measured while its interval goes on.
TEST_P(VxlanSessions, ReportARunningPathEachInterval) {
    hosts([](auto& config) { config.path_count = 1; });
    net.line(0, 1).hook = [](Transit& transit) {
        return Fate{transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 5 == 0 ? 0 : 1, {}};
    };
    net.send_many(0, 1, 5000, Duration::microseconds(20), 16);
    net.run_for(Duration::milliseconds(95));
    int counts = 0;
    for (const Captured& packet : net.captured()) {
        if (!packet.seen.is(ControlType::Marker)) continue;
        counts += wire::MarkerBody::parse(packet.seen.body)->kind == wire::MarkerKind::Count ? 1 : 0;
    }
    EXPECT_NEAR(counts, 33, 3);  // report_interval 10 ms; four in each once a loss was told
    ASSERT_GE(net.host(0).metrics.size(), 5U);
    const auto& record = net.host(0).metrics.back().record;
    EXPECT_EQ(record.flags, wire::PathRecord::kFlagOpen);
    EXPECT_GT(record.sent, 3500U);
    EXPECT_NEAR(static_cast<double>(record.sent - record.received) / static_cast<double>(record.sent), 0.2,
                0.02);
}

TEST_P(VxlanSessions, LearnTheirPaths) {
    FakeNhms nhms(net, GetParam() ? Endpoint{ipv6_of(0xff), 46081} : FakeNhms::kEndpoint);
    hosts([](auto& config) {
        config.nhms = config.address.is_ipv4() ? FakeNhms::kEndpoint : Endpoint{ipv6_of(0xff), 46081};
        config.trace_paths = true;
    });
    net.line(0, 1).routers.push_back({GetParam() ? ipv6_of(0x101) : IpAddress{Ipv4Address{0x0a010001}}});
    net.send_many(0, 1, 200, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(500));
    const auto paths = nhms.paths();
    ASSERT_EQ(paths.size(), 4U);
    for (const wire::PathEntry& path : paths)
        EXPECT_TRUE(path.complete);
}

// The control messages of a path take that path, in the reserved VNI.
TEST_F(VxlanPeers, ControlTravelsOnTheDataPathsFiveTupleInTheReservedVni) {
    two_hosts();
    net.send_many(0, 1, 400, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(20));
    std::set<std::uint16_t> data_ports;
    for (const Captured& packet : net.captured()) {
        if (packet.from == 0 && packet.seen.kind == SeenPacket::Kind::Data)
            data_ports.insert(packet.seen.source_port);
    }
    int markers = 0;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.kind != SeenPacket::Kind::Control) continue;
        EXPECT_EQ(packet.seen.vni, net.host(0).config.vxlan_control_vni);
        EXPECT_EQ(load_u16(&packet.bytes[kOuterUdp + 2]), 4789);
        const auto ethernet = wire::EthernetHeader::parse(Bytes(packet.bytes).subspan(kInner));
        EXPECT_EQ(ethernet->ether_type, wire::kEtherTypeControl);
        EXPECT_FALSE(ethernet->destination.is_group());
        if (packet.from != 0 || !packet.seen.is(ControlType::Marker)) continue;
        EXPECT_TRUE(data_ports.contains(packet.seen.source_port));
        ++markers;
    }
    EXPECT_GE(markers, 4);
}

TEST_F(VxlanPeers, TheReservedVniIsRefusedToGuests) {
    two_hosts();
    const Vni reserved = net.host(0).config.vxlan_control_vni;
    const MacAddress mac = MacAddress::from_integer(0x020900000001);
    const auto guest = net.engine(0).add_guest(GuestPort{9}, reserved, mac);
    ASSERT_FALSE(guest.ok());
    EXPECT_EQ(guest.error(), "VNI 16777215 is vxlan_control_vni, the engine's own");
    const auto remote = net.engine(0).add_remote(reserved, mac, net.host(1).config.address);
    ASSERT_FALSE(remote.ok());
    EXPECT_EQ(remote.error(), guest.error());
}

// What a guest sends cannot become control, and control reaches no guest.
TEST_F(VxlanPeers, GuestsAndControlNeverMix) {
    two_hosts();
    net.send_many(0, 1, 200, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(10));
    const Frame marker = control(ControlType::Marker);
    const auto received = net.engine(1).counters().control_received;
    Frame lookalike = without(marker, 0, kInner);  // the inner frame, as a guest would send it
    std::copy_n(net.host(1).guest_mac.octets.begin(), 6, lookalike.begin());
    std::copy_n(net.host(0).guest_mac.octets.begin(), 6, lookalike.begin() + 6);
    EXPECT_EQ(net.inject(1, encapsulated(lookalike)).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), lookalike);
    EXPECT_EQ(net.engine(1).counters().control_received, received);
    const std::size_t delivered = net.host(1).delivered.size();
    EXPECT_EQ(net.inject(1, marker).kind, Kind::Consumed);
    // In the reserved VNI nothing but control is taken.
    Frame data = encapsulated(packet().frame());
    store_u32(&data[kVxlan + 4], net.host(0).config.vxlan_control_vni.value << 8);
    expect_dropped(data, DropReason::VxlanBadControl);
    Frame cut = around(marker, Frame(marker.begin() + kInner, marker.begin() + kInner + 13));
    expect_dropped(cut, DropReason::VxlanBadControl);
    EXPECT_EQ(net.host(1).delivered.size(), delivered);
}

TEST_F(VxlanPeers, EveryTruncationIsCounted) {
    two_hosts();
    net.send_many(0, 1, 100, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(10));
    for (const Frame& frame : {encapsulated(packet().frame()), control(ControlType::Marker)}) {
        for (std::size_t size = 0; size < frame.size(); ++size) {
            const std::uint64_t total = net.engine(1).drops().total();
            EXPECT_EQ(
                net.inject(1, Frame(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size))).kind,
                Kind::Dropped)
                << size;
            EXPECT_EQ(net.engine(1).drops().total(), total + 1) << size;
        }
    }
    const Frame good = encapsulated(packet().frame());
    for (std::size_t size = 0; size < 8 + 14; ++size) {  // whole headers around a cut inside
        Frame frame = around(good, {});
        frame.resize(kVxlan);
        frame.insert(frame.end(), good.begin() + kVxlan,
                     good.begin() + kVxlan + static_cast<std::ptrdiff_t>(size));
        store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
        store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
        mend_ip(frame);
        expect_dropped(frame, size < 8 ? DropReason::VxlanTruncated : DropReason::EthernetTruncated);
    }
}

TEST_F(VxlanPeers, EachPeerSpeaksOneEncapsulation) {
    two_hosts();
    net.add_host();
    const Frame vxlan = encapsulated(packet().frame());
    // From whoever is no VXLAN peer it may be another program's.
    Frame stranger = vxlan;
    store_u32(&stranger[kOuterIp + 12], 0x0a000077);
    mend_ip(stranger);
    EXPECT_EQ(net.inject(1, stranger).kind, Kind::NotOurs);
    // From a VXLAN peer Geneve is a mistake: its packets would be counted in another's place.
    ASSERT_TRUE(net.engine(0).add_peer(net.host(1).config.address, {}).ok());
    expect_dropped(encapsulated(packet().frame()), DropReason::WrongEncapsulation);
    // And so it is the other way round.
    ASSERT_TRUE(net.engine(1).add_peer(net.host(0).config.address, {}).ok());
    EXPECT_EQ(net.inject(1, vxlan).kind, Kind::NotOurs);
}

TEST_F(VxlanPeers, LiveBesideGenevePeers) {
    two_hosts();
    net.add_host();
    ASSERT_TRUE(net.engine(0).add_peer(net.host(2).config.address, {}).ok());
    ASSERT_TRUE(net.engine(2).add_peer(net.host(0).config.address, {}).ok());
    net.send_many(0, 1, 300, Duration::microseconds(20));
    net.send_many(0, 2, 300, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(10));
    ASSERT_TRUE(net.close_all());
    for (const Captured& packet : net.captured()) {
        const std::size_t other = packet.from == 0 ? packet.to : packet.from;
        EXPECT_EQ(packet.seen.vxlan, other == 1);
    }
    EXPECT_EQ(net.engine(1).counters().tracked_received, 0U);
    EXPECT_GT(net.engine(2).counters().tracked_received, 30U);
}

TEST(VxlanConfig, EachWrongFieldIsNamed) {
    const auto wrong = wrong_field_of;
    EXPECT_EQ(wrong([](auto& c) { c.vxlan_port = c.geneve_port; }), "vxlan_port");
    EXPECT_EQ(wrong([](auto& c) { c.vxlan_control_vni = Vni{1U << 24}; }), "vxlan_control_vni");
    EXPECT_EQ(wrong([](auto& c) { c.nhms = FakeNhms::kEndpoint, c.management_port = c.vxlan_port; }),
              "management_port");
    EXPECT_EQ(wrong([](auto& c) { c.vxlan_port = 8472; }), "accepted");
}

}  // namespace
}  // namespace dyetrace::test
