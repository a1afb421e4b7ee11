// SPDX-License-Identifier: GPL-2.0-or-later
// The plots of a report: which lines, which moments.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/report/plot.h"
#include "analysis/report/timeline.h"
#include "analysis/store/run_reader.h"

namespace dyetrace::report {

/// Loss, log-odds, delay, sessions and health updates over time, all with the same axis and moments.
[[nodiscard]] std::vector<Plot> make_plots(const store::RunReader& run, const Timeline& timeline,
                                           std::int64_t duration_ns);

}  // namespace dyetrace::report
