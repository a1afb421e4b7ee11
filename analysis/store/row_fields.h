// SPDX-License-Identifier: GPL-2.0-or-later
// The members of each row in the order of its table's columns: one list serves writing and reading.
// Internal to this folder.
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

#include "analysis/store/rows.h"

namespace dyetrace::store {

template <class Row>
inline constexpr std::string_view table_of = "";
template <>
inline constexpr std::string_view table_of<NodeRow> = "nodes";
template <>
inline constexpr std::string_view table_of<LinkRow> = "links";
template <>
inline constexpr std::string_view table_of<SessionRow> = "sessions";
template <>
inline constexpr std::string_view table_of<SessionEventRow> = "session_events";
template <>
inline constexpr std::string_view table_of<PathRow> = "paths";
template <>
inline constexpr std::string_view table_of<PathRecordRow> = "path_records";
template <>
inline constexpr std::string_view table_of<UpdateRow> = "updates";
template <>
inline constexpr std::string_view table_of<EvidenceRow> = "evidence";
template <>
inline constexpr std::string_view table_of<DetectionRow> = "detections";
template <>
inline constexpr std::string_view table_of<IncidentRow> = "incidents";
template <>
inline constexpr std::string_view table_of<IncidentEventRow> = "incident_events";
template <>
inline constexpr std::string_view table_of<DirectiveRow> = "directives";
template <>
inline constexpr std::string_view table_of<SuspectRow> = "suspects";
template <>
inline constexpr std::string_view table_of<CounterRow> = "counters";
template <>
inline constexpr std::string_view table_of<TenantRow> = "tenants";
template <>
inline constexpr std::string_view table_of<TenantGuestRow> = "tenant_guests";
template <>
inline constexpr std::string_view table_of<TenantStateRow> = "tenant_states";
template <>
inline constexpr std::string_view table_of<TenantPairRow> = "tenant_pairs";
template <>
inline constexpr std::string_view table_of<TenantPairStateRow> = "tenant_pair_states";
template <>
inline constexpr std::string_view table_of<TenantShareRow> = "tenant_shares";
template <>
inline constexpr std::string_view table_of<TenantNotificationRow> = "tenant_notifications";
template <>
inline constexpr std::string_view table_of<ServiceScoreRow> = "service_scores";
template <>
inline constexpr std::string_view table_of<ProbeResultRow> = "probe_results";
template <>
inline constexpr std::string_view table_of<FlowTraceRow> = "flow_traces";
template <>
inline constexpr std::string_view table_of<FlowTraceStretchRow> = "flow_trace_stretches";
template <>
inline constexpr std::string_view table_of<FlowTracePacketRow> = "flow_trace_packets";
template <>
inline constexpr std::string_view table_of<FlowTraceHopRow> = "flow_trace_hops";
template <>
inline constexpr std::string_view table_of<TruthFaultRow> = "truth_faults";
template <>
inline constexpr std::string_view table_of<TruthDropRow> = "truth_drops";
template <>
inline constexpr std::string_view table_of<TruthPathRow> = "truth_paths";

/// `Row` is a `RowType` that may be const: constant rows give constant members.
template <class Row, class RowType>
concept RowOf = std::is_same_v<std::remove_const_t<Row>, RowType>;

auto fields(RowOf<NodeRow> auto& r) {
    return std::tie(r.id, r.name, r.kind, r.address, r.pod, r.position);
}
auto fields(RowOf<LinkRow> auto& r) {
    return std::tie(r.id, r.from_node, r.to_node, r.rate_bps, r.delay_ns);
}
auto fields(RowOf<SessionRow> auto& r) {
    return std::tie(r.id, r.requester_node, r.acceptor_node, r.session_id, r.state, r.reason, r.requested_ns,
                    r.active_ns, r.closed_ns, r.sampling_kind, r.sampling_rate);
}
auto fields(RowOf<SessionEventRow> auto& r) {
    return std::tie(r.id, r.session, r.t_ns, r.from_state, r.to_state, r.reason);
}
/// Without the hops, which have a table of their own.
auto fields(RowOf<PathRow> auto& r) {
    return std::tie(r.id, r.session, r.path_index, r.generation, r.udp_source_port, r.learned_ns, r.complete);
}
auto fields(RowOf<PathRecordRow> auto& r) {
    return std::tie(r.id, r.session, r.path_index, r.generation, r.t_ns, r.sent, r.received, r.tracked_sent,
                    r.tracked_received, r.duplicates, r.late, r.delay_ns_min, r.delay_ns_sum, r.delay_ns_max,
                    r.delay_count, r.open, r.excess);
}
auto fields(RowOf<UpdateRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.eppc_node, r.boot_id, r.sequence, r.records);
}
auto fields(RowOf<EvidenceRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.session, r.path_index, r.generation, r.sent, r.lost);
}
auto fields(RowOf<DetectionRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.subject, r.session, r.kind, r.state, r.statistic, r.sent, r.lost,
                    r.reason);
}
auto fields(RowOf<IncidentRow> auto& r) {
    return std::tie(r.id, r.opened_ns, r.closed_ns, r.state, r.subject, r.reason);
}
auto fields(RowOf<IncidentEventRow> auto& r) {
    return std::tie(r.id, r.incident, r.t_ns, r.kind, r.detail);
}
auto fields(RowOf<DirectiveRow> auto& r) {
    return std::tie(r.id, r.incident, r.t_ns, r.node, r.kind, r.detail, r.acked_ns);
}
auto fields(RowOf<SuspectRow> auto& r) {
    return std::tie(r.id, r.incident, r.t_ns, r.rank, r.kind, r.from_node, r.to_node, r.device_node,
                    r.log_odds, r.group_id, r.loss_rate);
}
auto fields(RowOf<CounterRow> auto& r) {
    return std::tie(r.node, r.engine, r.name, r.value);
}
auto fields(RowOf<TenantRow> auto& r) {
    return std::tie(r.id, r.name);
}
auto fields(RowOf<TenantGuestRow> auto& r) {
    return std::tie(r.id, r.tenant, r.name, r.vni, r.address, r.host_node);
}
auto fields(RowOf<TenantStateRow> auto& r) {
    return std::tie(r.id, r.tenant, r.name, r.condition);
}
auto fields(RowOf<TenantPairRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.tenant, r.from_guest, r.to_guest, r.vni, r.health, r.since_ns,
                    r.confidence, r.packets_at_least, r.loss, r.loss_low, r.loss_high, r.ce, r.jitter_ns_mean,
                    r.queueing_ns_mean, r.delay_ns_mean, r.reason);
}
auto fields(RowOf<TenantPairStateRow> auto& r) {
    return std::tie(r.id, r.pair, r.state, r.standing, r.since_ns);
}
auto fields(RowOf<TenantShareRow> auto& r) {
    return std::tie(r.id, r.tenant, r.state, r.start_ns, r.end_ns, r.standing, r.share);
}
auto fields(RowOf<TenantNotificationRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.tenant, r.state, r.from_guest, r.to_guest, r.before_state, r.after_state,
                    r.reason);
}
auto fields(RowOf<ServiceScoreRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.tenant, r.service, r.instance, r.score, r.own, r.network, r.directions);
}
auto fields(RowOf<ProbeResultRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.tenant, r.probe, r.vni, r.from_guest, r.to_guest, r.share, r.delivered,
                    r.lost, r.strays, r.ambiguous, r.overflow, r.delay_ns_p50, r.delay_ns_p99,
                    r.delay_ns_max);
}
auto fields(RowOf<FlowTraceRow> auto& r) {
    return std::tie(r.id, r.started_ns, r.told_ns, r.tenant, r.from_guest, r.to_guest, r.source_node,
                    r.destination_node, r.flow, r.refused, r.judged, r.lost, r.ambiguous);
}
auto fields(RowOf<FlowTraceStretchRow> auto& r) {
    return std::tie(r.id, r.flow_trace, r.stretch, r.packets, r.delay_ns_min, r.delay_ns_p50, r.delay_ns_p99,
                    r.delay_ns_max, r.delay_ns_bound);
}
auto fields(RowOf<FlowTracePacketRow> auto& r) {
    return std::tie(r.id, r.flow_trace, r.packet, r.bytes, r.path_index, r.guest_out_ns, r.eppc_out_ns,
                    r.eppc_in_ns, r.guest_in_ns, r.lost, r.captured);
}
auto fields(RowOf<FlowTraceHopRow> auto& r) {
    return std::tie(r.id, r.flow_trace, r.path_index, r.generation, r.packets, r.lost, r.hop, r.from_node,
                    r.to_node, r.link_sent, r.link_lost);
}
auto fields(RowOf<TruthFaultRow> auto& r) {
    return std::tie(r.id, r.t_ns, r.until_ns, r.kind, r.from_node, r.to_node, r.probability);
}
auto fields(RowOf<TruthDropRow> auto& r) {
    return std::tie(r.from_node, r.to_node, r.cause, r.data_packets, r.packets);
}
auto fields(RowOf<TruthPathRow> auto& r) {
    return std::tie(r.requester_node, r.acceptor_node, r.session_id, r.path_index, r.generation, r.interval,
                    r.sent, r.lost);
}

}  // namespace dyetrace::store
