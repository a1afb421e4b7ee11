// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-ethernet-channel.h"

#include <algorithm>

#include <ns3/abort.h>
#include <ns3/trace-source-accessor.h>

#include "dyetrace-ethernet-device.h"

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceEthernetChannel);

TypeId DyetraceEthernetChannel::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceEthernetChannel")
            .SetParent<Channel>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceEthernetChannel>()
            .AddAttribute("Delay", "Propagation delay.", TimeValue(MicroSeconds(1)),
                          MakeTimeAccessor(&DyetraceEthernetChannel::m_delay), MakeTimeChecker(Seconds(0)))
            // The name and the arguments of PointToPointChannel's, by which NetAnim finds what to draw.
            .AddTraceSource("TxRxPointToPoint",
                            "A device has taken a frame: the time until it is sent, queueing included, and "
                            "until the other end has it.",
                            MakeTraceSourceAccessor(&DyetraceEthernetChannel::m_txRx),
                            "ns3::DyetraceEthernetChannel::TxRxTracedCallback");
    return tid;
}

DyetraceEthernetChannel::DyetraceEthernetChannel() = default;

DyetraceEthernetChannel::~DyetraceEthernetChannel() = default;

void DyetraceEthernetChannel::Attach(DyetraceEthernetDevice* device) {
    const auto free = std::find(m_devices.begin(), m_devices.end(), nullptr);
    NS_ABORT_MSG_IF(free == m_devices.end(), "a DyetraceEthernetChannel has two ends, and no third");
    *free = device;
}

void DyetraceEthernetChannel::Detach(const DyetraceEthernetDevice* device) {
    std::replace_if(
        m_devices.begin(), m_devices.end(), [device](const auto* end) { return end == device; }, nullptr);
}

DyetraceEthernetDevice* DyetraceEthernetChannel::GetPeer(const DyetraceEthernetDevice* device) const {
    return m_devices[0] == device ? m_devices[1] : m_devices[0];
}

void DyetraceEthernetChannel::NoteFrame(Ptr<const Packet> frame, DyetraceEthernetDevice* from, Time sent,
                                        Time received) {
    if (m_txRx.IsEmpty()) return;
    m_txRx(frame, Ptr<NetDevice>(from), Ptr<NetDevice>(GetPeer(from)), sent, received);
}

std::size_t DyetraceEthernetChannel::GetNDevices() const {
    return static_cast<std::size_t>(2 - std::count(m_devices.begin(), m_devices.end(), nullptr));
}

Ptr<NetDevice> DyetraceEthernetChannel::GetDevice(std::size_t i) const {
    return m_devices[0] == nullptr && i == 0 ? m_devices[1] : m_devices.at(i);
}

}  // namespace ns3
