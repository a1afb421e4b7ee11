// SPDX-License-Identifier: GPL-2.0-or-later
// The outer headers of data packets to one peer: Ethernet, IPv4 or IPv6, UDP and Geneve, written once; a
// packet copies them and changes what differs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/eppc/config.h"
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

}  // namespace dyetrace::eppc
