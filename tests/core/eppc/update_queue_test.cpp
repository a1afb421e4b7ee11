// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/update_queue.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::eppc {
namespace {

using wire::UpdateEntry;
using Kind = GivenUp::Kind;

constexpr IpAddress kPeer{Ipv4Address{0x0a000002}};
constexpr std::size_t kMuch = 1 << 20;

wire::MetricsEntry metrics(std::uint16_t path, std::uint64_t sent = 0, std::uint8_t generation = 0) {
    wire::MetricsEntry entry;
    entry.peer = kPeer;
    entry.session = SessionId{1};
    entry.record.path = PathIndex{path};
    entry.record.generation = PathGeneration{generation};
    entry.record.sent = sent;
    return entry;
}
wire::SessionEntry state(std::uint8_t state) {
    wire::SessionEntry entry;
    entry.peer = kPeer;
    entry.session = SessionId{1};
    entry.state = state;
    return entry;
}
wire::PathEntry routers(std::uint16_t path, std::uint32_t router, std::int64_t traced_ns = 0) {
    wire::PathEntry entry;
    entry.peer = kPeer;
    entry.session = SessionId{1};
    entry.path = PathIndex{path};
    entry.complete = true;
    entry.hop_count = 1;
    entry.hops[0] = Ipv4Address{router};
    entry.traced_ns = traced_ns;
    return entry;
}
wire::TimingEntry timing(std::uint32_t session, std::int64_t measured_ns = 0, std::size_t sketch = 10) {
    wire::TimingEntry entry;
    entry.peer = kPeer;
    entry.session = SessionId{session};
    entry.measured_ns = measured_ns;
    entry.sketch.resize(sketch);
    return entry;
}

/// An entry in few letters: m5 metrics of path 5, s2 state 2, p3 routers of path 3, t9 timing of session 9,
/// c7 traffic of 7 packets, f6 packet 6 of a followed flow.
std::string short_name(const UpdateEntry& entry) {
    if (const auto* m = std::get_if<wire::MetricsEntry>(&entry))
        return "m" + std::to_string(m->record.path.value);
    if (const auto* s = std::get_if<wire::SessionEntry>(&entry)) return "s" + std::to_string(s->state);
    if (const auto* p = std::get_if<wire::PathEntry>(&entry)) return "p" + std::to_string(p->path.value);
    if (const auto* c = std::get_if<wire::TrafficEntry>(&entry)) return "c" + std::to_string(c->packets);
    if (const auto* f = std::get_if<wire::FlowStageEntry>(&entry)) return "f" + std::to_string(f->packet);
    return "t" + std::to_string(std::get<wire::TimingEntry>(entry).session.value);
}
std::string take_all(UpdateQueue& queue) {
    std::string all;
    for (const UpdateEntry& entry : queue.take(kMuch))
        all += (all.empty() ? "" : " ") + short_name(entry);
    return all;
}
/// What had to go, in the same letters.
std::string add(UpdateQueue& queue, const UpdateEntry& entry, bool troubled = false) {
    const auto given_up = queue.add(entry, troubled);
    if (!given_up) return "";
    switch (given_up->kind) {
        case Kind::Healthy: return "m" + std::to_string(given_up->path.value);
        case Kind::Troubled: return "m" + std::to_string(given_up->path.value) + "!";
        case Kind::Session: return "s";
        case Kind::Path: return "p" + std::to_string(given_up->path.value);
        case Kind::Timing: return "t" + std::to_string(given_up->session.value);
        case Kind::Flow: return "f";
    }
    return "?";
}

TEST(UpdateQueue, PacketsOfFollowedFlowsGoLastAndHaveABoundOfTheirOwn) {
    UpdateQueue queue(1, 1, 2);
    const auto packet = [](std::uint32_t number) {
        wire::FlowStageEntry entry;
        entry.packet = number;
        return entry;
    };
    EXPECT_EQ(add(queue, packet(1)), "");
    EXPECT_EQ(add(queue, packet(2)), "");
    EXPECT_EQ(add(queue, packet(3)), "f");
    EXPECT_EQ(add(queue, metrics(5)), "");
    EXPECT_EQ(add(queue, timing(9)), "");
    EXPECT_EQ(UpdateQueue(queue).take(kMuch).size(), 4U);
    EXPECT_EQ(take_all(queue), "m5 t9 f2 f3");
    EXPECT_TRUE(queue.is_empty());
}

TEST(UpdateQueue, GivesEventsThenTroubledThenHealthyThenTiming) {
    UpdateQueue queue(100, 100);
    for (const UpdateEntry& entry :
         {UpdateEntry{metrics(1)}, UpdateEntry{timing(9)}, UpdateEntry{state(2)}, UpdateEntry{metrics(3)},
          UpdateEntry{routers(4, 1)}, UpdateEntry{timing(8)}})
        EXPECT_EQ(add(queue, entry), "");
    EXPECT_EQ(add(queue, metrics(5), true), "");
    EXPECT_EQ(queue.entries(), 5U);
    EXPECT_EQ(take_all(queue), "s2 p4 m5 m1 m3 t9 t8");
    EXPECT_TRUE(queue.is_empty());
}

TEST(UpdateQueue, NewerTotalsTakeThePlaceOfOlderOnes) {
    UpdateQueue queue(2, 1);
    add(queue, metrics(1, 10));
    add(queue, metrics(2, 10));
    EXPECT_EQ(add(queue, metrics(1, 20)), "");
    add(queue, timing(9, 100));
    EXPECT_EQ(add(queue, timing(9, 200)), "");
    const auto taken = queue.take(kMuch);
    ASSERT_EQ(taken.size(), 3U);
    EXPECT_EQ(taken[0], UpdateEntry{metrics(1, 20)});
    EXPECT_EQ(taken[2], UpdateEntry{timing(9, 200)});
    EXPECT_EQ(add(queue, metrics(1, 30)), "");  // what was taken is not replaced but told anew
    EXPECT_EQ(take_all(queue), "m1");
}

TEST(UpdateQueue, TotalsOfAnotherGenerationOrSessionAreOthers) {
    UpdateQueue queue(10, 10);
    add(queue, metrics(1, 10, 0));
    add(queue, metrics(1, 5, 1));
    wire::MetricsEntry other = metrics(1, 7);
    other.session = SessionId{2};
    add(queue, other);
    other.peer = Ipv4Address{0x0a000003};
    add(queue, other);
    EXPECT_EQ(queue.entries(), 4U);
}

TEST(UpdateQueue, WhatBecomesTroubledStaysSoWhileItWaits) {
    UpdateQueue queue(10, 10);
    add(queue, metrics(1));
    add(queue, metrics(2));
    add(queue, metrics(2), true);
    add(queue, metrics(2), false);
    EXPECT_EQ(take_all(queue), "m2 m1");
    add(queue, metrics(1));
    add(queue, metrics(2));
    EXPECT_EQ(take_all(queue), "m1 m2");
}

TEST(UpdateQueue, GivesUpTheOldestHealthyFirst) {
    UpdateQueue queue(4, 10);
    add(queue, metrics(1), true);
    add(queue, state(1));
    add(queue, metrics(2));
    add(queue, metrics(3));
    EXPECT_EQ(add(queue, state(2)), "m2");
    EXPECT_EQ(add(queue, metrics(4), true), "m3");
    EXPECT_EQ(take_all(queue), "s1 s2 m1 m4");
}

TEST(UpdateQueue, ThenEventsThenWhatIsTroubled) {
    UpdateQueue queue(3, 10);
    add(queue, state(1));
    add(queue, routers(2, 1));
    add(queue, metrics(1), true);
    EXPECT_EQ(add(queue, metrics(9)), "m9");  // the only healthy one
    EXPECT_EQ(add(queue, metrics(3), true), "s");
    EXPECT_EQ(add(queue, metrics(4), true), "p2");
    EXPECT_EQ(add(queue, state(5)), "s");  // the only event
    EXPECT_EQ(add(queue, metrics(5), true), "m1!");
    EXPECT_EQ(take_all(queue), "m3 m4 m5");
}

TEST(UpdateQueue, RoutersAreToldAgainOnlyWhenTheyAreOthers) {
    UpdateQueue queue(10, 10);
    add(queue, routers(1, 0x0a010001, 100));
    add(queue, routers(1, 0x0a010001, 200));
    add(queue, routers(1, 0x0a010002, 300));
    add(queue, routers(1, 0x0a010002, 400));
    add(queue, routers(2, 0x0a010002, 500));
    add(queue, routers(1, 0x0a010001, 600));  // and back
    const auto taken = queue.take(kMuch);
    std::vector<std::int64_t> times;
    for (const UpdateEntry& entry : taken)
        times.push_back(std::get<wire::PathEntry>(entry).traced_ns);
    EXPECT_EQ(times, (std::vector<std::int64_t>{100, 300, 500, 600}));
    add(queue, routers(1, 0x0a010001, 700));  // nothing of it waits
    EXPECT_EQ(queue.entries(), 1U);
}

TEST(UpdateQueue, RoutersThatWereGivenUpCanBeToldAgain) {
    UpdateQueue queue(1, 10);
    add(queue, routers(1, 7));
    EXPECT_EQ(add(queue, routers(1, 8)), "p1");
    EXPECT_EQ(add(queue, routers(1, 8)), "");
    EXPECT_EQ(add(queue, state(1)), "p1");
    EXPECT_EQ(add(queue, routers(1, 8)), "s");
    EXPECT_EQ(take_all(queue), "p1");
}

TEST(UpdateQueue, TimingHasABoundOfItsOwn) {
    UpdateQueue queue(1, 2);
    add(queue, metrics(1));
    EXPECT_EQ(add(queue, timing(1)), "");
    EXPECT_EQ(add(queue, timing(2)), "");
    EXPECT_EQ(add(queue, timing(3)), "t1");
    EXPECT_EQ(take_all(queue), "m1 t2 t3");
}

TEST(UpdateQueue, TakesWhatFitsAndKeepsTheRestInOrder) {
    UpdateQueue queue(100, 100);
    for (std::uint16_t path = 0; path < 10; ++path)
        add(queue, metrics(path));
    add(queue, timing(1, 0, 1000));
    const std::size_t each = wire::encoded_size(UpdateEntry{metrics(0)});
    EXPECT_TRUE(queue.take(each - 1).empty());
    EXPECT_EQ(queue.take(3 * each).size(), 3U);
    EXPECT_EQ(queue.take(4 * each - 1).size(), 3U);
    const auto taken = queue.take(5 * each);  // the timing does not fit, and loses nothing by that
    EXPECT_EQ(taken.size(), 4U);
    EXPECT_EQ(queue.take(kMuch), std::vector{UpdateEntry{timing(1, 0, 1000)}});
}

TEST(UpdateQueue, ACopyGoesItsOwnWay) {
    UpdateQueue queue(4, 1);
    add(queue, metrics(1));
    add(queue, metrics(2), true);
    add(queue, routers(3, 7));
    add(queue, routers(3, 8));
    add(queue, timing(9));
    UpdateQueue copy = queue;
    UpdateQueue assigned(1, 1);
    assigned = copy;
    EXPECT_EQ(take_all(queue), "p3 p3 m2 m1 t9");
    for (UpdateQueue* other : {&copy, &assigned}) {
        EXPECT_EQ(add(*other, metrics(1), true), "");
        EXPECT_EQ(add(*other, routers(3, 8)), "");
        EXPECT_EQ(add(*other, timing(8)), "t9");
        EXPECT_EQ(add(*other, metrics(4)), "m4");
        EXPECT_EQ(take_all(*other), "p3 p3 m2 m1 t8");
    }
}

/// The rules once more, as plainly as possible.
struct Model {
    struct Waiting {
        UpdateEntry entry;
        int rank;  ///< 0 healthy, 1 event, 2 troubled
        std::uint64_t since;
    };
    std::vector<Waiting> waiting;
    std::uint64_t clock = 0;

    void add(const UpdateEntry& entry, bool troubled, std::size_t most) {
        ++clock;
        const bool is_metrics = std::holds_alternative<wire::MetricsEntry>(entry);
        if (is_metrics) {
            for (Waiting& old : waiting) {
                if (old.rank == 1 || short_name(old.entry) != short_name(entry)) continue;
                old.entry = entry;
                if (troubled && old.rank == 0) old.rank = 2, old.since = clock;
                return;
            }
        }
        waiting.push_back({entry, !is_metrics ? 1 : troubled ? 2 : 0, clock});
        if (waiting.size() <= most) return;
        waiting.erase(std::min_element(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) {
            return std::pair(a.rank, a.since) < std::pair(b.rank, b.since);
        }));
    }
    std::string take_all() {
        const auto order = [](const Waiting& w) { return std::pair(w.rank == 1 ? 0 : 3 - w.rank, w.since); };
        std::sort(waiting.begin(), waiting.end(),
                  [&](const auto& a, const auto& b) { return order(a) < order(b); });
        std::string all;
        for (const Waiting& w : waiting)
            all += (all.empty() ? "" : " ") + short_name(w.entry);
        waiting.clear();
        return all;
    }
};

TEST(UpdateQueue, KeepsItsRulesInAnyOrderOfEvents) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        const std::size_t most = 1 + random.below(20);
        UpdateQueue queue(most, 1);
        Model model;
        for (int i = 0; i < 300; ++i) {
            const bool is_state = random.below(4) == 0;
            const bool troubled = random.below(3) == 0;
            const UpdateEntry entry =
                is_state ? UpdateEntry{state(static_cast<std::uint8_t>(random.below(200)))}
                         : UpdateEntry{metrics(static_cast<std::uint16_t>(random.below(30)))};
            queue.add(entry, troubled);
            model.add(entry, troubled, most);
            ASSERT_EQ(queue.entries(), model.waiting.size()) << "seed " << seed;
            if (random.below(40) == 0) {
                ASSERT_EQ(take_all(queue), model.take_all()) << "seed " << seed;
            }
        }
        ASSERT_EQ(take_all(queue), model.take_all()) << "seed " << seed;
    }
}

TEST(UpdateQueue, TrafficOfAPeerIsToldAsItWasLastAndTheOldestGivesWay) {
    UpdateQueue queue(4, 4);
    const auto traffic = [](std::uint32_t peer, std::uint64_t packets) {
        return UpdateEntry{wire::TrafficEntry{Ipv4Address{peer}, packets}};
    };
    EXPECT_EQ(queue.add(traffic(1, 5), false), std::nullopt);
    queue.add(traffic(2, 6), false);
    queue.add(traffic(1, 7), false);
    EXPECT_FALSE(queue.is_empty());
    EXPECT_EQ(queue.entries(), 0U) << "it takes no room from others";
    UpdateQueue copy(queue);
    EXPECT_EQ(take_all(queue), take_all(copy));
    EXPECT_TRUE(queue.is_empty());
    for (std::uint32_t peer = 0; peer < UpdateQueue::kTrafficMost + 3; ++peer)
        queue.add(traffic(peer, peer), false);
    const auto taken = queue.take(kMuch);
    ASSERT_EQ(taken.size(), UpdateQueue::kTrafficMost);
    EXPECT_EQ(short_name(taken.front()), "c3");
}

}  // namespace
}  // namespace dyetrace::eppc
