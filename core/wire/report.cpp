// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/report.h"

namespace dyetrace::wire {
namespace {

DelaySample parse_sample(ByteReader& in) {
    DelaySample sample;
    sample.transmit_ns = in.i64();
    sample.delay_ns = in.i64();
    return sample;
}

void encode(const DelaySample& sample, ByteWriter& out) {
    out.i64(sample.transmit_ns);
    out.i64(sample.delay_ns);
}

}  // namespace

PathRecord PathRecord::parse(ByteReader& in) {
    PathRecord record;
    record.path = PathIndex{in.u16()};
    record.generation = PathGeneration{in.u8()};
    record.flags = in.u8();
    record.intervals = in.u16();
    record.ttl_changes = in.u16();
    record.sent = in.u64();
    record.received = in.u64();
    record.tracked_sent = in.u32();
    record.tracked_received = in.u32();
    record.duplicates = in.u32();
    record.late = in.u32();
    record.delay_ns_min = in.i64();
    record.delay_ns_max = in.i64();
    record.delay_ns_sum = in.i64();
    record.delay_count = in.u32();
    record.ce = in.u32();
    record.ecn_invalid = in.u32();
    record.corrupted = in.u32();
    record.reordering_extent_max = in.u32();
    record.jitter_ns = in.u32();
    record.ipdv_ns_sum = in.i64();
    record.measured_ns = in.i64();
    return record;
}

void PathRecord::encode_into(ByteWriter& out) const {
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(flags);
    out.u16(intervals);
    out.u16(ttl_changes);
    out.u64(sent);
    out.u64(received);
    out.u32(tracked_sent);
    out.u32(tracked_received);
    out.u32(duplicates);
    out.u32(late);
    out.i64(delay_ns_min);
    out.i64(delay_ns_max);
    out.i64(delay_ns_sum);
    out.u32(delay_count);
    out.u32(ce);
    out.u32(ecn_invalid);
    out.u32(corrupted);
    out.u32(reordering_extent_max);
    out.u32(jitter_ns);
    out.i64(ipdv_ns_sum);
    out.i64(measured_ns);
}

Result<ReportHeader, DropReason> ReportBody::parse(Bytes body, std::vector<PathRecord>& records) {
    if (body.size() < ReportHeader::kSize) return Failure{DropReason::ControlBadLength};
    ByteReader in(body);
    const std::size_t count = in.u16();
    if (body.size() != encoded_size(count)) return Failure{DropReason::ControlBadLength};
    ReportHeader header;
    header.flags = in.u16();
    header.sent_ns = in.i64();
    header.newest = parse_sample(in);
    header.best = parse_sample(in);
    records.reserve(records.size() + count);
    for (std::size_t i = 0; i < count; ++i)
        records.push_back(PathRecord::parse(in));
    return header;
}

void ReportBody::encode_into(MutableBytes bytes, const ReportHeader& header,
                             std::span<const PathRecord> records) {
    ByteWriter out(bytes);
    out.u16(static_cast<std::uint16_t>(records.size()));
    out.u16(header.flags);
    out.i64(header.sent_ns);
    encode(header.newest, out);
    encode(header.best, out);
    for (const PathRecord& record : records)
        record.encode_into(out);
}

Result<ReportAckBody, DropReason> ReportAckBody::parse(Bytes body) {
    if (body.size() != kSize) return Failure{DropReason::ControlBadLength};
    ByteReader in(body);
    ReportAckBody ack;
    ack.acknowledged = in.u32();
    in.skip(4);
    ack.sent_ns = in.i64();
    ack.report_sent_ns = in.i64();
    ack.report_delay_ns = in.i64();
    return ack;
}

void ReportAckBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u32(acknowledged);
    out.u32(0);
    out.i64(sent_ns);
    out.i64(report_sent_ns);
    out.i64(report_delay_ns);
}

Result<DelaySketchBody, DropReason> DelaySketchBody::parse(Bytes body) {
    if (body.size() <= kHeaderSize || body.size() > kHeaderSize + kMaxSketchBytes)
        return Failure{DropReason::ControlBadLength};
    ByteReader in(body);
    DelaySketchBody message;
    message.corrected = (in.u32() & kFlagCorrected) != 0;
    message.sent_ns = in.i64();
    message.sketch = body.subspan(kHeaderSize);
    return message;
}

void DelaySketchBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u32(corrected ? kFlagCorrected : 0);
    out.i64(sent_ns);
    out.bytes(sketch);
}

}  // namespace dyetrace::wire
