// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-incast-source.h"

#include <ns3/abort.h>
#include <ns3/log.h>
#include <ns3/uinteger.h>

#include "dyetrace-circle.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceIncastSource");
NS_OBJECT_ENSURE_REGISTERED(DyetraceIncastSource);

TypeId DyetraceIncastSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceIncastSource")
            .SetParent<DyetracePacketSource>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceIncastSource>()
            .AddAttribute("Interval", "From one round to the next; the first is at Start.",
                          TimeValue(MilliSeconds(10)), MakeTimeAccessor(&DyetraceIncastSource::m_interval),
                          MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute("FanIn", "Guests that answer one receiver.", UintegerValue(8),
                          MakeUintegerAccessor(&DyetraceIncastSource::m_fanIn),
                          MakeUintegerChecker<uint32_t>(1, 65535))
            .AddAttribute("Receivers", "Receivers of one round, each with senders of its own.",
                          UintegerValue(1), MakeUintegerAccessor(&DyetraceIncastSource::m_receivers),
                          MakeUintegerChecker<uint32_t>(1, 65535))
            .AddAttribute("Receiver",
                          "Number of the guest that receives in every round; 4294967295: each "
                          "round has another.",
                          UintegerValue(AnyReceiver), MakeUintegerAccessor(&DyetraceIncastSource::m_receiver),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("ResponseBytes", "UDP payload of one sender's response.", UintegerValue(32000),
                          MakeUintegerAccessor(&DyetraceIncastSource::m_responseBytes),
                          MakeUintegerChecker<uint64_t>(1, 1000000000000))
            .AddAttribute("FlowRate", "Pace of one response: bits of its Ethernet frames a second.",
                          DataRateValue(DataRate("250Mbps")),
                          MakeDataRateAccessor(&DyetraceIncastSource::m_flowRate), MakeDataRateChecker())
            .AddAttribute("Jitter",
                          "A response begins so long at most after the round; each time is as "
                          "likely. 0: all begin at once.",
                          TimeValue(Seconds(0)), MakeTimeAccessor(&DyetraceIncastSource::m_jitter),
                          MakeTimeChecker(Seconds(0)));
    return tid;
}

DyetraceIncastSource::DyetraceIncastSource() : m_round(0), m_packetNs(0) {}

DyetraceIncastSource::~DyetraceIncastSource() = default;

void DyetraceIncastSource::Check() const {
    NS_ABORT_MSG_IF(m_flowRate.GetBitRate() == 0, "DyetraceIncastSource: FlowRate is 0");
    const uint64_t needed = uint64_t{m_receivers} * (uint64_t{m_fanIn} + 1);
    NS_ABORT_MSG_IF(needed > GetPartySize(), "DyetraceIncastSource: " << m_receivers << " receivers with "
                                                                      << m_fanIn << " senders each need "
                                                                      << needed << " guests; there are "
                                                                      << GetPartySize());
    if (m_receiver == AnyReceiver) return;
    NS_ABORT_MSG_IF(m_receivers > 1,
                    "DyetraceIncastSource: one Receiver is named, and Receivers is " << m_receivers);
    const uint32_t place = GetPartyPlace(m_receiver);
    NS_ABORT_MSG_IF(place >= GetPartySize() || GetPartyGuest(place) != m_receiver,
                    "DyetraceIncastSource: Receiver " << m_receiver << " is not among the guests that send");
}

// A source that starts late takes up the rounds where the others are.
int64_t DyetraceIncastSource::Begin(int64_t startNs) {
    NS_LOG_FUNCTION(this << startNs);
    m_packetNs = GetPacketNs(m_flowRate);
    const int64_t intervalNs = m_interval.GetNanoSeconds();
    const int64_t lateNs = startNs - GetStartNs();
    m_round = static_cast<uint64_t>(lateNs / intervalNs + (lateNs % intervalNs == 0 ? 0 : 1));
    const int64_t waitNs = (intervalNs - lateNs % intervalNs) % intervalNs;
    return waitNs < GetStopNs() - startNs ? startNs + waitNs : Never;
}

int64_t DyetraceIncastSource::Arrive(int64_t nowNs) {
    const uint32_t to = FindReceiver();
    if (to != AnyReceiver) {
        NS_LOG_LOGIC("round " << m_round << ": guest " << GetSelf() << " answers " << to);
        const double waitNs = Uniform() * static_cast<double>(m_jitter.GetNanoSeconds());
        BeginFlow(to, m_responseBytes, nowNs + static_cast<int64_t>(waitNs));
    }
    ++m_round;
    const int64_t intervalNs = m_interval.GetNanoSeconds();
    return intervalNs < GetStopNs() - nowNs ? nowNs + intervalNs : Never;
}

uint32_t DyetraceIncastSource::FindReceiver() const {
    const DyetraceCircle circle(dyetrace::mix64(GetPartySeed() + m_round), GetPartySize());
    uint32_t place = circle.PlaceOf(GetPartyPlace(GetSelf()));
    if (m_receiver != AnyReceiver) {
        // Whom everybody answers changes places with whoever stands first.
        if (GetSelf() == m_receiver) return AnyReceiver;
        if (place == 0) place = circle.PlaceOf(GetPartyPlace(m_receiver));
        return place <= m_fanIn ? m_receiver : AnyReceiver;
    }
    const uint32_t group = place / (m_fanIn + 1);
    if (group >= m_receivers || place % (m_fanIn + 1) == 0) return AnyReceiver;
    return GetPartyGuest(circle.MemberAt(group * (m_fanIn + 1)));
}

int64_t DyetraceIncastSource::NextPacket(uint32_t, int64_t dueNs) {
    return dueNs + m_packetNs;
}

}  // namespace ns3
