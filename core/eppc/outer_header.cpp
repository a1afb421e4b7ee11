// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/outer_header.h"

#include <cstring>

#include "core/wire/checksum.h"

namespace dyetrace::eppc {
namespace {

constexpr std::size_t kIp = wire::EthernetHeader::kSize;

}  // namespace

OuterHeader::OuterHeader(const EppcConfig& config, const IpAddress& peer, wire::Encapsulation encapsulation,
                         bool has_checksum)
    : is_ipv4_(peer.is_ipv4()), has_checksum_(has_checksum), encapsulation_(encapsulation) {
    const MutableBytes bytes(bytes_);
    wire::EthernetHeader{config.gateway_mac, config.mac,
                         is_ipv4_ ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6}
        .encode_into(bytes);
    if (is_ipv4_) {
        wire::Ipv4Header ip;
        ip.dscp = config.dscp;
        ip.protocol = wire::kProtocolUdp;
        ip.source = config.address.ipv4();
        ip.destination = peer.ipv4();
        ip.encode_into(bytes.subspan(kIp));
        store_u16(&bytes_[kIp + 10], 0);
        header_sum_ = wire::checksum_fold(wire::checksum_add(bytes.subspan(kIp, wire::Ipv4Header::kSize)));
    } else {
        wire::Ipv6Header ip;
        ip.dscp = config.dscp;
        ip.next_header = wire::kProtocolUdp;
        ip.source = config.address;
        ip.destination = peer;
        ip.encode_into(bytes.subspan(kIp));
    }
    pseudo_sum_ = wire::checksum_fold(wire::pseudo_header_sum(config.address, peer, wire::kProtocolUdp, 0));
    udp_ = static_cast<std::uint8_t>(kIp + (is_ipv4_ ? wire::Ipv4Header::kSize : wire::Ipv6Header::kSize));
    wire::UdpHeader udp;
    udp.destination_port = is_vxlan() ? config.vxlan_port : config.geneve_port;
    udp.encode_into(bytes.subspan(udp_));
    const MutableBytes tunnel = bytes.subspan(udp_ + wire::UdpHeader::kSize);
    static_assert(wire::GeneveHeader::kSize == wire::VxlanHeader::kSize);
    if (is_vxlan()) {
        wire::VxlanHeader{}.encode_into(tunnel);
    } else {
        wire::GeneveHeader geneve;
        geneve.protocol_type = wire::kEtherTypeEthernet;
        geneve.encode_into(tunnel);
    }
    size_ = static_cast<std::uint8_t>(udp_ + wire::UdpHeader::kSize + wire::GeneveHeader::kSize);
}

void OuterHeader::write(const wire::FrameBuffer& frame, const OuterFields& fields) const {
    std::uint8_t* const out = frame.head().data();
    // Two lengths that the compiler knows, so that these are a few moves and no call.
    static_assert(kSizeMost - kSizeOverIpv4 == wire::Ipv6Header::kSize - wire::Ipv4Header::kSize);
    if (is_ipv4_) {
        std::memcpy(out, bytes_.data(), kSizeOverIpv4);
    } else {
        std::memcpy(out, bytes_.data(), kSizeMost);
    }
    const std::size_t size = frame.wire_size();
    std::uint8_t* const ip = out + kIp;
    const auto ecn = static_cast<std::uint8_t>(fields.ecn);
    if (is_ipv4_) {
        const auto total_length = static_cast<std::uint16_t>(size - kIp);
        ip[1] = static_cast<std::uint8_t>(bytes_[kIp + 1] | ecn);
        store_u16(ip + 2, total_length);
        store_u16(ip + 4, fields.identification);
        store_u16(ip + 10, wire::checksum_finish(std::uint64_t{header_sum_} + ecn + total_length +
                                                 fields.identification));
    } else {
        store_u32(ip, load_u32(&bytes_[kIp]) | static_cast<std::uint32_t>(ecn) << 20 | fields.flow_label);
        store_u16(ip + 4, static_cast<std::uint16_t>(size - udp_));
    }
    std::uint8_t* const udp = out + udp_;
    store_u16(udp, fields.source_port);
    store_u16(udp + 4, static_cast<std::uint16_t>(size - udp_));
    // The VNI stands in one place in both; the length of options is Geneve's first byte, and zero for VXLAN.
    std::uint8_t* const tunnel = udp + wire::UdpHeader::kSize;
    tunnel[0] = static_cast<std::uint8_t>(bytes_[udp_ + wire::UdpHeader::kSize] | fields.options_length / 4);
    store_u32(tunnel + 4, fields.vni.value << 8);
}

void OuterHeader::write_checksum(const wire::FrameBuffer& frame) const {
    if (!has_checksum_) return;
    const wire::PartlyHeld datagram = frame.from(udp_);
    const std::uint16_t sum =
        wire::checksum_finish(wire::checksum_add(datagram, pseudo_sum_ + std::uint64_t{datagram.size()}));
    store_u16(frame.head().data() + udp_ + 6, sum == 0 ? 0xffff : sum);  // RFC 768, RFC 8200 §8.1
}

}  // namespace dyetrace::eppc
