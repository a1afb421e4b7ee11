// SPDX-License-Identifier: GPL-2.0-or-later
// What guests may send: IPv4, IPv6 and anything else, with or without VLAN tags; where it goes and how it
// comes out.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/wire/ethernet.h"
#include "core/wire/guest_frame.h"
#include "core/wire/ipv6.h"
#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using eppc::EcnMode;
using wire::DropReason;
using wire::Ecn;
using Frame = std::vector<std::uint8_t>;

constexpr std::size_t kPaths = 64;
constexpr Ecn kAll[] = {Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce};
constexpr GuestTag kCustomer{0x8100, 0x6007};
constexpr GuestTag kService{0x88a8, 0x0123};

struct GuestFrames : TunnelTest {
    void two_hosts(const Network::Configure& configure = {}) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([&](auto& config) {
                config.path_count = kPaths;
                if (configure) configure(config);
            });
        }
    }
    GuestPacket packet(bool ipv6 = false) {
        GuestPacket guest = TunnelTest::packet();
        if (ipv6) {
            guest.source = ipv6_of(1000);
            guest.destination = ipv6_of(1001);
        }
        return guest;
    }
    std::uint16_t port_of(const Frame& frame) { return look_at(encapsulated(frame)).source_port; }
};

/// A frame with other EtherType and payload behind its tags.
Frame with_ether_type(GuestPacket guest, std::uint16_t ether_type) {
    Frame frame = guest.frame();
    store_u16(&frame[12 + 4 * guest.tags.size()], ether_type);
    return frame;
}

TEST_F(GuestFrames, AreDeliveredAsTheyWereWhateverTheyAre) {
    two_hosts();
    std::vector<Frame> frames;
    for (const bool ipv6 : {false, true}) {
        GuestPacket guest = packet(ipv6);
        for (int depth = 0; depth < 7; ++depth) {
            frames.push_back(guest.frame());
            for (const std::uint16_t type :
                 std::initializer_list<std::uint16_t>{0x0806, 0x88cc, 0x05dc, 0x0000, 0xffff})
                frames.push_back(with_ether_type(guest, type));
            guest.tags.push_back(depth % 2 == 0 ? kService : kCustomer);
        }
    }
    for (const std::size_t size : {14U, 15U, 17U, 18U, 33U})
        frames.push_back(Frame(frames[0].begin(), frames[0].begin() + size));
    for (const Frame& frame : frames) {
        EXPECT_EQ(net.inject(1, encapsulated(frame)).kind, Decapsulated::Kind::Deliver);
        EXPECT_EQ(net.host(1).delivered.back(), frame);
    }
}

// RFC 8926 §3.3: a port for each flow. Tags tell no flow from another.
TEST_F(GuestFrames, TagsDoNotChangeAFlowsPath) {
    two_hosts();
    for (const bool ipv6 : {false, true}) {
        for (std::uint16_t flow = 0; flow < 50; ++flow) {
            GuestPacket guest = packet(ipv6);
            guest.source_port = flow;
            const std::uint16_t port = port_of(guest.frame());
            guest.tags = {kCustomer};
            EXPECT_EQ(port_of(guest.frame()), port);
            guest.tags = {kService, kCustomer};
            guest.ecn = Ecn::Ect0;
            EXPECT_EQ(port_of(guest.frame()), port);
        }
    }
}

// RFC 8926 §3.3: the port comes of a hash of the inner headers; RFC 7348 §5 says the same.
TEST_F(GuestFrames, FlowsOfIpv6SpreadOverAllPaths) {
    two_hosts();
    std::map<std::uint16_t, int> flows_on;
    for (std::uint16_t flow = 0; flow < 100 * kPaths; ++flow) {
        GuestPacket guest = packet(true);
        guest.source_port = flow;
        guest.payload = 0;
        ++flows_on[port_of(guest.frame())];
    }
    ASSERT_EQ(flows_on.size(), kPaths);
    // Binomial(6400, 1/64): six standard deviations are 60.
    for (const auto& [port, flows] : flows_on)
        EXPECT_NEAR(flows, 100, 60) << port;
}

TEST_F(GuestFrames, EachFieldOfTheFiveTupleCounts) {
    two_hosts([](auto& config) { config.path_count = 1024; });
    for (const bool ipv6 : {false, true}) {
        const Frame frame = packet(ipv6).frame();
        const std::size_t addresses = ipv6 ? 22 : 26;
        const std::size_t size = ipv6 ? 32 : 8;
        const std::size_t protocol = ipv6 ? 20 : 23;
        const std::size_t ports = ipv6 ? 54 : 34;
        const std::uint16_t port = port_of(frame);
        int same = 0;
        int changes = 0;
        const auto change = [&](std::size_t at, std::uint8_t bit) {
            Frame changed = frame;
            changed[at] ^= bit;
            same += port_of(changed) == port ? 1 : 0;
            ++changes;
        };
        for (std::size_t at = addresses; at < addresses + size; ++at)
            change(at, 0x10);
        for (std::size_t at = ports; at < ports + 4; ++at)
            change(at, 0x10);
        change(protocol, 17 ^ 6);       // TCP
        change(protocol, 17 ^ 132);     // SCTP
        EXPECT_LE(same, 1) << changes;  // of 1024 paths
        // And nothing else does: DSCP, TTL, flow label, payload.
        for (const std::size_t at :
             ipv6 ? std::vector<std::size_t>{15, 17, 21, 70} : std::vector<std::size_t>{15, 18, 22, 50}) {
            Frame changed = frame;
            changed[at] ^= 0x08;
            EXPECT_EQ(port_of(changed), port) << at;
        }
    }
}

TEST_F(GuestFrames, FragmentsOfAnIpv6PacketStayTogether) {
    two_hosts([](auto& config) { config.path_count = 1024; });
    const auto fragment = [&](std::uint16_t offset_and_more, std::uint32_t first_word) {
        Frame frame = packet(true).frame();
        frame[20] = 44;
        const Frame header{17,
                           0,
                           static_cast<std::uint8_t>(offset_and_more >> 8),
                           static_cast<std::uint8_t>(offset_and_more),
                           0,
                           0,
                           0,
                           9};
        frame.insert(frame.begin() + 54, header.begin(), header.end());
        store_u32(&frame[62], first_word);
        return port_of(frame);
    };
    const std::uint16_t first = fragment(1, 0x03e807d0);
    EXPECT_EQ(fragment(8 << 3 | 1, 0xbeefcafe), first);
    EXPECT_EQ(fragment(16 << 3, 0xdeadbeef), first);
}

/// RFC 6040 §4.2, figure 4, as in ecn_test.cpp, for a guest of either version, tagged or not.
std::optional<Ecn> after(Ecn inner, Ecn outer) {
    if (outer == Ecn::Ce) return inner == Ecn::NotEct ? std::nullopt : std::optional{Ecn::Ce};
    if (outer == Ecn::Ect1 && inner == Ecn::Ect0) return Ecn::Ect1;
    return inner;
}

// RFC 6040 §4.1 and §4.2: IPv4 and IPv6 in any combination; and RFC 8926 §4.4.2 for Geneve.
TEST_F(GuestFrames, EcnGoesInAndComesOutWhateverTheVersionsAndTags) {
    two_hosts();
    for (const bool ipv6 : {false, true}) {
        for (const auto& tags : {std::vector<GuestTag>{}, {kCustomer}, {kService, kCustomer}}) {
            for (const Ecn inner : kAll) {
                GuestPacket guest = packet(ipv6);
                guest.tags = tags;
                guest.ecn = inner;
                const Frame sent = encapsulated(guest.frame());
                EXPECT_EQ(look_at(sent).ip.ecn, inner);
                for (const Ecn outer : kAll) {
                    Frame marked = sent;
                    set_outer_ecn(marked, outer);
                    const Decapsulated result = net.inject(1, marked);
                    const auto expected = after(inner, outer);
                    if (!expected) {
                        EXPECT_EQ(result.reason, DropReason::EcnInvalid);
                        continue;
                    }
                    ASSERT_EQ(result.kind, Decapsulated::Kind::Deliver);
                    guest.ecn = *expected;
                    EXPECT_EQ(net.host(1).delivered.back(), guest.frame());  // its checksum too
                    guest.ecn = inner;
                }
            }
        }
    }
}

// RFC 6040 §4.2: combinations that nobody should have made are told, and are no reason to drop a packet.
TEST_F(GuestFrames, UnusedCombinationsOfEcnAreCounted) {
    two_hosts();
    int unused = 0;
    for (const Ecn inner : kAll) {
        GuestPacket guest = packet();
        guest.ecn = inner;
        const Frame sent = encapsulated(guest.frame());
        for (const Ecn outer : kAll) {
            Frame marked = sent;
            set_outer_ecn(marked, outer);
            (void)net.inject(1, marked);
            // Figure 4: (!!!) and (!).
            unused += (inner == Ecn::NotEct && outer != Ecn::NotEct) ||
                              (inner == Ecn::Ect1 && outer == Ecn::Ect0) ||
                              (inner == Ecn::Ce && outer == Ecn::Ect1)
                          ? 1
                          : 0;
            EXPECT_EQ(net.engine(1).counters().ecn_unused, static_cast<unsigned>(unused));
        }
    }
    EXPECT_EQ(unused, 5);
}

// RFC 6040 §4.3: for an egress that would not hand marks on.
TEST_F(GuestFrames, CompatibilityModeOffersNoEcnToTheFabric) {
    two_hosts([](auto& config) { config.ecn = EcnMode::Compatibility; });
    for (const Ecn inner : kAll) {
        GuestPacket guest = packet();
        guest.ecn = inner;
        const Frame sent = encapsulated(guest.frame());
        EXPECT_EQ(look_at(sent).ip.ecn, Ecn::NotEct);
        EXPECT_EQ(net.inject(1, sent).kind, Decapsulated::Kind::Deliver);
        EXPECT_EQ(net.host(1).delivered.back(), guest.frame());
    }
}

TEST_F(GuestFrames, CompatibilityModeIsAPeersOwn) {
    two_hosts();
    net.add_host();
    eppc::PeerOptions legacy;
    legacy.ecn = EcnMode::Compatibility;
    ASSERT_TRUE(net.engine(0).add_peer(net.host(1).config.address, legacy).ok());
    (void)net.send(0, 1, 0, 100, Ecn::Ect0);
    (void)net.send(0, 2, 0, 100, Ecn::Ect0);
    std::map<std::size_t, Ecn> outer;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.kind == SeenPacket::Kind::Data) outer[packet.to] = packet.seen.ip.ecn;
    }
    EXPECT_EQ(outer, (std::map<std::size_t, Ecn>{{1, Ecn::NotEct}, {2, Ecn::Ect0}}));
}

// RFC 8926 §4.4.2, RFC 2983: DSCP and TTL are the tunnel's own, and the guest's come out as they went in.
TEST_F(GuestFrames, DscpAndTtlAreThoseOfAPipe) {
    two_hosts([](auto& config) { config.dscp = 0x2e; });
    for (const bool ipv6 : {false, true}) {
        Frame frame = packet(ipv6).frame();
        if (ipv6) {
            frame[14] = 0x6f;  // DSCP 61 of its own
            frame[15] |= 0x40;
            frame[21] = 3;
        } else {
            frame[15] = 0xf4;
            frame[22] = 3;
            mend_ip(frame);
        }
        Frame sent = encapsulated(frame);
        EXPECT_EQ(look_at(sent).ip.dscp, 0x2e);
        EXPECT_EQ(look_at(sent).ip.ttl, 64);
        count_ttl_down(sent, 60);
        EXPECT_EQ(net.inject(1, sent).kind, Decapsulated::Kind::Deliver);
        EXPECT_EQ(net.host(1).delivered.back(), frame);
    }
}

// A tag's own check is over the guest's frame, tags of VLANs included.
TEST_F(GuestFrames, TaggedFramesAreTrackedLikeOthers) {
    two_hosts([](auto& config) {
        config.sampling = wire::SamplingSpec::every_nth(1);
        config.path_count = 4;
    });
    GuestPacket guest = packet(true);
    guest.tags = {kService, kCustomer};
    for (int i = 0; i < 400; ++i) {
        net.at(Time{} + Duration::microseconds(20) * i, [&, i] {
            guest.source_port = static_cast<std::uint16_t>(i % 16);
            (void)net.send_frame(0, kGuestPort, guest.frame());
        });
    }
    net.run_for(Duration::milliseconds(30));
    ASSERT_TRUE(net.close_all());
    EXPECT_GT(net.engine(1).counters().tracked_received, 100U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
    std::uint32_t corrupted = 0;
    for (const auto& metrics : net.host(0).metrics)
        corrupted += metrics.record.corrupted;
    EXPECT_EQ(corrupted, 0U);
}

}  // namespace
}  // namespace dyetrace::test
