// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/packet_builder.h"

#include <algorithm>

#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/udp.h"

namespace dyetrace::eppc {
namespace {

constexpr std::size_t kIp = wire::EthernetHeader::kSize;
constexpr std::size_t kUdp = kIp + wire::Ipv4Header::kSize;
constexpr std::size_t kUdpPayload = kUdp + wire::UdpHeader::kSize;

/// A frame with everything up to the UDP header written, for `payload_size` bytes of UDP payload.
std::vector<std::uint8_t> start_frame(const ControlRoute& route, std::size_t payload_size) {
    std::vector<std::uint8_t> frame(kUdpPayload + payload_size);
    const MutableBytes bytes(frame);
    wire::EthernetHeader{route.next_hop_mac, route.source_mac, wire::kEtherTypeIpv4}.encode_into(bytes);
    wire::Ipv4Header ip;
    ip.dscp = route.dscp;
    ip.total_length = static_cast<std::uint16_t>(frame.size() - kIp);
    ip.identification = route.identification;
    ip.ttl = route.ttl;
    ip.protocol = wire::kProtocolUdp;
    ip.source = route.source.address.ipv4();
    ip.destination = route.destination.address.ipv4();
    ip.encode_into(bytes.subspan(kIp));
    wire::UdpHeader udp;
    udp.source_port = route.source.port;
    udp.destination_port = route.destination.port;
    udp.length = static_cast<std::uint16_t>(frame.size() - kUdp);
    udp.encode_into(bytes.subspan(kUdp));
    return frame;
}

void write_checksum(const ControlRoute& route, std::vector<std::uint8_t>& frame) {
    const MutableBytes datagram = MutableBytes(frame).subspan(kUdp);
    store_u16(&datagram[6],
              wire::udp_checksum(route.source.address.ipv4(), route.destination.address.ipv4(), datagram));
}

}  // namespace

std::vector<std::uint8_t> build_geneve_control(const ControlRoute& route, Bytes message) {
    std::vector<std::uint8_t> frame = start_frame(route, wire::GeneveHeader::kSize + message.size());
    wire::GeneveHeader geneve;
    geneve.control = true;
    geneve.protocol_type = wire::kEtherTypeControl;
    geneve.encode_into(MutableBytes(frame).subspan(kUdpPayload));
    std::copy(message.begin(), message.end(), frame.begin() + kUdpPayload + wire::GeneveHeader::kSize);
    if (route.has_checksum) write_checksum(route, frame);
    return frame;
}

std::vector<std::uint8_t> build_datagram(const ControlRoute& route, Bytes message) {
    std::vector<std::uint8_t> frame = start_frame(route, message.size());
    std::copy(message.begin(), message.end(), frame.begin() + kUdpPayload);
    write_checksum(route, frame);
    return frame;
}

}  // namespace dyetrace::eppc
