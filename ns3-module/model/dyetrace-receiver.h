// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_RECEIVER_H
#define DYETRACE_RECEIVER_H

#include <cstdint>

namespace ns3 {

struct DyetracePacket;

/**
 * \ingroup dyetrace
 * Where frames end up: a host's port on the fabric, a guest's port on its host.
 */
class DyetraceReceiver {
  public:
    virtual ~DyetraceReceiver() = default;
    /// Takes a frame over; the receiver frees it or sends it on.
    virtual void Receive(DyetracePacket* packet) = 0;
    /// May ask the memory for what Receive will look at; others come first, about `turns` of them. Changes
    /// nothing, and may be called for packets that never come.
    virtual void Expect(const DyetracePacket&, uint32_t /*turns*/) {}
    /// The same for an event of this host that others come before, about `events` of them: most likely it
    /// sends what it sent last time.
    virtual void ExpectEvent(uint32_t /*events*/) {}
};

}  // namespace ns3

#endif  // DYETRACE_RECEIVER_H
