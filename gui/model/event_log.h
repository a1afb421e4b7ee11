// SPDX-License-Identifier: GPL-2.0-or-later
// What happened in a run, as one list by time: what to step through, and what the timeline flags.
#pragma once

#include <QString>
#include <cstdint>
#include <vector>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

enum class EventKind {
    TruthBegins,
    TruthEnds,
    FirstEvidence,
    Detection,
    Recovery,  ///< a detector says healthy again
    Incident,
    Directive,
    Evidence,
    Confirmed,
    Refuted,
    Closed,
};
[[nodiscard]] QString to_text(EventKind kind);
[[nodiscard]] bool is_truth(EventKind kind);

struct RunEvent {
    std::int64_t t_ns = 0;
    EventKind kind = EventKind::Detection;
    QString text;
    int session = -1;            ///< where it is about one session
    int link = -1;               ///< where it is about one link
    std::int64_t incident = -1;  ///< `Incident::id`

    bool operator==(const RunEvent&) const = default;
};

/// By time; at one time in the order of the kinds. Directives that say the same to many hosts at once are one
/// event.
[[nodiscard]] std::vector<RunEvent> events_of(const RunSnapshot& run);

/// "1.120000 s  confirmed: incident 2: agg-0-1 > core-4": what happened last until `t_ns`; empty: nothing
/// yet.
[[nodiscard]] QString last_event_text(const std::vector<RunEvent>& events, std::int64_t t_ns,
                                      bool with_truth);

/// The different moments of `events`, for stepping.
[[nodiscard]] std::vector<std::int64_t> moments_of(const std::vector<RunEvent>& events);

}  // namespace dyetrace::viewer
