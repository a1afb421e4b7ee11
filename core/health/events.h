// SPDX-License-Identifier: GPL-2.0-or-later
// What the health service wants sent, and what it learned and decided, for the record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/health/client_desk.h"
#include "core/health/detector.h"
#include "core/health/flow_trace.h"
#include "core/health/told.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"
#include "core/wire/directive.h"
#include "core/wire/update.h"

namespace dyetrace::health {

using IncidentId = StrongId<struct IncidentTag, std::uint32_t>;
using DirectiveId = StrongId<struct DirectiveTag, std::uint32_t>;

/// A UDP datagram to an EPPC. `bytes` is valid until the next call of any other verb.
struct Datagram {
    Endpoint to;
    Bytes bytes;
};

/// An update arrived whole and authentic; its entries follow as events of their own.
struct UpdateReceived {
    Time at;
    IpAddress eppc;
    BootId boot;
    std::uint32_t sequence = 0;
    std::size_t entries = 0;
    bool repeated = false;  ///< seen before: acknowledged again, entries not repeated
};
struct SessionReported {
    Time at;
    IpAddress requester;
    wire::SessionEntry entry;
};
struct RecordReceived {
    Time at;
    IpAddress requester;
    wire::MetricsEntry entry;
};
struct PathReported {
    Time at;
    IpAddress requester;
    wire::PathEntry entry;
    std::size_t ways = 0;  ///< of the graph that fit it; 0: none, or too many, and it says nothing
    std::vector<localise::NodeId> nodes;  ///< host, switches, host, where just one does
};
/// A window of one path in which packets were lost.
struct LossSeen {
    Time at;
    IpAddress requester;
    IpAddress acceptor;
    SessionId session;
    PathIndex path;
    PathGeneration generation;
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
};
/// A pair's health changed.
struct HealthChanged {
    Time at;
    IpAddress requester;
    IpAddress acceptor;
    Health health{};
    double statistic = 0;
    std::uint64_t sent = 0;  ///< packets, or windows, that the state rests on
    std::uint64_t lost = 0;  ///< of those, lost, late, damaged...
    std::string reason;
    Metric metric = Metric::None;  ///< congestion is no fault: see `is_fault`
    double confidence = 0;         ///< 1 less the error rate that the state was taken with
};

/// What an incident is about.
struct Subject {
    enum class Kind : std::uint8_t { Link, Device };
    Kind kind = Kind::Link;
    localise::NodeId from, to;  ///< of a link, in the direction that is suspected
    localise::NodeId device;    ///< a switch or a host

    static Subject link(localise::NodeId from, localise::NodeId to) { return {Kind::Link, from, to, {}}; }
    static Subject of_device(localise::NodeId node) { return {Kind::Device, {}, {}, node}; }
    [[nodiscard]] bool is_link() const { return kind == Kind::Link; }

    auto operator<=>(const Subject&) const = default;
};
/// "agg-0-1 > core-3", or "core-3".
std::string describe(const Subject& subject, const localise::FabricGraph& graph);

enum class IncidentState : std::uint8_t {
    Investigating,  ///< suspected; fresh evidence is awaited
    Confirmed,      ///< by fresh evidence; no remedy is under way
    Remedying,      ///< a remedy is being carried out, or is to be by somebody else
    Verifying,      ///< it was; evidence of recovery is awaited
    Closed,         ///< recovered
    Refuted,        ///< by fresh evidence, or for want of it
    Merged,         ///< another incident explains it: of a device, or of one that it cannot be told from
};
std::string_view to_string(IncidentState state);

enum class IncidentStep : std::uint8_t {
    Opened,
    DirectiveSent,
    DirectiveAnswered,
    DirectiveRefused,  ///< nobody to send it to, or no room
    Evidence,
    Confirmed,
    Refuted,
    Merged,
    Advised,      ///< a remedy whose policy is advisory
    Remedy,       ///< begun
    HeldBack,     ///< a limit forbids a remedy
    Migrated,     ///< guests are elsewhere, as whoever places them says
    Verified,     ///< fresh evidence shows that the remedy worked
    NotVerified,  ///< it does not; the next remedy is tried
    Restored,     ///< what was drained is in use again
    Closed,
    Resumed,  ///< taken over by a service that restarted
};
std::string_view to_string(IncidentStep step);

struct IncidentChanged {
    Time at;
    IncidentId incident;
    IncidentState state{};
    IncidentStep step{};
    Subject subject;
    std::string detail;
};
/// Asks the network's controller to take a cable (both directions) or a switch out of use, or a host's
/// scheduler to place no guests there; with `undrain`, to take it into use again.
struct DrainRequested {
    Time at;
    IncidentId incident;
    Subject subject;
    bool automatic = false;  ///< else it is advice
    bool undrain = false;
};
/// Asks whoever places guests to move those of a host elsewhere.
struct MigrationRequested {
    Time at;
    IncidentId incident;
    localise::NodeId host;
    bool automatic = false;
};
/// What came of that, as whoever places guests says.
struct GuestsMoved {
    IncidentId incident;
    std::vector<IpAddress> to;  ///< the host that took it, of each guest that has moved
    std::size_t stayed = 0;     ///< guests that have not
    std::string detail;         ///< for the record: which went where, and why the others stay
};
struct OperatorNotified {
    Time at;
    IncidentId incident;
    Subject subject;
    std::string text;
};
struct DirectiveSent {
    Time at;
    DirectiveId directive;
    IncidentId incident;
    IpAddress eppc;
    wire::DirectiveBody body;
};
struct DirectiveAnswered {
    Time at;
    DirectiveId directive;
    IncidentId incident;
    wire::DirectiveResultBody result;
};
/// What stands in a confirmed incident's place of suspects from now on, best first.
struct SuspectsNamed {
    Time at;
    IncidentId incident;
    std::vector<localise::Suspect> suspects;
};

/// A flow that somebody had followed is not any more, and what was seen of it has arrived.
struct FlowTraced {
    Time at;
    FlowTraceId trace;
    std::shared_ptr<const FlowTraceResult> result;
};

using Output = std::variant<Datagram, UpdateReceived, SessionReported, RecordReceived, PathReported, LossSeen,
                            HealthChanged, IncidentChanged, DirectiveSent, DirectiveAnswered, SuspectsNamed,
                            DrainRequested, MigrationRequested, OperatorNotified, FlowTraced, TenantNotified,
                            PairsTold, ShareTold, InstanceScored, ProbeTold, Concluded>;

}  // namespace dyetrace::health
