// SPDX-License-Identifier: GPL-2.0-or-later
// Copies of engines go their own way, and digests tell states apart.
#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "core/base/digest.h"
#include "core/eppc/engine.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using Frames = std::vector<std::vector<std::uint8_t>>;

/// A pair that measures in both directions, with traces and updates on their way.
struct Clone : ::testing::Test {
    Network net;
    FakeNhms nhms{net};

    Clone() {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.trace_paths = true;
                config.sampling = wire::SamplingSpec::probability(0.3).of_filtered();
                config.flow_filter.rules = {tracking::FlowRule{}};
            });
        }
        net.line(0, 1).routers = net.line(1, 0).routers = {{Ipv4Address{0x0a010001}}};
        net.send_many(0, 1, 300, Duration::microseconds(30), 16);
        net.send_many(1, 0, 300, Duration::microseconds(30), 16);
        net.run_for(Duration::milliseconds(7));
    }

    Frames outputs(eppc::Eppc& engine) {
        Frames all;
        while (const auto output = engine.poll()) {
            if (const auto* frame = std::get_if<eppc::Transmit>(&*output))
                all.emplace_back(frame->bytes.begin(), frame->bytes.end());
        }
        return all;
    }
    /// A guest's packet, and what follows by `now`.
    Frames step(eppc::Eppc& engine, std::uint16_t flow, Time now) {
        GuestPacket packet{net.host(0).guest_mac, net.host(1).guest_mac, net.host(0).guest_address,
                           net.host(1).guest_address};
        packet.source_port = static_cast<std::uint16_t>(10000 + flow);
        OwnedFrame owned(packet.frame(), eppc::Eppc::kHeadroom);
        EXPECT_FALSE(engine.encapsulate(kGuestPort, owned.buffer, now));
        engine.advance(now);
        Frames all = outputs(engine);
        all.push_back(owned.bytes());
        return all;
    }
};

TEST_F(Clone, DoesWhatItsOriginalDoes) {
    eppc::Eppc copy = net.engine(0).clone();
    eppc::Eppc again = copy.clone();
    Time now = net.clock_of(0);
    ASSERT_EQ(copy.digest(now), net.engine(0).digest(now));
    for (std::uint16_t i = 0; i < 500; ++i) {
        now = now + Duration::microseconds(700);
        const Frames expected = step(net.engine(0), i, now);
        ASSERT_EQ(step(copy, i, now), expected) << i;
        ASSERT_EQ(copy.digest(now), net.engine(0).digest(now)) << i;
    }
    EXPECT_NE(again.digest(now), copy.digest(now));
}

TEST_F(Clone, GoesItsOwnWay) {
    const Time now = net.clock_of(0);
    eppc::Eppc copy = net.engine(0).clone();
    const auto before = net.engine(0).digest(now);
    copy.close_sessions(now);
    EXPECT_EQ(net.engine(0).digest(now), before);
    EXPECT_NE(copy.digest(now), before);
}

TEST_F(Clone, OutlivesItsOriginal) {
    eppc::Eppc copy = net.engine(0).clone();
    net.restart(0);  // with it the filter that the original's sessions looked at
    Frames sent;
    for (std::uint16_t i = 0; i < 100; ++i) {
        for (auto& frame : step(copy, i, net.clock_of(0)))
            sent.push_back(std::move(frame));
    }
    EXPECT_TRUE(std::any_of(sent.begin(), sent.end(),
                            [](const auto& frame) { return look_at(frame).track.has_value(); }));
}

TEST_F(Clone, OfOnePacketMoreHasAnotherDigest) {
    const Time now = net.clock_of(0);
    eppc::Eppc copy = net.engine(0).clone();
    (void)step(copy, 1, now);
    EXPECT_NE(copy.digest(now), net.engine(0).digest(now));
}

TEST_F(Clone, CountersThatDecideNothingAreNotInItsDigest) {
    const Time now = net.clock_of(0);
    const auto before = net.engine(0).digest(now);
    OwnedFrame noise(std::vector<std::uint8_t>(60, 0xff));
    (void)net.engine(0).decapsulate(noise.buffer, now);
    OwnedFrame unknown(GuestPacket{}.frame(), eppc::Eppc::kHeadroom);
    EXPECT_TRUE(net.engine(0).encapsulate(GuestPort{99}, unknown.buffer, now));
    EXPECT_EQ(net.engine(0).digest(now), before);
}

TEST(Digest, TellsTimesByTheirDistanceFromNow) {
    const auto of = [](Time now, Time deadline) {
        StateDigest digest(now);
        digest.add(deadline);
        digest.add(Time::never());
        return digest.value();
    };
    EXPECT_EQ(of(Time{100}, Time{130}), of(Time{1'000'000}, Time{1'000'030}));
    EXPECT_NE(of(Time{100}, Time{130}), of(Time{100}, Time{131}));
    EXPECT_NE(of(Time{100}, Time::never()), of(Time{100}, Time::earliest()));
}

TEST(Digest, ForgetsHowLongAgoAWaitWasOver) {
    const auto of = [](Time until) {
        StateDigest digest(Time{100});
        digest.add_if_ahead(until);
        return digest.value();
    };
    EXPECT_EQ(of(Time{100}), of(Time::earliest()));
    EXPECT_NE(of(Time{101}), of(Time{100}));
}

TEST(Digest, TellsTheOrderOfTimersInAQueueFromNothing) {
    // A heap stands in another order when it was filled in another one.
    TimerQueue one, other;
    for (std::uint32_t key = 0; key < 20; ++key) {
        one.set(key, Time{key % 7});
        other.set(19 - key, Time{(19 - key) % 7});
    }
    StateDigest of_one(Time{}), of_other(Time{});
    one.digest_into(of_one);
    other.digest_into(of_other);
    EXPECT_EQ(of_one.value(), of_other.value());
}

#if defined(__x86_64__) && defined(__GLIBCXX__) && !defined(_GLIBCXX_DEBUG)
// A field came or went where one of these differs: see whether it decides anything, put it into the class's
// `digest_into` if it does, and then its new size here.
TEST(Digest, CoversEveryField) {
    EXPECT_EQ(sizeof(tracking::PathTable), 80U);
    EXPECT_EQ(sizeof(tracking::ReceivedPath), 184U);
    EXPECT_EQ(sizeof(tracking::SentPath), 16U);
    EXPECT_EQ(sizeof(tracking::Sampler), 80U);
    EXPECT_EQ(sizeof(session::Channel), 216U);
    EXPECT_EQ(sizeof(session::PathMarkers), 152U);
    EXPECT_EQ(sizeof(session::PeerHistory), 56U);
    EXPECT_EQ(sizeof(session::TagBudget), 24U);
    EXPECT_EQ(sizeof(session::RequesterSession), 896U);
    EXPECT_EQ(sizeof(session::AcceptorSession), 1120U);
    EXPECT_EQ(sizeof(session::ReportSender), 472U);
    EXPECT_EQ(sizeof(session::ReportReceiver), 168U);
    EXPECT_EQ(sizeof(session::SketchSender), 88U);
    EXPECT_EQ(sizeof(eppc::PathTracer), 256U);
    EXPECT_EQ(sizeof(eppc::UpdateQueue), 312U);
    EXPECT_EQ(sizeof(eppc::UpdateSender), 512U);
    EXPECT_EQ(sizeof(eppc::NhmsChannel), 408U);
    EXPECT_EQ(sizeof(eppc::Peer), 768U);
}
#endif

}  // namespace
}  // namespace dyetrace::test
