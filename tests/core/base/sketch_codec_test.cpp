// SPDX-License-Identifier: GPL-2.0-or-later
// The encoding of quantile sketches, as core/base/quantile_sketch.h lays it out.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/quantile_sketch.h"
#include "core/base/random.h"

namespace dyetrace::test {
namespace {

using Buffer = std::vector<std::uint8_t>;

class SketchCodec : public testing::Test {
  protected:
    QuantileSketch of(std::initializer_list<std::int64_t> values) {
        QuantileSketch sketch(pool);
        for (const std::int64_t value : values)
            sketch.add(value);
        return sketch;
    }
    QuantileSketch random(std::uint64_t seed, int count, unsigned shift_least) {
        Random random(seed);
        QuantileSketch sketch(pool);
        for (int i = 0; i < count; ++i)
            sketch.add(static_cast<std::int64_t>(random.next()) >>
                       (shift_least + random.below(63 - shift_least)));
        return sketch;
    }
    static Buffer encoded(const QuantileSketch& sketch, std::size_t room = 1 << 16) {
        Buffer bytes(room);
        bytes.resize(sketch.encode_into(bytes).value());
        EXPECT_EQ(sketch.encoded_size(room), bytes.size());
        return bytes;
    }
    QuantileSketch parsed(const Buffer& bytes) {
        QuantileSketch sketch(pool);
        EXPECT_TRUE(QuantileSketch::parse(bytes, sketch).ok());
        return sketch;
    }
    void expect_refused(const Buffer& bytes, SketchError reason) {
        QuantileSketch sketch(pool);
        const auto result = QuantileSketch::parse(bytes, sketch);
        ASSERT_FALSE(result.ok()) << to_string(reason);
        EXPECT_EQ(to_string(result.error()), to_string(reason));
        EXPECT_EQ(sketch.count(), 0U);
        EXPECT_EQ(sketch.nodes(), 0U);
        EXPECT_FALSE(sketch.min());
    }

    SketchPool pool{4096};
};

// By hand: numbers up to 98 are their own bucket. Level 0, all recorded, 3 buckets, min -3 (zigzag 5), max 8
// above; index -3 (zigzag 5) once, two further on 0 once, four further on 5 twice.
const Buffer kVector = {0, 0, 3, 5, 8, 5, 1, 2, 1, 4, 2};

TEST_F(SketchCodec, WritesTheVector) {
    EXPECT_EQ(encoded(of({5, -3, 0, 5})), kVector);
}

TEST_F(SketchCodec, ReadsTheVector) {
    EXPECT_EQ(parsed(kVector), of({-3, 0, 5, 5}));
}

TEST_F(SketchCodec, AnEmptySketchIsThreeBytes) {
    EXPECT_EQ(encoded(QuantileSketch(pool)), (Buffer{0, 0, 0}));
    EXPECT_EQ(parsed({0, 0, 0}).count(), 0U);
}

TEST_F(SketchCodec, GivesBackWhatWasWritten) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const QuantileSketch sketch = random(seed, 500, 1);
        EXPECT_EQ(parsed(encoded(sketch)), sketch) << "seed " << seed;
    }
}

TEST_F(SketchCodec, KeepsTheExtremesOfInt64AndWhatWasNotRecorded) {
    SketchPool small(3);
    QuantileSketch sketch(small);
    sketch.add(1000);
    sketch.add(std::numeric_limits<std::int64_t>::min());
    sketch.add(std::numeric_limits<std::int64_t>::max());
    ASSERT_EQ(sketch.not_recorded(), 2U);
    const QuantileSketch again = parsed(encoded(sketch));
    EXPECT_EQ(again, sketch);
    EXPECT_EQ(again.min(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(again.not_recorded(), 2U);
}

TEST_F(SketchCodec, ParsingAddsToWhatIsThere) {
    QuantileSketch sketch = of({1, 700});
    ASSERT_TRUE(QuantileSketch::parse(kVector, sketch).ok());
    EXPECT_EQ(sketch, of({1, 700, -3, 0, 5, 5}));
}

TEST_F(SketchCodec, WhatThePoolHasNoRoomForIsCounted) {
    SketchPool small(2);
    QuantileSketch sketch(small);
    ASSERT_TRUE(QuantileSketch::parse(kVector, sketch).ok());
    EXPECT_EQ(sketch.count(), 0U);
    EXPECT_EQ(sketch.not_recorded(), 4U);
    EXPECT_EQ(sketch.max(), 5);
}

TEST_F(SketchCodec, EveryTruncationIsRefused) {
    const Buffer whole = encoded(random(3, 400, 1));
    for (std::size_t size = 0; size < whole.size(); ++size)
        expect_refused(Buffer(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
                       SketchError::Truncated);
}

TEST_F(SketchCodec, EveryBadFieldIsRefusedUnderItsReason) {
    expect_refused({4, 0, 0}, SketchError::BadLevel);
    expect_refused({0, 0, 0, 0}, SketchError::TrailingBytes);
    expect_refused({0, 0, 3, 5, 8, 5, 1, 2, 1, 4, 2, 9}, SketchError::TrailingBytes);
    expect_refused({0, 0x80, 0, 0}, SketchError::NotShortest);  // zero in two bytes
    expect_refused({0, 0, 1, 0, 0, 0, 0x81, 0}, SketchError::NotShortest);
    expect_refused({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0}, SketchError::NotShortest);
    expect_refused({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0},
                   SketchError::NotShortest);
    expect_refused({0, 0, 0x86, 0x20}, SketchError::TooManyBuckets);  // 4102
    expect_refused({3, 0, 0x9a, 0x01}, SketchError::TooManyBuckets);  // 154 of 153
    expect_refused({0, 0, 1, 0, 0, 0, 0}, SketchError::BadCount);
    expect_refused({0, 0, 1, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10}, SketchError::BadCount);  // 2^32
    expect_refused({0, 1, 1, 0, 0, 0x86, 0x20, 1}, SketchError::BadIndex);                    // zigzag 4102
    expect_refused({0, 1, 2, 0, 0, 0x84, 0x20, 1, 0, 1}, SketchError::BadIndex);  // 2050, then 2051
    expect_refused({0, 1, 2, 0, 10, 10, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1},
                   SketchError::BadIndex);                                        // 5, then 2^63 further on
    expect_refused({0, 0, 3, 7, 9, 5, 1, 2, 1, 4, 2}, SketchError::BadExtremes);  // min -4, first bucket -3
    expect_refused({0, 1, 3, 3, 7, 5, 1, 2, 1, 4, 2}, SketchError::BadExtremes);  // min -2
    expect_refused({0, 0, 3, 5, 9, 5, 1, 2, 1, 4, 2}, SketchError::BadExtremes);  // max 6, last bucket 5
    expect_refused({0, 1, 3, 5, 7, 5, 1, 2, 1, 4, 2}, SketchError::BadExtremes);  // max 4
    // max beyond 2^63 - 1
    expect_refused({0, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
                   SketchError::BadExtremes);
}

TEST_F(SketchCodec, ChangedBytesAreReadOrRefusedAndThenReadTheSameAgain) {
    const Buffer whole = encoded(random(8, 60, 30));
    Random random(77);
    int refused = 0;
    for (int i = 0; i < 50'000; ++i) {
        Buffer bytes = whole;
        for (std::uint32_t changes = 1 + random.below(3); changes > 0; --changes)
            bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] =
                static_cast<std::uint8_t>(random.next());
        QuantileSketch sketch(pool);
        if (!QuantileSketch::parse(bytes, sketch).ok()) {
            ++refused;
            ASSERT_EQ(sketch.nodes(), 0U);
        } else if (sketch.error_per_mille() == 10) {
            ASSERT_EQ(encoded(sketch), bytes) << i;  // one sketch, one encoding
        }
    }
    EXPECT_GT(refused, 25'000);
}

TEST_F(SketchCodec, AnySketchFitsAndTheFinestLevelThatDoesIsTaken) {
    QuantileSketch full(pool);
    for (int i = -kBucketsPerSign; i <= kBucketsPerSign; ++i)
        full.add(bucket_value(static_cast<BucketIndex>(i)));
    for (int i = 0; i < 32; ++i)
        full.merge(full);  // counts as wide as they get
    const Buffer most = encoded(full);
    EXPECT_EQ(most[0], 0);
    EXPECT_EQ(encoded(full, most.size())[0], 0);
    EXPECT_EQ(encoded(full, most.size() - 1)[0], 1);
    const Buffer least = encoded(full, QuantileSketch::kRoomForAny);
    EXPECT_EQ(least[0], 3);
    EXPECT_LE(least.size(), QuantileSketch::kRoomForAny);
    EXPECT_FALSE(full.encoded_size(least.size() - 1));
    const QuantileSketch coarse = parsed(least);
    EXPECT_EQ(coarse.error_per_mille(), 313);
    EXPECT_EQ(coarse.min(), full.min());
    EXPECT_EQ(coarse.max(), full.max());
}

/// The sketch of one value and two far-off ones, squeezed to `level`, then asked for the value.
std::int64_t through_level(SketchPool& pool, std::uint8_t level, std::int64_t value) {
    QuantileSketch sketch(pool);
    sketch.add(std::numeric_limits<std::int64_t>::min());  // else the extremes would give it away
    sketch.add(value);
    sketch.add(std::numeric_limits<std::int64_t>::max());
    Buffer bytes(64);
    bytes.resize(sketch.encode_into(bytes).value());
    // Level 0 fits always: written again with the groups of the level.
    const int width = level == 0 ? 1 : level == 1 ? 3 : level == 2 ? 9 : 27;
    const auto group = static_cast<std::uint64_t>((bucket_of(value) + width - 1) / width);
    const auto last = static_cast<std::uint64_t>((kBucketsPerSign + width - 1) / width);
    Buffer coarse = {level, 0, static_cast<std::uint8_t>(group == last ? 2 : 3)};
    coarse.insert(coarse.end(), bytes.begin() + 3, bytes.begin() + 23);  // the extremes: ten bytes each
    const auto number = [&](std::uint64_t n) {
        for (; n >= 0x80; n >>= 7)
            coarse.push_back(static_cast<std::uint8_t>(n | 0x80));
        coarse.push_back(static_cast<std::uint8_t>(n));
    };
    number(last * 2 - 1);
    number(1);
    number(last + group - 1);
    number(group == last ? 2 : 1);
    if (group != last) {
        number(last - group - 1);
        number(1);
    }
    QuantileSketch again(pool);
    EXPECT_TRUE(QuantileSketch::parse(coarse, again).ok());
    EXPECT_EQ(again.count(), 3U);
    return again.value_at(1).value_or(0);
}

TEST_F(SketchCodec, ACoarserLevelIsOffByNoMoreThanItSays) {
    for (std::uint8_t level = 0; level < QuantileSketch::kLevels; ++level) {
        const double share = QuantileSketch::kErrorPerMille[level] / 1000.0;
        const double half_width = level == 0 ? 0 : std::pow(3, level) / 2;
        for (BucketIndex i = 1; i < kBucketsPerSign; ++i) {
            for (const std::uint64_t magnitude : {bucket_begin(i), bucket_end(i)}) {
                const auto truth = static_cast<double>(magnitude);
                const auto claim =
                    static_cast<double>(through_level(pool, level, static_cast<std::int64_t>(magnitude)));
                ASSERT_LE(std::abs(claim - truth), std::max(share * truth * (1 + 1e-12), half_width))
                    << +level << " " << magnitude;
            }
        }
    }
}

TEST_F(SketchCodec, WhatWasReadCoarseIsWrittenAndMergedCoarse) {
    const QuantileSketch fine = random(5, 3000, 1);
    const Buffer bytes = encoded(fine, 1200);
    ASSERT_GT(bytes[0], 0);
    const QuantileSketch coarse = parsed(bytes);
    EXPECT_EQ(coarse.count(), fine.count());
    EXPECT_EQ(encoded(coarse), bytes);
    QuantileSketch sum = random(6, 100, 1);
    sum.merge(coarse);
    EXPECT_EQ(sum.error_per_mille(), coarse.error_per_mille());
    EXPECT_EQ(parsed(encoded(sum)).count(), fine.count() + 100);
}

}  // namespace
}  // namespace dyetrace::test
