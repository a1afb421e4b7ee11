// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::test {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

double uniform(Random& random) {
    return (static_cast<double>(random.next() >> 11) + 0.5) * 0x1p-53;
}
double normal(Random& random) {
    const double radius = std::sqrt(-2 * std::log(uniform(random)));
    return radius * std::cos(2 * 3.14159265358979323846 * uniform(random));
}

/// |claim - truth| <= 1% of |truth|, in integers.
bool within_one_percent(std::int64_t claim, std::int64_t truth) {
    __extension__ using Wide = __int128;
    const Wide error = Wide{claim} - truth;
    return (error < 0 ? -error : error) * 100 <= (truth < 0 ? -Wide{truth} : Wide{truth});
}

QuantileSketch sketch_of(SketchPool& pool, const std::vector<std::int64_t>& values) {
    QuantileSketch sketch(pool);
    for (const std::int64_t value : values)
        EXPECT_TRUE(sketch.add(value));
    return sketch;
}

TEST(SketchBuckets, EachReachesFromWhereTheOneBeforeEndsToWithinOnePercentOfItsValue) {
    std::uint64_t next = 1;
    for (BucketIndex i = 1; i <= kBucketsPerSign; ++i) {
        const std::uint64_t begin = bucket_begin(i);
        const std::uint64_t end = bucket_end(i);
        ASSERT_EQ(begin, next) << i;
        ASSERT_LE(begin, end) << i;
        for (const std::uint64_t magnitude : {begin, end}) {
            const auto negative = static_cast<std::int64_t>(-magnitude);  // 2^63 has this sign only
            ASSERT_EQ(bucket_of(negative), -i) << magnitude;
            ASSERT_TRUE(within_one_percent(bucket_value(static_cast<BucketIndex>(-i)), negative))
                << magnitude;
            if (magnitude > static_cast<std::uint64_t>(kGreatest)) continue;
            ASSERT_EQ(bucket_of(static_cast<std::int64_t>(magnitude)), i) << magnitude;
            ASSERT_TRUE(within_one_percent(bucket_value(i), static_cast<std::int64_t>(magnitude)))
                << magnitude;
        }
        next = end + 1;
    }
    EXPECT_EQ(next, (std::uint64_t{1} << 63) + 1);
    EXPECT_EQ(bucket_of(0), 0);
    EXPECT_EQ(bucket_value(0), 0);
}

TEST(SketchBuckets, AreAsWideAsOnePercentAllows) {
    for (BucketIndex i = 1; i < kBucketsPerSign; ++i) {
        // Whatever value stands for it, one number more at the end would be too many.
        const std::uint64_t begin = bucket_begin(i);
        const std::uint64_t greatest_value = begin + begin / 100;
        const std::uint64_t beyond = bucket_end(i) + 1;
        EXPECT_GT((beyond - greatest_value) * 100.0L, static_cast<long double>(beyond)) << i;
    }
}

TEST(SketchBuckets, SmallNumbersAreExact) {
    for (std::int64_t value = -98; value <= 98; ++value)
        EXPECT_EQ(bucket_value(bucket_of(value)), value);
}

TEST(SketchBuckets, KeepTheOrderOfNumbers) {
    Random random(5);
    for (int i = 0; i < 100'000; ++i) {
        const auto one = static_cast<std::int64_t>(random.next()) >> random.below(64);
        const auto other = static_cast<std::int64_t>(random.next()) >> random.below(64);
        ASSERT_TRUE(within_one_percent(bucket_value(bucket_of(one)), one)) << one;
        ASSERT_LE(bucket_of(std::min(one, other)), bucket_of(std::max(one, other))) << one << " " << other;
    }
}

TEST(QuantileSketch, AnEmptyOneHasNoQuantiles) {
    SketchPool pool(10);
    const QuantileSketch sketch(pool);
    EXPECT_EQ(sketch.count(), 0U);
    EXPECT_FALSE(sketch.quantile(0.5));
    EXPECT_FALSE(sketch.min());
    EXPECT_FALSE(sketch.max());
    EXPECT_EQ(pool.free(), 10U);
}

struct Distribution {
    std::string name;
    std::function<double(Random&)> draw;
};

class Quantiles : public testing::TestWithParam<Distribution> {};

TEST_P(Quantiles, AreWithinOnePercentOfTheExactOnes) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Random random(seed);
        std::vector<std::int64_t> values(20'011);
        for (std::int64_t& value : values)
            value = static_cast<std::int64_t>(std::clamp(GetParam().draw(random), -9.2e18, 9.2e18));
        SketchPool pool(SketchPool::kNodesOfFullSketch);
        const QuantileSketch sketch = sketch_of(pool, values);
        std::sort(values.begin(), values.end());
        ASSERT_EQ(sketch.count(), values.size());
        EXPECT_EQ(sketch.min(), values.front());
        EXPECT_EQ(sketch.max(), values.back());
        for (const double q : {0.0, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
            const auto rank = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
            EXPECT_TRUE(within_one_percent(*sketch.quantile(q), values[rank]))
                << "seed " << seed << " q " << q << ": " << *sketch.quantile(q) << " for " << values[rank];
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Quantiles,
    testing::Values(
        Distribution{"Uniform", [](Random& r) { return 1e6 * uniform(r); }},
        Distribution{"Lognormal", [](Random& r) { return 1e5 * std::exp(0.8 * normal(r)); }},
        Distribution{"Pareto", [](Random& r) { return 1e4 * std::pow(uniform(r), -1 / 0.7); }},
        Distribution{"Bimodal",
                     [](Random& r) { return (uniform(r) < 0.7 ? 2e4 : 1.5e6) * (1 + 0.1 * normal(r)); }},
        Distribution{"Negative", [](Random& r) { return -1e9 + 3e5 * std::exp(normal(r)); }},
        Distribution{"AroundZero", [](Random& r) { return 2e3 * normal(r); }},
        Distribution{"AllMagnitudes",
                     [](Random& r) { return std::exp2(63 * uniform(r)) * (uniform(r) < 0.5 ? -1 : 1); }}),
    [](const auto& of) { return of.param.name; });

TEST(QuantileSketch, HoldsTheExtremesOfInt64) {
    SketchPool pool(100);
    QuantileSketch sketch = sketch_of(pool, {kLeast, kLeast + 1, -1, 0, 1, kGreatest - 1, kGreatest});
    EXPECT_EQ(sketch.quantile(0), -kGreatest);
    EXPECT_EQ(sketch.min(), kLeast);
    EXPECT_EQ(sketch.quantile(0.5), 0);
    EXPECT_EQ(sketch.quantile(1), kGreatest);
}

TEST(QuantileSketch, AShareOutsideZeroToOneIsTheNearerEnd) {
    SketchPool pool(100);
    const QuantileSketch sketch = sketch_of(pool, {1, 2, 3});
    EXPECT_EQ(sketch.quantile(-1), 1);
    EXPECT_EQ(sketch.quantile(std::nan("")), 1);
    EXPECT_EQ(sketch.quantile(7), 3);
    EXPECT_FALSE(sketch.value_at(3));
}

std::vector<std::int64_t> random_values(std::uint64_t seed, int count) {
    Random random(seed);
    std::vector<std::int64_t> values(static_cast<std::size_t>(count));
    for (std::int64_t& value : values)
        value = static_cast<std::int64_t>(random.next()) >> (20 + random.below(40));
    return values;
}

TEST(QuantileSketch, MergingIsTheSameAsAddingAll) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SketchPool pool(2000);
        SketchPool other_pool(2000);
        const auto one = random_values(seed, 300);
        const auto two = random_values(seed + 100, 500);
        QuantileSketch merged = sketch_of(pool, one);
        merged.merge(sketch_of(other_pool, two));
        auto all = one;
        all.insert(all.end(), two.begin(), two.end());
        EXPECT_EQ(merged, sketch_of(pool, all)) << "seed " << seed;
    }
}

TEST(QuantileSketch, MergingIsAssociativeAndCommutative) {
    SketchPool pool(5000);
    const auto a = random_values(1, 400);
    const auto b = random_values(2, 300);
    const auto c = random_values(3, 200);
    QuantileSketch left = sketch_of(pool, a);  // (a + b) + c
    left.merge(sketch_of(pool, b));
    left.merge(sketch_of(pool, c));
    QuantileSketch inner = sketch_of(pool, b);  // a + (b + c)
    inner.merge(sketch_of(pool, c));
    QuantileSketch right = sketch_of(pool, a);
    right.merge(inner);
    EXPECT_EQ(left, right);
    inner.merge(sketch_of(pool, a));
    EXPECT_EQ(left, inner);
}

/// As it is read back by whoever got it in a message with so much room.
QuantileSketch sent(SketchPool& pool, const QuantileSketch& sketch, std::size_t room) {
    std::vector<std::uint8_t> bytes(room);
    bytes.resize(*sketch.encode_into(bytes));
    QuantileSketch read(pool);
    EXPECT_TRUE(QuantileSketch::parse(bytes, read).ok());
    return read;
}

TEST(QuantileSketch, TellsWhatWasAddedSinceAnEarlierState) {
    SketchPool pool(20000);
    Random random(5);
    std::vector<std::int64_t> first, second;
    for (int i = 0; i < 3000; ++i) {
        first.push_back(static_cast<std::int64_t>(50'000 * std::exp(normal(random))));
        second.push_back(static_cast<std::int64_t>(900'000 * std::exp(0.3 * normal(random))) - 200'000);
    }
    std::vector<std::int64_t> both = first;
    both.insert(both.end(), second.begin(), second.end());
    std::sort(second.begin(), second.end());
    const QuantileSketch now = sketch_of(pool, both);
    for (const std::size_t room : {4096, 500, 200}) {
        const QuantileSketch before = sent(pool, sketch_of(pool, first), room);
        const auto added = now.since(before);
        ASSERT_TRUE(added.has_value()) << room;
        EXPECT_EQ(added->count(), second.size());
        EXPECT_EQ(added->error_per_mille(), before.error_per_mille());
        for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 1.0}) {
            const auto exact = static_cast<double>(
                second[static_cast<std::size_t>(q * static_cast<double>(second.size() - 1))]);
            const double error = added->error_per_mille() / 1000.0;
            EXPECT_NEAR(static_cast<double>(*added->quantile(q)), exact, std::abs(exact) * error)
                << room << " " << q;
        }
        const double exact =
            std::accumulate(second.begin(), second.end(), 0.0) / static_cast<double>(second.size());
        EXPECT_NEAR(*added->mean(), exact, exact * added->error_per_mille() / 1000.0);
    }
}

TEST(QuantileSketch, WasNeverWhatHasMoreInAnyBucket) {
    SketchPool pool(2000);
    const QuantileSketch now = sketch_of(pool, {-7, 10, 10, 500});
    EXPECT_TRUE(now.since(now).has_value());
    EXPECT_EQ(now.since(now)->count(), 0U);
    EXPECT_FALSE(now.since(now)->mean().has_value());
    EXPECT_TRUE(now.since(QuantileSketch(pool)).has_value());
    EXPECT_TRUE(now.since(sketch_of(pool, {10, 500})).has_value());
    EXPECT_FALSE(now.since(sketch_of(pool, {10, 10, 10})).has_value());
    EXPECT_FALSE(now.since(sketch_of(pool, {-900})).has_value());  // below all
    EXPECT_FALSE(now.since(sketch_of(pool, {50})).has_value());    // between two
    EXPECT_FALSE(now.since(sketch_of(pool, {9000})).has_value());  // above all
}

TEST(QuantileSketch, SaysNothingOfWhatItsPoolHasNoRoomFor) {
    SketchPool pool(6);
    const QuantileSketch now = sketch_of(pool, {10, 500'000});
    EXPECT_FALSE(now.since(QuantileSketch(pool)).has_value());
    EXPECT_EQ(pool.free(), 6U - now.nodes());
}

TEST(QuantileSketch, MergingWithAnEmptyOneChangesNothing) {
    SketchPool pool(100);
    QuantileSketch sketch = sketch_of(pool, {5, 6});
    sketch.merge(QuantileSketch(pool));
    EXPECT_EQ(sketch, sketch_of(pool, {5, 6}));
    QuantileSketch empty(pool);
    empty.merge(sketch);
    EXPECT_EQ(empty, sketch);
    sketch.merge(sketch);
    EXPECT_EQ(sketch, sketch_of(pool, {5, 6, 5, 6}));
}

TEST(QuantileSketch, GivesItsNodesBackAndTheNextOneFindsThemClean) {
    SketchPool pool(SketchPool::kNodesOfFullSketch);
    for (int round = 0; round < 3; ++round) {
        QuantileSketch sketch = sketch_of(pool, random_values(9, 2000));
        EXPECT_EQ(pool.free(), pool.capacity() - sketch.nodes());
        QuantileSketch moved = std::move(sketch);
        EXPECT_EQ(moved.count(), 2000U);
        if (round == 0) moved.clear();
    }
    EXPECT_EQ(pool.free(), pool.capacity());
    EXPECT_EQ(sketch_of(pool, {7}).count(), 1U);
}

TEST(QuantileSketch, EveryBucketThereIsFitsIntoAFullSketchsNodes) {
    SketchPool pool(SketchPool::kNodesOfFullSketch);
    QuantileSketch sketch(pool);
    for (int i = -kBucketsPerSign; i <= kBucketsPerSign; ++i)
        EXPECT_TRUE(sketch.add(bucket_value(static_cast<BucketIndex>(i))));
    EXPECT_EQ(pool.free(), 0U);
    EXPECT_EQ(sketch.count(), 2U * kBucketsPerSign + 1);
    for (int i = -kBucketsPerSign; i <= kBucketsPerSign; ++i)
        EXPECT_EQ(sketch.value_at(static_cast<std::uint64_t>(i + kBucketsPerSign)),
                  bucket_value(static_cast<BucketIndex>(i)));
}

TEST(QuantileSketch, WhatAnExhaustedPoolHasNoRoomForIsCountedAndNothingElseChanges) {
    SketchPool pool(5);
    QuantileSketch first = sketch_of(pool, {1000, 1001, 1'000'000});  // 3 nodes, and 1 or 2 more
    QuantileSketch second(pool);
    EXPECT_FALSE(second.add(42));
    EXPECT_EQ(second.count(), 0U);
    EXPECT_EQ(second.not_recorded(), 1U);
    EXPECT_EQ(second.min(), 42);
    EXPECT_FALSE(second.quantile(0.5));
    EXPECT_EQ(second.nodes(), 0U);
    const std::uint32_t free = pool.free();
    EXPECT_FALSE(first.add(-5));  // a sign without a root
    EXPECT_EQ(pool.free(), free);
    EXPECT_TRUE(first.add(1000));  // its node is there
    EXPECT_EQ(first.count(), 4U);
    EXPECT_EQ(first.not_recorded(), 1U);
    EXPECT_EQ(first.min(), -5);
    second.merge(first);
    EXPECT_EQ(second.not_recorded(), 6U);
    EXPECT_EQ(second.count(), 0U);
}

TEST(QuantileSketch, NoSketchTakesMoreThanItsShare) {
    SketchPool pool(1000, 20);
    QuantileSketch greedy(pool);
    for (const std::int64_t value : random_values(4, 5000))
        (void)greedy.add(value);
    EXPECT_LE(greedy.nodes(), 20U);
    EXPECT_GT(greedy.not_recorded(), 0U);
    EXPECT_EQ(greedy.count() + greedy.not_recorded(), 5000U);
    EXPECT_EQ(sketch_of(pool, {1, 1'000'000, 1'000'000'000}).count(), 3U);
}

TEST(QuantileSketch, ABucketThatIsFullCountsTheRestAsNotRecorded) {
    SketchPool pool(10);
    QuantileSketch sketch = sketch_of(pool, {7});
    for (int i = 0; i < 32; ++i)
        sketch.merge(sketch);  // doubles: 2^32
    EXPECT_EQ(sketch.count(), std::numeric_limits<std::uint32_t>::max());
    EXPECT_EQ(sketch.not_recorded(), 1U);
    EXPECT_FALSE(sketch.add(7));
    for (int i = 0; i < 80; ++i)
        sketch.merge(sketch);
    EXPECT_EQ(sketch.not_recorded(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(sketch.quantile(0.5), 7);
}

TEST(QuantileSketch, TenThousandOfRealisticDelaysFitInto40Megabytes) {
    constexpr int kSketches = 10'000;
    SketchPool pool(600'000);
    std::vector<QuantileSketch> sketches;
    sketches.reserve(kSketches);
    std::size_t encoded = 0;
    std::size_t encoded_most = 0;
    std::uint64_t buckets = 0;
    // Lognormal around 140 us; 10 us and 2 ms are its thousandths.
    Random random(1);
    std::vector<std::int64_t> delays(1 << 16);
    for (std::int64_t& delay : delays)
        delay = static_cast<std::int64_t>(std::clamp(141'421 * std::exp(0.857 * normal(random)), 1e4, 2e6));
    for (int i = 0; i < kSketches; ++i) {
        std::vector<bool> seen(kBucketsPerSign + 1);
        QuantileSketch& sketch = sketches.emplace_back(pool);
        for (int sample = 0; sample < 1000; ++sample) {
            const std::int64_t value = delays[random.below(1 << 16)];
            ASSERT_TRUE(sketch.add(value));
            seen[static_cast<std::size_t>(bucket_of(value))] = true;
        }
        buckets += static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), true));
        const std::size_t size = sketch.encoded_size(1400).value();
        encoded += size;
        encoded_most = std::max(encoded_most, size);
    }
    const std::size_t nodes = pool.capacity() - pool.free();
    const std::size_t bytes = nodes * sizeof(SketchPool::Node) + kSketches * sizeof(QuantileSketch);
    std::printf(
        "10000 sketches: %.1f MB, %zu nodes, %.1f buckets each, %.1f bytes a bucket; encoded %zu bytes, at "
        "most %zu\n",
        static_cast<double>(bytes) / 1e6, nodes, static_cast<double>(buckets) / kSketches,
        static_cast<double>(nodes * sizeof(SketchPool::Node)) / static_cast<double>(buckets),
        encoded / kSketches, encoded_most);
    EXPECT_LE(bytes, 40'000'000U);
    EXPECT_LE(sizeof(QuantileSketch), 56U);
    EXPECT_EQ(pool.memory(), 600'001 * sizeof(SketchPool::Node));
}

}  // namespace
}  // namespace dyetrace::test
