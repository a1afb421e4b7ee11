// SPDX-License-Identifier: GPL-2.0-or-later
// Guests that go and move while packets flow. Tables are changed in place and nothing is allocated for it;
// what was measured on the way to where a guest was goes on as long as somebody is left to send or to be sent
// to.
#include <algorithm>

#include "core/eppc/engine.h"

namespace dyetrace::eppc {

void Eppc::Engine::end_traffic_sessions(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    peer.waits = false;
    std::erase(next_turns_, index);
    bool any = false;
    for (session::RequesterSession& session : peer.requested) {
        if (session.origin() != session::Origin::Traffic) continue;
        session.close(wire::CloseReason::NoTraffic, now, outbox_);
        any = true;
    }
    if (any) service_peer(index, now);
}

void Eppc::Engine::leave(std::uint32_t index, Time now) {
    Peer& peer = peers_[index];
    DYETRACE_ASSERT(peer.guests > 0);
    if (--peer.guests == 0) end_traffic_sessions(index, now);
}

Result<Done, std::string> Eppc::Engine::remove_guest(GuestPort port, Time now) {
    if (!overlay.remove_guest(port))
        return Failure{"no guest is plugged into port " + std::to_string(port.value)};
    if (overlay.guests() > 0) return Done{};
    for (std::uint32_t index = 0; index < peers_.size(); ++index)
        end_traffic_sessions(index, now);
    return Done{};
}

Result<Done, std::string> Eppc::Engine::move_remote(Vni vni, const MacAddress& mac, IpAddress peer,
                                                    Time now) {
    const std::uint32_t* const known = overlay.peer_of({vni, mac});
    if (known == nullptr)
        return Failure{mac.to_string() + " is no remote guest in VNI " + std::to_string(vni.value)};
    const std::uint32_t before = *known;
    ++peers_[before].guests;  // left in the end, once the move is certain
    if (auto moved = add_remote(vni, mac, peer); !moved) {
        --peers_[before].guests;
        return moved;
    }
    if (*overlay.peer_of({vni, mac}) != before) ++counters.guests_moved;
    leave(before, now);
    return Done{};
}

Result<Done, std::string> Eppc::Engine::remove_remote(Vni vni, const MacAddress& mac, Time now) {
    const std::uint32_t* const known = overlay.peer_of({vni, mac});
    if (known == nullptr)
        return Failure{mac.to_string() + " is no remote guest in VNI " + std::to_string(vni.value)};
    const std::uint32_t before = *known;
    overlay.remove_remote({vni, mac});
    leave(before, now);
    return Done{};
}

}  // namespace dyetrace::eppc
