// SPDX-License-Identifier: GPL-2.0-or-later
// Delays, clocks and round trips through two whole engines, against the scripted network's truth.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/quantile_sketch.h"
#include "core/base/random.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;

struct Sketch {
    SketchPool pool{SketchPool::kNodesOfFullSketch};
    QuantileSketch delays{pool};

    explicit Sketch(Bytes encoded) { EXPECT_TRUE(QuantileSketch::parse(encoded, delays).ok()); }
};

/// Host 0 sends to host 1, each packet tagged, on one path.
struct TimedPair {
    explicit TimedPair(std::uint64_t seed, const HostClock& requester, const HostClock& acceptor,
                       const Network::Configure& more = {})
        : net(seed) {
        net.keep_capture = false;
        for (const HostClock& clock : {requester, acceptor}) {
            net.add_host(
                [&](auto& config) {
                    config.path_count = 1;
                    config.sampling = wire::SamplingSpec::every_nth(1);
                    config.report_interval = Duration::milliseconds(20);
                    config.path_idle = Duration::seconds(5);
                    if (more) more(config);
                },
                clock);
        }
    }
    /// The session is open and its path has begun.
    void open() {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(3));
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(3));
    }
    [[nodiscard]] std::optional<eppc::SessionView> view(std::size_t host, Role role) {
        for (auto& view : net.engine(host).sessions()) {
            if (view.role == role) return view;
        }
        return std::nullopt;
    }

    Network net;
};

HostClock clock_off(std::int64_t offset_ns, std::int64_t ppb = 0) {
    HostClock clock;
    clock.offset = {offset_ns};
    clock.drift_ppb = ppb;
    return clock;
}

TEST(Timing, RawDelaysAreTheClocksDifferenceToTheNanosecond) {
    for (const std::int64_t offset : {0L, 987'654'321L, -987'654'321L}) {
        TimedPair pair(1, clock_off(0, 37'000), clock_off(offset, -61'000));
        Network& net = pair.net;
        pair.open();
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        std::int64_t most = std::numeric_limits<std::int64_t>::min();
        std::int64_t sum = 0;
        int count = 0;
        net.line(0, 1).hook = [&](Transit& transit) {
            if (!transit.seen.track) return Fate{};
            const Duration extra{count * 1'237};
            const Time arrival = net.now() + net.line(0, 1).delay + extra;
            const std::int64_t raw = net.host(1).clock.at(arrival).ns - net.clock_of(0).ns;
            least = std::min(least, raw);
            most = std::max(most, raw);
            sum += raw;
            ++count;
            return Fate{1, extra};
        };
        for (int i = 0; i < 50; ++i) {
            (void)net.send(0, 1);
            net.run_for(Duration::milliseconds(1));
        }
        ASSERT_TRUE(net.close_all());
        const wire::PathRecord record = net.host(0).metrics.back().record;
        ASSERT_EQ(record.delay_count, 50U);
        EXPECT_EQ(count, 50);
        EXPECT_EQ(record.delay_ns_min, least);
        EXPECT_EQ(record.delay_ns_max, most);
        EXPECT_EQ(record.delay_ns_sum, sum);
    }
}

TEST(Timing, ARoundTripLeavesOutHowLongTheAcceptorWaitedWithItsReport) {
    TimedPair pair(1, clock_off(0), clock_off(400'000'000));
    Network& net = pair.net;
    net.line(0, 1).delay = Duration::microseconds(70);
    net.line(1, 0).delay = Duration::microseconds(30);
    pair.open();
    for (int i = 0; i < 100; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(3));
    }
    ASSERT_FALSE(net.host(0).timings.empty());
    const wire::TimingEntry& timing = net.host(0).timings.back().timing;
    ASSERT_TRUE(timing.round_trip_known);
    EXPECT_EQ(timing.round_trip_min, Duration::microseconds(100));
    EXPECT_EQ(timing.round_trip_last, Duration::microseconds(100));
}

TEST(Timing, BothEndsKnowTheClocksDifference) {
    TimedPair pair(1, clock_off(250'000'000), clock_off(-300'000'000));
    Network& net = pair.net;
    pair.open();
    for (int i = 0; i < 200; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(5));
    }
    const auto requester = pair.view(0, Role::Requester);
    const auto acceptor = pair.view(1, Role::Acceptor);
    ASSERT_TRUE(requester && requester->clock);
    ASSERT_TRUE(acceptor && acceptor->clock);
    for (const auto& [view, truth] : {std::pair{requester, -550'000'000L}, {acceptor, 550'000'000L}}) {
        EXPECT_LE(std::abs(view->clock->estimate.offset.ns - truth), view->clock->estimate.bound.ns);
        // 10 us each way, and what 250 ppm of drift leave open for the 20 ms between reports at most.
        EXPECT_LE(view->clock->estimate.bound.ns, 10'000 + 5'000);
        EXPECT_EQ(view->clock_steps, 0U);
    }
}

TEST(Timing, ASketchOfCorrectedDelaysReachesTheRequester) {
    TimedPair pair(1, clock_off(0), clock_off(-900'000'000));
    Network& net = pair.net;
    pair.open();
    net.run_for(Duration::milliseconds(30));  // the clocks' difference is known by then
    net.line(0, 1).hook = [n = 0](Transit& transit) mutable {
        return transit.seen.track ? Fate{1, Duration::microseconds(n++ % 100)} : Fate{};
    };
    for (int i = 0; i < 1000; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::microseconds(1'100));
    }
    ASSERT_TRUE(net.close_all());
    const wire::TimingEntry& timing = net.host(0).timings.back().timing;
    ASSERT_TRUE(timing.sketch_corrected);
    const Sketch sketch(timing.sketch);
    EXPECT_EQ(sketch.delays.count(), 1000U);
    const double median = static_cast<double>(sketch.delays.quantile(0.5).value());
    EXPECT_NEAR(median, 59'500, 0.01 * 59'500 + static_cast<double>(timing.clock_bound.ns) + 5'000);
}

TEST(Timing, WithoutAnEstimateTheSketchIsOfRawDelaysAndSaysSo) {
    TimedPair pair(1, clock_off(0), clock_off(-900'000'000),
                   [](auto& config) { config.report_interval = Duration::seconds(1); });
    Network& net = pair.net;
    // No acknowledgement of a report arrives: the acceptor never hears how long its own packets took.
    net.line(0, 1).hook = lose_if([](const Transit& t) { return t.seen.is(wire::ControlType::ReportAck); });
    pair.open();
    for (int i = 0; i < 10; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(1));
    }
    net.engine(0).close_sessions(net.clock_of(0));
    net.settle(0);
    net.run_for(Duration::milliseconds(100));
    ASSERT_FALSE(net.host(0).timings.empty());
    const wire::TimingEntry& timing = net.host(0).timings.back().timing;
    EXPECT_FALSE(timing.sketch_corrected);
    const Sketch sketch(timing.sketch);
    EXPECT_EQ(sketch.delays.count(), 10U);
    EXPECT_EQ(sketch.delays.min(), -900'000'000 + 10'000);
}

TEST(Timing, ALostSketchIsMadeGoodByTheNextOne) {
    TimedPair pair(1, clock_off(0), clock_off(0));
    Network& net = pair.net;
    net.line(1, 0).hook = lose_first(wire::ControlType::DelaySketch, 2);
    pair.open();
    for (int i = 0; i < 100; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(10));
    }
    ASSERT_TRUE(net.close_all());
    const auto& timings = net.host(0).timings;
    ASSERT_FALSE(timings.empty());
    const Sketch sketch(timings.back().timing.sketch);
    EXPECT_GE(sketch.delays.count(), 97U);  // all but those before the clocks' difference was known
}

TEST(Timing, AMalformedSketchIsRefusedAndCounted) {
    TimedPair pair(1, clock_off(0), clock_off(0));
    Network& net = pair.net;
    net.line(1, 0).hook = [&net](Transit& transit) {
        if (transit.seen.is(wire::ControlType::DelaySketch)) {
            transit.bytes[kGenevePayload + wire::ControlHeader::kSize + 12] = 0xff;  // no such level
            net.seal_anew(transit.bytes);
        }
        return Fate{};
    };
    pair.open();
    for (int i = 0; i < 100; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(10));
    }
    EXPECT_GT(net.engine(0).drops().count(wire::DropReason::ControlBadField), 0U);
    for (const auto& timing : net.host(0).timings)
        EXPECT_TRUE(timing.timing.sketch.empty());
}

TEST(Timing, TheHealthServiceIsTold) {
    Network net;
    FakeNhms nhms(net);
    for (int i = 0; i < 2; ++i) {
        net.add_host([](auto& config) {
            config.path_count = 1;
            config.sampling = wire::SamplingSpec::every_nth(1);
            config.nhms = FakeNhms::kEndpoint;
            config.update_interval = Duration::milliseconds(10);
        });
    }
    for (int i = 0; i < 400; ++i) {
        (void)net.send(0, 1);
        net.run_for(Duration::milliseconds(1));
    }
    int corrected = 0;
    for (const auto& entry : nhms.entries) {
        const auto* timing = std::get_if<wire::TimingEntry>(&entry);
        if (timing == nullptr) continue;
        EXPECT_EQ(timing->peer, net.host(1).config.address);
        if (timing->clock_known && timing->round_trip_known && timing->sketch_corrected) ++corrected;
    }
    EXPECT_GT(corrected, 0);
}

/// What is drawn from a seed for one pair of hosts and the network between them.
struct ClockWorld {
    explicit ClockWorld(std::uint64_t seed) : random(seed) {
        for (HostClock* clock : {&requester, &acceptor}) {
            clock->offset = {uniform(-500'000'000, 500'000'000)};
            clock->drift_ppb = uniform(-50'000, 50'000);
        }
        for (Direction* direction : {&there, &back}) {
            direction->base = log_uniform(5'000, 500'000);
            direction->queue = log_uniform(1'000, 1'000'000);
        }
        if (random.below(2) == 0) {
            step_at = Time{uniform(200'000'000, 300'000'000)};
            step_size = {log_uniform(1'000, 1'000'000'000)};
            (random.below(2) == 0 ? requester : acceptor).step(step_at, step_size);
        }
    }
    struct Direction {
        std::int64_t base = 0;
        std::int64_t queue = 0;
        Time last{};  ///< arrival
    };
    std::int64_t uniform(std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(most - least));
    }
    std::int64_t log_uniform(std::int64_t least, std::int64_t most) {
        const double share = random.uniform();
        return static_cast<std::int64_t>(
            static_cast<double>(least) *
            std::pow(static_cast<double>(most) / static_cast<double>(least), share));
    }
    /// Empty queues now and then.
    Duration delay(const Direction& direction) {
        return {direction.base + (random.below(3) == 0 ? 0 : uniform(0, direction.queue + 1))};
    }

    Random random;
    HostClock requester;
    HostClock acceptor;
    Direction there;
    Direction back;
    Time step_at = Time::never();
    Duration step_size;
};

struct ClockTally {
    std::uint64_t offsets = 0;  ///< held against the truth
    std::uint64_t delays = 0;
    std::uint64_t excused = 0;  ///< between a step and its notice
    std::uint64_t excused_wrong = 0;
    int steps = 0;
    int noticed = 0;  ///< by both ends
};

class ClockTrial {
    /// Longer than any round trip, and what drift leaves open between two reports.
    static constexpr Duration kAlwaysNoticed = Duration::milliseconds(4);

  public:
    ClockTrial(std::uint64_t seed, ClockTally& tally)
        : world_(seed), tally_(tally), pair_(seed, world_.requester, world_.acceptor) {}

    /// Says what is wrong.
    std::string run() {
        Network& net = pair_.net;
        net.line(0, 1).delay = {};
        net.line(1, 0).delay = {};
        net.line(0, 1).hook = [this](Transit& transit) { return go_there(transit); };
        net.line(1, 0).hook = [this](Transit&) { return Fate{1, go(world_.back) - pair_.net.now()}; };
        pair_.open();
        while (net.now() < Time{550'000'000}) {
            (void)net.send(0, 1);
            net.run_for({world_.uniform(4'000'000, 16'000'000)});
            check_offset(0, Role::Requester);
            check_offset(1, Role::Acceptor);
        }
        check_steps();
        if (!net.close_all()) wrong("not closed");
        check_outputs();
        return wrong_;
    }

  private:
    void wrong(const std::string& what) {
        if (wrong_.empty()) wrong_ = what;
    }
    HostClock& clock(std::size_t host) { return pair_.net.host(host).clock; }
    /// The other host's clock less the host's, when the host's showed `at`; to 2 ns.
    std::int64_t theta(std::size_t host, Time at) {
        const Time when = clock(host).when(at, Time{});
        return (clock(1 - host).at(when) - clock(host).at(when)).ns;
    }
    [[nodiscard]] bool is_excused(Time when, std::uint32_t steps) const {
        return when >= world_.step_at && steps == 0;
    }
    void hold(std::int64_t error, std::int64_t bound, bool excused, std::uint64_t& count,
              const std::string& what) {
        const bool inside = std::abs(error) <= bound + 2;
        if (excused) {
            ++tally_.excused;
            tally_.excused_wrong += inside ? 0 : 1;
            return;
        }
        ++count;
        if (!inside)
            wrong(what + " is off by " + std::to_string(error) + ", bound " + std::to_string(bound) +
                  ", at " + std::to_string(pair_.net.now().ns));
    }
    void check_offset(std::size_t host, Role role) {
        const auto view = pair_.view(host, role);
        if (!view || !view->clock) return;
        const auto& [estimate, at] = *view->clock;
        hold(estimate.offset.ns - theta(host, at), estimate.bound.ns,
             is_excused(clock(host).when(at, Time{}), view->clock_steps), tally_.offsets, "offset");
        if (view->clock_steps > (pair_.net.now() >= world_.step_at ? 1U : 0U))
            wrong("a step was noticed where there was none");
    }
    void check_steps() {
        if (world_.step_at == Time::never()) return;
        ++tally_.steps;
        const auto requester = pair_.view(0, Role::Requester);
        const auto acceptor = pair_.view(1, Role::Acceptor);
        if (!requester || !acceptor) return wrong("the session is gone");
        if (requester->clock_steps == 1 && acceptor->clock_steps == 1) {
            ++tally_.noticed;
        } else if (world_.step_size > kAlwaysNoticed) {
            wrong("a step of " + std::to_string(world_.step_size.ns) + " ns was not noticed");
        }
    }
    /// When a packet that enters now arrives: behind those before it, since one path keeps their order.
    Time go(ClockWorld::Direction& direction) {
        direction.last = std::max(pair_.net.now() + world_.delay(direction), direction.last + Duration{1});
        return direction.last;
    }
    Fate go_there(Transit& transit) {
        Network& net = pair_.net;
        const Time arrival = go(world_.there);
        if (transit.seen.track) {
            const Time sent = net.now();
            net.at(arrival + Duration{1}, [this, sent, arrival] { check_delay(sent, arrival); });
        }
        return Fate{1, arrival - net.now()};
    }
    /// What the acceptor has just made of a tracked packet.
    void check_delay(Time sent, Time arrival) {
        const auto view = pair_.view(1, Role::Acceptor);
        if (!view || !view->clock) return;
        const auto& [estimate, at] = *view->clock;
        const Time now = clock(1).at(arrival);
        const std::int64_t since = (now - at).ns;
        const std::int64_t raw = (now - clock(0).at(sent)).ns;
        const std::int64_t corrected = raw + estimate.offset.ns + estimate.drift_ppb * since / 1'000'000'000;
        const std::int64_t bound =
            estimate.bound.ns + estimate.drift_bound_ppb * std::abs(since) / 1'000'000'000 + 4;
        corrected_.push_back(corrected);
        hold(corrected - (clock(0).at(arrival) - clock(0).at(sent)).ns, bound,
             is_excused(arrival, view->clock_steps), tally_.delays, "corrected delay");
    }
    void check_outputs() {
        const auto& timings = pair_.net.host(0).timings;
        if (timings.empty()) return wrong("no timing was told");
        for (const auto& [timing, at] : timings) {
            if (!timing.clock_known) continue;
            const Time measured{timing.measured_ns};
            hold(timing.clock_offset.ns - theta(0, measured), timing.clock_bound.ns,
                 is_excused(clock(0).when(measured, Time{}), timing.clock_steps), tally_.offsets,
                 "offset told");
        }
        const wire::TimingEntry& last = timings.back().timing;
        if (!last.sketch_corrected || corrected_.empty()) return wrong("no corrected delay was told");
        const Sketch sketch(last.sketch);
        const auto [least, most] = std::minmax_element(corrected_.begin(), corrected_.end());
        if (sketch.delays.count() != corrected_.size())
            wrong(std::to_string(corrected_.size()) + " packets, sketch of " +
                  std::to_string(sketch.delays.count()));
        if (std::abs(*sketch.delays.min() - *least) > 1 || std::abs(*sketch.delays.max() - *most) > 1)
            wrong("the sketch is of other delays");
    }

    ClockWorld world_;
    ClockTally& tally_;
    TimedPair pair_;
    std::vector<std::int64_t> corrected_;
    std::string wrong_;
};

TEST(Timing, OffsetsAndCorrectedDelaysAreInsideTheirBoundsInAThousandClockModels) {
    ClockTally tally;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed)
        EXPECT_EQ(ClockTrial(seed, tally).run(), "") << "seed " << seed;
    std::printf(
        "%llu offsets and %llu corrected delays inside; after steps %llu excused, %llu of them outside; "
        "%d steps, %d noticed by both ends\n",
        static_cast<unsigned long long>(tally.offsets), static_cast<unsigned long long>(tally.delays),
        static_cast<unsigned long long>(tally.excused), static_cast<unsigned long long>(tally.excused_wrong),
        tally.steps, tally.noticed);
    EXPECT_GT(tally.offsets, 50'000U);
    EXPECT_GT(tally.delays, 20'000U);
    EXPECT_GT(tally.noticed, 200);
    EXPECT_GT(tally.excused_wrong, 0U) << "no step has ever mattered";
}

}  // namespace
}  // namespace dyetrace::test
