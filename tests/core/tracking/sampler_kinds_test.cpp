// SPDX-License-Identifier: GPL-2.0-or-later
// The kinds of sampling that look at the packet or the clock; the others are in sampler_test.cpp.
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/tracking/sampler.h"
#include "tests/core/tracking/guest_frames.h"

namespace dyetrace::test {
namespace {

using tracking::FlowFilter;
using tracking::FlowRule;
using tracking::Offered;
using tracking::Sampler;
using tracking::TagBucket;
using wire::SamplingSpec;
using Frame = std::vector<std::uint8_t>;

Offered offered(const Frame& frame, Time now = {}) {
    return {frame, Vni{1}, now};
}

/// Packets of many flows, each with an identification of its own.
std::vector<Frame> packets(int count) {
    std::vector<Frame> all;
    for (int i = 0; i < count; ++i) {
        FlowOf flow;
        flow.source_port = static_cast<std::uint16_t>(i % 97);
        flow.identification = static_cast<std::uint16_t>(i);
        all.push_back(ipv4_frame(flow));
    }
    return all;
}

std::set<int> taken(Sampler sampler, const std::vector<Frame>& frames) {
    std::set<int> chosen;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (sampler.sample(offered(frames[i]))) chosen.insert(static_cast<int>(i));
    }
    return chosen;
}

TEST(HashConsistentSampling, EveryObservationPointPicksTheSamePackets) {
    const auto spec = SamplingSpec::hash_consistent(0.1, 99);
    const std::vector<Frame> frames = packets(5'000);
    std::vector<Frame> elsewhere = frames;  // another hop, another order, and not all of them
    for (Frame& frame : elsewhere) {
        frame[0] ^= 1;
        frame[14 + 1] |= 3;
        frame[14 + 8] -= 3;
    }
    const std::set<int> here = taken(Sampler(spec, 1), frames);
    EXPECT_EQ(taken(Sampler(spec, 2), elsewhere), here);
    EXPECT_NEAR(static_cast<double>(here.size()), 500, 6 * 21.2);  // six standard deviations of the binomial
}

TEST(HashConsistentSampling, ASmallerShareIsAPartOfAGreaterOne) {
    const std::vector<Frame> frames = packets(5'000);
    const std::set<int> few = taken(Sampler(SamplingSpec::hash_consistent(0.02, 5), 1), frames);
    const std::set<int> more = taken(Sampler(SamplingSpec::hash_consistent(0.2, 5), 1), frames);
    EXPECT_TRUE(std::includes(more.begin(), more.end(), few.begin(), few.end()));
    EXPECT_GT(few.size(), 50U);
    EXPECT_EQ(taken(Sampler(SamplingSpec::hash_consistent(0, 5), 1), frames).size(), 0U);
    EXPECT_EQ(taken(Sampler(SamplingSpec::hash_consistent(1, 5), 1), frames).size(), frames.size());
}

TEST(HashConsistentSampling, AnotherSeedPicksOthers) {
    const std::vector<Frame> frames = packets(5'000);
    EXPECT_NE(taken(Sampler(SamplingSpec::hash_consistent(0.1, 1), 1), frames),
              taken(Sampler(SamplingSpec::hash_consistent(0.1, 2), 1), frames));
}

FlowFilter filter_of_port(std::uint16_t port) {
    FlowRule rule;
    rule.source_ports = {port, port};
    return {{rule}};
}

TEST(FilteredSampling, TheInnerRateIsOfWhatPassesTheFilter) {
    const FlowFilter filter = filter_of_port(3);
    const std::vector<Frame> frames = packets(9'700);  // 100 of each port
    Sampler sampler(SamplingSpec::every_nth(10).of_filtered(), 1, &filter);
    for (const Frame& frame : frames)
        (void)sampler.sample(offered(frame));
    EXPECT_EQ(sampler.tagged(), 10U);
    EXPECT_EQ(sampler.offered(), 9'700U);
}

TEST(FilteredSampling, EachKindIsFiltered) {
    const FlowFilter filter = filter_of_port(3);
    const std::vector<Frame> frames = packets(970);
    for (const SamplingSpec spec :
         {SamplingSpec::every_nth(1), SamplingSpec::probability(1), SamplingSpec::hash_consistent(1, 4),
          SamplingSpec::rate_budget(1, 1000)}) {
        for (const int chosen : taken(Sampler(spec.of_filtered(), 1, &filter), frames))
            EXPECT_EQ(chosen % 97, 3);
        EXPECT_EQ(taken(Sampler(spec.of_filtered(), 1, &filter), frames).size(), 10U);
        EXPECT_EQ(taken(Sampler(spec, 1, &filter), frames).size(), frames.size());  // unless it is asked for
    }
}

TEST(FilteredSampling, WithoutAFilterNothingPasses) {
    EXPECT_TRUE(taken(Sampler(SamplingSpec::every_nth(1).of_filtered(), 1), packets(100)).empty());
}

constexpr Duration kSecond = Duration::seconds(1);

TEST(RateBudget, NoStretchOfTimeHasMoreThanBurstAndRate) {
    // 1,000 a second, bursts of 20, from traffic that comes in bursts of its own.
    constexpr std::uint32_t kRate = 1'000;
    constexpr std::uint32_t kBurst = 20;
    const Frame frame = ipv4_frame({});
    Sampler sampler(SamplingSpec::rate_budget(kRate, kBurst), 1);
    Random random(3);
    std::vector<std::int64_t> tags;
    Time now{};
    for (int i = 0; i < 60'000; ++i) {
        now = now + Duration::microseconds(random.below(100) == 0 ? random.below(50'000) : random.below(20));
        if (sampler.sample(offered(frame, now))) tags.push_back(now.ns);
    }
    ASSERT_GT(tags.size(), 1'000U);
    for (std::size_t i = 0; i < tags.size(); ++i) {
        for (std::size_t j = i; j < tags.size() && j < i + 200; ++j) {
            const double most = kBurst + static_cast<double>(tags[j] - tags[i]) * 1e-9 * kRate;
            ASSERT_LE(static_cast<double>(j - i + 1), most + 1e-6);
        }
    }
}

TEST(RateBudget, WithEnoughPacketsTheRateIsAttainedToTheTag) {
    for (const std::uint32_t rate : {1U, 3U, 7U, 1'000U, 123'457U}) {
        TagBucket bucket(rate, 10);
        std::uint64_t tags = 0;
        Time now{};
        const Duration step = Duration{kSecond.ns / rate / 3 + 1};
        for (; now.ns < 20 * kSecond.ns / std::max(rate / 1'000, 1U); now = now + step)
            tags += bucket.take(now) ? 1 : 0;
        const double due = 10 + now.in_seconds() * rate;
        EXPECT_NEAR(static_cast<double>(tags), due, 1.5) << rate;
    }
}

TEST(RateBudget, ALongPauseFillsTheBucketAndNoMore) {
    TagBucket bucket(5, 7);
    for (const Time now : {Time{}, Time{1'000'000'000LL * 86'400 * 365}, Time::never()}) {
        int tags = 0;
        while (bucket.take(now))
            ++tags;
        EXPECT_EQ(tags, 7);
    }
}

TEST(RateBudget, AClockThatRunsBackwardsAccruesNothing) {
    TagBucket bucket(1'000, 1);
    EXPECT_TRUE(bucket.take(Time{kSecond.ns}));
    EXPECT_FALSE(bucket.take(Time{0}));
    EXPECT_FALSE(bucket.take(Time{kSecond.ns}));
    EXPECT_TRUE(bucket.take(Time{kSecond.ns + 1'000'000}));
}

TEST(RateBudget, TheLargestBudgetThatCanBeSaidOverflowsNothing) {
    TagBucket bucket(0xffff'ffff, SamplingSpec::kParameterMost);
    EXPECT_TRUE(bucket.take(Time{std::numeric_limits<std::int64_t>::min() + 1}));
    std::uint32_t tags = 0;
    while (bucket.take(Time::never()))
        ++tags;
    EXPECT_EQ(tags, SamplingSpec::kParameterMost);
}

// A directive may bring any kind, and be over at any time.
TEST(Sampler, GoesFromEachKindToEachOther) {
    const std::vector<Frame> frames = packets(2'000);
    const std::vector<SamplingSpec> specs = {SamplingSpec::every_nth(4), SamplingSpec::probability(0.25),
                                             SamplingSpec::hash_consistent(0.25, 8),
                                             SamplingSpec::rate_budget(1, 500)};
    for (const SamplingSpec& from : specs) {
        for (const SamplingSpec& to : specs) {
            Sampler sampler(from, 1);
            for (const Frame& frame : frames)
                (void)sampler.sample(offered(frame));
            sampler.set_spec(to);
            const std::uint64_t before = sampler.tagged();
            EXPECT_NEAR(static_cast<double>(before), 500, 120);
            for (const Frame& frame : frames)
                (void)sampler.sample(offered(frame));
            EXPECT_NEAR(static_cast<double>(sampler.tagged() - before), 500, 120);
            EXPECT_EQ(sampler.offered(), 4'000U);
        }
    }
}

}  // namespace
}  // namespace dyetrace::test
