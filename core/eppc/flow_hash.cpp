// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/flow_hash.h"

#include "core/base/random.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"

namespace dyetrace::eppc {
namespace {

constexpr std::size_t kIp = wire::EthernetHeader::kSize;

bool has_ports(std::uint8_t protocol) {
    return protocol == wire::kProtocolTcp || protocol == wire::kProtocolUdp;
}

std::uint64_t ipv4_hash(Bytes ip, std::uint64_t seed) {
    std::uint64_t hash = mix64(load_u64(&ip[12]) ^ seed);  // both addresses
    const std::uint8_t protocol = ip[9];
    std::uint64_t rest = protocol;
    const bool fragment = (load_u16(&ip[6]) & 0x3fff) != 0;  // more fragments, or an offset
    const std::size_t header = static_cast<std::size_t>(ip[0] & 0xf) * 4;
    if (has_ports(protocol) && !fragment && ip.size() >= header + 4) {
        rest |= static_cast<std::uint64_t>(load_u32(&ip[header])) << 8;
    }
    return mix64(hash ^ rest);
}

}  // namespace

std::uint64_t flow_hash(Bytes frame, std::uint64_t seed) {
    const Bytes ip = frame.subspan(kIp);
    if (load_u16(&frame[12]) == wire::kEtherTypeIpv4 && ip.size() >= wire::Ipv4Header::kSize &&
        ip[0] >> 4 == 4) {
        return ipv4_hash(ip, seed);
    }
    const std::uint64_t low = load_u64(&frame[0]);
    const std::uint64_t high = static_cast<std::uint64_t>(load_u32(&frame[8])) << 16 | load_u16(&frame[12]);
    return mix64(mix64(low ^ seed) ^ high);
}

}  // namespace dyetrace::eppc
