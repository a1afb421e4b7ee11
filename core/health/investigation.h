// SPDX-License-Identifier: GPL-2.0-or-later
// Incidents: a suspect is investigated with fresh evidence before anything is said of it for certain, and
// nothing is done about it before that.
//
//   suspect named -> Investigating: directives to the EPPCs whose paths cross it
//                 -> Confirmed, when evidence younger than the directives names it again
//                 -> Refuted, when the time is over and it was not named again
//   Confirmed     -> Remedying -> Verifying -> Closed, or the next remedy (remedying.h)
//                 -> Closed, when evidence of its own accord says that it is well
//                 -> Merged, when a device at its end is confirmed
//   Investigating -> Merged, when the evidence cannot tell it from one that is confirmed
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/config.h"
#include "core/health/crossings.h"
#include "core/health/events.h"
#include "core/health/incident.h"
#include "core/health/remedying.h"
#include "core/localise/evidence_source.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::health {

class Investigation {
  public:
    /// Graph, evidence and config must outlive it.
    Investigation(const NhmsConfig& config, const localise::FabricGraph& graph,
                  const localise::EvidenceSource& evidence);

    /// Opens incidents where `look_for_suspects`, judges those that are under investigation, and goes on with
    /// the remedies of those that are confirmed.
    IncidentOutputs evaluate(Time now, bool look_for_suspects);

    /// Whoever places guests has answered a MigrationRequested; none where no incident waits for it.
    std::optional<IncidentOutputs> on_guests_moved(const GuestsMoved& report, Time now);
    /// A directive of an incident was answered.
    void on_answer(const WantedDirective& asked, const wire::DirectiveResultBody& result, Time now);
    /// It will not be answered: nobody can be asked (`for_good`), or not now.
    void on_no_answer(const WantedDirective& asked, bool for_good, Time now);
    /// The incident as it stands, for a step that the caller knows of; null where it is over.
    [[nodiscard]] const Incident* find(IncidentId id) const;

    /// Whether evidence has to be looked at again soon.
    [[nodiscard]] bool is_busy() const;
    /// When something is to be done whatever the evidence; never: nothing.
    [[nodiscard]] Time next_deadline() const;
    [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }
    [[nodiscard]] std::uint64_t over_limit() const { return over_limit_; }

    [[nodiscard]] IncidentMemory remember() const;
    /// Takes over what another service has remembered; the clock goes on. Fails, and changes nothing, where
    /// it does not fit the graph or the bounds.
    Result<IncidentOutputs, std::string> resume(const IncidentMemory& memory, Time now);

  private:
    using Verdict = localise::Verdict;
    using Suspect = localise::Suspect;

    Verdict infer(Time since);
    void look(Time now, IncidentOutputs& outputs);
    void open(const Subject& subject, const Suspect& suspect, Time now, IncidentOutputs& outputs);
    void ask_for_evidence(Incident& incident, Time now, IncidentOutputs& outputs);
    void ask_for_extra_pairs(const Incident& incident, const std::vector<localise::HostPair>& known,
                             IncidentOutputs& outputs);
    void judge(Incident& incident, Time now, IncidentOutputs& outputs);
    void confirm(Incident& incident, const Verdict& verdict, const Suspect& suspect,
                 const localise::Crossing& seen, Time now, IncidentOutputs& outputs);
    /// A confirmed one about another of the suspect's group, which says all that its own would; null: none.
    /// The suspect is one of the verdict's.
    [[nodiscard]] const Incident* confirmed_alike(const Suspect& suspect, const Verdict& verdict) const;
    void merge(Incident& incident, std::string why, Time now, IncidentOutputs& outputs);
    /// Those of the device's links.
    void merge_into(const Incident& device, Time now, IncidentOutputs& outputs);
    /// Evidence from before says nothing of it any more; of a device, nothing of its links either.
    void set_judged(const Subject& subject, Time now);
    /// The same of one that has ended; where guests have left a host, of all that is about the host.
    void set_closed(const Incident& incident, Time now);
    /// The one by which it is drained, itself or with a device at its end; null: none.
    [[nodiscard]] const Incident* drain_of(const Subject& subject) const;
    /// Whether another incident drained what it is about; it is part of that one then.
    bool is_taken_over(Incident& incident, Time now, IncidentOutputs& outputs);
    /// Of a confirmed one: who stands in its place of suspects now, or that it is well.
    void look_again(Incident& incident, Time now, IncidentOutputs& outputs);
    void name_suspects(Incident& incident, const Verdict& verdict, Time now, IncidentOutputs& outputs);
    [[nodiscard]] bool may_open(const Subject& subject, Time now);
    /// Whether one of the device's links is held to be at fault while the device itself is looked at.
    [[nodiscard]] bool waits_for_device(const Incident& incident) const;
    [[nodiscard]] const Suspect* suspect_in(const Verdict& verdict, const Subject& subject) const;
    /// Whether a link that is not named has become likelier than it was before looking: evidence speaks for
    /// its fault, and there is too little of it.
    [[nodiscard]] bool accuses(const Verdict& verdict, const Subject& subject) const;
    /// Whether evidence since then neither names nor accuses it.
    [[nodiscard]] bool is_cleared(const Subject& subject, Time since);
    [[nodiscard]] bool others_clear(const Incident& incident, Time now);
    /// As `find`, to be changed.
    [[nodiscard]] Incident* own(IncidentId id);
    /// Devices that several of their links accuse, each on evidence of its own.
    [[nodiscard]] std::vector<const Suspect*> devices_in(const Verdict& verdict) const;
    /// Adds the switches that so many of their links accuse that one fault is likelier than as many.
    void add_accused_switches(Verdict& verdict) const;

    const NhmsConfig& config_;
    const localise::FabricGraph& graph_;
    const localise::EvidenceSource& evidence_;
    Crossings crossings_;
    Remedying remedying_;
    std::vector<Incident> incidents_;  ///< open, and those whose subject is drained
    std::map<Subject, Time> judged_;   ///< refuted or closed, and when
    std::uint32_t next_id_ = 1;
    std::uint64_t evaluations_ = 0;
    std::uint64_t over_limit_ = 0;
};

}  // namespace dyetrace::health
