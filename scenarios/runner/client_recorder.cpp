// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/client_recorder.h"

#include <array>
#include <optional>
#include <sstream>

#include <ns3/dyetrace-helper.h>

#include "scenarios/reader/guests.h"
#include "scenarios/runner/hex.h"

namespace dyetrace::runner {
namespace {

std::string text(std::string_view view) {
    return std::string(view);
}

std::string address_of(std::uint32_t guest) {
    std::ostringstream text;
    ns3::DyetraceHelper::GetGuestAddress(guest).Print(text);
    return text.str();
}

std::string flow_words(const scenario::FlowTraceSettings& settings) {
    std::string words;
    switch (settings.protocol) {
        case 1: words = "icmp"; break;
        case 6: words = "tcp"; break;
        case 17: words = "udp"; break;
        default: words = "all"; break;
    }
    if (settings.source_port != 0) words += ", source port " + std::to_string(settings.source_port);
    if (settings.destination_port != 0)
        words += ", destination port " + std::to_string(settings.destination_port);
    return words;
}

std::optional<std::int64_t> ns_of(const std::optional<Duration>& duration) {
    return duration ? std::optional(duration->ns) : std::nullopt;
}

}  // namespace

void ClientRecorder::add_tenants() {
    for (const scenario::TenantSettings& tenant : scenario_.tenants) {
        const store::RowId id = writer_.add_tenant({0, tenant.name});
        tenants_[tenant.name] = id;
        for (const scenario::NamedGuest& guest : scenario::guests_of(scenario_, tenant))
            writer_.add_tenant_guest(
                {0, id, guest.name, guest.guest.vni, address_of(guest.guest.number), guest.guest.host});
        for (const scenario::TenantCondition& condition : tenant.conditions)
            writer_.add_tenant_state({0, id, condition.name, condition.text});
    }
    for (const scenario::ServiceSettings& service : scenario_.services)
        service_tenants_[service.name] = tenants_.at(service.tenant);
}

void ClientRecorder::add_trace(std::size_t flow, std::uint32_t trace, const std::string& why,
                               std::int64_t t_ns) {
    const scenario::FlowTraceSettings& settings = scenario_.flow_traces[flow];
    const auto guests = scenario::guests_of(scenario_, *scenario::find_tenant(scenario_, settings.tenant));
    store::FlowTraceRow row;
    row.started_ns = t_ns;
    row.tenant = tenants_.at(settings.tenant);
    row.from_guest = settings.from;
    row.to_guest = settings.to;
    row.source_node = scenario::find_guest(guests, settings.from)->guest.host;
    row.destination_node = scenario::find_guest(guests, settings.to)->guest.host;
    row.flow = flow_words(settings);
    row.refused = why;
    row.id = writer_.add_flow_trace(row);
    if (trace != 0) traces_[trace] = row;
}

void ClientRecorder::record(const health::TenantNotified& told) {
    const health::ClientEvent& event = told.event;
    writer_.add_tenant_notification({0, told.at.ns, tenants_.at(told.tenant), event.state, event.from,
                                     event.to, event.before, event.after, event.reason});
}

void ClientRecorder::record(const health::PairsTold& told) {
    using health::Figure;
    for (const health::PairView& pair : told.pairs) {
        store::TenantPairRow row;
        row.t_ns = told.at.ns;
        row.tenant = tenants_.at(told.tenant);
        row.from_guest = pair.from;
        row.to_guest = pair.to;
        row.vni = pair.vni.value;
        row.health = text(to_string(pair.health));
        row.since_ns = pair.since.ns;
        row.confidence = pair.confidence;
        row.packets_at_least = pair.packets_at_least;
        row.loss = pair.figures[Figure::Loss];
        row.loss_low = pair.loss.low;
        row.loss_high = pair.loss.high;
        row.ce = pair.figures[Figure::Ce];
        row.jitter_ns_mean = pair.figures[Figure::Jitter];
        row.queueing_ns_mean = pair.figures[Figure::Queueing];
        row.delay_ns_mean = pair.figures[Figure::Delay];
        row.reason = pair.reason;
        const store::RowId id = writer_.add_tenant_pair(row);
        for (const health::PairView::State& state : pair.states)
            writer_.add_tenant_pair_state(
                {0, id, state.name, text(to_string(state.standing)), state.since.ns});
    }
}

void ClientRecorder::record(const health::ShareTold& told) {
    const bool is_health = told.state == "health";
    const std::size_t count = is_health ? 4 : health::kStandings;
    for (std::size_t i = 0; i < count; ++i) {
        const auto name = is_health ? to_string(static_cast<health::Health>(i))
                                    : to_string(static_cast<health::Standing>(i));
        writer_.add_tenant_share({0, tenants_.at(told.tenant), told.state, told.share.start.ns,
                                  (told.share.start + told.share.length).ns, text(name),
                                  told.share.share[i]});
    }
}

void ClientRecorder::record(const health::InstanceScored& told) {
    const health::InstanceScore& score = told.score;
    store::ServiceScoreRow row;
    row.t_ns = told.at.ns;
    row.tenant = service_tenants_.at(score.service);
    row.service = score.service;
    row.instance = score.instance;
    row.score = score.score;
    if (score.own_measured) row.own = score.own;
    if (score.network_measured) row.network = score.network;
    row.directions = score.directions;
    writer_.add_service_score(row);
}

void ClientRecorder::record(const health::ProbeTold& told) {
    const health::ProbeResult& result = told.result;
    const health::MatcherCounts& counts = result.counts;
    store::ProbeResultRow row;
    row.t_ns = told.at.ns;
    row.tenant = tenants_.at(told.tenant);
    row.probe = result.name;
    row.vni = result.vni.value;
    row.from_guest = result.from;
    row.to_guest = result.to;
    row.share = result.share;
    row.delivered = counts.delivered;
    row.lost = counts.lost;
    row.strays = counts.strays;
    row.ambiguous = counts.ambiguous;
    row.overflow = counts.overflow;
    row.delay_ns_p50 = ns_of(result.delay_p50);
    row.delay_ns_p99 = ns_of(result.delay_p99);
    row.delay_ns_max = ns_of(result.delay_max);
    writer_.add_probe_result(row);
}

void ClientRecorder::record(const health::FlowTraced& traced, const localise::FabricGraph& graph) {
    const auto found = traces_.find(traced.trace.value);
    if (found == traces_.end()) return;
    store::FlowTraceRow& row = found->second;
    const health::FlowTraceResult& result = *traced.result;
    row.told_ns = traced.at.ns;
    row.judged = result.judged;
    row.lost = result.lost;
    row.ambiguous = result.ambiguous;
    if (result.source_refused) row.refused = "the source's EPPC will not follow it";
    if (result.destination_refused)
        row.refused +=
            std::string(row.refused.empty() ? "" : "; ") + "the destination's EPPC will not follow it";
    writer_.update_flow_trace(row);
    add_stretch(row.id, "guest > EPPC", result.source);
    add_stretch(row.id, "fabric", result.fabric);
    add_stretch(row.id, "EPPC > guest", result.destination);
    add_stretch(row.id, "guest > guest", result.whole);
    for (const health::FlowTraceResult::Packet& packet : result.packets)
        add_packet(row.id, packet);
    for (const health::FlowTraceResult::Path& path : result.paths)
        add_hops(row.id, path, graph);
}

void ClientRecorder::add_stretch(store::RowId trace, const char* name, const health::StageDelay& delay) {
    writer_.add_flow_trace_stretch({0, trace, name, delay.packets, delay.min.ns, delay.p50.ns, delay.p99.ns,
                                    delay.max.ns, delay.bound.ns});
}

void ClientRecorder::add_packet(store::RowId trace, const health::FlowTraceResult::Packet& packet) {
    const auto at = [&](wire::FlowStage stage) -> std::optional<std::int64_t> {
        const auto& time = packet.at[static_cast<std::size_t>(stage)];
        return time ? std::optional(time->ns) : std::nullopt;
    };
    store::FlowTracePacketRow row;
    row.flow_trace = trace;
    row.packet = packet.packet;
    row.bytes = packet.length;
    if (packet.path != wire::FlowStageEntry::kNoPath) row.path_index = packet.path.value;
    row.guest_out_ns = at(wire::FlowStage::GuestOut);
    row.eppc_out_ns = at(wire::FlowStage::EppcOut);
    row.eppc_in_ns = at(wire::FlowStage::EppcIn);
    row.guest_in_ns = at(wire::FlowStage::GuestIn);
    row.lost = packet.lost;
    row.captured = hex(packet.captured);
    writer_.add_flow_trace_packet(row);
}

void ClientRecorder::add_hops(store::RowId trace, const health::FlowTraceResult::Path& path,
                              const localise::FabricGraph& graph) {
    store::FlowTraceHopRow row;
    row.flow_trace = trace;
    row.path_index = path.path.value;
    row.generation = path.generation.value;
    row.packets = path.packets;
    row.lost = path.lost;
    if (path.links.empty()) writer_.add_flow_trace_hop(row);
    for (const health::FlowTraceResult::Link& link : path.links) {
        row.from_node = graph.from(link.link).value;
        row.to_node = graph.to(link.link).value;
        row.link_sent = link.sent;
        row.link_lost = link.lost;
        writer_.add_flow_trace_hop(row);
        ++row.hop;
    }
}

}  // namespace dyetrace::runner
