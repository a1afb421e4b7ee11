// SPDX-License-Identifier: GPL-2.0-or-later
// The network health management service: takes health updates, detects, localises, investigates, and confirms
// or refutes, acts and verifies.
//
//   updates -> evidence by (pair, path) -> a sequential test a pair -> localisation over learned paths ->
//   incident
//           -> directives -> fresh evidence -> confirmed, or refuted
//
// Sans-I/O like the EPPC: `handle` input, `advance` what is due, `poll` until empty, ask `next_deadline`. It
// knows the fabric's graph as configuration and a path only from what EPPCs traced.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/client_desk.h"
#include "core/health/config.h"
#include "core/health/events.h"
#include "core/health/flow_trace.h"
#include "core/health/incident.h"
#include "core/health/session_table.h"
#include "core/health/told.h"
#include "core/localise/fabric_graph.h"
#include "core/wire/drop_reason.h"

namespace dyetrace::health {

struct NhmsCounters {
    std::uint64_t updates = 0;           ///< new ones
    std::uint64_t updates_repeated = 0;  ///< acknowledged again
    std::uint64_t hellos = 0;            ///< updates that did not name our boot: not taken
    std::uint64_t records = 0;
    std::uint64_t impossible_records = 0;  ///< received > sent, or totals that ran backwards: no evidence
    std::uint64_t paths = 0;
    std::uint64_t paths_unusable = 0;     ///< no way fits or more than `ways_most`; or the graph has no such
                                          ///< nodes or links
    std::uint64_t paths_completed = 0;    ///< traced in part, and only one way fits what answered
    std::uint64_t paths_partial = 0;      ///< traced in part, and several ways fit: taken as a set
    std::uint64_t paths_remembered = 0;   ///< taken back by `resume`
    std::uint64_t timings = 0;            ///< timing entries
    std::uint64_t traffic = 0;            ///< figures of traffic between pairs that are not measured
    std::uint64_t timings_forgotten = 0;  ///< of sessions long silent, to make room
    std::uint64_t eppcs_forgotten = 0;    ///< long silent, to make room
    std::uint64_t evaluations = 0;        ///< runs of the localiser
    std::uint64_t directives_unanswered = 0;
    std::uint64_t directives_unknown_eppc = 0;  ///< to an EPPC that has sent no update: not sent
    std::uint64_t directives_no_room = 0;       ///< not sent, too many wait for an answer
    std::uint64_t incidents_over_limit = 0;
    std::uint64_t readings = 0;               ///< of switches' counters
    std::uint64_t readings_unknown_link = 0;  ///< of a link that the graph does not have
    std::uint64_t readings_impossible = 0;    ///< more lost than sent
    std::uint64_t readings_late = 0;          ///< not after the one before of that link
    std::uint64_t readings_ran_back = 0;      ///< the switch began to count anew
    std::uint64_t conclusions = 0;            ///< of other services
    std::uint64_t conclusions_unknown = 0;    ///< about what the graph does not have
    std::uint64_t conclusions_refused = 0;    ///< no numbers, of a time before others', or no room
    std::uint64_t cover_pairs = 0;            ///< asked for, to cross links that none did
    std::uint64_t cover_links = 0;            ///< between hosts that report, when it was last looked
    std::uint64_t cover_links_crossed = 0;    ///< of these
    RecordCounters by_reason;                 ///< records that made no window
    localise::RollingCounters evidence;       ///< windows and routes that are no evidence
};

/// What has to be known of a pair to go on with it.
struct RememberedPair {
    IpAddress requester;
    IpAddress acceptor;
    SessionDetector detector;
};

/// What a service remembers beyond its own life, for whoever keeps it; see `Nhms::resume`.
struct Memory {
    std::vector<RememberedPath> paths;  ///< by session and path, in the order in which they were first told
    std::vector<RememberedPair> pairs;  ///< likewise
    IncidentMemory incidents;
};

class Nhms {
  public:
    /// Errors name the wrong field. `seed` feeds the boot id.
    static Result<Nhms, std::string> create(const NhmsConfig& config, localise::FabricGraph graph,
                                            std::uint64_t seed, Time now);
    Nhms(Nhms&&) noexcept;
    Nhms& operator=(Nhms&&) noexcept;
    ~Nhms();

    /// The payload of a UDP datagram that arrived at the configured endpoint.
    void handle(const Endpoint& from, Bytes datagram, Time now);
    /// Changes the keys of a running service, as `eppc::Eppc::set_keys` does.
    Result<Done, std::string> set_keys(const auth::NamedKey& sending,
                                       const std::vector<auth::NamedKey>& others);
    /// Has one guest flow followed, where `NhmsConfig::flow_traces` lets it. Fails, in words, where it does
    /// not, or where one of the two EPPCs has not been heard of.
    Result<FlowTraceId, std::string> trace_flow(const FlowTraceRequest& request, Time now);
    /// What is known of it by now; each link with what evidence says of all packets across it.
    [[nodiscard]] std::optional<FlowTraceResult> flow_trace(FlowTraceId id, Time now) const;
    [[nodiscard]] const FlowTraceCounters& flow_trace_counters() const;
    /// Serves these tenants from now on, in place of those before, and asks EPPCs for what their probes need.
    /// Errors name the tenant or the field; those before go on being served then.
    Result<Done, std::string> serve(const ClientConfig& clients, Time now);
    /// What tenants may ask; null where none are served. Valid until the next `serve`.
    [[nodiscard]] const ClientView* clients() const;
    /// What an instance of a service, or whoever checks it, says of itself, 0 to 1. False where there is
    /// none.
    bool set_own_health(std::string_view service, std::string_view instance, double health, Time now);
    /// A tenant's guest is on another host from now on. False where there is no such guest.
    bool move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now);
    /// What switches count of their links, read just now: further evidence. What cannot be used is counted,
    /// and the rest is taken.
    void take_counters(std::span<const LinkReading> readings, Time now);
    /// What another service concluded from updates that do not come here: further evidence, in place of what
    /// `service` said before. Clocks have to agree as well as those of EPPCs have to. Likewise.
    void take_conclusions(std::string_view service, const Concluded& concluded, Time now);
    /// What has come of a MigrationRequested. False where no incident waits for it (any more).
    bool guests_moved(const GuestsMoved& report, Time now);
    /// Puts out what tenants' intervals and followed flows that are not over amount to by now, as at the end
    /// of a run.
    void settle_clients(Time now);
    void advance(Time now);
    [[nodiscard]] Time next_deadline() const;
    /// The next output, oldest first; valid until the next call of any other verb.
    std::optional<Output> poll();

    /// Totals and routes of all paths, the health of pairs, and incidents with their remedies and limits:
    /// with them a service that is started anew goes on where this one was. Evidence of the last seconds is
    /// not among them.
    [[nodiscard]] Memory remember() const;
    /// Takes that back, before the first `handle`, on the same graph and clock. Paths and pairs that the
    /// graph does not have any more, or that have no room, are left out. Errors say what of the incidents
    /// does not fit; nothing is changed then.
    Result<Done, std::string> resume(const Memory& memory, Time now);

    [[nodiscard]] const NhmsCounters& counters() const;
    [[nodiscard]] const wire::DropCounters& drops() const;
    [[nodiscard]] const localise::FabricGraph& graph() const;
    /// The newest that `requester` told of time in its session; null where it has told nothing. Valid until
    /// the next `handle`.
    [[nodiscard]] const wire::TimingEntry* timing(IpAddress requester, IpAddress acceptor,
                                                  SessionId session) const;

  private:
    class Engine;
    explicit Nhms(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

}  // namespace dyetrace::health
