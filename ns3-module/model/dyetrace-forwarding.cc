// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-forwarding.h"

#include <algorithm>
#include <cstring>

#include "dyetrace-ecmp-hash.h"
#include "dyetrace-icmp.h"
#include "dyetrace-packet.h"

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"

namespace ns3 {

namespace wire = dyetrace::wire;

namespace {

constexpr uint32_t kEthernetBytes = wire::EthernetHeader::kSize;
constexpr uint32_t kIpv4Bytes = wire::Ipv4Header::kSize;
constexpr uint32_t kIpv6Bytes = wire::Ipv6Header::kSize;

/// fd00::/96, which all addresses of the fabric are in (DyetraceTopology::GetAddress6).
constexpr uint64_t kUniqueLocal = 0xfd00000000000000;

/// Salt, so that no two kinds of decision share a random number.
constexpr uint64_t kSaltSwitch = 0x7377697463680001;

/// Whether the header of 20 bytes sums up right. The sum does not depend on byte order (RFC 1071 section 2B).
bool IsChecksumRight(const uint8_t* ip) {
    uint32_t words[5];
    std::memcpy(words, ip, sizeof words);
    uint64_t sum = 0;
    for (const uint32_t word : words)
        sum += word;
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

bool IsIpv4Right(const DyetracePacket& packet) {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    const uint32_t wireBytes = packet.Length() - kEthernetBytes;
    if (ip[0] == 0x45) [[likely]]
        return IsChecksumRight(ip) && dyetrace::load_u16(ip + 2) <= wireBytes;
    return wire::Ipv4Header::parse({ip, packet.HeadLength() - kEthernetBytes}, wireBytes).ok();
}

bool IsIpv6Right(const DyetracePacket& packet) {
    if (packet.HeadLength() < kEthernetBytes + kIpv6Bytes) return false;
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    return ip[0] >> 4 == 6 && dyetrace::load_u16(ip + 4) <= packet.Length() - kEthernetBytes - kIpv6Bytes;
}

bool HasPorts(uint8_t protocol) {
    return protocol == wire::kProtocolUdp || protocol == wire::kProtocolTcp;
}

/// Source and destination port of UDP or TCP; 0 for other protocols and for fragments, of which only the
/// first has them.
uint32_t PortsOfIpv4(const DyetracePacket& packet) {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    if (!HasPorts(ip[9]) || (dyetrace::load_u16(ip + 6) & 0x3fff) != 0) return 0;
    const uint32_t offset = kEthernetBytes + static_cast<uint32_t>(ip[0] & 0xf) * 4;
    return offset + 4 <= packet.HeadLength() ? dyetrace::load_u32(packet.Frame() + offset) : 0;
}

uint32_t PortsOfIpv6(const DyetracePacket& packet) {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    constexpr uint32_t offset = kEthernetBytes + kIpv6Bytes;
    if (!HasPorts(ip[6]) || offset + 4 > packet.HeadLength()) return 0;
    return dyetrace::load_u32(packet.Frame() + offset);
}

uint64_t HashOf(uint64_t seed, DyetraceForwarding::Ip version, const DyetracePacket& packet) {
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    if (version == DyetraceForwarding::Ip::V4) [[likely]]
        return DyetraceEcmpHash(seed, dyetrace::load_u64(ip + 12), ip[9], PortsOfIpv4(packet));
    uint64_t addresses = 0;
    for (uint32_t offset = 8; offset < kIpv6Bytes; offset += 8)
        addresses = dyetrace::mix64(addresses ^ dyetrace::load_u64(ip + offset));
    return DyetraceEcmpHash(seed, addresses, ip[6], PortsOfIpv6(packet));
}

}  // namespace

DyetraceForwarding::DyetraceForwarding(const DyetraceTopology& topology, const Config& config)
    : m_topology(topology),
      m_routes(topology),
      m_icmpIntervalNs(config.icmpIntervalNs),
      m_icmpBurstNs(config.icmpIntervalNs * (static_cast<int64_t>(config.icmpBurst) - 1)),
      m_icmp(topology.GetNNodes()),
      m_macs(topology.GetNLinks()) {
    m_nodes.reserve(topology.GetNNodes());
    for (uint32_t number = 0; number < topology.GetNNodes(); ++number) {
        const DyetraceTopology::Node& from = topology.GetNode(number);
        Node node{};
        node.ecmpSeed = dyetrace::mix64(dyetrace::mix64(config.seed ^ kSaltSwitch) + number);
        node.firstPort = from.firstPort;
        node.rack = from.rack;
        node.address = from.address.Get();
        m_nodes.push_back(node);
    }
    for (uint32_t host = 0; host < topology.GetNHosts(); ++host)
        ++m_nodes[topology.GetRackSwitch(m_nodes[host].rack)].rackHosts;
    for (uint32_t port = 0; port < topology.GetNLinks(); ++port) {
        topology.GetMac(topology.GetTo(port)).CopyTo(m_macs[port].octets);
        topology.GetMac(topology.GetFrom(port)).CopyTo(m_macs[port].octets + 6);
    }
}

DyetraceForwarding::Ip DyetraceForwarding::Check(const DyetracePacket& packet) {
    if (packet.HeadLength() < kEthernetBytes + kIpv4Bytes) return Ip::Bad;
    const uint16_t etherType = dyetrace::load_u16(packet.Frame() + 12);
    if (etherType == wire::kEtherTypeIpv4) [[likely]]
        return IsIpv4Right(packet) ? Ip::V4 : Ip::Bad;
    return etherType == wire::kEtherTypeIpv6 && IsIpv6Right(packet) ? Ip::V6 : Ip::Bad;
}

bool DyetraceForwarding::IsLastHop(Ip version, const DyetracePacket& packet) {
    return packet.Frame()[kEthernetBytes + (version == Ip::V4 ? 8 : 7)] <= 1;
}

void DyetraceForwarding::TakeHop(Ip version, DyetracePacket& packet) {
    uint8_t* ip = packet.Frame() + kEthernetBytes;
    if (version == Ip::V4) [[likely]]
        return wire::set_ipv4_ttl(dyetrace::MutableBytes(ip, kIpv4Bytes), static_cast<uint8_t>(ip[8] - 1));
    wire::set_ipv6_hop_limit({ip, kIpv6Bytes}, static_cast<uint8_t>(ip[7] - 1));
}

bool DyetraceForwarding::MarkCongestion(Ip version, DyetracePacket& packet) {
    uint8_t* ip = packet.Frame() + kEthernetBytes;
    const uint32_t ecn = version == Ip::V4 ? ip[1] & 3 : ip[1] >> 4 & 3;
    if (ecn == 0) return false;
    if (version == Ip::V4) {
        wire::set_ipv4_ecn({ip, kIpv4Bytes}, wire::Ecn::Ce);
    } else {
        wire::set_ipv6_ecn({ip, kIpv6Bytes}, wire::Ecn::Ce);
    }
    return true;
}

// Of IPv6 too, where there are other bytes at that place, and another rack's line does no harm.
void DyetraceForwarding::Expect(uint32_t node, const DyetracePacket& packet) const {
    if (packet.HeadLength() < kEthernetBytes + kIpv4Bytes) return;
    const uint32_t rack = m_routes.GetRack(dyetrace::load_u32(packet.Frame() + kEthernetBytes + 16));
    if (rack != None) m_routes.Expect(node, rack);
}

uint32_t DyetraceForwarding::ChoosePort(uint32_t number, Ip version, const DyetracePacket& packet) const {
    const Node& node = m_nodes[number];
    const uint8_t* ip = packet.Frame() + kEthernetBytes;
    uint32_t destination;
    if (version == Ip::V4) [[likely]] {
        destination = dyetrace::load_u32(ip + 16);
    } else {
        if (dyetrace::load_u64(ip + 24) != kUniqueLocal || dyetrace::load_u32(ip + 32) != 0) return None;
        destination = dyetrace::load_u32(ip + 36);
    }
    const uint32_t rack = m_routes.GetRack(destination);
    if (rack == None) return None;
    if (rack == node.rack) {
        const uint32_t host = (destination & 0xff) - 2;
        return host < node.rackHosts ? node.firstPort + host : None;
    }
    const DyetraceRoutes::Group group = m_routes.GetGroup(number, rack);
    if (group.count == 1) return m_routes.GetPort(group.first);
    if (group.count == 0) return None;
    const uint64_t hash = HashOf(node.ecmpSeed, version, packet);
    return m_routes.GetPort(group.first + DyetraceEcmpChoice(hash, group.count));
}

void DyetraceForwarding::Rewrite(uint32_t port, DyetracePacket& packet) const {
    std::memcpy(packet.Frame(), m_macs[port].octets, sizeof m_macs[port].octets);
}

// The limit is a bucket that fills with time (GCRA): `dueNs` runs ahead of now by at most the burst.
DyetracePacket* DyetraceForwarding::Answer(DyetracePacketPool& pool, uint32_t number, Ip version,
                                           const DyetracePacket& packet, IcmpError error, uint32_t mtu,
                                           int64_t nowNs, uint32_t& port) {
    if (!DyetraceMayAnswer(version == Ip::V6, packet)) return nullptr;
    Icmp& icmp = m_icmp[number];
    if (icmp.dueNs - nowNs > m_icmpBurstNs) {
        ++m_icmpSuppressed;
        return nullptr;
    }
    icmp.dueNs = std::max(icmp.dueNs, nowNs) + m_icmpIntervalNs;
    const DyetraceIcmpError what{version == Ip::V6, error == IcmpError::TooBig, mtu};
    DyetracePacket* answer =
        DyetraceMakeIcmpError(pool, packet, what, m_nodes[number].address, ++icmp.identification);
    port = ChoosePort(number, version, *answer);
    if (port == None) {
        pool.Free(answer);
        return nullptr;
    }
    ++m_icmpSent;
    Rewrite(port, *answer);
    return answer;
}

}  // namespace ns3
