// SPDX-License-Identifier: GPL-2.0-or-later
// Whom an engine measures of its own accord, and whom it serves: turns, budgets, back-off.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;

struct Candidates : ::testing::Test {
    Network net;

    /// Host 0 sends to the others, and may measure two at a time.
    void hosts(int others, const Network::Configure& sender = {}) {
        net.add_host([&](eppc::EppcConfig& config) {
            config.traffic_sessions = 2;
            config.choice_interval = Duration::milliseconds(100);
            config.turn = Duration::milliseconds(300);
            if (sender) sender(config);
        });
        for (int i = 0; i < others; ++i)
            net.add_host();
    }
    /// `gaps` by host: a packet to it each so often, for `length`.
    void traffic(const std::map<std::size_t, Duration>& gaps, Duration length) {
        for (const auto& [host, gap] : gaps)
            net.send_many(0, host, static_cast<int>(length.ns / gap.ns), gap);
        net.run_for(length);
    }
    /// Peers that host 0 has measured, and how often each.
    std::map<std::size_t, int> measured() {
        std::map<std::size_t, int> times;
        for (const auto& change : net.host(0).changes) {
            if (change.role != Role::Requester || change.to != State::Active) continue;
            for (std::size_t host = 1; host < net.host_count(); ++host) {
                if (net.host(host).config.address == change.peer) ++times[host];
            }
        }
        return times;
    }
    std::size_t active() {
        const auto views = net.engine(0).sessions();
        return static_cast<std::size_t>(std::count_if(
            views.begin(), views.end(), [](const auto& v) { return v.state == State::Active; }));
    }
};

TEST_F(Candidates, AllAreMeasuredWhileThereIsRoom) {
    hosts(2);
    traffic({{1, Duration::milliseconds(1)}, {2, Duration::milliseconds(1)}}, Duration::milliseconds(1000));
    EXPECT_EQ(measured(), (std::map<std::size_t, int>{{1, 1}, {2, 1}}));
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

TEST_F(Candidates, BeyondTheRoomTheyTakeTurnsAndNoneIsForgotten) {
    hosts(5);
    std::map<std::size_t, Duration> gaps;
    for (std::size_t host = 1; host <= 5; ++host)
        gaps[host] = Duration::milliseconds(1);
    std::size_t most = 0;
    for (int i = 0; i < 40; ++i) {
        traffic(gaps, Duration::milliseconds(100));
        most = std::max(most, active());
    }
    EXPECT_EQ(most, 2U);
    const auto times = measured();
    ASSERT_EQ(times.size(), 5U);
    for (const auto& [host, count] : times)
        EXPECT_GE(count, 2) << host;
    for (const auto& change : net.host(0).changes)
        EXPECT_NE(change.to, State::PeerLost);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

TEST_F(Candidates, BusierOnesComeFirst) {
    hosts(4);
    traffic({{1, Duration::milliseconds(1)}, {2, Duration::milliseconds(1)}}, Duration::milliseconds(50));
    // Both places are taken as these two begin; the busier one gets the first that is free.
    traffic({{1, Duration::milliseconds(1)},
             {2, Duration::milliseconds(1)},
             {3, Duration::milliseconds(10)},
             {4, Duration::milliseconds(2)}},
            Duration::milliseconds(330));
    std::vector<IpAddress> order;
    for (const auto& change : net.host(0).changes) {
        if (change.role == Role::Requester && change.to == State::Active) order.push_back(change.peer);
    }
    ASSERT_GE(order.size(), 3U);
    EXPECT_EQ(order[2], net.host(4).config.address);
}

TEST_F(Candidates, WithoutOthersThatWaitNoTurnEnds) {
    hosts(2);
    traffic({{1, Duration::milliseconds(1)}, {2, Duration::milliseconds(1)}}, Duration::seconds(2));
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 0);
}

TEST_F(Candidates, WhatTheOwnerAskedForKeepsItsPlace) {
    hosts(4);
    const auto asked = net.engine(0).open_session(net.host(1).config.address, net.clock_of(0));
    ASSERT_TRUE(asked.ok());
    net.settle(0);
    traffic({{2, Duration::milliseconds(1)}, {3, Duration::milliseconds(1)}, {4, Duration::milliseconds(1)}},
            Duration::seconds(3));
    for (const auto& change : net.host(0).changes)
        EXPECT_FALSE(change.session == *asked && change.to == State::Closing);
    EXPECT_EQ(measured().size(), 4U);
}

TEST_F(Candidates, QuietPeersCauseNoWork) {
    hosts(4);
    traffic({{1, Duration::milliseconds(1)},
             {2, Duration::milliseconds(1)},
             {3, Duration::milliseconds(50)},
             {4, Duration::milliseconds(50)}},
            Duration::milliseconds(60));
    net.engine(0).close_sessions(net.clock_of(0));
    net.settle(0);
    net.run_for(Duration::seconds(2));
    EXPECT_EQ(net.engine(0).next_deadline(), Time::never());
}

TEST_F(Candidates, WhoClosesBeginsNoMoreTurns) {
    hosts(4);
    const auto send = [&](Duration length) {
        traffic({{1, Duration::milliseconds(1)},
                 {2, Duration::milliseconds(1)},
                 {3, Duration::milliseconds(1)},
                 {4, Duration::milliseconds(1)}},
                length);
    };
    send(Duration::milliseconds(250));
    net.engine(0).close_sessions(net.clock_of(0));
    net.settle(0);
    const auto before = net.host(0).changes.size();
    send(Duration::milliseconds(700));
    EXPECT_TRUE(net.engine(0).sessions().empty());
    for (std::size_t i = before; i < net.host(0).changes.size(); ++i)
        EXPECT_NE(net.host(0).changes[i].to, State::Requested);
}

struct Budgets : Candidates {
    void two(const Network::Configure& requester, const Network::Configure& acceptor) {
        net.add_host(requester);
        net.add_host(acceptor);
    }
    std::vector<wire::RejectReason> reasons() const {
        std::vector<wire::RejectReason> reasons;
        for (const Captured& packet : net.captured()) {
            if (!packet.seen.is(ControlType::Reject)) continue;
            reasons.push_back(wire::RejectBody::parse(packet.seen.body)->reason);
        }
        return reasons;
    }
};

TEST_F(Budgets, WhoPromisesMoreThanIsLeftIsRefused) {
    two([](auto& config) { config.tracked_per_second = 60; },
        [](auto& config) { config.accepted_per_second = 100; });
    net.add_host([](auto& config) { config.tracked_per_second = 50; });
    net.add_host([](auto& config) { config.tracked_per_second = 40; });
    for (const std::size_t host : {0U, 2U, 3U}) {
        (void)net.send(host, 1);
        net.run_for(Duration::milliseconds(5));
    }
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(net.host(2).entered(Role::Requester, State::Rejected), 1);
    EXPECT_EQ(net.host(3).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(reasons(), (std::vector{wire::RejectReason::OverPacketBudget}));
}

TEST_F(Budgets, WhoPromisesNothingIsRefusedWhereThereIsABudget) {
    two({}, [](auto& config) { config.accepted_per_second = 100; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(5));
    EXPECT_EQ(reasons(), (std::vector{wire::RejectReason::OverPacketBudget}));
}

TEST_F(Budgets, APromiseIsKept) {
    two(
        [](auto& config) {
            config.tracked_per_second = 50;
            config.sampling = wire::SamplingSpec::every_nth(1);
        },
        [](auto& config) { config.accepted_per_second = 100; });
    net.send_many(0, 1, 2000, Duration::milliseconds(1));
    net.run_for(Duration::seconds(2));
    EXPECT_LE(net.engine(0).counters().tagged, 150U);
    EXPECT_GE(net.engine(0).counters().tagged, 99U);
}

TEST_F(Budgets, ABusyHostAcceptsNoMoreAndKeepsWhatItHas) {
    two({}, {});
    net.add_host();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(5));
    net.engine(1).set_load(0.95);
    (void)net.send(2, 1);
    net.run_for(Duration::milliseconds(5));
    EXPECT_EQ(reasons(), (std::vector{wire::RejectReason::OverCpuBudget}));
    EXPECT_EQ(net.engine(0).sessions().size(), 1U);
    EXPECT_EQ(net.engine(0).sessions()[0].state, State::Active);
    net.engine(1).set_load(0.5);
    net.run_for(Duration::seconds(2));
    (void)net.send(2, 1);
    net.run_for(Duration::milliseconds(5));
    EXPECT_EQ(net.host(2).entered(Role::Requester, State::Active), 1);
}

TEST_F(Budgets, RefusalsInARowAreAskedAboutMoreAndMoreSeldom) {
    two({}, [](auto& config) {
        config.accept_sessions = false;
        config.reject_back_off = Duration::milliseconds(10);
    });
    net.send_many(0, 1, 5000, Duration::milliseconds(1));
    std::vector<std::size_t> refused;
    for (int i = 0; i < 5; ++i) {
        net.run_for(Duration::milliseconds(1000));
        refused.push_back(reasons().size());
    }
    EXPECT_GE(refused[0], 6U);               // after 0, 10, 30, 70, 150, 310, 630 ms
    EXPECT_LE(refused[4] - refused[1], 6U);  // then each 640 ms
    EXPECT_GE(refused[4] - refused[1], 4U);
}

}  // namespace
}  // namespace dyetrace::test
