// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_HOST_H
#define DYETRACE_HOST_H

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/traced-callback.h>

#include "dyetrace-guest.h"

namespace ns3 {

class DyetraceFabric;
class DyetraceTruth;

/// \ingroup dyetrace
/// A session of a DyetraceHost changed its state.
struct DyetraceSessionChange {
    uint32_t host;     ///< that tells
    bool isRequester;  ///< whether that host requested the session, or accepted it
    Ipv4Address peer;  ///< its address in the fabric, also where the underlay is IPv6
    uint32_t session;
    std::string from;
    std::string to;
    std::string reason;
};

/// \ingroup dyetrace
/// What the acceptor of a session reported of one path to a DyetraceHost; totals since the session began.
struct DyetracePathMetrics {
    uint32_t host;  ///< the requester
    Ipv4Address peer;
    uint32_t session;
    uint16_t path;
    uint8_t generation;
    bool isOpen;               ///< an interval is open: its tail is not settled
    bool isExcess;             ///< more was received than sent
    uint64_t sent;             ///< data packets, tracked or not, in the measured intervals
    uint64_t received;         ///< of these
    uint32_t trackedSent;      ///< by sequence number
    uint32_t trackedReceived;  ///< distinct
    Time delayMin;             ///< one way, each end's own clock
    Time delaySum;
    Time delayMax;
    uint32_t delayCount;  ///< samples in the three above
};

/**
 * \ingroup dyetrace
 * A host of a DyetraceFabric with its EPPC, the endpoint that encapsulates its guests' frames and tracks a
 * sample of them. The engine is dyetrace's own, the same as in the Linux daemon; this object gives it bytes
 * and time.
 *
 * Order of calls: attributes, Start(), AddGuest() for each guest, then traffic. Attributes have no effect
 * after Start().
 */
class DyetraceHost : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceHost();
    ~DyetraceHost() override;

    /**
     * \param fabric built
     * \param host number in the fabric
     * \param guests all guests of the overlay, on any host
     * \param truth is told of what is sent and what arrives; may be null
     */
    void Start(Ptr<DyetraceFabric> fabric, uint32_t host, std::shared_ptr<const DyetraceGuests> guests,
               Ptr<DyetraceTruth> truth);
    /// Plugs a guest in. \param guest its number in the overlay
    DyetraceGuestPort& AddGuest(uint32_t guest);
    /// The port of a guest; null where it is not on this host.
    DyetraceGuestPort* FindGuest(uint32_t guest) const;
    /// Longest IP packet of a guest, without VLAN tags, that the EPPC carries; bytes.
    uint32_t GetGuestMtu() const;
    /// \name What a move of a guest is made of; DyetracePlacement::Move makes it
    /// @{
    /// Unplugs a guest, and what was connected to its port.
    void RemoveGuest(uint32_t guest);
    /// Plugs in a guest that comes from another host, where the overlay's directory has it now.
    DyetraceGuestPort& TakeGuest(uint32_t guest);
    /// Learns where a guest of another host is now; nothing where it has never sent to it. After
    /// RemoveGuest, `isKnown`: it learns so in any case.
    void Learn(uint32_t guest, bool isKnown = false);
    /// @}
    uint32_t GetHost() const { return m_host; }
    /// From Start() until it is disposed of.
    bool IsStarted() const { return m_state != nullptr; }
    /// Whether it speaks IPv6 with other hosts: what attribute Underlay says. Addresses of hosts are given
    /// and told as the fabric has them, IPv4, all the same.
    bool IsIpv6() const;

    /// Asks a peer for a session now, whatever the traffic. \return the session's id
    uint32_t OpenSession(Ipv4Address peer);
    /**
     * Moves one path to a peer to a spare source port, at once, with a new generation: flows of that path go
     * another way, all others keep theirs.
     * \param peer underlay address \param path its index, below PathCount
     * \return empty where it was moved, else why it was not: an earlier move of that path is not settled, or
     * no spare port is free
     */
    std::string Repath(Ipv4Address peer, uint16_t path);
    /// Ends every session that this host requested, in order: END markers, last reports, close.
    void CloseSessions();
    /// Whether something of an orderly end is still on its way.
    bool IsDraining() const;

    /// The engine's counters and drop reasons that are not zero, by name.
    std::vector<std::pair<std::string, uint64_t>> GetCounters() const;

    typedef void (*SessionTracedCallback)(const DyetraceSessionChange& change);
    typedef void (*MetricsTracedCallback)(const DyetracePathMetrics& metrics);

  protected:
    void DoDispose() override;

  private:
    friend class DyetraceEngines;
    class State;

    State& Started() const;

    uint32_t m_host;
    std::unique_ptr<State> m_state;
    TracedCallback<const DyetraceSessionChange&> m_session;
    TracedCallback<const DyetracePathMetrics&> m_metrics;

    // Attributes, each a field of the engine's configuration.
    uint64_t m_seed;
    std::string m_underlay;
    Time m_clockOffset;
    double m_clockDrift;
    Time m_clockJitter;
    std::string m_key;
    uint8_t m_keyId;
    bool m_insecure;
    uint32_t m_underlayMtu;
    uint16_t m_optionClass;
    uint16_t m_sourcePortBase;
    uint16_t m_pathCount;
    uint16_t m_portCount;
    Time m_portRest;
    uint8_t m_dscp;
    std::string m_sampling;
    double m_rate;
    uint32_t m_samplingSeed;
    uint32_t m_samplingBudget;
    uint32_t m_samplingBurst;
    std::string m_flowFilter;
    std::string m_metricsWanted;
    uint32_t m_trackedPerSecond;
    uint32_t m_acceptedPerSecond;
    bool m_openOnTraffic;
    uint32_t m_trafficSessions;
    Time m_choiceInterval;
    Time m_turn;
    uint8_t m_nearPrefix;
    Time m_reportInterval;
    Time m_rideWait;
    Time m_pathIdle;
    Time m_waitingTime;
    Time m_sessionDuration;
    Time m_retransmitFirst;
    Time m_retransmitLast;
    uint32_t m_retransmitMost;
    Time m_keepAliveInterval;
    bool m_acceptSessions;
    Time m_rejectBackOff;
    bool m_tracePaths;
    uint8_t m_traceTtlMost;
    Time m_traceTimeout;
    uint32_t m_traceAttempts;
    Time m_traceSpacing;
    Time m_traceRetry;
    Ipv4Address m_nhmsAddress;
    uint16_t m_nhmsPort;
    uint16_t m_managementPort;
    Time m_updateInterval;
    uint32_t m_requestedSessions;
    uint32_t m_acceptedSessions;
    uint32_t m_flowTraces;
    uint32_t m_flowCapture;
    Time m_guestDelay;
};

}  // namespace ns3

#endif  // DYETRACE_HOST_H
