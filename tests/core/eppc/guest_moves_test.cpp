// SPDX-License-Identifier: GPL-2.0-or-later
// A guest moves from one host to another while packets flow to it.
#include <gtest/gtest.h>

#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using session::Role;
using session::State;
using wire::DropReason;

constexpr GuestPort kNewPort{7};

struct GuestMoves : TunnelTest {
    GuestMoves() {
        for (int i = 0; i < 3; ++i)
            net.add_host();
        mac = net.host(1).guest_mac;
    }

    IpAddress address(std::size_t host) { return net.host(host).config.address; }
    /// Host 1's guest goes to host 2, or back. What host 0 knows is another matter.
    void move(std::size_t from, GuestPort from_port, std::size_t to, GuestPort to_port) {
        ASSERT_TRUE(net.engine(from).remove_guest(from_port, net.clock_of(from)).ok());
        ASSERT_TRUE(net.engine(from).add_remote(Vni{kVni}, mac, address(to)).ok());
        ASSERT_TRUE(net.engine(to).remove_remote(kVni, mac, net.clock_of(to)).ok());
        ASSERT_TRUE(net.engine(to).add_guest(to_port, kVni, mac).ok());
        net.settle(from);
        net.settle(to);
    }
    void tell(std::size_t whom, std::size_t where) {
        const auto told = net.engine(whom).move_remote(kVni, mac, address(where), net.clock_of(whom));
        ASSERT_TRUE(told.ok()) << told.error();
        net.settle(whom);
    }
    void send(int count = 200) {
        net.send_many(0, 1, count, Duration::microseconds(100));
        net.run_for(Duration::milliseconds(60));
    }
    std::size_t open_sessions(std::size_t from, std::size_t to) {
        std::size_t open = 0;
        for (const auto& view : net.engine(from).sessions())
            open += view.role == Role::Requester && view.peer == address(to) ? 1U : 0U;
        return open;
    }

    MacAddress mac;
};

TEST_F(GuestMoves, TheNextFrameGoesToItsNewHost) {
    send();
    ASSERT_EQ(net.host(1).delivered.size(), 200U);
    move(1, kGuestPort, 2, kNewPort);
    tell(0, 2);
    send();
    EXPECT_EQ(net.host(1).delivered.size(), 200U);
    EXPECT_EQ(net.host(2).delivered.size(), 200U);
    EXPECT_EQ(net.engine(1).drops().total(), 0U);
    EXPECT_EQ(net.engine(0).counters().guests_moved, 1U);
}

TEST_F(GuestMoves, WhatStillComesToItsOldHostIsCountedAsSuch) {
    send();
    move(1, kGuestPort, 2, kNewPort);
    send(50);
    EXPECT_EQ(net.engine(1).drops().count(DropReason::GuestElsewhere), 50U);
    EXPECT_EQ(net.engine(1).drops().total(), 50U);
    EXPECT_TRUE(net.host(2).delivered.empty());
    // They arrived at the host that they were sent to: no loss of the network.
    for (const auto& view : net.engine(0).sessions()) {
        for (const auto& path : view.paths)
            EXPECT_EQ(path.sent, path.received);
    }
}

TEST_F(GuestMoves, WhoeverWasToldNothingOfItsNewPlaceKnowsNoSuchGuest) {
    const Frame frame = encapsulated(packet().frame());
    ASSERT_TRUE(net.engine(1).remove_guest(kGuestPort, net.clock_of(1)).ok());
    expect_dropped(frame, DropReason::UnknownVni);
    ASSERT_TRUE(net.engine(1).add_guest(kNewPort, kVni, MacAddress::from_integer(0x02000000ffff)).ok());
    expect_dropped(frame, DropReason::UnknownGuest);
}

TEST_F(GuestMoves, TheGuestThatHasGoneSendsNothingMore) {
    ASSERT_TRUE(net.engine(0).remove_guest(kGuestPort, net.clock_of(0)).ok());
    EXPECT_EQ(net.send(0, 1), DropReason::UnknownGuestPort);
}

TEST_F(GuestMoves, TheGuestSpeaksFromItsNewHost) {
    move(1, kGuestPort, 2, kNewPort);
    GuestPacket guest = packet(1, 0);
    ASSERT_FALSE(net.send_frame(2, kNewPort, guest.frame()));
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.host(0).delivered.size(), 1U);
}

TEST_F(GuestMoves, ASessionThatNobodyIsLeftForEndsInOrder) {
    send();
    ASSERT_EQ(open_sessions(0, 1), 1U);
    move(1, kGuestPort, 2, kNewPort);
    tell(0, 2);
    send();
    EXPECT_EQ(open_sessions(0, 1), 0U);
    EXPECT_EQ(open_sessions(0, 2), 1U);
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::PeerLost), 0);
    // The host that its only guest has left has none that it would ask for either.
    EXPECT_EQ(open_sessions(1, 0), 0U);
}

TEST_F(GuestMoves, ASessionGoesOnForTheGuestsThatStay) {
    const MacAddress other = MacAddress::from_integer(0x02000000ffff);
    ASSERT_TRUE(net.engine(1).add_guest(kNewPort, kVni, other).ok());
    ASSERT_TRUE(net.engine(0).add_remote(kVni, other, address(1)).ok());
    send();
    move(1, kGuestPort, 2, kNewPort);
    tell(0, 2);
    send();
    EXPECT_EQ(open_sessions(0, 1), 1U);
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 0);
}

TEST_F(GuestMoves, ASessionThatSomebodyAskedForStaysWhereItIs) {
    ASSERT_TRUE(net.engine(0).open_session(address(1), net.clock_of(0)).ok());
    net.settle(0);
    net.run_for(Duration::milliseconds(5));
    move(1, kGuestPort, 2, kNewPort);
    tell(0, 2);
    net.run_for(Duration::milliseconds(50));
    EXPECT_EQ(open_sessions(0, 1), 1U);
}

TEST_F(GuestMoves, ComingAndGoingLeavesNothingBehind) {
    send();
    for (int i = 0; i < 200; ++i) {
        move(1, kGuestPort, 2, kNewPort);
        tell(0, 2);
        send(20);
        move(2, kNewPort, 1, kGuestPort);
        tell(0, 1);
        send(20);
    }
    EXPECT_EQ(net.host(1).delivered.size(), 200U + 200 * 20);
    EXPECT_EQ(net.host(2).delivered.size(), 200U * 20);
    EXPECT_EQ(open_sessions(0, 1), 1U);
    EXPECT_EQ(open_sessions(0, 2), 1U);  // host 2 has a guest of its own
    for (std::size_t host = 0; host < 3; ++host)
        EXPECT_EQ(net.engine(host).drops().count(DropReason::TableFull), 0U);
}

TEST_F(GuestMoves, RefusalsSayWhyAndChangeNothing) {
    eppc::Eppc& engine = net.engine(0);
    const Time now = net.clock_of(0);
    const MacAddress nobody = MacAddress::from_integer(0x02000000ffff);
    EXPECT_EQ(engine.remove_guest(GuestPort{99}, now).error(), "no guest is plugged into port 99");
    EXPECT_EQ(engine.move_remote(kVni, nobody, address(1), now).error(),
              "02:00:00:00:ff:ff is no remote guest in VNI 1000");
    EXPECT_EQ(engine.remove_remote(Vni{7}, mac, now).error(),
              mac.to_string() + " is no remote guest in VNI 7");
    EXPECT_FALSE(engine.move_remote(kVni, mac, address(0), now).ok());  // a host is no peer of itself
    EXPECT_EQ(engine.counters().guests_moved, 0U);
    send(10);
    EXPECT_EQ(net.host(1).delivered.size(), 10U);
}

TEST(GuestMovesWithoutRoom, AFullTableLetsThoseThatItHasMove) {
    Network net;
    for (int i = 0; i < 3; ++i)
        net.add_host([](auto& config) { config.bounds.remotes = 2; });
    eppc::Eppc& engine = net.engine(0);
    const MacAddress mac = net.host(1).guest_mac;
    EXPECT_FALSE(
        engine.add_remote(kVni, MacAddress::from_integer(0x02000000ffff), net.host(1).config.address).ok());
    EXPECT_TRUE(engine.move_remote(kVni, mac, net.host(2).config.address, net.clock_of(0)).ok());
    ASSERT_TRUE(engine.remove_remote(kVni, mac, net.clock_of(0)).ok());
    EXPECT_TRUE(
        engine.add_remote(kVni, MacAddress::from_integer(0x02000000ffff), net.host(1).config.address).ok());
}

TEST(GuestMovesWithoutRoom, AMoveToAPeerForWhichThereIsNoRoomIsRefused) {
    Network net;
    for (int i = 0; i < 2; ++i)
        net.add_host([](auto& config) { config.bounds.peers = 1; });
    eppc::Eppc& engine = net.engine(0);
    const auto moved =
        engine.move_remote(kVni, net.host(1).guest_mac, IpAddress{Ipv4Address{0x0a0000c8}}, net.clock_of(0));
    ASSERT_FALSE(moved.ok());
    EXPECT_EQ(moved.error(), "the table of peers is full");
    ASSERT_FALSE(net.send(0, 1));
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.host(1).delivered.size(), 1U);
}

}  // namespace
}  // namespace dyetrace::test
