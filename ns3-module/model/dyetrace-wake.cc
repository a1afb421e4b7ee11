// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-wake.h"

#include <algorithm>
#include <utility>

#include <ns3/simulator-impl.h>
#include <ns3/simulator.h>

namespace ns3 {

class DyetraceWake::Event : public EventImpl {
  public:
    explicit Event(DyetraceWake* owner) : m_owner(owner) {}

  protected:
    void Notify() override { m_owner->Fire(); }

  private:
    DyetraceWake* m_owner;
};

DyetraceWake::DyetraceWake(uint32_t context, std::function<void()> wake)
    : m_context(context),
      m_wake(std::move(wake)),
      m_event(Create<Event>(this)),
      m_scheduled(dyetrace::Time::never()) {}

DyetraceWake::~DyetraceWake() {
    m_event->Cancel();
}

void DyetraceWake::At(dyetrace::Time deadline, dyetrace::Time now) {
    if (deadline >= m_scheduled) return;
    m_scheduled = std::max(deadline, now);
    m_event->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext(
        m_context, NanoSeconds(static_cast<uint64_t>((m_scheduled - now).ns)), PeekPointer(m_event));
}

void DyetraceWake::Fire() {
    if (Simulator::Now().GetNanoSeconds() < m_scheduled.ns) return;  // for a deadline that moved away
    m_scheduled = dyetrace::Time::never();
    m_wake();
}

}  // namespace ns3
