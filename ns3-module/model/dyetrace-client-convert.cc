// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-client-convert.h"

#include <ns3/abort.h>

#include "dyetrace-convert.h"

#include "core/health/condition.h"

namespace ns3 {

namespace health = dyetrace::health;

namespace {

health::TenantSpec ToSpec(const DyetraceTenant& tenant, const DyetraceGuests& guests,
                          const DyetraceHostAddresses& addresses) {
    health::TenantSpec spec;
    spec.name = tenant.name;
    for (const uint32_t vni : tenant.vnis)
        spec.vnis.emplace_back(vni);
    for (const DyetraceTenant::Guest& guest : tenant.guests) {
        const DyetraceGuest& who = guests.at(guest.guest);
        spec.guests.push_back(
            {guest.name, dyetrace::Vni{who.vni}, addresses(who.host), DyetraceToAddress(who.address)});
    }
    for (const DyetraceTenant::Condition& condition : tenant.conditions) {
        const auto parsed = health::Condition::parse(condition.text);
        NS_ABORT_MSG_UNLESS(parsed.ok(), "tenant " << tenant.name << ", condition " << condition.name << ": "
                                                   << parsed.error().to_string());
        spec.states.push_back({condition.name, *parsed});
    }
    return spec;
}

DyetraceFlowTrace::Stretch ToStretch(const char* name, const health::StageDelay& delay) {
    return {name,
            delay.packets,
            DyetraceFromDuration(delay.min),
            DyetraceFromDuration(delay.p50),
            DyetraceFromDuration(delay.max),
            DyetraceFromDuration(delay.bound)};
}

}  // namespace

void DyetraceAddClients(const DyetraceClients& clients, const DyetraceGuests& guests,
                        const DyetraceHostAddresses& addresses, health::ClientConfig& config) {
    for (const DyetraceTenant& tenant : clients.tenants) {
        config.tenants.push_back(ToSpec(tenant, guests, addresses));
        for (const std::string& state : tenant.subscriptions)
            config.subscriptions.push_back({tenant.name, state == "all" ? "" : state});
    }
    for (const DyetraceServiceInstance& one : clients.instances)
        config.instances.push_back({one.service, one.instance, one.tenant, one.guest});
    for (const DyetraceProbe& one : clients.probes)
        config.probes.push_back(
            {one.tenant, {one.name, dyetrace::Vni{one.vni}, one.from, one.to, one.share}});
}

health::FlowTraceRequest DyetraceToRequest(const DyetraceFlowTraceRequest& request,
                                           const DyetraceGuests& guests,
                                           const DyetraceHostAddresses& addresses) {
    const DyetraceGuest& from = guests.at(request.from);
    const DyetraceGuest& to = guests.at(request.to);
    health::FlowTraceRequest out;
    out.flow = {dyetrace::Vni{from.vni},
                DyetraceToAddress(from.address),
                DyetraceToAddress(to.address),
                request.protocol,
                request.sourcePort,
                request.destinationPort};
    out.source_host = addresses(from.host);
    out.destination_host = addresses(to.host);
    out.stages = request.stages;
    out.packets = request.packets;
    out.captured_packets = request.capturedPackets;
    out.capture_bytes = request.captureBytes;
    out.duration = DyetraceToDuration(request.duration);
    return out;
}

DyetraceFlowTrace DyetraceFromResult(const health::FlowTraceResult& result,
                                     const dyetrace::localise::FabricGraph& graph) {
    DyetraceFlowTrace out;
    out.isOver = result.is_over;
    out.isRefusedAtSource = result.source_refused;
    out.isRefusedAtDestination = result.destination_refused;
    out.judged = result.judged;
    out.lost = result.lost;
    out.stretches = {ToStretch("guest > EPPC", result.source), ToStretch("fabric", result.fabric),
                     ToStretch("EPPC > guest", result.destination), ToStretch("guest > guest", result.whole)};
    for (const auto& packet : result.packets) {
        DyetraceFlowTrace::Packet& seen = out.packets.emplace_back();
        seen.name = packet.packet;
        seen.isLost = packet.lost;
        seen.path = packet.path.value;
        for (std::size_t stage = 0; stage < DyetraceFlowTrace::Stages; ++stage) {
            if (!packet.at[stage]) continue;
            seen.isSeen[stage] = true;
            seen.at[stage] = DyetraceFromDuration({packet.at[stage]->ns});
        }
    }
    for (const auto& path : result.paths) {
        DyetraceFlowTrace::Path& way = out.paths.emplace_back();
        way.path = path.path.value;
        way.generation = path.generation.value;
        way.packets = path.packets;
        way.lost = path.lost;
        for (const auto& link : path.links) {
            if (way.nodes.empty()) way.nodes.push_back(graph.name(graph.from(link.link)));
            way.nodes.push_back(graph.name(graph.to(link.link)));
        }
    }
    return out;
}

DyetracePairHealth DyetraceFromPair(const health::PairView& pair) {
    DyetracePairHealth out{pair.from,   pair.to, pair.vni.value, std::string(to_string(pair.health)),
                           pair.reason, {}};
    for (const health::PairView::State& state : pair.states)
        out.states.emplace_back(state.name, std::string(to_string(state.standing)));
    return out;
}

DyetraceTenantEvent DyetraceFromEvent(const health::TenantNotified& told) {
    const health::ClientEvent& event = told.event;
    return {DyetraceFromDuration({told.at.ns}),
            told.tenant,
            event.from,
            event.to,
            event.state,
            event.before,
            event.after,
            event.reason};
}

DyetraceInstanceScore DyetraceFromScore(const health::InstanceScore& score) {
    return {score.service, score.instance,     score.score,           score.own,
            score.network, score.own_measured, score.network_measured};
}

}  // namespace ns3
