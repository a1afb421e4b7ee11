// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_FABRIC_H
#define DYETRACE_FABRIC_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/traced-callback.h>

#include "dyetrace-drop-cause.h"
#include "dyetrace-packet.h"
#include "dyetrace-receiver.h"
#include "dyetrace-topology.h"

namespace ns3 {

class DyetraceFault;
class Node;
class DyetraceHostControl;

/**
 * \ingroup dyetrace
 * A data centre's fabric at the lean grade: far less than one simulator event a packet and hop, on real
 * header bytes.
 *
 * Switches check the IP header, choose among equal-cost ports by a hash of the outer addresses, protocol and
 * ports with a seed of their own, decrement the TTL or hop limit and mend the checksum (RFC 1624), rewrite
 * the Ethernet addresses, and answer with ICMP time exceeded and packet too big (RFC 792, RFC 1191, RFC
 * 4443). Ports queue by bytes, mark CE where EcnBytes says so, and drop what does not fit. A frame takes
 * DataRate::CalculateBytesTxTime of its length (at least 60 bytes) + 24 bytes for preamble, FCS and gap.
 * After a link's failure, and its return, routes change when DetectionDelay is over.
 *
 * Every random decision is a hash of (seed, cable, direction, ordinal of the packet at the end of that link),
 * and packets that reach a switch at the same time are taken in the order of its ports. So a run does not
 * depend on the scheduler.
 *
 * Where ns3::MpiInterface is enabled the fabric is split among its ranks, with the same results: every rank
 * builds all of it and adds the same faults, and simulates the nodes that it has. docs/mpi.md.
 *
 * Order of calls: attributes, SetTopology(), Build(), then everything else. Time resolution is nanoseconds.
 */
class DyetraceFabric : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceFabric();
    ~DyetraceFabric() override;

    /// Sets what Build() makes; without it, the fat-tree of attribute K. Aborts after Build().
    void SetTopology(const DyetraceTopology& topology);
    /// Says which rank of a parallel simulation has which node; without it, pods or racks are dealt out. By
    /// node; a host is where its switch is. Aborts after Build().
    void SetSystemIds(const std::vector<uint32_t>& systemIds);
    /// Makes hosts, switches and links from the attributes, which have no effect later. Aborts if called
    /// twice.
    void Build();
    /// From Build() until it is disposed of.
    bool IsBuilt() const { return m_state != nullptr; }
    const DyetraceTopology& GetTopology() const;
    /// The rank that has a node; 0 where there is but one.
    uint32_t GetSystemId(uint32_t node) const;
    uint32_t GetOwnSystemId() const;
    uint32_t GetNSystems() const;
    /// Whether this rank has it.
    bool IsLocal(uint32_t node) const;

    /// \name The hosts' ports
    /// @{

    /// Packets come from here, and return here at the latest when they are dropped or freed.
    DyetracePacketPool& GetPool();
    /// \param receiver gets what arrives at `host`; not owned. Without one, packets end there.
    void Attach(uint32_t host, DyetraceReceiver* receiver);
    /// Undoes Attach; does nothing once the fabric is disposed of.
    void Detach(uint32_t host);
    /// Queues a frame at a host's port and takes it over.
    void Send(uint32_t host, DyetracePacket* packet);
    /// Hands over what arrives at `host` at this very time. A host calls it first in each event of its own,
    /// so that whatever is due at one time comes in the same order in every run: arrivals, then timers.
    void TakeArrivals(uint32_t host);
    /// The Ethernet address that a host's frames go to.
    Mac48Address GetGatewayMac(uint32_t host) const;
    /// @}

    /// Puts a fault on the timeline. Aborts, naming the fault, if it strikes nothing that exists, begins in
    /// the past, or ends before it begins.
    void AddFault(Ptr<DyetraceFault> fault);
    /// \name Drains
    /// An operator's, or a health service's where its policy says so: the switches stop choosing the cable or
    /// the switch's cables, DrainDelay from now; packets that are on their way go on. Each drain counts for
    /// itself. Abort where the fabric is split among ranks, who would not know of it.
    /// @{

    /// \param link of a cable between two switches, either direction
    void DrainLink(uint32_t link, bool isDrained = true);
    /// \param node a switch
    void DrainNode(uint32_t node, bool isDrained = true);
    /// @}
    /// The parts of `host` that faults can break; not owned. Null takes them away.
    void AttachControl(uint32_t host, DyetraceHostControl* control);

    /// \name Captures
    /// @{
    struct Capture {
        std::string port;  ///< "agg-0-1:core-3"
        std::string file;
        uint64_t packets;
        bool capped;  ///< there was more than the limit
    };
    /// Captures what one port sends and receives: whole frames, checksums and payload real, times in
    /// nanoseconds. Only the rank that has the node does. \param port "node:peer", the port of `node` that
    /// leads to `peer` \param packetsMax most packets in the file
    void EnablePcap(const std::string& port, const std::string& file, uint64_t packetsMax = 100000);
    /// Writes captures through to their files; also done when the fabric is disposed of.
    void FlushCaptures();
    std::vector<Capture> GetCaptures() const;
    /// @}

    /// \name What Grade "stock" alone has
    /// @{
    /// The ns-3 node of a host or switch, by its number: any application may be installed on it. What comes
    /// for a host goes to its EPPC where it is UDP or an ICMP error, and to the node's own stack where it is
    /// anything else. Applications on switches can be reached where the switch is a rack's.
    Ptr<Node> GetNode(uint32_t node) const;
    /// Leaves a UDP port of a host to the node's own stack.
    void UseStack(uint32_t host, uint16_t udpPort);
    /// @}

    /// \name Counters since the start, of the nodes that this rank has
    /// @{
    uint64_t GetPacketHops() const;  ///< packets that came out at the end of a link
    uint64_t GetDelivered() const;   ///< of these, at a host
    uint64_t GetDrops(DyetraceDropCause cause) const;
    uint64_t GetIcmpSent() const;
    uint64_t GetIcmpSuppressed() const;  ///< by IcmpRate
    uint64_t GetLinkPackets(uint32_t link) const;
    /// Of those, what the port at the link's end found damaged: its ifInErrors (RFC 2863). What is lost and
    /// counted nowhere is not among them.
    uint64_t GetFrameErrors(uint32_t link) const;
    /// @}

    /// The seed in use: the attribute, or what RngSeedManager says where that is 0.
    uint64_t GetSeed() const;
    /// Of links whose topology says nothing else.
    DataRate GetLinkRate() const { return m_linkRate; }
    Time GetLinkDelay() const { return m_linkDelay; }

    /// Has `listener` told of every drop as soon as it is known, which may be up to a link's delay before its
    /// time. The trace source Drop is exact, and costs speed: with sinks there the fabric cannot run ahead.
    void ListenToDrops(
        std::function<void(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet)> listener);

    /// \param link where; for a cause in a switch, the link that the packet came by
    typedef void (*DropTracedCallback)(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet);
    /// \param in link that the packet came by
    /// \param out link that it leaves by; its headers are the ones it leaves with
    typedef void (*ForwardTracedCallback)(uint32_t in, uint32_t out, const DyetracePacket& packet);
    typedef void (*DeliverTracedCallback)(uint32_t host, const DyetracePacket& packet);
    /// \param active whether the fault begins or ends
    typedef void (*FaultTracedCallback)(Ptr<const DyetraceFault> fault, bool active);

  protected:
    void DoDispose() override;

  private:
    struct State;

    State& Built() const;
    /// Has a fault begin or end at `at`, and again as it asks for.
    void PlanSwitch(Ptr<DyetraceFault> fault, uint32_t id, Time at, bool isActive);
    /// Tells that it has, and plans what is next.
    void Switched(Ptr<DyetraceFault> fault, uint32_t id, bool isActive);

    std::unique_ptr<DyetraceTopology> m_topology;
    std::vector<uint32_t> m_systemIds;
    uint32_t m_k;
    std::string m_grade;
    DataRate m_linkRate;
    Time m_linkDelay;
    uint32_t m_queueBytes;
    uint32_t m_ecnBytes;
    uint32_t m_mtu;
    Time m_detectionDelay;
    Time m_drainDelay;
    uint64_t m_seed;
    double m_icmpRate;
    uint32_t m_icmpBurst;

    TracedCallback<uint32_t, DyetraceDropCause, const DyetracePacket&> m_drop;
    TracedCallback<uint32_t, uint32_t, const DyetracePacket&> m_forward;
    TracedCallback<uint32_t, const DyetracePacket&> m_deliver;
    TracedCallback<Ptr<const DyetraceFault>, bool> m_fault;

    std::unique_ptr<State> m_state;
};

}  // namespace ns3

#endif  // DYETRACE_FABRIC_H
