// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-fabric.h"

#include <array>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/log.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/string.h>
#include <ns3/trace-source-accessor.h>
#include <ns3/uinteger.h>

#include "dyetrace-capture.h"
#include "dyetrace-fault-site.h"
#include "dyetrace-fault.h"
#include "dyetrace-frame-time.h"
#include "dyetrace-lean-plane.h"
#include "dyetrace-ranks.h"
#include "dyetrace-stock-plane.h"

#include "core/base/random.h"
#include "core/eppc/config.h"
#include "core/wire/ethernet.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceFabric");
NS_OBJECT_ENSURE_REGISTERED(DyetraceFabric);

namespace {

/// The longest that EPPCs send by default, on the wire. A queue with less room would lose all of these.
uint32_t LongestFrameBytes() {
    return DyetraceBytesOnTheWire(static_cast<uint32_t>(dyetrace::wire::EthernetHeader::kSize +
                                                        dyetrace::eppc::EppcConfig{}.underlay_mtu));
}

}  // namespace

const char* DyetraceDropCauseName(DyetraceDropCause cause) {
    static constexpr std::array<const char*, DyetraceDropCauseCount> names{
        "queue", "fault", "down", "bad-header", "no-route", "ttl-expired", "too-big"};
    return names.at(static_cast<std::size_t>(cause));
}

struct DyetraceFabric::State {
    struct NamedCapture {
        std::string port;
        std::unique_ptr<DyetraceCapture> capture;
    };

    State(const std::string& grade, DyetraceTopology madeTopology, const std::vector<uint32_t>& systemIds,
          const DyetraceDataPlane::Config& config, DyetraceDataPlane::Traces traces)
        : topology(std::move(madeTopology)),
          ranks(topology, systemIds),
          controls(topology.GetNHosts(), nullptr),
          plane(MakePlane(grade, config, traces)) {}

    std::unique_ptr<DyetraceDataPlane> MakePlane(const std::string& grade,
                                                 const DyetraceDataPlane::Config& config,
                                                 DyetraceDataPlane::Traces traces) const {
        if (grade == "lean") return std::make_unique<DyetraceLeanPlane>(topology, ranks, config, traces);
        NS_ABORT_MSG_IF(grade != "stock", "DyetraceFabric: Grade is lean or stock, not " << grade);
        return std::make_unique<DyetraceStockPlane>(topology, ranks, config, traces);
    }

    DyetraceTopology topology;
    DyetraceRanks ranks;
    std::vector<DyetraceHostControl*> controls;  ///< by host
    std::vector<NamedCapture> captures;          ///< before the plane, which writes to them
    std::unique_ptr<DyetraceDataPlane> plane;
    std::vector<EventId> faultEvents;  ///< by fault: its next switch
};

TypeId DyetraceFabric::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFabric")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceFabric>()
            .AddAttribute("K", "Ports of a switch in the k-ary fat-tree: even. There are k*k*k/4 hosts.",
                          UintegerValue(6), MakeUintegerAccessor(&DyetraceFabric::m_k),
                          MakeUintegerChecker<uint32_t>(2, 254))
            .AddAttribute(
                "Grade",
                "\"lean\": links and switches of dyetrace's own, the fastest. \"stock\": an ns-3 node "
                "with an internet stack for each, so that any model of ns-3 may sit in the fabric. "
                "Both do the same, packet by packet.",
                StringValue("lean"), MakeStringAccessor(&DyetraceFabric::m_grade), MakeStringChecker())
            .AddAttribute("LinkRate", "Of every link, in both directions.", DataRateValue(DataRate("1Gbps")),
                          MakeDataRateAccessor(&DyetraceFabric::m_linkRate), MakeDataRateChecker())
            .AddAttribute("LinkDelay", "Propagation delay of every link.", TimeValue(MicroSeconds(1)),
                          MakeTimeAccessor(&DyetraceFabric::m_linkDelay),
                          MakeTimeChecker(Seconds(0), Seconds(2)))
            .AddAttribute(
                "QueueBytes",
                "Bytes, as on the wire, that a port holds: what is still to be sent, the rest of the frame "
                "under way and the frame that arrives included. What does not fit is dropped.",
                UintegerValue(150000), MakeUintegerAccessor(&DyetraceFabric::m_queueBytes),
                MakeUintegerChecker<uint32_t>(LongestFrameBytes()))
            .AddAttribute("EcnBytes",
                          "A port that holds more marks ECN-capable packets CE (RFC 3168), counted as for "
                          "QueueBytes; 0: none does.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceFabric::m_ecnBytes),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("Mtu", "Longest IP packet that a link takes, bytes; longer ones are dropped.",
                          UintegerValue(9194), MakeUintegerAccessor(&DyetraceFabric::m_mtu),
                          MakeUintegerChecker<uint32_t>(576, 65535))
            .AddAttribute("DetectionDelay",
                          "From a link's failure, or its return, to routes that know of it; negative: routes "
                          "never change.",
                          TimeValue(MilliSeconds(50)), MakeTimeAccessor(&DyetraceFabric::m_detectionDelay),
                          MakeTimeChecker())
            .AddAttribute(
                "DrainDelay",
                "From a drain's order to the switches' tables: what the network's controller takes.",
                TimeValue(MilliSeconds(5)), MakeTimeAccessor(&DyetraceFabric::m_drainDelay),
                MakeTimeChecker(MicroSeconds(1)))
            .AddAttribute("Seed",
                          "Of the switches' hashes and of the faults; 0 takes RngSeedManager's seed and run.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceFabric::m_seed),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("IcmpRate", "ICMP messages a second that a switch sends at most; 0 is no limit.",
                          DoubleValue(0), MakeDoubleAccessor(&DyetraceFabric::m_icmpRate),
                          MakeDoubleChecker<double>(0, 1e9))
            .AddAttribute("IcmpBurst", "ICMP messages that may be sent at once where IcmpRate limits them.",
                          UintegerValue(10), MakeUintegerAccessor(&DyetraceFabric::m_icmpBurst),
                          MakeUintegerChecker<uint32_t>(1, 1000000))
            .AddTraceSource("Drop", "A packet was dropped.", MakeTraceSourceAccessor(&DyetraceFabric::m_drop),
                            "ns3::DyetraceFabric::DropTracedCallback")
            .AddTraceSource("Forward", "A switch queues a packet at its next port.",
                            MakeTraceSourceAccessor(&DyetraceFabric::m_forward),
                            "ns3::DyetraceFabric::ForwardTracedCallback")
            .AddTraceSource("Deliver", "A packet reached a host.",
                            MakeTraceSourceAccessor(&DyetraceFabric::m_deliver),
                            "ns3::DyetraceFabric::DeliverTracedCallback")
            .AddTraceSource("Fault", "A fault begins or ends.",
                            MakeTraceSourceAccessor(&DyetraceFabric::m_fault),
                            "ns3::DyetraceFabric::FaultTracedCallback");
    return tid;
}

DyetraceFabric::DyetraceFabric() {
    NS_LOG_FUNCTION(this);
}

DyetraceFabric::~DyetraceFabric() {
    NS_LOG_FUNCTION(this);
}

void DyetraceFabric::DoDispose() {
    NS_LOG_FUNCTION(this);
    if (m_state) {
        FlushCaptures();
        for (const EventId& event : m_state->faultEvents)
            Simulator::Cancel(event);
        m_state.reset();
    }
    Object::DoDispose();
}

void DyetraceFabric::Build() {
    NS_LOG_FUNCTION(this);
    NS_ABORT_MSG_IF(m_state, "DyetraceFabric::Build was called before");
    NS_ABORT_MSG_IF(!m_topology && m_k % 2 != 0, "DyetraceFabric: K is even, not " << m_k);
    NS_ABORT_MSG_IF(m_linkRate.GetBitRate() == 0, "DyetraceFabric: LinkRate is zero");
    DyetraceDataPlane::Config config;
    config.linkRate = m_linkRate;
    config.linkDelayNs = m_linkDelay.GetNanoSeconds();
    config.queueBytes = m_queueBytes;
    config.ecnBytes = m_ecnBytes;
    config.mtu = m_mtu;
    config.detectionNs = m_detectionDelay.IsNegative() ? -1 : m_detectionDelay.GetNanoSeconds();
    config.forwarding.seed = GetSeed();
    config.forwarding.icmpIntervalNs = m_icmpRate > 0 ? static_cast<int64_t>(1e9 / m_icmpRate) : 0;
    config.forwarding.icmpBurst = m_icmpBurst;
    m_state =
        std::make_unique<State>(m_grade, m_topology ? *m_topology : DyetraceTopology::FatTree(m_k),
                                m_systemIds, config, DyetraceDataPlane::Traces{m_drop, m_forward, m_deliver});
    m_topology.reset();
}

void DyetraceFabric::SetSystemIds(const std::vector<uint32_t>& systemIds) {
    NS_ABORT_MSG_IF(m_state, "DyetraceFabric::SetSystemIds is called before Build");
    m_systemIds = systemIds;
}

uint32_t DyetraceFabric::GetSystemId(uint32_t node) const {
    NS_ABORT_MSG_IF(node >= GetTopology().GetNNodes(), "no node has number " << node);
    return Built().ranks.Get(node);
}

uint32_t DyetraceFabric::GetOwnSystemId() const {
    return Built().ranks.GetOwn();
}

uint32_t DyetraceFabric::GetNSystems() const {
    return Built().ranks.GetCount();
}

bool DyetraceFabric::IsLocal(uint32_t node) const {
    return GetSystemId(node) == GetOwnSystemId();
}

void DyetraceFabric::SetTopology(const DyetraceTopology& topology) {
    NS_ABORT_MSG_IF(m_state, "DyetraceFabric::SetTopology is called before Build");
    m_topology = std::make_unique<DyetraceTopology>(topology);
}

DyetraceFabric::State& DyetraceFabric::Built() const {
    NS_ABORT_MSG_UNLESS(m_state, "DyetraceFabric::Build has not been called");
    return *m_state;
}

uint64_t DyetraceFabric::GetSeed() const {
    if (m_seed != 0) return m_seed;
    return dyetrace::mix64(dyetrace::mix64(RngSeedManager::GetSeed()) + RngSeedManager::GetRun());
}

const DyetraceTopology& DyetraceFabric::GetTopology() const {
    return Built().topology;
}
DyetracePacketPool& DyetraceFabric::GetPool() {
    return Built().plane->GetPool();
}

Ptr<Node> DyetraceFabric::GetNode(uint32_t node) const {
    const auto* stock = dynamic_cast<const DyetraceStockPlane*>(Built().plane.get());
    NS_ABORT_MSG_IF(stock == nullptr, "DyetraceFabric::GetNode: only Grade \"stock\" has ns-3 nodes");
    NS_ABORT_MSG_IF(node >= GetTopology().GetNNodes(), "no node has number " << node);
    return stock->GetNode(node);
}

void DyetraceFabric::UseStack(uint32_t host, uint16_t udpPort) {
    auto* stock = dynamic_cast<DyetraceStockPlane*>(Built().plane.get());
    NS_ABORT_MSG_IF(stock == nullptr, "DyetraceFabric::UseStack: only Grade \"stock\" has ns-3 nodes");
    NS_ABORT_MSG_IF(host >= GetTopology().GetNHosts(), "no host has number " << host);
    stock->UseStack(host, udpPort);
}

void DyetraceFabric::Attach(uint32_t host, DyetraceReceiver* receiver) {
    NS_ABORT_MSG_IF(host >= Built().topology.GetNHosts(), "no host has number " << host);
    NS_ABORT_MSG_UNLESS(IsLocal(host), Built().topology.GetNode(host).name
                                           << " is on rank " << GetSystemId(host) << ", not on this one");
    Built().plane->Attach(host, receiver);
}

void DyetraceFabric::Detach(uint32_t host) {
    if (m_state) m_state->plane->Attach(host, nullptr);
}

void DyetraceFabric::Send(uint32_t host, DyetracePacket* packet) {
    m_state->plane->Send(host, packet);
}
void DyetraceFabric::TakeArrivals(uint32_t host) {
    m_state->plane->TakeArrivals(host);
}

Mac48Address DyetraceFabric::GetGatewayMac(uint32_t host) const {
    const DyetraceTopology& topology = Built().topology;
    return topology.GetMac(topology.GetTo(topology.GetNode(host).firstPort));
}

void DyetraceFabric::AddFault(Ptr<DyetraceFault> fault) {
    NS_LOG_FUNCTION(this << fault->Describe());
    State& state = Built();
    NS_ABORT_MSG_IF(fault->GetUntil() <= fault->GetAt(),
                    "DyetraceFault " << fault->Describe() << ": ends before it begins");
    NS_ABORT_MSG_IF(fault->GetAt() < Simulator::Now(),
                    "DyetraceFault " << fault->Describe() << ": begins in the past");
    fault->Place(state.topology);
    state.faultEvents.emplace_back();
    PlanSwitch(fault, static_cast<uint32_t>(state.faultEvents.size()) - 1, fault->GetAt(), true);
}

// The data plane makes the change itself, so that it comes before all packets of its time; the event tells of
// it.
void DyetraceFabric::PlanSwitch(Ptr<DyetraceFault> fault, uint32_t id, Time at, bool isActive) {
    State& state = *m_state;
    DyetraceDataPlane& plane = *state.plane;
    plane.AddChange(at.GetNanoSeconds(), [this, fault, id, isActive] {
        DyetraceFaultSite site{id, m_state->topology, m_state->ranks, *m_state->plane, m_state->controls};
        fault->Switch(site, isActive);
    });
    state.faultEvents[id] =
        Simulator::Schedule(at - Simulator::Now(), &DyetraceFabric::Switched, this, fault, id, isActive);
}

void DyetraceFabric::Switched(Ptr<DyetraceFault> fault, uint32_t id, bool isActive) {
    NS_LOG_INFO(fault->Describe() << (isActive ? " begins" : " ends"));
    m_state->plane->ApplyChanges(Simulator::Now().GetNanoSeconds());
    m_fault(fault, isActive);
    const Time next = fault->GetNextSwitch(Simulator::Now(), isActive);
    if (next != Time::Max()) PlanSwitch(fault, id, next, !isActive);
}

void DyetraceFabric::DrainLink(uint32_t link, bool isDrained) {
    NS_LOG_FUNCTION(this << link << isDrained);
    const DyetraceTopology& topology = Built().topology;
    NS_ABORT_MSG_IF(link >= topology.GetNLinks(), "no link has number " << link);
    NS_ABORT_MSG_IF(GetNSystems() > 1, "a fabric that is split among ranks cannot be drained");
    for (const uint32_t end : {topology.GetFrom(link), topology.GetTo(link)}) {
        NS_ABORT_MSG_IF(end < topology.GetNHosts(), topology.DescribeLink(link)
                                                        << " is a host's only link and cannot be drained");
    }
    // No earlier than what the lean plane may have taken already, so that both grades drain at one time.
    const Time at = Simulator::Now() + m_drainDelay;
    DyetraceDataPlane* plane = m_state->plane.get();
    plane->AddChange(at.GetNanoSeconds(), [plane, link, isDrained] { plane->SetDrained(link, isDrained); });
}

void DyetraceFabric::DrainNode(uint32_t node, bool isDrained) {
    NS_LOG_FUNCTION(this << node << isDrained);
    const DyetraceTopology& topology = Built().topology;
    NS_ABORT_MSG_IF(node >= topology.GetNNodes(), "no node has number " << node);
    NS_ABORT_MSG_IF(node < topology.GetNHosts(),
                    topology.GetNode(node).name << " is a host and is not drained");
    for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
        if (topology.GetFrom(link) == node && topology.GetTo(link) >= topology.GetNHosts())
            DrainLink(link, isDrained);
    }
}

void DyetraceFabric::AttachControl(uint32_t host, DyetraceHostControl* control) {
    if (m_state) m_state->controls.at(host) = control;
}

void DyetraceFabric::ListenToDrops(
    std::function<void(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet)> listener) {
    Built().plane->ListenToDrops(std::move(listener));
}

void DyetraceFabric::EnablePcap(const std::string& port, const std::string& file, uint64_t packetsMax) {
    NS_LOG_FUNCTION(this << port << file << packetsMax);
    State& state = Built();
    const std::size_t colon = port.find(':');
    const uint32_t node = state.topology.FindNode(port.substr(0, colon));
    const uint32_t peer =
        colon == std::string::npos ? DyetraceTopology::None : state.topology.FindNode(port.substr(colon + 1));
    const bool nodesExist = node != DyetraceTopology::None && peer != DyetraceTopology::None;
    const uint32_t link = nodesExist ? state.topology.FindLink(node, peer) : DyetraceTopology::None;
    NS_ABORT_MSG_IF(link == DyetraceTopology::None,
                    "a port to capture is \"node:peer\", not \"" << port << '"');
    for (const auto& other : state.captures) {
        NS_ABORT_MSG_IF(other.port == port, "port " << port << " is captured twice");
    }
    if (!IsLocal(node)) return;
    state.captures.push_back({port, std::make_unique<DyetraceCapture>(file, packetsMax)});
    state.plane->SetCapture(link, state.captures.back().capture.get());
}

void DyetraceFabric::FlushCaptures() {
    for (const auto& named : Built().captures)
        named.capture->Flush(Simulator::Now().GetNanoSeconds());
}

std::vector<DyetraceFabric::Capture> DyetraceFabric::GetCaptures() const {
    std::vector<Capture> captures;
    for (const auto& [port, capture] : Built().captures) {
        captures.push_back({port, capture->GetFile(), capture->GetPackets(), capture->IsCapped()});
    }
    return captures;
}

uint64_t DyetraceFabric::GetPacketHops() const {
    return Built().plane->GetCounters().hops;
}
uint64_t DyetraceFabric::GetDelivered() const {
    return Built().plane->GetCounters().delivered;
}
uint64_t DyetraceFabric::GetDrops(DyetraceDropCause cause) const {
    return Built().plane->GetCounters().drops.at(static_cast<std::size_t>(cause));
}
uint64_t DyetraceFabric::GetIcmpSent() const {
    return Built().plane->GetForwarding().GetIcmpSent();
}
uint64_t DyetraceFabric::GetIcmpSuppressed() const {
    return Built().plane->GetForwarding().GetIcmpSuppressed();
}
uint64_t DyetraceFabric::GetLinkPackets(uint32_t link) const {
    NS_ABORT_MSG_IF(link >= Built().topology.GetNLinks(), "no link has number " << link);
    return Built().plane->GetLinkPackets(link);
}
uint64_t DyetraceFabric::GetFrameErrors(uint32_t link) const {
    NS_ABORT_MSG_IF(link >= Built().topology.GetNLinks(), "no link has number " << link);
    return Built().plane->GetFrameErrors(link);
}

}  // namespace ns3
