// SPDX-License-Identifier: GPL-2.0-or-later
// Guests' frames of both IP versions, as far as sampling looks at them. Checksums are not made.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/wire/ethernet.h"
#include "core/wire/inner_packet.h"
#include "core/wire/vlan.h"

namespace dyetrace::test {

struct FlowOf {
    IpAddress source = Ipv4Address{0xc0a80001};
    IpAddress destination = Ipv4Address{0xc0a80002};
    std::uint8_t protocol = 17;
    std::uint16_t source_port = 1000;
    std::uint16_t destination_port = 2000;
    std::uint16_t identification = 0x1234;
};

/// `payload` bytes 0, 1, 2, ... behind the EtherType.
inline std::vector<std::uint8_t> ethernet_frame(std::uint16_t ether_type, std::size_t payload) {
    std::vector<std::uint8_t> frame(14 + payload);
    for (std::size_t i = 0; i < payload; ++i)
        frame[14 + i] = static_cast<std::uint8_t>(i);
    frame[5] = 2;
    frame[11] = 1;
    store_u16(&frame[12], ether_type);
    return frame;
}

inline std::vector<std::uint8_t> ipv4_frame(const FlowOf& flow) {
    std::vector<std::uint8_t> frame = ethernet_frame(wire::kEtherTypeIpv4, 120);
    std::uint8_t* ip = &frame[14];
    ip[0] = 0x45;
    store_u16(ip + 2, 120);
    store_u16(ip + 4, flow.identification);
    store_u16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = flow.protocol;
    store_u32(ip + 12, flow.source.is_ipv4() ? flow.source.ipv4().value : 0);
    store_u32(ip + 16, flow.destination.is_ipv4() ? flow.destination.ipv4().value : 0);
    store_u16(ip + 20, flow.source_port);
    store_u16(ip + 22, flow.destination_port);
    return frame;
}

inline std::vector<std::uint8_t> ipv6_frame(const FlowOf& flow) {
    std::vector<std::uint8_t> frame = ethernet_frame(wire::kEtherTypeIpv6, 140);
    std::uint8_t* ip = &frame[14];
    ip[0] = 0x60;
    store_u16(ip + 4, 100);
    ip[6] = flow.protocol;
    ip[7] = 64;
    store_ip(ip + 8, flow.source);
    store_ip(ip + 24, flow.destination);
    store_u16(ip + 40, flow.source_port);
    store_u16(ip + 42, flow.destination_port);
    return frame;
}

inline std::vector<std::uint8_t> with_vlan(std::vector<std::uint8_t> frame, std::uint16_t tag,
                                           std::uint16_t ether_type = wire::kEtherTypeVlan) {
    const std::uint8_t bytes[4] = {static_cast<std::uint8_t>(ether_type >> 8),
                                   static_cast<std::uint8_t>(ether_type), static_cast<std::uint8_t>(tag >> 8),
                                   static_cast<std::uint8_t>(tag)};
    frame.insert(frame.begin() + 12, bytes, bytes + 4);
    return frame;
}

}  // namespace dyetrace::test
