// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/outer_header.h"

#include <algorithm>
#include <array>

#include "core/wire/checksum.h"

namespace dyetrace::eppc {
namespace {

constexpr std::size_t kIp = wire::EthernetHeader::kSize;

}  // namespace

OuterHeader::OuterHeader(const EppcConfig& config, const IpAddress& peer, wire::Encapsulation encapsulation,
                         bool has_checksum)
    : is_ipv4_(peer.is_ipv4()), has_checksum_(has_checksum), encapsulation_(encapsulation) {
    const MutableBytes ethernet(ethernet_);
    wire::EthernetHeader{config.gateway_mac, config.mac,
                         is_ipv4_ ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6}
        .encode_into(ethernet);
    std::array<std::uint8_t, wire::Ipv6Header::kSize> header{};
    if (is_ipv4_) {
        wire::Ipv4Header ip;
        ip.dscp = config.dscp;
        ip.protocol = wire::kProtocolUdp;
        ip.source = config.address.ipv4();
        ip.destination = peer.ipv4();
        ip.encode_into(header);
        store_u16(&header[10], 0);
        header_sum_ = wire::checksum_fold(wire::checksum_add(Bytes(header).first(wire::Ipv4Header::kSize)));
        ttl_protocol_ = load_u16(&header[8]);
        std::copy_n(&header[12], 8, addresses_.begin());
    } else {
        wire::Ipv6Header ip;
        ip.dscp = config.dscp;
        ip.next_header = wire::kProtocolUdp;
        ip.source = config.address;
        ip.destination = peer;
        ip.encode_into(header);
        std::copy_n(&header[8], addresses_.size(), addresses_.begin());
    }
    ip_ = load_u64(header.data());
    pseudo_sum_ = wire::checksum_fold(wire::pseudo_header_sum(config.address, peer, wire::kProtocolUdp, 0));
    udp_ = static_cast<std::uint8_t>(kIp + (is_ipv4_ ? wire::Ipv4Header::kSize : wire::Ipv6Header::kSize));
    wire::UdpHeader udp;
    udp.destination_port = is_vxlan() ? config.vxlan_port : config.geneve_port;
    udp.encode_into(header);
    udp_header_ = load_u64(header.data());
    static_assert(wire::GeneveHeader::kSize == wire::VxlanHeader::kSize);
    if (is_vxlan()) {
        wire::VxlanHeader{}.encode_into(header);
    } else {
        wire::GeneveHeader geneve;
        geneve.protocol_type = wire::kEtherTypeEthernet;
        geneve.encode_into(header);
    }
    tunnel_ = load_u64(header.data());
    size_ = static_cast<std::uint8_t>(udp_ + wire::UdpHeader::kSize + wire::GeneveHeader::kSize);
}

void OuterHeader::write_checksum(const wire::FrameBuffer& frame) const {
    const wire::PartlyHeld datagram = frame.from(udp_);
    const std::uint16_t sum =
        wire::checksum_finish(wire::checksum_add(datagram, pseudo_sum_ + std::uint64_t{datagram.size()}));
    store_u16(frame.head().data() + udp_ + 6, sum == 0 ? 0xffff : sum);  // RFC 768, RFC 8200 §8.1
}

}  // namespace dyetrace::eppc
