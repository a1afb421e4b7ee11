// SPDX-License-Identifier: GPL-2.0-or-later
// Whole sessions, recorded from the first request to the last acknowledgement, played again to engines of
// which either, both or none has restarted: nothing of them is believed.
#include <tuple>

#include <gtest/gtest.h>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using Frame = std::vector<std::uint8_t>;
using wire::ControlType;

enum class Restarted { Nobody, Receiver, Sender, Both };

/// The same packet without its options: what it leaves is what any stranger's packet leaves.
Frame without_options(const Frame& frame) {
    Frame bare(frame);
    const std::ptrdiff_t size = (bare[kGeneve] & 0x3f) * 4;
    bare[kGeneve] = 0;
    bare.erase(bare.begin() + kGenevePayload, bare.begin() + kGenevePayload + size);
    store_u16(&bare[kOuterIp + 2], static_cast<std::uint16_t>(bare.size() - kOuterIp));
    store_u16(&bare[kOuterUdp + 4], static_cast<std::uint16_t>(bare.size() - kOuterUdp));
    mend_ip(bare);
    return bare;
}

/// Who restarted, how many seconds later it is, and whether they speak with each other again meanwhile.
class ReplayedSession : public ::testing::TestWithParam<std::tuple<Restarted, int, bool>> {
  protected:
    ReplayedSession() {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](eppc::EppcConfig& config) {
                config.session_duration = Duration::milliseconds(50);
                config.sampling = wire::SamplingSpec::every_nth(2);
            });
        }
    }

    /// Host 0 asks and sends, host 1 serves.
    void record() {
        net.send_many(0, 1, 400, Duration::microseconds(50));
        net.run_for(Duration::milliseconds(200));
        ASSERT_EQ(net.host(0).entered(session::Role::Requester, session::State::Closed), 1);
        recorded = net.captured();
        net.keep_capture = false;
    }

    void go_on() {
        const auto [restarted, seconds, again] = GetParam();
        net.run_for(Duration::seconds(seconds));
        if (restarted == Restarted::Receiver || restarted == Restarted::Both) net.restart(1);
        if (restarted == Restarted::Sender || restarted == Restarted::Both) net.restart(0);
        if (!again) return;
        (void)net.send_many(0, 1, 100, Duration::microseconds(50));
        net.run_for(Duration::milliseconds(20));
        ASSERT_EQ(net.engine(0).sessions().size(), 1U);
        ASSERT_EQ(net.engine(0).sessions()[0].state, session::State::Active);
    }

    Network net;
    std::vector<Captured> recorded;
};

TEST_P(ReplayedSession, IsWorthNothing) {
    record();
    if (HasFatalFailure()) return;
    go_on();
    if (HasFatalFailure()) return;
    std::array<eppc::Eppc, 2> untouched{net.engine(0).clone(), net.engine(1).clone()};
    int requests = 0;
    for (const Captured& packet : recorded) {
        eppc::Eppc& engine = net.engine(packet.to);
        const Time now = net.clock_of(packet.to);
        const auto drops = engine.drops().total();
        const auto challenges = engine.counters().challenges_sent;
        const auto believed = engine.counters().control_received + engine.counters().tracked_received;
        OwnedFrame owned(packet.bytes);
        const Decapsulated result = engine.decapsulate(owned.buffer, now);
        SCOPED_TRACE("packet " + std::to_string(packet.id));
        ASSERT_EQ(engine.counters().control_received + engine.counters().tracked_received, believed);
        int answers = 0;
        while (engine.poll())
            ++answers;
        if (packet.seen.kind == SeenPacket::Kind::Data) {
            ASSERT_EQ(result.kind, Decapsulated::Kind::Deliver);
            ASSERT_EQ(engine.drops().total(), drops + (packet.seen.track ? 1 : 0));
            ASSERT_EQ(answers, 0);
            OwnedFrame bare(without_options(packet.bytes));
            (void)untouched[packet.to].decapsulate(bare.buffer, now);
        } else if (engine.counters().challenges_sent > challenges) {
            // Who may be alive is asked to prove it, at no cost to the one who asks.
            ASSERT_TRUE(packet.seen.is(ControlType::Request));
            ASSERT_EQ(answers, 1);
            const bool has_nonce = wire::RequestBody::parse(packet.seen.body)->acceptor_nonce != 0;
            ASSERT_EQ(engine.drops().total(), drops + (has_nonce ? 1 : 0));
            ++requests;
        } else {
            ASSERT_EQ(engine.drops().total(), drops + 1);
            ASSERT_EQ(answers, 0);
        }
        ASSERT_EQ(engine.digest(now), untouched[packet.to].digest(now));
    }
    const auto [restarted, seconds, again] = GetParam();
    // Only a boot that has never met the sender asks it for proof.
    const bool strangers = !again && (restarted == Restarted::Receiver || restarted == Restarted::Both);
    EXPECT_EQ(requests, strangers ? 2 : requests);
    if (!again) {
        EXPECT_TRUE(net.engine(0).sessions().empty());
        EXPECT_TRUE(net.engine(1).sessions().empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Restarts, ReplayedSession,
                         ::testing::Combine(::testing::Values(Restarted::Nobody, Restarted::Receiver,
                                                              Restarted::Sender, Restarted::Both),
                                            ::testing::Values(0, 20), ::testing::Bool()));

}  // namespace
}  // namespace dyetrace::test
