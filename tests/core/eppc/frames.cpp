// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/core/eppc/frames.h"

#include <algorithm>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/udp.h"

namespace dyetrace::test {

using namespace dyetrace::wire;

std::vector<std::uint8_t> GuestPacket::frame() const {
    constexpr std::size_t kIp = EthernetHeader::kSize;
    constexpr std::size_t kUdp = kIp + Ipv4Header::kSize;
    constexpr std::size_t kPayload = kUdp + UdpHeader::kSize;
    std::vector<std::uint8_t> bytes(kPayload + payload);
    const MutableBytes all(bytes);
    EthernetHeader{destination_mac, source_mac, kEtherTypeIpv4}.encode_into(all);
    Ipv4Header ip;
    ip.ecn = ecn;
    ip.total_length = static_cast<std::uint16_t>(bytes.size() - kIp);
    ip.protocol = kProtocolUdp;
    ip.source = source;
    ip.destination = destination;
    ip.encode_into(all.subspan(kIp));
    UdpHeader udp;
    udp.source_port = source_port;
    udp.destination_port = destination_port;
    udp.length = static_cast<std::uint16_t>(bytes.size() - kUdp);
    udp.encode_into(all.subspan(kUdp));
    for (std::size_t i = kPayload; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i);
    store_u16(&bytes[kUdp + 6], udp_checksum(source, destination, all.subspan(kUdp)));
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
        if (option->option_class != TrackOption::kClassDefault || option->type != TrackOption::kType)
            continue;
        if (const auto track = TrackOption::parse(option->data)) seen.track = *track;
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

}  // namespace

SeenPacket look_at(Bytes frame) {
    SeenPacket seen;
    if (frame.size() < EthernetHeader::kSize) return seen;
    const Bytes packet = frame.subspan(EthernetHeader::kSize);
    const auto ip = Ipv4Header::parse(packet, packet.size());
    if (!ip) return seen;
    seen.ip = *ip;
    const Bytes rest = packet.first(ip->total_length).subspan(ip->header_length);
    if (ip->protocol == kProtocolIcmp) seen.kind = SeenPacket::Kind::Icmp;
    if (ip->protocol != kProtocolUdp) return seen;
    const auto udp = UdpHeader::parse(rest, rest.size());
    if (!udp) return seen;
    seen.source_port = udp->source_port;
    seen.destination_port = udp->destination_port;
    if (udp->destination_port == kGenevePort) {
        look_at_geneve(rest.first(udp->length).subspan(UdpHeader::kSize), seen);
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
    const MutableBytes ip = MutableBytes(frame).subspan(kOuterIp);
    const MutableBytes datagram = MutableBytes(frame).subspan(kOuterUdp);
    store_u16(&datagram[6], 0);
    store_u16(&datagram[6],
              udp_checksum(Ipv4Address{load_u32(&ip[12])}, Ipv4Address{load_u32(&ip[16])}, datagram));
}

}  // namespace dyetrace::test
