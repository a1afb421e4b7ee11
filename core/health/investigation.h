// SPDX-License-Identifier: GPL-2.0-or-later
// Incidents: a suspect link is investigated with fresh evidence before anything is said of it for certain.
//
//   suspect named -> Investigating: directives to the EPPCs whose paths cross it
//                 -> Confirmed, when evidence younger than the directives names it again
//                 -> Refuted, when the time is over and it was not named again
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/time.h"
#include "core/health/config.h"
#include "core/health/events.h"
#include "core/localise/evidence.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"
#include "core/wire/directive.h"

namespace dyetrace::health {

/// A directive that an investigation wants sent.
struct WantedDirective {
    IncidentId incident;
    IpAddress eppc;
    wire::DirectiveBody body;
};

/// What an evaluation led to, in order.
struct InvestigationResult {
    std::vector<IncidentChanged> changes;
    std::vector<WantedDirective> directives;
    std::vector<SuspectsNamed> named;
};

class Investigation {
  public:
    /// Graph, evidence and config must outlive it.
    Investigation(const NhmsConfig& config, const localise::FabricGraph& graph,
                  const localise::EvidenceBuilder& evidence)
        : config_(config), graph_(graph), evidence_(evidence) {}

    /// Opens incidents where `look_for_suspects`, and judges those that are under investigation.
    InvestigationResult evaluate(Time now, bool look_for_suspects);

    /// A directive of an incident was answered.
    void on_answer(IncidentId incident, Time now);

    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }
    [[nodiscard]] std::uint64_t over_limit() const { return over_limit_; }

  private:
    struct Incident {
        IncidentId id;
        localise::LinkId link;
        IncidentState state = IncidentState::Investigating;
        Time fresh_since;       ///< evidence from here on counts as fresh
        bool answered = false;  ///< some EPPC has begun to do what it was asked
        Time named_at;          ///< when suspects were last put on the record
    };
    /// Packets across a link in some windows.
    struct Crossing {
        std::uint64_t sent = 0;
        std::uint64_t lost = 0;
    };

    localise::Verdict infer(Time since);
    [[nodiscard]] Crossing crossing(localise::LinkId link, Time since) const;
    [[nodiscard]] std::vector<std::pair<IpAddress, IpAddress>> pairs_across(localise::LinkId link,
                                                                            Time since) const;
    void open(localise::LinkId link, const localise::Suspect& suspect, Time now, InvestigationResult& result);
    void judge(Incident& incident, Time now, InvestigationResult& result);
    void name_suspects(Incident& incident, const localise::Verdict& verdict, Time now,
                       InvestigationResult& result);
    [[nodiscard]] bool may_open(localise::LinkId link, Time now);
    [[nodiscard]] IncidentChanged change(const Incident& incident, IncidentStep step, Time now,
                                         std::string detail) const;
    [[nodiscard]] const localise::Suspect* find(const localise::Verdict& verdict,
                                                localise::LinkId link) const;

    const NhmsConfig& config_;
    const localise::FabricGraph& graph_;
    const localise::EvidenceBuilder& evidence_;
    std::vector<Incident> incidents_;  ///< investigating and confirmed
    std::map<localise::LinkId, Time> refuted_;
    std::uint32_t next_id_ = 1;
    std::uint64_t evaluations_ = 0;
    std::uint64_t over_limit_ = 0;
};

}  // namespace dyetrace::health
