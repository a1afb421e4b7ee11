// SPDX-License-Identifier: GPL-2.0-or-later
// Geneve (RFC 8926) and the track option.
#include "core/wire/geneve.h"

#include <gtest/gtest.h>

#include "core/wire/ethernet.h"
#include "core/wire/track_option.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

GeneveHeader geneve_header() {
    GeneveHeader header;
    header.options_length = 44;
    header.protocol_type = kEtherTypeEthernet;
    header.vni = Vni{0x123456};
    return header;
}

/// The vector with room for the options that it announces.
Buffer geneve_bytes() {
    Buffer bytes = vector_of("geneve_header");
    bytes.resize(bytes.size() + 44);
    return bytes;
}

TEST(GeneveCodec, ReadsAndWritesItsVector) {
    const auto header = GeneveHeader::parse(geneve_bytes());
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, geneve_header());
    Buffer encoded(GeneveHeader::encoded_size());
    geneve_header().encode_into(encoded);
    EXPECT_EQ(encoded, vector_of("geneve_header"));
}

TEST(GeneveCodec, RefusesEveryTruncationOfHeaderAndOptions) {
    const Buffer bytes = geneve_bytes();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto header = GeneveHeader::parse(first_of(bytes, size));
        ASSERT_FALSE(header.ok()) << size;
        EXPECT_EQ(header.error(), DropReason::GeneveTruncated) << size;
    }
}

// RFC 8926 §3.4: no version but the one we know is taken.
TEST(GeneveCodec, RefusesEveryOtherVersion) {
    for (std::uint8_t version = 1; version < 4; ++version) {
        Buffer bytes = geneve_bytes();
        bytes[0] = static_cast<std::uint8_t>(bytes[0] | version << 6);
        const auto header = GeneveHeader::parse(bytes);
        ASSERT_FALSE(header.ok());
        EXPECT_EQ(header.error(), DropReason::GeneveBadVersion);
    }
}

// RFC 8926 §3.4: reserved fields are sent as zeros, and not looked at.
TEST(GeneveCodec, IgnoresReservedBits) {
    Buffer bytes = geneve_bytes();
    bytes[1] |= 0x3f;
    bytes[7] = 0xff;
    EXPECT_EQ(*GeneveHeader::parse(bytes), geneve_header());
}

TEST(GeneveCodec, EveryCombinationOfFlagsAndLengthsComesBack) {
    for (std::size_t words = 0; words < 64; ++words) {
        for (int flags = 0; flags < 4; ++flags) {
            GeneveHeader header = geneve_header();
            header.options_length = words * 4;
            header.control = (flags & 1) != 0;
            header.critical = (flags & 2) != 0;
            header.vni = Vni{static_cast<std::uint32_t>(0xffffff - words)};
            Buffer bytes(GeneveHeader::kSize + header.options_length);
            header.encode_into(bytes);
            const auto parsed = GeneveHeader::parse(bytes);
            ASSERT_TRUE(parsed.ok());
            EXPECT_EQ(*parsed, header);
        }
    }
}

TrackOption track_option() {
    TrackOption option;
    option.session = SessionId{0xa1b2c3d4};
    option.path = PathIndex{5};
    option.generation = PathGeneration{2};
    option.sequence = 0xfffffffe;
    option.transmit_ns = 1'700'000'000'123'456'789;
    option.count = (std::uint64_t{1} << 32) + 7;
    option.inner_length = 74;
    option.inner_checksum = load_u16(&vector_of("track_option")[34]);
    option.tag = load_u64(&vector_of("track_option")[TrackOption::kTagOffset]);
    return option;
}

TEST(GeneveOptions, AreWalkedInOrderAndUnknownOnesKept) {
    const Buffer bytes = vector_of("geneve_options");
    GeneveOptionIterator options{Bytes(bytes)};
    ASSERT_FALSE(options.done());
    const auto first = options.next();
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first->option_class, 0x0102);
    EXPECT_EQ(first->type, 7);
    EXPECT_FALSE(first->is_critical());
    EXPECT_EQ(Buffer(first->data.begin(), first->data.end()), (Buffer{'a', 'b', 'c', 'd'}));
    const auto second = options.next();
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->option_class, TrackOption::kClassDefault);
    EXPECT_EQ(*TrackOption::parse(second->data), track_option());
    const auto third = options.next();
    ASSERT_TRUE(third.ok());
    EXPECT_TRUE(third->data.empty());
    EXPECT_TRUE(options.done());
}

// RFC 8926 §3.5: a packet whose options do not end where the header says MUST be dropped.
TEST(GeneveOptions, ThatDoNotSumToTheirLengthAreRefused) {
    const Buffer bytes = vector_of("geneve_options");
    // Where an option ends: 8, 52, 56 bytes. A cut anywhere else leaves a torn option.
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        if (size == 8 || size == 52) continue;
        const Buffer cut = first_of(bytes, size);
        GeneveOptionIterator options{Bytes(cut)};
        std::optional<DropReason> reason;
        while (!reason && !options.done()) {
            const auto option = options.next();
            if (!option) reason = option.error();
        }
        EXPECT_EQ(reason, DropReason::GeneveOptionsOverrun) << size;
    }
}

// RFC 8926 §3.5: the three reserved bits before the length are ignored; the critical bit is part of the type.
TEST(GeneveOptions, ReservedBitsAreIgnoredAndTheCriticalBitIsRead) {
    Buffer bytes = vector_of("geneve_options");
    bytes[3] |= 0xe0;
    bytes[2] |= 0x80;
    GeneveOptionIterator options{Bytes(bytes)};
    const auto first = options.next();
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first->data.size(), 4U);
    EXPECT_TRUE(first->is_critical());
}

TEST(TrackOptionCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("track_option");
    ASSERT_EQ(bytes.size(), TrackOption::kSize);
    const auto option = TrackOption::parse(Bytes(bytes).subspan(GeneveOption::kHeaderSize));
    ASSERT_TRUE(option.ok());
    EXPECT_EQ(*option, track_option());
    Buffer encoded(TrackOption::encoded_size());
    track_option().encode_into(encoded, TrackOption::kClassDefault);
    EXPECT_EQ(encoded, bytes);
}

TEST(TrackOptionCodec, IsNotCritical) {
    // An endpoint that does not know the option still carries the packet (RFC 8926 §3.5).
    EXPECT_EQ(TrackOption::kType & 0x80, 0);
    EXPECT_GE(TrackOption::kClassDefault, 0xff00);  // RFC 8926 §7: experimental classes
}

TEST(TrackOptionCodec, RefusesEveryOtherLength) {
    Buffer data = vector_of("track_option");
    data.erase(data.begin(), data.begin() + GeneveOption::kHeaderSize);
    for (std::size_t size = 0; size <= 124; ++size) {
        if (size == TrackOption::kDataSize) continue;
        Buffer other = data;
        other.resize(size);
        const auto option = TrackOption::parse(other);
        ASSERT_FALSE(option.ok()) << size;
        EXPECT_EQ(option.error(), DropReason::TrackBadLength) << size;
    }
}

TEST(TrackOptionCodec, RandomOptionsComeBack) {
    Random random(3);
    for (int i = 0; i < 10'000; ++i) {
        const Buffer data = random_bytes(random, TrackOption::kDataSize);
        const auto option = TrackOption::parse(data);
        ASSERT_TRUE(option.ok());
        Buffer encoded(TrackOption::kSize);
        option->encode_into(encoded, 0xff01);
        EXPECT_EQ(Buffer(encoded.begin() + GeneveOption::kHeaderSize, encoded.end()), data);
    }
}

}  // namespace
}  // namespace dyetrace::test
