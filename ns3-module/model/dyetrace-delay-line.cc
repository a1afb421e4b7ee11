// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-delay-line.h"

#include <ns3/make-event.h>
#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>

namespace ns3 {

DyetraceDelayLine::DyetraceDelayLine(uint32_t context, Time delay, Arrive arrive)
    : m_context(context),
      m_delay(delay),
      m_arrive(std::move(arrive)),
      m_event(MakeEvent(&DyetraceDelayLine::Fire, this), false) {}

DyetraceDelayLine::~DyetraceDelayLine() {
    m_event->Cancel();
}

void DyetraceDelayLine::Put(dyetrace::GuestPort port, DyetracePacket* packet) {
    m_waiting.emplace_back(port, packet);
    m_event->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext(m_context, m_delay, PeekPointer(m_event));
}

DyetracePacket* DyetraceDelayLine::Take() {
    if (m_waiting.empty()) return nullptr;
    DyetracePacket* const packet = m_waiting.front().second;
    m_waiting.pop_front();
    return packet;
}

void DyetraceDelayLine::Fire() {
    const dyetrace::GuestPort port = m_waiting.front().first;
    m_arrive(port, Take());
}

}  // namespace ns3
