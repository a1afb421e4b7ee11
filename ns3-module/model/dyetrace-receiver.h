// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_RECEIVER_H
#define DYETRACE_RECEIVER_H

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
};

}  // namespace ns3

#endif  // DYETRACE_RECEIVER_H
