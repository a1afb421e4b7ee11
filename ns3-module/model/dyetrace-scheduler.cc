// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-scheduler.h"

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceScheduler);

namespace {

/// A process has one simulator, and that one scheduler.
DyetraceForesight* g_told = nullptr;

}  // namespace

TypeId DyetraceScheduler::GetTypeId() {
    static TypeId tid = TypeId("ns3::DyetraceScheduler")
                            .SetParent<Scheduler>()
                            .SetGroupName("Dyetrace")
                            .AddConstructor<DyetraceScheduler>();
    return tid;
}

void DyetraceScheduler::Tell(DyetraceForesight* foresight) {
    g_told = foresight;
}

DyetraceForesight* DyetraceScheduler::GetTold() {
    return g_told;
}

void DyetraceScheduler::Insert(const Event& event) {
    m_calendar.Insert(event);
}

bool DyetraceScheduler::IsEmpty() const {
    return m_calendar.IsEmpty();
}

Scheduler::Event DyetraceScheduler::PeekNext() const {
    return m_calendar.First();
}

Scheduler::Event DyetraceScheduler::RemoveNext() {
    const uint64_t before = m_calendar.GetRunCount();
    const Event next = m_calendar.TakeFirst();
    if (g_told != nullptr && m_calendar.GetRunCount() != before) g_told->Foresee(m_calendar);
    return next;
}

void DyetraceScheduler::Remove(const Event& event) {
    m_calendar.Remove(event);
}

}  // namespace ns3
