// SPDX-License-Identifier: GPL-2.0-or-later
// Whole underlay frames around a control payload.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/wire/ipv4.h"

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
};

/// Ethernet / IP / UDP / Geneve with the O bit / message: to another EPPC.
std::vector<std::uint8_t> build_geneve_control(const ControlRoute& route, Bytes message);
/// Ethernet / IP / UDP with checksum / message: between an EPPC and the NHMS.
std::vector<std::uint8_t> build_datagram(const ControlRoute& route, Bytes message);

}  // namespace dyetrace::eppc
