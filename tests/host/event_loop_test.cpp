// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/event_loop.h"

#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host/fakes.h"
#include "tests/host/recorded_trace.h"

namespace dyetrace::host::test {
namespace {

/// Drives eppcd's loop with a trace: the same engine, but frames come through ports and time through a clock.
Decisions run_loop(const RecordedTrace& trace) {
    eppc::Eppc engine = make_recorded_engine();
    FakeClock clock;
    clock.time = kStart;
    FakePort underlay;
    FakePort guest;
    Decisions made;
    EventLoop loop(engine, underlay, clock,
                   [&](const eppc::Output& output) { made.events.push_back(describe(output)); });
    loop.add_guest(kGuest, guest);
    bool closed = false;
    auto input = trace.inputs.begin();
    while (true) {
        Time now = loop.next_deadline();
        if (input != trace.inputs.end()) now = std::min(now, input->at);
        if (!closed) now = std::min(now, trace.close_at);
        if (now > trace.end) break;
        clock.time = now;
        if (!closed && now == trace.close_at) {
            engine.close_sessions(loop.update_now());
            closed = true;
        }
        for (; input != trace.inputs.end() && input->at == now; ++input)
            (input->from_underlay ? underlay : guest).waiting.emplace_back(now, input->frame);
        loop.turn();
    }
    made.to_underlay = std::move(underlay.sent);
    made.to_guest = std::move(guest.sent);
    made.counters = describe_counters(engine);
    return made;
}

class LoopEquivalence : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LoopEquivalence, RecordedTraceGivesTheSameBytesAndDecisionsAsBareCore) {
    const RecordedTrace trace = record_trace(GetParam());
    const Decisions bare = run_bare(trace);
    const Decisions loop = run_loop(trace);
    EXPECT_EQ(loop.to_underlay, bare.to_underlay);
    EXPECT_EQ(loop.to_guest, bare.to_guest);
    EXPECT_EQ(loop.events, bare.events);
    EXPECT_EQ(loop.counters, bare.counters);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LoopEquivalence, testing::Values(1, 2, 3, 4));

TEST(RecordedTrace, ExercisesSessionsTagsLossAndSpoiledPackets) {
    const Decisions bare = run_bare(record_trace(1));
    EXPECT_GT(bare.to_underlay.size(), 1000U);
    EXPECT_GT(bare.to_guest.size(), 1000U);
    EXPECT_THAT(bare.events, testing::Contains(testing::HasSubstr("-> active")));
    EXPECT_THAT(bare.events, testing::Contains(testing::HasSubstr("-> closed")));
    EXPECT_THAT(bare.events, testing::Contains(testing::HasSubstr("metrics")));
    EXPECT_THAT(bare.counters, testing::HasSubstr("ipv4-bad-checksum"));
    EXPECT_THAT(bare.counters, testing::HasSubstr("group-address"));
}

/// One loop with a guest, and the engine of the trace behind it.
class EventLoopTest : public testing::Test {
  protected:
    EventLoopTest() {
        clock_.time = kStart;
        loop_.add_guest(kGuest, guest_);
    }

    /// Puts what guests said in the first part of a trace before the guest's port.
    std::size_t queue_guest_frames(std::size_t count) {
        const RecordedTrace trace = record_trace(1);
        for (const TraceInput& input : trace.inputs) {
            if (guest_.waiting.size() == count) break;
            if (!input.from_underlay) guest_.waiting.emplace_back(kStart, input.frame);
        }
        return guest_.waiting.size();
    }

    FakeClock clock_;
    FakePort underlay_;
    FakePort guest_;
    eppc::Eppc engine_ = make_recorded_engine();
    EventLoop loop_{engine_, underlay_, clock_, [](const eppc::Output&) {}};
};

TEST_F(EventLoopTest, TurnTakesNoMoreThanOneBatchOfAPort) {
    ASSERT_EQ(queue_guest_frames(3 * Port::kBatch), 3 * Port::kBatch);
    EXPECT_TRUE(loop_.turn());
    EXPECT_EQ(guest_.waiting.size(), 2 * Port::kBatch);
}

TEST_F(EventLoopTest, MoreOutputsThanABatchAreSentInOneTurn) {
    queue_guest_frames(Port::kBatch);
    loop_.turn();
    // All of the guest's good frames, and the request behind them.
    EXPECT_EQ(underlay_.sent.size(), engine_.counters().encapsulated + engine_.counters().control_sent);
    EXPECT_GE(engine_.counters().control_sent, 1U);
}

TEST_F(EventLoopTest, IdleTurnSaysSo) {
    EXPECT_FALSE(loop_.turn());
}

TEST_F(EventLoopTest, EveryTurnGivesFramesBack) {
    queue_guest_frames(1);
    loop_.turn();
    loop_.turn();
    EXPECT_EQ(guest_.releases, 2);
    EXPECT_EQ(underlay_.releases, 2);
}

TEST_F(EventLoopTest, FramesThatTheKernelDidNotTakeAreCountedByKind) {
    queue_guest_frames(Port::kBatch);
    underlay_.fail_every = 1;
    loop_.turn();
    EXPECT_EQ(loop_.counters().data_send_failed, engine_.counters().encapsulated);
    EXPECT_EQ(loop_.counters().control_send_failed, engine_.counters().control_sent);
}

TEST_F(EventLoopTest, TimeNeverRunsBackwards) {
    loop_.turn();
    const Time before = loop_.now();
    clock_.time = before + Duration::microseconds(-5);
    underlay_.waiting.emplace_back(before + Duration::microseconds(-9), Frame(60));
    loop_.turn();
    EXPECT_EQ(loop_.now(), before);
}

// The kernel stamps frames with the time of day, which may be set back before they are looked at.
TEST_F(EventLoopTest, AStampFromTheFutureDoesNotMoveTheClock) {
    clock_.time = loop_.now() + Duration::milliseconds(1);
    underlay_.waiting.emplace_back(loop_.now() + Duration::seconds(3600), Frame(60));
    loop_.turn();
    EXPECT_EQ(loop_.now(), clock_.time);
}

TEST_F(EventLoopTest, FrameOfAnotherProtocolIsCountedAndLeftAlone) {
    Frame arp(60);
    arp[12] = 0x08;
    arp[13] = 0x06;
    underlay_.waiting.emplace_back(kStart, arp);
    loop_.turn();
    EXPECT_EQ(loop_.counters().not_ours, 1U);
    EXPECT_TRUE(guest_.sent.empty());
}

/// One host of two, each with its loop; nothing is lost between them.
struct LoopSide {
    explicit LoopSide(std::size_t which) : side(which), engine(make_engine(which)) {
        clock.time = kStart;
        loop.add_guest(kGuest, guest);
    }

    std::size_t side;
    FakeClock clock;
    FakePort underlay;
    FakePort guest;
    eppc::Eppc engine;
    std::vector<wire::PathRecord> records;
    EventLoop loop{engine, underlay, clock, [this](const eppc::Output& output) {
                       const auto* metrics = std::get_if<eppc::MetricsReported>(&output);
                       if (metrics != nullptr) records.push_back(metrics->record);
                   }};
};

/// Both turn, as often as asked, 50 us apart; a guest says so many frames before each turn of its host.
void talk(LoopSide& one, LoopSide& other, int turns, int frames, Random& random) {
    const auto turn = [&](LoopSide& at, LoopSide& peer) {
        at.clock.time = at.clock.time + Duration::microseconds(50);
        for (int i = 0; i < frames; ++i)
            at.guest.waiting.emplace_back(at.clock.time, guest_frame(at.side, random));
        at.loop.turn();
        for (Frame& frame : at.underlay.sent)
            peer.underlay.waiting.emplace_back(at.clock.time, std::move(frame));
        at.underlay.sent.clear();
    };
    for (int i = 0; i < turns; ++i) {
        turn(one, other);
        turn(other, one);
    }
}

TEST(TwoEventLoops, NoDataOvertakesAMarkerThatDidNotCountIt) {
    Random random(1);
    LoopSide one(0);
    LoopSide other(1);
    constexpr int kFrames = 5;  // more than there are paths, so that there is data in every turn
    talk(one, other, 200, kFrames, random);
    const auto moved = one.engine.repath(address_of(1), PathIndex{0}, one.loop.update_now());
    ASSERT_TRUE(moved.ok()) << moved.error();
    talk(one, other, 200, kFrames, random);
    one.engine.close_sessions(one.loop.update_now());
    talk(one, other, 200, kFrames, random);  // a guest does not stop because its sessions do
    talk(one, other, 400, 0, random);
    bool has_moved = false;
    for (const LoopSide* const side : {&one, &other}) {
        EXPECT_FALSE(side->records.empty());
        for (const wire::PathRecord& record : side->records) {
            EXPECT_EQ(record.sent, record.received)
                << "side " << side->side << ", path " << record.path.value << "." << +record.generation.value;
            has_moved = has_moved || (record.generation == *moved && record.received > 0);
        }
    }
    EXPECT_TRUE(has_moved);
}

}  // namespace
}  // namespace dyetrace::host::test
