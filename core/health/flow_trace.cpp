// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/flow_trace.h"

#include <algorithm>
#include <tuple>

#include "core/health/client_text.h"

namespace dyetrace::health {
namespace {

using wire::FlowStage;

constexpr std::size_t index_of(FlowStage stage) {
    return static_cast<std::size_t>(stage);
}

StageDelay stage_delay(std::vector<Duration> delays, Duration bound) {
    StageDelay out;
    if (delays.empty()) return out;
    std::sort(delays.begin(), delays.end());
    // The nearest rank: that many are at most so long.
    const auto at = [&](std::size_t per_cent) { return delays[(delays.size() * per_cent + 99) / 100 - 1]; };
    out.packets = static_cast<std::uint32_t>(delays.size());
    out.min = delays.front();
    out.p50 = at(50);
    out.p99 = at(99);
    out.max = delays.back();
    out.bound = bound;
    return out;
}

/// Between two stages; `offset` is taken off, where the second is on another clock.
StageDelay between(const std::vector<FlowTraceResult::Packet>& packets, FlowStage from, FlowStage to,
                   Duration offset, Duration bound) {
    std::vector<Duration> delays;
    for (const FlowTraceResult::Packet& packet : packets) {
        const auto& left = packet.at[index_of(from)];
        const auto& came = packet.at[index_of(to)];
        if (left && came) delays.push_back(clocks_difference(*came, *left) - offset);
    }
    return stage_delay(std::move(delays), bound);
}

std::string time_text(Duration delay) {
    return figure_text(Figure::Delay, static_cast<double>(delay.ns));
}

std::string stage_text(std::string_view name, const StageDelay& delay) {
    std::string text = std::string(name) + ": ";
    if (delay.packets == 0) return text + "not measured\n";
    text += time_text(delay.p50) + " (" + time_text(delay.min) + " to " + time_text(delay.max) + ')';
    if (delay.packets >= kDelaysForP99) text += ", 99% below " + time_text(delay.p99);
    if (delay.bound.ns > 0) text += ", each within " + time_text(delay.bound);
    return text + ", of " + std::to_string(delay.packets) + " packets\n";
}

}  // namespace

FlowTraces::Trace* FlowTraces::find(std::uint32_t id) {
    const auto it = traces_.find(FlowTraceId{id});
    return it == traces_.end() ? nullptr : &it->second;
}

Result<FlowTraceId, std::string> FlowTraces::start(const FlowTraceRequest& request, Time now) {
    if (!policy_.allowed) return Failure{std::string("flows are not to be traced here")};
    if (request.source_host.is_unspecified()) return Failure{std::string("source_host: must be set")};
    if (request.destination_host.is_unspecified())
        return Failure{std::string("destination_host: must be set")};
    // One trace follows one flow between two hosts, or all between two guests.
    if (request.flow.source.is_unspecified() || request.flow.destination.is_unspecified())
        return Failure{std::string("flow: an unspecified address")};
    if (request.source_host == request.destination_host)
        return Failure{std::string("destination_host: is source_host, so nothing crosses the fabric")};
    if (request.packets > policy_.packets_most)
        return Failure{"packets: more than the " + std::to_string(policy_.packets_most) + " that may be"};
    if (request.capture_bytes > policy_.capture_bytes_most)
        return Failure{"capture_bytes: more than the " + std::to_string(policy_.capture_bytes_most) +
                       " that may be"};
    if (request.duration > policy_.duration_most) return Failure{std::string("duration: longer than may be")};
    if (traces_.size() >= policy_.traces) {
        const auto over = std::find_if(traces_.begin(), traces_.end(),
                                       [now](const auto& one) { return one.second.until <= now; });
        if (over == traces_.end()) return Failure{std::string("as many flows are being traced as may be")};
        traces_.erase(over);
    }
    const FlowTraceId id{numbers_.take()};
    Trace& trace = traces_[id];
    trace.request = request;
    trace.until = now + request.duration;
    if (const std::string_view fault = directives(id).front().second.flow.fault(); !fault.empty()) {
        traces_.erase(id);
        return Failure{"flow: " + std::string(fault)};
    }
    ++counters_.started;
    return id;
}

std::vector<std::pair<IpAddress, wire::DirectiveBody>> FlowTraces::directives(FlowTraceId id) const {
    const auto it = traces_.find(id);
    if (it == traces_.end()) return {};
    const FlowTraceRequest& request = it->second.request;
    wire::DirectiveBody body;
    body.kind = wire::DirectiveKind::TraceFlow;
    body.flow.trace = id.value;
    body.flow.flow = request.flow;
    body.flow.stages = request.stages;
    body.flow.packets = request.packets;
    body.flow.captured_packets = request.capture_bytes == 0 ? std::uint16_t{0} : request.captured_packets;
    body.flow.capture_bytes = request.capture_bytes;
    body.flow.duration = request.duration;
    // The far end first, so that it looks when the first packet comes.
    std::vector<std::pair<IpAddress, wire::DirectiveBody>> out;
    body.peer = request.source_host;
    out.emplace_back(request.destination_host, body);
    body.peer = request.destination_host;
    out.emplace_back(request.source_host, body);
    return out;
}

void FlowTraces::take(IpAddress eppc, const wire::FlowStageEntry& entry) {
    ++counters_.entries;
    Trace* const trace = find(entry.trace);
    if (trace == nullptr) {
        ++counters_.unknown;
        return;
    }
    const bool of_source = entry.stage == FlowStage::GuestOut || entry.stage == FlowStage::EppcOut;
    if (eppc != (of_source ? trace->request.source_host : trace->request.destination_host)) {
        ++counters_.strangers;
        return;
    }
    // Either end may have begun before the other, so there are up to twice as many names of packets.
    if (!trace->packets.contains(entry.packet) && trace->packets.size() >= 2U * trace->request.packets) {
        ++counters_.over_limit;
        return;
    }
    Seen& seen = trace->packets[entry.packet];
    std::optional<Time>& at = seen.at[index_of(entry.stage)];
    if (at) seen.ambiguous = true;
    at = Time{entry.at_ns};
    seen.length = entry.frame_length;
    if (entry.stage == FlowStage::EppcOut) seen.path = {entry.path, entry.generation};
    const auto most = std::min<std::size_t>(entry.captured, trace->request.capture_bytes);
    if (seen.captured.empty()) seen.captured.assign(entry.bytes.begin(), entry.bytes.begin() + most);
}

void FlowTraces::on_answer(IpAddress eppc, std::uint32_t id, wire::DirectiveStatus status) {
    Trace* const trace = find(id);
    if (trace == nullptr) return;
    const bool refused = status != wire::DirectiveStatus::Done;
    if (eppc == trace->request.source_host) trace->source_refused = refused;
    if (eppc == trace->request.destination_host) trace->destination_refused = refused;
}

std::optional<FlowTraceId> FlowTraces::take_over(Time now) {
    for (auto& [id, trace] : traces_) {
        if (trace.taken || now < trace.until + policy_.settle) continue;
        trace.taken = true;
        return id;
    }
    return std::nullopt;
}

std::optional<FlowTraceId> FlowTraces::take_any() {
    for (auto& [id, trace] : traces_) {
        if (trace.taken) continue;
        trace.taken = true;
        return id;
    }
    return std::nullopt;
}

Time FlowTraces::next_over() const {
    Time next = Time::never();
    for (const auto& [id, trace] : traces_) {
        if (!trace.taken) next = std::min(next, trace.until + policy_.settle);
    }
    return next;
}

void FlowTraces::on_clock(IpAddress eppc, IpAddress peer, Duration offset, Duration bound) {
    for (auto& [id, trace] : traces_) {
        const bool forth = eppc == trace.request.source_host && peer == trace.request.destination_host;
        const bool back = eppc == trace.request.destination_host && peer == trace.request.source_host;
        if (forth || back) trace.clock = {forth ? offset : Duration{} - offset, bound};
    }
}

void FlowTraces::on_path(IpAddress eppc, IpAddress peer, PathIndex path, PathGeneration generation,
                         std::span<const localise::NodeId> hops) {
    for (auto& [id, trace] : traces_) {
        if (eppc != trace.request.source_host || peer != trace.request.destination_host) continue;
        const PathName name{path, generation};
        if (!trace.hops.contains(name) && trace.hops.size() >= policy_.paths_most) continue;
        trace.hops[name].assign(hops.begin(), hops.end());
    }
}

void FlowTraces::judge_loss(FlowTraceResult& result) const {
    const auto arrived = [](const FlowTraceResult::Packet& packet) {
        return packet.at[index_of(FlowStage::EppcOut)] && packet.at[index_of(FlowStage::EppcIn)];
    };
    const auto first = std::find_if(result.packets.begin(), result.packets.end(), arrived);
    const auto last = std::find_if(result.packets.rbegin(), result.packets.rend(), arrived).base();
    for (auto it = first; it < last; ++it) {
        if (!it->at[index_of(FlowStage::EppcOut)]) continue;
        ++result.judged;
        it->lost = !it->at[index_of(FlowStage::EppcIn)];
        if (it->lost) ++result.lost;
    }
}

std::optional<FlowTraceResult> FlowTraces::result(FlowTraceId id, const localise::FabricGraph& graph,
                                                  Time now) const {
    const auto it = traces_.find(id);
    if (it == traces_.end()) return std::nullopt;
    const Trace& trace = it->second;
    FlowTraceResult out;
    out.is_over = now >= trace.until;
    out.source_refused = trace.source_refused;
    out.destination_refused = trace.destination_refused;
    std::map<std::uint32_t, PathName> path_of;
    for (const auto& [packet, seen] : trace.packets) {
        for (std::size_t stage = 0; stage < wire::kFlowStages; ++stage)
            out.seen[stage] += seen.at[stage] ? 1 : 0;
        if (seen.ambiguous) {
            ++out.ambiguous;
            continue;
        }
        path_of[packet] = seen.path;
        out.packets.push_back({packet, seen.length, seen.path.first, seen.at, false, seen.captured});
    }
    // By the earliest stage at the source; those that only the far end saw come last, by their time there.
    const auto key = [](const FlowTraceResult::Packet& packet) {
        for (std::size_t stage = 0; stage < wire::kFlowStages; ++stage) {
            if (packet.at[stage]) return std::tuple(stage / 2, *packet.at[stage], packet.packet);
        }
        return std::tuple(std::size_t{2}, Time{}, packet.packet);
    };
    std::sort(out.packets.begin(), out.packets.end(),
              [&](const auto& one, const auto& other) { return key(one) < key(other); });
    judge_loss(out);

    out.source = between(out.packets, FlowStage::GuestOut, FlowStage::EppcOut, {}, {});
    out.destination = between(out.packets, FlowStage::EppcIn, FlowStage::GuestIn, {}, {});
    if (trace.clock || policy_.clocks_are_one) {
        const auto [offset, bound] = policy_.clocks_are_one ? std::pair<Duration, Duration>{} : *trace.clock;
        out.fabric = between(out.packets, FlowStage::EppcOut, FlowStage::EppcIn, offset, bound);
        out.whole = between(out.packets, FlowStage::GuestOut, FlowStage::GuestIn, offset, bound);
    }
    std::map<PathName, std::size_t> places;
    for (const FlowTraceResult::Packet& packet : out.packets) {
        const PathName name = path_of.at(packet.packet);
        if (name.first == wire::FlowStageEntry::kNoPath) continue;
        const auto [place, is_new] = places.emplace(name, out.paths.size());
        if (is_new) out.paths.push_back({name.first, name.second, 0, 0, {}});
        FlowTraceResult::Path& path = out.paths[place->second];
        ++path.packets;
        if (packet.lost) ++path.lost;
    }
    for (FlowTraceResult::Path& path : out.paths) {
        const auto hops = trace.hops.find({path.path, path.generation});
        if (hops == trace.hops.end()) continue;
        const auto links = graph.links_along(hops->second);
        if (!links) continue;
        for (const localise::LinkId link : *links)
            path.links.push_back({link, graph.describe(link), 0, 0});
    }
    return out;
}

std::string to_string(const FlowTraceResult& result) {
    std::string text = stage_text("guest -> EPPC", result.source) + stage_text("fabric", result.fabric) +
                       stage_text("EPPC -> guest", result.destination) +
                       stage_text("guest -> guest", result.whole);
    text += "lost in the fabric: " + std::to_string(result.lost) + " of " + std::to_string(result.judged) +
            " packets\n";
    for (const FlowTraceResult::Path& path : result.paths) {
        text += "path " + std::to_string(path.path.value) + ": " + std::to_string(path.packets) +
                " packets, " + std::to_string(path.lost) + " lost";
        if (path.links.empty()) text += ", not traced";
        text += '\n';
        for (const FlowTraceResult::Link& link : path.links) {
            text += "  " + link.name;
            if (link.sent > 0)
                text += ": lost " + std::to_string(link.lost) + " of " + std::to_string(link.sent) +
                        " packets that cross it";
            text += '\n';
        }
    }
    if (result.source_refused) text += "the source's EPPC will not follow the flow\n";
    if (result.destination_refused) text += "the destination's EPPC will not follow the flow\n";
    return text;
}

}  // namespace dyetrace::health
