// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/probe.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::health {
namespace {

using Point = PacketMatcher::Point;
using Side = ProbeObservation::Side;

constexpr Duration kUs = Duration::microseconds(1);
constexpr Vni kVni{100};

TEST(DelayHistogram, QuantilesAreWithinTheirBound) {
    Random random(4);
    DelayHistogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t value = static_cast<std::int64_t>(random.next() >> (24 + random.below(36)));
        values.push_back(value);
        histogram.add(Duration::nanoseconds(value));
    }
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(q * 20'000 + 0.5));
        const auto real = static_cast<double>(values[rank - 1]);
        EXPECT_NEAR(static_cast<double>(histogram.quantile(q)->ns), real, real / 64 + 1e-9) << q;
    }
    EXPECT_EQ(histogram.min()->ns, values.front());
    EXPECT_EQ(histogram.max()->ns, values.back());
}

TEST(DelayHistogram, ShowsWhatIsBelowZeroAndBeyondItsRange) {
    DelayHistogram histogram;
    EXPECT_FALSE(histogram.quantile(0.5).has_value());
    EXPECT_FALSE(histogram.min().has_value());
    histogram.add(Duration::nanoseconds(-5));
    histogram.add(Duration::seconds(100'000));
    EXPECT_EQ(histogram.quantile(0)->ns, -5);
    EXPECT_EQ(histogram.quantile(1), Duration::seconds(100'000));
}

TEST(DelayHistogram, PartsAddUpToTheWhole) {
    DelayHistogram one;
    DelayHistogram other;
    DelayHistogram both;
    for (int i = 1; i < 100; ++i) {
        (i % 2 == 0 ? one : other).add(kUs * i);
        both.add(kUs * i);
    }
    one.add(other);
    one.add(DelayHistogram{});
    for (const double q : {0.0, 0.3, 0.7, 1.0})
        EXPECT_EQ(one.quantile(q), both.quantile(q));
    EXPECT_EQ(one.count(), both.count());
}

TEST(PacketMatcher, MatchesWhicheverComesFirst) {
    PacketMatcher matcher({});
    matcher.see(Point::First, 1, Time{1000}, Time{5000});
    matcher.see(Point::Second, 1, Time{1700}, Time{6000});
    matcher.see(Point::Second, 2, Time{2900}, Time{7000});
    matcher.see(Point::First, 2, Time{2000}, Time{8000});
    EXPECT_EQ(matcher.counts().delivered, 2U);
    EXPECT_EQ(matcher.delays().min()->ns, 700);
    EXPECT_EQ(matcher.delays().max()->ns, 900);
}

TEST(PacketMatcher, WhatDoesNotComeIsLostOnlyAfterItsTime) {
    PacketMatcher matcher({10, Duration::seconds(1)});
    matcher.see(Point::First, 1, Time{0}, Time{0});
    matcher.see(Point::Second, 2, Time{0}, Time{0});
    matcher.advance(Time{999'999'999});
    EXPECT_EQ(matcher.counts().lost, 0U);
    EXPECT_EQ(matcher.next_deadline(), Time{1'000'000'000});
    matcher.advance(Time{1'000'000'000});
    EXPECT_EQ(matcher.counts().lost, 1U);
    EXPECT_EQ(matcher.counts().strays, 1U);
    EXPECT_EQ(matcher.waiting(), 0U);
    EXPECT_EQ(matcher.next_deadline(), Time::never());
}

TEST(DelayHistogram, ANinetyNinthOfFewIsTheirGreatest) {
    DelayHistogram histogram;
    for (int i = 0; i < 10; ++i)
        histogram.add(Duration::nanoseconds(i < 9 ? 10 : 1000));
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99)->ns), 1000, 1000.0 / 64);
    EXPECT_EQ(histogram.quantile(0.9)->ns, 10);
}

TEST(PacketMatcher, WhatNobodyLookedForIsNotJudged) {
    PacketMatcher matcher({10, Duration::seconds(1)});
    matcher.see(Point::First, 1, Time{0}, Time{0}, false);
    matcher.see(Point::First, 2, Time{0}, Time{0}, false);
    matcher.see(Point::Second, 2, Time{7}, Time{0});
    matcher.see(Point::Second, 3, Time{7}, Time{0});
    matcher.see(Point::First, 4, Time{0}, Time{0});
    matcher.doubt();
    matcher.see(Point::First, 5, Time{0}, Time{0});
    matcher.advance(Time{2'000'000'000});
    const MatcherCounts& counts = matcher.counts();
    EXPECT_EQ(counts.unjudged, 3U);
    EXPECT_EQ(counts.delivered, 0U);
    EXPECT_EQ(counts.lost, 1U);
    EXPECT_EQ(counts.strays, 1U);
    EXPECT_EQ(counts.first, counts.delivered + counts.lost + counts.unjudged + counts.ambiguous);
    EXPECT_EQ(matcher.delays().max()->ns, 7);
}

TEST(PacketMatcher, EqualPacketsAreNoLoss) {
    PacketMatcher matcher({10, Duration::seconds(1)});
    matcher.see(Point::First, 1, Time{0}, Time{0});
    matcher.see(Point::First, 1, Time{1}, Time{1});
    matcher.see(Point::Second, 1, Time{2}, Time{2});
    matcher.advance(Time{2'000'000'000});
    EXPECT_EQ(matcher.counts().ambiguous, 2U);
    EXPECT_EQ(matcher.counts().ambiguous_there, 1U);
    EXPECT_EQ(matcher.counts().lost, 0U);
    EXPECT_EQ(matcher.counts().delivered, 0U);
}

TEST(PacketMatcher, ADuplicateOnTheWayLeavesTheFirstDelivered) {
    PacketMatcher matcher({10, Duration::seconds(1)});
    matcher.see(Point::First, 1, Time{0}, Time{0});
    matcher.see(Point::Second, 1, Time{5}, Time{5});
    matcher.see(Point::Second, 1, Time{9}, Time{9});
    EXPECT_EQ(matcher.counts().delivered, 1U);
    EXPECT_EQ(matcher.counts().ambiguous_there, 1U);
    EXPECT_EQ(matcher.delays().max()->ns, 5);
}

TEST(PacketMatcher, WithoutRoomItCountsNothingElse) {
    PacketMatcher matcher({2, Duration::seconds(1)});
    for (std::uint32_t i = 0; i < 5; ++i)
        matcher.see(Point::First, i, Time{0}, Time{0});
    EXPECT_EQ(matcher.counts().first, 2U);
    EXPECT_EQ(matcher.counts().overflow, 3U);
}

TEST(PacketMatcher, RandomLossIsCountedExactlyAndTheSumsHold) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Random random(seed);
        PacketMatcher matcher({100'000, Duration::seconds(1)});
        std::uint64_t lost = 0;
        std::uint64_t sent = 0;
        for (std::uint32_t i = 0; i < 3000; ++i) {
            const Time at{i * 1'000'000LL};
            const bool drop = random.below(20) == 0;
            const bool late_word = random.below(2) == 0;  // the first point's word comes after the second's
            ++sent;
            lost += drop ? 1 : 0;
            if (!late_word) matcher.see(Point::First, i, at, at);
            if (!drop) matcher.see(Point::Second, i, at + kUs * 50, at);
            if (late_word) matcher.see(Point::First, i, at, at);
        }
        matcher.advance(Time{10'000'000'000});
        const MatcherCounts& counts = matcher.counts();
        EXPECT_EQ(counts.lost, lost) << "seed " << seed;
        EXPECT_EQ(counts.delivered, sent - lost) << "seed " << seed;
        EXPECT_EQ(counts.first, counts.delivered + counts.lost + counts.ambiguous) << "seed " << seed;
    }
}

const Tenant& tenant() {
    static const Tenant kTenant(TenantSpec{"red",
                                           {kVni, Vni{101}},
                                           {{"web", kVni, Ipv4Address{1}},
                                            {"db", kVni, Ipv4Address{2}},
                                            {"cache", kVni, Ipv4Address{3}},
                                            {"other", Vni{101}, Ipv4Address{3}}},
                                           {}});
    return kTenant;
}

void pass(LogicalProbes& probes, std::string_view from, std::string_view to, std::uint32_t packet,
          bool arrives, Time at) {
    probes.observe({kVni, from, to, Side::Ingress, packet, at}, at);
    if (arrives) probes.observe({kVni, from, to, Side::Egress, packet, at + kUs * 80}, at + kUs * 80);
}

TEST(LogicalProbes, TellCountsLossAndDelayOfANetwork) {
    LogicalProbes probes({});
    ASSERT_TRUE(probes.add(tenant(), {"all", kVni, "", "", 1}).ok());
    ASSERT_TRUE(probes.add(tenant(), {"web-db", kVni, "web", "db", 1}).ok());
    for (std::uint32_t i = 0; i < 100; ++i) {
        pass(probes, "web", "db", i, i % 10 != 0, Time{i * 1000LL});
        pass(probes, "cache", "db", 1000 + i, true, Time{i * 1000LL});
    }
    probes.advance(Time{60'000'000'000});
    const auto results = probes.results(kVni);
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(results[0].name, "all");
    EXPECT_DOUBLE_EQ(*results[0].loss, 0.05);
    EXPECT_DOUBLE_EQ(*results[1].loss, 0.1);
    EXPECT_EQ(results[1].delays, 90U);
    EXPECT_NEAR(static_cast<double>(results[1].delay_p99->ns), 80'000, 1300);
    EXPECT_EQ(results[1].delay_max, kUs * 80);
    EXPECT_EQ(
        to_string(results[1]),
        "web-db (VNI 100, web -> db, 100% of packets): loss 10% of 100 packets (5.52% to 17.4% with 95% "
        "confidence), delay 80us, at most 80us");  // 99% of 90 is no number of packets
    EXPECT_TRUE(probes.results(Vni{101}).empty());
}

TEST(LogicalProbes, AShareIsTheSameAtBothEnds) {
    LogicalProbes probes({});
    ASSERT_TRUE(probes.add(tenant(), {"some", kVni, "", "", 0.1}).ok());
    Random random(2);
    for (std::uint32_t i = 0; i < 10'000; ++i)
        pass(probes, "web", "db", random.next_u32(), true, Time{i * 1000LL});
    probes.advance(Time{60'000'000'000});
    const auto result = probes.results(kVni)[0];
    EXPECT_EQ(result.counts.lost, 0U);
    EXPECT_EQ(result.counts.strays, 0U);
    EXPECT_NEAR(static_cast<double>(result.counts.first), 1000, 120);  // four standard deviations
    EXPECT_EQ(probes.unwanted(), 2 * (10'000 - result.counts.first));
}

TEST(LogicalProbes, NothingSettledIsNotMeasured) {
    LogicalProbes probes({});
    ASSERT_TRUE(probes.add(tenant(), {"all", kVni, "", "", 1}).ok());
    pass(probes, "web", "db", 1, false, Time{0});
    EXPECT_FALSE(probes.results(kVni)[0].loss.has_value());
    EXPECT_NE(to_string(probes.results(kVni)[0]).find("no packet is settled"), std::string::npos);
    EXPECT_EQ(probes.next_deadline(), Time{3'000'000'000});
}

TEST(LogicalProbes, BadOnesAreRefusedInWords) {
    ProbeBounds bounds;
    bounds.probes = 1;
    LogicalProbes probes(bounds);
    EXPECT_EQ(probes.add(tenant(), {"", kVni, "", "", 1}).error(), "name: empty, or too long");
    EXPECT_EQ(probes.add(tenant(), {"p", kVni, "", "", 1.5}).error(), "share: not from 0 to 1");
    EXPECT_EQ(probes.add(tenant(), {"p", kVni, "other", "", 1}).error(),
              "from: there is no such guest in that network");
    EXPECT_EQ(probes.add(tenant(), {"p", kVni, "", "stranger", 1}).error(),
              "to: there is no such guest in that network");
    EXPECT_EQ(probes.add(tenant(), {"p", Vni{999}, "", "", 1}).error(),
              "from: there is no such guest in that network");
    ASSERT_TRUE(probes.add(tenant(), {"p", kVni, "", "", 1}).ok());
    EXPECT_EQ(probes.add(tenant(), {"p", kVni, "", "", 1}).error(), "name: it is there already");
    EXPECT_EQ(probes.add(tenant(), {"q", kVni, "", "", 1}).error(), "probes: the table is full");
    EXPECT_TRUE(probes.remove(kVni, "p"));
    EXPECT_FALSE(probes.remove(kVni, "p"));
}

}  // namespace
}  // namespace dyetrace::health
