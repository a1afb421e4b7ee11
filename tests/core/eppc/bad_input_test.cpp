// SPDX-License-Identifier: GPL-2.0-or-later
// Random, cut, changed and spliced packets by the hundred thousand: none is believed, each is accounted for.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using Frame = std::vector<std::uint8_t>;
using Kind = Decapsulated::Kind;

/// Frames of every kind that an engine receives, from a live pair with routers and a health service.
struct BadInput : ::testing::Test {
    Network net;
    FakeNhms nhms{net};
    std::vector<Frame> genuine;  ///< that reached host 1

    BadInput() {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.trace_paths = true;
                config.keep_alive_interval = Duration::seconds(1'000);
            });
        }
        net.line(0, 1).routers = net.line(1, 0).routers = {{Ipv4Address{0x0a010001}}};
        net.send_many(0, 1, 200, Duration::microseconds(20), 16);
        net.send_many(1, 0, 200, Duration::microseconds(20), 16);
        net.run_for(Duration::milliseconds(100));
        for (const Captured& captured : net.captured()) {
            if (captured.to == 1 && captured.from == 0) genuine.push_back(captured.bytes);
        }
        for (const Frame& answer : nhms.answers) {
            if (look_at(answer).ip.destination == net.host(1).config.address) genuine.push_back(answer);
        }
    }

    Frame damaged(Random& random) {
        const auto pick = [&](std::size_t bound) {
            return static_cast<std::size_t>(random.below(static_cast<std::uint32_t>(bound)));
        };
        Frame frame = genuine[pick(genuine.size())];
        switch (random.below(6)) {
            case 0: frame.resize(pick(frame.size())); break;
            case 1: {  // the head of one, the tail of another
                const Frame& other = genuine[pick(genuine.size())];
                const std::size_t cut = pick(std::min(frame.size(), other.size()));
                frame.resize(cut);
                frame.insert(frame.end(), other.begin() + static_cast<std::ptrdiff_t>(cut), other.end());
                break;
            }
            case 2: {  // nothing but noise
                frame.resize(pick(200));
                for (auto& byte : frame)
                    byte = static_cast<std::uint8_t>(random.next());
                break;
            }
            case 3: {  // noise behind headers that are right
                for (std::size_t at = kGeneve + pick(60); at < frame.size(); ++at)
                    frame[at] = static_cast<std::uint8_t>(random.next());
                break;
            }
            default: {
                const std::size_t changes = 1 + pick(8);
                for (std::size_t i = 0; i < changes; ++i)
                    frame[pick(frame.size())] = static_cast<std::uint8_t>(random.next());
            }
        }
        // Half of them with lengths and checksum of the outer header made right, or they would get no
        // further.
        if (random.below(2) == 0 && frame.size() >= kGeneve && (frame[kOuterIp] & 0xf) == 5) {
            store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
            store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
            mend_ip(frame);
        }
        return frame;
    }
};

TEST_F(BadInput, IsAccountedForPacketByPacketAndNeverBelieved) {
    Random random(2024);
    const auto sessions_before = net.engine(1).sessions();
    std::uint64_t accepted = 0;
    for (int i = 0; i < 100'000; ++i) {
        const Frame frame = damaged(random);
        const bool untouched = std::find(genuine.begin(), genuine.end(), frame) != genuine.end();
        if (untouched) continue;
        const eppc::Eppc& engine = net.engine(1);
        const wire::DropCounters before = engine.drops();
        const std::uint64_t drops = before.total();
        const std::uint64_t control = engine.counters().control_received;
        const std::uint64_t decapsulated = engine.counters().decapsulated;
        const Decapsulated result = net.inject(1, frame);
        SCOPED_TRACE("packet " + std::to_string(i));
        switch (result.kind) {
            case Kind::Dropped:
                ASSERT_EQ(engine.drops().count(result.reason), before.count(result.reason) + 1);
                break;
            case Kind::Deliver: ASSERT_EQ(engine.counters().decapsulated, decapsulated + 1); break;
            case Kind::NotOurs: ASSERT_EQ(engine.drops().total(), drops); break;
            case Kind::Relay: FAIL() << "nothing is to be relayed";
            case Kind::Consumed:
                // A change outside what is authenticated (TTL, padding, outer MAC) leaves a genuine message.
                accepted += engine.counters().control_received - control;
                ASSERT_EQ(
                    engine.counters().control_received - control + (engine.drops().total() > drops ? 1 : 0) >
                        0,
                    true);
        }
        net.host(1).delivered.clear();
    }
    EXPECT_LT(accepted, 20'000U);
    const auto sessions_after = net.engine(1).sessions();
    ASSERT_EQ(sessions_after.size(), sessions_before.size());
    for (std::size_t i = 0; i < sessions_after.size(); ++i) {
        EXPECT_EQ(sessions_after[i].session, sessions_before[i].session);
        EXPECT_EQ(sessions_after[i].role, sessions_before[i].role);
    }
}

TEST_F(BadInput, FromGuestsIsCarriedOrRefusedAndCounted) {
    Random random(77);
    GuestPacket guest{net.host(0).guest_mac, net.host(1).guest_mac, net.host(0).guest_address,
                      net.host(1).guest_address};
    for (int i = 0; i < 50'000; ++i) {
        guest.payload = random.below(300);
        Frame frame = guest.frame();
        const std::size_t keep = random.below(4) == 0 ? 12 : 0;  // right addresses, noise behind them
        for (std::size_t at = keep; keep != 0 && at < frame.size(); ++at)
            frame[at] = static_cast<std::uint8_t>(random.next());
        for (std::uint32_t n = random.below(4); n > 0; --n)
            frame[random.below(static_cast<std::uint32_t>(frame.size()))] =
                static_cast<std::uint8_t>(random.next());
        if (random.below(3) == 0) frame.resize(random.below(static_cast<std::uint32_t>(frame.size())));
        OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
        const std::uint64_t drops = net.engine(0).drops().total();
        const auto refused = net.engine(0).encapsulate(kGuestPort, owned.buffer, net.clock_of(0));
        ASSERT_EQ(net.engine(0).drops().total(), drops + (refused ? 1 : 0));
        if (refused) continue;
        ASSERT_EQ(net.inject(1, owned.bytes()).kind, Kind::Deliver) << i;
        ASSERT_EQ(net.host(1).delivered.back(), frame);
        net.host(1).delivered.clear();
    }
}

TEST_F(BadInput, RecordedAtOneBootIsWorthNothingAtTheNext) {
    net.restart(1);
    const eppc::Eppc& engine = net.engine(1);
    for (const Frame& frame : genuine)
        (void)net.inject(1, frame);
    EXPECT_EQ(engine.counters().tracked_received, 0U);
    for (const auto& session : engine.sessions()) {
        // A recorded request is answered, and its requester, who knows of none, never uses what it got.
        EXPECT_EQ(session.role, session::Role::Acceptor);
        EXPECT_TRUE(session.paths.empty());
    }
    EXPECT_GT(engine.drops().count(wire::DropReason::ControlWrongBoot), 0U);
    EXPECT_EQ(
        engine.drops().count(wire::DropReason::TrackBadTag) +
            engine.drops().count(wire::DropReason::TrackUnbound) +
            engine.drops().count(wire::DropReason::TrackUnknownSession),
        static_cast<std::uint64_t>(std::count_if(genuine.begin(), genuine.end(), [](const Frame& frame) {
            return look_at(frame).track.has_value();
        })));
    net.run_for(Duration::seconds(20'000));
    EXPECT_TRUE(engine.sessions().empty());
}

}  // namespace
}  // namespace dyetrace::test
