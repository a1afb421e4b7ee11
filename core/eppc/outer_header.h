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
    /// Fills in the UDP checksum where there is one: last of all, when every byte stands.
    void write_checksum(const wire::FrameBuffer& frame) const;

  private:
    void write_ipv4(std::uint8_t* out, const OuterFields& fields, std::size_t size) const;
    void write_ipv6(std::uint8_t* out, const OuterFields& fields, std::size_t size) const;

    std::array<std::uint8_t, kSizeMost> bytes_{};  ///< what differs, and the checksum, is zero
    std::uint8_t size_ = 0;
    std::uint8_t udp_ = 0;  ///< offset of the UDP header
    bool is_ipv4_ = true;
    bool has_checksum_ = false;
    wire::Encapsulation encapsulation_ = wire::Encapsulation::Geneve;
    std::uint16_t header_sum_ = 0;  ///< of the IPv4 header as it stands here, without its checksum
    std::uint16_t pseudo_sum_ = 0;  ///< of the pseudo-header without the length
};

inline void OuterHeader::write_ipv4(std::uint8_t* out, const OuterFields& fields, std::size_t size) const {
    // By whole words, which is also how the header's checksum is verified: a look at bytes that were just
    // written apart waits for them.
    constexpr std::size_t kIp = wire::EthernetHeader::kSize;
    std::memcpy(out, bytes_.data(), kIp);
    std::memcpy(out + kIp, &bytes_[kIp], kSizeOverIpv4 - kIp);
    const auto ecn = static_cast<std::uint32_t>(fields.ecn);
    const auto total_length = static_cast<std::uint32_t>(size - kIp);
    const std::uint16_t checksum =
        wire::checksum_finish(std::uint64_t{header_sum_} + ecn + total_length + fields.identification);
    std::uint8_t* const ip = out + kIp;
    const std::uint8_t* const before = &bytes_[kIp];
    store_u32(ip, load_u32(before) | ecn << 16 | total_length);
    store_u32(ip + 4, std::uint32_t{fields.identification} << 16 | load_u16(before + 6));
    store_u32(ip + 8, std::uint32_t{load_u16(before + 8)} << 16 | checksum);
}

inline void OuterHeader::write_ipv6(std::uint8_t* out, const OuterFields& fields, std::size_t size) const {
    constexpr std::size_t kIp = wire::EthernetHeader::kSize;
    std::memcpy(out, bytes_.data(), kSizeMost);
    const std::uint32_t traffic_class = static_cast<std::uint32_t>(fields.ecn) << 20;
    store_u32(out + kIp, load_u32(&bytes_[kIp]) | traffic_class | fields.flow_label);
    store_u16(out + kIp + 4, static_cast<std::uint16_t>(size - udp_));
}

inline void OuterHeader::write(const wire::FrameBuffer& frame, const OuterFields& fields) const {
    std::uint8_t* const out = frame.head().data();
    const std::size_t size = frame.wire_size();
    if (is_ipv4_) {
        write_ipv4(out, fields, size);
    } else {
        write_ipv6(out, fields, size);
    }
    std::uint8_t* const udp = out + udp_;
    store_u16(udp, fields.source_port);
    store_u16(udp + 4, static_cast<std::uint16_t>(size - udp_));
    // The VNI stands in one place in both; the length of options is Geneve's first byte, and zero for VXLAN.
    std::uint8_t* const tunnel = udp + wire::UdpHeader::kSize;
    tunnel[0] = static_cast<std::uint8_t>(bytes_[udp_ + wire::UdpHeader::kSize] | fields.options_length / 4);
    store_u32(tunnel + 4, fields.vni.value << 8);
}

}  // namespace dyetrace::eppc
