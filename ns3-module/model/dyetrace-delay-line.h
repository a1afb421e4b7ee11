// SPDX-License-Identifier: GPL-2.0-or-later
// Frames on their way between a host's EPPC and its guests, where that takes time. Not installed.
#ifndef DYETRACE_DELAY_LINE_H
#define DYETRACE_DELAY_LINE_H

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include <ns3/event-impl.h>
#include <ns3/nstime.h>
#include <ns3/ptr.h>

#include "core/base/ids.h"

namespace ns3 {

struct DyetracePacket;

/**
 * All take the same time, so they arrive in the order in which they were put in. One event object is in the
 * scheduler as many times as frames are on their way; when the line goes, so do these, and nothing arrives.
 */
class DyetraceDelayLine {
  public:
    using Arrive = std::function<void(dyetrace::GuestPort port, DyetracePacket* packet)>;

    /// \param context of the events: the host's number
    DyetraceDelayLine(uint32_t context, Time delay, Arrive arrive);
    ~DyetraceDelayLine();
    DyetraceDelayLine(const DyetraceDelayLine&) = delete;
    DyetraceDelayLine& operator=(const DyetraceDelayLine&) = delete;

    /// Takes the packet until it arrives.
    void Put(dyetrace::GuestPort port, DyetracePacket* packet);
    /// The next one that is on its way, taken out; null: none is.
    DyetracePacket* Take();

  private:
    void Fire();

    uint32_t m_context;
    Time m_delay;
    Arrive m_arrive;
    std::deque<std::pair<dyetrace::GuestPort, DyetracePacket*>> m_waiting;
    Ptr<EventImpl> m_event;
};

}  // namespace ns3

#endif  // DYETRACE_DELAY_LINE_H
