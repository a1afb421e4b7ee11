// SPDX-License-Identifier: GPL-2.0-or-later
// Whole underlay frames around a control payload.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/wire/ipv4.h"
#include "core/wire/session_messages.h"

namespace dyetrace::eppc {

/// Where a control packet goes, and how.
struct ControlRoute {
    MacAddress source_mac;
    MacAddress next_hop_mac;
    Endpoint source;  ///< of the same version as `destination`
    Endpoint destination;
    std::uint8_t ttl = wire::Ipv4Header::kTtlDefault;
    std::uint8_t dscp = 0;
    std::uint16_t identification = 0;  ///< IPv4
    std::uint32_t flow_label = 0;      ///< IPv6
    bool has_checksum = false;         ///< UDP's, of what goes to another EPPC
    wire::Encapsulation encapsulation = wire::Encapsulation::Geneve;
    Vni vxlan_vni;  ///< VXLAN: the reserved one
};

/// Destination of the inner Ethernet header of control messages over VXLAN: nobody's, locally administered.
constexpr MacAddress kVxlanControlMac{{0x02, 0x00, 0x00, 0x00, 0x88, 0xb5}};

/// To another EPPC, on the data path's own 5-tuple:
/// Ethernet / IP / UDP / Geneve with the O bit / message, or
/// Ethernet / IP / UDP / VXLAN in the reserved VNI / Ethernet with the local-experimental EtherType /
/// message.
std::vector<std::uint8_t> build_control(const ControlRoute& route, Bytes message);
/// Ethernet / IP / UDP with checksum / message: between an EPPC and the NHMS.
std::vector<std::uint8_t> build_datagram(const ControlRoute& route, Bytes message);

}  // namespace dyetrace::eppc
