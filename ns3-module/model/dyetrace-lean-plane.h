// SPDX-License-Identifier: GPL-2.0-or-later
// The lean grade: links with queues and faults, switches that forward, and far less than one simulator event
// a packet and hop. Not installed.
//
// A link needs no event of its own: it knows by arithmetic when it will have sent what it was given
// (`busyUntilNs`), so a packet's arrival at the far end is known as soon as it is queued, and the packet
// waits in the link's list until then.
//
// Nor does a switch need one for each packet. What arrives within `m_lookaheadNs`, the least time that any
// packet takes over any link, was all sent before now: nothing that happens from now on can come between. So
// one event takes in all that arrives at all switches in such a window, switch by switch, each in the order
// of (time, input port). A switch's tables and links stay in the cache while it has its turn, and the next
// packets' headers are fetched in advance. (The same bound lets logical processes run apart: K. M. Chandy,
// J. Misra, "Distributed Simulation", IEEE TSE 1979.)
//
// Where somebody listens to the trace sources of switches, and would look at the simulator's clock, a window
// is one nanosecond. What happens at a switch is a function of (time, input port) either way.
//
// Hosts take their packets at the very time, each in an event of its own. The window knows which host will
// take one when, and so the memory is asked for what is next to be looked at while others have their turn.
//
// Where the fabric is split among ranks, a link that leads to another is filled here and emptied there. What
// a window has put on such links goes over in one message for each rank, and is read there when the window's
// half of the look-ahead is over: a packet that is queued from T on arrives from T + look-ahead on, and the
// windows are the other half, so that no window can have begun that the packet belongs to.
#ifndef DYETRACE_LEAN_PLANE_H
#define DYETRACE_LEAN_PLANE_H

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <ns3/event-impl.h>
#include <ns3/ptr.h>

#include "dyetrace-data-plane.h"
#include "dyetrace-large-pages.h"
#include "dyetrace-rank-exchange.h"
#include "dyetrace-scheduler.h"

namespace ns3 {

class SimulatorImpl;

class DyetraceLeanPlane : public DyetraceDataPlane, private DyetraceForesight {
  public:
    DyetraceLeanPlane(const DyetraceTopology& topology, const DyetraceRanks& ranks, const Config& config,
                      Traces traces);
    ~DyetraceLeanPlane() override;

    void Attach(uint32_t host, DyetraceReceiver* receiver) override;
    void Send(uint32_t host, DyetracePacket* packet) override;
    void TakeArrivals(uint32_t host) override;
    uint64_t GetLinkPackets(uint32_t link) const override { return m_inbound[m_links[link].reverse].ordinal; }
    void SetCapture(uint32_t port, DyetraceCapture* capture) override;

  protected:
    int64_t TakenUntilNs() const override { return m_takenUntilNs; }
    void DoSetDown(uint32_t link, bool isDown) override;
    void DoSetImpaired(uint32_t link, bool isImpaired) override;
    void DoSetRate(uint32_t link, DataRate rate) override;
    void DoSetMtu(uint32_t link, uint32_t mtu) override;

  private:
    class HostEvent;
    class TurnEvent;
    class WindowEvent;

    enum LinkFlag : uint32_t { Down = 1, CaptureOut = 2, Crossing = 4 };
    enum InboundFlag : uint32_t { Impaired = 1, CaptureIn = 2 };

    /// With fewer hosts all that is looked at stays in the caches.
    static constexpr uint32_t LargeHosts = 512;
    static constexpr uint32_t TabledLength = 9216;  ///< longest frame whose transmission time is in a table

    /// What all links of one rate have in common.
    struct Rate {
        DataRate rate;
        int64_t queueLimitNs;            ///< most that may be waiting, as time to send it
        int64_t ecnLimitNs;              ///< a longer queue marks CE
        int32_t txNs[TabledLength + 1];  ///< time to send a frame, by its length
    };

    /// All that sending a packet touches of its link: one cache line.
    struct alignas(64) Link {
        int64_t busyUntilNs;  ///< when the last bit of what is queued has left
        DyetracePacket* last;
        const Rate* rate;
        int32_t delayNs;
        uint32_t to;
        uint32_t reverse;  ///< port that the link ends at
        uint32_t flags;
        uint32_t maxLength;  ///< of a frame, by the MTU
    };
    /// All that taking one touches, at the port where its link ends: half a cache line.
    struct alignas(32) Inbound {
        DyetracePacket* first;  ///< queued or under way, by arrival
        uint64_t ordinal;       ///< packets that came out here; the next one's number is one more
        uint32_t link;
        uint32_t flags;
    };

    struct Node {
        uint32_t firstPort;
        uint32_t portCount;
    };
    struct Host {
        HostEvent* event;
        DyetraceReceiver* receiver;
    };
    /// A host's turn to take packets in the present window.
    struct Turn {
        int64_t timeNs;
        uint32_t host;
        bool operator<(const Turn& other) const {
            return timeNs != other.timeNs ? timeNs < other.timeNs : host < other.host;
        }
    };
    /// A packet that comes out of a link. Those that a fault has held come after fresh ones of the same time.
    struct Arrival {
        int64_t timeNs;
        uint32_t port;
        uint32_t heldOrder;  ///< 0: fresh
        DyetracePacket* packet;
        bool operator<(const Arrival& other) const {
            if (timeNs != other.timeNs) return timeNs < other.timeNs;
            if (port != other.port) return port < other.port;
            return heldOrder < other.heldOrder;
        }
    };
    static bool IsLater(const Arrival& a, const Arrival& b) { return b < a; }
    /// What faults hold back at a node: a heap, the first due on top.
    struct Held {
        std::vector<Arrival> heap;
        uint32_t orders = 0;
    };

    template <class T>
    using Paged = std::vector<T, DyetraceLargePages<T>>;

    void MakeNodes();
    void MakeLinks();
    const Rate* FindRate(DataRate rate);
    void BindLookahead();

    void Transmit(Link& link, DyetracePacket* packet, int64_t nowNs);
    /// It is on its way.
    void Append(Link& link, DyetracePacket* packet);
    void TakeAcross(const Link& link, DyetracePacket* packet, int64_t nowNs);
    void SendAcross(int64_t nowNs);
    void ReceiveAcross(dyetrace::Bytes message);
    int64_t TransmissionNs(const Link& link, uint32_t length) const;
    void Queued(const Link& link, int64_t arrivalNs);
    void ScheduleHost(uint32_t host, int64_t timeNs);
    /// The next packet of a host comes out of its link at `timeNs`.
    void Await(uint32_t host, int64_t timeNs);
    /// Gives turns to all hosts whose packets arrive before `endNs`.
    void PlanTurns(int64_t endNs);
    void ScheduleTurn();
    void TakeTurn();
    void ExpectTurns() const;
    void Foresee(const DyetraceCalendar& calendar) override;

    void EnsureWindow(int64_t timeNs);
    void RunWindow();
    void TakeSwitch(uint32_t node, int64_t endNs);
    void ExpectSwitch(uint32_t node, int64_t endNs) const;
    void ExpectForwarding(uint32_t node);
    void Collect(uint32_t port, int64_t endNs);
    DyetracePacket* Pop(uint32_t port);
    /// The end of the window that begins now.
    int64_t WindowEnd(int64_t nowNs) const;

    void TakeFresh(uint32_t node, const Arrival& arrival);
    bool PassImpairments(uint32_t node, const Arrival& arrival, const Inbound& inbound);
    void Hold(uint32_t node, Arrival arrival, int64_t releaseNs);
    int64_t HeldDueNs(uint32_t node) const;
    Arrival PopHeld(uint32_t node);
    void Arrive(uint32_t node, const Arrival& arrival);
    void Forward(uint32_t node, uint32_t in, DyetracePacket* packet, int64_t nowNs);
    void SendAnswer(uint32_t node, DyetraceForwarding::Ip ip, const DyetracePacket& packet,
                    DyetraceForwarding::IcmpError error, uint32_t mtu, int64_t nowNs);

    uint32_t SwitchAt(std::vector<int64_t>::const_iterator due) const {
        return m_hostCount + static_cast<uint32_t>(due - m_dueNs.begin());
    }
    uint32_t LinkNumber(const Link& link) const { return static_cast<uint32_t>(&link - m_links.data()); }
    bool IsHost(uint32_t node) const { return node < m_hostCount; }

    SimulatorImpl* m_simulator;
    uint32_t m_hostCount;  ///< they have the first numbers, and a port each: theirs have the same
    bool m_isLarge;
    std::vector<Node> m_nodes;
    std::vector<Host> m_hosts;
    Paged<Link> m_links;
    Paged<Inbound> m_inbound;  ///< by port
    /// By port: when the first packet comes out; Never: none is under way.
    Paged<int64_t> m_arrivalNs;
    std::vector<int64_t> m_dueNs;     ///< by switch: the least of these, and of what is held
    std::map<uint32_t, Held> m_held;  ///< by node; most have none
    std::vector<Arrival> m_arrivals;  ///< scratch: those of one switch in one window
    std::vector<uint32_t> m_ports;    ///< scratch: where they most likely leave, in the same order
    std::vector<Turn> m_turns;        ///< of the present window, by time
    std::size_t m_turn = 0;           ///< the next one's place
    int64_t m_hostDueNs = Never;      ///< before this no host has a packet beyond the present window
    int64_t m_lookaheadNs = Never;    ///< of a window
    int64_t m_windowNs = Never;       ///< when the next window begins
    int64_t m_takenUntilNs = 0;
    bool m_inWindow = false;
    std::vector<std::unique_ptr<Rate>> m_rates;
    std::map<uint32_t, DyetraceCapture*> m_captures;  ///< by port
    std::vector<Ptr<HostEvent>> m_hostEvents;
    Ptr<WindowEvent> m_windowEvent;
    Ptr<EventImpl> m_turnEvent;

    /// \name Where there are other ranks
    /// @{
    std::unique_ptr<DyetraceRankExchange> m_exchange;
    int64_t m_crossingNs = 0;                    ///< from the begin of a window to its messages
    std::vector<std::vector<uint8_t>> m_across;  ///< by rank: what this window sends there
    /// @}
};

}  // namespace ns3

#endif  // DYETRACE_LEAN_PLANE_H
