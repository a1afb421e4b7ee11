// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-flow-source.h"

#include <cmath>
#include <utility>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/log.h>

#include "dyetrace-flow-sizes.h"

namespace ns3 {

NS_LOG_COMPONENT_DEFINE("DyetraceFlowSource");
NS_OBJECT_ENSURE_REGISTERED(DyetraceFlowSource);

TypeId DyetraceFlowSource::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFlowSource")
            .SetParent<DyetracePacketSource>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceFlowSource>()
            .AddAttribute("ArrivalRate", "Mean number of flows a second that the guest begins.",
                          DoubleValue(10), MakeDoubleAccessor(&DyetraceFlowSource::m_arrivalRate),
                          MakeDoubleChecker<double>(1e-18, 1e10))
            .AddAttribute("FlowRate", "Pace of one flow: bits of its Ethernet frames a second.",
                          DataRateValue(DataRate("250Mbps")),
                          MakeDataRateAccessor(&DyetraceFlowSource::m_flowRate), MakeDataRateChecker());
    return tid;
}

DyetraceFlowSource::DyetraceFlowSource() : m_packetNs(0), m_arrivalNs(0) {}

DyetraceFlowSource::~DyetraceFlowSource() = default;

void DyetraceFlowSource::SetSizes(std::shared_ptr<const DyetraceFlowSizes> sizes) {
    m_sizes = std::move(sizes);
}

void DyetraceFlowSource::Check() const {
    NS_ABORT_MSG_UNLESS(m_sizes, "DyetraceFlowSource: SetSizes is called before Start");
    NS_ABORT_MSG_IF(m_flowRate.GetBitRate() == 0, "DyetraceFlowSource: FlowRate is 0");
    CheckPeers();
}

int64_t DyetraceFlowSource::Begin(int64_t startNs) {
    NS_LOG_FUNCTION(this << startNs);
    m_packetNs = GetPacketNs(m_flowRate);
    m_arrivalNs = static_cast<double>(startNs);
    return DrawArrival();
}

int64_t DyetraceFlowSource::DrawArrival() {
    m_arrivalNs += -std::log1p(-Uniform()) * (1e9 / m_arrivalRate);
    if (m_arrivalNs >= static_cast<double>(GetStopNs())) return Never;
    return static_cast<int64_t>(std::ceil(m_arrivalNs));
}

int64_t DyetraceFlowSource::Arrive(int64_t nowNs) {
    const uint32_t to = DrawPeer();
    const uint64_t bytes = m_sizes->GetQuantile(Uniform());
    NS_LOG_LOGIC("guest " << GetSelf() << " sends " << bytes << " bytes to " << to);
    BeginFlow(to, bytes, nowNs);
    return DrawArrival();
}

// The time of a whole packet; after a shorter one there is no other.
int64_t DyetraceFlowSource::NextPacket(uint32_t, int64_t dueNs) {
    return dueNs + m_packetNs;
}

}  // namespace ns3
