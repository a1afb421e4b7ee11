// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/rolling_evidence.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/localise/evidence.h"
#include "tests/core/localise/rolling_fabric.h"

namespace dyetrace::localise {
namespace {

using test::at_ms;
using test::expect_same;
using Fabric = test::RackFabric;

constexpr Duration kEpoch = Duration::milliseconds(20);

/// The same records to evidence that keeps them all, and, as windows, to evidence that rolls.
class Both final : public PathNames {
  public:
    explicit Both(const Fabric& fabric, RollingConfig config = rolling_config())
        : fabric_(fabric), all(fabric.graph, {}), rolling(fabric.graph, *this, config, at_ms(0)) {}

    static RollingConfig rolling_config() {
        RollingConfig config;
        config.epoch = kEpoch;
        config.epochs_most = 256;
        config.floor_step = Duration::nanoseconds(0);
        return config;
    }
    static LocaliserConfig localiser_config() {
        LocaliserConfig config;
        config.epoch = kEpoch;
        return config;
    }

    PathId add_path(std::size_t from, std::size_t to, std::uint16_t index) {
        PathKey key;
        key.requester = fabric_.address(from);
        key.acceptor = fabric_.address(to);
        key.session = SessionId{1};
        key.path = PathIndex{index};
        keys_.push_back(key);
        totals_.emplace_back();
        ended_.push_back(Time{});
        return PathId{static_cast<std::uint32_t>(keys_.size() - 1)};
    }
    void trace(PathId path, Time at, const std::vector<NodeId>& hops) {
        all.path(keys_[path.value], at, hops);
        rolling.route(path, at, *fabric_.graph.links_along(hops));
    }
    void window(PathId path, Time end, std::uint32_t sent, std::uint32_t lost, std::uint32_t delays = 0,
                Duration mean = {}, Duration least = {}) {
        PathTotals& totals = totals_[path.value];
        const bool is_first = totals.sent == 0;
        const Time start = is_first ? end - Duration::milliseconds(20) : ended_[path.value];
        ended_[path.value] = end;
        if (delays > 0)
            totals.delay_min = totals.delay_count == 0 ? least : std::min(totals.delay_min, least);
        totals.sent += sent;
        totals.received += sent - lost;
        totals.delay_count += delays;
        totals.delay_sum = totals.delay_sum + mean * delays;
        all.record(keys_[path.value], end, totals);
        rolling.add(path, {start, end, sent, lost, delays, mean}, totals.delay_min);
    }
    void forget_before(Time since) {
        all.forget_before(since);
        rolling.forget_before(since);
    }
    [[nodiscard]] PathKey key(PathId path) const override { return keys_[path.value]; }

  private:
    const Fabric& fabric_;
    std::vector<PathKey> keys_;
    std::vector<PathTotals> totals_;
    std::vector<Time> ended_;

  public:
    EvidenceBuilder all;
    RollingEvidence rolling;
};

/// A second in the life of a fabric: faults come, routes change, delays vary, and old windows are forgotten.
/// Returns how many suspects were named.
std::size_t live(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Fabric fabric;
    Both both(fabric);
    struct Live {
        PathId id;
        std::size_t from, to, spine;
        bool traced;
        Time traced_at;
    };
    std::vector<Live> paths;
    for (std::uint16_t i = 0; i < 96; ++i) {
        const std::size_t from = random.below(16);
        const std::size_t to = (from + 1 + random.below(15)) % 16;
        Live path{both.add_path(from, to, i), from, to, random.below(Fabric::kSpines), false, {}};
        if (i == 0 || random.below(10) > 0) {
            both.trace(path.id, at_ms(0), fabric.hops(from, to, path.spine));
            path.traced = true;
        }
        paths.push_back(path);
    }
    const LinkId bad{random.below(static_cast<std::uint32_t>(fabric.graph.link_count()))};
    const LinkId worse{random.below(static_cast<std::uint32_t>(fabric.graph.link_count()))};
    const std::uint32_t one_in = 10 + random.below(60);
    constexpr int kSteps = 60, kSince = 25;
    std::size_t named = 0;
    for (int step = 1; step <= kSteps; ++step) {
        for (std::size_t p = 0; p < paths.size(); ++p) {
            Live& path = paths[p];
            // One path keeps the clocks of both at the same origin.
            if (p > 0 && random.below(5) == 0) continue;
            const std::int64_t jitter_ns = p == 0 ? 0 : random.below(15'000'000);
            const Time end = at_ms(20 * step) + Duration::nanoseconds(jitter_ns);
            const std::uint32_t sent = 50 + random.below(400);
            std::uint32_t lost = 0;
            const auto hops = fabric.hops(path.from, path.to, path.spine);
            const auto links = *fabric.graph.links_along(hops);
            for (const LinkId link : links) {
                if (link != bad && (link != worse || step < kSteps / 2)) continue;
                for (std::uint32_t i = 0; i < sent; ++i)
                    lost += random.below(one_in) == 0 ? 1 : 0;
            }
            const auto mean = Duration::microseconds(20 + random.below(55));
            both.window(path.id, end, sent, std::min(lost, sent), random.below(4), mean,
                        Duration::microseconds(15 + random.below(10)));
            if (!path.traced && step == 30) {
                both.trace(path.id, end, hops);
                path.traced = true;
            } else if (path.traced && p > 0 && random.below(60) == 0) {
                both.trace(path.id, end, hops);
                path.spine = random.below(Fabric::kSpines);
                both.trace(path.id, end + Duration::microseconds(10),
                           fabric.hops(path.from, path.to, path.spine));
            }
        }
        const Time since = at_ms(20 * std::max(step - 40, 0));
        both.forget_before(since);
        if (step % 20 != 10) continue;
        const LocaliserConfig config = Both::localiser_config();
        for (const Time from : {since, at_ms(20 * (step - kSince) + 7)}) {
            const Verdict verdict = both.rolling.infer(config, from);
            expect_same(verdict, both.all.infer(config, from));
            named += verdict.suspects.size();
            for (std::uint32_t link = bad.value % 7; link < fabric.graph.link_count(); link += 7)
                EXPECT_EQ(both.rolling.crossing(LinkId{link}, from), both.all.crossing(LinkId{link}, from));
            EXPECT_EQ(both.rolling.pairs_across(bad, from, 5), both.all.pairs_across(bad, from, 5));
            EXPECT_EQ(both.rolling.paths_across(bad, from, 5), both.all.paths_across(bad, from, 5));
        }
    }
    both.rolling.forget_before(at_ms(100'000));
    EXPECT_EQ(both.rolling.windows(), 0U);
    EXPECT_EQ(both.rolling.windows_waiting(), 0U);
    return named;
}

TEST(RollingEvidence, SaysWhatALocaliserSaysOfTheSameWindows) {
    std::size_t named = 0;
    for (std::uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed)
        named += live(seed);
    EXPECT_GT(named, 12U);
}

class RollingEvidenceTest : public testing::Test {
  protected:
    [[nodiscard]] LinkId uplink(std::size_t from, std::size_t to, std::size_t spine) const {
        return fabric_.graph.links_along(fabric_.hops(from, to, spine))->at(1);
    }
    const Fabric fabric_;
    Both both_{fabric_};
};

TEST_F(RollingEvidenceTest, WindowsWaitUntilTheirPathIsKnown) {
    const PathId path = both_.add_path(0, 4, 1);
    both_.window(path, at_ms(20), 100, 2);
    EXPECT_EQ(both_.rolling.windows_waiting(), 1U);
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{0, 0}));
    both_.trace(path, at_ms(90), fabric_.hops(0, 4, 2));
    EXPECT_EQ(both_.rolling.windows_waiting(), 0U);
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{100, 2}));
}

TEST_F(RollingEvidenceTest, WindowsAcrossAChangeOfRouteAreTakenBack) {
    const PathId path = both_.add_path(0, 4, 1);
    both_.trace(path, at_ms(10), fabric_.hops(0, 4, 2));
    both_.window(path, at_ms(20), 100, 0);
    both_.window(path, at_ms(40), 100, 1);
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{200, 1}));
    both_.trace(path, at_ms(35), fabric_.hops(0, 4, 3));
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{0, 0}));
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 3), at_ms(0)), (Crossing{0, 0}));
    EXPECT_EQ(both_.rolling.counters().windows_across_change, 2U);
    both_.window(path, at_ms(60), 50, 0);
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 3), at_ms(0)), (Crossing{50, 0}));
}

TEST_F(RollingEvidenceTest, ATraceThatComesLateChangesNothing) {
    const PathId path = both_.add_path(0, 4, 1);
    both_.rolling.route(path, at_ms(50), *fabric_.graph.links_along(fabric_.hops(0, 4, 2)));
    both_.rolling.route(path, at_ms(40), *fabric_.graph.links_along(fabric_.hops(0, 4, 1)));
    EXPECT_EQ(both_.rolling.links_of(path), *fabric_.graph.links_along(fabric_.hops(0, 4, 2)));
    EXPECT_EQ(both_.rolling.counters().routes_late, 1U);
}

TEST_F(RollingEvidenceTest, WindowsOutOfReachAreCountedAndNotTaken) {
    const PathId path = both_.add_path(0, 4, 1);
    both_.rolling.forget_before(at_ms(1000));
    both_.rolling.add(path, {at_ms(900), at_ms(1010), 10, 0, 0, {}}, {});
    both_.rolling.add(path, {at_ms(1000), at_ms(1000 + 256 * 20), 10, 0, 0, {}}, {});
    both_.rolling.add(path, {at_ms(-5), Time{std::numeric_limits<std::int64_t>::max()}, 10, 0, 0, {}}, {});
    both_.rolling.add(path, {Time::earliest(), Time::earliest(), 10, 0, 0, {}}, {});
    EXPECT_EQ(both_.rolling.counters().windows_too_old, 3U);
    EXPECT_EQ(both_.rolling.counters().windows_ahead, 1U);
    EXPECT_EQ(both_.rolling.windows(), 0U);
}

TEST_F(RollingEvidenceTest, TheOldestEpochGivesWayWhereTooManyWindowsAreHeld) {
    RollingConfig config = Both::rolling_config();
    config.windows_most = 3;
    Both both(fabric_, config);
    const PathId path = both.add_path(0, 4, 1);
    both.trace(path, at_ms(0), fabric_.hops(0, 4, 2));
    for (int i = 1; i <= 10; ++i)
        both.window(path, at_ms(20 * i), 100, 1);
    EXPECT_EQ(both.rolling.windows(), 3U);
    EXPECT_EQ(both.rolling.counters().windows_over_limit, 7U);
    EXPECT_EQ(both.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{300, 3}));
}

TEST_F(RollingEvidenceTest, APathThatIsAnotherOneNowStartsAnew) {
    const PathId path = both_.add_path(0, 4, 1);
    both_.trace(path, at_ms(0), fabric_.hops(0, 4, 2));
    both_.window(path, at_ms(20), 100, 1);
    both_.rolling.restart(path);
    EXPECT_EQ(both_.rolling.link_count_of(path), 0U);
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{100, 1}));
    EXPECT_TRUE(both_.rolling.paths_across(uplink(0, 4, 2), at_ms(0), 9).empty());
    both_.rolling.forget_before(at_ms(500));
    EXPECT_EQ(both_.rolling.crossing(uplink(0, 4, 2), at_ms(0)), (Crossing{0, 0}));
}

// Host 0 says that what it sends over spine 2 gets lost; its neighbours' packets get there.
TEST_F(RollingEvidenceTest, OneHostCannotFrameALinkThatOthersProveGood) {
    std::vector<std::pair<PathId, bool>> paths;
    for (std::size_t from = 0; from < 8; ++from) {
        for (std::size_t i = 0; i < 12; ++i) {
            const std::size_t to = 4 + (from + i) % 12, spine = i % Fabric::kSpines;
            if (to == from) continue;
            paths.emplace_back(both_.add_path(from, to, static_cast<std::uint16_t>(i)),
                               from == 0 && spine == 2);
            both_.trace(paths.back().first, at_ms(0), fabric_.hops(from, to, spine));
        }
    }
    for (int step = 1; step <= 60; ++step) {
        for (const auto& [path, is_lie] : paths)
            both_.window(path, at_ms(20 * step), 400, is_lie ? 8 : 0);
    }
    for (const Time since : {at_ms(0), at_ms(207)}) {
        const Verdict verdict = both_.rolling.infer(Both::localiser_config(), since);
        expect_same(verdict, both_.all.infer(Both::localiser_config(), since));
        ASSERT_EQ(verdict.suspects.size(), 1U);
        EXPECT_EQ(verdict.suspects[0].kind, Suspect::Kind::Device);
        EXPECT_EQ(fabric_.graph.address(verdict.suspects[0].device), fabric_.address(0));
    }
}

TEST_F(RollingEvidenceTest, MoreRoutesThanAllowedAreCountedAndNotHeld) {
    RollingConfig config = Both::rolling_config();
    config.halves_most = 2;
    Both both(fabric_, config);
    both.trace(both.add_path(0, 4, 1), at_ms(0), fabric_.hops(0, 4, 2));
    const PathId second = both.add_path(1, 5, 1);
    both.trace(second, at_ms(0), fabric_.hops(1, 5, 2));
    EXPECT_EQ(both.rolling.link_count_of(second), 0U);
    EXPECT_EQ(both.rolling.counters().routes_over_limit, 1U);
}

}  // namespace
}  // namespace dyetrace::localise
