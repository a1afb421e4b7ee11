// SPDX-License-Identifier: GPL-2.0-or-later
// What a host said before it restarted arrives after what it said since: the older boot replaces nothing.
#include <vector>

#include <gtest/gtest.h>

#include "core/wire/session_messages.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;
using wire::DropReason;

bool answers_challenge(const SeenPacket& seen) {
    return seen.is(ControlType::Request) && wire::RequestBody::parse(seen.body)->acceptor_nonce != 0;
}

struct BootOrder : ::testing::Test {
    Network net;
    std::vector<std::vector<std::uint8_t>> held;

    BootOrder() {
        for (int i = 0; i < 2; ++i)
            net.add_host();
    }
    /// Keeps back what `which` says, for as long as the hook is there.
    Hook hold(std::function<bool(const SeenPacket&)> which) {
        return [this, which = std::move(which)](Transit& transit) {
            if (!which(transit.seen)) return Fate{};
            held.push_back(transit.bytes);
            return Fate{0, {}};
        };
    }
    void ask(std::size_t from) {
        (void)net.send(from, 1 - from);
        net.run_for(Duration::milliseconds(3));
    }
    [[nodiscard]] bool is_active(std::size_t requester) {
        const auto has = [&](std::size_t host, Role role) {
            for (const auto& view : net.engine(host).sessions()) {
                if (view.role == role && view.state == State::Active) return true;
            }
            return false;
        };
        return has(requester, Role::Requester) && has(1 - requester, Role::Acceptor);
    }
    void release_to(std::size_t host) {
        ASSERT_FALSE(held.empty());
        for (const auto& frame : held)
            (void)net.inject(host, frame);
        net.run_for(Duration::milliseconds(20));
    }
};

TEST_F(BootOrder, ARequestOfABootThatWasNeverMetDoesNotReplaceANewerOne) {
    net.line(0, 1).hook = hold(answers_challenge);
    ask(0);
    net.line(0, 1).hook = {};
    net.restart(0);
    ask(0);
    ASSERT_TRUE(is_active(0));
    const auto challenged = net.engine(1).counters().challenges_sent;
    release_to(1);
    EXPECT_TRUE(is_active(0));
    EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::PeerLost), 0);
    // Its sender would be asked anew, were it alive.
    EXPECT_EQ(net.engine(1).counters().challenges_sent, challenged + held.size());
    EXPECT_EQ(net.engine(1).drops().count(DropReason::ControlStaleCookie), held.size());
    // And the newer boot goes on asking.
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::Closed), 1);
}

TEST_F(BootOrder, AChallengeOfBeforeANewerBootProvesNothingAndANewOneDoes) {
    // The older boot is met first, by the request that was late; the newer one had its challenge before that.
    net.line(0, 1).hook = hold(answers_challenge);
    ask(0);
    const auto before = std::move(held);
    held.clear();
    net.restart(0);
    (void)net.send(0, 1);
    net.run_for(Duration::microseconds(50));  // its answer to the challenge is held too
    ASSERT_FALSE(held.empty());
    net.line(0, 1).hook = {};
    (void)net.inject(1, before.front());
    ASSERT_EQ(net.host(1).entered(Role::Acceptor, State::Active), 1);
    release_to(1);
    EXPECT_TRUE(is_active(0));
    EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::PeerLost), 1);
    EXPECT_EQ(net.engine(1).sessions().size(), 1U);
}

TEST_F(BootOrder, AWordUnderASessionsKeysOfABootThatWasNeverMetDoesNotReplaceANewerOne) {
    // Host 1 accepts, and whatever it says under the session's keys is late.
    net.line(1, 0).hook =
        hold([](const SeenPacket& seen) { return seen.control && !wire::is_handshake(seen.control->type); });
    ask(0);
    ASSERT_TRUE(is_active(0));
    net.line(1, 0).hook = {};
    net.restart(1);
    ask(1);
    ASSERT_TRUE(is_active(1));
    release_to(0);
    EXPECT_TRUE(is_active(1));
    EXPECT_EQ(net.host(0).entered(Role::Acceptor, State::PeerLost), 0);
}

TEST_F(BootOrder, ANewBootOfAnAcceptorEndsWhatTheOneBeforeHad) {
    net.engine(1).close_sessions(net.now());  // it asks for nothing itself
    net.restart(1);
    ask(0);
    ASSERT_TRUE(is_active(0));
    net.restart(1);
    ASSERT_TRUE(net.engine(0).open_session(net.host(1).config.address, net.clock_of(0)).ok());
    net.settle(0);
    net.run_for(Duration::milliseconds(3));
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::PeerLost), 1);
    EXPECT_TRUE(is_active(0));
}

TEST_F(BootOrder, ABelatedChallengeOfAnOlderBootCostsTheNewerOneNoSession) {
    // Host 1 challenges and restarts; its new boot challenges and accepts; then the old challenge arrives,
    // before the accept.
    net.line(1, 0).hook = hold([](const SeenPacket& seen) { return seen.is(ControlType::Challenge); });
    (void)net.send(0, 1);
    net.run_for(Duration::microseconds(50));
    ASSERT_EQ(held.size(), 1U);
    net.restart(1);
    net.line(1, 0).hook = [this](Transit& transit) {
        if (transit.seen.is(ControlType::Accept) && !held.empty()) {
            const auto challenge = std::move(held);
            held.clear();
            (void)net.inject(0, challenge.front());
        }
        return Fate{};
    };
    net.run_for(Duration::milliseconds(100));
    EXPECT_TRUE(held.empty());
    EXPECT_TRUE(is_active(0));
    EXPECT_EQ(net.host(0).entered(Role::Requester, State::PeerLost), 0);
    EXPECT_EQ(net.host(1).entered(Role::Acceptor, State::Active), 1);
}

TEST_F(BootOrder, APeerThatRestartsAgainAndAgainIsHeardEachTime) {
    for (int i = 0; i < 12; ++i) {
        ask(0);
        ASSERT_TRUE(is_active(0)) << i;
        net.restart(0);
    }
}

}  // namespace
}  // namespace dyetrace::test
