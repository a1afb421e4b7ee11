// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-data-plane.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <ns3/simulator.h>

#include "dyetrace-ranks.h"

namespace ns3 {

DyetraceDataPlane::DyetraceDataPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks,
                                     const Config& config, Traces traces)
    : m_traces(traces),
      m_forwarding(topology, config.forwarding),
      m_impairments(topology, config.forwarding.seed),
      m_topology(topology),
      m_ranks(ranks),
      m_config(config) {}

DyetraceDataPlane::~DyetraceDataPlane() = default;

DataRate DyetraceDataPlane::RateOf(uint32_t link) const {
    const uint64_t own = m_topology.GetLinkRate(link);
    return own != 0 ? DataRate(own) : m_config.linkRate;
}

int64_t DyetraceDataPlane::DelayNsOf(uint32_t link) const {
    const Time own = m_topology.GetLinkDelay(link);
    return own.IsNegative() ? m_config.linkDelayNs : own.GetNanoSeconds();
}

void DyetraceDataPlane::Drop(uint32_t link, DyetraceDropCause cause, DyetracePacket* packet) {
    ++m_counters.drops[static_cast<std::size_t>(cause)];
    m_traces.drop(link, cause, *packet);
    if (m_dropListener) m_dropListener(link, cause, *packet);
    m_pool.Free(packet);
}

void DyetraceDataPlane::Passage::AppendTo(std::vector<uint8_t>& bytes) const {
    const auto* begin = reinterpret_cast<const uint8_t*>(this);
    bytes.insert(bytes.end(), begin, begin + sizeof *this);
}

DyetraceDataPlane::Passage DyetraceDataPlane::Passage::Take(dyetrace::Bytes& bytes) {
    Passage passage;
    std::memcpy(&passage, bytes.data(), sizeof passage);
    bytes = bytes.subspan(sizeof passage);
    return passage;
}

void DyetraceDataPlane::NoteEmptied(uint32_t link, int64_t nowNs) {
    if (m_ranks.IsCrossing(m_topology, link)) m_emptiedNs[link] = nowNs;
}

bool DyetraceDataPlane::IsLost(const Passage& passage) const {
    const auto emptied = m_emptiedNs.find(passage.link);
    return emptied != m_emptiedNs.end() && passage.queuedNs < emptied->second;
}

void DyetraceDataPlane::AddChange(int64_t atNs, std::function<void()> change) {
    m_changes.emplace(std::max(atNs, TakenUntilNs()), std::move(change));
    m_nextChangeNs = m_changes.begin()->first;
}

void DyetraceDataPlane::ApplyChanges(int64_t nowNs) {
    while (m_nextChangeNs <= nowNs) {
        const std::function<void()> change = std::move(m_changes.begin()->second);
        m_changes.erase(m_changes.begin());
        m_nextChangeNs = m_changes.empty() ? Never : m_changes.begin()->first;
        change();
    }
}

// The routing protocol of a real fabric notices after a while, and then all its switches know.
void DyetraceDataPlane::SetDown(uint32_t link, bool isDown) {
    uint32_t& count = m_downCount[link];
    const bool wasDown = count != 0;
    isDown ? ++count : --count;
    if (wasDown == (count != 0)) return;
    DoSetDown(link, isDown);
    if (m_config.detectionNs < 0) return;
    AddChange(Simulator::Now().GetNanoSeconds() + m_config.detectionNs, [this, link] { RouteAround(link); });
}

// A cable is in use where neither of its directions is down, and nobody has drained it.
void DyetraceDataPlane::RouteAround(uint32_t link) {
    const uint32_t back = m_topology.GetReverse(link);
    const bool isDrained = m_drainCount[std::min(link, back)] != 0;
    m_forwarding.GetRoutes().SetInUse(link, m_downCount[link] == 0 && m_downCount[back] == 0 && !isDrained);
}

void DyetraceDataPlane::SetDrained(uint32_t link, bool isDrained) {
    uint32_t& count = m_drainCount[std::min(link, m_topology.GetReverse(link))];
    if (!isDrained && count == 0) return;
    isDrained ? ++count : --count;
    RouteAround(link);
}

void DyetraceDataPlane::AddImpairment(uint32_t link, const DyetraceImpairment& impairment) {
    m_impairments.Add(link, impairment);
    DoSetImpaired(link, true);
}

void DyetraceDataPlane::RemoveImpairment(uint32_t link, uint32_t faultId) {
    m_impairments.Remove(link, faultId);
    DoSetImpaired(link, m_impairments.IsImpaired(link));
}

void DyetraceDataPlane::AddRateCut(uint32_t link, uint32_t faultId, DataRate rate) {
    m_rateCuts[link][faultId] = rate;
    ApplyRate(link);
}

void DyetraceDataPlane::RemoveRateCut(uint32_t link, uint32_t faultId) {
    m_rateCuts[link].erase(faultId);
    ApplyRate(link);
}

void DyetraceDataPlane::ApplyRate(uint32_t link) {
    DataRate rate = RateOf(link);
    for (const auto& [faultId, cut] : m_rateCuts[link])
        rate = std::min(rate, cut);
    DoSetRate(link, rate);
}

void DyetraceDataPlane::AddMtuCut(uint32_t link, uint32_t faultId, uint32_t mtu) {
    m_mtuCuts[link][faultId] = mtu;
    ApplyMtu(link);
}

void DyetraceDataPlane::RemoveMtuCut(uint32_t link, uint32_t faultId) {
    m_mtuCuts[link].erase(faultId);
    ApplyMtu(link);
}

void DyetraceDataPlane::ApplyMtu(uint32_t link) {
    uint32_t mtu = m_config.mtu;
    for (const auto& [faultId, cut] : m_mtuCuts[link])
        mtu = std::min(mtu, cut);
    DoSetMtu(link, mtu);
}

}  // namespace ns3
