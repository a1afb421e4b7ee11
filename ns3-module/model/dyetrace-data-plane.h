// SPDX-License-Identifier: GPL-2.0-or-later
// What carries packets between the hosts' ports: the lean links and switches, or ns-3's own nodes. Not
// installed.
#ifndef DYETRACE_DATA_PLANE_H
#define DYETRACE_DATA_PLANE_H

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include <ns3/data-rate.h>
#include <ns3/traced-callback.h>

#include "dyetrace-drop-cause.h"
#include "dyetrace-forwarding.h"
#include "dyetrace-impairment.h"
#include "dyetrace-packet.h"
#include "dyetrace-topology.h"

#include "core/base/bytes.h"

namespace ns3 {

class DyetraceCapture;
class DyetraceRanks;
class DyetraceReceiver;

class DyetraceDataPlane {
  public:
    struct Config {
        DataRate linkRate;        ///< of links whose topology has none
        int64_t linkDelayNs = 0;  ///< likewise
        uint32_t queueBytes = 0;
        uint32_t ecnBytes = 0;    ///< a queue that is longer marks CE; 0: none does
        uint32_t mtu = 0;         ///< longest IP packet of a link
        int64_t detectionNs = 0;  ///< from a change of a link's state to the new routes; negative: none
        DyetraceForwarding::Config forwarding;
    };

    /// Trace sources of the fabric that owns this.
    struct Traces {
        TracedCallback<uint32_t, DyetraceDropCause, const DyetracePacket&>& drop;
        TracedCallback<uint32_t, uint32_t, const DyetracePacket&>& forward;
        TracedCallback<uint32_t, const DyetracePacket&>& deliver;
    };
    using DropListener = std::function<void(uint32_t, DyetraceDropCause, const DyetracePacket&)>;

    struct Counters {
        uint64_t hops = 0;       ///< packets that arrived at the end of a link
        uint64_t delivered = 0;  ///< of these, at a host
        std::array<uint64_t, DyetraceDropCauseCount> drops{};
    };

    /// `topology` and `ranks` must outlive this.
    DyetraceDataPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks, const Config& config,
                      Traces traces);
    virtual ~DyetraceDataPlane();
    DyetraceDataPlane(const DyetraceDataPlane&) = delete;
    DyetraceDataPlane& operator=(const DyetraceDataPlane&) = delete;

    DyetracePacketPool& GetPool() { return m_pool; }
    const Counters& GetCounters() const { return m_counters; }
    const DyetraceForwarding& GetForwarding() const { return m_forwarding; }
    /// Is told of every drop as soon as it is known, which may be up to a link's delay before its time.
    void ListenToDrops(DropListener listener) { m_dropListener = std::move(listener); }

    virtual void Attach(uint32_t host, DyetraceReceiver* receiver) = 0;
    virtual void Send(uint32_t host, DyetracePacket* packet) = 0;
    /// Takes in what arrives at a host at this very time.
    virtual void TakeArrivals(uint32_t host) = 0;
    /// Packets that came out at the end of a link.
    virtual uint64_t GetLinkPackets(uint32_t link) const = 0;
    /// Of those, what the port there found damaged.
    uint64_t GetFrameErrors(uint32_t link) const { return m_impairments.GetFrameErrors(link); }
    virtual void SetCapture(uint32_t port, DyetraceCapture* capture) = 0;

    /// \name The timeline of what changes. At one time changes come first, then arrivals, then the hosts.
    /// @{
    /// Has `change` made at `atNs`; a time that packets have already been taken beyond counts as the first
    /// that they have not. It is made by whoever comes first at that time; ApplyChanges makes sure.
    void AddChange(int64_t atNs, std::function<void()> change);
    void ApplyChanges(int64_t nowNs);
    /// @}

    /// \name What changes, to be called in a change. Each fault counts for itself: a link that two faults
    /// hold down comes up when both have ended.
    /// @{
    void SetDown(uint32_t link, bool isDown);
    void AddImpairment(uint32_t link, const DyetraceImpairment& impairment);
    void RemoveImpairment(uint32_t link, uint32_t faultId);
    /// Takes the link's cable out of the switches' tables, or puts it back, without breaking it: what is on
    /// its way goes on. Each drain counts for itself.
    void SetDrained(uint32_t link, bool isDrained);
    /// The least of the link's own rate and of the cuts that are in force.
    void AddRateCut(uint32_t link, uint32_t faultId, DataRate rate);
    void RemoveRateCut(uint32_t link, uint32_t faultId);
    void AddMtuCut(uint32_t link, uint32_t faultId, uint32_t mtu);
    void RemoveMtuCut(uint32_t link, uint32_t faultId);
    /// @}

  protected:
    static constexpr int64_t Never = std::numeric_limits<int64_t>::max();

    DataRate RateOf(uint32_t link) const;
    int64_t DelayNsOf(uint32_t link) const;
    const DyetraceTopology& GetTopology() const { return m_topology; }
    const DyetraceRanks& GetRanks() const { return m_ranks; }
    const Config& GetConfig() const { return m_config; }
    int64_t NextChangeNs() const { return m_nextChangeNs; }
    /// Counts a drop and frees the packet.
    void Drop(uint32_t link, DyetraceDropCause cause, DyetracePacket* packet);
    /// Packets that arrive before this time have been taken.
    virtual int64_t TakenUntilNs() const = 0;

    /// \name Between ranks
    /// @{
    /// A packet's way from rank to rank, in front of its bytes.
    struct Passage {
        int64_t queuedNs;
        int64_t arrivalNs;
        uint32_t link;

        void AppendTo(std::vector<uint8_t>& bytes) const;
        /// Reads one from the front of `bytes`, which then begins after it.
        static Passage Take(dyetrace::Bytes& bytes);
    };
    /// What was on a link is lost now; nothing to note unless it leads to another rank.
    void NoteEmptied(uint32_t link, int64_t nowNs);
    /// Whether that took the packet, while it was between the ranks.
    bool IsLost(const Passage& passage) const;
    /// @}

    /// \name What a grade does with a change
    /// @{
    virtual void DoSetDown(uint32_t link, bool isDown) = 0;
    virtual void DoSetImpaired(uint32_t link, bool isImpaired) = 0;
    virtual void DoSetRate(uint32_t link, DataRate rate) = 0;
    virtual void DoSetMtu(uint32_t link, uint32_t mtu) = 0;
    /// @}

    Traces m_traces;
    DyetraceForwarding m_forwarding;
    DyetraceImpairments m_impairments;
    DyetracePacketPool m_pool;
    Counters m_counters;

  private:
    void RouteAround(uint32_t link);
    void ApplyRate(uint32_t link);
    void ApplyMtu(uint32_t link);

    const DyetraceTopology& m_topology;
    const DyetraceRanks& m_ranks;
    Config m_config;
    DropListener m_dropListener;
    std::multimap<int64_t, std::function<void()>> m_changes;
    int64_t m_nextChangeNs = Never;
    std::map<uint32_t, uint32_t> m_downCount;                     ///< by link: faults that hold it down
    std::map<uint32_t, uint32_t> m_drainCount;                    ///< by link, the lower of its cable
    std::map<uint32_t, std::map<uint32_t, DataRate>> m_rateCuts;  ///< by link and fault
    std::map<uint32_t, std::map<uint32_t, uint32_t>> m_mtuCuts;
    std::map<uint32_t, int64_t> m_emptiedNs;  ///< by link between ranks: when what was on it was last lost
};

}  // namespace ns3

#endif  // DYETRACE_DATA_PLANE_H
