// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/update.h"

namespace dyetrace::wire {
namespace {

constexpr Failure kBadLength{DropReason::ControlBadLength};
constexpr Failure kBadField{DropReason::ControlBadField};

enum class EntryKind : std::uint8_t {
    Metrics = 1,
    Path = 2,
    Session = 3,
    Timing = 4,
    Traffic = 5,
    FlowStage = 16
};

constexpr std::size_t kEntryHeaderSize = 4;
constexpr std::size_t kMetricsSize = IpAddress::kSize + 4 + PathRecord::kSize;
constexpr std::size_t kPathFixedSize = IpAddress::kSize + 20;
constexpr std::size_t kSessionSize = IpAddress::kSize + 40;
constexpr std::size_t kTrafficSize = IpAddress::kSize + 8;

std::size_t data_size(const MetricsEntry&) {
    return kMetricsSize;
}
std::size_t data_size(const PathEntry& entry) {
    return kPathFixedSize + entry.hop_count * IpAddress::kSize;
}
std::size_t data_size(const SessionEntry&) {
    return kSessionSize;
}
std::size_t data_size(const TimingEntry& entry) {
    return TimingEntry::kFixedSize + entry.sketch.size();
}
std::size_t data_size(const TrafficEntry&) {
    return kTrafficSize;
}
std::size_t data_size(const FlowStageEntry& entry) {
    return entry.encoded_size();
}

EntryKind kind_of(const MetricsEntry&) {
    return EntryKind::Metrics;
}
EntryKind kind_of(const PathEntry&) {
    return EntryKind::Path;
}
EntryKind kind_of(const SessionEntry&) {
    return EntryKind::Session;
}
EntryKind kind_of(const TimingEntry&) {
    return EntryKind::Timing;
}
EntryKind kind_of(const TrafficEntry&) {
    return EntryKind::Traffic;
}
EntryKind kind_of(const FlowStageEntry&) {
    return EntryKind::FlowStage;
}

void encode(const MetricsEntry& entry, ByteWriter& out) {
    write_ip(out, entry.peer);
    out.u32(entry.session.value);
    entry.record.encode_into(out);
}

void encode(const PathEntry& entry, ByteWriter& out) {
    DYETRACE_ASSERT(entry.hop_count <= PathEntry::kMaxHops);
    write_ip(out, entry.peer);
    out.u32(entry.session.value);
    out.u16(entry.path.value);
    out.u8(entry.generation.value);
    out.u8(entry.complete ? PathEntry::kFlagComplete : 0);
    out.u16(entry.source_port);
    out.u16(entry.hop_count);
    out.i64(entry.traced_ns);
    for (std::size_t i = 0; i < entry.hop_count; ++i)
        write_ip(out, entry.hops[i]);
}

void encode(const SessionEntry& entry, ByteWriter& out) {
    write_ip(out, entry.peer);
    out.u32(entry.session.value);
    out.u8(entry.state);
    out.u8(entry.reason);
    out.u16(0);
    entry.sampling.encode_into(out);
    out.u64(entry.offered);
    out.u64(entry.tagged);
    out.i64(entry.changed_ns);
}

void encode(const TimingEntry& entry, ByteWriter& out) {
    DYETRACE_ASSERT(entry.sketch.size() <= TimingEntry::kMaxSketchBytes);
    write_ip(out, entry.peer);
    out.u32(entry.session.value);
    out.u32((entry.clock_known ? TimingEntry::kFlagClockKnown : 0) |
            (entry.round_trip_known ? TimingEntry::kFlagRoundTripKnown : 0) |
            (entry.sketch_corrected ? TimingEntry::kFlagSketchCorrected : 0));
    out.i64(entry.clock_offset.ns);
    out.i64(entry.clock_bound.ns);
    out.u32(static_cast<std::uint32_t>(entry.drift_ppb));
    out.u32(entry.clock_steps);
    out.i64(entry.round_trip_min.ns);
    out.i64(entry.round_trip_last.ns);
    out.i64(entry.measured_ns);
    out.u16(static_cast<std::uint16_t>(entry.sketch.size()));
    out.u16(0);
    out.bytes(entry.sketch);
}

void encode(const TrafficEntry& entry, ByteWriter& out) {
    write_ip(out, entry.peer);
    out.u64(entry.packets);
}

void encode(const FlowStageEntry& entry, ByteWriter& out) {
    entry.encode_into(out);
}

using Parsed = Result<Done, DropReason>;

Parsed parse(Bytes data, MetricsEntry& entry) {
    if (data.size() != kMetricsSize) return kBadLength;
    ByteReader in(data);
    entry.peer = read_ip(in);
    entry.session = SessionId{in.u32()};
    entry.record = PathRecord::parse(in);
    return Done{};
}

Parsed parse(Bytes data, PathEntry& entry) {
    if (data.size() < kPathFixedSize) return kBadLength;
    ByteReader in(data);
    entry.peer = read_ip(in);
    entry.session = SessionId{in.u32()};
    entry.path = PathIndex{in.u16()};
    entry.generation = PathGeneration{in.u8()};
    entry.complete = (in.u8() & PathEntry::kFlagComplete) != 0;
    entry.source_port = in.u16();
    entry.hop_count = in.u16();
    entry.traced_ns = in.i64();
    if (entry.hop_count > PathEntry::kMaxHops) return kBadField;
    if (in.remaining() != entry.hop_count * IpAddress::kSize) return kBadLength;
    for (std::size_t i = 0; i < entry.hop_count; ++i)
        entry.hops[i] = read_ip(in);
    return Done{};
}

Parsed parse(Bytes data, SessionEntry& entry) {
    if (data.size() != kSessionSize) return kBadLength;
    ByteReader in(data);
    entry.peer = read_ip(in);
    entry.session = SessionId{in.u32()};
    entry.state = in.u8();
    entry.reason = in.u8();
    in.skip(2);
    const auto sampling = SamplingSpec::parse(in);
    entry.offered = in.u64();
    entry.tagged = in.u64();
    entry.changed_ns = in.i64();
    if (!sampling) return kBadField;
    entry.sampling = *sampling;
    return Done{};
}

Parsed parse(Bytes data, TimingEntry& entry) {
    if (data.size() < TimingEntry::kFixedSize) return kBadLength;
    ByteReader in(data);
    entry.peer = read_ip(in);
    entry.session = SessionId{in.u32()};
    const std::uint32_t flags = in.u32();
    entry.clock_known = (flags & TimingEntry::kFlagClockKnown) != 0;
    entry.round_trip_known = (flags & TimingEntry::kFlagRoundTripKnown) != 0;
    entry.sketch_corrected = (flags & TimingEntry::kFlagSketchCorrected) != 0;
    entry.clock_offset = {in.i64()};
    entry.clock_bound = {in.i64()};
    entry.drift_ppb = static_cast<std::int32_t>(in.u32());
    entry.clock_steps = in.u32();
    entry.round_trip_min = {in.i64()};
    entry.round_trip_last = {in.i64()};
    entry.measured_ns = in.i64();
    const std::size_t sketch_length = in.u16();
    in.skip(2);
    if (entry.clock_bound.ns < 0 || sketch_length > TimingEntry::kMaxSketchBytes) return kBadField;
    if (in.remaining() != sketch_length) return kBadLength;
    const Bytes sketch = in.bytes(sketch_length);
    entry.sketch.assign(sketch.begin(), sketch.end());
    return Done{};
}

Parsed parse(Bytes data, TrafficEntry& entry) {
    if (data.size() != kTrafficSize) return kBadLength;
    ByteReader in(data);
    entry.peer = read_ip(in);
    entry.packets = in.u64();
    return Done{};
}

Parsed parse(Bytes data, FlowStageEntry& entry) {
    const auto parsed = FlowStageEntry::parse(data);
    if (!parsed) return Failure{parsed.error()};
    entry = *parsed;
    return Done{};
}

/// In place: an entry is up to half a kilobyte.
template <class Entry>
Parsed append(Bytes data, std::vector<UpdateEntry>& entries) {
    return parse(data, std::get<Entry>(entries.emplace_back(std::in_place_type<Entry>)));
}

}  // namespace

std::size_t encoded_size(const UpdateEntry& entry) {
    return kEntryHeaderSize + std::visit([](const auto& e) { return data_size(e); }, entry);
}

Result<Done, DropReason> UpdateBody::parse(Bytes body, std::vector<UpdateEntry>& entries) {
    if (body.size() < kHeaderSize) return kBadLength;
    ByteReader in(body);
    const std::size_t count = in.u16();
    in.skip(2);
    const std::size_t before = entries.size();
    const auto refuse = [&](Failure<DropReason> why) {
        entries.resize(before);
        return why;
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (!in.has(kEntryHeaderSize)) return refuse(kBadLength);
        const std::uint8_t kind = in.u8();
        in.skip(1);
        const std::size_t length = in.u16();
        if (!in.has(length)) return refuse(kBadLength);
        const Bytes data = in.bytes(length);
        Parsed entry = Done{};
        switch (static_cast<EntryKind>(kind)) {
            case EntryKind::Metrics: entry = append<MetricsEntry>(data, entries); break;
            case EntryKind::Path: entry = append<PathEntry>(data, entries); break;
            case EntryKind::Session: entry = append<SessionEntry>(data, entries); break;
            case EntryKind::Timing: entry = append<TimingEntry>(data, entries); break;
            case EntryKind::Traffic: entry = append<TrafficEntry>(data, entries); break;
            case EntryKind::FlowStage: entry = append<FlowStageEntry>(data, entries); break;
            default: continue;  // a later version's entry
        }
        if (!entry) return refuse(Failure{entry.error()});
    }
    if (in.remaining() != 0) return refuse(kBadLength);
    return Done{};
}

std::size_t UpdateBody::encoded_size(std::span<const UpdateEntry> entries) {
    std::size_t size = kHeaderSize;
    for (const UpdateEntry& entry : entries)
        size += wire::encoded_size(entry);
    return size;
}

void UpdateBody::encode_into(MutableBytes bytes, std::span<const UpdateEntry> entries) {
    ByteWriter out(bytes);
    out.u16(static_cast<std::uint16_t>(entries.size()));
    out.u16(0);
    for (const UpdateEntry& entry : entries) {
        std::visit(
            [&](const auto& e) {
                out.u8(static_cast<std::uint8_t>(kind_of(e)));
                out.u8(0);
                out.u16(static_cast<std::uint16_t>(data_size(e)));
                encode(e, out);
            },
            entry);
    }
}

}  // namespace dyetrace::wire
