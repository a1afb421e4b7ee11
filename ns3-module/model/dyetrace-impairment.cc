// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-impairment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dyetrace-packet.h"
#include "dyetrace-topology.h"

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/inner_packet.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"

namespace ns3 {

namespace wire = dyetrace::wire;

namespace {

constexpr uint64_t kSaltLink = 0x6c696e6b00000001;
constexpr uint64_t kSaltFlow = 0x666c6f7700000001;
constexpr uint32_t kIpOffset = wire::EthernetHeader::kSize;

/// 2^64 itself does not fit; for a probability of 1 the largest number stands in, short by one packet in
/// 2^64.
uint64_t Threshold(double probability) {
    if (probability >= 1) return std::numeric_limits<uint64_t>::max();
    return static_cast<uint64_t>(std::ldexp(probability, 64));
}

dyetrace::Bytes HeadOf(const DyetracePacket& packet) {
    return {packet.Frame(), packet.HeadLength()};
}

/// Whether it is a message from one EPPC to another (RFC 8926 section 3.4).
bool IsControl(const DyetracePacket& packet) {
    const dyetrace::Bytes head = HeadOf(packet);
    if (head.size() < kIpOffset) return false;
    const auto outer = wire::InnerPacket::parse(head);
    const std::size_t flags = outer.payload_offset + wire::UdpHeader::kSize + 1;
    return outer.has_ports && outer.destination_port == wire::kGenevePort && head.size() > flags &&
           (head[flags] & 0x80) != 0;
}

uint64_t FlowHash(const DyetracePacket& packet, uint32_t faultId) {
    if (packet.HeadLength() < kIpOffset) return 0;
    const auto outer = wire::InnerPacket::parse(HeadOf(packet));
    uint64_t hash = dyetrace::mix64(kSaltFlow + faultId);
    for (const uint64_t part :
         {outer.source.high, outer.source.low, outer.destination.high, outer.destination.low,
          uint64_t{outer.protocol} << 32 | uint64_t{outer.source_port} << 16 | outer.destination_port}) {
        hash = dyetrace::mix64(hash ^ part);
    }
    return hash;
}

bool IsOfFlow(const DyetraceImpairment& what, const DyetracePacket& packet) {
    return packet.HeadLength() >= kIpOffset &&
           what.filter->matches(wire::InnerPacket::parse(HeadOf(packet)), {});
}

/// Inverts a bit of what is stored behind the Ethernet header, so that the frame still finds the next node.
void InvertBit(DyetracePacket& packet, uint64_t hash) {
    if (packet.HeadLength() <= kIpOffset) return;
    const uint64_t bits = uint64_t{packet.HeadLength() - kIpOffset} * 8;
    const uint64_t bit = dyetrace::mix64(hash) % bits;
    packet.Frame()[kIpOffset + bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
}

void SetEcn(DyetracePacket& packet, wire::Ecn ecn) {
    if (packet.HeadLength() < kIpOffset + wire::Ipv4Header::kSize) return;
    uint8_t* ip = packet.Frame() + kIpOffset;
    const uint16_t etherType = dyetrace::load_u16(ip - 2);
    if (etherType == wire::kEtherTypeIpv4) wire::set_ipv4_ecn({ip, wire::Ipv4Header::kSize}, ecn);
    if (etherType == wire::kEtherTypeIpv6) wire::set_ipv6_ecn({ip, 2}, ecn);
}

}  // namespace

DyetraceImpairments::DyetraceImpairments(const DyetraceTopology& topology, uint64_t seed)
    : m_topology(topology), m_seed(seed) {}

void DyetraceImpairments::Add(uint32_t link, const DyetraceImpairment& impairment) {
    const auto [found, isNew] = m_links.try_emplace(link);
    LinkState& state = found->second;
    if (isNew) {
        const uint64_t place =
            static_cast<uint64_t>(m_topology.GetCable(link)) << 1 | m_topology.GetDirection(link);
        state.seed = dyetrace::mix64(dyetrace::mix64(m_seed ^ kSaltLink) + place);
    }
    state.active.push_back({impairment, Threshold(impairment.probability), 0});
}

void DyetraceImpairments::Remove(uint32_t link, uint32_t faultId) {
    const auto found = m_links.find(link);
    if (found == m_links.end()) return;
    std::vector<Active>& active = found->second.active;
    active.erase(std::remove_if(active.begin(), active.end(),
                                [faultId](const Active& other) { return other.what.faultId == faultId; }),
                 active.end());
    if (active.empty()) m_links.erase(found);
}

DyetraceVerdict DyetraceImpairments::Judge(uint32_t number, uint64_t ordinal, DyetracePacket& packet,
                                           int64_t nowNs) {
    DyetraceVerdict verdict;
    verdict.releaseNs = nowNs;
    LinkState& link = m_links.at(number);
    const uint64_t packetHash = dyetrace::mix64(link.seed + ordinal);
    int64_t heldBackNs = 0;
    for (Active& active : link.active) {
        const uint64_t hash = dyetrace::mix64(packetHash + active.what.faultId);
        if (!IsMeant(active, hash, packet)) continue;
        Apply(active, hash, packet, verdict, heldBackNs);
        if (active.what.kind == DyetraceImpairment::Kind::FrameErrors) ++m_frameErrors[number];
        if (verdict.isLost) break;
    }
    verdict.releaseNs += heldBackNs;
    return verdict;
}

uint64_t DyetraceImpairments::GetFrameErrors(uint32_t link) const {
    const auto found = m_frameErrors.find(link);
    return found == m_frameErrors.end() ? 0 : found->second;
}

bool DyetraceImpairments::IsMeant(const Active& active, uint64_t hash, const DyetracePacket& packet) {
    if (active.what.kind == DyetraceImpairment::Kind::FlowLoss) {
        if (active.what.filter) return IsOfFlow(active.what, packet) && hash < active.threshold;
        return FlowHash(packet, active.what.faultId) < active.threshold;
    }
    if (hash >= active.threshold) return false;
    return active.what.kind != DyetraceImpairment::Kind::ControlLoss || IsControl(packet);
}

void DyetraceImpairments::Apply(Active& active, uint64_t hash, DyetracePacket& packet,
                                DyetraceVerdict& verdict, int64_t& heldBackNs) {
    using Kind = DyetraceImpairment::Kind;
    const DyetraceImpairment& what = active.what;
    const auto jitterNs =
        static_cast<int64_t>(std::ldexp(static_cast<double>(dyetrace::mix64(hash) >> 11), -53) *
                             static_cast<double>(what.jitterNs));
    switch (what.kind) {
        case Kind::Loss:
        case Kind::FrameErrors:
        case Kind::FlowLoss:
        case Kind::ControlLoss: verdict.isLost = true; break;
        case Kind::Corruption: InvertBit(packet, hash); break;
        case Kind::Delay:
            verdict.isHeld = true;
            verdict.releaseNs = std::max(verdict.releaseNs + what.delayNs + jitterNs, active.lastReleaseNs);
            active.lastReleaseNs = verdict.releaseNs;
            break;
        case Kind::Reordering:
            // Not before any delay is added: that keeps packets in order.
            verdict.isHeld = true;
            heldBackNs += what.delayNs + jitterNs;
            break;
        case Kind::Duplication: verdict.isDuplicated = true; break;
        case Kind::EcnMarking:
            if ((packet.Frame()[kIpOffset] >> 4 == 4 ? packet.Frame()[kIpOffset + 1] & 3
                                                     : packet.Frame()[kIpOffset + 1] >> 4 & 3) != 0) {
                SetEcn(packet, wire::Ecn::Ce);
            }
            break;
        case Kind::EcnBleaching: SetEcn(packet, wire::Ecn::NotEct); break;
    }
}

}  // namespace ns3
