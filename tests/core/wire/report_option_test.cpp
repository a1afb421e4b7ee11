// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/report_option.h"

#include <gtest/gtest.h>

#include "core/wire/geneve.h"
#include "core/wire/track_option.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using wire::DropReason;
using wire::GeneveOption;
using wire::ReportOption;
using wire::TrackOption;

Buffer data_of_vector() {
    const Buffer bytes = vector_of("report_option");
    return {bytes.begin() + GeneveOption::kHeaderSize, bytes.end()};
}

TEST(ReportOptionCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("report_option");
    ASSERT_EQ(bytes.size(), ReportOption::kSize);
    std::vector<wire::PathRecord> records;
    ASSERT_TRUE(wire::ReportBody::parse(vector_of("report"), records).ok());
    ReportOption expected;
    expected.session = SessionId{0xa1b2c3d4};
    expected.number = 77;
    expected.record = records.at(0);
    expected.tag = load_u64(&bytes[ReportOption::kTagOffset]);
    const auto option = ReportOption::parse(data_of_vector());
    ASSERT_TRUE(option.ok());
    EXPECT_EQ(*option, expected);
    Buffer encoded(ReportOption::encoded_size());
    expected.encode_into(encoded, TrackOption::kClassDefault);
    EXPECT_EQ(encoded, bytes);
}

// RFC 8926 §3.5: whoever does not know it still carries the packet.
TEST(ReportOptionCodec, IsNotCriticalAndNoTrackOption) {
    EXPECT_EQ(ReportOption::kType & 0x80, 0);
    EXPECT_NE(ReportOption::kType, TrackOption::kType);
}

TEST(ReportOptionCodec, IsOneOptionToWhoWalksThem) {
    const Buffer bytes = vector_of("report_option");
    wire::GeneveOptionIterator options{Bytes(bytes)};
    const auto option = options.next();
    ASSERT_TRUE(option.ok());
    EXPECT_EQ(option->option_class, TrackOption::kClassDefault);
    EXPECT_EQ(option->type, ReportOption::kType);
    EXPECT_EQ(option->data.size(), ReportOption::kDataSize);
    EXPECT_TRUE(options.done());
}

TEST(ReportOptionCodec, RefusesEveryOtherLength) {
    for (std::size_t size = 0; size <= 124; ++size) {
        if (size == ReportOption::kDataSize) continue;
        Buffer other = data_of_vector();
        other.resize(size);
        const auto option = ReportOption::parse(other);
        ASSERT_FALSE(option.ok()) << size;
        EXPECT_EQ(option.error(), DropReason::ReportBadLength) << size;
    }
}

/// So that nothing the tag covers goes unread.
TEST(ReportOptionCodec, RandomOptionsComeBackToTheBit) {
    Random random(11);
    for (int i = 0; i < 10'000; ++i) {
        const Buffer data = random_bytes(random, ReportOption::kDataSize);
        const auto option = ReportOption::parse(data);
        ASSERT_TRUE(option.ok());
        Buffer encoded(ReportOption::kSize);
        option->encode_into(encoded, 0xff01);
        EXPECT_EQ(load_u16(encoded.data()), 0xff01);
        EXPECT_EQ(Buffer(encoded.begin() + GeneveOption::kHeaderSize, encoded.end()), data);
    }
}

}  // namespace
}  // namespace dyetrace::test
