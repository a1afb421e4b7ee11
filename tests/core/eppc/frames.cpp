// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/frames.h"

#include <algorithm>

#include "core/eppc/config.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"
#include "core/wire/vxlan.h"

namespace dyetrace::test {

using namespace dyetrace::wire;

namespace {

void write_ip(const GuestPacket& guest, MutableBytes packet) {
    if (guest.source.is_ipv4()) {
        Ipv4Header ip;
        ip.ecn = guest.ecn;
        ip.total_length = static_cast<std::uint16_t>(packet.size());
        ip.protocol = kProtocolUdp;
        ip.source = guest.source.ipv4();
        ip.destination = guest.destination.ipv4();
        ip.encode_into(packet);
    } else {
        Ipv6Header ip;
        ip.ecn = guest.ecn;
        ip.payload_length = static_cast<std::uint16_t>(packet.size() - Ipv6Header::kSize);
        ip.next_header = kProtocolUdp;
        ip.source = guest.source;
        ip.destination = guest.destination;
        ip.encode_into(packet);
    }
}

}  // namespace

std::vector<std::uint8_t> GuestPacket::frame() const {
    const std::size_t ip_at = EthernetHeader::kSize + 4 * tags.size();
    const std::size_t udp_at = ip_at + ip_header_size(source);
    const std::size_t payload_at = udp_at + UdpHeader::kSize;
    std::vector<std::uint8_t> bytes(payload_at + payload);
    const MutableBytes all(bytes);
    EthernetHeader{destination_mac, source_mac, 0}.encode_into(all);
    std::size_t at = 12;
    for (const GuestTag& tag : tags) {
        store_u16(&bytes[at], tag.type);
        store_u16(&bytes[at + 2], tag.control);
        at += 4;
    }
    store_u16(&bytes[at], source.is_ipv4() ? kEtherTypeIpv4 : kEtherTypeIpv6);
    write_ip(*this, all.subspan(ip_at));
    UdpHeader udp;
    udp.source_port = source_port;
    udp.destination_port = destination_port;
    udp.length = static_cast<std::uint16_t>(bytes.size() - udp_at);
    udp.encode_into(all.subspan(udp_at));
    for (std::size_t i = payload_at; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i);
    store_u16(&bytes[udp_at + 6], udp_checksum(source, destination, Bytes(all.subspan(udp_at))));
    return bytes;
}

OwnedFrame::OwnedFrame(Bytes frame, std::size_t headroom) : memory(headroom + frame.size()) {
    std::copy(frame.begin(), frame.end(), memory.begin() + static_cast<std::ptrdiff_t>(headroom));
    buffer.data = memory.data();
    buffer.begin = headroom;
    buffer.end = memory.size();
}

std::vector<std::uint8_t> OwnedFrame::bytes() const {
    const Bytes head = buffer.head();
    return {head.begin(), head.end()};
}

namespace {

void look_at_geneve(Bytes payload, SeenPacket& seen) {
    const auto geneve = GeneveHeader::parse(payload);
    if (!geneve) return;
    seen.vni = geneve->vni;
    for (GeneveOptionIterator it(payload.subspan(GeneveHeader::kSize, geneve->options_length)); !it.done();) {
        const auto option = it.next();
        if (!option) return;
        if (option->option_class != TrackOption::kClassDefault) continue;
        if (option->type == TrackOption::kType) {
            if (const auto track = TrackOption::parse(option->data)) seen.track = *track;
        } else if (option->type == wire::ReportOption::kType) {
            if (const auto ride = wire::ReportOption::parse(option->data)) seen.ride = *ride;
        }
    }
    if (!geneve->control) {
        seen.kind = SeenPacket::Kind::Data;
        return;
    }
    const auto message = ControlMessage::parse(payload.subspan(GeneveHeader::kSize + geneve->options_length));
    if (!message) return;
    seen.kind = SeenPacket::Kind::Control;
    seen.control = message->header;
    seen.body.assign(message->body.begin(), message->body.end());
}

void look_at_vxlan(Bytes payload, SeenPacket& seen) {
    const auto vxlan = VxlanHeader::parse(payload);
    if (!vxlan) return;
    seen.vni = vxlan->vni;
    seen.vxlan = true;
    seen.kind = SeenPacket::Kind::Data;
    if (seen.vni != eppc::EppcConfig{}.vxlan_control_vni) return;
    const auto message = ControlMessage::parse(payload.subspan(VxlanHeader::kSize + EthernetHeader::kSize));
    if (!message) return;
    seen.kind = SeenPacket::Kind::Control;
    seen.control = message->header;
    seen.body.assign(message->body.begin(), message->body.end());
}

}  // namespace

SeenPacket look_at(Bytes frame) {
    SeenPacket seen;
    if (frame.size() < EthernetHeader::kSize) return seen;
    const Bytes packet = frame.subspan(EthernetHeader::kSize);
    const auto ip = IpHeader::parse(load_u16(&frame[12]), packet, packet.size());
    if (!ip) return seen;
    seen.ip = *ip;
    const Bytes rest = packet.subspan(ip->header_length, ip->payload_length);
    if (ip->protocol == kProtocolIcmp || ip->protocol == kProtocolIcmpv6) seen.kind = SeenPacket::Kind::Icmp;
    if (ip->protocol != kProtocolUdp) return seen;
    const auto udp = UdpHeader::parse(rest, rest.size());
    if (!udp) return seen;
    seen.source_port = udp->source_port;
    seen.destination_port = udp->destination_port;
    if (udp->destination_port == kGenevePort) {
        look_at_geneve(rest.first(udp->length).subspan(UdpHeader::kSize), seen);
    } else if (udp->destination_port == kVxlanPort) {
        look_at_vxlan(rest.first(udp->length).subspan(UdpHeader::kSize), seen);
    } else {
        seen.kind = SeenPacket::Kind::Datagram;
        if (const auto message = ControlMessage::parse(rest.first(udp->length).subspan(UdpHeader::kSize))) {
            seen.control = message->header;
            seen.body.assign(message->body.begin(), message->body.end());
        }
    }
    return seen;
}

void mend_ip(std::vector<std::uint8_t>& frame) {
    const MutableBytes ip = MutableBytes(frame).subspan(kOuterIp);
    store_u16(&ip[10], 0);
    store_u16(&ip[10], checksum_finish(checksum_add(ip.first(static_cast<std::size_t>(ip[0] & 0xf) * 4))));
}

void mend_udp(std::vector<std::uint8_t>& frame) {
    const auto ip =
        IpHeader::parse(load_u16(&frame[12]), Bytes(frame).subspan(kOuterIp), frame.size() - kOuterIp);
    if (!ip) return;
    const MutableBytes datagram =
        MutableBytes(frame).subspan(kOuterIp + ip->header_length, ip->payload_length);
    store_u16(&datagram[6], 0);
    store_u16(&datagram[6], udp_checksum(ip->source, ip->destination, Bytes(datagram)));
}

void set_outer_ecn(std::vector<std::uint8_t>& frame, Ecn ecn) {
    const MutableBytes ip = MutableBytes(frame).subspan(kOuterIp);
    if (load_u16(&frame[12]) == kEtherTypeIpv4) {
        set_ipv4_ecn(ip, ecn);
    } else {
        set_ipv6_ecn(ip, ecn);
    }
}

void count_ttl_down(std::vector<std::uint8_t>& frame, std::uint8_t hops) {
    const MutableBytes ip = MutableBytes(frame).subspan(kOuterIp);
    if (load_u16(&frame[12]) == kEtherTypeIpv6) {
        set_ipv6_hop_limit(ip, static_cast<std::uint8_t>(ip[7] - hops));
    } else {
        set_ipv4_ttl(ip, static_cast<std::uint8_t>(ip[8] - hops));
    }
}

std::size_t outer_udp_of(Bytes frame) {
    return load_u16(&frame[12]) == kEtherTypeIpv6 ? kOuterIp + Ipv6Header::kSize : kOuterUdp;
}

}  // namespace dyetrace::test
