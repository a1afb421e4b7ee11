// SPDX-License-Identifier: GPL-2.0-or-later
// What happened in a run, in the order it happened: the fault and what was made of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/report/scoring.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::report {

enum class TimelineKind {
    FaultBegins,  ///< truth
    FaultEnds,    ///< truth
    FirstEvidence,
    Detection,
    Incident,
    Directive,
    Confirmation,
    Refutation,
    Remedy,        ///< done, advised or held back
    Verification,  ///< of a remedy, or that it did not work
    Closing,
};
[[nodiscard]] std::string to_string(TimelineKind kind);
/// Only these come from the simulator's knowledge instead of from measurements.
[[nodiscard]] bool is_truth(TimelineKind kind);

struct TimelineEntry {
    std::int64_t t_ns = 0;
    TimelineKind kind = TimelineKind::Detection;
    std::string text;
};

struct Timeline {
    std::vector<TimelineEntry> entries;      ///< by time; at one time in the order of the kinds
    Score score;                             ///< the suspects in which it ended
    std::vector<std::string> suspect_names;  ///< of `score.suspects`
    std::vector<std::string> missed_names;   ///< of `score.missed`
};

/// The story of a run. Long lists (detections, refuted incidents) are cut to their first few and a count.
[[nodiscard]] Timeline make_timeline(const store::RunReader& run);

/// The timeline as text for a terminal, then the suspects with their odds and whether truth agrees. No line
/// ends with a newline.
[[nodiscard]] std::vector<std::string> to_lines(const Timeline& timeline);

/// "agrees", "disagrees", "not known".
[[nodiscard]] std::string to_string(Agreement agreement);
/// "silent-drop of 1% on agg-0-1 > core-3".
[[nodiscard]] std::string describe(const store::TruthFaultRow& fault, const std::string& link_name);
/// A share as people read it: 0.01 is "1%", 0.0123 is "1.23%".
[[nodiscard]] std::string percent(double share);

}  // namespace dyetrace::report
