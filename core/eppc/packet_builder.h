// SPDX-License-Identifier: GPL-2.0-or-later
// Whole underlay frames around a control payload.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/wire/control.h"
#include "core/wire/ipv4.h"

namespace dyetrace::eppc {

/// Where a control packet goes.
struct ControlRoute {
    MacAddress source_mac;
    MacAddress next_hop_mac;
    Endpoint source;
    Endpoint destination;
    std::uint8_t ttl = wire::Ipv4Header::kTtlDefault;
    std::uint8_t dscp = 0;
    std::uint16_t identification = 0;
};

/// Header and body as one message with room for its tag, which is left zero.
std::vector<std::uint8_t> encode_message(const wire::ControlHeader& header, Bytes body);
/// Puts the tag at the end of an encoded message.
void set_tag(MutableBytes message, const wire::ControlTag& tag);

/// Ethernet / IPv4 / UDP / Geneve with the O bit / message: to another EPPC.
std::vector<std::uint8_t> build_geneve_control(const ControlRoute& route, Bytes message);
/// Ethernet / IPv4 / UDP with checksum / message: between an EPPC and the NHMS.
std::vector<std::uint8_t> build_datagram(const ControlRoute& route, Bytes message);

}  // namespace dyetrace::eppc
