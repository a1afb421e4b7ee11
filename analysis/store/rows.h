// SPDX-License-Identifier: GPL-2.0-or-later
// One struct a table of the run database. docs/database.md says what each column means.
//
// Times are nanoseconds of simulated (or host) time since the run began. A `RowId` refers to the `id` of the
// table that the member's name tells: `session` to sessions, `from_node` to nodes, `incident` to incidents.
// Members named `id` are given by the writer and filled in by the reader; what a caller puts there is
// ignored, except where a row is updated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dyetrace::store {

using RowId = std::int64_t;

/// 64 bits that only say "the same" or "another"; kept as 16 hexadecimal digits.
struct HexId {
    std::uint64_t value = 0;

    constexpr HexId() = default;
    constexpr HexId(std::uint64_t v) : value(v) {}  // NOLINT: implicit, it is a plain number to callers
    constexpr bool operator==(const HexId&) const = default;
};

// ---- the fabric, as the operator configured it ----------------------------------------------------------

struct NodeRow {
    RowId id = 0;              ///< counts from 0 in the order of adding, so it equals a dense graph index
    std::string name = {};     ///< "host-0-0-0"
    std::string kind = {};     ///< 'host', 'edge', 'agg', 'core' or 'switch'
    std::string address = {};  ///< underlay (host) or router (switch) address; empty: none
    std::optional<std::int64_t> pod = {};
    std::optional<std::int64_t> position = {};  ///< from left to right within kind and pod

    bool operator==(const NodeRow&) const = default;
};

struct LinkRow {
    RowId id = 0;  ///< counts from 0 in the order of adding; a link has one direction
    RowId from_node = 0;
    RowId to_node = 0;
    std::uint64_t rate_bps = 0;
    std::int64_t delay_ns = 0;

    bool operator==(const LinkRow&) const = default;
};

// ---- what was measured -----------------------------------------------------------------------------------

struct SessionRow {
    RowId id = 0;
    RowId requester_node = 0;
    RowId acceptor_node = 0;
    std::uint32_t session_id = 0;  ///< as on the wire; unique per requester, not over the run
    std::string state = {};   ///< latest state: 'requested', 'active', 'closing', 'closed', 'rejected', ...
    std::string reason = {};  ///< of a reject, expiry or close; else empty
    std::optional<std::int64_t> requested_ns = {};
    std::optional<std::int64_t> active_ns = {};
    std::optional<std::int64_t> closed_ns = {};
    std::string sampling_kind = {};  ///< 'every-nth', 'probability', 'hash-consistent' or 'rate-budget'
    double sampling_rate =
        0.0;  ///< share of data packets to be tracked, 0..1; attained where there is a budget

    bool operator==(const SessionRow&) const = default;
};

struct SessionEventRow {
    RowId id = 0;
    RowId session = 0;
    std::int64_t t_ns = 0;
    std::string from_state = {};
    std::string to_state = {};
    std::string reason = {};

    bool operator==(const SessionEventRow&) const = default;
};

/// A path index of a session, with the hops that path tracing learned.
struct PathRow {
    RowId id = 0;
    RowId session = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;
    std::uint16_t udp_source_port = 0;
    std::optional<std::int64_t> learned_ns = {};  ///< when the hops were complete, or last changed
    bool complete = false;                        ///< every hop answered
    std::vector<RowId> hops = {};  ///< nodes, from requester host to acceptor host; table path_hops

    bool operator==(const PathRow&) const = default;
};

/// Cumulative totals of one path, as the health service received them; `t_ns` is when they were measured.
struct PathRecordRow {
    RowId id = 0;
    RowId session = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;
    std::int64_t t_ns = 0;
    std::uint64_t sent = 0;      ///< all data packets of this path generation
    std::uint64_t received = 0;  ///< of those
    std::uint64_t tracked_sent = 0;
    std::uint64_t tracked_received = 0;
    std::uint64_t duplicates = 0;   ///< of tracked packets
    std::uint64_t late = 0;         ///< of tracked packets: arrived after their successors
    std::int64_t delay_ns_min = 0;  ///< one way, raw clock difference: may be negative
    std::int64_t delay_ns_sum = 0;
    std::int64_t delay_ns_max = 0;
    std::uint64_t delay_count = 0;
    bool open = true;     ///< no END marker yet: the tail is unsettled
    bool excess = false;  ///< received > sent: never healthy

    bool operator==(const PathRecordRow&) const = default;
};

struct UpdateRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId eppc_node = 0;
    HexId boot_id = {};
    std::uint64_t sequence = 0;
    std::uint64_t records = 0;

    bool operator==(const UpdateRow&) const = default;
};

/// A window of one path in which packets were lost, as the health service saw it.
struct EvidenceRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId session = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;

    bool operator==(const EvidenceRow&) const = default;
};

struct DetectionRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    std::string subject = {};           ///< "host-0-0-0 > host-3-1-2"
    std::optional<RowId> session = {};  ///< where the subject is one session
    std::string kind = {};              ///< 'loss', ...
    std::string state = {};             ///< 'degraded', 'failed', 'healthy', ...
    double statistic = 0.0;             ///< of the sequential test
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::string reason = {};

    bool operator==(const DetectionRow&) const = default;
};

struct IncidentRow {
    RowId id = 0;
    std::int64_t opened_ns = 0;
    std::optional<std::int64_t> closed_ns = {};
    std::string state = {};  ///< as health::IncidentState: 'investigating', 'confirmed', 'closed', ...
    std::string subject = {};
    std::string reason = {};

    bool operator==(const IncidentRow&) const = default;
};

struct IncidentEventRow {
    RowId id = 0;
    RowId incident = 0;
    std::int64_t t_ns = 0;
    std::string
        kind;  ///< as health::IncidentStep: 'opened', 'directive', 'confirmed', 'remedy', 'closed', ...
    std::string detail = {};

    bool operator==(const IncidentEventRow&) const = default;
};

struct DirectiveRow {
    RowId id = 0;
    RowId incident = 0;
    std::int64_t t_ns = 0;
    RowId node = 0;  ///< the host whose EPPC is told
    std::string kind = {};
    std::string detail = {};
    std::optional<std::int64_t> acked_ns = {};

    bool operator==(const DirectiveRow&) const = default;
};

struct SuspectRow {
    RowId id = 0;
    RowId incident = 0;
    std::int64_t t_ns = 0;  ///< of the inference; rows of one inference share it
    std::int64_t rank = 0;  ///< 1 is the best
    std::string kind = {};  ///< 'link' or 'device'
    std::optional<RowId> from_node = {};
    std::optional<RowId> to_node = {};
    std::optional<RowId> device_node = {};
    double log_odds = 0.0;
    std::optional<std::int64_t> group_id =
        {};  ///< links that the evidence cannot tell apart share it; none: alone
    double loss_rate = 0.0;

    bool operator==(const SuspectRow&) const = default;
};

/// A named drop reason, or a bound that overflowed, at the end of the run.
struct CounterRow {
    std::optional<RowId> node = {};  ///< none: of the fabric as a whole
    std::string engine = {};         ///< 'eppc', 'nhms' or 'fabric'
    std::string name = {};
    std::uint64_t value = 0;

    bool operator==(const CounterRow&) const = default;
};

// ---- what tenants have and are shown, and flows that were followed; since version 2
// --------------------------

/// Somebody who owns virtual networks.
struct TenantRow {
    RowId id = 0;
    std::string name = {};

    bool operator==(const TenantRow&) const = default;
};

/// A guest as its tenant knows it, and where the operator has it.
struct TenantGuestRow {
    RowId id = 0;
    RowId tenant = 0;
    std::string name = {};
    std::uint32_t vni = 0;
    std::string address = {};
    RowId host_node = 0;

    bool operator==(const TenantGuestRow&) const = default;
};

/// A health state that a tenant has defined.
struct TenantStateRow {
    RowId id = 0;
    RowId tenant = 0;
    std::string name = {};
    std::string condition = {};

    bool operator==(const TenantStateRow&) const = default;
};

/// One direction between two guests, as their tenant saw it at the end of an interval. Pairs of which nothing
/// was heard have no row.
struct TenantPairRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId tenant = 0;
    std::string from_guest = {};
    std::string to_guest = {};
    std::uint32_t vni = 0;
    std::string health = {};
    std::int64_t since_ns = 0;
    double confidence = 0.0;
    std::uint64_t packets_at_least = 0;
    std::optional<double> loss = {};
    double loss_low = 0.0;
    double loss_high = 0.0;
    std::optional<double> ce = {};
    std::optional<double> jitter_ns_mean = {};
    std::optional<double> queueing_ns_mean = {};
    std::optional<double> delay_ns_mean = {};
    std::string reason = {};

    bool operator==(const TenantPairRow&) const = default;
};

/// How such a pair stood to a state of its tenant's own.
struct TenantPairStateRow {
    RowId id = 0;
    RowId pair = 0;
    std::string state = {};
    std::string standing = {};
    std::int64_t since_ns = 0;

    bool operator==(const TenantPairStateRow&) const = default;
};

/// Which share of a tenant's pairs was in a state, weighted by time, over one interval.
struct TenantShareRow {
    RowId id = 0;
    RowId tenant = 0;
    std::string state = {};
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    std::string standing = {};
    double share = 0.0;

    bool operator==(const TenantShareRow&) const = default;
};

/// A pair entered or left a state that its tenant has subscribed to.
struct TenantNotificationRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId tenant = 0;
    std::string state = {};
    std::string from_guest = {};
    std::string to_guest = {};
    std::string before_state = {};
    std::string after_state = {};
    std::string reason = {};

    bool operator==(const TenantNotificationRow&) const = default;
};

/// The score of a service's instance, each time that it changed.
struct ServiceScoreRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId tenant = 0;
    std::string service = {};
    std::string instance = {};
    double score = 0.0;
    std::optional<double> own = {};
    std::optional<double> network = {};
    std::uint32_t directions = 0;

    bool operator==(const ServiceScoreRow&) const = default;
};

/// What a logical probe has seen since it began, at the end of each interval.
struct ProbeResultRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    RowId tenant = 0;
    std::string probe = {};
    std::uint32_t vni = 0;
    std::string from_guest = {};
    std::string to_guest = {};
    double share = 0.0;
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t strays = 0;
    std::uint64_t ambiguous = 0;
    std::uint64_t overflow = 0;
    std::optional<std::int64_t> delay_ns_p50 = {};
    std::optional<std::int64_t> delay_ns_p99 = {};
    std::optional<std::int64_t> delay_ns_max = {};

    bool operator==(const ProbeResultRow&) const = default;
};

/// A flow between two guests that the operator had followed.
struct FlowTraceRow {
    RowId id = 0;
    std::int64_t started_ns = 0;
    std::optional<std::int64_t> told_ns = {};
    RowId tenant = 0;
    std::string from_guest = {};
    std::string to_guest = {};
    RowId source_node = 0;
    RowId destination_node = 0;
    std::string flow = {};
    std::string refused = {};
    std::uint32_t judged = 0;
    std::uint32_t lost = 0;
    std::uint32_t ambiguous = 0;

    bool operator==(const FlowTraceRow&) const = default;
};

/// How long a stretch of the way of a followed flow took.
struct FlowTraceStretchRow {
    RowId id = 0;
    RowId flow_trace = 0;
    std::string stretch = {};
    std::uint32_t packets = 0;
    std::int64_t delay_ns_min = 0;
    std::int64_t delay_ns_p50 = 0;
    std::int64_t delay_ns_p99 = 0;
    std::int64_t delay_ns_max = 0;
    std::int64_t delay_ns_bound = 0;

    bool operator==(const FlowTraceStretchRow&) const = default;
};

/// A packet of a followed flow at each stage, by the clock of the host there.
struct FlowTracePacketRow {
    RowId id = 0;
    RowId flow_trace = 0;
    std::uint32_t packet = 0;
    std::uint32_t bytes = 0;
    std::optional<std::int64_t> path_index = {};
    std::optional<std::int64_t> guest_out_ns = {};
    std::optional<std::int64_t> eppc_out_ns = {};
    std::optional<std::int64_t> eppc_in_ns = {};
    std::optional<std::int64_t> guest_in_ns = {};
    bool lost = false;
    std::string captured = {};

    bool operator==(const FlowTracePacketRow&) const = default;
};

/// A link that a followed flow crossed, as path tracing learned it. A path that was not traced has one row,
/// without nodes.
struct FlowTraceHopRow {
    RowId id = 0;
    RowId flow_trace = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;
    std::uint32_t packets = 0;
    std::uint32_t lost = 0;
    std::int64_t hop = 0;
    std::optional<std::int64_t> from_node = {};
    std::optional<std::int64_t> to_node = {};
    std::uint64_t link_sent = 0;
    std::uint64_t link_lost = 0;

    bool operator==(const FlowTraceHopRow&) const = default;
};

// ---- truth: what the simulator knows really happened; nothing that measures or decides may read it -------

struct TruthFaultRow {
    RowId id = 0;
    std::int64_t t_ns = 0;
    std::optional<std::int64_t> until_ns = {};  ///< none: to the end of the run
    std::string kind = {};  ///< 'silent-drop', 'link-down', ...: `kind` of the scenario's fault
    RowId from_node = 0;
    RowId to_node = 0;
    double probability = 0.0;

    bool operator==(const TruthFaultRow&) const = default;
};

struct TruthDropRow {
    RowId from_node = 0;
    RowId to_node = 0;
    std::string cause = {};  ///< 'queue', 'fault' or 'down'
    std::uint64_t data_packets = 0;
    std::uint64_t packets = 0;  ///< data and control

    bool operator==(const TruthDropRow&) const = default;
};

/// What became of a path's data packets from its START to its END marker.
struct TruthPathRow {
    RowId requester_node = 0;
    RowId acceptor_node = 0;
    std::uint32_t session_id = 0;
    std::uint16_t path_index = 0;
    std::uint8_t generation = 0;
    std::int64_t interval = 0;
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;  ///< dropped in the fabric

    bool operator==(const TruthPathRow&) const = default;
};

}  // namespace dyetrace::store
