// SPDX-License-Identifier: GPL-2.0-or-later
// Bodies between EPPCs.
#include "core/wire/session_messages.h"

#include <limits>

#include <gtest/gtest.h>

#include "core/wire/report.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

const Buffer kZero16(2);
const Buffer kZero64(8);
const Buffer kNegative64(8, 0xff);

RequestBody request() {
    RequestBody body;
    body.requester_nonce = 0x0102030405060708;
    body.acceptor_nonce = 0x1112131415161718;
    body.source_port_base = 49152;
    body.path_count = 64;
    body.port_count = 80;
    body.sampling = SamplingSpec::every_nth(100);
    body.metrics = kMetricsAll;
    body.tracked_per_second = 5000;
    body.report_interval = Duration::milliseconds(20);
    body.keep_alive_interval = Duration::seconds(1);
    body.duration = Duration::seconds(60);
    body.packet_cap = std::uint64_t{1} << 33;
    return body;
}

TEST(RequestCodec, KnowsItsVectorAndEveryLength) {
    expect_fixed_body("request", request());
    expect_ignored<RequestBody>("request", {{25, 28}});
}

TEST(RequestCodec, RefusesEachBadField) {
    expect_bad_field<RequestBody>("request", 18, kZero16);                          // no paths
    expect_bad_field<RequestBody>("request", 20, {0, 63});                          // fewer ports than paths
    expect_bad_field<RequestBody>("request", 16, {0xff, 0xb1, 0x00, 0x40, 0, 80});  // ports run past 65535
    expect_bad_field<RequestBody>("request", 28, {0, 0, 0, 0});                     // every 0th
    expect_bad_field<RequestBody>("request", 40, kZero64);                          // no report interval
    expect_bad_field<RequestBody>("request", 40, kNegative64);
    expect_bad_field<RequestBody>("request", 48, kZero64);  // no keep-alive interval
    expect_bad_field<RequestBody>("request", 48, kNegative64);
    expect_bad_field<RequestBody>("request", 56, kNegative64);  // negative duration
}

TEST(RequestCodec, TakesTheLastPortAndLeavesWhatIsUnknownToTheAcceptor) {
    Buffer bytes = vector_of("request");
    store_u16(&bytes[16], 65535);
    store_u16(&bytes[18], 1);
    store_u16(&bytes[20], 1);
    EXPECT_TRUE(RequestBody::parse(bytes).ok());
    bytes[22] = 7;
    bytes[23] = 8;
    bytes[24] = 9;
    const auto request = RequestBody::parse(bytes);
    ASSERT_TRUE(request.ok());
    EXPECT_EQ(request->track_option_type, 7);
    EXPECT_EQ(request->encapsulation, Encapsulation{8});
    EXPECT_FALSE(request->sampling.is_known());
}

TEST(ChallengeCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("challenge", ChallengeBody{0x0102030405060708, 0x1112131415161718});
    expect_bad_field<ChallengeBody>("challenge", 8, kZero64);  // zero says that there is no nonce
}

TEST(AcceptCodec, KnowsItsVectorEveryLengthAndBadField) {
    AcceptBody accept;
    accept.requester_nonce = 0x0102030405060708;
    accept.acceptor_nonce = 0x1112131415161718;
    accept.report_interval = Duration::milliseconds(20);
    accept.keep_alive_interval = Duration::milliseconds(500);
    accept.metrics = 0xff;
    expect_fixed_body("accept", accept);
    expect_ignored<AcceptBody>("accept", {{36, 40}});
    expect_bad_field<AcceptBody>("accept", 16, kZero64);
    expect_bad_field<AcceptBody>("accept", 16, kNegative64);
    expect_bad_field<AcceptBody>("accept", 24, kZero64);
    expect_bad_field<AcceptBody>("accept", 24, kNegative64);
}

TEST(RejectCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("reject",
                      RejectBody{0x0102030405060708, RejectReason::TooManyFromPeer, Duration::seconds(1)});
    expect_ignored<RejectBody>("reject", {{9, 16}});
    expect_bad_field<RejectBody>("reject", 8, {0});
    expect_bad_field<RejectBody>("reject", 8, {11});
    expect_bad_field<RejectBody>("reject", 16, kNegative64);
}

MarkerBody marker() {
    return {PathIndex{5}, PathGeneration{2}, MarkerKind::End, 7, (std::uint64_t{1} << 32) + 9, 0xffffffff};
}

TEST(MarkerCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("marker", marker());
    expect_ignored<MarkerBody>("marker", {{6, 8}, {20, 24}});
    expect_bad_field<MarkerBody>("marker", 3, {0});
    expect_bad_field<MarkerBody>("marker", 3, {4});
    expect_bad_field<MarkerBody>("marker", 4, kZero16);  // intervals count from 1
}

TEST(MarkerAckCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("marker_ack", MarkerAckBody{PathIndex{5}, PathGeneration{2}, MarkerKind::Start, 7});
    expect_ignored<MarkerAckBody>("marker_ack", {{6, 8}});
    expect_bad_field<MarkerAckBody>("marker_ack", 3, {0});
    expect_bad_field<MarkerAckBody>("marker_ack", 3, {3});  // a COUNT is not acknowledged
    expect_bad_field<MarkerAckBody>("marker_ack", 3, {255});
}

TEST(CloseCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("close", CloseBody{CloseReason::DurationOver});
    expect_ignored<CloseBody>("close", {{1, 4}});
    expect_bad_field<CloseBody>("close", 0, {0});
    expect_bad_field<CloseBody>("close", 0, {8});
}

TEST(PathTraceCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("path_trace", PathTraceBody{PathIndex{5}, PathGeneration{2}, 3, 0x155});
    expect_ignored<PathTraceBody>("path_trace", {{6, 8}});
    expect_bad_field<PathTraceBody>("path_trace", 3, {0});
}

TEST(PathTraceReplyCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("path_trace_reply", PathTraceReplyBody{PathIndex{5}, PathGeneration{2}, 6, 0x155, 2});
    expect_ignored<PathTraceReplyBody>("path_trace_reply", {{7, 8}});
    expect_bad_field<PathTraceReplyBody>("path_trace_reply", 3, {0});
    expect_bad_field<PathTraceReplyBody>("path_trace_reply", 6, {0});
    expect_bad_field<PathTraceReplyBody>("path_trace_reply", 6, {7});  // more than was sent
}

TEST(EmptyBodyCodec, AcceptsNothingButNothing) {
    EXPECT_TRUE(parse_empty_body({}).ok());
    const Buffer one(1);
    EXPECT_EQ(parse_empty_body(one).error(), DropReason::ControlBadLength);
}

TEST(SamplingSpecCodec, ProbabilityZeroAndOneAreExact) {
    EXPECT_EQ(SamplingSpec::probability(0).value, 0U);
    EXPECT_EQ(SamplingSpec::probability(1).value, 0xffffffffU);
    EXPECT_EQ(SamplingSpec::probability(0).share(), 0.0);
    EXPECT_EQ(SamplingSpec::probability(1).share(), 1.0);
    EXPECT_NEAR(SamplingSpec::probability(0.01).share().value_or(0), 0.01, 1e-9);
    EXPECT_EQ(SamplingSpec::every_nth(100).share(), 0.01);
}

std::optional<SamplingSpec> sampling_of(const Buffer& bytes) {
    ByteReader in{Bytes(bytes)};
    return SamplingSpec::parse(in);
}

TEST(SamplingSpecCodec, EachKindComesBack) {
    for (const SamplingSpec spec :
         {SamplingSpec::every_nth(7), SamplingSpec::probability(0.3),
          SamplingSpec::hash_consistent(0.2, 0xabcdef), SamplingSpec::rate_budget(1'000'000, 0xffffff)}) {
        for (const SamplingSpec one : {spec, spec.of_filtered()}) {
            Buffer bytes(SamplingSpec::kSize);
            ByteWriter out{MutableBytes(bytes)};
            one.encode_into(out);
            EXPECT_EQ(sampling_of(bytes), one);
            EXPECT_EQ(one.fault(), "");
        }
    }
}

TEST(SamplingSpecCodec, HasTheLayoutOfTheDocumentation) {
    Buffer bytes(SamplingSpec::kSize);
    ByteWriter out{MutableBytes(bytes)};
    SamplingSpec::rate_budget(1000, 20).of_filtered().encode_into(out);
    EXPECT_EQ(bytes, (Buffer{0x84, 0, 0, 20, 0, 0, 0x03, 0xe8}));
}

TEST(SamplingSpecCodec, RefusesUnknownKinds) {
    for (int kind = 0; kind < 256; ++kind) {
        const bool known = (kind & 0x7f) >= 1 && (kind & 0x7f) <= 4;
        EXPECT_EQ(sampling_of({static_cast<std::uint8_t>(kind), 0, 0, 1, 0, 0, 0, 1}).has_value(), known)
            << kind;
    }
}

TEST(SamplingSpecCodec, RefusesEveryZerothAndABudgetOfNothing) {
    EXPECT_FALSE(sampling_of({1, 0, 0, 1, 0, 0, 0, 0}));
    EXPECT_FALSE(sampling_of({4, 0, 0, 1, 0, 0, 0, 0}));
    EXPECT_FALSE(sampling_of({4, 0, 0, 0, 0, 0, 0, 1}));
    EXPECT_TRUE(sampling_of({2, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_TRUE(sampling_of({3, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(SamplingSpecCodec, IgnoresTheParameterWhereItIsReserved) {
    EXPECT_EQ(sampling_of({1, 0xff, 0xff, 0xff, 0, 0, 0, 9}), SamplingSpec::every_nth(9));
}

TEST(SamplingSpec, OnlyABudgetAsksForNoShare) {
    EXPECT_FALSE(SamplingSpec::rate_budget(10, 1).share());
    EXPECT_EQ(SamplingSpec::hash_consistent(1, 5).share(), 1.0);
}

PathRecord record() {
    PathRecord record;
    record.path = PathIndex{5};
    record.generation = PathGeneration{2};
    record.flags = PathRecord::kFlagOpen | PathRecord::kFlagExcess;
    record.intervals = 7;
    record.sent = (std::uint64_t{1} << 33) + 5;
    record.received = (std::uint64_t{1} << 33) + 1;
    record.tracked_sent = 1000;
    record.tracked_received = 997;
    record.duplicates = 2;
    record.late = 1;
    record.delay_ns_min = -1500;
    record.delay_ns_max = 250'000;
    record.delay_ns_sum = 12'345'678;
    record.delay_count = 996;
    record.ttl_changes = 4;
    record.ce = 11;
    record.ecn_invalid = 1;
    record.corrupted = 3;
    record.reordering_extent_max = 6;
    record.jitter_ns = 1234;
    record.ipdv_ns_sum = 345'678;
    record.measured_ns = 1'700'000'000'500'000'000;
    return record;
}

ReportHeader report_header() {
    ReportHeader header;
    header.flags = ReportHeader::kFlagDelays;
    header.sent_ns = 1'700'000'000'500'100'000;
    header.newest = {1'700'000'000'490'000'000, 9'500};
    header.best = {1'700'000'000'470'000'000, -1'500};
    return header;
}

TEST(ReportCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("report");
    std::vector<PathRecord> records;
    const auto header = ReportBody::parse(bytes, records);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, report_header());
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0], record());
    Buffer encoded(ReportBody::encoded_size(1));
    ReportBody::encode_into(encoded, *header, records);
    EXPECT_EQ(encoded, bytes);
}

TEST(ReportCodec, RefusesEveryOtherLengthAndLeavesTheListAlone) {
    const Buffer good = vector_of("report");
    std::vector<PathRecord> records(3);
    for (std::size_t size = 0; size < good.size() + 100; ++size) {
        if (size == good.size()) continue;
        Buffer bytes = good;
        bytes.resize(size);
        const auto refused = ReportBody::parse(first_of(bytes, size), records);
        ASSERT_FALSE(refused.ok()) << size;
        EXPECT_EQ(refused.error(), DropReason::ControlBadLength);
        EXPECT_EQ(records.size(), 3U);
    }
}

TEST(ReportCodec, AnEmptyReportIsOne) {
    Buffer bytes(ReportBody::encoded_size(0));
    ReportBody::encode_into(bytes, report_header(), {});
    std::vector<PathRecord> records;
    const auto header = ReportBody::parse(bytes, records);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, report_header());
    EXPECT_TRUE(records.empty());
}

TEST(ReportCodec, RandomRecordsComeBack) {
    Random random(5);
    for (int i = 0; i < 2'000; ++i) {
        const std::size_t count = random.below(20);
        Buffer bytes = random_bytes(random, ReportBody::encoded_size(count));
        store_u16(&bytes[0], static_cast<std::uint16_t>(count));
        std::vector<PathRecord> records;
        const auto header = ReportBody::parse(bytes, records);
        ASSERT_TRUE(header.ok());
        Buffer encoded(bytes.size());
        ReportBody::encode_into(encoded, *header, records);
        EXPECT_EQ(encoded, bytes);  // every byte of a report means something
    }
}

TEST(ReportAckCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("report_ack");
    const auto ack = ReportAckBody::parse(bytes);
    ASSERT_TRUE(ack.ok());
    EXPECT_EQ(ack->acknowledged, 77U);
    EXPECT_EQ(ack->sent_ns, 1'700'000'000'500'120'000);
    EXPECT_EQ(ack->report_sent_ns, 1'700'000'000'500'100'000);
    EXPECT_EQ(ack->report_delay_ns, 8'250);
    Buffer encoded(ReportAckBody::kSize);
    ack->encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(ReportAckCodec, RefusesEveryOtherLengthAndIgnoresWhatIsReserved) {
    Buffer bytes = vector_of("report_ack");
    for (std::size_t size = 0; size < bytes.size() + 40; ++size) {
        if (size == bytes.size()) continue;
        Buffer other = bytes;
        other.resize(size);
        const auto refused = ReportAckBody::parse(other);
        ASSERT_FALSE(refused.ok()) << size;
        EXPECT_EQ(refused.error(), DropReason::ControlBadLength);
    }
    const auto good = ReportAckBody::parse(bytes);
    for (std::size_t at = 4; at < 8; ++at)
        bytes[at] = 0xff;
    const auto same = ReportAckBody::parse(bytes);
    ASSERT_TRUE(same.ok());
    EXPECT_EQ(*same, *good);
}

TEST(DelaySketchCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("delay_sketch");
    const auto sketch = DelaySketchBody::parse(bytes);
    ASSERT_TRUE(sketch.ok());
    EXPECT_TRUE(sketch->corrected);
    EXPECT_EQ(sketch->sent_ns, 1'700'000'000'500'000'000);
    EXPECT_EQ(sketch->sketch.size(), 9U);
    Buffer encoded(sketch->encoded_size());
    sketch->encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(DelaySketchCodec, RefusesABodyWithoutASketchOrWithTooLongAOne) {
    Buffer bytes = vector_of("delay_sketch");
    constexpr std::size_t kMost = DelaySketchBody::kHeaderSize + DelaySketchBody::kMaxSketchBytes;
    for (std::size_t size = 0; size <= kMost + 10; ++size) {
        bytes.resize(size);
        const auto sketch = DelaySketchBody::parse(bytes);
        EXPECT_EQ(sketch.ok(), size > DelaySketchBody::kHeaderSize && size <= kMost) << size;
        if (!sketch.ok()) {
            EXPECT_EQ(sketch.error(), DropReason::ControlBadLength);
        }
    }
}

TEST(DelaySketchCodec, IgnoresFlagsThatItDoesNotKnow) {
    Buffer bytes = vector_of("delay_sketch");
    bytes[0] = bytes[1] = bytes[2] = 0xff;
    bytes[3] = 0xfe;
    const auto sketch = DelaySketchBody::parse(bytes);
    ASSERT_TRUE(sketch.ok());
    EXPECT_FALSE(sketch->corrected);
}

}  // namespace
}  // namespace dyetrace::test
