// SPDX-License-Identifier: GPL-2.0-or-later
// An intermediary: guests' frames that come from one EPPC go on to another one. Each leg is a tunnel of its
// own, with its own sessions, so that a loss is told for the leg where it happened.
//
//   EPPC ==first leg==> relay: decapsulated, measured, encapsulated anew ==second leg==> EPPC
//
// The outer TTL goes on counting down, so that frames between relays that send to each other die.
#include "core/eppc/engine.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"

namespace dyetrace::eppc {

using wire::DropReason;

namespace {

void set_outer_ttl(MutableBytes packet, bool is_ipv4, std::uint8_t ttl) {
    const MutableBytes ip = packet.subspan(wire::EthernetHeader::kSize);
    if (is_ipv4) {
        wire::set_ipv4_ttl(ip, ttl);
    } else {
        wire::set_ipv6_hop_limit(ip, ttl);
    }
}

}  // namespace

Decapsulated Eppc::Engine::relay(wire::FrameBuffer& frame, const InnerFrame& inner,
                                 const UnderlayPacket& packet, std::uint32_t to, Time now) {
    // Only for peers, and never back.
    if (packet.peer == nullptr || packet.peer_index == to || packet.ip.ttl <= 1)
        return dropped(DropReason::RelayLoop);
    const std::uint8_t ttl = packet.ip.ttl;  // `packet` may be the engine's own, but the headers are gone
    Admitted passed;
    passed.vni = inner.vni;
    passed.peer_index = to;
    passed.peer = &peers_[to];
    passed.headers = wire::inspect_guest_frame(frame.head());  // with the ECN field that it came out with
    if (frame.begin < kHeadroom) return dropped(DropReason::NoHeadroom);
    if (const auto refused = fit(frame, passed)) return dropped(*refused);
    carry(frame, passed, now);
    set_outer_ttl(frame.head(), passed.peer->outer.is_ipv4(), static_cast<std::uint8_t>(ttl - 1));
    ++counters.relayed;
    Decapsulated result;
    result.kind = Decapsulated::Kind::Relay;
    return result;
}

Result<Done, std::string> Eppc::Engine::add_relay(Vni vni, const MacAddress& mac, IpAddress peer) {
    if (auto added = add_remote(vni, mac, peer); !added) return added;
    overlay.relay({vni, mac});
    return Done{};
}

}  // namespace dyetrace::eppc
