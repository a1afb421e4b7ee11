// SPDX-License-Identifier: GPL-2.0-or-later
// The last delay sketch of a session is with the requester when the session ends, whatever the lines lose.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/session/outbox.h"
#include "core/wire/session_messages.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;

/// Host 0 sends to host 1, each packet tagged. What the acceptor measured is looked at with each close of the
/// requester that goes over the line: by then every interval has its end.
struct Delivery {
    Network net;
    std::vector<std::uint8_t> measured;  ///< the acceptor's sketch
    bool corrected = false;
    Time closed_at = Time::never();  ///< the first close's arrival at the acceptor
    std::set<std::uint32_t> sketches;
    int sketches_sent = 0;
    Hook from_requester;  ///< what the test does to these lines
    Hook from_acceptor;

    explicit Delivery(Duration duration = {}) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([duration](auto& config) {
                config.path_count = 2;
                config.session_duration = duration;
                config.sampling = wire::SamplingSpec::every_nth(1);
            });
        }
        net.line(0, 1).hook = [this](Transit& transit) {
            if (transit.seen.is(ControlType::Close)) note_close();
            return from_requester ? from_requester(transit) : Fate{};
        };
        net.line(1, 0).hook = [this](Transit& transit) {
            if (transit.seen.is(ControlType::DelaySketch)) {
                ++sketches_sent;
                sketches.insert(transit.seen.control->message_number);
            }
            return from_acceptor ? from_acceptor(transit) : Fate{};
        };
    }
    void note_close() {
        closed_at = std::min(closed_at, net.now() + net.line(0, 1).delay);
        for (const eppc::SessionView& view : net.engine(1).sessions()) {
            if (view.role != Role::Acceptor) continue;
            measured = view.delays;
            corrected = view.delays_corrected;
        }
    }
    bool acknowledges_sketch(const Transit& transit) const {
        if (!transit.seen.is(ControlType::ReportAck)) return false;
        const auto message = wire::ControlMessage::parse(Bytes(transit.bytes).subspan(kGenevePayload));
        return sketches.contains(wire::ReportAckBody::parse(message->body)->acknowledged);
    }
    void traffic(int packets = 30) {
        for (int i = 0; i < packets; ++i) {
            (void)net.send(0, 1, static_cast<std::uint16_t>(i));
            net.run_for(Duration::microseconds(700));
        }
    }
    [[nodiscard]] bool ended_in_order() {
        return net.host(0).entered(Role::Requester, State::Closed) == 1 &&
               net.host(1).entered(Role::Acceptor, State::Closed) == 1;
    }
    [[nodiscard]] Time ended_at(std::size_t host) {
        const auto& changes = net.host(host).changes;
        return changes.empty() ? Time::never() : changes.back().at;
    }
    void expect_the_requester_has_it() {
        ASSERT_FALSE(measured.empty());
        const auto& timings = net.host(0).timings;
        ASSERT_FALSE(timings.empty());
        EXPECT_EQ(timings.back().timing.sketch, measured);
        EXPECT_EQ(timings.back().timing.sketch_corrected, corrected);
    }
};

struct SketchDelivery : ::testing::Test, Delivery {};

TEST_F(SketchDelivery, ASketchIsAcknowledgedAndGoesOnce) {
    traffic();
    ASSERT_TRUE(net.close_all());
    EXPECT_TRUE(ended_in_order());
    EXPECT_LE(sketches_sent, 2);  // after 10 ms, and behind the END
    expect_the_requester_has_it();
}

TEST_F(SketchDelivery, TheLastOneArrivesHoweverOftenItIsLost) {
    for (int lost = 1; lost <= 6; ++lost) {
        SCOPED_TRACE(lost);
        Delivery again;
        int left = lost;
        again.from_acceptor = [&](Transit& transit) {
            const bool last = transit.seen.is(ControlType::DelaySketch) && again.closed_at <= again.net.now();
            return Fate{last && left-- > 0 ? 0 : 1, {}};
        };
        // Up to the close no sketch was acknowledged, so the last one still goes behind it.
        again.from_requester = [&](Transit& transit) {
            const bool early = again.acknowledges_sketch(transit) && again.closed_at > again.net.now();
            return Fate{early ? 0 : 1, {}};
        };
        again.traffic();
        ASSERT_TRUE(again.net.close_all());
        EXPECT_LE(left, 0);
        EXPECT_TRUE(again.ended_in_order());
        again.expect_the_requester_has_it();
    }
}

TEST_F(SketchDelivery, ALostAcknowledgementIsAskedForAgain) {
    int left = 4;
    from_requester = [&](Transit& transit) {
        return Fate{acknowledges_sketch(transit) && left-- > 0 ? 0 : 1, {}};
    };
    traffic(5);
    ASSERT_TRUE(net.close_all());
    EXPECT_LT(left, 0);
    EXPECT_TRUE(ended_in_order());
    EXPECT_GE(sketches_sent, 5);
    expect_the_requester_has_it();
}

TEST_F(SketchDelivery, RepeatsAndWhatWasOvertakenTurnNothingBack) {
    int sent = 0;
    from_acceptor = [&](Transit& transit) {
        if (!transit.seen.is(ControlType::DelaySketch)) return Fate{};
        return Fate{3, Duration::milliseconds(++sent % 2 == 1 ? 14 : 0)};
    };
    traffic(200);
    ASSERT_TRUE(net.close_all());
    EXPECT_TRUE(ended_in_order());
    EXPECT_GT(net.engine(0).drops().count(wire::DropReason::ControlReplayed), 0U);
    expect_the_requester_has_it();
}

TEST_F(SketchDelivery, AnEndWaitsForItNoLongerThanItsBound) {
    from_acceptor = lose_if([](const Transit& t) { return t.seen.is(ControlType::DelaySketch); });
    traffic(5);
    ASSERT_TRUE(net.close_all());
    EXPECT_TRUE(ended_in_order());
    EXPECT_TRUE(net.host(0).timings.empty() || net.host(0).timings.back().timing.sketch.empty());
    const eppc::EppcConfig& config = net.host(1).config;
    const session::RetransmitPolicy policy{config.retransmit_first, config.retransmit_last,
                                           config.retransmit_most};
    EXPECT_EQ(ended_at(1), closed_at + policy.span() / 2);
    // And the requester, which asks as long as the whole span, hears of it.
    EXPECT_LT(ended_at(0), closed_at + policy.span());
}

TEST_F(SketchDelivery, ASessionThatWaitsForItDoesNotExpireMeanwhile) {
    Delivery again(Duration::milliseconds(100));
    again.from_acceptor = lose_if([](const Transit& t) { return t.seen.is(ControlType::DelaySketch); });
    again.traffic(5);
    again.net.run_for(Duration::seconds(5));
    EXPECT_TRUE(again.ended_in_order());
    EXPECT_EQ(again.net.host(1).entered(Role::Acceptor, State::Expired), 0);
    EXPECT_GT(again.ended_at(1), again.closed_at + Duration::milliseconds(499));
    EXPECT_LT(again.ended_at(1), again.closed_at + Duration::milliseconds(501));
}

TEST_F(SketchDelivery, WithoutDelaysAnEndWaitsForNothing) {
    Network plain;
    for (int i = 0; i < 2; ++i)
        plain.add_host([](auto& config) { config.metrics = wire::kMetricCounts; });
    (void)plain.send(0, 1);
    plain.run_for(Duration::milliseconds(5));
    const Time asked = plain.now();
    ASSERT_TRUE(plain.close_all());
    EXPECT_EQ(plain.host(0).entered(Role::Requester, State::Closed), 1);
    EXPECT_LT(plain.host(0).changes.back().at, asked + Duration::milliseconds(1));
}

TEST_F(SketchDelivery, TheRequestersQuantilesAreTheAcceptorsWhateverIsLost) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(seed);
        Delivery again;
        Random random(seed);
        again.net.keep_capture = false;
        again.traffic(1);  // it is accepted before anything is lost
        const auto lossy = [&](const Transit&) {
            return Fate{random.below(100) < 20 ? 0 : 1,
                        Duration::microseconds(static_cast<std::int64_t>(random.below(300)))};
        };
        again.from_requester = [&](Transit& transit) {
            Fate fate = lossy(transit);
            // What is late behind an END is measured after the close that this test looks at.
            if (transit.seen.kind == SeenPacket::Kind::Data) fate.extra_delay = {};
            return fate;
        };
        again.from_acceptor = lossy;
        again.traffic(20 + static_cast<int>(random.below(60)));
        ASSERT_TRUE(again.net.close_all());
        ASSERT_TRUE(again.ended_in_order());
        again.expect_the_requester_has_it();
    }
}

}  // namespace
}  // namespace dyetrace::test
