// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef DYETRACE_NHMS_H
#define DYETRACE_NHMS_H

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ns3/ipv4-address.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/traced-callback.h>

#include "dyetrace-clients.h"
#include "dyetrace-guest.h"

namespace dyetrace::health {
struct Concluded;
}

namespace ns3 {

class DyetraceFabric;
class DyetraceHost;
class DyetracePlacement;

/// \ingroup dyetrace
/// The health of a pair of hosts changed.
struct DyetraceHealthChange {
    Ipv4Address requester;
    Ipv4Address acceptor;
    std::string health;
    uint64_t sent;  ///< data packets that led to it
    uint64_t lost;
    std::string reason;
};

/// \ingroup dyetrace
/// A step of an incident, which is about a link or a device.
struct DyetraceIncidentStep {
    uint32_t incident;
    std::string state;
    std::string step;
    std::string from;    ///< of a link
    std::string to;      ///< of a link
    std::string device;  ///< of a device
    std::string detail;

    /// What the incident is about: "agg-0-1 > core-4", or the device's name.
    std::string GetSubject() const { return device.empty() ? from + " > " + to : device; }
};

/// \ingroup dyetrace
/// What the service asks for to heal the fabric, beside what it asks of the EPPCs.
struct DyetraceRemedy {
    uint32_t incident;
    std::string kind;    ///< "drain", "undrain", "migrate" or "notify"
    std::string from;    ///< of a link
    std::string to;      ///< of a link
    std::string device;  ///< of a switch or host
    bool automatic;      ///< else it is advice; it is done then, by the fabric or by a DyetracePlacement
};

/// \ingroup dyetrace
/// What a switch has counted of a link since it started.
struct DyetraceLinkReading {
    std::string from;
    std::string to;
    uint64_t sent;  ///< packets put on the link
    uint64_t lost;  ///< of those, lost by errors, and not what a full queue discarded
};

/// \ingroup dyetrace
/// A link or a device that a confirmed incident names.
struct DyetraceSuspect {
    bool isDevice;
    std::string from;    ///< of a link
    std::string to;      ///< of a link
    std::string device;  ///< of a device
    double logOdds;
    int group;  ///< suspects that the evidence cannot tell apart share it; -1: alone
    double lossRate;
};

/**
 * \ingroup dyetrace
 * The network health management service on a host of the fabric. It is reached through the fabric like any
 * other host's port, knows the fabric's graph as its operator's configuration, and a path only from what
 * EPPCs traced.
 *
 * Order of calls: attributes, Start(). EPPCs send to it where their NhmsAddress names its host. It ends with
 * its host: once that is disposed of, it is as before Start().
 */
class DyetraceNhms : public Object {
  public:
    static TypeId GetTypeId();
    DyetraceNhms();
    ~DyetraceNhms() override;

    /// \param host started; on whose underlay port the service listens
    void Start(Ptr<DyetraceFabric> fabric, Ptr<DyetraceHost> host);

    /// Has `placement` move guests and drain hosts where that is automatic, and learns from it where guests
    /// are. After Start(); without it whoever listens to trace source Remedy may do so.
    void SetPlacement(Ptr<DyetracePlacement> placement);

    /**
     * Serves these tenants from now on. Aborts with words where something of them is wrong.
     * \param guests all guests of the overlay, as the hosts were given them
     */
    void SetClients(const DyetraceClients& clients, std::shared_ptr<const DyetraceGuests> guests);
    /// How a tenant's pairs stand, of which something was heard, by name; empty where there is no such
    /// tenant.
    std::vector<DyetracePairHealth> GetPairs(const std::string& tenant) const;
    /// Says how well an instance of a service is, 0 to 1. \return false where there is none
    bool SetOwnHealth(const std::string& service, const std::string& instance, double health);
    /**
     * Has a flow between two guests followed, after SetClients(). Attribute FlowTraces, here and of their
     * hosts, has to let it.
     * \param whyNot is told why it is not followed; may be null
     * \return its number; 0 where it is not followed
     */
    uint32_t TraceFlow(const DyetraceFlowTraceRequest& request, std::string* whyNot = nullptr);
    /// What was seen of it by now; empty where there is no such flow any more.
    DyetraceFlowTrace GetFlowTrace(uint32_t trace) const;
    /// Has all told that has not come to its end, as trace sources tell it: intervals, and followed flows.
    void SettleClients();

    /**
     * Hands over what switches' ports count, read just now: further evidence. Attribute ReadCounters has
     * those of the fabric read by itself; this is for counters from elsewhere.
     */
    void FeedCounters(const std::vector<DyetraceLinkReading>& readings);
    /**
     * Has what this service concludes, every ConcludeInterval, told to `parent`, which takes it as further
     * evidence. Hosts must not report to both: the same loss would count twice. After Start() of both.
     * \param name of this service, by which `parent` tells it from others
     */
    void SetParent(Ptr<DyetraceNhms> parent, const std::string& name);

    /// The service's counters and drop reasons that are not zero, by name.
    std::vector<std::pair<std::string, uint64_t>> GetCounters() const;

    typedef void (*HealthTracedCallback)(const DyetraceHealthChange& change);
    typedef void (*IncidentTracedCallback)(const DyetraceIncidentStep& step);
    typedef void (*RemedyTracedCallback)(const DyetraceRemedy& remedy);
    typedef void (*TenantTracedCallback)(const DyetraceTenantEvent& event);
    typedef void (*ScoreTracedCallback)(const DyetraceInstanceScore& score);
    typedef void (*FlowTracedCallback)(uint32_t trace, const DyetraceFlowTrace& seen);
    typedef void (*SuspectsTracedCallback)(uint32_t incident, const std::vector<DyetraceSuspect>& suspects);

  protected:
    void DoDispose() override;

  private:
    friend class DyetraceEngines;
    class State;

    State& Started() const;
    /// Nothing is left of Start() and what was said after it.
    void Stop();
    static void PassOn(const Ptr<DyetraceNhms>& parent, const std::string& name,
                       const std::shared_ptr<const dyetrace::health::Concluded>& concluded);
    void NoteMove(uint32_t guest, uint32_t from, uint32_t to);

    std::unique_ptr<State> m_state;
    Ptr<DyetraceNhms> m_parent;
    std::string m_nameAtParent;
    Ptr<DyetracePlacement> m_placement;
    TracedCallback<const DyetraceHealthChange&> m_health;
    TracedCallback<const DyetraceIncidentStep&> m_incident;
    TracedCallback<uint32_t, const std::vector<DyetraceSuspect>&> m_suspects;
    TracedCallback<const DyetraceRemedy&> m_remedy;
    TracedCallback<const DyetraceTenantEvent&> m_tenant;
    TracedCallback<const DyetraceInstanceScore&> m_score;
    TracedCallback<uint32_t, const DyetraceFlowTrace&> m_flowTrace;

    // Attributes, each a field of the engine's configuration.
    uint64_t m_seed;
    uint16_t m_port;
    std::string m_key;
    uint8_t m_keyId;
    bool m_insecure;
    double m_baselineRate;
    double m_impairedRate;
    double m_falseAlarm;
    double m_miss;
    double m_windowMost;
    Time m_evaluateInterval;
    Time m_memory;
    Time m_readCounters;
    Time m_concludeInterval;
    Time m_parentDelay;
    Time m_coverInterval;
    uint32_t m_coverPairs;
    double m_raisedRate;
    Time m_investigation;
    Time m_freshLeast;
    uint64_t m_freshPacketsLeast;
    Time m_directiveRetry;
    uint32_t m_directiveAttempts;
    std::string m_repath;
    std::string m_drain;
    std::string m_migrate;
    std::string m_drainHost;
    std::string m_notify;
    double m_drainShare;
    uint32_t m_remediesMost;
    Time m_remedyInterval;
    uint32_t m_repathAttempts;
    Time m_verifyWithin;
    Time m_restoreAfter;
    bool m_flowTraces;
    uint16_t m_flowCapture;
    bool m_clocksAreOne;
    Time m_clientSpan;
    Time m_shareInterval;
    Time m_scoreFall;
    Time m_scoreRise;
};

}  // namespace ns3

#endif  // DYETRACE_NHMS_H
