// SPDX-License-Identifier: GPL-2.0-or-later
// The outer headers of data packets to one peer: Ethernet, IPv4 or IPv6, UDP and Geneve, written once; a
// packet copies them and changes what differs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/eppc/config.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/geneve.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"
#include "core/wire/vxlan.h"

namespace dyetrace::eppc {

/// What differs from packet to packet.
struct OuterFields {
    wire::Ecn ecn = wire::Ecn::NotEct;
    std::uint16_t identification = 0;  ///< IPv4
    std::uint32_t flow_label = 0;      ///< IPv6
    std::uint16_t source_port = 0;
    Vni vni;
    std::size_t options_length = 0;  ///< of Geneve, which follow the headers
};

class OuterHeader {
  public:
    static constexpr std::size_t kSizeOverIpv4 = wire::EthernetHeader::kSize + wire::Ipv4Header::kSize +
                                                 wire::UdpHeader::kSize + wire::GeneveHeader::kSize;
    static constexpr std::size_t kSizeMost = wire::EthernetHeader::kSize + wire::Ipv6Header::kSize +
                                             wire::UdpHeader::kSize + wire::GeneveHeader::kSize;

    OuterHeader() = default;
    OuterHeader(const EppcConfig& config, const IpAddress& peer, wire::Encapsulation encapsulation,
                bool has_checksum);

    /// Bytes that it adds in front of options and inner frame.
    [[nodiscard]] std::size_t size() const { return size_; }
    /// The same without the Ethernet header, which an MTU does not count.
    [[nodiscard]] std::size_t size_in_mtu() const { return size_ - wire::EthernetHeader::kSize; }
    [[nodiscard]] bool is_ipv4() const { return is_ipv4_; }
    [[nodiscard]] bool has_checksum() const { return has_checksum_; }
    [[nodiscard]] wire::Encapsulation encapsulation() const { return encapsulation_; }
    [[nodiscard]] bool is_vxlan() const { return encapsulation_ == wire::Encapsulation::Vxlan; }
    /// The most that options may add.
    [[nodiscard]] std::size_t options_most() const { return is_vxlan() ? 0 : wire::TrackOption::kSize; }

    /// Fills the frame's first `size()` bytes; the frame is as long as it will be sent.
    void write(const wire::FrameBuffer& frame, const OuterFields& fields) const;
    /// Fills in the UDP checksum, if it has one: last of all, when every byte stands.
    void write_checksum(const wire::FrameBuffer& frame) const;

  private:
    void write_ipv4(std::uint8_t* ip, const OuterFields& fields, std::size_t size) const;
    void write_ipv6(std::uint8_t* ip, const OuterFields& fields, std::size_t size) const;

    // The headers in words of eight bytes, in which what differs, and every checksum, is zero.
    std::array<std::uint8_t, 16> ethernet_{};   ///< two bytes more than the header, to be copied at once
    std::uint64_t ip_ = 0;                      ///< the first of the IP header
    std::array<std::uint8_t, 32> addresses_{};  ///< those of IP, as they stand in it
    std::uint64_t udp_header_ = 0;
    std::uint64_t tunnel_ = 0;
    std::uint16_t ttl_protocol_ = 0;  ///< IPv4
    std::uint8_t size_ = 0;
    std::uint8_t udp_ = 0;  ///< offset of the UDP header
    bool is_ipv4_ = true;
    bool has_checksum_ = false;
    wire::Encapsulation encapsulation_ = wire::Encapsulation::Geneve;
    std::uint16_t header_sum_ = 0;  ///< of the IPv4 header as it stands here, without its checksum
    std::uint16_t pseudo_sum_ = 0;  ///< of the pseudo-header without the length
};

inline void OuterHeader::write_ipv4(std::uint8_t* ip, const OuterFields& fields, std::size_t size) const {
    const auto ecn = static_cast<std::uint64_t>(fields.ecn);
    const std::uint16_t checksum = wire::checksum_finish(header_sum_ + ecn + size + fields.identification);
    store_u64(ip, ip_ | ecn << 48 | size << 32 | std::uint64_t{fields.identification} << 16);
    store_u32(ip + 8, std::uint32_t{ttl_protocol_} << 16 | checksum);
    std::memcpy(ip + 12, addresses_.data(), 8);
}

inline void OuterHeader::write_ipv6(std::uint8_t* ip, const OuterFields& fields, std::size_t size) const {
    const std::uint64_t payload_length = size - wire::Ipv6Header::kSize;
    store_u64(ip, ip_ | static_cast<std::uint64_t>(fields.ecn) << 52 |
                      std::uint64_t{fields.flow_label} << 32 | payload_length << 16);
    std::memcpy(ip + 8, addresses_.data(), addresses_.size());
}

inline void OuterHeader::write(const wire::FrameBuffer& frame, const OuterFields& fields) const {
    // By whole words, which is also how they are read: a look at bytes that were just written apart waits
    // for them.
    constexpr std::size_t kIp = wire::EthernetHeader::kSize;
    std::uint8_t* const out = frame.head().data();
    const std::size_t size = frame.wire_size();
    std::memcpy(out, ethernet_.data(), ethernet_.size());
    if (is_ipv4_) {
        write_ipv4(out + kIp, fields, size - kIp);
    } else {
        write_ipv6(out + kIp, fields, size - kIp);
    }
    std::uint8_t* const udp = out + udp_;
    store_u64(udp, udp_header_ | std::uint64_t{fields.source_port} << 48 | (size - udp_) << 16);
    // The VNI stands in one place in both; the length of options is Geneve's first byte, and zero for VXLAN.
    store_u64(udp + wire::UdpHeader::kSize,
              tunnel_ | std::uint64_t{fields.options_length} << 54 | std::uint64_t{fields.vni.value} << 8);
}

}  // namespace dyetrace::eppc
