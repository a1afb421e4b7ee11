// SPDX-License-Identifier: GPL-2.0-or-later
// When a session opens and ends the intervals of its paths, and with which counts.
#include "core/session/path_markers.h"

#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::session {
namespace {

using wire::MarkerKind;
using Phase = PathMarkers::Phase;

constexpr Duration kIdle = Duration::milliseconds(20);
constexpr RetransmitPolicy kPolicy{Duration::milliseconds(5), Duration::milliseconds(40), 8};
constexpr PathIndex kPath{3};

struct Markers : ::testing::Test {
    tracking::PathTable table{8, 12};
    PathMarkers markers{8, kIdle, kPolicy};
    Outbox out;
    Time now{};
    Time heard{};

    void wait(Duration length) { now = now + length; }
    void send(PathIndex path = kPath) {
        table.count(path, now);
        (void)markers.on_data(path, now);
    }
    std::vector<OutgoingMarker> due() {
        std::vector<OutgoingMarker> taken;
        while (const auto marker = markers.take_due(now, table, heard))
            taken.push_back(*marker);
        return taken;
    }
    /// The one marker that is due.
    OutgoingMarker one() {
        const auto taken = due();
        EXPECT_EQ(taken.size(), 1U);
        return taken.empty() ? OutgoingMarker{} : taken[0];
    }
    bool ack(const OutgoingMarker& marker) {
        heard = now;
        return markers.on_ack(
            {marker.body.path, marker.body.generation, marker.body.kind, marker.body.interval}, now, table,
            out);
    }
    void open(PathIndex path = kPath) {
        send(path);
        ASSERT_TRUE(ack(one()));
    }
    Phase phase(PathIndex path = kPath) { return markers.paths()[path.value].phase; }
    PathGeneration repath(PathIndex path = kPath) {
        const auto generation = table.repath(path, now, Duration::milliseconds(1));
        EXPECT_TRUE(generation);
        markers.on_repath(path, now);
        return *generation;
    }
};

TEST_F(Markers, DataOnAQuietPathOpensAnInterval) {
    send();
    EXPECT_TRUE(markers.wants_start(kPath));
    EXPECT_EQ(markers.next_deadline(), now);
    const OutgoingMarker start = one();
    EXPECT_EQ(start.body.kind, MarkerKind::Start);
    EXPECT_EQ(start.body.interval, 1);
    EXPECT_EQ(start.body.count, 1U);
    EXPECT_EQ(start.port, kPath.value);
    EXPECT_FALSE(markers.on_data(kPath, now));  // not yet acknowledged
    ASSERT_TRUE(ack(start));
    EXPECT_TRUE(markers.on_data(kPath, now));
    EXPECT_EQ(out.paths_started, std::vector{kPath});
}

TEST_F(Markers, ARepeatCarriesTheCountOfItsOwnTime) {
    send();
    EXPECT_EQ(one().body.count, 1U);
    for (int i = 0; i < 9; ++i)
        send();
    wait(kPolicy.first);
    EXPECT_EQ(one().body.count, 10U);
}

TEST_F(Markers, DataPostponesTheEndWithoutTouchingAnyTimer) {
    open();
    const Time first = markers.next_deadline();
    for (int i = 0; i < 10; ++i) {
        wait(kIdle / 2);
        send();
        EXPECT_TRUE(due().empty());
    }
    EXPECT_GT(markers.next_deadline(), first);
    EXPECT_LE(markers.next_deadline(), now + kIdle);
    wait(kIdle);
    EXPECT_EQ(one().body.kind, MarkerKind::End);
}

constexpr Duration kCounts = Duration::milliseconds(10);

struct CountedMarkers : Markers {
    void SetUp() override {
        markers.set_count_interval(kCounts, 4);
        open();
    }
    /// Sends so many packets, `tags` of them tagged, and looks an interval later.
    std::vector<OutgoingMarker> after(int packets, int tags = 0, Duration interval = kCounts) {
        for (int i = 0; i < packets; ++i)
            send();
        for (int i = 0; i < tags; ++i)
            (void)markers.take_sequence(kPath);
        wait(interval);
        return due();
    }
};

TEST_F(CountedMarkers, UntaggedPacketsAreToldOfOnceAnInterval) {
    const auto told = after(5);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].body.kind, MarkerKind::Count);
    EXPECT_EQ(told[0].body.count, 6U);
    EXPECT_EQ(markers.next_deadline(), now + kCounts);
}

TEST_F(CountedMarkers, ATagTellsAsMuch) {
    EXPECT_TRUE(after(5, 1).empty());
    EXPECT_EQ(after(5).size(), 1U);
}

TEST_F(CountedMarkers, FewPacketsWaitForMore) {
    (void)after(5);
    EXPECT_TRUE(after(3).empty());
    EXPECT_EQ(after(1).size(), 1U);
}

TEST_F(CountedMarkers, APathThatLostIsLookedAtMoreOftenForAWhile) {
    (void)after(5);
    markers.look_closer(kPath, now, table);
    EXPECT_EQ(markers.next_deadline(), now + kCounts / 4);
    for (int i = 0; i < 31; ++i) {
        EXPECT_EQ(after(4, 0, kCounts / 4).size(), 1U) << i;
        EXPECT_EQ(markers.next_deadline(), now + kCounts / 4);
    }
    (void)after(4, 0, kCounts / 4);
    (void)after(4, 0, kCounts / 4);
    EXPECT_EQ(markers.next_deadline(), now + kCounts);
}

TEST_F(CountedMarkers, ACloserLookPostponesNoOther) {
    for (int i = 0; i < 5; ++i)
        send();
    wait(kCounts - Duration::milliseconds(1));
    markers.look_closer(kPath, now, table);
    EXPECT_EQ(markers.next_deadline(), now + Duration::milliseconds(1));
}

TEST_F(Markers, DataWhileEndingOpensTheNextInterval) {
    open();
    wait(kIdle);
    const OutgoingMarker end = one();
    send();
    EXPECT_TRUE(due().empty());
    ASSERT_TRUE(ack(end));
    const OutgoingMarker start = one();
    EXPECT_EQ(start.body.kind, MarkerKind::Start);
    EXPECT_EQ(start.body.interval, 2);
}

TEST_F(Markers, OnlyTheAnswerToTheMarkerInFlightCounts) {
    send();
    const OutgoingMarker start = one();
    const auto answer = [&](auto change) {
        wire::MarkerAckBody body{start.body.path, start.body.generation, start.body.kind,
                                 start.body.interval};
        change(body);
        return markers.on_ack(body, now, table, out);
    };
    EXPECT_FALSE(answer([](auto& a) { a.path = PathIndex{8}; }));
    EXPECT_FALSE(answer([](auto& a) { a.path = PathIndex{2}; }));
    EXPECT_FALSE(answer([](auto& a) { a.kind = MarkerKind::End; }));
    EXPECT_FALSE(answer([](auto& a) { ++a.interval; }));
    EXPECT_FALSE(answer([](auto& a) { ++a.generation.value; }));
    EXPECT_EQ(phase(), Phase::Starting);
    EXPECT_TRUE(answer([](auto&) {}));
    EXPECT_FALSE(answer([](auto&) {}));  // a repeat
}

TEST_F(Markers, ASilentPeerIsNoticedWhenRepeatsRunOut) {
    send();
    int sent = 0;
    while (true) {
        sent += static_cast<int>(due().size());
        if (markers.is_peer_silent()) break;
        now = markers.next_deadline();
        ASSERT_LT(now, Time{} + Duration::seconds(1));
    }
    EXPECT_EQ(now, Time{} + kPolicy.span());
    EXPECT_EQ(sent, kPolicy.most);
}

TEST_F(Markers, ASilentPathOfAPeerThatSpeaksIsAskedOnAtTheSlowestPace) {
    send();
    int sent = 0;
    std::vector<Duration> gaps;
    Time last = now;
    while (now < Time{} + Duration::seconds(2)) {
        for ([[maybe_unused]] const auto& marker : due()) {
            ++sent;
            gaps.push_back(now - last);
            last = now;
        }
        ASSERT_FALSE(markers.is_peer_silent());
        now = markers.next_deadline();
        heard = now;  // on other paths
    }
    EXPECT_GT(sent, kPolicy.most);
    EXPECT_EQ(gaps.back(), kPolicy.last);
    EXPECT_EQ(phase(), Phase::Starting);
}

TEST_F(Markers, ClosingEndsWhatRunsAndBeginsNothing) {
    open(PathIndex{1});
    open(PathIndex{2});
    send(PathIndex{5});  // wanted, and not asked for yet
    markers.end_all(now);
    const auto ends = due();
    ASSERT_EQ(ends.size(), 2U);
    for (const OutgoingMarker& end : ends) {
        EXPECT_EQ(end.body.kind, MarkerKind::End);
        EXPECT_FALSE(markers.is_settled());
        EXPECT_TRUE(ack(end));
    }
    EXPECT_TRUE(markers.is_settled());
    EXPECT_EQ(markers.next_deadline(), Time::never());
}

TEST_F(Markers, ClosingEndsAPathWhoseStartIsStillOut) {
    send();
    const OutgoingMarker start = one();
    markers.end_all(now);
    EXPECT_TRUE(due().empty());
    ASSERT_TRUE(ack(start));
    const OutgoingMarker end = one();
    EXPECT_EQ(end.body.kind, MarkerKind::End);
    EXPECT_TRUE(ack(end));
    EXPECT_TRUE(markers.is_settled());
}

TEST_F(Markers, ClosingGivesASilentPathUp) {
    open();
    markers.end_all(now);
    while (!markers.is_settled()) {
        EXPECT_LE(due().size(), 1U);
        ASSERT_FALSE(markers.is_peer_silent());
        if (markers.is_settled()) break;
        now = markers.next_deadline();
        heard = now;
        ASSERT_LT(now, Time{} + Duration::seconds(1));
    }
    EXPECT_EQ(markers.given_up(), 1U);
}

TEST_F(Markers, AMovedPathIsEndedOnItsOldPortWithTheCountItHad) {
    open();
    for (int i = 0; i < 41; ++i)
        send();
    EXPECT_EQ(repath(), PathGeneration{1});
    EXPECT_FALSE(markers.on_data(kPath, now));  // no tag mixes two generations
    for (int repeat = 0; repeat < 3; ++repeat) {
        for (int i = 0; i < 5; ++i)
            send();  // on the new port
        const OutgoingMarker end = one();
        EXPECT_EQ(end.body.kind, MarkerKind::End);
        EXPECT_EQ(end.body.generation, PathGeneration{0});
        EXPECT_EQ(end.body.count, 42U);
        EXPECT_EQ(end.port, kPath.value);
        if (repeat == 2) {
            EXPECT_FALSE(markers.is_settled(kPath, PathGeneration{0}));
            ASSERT_TRUE(ack(end));
        } else {
            now = markers.next_deadline();
        }
    }
    EXPECT_TRUE(markers.is_settled(kPath, PathGeneration{0}));
    const OutgoingMarker start = one();
    EXPECT_EQ(start.body.kind, MarkerKind::Start);
    EXPECT_EQ(start.body.generation, PathGeneration{1});
    EXPECT_EQ(start.body.interval, 2);
    EXPECT_EQ(start.body.count, 15U);
    EXPECT_EQ(start.body.next_sequence, 0U);
    EXPECT_EQ(start.port, 8);
}

TEST_F(Markers, SequenceNumbersBeginWithTheGeneration) {
    open();
    for (std::uint32_t i = 0; i < 7; ++i)
        EXPECT_EQ(markers.take_sequence(kPath), i);
    repath();
    const OutgoingMarker end = one();
    EXPECT_EQ(end.body.next_sequence, 7U);
    send();
    ASSERT_TRUE(ack(end));
    ASSERT_TRUE(ack(one()));
    EXPECT_EQ(markers.take_sequence(kPath), 0U);
}

TEST_F(Markers, AStartThatIsStillOutGivesWayToThatOfTheNewGeneration) {
    send();
    const OutgoingMarker old = one();
    repath();
    EXPECT_TRUE(markers.is_settled(kPath, PathGeneration{0}));
    const OutgoingMarker start = one();
    EXPECT_EQ(start.body.generation, PathGeneration{1});
    EXPECT_EQ(start.body.interval, 2);
    EXPECT_EQ(start.port, 8);
    EXPECT_FALSE(ack(old));
    EXPECT_TRUE(ack(start));
}

TEST_F(Markers, AnEndThatIsOutWhenThePathMovesGoesOnWithTheCountThatStandsStill) {
    open();
    wait(kIdle);
    (void)one();
    for (int i = 0; i < 9; ++i)
        send();  // still on the old port
    repath();
    send();
    now = markers.next_deadline();
    const OutgoingMarker end = one();
    EXPECT_EQ(end.body.generation, PathGeneration{0});
    EXPECT_EQ(end.body.count, 10U);
    EXPECT_EQ(end.port, kPath.value);
}

TEST_F(Markers, AQuietPathThatMovesHasNothingToSettle) {
    open();
    wait(kIdle);
    ASSERT_TRUE(ack(one()));
    repath();
    EXPECT_TRUE(markers.is_settled(kPath, PathGeneration{0}));
    EXPECT_TRUE(due().empty());
    send();
    EXPECT_EQ(one().port, 8);
}

TEST_F(Markers, AnOldPortThatCarriesNothingAnyMoreDoesNotHoldTheNewOneUp) {
    open();
    repath();
    send();
    const Time moved = now;
    int ends = 0;
    std::optional<OutgoingMarker> start;
    while (!start) {
        for (const OutgoingMarker& marker : due()) {
            if (marker.body.kind == MarkerKind::End) ++ends;
            if (marker.body.kind == MarkerKind::Start) start = marker;
        }
        ASSERT_FALSE(markers.is_peer_silent());  // though nothing at all was heard
        if (!start) now = markers.next_deadline();
    }
    EXPECT_EQ(ends, 6);
    EXPECT_EQ(markers.given_up(), 1U);
    EXPECT_EQ(start->body.generation, PathGeneration{1});
    EXPECT_LT(now - moved, kPolicy.span());
}

TEST_F(Markers, APathIsToldFromThoseThatAreSixtyFourFurther) {
    tracking::PathTable many_table(131, 140);
    PathMarkers many(131, kIdle, kPolicy);
    constexpr PathIndex kNear{2}, kFar{66}, kFarthest{130};
    const auto opened = [&](PathIndex path) {
        many_table.count(path, now);
        EXPECT_FALSE(many.on_data(path, now));
        const auto start = many.take_due(now, many_table, heard);
        return start && many.on_ack({path, start->body.generation, MarkerKind::Start, start->body.interval},
                                    now, many_table, out);
    };
    ASSERT_TRUE(opened(kFar));
    EXPECT_TRUE(many.on_data(kFar, now));
    ASSERT_TRUE(opened(kNear));
    ASSERT_TRUE(opened(kFarthest));
    for (const PathIndex path : {kNear, kFar, kFarthest})
        EXPECT_TRUE(many.on_data(path, now));

    ASSERT_TRUE(many_table.repath(kFar, now, {}));
    many.on_repath(kFar, now);
    EXPECT_FALSE(many.on_data(kFar, now));
    EXPECT_TRUE(many.on_data(kNear, now));
    EXPECT_TRUE(many.on_data(kFarthest, now));
}

TEST_F(Markers, CostWhatIsDueAndNotWhatThereIs) {
    // 1,024 running paths, none of which is due: `take_due` looks at none of them.
    tracking::PathTable many_table(1024, 1024);
    PathMarkers many(1024, kIdle, kPolicy);
    for (std::uint16_t i = 0; i < 1024; ++i) {
        now = now + Duration::microseconds(1);
        many_table.count(PathIndex{i}, now);
        (void)many.on_data(PathIndex{i}, now);
        const auto start = many.take_due(now, many_table, heard);
        ASSERT_TRUE(start);
        EXPECT_EQ(start->body.path.value, i);
        (void)many.on_ack({PathIndex{i}, {}, MarkerKind::Start, 1}, now, many_table, out);
    }
    EXPECT_EQ(many.next_deadline(), Time{} + Duration::microseconds(1) + kIdle);
    // Each is ended at its own time, in the order of those times.
    for (std::uint16_t i = 0; i < 1024; ++i) {
        now = many.next_deadline();
        EXPECT_EQ(now, Time{} + Duration::microseconds(i + 1) + kIdle);
        const auto end = many.take_due(now, many_table, heard);
        ASSERT_TRUE(end);
        EXPECT_EQ(end->body.path.value, i);
        EXPECT_FALSE(many.take_due(now, many_table, heard));
    }
}

}  // namespace
}  // namespace dyetrace::session
