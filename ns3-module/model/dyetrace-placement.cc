// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-placement.h"

#include <algorithm>
#include <tuple>

#include <ns3/abort.h>
#include <ns3/log.h>
#include <ns3/simulator.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-fabric.h"
#include "dyetrace-host.h"

#include "core/base/random.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetracePlacement");
NS_OBJECT_ENSURE_REGISTERED(DyetracePlacement);

namespace {

constexpr uint64_t kSaltPlacement = 0x706c616300000001;

}  // namespace

TypeId DyetracePlacement::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetracePlacement")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetracePlacement>()
            .AddAttribute("MigrateAfter",
                          "From when it is asked to empty a host until the guests are elsewhere.",
                          TimeValue(MilliSeconds(100)), MakeTimeAccessor(&DyetracePlacement::m_migrateAfter),
                          MakeTimeChecker(Seconds(0)))
            .AddAttribute(
                "LearnAfter",
                "From a guest's move until other hosts' EPPCs send to its new host. What they send in "
                "between is lost at the old one.",
                TimeValue(MilliSeconds(1)), MakeTimeAccessor(&DyetracePlacement::m_learnAfter),
                MakeTimeChecker(Seconds(0)))
            .AddAttribute("Seed", "Decides between hosts with as few guests; 0 takes the fabric's seed.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetracePlacement::m_seed),
                          MakeUintegerChecker<uint64_t>())
            .AddTraceSource("Move", "A guest is on another host.",
                            MakeTraceSourceAccessor(&DyetracePlacement::m_move),
                            "ns3::DyetracePlacement::MoveTracedCallback");
    return tid;
}

DyetracePlacement::DyetracePlacement() : m_seed(0), m_nextTicket(0) {}

DyetracePlacement::~DyetracePlacement() = default;

void DyetracePlacement::DoDispose() {
    NS_LOG_FUNCTION(this);
    for (auto& [ticket, pending] : m_pending)
        pending.event.Cancel();
    for (auto& [guest, event] : m_learning)
        event.Cancel();
    m_pending.clear();
    m_learning.clear();
    m_hosts.clear();
    m_fabric = nullptr;
    Object::DoDispose();
}

void DyetracePlacement::Start(Ptr<DyetraceFabric> fabric, std::vector<Ptr<DyetraceHost>> hosts,
                              std::shared_ptr<DyetraceGuests> guests) {
    NS_LOG_FUNCTION(this);
    NS_ABORT_MSG_IF(m_fabric, "DyetracePlacement::Start was called before");
    m_fabric = fabric;
    m_hosts = std::move(hosts);
    m_guests = std::move(guests);
    m_isDrained.assign(m_hosts.size(), false);
    m_isLeft.assign(m_hosts.size(), false);
    if (m_seed == 0) m_seed = fabric->GetSeed();
}

std::vector<uint32_t> DyetracePlacement::GetGuests(uint32_t host) const {
    std::vector<uint32_t> guests;
    for (uint32_t guest = 0; guest < m_guests->size(); ++guest) {
        if ((*m_guests)[guest].host == host) guests.push_back(guest);
    }
    return guests;
}

void DyetracePlacement::SetDrained(uint32_t host, bool isDrained) {
    NS_LOG_FUNCTION(this << host << isDrained);
    m_isDrained.at(host) = isDrained;
    if (!isDrained) m_isLeft.at(host) = false;  // it is to be used again
}

// Moving

std::string DyetracePlacement::GetRefusal(uint32_t guest, uint32_t host) const {
    NS_ABORT_MSG_UNLESS(m_fabric, "DyetracePlacement::Start has not been called");
    if (guest >= m_guests->size()) return "there is no guest number " + std::to_string(guest);
    if (host >= m_hosts.size()) return "there is no host number " + std::to_string(host);
    const std::string who = "guest " + std::to_string(guest);
    if (m_fabric->GetNSystems() > 1) return "guests do not move in a fabric that is split among ranks";
    const uint32_t from = (*m_guests)[guest].host;
    if (from == host) return who + " is on " + m_fabric->GetTopology().GetNode(host).name + " already";
    return m_hosts[from]->FindGuest(guest) == nullptr ? who + " is not plugged in yet" : std::string();
}

std::string DyetracePlacement::Move(uint32_t guest, uint32_t host) {
    NS_LOG_FUNCTION(this << guest << host);
    std::string refused = GetRefusal(guest, host);
    if (!refused.empty()) return refused;
    DyetraceGuest& who = (*m_guests)[guest];
    const uint32_t from = who.host;
    DyetraceReceiver* const receiver = m_hosts[from]->FindGuest(guest)->GetConnected();
    auto* const movable = dynamic_cast<DyetraceMovable*>(receiver);
    if (movable != nullptr) refused = movable->GetMoveRefusal(*m_hosts[host]);
    if (!refused.empty()) {
        return "guest " + std::to_string(guest) + " cannot be on " +
               m_fabric->GetTopology().GetNode(host).name + ": " + refused;
    }
    m_hosts[from]->RemoveGuest(guest);
    who.host = host;
    m_hosts[from]->Learn(guest, true);
    DyetraceGuestPort& port = m_hosts[host]->TakeGuest(guest);
    port.Connect(receiver);
    if (movable != nullptr) movable->MoveTo(m_hosts[host], port);
    EventId& learning = m_learning[guest];
    learning.Cancel();
    learning = Simulator::Schedule(m_learnAfter, &DyetracePlacement::Learn, this, guest);
    m_move(guest, from, host);
    return {};
}

void DyetracePlacement::Learn(uint32_t guest) {
    m_learning.erase(guest);
    for (const auto& host : m_hosts)
        host->Learn(guest);
}

// Emptying a host

void DyetracePlacement::Evacuate(uint32_t host, EvacuationCallback done) {
    NS_LOG_FUNCTION(this << host);
    NS_ABORT_MSG_IF(host >= m_hosts.size(), "there is no host number " << host);
    m_isLeft[host] = true;
    const uint32_t ticket = m_nextTicket++;
    Pending& pending = m_pending[ticket];
    pending.host = host;
    pending.done = std::move(done);
    pending.event = Simulator::Schedule(m_migrateAfter, &DyetracePlacement::DoEvacuate, this, ticket);
}

void DyetracePlacement::ForgetCallbacks() {
    for (auto& [ticket, pending] : m_pending)
        pending.done = nullptr;
}

std::vector<uint32_t> DyetracePlacement::Rank(uint32_t guest, uint32_t from) const {
    std::vector<uint32_t> counts(m_hosts.size(), 0);
    for (const DyetraceGuest& one : *m_guests)
        ++counts[one.host];
    std::vector<std::tuple<uint32_t, uint64_t, uint32_t>> ranked;
    for (uint32_t host = 0; host < m_hosts.size(); ++host) {
        if (host == from || m_isDrained[host] || m_isLeft[host]) continue;
        const uint64_t chance = dyetrace::mix64(dyetrace::mix64((m_seed ^ kSaltPlacement) + guest) + host);
        ranked.emplace_back(counts[host], chance, host);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<uint32_t> hosts;
    for (const auto& one : ranked)
        hosts.push_back(std::get<2>(one));
    return hosts;
}

void DyetracePlacement::MoveAway(uint32_t guest, DyetraceEvacuation& evacuation) {
    std::string why = "no other host may take it";
    for (const uint32_t host : Rank(guest, evacuation.host)) {
        why = Move(guest, host);
        if (!why.empty()) continue;
        evacuation.moved.push_back({guest, host});
        m_leavers[evacuation.host].push_back(guest);
        return;
    }
    evacuation.stayed.push_back({guest, why});
}

void DyetracePlacement::DoEvacuate(uint32_t ticket) {
    const auto found = m_pending.find(ticket);
    const Pending pending = std::move(found->second);
    m_pending.erase(found);
    DyetraceEvacuation evacuation{pending.host, {}, {}, false};
    const std::vector<uint32_t> guests = GetGuests(pending.host);
    if (guests.empty()) {
        evacuation.isOld = true;
        for (const uint32_t guest : m_leavers[pending.host])
            evacuation.moved.push_back({guest, (*m_guests)[guest].host});
    } else {
        m_leavers[pending.host].clear();
        for (const uint32_t guest : guests)
            MoveAway(guest, evacuation);
    }
    if (pending.done) pending.done(evacuation);
}

}  // namespace ns3
