// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/overlay.h"

namespace dyetrace::eppc {

Result<Done, std::string> Overlay::add_guest(const Guest& guest) {
    if (guest.vni.value == 0 || guest.vni.value > 0xffffff) {
        return Failure{std::string("a guest's VNI is 1 to 16777215 (0 is the engine's own)")};
    }
    if (guest.mac.is_group())
        return Failure{"guest address " + guest.mac.to_string() + " is a group address"};
    if (by_port_.size() >= guests_most_) return Failure{std::string("the table of guests is full")};
    if (by_port_.contains(guest.port)) {
        return Failure{"guest port " + std::to_string(guest.port.value) + " is taken"};
    }
    const OverlayAddress address{guest.vni, guest.mac};
    if (ports_.contains(address) || remotes_.contains(address)) {
        return Failure{guest.mac.to_string() + " is already known in VNI " + std::to_string(guest.vni.value)};
    }
    by_port_[guest.port] = guest;
    ports_[address] = guest.port;
    ++vnis_[guest.vni];
    return Done{};
}

bool Overlay::remove_guest(GuestPort port) {
    const Guest* const found = by_port_.find(port);
    if (found == nullptr) return false;
    const Guest guest = *found;
    by_port_.erase(port);
    ports_.erase({guest.vni, guest.mac});
    if (--vnis_[guest.vni] == 0) vnis_.erase(guest.vni);
    return true;
}

Result<Done, std::string> Overlay::add_remote(const OverlayAddress& address, std::uint32_t peer) {
    if (address.is_group())
        return Failure{"remote address " + address.mac_to_string() + " is a group address"};
    if (remotes_.size() >= remotes_most_ && !remotes_.contains(address))
        return Failure{std::string("the table of remote guests is full")};
    if (ports_.contains(address)) {
        return Failure{address.mac_to_string() + " is a guest of this host in VNI " +
                       std::to_string(address.vni.value)};
    }
    remotes_[address].peer = peer;
    return Done{};
}

}  // namespace dyetrace::eppc
