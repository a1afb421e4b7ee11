// SPDX-License-Identifier: GPL-2.0-or-later
// Several sessions of one pair at a time, what each is asked for with, and how either side ends one.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/wire/session_messages.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::SessionParameters;
using session::Role;
using session::State;
using wire::CloseReason;
using wire::ControlType;
using wire::SamplingSpec;

struct Concurrent : ::testing::Test {
    Network net;

    Concurrent() {
        for (int i = 0; i < 2; ++i)
            net.add_host([](eppc::EppcConfig& config) { config.open_on_traffic = false; });
    }
    IpAddress peer() { return net.host(1).config.address; }
    SessionId open(const std::function<void(SessionParameters&)>& change = {}) {
        SessionParameters parameters = SessionParameters::of(net.host(0).config);
        if (change) change(parameters);
        const auto id = net.engine(0).open_session(peer(), parameters, net.clock_of(0));
        EXPECT_TRUE(id.ok());
        net.settle(0);
        return *id;
    }
    void close(Role role, SessionId id, CloseReason reason) {
        const std::size_t host = role == Role::Requester ? 0 : 1;
        EXPECT_TRUE(
            net.engine(host)
                .close_session(role, net.host(1 - host).config.address, id, reason, net.clock_of(host))
                .ok());
        net.settle(host);
    }
    /// Tags that a session put on the underlay.
    int tags_of(SessionId id) {
        return static_cast<int>(std::count_if(
            net.captured().begin(), net.captured().end(),
            [&](const Captured& packet) { return packet.seen.track && packet.seen.track->session == id; }));
    }
    std::string_view reason_of(std::size_t host, SessionId id) {
        std::string_view reason;
        for (const auto& change : net.host(host).changes) {
            if (change.session == id) reason = change.reason;
        }
        return reason;
    }
    State state_of(std::size_t host, SessionId id) {
        State state = State::Idle;
        for (const auto& change : net.host(host).changes) {
            if (change.session == id) state = change.to;
        }
        return state;
    }
};

TEST_F(Concurrent, SessionsOfOnePairMeasureTheSamePacketsEachByItsOwnSample) {
    const SessionId one = open([](auto& p) { p.sampling = SamplingSpec::every_nth(5); });
    const SessionId other = open([](auto& p) { p.sampling = SamplingSpec::every_nth(7); });
    EXPECT_NE(one, other);
    net.line(0, 1).hook = [](Transit& transit) {
        const bool data = transit.seen.kind == SeenPacket::Kind::Data;
        return Fate{data && transit.ordinal % 11 == 3 ? 0 : 1, {}};
    };
    net.send_many(0, 1, 3000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(70));
    ASSERT_TRUE(net.close_all());
    int compared = 0;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        const auto record = net.host(0).newest(peer(), truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->sent - record->received, truth.lost);
        EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
        EXPECT_EQ(record->tracked_sent - record->tracked_received, truth.tagged_lost);
        ++compared;
    }
    EXPECT_EQ(compared, 8);  // 4 paths of each
    EXPECT_GT(tags_of(one), 550);
    EXPECT_GT(tags_of(other), 300);
}

TEST_F(Concurrent, APacketCarriesTheTagOfTheFirstSessionThatSamplesIt) {
    const SessionId first = open([](auto& p) { p.sampling = SamplingSpec::every_nth(1); });
    const SessionId second = open([](auto& p) { p.sampling = SamplingSpec::every_nth(1); });
    net.run_for(Duration::milliseconds(1));
    net.send_many(0, 1, 500, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(20));
    EXPECT_GT(tags_of(first), 400);
    EXPECT_EQ(tags_of(second), 0);
    for (const auto& view : net.engine(0).sessions()) {
        // What it did not get to see is not in its denominator either.
        if (view.session == second) {
            EXPECT_EQ(view.offered, 0U);
        }
    }
    ASSERT_TRUE(net.close_all());
    for (const PathTruth& truth : path_truth(net, 0, 1)) {  // it counts all packets all the same
        const auto record = net.host(0).newest(peer(), truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->received, truth.sent);
    }
}

TEST_F(Concurrent, NoMoreThanTheirBoundAreOpenedWithOnePeer) {
    for (std::size_t i = 0; i < net.host(0).config.bounds.requested_to_peer; ++i)
        open();
    const auto refused = net.engine(0).open_session(peer(), net.clock_of(0));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().find("as many sessions"), std::string::npos);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.engine(1).sessions().size(), net.host(0).config.bounds.requested_to_peer);
    ASSERT_TRUE(net.close_all());
}

TEST_F(Concurrent, EndingOneLeavesTheOther) {
    const SessionId one = open();
    const SessionId other = open();
    net.send_many(0, 1, 1000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(10));
    close(Role::Requester, one, CloseReason::Asked);
    net.run_for(Duration::milliseconds(10));
    EXPECT_EQ(state_of(0, one), State::Closed);
    EXPECT_EQ(state_of(1, one), State::Closed);
    EXPECT_EQ(state_of(0, other), State::Active);
    EXPECT_EQ(state_of(1, other), State::Active);
    const int tags = tags_of(other);
    net.run_for(Duration::milliseconds(10));
    EXPECT_GT(tags_of(other), tags);
}

TEST_F(Concurrent, ClosingWhatIsNotThereIsRefusedInWords) {
    const SessionId id = open();
    net.run_for(Duration::milliseconds(1));
    const auto refused = [&](std::size_t host, Role role, IpAddress address, SessionId session) {
        return !net.engine(host)
                    .close_session(role, address, session, CloseReason::Asked, net.clock_of(host))
                    .ok();
    };
    EXPECT_TRUE(refused(0, Role::Requester, peer(), SessionId{id.value + 1}));
    EXPECT_TRUE(refused(0, Role::Acceptor, peer(), id));
    EXPECT_TRUE(refused(0, Role::Requester, Ipv4Address{0x0a0000ff}, id));
    EXPECT_TRUE(refused(1, Role::Requester, net.host(0).config.address, id));
}

TEST_F(Concurrent, AnAcceptorThatNeedsTheRoomGetsTheLastMetricsOut) {
    const SessionId id = open([](auto& p) { p.report_interval = Duration::seconds(1); });
    net.send_many(0, 1, 2000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(20));
    close(Role::Acceptor, id, CloseReason::NoCapacity);
    net.run_for(Duration::milliseconds(20));
    EXPECT_EQ(state_of(0, id), State::Closed);
    EXPECT_EQ(state_of(1, id), State::Closed);
    const auto& changes = net.host(0).changes;
    EXPECT_TRUE(std::any_of(changes.begin(), changes.end(), [](const auto& change) {
        return change.to == State::Closing && change.reason == "no-capacity";
    }));
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        const auto record = net.host(0).newest(peer(), truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->flags & wire::PathRecord::kFlagOpen, 0);
    }
}

TEST_F(Concurrent, AnAcceptorsCloseSurvivesTheLossOfEachMessage) {
    for (const ControlType lost : {ControlType::Close, ControlType::CloseAck, ControlType::Marker,
                                   ControlType::MarkerAck, ControlType::Report}) {
        const SessionId id = open();
        net.send_many(0, 1, 200, Duration::microseconds(20));
        net.run_for(Duration::milliseconds(3));
        net.line(0, 1).hook = lose_first(lost, 2);
        net.line(1, 0).hook = lose_first(lost, 2);
        close(Role::Acceptor, id, CloseReason::NoCapacity);
        net.run_for(Duration::milliseconds(500));
        EXPECT_EQ(state_of(0, id), State::Closed) << wire::to_string(lost);
        EXPECT_EQ(state_of(1, id), State::Closed) << wire::to_string(lost);
    }
}

TEST_F(Concurrent, BothSidesMayCloseAtOnce) {
    const SessionId id = open();
    net.send_many(0, 1, 200, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(3));
    close(Role::Acceptor, id, CloseReason::NoCapacity);
    close(Role::Requester, id, CloseReason::Asked);
    net.run_for(Duration::milliseconds(100));
    EXPECT_EQ(state_of(0, id), State::Closed);
    EXPECT_EQ(state_of(1, id), State::Closed);
}

TEST_F(Concurrent, AnAcceptorsCloseThatNobodyHearsLosesThePeer) {
    const SessionId id = open();
    net.run_for(Duration::milliseconds(3));
    net.host(0).up = false;
    close(Role::Acceptor, id, CloseReason::NoCapacity);
    net.run_for(Duration::seconds(10));
    EXPECT_EQ(state_of(1, id), State::PeerLost);
    EXPECT_TRUE(net.engine(1).sessions().empty());
    EXPECT_EQ(net.engine(1).next_deadline(), Time::never());
}

TEST_F(Concurrent, AnAcceptorMayCloseBeforeItsAcceptArrives) {
    net.line(1, 0).hook = lose_first(ControlType::Accept, 2);
    const SessionId id = open();
    net.run_for(Duration::milliseconds(1));
    close(Role::Acceptor, id, CloseReason::NoCapacity);
    net.run_for(Duration::milliseconds(500));
    EXPECT_EQ(state_of(0, id), State::Closed);
    EXPECT_EQ(state_of(1, id), State::Closed);
}

TEST_F(Concurrent, ThePacketCapEndsASessionInOrderAfterExactlySoManyTags) {
    const SessionId id = open([](auto& p) {
        p.sampling = SamplingSpec::every_nth(2);
        p.packet_cap = 100;
    });
    net.send_many(0, 1, 1000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(40));
    EXPECT_EQ(tags_of(id), 100);
    EXPECT_EQ(state_of(0, id), State::Closed);
    EXPECT_EQ(state_of(1, id), State::Closed);
    const auto& changes = net.host(0).changes;
    EXPECT_TRUE(std::any_of(changes.begin(), changes.end(),
                            [](const auto& change) { return change.reason == "packet-cap"; }));
    std::uint32_t tracked = 0;
    for (std::uint16_t path = 0; path < 4; ++path) {
        if (const auto record = net.host(0).newest(peer(), id, PathIndex{path}))
            tracked += record->tracked_received;
    }
    EXPECT_EQ(tracked, 100U);
}

TEST_F(Concurrent, NoMoreAreTaggedInASecondThanWasPromised) {
    const SessionId id = open([](auto& p) {
        p.sampling = SamplingSpec::every_nth(1);
        p.tracked_per_second = 50;
    });
    net.send_many(0, 1, 3000, Duration::milliseconds(1));
    net.run_for(Duration::seconds(3));
    EXPECT_GE(tags_of(id), 150);
    EXPECT_LE(tags_of(id), 200);  // seconds begin with the first tag of each
    Time from = Time::earliest();
    int in_second = 0;
    for (const Captured& packet : net.captured()) {
        if (!packet.seen.track) continue;
        if (from == Time::earliest() || packet.at >= from + Duration::seconds(1)) {
            from = packet.at;
            in_second = 0;
        }
        EXPECT_LE(++in_second, 50);
    }
}

TEST_F(Concurrent, IdsCountUpAndAreUsedOnce) {
    std::uint32_t last = 0;
    for (int round = 0; round < 20; ++round) {
        const SessionId id = open();
        EXPECT_GT(id.value, last);
        last = id.value;
        net.run_for(Duration::milliseconds(1));
        close(Role::Requester, id, CloseReason::Asked);
        net.run_for(Duration::milliseconds(1));
        EXPECT_EQ(state_of(1, id), State::Closed);
    }
}

TEST_F(Concurrent, SessionsThatLingerMakeRoomForNewOnes) {
    for (int round = 0; round < 50; ++round) {  // more than may be accepted of one peer, within the time
        const SessionId id = open();
        net.run_for(Duration::milliseconds(1));
        EXPECT_EQ(state_of(0, id), State::Active) << round;
        close(Role::Requester, id, CloseReason::Asked);
        net.run_for(Duration::milliseconds(1));
        EXPECT_EQ(state_of(0, id), State::Closed) << round;
    }
    EXPECT_TRUE(net.engine(1).sessions().empty());
    net.run_for(Duration::seconds(10));
    EXPECT_EQ(net.engine(1).next_deadline(), Time::never());
}

TEST_F(Concurrent, TheShorterKeepAliveIntervalIsGrantedAndKept) {
    Network other;
    other.add_host([](auto& config) {
        config.open_on_traffic = false;
        config.keep_alive_interval = Duration::seconds(10);
    });
    other.add_host([](auto& config) { config.keep_alive_interval = Duration::milliseconds(200); });
    ASSERT_TRUE(other.engine(0).open_session(other.host(1).config.address, other.clock_of(0)).ok());
    other.settle(0);
    other.run_for(Duration::seconds(10));
    EXPECT_EQ(other.engine(0).sessions().size(), 1U);
    EXPECT_EQ(other.engine(1).sessions().size(), 1U);
    const auto alive = std::count_if(
        other.captured().begin(), other.captured().end(),
        [](const Captured& packet) { return packet.from == 0 && packet.seen.is(ControlType::KeepAlive); });
    EXPECT_NEAR(static_cast<double>(alive), 50, 2);
}

}  // namespace
}  // namespace dyetrace::test
