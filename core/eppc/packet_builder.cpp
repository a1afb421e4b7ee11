// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/packet_builder.h"

#include <algorithm>
#include <utility>

#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/ip.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"
#include "core/wire/vxlan.h"

namespace dyetrace::eppc {
namespace {

constexpr std::size_t kIp = wire::EthernetHeader::kSize;

/// A frame on its way to be written.
struct Draft {
    std::vector<std::uint8_t> frame;
    std::size_t udp = 0;  ///< offset of the UDP header

    [[nodiscard]] MutableBytes payload() { return MutableBytes(frame).subspan(udp + wire::UdpHeader::kSize); }
};

void write_ip(const ControlRoute& route, MutableBytes packet) {
    if (route.source.address.is_ipv4()) {
        wire::Ipv4Header ip;
        ip.dscp = route.dscp;
        ip.total_length = static_cast<std::uint16_t>(packet.size());
        ip.identification = route.identification;
        ip.ttl = route.ttl;
        ip.protocol = wire::kProtocolUdp;
        ip.source = route.source.address.ipv4();
        ip.destination = route.destination.address.ipv4();
        ip.encode_into(packet);
    } else {
        wire::Ipv6Header ip;
        ip.dscp = route.dscp;
        ip.flow_label = route.flow_label;
        ip.payload_length = static_cast<std::uint16_t>(packet.size() - wire::Ipv6Header::kSize);
        ip.next_header = wire::kProtocolUdp;
        ip.hop_limit = route.ttl;
        ip.source = route.source.address;
        ip.destination = route.destination.address;
        ip.encode_into(packet);
    }
}

/// A frame with everything up to the UDP header written, for `payload_size` bytes of UDP payload.
Draft start_frame(const ControlRoute& route, std::size_t payload_size) {
    Draft draft;
    draft.udp = kIp + wire::ip_header_size(route.source.address);
    draft.frame.resize(draft.udp + wire::UdpHeader::kSize + payload_size);
    const MutableBytes bytes(draft.frame);
    wire::EthernetHeader{route.next_hop_mac, route.source_mac,
                         route.source.address.is_ipv4() ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6}
        .encode_into(bytes);
    write_ip(route, bytes.subspan(kIp));
    wire::UdpHeader udp;
    udp.source_port = route.source.port;
    udp.destination_port = route.destination.port;
    udp.length = static_cast<std::uint16_t>(bytes.size() - draft.udp);
    udp.encode_into(bytes.subspan(draft.udp));
    return draft;
}

void write_checksum(const ControlRoute& route, Draft& draft) {
    const MutableBytes datagram = MutableBytes(draft.frame).subspan(draft.udp);
    store_u16(&datagram[6],
              wire::udp_checksum(route.source.address, route.destination.address, Bytes(datagram)));
}

}  // namespace

std::vector<std::uint8_t> build_control(const ControlRoute& route, Bytes message) {
    const bool is_vxlan = route.encapsulation == wire::Encapsulation::Vxlan;
    const std::size_t headers =
        is_vxlan ? wire::VxlanHeader::kSize + wire::EthernetHeader::kSize : wire::GeneveHeader::kSize;
    Draft draft = start_frame(route, headers + message.size());
    if (is_vxlan) {
        wire::VxlanHeader{route.vxlan_vni}.encode_into(draft.payload());
        wire::EthernetHeader{kVxlanControlMac, route.source_mac, wire::kEtherTypeControl}.encode_into(
            draft.payload().subspan(wire::VxlanHeader::kSize));
    } else {
        wire::GeneveHeader geneve;
        geneve.control = true;
        geneve.protocol_type = wire::kEtherTypeControl;
        geneve.encode_into(draft.payload());
    }
    std::copy(message.begin(), message.end(), draft.payload().begin() + static_cast<std::ptrdiff_t>(headers));
    if (route.has_checksum) write_checksum(route, draft);
    return std::move(draft.frame);
}

std::vector<std::uint8_t> build_datagram(const ControlRoute& route, Bytes message) {
    Draft draft = start_frame(route, message.size());
    std::copy(message.begin(), message.end(), draft.payload().begin());
    write_checksum(route, draft);
    return std::move(draft.frame);
}

}  // namespace dyetrace::eppc
