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

DyetraceWake::DyetraceWake(uint32_t context, std::function<dyetrace::Time()> clock,
                           std::function<void()> wake)
    : m_context(context), m_clock(std::move(clock)), m_wake(std::move(wake)), m_event(Create<Event>(this)) {}

DyetraceWake::~DyetraceWake() {
    m_event->Cancel();
}

void DyetraceWake::At(dyetrace::Time deadline, dyetrace::Time now) {
    if (deadline >= m_deadline) return;
    m_deadline = std::max(deadline, now);
    Schedule(now);
}

void DyetraceWake::Schedule(dyetrace::Time now) {
    const int64_t waitNs = (m_deadline - now).ns;
    m_dueNs = Simulator::Now().GetNanoSeconds() + waitNs;
    m_event->Ref();  // the simulator drops one reference for each time the event was scheduled
    Simulator::GetImplementation()->ScheduleWithContext(m_context, NanoSeconds(static_cast<uint64_t>(waitNs)),
                                                        PeekPointer(m_event));
}

void DyetraceWake::Fire() {
    const bool isForMovedDeadline =
        m_deadline == dyetrace::Time::never() || Simulator::Now().GetNanoSeconds() != m_dueNs;
    if (isForMovedDeadline) return;
    const dyetrace::Time now = m_clock();
    if (now < m_deadline) return Schedule(now);
    m_deadline = dyetrace::Time::never();
    m_wake();
}

}  // namespace ns3
