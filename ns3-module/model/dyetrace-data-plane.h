// SPDX-License-Identifier: GPL-2.0-or-later
// The lean fabric's inner loop: links with queues and faults, switches that forward. Not installed.
//
// A packet and hop is one simulator event. A link needs none of its own: it knows by arithmetic when it will
// have sent what it was given (`busyUntilNs`), so a packet's arrival at the far end is known as soon as it is
// queued, and the packet waits in the link's list until then. Only the first packet of a list has an event in
// the scheduler.
//
// Events of one node at one time may reach the scheduler in any order. The first of them takes all packets
// that arrive at the node at that time, by input port, and the others find nothing left. So what happens at a
// switch is a function of (time, input port) alone, however the simulation is split or scheduled.
#ifndef DYETRACE_DATA_PLANE_H
#define DYETRACE_DATA_PLANE_H

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include <ns3/data-rate.h>
#include <ns3/nstime.h>
#include <ns3/ptr.h>
#include <ns3/traced-callback.h>

#include "dyetrace-drop-cause.h"
#include "dyetrace-packet.h"
#include "dyetrace-routes.h"
#include "dyetrace-topology.h"

namespace ns3 {

class DyetraceCapture;
class DyetraceReceiver;
class SimulatorImpl;

class DyetraceDataPlane {
  public:
    struct Config {
        DataRate linkRate;
        int64_t linkDelayNs = 0;
        uint32_t queueBytes = 0;
        uint64_t seed = 0;
        int64_t icmpIntervalNs = 0;  ///< least mean time between two ICMP messages of a switch; 0: no limit
        uint32_t icmpBurst = 1;      ///< messages that may follow each other at once
    };

    /// Trace sources of the fabric that owns this.
    struct Traces {
        TracedCallback<uint32_t, DyetraceDropCause, const DyetracePacket&>& drop;
        TracedCallback<uint32_t, uint32_t, const DyetracePacket&>& forward;
        TracedCallback<uint32_t, const DyetracePacket&>& deliver;
    };

    struct Counters {
        uint64_t hops = 0;       ///< packets that arrived at the end of a link
        uint64_t delivered = 0;  ///< of these, at a host
        uint64_t icmpSent = 0;
        uint64_t icmpSuppressed = 0;  ///< by the rate limit
        std::array<uint64_t, DyetraceDropCauseCount> drops{};
    };

    DyetraceDataPlane(const DyetraceTopology& topology, const Config& config, Traces traces);
    ~DyetraceDataPlane();
    DyetraceDataPlane(const DyetraceDataPlane&) = delete;
    DyetraceDataPlane& operator=(const DyetraceDataPlane&) = delete;

    DyetracePacketPool& GetPool() { return m_pool; }
    const Counters& GetCounters() const { return m_counters; }
    /// Packets that came out at the end of a link.
    uint64_t GetLinkPackets(uint32_t link) const { return m_links[link].ordinal; }

    void Attach(uint32_t host, DyetraceReceiver* receiver) { m_nodes[host].receiver = receiver; }
    void Send(uint32_t host, DyetracePacket* packet);
    /// Takes in what arrives at a node at this very time.
    void TakeArrivals(uint32_t node);

    /// \name Faults. A fault's id is part of its random decisions, so that two on one link are independent.
    /// @{
    void SetDown(uint32_t link, bool down);
    void AddSilentDrop(uint32_t link, uint32_t faultId, double probability);
    void RemoveSilentDrop(uint32_t link, uint32_t faultId);
    /// @}
    void SetCapture(uint32_t port, DyetraceCapture* capture);

  private:
    class ArrivalEvent;

    enum Flag : uint32_t { Down = 1, Faulty = 2, CaptureOut = 4, CaptureIn = 8 };

    /// All that sending and taking one packet touches: one cache line.
    struct alignas(64) Link {
        int64_t busyUntilNs;    ///< when the last bit of what is queued has left
        DyetracePacket* first;  ///< queued or under way, by arrival
        DyetracePacket* last;
        uint64_t ordinal;     ///< packets that came out at the end; the next one's number is one more
        const int32_t* txNs;  ///< time to send a frame, by its length
        int32_t delayNs;
        int32_t queueLimitNs;  ///< most that may be waiting, as time to send it
        uint32_t to;
        uint32_t reverse;
        uint32_t flags;
        uint32_t toAddress;  ///< network byte order: the last four bytes of the next hop's MAC address
    };

    struct alignas(64) Node {
        ArrivalEvent* event;
        DyetraceReceiver* receiver;
        uint64_t ecmpSeed;
        int64_t icmpDueNs;  ///< when the rate limit is free again, counted without burst
        uint32_t firstPort;
        uint32_t portCount;
        uint32_t rack;
        uint32_t rackHosts;       ///< at an edge switch: hosts, which are its first ports
        uint32_t address;         ///< host byte order
        uint32_t addressNetwork;  ///< network byte order: the last four bytes of the MAC address
        uint16_t icmpIdentification;
        bool isHost;
    };

    struct SilentDrop {
        uint32_t faultId;
        uint64_t threshold;  ///< a packet is lost where its hash is below
    };

    void MakeTransmissionTimes(const DataRate& rate);
    void MakeNodes(const DyetraceTopology& topology);
    void MakeLinks(const DyetraceTopology& topology, const Config& config);

    void Transmit(Link& link, DyetracePacket* packet, int64_t nowNs);
    int64_t TransmissionNs(const Link& link, uint32_t length) const;
    void ScheduleArrival(uint32_t node, int64_t delayNs);
    void Take(Node& node, uint32_t port, int64_t nowNs);
    bool Survives(Link& link, const DyetracePacket& packet);
    bool IsSilentlyLost(const Link& link) const;
    void Forward(Node& node, uint32_t in, DyetracePacket* packet, int64_t nowNs);
    /// The port towards a packet's destination, or None.
    uint32_t ChoosePort(const Node& node, const DyetracePacket& packet) const;
    void Rewrite(const Node& node, const Link& out, uint8_t* frame) const;
    void AnswerTtlExpired(Node& node, const DyetracePacket& packet, int64_t nowNs);
    void Drop(uint32_t link, DyetraceDropCause cause, DyetracePacket* packet);
    uint32_t LinkNumber(const Link& link) const { return static_cast<uint32_t>(&link - m_links.data()); }
    uint32_t NodeNumber(const Node& node) const { return static_cast<uint32_t>(&node - m_nodes.data()); }

    static constexpr uint32_t TabledLength = 9216;  ///< longest frame whose transmission time is in a table

    Traces m_traces;
    DyetraceRoutes m_routes;
    DataRate m_rate;
    uint64_t m_seed;
    int64_t m_icmpIntervalNs;
    int64_t m_icmpBurstNs;
    SimulatorImpl* m_simulator = nullptr;

    std::vector<Node> m_nodes;
    std::vector<Link> m_links;
    std::vector<int64_t> m_arrivalNs;  ///< by input port: when the first packet of its link arrives
    std::vector<int32_t> m_txNs;
    std::vector<uint64_t> m_linkSeeds;  ///< by link: hash of (seed, cable, direction)
    std::map<uint32_t, std::vector<SilentDrop>> m_silentDrops;
    std::map<uint32_t, DyetraceCapture*> m_captures;  ///< by port
    std::vector<Ptr<ArrivalEvent>> m_events;
    DyetracePacketPool m_pool;
    Counters m_counters;
};

}  // namespace ns3

#endif  // DYETRACE_DATA_PLANE_H
