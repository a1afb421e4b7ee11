// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/service_score.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::health {
namespace {

constexpr auto kFailed = static_cast<Health>(3);

Time at(double seconds) {
    return Time{static_cast<std::int64_t>(seconds * 1e9 + 0.5)};
}

ReachedPair pair(double loss, double queueing_ns = 0, double jitter_ns = 0, double ce = 0) {
    ReachedPair out;
    out.health = Health::Healthy;
    out.figures[Figure::Loss] = loss;
    out.figures[Figure::Queueing] = queueing_ns;
    out.figures[Figure::Jitter] = jitter_ns;
    out.figures[Figure::Ce] = ce;
    return out;
}

ServiceScores make(const ServiceScoreConfig& config = {}) {
    auto scores = ServiceScores::create(config);
    EXPECT_TRUE(scores.ok()) << scores.error();
    EXPECT_TRUE(scores->add_instance("web", "a", at(0)).ok());
    return std::move(scores).value();
}

double score(ServiceScores& scores, double now) {
    return scores.scores("web", at(now))[0].score;
}

TEST(NetworkQuality, HalvesAtEachFiguresHalf) {
    const ServiceScoreConfig config;
    EXPECT_EQ(network_quality(pair(0), config), 1.0);
    EXPECT_EQ(network_quality(pair(0.01), config), 0.5);
    EXPECT_EQ(network_quality(pair(0, 1e6), config), 0.5);
    EXPECT_EQ(network_quality(pair(0, 0, 1e6), config), 0.5);
    EXPECT_EQ(network_quality(pair(0, 0, 0, 0.5), config), 0.5);
    EXPECT_EQ(network_quality(pair(0.01, 1e6, 1e6, 0.5), config), 1.0 / 16);
}

TEST(NetworkQuality, FailedIsZeroAndNothingMeasuredIsNothing) {
    const ServiceScoreConfig config;
    ReachedPair failed;
    failed.health = kFailed;
    EXPECT_EQ(network_quality(failed, config), 0.0);
    EXPECT_FALSE(network_quality({}, config).has_value());
}

TEST(NetworkQuality, IsMonotoneAndFromZeroToOne) {
    const ServiceScoreConfig config;
    Random random(3);
    for (int round = 0; round < 10'000; ++round) {
        const auto draw = [&](double most) { return most * random.below(1001) / 1000; };
        double values[4] = {draw(1), draw(1e9), draw(1e9), draw(1)};
        const double before = *network_quality(pair(values[0], values[1], values[2], values[3]), config);
        ASSERT_GT(before, 0);
        ASSERT_LE(before, 1);
        values[random.below(4)] *= 1.0 + draw(1);
        const double after = *network_quality(pair(values[0], values[1], values[2], values[3]), config);
        ASSERT_LE(after, before);
    }
}

TEST(ServiceScore, NotMeasuredIsHalfOfEachFactor) {
    ServiceScores scores = make();
    auto of = scores.scores("web", at(5));
    ASSERT_EQ(of.size(), 1U);
    EXPECT_DOUBLE_EQ(of[0].score, 0.25);
    EXPECT_FALSE(of[0].own_measured);
    EXPECT_FALSE(of[0].network_measured);
    scores.set_own("web", "a", 1, at(5));
    scores.set_network("web", "a", {ReachedPair{}}, at(5));
    of = scores.scores("web", at(6));
    EXPECT_TRUE(of[0].own_measured);
    EXPECT_FALSE(of[0].network_measured);
    EXPECT_EQ(of[0].network, 0.5);
    EXPECT_EQ(of[0].directions, 0U);
}

TEST(ServiceScore, ApproachesOwnTimesNetwork) {
    ServiceScores scores = make();
    for (int second = 0; second < 100; ++second) {
        scores.set_own("web", "a", 0.8, at(second));
        scores.set_network("web", "a", {pair(0), pair(0.01)}, at(second));
    }
    EXPECT_NEAR(score(scores, 100), 0.8 * 0.75, 0.05);
    EXPECT_EQ(scores.scores("web", at(100))[0].directions, 2U);
}

TEST(ServiceScore, FallsWithItsTimeConstantAndRisesWithItsOwn) {
    ServiceScoreConfig config;
    config.step = 0;
    config.own_silence = Duration::seconds(1000);
    ServiceScores scores = make(config);
    scores.set_own("web", "a", 1, at(0));
    scores.set_network("web", "a", {pair(0)}, at(0));
    EXPECT_NEAR(score(scores, 10), 1 - 0.75 * std::exp(-1), 1e-9);
    score(scores, 300);
    scores.set_own("web", "a", 0, at(300));
    EXPECT_NEAR(score(scores, 301), std::exp(-1), 1e-6);
}

TEST(ServiceScore, DoesNotDependOnHowOftenItIsAsked) {
    ServiceScoreConfig config;
    config.step = 0;
    ServiceScores seldom = make(config);
    ServiceScores often = make(config);
    for (ServiceScores* scores : {&seldom, &often}) {
        scores->set_own("web", "a", 1, at(0));
        scores->set_network("web", "a", {pair(0.005)}, at(0));
    }
    // What it said of itself expires at 10 s on the way.
    for (int i = 1; i < 2000; ++i)
        score(often, i * 0.01);
    EXPECT_NEAR(score(seldom, 20), score(often, 20), 1e-9);
}

TEST(ServiceScore, DoesNotFlapOnNoise) {
    ServiceScores scores = make();
    Random random(8);
    double published = -1;
    int changes = 0;
    for (int tick = 0; tick < 2000; ++tick) {
        const double now = tick * 0.1;
        scores.set_own("web", "a", 1, at(now));
        scores.set_network("web", "a", {pair(0.004 + 0.002 * random.below(1000) / 1000)}, at(now));
        const double seen = score(scores, now);
        if (now > 60 && published >= 0 && seen != published) ++changes;
        published = seen;
    }
    EXPECT_EQ(changes, 0);
    EXPECT_NEAR(published, 1 / 1.5, 0.06);
}

TEST(ServiceScore, ReachesBothEnds) {
    ServiceScores scores = make();
    for (int second = 0; second < 200; ++second) {
        scores.set_own("web", "a", 1, at(second));
        scores.set_network("web", "a", {pair(0)}, at(second));
    }
    EXPECT_GT(score(scores, 200), 0.99);
    scores.set_own("web", "a", 0, at(200));
    EXPECT_LT(score(scores, 209), 0.01);
}

TEST(ServiceScore, StaysFromZeroToOneAndHigherInputsNeverScoreLower) {
    ServiceScoreConfig config;
    config.step = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Random random(seed);
        ServiceScores low = make(config);
        ServiceScores high = make(config);
        for (int tick = 0; tick < 100; ++tick) {
            const double now = tick * 0.3;
            const double own = random.below(1000) / 1000.0;
            const double loss = random.below(1000) / 1000.0;
            low.set_own("web", "a", own * 0.9, at(now));
            high.set_own("web", "a", own, at(now));
            low.set_network("web", "a", {pair(loss)}, at(now));
            high.set_network("web", "a", {pair(loss * 0.5)}, at(now));
            const double below = score(low, now + 0.2);
            const double above = score(high, now + 0.2);
            ASSERT_LE(below, above) << "seed " << seed << " tick " << tick;
            ASSERT_GE(below, 0);
            ASSERT_LE(above, 1);
        }
    }
}

TEST(ServiceScore, RefusesAndCountsWhatIsNoHealth) {
    ServiceScores scores = make();
    for (const double bad : {-0.1, 1.1, std::nan(""), std::numeric_limits<double>::infinity()})
        EXPECT_FALSE(scores.set_own("web", "a", bad, at(1)));
    EXPECT_FALSE(scores.set_own("web", "b", 1, at(1)));
    EXPECT_FALSE(scores.set_network("web", "b", {}, at(1)));
    EXPECT_EQ(scores.refused(), 6U);
    EXPECT_FALSE(scores.scores("web", at(1))[0].own_measured);
}

TEST(ServiceScore, InstancesAreBoundedAndNamedOnce) {
    ServiceScoreConfig config;
    config.instances = 2;
    ServiceScores scores = make(config);
    EXPECT_EQ(scores.add_instance("web", "a", at(0)).error(), "instance: it is there already");
    EXPECT_EQ(scores.add_instance("web", "", at(0)).error(), "instance: empty, or too long");
    EXPECT_EQ(scores.add_instance(std::string(65, 'x'), "a", at(0)).error(), "service: empty, or too long");
    ASSERT_TRUE(scores.add_instance("web", "b", at(0)).ok());
    EXPECT_EQ(scores.add_instance("web", "c", at(0)).error(), "instances: the table is full");
    scores.remove_instance("web", "a");
    EXPECT_TRUE(scores.add_instance("api", "c", at(0)).ok());
    ASSERT_EQ(scores.scores("web", at(1)).size(), 1U);
    EXPECT_EQ(scores.scores("web", at(1))[0].instance, "b");
}

TEST(ServiceScore, BadConfigurationIsNamed) {
    const auto error = [](auto change) {
        ServiceScoreConfig config;
        change(config);
        const auto scores = ServiceScores::create(config);
        return scores ? std::string() : scores.error();
    };
    EXPECT_EQ(error([](auto& c) { c.loss_half = 0; }), "loss_half: not above zero");
    EXPECT_EQ(error([](auto& c) { c.ce_half = std::nan(""); }), "ce_half: not above zero");
    EXPECT_EQ(error([](auto& c) { c.queueing_half = {}; }), "queueing_half: not above zero");
    EXPECT_EQ(error([](auto& c) { c.jitter_half = {}; }), "jitter_half: not above zero");
    EXPECT_EQ(error([](auto& c) { c.unknown = 2; }), "unknown: not from 0 to 1");
    EXPECT_EQ(error([](auto& c) { c.step = -1; }), "step: not from 0 to 1");
    EXPECT_EQ(error([](auto& c) { c.own_silence = {}; }), "own_silence: not above zero");
}

TEST(ServiceScore, ReadsTheViewsPairsOfAGuest) {
    const IpAddress one{Ipv4Address{1}};
    const IpAddress two{Ipv4Address{2}};
    const Vni vni{5};
    ClientView view =
        ClientView::create({}, {{"red", {vni}, {{"a", vni, one}, {"b", vni, two}, {"c", vni, two}}, {}}})
            .value();
    MetricsWindow window;
    window.sent = 1000;
    window.lost = 10;
    view.add(one, two, window, at(0));
    const auto pairs = pairs_of(view, TenantId{0}, "a", 100, at(0.1));
    ASSERT_EQ(pairs.size(), 2U);  // to b and to c; nothing was heard of the way back
    EXPECT_EQ(network_quality(pairs[0], {}), 0.5);
    EXPECT_EQ(pairs_of(view, TenantId{0}, "a", 1, at(0.1)).size(), 1U);
}

}  // namespace
}  // namespace dyetrace::health
