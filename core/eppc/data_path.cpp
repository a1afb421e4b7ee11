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
constexpr std::size_t kUdp = kIp + Ipv4Header::kSize;
constexpr std::size_t kGeneve = kUdp + UdpHeader::kSize;
constexpr std::size_t kOptions = kGeneve + GeneveHeader::kSize;
static_assert(kOptions + TrackOption::kSize == Eppc::kHeadroom);

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
    // The room for the option is asked for whether or not this packet is tagged: a tag changes no packet's
    // fate.
    const std::size_t inner_size = frame.wire_size();
    if (inner_size + kHeadroom - kIp > config.underlay_mtu) return refuse(DropReason::FrameTooLong);

    Peer& peer = peers_[*peer_index];
    const PathIndex path = path_of(flow_hash(inner, flow_seed_), config.path_count);
    tracking::PathCount& sent = peer.paths[path];
    ++sent.packets;

    bool tag = false;
    if (peer.requested) {
        tag = peer.requested->on_data(path, now);
        if (!tag && peer.requested->wants_start(path)) {
            want_attention(*peer_index);
            attention_at_ = std::min(attention_at_, now);
        }
    } else if (config.open_on_traffic && now >= peer.no_request_before) {
        want_attention(*peer_index);
        attention_at_ = std::min(attention_at_, now);
    }

    const auto source_port = static_cast<std::uint16_t>(config.source_port_base + sent.port);
    const wire::Ecn ecn = ecn_to_outer(inner_ip(inner).ecn);
    const std::size_t option_size = tag ? TrackOption::kSize : 0;
    const MutableBytes outer = frame.prepend(kOptions + option_size);
    EthernetHeader{config.gateway_mac, config.mac, wire::kEtherTypeIpv4}.encode_into(outer);
    Ipv4Header ip;
    ip.dscp = config.dscp;
    ip.ecn = ecn;
    ip.total_length = static_cast<std::uint16_t>(frame.wire_size() - kIp);
    ip.identification = static_cast<std::uint16_t>(sent.packets);
    ip.protocol = wire::kProtocolUdp;
    ip.source = config.address.ipv4();
    ip.destination = peer.address.ipv4();
    ip.encode_into(outer.subspan(kIp));
    UdpHeader udp;
    udp.source_port = source_port;
    udp.destination_port = config.geneve_port;
    udp.length = static_cast<std::uint16_t>(frame.wire_size() - kUdp);
    udp.encode_into(outer.subspan(kUdp));  // checksum zero: RFC 8926 §3.3, IPv4
    GeneveHeader geneve;
    geneve.options_length = option_size;
    geneve.protocol_type = wire::kEtherTypeEthernet;
    geneve.vni = guest->vni;
    geneve.encode_into(outer.subspan(kGeneve));
    if (tag) {
        TrackOption option;
        option.session = peer.requested->id();
        option.path = path;
        option.generation = sent.generation;
        option.sequence = peer.requested->take_sequence(path);
        option.transmit_ns = now.ns;
        option.count = sent.packets;
        if (ecn == wire::Ecn::Ce) option.flags = TrackOption::kFlagSentCe;
        option.inner_length = static_cast<std::uint16_t>(inner_size);
        option.inner_checksum = wire::checksum_finish(wire::checksum_add(inner));
        const MutableBytes bytes = outer.subspan(kOptions);
        option.encode_into(bytes, config.option_class);
        constexpr std::size_t kFields = TrackOption::kTagOffset - TrackOption::kTaggedOffset;
        store_u64(
            &bytes[TrackOption::kTagOffset],
            auth::track_tag(peer.requested->track_key(), bytes.subspan(TrackOption::kTaggedOffset, kFields),
                            {config.address, peer.address, source_port, guest->vni}));
        ++counters.tagged;
    }
    ++counters.encapsulated;
    return std::nullopt;
}

Result<UnderlayPacket, DropReason> Eppc::Engine::parse_underlay(const wire::FrameBuffer& frame) const {
    const Bytes bytes = frame.head();
    const auto ethernet = EthernetHeader::parse(bytes);
    if (!ethernet) return Failure{ethernet.error()};
    if (ethernet->ether_type != wire::kEtherTypeIpv4) return Failure{DropReason::NotForUs};
    const auto ip = Ipv4Header::parse(bytes.subspan(kIp), frame.wire_size() - kIp);
    if (!ip) return Failure{ip.error()};
    if (ip->destination != config.address) return Failure{DropReason::NotForUs};
    UnderlayPacket packet;
    packet.ip = *ip;
    packet.payload_offset = kIp + ip->header_length;
    if (ip->protocol != wire::kProtocolUdp && ip->protocol != wire::kProtocolIcmp) {
        return Failure{DropReason::NotForUs};
    }
    if (ip->more_fragments || ip->fragment_offset != 0) return Failure{DropReason::Ipv4Fragment};
    if (ip->protocol == wire::kProtocolUdp) {
        const Bytes payload = bytes.subspan(packet.payload_offset);
        const std::size_t payload_size = ip->total_length - std::size_t{ip->header_length};
        const auto udp = UdpHeader::parse(payload, payload_size);
        if (!udp) return Failure{udp.error()};
        // RFC 768: a checksum that is there must be right. It can be checked where the whole datagram is
        // held.
        if (payload.size() >= udp->length &&
            !wire::udp_checksum_ok(ip->source, ip->destination, payload.first(udp->length))) {
            return Failure{DropReason::UdpBadChecksum};
        }
        packet.udp = *udp;
        packet.payload_offset += UdpHeader::kSize;
    }
    return packet;
}

Decapsulated Eppc::Engine::decapsulate(wire::FrameBuffer& frame, Time now) {
    const auto packet = parse_underlay(frame);
    Decapsulated consumed;
    consumed.kind = Decapsulated::Kind::Consumed;
    Decapsulated not_ours;
    not_ours.kind = Decapsulated::Kind::NotOurs;
    if (!packet) return packet.error() == DropReason::NotForUs ? not_ours : dropped(packet.error());
    const Bytes bytes = frame.head();
    if (packet->ip.protocol == wire::kProtocolIcmp) {
        const std::size_t size = packet->ip.total_length - std::size_t{packet->ip.header_length};
        const Bytes message = bytes.subspan(packet->payload_offset);
        if (message.size() < size)
            return not_ours;  // payload held elsewhere: no time-exceeded message is that long
        return handle_icmp(*packet, message.first(size), now) ? consumed : not_ours;
    }
    if (packet->udp.destination_port == config.geneve_port) return decapsulate_geneve(frame, *packet, now);
    if (config.nhms && packet->udp.destination_port == config.management_port) {
        const std::size_t size = packet->udp.length - UdpHeader::kSize;
        const Bytes payload = bytes.subspan(packet->payload_offset);
        if (payload.size() < size) return dropped(DropReason::ControlTruncated);
        handle_management(*packet, payload.first(size), now);
        return consumed;
    }
    return not_ours;
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
