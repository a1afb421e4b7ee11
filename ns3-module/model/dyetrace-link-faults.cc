// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-link-faults.h"

#include <algorithm>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "dyetrace-data-plane.h"
#include "dyetrace-fault-site.h"

#include "core/tracking/flow_rule_text.h"

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceLinkDown);
NS_OBJECT_ENSURE_REGISTERED(DyetraceLinkFlap);
NS_OBJECT_ENSURE_REGISTERED(DyetracePacketFault);
NS_OBJECT_ENSURE_REGISTERED(DyetraceSilentDrop);
NS_OBJECT_ENSURE_REGISTERED(DyetraceFrameErrors);
NS_OBJECT_ENSURE_REGISTERED(DyetraceControlLoss);
NS_OBJECT_ENSURE_REGISTERED(DyetraceCorruption);
NS_OBJECT_ENSURE_REGISTERED(DyetraceDuplication);
NS_OBJECT_ENSURE_REGISTERED(DyetraceEcnMarking);
NS_OBJECT_ENSURE_REGISTERED(DyetraceEcnBleaching);
NS_OBJECT_ENSURE_REGISTERED(DyetraceFlowDrop);
NS_OBJECT_ENSURE_REGISTERED(DyetraceAddedDelay);
NS_OBJECT_ENSURE_REGISTERED(DyetraceReordering);
NS_OBJECT_ENSURE_REGISTERED(DyetraceRateCut);
NS_OBJECT_ENSURE_REGISTERED(DyetraceMtuShrink);

namespace {

using Impairment = DyetraceImpairment;

void Impair(DyetraceFaultSite& site, const std::vector<uint32_t>& links, bool isActive,
            Impairment impairment) {
    impairment.faultId = site.faultId;
    for (const uint32_t link : links) {
        isActive ? site.plane.AddImpairment(link, impairment)
                 : site.plane.RemoveImpairment(link, site.faultId);
    }
}

void StrikePackets(DyetraceFaultSite& site, const DyetracePacketFault& fault, bool isActive,
                   Impairment::Kind kind) {
    Impairment impairment;
    impairment.kind = kind;
    impairment.probability = fault.GetProbability();
    Impair(site, fault.GetLinks(), isActive, impairment);
}

/// A kind that has nothing to add to its parent.
template <class Fault, class Parent>
TypeId PlainTypeId(const char* name) {
    return TypeId(name).SetParent<Parent>().SetGroupName("Dyetrace").template AddConstructor<Fault>();
}

}  // namespace

TypeId DyetraceLinkDown::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceLinkDown, DyetraceLinkFault>("ns3::DyetraceLinkDown");
    return tid;
}

void DyetraceLinkDown::Switch(DyetraceFaultSite& site, bool isActive) {
    for (const uint32_t link : m_links)
        site.plane.SetDown(link, isActive);
}

TypeId DyetraceLinkFlap::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceLinkFlap")
            .SetParent<DyetraceLinkDown>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceLinkFlap>()
            .AddAttribute("DownTime", "How long the cables are down each time.", TimeValue(MilliSeconds(10)),
                          MakeTimeAccessor(&DyetraceLinkFlap::m_downTime), MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("UpTime", "How long they are up in between.", TimeValue(MilliSeconds(90)),
                          MakeTimeAccessor(&DyetraceLinkFlap::m_upTime), MakeTimeChecker(NanoSeconds(1)));
    return tid;
}

Time DyetraceLinkFlap::GetNextSwitch(Time now, bool isActive) const {
    const Time next = now + (isActive ? m_downTime : m_upTime);
    if (isActive) return std::min(next, GetUntil());
    return next < GetUntil() ? next : Time::Max();
}

TypeId DyetracePacketFault::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetracePacketFault")
                            .SetParent<DyetraceLinkFault>()
                            .SetGroupName("Dyetrace")
                            .AddAttribute("Probability", "Of each packet to be struck.", DoubleValue(1.0),
                                          MakeDoubleAccessor(&DyetracePacketFault::m_probability),
                                          MakeDoubleChecker<double>(0.0, 1.0));
    return tid;
}

TypeId DyetraceSilentDrop::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceSilentDrop, DyetracePacketFault>("ns3::DyetraceSilentDrop");
    return tid;
}
void DyetraceSilentDrop::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::Loss);
}

TypeId DyetraceFrameErrors::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceFrameErrors, DyetracePacketFault>("ns3::DyetraceFrameErrors");
    return tid;
}
void DyetraceFrameErrors::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::FrameErrors);
}

TypeId DyetraceControlLoss::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceControlLoss, DyetracePacketFault>("ns3::DyetraceControlLoss");
    return tid;
}
void DyetraceControlLoss::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::ControlLoss);
}

TypeId DyetraceCorruption::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceCorruption, DyetracePacketFault>("ns3::DyetraceCorruption");
    return tid;
}
void DyetraceCorruption::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::Corruption);
}

TypeId DyetraceDuplication::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceDuplication, DyetracePacketFault>("ns3::DyetraceDuplication");
    return tid;
}
void DyetraceDuplication::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::Duplication);
}

TypeId DyetraceEcnMarking::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceEcnMarking, DyetracePacketFault>("ns3::DyetraceEcnMarking");
    return tid;
}
void DyetraceEcnMarking::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::EcnMarking);
}

TypeId DyetraceEcnBleaching::GetTypeId() {
    static TypeId tid = PlainTypeId<DyetraceEcnBleaching, DyetracePacketFault>("ns3::DyetraceEcnBleaching");
    return tid;
}
void DyetraceEcnBleaching::Switch(DyetraceFaultSite& site, bool isActive) {
    StrikePackets(site, *this, isActive, Impairment::Kind::EcnBleaching);
}

TypeId DyetraceFlowDrop::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFlowDrop")
            .SetParent<DyetraceLinkFault>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceFlowDrop>()
            .AddAttribute("Share", "Of all flows, chosen by hash; used where Match is empty.",
                          DoubleValue(0.1), MakeDoubleAccessor(&DyetraceFlowDrop::m_share),
                          MakeDoubleChecker<double>(0.0, 1.0))
            .AddAttribute(
                "Match",
                "Rules for the outer headers, with commas between them, of which a packet must meet "
                "one: \"source=10.0.0.2/32 source_ports=49152-49159\"; none: Share decides.",
                StringValue(""), MakeStringAccessor(&DyetraceFlowDrop::m_match), MakeStringChecker());
    return tid;
}

void DyetraceFlowDrop::Place(const DyetraceTopology& topology) {
    const auto filter = dyetrace::tracking::parse_flow_filter(m_match);
    NS_ABORT_MSG_UNLESS(filter.ok(), "DyetraceFault " << Describe() << ": Match: " << filter.error());
    for (const dyetrace::tracking::FlowRule& rule : filter->rules)
        NS_ABORT_MSG_IF(rule.vni, "DyetraceFault " << Describe() << ": Match: outer headers have no vni");
    DyetraceLinkFault::Place(topology);
}

void DyetraceFlowDrop::Switch(DyetraceFaultSite& site, bool isActive) {
    Impairment impairment;
    impairment.kind = Impairment::Kind::FlowLoss;
    impairment.probability = m_share;
    if (!m_match.empty()) {
        impairment.probability = 1;
        impairment.filter = *dyetrace::tracking::parse_flow_filter(m_match);
    }
    Impair(site, m_links, isActive, impairment);
}

TypeId DyetraceAddedDelay::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceAddedDelay")
            .SetParent<DyetraceLinkFault>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceAddedDelay>()
            .AddAttribute("Delay", "That every packet takes longer.", TimeValue(MicroSeconds(100)),
                          MakeTimeAccessor(&DyetraceAddedDelay::m_delay),
                          MakeTimeChecker(Seconds(0), Seconds(10)))
            .AddAttribute("Jitter", "Random delay on top, uniform from 0 to this.", TimeValue(Seconds(0)),
                          MakeTimeAccessor(&DyetraceAddedDelay::m_jitter),
                          MakeTimeChecker(Seconds(0), Seconds(10)));
    return tid;
}

void DyetraceAddedDelay::Switch(DyetraceFaultSite& site, bool isActive) {
    Impairment impairment;
    impairment.kind = Impairment::Kind::Delay;
    impairment.delayNs = m_delay.GetNanoSeconds();
    impairment.jitterNs = m_jitter.GetNanoSeconds();
    Impair(site, m_links, isActive, impairment);
}

TypeId DyetraceReordering::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceReordering")
                            .SetParent<DyetraceLinkFault>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceReordering>()
                            .AddAttribute("Probability", "Of each packet to be held back.", DoubleValue(1.0),
                                          MakeDoubleAccessor(&DyetraceReordering::m_probability),
                                          MakeDoubleChecker<double>(0.0, 1.0))
                            .AddAttribute("Delay", "How long it is held back.", TimeValue(MicroSeconds(100)),
                                          MakeTimeAccessor(&DyetraceReordering::m_delay),
                                          MakeTimeChecker(Seconds(0), Seconds(10)));
    return tid;
}

void DyetraceReordering::Switch(DyetraceFaultSite& site, bool isActive) {
    Impairment impairment;
    impairment.kind = Impairment::Kind::Reordering;
    impairment.probability = m_probability;
    impairment.delayNs = m_delay.GetNanoSeconds();
    Impair(site, m_links, isActive, impairment);
}

TypeId DyetraceRateCut::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceRateCut")
            .SetParent<DyetraceLinkFault>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceRateCut>()
            .AddAttribute("Rate", "What the links send at, where that is less than they have.",
                          DataRateValue(DataRate("100Mbps")), MakeDataRateAccessor(&DyetraceRateCut::m_rate),
                          MakeDataRateChecker());
    return tid;
}

void DyetraceRateCut::Switch(DyetraceFaultSite& site, bool isActive) {
    for (const uint32_t link : m_links) {
        isActive ? site.plane.AddRateCut(link, site.faultId, m_rate)
                 : site.plane.RemoveRateCut(link, site.faultId);
    }
}

TypeId DyetraceMtuShrink::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceMtuShrink")
            .SetParent<DyetraceLinkFault>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceMtuShrink>()
            .AddAttribute("Mtu", "Longest IP packet that the links take, bytes.", UintegerValue(1400),
                          MakeUintegerAccessor(&DyetraceMtuShrink::m_mtu),
                          MakeUintegerChecker<uint32_t>(68, 65535));
    return tid;
}

void DyetraceMtuShrink::Switch(DyetraceFaultSite& site, bool isActive) {
    for (const uint32_t link : m_links) {
        isActive ? site.plane.AddMtuCut(link, site.faultId, m_mtu)
                 : site.plane.RemoveMtuCut(link, site.faultId);
    }
}

}  // namespace ns3
