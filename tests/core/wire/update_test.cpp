// SPDX-License-Identifier: GPL-2.0-or-later
// Updates of an EPPC to the NHMS.
#include "core/wire/update.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

constexpr Ipv4Address kPeer{0x0a000102};
constexpr SessionId kSession{0xa1b2c3d4};
// Where the entries of the vector begin.
constexpr std::size_t kSessionEntry = 4;
constexpr std::size_t kPathEntry = kSessionEntry + 4 + IpAddress::kSize + 40;
constexpr std::size_t kMetricsEntry = kPathEntry + 4 + IpAddress::kSize + 20 + 3 * IpAddress::kSize;
constexpr std::size_t kTimingEntry = kMetricsEntry + 4 + IpAddress::kSize + 4 + PathRecord::kSize;
// Where an entry's own data begins, and what follows peer and session id in it.
constexpr std::size_t kHeader = 4;
constexpr std::size_t kOwn = kHeader + IpAddress::kSize + 4;
constexpr std::size_t kHopCount = kOwn + 6;
constexpr std::size_t kClockBound = kOwn + 12;
constexpr std::size_t kSketchLength = kOwn + 52;

std::vector<UpdateEntry> entries() {
    SessionEntry session;
    session.peer = kPeer;
    session.session = kSession;
    session.state = 2;
    session.sampling = {SamplingSpec::Kind::Probability, 42949673};
    session.offered = (std::uint64_t{1} << 32) + 100;
    session.tagged = 42'949'673;
    session.changed_ns = 1'700'000'000'300'000'000;
    PathEntry path;
    path.peer = kPeer;
    path.session = kSession;
    path.path = PathIndex{5};
    path.generation = PathGeneration{2};
    path.complete = true;
    path.source_port = 49157;
    path.traced_ns = 1'700'000'000'400'000'000;
    path.hop_count = 3;
    path.hops[0] = *Ipv4Address::parse("10.1.0.1");
    path.hops[1] = *Ipv4Address::parse("10.1.2.1");
    path.hops[2] = *Ipv4Address::parse("10.1.1.1");
    std::vector<PathRecord> records;
    EXPECT_TRUE(ReportBody::parse(vector_of("report"), records).ok());
    TimingEntry timing;
    timing.peer = kPeer;
    timing.session = kSession;
    timing.clock_known = true;
    timing.sketch_corrected = true;
    timing.clock_offset = Duration::nanoseconds(-1'000'000'007);
    timing.clock_bound = Duration::nanoseconds(12'500);
    timing.drift_ppb = -98'765;
    timing.clock_steps = 3;
    timing.round_trip_min = Duration::nanoseconds(25'000);
    timing.round_trip_last = Duration::nanoseconds(26'001);
    timing.measured_ns = 1'700'000'000'600'000'000;
    timing.sketch = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa};
    return {session, path, MetricsEntry{kPeer, kSession, records.at(0)}, timing};
}

/// What an update of this one entry is read as.
UpdateEntry there_and_back(const UpdateEntry& entry) {
    const std::vector<UpdateEntry> list{entry};
    Buffer bytes(UpdateBody::encoded_size(list));
    UpdateBody::encode_into(bytes, list);
    std::vector<UpdateEntry> again;
    EXPECT_TRUE(UpdateBody::parse(bytes, again).ok());
    return again.at(0);
}

/// The reason for which an update is refused; nothing of it is taken over.
DropReason refusal(const Buffer& bytes) {
    std::vector<UpdateEntry> list(2);
    const auto parsed = UpdateBody::parse(bytes, list);
    EXPECT_FALSE(parsed.ok());
    EXPECT_EQ(list.size(), 2U);
    return parsed.ok() ? DropReason::kCount : parsed.error();
}

TEST(UpdateCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("update");
    std::vector<UpdateEntry> list;
    ASSERT_TRUE(UpdateBody::parse(bytes, list).ok());
    EXPECT_EQ(list, entries());
    ASSERT_EQ(UpdateBody::encoded_size(list), bytes.size());
    Buffer encoded(bytes.size());
    UpdateBody::encode_into(encoded, list);
    EXPECT_EQ(encoded, bytes);
}

TEST(UpdateCodec, RefusesEveryTruncationAndWhatFollows) {
    const Buffer good = vector_of("update");
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(refusal(first_of(good, size)), DropReason::ControlBadLength) << size;
    Buffer longer = good;
    longer.push_back(0);
    EXPECT_EQ(refusal(longer), DropReason::ControlBadLength);
}

TEST(UpdateCodec, SkipsEntriesOfALaterVersionByTheirLength) {
    Buffer bytes = vector_of("update");
    bytes[1] = 5;
    const Buffer unknown{200, 0, 0, 5, 1, 2, 3, 4, 5};
    bytes.insert(bytes.begin() + kPathEntry, unknown.begin(), unknown.end());
    std::vector<UpdateEntry> list;
    ASSERT_TRUE(UpdateBody::parse(bytes, list).ok());
    EXPECT_EQ(list, entries());
}

TEST(UpdateCodec, TrafficIsReadAsItWasWrittenAndHasOneLength) {
    const TrafficEntry traffic{kPeer, (std::uint64_t{1} << 40) + 7};
    EXPECT_EQ(there_and_back(traffic), UpdateEntry{traffic});
    const std::vector<UpdateEntry> list{traffic};
    Buffer bytes(UpdateBody::encoded_size(list));
    UpdateBody::encode_into(bytes, list);
    ASSERT_EQ(bytes.size(), kSessionEntry + kHeader + IpAddress::kSize + 8);
    bytes.push_back(0);
    ++bytes[kSessionEntry + 3];
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadLength);
}

TEST(UpdateCodec, RefusesEachBadLengthOfAnEntry) {
    for (const std::size_t entry : {kSessionEntry, kPathEntry, kMetricsEntry, kTimingEntry}) {
        const Buffer good = vector_of("update");
        const std::uint16_t length = load_u16(&good[entry + 2]);
        for (std::uint16_t other = 0; other < length; ++other) {
            Buffer bytes = good;  // the entry is cut, the rest moves up, so only the entry itself is wrong
            store_u16(&bytes[entry + 2], other);
            const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(entry + 4);
            bytes.erase(from + other, from + length);
            EXPECT_EQ(refusal(bytes), DropReason::ControlBadLength) << "entry at " << entry << ", " << other;
        }
    }
}

TEST(UpdateCodec, RefusesEachBadField) {
    Buffer bytes = vector_of("update");
    store_u16(&bytes[kPathEntry + kHopCount], PathEntry::kMaxHops + 1);  // more hops than a path may have
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadField);
    bytes = vector_of("update");
    store_u16(&bytes[kPathEntry + kHopCount], 2);  // fewer hops than follow
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadLength);
    bytes = vector_of("update");
    bytes[kSessionEntry + kOwn + 4] = 77;  // a kind of sampling that does not exist
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadField);
    bytes = vector_of("update");
    bytes[kTimingEntry + kClockBound] = 0x80;  // an uncertainty below zero
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadField);
    bytes = vector_of("update");
    store_u16(&bytes[kTimingEntry + kSketchLength], TimingEntry::kMaxSketchBytes + 1);
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadField);
    for (const std::uint16_t length : {std::uint16_t{0}, std::uint16_t{10},
                                       std::uint16_t{12}}) {  // fewer, and more, bytes of sketch than follow
        bytes = vector_of("update");
        store_u16(&bytes[kTimingEntry + kSketchLength], length);
        EXPECT_EQ(refusal(bytes), DropReason::ControlBadLength);
    }
}

TEST(UpdateCodec, IgnoresReservedFieldsAndUnknownFlags) {
    Buffer bytes = vector_of("update");
    for (const std::size_t at :
         {std::size_t{2}, std::size_t{3}, kSessionEntry + 1, kPathEntry + 1, kMetricsEntry + 1,
          kTimingEntry + 1, kSessionEntry + kOwn + 2, kSessionEntry + kOwn + 3, kSessionEntry + kOwn + 5,
          kSessionEntry + kOwn + 7, kTimingEntry + kOwn, kTimingEntry + kSketchLength + 2,
          kTimingEntry + kSketchLength + 3})
        bytes[at] = 0xff;
    bytes[kTimingEntry + kOwn + 3] |= 0xf8;
    bytes[kPathEntry + kOwn + 3] |= 0xfe;
    std::vector<UpdateEntry> list;
    ASSERT_TRUE(UpdateBody::parse(bytes, list).ok());
    EXPECT_EQ(list, entries());
}

TEST(UpdateCodec, PathsOfEveryLengthComeBack) {
    for (std::uint16_t hops = 0; hops <= PathEntry::kMaxHops; ++hops) {
        PathEntry path = std::get<PathEntry>(entries()[1]);
        path.hop_count = hops;
        path.hops = {};
        for (std::uint16_t i = 0; i < hops; ++i)
            path.hops[i] = Ipv4Address{0x0a000000U + i};
        EXPECT_EQ(there_and_back(path), UpdateEntry{path});
    }
}

TEST(UpdateCodec, SketchesOfEveryLengthAndExtremeTimesComeBack) {
    constexpr Duration kLeast{std::numeric_limits<std::int64_t>::min()};
    constexpr Duration kMost{std::numeric_limits<std::int64_t>::max()};
    TimingEntry timing = std::get<TimingEntry>(entries()[3]);
    timing.clock_offset = timing.round_trip_min = kLeast;
    timing.clock_bound = timing.round_trip_last = kMost;
    timing.drift_ppb = std::numeric_limits<std::int32_t>::min();
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, TimingEntry::kMaxSketchBytes}) {
        timing.sketch.assign(length, 0x5a);
        timing.clock_known = !timing.clock_known;
        timing.round_trip_known = !timing.clock_known;
        EXPECT_EQ(there_and_back(timing), UpdateEntry{timing});
    }
}

}  // namespace
}  // namespace dyetrace::test
