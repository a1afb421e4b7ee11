// SPDX-License-Identifier: GPL-2.0-or-later
// One incident, and all incidents as a service that stops hands them to the one that follows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/health/events.h"
#include "core/health/policies.h"
#include "core/localise/evidence_source.h"
#include "core/wire/directive.h"

namespace dyetrace::health {

/// One path of a pair on one source port, whatever session measures it.
struct MovedPath {
    localise::PairPath path;
    PathGeneration generation;

    auto operator<=>(const MovedPath&) const = default;
};

/// What a repath has come to.
struct RepathProgress {
    std::set<MovedPath> asked;  ///< and not answered yet
    std::set<MovedPath> done;   ///< left by its path
    std::map<localise::PairPath, int> attempts;
    std::uint64_t moves = 0;     ///< answered
    std::uint64_t given_up = 0;  ///< paths that were moved as often as may be, or whose EPPC is gone

    bool operator==(const RepathProgress&) const = default;
};

struct Incident {
    IncidentId id;
    Subject subject;
    IncidentState state = IncidentState::Investigating;
    Time opened_at;
    Time fresh_since;        ///< evidence from here on counts as fresh
    Time named_at;           ///< when suspects were last put on the record
    bool answered = false;   ///< some EPPC has begun to do what it was asked
    bool ask_again = false;  ///< its directives are to be sent anew, as soon as there is evidence

    // Once confirmed
    double rate_suspected = 0;     ///< what the suspect was thought to lose as the incident was opened
    double rate_before = 0;        ///< of packets across the suspect that were lost
    bool alone = true;             ///< nothing else would explain it as well
    std::uint32_t tried = 0;       ///< remedies, a bit each
    std::optional<Remedy> remedy;  ///< under way, or the one that worked
    bool held_back = false;        ///< and that is on the record
    Time acted_at;                 ///< when the remedy last did something
    Time remedy_at;                ///< when it was begun
    std::vector<localise::PairPath> watched;  ///< paths that crossed the suspect then, sorted
    RepathProgress repath;
    double crossed_a_second = 0;      ///< packets, before guests were asked to move
    std::vector<IpAddress> moved_to;  ///< the hosts that took them, sorted
    bool drained = false;             ///< by the remedy under way, or the one that worked
    Time restore_at = Time::never();

    bool operator==(const Incident&) const = default;
};

/// Nodes are those of the graph, which is to be the same.
struct IncidentMemory {
    std::uint32_t next_incident = 1;
    std::vector<Incident> incidents;                          ///< open, or of something that is drained
    std::vector<std::pair<Subject, Time>> judged;             ///< refuted or closed, and when
    std::vector<std::pair<Subject, std::uint32_t>> restored;  ///< how often it was put into use again
    std::vector<Time> remedies;                               ///< when the last ones were begun

    bool operator==(const IncidentMemory&) const = default;
};

/// A directive that an incident, or the look at cover, wants sent.
struct WantedDirective {
    IncidentId incident;  ///< zero: of none
    IpAddress eppc;
    wire::DirectiveBody body;

    /// Has a pair sampled for so long: Investigate where it is measured, else OpenSession.
    static WantedDirective to_sample(wire::DirectiveKind kind, IncidentId incident,
                                     const localise::HostPair& pair, const wire::SamplingSpec& sampling,
                                     Duration duration) {
        WantedDirective directive{incident, pair.first, {}};
        directive.body.kind = kind;
        directive.body.peer = pair.second;
        directive.body.sampling = sampling;
        directive.body.duration = duration;
        return directive;
    }
};

/// What an evaluation led to; each list in order.
struct IncidentOutputs {
    std::vector<IncidentChanged> changes;
    std::vector<WantedDirective> directives;
    std::vector<SuspectsNamed> named;
    std::vector<DrainRequested> drains;
    std::vector<MigrationRequested> migrations;
    std::vector<OperatorNotified> notices;

    /// Writes a step of `incident` down, as it stands.
    void step(const Incident& incident, IncidentStep step, Time now, std::string detail) {
        changes.push_back({now, incident.id, incident.state, step, incident.subject, std::move(detail)});
    }
};

}  // namespace dyetrace::health
