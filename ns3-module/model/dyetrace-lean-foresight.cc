// SPDX-License-Identifier: GPL-2.0-or-later
// What the lean fabric has fetched before it is looked at. Each step asks for what the next one reads, with
// others' events between them, so that the waits for memory run side by side. Nothing here changes anything.
#include "dyetrace-lean-plane.h"
#include "dyetrace-receiver.h"

#include "core/base/prefetch.h"

namespace ns3 {

/// Asks the memory for what hosts whose turns are near will look at, the nearer the more. The outer headers
/// of a packet without a tag are its fifth line, the guest's its sixth.
void DyetraceLeanPlane::ExpectTurns() const {
    if (m_turn + 12 < m_turns.size()) {
        const uint32_t host = m_turns[m_turn + 12].host;
        dyetrace::prefetch_line(&m_inbound[host]);
        dyetrace::prefetch_line(&m_links[host]);
        dyetrace::prefetch_line(&m_hosts[host]);
    }
    if (m_turn + 8 < m_turns.size()) {
        const uint32_t host = m_turns[m_turn + 8].host;
        const auto* packet = reinterpret_cast<const uint8_t*>(m_inbound[host].first);
        dyetrace::prefetch_line(packet);
        dyetrace::prefetch_line(packet + 256);
        dyetrace::prefetch_line(packet + 320);
        if (m_hosts[host].receiver != nullptr) dyetrace::prefetch_line(m_hosts[host].receiver);
    }
    for (uint32_t turns = 6; turns-- > 0;) {
        if (m_turn + turns >= m_turns.size()) continue;
        const uint32_t host = m_turns[m_turn + turns].host;
        DyetraceReceiver* receiver = m_hosts[host].receiver;
        if (receiver != nullptr && m_arrivalNs[host] < m_takenUntilNs)
            receiver->Expect(*m_inbound[host].first, turns);
    }
}

/// The same for events that come to hosts by themselves, which are mostly packets that guests send. What they
/// are is not known, only whose: the context of a host's events is its number.
void DyetraceLeanPlane::Foresee(const DyetraceCalendar& calendar) {
    const EventImpl* own = PeekPointer(m_turnEvent);
    const auto hostOf = [&](uint32_t events) {
        const DyetraceCalendar::Event* event = calendar.Foresee(events);
        return event == nullptr || event->impl == own ? m_hostCount : event->key.m_context;
    };
    if (const uint32_t host = hostOf(10); host < m_hostCount) {
        const auto* impl = reinterpret_cast<const uint8_t*>(calendar.Foresee(10)->impl);
        dyetrace::prefetch_line(impl);
        dyetrace::prefetch_line(impl + 64);
        dyetrace::prefetch_line(impl + 128);
        dyetrace::prefetch_line(&m_hosts[host]);
        dyetrace::prefetch_line(&m_links[host]);
        dyetrace::prefetch_line(&m_arrivalNs[host]);
    }
    if (const uint32_t host = hostOf(8); host < m_hostCount) {
        if (m_hosts[host].receiver != nullptr) dyetrace::prefetch_line(m_hosts[host].receiver);
        dyetrace::prefetch_line(&m_inbound[m_links[host].reverse]);
        dyetrace::prefetch_line(&m_arrivalNs[m_links[host].reverse]);
    }
    for (uint32_t events = 6; events > 1; --events) {
        const uint32_t host = hostOf(events);
        if (host < m_hostCount && m_hosts[host].receiver != nullptr)
            m_hosts[host].receiver->ExpectEvent(events);
    }
}

/// What TakeSwitch looks at. An encapsulated frame begins at the fifth line of a packet.
void DyetraceLeanPlane::ExpectSwitch(uint32_t number, int64_t endNs) const {
    const Node& node = m_nodes[number];
    for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port) {
        if (m_arrivalNs[port] >= endNs) continue;
        const auto* packet = reinterpret_cast<const uint8_t*>(m_inbound[port].first);
        dyetrace::prefetch_line(packet);
        dyetrace::prefetch_line(packet + 256);
    }
    // Most likely the one after it is due too.
    if (!m_isLarge || number + 1 == m_nodes.size()) return;
    const Node& after = m_nodes[number + 1];
    for (uint32_t port = after.firstPort; port < after.firstPort + after.portCount; port += 8)
        dyetrace::prefetch_line(&m_arrivalNs[port]);
    for (uint32_t port = after.firstPort; port < after.firstPort + after.portCount; port += 2)
        dyetrace::prefetch_line(&m_inbound[port]);
}

/// What forwarding the collected packets looks at: routes, links, and the queues' ends.
void DyetraceLeanPlane::ExpectForwarding(uint32_t number) {
    m_ports.clear();
    for (const Arrival& arrival : m_arrivals)
        dyetrace::prefetch_line(arrival.packet->Frame());
    for (const Arrival& arrival : m_arrivals)
        m_forwarding.Expect(number, *arrival.packet);
    for (const Arrival& arrival : m_arrivals) {
        const DyetraceForwarding::Ip ip = DyetraceForwarding::Check(*arrival.packet);
        const bool isGood = ip != DyetraceForwarding::Ip::Bad;
        const uint32_t port =
            isGood ? m_forwarding.ChoosePort(number, ip, *arrival.packet) : DyetraceForwarding::None;
        if (port == DyetraceForwarding::None) continue;
        dyetrace::prefetch_line(&m_links[port]);
        m_forwarding.Expect(port);
        m_ports.push_back(port);
    }
    for (const uint32_t port : m_ports) {
        const Link& link = m_links[port];
        dyetrace::prefetch_line(&m_arrivalNs[link.reverse]);
        dyetrace::prefetch_line(&m_inbound[link.reverse]);
        if (link.last != nullptr) dyetrace::prefetch_line(link.last);
    }
}

}  // namespace ns3
