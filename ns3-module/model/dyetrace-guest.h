// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_GUEST_H
#define DYETRACE_GUEST_H

#include <cstdint>
#include <string>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/mac48-address.h>
#include <ns3/ptr.h>

#include "dyetrace-receiver.h"

namespace ns3 {

class DyetraceHost;

/// \ingroup dyetrace
/// A guest as the overlay's operator knows it.
struct DyetraceGuest {
    Mac48Address mac;
    Ipv4Address address;
    uint32_t vni;
    uint32_t host;  ///< that carries it now
    uint32_t rack;  ///< of the host that it began on: who sends to whom goes by it, wherever guests move
};

/// \ingroup dyetrace
/// All guests of one overlay, by number.
using DyetraceGuests = std::vector<DyetraceGuest>;

/**
 * \ingroup dyetrace
 * The port of its host that a guest is plugged into. Receive() takes the frames that the guest sends; they
 * are allocated with Headroom bytes of headroom.
 */
class DyetraceGuestPort : public DyetraceReceiver {
  public:
    /// What encapsulation needs; with it, an untracked packet's headers start a cache line.
    static constexpr uint32_t Headroom = 256;

    /// Says that the guest is about to send to another, by its number in the overlay.
    virtual void Resolve(uint32_t guest) = 0;
    /// Longest IP packet of the guest, without VLAN tags, that its host's EPPC carries; bytes.
    virtual uint32_t GetMtu() const = 0;
    /// Plugs in what takes the frames that come for the guest; not owned. Null: unplugs it.
    virtual void Connect(DyetraceReceiver* guest) = 0;
    /// What is plugged in; null: nothing.
    virtual DyetraceReceiver* GetConnected() const = 0;
};

/**
 * \ingroup dyetrace
 * What is connected to a guest's port and goes along when the guest moves to another host.
 */
class DyetraceMovable {
  public:
    virtual ~DyetraceMovable() = default;
    /// Why it cannot be on that host; empty: it can.
    virtual std::string GetMoveRefusal(const DyetraceHost& host) const = 0;
    /// It is plugged in there from now on; the port it had is not to be used any more.
    virtual void MoveTo(Ptr<DyetraceHost> host, DyetraceGuestPort& port) = 0;
};

}  // namespace ns3

#endif  // DYETRACE_GUEST_H
