// SPDX-License-Identifier: GPL-2.0-or-later
// The verdict of a run beside the truth of its simulator.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/store/run_reader.h"
#include "analysis/store/truth_reader.h"

namespace dyetrace::report {

enum class Agreement {
    Agrees,     ///< a fault was injected there, before it was suspected
    Disagrees,  ///< none was
    Unknown,    ///< nobody knows: the run has no truth
};

struct ScoredSuspect {
    store::SuspectRow suspect;  ///< as the last inference had it
    std::int64_t named_ns = 0;  ///< when an inference of its incident first had it
    Agreement agreement = Agreement::Unknown;
    std::optional<std::int64_t> fault_ns = {};  ///< when the fault began that it names; none: it names none
};

struct Score {
    bool has_truth = false;                    ///< a simulated run; a real fabric keeps its truth to itself
    std::vector<store::TruthFaultRow> faults;  ///< all that were injected, in the order they begin
    std::vector<ScoredSuspect> suspects;       ///< final ones of confirmed incidents, best first
    std::vector<store::TruthFaultRow> missed;  ///< faults that can do harm and that no suspect names
};

/// Whether it struck a node and not a link: its row leads from the node to itself.
bool is_of_node(const store::TruthFaultRow& fault);
/// The suspect that would have been right.
store::SuspectRow as_suspect(const store::TruthFaultRow& fault);
/// A fault that drops with probability 0 is none: it serves as control of an experiment.
[[nodiscard]] bool does_harm(const store::TruthFaultRow& fault);

[[nodiscard]] Score score(const store::RunReader& run);

}  // namespace dyetrace::report
