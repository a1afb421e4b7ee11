// SPDX-License-Identifier: GPL-2.0-or-later
// Bodies of the messages that open, mark, and close a session. Each is behind a `ControlHeader`; the diagrams
// are in docs/wire.md. Integers are big-endian; reserved fields are written as zero and ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/wire/drop_reason.h"
#include "core/wire/sampling_spec.h"
#include "core/wire/track_option.h"

namespace dyetrace::wire {

/// How the session's packets are encapsulated.
enum class Encapsulation : std::uint8_t { Geneve = 1, Vxlan = 2 };

/// What a session may measure, as bits of the masks of a request (wanted) and an accept (granted).
/// docs/metrics.md says what each is.
enum Metric : std::uint32_t {
    kMetricCounts = 1U << 0,      ///< net loss of all packets, from the cumulative counts
    kMetricTracked = 1U << 1,     ///< loss and duplicates of tracked packets
    kMetricDelay = 1U << 2,       ///< one-way delay
    kMetricJitter = 1U << 3,      ///< RFC 3393, RFC 3550
    kMetricReordering = 1U << 4,  ///< RFC 4737
    kMetricEcn = 1U << 5,         ///< CE marks, invalid combinations
    kMetricTtl = 1U << 6,         ///< changes of the received TTL
    kMetricCorruption = 1U << 7,  ///< the own check
    kMetricQuantiles = 1U << 8,   ///< delay sketch
    kMetricsAll = (1U << 9) - 1,
};

/// Asks the peer to measure: "I shall tag this share of what I send you on these source ports." Sent without
/// the acceptor's nonce first, and again with the one that the challenge brought.
///
///   requester's nonce (64) | acceptor's nonce, zero: none yet (64) |
///   source port base (16) | path count (16) | port count (16) | track option type (8) | encapsulation (8) |
///   sampling (64) | metrics wanted (32) | tracked packets a second, at most (32) |
///   report interval, ns (64) | keep-alive interval, ns (64) | duration, ns, zero for none (64) |
///   packet cap, tracked packets, zero for none (64)
struct RequestBody {
    static constexpr std::size_t kSize = 72;

    std::uint64_t requester_nonce = 0;
    std::uint64_t acceptor_nonce = 0;
    std::uint16_t source_port_base = 0;  ///< path index i begins on source port base + i
    std::uint16_t path_count = 0;
    std::uint16_t port_count = 0;  ///< at least path_count; the rest is spare, for repaths
    std::uint8_t track_option_type = TrackOption::kType;
    Encapsulation encapsulation = Encapsulation::Geneve;  ///< perhaps a value that is not known here
    SamplingSpec sampling;  ///< perhaps of a kind that is not known here: see SamplingSpec::is_known
    std::uint32_t metrics = kMetricsAll;
    std::uint32_t tracked_per_second = 0;  ///< zero: not told
    Duration report_interval;
    Duration keep_alive_interval;
    Duration duration;
    std::uint64_t packet_cap = 0;

    bool operator==(const RequestBody&) const = default;
    static Result<RequestBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// "Ask again with this nonce, so that I know that you are there." Bound to the request; nothing is kept of
/// it.
///
///   requester's nonce (64) | acceptor's nonce (64)
struct ChallengeBody {
    static constexpr std::size_t kSize = 16;

    std::uint64_t requester_nonce = 0;
    std::uint64_t acceptor_nonce = 0;  ///< not zero

    bool operator==(const ChallengeBody&) const = default;
    static Result<ChallengeBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// The acceptor's yes. Both nonces and both boot ids enter the session's keys.
///
///   requester's nonce (64) | acceptor's nonce (64) | report interval granted, ns (64) |
///   keep-alive interval granted, ns (64) | metrics granted (32) | reserved (32)
struct AcceptBody {
    /// Reports come no closer, whatever was asked for or granted.
    static constexpr Duration kReportIntervalLeast = Duration::milliseconds(1);
    static constexpr std::size_t kSize = 40;

    std::uint64_t requester_nonce = 0;
    std::uint64_t acceptor_nonce = 0;
    Duration report_interval;
    Duration keep_alive_interval;
    std::uint32_t metrics = 0;

    bool operator==(const AcceptBody&) const = default;
    static Result<AcceptBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

enum class RejectReason : std::uint8_t {
    TooManySessions = 1,      ///< the acceptor's bound of sessions in all
    TooManyFromPeer = 2,      ///< its bound of sessions from one peer
    TooManyPaths = 3,         ///< more source ports than it keeps state for
    UnsupportedSampling = 4,  ///< kind not known
    NotMeasuring = 5,         ///< it accepts no sessions now
    OverPacketBudget = 6,     ///< its bound of tracked packets a second, over all sessions
    OverCpuBudget = 7,        ///< its processor is busy enough
    UnsupportedMetrics = 8,   ///< none of those wanted
    UnsupportedVersion = 9,   ///< of the track option
    UnsupportedEncapsulation = 10,
};
std::string_view to_string(RejectReason reason);

///   requester's nonce (64) | reason (8) | reserved (24) | reserved (32) | do not ask again for, ns (64)
struct RejectBody {
    static constexpr std::size_t kSize = 24;

    std::uint64_t requester_nonce = 0;
    RejectReason reason = RejectReason::NotMeasuring;
    Duration back_off;

    bool operator==(const RejectBody&) const = default;
    static Result<RejectBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

enum class MarkerKind : std::uint8_t {
    Start = 1,
    End = 2,
    Count = 3,  ///< in the middle of an interval, not acknowledged: how sessions without tags measure
};
std::string_view to_string(MarkerKind kind);

/// Opens or closes a measured interval of one path, or tells its count; travels on that path's own 5-tuple.
/// Intervals count from 1.
///
///   path index (16) | generation (8) | kind (8) | interval (16) | reserved (16) |
///   cumulative count of data packets sent on this path generation (64) |
///   sequence number that the next tracked packet will have (32) | reserved (32)
struct MarkerBody {
    static constexpr std::size_t kSize = 24;

    PathIndex path;
    PathGeneration generation;
    MarkerKind kind = MarkerKind::Start;
    std::uint16_t interval = 0;
    std::uint64_t count = 0;
    std::uint32_t next_sequence = 0;

    bool operator==(const MarkerBody&) const = default;
    static Result<MarkerBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

///   path index (16) | generation (8) | kind (8) | interval (16) | reserved (16)
struct MarkerAckBody {
    static constexpr std::size_t kSize = 8;

    PathIndex path;
    PathGeneration generation;
    MarkerKind kind = MarkerKind::Start;
    std::uint16_t interval = 0;

    bool operator==(const MarkerAckBody&) const = default;
    static Result<MarkerAckBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

enum class CloseReason : std::uint8_t {
    Asked = 1,         ///< an operator or the requester's own plan
    DurationOver = 2,  ///< the requested duration has passed
    NoTraffic = 3,     ///< the requester has had nothing to send for long
    NoCapacity = 4,    ///< the acceptor needs the room
    PacketCap = 5,     ///< as many packets were tracked as were asked for
    KeyRetired = 6,    ///< the key that it was opened with is no longer used
    TurnOver = 7,      ///< another peer waits to be measured
};
std::string_view to_string(CloseReason reason);

///   reason (8) | reserved (24)
struct CloseBody {
    static constexpr std::size_t kSize = 4;

    CloseReason reason = CloseReason::Asked;

    bool operator==(const CloseBody&) const = default;
    static Result<CloseBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// A packet that is meant to die on the way (or to arrive), on the data path's own 5-tuple, so that the
/// routers of that path name themselves by ICMP time exceeded. The outer identification field tells
/// outstanding traces apart.
///
///   path index (16) | generation (8) | TTL sent (8) | trace number (16) | reserved (16)
struct PathTraceBody {
    static constexpr std::size_t kSize = 8;

    PathIndex path;
    PathGeneration generation;
    std::uint8_t ttl = 0;
    std::uint16_t trace = 0;

    bool operator==(const PathTraceBody&) const = default;
    static Result<PathTraceBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// The far EPPC's answer to a trace that arrived.
///
///   path index (16) | generation (8) | TTL sent (8) | trace number (16) | TTL received (8) | reserved (8)
struct PathTraceReplyBody {
    static constexpr std::size_t kSize = 8;

    PathIndex path;
    PathGeneration generation;
    std::uint8_t ttl = 0;
    std::uint16_t trace = 0;
    std::uint8_t ttl_received = 0;

    bool operator==(const PathTraceReplyBody&) const = default;
    static Result<PathTraceReplyBody, DropReason> parse(Bytes body);
    void encode_into(MutableBytes out) const;
};

/// CloseAck and KeepAlive have an empty body.
Result<Done, DropReason> parse_empty_body(Bytes body);

}  // namespace dyetrace::wire
