// SPDX-License-Identifier: GPL-2.0-or-later
// Keys change under running engines: without a gap where both are taken for a while, and what began under a
// key that is gone ends.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/health/nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using auth::NamedKey;
using session::Role;
using session::State;
using wire::ControlType;
using wire::DropReason;

NamedKey named(std::uint8_t id) {
    NamedKey key{KeyId{id}, {}};
    key.key.fill(static_cast<std::uint8_t>(0x10 + id));
    return key;
}

struct KeyRotation : ::testing::Test {
    Network net;

    void SetUp() override {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](eppc::EppcConfig& config) {
                config.key_id = named(1).id;
                config.key = named(1).key;
            });
        }
    }
    void set_keys(std::size_t host, const NamedKey& sending, const std::vector<NamedKey>& others = {}) {
        ASSERT_TRUE(net.engine(host).set_keys(sending, others, net.clock_of(host)).ok());
        net.settle(host);
    }
    void exchange() {
        net.send_many(0, 1, 100, Duration::microseconds(100));
        net.send_many(1, 0, 100, Duration::microseconds(100));
        net.run_for(Duration::milliseconds(100));
    }
    /// Key ids of the control packets of that type, in the order in which they changed.
    std::vector<int> key_ids(ControlType type) const {
        std::vector<int> ids;
        for (const Captured& packet : net.captured()) {
            if (packet.seen.is(type)) ids.push_back(packet.seen.control->key_id.value);
        }
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    }
    std::uint64_t dropped() { return net.engine(0).drops().total() + net.engine(1).drops().total(); }
};

// Every host does each step before any host does the next, one after the other.
TEST_F(KeyRotation, InThreeStepsNothingIsRefusedAndEverySessionMoves) {
    exchange();
    for (const std::size_t host : {0U, 1U}) {
        set_keys(host, named(1), {named(2)});
        exchange();
    }
    for (const std::size_t host : {0U, 1U}) {
        set_keys(host, named(2), {named(1)});
        exchange();
    }
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);  // what runs goes on
    for (const std::size_t host : {0U, 1U}) {
        set_keys(host, named(2));
        exchange();
    }
    exchange();
    EXPECT_EQ(key_ids(ControlType::Request), (std::vector{1, 2}));
    for (const std::size_t host : {0U, 1U}) {
        const auto views = net.engine(host).sessions();
        ASSERT_EQ(views.size(), 2U) << host;
        for (const auto& view : views)
            EXPECT_EQ(view.state, State::Active);
        EXPECT_EQ(net.host(host).entered(Role::Requester, State::PeerLost), 0);
        EXPECT_EQ(net.host(host).entered(Role::Requester, State::Rejected), 0);
    }
    EXPECT_EQ(dropped(), 0U);
}

TEST_F(KeyRotation, WhatBeganUnderAKeyThatIsGoneEndsInOrderWithItsLastMetrics) {
    exchange();
    const SessionId old = net.host(0).changes.front().session;
    for (const std::size_t host : {0U, 1U})
        set_keys(host, named(1), {named(2)});
    set_keys(0, named(2));
    set_keys(1, named(2), {named(1)});
    net.run_for(Duration::milliseconds(100));
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
    const auto closed =
        std::find_if(net.host(0).changes.begin(), net.host(0).changes.end(),
                     [&](const auto& c) { return c.session == old && c.to == State::Closing; });
    ASSERT_NE(closed, net.host(0).changes.end());
    EXPECT_EQ(closed->reason, "key-retired");
    std::uint64_t received = 0;
    for (std::uint16_t path = 0; path < 4; ++path) {
        if (const auto record = net.host(0).newest(net.host(1).config.address, old, PathIndex{path})) {
            EXPECT_EQ(record->flags & wire::PathRecord::kFlagOpen, 0);
            received += record->received;
        }
    }
    EXPECT_GT(received, 0U);
    EXPECT_EQ(dropped(), 0U);
}

TEST_F(KeyRotation, AKeyThatIsGoneOpensNothing) {
    set_keys(1, named(2));
    net.send_many(0, 1, 10, Duration::milliseconds(1));
    net.run_for(Duration::milliseconds(50));
    EXPECT_GT(net.engine(1).drops().count(DropReason::ControlUnknownKey), 0U);
    EXPECT_TRUE(net.engine(1).sessions().empty());
    EXPECT_EQ(net.engine(1).counters().control_sent, 0U);
}

// A request on its way under a key that is taken away: it is given up, and the next packet asks under the new
// one.
TEST_F(KeyRotation, ARequestUnderAKeyThatIsGoneIsGivenUp) {
    set_keys(1, named(1), {named(2)});
    net.line(1, 0).hook = lose_first(ControlType::Challenge, 3);
    (void)net.send(0, 1);
    set_keys(0, named(2));
    net.run_for(Duration::milliseconds(20));
    (void)net.send(0, 1);
    net.run_for(Duration::seconds(1));
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(net.engine(0).sessions().size(), 1U);
    EXPECT_EQ(key_ids(ControlType::Accept), (std::vector{2}));
}

TEST_F(KeyRotation, WrongKeysChangeNothing) {
    exchange();
    auto& engine = net.engine(0);
    const auto twice = engine.set_keys(named(3), {named(3)}, net.clock_of(0));
    ASSERT_FALSE(twice.ok());
    EXPECT_EQ(twice.error(), "there are two keys with the id 3");
    exchange();
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Active), 1);
    EXPECT_EQ(dropped(), 0U);
    eppc::EppcConfig config = net.host(0).config;
    config.other_keys = {named(1)};
    EXPECT_EQ(eppc::Eppc::create(config, 1, Time{}).error(), "other_keys: there are two keys with the id 1");
}

}  // namespace
}  // namespace dyetrace::test
