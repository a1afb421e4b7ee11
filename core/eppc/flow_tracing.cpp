// SPDX-License-Identifier: GPL-2.0-or-later
// Guest flows that the health service has followed: what is seen of them on the way through this host.
#include <algorithm>

#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"

namespace dyetrace::eppc {

void Eppc::Engine::follow_sent(const wire::FrameBuffer& frame, const Admitted& admitted, Time now) {
    const Bytes head = frame.head();
    const PathIndex path = path_of(flow_hash(head, admitted.headers, flow_seed_), config.path_count);
    follow(head, admitted.vni, frame.wire_size(), wire::FlowStage::EppcOut, path,
           admitted.peer->paths[path].generation, now);
}

void Eppc::Engine::follow_received(const wire::FrameBuffer& frame, Vni vni, Time now) {
    follow(frame.head(), vni, frame.wire_size(), wire::FlowStage::EppcIn, wire::FlowStageEntry::kNoPath, {},
           now);
}

/// `path`: kNoPath where it is not known here.
void Eppc::Engine::follow(Bytes frame, Vni vni, std::size_t size, wire::FlowStage stage, PathIndex path,
                          PathGeneration generation, Time at) {
    for (auto seen = flow_tap_.match(frame, vni, size, at); seen;
         seen = flow_tap_.match(frame, vni, size, at, seen->flow + 1)) {
        flow_tap_.note(*seen, stage, path, generation, frame, at);
        flow_at_ = std::min(flow_at_, at);
    }
    plan();
}

void Eppc::Engine::note_at_guest(GuestPort port, Bytes frame, std::size_t size, wire::FlowStage stage,
                                 Time at) {
    if (!flow_tap_.is_busy()) return;
    if (stage != wire::FlowStage::GuestOut && stage != wire::FlowStage::GuestIn) return;
    const Guest* const guest = overlay.guest_at(port);
    if (guest == nullptr) return;
    follow(frame, guest->vni, size, stage, wire::FlowStageEntry::kNoPath, {}, at);
}

void Eppc::Engine::service_flow_tap(Time now) {
    for (const wire::FlowStageEntry& entry : flow_tap_.waiting()) {
        ++counters.flow_stages;
        tell_nhms(entry, now);
    }
    flow_tap_.clear_waiting();
    counters.flow_stages_dropped = flow_tap_.dropped();
    flow_tap_.expire(now);
    flow_at_ = flow_tap_.next_deadline();
}

wire::DirectiveResultBody Eppc::Engine::follow_for_nhms(const wire::DirectiveBody& directive, Time now) {
    wire::DirectiveResultBody result;
    if (!flow_tap_.start(directive.flow, now)) {
        result.status = wire::DirectiveStatus::Refused;
        return result;
    }
    flow_at_ = std::min(flow_at_, flow_tap_.next_deadline());
    // Where the flow's path runs is told with the paths of the pair, as far as those are measured.
    if (const auto index = find_peer(directive.peer)) result.paths = trace_all_paths(*index, now);
    return result;
}

}  // namespace dyetrace::eppc
