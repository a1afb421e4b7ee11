// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-truth.h"

#include <algorithm>
#include <cstring>

#include <ns3/abort.h>
#include <ns3/log.h>

#include "dyetrace-fabric.h"
#include "dyetrace-packet.h"
#include "dyetrace-rank-exchange.h"

#include "core/base/bytes.h"
#include "core/base/prefetch.h"
#include "core/base/random.h"
#include "core/wire/control.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/session_messages.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceTruth");
NS_OBJECT_ENSURE_REGISTERED(DyetraceTruth);

namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kIpOffset = 14;
constexpr uint32_t kGeneveBytes = 8;

enum Mark : uint32_t { None = 0, Start = 1, End = 2 };

/// Where things are in a packet between EPPCs: encapsulation writes no IPv4 options and no extension headers.
struct Layout {
    uint32_t sourceOffset;       ///< of the last 32 bits of the address, which differ from host to host
    uint32_t destinationOffset;  ///< the same
    uint32_t udpOffset;
    uint32_t geneveOffset;
};
constexpr Layout kLayout4{kIpOffset + 12, kIpOffset + 16, kIpOffset + 20, kIpOffset + 28};
constexpr Layout kLayout6{kIpOffset + 20, kIpOffset + 36, kIpOffset + 40, kIpOffset + 48};

/// Null where the frame is no Geneve packet between EPPCs.
const Layout* LayoutOf(const DyetracePacket& packet) {
    constexpr uint8_t udp = 17;
    const uint8_t* frame = packet.Frame();
    const uint32_t bytes = packet.HeadLength();
    const Layout* layout = nullptr;
    if (bytes >= kLayout4.geneveOffset + kGeneveBytes && frame[kIpOffset] == 0x45 &&
        frame[kIpOffset + 9] == udp) {
        layout = &kLayout4;
    } else if (bytes >= kLayout6.geneveOffset + kGeneveBytes && frame[kIpOffset] >> 4 == 6 &&
               frame[kIpOffset + 6] == udp) {
        layout = &kLayout6;
    }
    if (layout == nullptr || dyetrace::load_u16(frame + layout->udpOffset + 2) != wire::kGenevePort)
        return nullptr;
    return layout;
}

/// Whether it carries a guest's frame: control packets have the O bit (RFC 8926 section 3.4).
bool IsData(const DyetracePacket& packet, const Layout& layout) {
    return (packet.Frame()[layout.geneveOffset + 1] & 0x80) == 0;
}

/// What the truth needs of a marker, read from the bytes.
struct Marker {
    uint32_t session = 0;
    wire::MarkerBody body;
    bool ok = false;
};

Marker ReadMarker(const DyetracePacket& packet, const Layout& layout) {
    const uint8_t* geneve = packet.Frame() + layout.geneveOffset;
    const uint32_t offset = layout.geneveOffset + kGeneveBytes + static_cast<uint32_t>(geneve[0] & 0x3f) * 4;
    if (packet.HeadLength() < offset) return {};
    const dyetrace::Bytes payload{packet.Frame() + offset, packet.HeadLength() - offset};
    const auto message = wire::ControlMessage::parse(payload);
    if (!message.ok() || message->header.type != wire::ControlType::Marker) return {};
    const auto body = wire::MarkerBody::parse(message->body);
    if (!body.ok()) return {};
    return {message->header.session.value, body.value(), true};
}

}  // namespace

TypeId DyetraceTruth::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceTruth")
                            .SetParent<Object>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceTruth>();
    return tid;
}

DyetraceTruth::DyetraceTruth() : m_recent(RecentFirst), m_flows(1) {}

DyetraceTruth::~DyetraceTruth() = default;

std::size_t DyetraceTruth::FlowHash::operator()(const FlowKey& key) const {
    return dyetrace::mix64((static_cast<uint64_t>(key.source) << 32 | key.destination) +
                           key.port * 0x9e3779b97f4a7c15);
}

void DyetraceTruth::Watch(Ptr<DyetraceFabric> fabric) {
    m_rank = fabric->GetOwnSystemId();
    m_rankCount = fabric->GetNSystems();
    fabric->ListenToDrops([this](uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
        NoteDrop(link, cause, packet);
    });
}

std::size_t DyetraceTruth::RecentPlace(const FlowKey& key) const {
    return FlowHash{}(key) & (m_recent.size() - 1);
}

uint32_t DyetraceTruth::FlowNumber(const FlowKey& key) {
    Recent& recent = m_recent[RecentPlace(key)];
    if (recent.flow != 0 && recent.key == key) return recent.flow;
    const auto place = static_cast<uint32_t>(m_flows.size());
    const auto [found, isNew] = m_flowNumbers.try_emplace(key, m_rank * FlowsPerRank + place);
    if (isNew) {
        NS_ABORT_MSG_IF(place == FlowsPerRank, "DyetraceTruth: one rank sends " << FlowsPerRank << " flows");
        m_flows.emplace_back();
    }
    recent = {key, found->second};
    const uint32_t number = found->second;
    // Room for all that are busy, as far as can be known: those that ever were.
    if (isNew && m_flows.size() > m_recent.size() / 4) {
        m_recent.assign(m_recent.size() * 4, {});
    }
    return number;
}

void DyetraceTruth::NoteExpected(const Trail& trail) const {
    if (trail.m_flow == 0) return;
    dyetrace::prefetch_line(&m_recent[trail.m_recent % m_recent.size()]);
    dyetrace::prefetch_line(&m_flows[trail.m_flow % FlowsPerRank]);
}

void DyetraceTruth::NoteSent(DyetracePacket& packet) {
    Trail trail;
    NoteSent(packet, trail);
}

void DyetraceTruth::NoteSent(DyetracePacket& packet, Trail& trail) {
    const Layout* layout = LayoutOf(packet);
    if (layout == nullptr) return;
    const uint8_t* frame = packet.Frame();
    const FlowKey key{dyetrace::load_u32(frame + layout->sourceOffset),
                      dyetrace::load_u32(frame + layout->destinationOffset),
                      dyetrace::load_u16(frame + layout->udpOffset)};
    const uint32_t number = FlowNumber(key);
    trail.m_recent = RecentPlace(key);
    trail.m_flow = number;
    Flow& flow = m_flows[number % FlowsPerRank];
    if (IsData(packet, *layout)) {
        ++m_dataSent;
        packet.m_truthFlow = number;
        packet.m_truthOrdinal = ++flow.sent;
        return;
    }
    const Marker marker = ReadMarker(packet, *layout);
    if (!marker.ok || marker.body.kind == wire::MarkerKind::Count) return;
    packet.m_truthFlow = number;
    packet.m_truthOrdinal = flow.sent;
    packet.m_truthMark = marker.body.kind == wire::MarkerKind::Start ? Mark::Start : Mark::End;
}

void DyetraceTruth::NoteArrived(const DyetracePacket& packet) {
    if (packet.m_truthFlow == 0) return;
    if (packet.m_truthMark == Mark::None) {
        ++m_dataArrived;
        return;
    }
    const Layout* layout = LayoutOf(packet);
    const Marker marker = layout != nullptr ? ReadMarker(packet, *layout) : Marker{};
    if (!marker.ok) return;  // a fault has made it another packet
    const uint8_t* frame = packet.Frame();
    Bounds& bounds =
        m_intervals[{dyetrace::load_u32(frame + layout->sourceOffset),
                     dyetrace::load_u32(frame + layout->destinationOffset), marker.session,
                     marker.body.path.value, marker.body.generation.value, marker.body.interval}];
    bounds.flow = packet.m_truthFlow;
    // The first START that arrives opens the interval and the first END closes it; a repetition changes
    // nothing.
    uint64_t& bound = packet.m_truthMark == Mark::Start ? bounds.start : bounds.end;
    if (bound == Bounds::Open) bound = packet.m_truthOrdinal;
}

DyetraceTruth::Causes& DyetraceTruth::DropsAt(uint32_t link) {
    if (link >= m_dropsPlace.size()) m_dropsPlace.resize(link + std::size_t{1});
    uint32_t& place = m_dropsPlace[link];
    if (place == 0) {
        m_drops.push_back({link, {}});
        place = static_cast<uint32_t>(m_drops.size());
    }
    return m_drops[place - 1].second;
}

void DyetraceTruth::NoteDrop(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet) {
    Count& count = DropsAt(link)[static_cast<std::size_t>(cause)];
    ++count.all;
    if (packet.m_truthFlow == 0 || packet.m_truthMark != Mark::None) return;
    ++count.data;
    ++m_dataDropped;
    if (packet.m_truthFlow / FlowsPerRank == m_rank) {
        m_flows[packet.m_truthFlow % FlowsPerRank].dropped.push_back(packet.m_truthOrdinal);
    } else {
        m_foreign.push_back({packet.m_truthOrdinal, packet.m_truthFlow});
    }
}

void DyetraceTruth::Exchange() {
    if (m_rankCount == 1) return;
    m_isExchanged = true;
    std::vector<Loss> own = m_foreign;
    for (std::size_t place = 1; place < m_flows.size(); ++place) {
        const auto flow = static_cast<uint32_t>(m_rank * FlowsPerRank + place);
        for (const uint64_t ordinal : m_flows[place].dropped)
            own.push_back({ordinal, flow});
    }
    m_droppedAnywhere.clear();
    for (const auto& [number, bounds] : m_intervals)
        m_droppedAnywhere[bounds.flow];
    const auto* begin = reinterpret_cast<const uint8_t*>(own.data());
    const std::vector<uint8_t> all = DyetraceGatherAll({begin, own.size() * sizeof(Loss)});
    for (std::size_t at = 0; at < all.size(); at += sizeof(Loss)) {
        Loss loss;
        std::memcpy(&loss, &all[at], sizeof loss);
        const auto flow = m_droppedAnywhere.find(loss.flow);
        if (flow != m_droppedAnywhere.end()) flow->second.push_back(loss.ordinal);
    }
}

const std::vector<uint64_t>& DyetraceTruth::DroppedOf(uint32_t flow) const {
    return m_rankCount == 1 ? m_flows[flow].dropped : m_droppedAnywhere.at(flow);
}

std::vector<DyetraceTruth::LinkDrops> DyetraceTruth::GetLinkDrops() const {
    std::vector<LinkDrops> drops;
    for (const uint32_t place : m_dropsPlace) {
        if (place == 0) continue;
        const auto& [link, causes] = m_drops[place - 1];
        for (std::size_t cause = 0; cause < causes.size(); ++cause) {
            if (causes[cause].all == 0) continue;
            drops.push_back(
                {link, static_cast<DyetraceDropCause>(cause), causes[cause].data, causes[cause].all});
        }
    }
    return drops;
}

std::vector<DyetraceTruth::Interval> DyetraceTruth::GetIntervals() const {
    NS_ABORT_MSG_IF(m_rankCount > 1 && !m_isExchanged,
                    "DyetraceTruth::GetIntervals: on several ranks, Exchange is called before");
    std::vector<Interval> intervals;
    for (const auto& [key, bounds] : m_intervals) {
        if (bounds.start == Bounds::Open || bounds.end == Bounds::Open) continue;
        const std::vector<uint64_t>& dropped = DroppedOf(bounds.flow);
        const auto lost = std::count_if(dropped.begin(), dropped.end(), [&bounds = bounds](uint64_t ordinal) {
            return ordinal > bounds.start && ordinal <= bounds.end;
        });
        const auto& [requester, acceptor, session, path, generation, interval] = key;
        intervals.push_back({Ipv4Address(requester), Ipv4Address(acceptor), session, path, generation,
                             interval, bounds.end - bounds.start, static_cast<uint64_t>(lost)});
    }
    return intervals;
}

}  // namespace ns3
