// SPDX-License-Identifier: GPL-2.0-or-later
// Rolling evidence of paths that were traced only in part.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/localise/rolling_evidence.h"
#include "tests/core/localise/rolling_fabric.h"

namespace dyetrace::localise {
namespace {

using test::at_ms;
using test::expect_same;
using Fabric = test::RackFabric;
using Spines = std::map<std::size_t, double>;  ///< that a path may cross, with weights

constexpr Duration kEpoch = Duration::milliseconds(20);

LocaliserConfig localiser_config() {
    LocaliserConfig config;
    config.epoch = kEpoch;
    // Links on no path with a loss, which rolling evidence leaves out, are links that are well: then they do
    // not count in the share that is learned.
    config.faulty_share_strength = 1e12;
    return config;
}

RollingConfig rolling_config() {
    RollingConfig config;
    config.epoch = kEpoch;
    config.epochs_most = 256;
    return config;
}

/// Rolling evidence, and each window and what is known of each path beside it, for a localiser.
class Both final : public PathNames {
  public:
    explicit Both(const Fabric& fabric, RollingConfig config = rolling_config())
        : fabric_(fabric), seen_(fabric.graph.link_count()), rolling(fabric.graph, *this, config, at_ms(0)) {}

    PathId add_path(std::size_t from, std::size_t to, std::uint16_t index) {
        paths_.push_back({from, to, {}, {}});
        keys_.push_back({fabric_.address(from), fabric_.address(to), SessionId{1}, PathIndex{index}, {}});
        return PathId{static_cast<std::uint32_t>(paths_.size() - 1)};
    }
    [[nodiscard]] std::vector<NewChoice> ways(PathId path, const Spines& spines) const {
        std::vector<NewChoice> ways;
        for (const auto& [spine, weight] : spines)
            ways.push_back({links(path, spine), weight});
        return ways;
    }
    [[nodiscard]] std::vector<LinkId> links(PathId path, std::size_t spine) const {
        const Known& known = paths_[path.value];
        return *fabric_.graph.links_along(fabric_.hops(known.from, known.to, spine));
    }
    /// A trace that leaves these; what was known before stands.
    void trace(PathId path, Time at, const Spines& spines) {
        rolling.route_among(path, at, ways(path, spines));
        Spines& known = paths_[path.value].spines;
        Spines fit;
        double weight = 0;
        for (const auto& [spine, w] : spines) {
            if (known.empty() || known.contains(spine)) weight += fit[spine] = w;
        }
        for (auto& [spine, w] : fit)
            w /= weight;
        known = fit;
    }
    void window(PathId path, Time start, Time end, std::uint32_t sent, std::uint32_t lost,
                Duration waited = {}) {
        const Duration least = Duration::microseconds(15);
        const std::uint32_t delays = waited.ns > 0 ? 8 : 0;
        rolling.add(path, {start, end, sent, lost, delays, least + waited}, least);
        const bool congested = lost > 0 && waited >= rolling_config().short_queue;
        paths_[path.value].windows.push_back({start, end, sent, lost, congested});
    }
    [[nodiscard]] Verdict localiser_says(Time since, LocaliserConfig config = localiser_config()) {
        Localiser localiser(fabric_.graph, config);
        localiser.use_sets(sets_);
        for (std::uint32_t p = 0; p < paths_.size(); ++p) {
            const Known& known = paths_[p];
            if (known.spines.empty()) continue;
            auto choices = ways(PathId{p}, known.spines);
            const bool is_one = choices.size() == 1;
            const auto common = is_one ? choices.front().links : take_common(choices, seen_);
            Observation flow{common, 0, 0};
            if (!is_one) flow.set = sets_.intern(choices);
            for (const Sent& sent : known.windows) {
                if (sent.start < since) continue;
                if (is_one) {
                    localiser.add({common, sent.sent, sent.lost, Window{sent.start, sent.end, 0, {}}});
                } else if (!sent.congested) {
                    flow.sent += sent.sent;
                    flow.lost += sent.lost;
                }
            }
            if (flow.sent > 0) localiser.add(flow);  // all its packets took the same way
        }
        return localiser.infer();
    }
    [[nodiscard]] PathKey key(PathId path) const override { return keys_[path.value]; }

  private:
    struct Sent {
        Time start, end;
        std::uint32_t sent, lost;
        bool congested;
    };
    struct Known {
        std::size_t from, to;
        Spines spines;
        std::vector<Sent> windows;
    };
    const Fabric& fabric_;
    std::vector<Known> paths_;
    std::vector<PathKey> keys_;
    PathSets sets_;
    std::vector<std::uint32_t> seen_;

  public:
    RollingEvidence rolling;
};

/// A second and more in which switches answer now and then, so that less and less is open of each path. What
/// is said is not the same to the last digit: a localiser also judges links on no path with a loss, and what
/// it believes of those shifts the chances of ways that have them.
std::size_t live(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Fabric fabric;
    Both both(fabric);
    struct Live {
        PathId id;
        std::size_t spine;
        Time ended;
    };
    std::vector<Live> paths;
    // How flows split is the fabric's, whichever switches answer.
    const auto some_spines = [&](std::size_t with) {
        Spines spines;
        double weight = 0;
        for (std::size_t s = 0; s < Fabric::kSpines; ++s) {
            if (s == with || random.below(2) == 0) weight += spines[s] = 1 + static_cast<double>(s % 3);
        }
        for (auto& [spine, w] : spines)
            w /= weight;
        return spines;
    };
    for (std::uint16_t i = 0; i < 96; ++i) {
        const std::size_t from = random.below(16);
        std::size_t to = (from + 4 + random.below(9)) % 16;
        if (to / Fabric::kHosts == from / Fabric::kHosts) to = (to + Fabric::kHosts) % 16;
        paths.push_back({both.add_path(from, to, i), random.below(Fabric::kSpines), at_ms(0)});
        if (i % 3 == 0) both.trace(paths.back().id, at_ms(0), {{paths.back().spine, 1}});
        if (i % 3 == 1) both.trace(paths.back().id, at_ms(0), some_spines(paths.back().spine));
    }
    const LinkId bad{random.below(static_cast<std::uint32_t>(fabric.graph.link_count()))};
    const std::uint32_t one_in = 10 + random.below(40);
    constexpr int kSteps = 50;
    std::size_t named = 0;
    for (int step = 1; step <= kSteps; ++step) {
        for (Live& path : paths) {
            // The first path keeps the clocks of both at the same origin.
            const bool is_first = path.id.value == 0;
            if (!is_first && random.below(5) == 0) continue;
            const Time end = at_ms(20 * step) + Duration{is_first ? 0 : random.below(15'000'000)};
            const std::uint32_t sent = 50 + random.below(400);
            std::uint32_t lost = 0;
            const auto links = both.links(path.id, path.spine);
            if (std::find(links.begin(), links.end(), bad) != links.end()) {
                for (std::uint32_t i = 0; i < sent; ++i)
                    lost += random.below(one_in) == 0 ? 1 : 0;
            }
            both.window(path.id, path.ended, end, sent, lost);
            path.ended = end;
            if (!is_first && random.below(25) == 0) both.trace(path.id, end, some_spines(path.spine));
        }
        const Time since = at_ms(20 * std::max(step - 30, 0));
        both.rolling.forget_before(since);
        if (step % 20 != 10) continue;
        for (const Time from : {since, at_ms(20 * (step - 9) + 7)}) {
            const Verdict verdict = both.rolling.infer(localiser_config(), from);
            expect_same(verdict, both.localiser_says(from), 0.1);
            named += verdict.suspects.size();
        }
    }
    EXPECT_GT(both.rolling.counters().routes_narrowed, 20U);
    both.rolling.forget_before(at_ms(100'000));
    EXPECT_EQ(both.rolling.windows(), 0U);
    for (std::uint32_t link = 0; link < fabric.graph.link_count(); ++link)
        EXPECT_EQ(both.rolling.crossing(LinkId{link}, at_ms(100'000)), (Crossing{0, 0}));
    return named;
}

TEST(RollingWays, SayWhatALocaliserSaysOfTheSameSets) {
    std::size_t named = 0;
    for (std::uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed)
        named += live(seed);
    EXPECT_GT(named, 12U);
}

class RollingWaysTest : public testing::Test {
  protected:
    /// A path from host 0 to host 4, traced at `ms` as far as these spines.
    PathId path(const Spines& spines, std::int64_t ms = 10) {
        const PathId path = both_.add_path(0, 4, paths_++);
        both_.trace(path, at_ms(ms), spines);
        return path;
    }
    [[nodiscard]] LinkId uplink(std::size_t spine) const {
        return fabric_.graph.links_along(fabric_.hops(0, 4, spine))->at(1);
    }
    [[nodiscard]] LinkId host_link() const {
        return fabric_.graph.links_along(fabric_.hops(0, 4, 0))->front();
    }
    [[nodiscard]] Crossing across(std::size_t spine, Time since = at_ms(0)) const {
        return both_.rolling.crossing(uplink(spine), since);
    }

    const Fabric fabric_;
    Both both_{fabric_};
    std::uint16_t paths_ = 0;
};

const Spines kAny{{0, 0.25}, {1, 0.25}, {2, 0.25}, {3, 0.25}};

TEST_F(RollingWaysTest, WhatAllWaysShareIsCrossedForCertainAndTheRestByWeight) {
    const PathId one = path({{1, 0.75}, {2, 0.25}});
    both_.window(one, at_ms(10), at_ms(20), 400, 4);
    both_.window(one, at_ms(20), at_ms(40), 400, 0);
    EXPECT_EQ(both_.rolling.windows_waiting(), 0U);
    EXPECT_EQ(both_.rolling.ways_of(one), 2U);
    EXPECT_EQ(both_.rolling.link_count_of(one), 4U);
    EXPECT_TRUE(both_.rolling.links_of(one).empty());
    for (const Time since : {at_ms(0), at_ms(5), at_ms(20)}) {
        const std::uint64_t windows = since < at_ms(20) ? 2 : 1;
        const std::uint64_t lost = since < at_ms(20) ? 4 : 0;
        EXPECT_EQ(both_.rolling.crossing(host_link(), since), (Crossing{400 * windows, lost}));
        EXPECT_EQ(across(1, since), (Crossing{300 * windows, lost * 3 / 4}));
        EXPECT_EQ(across(2, since), (Crossing{100 * windows, lost / 4}));
        EXPECT_EQ(across(3, since), (Crossing{0, 0}));
    }
}

TEST_F(RollingWaysTest, PairsThatMayCrossCountAndPathsOnlyForCertain) {
    const PathId maybe = path(kAny), certain = both_.add_path(1, 5, 9);
    both_.trace(certain, at_ms(10), {{1, 1}});
    both_.window(maybe, at_ms(20), at_ms(40), 300, 0);
    both_.window(certain, at_ms(20), at_ms(40), 100, 0);
    const auto pairs = both_.rolling.pairs_across(uplink(1), at_ms(0), 9);
    ASSERT_EQ(pairs.size(), 2U);
    EXPECT_EQ(pairs[0].first, fabric_.address(1));  // 100 packets to a quarter of 300
    EXPECT_EQ(both_.rolling.paths_across(uplink(1), at_ms(0), 9), std::vector{both_.key(certain)});
    EXPECT_EQ(both_.rolling.paths_across(host_link(), at_ms(0), 9), std::vector{both_.key(maybe)});
}

TEST_F(RollingWaysTest, AFullTraceLaterSettlesWindowsThatAreHeld) {
    const PathId one = both_.add_path(0, 4, 1);
    both_.window(one, at_ms(0), at_ms(20), 100, 2);
    EXPECT_EQ(both_.rolling.windows_waiting(), 1U);
    both_.trace(one, at_ms(30), kAny);
    EXPECT_EQ(both_.rolling.windows_waiting(), 0U);
    EXPECT_EQ(across(3), (Crossing{25, 1}));
    both_.trace(one, at_ms(40), {{2, 0.5}, {3, 0.5}});
    EXPECT_EQ(across(1), (Crossing{0, 0}));
    EXPECT_EQ(across(3), (Crossing{50, 1}));
    both_.rolling.route(one, at_ms(50), both_.links(one, 3));
    EXPECT_EQ(across(2), (Crossing{0, 0}));
    EXPECT_EQ(across(3), (Crossing{100, 2}));
    EXPECT_EQ(both_.rolling.links_of(one), both_.links(one, 3));
    EXPECT_EQ(both_.rolling.counters().routes_narrowed, 2U);
    EXPECT_EQ(both_.rolling.counters().routes_changed, 0U);
    EXPECT_EQ(both_.rolling.counters().windows_across_change, 0U);
}

TEST_F(RollingWaysTest, TwoTracesThatOverlapLeaveWhatFitsBoth) {
    const PathId one = path({{0, 0.25}, {1, 0.5}, {2, 0.25}});
    both_.window(one, at_ms(10), at_ms(20), 300, 0);
    both_.rolling.route_among(one, at_ms(30), both_.ways(one, {{1, 0.5}, {2, 0.25}, {3, 0.25}}));
    EXPECT_EQ(both_.rolling.ways_of(one), 2U);
    EXPECT_EQ(across(1), (Crossing{200, 0}));
    EXPECT_EQ(across(2), (Crossing{100, 0}));
    both_.rolling.route_among(one, at_ms(40), both_.ways(one, {{2, 0.5}, {3, 0.5}}));
    EXPECT_EQ(both_.rolling.links_of(one), both_.links(one, 2));
}

TEST_F(RollingWaysTest, WaysThatCameTooLateAreOnNoLink) {
    RollingConfig config = rolling_config();
    config.halves_most = 2;  // what all ways have in common, and one set
    Both both(fabric_, config);
    const PathId held = both.add_path(0, 4, 1), late = both.add_path(0, 4, 2);
    both.rolling.route_among(held, at_ms(0), both.ways(held, {{0, 0.5}, {1, 0.5}}));
    both.rolling.route_among(late, at_ms(0), both.ways(late, {{2, 0.5}, {3, 0.5}}));
    EXPECT_EQ(both.rolling.ways_of(late), 0U);
    EXPECT_EQ(both.rolling.counters().routes_over_limit, 1U);
    both.window(held, at_ms(100), at_ms(120), 100, 2);
    both.window(late, at_ms(100), at_ms(120), 100, 2);
    EXPECT_EQ(both.rolling.crossing(both.links(held, 1)[1], at_ms(100)), (Crossing{50, 1}));
    EXPECT_EQ(both.rolling.crossing(both.links(late, 2)[1], at_ms(100)), (Crossing{}));
    EXPECT_TRUE(both.rolling.paths_across(both.links(late, 2)[1], at_ms(100), 9).empty());
}

TEST_F(RollingWaysTest, APartialTraceThatFitsARouteTakesNothingFromIt) {
    const PathId one = path({{2, 1}});
    both_.window(one, at_ms(10), at_ms(20), 100, 1);
    both_.rolling.route_among(one, at_ms(30), both_.ways(one, kAny));
    EXPECT_EQ(both_.rolling.links_of(one), both_.links(one, 2));
    EXPECT_EQ(across(2), (Crossing{100, 1}));
    EXPECT_EQ(both_.rolling.traced(one).last, at_ms(10));  // it may be another by now
}

TEST_F(RollingWaysTest, ATraceThatContradictsASetIsAChangeOfRoute) {
    const PathId one = path({{0, 0.5}, {1, 0.5}});
    both_.window(one, at_ms(0), at_ms(10), 100, 0);
    both_.window(one, at_ms(10), at_ms(30), 100, 0);
    both_.window(one, at_ms(40), at_ms(60), 100, 0);
    both_.rolling.route_among(one, at_ms(35), both_.ways(one, {{2, 0.5}, {3, 0.5}}));
    EXPECT_EQ(across(0), (Crossing{50, 0}));
    EXPECT_EQ(across(2), (Crossing{50, 0}));
    EXPECT_EQ(both_.rolling.counters().windows_across_change, 1U);
    // What was before stays as it was when the new set is narrowed.
    both_.rolling.route(one, at_ms(70), both_.links(one, 3));
    EXPECT_EQ(across(0), (Crossing{50, 0}));
    EXPECT_EQ(across(3), (Crossing{100, 0}));
    both_.rolling.route_among(one, at_ms(20), both_.ways(one, {{0, 0.5}, {1, 0.5}}));
    EXPECT_EQ(both_.rolling.counters().routes_late, 1U);
    both_.rolling.route(one, at_ms(80), both_.links(one, 0));
    EXPECT_EQ(both_.rolling.links_of(one), both_.links(one, 0));
}

TEST_F(RollingWaysTest, WhatALongQueueMayHaveDroppedIsNobodysFault) {
    const PathId one = path(kAny);
    for (int i = 1; i <= 50; ++i) {
        const bool is_congested = i % 4 == 0;
        both_.window(one, at_ms(20 * i), at_ms(20 * i + 20), 1000, is_congested ? 9 : 0,
                     Duration::microseconds(is_congested ? 400 : 5));
    }
    const LaidOut laid_out = both_.rolling.lay_out(localiser_config(), at_ms(0));
    EXPECT_TRUE(laid_out.evidence.lossy.empty());
    EXPECT_TRUE(both_.rolling.infer(localiser_config(), at_ms(0)).suspects.empty());
    EXPECT_TRUE(both_.localiser_says(at_ms(0)).suspects.empty());
}

// One window lost something by this way and the next by another: that is what no path does.
TEST_F(RollingWaysTest, AllWindowsOfAPathTookTheSameWay) {
    const PathId one = path(kAny);
    for (int i = 0; i < 50; ++i)
        both_.window(one, at_ms(20 * i), at_ms(20 * i + 20), 100, 5 * (i % 2));
    const Evidence evidence = both_.rolling.lay_out(localiser_config(), at_ms(0)).evidence;
    ASSERT_EQ(evidence.lossy.size(), 1U);
    EXPECT_EQ(evidence.lossy[0].lost, 125);
    EXPECT_EQ(evidence.lossy[0].sent, 5000);
    EXPECT_EQ(evidence.lossy[0].epoch, kNoEpoch);
    EXPECT_EQ(evidence.sets.at(evidence.lossy[0].set).choice_count, 4U);
}

TEST_F(RollingWaysTest, WhatNothingTellsApartIsNamedAsAGroup) {
    const PathId clean = both_.add_path(1, 8, 1);
    both_.trace(clean, at_ms(0), {{0, 1}});
    for (int i = 0; i < 100; ++i) {
        const Time start = at_ms(20 * i), end = at_ms(20 * i + 20);
        both_.window(clean, start, end, 2000, 0);
        for (std::size_t spine = 0; spine < 4; ++spine) {
            if (i == 0) path({{2, 0.5}, {3, 0.5}}, 0);
            both_.window(PathId{static_cast<std::uint32_t>(1 + spine)}, start, end, 500,
                         spine % 2 == 0 ? 10 : 0);
        }
        if (i == 0) {
            const PathId other = both_.add_path(0, 5, 9);  // the host's link is well, and its rack's are
            both_.trace(other, at_ms(0), {{1, 1}});
        }
        both_.window(PathId{5}, start, end, 2000, 0);
    }
    const Verdict verdict = both_.rolling.infer(localiser_config(), at_ms(0));
    ASSERT_FALSE(verdict.suspects.empty());
    std::map<LinkId, int> groups;
    for (const Suspect& suspect : verdict.suspects) {
        if (suspect.kind == Suspect::Kind::Link)
            groups[*fabric_.graph.link(suspect.from, suspect.to)] = suspect.group;
    }
    ASSERT_TRUE(groups.contains(uplink(2)));
    ASSERT_TRUE(groups.contains(uplink(3)));
    EXPECT_GE(groups[uplink(2)], 0);
    EXPECT_EQ(groups[uplink(2)], groups[uplink(3)]);
}

TEST_F(RollingWaysTest, OfARestartedPathNothingIsLeft) {
    const PathId one = path(kAny);
    both_.window(one, at_ms(10), at_ms(20), 400, 4);
    both_.rolling.restart(one);
    EXPECT_EQ(both_.rolling.ways_of(one), 0U);
    EXPECT_EQ(across(1), (Crossing{0, 0}));
    both_.rolling.forget_before(at_ms(500));
    // Nothing is left of it that would tell links apart.
    const PathId other = both_.add_path(0, 4, 7);
    both_.trace(other, at_ms(500), kAny);
    both_.window(other, at_ms(500), at_ms(520), 4000, 400);
    const LaidOut laid_out = both_.rolling.lay_out(localiser_config(), at_ms(500));
    ASSERT_EQ(laid_out.unit_links.size(), 5U);  // the hosts' links; each spine's two
    for (const auto& links : laid_out.unit_links)
        EXPECT_EQ(links.size(), 2U);
}

TEST_F(RollingWaysTest, EqualSetsAreHeldOnceAndMoreThanAllowedAreCounted) {
    RollingConfig config = rolling_config();
    config.set_links_most = 8;
    Both both(fabric_, config);
    const PathId one = both.add_path(0, 4, 1), same = both.add_path(1, 5, 1), other = both.add_path(0, 8, 1);
    for (const PathId path : {one, same, other})
        both.rolling.route_among(path, at_ms(0), both.ways(path, kAny));
    EXPECT_EQ(both.rolling.ways_of(one), 4U);
    EXPECT_EQ(both.rolling.ways_of(same), 4U);
    EXPECT_EQ(both.rolling.ways_of(other), 0U);
    EXPECT_EQ(both.rolling.counters().routes_over_limit, 1U);
    both.rolling.route(other, at_ms(10), both.links(other, 2));
    EXPECT_EQ(both.rolling.links_of(other), both.links(other, 2));
}

TEST_F(RollingWaysTest, WhereManyLinksAreJudgedTheClearedOnesAreLeftOutOfSetsToo) {
    RollingConfig config = rolling_config();
    config.judged_at_least = 1;
    Both both(fabric_, config);
    std::vector<PathId> paths;
    for (std::uint16_t i = 0; i < 16; ++i) {
        paths.push_back(both.add_path(i / 4, 4 + i / 4, i));
        const std::size_t spine = i % 4;
        if (spine == 3) {
            both.trace(paths.back(), at_ms(0), kAny);
        } else {
            both.trace(paths.back(), at_ms(0), {{spine, 1}});
        }
    }
    for (int step = 0; step < 12; ++step) {
        for (std::uint16_t i = 0; i < 16; ++i)
            both.window(paths[i], at_ms(20 * step), at_ms(20 * step + 20), i % 4 == 3 ? 1000 : 400'000,
                        i % 4 == 3 ? 5 : 0);
    }
    const LaidOut laid_out = both.rolling.lay_out(localiser_config(), at_ms(0));
    ASSERT_EQ(laid_out.unit_links.size(), 1U);
    EXPECT_EQ(laid_out.unit_links[0].size(), 2U);  // up to the spine and down from it
    ASSERT_FALSE(laid_out.evidence.lossy.empty());
    EXPECT_GT(laid_out.evidence.lossy[0].others_rate, 0);
    bool is_named = false;
    for (const Suspect& suspect : both.rolling.infer(localiser_config(), at_ms(0)).suspects) {
        if (suspect.kind == Suspect::Kind::Link)
            is_named |= *fabric_.graph.link(suspect.from, suspect.to) == uplink(3);
    }
    EXPECT_TRUE(is_named);
}

}  // namespace
}  // namespace dyetrace::localise
