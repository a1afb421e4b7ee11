// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_TRUTH_H
#define DYETRACE_TRUTH_H

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/object.h>

#include "dyetrace-drop-cause.h"

namespace ns3 {

class DyetraceFabric;
struct DyetracePacket;

/**
 * \ingroup dyetrace
 * What really happened, recorded beside the measurements and used only to score them. No measuring or
 * deciding code may ask it.
 *
 * It numbers the data packets of each outer 5-tuple as they leave encapsulation, and learns from the fabric
 * which of them were dropped, and where. From the START and END markers that arrive it knows the intervals
 * that are measured, and so each interval's exact loss, without asking the engine anything.
 */
class DyetraceTruth : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceTruth();
    ~DyetraceTruth() override;

    /// Records what `fabric` drops from now on; before anything is sent.
    void Watch(Ptr<DyetraceFabric> fabric);
    /// Tells the ranks of a parallel simulation of each other's drops, which GetIntervals needs: every rank
    /// calls it, after Simulator::Run. Nothing to do where there is one.
    void Exchange();
    /// Where it has looked for a packet. Whoever keeps one cannot read it.
    class Trail {
        friend class DyetraceTruth;
        std::size_t m_recent = 0;
        uint32_t m_flow = 0;  ///< 0: nowhere yet
    };
    /// A frame comes out of encapsulation, and is about to be queued at the host's port.
    void NoteSent(DyetracePacket& packet);
    void NoteSent(DyetracePacket& packet, Trail& trail);
    /// Another frame like that one may come soon: asks the memory for the same, and changes nothing.
    void NoteExpected(const Trail& trail) const;
    /// A frame is about to enter decapsulation.
    void NoteArrived(const DyetracePacket& packet);

    struct LinkDrops {
        uint32_t link;
        DyetraceDropCause cause;
        uint64_t dataPackets;
        uint64_t packets;  ///< data, control and ICMP
    };
    /// Links and causes with drops, in the order of links.
    std::vector<LinkDrops> GetLinkDrops() const;

    struct Interval {
        Ipv4Address requester;
        Ipv4Address acceptor;
        uint32_t session;
        uint16_t path;
        uint8_t generation;
        uint16_t interval;
        uint64_t sent;  ///< data packets from START to END
        uint64_t lost;  ///< of these, dropped by the fabric
    };
    /// The intervals whose START and END both arrived, at a host that this rank has, ordered by their first
    /// six fields. Ask when nothing is under way any more.
    std::vector<Interval> GetIntervals() const;

    uint64_t GetDataSent() const { return m_dataSent; }
    uint64_t GetDataArrived() const { return m_dataArrived; }
    uint64_t GetDataDropped() const { return m_dataDropped; }

  private:
    /// The data packets of one outer 5-tuple.
    struct Flow {
        uint64_t sent = 0;
        std::vector<uint64_t> dropped;  ///< ordinals, in the order of dropping
    };
    /// A data packet that was dropped, on whatever rank.
    struct Loss {
        uint64_t ordinal;
        uint32_t flow;
    };
    struct FlowKey {
        uint32_t source;
        uint32_t destination;
        uint16_t port;
        bool operator==(const FlowKey& other) const {
            return source == other.source && destination == other.destination && port == other.port;
        }
    };
    struct FlowHash {
        std::size_t operator()(const FlowKey& key) const;
    };
    /// requester, acceptor, session, path, generation, interval
    using IntervalKey = std::tuple<uint32_t, uint32_t, uint32_t, uint16_t, uint8_t, uint16_t>;
    /// Where an interval's markers stood among the flow's data packets.
    struct Bounds {
        static constexpr uint64_t Open = UINT64_MAX;
        uint32_t flow = 0;
        uint64_t start = Open;
        uint64_t end = Open;
    };

    /// A flow that was looked up lately.
    struct Recent {
        FlowKey key{};
        uint32_t flow = 0;
    };
    static constexpr std::size_t RecentFirst = 4096;

    std::size_t RecentPlace(const FlowKey& key) const;
    void NoteDrop(uint32_t link, DyetraceDropCause cause, const DyetracePacket& packet);
    uint32_t FlowNumber(const FlowKey& key);
    const std::vector<uint64_t>& DroppedOf(uint32_t flow) const;

    /// A flow's number is its rank's number times this, and its place in m_flows.
    static constexpr uint32_t FlowsPerRank = 1 << 22;

    std::unordered_map<FlowKey, uint32_t, FlowHash> m_flowNumbers;
    std::vector<Recent> m_recent;                                 ///< by hash
    std::vector<Flow> m_flows;                                    ///< from 1: 0 stands for none
    std::vector<Loss> m_foreign;                                  ///< lost here from flows of other ranks
    std::map<uint32_t, std::vector<uint64_t>> m_droppedAnywhere;  ///< of the flows whose intervals end here
    uint32_t m_rank = 0;
    uint32_t m_rankCount = 1;
    bool m_isExchanged = false;
    std::map<IntervalKey, Bounds> m_intervals;
    struct Count {
        uint64_t data = 0;
        uint64_t all = 0;
    };
    using Causes = std::array<Count, DyetraceDropCauseCount>;
    Causes& DropsAt(uint32_t link);
    std::vector<uint32_t> m_dropsPlace;                ///< by link: one past its place in m_drops; 0: none
    std::vector<std::pair<uint32_t, Causes>> m_drops;  ///< a link and its drops, in the order of its first
    uint64_t m_dataSent = 0;
    uint64_t m_dataArrived = 0;
    uint64_t m_dataDropped = 0;
};

}  // namespace ns3

#endif  // DYETRACE_TRUTH_H
