// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-stream-sources.h"

#include <algorithm>
#include <cmath>

#include <ns3/abort.h>
#include <ns3/log.h>
#include <ns3/pointer.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "dyetrace-circle.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceStreamSource");
NS_OBJECT_ENSURE_REGISTERED(DyetraceStreamSource);
NS_OBJECT_ENSURE_REGISTERED(DyetraceConstantSource);
NS_OBJECT_ENSURE_REGISTERED(DyetracePoissonSource);
NS_OBJECT_ENSURE_REGISTERED(DyetraceOnOffSource);

namespace {

/// Times on and off that may pass from one packet to the next. Beyond it they are as good as none.
constexpr uint32_t kPeriodsMost = 1000000;

double DrawNs(RandomVariableStream& seconds) {
    return std::max(0.0, seconds.GetValue()) * 1e9;
}

}  // namespace

TypeId DyetraceStreamSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceStreamSource")
            .SetParent<DyetracePacketSource>()
            .SetGroupName("Dyetrace")
            .AddAttribute("Rate", "What all flows together send: bits of their Ethernet frames a second.",
                          DataRateValue(DataRate("100Mbps")),
                          MakeDataRateAccessor(&DyetraceStreamSource::m_rate), MakeDataRateChecker())
            .AddAttribute("Flows", "Flows that the rate is shared by, each with ports of its own.",
                          UintegerValue(1), MakeUintegerAccessor(&DyetraceStreamSource::m_flowCount),
                          MakeUintegerChecker<uint32_t>(1, 1024))
            .AddAttribute("Destination",
                          "Of each flow: random, drawn among the guests of other racks, or permutation: each "
                          "guest sends to one, and gets from one.",
                          StringValue("random"), MakeStringAccessor(&DyetraceStreamSource::m_destination),
                          MakeStringChecker());
    return tid;
}

DyetraceStreamSource::DyetraceStreamSource() : m_gapNs(0) {}

DyetraceStreamSource::~DyetraceStreamSource() = default;

void DyetraceStreamSource::Check() const {
    NS_ABORT_MSG_IF(m_rate.GetBitRate() == 0, GetInstanceTypeId().GetName() << ": Rate is 0");
    if (m_destination == "random") return CheckPeers();
    NS_ABORT_MSG_IF(m_destination != "permutation", GetInstanceTypeId().GetName()
                                                        << ": Destination is random or permutation, not "
                                                        << m_destination);
    NS_ABORT_MSG_IF(GetPartySize() < 2, "guest " << GetSelf() << " has no other guest to send to");
}

int64_t DyetraceStreamSource::Begin(int64_t startNs) {
    NS_LOG_FUNCTION(this << startNs);
    m_gapNs = GetExactPacketNs(m_rate) * m_flowCount;
    for (uint32_t i = 0; i < m_flowCount; ++i) {
        const uint32_t to = ChooseDestination();
        const auto flow = static_cast<uint32_t>(m_dueNs.size());
        const double dueNs = FirstDue(flow, static_cast<double>(startNs));
        const int64_t firstNs = OnClock(dueNs);
        if (firstNs == Never) continue;
        NS_LOG_LOGIC("guest " << GetSelf() << " sends to " << to);
        m_dueNs.push_back(dueNs);
        BeginFlow(to, Unbounded, firstNs);  // the first is 0, as it is here
    }
    return Never;
}

int64_t DyetraceStreamSource::NextPacket(uint32_t flow, int64_t) {
    m_dueNs[flow] = NextDue(flow, m_dueNs[flow]);
    return OnClock(m_dueNs[flow]);
}

uint32_t DyetraceStreamSource::ChooseDestination() {
    if (m_destination == "random") return DrawPeer();
    const uint32_t count = GetPartySize();
    const DyetraceCircle circle(GetPartySeed(), count);
    return GetPartyGuest(circle.MemberAt((circle.PlaceOf(GetPartyPlace(GetSelf())) + 1) % count));
}

// The comparison keeps what is beyond all times, and what is no number, from being converted.
int64_t DyetraceStreamSource::OnClock(double dueNs) const {
    const bool isBeforeStop = dueNs < static_cast<double>(GetStopNs());
    const int64_t onClockNs = isBeforeStop ? std::llround(dueNs) : Never;
    return onClockNs < GetStopNs() ? onClockNs : Never;
}

TypeId DyetraceConstantSource::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceConstantSource")
                            .SetParent<DyetraceStreamSource>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceConstantSource>();
    return tid;
}

double DyetraceConstantSource::FirstDue(uint32_t, double startNs) {
    return startNs + Uniform() * GetGapNs();
}

double DyetraceConstantSource::NextDue(uint32_t, double dueNs) {
    return dueNs + GetGapNs();
}

TypeId DyetracePoissonSource::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetracePoissonSource")
                            .SetParent<DyetraceStreamSource>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetracePoissonSource>();
    return tid;
}

double DyetracePoissonSource::FirstDue(uint32_t flow, double startNs) {
    return NextDue(flow, startNs);
}

double DyetracePoissonSource::NextDue(uint32_t, double dueNs) {
    return dueNs - std::log1p(-Uniform()) * GetGapNs();
}

TypeId DyetraceOnOffSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceOnOffSource")
            .SetParent<DyetraceStreamSource>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceOnOffSource>()
            .AddAttribute("OnTime",
                          "How long a flow sends each time, seconds. One given as a text is of this "
                          "source alone.",
                          StringValue("ns3::ExponentialRandomVariable[Mean=0.01]"),
                          MakePointerAccessor(&DyetraceOnOffSource::m_onTime),
                          MakePointerChecker<RandomVariableStream>())
            .AddAttribute("OffTime", "How long it is silent in between and at first, seconds.",
                          StringValue("ns3::ExponentialRandomVariable[Mean=0.01]"),
                          MakePointerAccessor(&DyetraceOnOffSource::m_offTime),
                          MakePointerChecker<RandomVariableStream>());
    return tid;
}

DyetraceOnOffSource::DyetraceOnOffSource() = default;

DyetraceOnOffSource::~DyetraceOnOffSource() = default;

int64_t DyetraceOnOffSource::AssignStreams(int64_t stream) {
    const int64_t own = DyetraceStreamSource::AssignStreams(stream);
    m_onTime->SetStream(stream + own);
    m_offTime->SetStream(stream + own + 1);
    return own + 2;
}

void DyetraceOnOffSource::Check() const {
    DyetraceStreamSource::Check();
    NS_ABORT_MSG_UNLESS(m_onTime && m_offTime, "DyetraceOnOffSource: OnTime and OffTime are needed");
}

double DyetraceOnOffSource::FirstDue(uint32_t flow, double startNs) {
    m_onEndNs.resize(flow + 1);
    m_onEndNs[flow] = startNs;
    return AfterTimeOn(flow, startNs, Uniform() * GetGapNs());
}

double DyetraceOnOffSource::NextDue(uint32_t flow, double dueNs) {
    return AfterTimeOn(flow, dueNs, GetGapNs());
}

double DyetraceOnOffSource::AfterTimeOn(uint32_t flow, double fromNs, double onNs) {
    double& onEndNs = m_onEndNs[flow];
    for (uint32_t periods = 0; periods < kPeriodsMost; ++periods) {
        if (fromNs + onNs < onEndNs || fromNs >= static_cast<double>(GetStopNs())) return fromNs + onNs;
        onNs -= onEndNs - fromNs;
        fromNs = onEndNs + DrawNs(*m_offTime);
        onEndNs = fromNs + DrawNs(*m_onTime);
    }
    NS_ABORT_MSG("DyetraceOnOffSource: after " << kPeriodsMost
                                               << " times on there was no time to send a packet: OnTime is "
                                                  "too short");
    return fromNs;
}

void DyetraceOnOffSource::DoDispose() {
    m_onTime = nullptr;
    m_offTime = nullptr;
    DyetraceStreamSource::DoDispose();
}

}  // namespace ns3
