// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/flow_trace.h"

#include <algorithm>

namespace dyetrace::wire {
namespace {

constexpr Failure kBadLength{DropReason::ControlBadLength};
constexpr Failure kBadField{DropReason::ControlBadField};
constexpr std::uint32_t kVniMost = 0xff'ffff;

}  // namespace

std::string_view to_string(FlowStage stage) {
    switch (stage) {
        case FlowStage::GuestOut: return "guest-out";
        case FlowStage::EppcOut: return "eppc-out";
        case FlowStage::EppcIn: return "eppc-in";
        case FlowStage::GuestIn: return "guest-in";
    }
    DYETRACE_ASSERT(false);
    return {};
}

bool TracedFlow::matches(const InnerPacket& packet, Vni in) const {
    if (!packet.is_ip || in != vni) return false;
    if (protocol != 0 && packet.protocol != protocol) return false;
    if (!source.is_unspecified() && packet.source != source) return false;
    if (!destination.is_unspecified() && packet.destination != destination) return false;
    if (!packet.has_ports) return source_port == 0 && destination_port == 0;
    return (source_port == 0 || packet.source_port == source_port) &&
           (destination_port == 0 || packet.destination_port == destination_port);
}

std::string_view FlowTraceSpec::fault() const {
    if (stages == 0 || (stages & ~kAllStages) != 0) return "no stage, or one that does not exist";
    if (flow.vni.value > kVniMost) return "a VNI of more than 24 bits";
    if (packets == 0) return "no packets";
    if (capture_bytes > kCaptureMost) return "more bytes of a packet than may be captured";
    if (duration.ns <= 0 || duration > kDurationMost) return "not for more than nothing and up to an hour";
    return {};
}

Result<FlowTraceSpec, DropReason> FlowTraceSpec::parse(ByteReader& in) {
    FlowTraceSpec spec;
    spec.trace = in.u32();
    spec.stages = in.u8();
    spec.flow.protocol = in.u8();
    spec.captured_packets = in.u16();
    spec.flow.vni = Vni{in.u32()};
    spec.flow.source_port = in.u16();
    spec.flow.destination_port = in.u16();
    spec.packets = in.u16();
    spec.capture_bytes = in.u16();
    spec.flow.source = read_ip(in);
    spec.flow.destination = read_ip(in);
    spec.duration = {in.i64()};
    spec.sampled = in.u32();
    if (!spec.fault().empty()) return kBadField;
    return spec;
}

void FlowTraceSpec::encode_into(ByteWriter& out) const {
    out.u32(trace);
    out.u8(stages);
    out.u8(flow.protocol);
    out.u16(captured_packets);
    out.u32(flow.vni.value);
    out.u16(flow.source_port);
    out.u16(flow.destination_port);
    out.u16(packets);
    out.u16(capture_bytes);
    write_ip(out, flow.source);
    write_ip(out, flow.destination);
    out.i64(duration.ns);
    out.u32(sampled);
}

Result<FlowStageEntry, DropReason> FlowStageEntry::parse(Bytes data) {
    if (data.size() < kFixedSize) return kBadLength;
    ByteReader in(data);
    FlowStageEntry entry;
    entry.trace = in.u32();
    const std::uint8_t stage = in.u8();
    entry.generation = PathGeneration{in.u8()};
    entry.path = PathIndex{in.u16()};
    entry.packet = in.u32();
    entry.frame_length = in.u16();
    entry.captured = in.u16();
    entry.at_ns = in.i64();
    in.skip(4);
    if (stage >= kFlowStages || entry.captured > FlowTraceSpec::kCaptureMost) return kBadField;
    if (in.remaining() != entry.captured) return kBadLength;
    entry.stage = static_cast<FlowStage>(stage);
    const Bytes captured = in.bytes(entry.captured);
    std::copy(captured.begin(), captured.end(), entry.bytes.begin());
    return entry;
}

void FlowStageEntry::encode_into(ByteWriter& out) const {
    DYETRACE_ASSERT(captured <= FlowTraceSpec::kCaptureMost);
    out.u32(trace);
    out.u8(static_cast<std::uint8_t>(stage));
    out.u8(generation.value);
    out.u16(path.value);
    out.u32(packet);
    out.u16(frame_length);
    out.u16(captured);
    out.i64(at_ns);
    out.u32(0);
    out.bytes(Bytes(bytes).first(captured));
}

}  // namespace dyetrace::wire
