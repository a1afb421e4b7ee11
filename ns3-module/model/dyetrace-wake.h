// SPDX-License-Identifier: GPL-2.0-or-later
// Wakes an engine's owner when the engine's deadline has come. Not installed.
#ifndef DYETRACE_WAKE_H
#define DYETRACE_WAKE_H

#include <cstdint>
#include <functional>

#include <ns3/event-impl.h>
#include <ns3/ptr.h>

#include "core/base/time.h"

namespace ns3 {

/**
 * One event object, scheduled again for each earlier deadline. A deadline that moves away leaves its event in
 * the scheduler, where it wakes nobody: to take it out would cost more than to let it pass. Deadlines are the
 * engine's, by its own clock, which need not run as fast as the simulator's: where the deadline has not come
 * yet, the rest is waited for too.
 */
class DyetraceWake {
  public:
    /// \param context of the events: the host's number \param clock what the engine takes for now
    DyetraceWake(uint32_t context, std::function<dyetrace::Time()> clock, std::function<void()> wake);
    ~DyetraceWake();
    DyetraceWake(const DyetraceWake&) = delete;
    DyetraceWake& operator=(const DyetraceWake&) = delete;

    /// Makes sure of a wake at `deadline`, or now if that has passed; `Time::never()` asks for none.
    void At(dyetrace::Time deadline, dyetrace::Time now);

  private:
    class Event;

    void Fire();
    void Schedule(dyetrace::Time now);

    dyetrace::Time m_deadline = dyetrace::Time::never();  ///< that the earliest wake in the scheduler is for
    int64_t m_dueNs = 0;                                  ///< when that is, in the simulator's time
    uint32_t m_context;
    std::function<dyetrace::Time()> m_clock;
    std::function<void()> m_wake;
    Ptr<EventImpl> m_event;
};

}  // namespace ns3

#endif  // DYETRACE_WAKE_H
