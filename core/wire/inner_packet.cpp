// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/inner_packet.h"

#include "core/wire/guest_frame.h"

namespace dyetrace::wire {
namespace {

void read_ports(Bytes payload, InnerPacket& packet) {
    if (!has_ports(packet.protocol) || payload.size() < 4) return;
    packet.has_ports = true;
    packet.source_port = load_u16(&payload[0]);
    packet.destination_port = load_u16(&payload[2]);
}

void read_ipv4(Bytes ip, InnerPacket& packet) {
    const std::size_t header = static_cast<std::size_t>(ip[0] & 0xf) * 4;
    if (header < Ipv4Header::kSize || header > ip.size()) return;
    packet.is_ip = true;
    packet.protocol = ip[9];
    packet.source = Ipv4Address{load_u32(&ip[12])};
    packet.destination = Ipv4Address{load_u32(&ip[16])};
    packet.payload_offset += header;
    const bool fragment = (load_u16(&ip[6]) & 0x3fff) != 0;  // more fragments, or an offset
    if (!fragment) read_ports(ip.subspan(header), packet);
}

void read_ipv6(Bytes ip, InnerPacket& packet) {
    packet.is_ip = true;
    packet.protocol = ip[6];
    packet.source = load_ip(&ip[8]);
    packet.destination = load_ip(&ip[24]);
    packet.payload_offset += Ipv6Header::kSize;
    read_ports(ip.subspan(Ipv6Header::kSize), packet);
}

}  // namespace

InnerPacket InnerPacket::parse(Bytes frame) {
    DYETRACE_ASSERT(frame.size() >= EthernetHeader::kSize);
    const GuestFrame headers = inspect_guest_frame(frame);
    InnerPacket packet;
    packet.ether_type = headers.ether_type;
    packet.network_offset = packet.payload_offset = headers.payload_offset;
    const Bytes network = frame.subspan(packet.network_offset);
    if (headers.kind == GuestFrame::Kind::Ipv4) read_ipv4(network, packet);
    if (headers.kind == GuestFrame::Kind::Ipv6) read_ipv6(network, packet);
    return packet;
}

}  // namespace dyetrace::wire
