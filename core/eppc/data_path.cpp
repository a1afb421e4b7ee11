// SPDX-License-Identifier: GPL-2.0-or-later
// The data path: frames in place, no allocation, one peer entry and one path entry a packet.
#include <algorithm>

#include "core/eppc/ecn.h"
#include "core/eppc/engine.h"
#include "core/eppc/flow_hash.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"

namespace dyetrace::eppc {

using wire::DropReason;
using wire::EthernetHeader;
using wire::GeneveHeader;
using wire::Ipv4Header;
using wire::TrackOption;
using wire::UdpHeader;

namespace {

constexpr std::size_t kIp = EthernetHeader::kSize;
static_assert(OuterHeader::kSizeMost + TrackOption::kSize == Eppc::kHeadroom);

/// The UDP datagram at `offset`, of `length` bytes; padding of the link behind it is not its own.
wire::PartlyHeld datagram_at(const wire::FrameBuffer& frame, std::size_t offset, std::size_t length) {
    wire::PartlyHeld datagram = frame.from(offset);
    if (datagram.head.size() >= length) return {datagram.head.first(length)};
    datagram.tail = length - datagram.head.size();
    return datagram;
}

/// The ECN codepoint of the frame's IP header, at encapsulation and at decapsulation.
struct InnerIp {
    bool is_ipv4 = false;
    wire::Ecn ecn = wire::Ecn::NotEct;
};

InnerIp inner_ip(Bytes frame) {
    const std::uint16_t ether_type = load_u16(&frame[12]);
    const Bytes ip = frame.subspan(kIp);
    if (ether_type == wire::kEtherTypeIpv4 && ip.size() >= Ipv4Header::kSize && ip[0] >> 4 == 4) {
        return {true, static_cast<wire::Ecn>(ip[1] & 3)};
    }
    return {};
}

bool is_ecn_invalid(Bytes inner, wire::Ecn outer) {
    return outer == wire::Ecn::Ce && inner.size() >= EthernetHeader::kSize &&
           !ecn_after_decapsulation(inner_ip(inner).ecn, outer);
}

}  // namespace

Decapsulated Eppc::Engine::dropped(DropReason reason) {
    drops.add(reason);
    Decapsulated result;
    result.kind = Decapsulated::Kind::Dropped;
    result.reason = reason;
    return result;
}

std::optional<DropReason> Eppc::Engine::encapsulate(GuestPort port, wire::FrameBuffer& frame, Time now) {
    const auto refuse = [this](DropReason reason) {
        drops.add(reason);
        return std::optional{reason};
    };
    if (frame.begin < kHeadroom) return refuse(DropReason::NoHeadroom);
    const Guest* guest = overlay.guest_at(port);
    if (guest == nullptr) return refuse(DropReason::UnknownGuestPort);
    const Bytes inner = frame.head();
    if (inner.size() < EthernetHeader::kSize) return refuse(DropReason::EthernetTruncated);
    MacAddress destination;
    std::copy_n(inner.begin(), 6, destination.octets.begin());
    if (!std::equal(guest->mac.octets.begin(), guest->mac.octets.end(), inner.begin() + 6)) {
        return refuse(DropReason::SourceMacMismatch);
    }
    if (destination.is_group()) return refuse(DropReason::GroupAddress);
    const auto peer_index = overlay.peer_of({guest->vni, destination});
    if (!peer_index) return refuse(DropReason::UnknownDestination);
    // RFC 8926 §4.4.1: the room for the option is asked for whether or not this packet is tagged, so that a
    // tag changes no packet's fate.
    Peer& peer = peers_[*peer_index];
    const std::size_t inner_size = frame.wire_size();
    if (inner_size + peer.outer.size_in_mtu() + TrackOption::kSize > config.underlay_mtu) {
        return refuse(DropReason::FrameTooLong);
    }

    const PathIndex path = path_of(flow_hash(inner, flow_seed_), config.path_count);
    tracking::PathCount& sent = peer.paths[path];
    ++sent.packets;

    session::RequesterSession* tag = nullptr;  // of the session that tags it
    bool attention = peer.requested.empty() && config.open_on_traffic && now >= peer.no_request_before;
    for (session::RequesterSession& session : peer.requested) {
        if (session.on_data(path, now, tag == nullptr)) tag = &session;
        attention = attention || session.wants_attention(path);
    }
    if (attention) {
        want_attention(*peer_index);
        attention_at_ = std::min(attention_at_, now);
    }

    OuterFields fields;
    fields.ecn = ecn_to_outer(inner_ip(inner).ecn);
    fields.identification = static_cast<std::uint16_t>(sent.packets);
    fields.source_port = static_cast<std::uint16_t>(config.source_port_base + sent.port);
    if (!peer.outer.is_ipv4())
        fields.flow_label = flow_label_of(peer.address, fields.source_port, flow_seed_);
    fields.vni = guest->vni;
    fields.options_length = tag != nullptr ? TrackOption::kSize : 0;
    const MutableBytes outer = frame.prepend(peer.outer.size() + fields.options_length);
    peer.outer.write(frame, fields);
    if (tag != nullptr) {
        TrackOption option;
        option.session = tag->id();
        option.path = path;
        option.generation = sent.generation;
        option.sequence = tag->take_sequence(path);
        option.transmit_ns = now.ns;
        option.count = sent.packets;
        if (fields.ecn == wire::Ecn::Ce) option.flags = TrackOption::kFlagSentCe;
        option.inner_length = static_cast<std::uint16_t>(inner_size);
        option.inner_checksum =
            wire::checksum_finish(wire::checksum_add(wire::PartlyHeld{inner, frame.tail, frame.tail_sum}));
        const MutableBytes bytes = outer.subspan(peer.outer.size());
        option.encode_into(bytes, config.option_class);
        constexpr std::size_t kFields = TrackOption::kTagOffset - TrackOption::kTaggedOffset;
        store_u64(&bytes[TrackOption::kTagOffset],
                  auth::track_tag(tag->track_key(), bytes.subspan(TrackOption::kTaggedOffset, kFields),
                                  {config.address, peer.address, fields.source_port, guest->vni}));
        ++counters.tagged;
    }
    peer.outer.write_checksum(frame);
    ++counters.encapsulated;
    return std::nullopt;
}

Result<UnderlayPacket, DropReason> Eppc::Engine::parse_underlay(const wire::FrameBuffer& frame) const {
    const Bytes bytes = frame.head();
    const auto ethernet = EthernetHeader::parse(bytes);
    if (!ethernet) return Failure{ethernet.error()};
    const auto ip = wire::IpHeader::parse(ethernet->ether_type, bytes.subspan(kIp), frame.wire_size() - kIp);
    if (!ip) return Failure{ip.error()};
    if (ip->destination != config.address) return Failure{DropReason::NotForUs};
    UnderlayPacket packet;
    packet.ip = *ip;
    packet.payload_offset = kIp + ip->header_length;
    if (ip->protocol == wire::kProtocolUdp) return parse_datagram(frame, packet);
    // No time-exceeded message comes in fragments, or behind extension headers.
    const std::uint8_t icmp = ip->source.is_ipv4() ? wire::kProtocolIcmp : wire::kProtocolIcmpv6;
    if (ip->protocol != icmp || ip->is_fragment || ip->is_extended) return Failure{DropReason::NotForUs};
    return packet;
}

Result<UnderlayPacket, DropReason> Eppc::Engine::parse_datagram(const wire::FrameBuffer& frame,
                                                                UnderlayPacket packet) const {
    const bool is_ipv4 = packet.ip.source.is_ipv4();
    // RFC 8926 §4.4.1: ingress does not fragment, so a fragment is none of ours, or the fabric's MTU is
    // wrong.
    if (packet.ip.is_fragment) return Failure{is_ipv4 ? DropReason::Ipv4Fragment : DropReason::Ipv6Fragment};
    const auto udp = UdpHeader::parse(frame.head().subspan(packet.payload_offset), packet.ip.payload_length);
    if (!udp) return Failure{udp.error()};
    packet.udp = *udp;
    if (udp->destination_port != config.geneve_port &&
        !(config.nhms && udp->destination_port == config.management_port)) {
        return Failure{DropReason::NotForUs};
    }
    if (packet.ip.is_extended) return Failure{DropReason::Ipv6ExtensionHeader};
    if (udp->checksum == 0) {
        if (!is_ipv4 && !zero_checksum_ok(packet)) return Failure{DropReason::UdpZeroChecksum};
    } else if (!wire::udp_checksum_ok(packet.ip.source, packet.ip.destination,
                                      datagram_at(frame, packet.payload_offset, udp->length))) {
        return Failure{DropReason::UdpBadChecksum};  // RFC 8926 §3.3
    }
    packet.payload_offset += UdpHeader::kSize;
    return packet;
}

/// Over IPv6: only for the port of the tunnel (RFC 6936 §4 (6), §5 (1)), and only from the address that was
/// configured so (RFC 8926 §4.3.1 (3)); its destination has been looked at.
bool Eppc::Engine::zero_checksum_ok(const UnderlayPacket& packet) const {
    if (packet.udp.destination_port != config.geneve_port) return false;
    const auto peer = find_peer(packet.ip.source);
    return peer && peers_[*peer].zero_checksum_ok;
}

Decapsulated Eppc::Engine::decapsulate(wire::FrameBuffer& frame, Time now) {
    const auto packet = parse_underlay(frame);
    Decapsulated consumed;
    consumed.kind = Decapsulated::Kind::Consumed;
    Decapsulated not_ours;
    not_ours.kind = Decapsulated::Kind::NotOurs;
    if (!packet) return packet.error() == DropReason::NotForUs ? not_ours : dropped(packet.error());
    const Bytes bytes = frame.head();
    if (packet->ip.protocol != wire::kProtocolUdp) {
        const std::size_t size = packet->ip.payload_length;
        const Bytes message = bytes.subspan(packet->payload_offset);
        if (message.size() < size)
            return not_ours;  // payload held elsewhere: no time-exceeded message is that long
        return handle_icmp(*packet, message.first(size), now) ? consumed : not_ours;
    }
    if (packet->udp.destination_port == config.geneve_port) return decapsulate_geneve(frame, *packet, now);
    const std::size_t size = packet->udp.length - UdpHeader::kSize;
    const Bytes payload = bytes.subspan(packet->payload_offset);
    if (payload.size() < size) return dropped(DropReason::ControlTruncated);
    handle_management(*packet, payload.first(size), now);
    return consumed;
}

Result<std::optional<TrackOption>, DropReason> Eppc::Engine::find_track_option(Bytes options, Bytes& fields) {
    std::optional<TrackOption> track;
    for (wire::GeneveOptionIterator it(options); !it.done();) {
        const auto option = it.next();
        if (!option) return Failure{option.error()};
        if (option->option_class != config.option_class || option->type != TrackOption::kType) {
            // §3.5: an endpoint that does not know a critical option MUST drop the packet.
            if (option->is_critical()) return Failure{DropReason::GeneveUnknownCritical};
            continue;
        }
        if (track) {  // §3.5 allows repeats; one tag is all that a packet can mean
            drops.add(DropReason::TrackRepeated);
            continue;
        }
        const auto parsed = TrackOption::parse(option->data);
        if (!parsed) {  // perhaps of a later version: the packet itself is good
            drops.add(parsed.error());
            continue;
        }
        track = *parsed;
        fields = option->data.first(TrackOption::kTagOffset - TrackOption::kTaggedOffset);
    }
    return track;
}

Decapsulated Eppc::Engine::decapsulate_geneve(wire::FrameBuffer& frame, const UnderlayPacket& packet,
                                              Time now) {
    const Bytes bytes = frame.head();
    const Bytes payload = bytes.subspan(packet.payload_offset);
    const std::size_t payload_size = packet.udp.length - UdpHeader::kSize;
    // Padding of the link behind a short packet is not the packet's.
    const Bytes held = payload.first(std::min(payload.size(), payload_size));
    const auto geneve = GeneveHeader::parse(held);
    if (!geneve) return dropped(geneve.error());
    const Bytes options = held.subspan(GeneveHeader::kSize, geneve->options_length);
    Bytes fields;
    const auto track = find_track_option(options, fields);
    if (!track) return dropped(track.error());
    const std::size_t headers = GeneveHeader::kSize + geneve->options_length;

    if (geneve->control) {
        if (geneve->protocol_type != wire::kEtherTypeControl) return dropped(DropReason::GeneveBadProtocol);
        if (held.size() < payload_size) return dropped(DropReason::ControlTruncated);
        handle_control(packet, held.subspan(headers), now);
        Decapsulated consumed;
        consumed.kind = Decapsulated::Kind::Consumed;
        return consumed;
    }
    if (geneve->protocol_type != wire::kEtherTypeEthernet) return dropped(DropReason::GeneveBadProtocol);
    const InnerFrame inner{geneve->vni, held.subspan(headers), payload_size - headers,
                           is_ecn_invalid(held.subspan(headers), packet.ip.ecn)};
    measure(packet, *track, fields, inner, now);

    frame.strip(packet.payload_offset + headers);
    frame.end = frame.begin + inner.held.size();
    frame.tail = inner.size - inner.held.size();
    if (frame.tail == 0) frame.tail_sum = 0;
    return deliver(frame, geneve->vni, packet.ip.ecn);
}

Decapsulated Eppc::Engine::deliver(wire::FrameBuffer& frame, Vni vni, wire::Ecn outer_ecn) {
    const MutableBytes inner = frame.head();
    if (inner.size() < EthernetHeader::kSize) return dropped(DropReason::EthernetTruncated);
    if (!overlay.has_vni(vni)) return dropped(DropReason::UnknownVni);
    OverlayAddress address;
    address.vni = vni;
    std::copy_n(inner.begin(), 6, address.mac.octets.begin());
    if (address.mac.is_group()) return dropped(DropReason::GroupAddress);
    const auto port = overlay.port_of(address);
    if (!port) return dropped(DropReason::UnknownGuest);
    const InnerIp ip = inner_ip(inner);
    const auto ecn = ecn_after_decapsulation(ip.ecn, outer_ecn);
    if (!ecn) return dropped(DropReason::EcnInvalid);
    if (ip.is_ipv4 && *ecn != ip.ecn) wire::set_ipv4_ecn(inner.subspan(kIp), *ecn);
    ++counters.decapsulated;
    Decapsulated result;
    result.kind = Decapsulated::Kind::Deliver;
    result.port = *port;
    return result;
}

}  // namespace dyetrace::eppc
