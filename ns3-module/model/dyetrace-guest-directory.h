// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_GUEST_DIRECTORY_H
#define DYETRACE_GUEST_DIRECTORY_H

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include <ns3/ipv4-address.h>
#include <ns3/mac48-address.h>

#include "dyetrace-guest.h"

namespace ns3 {

/**
 * \ingroup dyetrace
 * The overlay's guests, found by their addresses: what its controller knows. Made once, and shared.
 */
class DyetraceGuestDirectory {
  public:
    static constexpr uint32_t None = UINT32_MAX;

    /// Aborts, naming both guests, where two of one VNI share an address.
    explicit DyetraceGuestDirectory(std::shared_ptr<const DyetraceGuests> guests);

    const DyetraceGuest& Get(uint32_t guest) const { return m_guests->at(guest); }
    /// \return the guest's number, or None
    uint32_t FindByAddress(uint32_t vni, Ipv4Address address) const;
    uint32_t FindByMac(uint32_t vni, Mac48Address mac) const;

  private:
    std::shared_ptr<const DyetraceGuests> m_guests;
    std::map<std::pair<uint32_t, Ipv4Address>, uint32_t> m_byAddress;
    std::map<std::pair<uint32_t, Mac48Address>, uint32_t> m_byMac;
};

}  // namespace ns3

#endif  // DYETRACE_GUEST_DIRECTORY_H
