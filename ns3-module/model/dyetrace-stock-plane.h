// SPDX-License-Identifier: GPL-2.0-or-later
// The fabric at the stock grade: an ns-3 node with ns-3's own internet stack for each switch and host, and
// real devices and channels between them. It has the lean grade's interface, and gives its answers: the same
// packets at the same places at the same times, dropped for the same causes. Not installed.
//
// IPv4 is forwarded by ns3::Ipv4L3Protocol, by the routes of DyetraceEcmpRouting; links are
// DyetraceEthernetDevices. This class is what wraps their ports: faults, counters, captures, traces, and the
// way between an EPPC's packets and ns-3's. IPv6 of the underlay is forwarded at the ports, by the same
// tables, and never enters a stack.
#ifndef DYETRACE_STOCK_PLANE_H
#define DYETRACE_STOCK_PLANE_H

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <ns3/ipv4-header.h>
#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/ptr.h>

#include "dyetrace-data-plane.h"
#include "dyetrace-ethernet-tap.h"
#include "dyetrace-packet.h"
#include "dyetrace-rank-exchange.h"
#include "dyetrace-topology.h"

namespace ns3 {

class DyetraceCapture;
class DyetraceEcmpRouting;
class DyetraceEthernetDevice;
class DyetraceReceiver;

class DyetraceStockPlane : public DyetraceDataPlane, private DyetraceEthernetTap {
  public:
    /// Makes the nodes. Switches checksums on for the whole simulation: headers are real.
    DyetraceStockPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks, const Config& config,
                       Traces traces);
    ~DyetraceStockPlane() override;

    void Attach(uint32_t host, DyetraceReceiver* receiver) override { m_receivers.at(host) = receiver; }
    void Send(uint32_t host, DyetracePacket* packet) override;
    void TakeArrivals(uint32_t node) override;
    uint64_t GetLinkPackets(uint32_t link) const override;
    void SetCapture(uint32_t port, DyetraceCapture* capture) override { m_captures[port] = capture; }

    /// \name What only this grade has
    /// @{
    /// The ns-3 node of a host or switch, with an internet stack: any application may be installed on it.
    /// A host's receiver gets UDP, but for the ports that were given to UseStack, and ICMP errors; the node's
    /// stack gets all else, and everything where there is no receiver.
    Ptr<Node> GetNode(uint32_t node) const { return m_nodes.at(node); }
    Ptr<DyetraceEthernetDevice> GetDevice(uint32_t port) const;
    /// Leaves a UDP port of a host to the node's own stack.
    void UseStack(uint32_t host, uint16_t udpPort) { m_stackPorts.emplace(host, udpPort); }
    /// @}

  protected:
    int64_t TakenUntilNs() const override { return m_takenUntilNs; }
    void DoSetDown(uint32_t link, bool isDown) override;
    void DoSetImpaired(uint32_t, bool) override {}  // each arrival asks
    void DoSetRate(uint32_t link, DataRate rate) override;
    void DoSetMtu(uint32_t link, uint32_t mtu) override;

  private:
    /// A frame that a fault holds back at the end of its link.
    struct Held {
        int64_t timeNs;
        uint32_t port;
        uint64_t order;
        Ptr<Packet> frame;
        bool operator<(const Held& other) const {
            return std::tie(timeNs, port, order) < std::tie(other.timeNs, other.port, other.order);
        }
    };

    void MakeNodes();
    void MakeLinks();
    void Configure();

    void Due(uint32_t port) override;
    void Queueing(uint32_t port, Ptr<const Packet> frame) override;
    void Sending(uint32_t port, Ptr<Packet>& frame, int64_t startNs, int64_t queuedNs) override;
    bool SendAcross(uint32_t port, Ptr<Packet> frame, int64_t arrivalNs) override;
    void Lost(uint32_t port, Ptr<const Packet> frame, DyetraceDropCause cause) override;
    bool Arrived(uint32_t port, Ptr<Packet>& frame) override;
    void Taken(uint32_t port) override;

    /// \name Between ranks
    /// @{
    /// What goes to another rank and has not been sent yet.
    struct Across {
        std::vector<uint8_t> bytes;
        int64_t readNs = Never;  ///< when it has to be there
    };
    void Flush(uint32_t rank);
    static void FlushEvent(const std::weak_ptr<DyetraceStockPlane*>& plane, uint32_t rank);
    void ReceiveAcross(dyetrace::Bytes message);
    /// @}

    void Hold(uint32_t port, Ptr<Packet> frame, int64_t releaseNs);
    static void Release(const std::weak_ptr<DyetraceStockPlane*>& plane, uint32_t node);
    /// A frame is at a node, after all that faults did to it. \return whether the node's stack is to have it
    bool Arrive(uint32_t port, Ptr<Packet> frame);
    bool ArriveAtHost(uint32_t host, const Packet& frame);
    bool IsForReceiver(uint32_t host, const DyetracePacket& packet) const;
    void ForwardBelow(uint32_t in, DyetracePacket* packet);
    void AnswerBelow(uint32_t node, const DyetracePacket& packet, DyetraceForwarding::IcmpError error,
                     uint32_t mtu);
    void NoteForward(const Ipv4Header& header, Ptr<const Packet> packet);
    void NoteSwitchDrop(DyetraceDropCause cause, const Ipv4Header& header, Ptr<const Packet> packet);
    void DropFrame(uint32_t link, DyetraceDropCause cause, const Packet& frame);
    uint32_t NodeOf(uint32_t port) const { return GetTopology().GetFrom(port); }
    bool IsHost(uint32_t node) const { return node < GetTopology().GetNHosts(); }

    std::vector<Ptr<Node>> m_nodes;
    std::vector<Ptr<DyetraceEthernetDevice>> m_devices;  ///< by port
    std::vector<Ptr<DyetraceEcmpRouting>> m_routing;     ///< by node
    std::vector<DyetraceReceiver*> m_receivers;          ///< by host
    std::map<uint32_t, std::set<Held>> m_held;           ///< by node
    uint64_t m_heldOrders = 0;
    std::map<uint32_t, DyetraceCapture*> m_captures;       ///< by port
    std::set<std::pair<uint32_t, uint16_t>> m_stackPorts;  ///< host and UDP port
    int64_t m_takenUntilNs = 0;

    /// The frame that a switch's stack has in its hands: set while it does, since forwarding is one call.
    uint32_t m_inLink = DyetraceTopology::None;
    Ptr<const Packet> m_inFrame;
    bool m_isForwarding = false;
    int64_t m_lookaheadNs;  ///< between ranks
    std::unique_ptr<DyetraceRankExchange> m_exchange;
    std::vector<Across> m_across;                 ///< by rank
    std::shared_ptr<DyetraceStockPlane*> m_self;  ///< what events that may outlive this know it by
};

}  // namespace ns3

#endif  // DYETRACE_STOCK_PLANE_H
