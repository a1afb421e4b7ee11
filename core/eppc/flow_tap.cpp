// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/flow_tap.h"

#include <algorithm>
#include <limits>

#include "core/tracking/packet_hash.h"
#include "core/wire/ethernet.h"
#include "core/wire/inner_packet.h"

namespace dyetrace::eppc {

bool FlowTap::start(const wire::FlowTraceSpec& spec, Time now) {
    if (flows_most_ == 0 || !spec.fault().empty()) return false;
    if (spec.captured_packets > 0 && spec.capture_bytes > capture_most_) return false;
    expire(now);
    Flow* room = nullptr;
    for (std::size_t i = 0; i < std::min(flows_most_, kFlowsMost); ++i) {
        if (flows_[i].is_active && flows_[i].spec.trace == spec.trace) return true;
        if (!flows_[i].is_active && room == nullptr) room = &flows_[i];
    }
    if (room == nullptr) return false;
    waiting_.reserve(kWaitingMost);
    *room = {true, spec, now + spec.duration, {}};
    ++active_;
    return true;
}

void FlowTap::expire(Time now) {
    for (Flow& flow : flows_) {
        if (!flow.is_active || now < flow.until) continue;
        flow.is_active = false;
        --active_;
    }
}

Time FlowTap::next_deadline() const {
    Time next = Time::never();
    for (const Flow& flow : flows_) {
        if (flow.is_active) next = std::min(next, flow.until);
    }
    return next;
}

std::optional<FlowTap::Seen> FlowTap::match(Bytes frame, Vni vni, std::size_t size, Time now,
                                            std::size_t first) const {
    if (frame.size() < wire::EthernetHeader::kSize) return std::nullopt;
    const wire::InnerPacket packet = wire::InnerPacket::parse(frame);
    for (std::size_t i = first; i < flows_.size(); ++i) {
        const Flow& flow = flows_[i];
        if (!flow.is_active || now >= flow.until || !flow.spec.flow.matches(packet, vni)) continue;
        const std::uint32_t name = tracking::packet_hash(frame, packet, flow.spec.trace);
        if (flow.spec.sampled != 0 && name >= flow.spec.sampled) continue;
        constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
        return Seen{i, name, static_cast<std::uint16_t>(std::min(size, kMost))};
    }
    return std::nullopt;
}

void FlowTap::note(const Seen& seen, wire::FlowStage stage, PathIndex path, PathGeneration generation,
                   Bytes frame, Time at) {
    Flow& flow = flows_[seen.flow];
    const auto index = static_cast<std::size_t>(stage);
    std::uint16_t& noted = flow.noted[index];
    if ((flow.spec.stages >> index & 1) == 0 || noted >= flow.spec.packets) return;
    const bool is_captured = noted < flow.spec.captured_packets;
    ++noted;
    if (waiting_.size() >= kWaitingMost) {
        ++dropped_;
        return;
    }
    wire::FlowStageEntry& entry = waiting_.emplace_back();
    entry.trace = flow.spec.trace;
    entry.stage = stage;
    entry.generation = generation;
    entry.path = path;
    entry.packet = seen.packet;
    entry.frame_length = seen.length;
    entry.at_ns = at.ns;
    if (!is_captured) return;
    entry.captured = static_cast<std::uint16_t>(std::min<std::size_t>(flow.spec.capture_bytes, frame.size()));
    std::copy_n(frame.begin(), entry.captured, entry.bytes.begin());
}

void FlowTap::digest_into(StateDigest& digest) const {
    digest.add(active_);
    for (const Flow& flow : flows_) {
        if (!flow.is_active) continue;
        std::array<std::uint8_t, wire::FlowTraceSpec::kSize> bytes{};
        ByteWriter out(bytes);
        flow.spec.encode_into(out);
        digest.add(Bytes(bytes));
        digest.add(flow.until);
        for (const std::uint16_t noted : flow.noted)
            digest.add(noted);
    }
    digest.add(waiting_.size());
    for (const wire::FlowStageEntry& entry : waiting_) {
        std::array<std::uint8_t, wire::FlowStageEntry::kFixedSize + wire::FlowTraceSpec::kCaptureMost>
            bytes{};
        ByteWriter out(bytes);
        entry.encode_into(out);
        digest.add(Bytes(bytes));
    }
}

}  // namespace dyetrace::eppc
