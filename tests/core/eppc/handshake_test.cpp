// SPDX-License-Identifier: GPL-2.0-or-later
// Opening a session: accept, reject for each reason, loss of either message, silence.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/wire/session_messages.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;

struct Handshake : ::testing::Test {
    Network net;

    void two_hosts(const Network::Configure& requester = {}, const Network::Configure& acceptor = {}) {
        net.add_host(requester);
        net.add_host(acceptor);
    }
    int requested(State state) { return net.host(0).entered(Role::Requester, state); }
    int accepted(State state) { return net.host(1).entered(Role::Acceptor, state); }
    /// Control messages of one type that a host sent.
    int said(std::size_t host, ControlType type) {
        return static_cast<int>(
            std::count_if(net.captured().begin(), net.captured().end(),
                          [&](const Captured& p) { return p.from == host && p.seen.is(type); }));
    }
    /// Host 0's session is accepted, and then there is no room for the paths of another host's.
    void expect_one_accepted_and_another_refused() {
        net.add_host();
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(1));
        (void)net.send(2, 1);
        net.run_for(Duration::milliseconds(1));
        EXPECT_EQ(requested(State::Active), 1);
        EXPECT_EQ(last_reason(2), "too-many-paths");
    }
    std::string_view last_reason(std::size_t host) { return net.host(host).changes.back().reason; }
};

TEST_F(Handshake, TrafficAsksForASessionAndTheAcceptorAgrees) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(requested(State::Requested), 1);
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(accepted(State::Active), 1);
    EXPECT_EQ(said(0, ControlType::Request), 2);  // without and with the challenge's nonce
    EXPECT_EQ(said(1, ControlType::Challenge), 1);
    EXPECT_EQ(said(1, ControlType::Accept), 1);
    for (const std::size_t host : {0U, 1U})
        EXPECT_EQ(net.engine(host).drops().total(), 0U);
}

TEST_F(Handshake, WithoutTrafficNothingIsAsked) {
    two_hosts();
    net.run_for(Duration::seconds(1));
    EXPECT_TRUE(net.captured().empty());
    EXPECT_EQ(net.engine(0).next_deadline(), Time::never());
}

TEST_F(Handshake, AnOperatorMayAskWithoutTraffic) {
    two_hosts([](auto& config) { config.open_on_traffic = false; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(requested(State::Requested), 0);
    const auto id = net.engine(0).open_session(net.host(1).config.address, net.clock_of(0));
    ASSERT_TRUE(id.ok());
    net.settle(0);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_FALSE(net.engine(0).open_session(net.host(0).config.address, net.clock_of(0)).ok());
}

TEST_F(Handshake, NoTagBeforeTheAcceptNorBeforeItsPathsStartIsAcknowledged) {
    two_hosts([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(1); });
    net.line(1, 0).hook = lose_first(ControlType::Accept, 3);
    net.send_many(0, 1, 4000, Duration::microseconds(20), 16);
    net.run_for(Duration::milliseconds(100));
    Time accepted_at = Time::never();
    std::array<Time, 4> started{Time::never(), Time::never(), Time::never(), Time::never()};
    int tags = 0;
    // The capture is in order of transmission; an answer counts from when it arrives.
    for (const Captured& packet : net.captured()) {
        const Time arrival = packet.at + Duration::microseconds(10);
        if (packet.seen.is(ControlType::Accept) && packet.arrival)
            accepted_at = std::min(accepted_at, arrival);
        if (packet.seen.is(ControlType::MarkerAck)) {
            const auto ack = wire::MarkerAckBody::parse(packet.seen.body);
            if (ack->kind == wire::MarkerKind::Start) {
                Time& at = started.at(ack->path.value);
                at = std::min(at, arrival);
            }
        }
        if (!packet.seen.track) continue;
        ++tags;
        EXPECT_GE(packet.at, accepted_at);
        EXPECT_GE(packet.at, started.at(packet.seen.track->path.value));
    }
    EXPECT_GT(tags, 1000);
    EXPECT_GE(accepted_at, Time{} + Duration::milliseconds(35));  // 5 + 10 + 20 ms of back-off
}

TEST_F(Handshake, RepeatsTheRequestUntilOneArrives) {
    two_hosts();
    net.line(0, 1).hook = lose_first(ControlType::Request, 4);
    (void)net.send(0, 1);
    net.run_for(Duration::seconds(1));
    EXPECT_EQ(said(0, ControlType::Request), 6);
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(accepted(State::Active), 1);
}

TEST_F(Handshake, ALostAcceptIsSaidAgainAndOpensNoSecondSession) {
    two_hosts();
    net.line(1, 0).hook = lose_first(ControlType::Accept, 3);
    (void)net.send(0, 1);
    net.run_for(Duration::seconds(1));
    EXPECT_EQ(said(1, ControlType::Accept), 4);
    EXPECT_EQ(accepted(State::Active), 1);
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(net.engine(1).sessions().size(), 1U);
    std::vector<std::vector<std::uint8_t>> accepts;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.is(ControlType::Accept)) accepts.push_back(packet.seen.body);
    }
    for (const auto& accept : accepts)
        EXPECT_EQ(accept, accepts.front());  // one nonce, so one key
}

TEST_F(Handshake, ARequestNobodyAnswersLosesThePeerAndWaitsBeforeTheNext) {
    two_hosts([](auto& config) {
        config.retransmit_most = 4;
        config.reject_back_off = Duration::seconds(2);
    });
    net.line(0, 1).hook = lose_if([](const Transit& t) { return t.seen.kind == SeenPacket::Kind::Control; });
    net.send_many(0, 1, 300, Duration::milliseconds(10));
    net.run_for(Duration::seconds(1));
    EXPECT_EQ(said(0, ControlType::Request), 4);
    EXPECT_EQ(requested(State::PeerLost), 1);
    EXPECT_EQ(last_reason(0), "request unanswered");
    net.run_for(Duration::seconds(2));
    EXPECT_EQ(said(0, ControlType::Request), 8);
    EXPECT_EQ(net.host(1).delivered.size(),
              300U);  // whatever becomes of sessions, guests' packets are carried
}

TEST_F(Handshake, RefusesBeyondItsSessionsInAll) {
    two_hosts({}, [](auto& config) { config.bounds.accepted_sessions = 1; });
    net.add_host();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    (void)net.send(2, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(net.host(2).entered(Role::Requester, State::Rejected), 1);
    EXPECT_EQ(last_reason(2), "too-many-sessions");
}

TEST_F(Handshake, RefusesBeyondItsSessionsOfOnePeer) {
    two_hosts({}, [](auto& config) { config.bounds.accepted_from_peer = 1; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    // The requester hears nothing, gives its session up and asks for another; the acceptor still has the
    // first.
    net.line(1, 0).hook = lose_if([](const Transit&) { return true; });
    net.run_for(Duration::milliseconds(5'100));
    net.line(1, 0).hook = {};
    EXPECT_EQ(requested(State::PeerLost), 1);
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(requested(State::Rejected), 1);
    EXPECT_EQ(last_reason(0), "too-many-from-peer");
}

TEST_F(Handshake, TheSessionThatHasLingeredLongestMakesRoomWhoeversItIs) {
    two_hosts({}, [](auto& config) { config.bounds.accepted_sessions = 2; });
    net.add_host();
    net.add_host();
    (void)net.send(0, 1);
    (void)net.send(2, 1);
    net.run_for(Duration::milliseconds(1));
    const auto close = [this](std::size_t host) {
        const SessionId id = net.engine(host).sessions().at(0).session;
        EXPECT_TRUE(net.engine(host)
                        .close_session(Role::Requester, net.host(1).config.address, id,
                                       wire::CloseReason::Asked, net.clock_of(host))
                        .ok());
        net.settle(host);
        net.run_for(Duration::milliseconds(3));
    };
    close(2);
    net.line(1, 0).hook = lose_first(ControlType::CloseAck, 1);
    close(0);  // and will have to ask again
    (void)net.send(3, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.host(3).entered(Role::Requester, State::Active), 1);
    net.run_for(Duration::seconds(8));
    EXPECT_EQ(net.host(2).entered(Role::Requester, State::Closed), 1);
    EXPECT_EQ(requested(State::Closed), 1);
    EXPECT_EQ(requested(State::PeerLost), 0);
}

TEST_F(Handshake, RefusesMorePathsThanItKeepsStateForInAll) {
    two_hosts({}, [](auto& config) { config.bounds.accepted_paths = 7; });  // of 4 each
    expect_one_accepted_and_another_refused();
    EXPECT_EQ(net.engine(1).counters().sessions_refused, 1U);
}

TEST_F(Handshake, RefusesMorePortsThanItCountsInAll) {
    two_hosts({}, [](auto& config) { config.bounds.announced_ports = 39; });  // of 20 each
    expect_one_accepted_and_another_refused();
}

TEST_F(Handshake, RefusesMorePathsThanItKeepsStateFor) {
    two_hosts([](auto& config) { config.path_count = 9; },
              [](auto& config) { config.bounds.paths_from_peer = 8; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(last_reason(0), "too-many-paths");
}

TEST_F(Handshake, RefusesAllWhenItMeasuresNothing) {
    two_hosts({}, [](auto& config) { config.accept_sessions = false; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(last_reason(0), "not-measuring");
    EXPECT_TRUE(net.engine(1).sessions().empty());
}

TEST_F(Handshake, ARejectedRequesterAsksAgainOnlyAfterTheBackOff) {
    two_hosts({}, [](auto& config) {
        config.accept_sessions = false;
        config.reject_back_off = Duration::milliseconds(300);
    });
    net.send_many(0, 1, 100, Duration::milliseconds(10));
    net.run_for(Duration::milliseconds(290));
    EXPECT_EQ(requested(State::Requested), 1);
    EXPECT_EQ(said(0, ControlType::Request), 2);
    net.run_for(Duration::milliseconds(60));
    EXPECT_EQ(requested(State::Requested), 2);
    EXPECT_EQ(said(0, ControlType::Request), 4);
    EXPECT_EQ(requested(State::Rejected), 2);
    EXPECT_EQ(net.engine(0).counters().tagged, 0U);
}

TEST_F(Handshake, BothEndsMayAskEachOtherAtOnce) {
    two_hosts();
    (void)net.send(0, 1);
    (void)net.send(1, 0);
    net.run_for(Duration::milliseconds(1));
    for (const std::size_t host : {0U, 1U}) {
        EXPECT_EQ(net.host(host).entered(Role::Requester, State::Active), 1);
        EXPECT_EQ(net.host(host).entered(Role::Acceptor, State::Active), 1);
        const auto views = net.engine(host).sessions();
        ASSERT_EQ(views.size(), 2U);
        EXPECT_EQ(views[0].role, Role::Requester);
        EXPECT_EQ(views[1].role, Role::Acceptor);
    }
}

TEST_F(Handshake, AForeignKeyIsNeverAnswered) {
    two_hosts([](auto& config) { config.key->fill(0x43); });
    net.send_many(0, 1, 10, Duration::milliseconds(1));
    net.run_for(Duration::milliseconds(100));
    EXPECT_GT(net.engine(1).drops().count(wire::DropReason::ControlBadTag), 0U);
    EXPECT_EQ(net.engine(1).counters().control_sent, 0U);
    EXPECT_TRUE(net.engine(1).sessions().empty());
    EXPECT_EQ(net.host(1).delivered.size(), 10U);
}

TEST_F(Handshake, AnotherKeyIdIsNotTried) {
    two_hosts([](auto& config) { config.key_id = KeyId{2}; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(net.engine(1).drops().count(wire::DropReason::ControlUnknownKey), 1U);
}

}  // namespace
}  // namespace dyetrace::test
