// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/session_messages.h"

namespace dyetrace::wire {
namespace {

constexpr Failure kBadLength{DropReason::ControlBadLength};
constexpr Failure kBadField{DropReason::ControlBadField};

/// An enumeration whose values are 1 to `last`.
template <class Enum>
bool in_range(std::uint8_t value, Enum last) {
    return value >= 1 && value <= static_cast<std::uint8_t>(last);
}

}  // namespace

std::string_view to_string(RejectReason reason) {
    switch (reason) {
        case RejectReason::TooManySessions: return "too-many-sessions";
        case RejectReason::TooManyFromPeer: return "too-many-from-peer";
        case RejectReason::TooManyPaths: return "too-many-paths";
        case RejectReason::UnsupportedSampling: return "unsupported-sampling";
        case RejectReason::NotMeasuring: return "not-measuring";
        case RejectReason::OverPacketBudget: return "over-packet-budget";
        case RejectReason::OverCpuBudget: return "over-cpu-budget";
        case RejectReason::UnsupportedMetrics: return "unsupported-metrics";
        case RejectReason::UnsupportedVersion: return "unsupported-version";
        case RejectReason::UnsupportedEncapsulation: return "unsupported-encapsulation";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(MarkerKind kind) {
    switch (kind) {
        case MarkerKind::Start: return "start";
        case MarkerKind::End: return "end";
        case MarkerKind::Count: return "count";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::Asked: return "asked";
        case CloseReason::DurationOver: return "duration-over";
        case CloseReason::NoTraffic: return "no-traffic";
        case CloseReason::NoCapacity: return "no-capacity";
        case CloseReason::PacketCap: return "packet-cap";
        case CloseReason::KeyRetired: return "key-retired";
        case CloseReason::TurnOver: return "turn-over";
    }
    DYETRACE_ASSERT(false);
    return {};
}

Result<RequestBody, DropReason> RequestBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    RequestBody request;
    request.requester_nonce = in.u64();
    request.acceptor_nonce = in.u64();
    request.source_port_base = in.u16();
    request.path_count = in.u16();
    request.port_count = in.u16();
    request.track_option_type = in.u8();
    request.encapsulation = static_cast<Encapsulation>(in.u8());
    const auto sampling = SamplingSpec::parse_any(in);
    request.metrics = in.u32();
    request.tracked_per_second = in.u32();
    request.report_interval = {in.i64()};
    request.keep_alive_interval = {in.i64()};
    request.duration = {in.i64()};
    request.packet_cap = in.u64();
    if (!sampling || request.path_count == 0 || request.port_count < request.path_count ||
        request.source_port_base + request.port_count > 65536 || request.report_interval.ns <= 0 ||
        request.keep_alive_interval.ns <= 0 || request.duration.ns < 0) {
        return kBadField;
    }
    request.sampling = *sampling;
    return request;
}

void RequestBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u64(requester_nonce);
    out.u64(acceptor_nonce);
    out.u16(source_port_base);
    out.u16(path_count);
    out.u16(port_count);
    out.u8(track_option_type);
    out.u8(static_cast<std::uint8_t>(encapsulation));
    sampling.encode_into(out);
    out.u32(metrics);
    out.u32(tracked_per_second);
    out.i64(report_interval.ns);
    out.i64(keep_alive_interval.ns);
    out.i64(duration.ns);
    out.u64(packet_cap);
}

Result<ChallengeBody, DropReason> ChallengeBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    ChallengeBody challenge;
    challenge.requester_nonce = in.u64();
    challenge.acceptor_nonce = in.u64();
    if (challenge.acceptor_nonce == 0) return kBadField;
    return challenge;
}

void ChallengeBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u64(requester_nonce);
    out.u64(acceptor_nonce);
}

Result<AcceptBody, DropReason> AcceptBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    AcceptBody accept;
    accept.requester_nonce = in.u64();
    accept.acceptor_nonce = in.u64();
    accept.report_interval = {in.i64()};
    accept.keep_alive_interval = {in.i64()};
    accept.metrics = in.u32();
    if (accept.report_interval.ns <= 0 || accept.keep_alive_interval.ns <= 0) return kBadField;
    return accept;
}

void AcceptBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u64(requester_nonce);
    out.u64(acceptor_nonce);
    out.i64(report_interval.ns);
    out.i64(keep_alive_interval.ns);
    out.u32(metrics);
    out.u32(0);
}

Result<RejectBody, DropReason> RejectBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    RejectBody reject;
    reject.requester_nonce = in.u64();
    const std::uint8_t reason = in.u8();
    in.skip(7);
    reject.back_off = {in.i64()};
    if (!in_range(reason, RejectReason::UnsupportedEncapsulation) || reject.back_off.ns < 0) return kBadField;
    reject.reason = static_cast<RejectReason>(reason);
    return reject;
}

void RejectBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u64(requester_nonce);
    out.u8(static_cast<std::uint8_t>(reason));
    out.zeros(7);
    out.i64(back_off.ns);
}

Result<MarkerBody, DropReason> MarkerBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    MarkerBody marker;
    marker.path = PathIndex{in.u16()};
    marker.generation = PathGeneration{in.u8()};
    const std::uint8_t kind = in.u8();
    marker.interval = in.u16();
    in.skip(2);
    marker.count = in.u64();
    marker.next_sequence = in.u32();
    if (!in_range(kind, MarkerKind::Count) || marker.interval == 0) return kBadField;
    marker.kind = static_cast<MarkerKind>(kind);
    return marker;
}

void MarkerBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(static_cast<std::uint8_t>(kind));
    out.u16(interval);
    out.u16(0);
    out.u64(count);
    out.u32(next_sequence);
    out.u32(0);
}

Result<MarkerAckBody, DropReason> MarkerAckBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    MarkerAckBody ack;
    ack.path = PathIndex{in.u16()};
    ack.generation = PathGeneration{in.u8()};
    const std::uint8_t kind = in.u8();
    ack.interval = in.u16();
    if (!in_range(kind, MarkerKind::End)) return kBadField;
    ack.kind = static_cast<MarkerKind>(kind);
    return ack;
}

void MarkerAckBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(static_cast<std::uint8_t>(kind));
    out.u16(interval);
    out.u16(0);
}

Result<CloseBody, DropReason> CloseBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    if (!in_range(body[0], CloseReason::TurnOver)) return kBadField;
    return CloseBody{static_cast<CloseReason>(body[0])};
}

void CloseBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(reason));
    out.zeros(3);
}

Result<PathTraceBody, DropReason> PathTraceBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    PathTraceBody trace;
    trace.path = PathIndex{in.u16()};
    trace.generation = PathGeneration{in.u8()};
    trace.ttl = in.u8();
    trace.trace = in.u16();
    if (trace.ttl == 0) return kBadField;
    return trace;
}

void PathTraceBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(ttl);
    out.u16(trace);
    out.u16(0);
}

Result<PathTraceReplyBody, DropReason> PathTraceReplyBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    PathTraceReplyBody reply;
    reply.path = PathIndex{in.u16()};
    reply.generation = PathGeneration{in.u8()};
    reply.ttl = in.u8();
    reply.trace = in.u16();
    reply.ttl_received = in.u8();
    if (reply.ttl == 0 || reply.ttl_received == 0 || reply.ttl_received > reply.ttl) return kBadField;
    return reply;
}

void PathTraceReplyBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u16(path.value);
    out.u8(generation.value);
    out.u8(ttl);
    out.u16(trace);
    out.u8(ttl_received);
    out.u8(0);
}

Result<Done, DropReason> parse_empty_body(Bytes body) {
    if (!body.empty()) return kBadLength;
    return Done{};
}

}  // namespace dyetrace::wire
