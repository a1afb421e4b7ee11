// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/report.h"

namespace dyetrace::wire {

PathRecord PathRecord::parse(ByteReader& in) {
    PathRecord record;
    record.path = PathIndex{in.u16()};
    record.generation = PathGeneration{in.u8()};
    record.flags = in.u8();
    record.intervals = in.u16();
    in.skip(2);
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
    in.skip(4);
    record.measured_ns = in.i64();
    return record;
}

void PathRecord::encode_into(ByteWriter& out) const {
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(flags);
    out.u16(intervals);
    out.u16(0);
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
    out.u32(0);
    out.i64(measured_ns);
}

Result<Done, DropReason> ReportBody::parse(Bytes body, std::vector<PathRecord>& records) {
    if (body.size() < kHeaderSize) return Failure{DropReason::ControlBadLength};
    ByteReader in(body);
    const std::size_t count = in.u16();
    in.skip(2);
    if (in.remaining() != count * PathRecord::kSize) return Failure{DropReason::ControlBadLength};
    for (std::size_t i = 0; i < count; ++i)
        records.push_back(PathRecord::parse(in));
    return Done{};
}

void ReportBody::encode_into(MutableBytes bytes, std::span<const PathRecord> records) {
    ByteWriter out(bytes);
    out.u16(static_cast<std::uint16_t>(records.size()));
    out.u16(0);
    for (const PathRecord& record : records)
        record.encode_into(out);
}

}  // namespace dyetrace::wire
