// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-lean-plane.h"

#include <algorithm>
#include <functional>

#include <ns3/abort.h>
#include <ns3/event-impl.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>

#include "dyetrace-capture.h"
#include "dyetrace-frame-time.h"
#include "dyetrace-packet-bytes.h"
#include "dyetrace-ranks.h"
#include "dyetrace-receiver.h"

#include "core/wire/ethernet.h"

namespace ns3 {

namespace {

constexpr uint32_t kEthernetBytes = dyetrace::wire::EthernetHeader::kSize;

constexpr int64_t kLongestNs = std::numeric_limits<int32_t>::max();

int64_t NowNs() {
    return Simulator::Now().GetTimeStep();
}

}  // namespace

/// The one event of a host; it is in the scheduler as many times as packets are awaited.
class DyetraceLeanPlane::HostEvent : public EventImpl {
  public:
    HostEvent(DyetraceLeanPlane* plane, uint32_t host) : m_plane(plane), m_host(host) {}

  protected:
    void Notify() override { m_plane->TakeArrivals(m_host); }

  private:
    DyetraceLeanPlane* m_plane;
    uint32_t m_host;
};

/// The one event of all hosts that have turns: it is in the scheduler once, for the next.
class DyetraceLeanPlane::TurnEvent : public EventImpl {
  public:
    explicit TurnEvent(DyetraceLeanPlane* plane) : m_plane(plane) {}

  protected:
    void Notify() override { m_plane->TakeTurn(); }

  private:
    DyetraceLeanPlane* m_plane;
};

/// The one event of all switches.
class DyetraceLeanPlane::WindowEvent : public EventImpl {
  public:
    explicit WindowEvent(DyetraceLeanPlane* plane) : m_plane(plane) {}

  protected:
    void Notify() override { m_plane->RunWindow(); }

  private:
    DyetraceLeanPlane* m_plane;
};

DyetraceLeanPlane::DyetraceLeanPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks,
                                     const Config& config, Traces traces)
    : DyetraceDataPlane(topology, ranks, config, traces),
      m_simulator(PeekPointer(Simulator::GetImplementation())),
      m_hostCount(topology.GetNHosts()),
      m_isLarge(m_hostCount >= LargeHosts),
      m_windowEvent(Create<WindowEvent>(this)),
      m_turnEvent(Create<TurnEvent>(this)) {
    NS_ABORT_MSG_IF(Time::GetResolution() != Time::NS, "the lean fabric counts time in nanoseconds");
    MakeNodes();
    MakeLinks();
    if (ranks.GetCount() > 1) BindLookahead();
    if (m_isLarge) DyetraceScheduler::Tell(this);
}

DyetraceLeanPlane::~DyetraceLeanPlane() {
    if (DyetraceScheduler::GetTold() == this) DyetraceScheduler::Tell(nullptr);
    m_windowEvent->Cancel();  // the scheduler may outlive the fabric
    m_turnEvent->Cancel();
    for (const auto& event : m_hostEvents)
        event->Cancel();
}

void DyetraceLeanPlane::MakeNodes() {
    const DyetraceTopology& topology = GetTopology();
    m_nodes.reserve(topology.GetNNodes());
    for (uint32_t number = 0; number < topology.GetNNodes(); ++number) {
        m_nodes.push_back({topology.GetNode(number).firstPort, topology.GetNode(number).portCount});
    }
    m_dueNs.assign(topology.GetNNodes() - m_hostCount, Never);
    m_hostEvents.reserve(m_hostCount);
    m_hosts.reserve(m_hostCount);
    for (uint32_t host = 0; host < m_hostCount; ++host) {
        m_hostEvents.push_back(Create<HostEvent>(this, host));
        m_hosts.push_back({PeekPointer(m_hostEvents.back()), nullptr});
    }
}

void DyetraceLeanPlane::MakeLinks() {
    const DyetraceTopology& topology = GetTopology();
    const uint32_t count = topology.GetNLinks();
    m_arrivalNs.assign(count, Never);
    m_links.reserve(count);
    m_inbound.reserve(count);
    for (uint32_t number = 0; number < count; ++number) {
        const int64_t delayNs = DelayNsOf(number);
        NS_ABORT_MSG_IF(delayNs < 0 || delayNs > kLongestNs,
                        "link " << topology.DescribeLink(number) << ": its delay is 0 to two seconds");
        Link link{};
        link.rate = FindRate(RateOf(number));
        link.delayNs = static_cast<int32_t>(delayNs);
        link.to = topology.GetTo(number);
        link.reverse = topology.GetReverse(number);
        link.maxLength = GetConfig().mtu + kEthernetBytes;
        if (GetRanks().IsCrossing(topology, number)) link.flags |= Crossing;
        m_links.push_back(link);
        m_inbound.push_back({nullptr, 0, link.reverse, 0});
        m_lookaheadNs = std::min(m_lookaheadNs, delayNs + link.rate->txNs[0]);
    }
}

void DyetraceLeanPlane::BindLookahead() {
    const int64_t crossingNs = GetRanks().LeastOfCrossings(
        GetTopology(), [this](uint32_t link) { return m_links[link].delayNs + m_links[link].rate->txNs[0]; });
    m_lookaheadNs = std::max<int64_t>(1, std::min(m_lookaheadNs, crossingNs / 2));
    m_crossingNs = crossingNs - m_lookaheadNs;
    m_across.resize(GetRanks().GetCount());
    m_exchange = std::make_unique<DyetraceRankExchange>(
        GetRanks(), m_crossingNs, [this](dyetrace::Bytes message) { ReceiveAcross(message); });
}

const DyetraceLeanPlane::Rate* DyetraceLeanPlane::FindRate(DataRate rate) {
    for (const auto& known : m_rates) {
        if (known->rate == rate) return known.get();
    }
    m_rates.push_back(std::make_unique<Rate>());
    Rate& made = *m_rates.back();
    made.rate = rate;
    made.queueLimitNs = DyetraceQueueNs(rate, GetConfig().queueBytes);
    made.ecnLimitNs = GetConfig().ecnBytes == 0 ? std::numeric_limits<int64_t>::max()
                                                : DyetraceQueueNs(rate, GetConfig().ecnBytes);
    for (uint32_t length = 0; length <= TabledLength; ++length) {
        const int64_t ns = DyetraceTransmissionNs(rate, length);
        NS_ABORT_MSG_IF(ns > kLongestNs, "a link rate of " << rate << " is too slow");
        made.txNs[length] = static_cast<int32_t>(ns);
    }
    return &made;
}

void DyetraceLeanPlane::Attach(uint32_t host, DyetraceReceiver* receiver) {
    m_hosts[host].receiver = receiver;
}

void DyetraceLeanPlane::Send(uint32_t host, DyetracePacket* packet) {
    const int64_t nowNs = NowNs();
    ApplyChanges(nowNs);
    Link& link = m_links[host];
    if (packet->Length() > link.maxLength) [[unlikely]]
        return Drop(LinkNumber(link), DyetraceDropCause::TooBig, packet);
    Transmit(link, packet, nowNs);
}

int64_t DyetraceLeanPlane::TransmissionNs(const Link& link, uint32_t length) const {
    if (length <= TabledLength) [[likely]]
        return link.rate->txNs[length];
    return DyetraceTransmissionNs(link.rate->rate, length);
}

void DyetraceLeanPlane::Transmit(Link& link, DyetracePacket* packet, int64_t nowNs) {
    if (link.flags & Down) [[unlikely]]
        return Drop(LinkNumber(link), DyetraceDropCause::Down, packet);
    const int64_t startNs = std::max(link.busyUntilNs, nowNs);
    const int64_t doneNs = startNs + TransmissionNs(link, packet->Length());
    if (doneNs - nowNs > link.rate->queueLimitNs) [[unlikely]] {
        return Drop(LinkNumber(link), DyetraceDropCause::Queue, packet);
    }
    if (doneNs - nowNs > link.rate->ecnLimitNs) [[unlikely]] {
        const DyetraceForwarding::Ip ip = DyetraceForwarding::Check(*packet);
        if (ip != DyetraceForwarding::Ip::Bad) DyetraceForwarding::MarkCongestion(ip, *packet);
    }
    if (link.flags & CaptureOut) [[unlikely]]
        m_captures.at(LinkNumber(link))->Sending(startNs, *packet);
    link.busyUntilNs = doneNs;
    packet->arrivalNs = doneNs + link.delayNs;
    link.flags& Crossing ? TakeAcross(link, packet, nowNs) : Append(link, packet);
}

void DyetraceLeanPlane::Append(Link& link, DyetracePacket* packet) {
    packet->next = nullptr;
    if (m_arrivalNs[link.reverse] == Never) {
        m_inbound[link.reverse].first = packet;
        Queued(link, packet->arrivalNs);
    } else {
        link.last->next = packet;
        link.last->nextArrivalNs = packet->arrivalNs;
    }
    link.last = packet;
}

void DyetraceLeanPlane::TakeAcross(const Link& link, DyetracePacket* packet, int64_t nowNs) {
    std::vector<uint8_t>& bytes = m_across[GetRanks().Get(link.to)];
    Passage{nowNs, packet->arrivalNs, LinkNumber(link)}.AppendTo(bytes);
    DyetracePacketBytes::Append(bytes, *packet);
    m_pool.Free(packet);
}

/// At the end of a window that began at `nowNs`.
void DyetraceLeanPlane::SendAcross(int64_t nowNs) {
    for (uint32_t rank = 0; rank < m_across.size(); ++rank) {
        if (m_across[rank].empty()) continue;
        m_exchange->Send(rank, nowNs + m_crossingNs, m_across[rank]);
        m_across[rank].clear();
    }
}

void DyetraceLeanPlane::ReceiveAcross(dyetrace::Bytes message) {
    ApplyChanges(NowNs());
    while (!message.empty()) {
        const Passage passage = Passage::Take(message);
        DyetracePacket* packet = DyetracePacketBytes::Take(m_pool, message);
        if (IsLost(passage)) {
            Drop(passage.link, DyetraceDropCause::Down, packet);
            continue;
        }
        packet->arrivalNs = passage.arrivalNs;
        Append(m_links[passage.link], packet);
    }
}

/// A link that had nothing has a packet, which will come out at `arrivalNs`.
void DyetraceLeanPlane::Queued(const Link& link, int64_t arrivalNs) {
    m_arrivalNs[link.reverse] = arrivalNs;
    if (IsHost(link.to)) return Await(link.to, arrivalNs);
    int64_t& due = m_dueNs[link.to - m_hostCount];
    due = std::min(due, arrivalNs);
    if (!m_inWindow) EnsureWindow(arrivalNs);
}

void DyetraceLeanPlane::ScheduleHost(uint32_t host, int64_t timeNs) {
    HostEvent* event = m_hosts[host].event;
    event->Ref();  // the simulator drops one reference for each time the event was scheduled
    m_simulator->ScheduleWithContext(host, TimeStep(static_cast<uint64_t>(timeNs - NowNs())), event);
}

void DyetraceLeanPlane::Await(uint32_t host, int64_t timeNs) {
    if (timeNs < m_takenUntilNs) {
        const Turn turn{timeNs, host};
        const auto place =
            std::upper_bound(m_turns.begin() + static_cast<std::ptrdiff_t>(m_turn), m_turns.end(), turn);
        const bool isNext = place == m_turns.begin() + static_cast<std::ptrdiff_t>(m_turn);
        m_turns.insert(place, turn);
        if (isNext) ScheduleTurn();
        return;
    }
    m_hostDueNs = std::min(m_hostDueNs, timeNs);
    if (!m_inWindow) EnsureWindow(timeNs);
}

void DyetraceLeanPlane::PlanTurns(int64_t endNs) {
    if (m_hostDueNs >= endNs) return;
    m_turns.erase(m_turns.begin(), m_turns.begin() + static_cast<std::ptrdiff_t>(m_turn));
    m_turn = 0;
    m_hostDueNs = Never;
    for (uint32_t host = 0; host < m_hostCount; ++host) {
        const int64_t arrivalNs = m_arrivalNs[host];
        if (arrivalNs >= endNs) {
            m_hostDueNs = std::min(m_hostDueNs, arrivalNs);
        } else {
            m_turns.push_back({arrivalNs, host});
        }
    }
    std::sort(m_turns.begin(), m_turns.end());
    if (!m_turns.empty()) ScheduleTurn();
}

void DyetraceLeanPlane::ScheduleTurn() {
    const Turn& turn = m_turns[m_turn];
    m_turnEvent->Ref();
    m_simulator->ScheduleWithContext(turn.host, TimeStep(static_cast<uint64_t>(turn.timeNs - NowNs())),
                                     PeekPointer(m_turnEvent));
}

void DyetraceLeanPlane::TakeTurn() {
    if (m_turn == m_turns.size() || m_turns[m_turn].timeNs != NowNs()) return;  // an earlier one came between
    const uint32_t host = m_turns[m_turn++].host;
    ExpectTurns();
    if (m_turn < m_turns.size()) ScheduleTurn();
    TakeArrivals(host);
}

void DyetraceLeanPlane::EnsureWindow(int64_t timeNs) {
    if (timeNs >= m_windowNs) return;
    m_windowNs = timeNs;
    m_windowEvent->Ref();
    m_simulator->ScheduleWithContext(Simulator::NO_CONTEXT, TimeStep(static_cast<uint64_t>(timeNs - NowNs())),
                                     PeekPointer(m_windowEvent));
}

int64_t DyetraceLeanPlane::WindowEnd(int64_t nowNs) const {
    const bool isWatched = !m_traces.drop.IsEmpty() || !m_traces.forward.IsEmpty();
    return std::min(nowNs + (isWatched ? 1 : m_lookaheadNs), NextChangeNs());
}

void DyetraceLeanPlane::RunWindow() {
    const int64_t nowNs = NowNs();
    if (nowNs != m_windowNs) return;  // an earlier one was asked for since
    ApplyChanges(nowNs);
    const int64_t endNs = WindowEnd(nowNs);
    m_inWindow = true;
    m_takenUntilNs = endNs;
    PlanTurns(endNs);
    const auto isDue = [endNs](int64_t dueNs) { return dueNs < endNs; };
    for (auto due = std::find_if(m_dueNs.begin(), m_dueNs.end(), isDue); due != m_dueNs.end();) {
        const auto next = std::find_if(due + 1, m_dueNs.end(), isDue);
        if (next != m_dueNs.end()) ExpectSwitch(SwitchAt(next), endNs);
        TakeSwitch(SwitchAt(due), endNs);
        due = next;
    }
    m_inWindow = false;
    SendAcross(nowNs);
    m_windowNs = Never;
    EnsureWindow(std::min(m_hostDueNs, *std::min_element(m_dueNs.begin(), m_dueNs.end())));
}

void DyetraceLeanPlane::TakeSwitch(uint32_t number, int64_t endNs) {
    const Node& node = m_nodes[number];
    m_arrivals.clear();
    for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port)
        Collect(port, endNs);
    while (HeldDueNs(number) < endNs)
        m_arrivals.push_back(PopHeld(number));
    std::sort(m_arrivals.begin(), m_arrivals.end());
    if (m_isLarge) ExpectForwarding(number);
    // By index: a fault may hold a packet to a time within the window, which then comes in here.
    for (std::size_t i = 0; i < m_arrivals.size(); ++i) {
        const Arrival arrival = m_arrivals[i];
        arrival.heldOrder == 0 ? TakeFresh(number, arrival) : Arrive(number, arrival);
    }
    int64_t dueNs = HeldDueNs(number);
    for (uint32_t port = node.firstPort; port < node.firstPort + node.portCount; ++port)
        dueNs = std::min(dueNs, m_arrivalNs[port]);
    m_dueNs[number - m_hostCount] = dueNs;
}

void DyetraceLeanPlane::Collect(uint32_t port, int64_t endNs) {
    while (m_arrivalNs[port] < endNs) {
        const int64_t timeNs = m_arrivalNs[port];
        DyetracePacket* packet = Pop(port);
        m_arrivals.push_back({timeNs, port, 0, packet});
    }
}

/// Takes the first packet of those that come out at `port`.
DyetracePacket* DyetraceLeanPlane::Pop(uint32_t port) {
    Inbound& inbound = m_inbound[port];
    DyetracePacket* packet = inbound.first;
    inbound.first = packet->next;
    m_arrivalNs[port] = inbound.first == nullptr ? Never : packet->nextArrivalNs;
    return packet;
}

// A host has one port, and its link brings packets in the order of their arrival.
void DyetraceLeanPlane::TakeArrivals(uint32_t host) {
    const int64_t nowNs = NowNs();
    ApplyChanges(nowNs);
    const uint32_t port = host;
    while (m_arrivalNs[port] <= nowNs) {
        const int64_t timeNs = m_arrivalNs[port];
        DyetracePacket* packet = Pop(port);
        if (m_arrivalNs[port] != Never) Await(host, m_arrivalNs[port]);
        TakeFresh(host, {timeNs, port, 0, packet});
    }
    while (HeldDueNs(host) <= nowNs)
        Arrive(host, PopHeld(host));
}

/// When the first packet that a fault holds back at a node is released.
int64_t DyetraceLeanPlane::HeldDueNs(uint32_t node) const {
    if (m_held.empty()) [[likely]]
        return Never;
    const auto held = m_held.find(node);
    return held == m_held.end() || held->second.heap.empty() ? Never : held->second.heap.front().timeNs;
}

DyetraceLeanPlane::Arrival DyetraceLeanPlane::PopHeld(uint32_t node) {
    std::vector<Arrival>& heap = m_held.at(node).heap;
    std::pop_heap(heap.begin(), heap.end(), IsLater);
    const Arrival first = heap.back();
    heap.pop_back();
    return first;
}

/// A packet comes out of its link.
void DyetraceLeanPlane::TakeFresh(uint32_t node, const Arrival& arrival) {
    Inbound& inbound = m_inbound[arrival.port];
    ++inbound.ordinal;
    ++m_counters.hops;
    if (inbound.flags != 0) [[unlikely]] {
        if (!PassImpairments(node, arrival, inbound)) return;
    }
    Arrive(node, arrival);
}

/// Whether it goes on at once.
bool DyetraceLeanPlane::PassImpairments(uint32_t node, const Arrival& arrival, const Inbound& inbound) {
    DyetracePacket* packet = arrival.packet;
    if (inbound.flags & Impaired) {
        const DyetraceVerdict verdict =
            m_impairments.Judge(inbound.link, inbound.ordinal, *packet, arrival.timeNs);
        if (verdict.isLost) {
            Drop(inbound.link, DyetraceDropCause::Fault, packet);
            return false;
        }
        if (verdict.isDuplicated) Hold(node, {0, arrival.port, 0, m_pool.Copy(*packet)}, verdict.releaseNs);
        if (verdict.isHeld) {
            Hold(node, arrival, verdict.releaseNs);
            return false;
        }
    }
    if (inbound.flags & CaptureIn) m_captures.at(arrival.port)->Received(arrival.timeNs, *packet);
    return true;
}

void DyetraceLeanPlane::Hold(uint32_t node, Arrival arrival, int64_t releaseNs) {
    Held& held = m_held[node];
    arrival.timeNs = releaseNs;
    arrival.heldOrder = ++held.orders;
    if (m_inWindow && releaseNs < m_takenUntilNs) {
        m_arrivals.insert(std::upper_bound(m_arrivals.begin(), m_arrivals.end(), arrival), arrival);
        return;
    }
    held.heap.push_back(arrival);
    std::push_heap(held.heap.begin(), held.heap.end(), IsLater);
    if (IsHost(node)) ScheduleHost(node, releaseNs);
}

/// A packet is at a node, after all that faults did to it.
void DyetraceLeanPlane::Arrive(uint32_t node, const Arrival& arrival) {
    DyetracePacket* packet = arrival.packet;
    if (arrival.heldOrder != 0) [[unlikely]] {
        if (m_inbound[arrival.port].flags & CaptureIn)
            m_captures.at(arrival.port)->Received(arrival.timeNs, *packet);
    }
    if (!IsHost(node)) return Forward(node, arrival.port, packet, arrival.timeNs);
    ++m_counters.delivered;
    m_traces.deliver(node, *packet);
    DyetraceReceiver* receiver = m_hosts[node].receiver;
    if (receiver != nullptr) return receiver->Receive(packet);
    m_pool.Free(packet);
}

void DyetraceLeanPlane::Forward(uint32_t node, uint32_t in, DyetracePacket* packet, int64_t nowNs) {
    using Ip = DyetraceForwarding::Ip;
    const uint32_t inLink = m_inbound[in].link;
    const Ip ip = DyetraceForwarding::Check(*packet);
    if (ip == Ip::Bad) [[unlikely]]
        return Drop(inLink, DyetraceDropCause::BadHeader, packet);
    if (DyetraceForwarding::IsLastHop(ip, *packet)) [[unlikely]] {
        SendAnswer(node, ip, *packet, DyetraceForwarding::IcmpError::TimeExceeded, 0, nowNs);
        return Drop(inLink, DyetraceDropCause::TtlExpired, packet);
    }
    const uint32_t port = m_forwarding.ChoosePort(node, ip, *packet);
    if (port == DyetraceForwarding::None) [[unlikely]]
        return Drop(inLink, DyetraceDropCause::NoRoute, packet);
    Link& out = m_links[port];
    if (packet->Length() > out.maxLength) [[unlikely]] {
        SendAnswer(node, ip, *packet, DyetraceForwarding::IcmpError::TooBig, out.maxLength - kEthernetBytes,
                   nowNs);
        return Drop(inLink, DyetraceDropCause::TooBig, packet);
    }
    DyetraceForwarding::TakeHop(ip, *packet);
    m_forwarding.Rewrite(port, *packet);
    if (!m_traces.forward.IsEmpty()) m_traces.forward(inLink, port, *packet);
    Transmit(out, packet, nowNs);
}

void DyetraceLeanPlane::SendAnswer(uint32_t node, DyetraceForwarding::Ip ip, const DyetracePacket& packet,
                                   DyetraceForwarding::IcmpError error, uint32_t mtu, int64_t nowNs) {
    uint32_t port = DyetraceForwarding::None;
    DyetracePacket* answer = m_forwarding.Answer(m_pool, node, ip, packet, error, mtu, nowNs, port);
    if (answer != nullptr) Transmit(m_links[port], answer, nowNs);
}

void DyetraceLeanPlane::DoSetDown(uint32_t number, bool isDown) {
    Link& link = m_links[number];
    const int64_t nowNs = NowNs();
    link.flags = isDown ? link.flags | Down : link.flags & ~static_cast<uint32_t>(Down);
    link.busyUntilNs = nowNs;
    if (link.flags & CaptureOut) m_captures.at(number)->QueueLost(nowNs);
    DyetracePacket* packet = m_arrivalNs[link.reverse] == Never ? nullptr : m_inbound[link.reverse].first;
    m_arrivalNs[link.reverse] = Never;
    NoteEmptied(number, nowNs);
    while (packet != nullptr) {
        DyetracePacket* next = packet->next;
        Drop(number, DyetraceDropCause::Down, packet);
        packet = next;
    }
}

void DyetraceLeanPlane::DoSetImpaired(uint32_t link, bool isImpaired) {
    uint32_t& flags = m_inbound[m_links[link].reverse].flags;
    flags = isImpaired ? flags | Impaired : flags & ~static_cast<uint32_t>(Impaired);
}

void DyetraceLeanPlane::DoSetRate(uint32_t link, DataRate rate) {
    m_links[link].rate = FindRate(rate);
}

void DyetraceLeanPlane::DoSetMtu(uint32_t link, uint32_t mtu) {
    m_links[link].maxLength = mtu + kEthernetBytes;
}

void DyetraceLeanPlane::SetCapture(uint32_t port, DyetraceCapture* capture) {
    m_captures[port] = capture;
    m_links[port].flags |= CaptureOut;
    m_inbound[port].flags |= CaptureIn;
}

}  // namespace ns3
