// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-guest-directory.h"

#include <ns3/abort.h>

namespace ns3 {

namespace {

template <class Map>
uint32_t Find(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    return found == map.end() ? DyetraceGuestDirectory::None : found->second;
}

}  // namespace

DyetraceGuestDirectory::DyetraceGuestDirectory(std::shared_ptr<const DyetraceGuests> guests)
    : m_guests(std::move(guests)) {
    for (uint32_t number = 0; number < m_guests->size(); ++number) {
        const DyetraceGuest& guest = (*m_guests)[number];
        const auto [address, isNewAddress] = m_byAddress.try_emplace({guest.vni, guest.address}, number);
        NS_ABORT_MSG_UNLESS(isNewAddress, "guests " << address->second << " and " << number << " of VNI "
                                                    << guest.vni << " both have " << guest.address);
        const auto [mac, isNewMac] = m_byMac.try_emplace({guest.vni, guest.mac}, number);
        NS_ABORT_MSG_UNLESS(isNewMac, "guests " << mac->second << " and " << number << " of VNI " << guest.vni
                                                << " both have " << guest.mac);
    }
}

uint32_t DyetraceGuestDirectory::FindByAddress(uint32_t vni, Ipv4Address address) const {
    return Find(m_byAddress, {vni, address});
}

uint32_t DyetraceGuestDirectory::FindByMac(uint32_t vni, Mac48Address mac) const {
    return Find(m_byMac, {vni, mac});
}

}  // namespace ns3
