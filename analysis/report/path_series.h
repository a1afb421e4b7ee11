// SPDX-License-Identifier: GPL-2.0-or-later
// What the paths through a suspect measured over time, beside what all others did.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/report/plot.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::report {

/// Sums of what was newly reported in one slice of time.
struct Slice {
    std::uint64_t sent = 0;
    std::int64_t lost = 0;
    std::int64_t delay_ns_sum = 0;
    std::uint64_t delay_count = 0;
};

/// Paths that are drawn as one line.
struct PathGroup {
    std::string title;
    std::vector<Slice> slices;

    [[nodiscard]] std::vector<Point> loss_percent(double slice_s) const;   ///< of all packets
    [[nodiscard]] std::vector<Point> delay_us_mean(double slice_s) const;  ///< one way, raw, tracked packets
};

struct PathSeries {
    double slice_s = 0;
    std::vector<PathGroup>
        groups;  ///< one a suspect, in their order; the last holds every path of no suspect
};

/// A path that goes through several of the suspects counts in each of their groups.
[[nodiscard]] PathSeries make_path_series(const store::RunReader& run,
                                          const std::vector<store::SuspectRow>& suspects,
                                          const std::vector<std::string>& suspect_names,
                                          std::int64_t duration_ns);

}  // namespace dyetrace::report
