// SPDX-License-Identifier: GPL-2.0-or-later
// Not installed: it is asked for by its name, in the ways that ns-3 has for its own.
#ifndef DYETRACE_SCHEDULER_H
#define DYETRACE_SCHEDULER_H

#include <cstddef>

#include <ns3/scheduler.h>

#include "dyetrace-calendar.h"

namespace ns3 {

/// Is told which events come next, that it may ask the memory for what they will look at.
class DyetraceForesight {
  public:
    virtual ~DyetraceForesight() = default;
    /// One event more has been taken. Changes nothing that any event could notice.
    virtual void Foresee(const DyetraceCalendar& calendar) = 0;
};

/**
 * \ingroup dyetrace
 * A scheduler for fabrics of any size: it takes events in the same order as ns-3's own do, in less time, and
 * has the next ones' memory fetched, where the lean fabric knows what that is.
 */
class DyetraceScheduler : public Scheduler {
  public:
    static TypeId GetTypeId();

    /// Tells `foresight` of the simulation's events from now on; null: nobody. Not owned.
    static void Tell(DyetraceForesight* foresight);
    /// Whom it tells.
    static DyetraceForesight* GetTold();

    void Insert(const Event& event) override;
    bool IsEmpty() const override;
    Event PeekNext() const override;
    Event RemoveNext() override;
    void Remove(const Event& event) override;

  private:
    mutable DyetraceCalendar m_calendar;  ///< to say which event is first it may have to sort
};

}  // namespace ns3

#endif  // DYETRACE_SCHEDULER_H
