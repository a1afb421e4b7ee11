// SPDX-License-Identifier: GPL-2.0-or-later
// What a switch does with a packet, whatever carries it there: header check, next port, TTL, ICMP. The lean
// switches and the stock ones share it, so that they cannot decide differently. Not installed.
#ifndef DYETRACE_FORWARDING_H
#define DYETRACE_FORWARDING_H

#include <cstdint>
#include <vector>

#include "dyetrace-routes.h"
#include "dyetrace-topology.h"

#include "core/base/prefetch.h"

namespace ns3 {

struct DyetracePacket;
class DyetracePacketPool;

class DyetraceForwarding {
  public:
    static constexpr uint32_t None = DyetraceTopology::None;

    struct Config {
        uint64_t seed = 0;
        int64_t icmpIntervalNs = 0;  ///< least mean time between two ICMP messages of a switch; 0: no limit
        uint32_t icmpBurst = 1;      ///< messages that may follow each other at once
    };

    enum class Ip : uint8_t { Bad, V4, V6 };
    enum class IcmpError : uint8_t { TimeExceeded, TooBig };

    /// \param topology must outlive this
    DyetraceForwarding(const DyetraceTopology& topology, const Config& config);

    DyetraceRoutes& GetRoutes() { return m_routes; }

    /// What a router would forward the frame as (RFC 1812 section 5.2.2); Bad: it would drop it.
    static Ip Check(const DyetracePacket& packet);
    static bool IsLastHop(Ip ip, const DyetracePacket& packet);
    /// TTL or hop limit one less, and the header's checksum mended.
    static void TakeHop(Ip ip, DyetracePacket& packet);
    /// Sets CE where the packet is ECN-capable (RFC 3168 section 5). \return whether it has CE now
    static bool MarkCongestion(Ip ip, DyetracePacket& packet);
    /// The port towards the destination of a checked packet, or None.
    uint32_t ChoosePort(uint32_t node, Ip ip, const DyetracePacket& packet) const;
    /// Ask the memory for what ChoosePort and Rewrite will look at.
    /// @{
    void Expect(uint32_t node, const DyetracePacket& packet) const;
    void Expect(uint32_t port) const { dyetrace::prefetch_line(&m_macs[port]); }
    /// @}
    /// Ethernet addresses of a frame that leaves by `port`.
    void Rewrite(uint32_t port, DyetracePacket& packet) const;

    /// The ICMP message about a checked packet (RFC 792, RFC 1191, RFC 4443), ready to leave by `port`; null
    /// where none may be sent, there is no way back, or the rate limit forbids it. \param mtu of the link
    /// that was too narrow, bytes
    DyetracePacket* Answer(DyetracePacketPool& pool, uint32_t node, Ip ip, const DyetracePacket& packet,
                           IcmpError error, uint32_t mtu, int64_t nowNs, uint32_t& port);
    uint64_t GetIcmpSent() const { return m_icmpSent; }
    uint64_t GetIcmpSuppressed() const { return m_icmpSuppressed; }

  private:
    /// What choosing a port reads of a switch: half a cache line.
    struct Node {
        uint64_t ecmpSeed;
        uint32_t firstPort;
        uint32_t rack;
        uint32_t rackHosts;  ///< hosts of its own, which are its first ports
        uint32_t address;    ///< host byte order
        uint64_t padding;
    };
    struct Icmp {
        int64_t dueNs;  ///< when the rate limit is free again, counted without burst
        uint16_t identification;
    };

    const DyetraceTopology& m_topology;
    DyetraceRoutes m_routes;
    int64_t m_icmpIntervalNs;
    int64_t m_icmpBurstNs;
    std::vector<Node> m_nodes;
    std::vector<Icmp> m_icmp;
    struct Macs {
        uint8_t octets[12];  ///< destination and source of what leaves by a port
    };
    std::vector<Macs> m_macs;
    uint64_t m_icmpSent = 0;
    uint64_t m_icmpSuppressed = 0;
};

}  // namespace ns3

#endif  // DYETRACE_FORWARDING_H
