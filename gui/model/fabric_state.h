// SPDX-License-Identifier: GPL-2.0-or-later
// The fabric at one moment: what each link's paths lost, who is suspected, and what was really wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

enum class VerdictStatus { Suspected, Confirmed, Refuted };
[[nodiscard]] QString to_text(VerdictStatus status);

/// What had become of an incident at a moment.
[[nodiscard]] VerdictStatus status_at(const Incident& incident, std::int64_t t_ns);
/// Its latest inference until then; null before the first.
[[nodiscard]] const Inference* inference_at(const Incident& incident, std::int64_t t_ns);

struct ActiveSuspect {
    Suspect suspect;
    const Incident* incident = nullptr;  ///< in the snapshot
    VerdictStatus status = VerdictStatus::Suspected;
    int number = 0;  ///< from 1: confirmed ones first, then by log-odds
};

struct FabricState {
    std::int64_t t_ns = 0;
    TimeRange interval;       ///< what `links` and `all` are about: whole bins, the last one over at t_ns
    std::vector<Loss> links;  ///< of all packets on learned paths through each link
    Loss all;                 ///< of all packets measured
    std::vector<ActiveSuspect> suspects;          ///< of incidents that are not refuted; each link once
    std::vector<const TruthFault*> truth_faults;  ///< in force
    int sessions_active = 0;
    int incidents_open = 0;
    int incidents_confirmed = 0;
    int incidents_refuted = 0;
};

/// At `t_ns`, looking back `window_ns`. Points into `run`, which must outlive it.
[[nodiscard]] FabricState fabric_state(const RunSnapshot& run, std::int64_t t_ns, std::int64_t window_ns);

}  // namespace dyetrace::viewer
