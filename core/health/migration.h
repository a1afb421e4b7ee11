// SPDX-License-Identifier: GPL-2.0-or-later
// Whether guests that were moved off a sick host have left it, and fare well where they are.
//
//   before:  H <-> P1, P2, ...        the pairs that crossed the suspect when the remedy was begun
//   after:   N <-> P1, P2, ...        lose no more than others: the guests' new place is well
//            H <-> anybody            nearly nothing crosses the suspect any more: they have left
//
// Where the guests went is the word of whoever placed them; all else is evidence. An EPPC measures pairs of
// hosts: what N and P sent each other for other guests counts as well.
#pragma once

#include <string>

#include "core/base/time.h"
#include "core/health/config.h"
#include "core/health/crossings.h"
#include "core/health/incident.h"
#include "core/localise/evidence_source.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::health {

/// Of incidents that are about a host or a link of one.
class Migration {
  public:
    /// All must outlive it.
    Migration(const NhmsConfig& config, const localise::FabricGraph& graph,
              const localise::EvidenceSource& evidence)
        : config_(config), graph_(graph), evidence_(evidence), crossings_(graph, evidence) {}

    /// Packets across the suspect since the incident's fresh evidence began, a second.
    [[nodiscard]] double crossing_a_second(const Incident& incident, Time now) const;
    /// What the pairs that were watched have carried, with each new host in the sick one's place.
    [[nodiscard]] localise::Crossing at_new_places(const Incident& incident, Time since) const;
    /// Of what crossed it before, the share that still does.
    [[nodiscard]] static double remaining_share(const Incident& incident, const localise::Crossing& left,
                                                Time since, Time now);
    [[nodiscard]] bool is_left(const Incident& incident, const localise::Crossing& left, Time since,
                               Time now) const {
        return remaining_share(incident, left, since, now) <= config_.remedies.remaining_share;
    }
    /// That in words.
    [[nodiscard]] static std::string remaining(const Incident& incident, const localise::Crossing& left,
                                               Time since, Time now);

  private:
    const NhmsConfig& config_;
    const localise::FabricGraph& graph_;
    const localise::EvidenceSource& evidence_;
    Crossings crossings_;
};

}  // namespace dyetrace::health
