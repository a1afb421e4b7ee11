// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_ECMP_ROUTING_H
#define DYETRACE_ECMP_ROUTING_H

#include <cstdint>
#include <memory>
#include <vector>

#include <ns3/ipv4-header.h>
#include <ns3/ipv4-routing-protocol.h>
#include <ns3/net-device.h>
#include <ns3/nstime.h>
#include <ns3/packet.h>
#include <ns3/traced-callback.h>

#include "dyetrace-drop-cause.h"
#include "dyetrace-topology.h"

namespace ns3 {

class DyetraceForwarding;
struct DyetracePacket;
class DyetracePacketPool;

/// \ingroup dyetrace
/// The types that a member function takes its callbacks in: const references from ns-3.39 on, and values
/// before.
template <class Function>
struct DyetraceRouteInput;
template <class Class, class Unicast, class Multicast, class Local, class Error>
struct DyetraceRouteInput<bool (Class::*)(Ptr<const Packet>, const Ipv4Header&, Ptr<const NetDevice>, Unicast,
                                          Multicast, Local, Error)> {
    using UnicastType = Unicast;
    using MulticastType = Multicast;
    using LocalType = Local;
    using ErrorType = Error;
};

/**
 * \ingroup dyetrace
 * How the nodes of a fabric at the stock grade forward: equal-cost paths, chosen per flow by a hash with a
 * seed of the node's own. Same hash, seeds, tables and order of ports as at the lean grade, so same paths.
 *
 * A packet whose TTL runs out, or that is too long for its link, is answered by this protocol and not by
 * ns-3's ICMP, with the message, the identification and the rate limit of the lean grade's switches: so a
 * path's trace is the same to the byte.
 *
 * What is for an address of the node itself is delivered locally first, so applications may run on switches.
 * Only hosts, and the switches of racks, can be reached from elsewhere.
 */
class DyetraceEcmpRouting : public Ipv4RoutingProtocol {
  public:
    static TypeId GetTypeId();
    DyetraceEcmpRouting();
    ~DyetraceEcmpRouting() override;

    struct Config {
        const DyetraceTopology* topology = nullptr;  ///< must outlive this, and so must the next
        DyetraceForwarding* forwarding = nullptr;    ///< of the fabric: tables, hash, and ICMP
        uint32_t node = 0;
    };
    /// Must come before traffic. With no topology, nothing is routed any more.
    /// \param ports the node's devices, in the topology's order
    void Configure(Config config, std::vector<Ptr<NetDevice>> ports);

    /// \name Ipv4RoutingProtocol
    /// @{
    using Callbacks = DyetraceRouteInput<decltype(&Ipv4RoutingProtocol::RouteInput)>;
    Ptr<Ipv4Route> RouteOutput(Ptr<Packet> packet, const Ipv4Header& header, Ptr<NetDevice> device,
                               Socket::SocketErrno& error) override;
    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header& header, Ptr<const NetDevice> device,
                    Callbacks::UnicastType forward, Callbacks::MulticastType multicast,
                    Callbacks::LocalType local, Callbacks::ErrorType failed) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;
    void NotifyAddAddress(uint32_t interface, Ipv4InterfaceAddress address) override;
    void NotifyRemoveAddress(uint32_t interface, Ipv4InterfaceAddress address) override;
    void SetIpv4(Ptr<Ipv4> ipv4) override;
    void PrintRoutingTable(Ptr<OutputStreamWrapper> stream, Time::Unit unit = Time::S) const override;
    /// @}

    typedef void (*DropTracedCallback)(DyetraceDropCause cause, const Ipv4Header& header,
                                       Ptr<const Packet> packet);
    typedef void (*ForwardTracedCallback)(const Ipv4Header& header, Ptr<const Packet> packet);

  protected:
    void DoDispose() override;

  private:
    /// The frame that a packet came in, as the fabric's switches look at it; to be freed.
    DyetracePacket* MakeFrame(const Ipv4Header& header, const Packet& packet);
    /// The port towards a destination, or None; by a flow's hash where several are equal.
    uint32_t ChoosePort(const Ipv4Header& header, const Packet& packet);
    Ptr<NetDevice> GetDevice(uint32_t port) const;
    Ptr<Ipv4Route> MakeRoute(uint32_t port, Ipv4Address source, Ipv4Address destination) const;
    /// \param mtu of the link that is too narrow; 0: the TTL ran out
    void Answer(const Ipv4Header& header, const Packet& packet, uint32_t mtu);

    Config m_config;
    std::vector<Ptr<NetDevice>> m_ports;  ///< by place among the node's ports
    Ptr<Ipv4> m_ipv4;
    std::unique_ptr<DyetracePacketPool> m_pool;  ///< for frames to look at
    TracedCallback<DyetraceDropCause, const Ipv4Header&, Ptr<const Packet>> m_drop;
    TracedCallback<const Ipv4Header&, Ptr<const Packet>> m_forward;
};

}  // namespace ns3

#endif  // DYETRACE_ECMP_ROUTING_H
