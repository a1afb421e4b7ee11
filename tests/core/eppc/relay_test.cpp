// SPDX-License-Identifier: GPL-2.0-or-later
// Host 1 relays what host 0's guest sends to host 2's: two legs, each with a session of its own.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using session::Role;
using session::State;
using wire::DropReason;

struct Relay : TunnelTest {
    void three_hosts(const Network::Configure& configure = {}) {
        for (int i = 0; i < 3; ++i)
            net.add_host(configure);
        const Vni vni = kVni;
        // Host 0 knows host 2's guest behind the relay, and the relay knows where it really is.
        ASSERT_TRUE(net.engine(0).add_remote(vni, net.host(2).guest_mac, net.host(1).config.address).ok());
        ASSERT_TRUE(net.engine(1).add_relay(vni, net.host(2).guest_mac, net.host(2).config.address).ok());
    }
    std::uint64_t dropped(std::size_t host, DropReason reason) {
        return net.engine(host).drops().count(reason);
    }
    /// Of all paths of the session that `from` requested.
    wire::PathRecord totals(std::size_t from, std::size_t to) {
        wire::PathRecord sum;
        for (const auto& view : net.engine(from).sessions()) {
            if (view.role != Role::Requester || view.peer != net.host(to).config.address) continue;
            for (const auto& path : view.paths) {
                sum.sent += path.sent;
                sum.received += path.received;
            }
        }
        return sum;
    }
};

TEST_F(Relay, FramesArriveAsTheyWereSent) {
    three_hosts();
    for (int i = 0; i < 20; ++i) {
        ASSERT_FALSE(net.send(0, 2, static_cast<std::uint16_t>(i)));
        net.run_for(Duration::milliseconds(1));
    }
    EXPECT_EQ(net.host(2).delivered.size(), 20U);
    EXPECT_TRUE(net.host(1).delivered.empty());
    EXPECT_EQ(net.engine(1).counters().relayed, 20U);
    EXPECT_EQ(net.engine(1).counters().decapsulated, 0U);
}

TEST_F(Relay, EachLegTellsItsOwnLoss) {
    three_hosts();
    int first = 0, second = 0;
    net.line(0, 1).hook = lose_if([&](const Transit& transit) {
        return transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 10 == 3 && ++first > 0;
    });
    net.line(1, 2).hook = lose_if([&](const Transit& transit) {
        return transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 25 == 7 && ++second > 0;
    });
    net.send_many(0, 2, 4000, Duration::microseconds(100));
    net.run_for(Duration::milliseconds(700));  // and every path has fallen silent
    const auto leg_one = totals(0, 1);
    const auto leg_two = totals(1, 2);
    ASSERT_GT(leg_one.sent, 3000U);
    ASSERT_GT(leg_two.sent, 3000U);
    // Packets before a path's START are measured by nobody.
    EXPECT_NEAR(static_cast<double>(leg_one.sent - leg_one.received), first, 10);
    EXPECT_NEAR(static_cast<double>(leg_two.sent - leg_two.received), second, 10);
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(net.host(1).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(net.engine(2).sessions().size(), 1U);
}

TEST_F(Relay, TheTtlGoesOnCountingAndItsHeaderIsRight) {
    three_hosts();
    (void)net.send(0, 2);
    net.run_for(Duration::milliseconds(1));
    std::vector<std::uint8_t> ttls;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.kind == SeenPacket::Kind::Data) ttls.push_back(packet.seen.ip.ttl);
    }
    EXPECT_EQ(ttls, (std::vector<std::uint8_t>{64, 63}));
    EXPECT_EQ(net.host(2).delivered.size(), 1U);  // so its header's checksum was mended
}

TEST_F(Relay, OverIpv6Too) {
    std::size_t host = 0;
    three_hosts([&](auto& config) { config.address = ipv6_of(host++); });
    (void)net.send(0, 2);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.host(2).delivered.size(), 1U);
}

TEST_F(Relay, TwoThatSendToEachOtherLoseTheFrameInTheEnd) {
    three_hosts();
    // Host 2's guest, by host 2's own mistaken account, is behind host 1 again: a loop of two is cut at once.
    net.add_host();
    const Vni vni = kVni;
    const MacAddress nowhere = MacAddress::from_integer(0x02000000ffff);
    ASSERT_TRUE(net.engine(0).add_remote(vni, nowhere, net.host(1).config.address).ok());
    ASSERT_TRUE(net.engine(1).add_relay(vni, nowhere, net.host(2).config.address).ok());
    ASSERT_TRUE(net.engine(2).add_relay(vni, nowhere, net.host(3).config.address).ok());
    ASSERT_TRUE(net.engine(3).add_relay(vni, nowhere, net.host(1).config.address).ok());
    GuestPacket guest;
    guest.source_mac = net.host(0).guest_mac;
    guest.destination_mac = nowhere;
    ASSERT_FALSE(net.send_frame(0, kGuestPort, guest.frame()));
    net.run_for(Duration::milliseconds(100));
    std::uint64_t loops = 0, relayed = 0;
    for (const std::size_t at : {1U, 2U, 3U}) {
        loops += dropped(at, DropReason::RelayLoop);
        relayed += net.engine(at).counters().relayed;
    }
    EXPECT_EQ(loops, 1U);
    EXPECT_EQ(relayed, 63U);
    // And back to where it came from it never goes.
    ASSERT_TRUE(net.engine(2).add_relay(vni, nowhere, net.host(1).config.address).ok());
    ASSERT_FALSE(net.send_frame(0, kGuestPort, guest.frame()));
    net.run_for(Duration::milliseconds(100));
    EXPECT_EQ(dropped(2, DropReason::RelayLoop), loops);
}

TEST_F(Relay, OnlyWhatItWasToldAndForPeersOnly) {
    three_hosts();
    const Frame carried = encapsulated(packet(0, 2).frame());
    Frame stranger = carried;
    stranger[kOuterIp + 15] = 200;  // 10.0.0.200
    mend_ip(stranger);
    expect_dropped(stranger, DropReason::RelayLoop);
    EXPECT_EQ(net.inject(2, carried).kind, Decapsulated::Kind::NotOurs);
    EXPECT_EQ(net.engine(1).counters().relayed, 0U);
}

}  // namespace
}  // namespace dyetrace::test
