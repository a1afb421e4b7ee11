// SPDX-License-Identifier: GPL-2.0-or-later
// Encapsulation: what is carried, what is refused, and that a tag changes no packet's fate.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "core/eppc/flow_hash.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using wire::DropReason;

using Frame = std::vector<std::uint8_t>;

struct DataPath : TunnelTest {
    void two_hosts(const Network::Configure& configure = {}) {
        net.add_host(configure);
        net.add_host(configure);
    }
    /// Asks the engine to carry a frame, which must come back as it was when it is refused.
    wire::Refusal offer(const Frame& frame, GuestPort port = kGuestPort,
                        std::size_t headroom = eppc::Eppc::kHeadroom) {
        OwnedFrame owned(frame, headroom);
        const auto refused = net.engine(0).encapsulate(port, owned.buffer, net.clock_of(0));
        if (refused) {
            EXPECT_EQ(owned.bytes(), frame);
            EXPECT_EQ(net.engine(0).drops().count(*refused), ++refusals[*refused]);
        }
        return refused;
    }
    /// Two hosts with a session whose paths are all being tagged.
    void tagging_hosts(std::uint32_t every_nth, std::uint16_t paths = 4) {
        two_hosts([&](auto& config) {
            config.sampling = wire::SamplingSpec::every_nth(every_nth);
            config.path_count = paths;
        });
        net.send_many(0, 1, 400, Duration::microseconds(10), 64);
        net.run_for(Duration::milliseconds(5));
    }
    std::map<DropReason, std::uint64_t> refusals;
};

TEST_F(DataPath, RefusesWhatItCannotCarryAndSaysWhy) {
    two_hosts();
    EXPECT_EQ(offer(packet().frame(), kGuestPort, eppc::Eppc::kHeadroom - 1), DropReason::NoHeadroom);
    EXPECT_EQ(offer(packet().frame(), GuestPort{99}), DropReason::UnknownGuestPort);
    const Frame good = packet().frame();
    for (const std::size_t size : {0U, 1U, 13U})
        EXPECT_EQ(offer(Frame(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
                  DropReason::EthernetTruncated);
    GuestPacket group = packet();
    group.destination_mac = *MacAddress::parse("ff:ff:ff:ff:ff:ff");
    EXPECT_EQ(offer(group.frame()), DropReason::GroupAddress);
    group.destination_mac = *MacAddress::parse("33:33:00:00:00:01");
    EXPECT_EQ(offer(group.frame()), DropReason::GroupAddress);
    GuestPacket unknown = packet();
    unknown.destination_mac = *MacAddress::parse("02:77:00:00:00:01");
    EXPECT_EQ(offer(unknown.frame()), DropReason::UnknownDestination);
    EXPECT_EQ(offer(packet(0, 0).frame()), DropReason::UnknownDestination);  // to itself
    EXPECT_EQ(net.engine(0).counters().encapsulated, 0U);
}

TEST_F(DataPath, AGuestSpeaksWithItsOwnAddressOnly) {
    two_hosts();
    for (int octet = 0; octet < 6; ++octet) {
        Frame frame = packet().frame();
        frame[6 + static_cast<std::size_t>(octet)] ^= 1;
        EXPECT_EQ(offer(frame), DropReason::SourceMacMismatch);
    }
}

TEST_F(DataPath, NetworksNeverMix) {
    two_hosts();
    constexpr Vni kOther{2000};
    constexpr GuestPort kOtherPort{2};
    const MacAddress mac = *MacAddress::parse("02:55:00:00:00:01");
    // The same addresses in two networks are two guests.
    ASSERT_TRUE(net.engine(0).add_guest(kOtherPort, kOther, net.host(0).guest_mac).ok());
    ASSERT_TRUE(net.engine(1).add_guest(kOtherPort, kOther, mac).ok());
    ASSERT_TRUE(net.engine(0).add_remote(kOther, mac, net.host(1).config.address).ok());
    EXPECT_EQ(offer(packet().frame(), kOtherPort),
              DropReason::UnknownDestination);  // lives in the first network
    GuestPacket across = packet();
    across.destination_mac = mac;
    EXPECT_EQ(offer(across.frame()), DropReason::UnknownDestination);
    OwnedFrame inside(across.frame(), eppc::Eppc::kHeadroom);
    ASSERT_FALSE(net.engine(0).encapsulate(kOtherPort, inside.buffer, net.clock_of(0)));
    EXPECT_EQ(look_at(inside.bytes()).vni, kOther);
    const Decapsulated delivered = net.inject(1, inside.bytes());
    EXPECT_EQ(delivered.kind, Decapsulated::Kind::Deliver);
    EXPECT_EQ(delivered.port, kOtherPort);
    // Changed on the way it reaches nobody.
    Frame moved = inside.bytes();
    store_u32(&moved[kGeneve + 4], kVni.value << 8);
    EXPECT_EQ(net.inject(1, moved).reason, DropReason::UnknownGuest);
    store_u32(&moved[kGeneve + 4], 3000U << 8);
    EXPECT_EQ(net.inject(1, moved).reason, DropReason::UnknownVni);
}

class DataPathSampling : public DataPath, public ::testing::WithParamInterface<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(EveryNth, DataPathSampling, ::testing::Values(1U, 1'000'000U));

TEST_P(DataPathSampling, TheMtuLeavesRoomForTheOptionWhetherOrNotAPacketIsTagged) {
    const std::uint32_t every_nth = GetParam();
    tagging_hosts(every_nth);
    const std::size_t room = net.host(0).config.underlay_mtu - 20 - 8 - 8 - 44;
    GuestPacket guest = packet();
    guest.payload = room - 42;
    ASSERT_EQ(guest.frame().size(), room);
    const Frame longest = encapsulated(guest.frame());
    EXPECT_EQ(look_at(longest).track.has_value(), every_nth == 1);
    EXPECT_EQ(longest.size() - 14, net.host(0).config.underlay_mtu - (every_nth == 1 ? 0U : 44U));
    ++guest.payload;
    EXPECT_EQ(offer(guest.frame()), DropReason::FrameTooLong);
}

TEST_F(DataPath, ATaggedPacketDiffersFromAnUntaggedOneInItsOptionAlone) {
    tagging_hosts(2);
    std::map<bool, Frame> seen;
    for (int i = 0; i < 20; ++i) {
        const Frame frame = encapsulated(packet().frame());
        seen[look_at(frame).track.has_value()] = frame;
    }
    ASSERT_EQ(seen.size(), 2U);
    Frame tagged = seen[true];
    const Frame& plain = seen[false];
    tagged.erase(tagged.begin() + kGenevePayload, tagged.begin() + kGenevePayload + wire::TrackOption::kSize);
    ASSERT_EQ(tagged.size(), plain.size());
    // Lengths, the identification, which counts packets, and the checksum over both.
    const std::set<std::size_t> may_differ{kOuterIp + 2,  kOuterIp + 3,  kOuterIp + 4,
                                           kOuterIp + 5,  kOuterIp + 10, kOuterIp + 11,
                                           kOuterUdp + 4, kOuterUdp + 5, kGeneve};
    for (std::size_t at = 0; at < plain.size(); ++at) {
        if (!may_differ.contains(at)) {
            EXPECT_EQ(tagged[at], plain[at]) << "byte " << at;
        }
    }
    EXPECT_EQ(plain[kGeneve], 0);
    EXPECT_EQ(seen[true][kGeneve], 11);
}

// RFC 8926 §3.3: destination port 6081, any source port; §4.3: a checksum over IPv4 may be left out.
TEST_F(DataPath, OuterHeadersAreThoseOfTheConfiguration) {
    two_hosts([](auto& config) { config.dscp = 0x2e; });
    const Frame frame = encapsulated(packet().frame());
    const SeenPacket seen = look_at(frame);
    EXPECT_EQ(seen.kind, SeenPacket::Kind::Data);
    EXPECT_EQ(seen.ip.source, net.host(0).config.address);
    EXPECT_EQ(seen.ip.destination, net.host(1).config.address);
    EXPECT_EQ(seen.ip.dscp, 0x2e);
    EXPECT_EQ(seen.ip.ttl, 64);
    EXPECT_TRUE(
        wire::Ipv4Header::parse(Bytes(frame).subspan(kOuterIp), frame.size() - kOuterIp)->dont_fragment);
    EXPECT_GE(seen.source_port, 49152);
    EXPECT_LT(seen.source_port, 49156);
    EXPECT_EQ(load_u16(&frame[kOuterUdp + 6]), 0);
    EXPECT_EQ(seen.vni, kVni);
    const auto ethernet = wire::EthernetHeader::parse(frame);
    EXPECT_EQ(ethernet->source, net.host(0).config.mac);
    EXPECT_EQ(ethernet->destination, net.host(0).config.gateway_mac);
}

TEST_F(DataPath, AFlowKeepsItsPortAndFlowsSpreadOverAll) {
    two_hosts([](auto& config) { config.path_count = 16; });
    std::map<std::uint16_t, int> flows_on;
    for (std::uint16_t flow = 0; flow < 1600; ++flow) {
        GuestPacket guest = packet();
        guest.source_port = flow;
        const std::uint16_t port = look_at(encapsulated(guest.frame())).source_port;
        ++flows_on[port];
        guest.payload = 900;
        EXPECT_EQ(look_at(encapsulated(guest.frame())).source_port, port);
    }
    ASSERT_EQ(flows_on.size(), 16U);
    // Binomial(1600, 1/16): six standard deviations are 58.
    for (const auto& [port, flows] : flows_on)
        EXPECT_NEAR(flows, 100, 58) << port;
}

TEST_F(DataPath, FragmentsOfAPacketStayTogether) {
    two_hosts([](auto& config) { config.path_count = 1024; });
    const auto fragment = [&](std::uint16_t flags_and_offset, std::uint16_t first_word) {
        Frame frame = packet().frame();
        store_u16(&frame[kOuterIp + 6], flags_and_offset);
        store_u16(&frame[kOuterIp + 20], first_word);
        return look_at(encapsulated(frame)).source_port;
    };
    const std::uint16_t first = fragment(0x2000, 1000);
    EXPECT_EQ(fragment(0x2000 | 100, 0xbeef), first);
    EXPECT_EQ(fragment(200, 0xcafe), first);
}

TEST_F(DataPath, OtherEtherTypesAreHashedByTheirAddressesAndCarried) {
    two_hosts();
    for (const std::uint16_t ether_type :
         std::initializer_list<std::uint16_t>{0x0806, 0x86dd, 0x8100, 0x88b5, 0x1234}) {
        Frame frame = packet().frame();
        store_u16(&frame[12], ether_type);
        const std::uint16_t port = look_at(encapsulated(frame)).source_port;
        frame[30] ^= 0xff;
        const Frame carried = encapsulated(frame);
        EXPECT_EQ(look_at(carried).source_port, port);
        EXPECT_EQ(net.inject(1, carried).kind, Decapsulated::Kind::Deliver);
        EXPECT_EQ(net.host(1).delivered.back(), frame);
    }
    Frame bare = packet().frame();
    bare.resize(14);  // an IPv4 EtherType with nothing behind it
    EXPECT_EQ(net.inject(1, encapsulated(bare)).kind, Decapsulated::Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), bare);
}

TEST_F(DataPath, AGuestsOwnTunnelsAndControlLookalikesAreSimplyCarried) {
    tagging_hosts(1);
    // What an engine says, as a guest would send it: whole control packets and tagged packets inside its own.
    std::vector<Frame> lookalikes;
    for (const Captured& captured : net.captured()) {
        Frame frame = captured.bytes;
        std::copy_n(net.host(1).guest_mac.octets.begin(), 6, frame.begin());
        std::copy_n(net.host(0).guest_mac.octets.begin(), 6, frame.begin() + 6);
        lookalikes.push_back(frame);
        if (lookalikes.size() == 50) break;
    }
    Frame control = packet().frame();
    store_u16(&control[12], wire::kEtherTypeControl);
    lookalikes.push_back(control);
    const auto before = net.engine(1).counters();
    const std::uint64_t drops = net.engine(1).drops().total();
    for (const Frame& frame : lookalikes) {
        EXPECT_EQ(net.inject(1, encapsulated(frame)).kind, Decapsulated::Kind::Deliver);
        EXPECT_EQ(net.host(1).delivered.back(), frame);
    }
    EXPECT_EQ(net.engine(1).counters().control_received, before.control_received);
    EXPECT_EQ(net.engine(1).drops().total(), drops);
    EXPECT_EQ(net.engine(1).sessions().size(), 1U);
}

TEST_F(DataPath, PayloadThatIsHeldElsewhereIsNeitherReadNorForgotten) {
    tagging_hosts(1);
    GuestPacket guest = packet();
    guest.payload = 1000;
    const Frame whole = guest.frame();
    OwnedFrame head(Bytes(whole).first(64), eppc::Eppc::kHeadroom);
    head.buffer.tail = whole.size() - 64;
    ASSERT_FALSE(net.engine(0).encapsulate(kGuestPort, head.buffer, net.clock_of(0)));
    EXPECT_EQ(head.buffer.tail, whole.size() - 64);
    EXPECT_EQ(load_u16(&head.buffer.head()[kOuterIp + 2]), whole.size() + 20 + 8 + 8 + 44);
    EXPECT_EQ(load_u16(&head.buffer.head()[kOuterUdp + 4]), whole.size() + 8 + 8 + 44);
    OwnedFrame arriving(head.buffer.head());
    arriving.buffer.tail = head.buffer.tail;
    const Decapsulated result = net.engine(1).decapsulate(arriving.buffer, net.clock_of(1));
    EXPECT_EQ(result.kind, Decapsulated::Kind::Deliver);
    EXPECT_EQ(arriving.buffer.head_size(), 64U);
    EXPECT_EQ(arriving.buffer.wire_size(), whole.size());
    EXPECT_TRUE(std::ranges::equal(arriving.buffer.head(), Bytes(whole).first(64)));
}

TEST_F(DataPath, TablesRefuseWhatIsTakenOrTooMuch) {
    two_hosts([](auto& config) {
        config.bounds.guests = 2;
        config.bounds.remotes = 3;
        config.bounds.peers = 2;
    });
    eppc::Eppc& engine = net.engine(0);
    const auto mac = [](std::uint64_t n) { return MacAddress::from_integer(0x026600000000 + n); };
    EXPECT_FALSE(engine.add_guest(kGuestPort, kVni, mac(1)).ok());                   // port taken
    EXPECT_FALSE(engine.add_guest(GuestPort{2}, kVni, net.host(0).guest_mac).ok());  // address taken
    EXPECT_FALSE(engine.add_guest(GuestPort{2}, Vni{0}, mac(1)).ok());               // the engine's own VNI
    EXPECT_FALSE(engine.add_guest(GuestPort{2}, Vni{1U << 24}, mac(1)).ok());        // 25 bits
    EXPECT_FALSE(engine.add_guest(GuestPort{2}, kVni, *MacAddress::parse("01:00:00:00:00:01")).ok());
    EXPECT_TRUE(engine.add_guest(GuestPort{2}, kVni, mac(1)).ok());
    EXPECT_FALSE(engine.add_guest(GuestPort{3}, kVni, mac(2)).ok());  // full
    EXPECT_FALSE(
        engine.add_remote(kVni, net.host(0).guest_mac, net.host(1).config.address).ok());  // lives here
    EXPECT_FALSE(engine.add_remote(kVni, mac(7), net.host(0).config.address).ok());        // this host
    EXPECT_FALSE(
        engine.add_remote(kVni, *MacAddress::parse("01:00:00:00:00:01"), net.host(1).config.address).ok());
    EXPECT_TRUE(engine.add_remote(kVni, mac(8), Ipv4Address{0x0a000009}).ok());
    EXPECT_FALSE(engine.add_remote(kVni, mac(9), Ipv4Address{0x0a00000a}).ok());  // a third peer
    EXPECT_TRUE(engine.add_remote(kVni, mac(9), Ipv4Address{0x0a000009}).ok());
    EXPECT_FALSE(engine.add_remote(kVni, mac(10), Ipv4Address{0x0a000009}).ok());  // a fourth remote
}

TEST(EppcConfig, EachWrongFieldIsNamed) {
    const auto wrong = wrong_field_of;
    EXPECT_EQ(wrong([](auto&) {}), "accepted");
    EXPECT_EQ(wrong([](auto& c) { c.address = {}; }), "address");
    EXPECT_EQ(wrong([](auto& c) { c.key.reset(); }), "key");
    EXPECT_EQ(wrong([](auto& c) { c.insecure = true; }), "insecure");
    EXPECT_EQ(wrong([](auto& c) { c.key.reset(), c.insecure = true; }), "accepted");
    EXPECT_EQ(wrong([](auto& c) { c.path_count = 0; }), "path_count");
    EXPECT_EQ(wrong([](auto& c) { c.path_count = 1025; }), "path_count");
    EXPECT_EQ(wrong([](auto& c) { c.source_port_base = 65500; }), "source_port_base");
    EXPECT_EQ(wrong([](auto& c) { c.underlay_mtu = 575; }), "underlay_mtu");
    EXPECT_EQ(wrong([](auto& c) { c.trace_ttl_most = 0; }), "trace_ttl_most");
    EXPECT_EQ(wrong([](auto& c) { c.trace_ttl_most = 32; }), "trace_ttl_most");
    EXPECT_EQ(wrong([](auto& c) { c.bounds.traces = 0; }), "bounds.traces");
    EXPECT_EQ(wrong([](auto& c) { c.bounds.traces = 1025; }), "bounds.traces");
    EXPECT_EQ(wrong([](auto& c) { c.dscp = 64; }), "dscp");
    EXPECT_EQ(wrong([](auto& c) { c.report_interval = {}; }), "report_interval");
    EXPECT_EQ(wrong([](auto& c) { c.path_idle = {}; }), "path_idle");
    EXPECT_EQ(wrong([](auto& c) { c.update_interval = {}; }), "update_interval");
    EXPECT_EQ(wrong([](auto& c) { c.retransmit_first = {}; }), "retransmit_first");
    EXPECT_EQ(wrong([](auto& c) { c.retransmit_last = Duration{1}; }), "retransmit_last");
    EXPECT_EQ(wrong([](auto& c) { c.retransmit_most = 0; }), "retransmit_most");
    EXPECT_EQ(wrong([](auto& c) { c.keep_alive_interval = {}; }), "keep_alive_interval");
    EXPECT_EQ(wrong([](auto& c) { c.trace_timeout = {}; }), "trace_timeout");
    EXPECT_EQ(wrong([](auto& c) { c.session_duration = Duration{-1}; }), "session_duration");
    EXPECT_EQ(wrong([](auto& c) { c.sampling.value = 0; }), "sampling");
}

}  // namespace
}  // namespace dyetrace::test
