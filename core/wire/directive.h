// SPDX-License-Identifier: GPL-2.0-or-later
// What the NHMS asks of an EPPC, and what the EPPC says came of it. Bodies behind a `ControlHeader`, whose
// message number identifies the directive.
//
//   kind (8) | reserved (24) | peer (128) | then by kind:
//
//   1, investigate:  sampling (64) | for how long, ns (64)
//   2, open-session: sampling (64) | for how long, ns (64) | metrics wanted (32) | reserved (32)
//   3, trace:        path count (16) | reserved (16)
//   4, repath:       path count (16) | reserved (16) | paths
//   16, trace-flow:  what flow_trace.h says; `peer` is the EPPC at the flow's other end
//
//   a path: path index (16) | generation (8) | reserved (8)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"
#include "core/wire/flow_trace.h"
#include "core/wire/sampling_spec.h"

namespace dyetrace::wire {

enum class DirectiveKind : std::uint8_t {
    Investigate = 1,  ///< raise the sampling rate of the sessions with a peer and trace their paths anew
    OpenSession = 2,  ///< measure the pair with that peer, where nobody does
    Trace = 3,        ///< trace the paths to a peer anew, of all its active sessions
    Repath = 4,       ///< move these paths to other source ports
    TraceFlow = 16,   ///< follow one guest flow
};
std::string_view to_string(DirectiveKind kind);

/// One path of a pair, as it was when the directive was written: a path that has another generation by now
/// has been moved already, and stays.
struct DirectivePath {
    static constexpr std::size_t kSize = 4;

    PathIndex path;
    PathGeneration generation;

    bool operator==(const DirectivePath&) const = default;
};

struct DirectiveBody {
    static constexpr std::size_t kFixedSize = 20;  ///< kind and peer
    static constexpr std::size_t kMaxPaths = 64;
    static constexpr std::size_t kMaxSize = kFixedSize + 4 + kMaxPaths * DirectivePath::kSize;

    DirectiveKind kind = DirectiveKind::Investigate;
    IpAddress peer;
    SamplingSpec sampling;      ///< of Investigate and OpenSession
    Duration duration;          ///< likewise; of OpenSession zero is until closed
    std::uint32_t metrics = 0;  ///< of OpenSession: wanted, of wire::Metric; zero: the EPPC's own choice
    std::vector<DirectivePath> paths;  ///< of Repath: 1 to kMaxPaths

    FlowTraceSpec flow;  ///< of TraceFlow

    bool operator==(const DirectiveBody&) const = default;
    static Result<DirectiveBody, DropReason> parse(Bytes body);
    [[nodiscard]] std::size_t encoded_size() const;
    void encode_into(MutableBytes out) const;
};

enum class DirectiveStatus : std::uint8_t {
    Done = 1,
    NoSession = 2,  ///< there is no active session with that peer; of Repath: no such peer
    Partly = 3,     ///< some of the paths could not be moved now; ask again later
    Refused = 4,    ///< a bound was reached, or the peer can be none
};
std::string_view to_string(DirectiveStatus status);

/// "Paths": being traced; of Repath, those that are not on the generation that was named, any more.
///
///   status (8) | reserved (8) | sessions concerned (16) | paths (16) | reserved (16)
struct DirectiveResultBody {
    static constexpr std::size_t kSize = 8;

    DirectiveStatus status = DirectiveStatus::Done;
    std::uint16_t sessions = 0;
    std::uint16_t paths = 0;

    bool operator==(const DirectiveResultBody&) const = default;
    static Result<DirectiveResultBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

}  // namespace dyetrace::wire
