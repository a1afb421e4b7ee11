// SPDX-License-Identifier: GPL-2.0-or-later
// What a plane of the fabric sees and decides at a port; the port itself knows of no faults. Not installed.
#ifndef DYETRACE_ETHERNET_TAP_H
#define DYETRACE_ETHERNET_TAP_H

#include <cstdint>

#include <ns3/packet.h>
#include <ns3/ptr.h>

#include "dyetrace-drop-cause.h"

namespace ns3 {

/// `port` is the number that DyetraceEthernetDevice::SetTap was given.
class DyetraceEthernetTap {
  public:
    virtual ~DyetraceEthernetTap() = default;
    /// A frame may be due at the port: calls DyetraceEthernetDevice::TakeDue of all the node's ports.
    virtual void Due(uint32_t port) = 0;
    /// A frame is about to be queued, or not to fit.
    virtual void Queueing(uint32_t port, Ptr<const Packet> frame) = 0;
    /// It fitted, will begin to leave at `startNs`, and is wholly sent after `queuedNs`. May change it.
    virtual void Sending(uint32_t port, Ptr<Packet>& frame, int64_t startNs, int64_t queuedNs) = 0;
    /// It will come out of the link at `arrivalNs`. \return whether the far end is simulated elsewhere, and
    /// the frame has been sent there
    virtual bool SendAcross(uint32_t port, Ptr<Packet> frame, int64_t arrivalNs) = 0;
    /// A frame that the port was to send is lost before it comes out at the end of the link.
    virtual void Lost(uint32_t port, Ptr<const Packet> frame, DyetraceDropCause cause) = 0;
    /// A frame came out of the link, to `port`. May change it. \return whether the node is to have it now
    virtual bool Arrived(uint32_t port, Ptr<Packet>& frame) = 0;
    /// The node has had it.
    virtual void Taken(uint32_t port) = 0;
};

}  // namespace ns3

#endif  // DYETRACE_ETHERNET_TAP_H
