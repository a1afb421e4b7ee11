// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/directive.h"

namespace dyetrace::wire {
namespace {

constexpr Failure kBadLength{DropReason::ControlBadLength};
constexpr Failure kBadField{DropReason::ControlBadField};

using Parsed = Result<Done, DropReason>;

Parsed parse_sampling(ByteReader& in, DirectiveBody& directive) {
    const auto sampling = SamplingSpec::parse(in);
    directive.duration = {in.i64()};
    if (!sampling || directive.duration.ns < 0) return kBadField;
    directive.sampling = *sampling;
    return Done{};
}

Parsed parse_paths(ByteReader& in, DirectiveBody& directive) {
    const std::size_t count = in.u16();
    in.skip(2);
    // A trace is of all paths that are used: their number is reserved for a choice among them.
    const bool is_trace = directive.kind == DirectiveKind::Trace;
    if (is_trace ? count != 0 : count == 0 || count > DirectiveBody::kMaxPaths) return kBadField;
    if (in.remaining() != count * DirectivePath::kSize) return kBadLength;
    directive.paths.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const PathIndex path{in.u16()};
        const PathGeneration generation{in.u8()};
        in.skip(1);
        directive.paths.push_back({path, generation});
    }
    return Done{};
}

/// Bytes behind the peer; of lists, without their elements.
std::size_t size_by_kind(DirectiveKind kind) {
    switch (kind) {
        case DirectiveKind::Investigate: return SamplingSpec::kSize + 8;
        case DirectiveKind::OpenSession: return SamplingSpec::kSize + 16;
        case DirectiveKind::Trace:
        case DirectiveKind::Repath: return 4;
        case DirectiveKind::TraceFlow: return FlowTraceSpec::kSize;
    }
    DYETRACE_ASSERT(false);
    return 0;
}

}  // namespace

std::string_view to_string(DirectiveKind kind) {
    switch (kind) {
        case DirectiveKind::Investigate: return "investigate";
        case DirectiveKind::OpenSession: return "open-session";
        case DirectiveKind::Trace: return "trace";
        case DirectiveKind::Repath: return "repath";
        case DirectiveKind::TraceFlow: return "trace-flow";
    }
    DYETRACE_ASSERT(false);
    return {};
}

std::string_view to_string(DirectiveStatus status) {
    switch (status) {
        case DirectiveStatus::Done: return "done";
        case DirectiveStatus::NoSession: return "no-session";
        case DirectiveStatus::Partly: return "partly";
        case DirectiveStatus::Refused: return "refused";
    }
    DYETRACE_ASSERT(false);
    return {};
}

Result<DirectiveBody, DropReason> DirectiveBody::parse(Bytes body) {
    if (body.size() < kFixedSize) return kBadLength;
    ByteReader in(body);
    DirectiveBody directive;
    const std::uint8_t kind = in.u8();
    in.skip(3);
    directive.peer = read_ip(in);
    const bool is_known = (kind >= 1 && kind <= static_cast<std::uint8_t>(DirectiveKind::Repath)) ||
                          kind == static_cast<std::uint8_t>(DirectiveKind::TraceFlow);
    if (!is_known) return kBadField;
    directive.kind = static_cast<DirectiveKind>(kind);
    const std::size_t size = size_by_kind(directive.kind);
    Parsed rest = Done{};
    switch (directive.kind) {
        case DirectiveKind::Investigate:
            if (in.remaining() != size) return kBadLength;
            rest = parse_sampling(in, directive);
            break;
        case DirectiveKind::OpenSession:
            if (in.remaining() != size) return kBadLength;
            rest = parse_sampling(in, directive);
            directive.metrics = in.u32();
            break;
        case DirectiveKind::Trace:
        case DirectiveKind::Repath:
            if (in.remaining() < size) return kBadLength;
            rest = parse_paths(in, directive);
            break;
        case DirectiveKind::TraceFlow: {
            if (in.remaining() != size) return kBadLength;
            const auto flow = FlowTraceSpec::parse(in);
            if (!flow) return Failure{flow.error()};
            directive.flow = *flow;
            break;
        }
    }
    if (!rest) return Failure{rest.error()};
    return directive;
}

std::size_t DirectiveBody::encoded_size() const {
    return kFixedSize + size_by_kind(kind) + paths.size() * DirectivePath::kSize;
}

void DirectiveBody::encode_into(MutableBytes bytes) const {
    DYETRACE_ASSERT(paths.size() <= kMaxPaths && (kind == DirectiveKind::Repath) != paths.empty());
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(kind));
    out.zeros(3);
    write_ip(out, peer);
    switch (kind) {
        case DirectiveKind::Investigate:
        case DirectiveKind::OpenSession:
            sampling.encode_into(out);
            out.i64(duration.ns);
            if (kind == DirectiveKind::OpenSession) {
                out.u32(metrics);
                out.u32(0);
            }
            return;
        case DirectiveKind::Trace:
        case DirectiveKind::Repath:
            out.u16(static_cast<std::uint16_t>(paths.size()));
            out.u16(0);
            for (const DirectivePath& path : paths) {
                out.u16(path.path.value);
                out.u8(path.generation.value);
                out.u8(0);
            }
            return;
        case DirectiveKind::TraceFlow: flow.encode_into(out); return;
    }
}

Result<DirectiveResultBody, DropReason> DirectiveResultBody::parse(Bytes body) {
    if (body.size() != kSize) return kBadLength;
    ByteReader in(body);
    DirectiveResultBody result;
    const std::uint8_t status = in.u8();
    in.skip(1);
    result.sessions = in.u16();
    result.paths = in.u16();
    if (status < 1 || status > static_cast<std::uint8_t>(DirectiveStatus::Refused)) return kBadField;
    result.status = static_cast<DirectiveStatus>(status);
    return result;
}

void DirectiveResultBody::encode_into(MutableBytes bytes) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(status));
    out.u8(0);
    out.u16(sessions);
    out.u16(paths);
    out.u16(0);
}

}  // namespace dyetrace::wire
