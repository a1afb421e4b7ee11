// SPDX-License-Identifier: GPL-2.0-or-later
// From a run database or a trace to the localiser's verdict; what `dyetrace locate` prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/cli/other_evidence.h"
#include "analysis/planning/pair_cover.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::cli {

/// Of which flows of a trace the path taken is used. Of the others it is not looked at: they took one of the
/// shortest paths between their hosts over the links of all candidate paths and all paths used.
enum class TracePaths {
    Known,    ///< of all
    Lossy,    ///< of those that lost packets, as where an operator traces the path of what went wrong
    Unknown,  ///< of none
};

struct Located {
    localise::FabricGraph graph;
    localise::Verdict verdict;
    std::string source;            ///< the file
    bool numbered = false;         ///< nodes have numbers for names: a trace
    std::size_t observations = 0;  ///< windows of a run, flows of a trace
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    double reading_s = 0;  ///< wall time, for who asks; never part of the verdict
    double inference_s = 0;
    std::size_t paths_unknown = 0;    ///< paths with packets that no trace of their hops came back for
    std::vector<std::string> unused;  ///< of other evidence: a line on each entry
    std::optional<planning::PairCover> pairs;  ///< where asked for
};

/// Whether it is also worked out what the measured pairs cover.
enum class WithPairs : bool { No, Yes };

/// From what a run measured: path records and learned paths; never from truth. Throws `store::Error`.
[[nodiscard]] Located locate_run(const std::filesystem::path& path, const OtherEvidence& other = {},
                                 WithPairs pairs = WithPairs::No);
/// From flows and the paths they took; never from `Failing_link`. Throws `store::Error`.
[[nodiscard]] Located locate_trace(const std::filesystem::path& path, TracePaths paths = TracePaths::Known,
                                   const OtherEvidence& other = {});

/// {"suspects": [..], "candidates": [..], "pairs": {..}}, best first; docs/commands.md has the fields.
[[nodiscard]] nlohmann::ordered_json locate_json(const Located& located);
[[nodiscard]] std::string locate_text(const Located& located);

}  // namespace dyetrace::cli
