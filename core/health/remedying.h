// SPDX-License-Identifier: GPL-2.0-or-later
// What is done about a confirmed incident, in this order, as policies and limits allow:
//
//   a link between switches, a switch:  repath -> drain -> notify
//   a host, a link to or from one:      migrate -> drain-host -> notify      (no way leads round it)
//
//   Confirmed -> Remedying: paths are moved, those that cross the suspect again too
//             -> Verifying -> Verified, Closed: what crossed it loses no more than others
//                          -> not verified: the next remedy
//
// Guests are moved by somebody else: Remedying lasts until they say so (migration.h tells what is made of
// that).
//
// An advisory remedy is said and left to the operator. A limit that forbids a remedy holds it back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/health/config.h"
#include "core/health/crossings.h"
#include "core/health/drains.h"
#include "core/health/events.h"
#include "core/health/incident.h"
#include "core/health/migration.h"

namespace dyetrace::health {

class Remedying {
  public:
    /// All must outlive it.
    Remedying(const NhmsConfig& config, const localise::FabricGraph& graph,
              const localise::EvidenceSource& evidence);

    /// Goes on with an incident that is Confirmed, Remedying or Verifying. `is_named`: whether the evidence
    /// since a time names it; asked only when it matters.
    template <class IsNamed>
    void go_on(Incident& incident, Time now, IncidentOutputs& outputs, const IsNamed& is_named) {
        if (incident.state == IncidentState::Confirmed) begin_next(incident, now, outputs);
        if (incident.state == IncidentState::Remedying && incident.remedy == Remedy::Migrate) {
            await_guests(incident, now, outputs);
        } else if (incident.state == IncidentState::Remedying) {
            move_paths(incident, now, outputs);
        }
        if (incident.state != IncidentState::Verifying) return;
        // Others are found to cross it meanwhile, and new ones begin.
        if (incident.remedy == Remedy::Repath) ask_to_move(incident, outputs);
        if (now - incident.acted_at < config_.remedies.settle * 2) return;
        verify(incident, now, is_named(incident.acted_at + config_.remedies.settle), outputs);
    }

    /// False where nobody waits for it.
    bool on_guests_moved(Incident& incident, const GuestsMoved& report, Time now, IncidentOutputs& outputs);
    void on_answer(Incident& incident, const WantedDirective& asked, const wire::DirectiveResultBody& result,
                   Time now);
    /// `for_good`: nobody answers there; else there was no room to ask, which does not count.
    void on_no_answer(Incident& incident, const WantedDirective& asked, bool for_good);

    /// Takes into use again what was drained long enough ago.
    void restore(Incident& incident, Time now, IncidentOutputs& outputs);
    /// The same of what there is no reason any more to have drained.
    void undo(Incident& incident, Time now, IncidentOutputs& outputs);

    void remember(IncidentMemory& memory) const;
    void resume(const IncidentMemory& memory);

  private:
    [[nodiscard]] std::vector<Remedy> ladder(const Incident& incident) const;
    /// Whether policies let it be thought of, and it was not tried.
    [[nodiscard]] bool may_begin(const Incident& incident, Remedy remedy) const;
    void begin_next(Incident& incident, Time now, IncidentOutputs& outputs);
    void advise(Incident& incident, Remedy remedy, Time now, IncidentOutputs& outputs);
    void begin(Incident& incident, Remedy remedy, Time now, IncidentOutputs& outputs);
    /// Why it must not be done now; empty: it may.
    [[nodiscard]] std::string refusal(const Incident& incident, Remedy remedy, Time now);
    void watch(Incident& incident, Time now);
    [[nodiscard]] std::vector<MovedPath> to_move(const Incident& incident) const;
    /// Asks for all that cross the suspect to be moved; whether there is nothing left to ask and to wait for.
    bool ask_to_move(Incident& incident, IncidentOutputs& outputs);
    void move_paths(Incident& incident, Time now, IncidentOutputs& outputs);
    void await_guests(Incident& incident, Time now, IncidentOutputs& outputs) const;
    void trace_again(const Incident& incident, IncidentOutputs& outputs) const;
    void verify(Incident& incident, Time now, bool is_named, IncidentOutputs& outputs);
    /// What evidence since then says of the remedy, and in words.
    struct Recovery {
        bool is_enough = false;  ///< to say anything
        bool is_well = false;
        std::string detail;
    };
    [[nodiscard]] Recovery recovery(const Incident& incident, Time now) const;
    void close(Incident& incident, const std::string& detail, Time now, IncidentOutputs& outputs);
    void ask_controller(const Incident& incident, bool automatic, bool undrain, Time now,
                        IncidentOutputs& outputs) const;
    [[nodiscard]] Subject drained_subject(const Incident& incident) const;

    const NhmsConfig& config_;
    const localise::FabricGraph& graph_;
    const localise::EvidenceSource& evidence_;
    Crossings crossings_;
    Migration migration_;
    Drains drains_;
    std::deque<Time> begun_;                     ///< remedies, as long as they count
    std::map<Subject, std::uint32_t> restored_;  ///< how often each was put into use again
};

}  // namespace dyetrace::health
