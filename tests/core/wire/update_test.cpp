// SPDX-License-Identifier: GPL-2.0-or-later
// Updates and directives between an EPPC and the NHMS.
#include "core/wire/update.h"

#include <gtest/gtest.h>

#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

constexpr Ipv4Address kPeer{0x0a000102};
constexpr SessionId kSession{0xa1b2c3d4};
// Where the entries of the vector begin.
constexpr std::size_t kSessionEntry = 4;
constexpr std::size_t kPathEntry = kSessionEntry + 4 + 40;
constexpr std::size_t kMetricsEntry = kPathEntry + 4 + 36 + 3 * IpAddress::kSize;
// Where an entry's own data begins, and what follows peer and session id in it.
constexpr std::size_t kHeader = 4;
constexpr std::size_t kOwn = kHeader + IpAddress::kSize + 4;
constexpr std::size_t kHopCount = kOwn + 6;

std::vector<UpdateEntry> entries() {
    SessionEntry session;
    session.peer = kPeer;
    session.session = kSession;
    session.state = 2;
    session.sampling = {SamplingSpec::Kind::Probability, 42949673};
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
    return {session, path, MetricsEntry{kPeer, kSession, records.at(0)}};
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
    bytes[1] = 4;
    const Buffer unknown{200, 0, 0, 5, 1, 2, 3, 4, 5};
    bytes.insert(bytes.begin() + kPathEntry, unknown.begin(), unknown.end());
    std::vector<UpdateEntry> list;
    ASSERT_TRUE(UpdateBody::parse(bytes, list).ok());
    EXPECT_EQ(list, entries());
}

TEST(UpdateCodec, RefusesEachBadLengthOfAnEntry) {
    for (const std::size_t entry : {kSessionEntry, kPathEntry, kMetricsEntry}) {
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
    bytes[kSessionEntry + kOwn + 4] = 3;  // a kind of sampling that does not exist
    EXPECT_EQ(refusal(bytes), DropReason::ControlBadField);
}

TEST(UpdateCodec, IgnoresReservedFieldsAndUnknownFlags) {
    Buffer bytes = vector_of("update");
    for (const std::size_t at :
         {std::size_t{2}, std::size_t{3}, kSessionEntry + 1, kSessionEntry + kOwn + 2,
          kSessionEntry + kOwn + 3, kSessionEntry + kOwn + 5, kSessionEntry + kOwn + 7})
        bytes[at] = 0xff;
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
        const std::vector<UpdateEntry> list{path};
        Buffer bytes(UpdateBody::encoded_size(list));
        UpdateBody::encode_into(bytes, list);
        std::vector<UpdateEntry> again;
        ASSERT_TRUE(UpdateBody::parse(bytes, again).ok());
        EXPECT_EQ(again, list);
    }
}

DirectiveBody directive() {
    DirectiveBody body;
    body.peer = kPeer;
    body.sampling = SamplingSpec::every_nth(10);
    body.duration = Duration::milliseconds(500);
    return body;
}

TEST(DirectiveCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("directive", directive());
    expect_ignored<DirectiveBody>("directive", {{1, 4}, {21, 24}});
    expect_bad_field<DirectiveBody>("directive", 0, {0});
    expect_bad_field<DirectiveBody>("directive", 0, {2});
    expect_bad_field<DirectiveBody>("directive", 20, {3});
    expect_bad_field<DirectiveBody>("directive", 24, {0, 0, 0, 0});
    expect_bad_field<DirectiveBody>("directive", 28, Buffer(8, 0xff));
}

TEST(DirectiveResultCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("directive_result", DirectiveResultBody{DirectiveStatus::Done, 1, 12});
    expect_ignored<DirectiveResultBody>("directive_result", {{1, 2}, {6, 8}});
    expect_bad_field<DirectiveResultBody>("directive_result", 0, {0});
    expect_bad_field<DirectiveResultBody>("directive_result", 0, {3});
}

}  // namespace
}  // namespace dyetrace::test
