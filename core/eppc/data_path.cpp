// SPDX-License-Identifier: GPL-2.0-or-later
// The data path: frames in place, no allocation, one peer entry and one path entry a packet.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"

namespace dyetrace::eppc {

using wire::DropReason;
using wire::EthernetHeader;
using wire::GeneveHeader;
using wire::Refusal;
using wire::ReportOption;
using wire::TrackOption;
using wire::UdpHeader;

namespace {

constexpr std::size_t kIp = EthernetHeader::kSize;
static_assert(std::is_aggregate_v<UnderlayPacket> && std::is_trivially_copyable_v<UnderlayPacket>,
              "it is made where there is room for it, without being cleared");
static_assert(OuterHeader::kSizeMost + TrackOption::kSize + ReportOption::kSize == Eppc::kHeadroom);

/// The UDP datagram at `offset`, of `length` bytes; padding of the link behind it is not its own.
wire::PartlyHeld datagram_at(const wire::FrameBuffer& frame, std::size_t offset, std::size_t length) {
    wire::PartlyHeld datagram = frame.from(offset);
    if (datagram.head.size() >= length) return {datagram.head.first(length)};
    datagram.tail = length - datagram.head.size();
    return datagram;
}

/// What of the packet's UDP payload is held. Padding of the link behind a short packet is not the packet's.
Bytes held_payload(const wire::FrameBuffer& frame, const UnderlayPacket& packet) {
    const Bytes payload = frame.head().subspan(packet.payload_offset);
    return payload.first(std::min<std::size_t>(payload.size(), packet.udp.length - UdpHeader::kSize));
}

/// Moves both addresses of an Ethernet frame over its VLAN tags.
void strip_tags(wire::FrameBuffer& frame, std::size_t bytes) {
    std::uint8_t* const begin = frame.head().data();
    std::memmove(begin + bytes, begin, 12);
    frame.strip(bytes);
}

/// Takes the outer headers off: of the UDP payload `payload_held` bytes are held, and `headers` the tunnel's
/// own.
InnerFrame uncover(wire::FrameBuffer& frame, const UnderlayPacket& packet, std::size_t payload_held,
                   std::size_t headers, Vni vni) {
    const std::size_t held = payload_held - headers;
    const std::size_t size = packet.udp.length - UdpHeader::kSize - headers;
    frame.strip(packet.payload_offset + headers);
    frame.end = frame.begin + held;
    frame.tail = size - held;
    if (frame.tail == 0) frame.tail_sum = 0;
    const wire::GuestFrame inner = wire::inspect_guest_frame(frame.head());
    return {vni, inner, ecn_at_egress(inner.ecn, packet.ip.ecn)};
}

}  // namespace

Decapsulated Eppc::Engine::dropped(DropReason reason) {
    drops.add(reason);
    Decapsulated result;
    result.kind = Decapsulated::Kind::Dropped;
    result.reason = reason;
    return result;
}

Refusal Eppc::Engine::admit(GuestPort port, const wire::FrameBuffer& frame, Admitted& admitted) {
    if (frame.begin < kHeadroom) return DropReason::NoHeadroom;
    const Guest* const guest = overlay.guest_at(port);
    if (guest == nullptr) return DropReason::UnknownGuestPort;
    const Bytes inner = frame.head();
    if (inner.size() < EthernetHeader::kSize) return DropReason::EthernetTruncated;
    admitted.vni = guest->vni;
    if (load_u64(&inner[6]) >> 16 != guest->mac.to_integer()) return DropReason::SourceMacMismatch;
    const OverlayAddress destination = OverlayAddress::destination_of(inner, admitted.vni);
    if (destination.is_group()) return DropReason::GroupAddress;
    const std::uint32_t* const peer = overlay.peer_of(destination);
    if (peer == nullptr) return DropReason::UnknownDestination;
    last_.from = port;
    last_.to = destination;
    admitted.peer = &peers_[*peer];
    admitted.peer_index = *peer;
    admitted.headers = wire::inspect_guest_frame(inner);
    return fit(frame, admitted);
}

Refusal Eppc::Engine::fit(const wire::FrameBuffer& frame, Admitted& admitted) const {
    const OuterHeader& outer = admitted.peer->outer;
    if (outer.is_vxlan() && config.vxlan_vlan == InnerVlan::Strip) {
        // RFC 7348 §6.1: the tags are taken off; a frame that is nothing but tags has no way to go without.
        if (wire::is_vlan_tag(admitted.headers.ether_type)) return DropReason::VxlanInnerVlan;
        admitted.stripped = admitted.headers.tags * wire::VlanTag::kSize;
    }
    // RFC 8926 §4.4.1: the room for the option is asked for whether or not this packet is tagged, so that a
    // tag changes no packet's fate. RFC 7348 §4.3: what does not fit is not fragmented.
    const std::size_t size = frame.wire_size() - admitted.stripped;
    if (size + outer.size_in_mtu() + outer.options_most() > config.underlay_mtu)
        return DropReason::FrameTooLong;
    return std::nullopt;
}

session::RequesterSession* Eppc::Engine::note_sent(Peer& peer, std::uint32_t index, PathIndex path,
                                                   const tracking::Offered& packet) {
    peer.paths.count(path, packet.now);
    session::RequesterSession* tagging = nullptr;
    bool attention = peer.requested.empty() && config.open_on_traffic && packet.now >= peer.no_request_before;
    for (session::RequesterSession& session : peer.requested) {
        if (session.on_data(path, packet, tagging == nullptr, attention)) tagging = &session;
    }
    if (attention) {
        want_attention(index);
        attention_at_ = std::min(attention_at_, packet.now);
    }
    return tagging;
}

void Eppc::Engine::prepend_track_option(wire::FrameBuffer& frame, const Peer& peer, PathIndex path,
                                        session::RequesterSession& tagging, const OuterFields& fields,
                                        Time now) {
    const tracking::PathCount& sent = peer.paths[path];
    TrackOption option;
    option.session = tagging.id();
    option.path = path;
    option.generation = sent.generation;
    if (fields.ecn == wire::Ecn::Ce) option.flags = TrackOption::kFlagSentCe;
    option.sequence = tagging.take_sequence(path);
    option.transmit_ns = now.ns;
    option.count = sent.packets;
    option.inner_length = static_cast<std::uint16_t>(frame.wire_size());
    option.inner_checksum = wire::inner_checksum(frame);
    const MutableBytes bytes = frame.prepend(TrackOption::kSize);
    option.encode_into(bytes, config.option_class);
    constexpr std::size_t kFields = TrackOption::kTagOffset - TrackOption::kTaggedOffset;
    store_u64(&bytes[TrackOption::kTagOffset],
              auth::track_tag(tagging.track_key(), bytes.subspan(TrackOption::kTaggedOffset, kFields),
                              {fields.source_port, fields.vni}));
    ++counters.tagged;
}

Refusal Eppc::Engine::encapsulate(GuestPort port, wire::FrameBuffer& frame, Time now) {
    Admitted admitted;
    if (const auto refused = admit(port, frame, admitted)) {
        drops.add(*refused);
        return refused;
    }
    if (flow_tap_.is_busy()) [[unlikely]]
        follow_sent(frame, admitted, now);
    carry(frame, admitted, now);
    return std::nullopt;
}

void Eppc::Engine::carry(wire::FrameBuffer& given, const Admitted& admitted, Time now) {
    // A copy, as bytes that are written into the frame might be `given` itself, for all a compiler knows.
    wire::FrameBuffer frame = given;
    Peer& peer = *admitted.peer;
    const PathIndex path = path_of(flow_hash(frame.head(), admitted.headers, flow_seed_), config.path_count);
    session::RequesterSession* const tagging =
        note_sent(peer, admitted.peer_index, path, {frame.head(), admitted.vni, now});
    last_.peer = admitted.peer_index;
    last_.path = path;
    const tracking::PathCount& sent = peer.paths[path];
    if (admitted.stripped > 0) strip_tags(frame, admitted.stripped);

    OuterFields fields;
    fields.ecn = ecn_to_outer(admitted.headers.ecn, peer.ecn);
    fields.identification = static_cast<std::uint16_t>(sent.packets);
    fields.source_port = static_cast<std::uint16_t>(config.source_port_base + sent.port);
    if (!peer.outer.is_ipv4())
        fields.flow_label = flow_label_of(peer.address, fields.source_port, flow_seed_);
    fields.vni = admitted.vni;
    if (tagging != nullptr) {
        fields.options_length = TrackOption::kSize;
        prepend_track_option(frame, peer, path, *tagging, fields, now);
    }
    if (now >= peer.rides_from) {
        given.begin = frame.begin;
        fields.options_length += prepend_report_option(given, admitted.peer_index, fields, now);
        frame.begin = given.begin;
    }
    frame.prepend(peer.outer.size());
    peer.outer.write(frame, fields);
    given.begin = frame.begin;
    if (peer.outer.has_checksum()) peer.outer.write_checksum(given);
    ++counters.encapsulated;
}

Refusal Eppc::Engine::parse_underlay(const wire::FrameBuffer& frame, UnderlayPacket& packet) {
    const Bytes bytes = frame.head();
    if (bytes.size() < EthernetHeader::kSize) return DropReason::EthernetTruncated;
    const std::uint16_t ether_type = load_u16(&bytes[12]);
    if (const auto refused = packet.ip.read(ether_type, bytes.subspan(kIp), frame.wire_size() - kIp))
        return refused;
    if (packet.ip.destination != config.address) return DropReason::NotForUs;
    packet.payload_offset = kIp + packet.ip.header_length;
    if (packet.ip.protocol == wire::kProtocolUdp) return parse_datagram(frame, packet);
    // No time-exceeded message comes in fragments, or behind extension headers.
    const std::uint8_t icmp = packet.ip.source.is_ipv4() ? wire::kProtocolIcmp : wire::kProtocolIcmpv6;
    if (packet.ip.protocol != icmp || packet.ip.is_fragment || packet.ip.is_extended)
        return DropReason::NotForUs;
    return std::nullopt;
}

Refusal Eppc::Engine::parse_datagram(const wire::FrameBuffer& frame, UnderlayPacket& packet) {
    const bool is_ipv4 = packet.ip.source.is_ipv4();
    // RFC 8926 §4.4.1: support of fragments is nobody's duty. Ours makes none: it is another's, or the
    // fabric's MTU is wrong.
    if (packet.ip.is_fragment) return is_ipv4 ? DropReason::Ipv4Fragment : DropReason::Ipv6Fragment;
    UdpHeader& udp = packet.udp;
    const Bytes datagram = frame.head().subspan(packet.payload_offset);
    if (const auto refused = udp.read(datagram, packet.ip.payload_length)) return refused;
    const bool is_geneve = udp.destination_port == config.geneve_port;
    const bool is_vxlan = speaks_vxlan_ && udp.destination_port == config.vxlan_port;
    const Peer* peer = nullptr;
    if (is_geneve || is_vxlan) {
        if (const std::uint32_t* const index = peer_index_.find(packet.ip.source)) {
            packet.peer_index = *index;
            peer = packet.peer = &peers_[*index];
        }
        const bool peer_speaks_vxlan = peer != nullptr && peer->outer.is_vxlan();
        // VXLAN of whoever is no such peer may be another program's.
        if (is_vxlan && !peer_speaks_vxlan) return DropReason::NotForUs;
        if (is_geneve && peer_speaks_vxlan) return DropReason::WrongEncapsulation;
    } else if (!config.nhms || udp.destination_port != config.management_port) {
        return DropReason::NotForUs;
    }
    if (packet.ip.is_extended) return DropReason::Ipv6ExtensionHeader;
    if (udp.checksum == 0) {
        // Over IPv6 only for the port of the tunnel (RFC 6936 §4 (6), §5 (1)), and only from the address that
        // was configured so (RFC 8926 §4.3.1 (3)); its destination has been looked at.
        if (!is_ipv4 && (peer == nullptr || !peer->zero_checksum_ok)) return DropReason::UdpZeroChecksum;
    } else if (!wire::udp_checksum_ok(packet.ip.source, packet.ip.destination,
                                      datagram_at(frame, packet.payload_offset, udp.length))) {
        return DropReason::UdpBadChecksum;  // RFC 8926 §3.3, RFC 7348 §5
    }
    packet.payload_offset += UdpHeader::kSize;
    return std::nullopt;
}

Decapsulated Eppc::Engine::decapsulate(wire::FrameBuffer& frame, Time now) {
    // Room that is not cleared, as that costs more than to fill it; in the engine it would be memory gone
    // cold.
    alignas(UnderlayPacket) std::array<std::byte, sizeof(UnderlayPacket)> room;
    UnderlayPacket& packet = *std::launder(reinterpret_cast<UnderlayPacket*>(room.data()));
    packet.udp = {};
    packet.peer = nullptr;
    const auto refused = parse_underlay(frame, packet);
    Decapsulated consumed;
    consumed.kind = Decapsulated::Kind::Consumed;
    Decapsulated not_ours;
    not_ours.kind = Decapsulated::Kind::NotOurs;
    if (refused) return *refused == DropReason::NotForUs ? not_ours : dropped(*refused);
    const Bytes bytes = frame.head();
    if (packet.ip.protocol != wire::kProtocolUdp) {
        const std::size_t size = packet.ip.payload_length;
        const Bytes message = bytes.subspan(packet.payload_offset);
        if (message.size() < size)
            return not_ours;  // payload held elsewhere: no time-exceeded message is that long
        const bool is_consumed = handle_icmp(packet, message.first(size), now);
        plan();
        return is_consumed ? consumed : not_ours;
    }
    if (packet.udp.destination_port == config.geneve_port) return decapsulate_geneve(frame, packet, now);
    if (packet.udp.destination_port == config.vxlan_port) return decapsulate_vxlan(frame, packet, now);
    const std::size_t size = packet.udp.length - UdpHeader::kSize;
    const Bytes payload = bytes.subspan(packet.payload_offset);
    if (payload.size() < size) return dropped(DropReason::ControlTruncated);
    handle_management(packet, payload.first(size), now);
    plan();
    return consumed;
}

template <class Option>
void Eppc::Engine::note_option(Bytes data, const std::uint8_t*& known, DropReason if_repeated,
                               DropReason if_bad_length) {
    if (known != nullptr) {  // §3.5 allows repeats; one of each is all that a packet can mean
        drops.add(if_repeated);
    } else if (data.size() != Option::kDataSize) {  // perhaps of a later version: the packet itself is good
        drops.add(if_bad_length);
    } else {
        known = data.data();
    }
}

Refusal Eppc::Engine::find_options(Bytes options, Options& found) {
    for (wire::GeneveOptionIterator it(options); !it.done();) {
        const auto option = it.next();
        if (!option) return option.error();
        const bool is_ours = option->option_class == config.option_class;
        if (is_ours && option->type == TrackOption::kType) {
            note_option<TrackOption>(option->data, found.track, DropReason::TrackRepeated,
                                     DropReason::TrackBadLength);
        } else if (is_ours && option->type == ReportOption::kType) {
            note_option<ReportOption>(option->data, found.report, DropReason::ReportRepeated,
                                      DropReason::ReportBadLength);
        } else if (option->is_critical()) {
            // §3.5: an endpoint that does not know a critical option MUST drop the packet.
            return DropReason::GeneveUnknownCritical;
        }
    }
    return std::nullopt;
}

Decapsulated Eppc::Engine::take_control(const UnderlayPacket& packet, Bytes held, std::size_t headers,
                                        Time now) {
    if (held.size() < packet.udp.length - UdpHeader::kSize) return dropped(DropReason::ControlTruncated);
    handle_control(packet, held.subspan(headers), now);
    plan();
    Decapsulated consumed;
    consumed.kind = Decapsulated::Kind::Consumed;
    return consumed;
}

void Eppc::Engine::measure(const UnderlayPacket& packet, const std::uint8_t* track,
                           const wire::FrameBuffer& frame, const InnerFrame& inner, Time now) {
    if (packet.peer == nullptr) {
        if (track != nullptr) drops.add(DropReason::TrackUnknownSession);
        return;
    }
    Peer& peer = *packet.peer;
    const std::size_t port = static_cast<std::uint16_t>(packet.udp.source_port - peer.announced_base);
    if (port < peer.received.size()) ++peer.received[port];
    if (track != nullptr)
        measure_tracked(peer, packet, {track, TrackOption::kDataSize}, frame, inner, port, now);
}

Decapsulated Eppc::Engine::decapsulate_geneve(wire::FrameBuffer& frame, const UnderlayPacket& packet,
                                              Time now) {
    const Bytes held = held_payload(frame, packet);
    const auto geneve = GeneveHeader::parse(held);
    if (!geneve) return dropped(geneve.error());
    Options found;
    const Bytes options = held.subspan(GeneveHeader::kSize, geneve->options_length);
    if (const auto refused = find_options(options, found)) return dropped(*refused);
    const std::size_t headers = GeneveHeader::kSize + geneve->options_length;
    if (geneve->control) {
        if (geneve->protocol_type != wire::kEtherTypeControl) return dropped(DropReason::GeneveBadProtocol);
        return take_control(packet, held, headers, now);
    }
    if (geneve->protocol_type != wire::kEtherTypeEthernet) return dropped(DropReason::GeneveBadProtocol);
    const InnerFrame inner = uncover(frame, packet, held.size(), headers, geneve->vni);
    measure(packet, found.track, frame, inner, now);
    if (found.report != nullptr) {
        take_report_option(packet, {found.report, ReportOption::kDataSize}, inner.vni, now);
        plan();
    }
    return deliver(frame, inner, packet, now);
}

Decapsulated Eppc::Engine::decapsulate_vxlan(wire::FrameBuffer& frame, const UnderlayPacket& packet,
                                             Time now) {
    const Bytes held = held_payload(frame, packet);
    const auto vxlan = wire::VxlanHeader::parse(held);
    if (!vxlan) return dropped(vxlan.error());
    if (vxlan->vni == config.vxlan_control_vni) {
        const auto ethernet = EthernetHeader::parse(held.subspan(wire::VxlanHeader::kSize));
        if (!ethernet || ethernet->ether_type != wire::kEtherTypeControl)
            return dropped(DropReason::VxlanBadControl);
        return take_control(packet, held, wire::VxlanHeader::kSize + EthernetHeader::kSize, now);
    }
    const InnerFrame inner = uncover(frame, packet, held.size(), wire::VxlanHeader::kSize, vxlan->vni);
    measure(packet, nullptr, frame, inner, now);
    // RFC 7348 §6.1: discarded unless configured otherwise.
    const bool has_vlan = inner.headers.tags > 0 || wire::is_vlan_tag(inner.headers.ether_type);
    if (has_vlan && config.vxlan_vlan == InnerVlan::Strip) return dropped(DropReason::VxlanInnerVlan);
    return deliver(frame, inner, packet, now);
}

DropReason Eppc::Engine::no_such_guest(const OverlayAddress& address) const {
    if (overlay.peer_of(address) != nullptr) return DropReason::GuestElsewhere;
    if (!overlay.has_vni(address.vni)) return DropReason::UnknownVni;
    return address.is_group() ? DropReason::GroupAddress : DropReason::UnknownGuest;
}

Decapsulated Eppc::Engine::deliver(wire::FrameBuffer& frame, const InnerFrame& inner,
                                   const UnderlayPacket& packet, Time now) {
    const MutableBytes bytes = frame.head();
    if (bytes.size() < EthernetHeader::kSize) return dropped(DropReason::EthernetTruncated);
    const OverlayAddress address = OverlayAddress::destination_of(bytes, inner.vni);
    const GuestPort* const port = overlay.port_of(address);  // no group is any guest's
    const std::uint32_t* const next = port == nullptr ? overlay.relayed_to(address) : nullptr;
    if (port == nullptr && next == nullptr) return dropped(no_such_guest(address));
    // RFC 6040 §4.2: such a combination should be logged, within bounds, and it must be possible not to: it
    // is counted.
    if (inner.ecn.is_unused) ++counters.ecn_unused;
    if (inner.ecn.is_invalid) return dropped(DropReason::EcnInvalid);
    if (inner.ecn.inner != inner.headers.ecn) wire::set_ecn(bytes, inner.headers, inner.ecn.inner);
    if (next != nullptr) return relay(frame, inner, packet, *next, now);
    if (flow_tap_.is_busy()) [[unlikely]]
        follow_received(frame, inner.vni, now);
    ++counters.decapsulated;
    last_.delivered = address;
    Decapsulated result;
    result.kind = Decapsulated::Kind::Deliver;
    result.port = *port;
    return result;
}

}  // namespace dyetrace::eppc
