// SPDX-License-Identifier: GPL-2.0-or-later
// What the health service wants sent, and what it learned and decided, for the record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/health/detector.h"
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
    bool usable = false;  ///< complete, and made of links that the graph has
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

enum class IncidentState : std::uint8_t { Investigating, Confirmed, Refuted };
std::string_view to_string(IncidentState state);

enum class IncidentStep : std::uint8_t {
    Opened,
    DirectiveSent,
    DirectiveAnswered,
    Evidence,
    Confirmed,
    Refuted
};
std::string_view to_string(IncidentStep step);

struct IncidentChanged {
    Time at;
    IncidentId incident;
    IncidentState state{};
    IncidentStep step{};
    localise::NodeId from, to;  ///< the link that the incident is about
    std::string detail;
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

using Output = std::variant<Datagram, UpdateReceived, SessionReported, RecordReceived, PathReported, LossSeen,
                            HealthChanged, IncidentChanged, DirectiveSent, DirectiveAnswered, SuspectsNamed>;

}  // namespace dyetrace::health
