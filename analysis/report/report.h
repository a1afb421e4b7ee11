// SPDX-License-Identifier: GPL-2.0-or-later
// A run as one page to read, print and send: no script, no second file.
#pragma once

#include <filesystem>
#include <string>

#include "analysis/store/run_reader.h"

namespace dyetrace::report {

/// The page: verdict, timeline, plots, suspects beside truth, links, counters, provenance. The same run gives
/// the same page (with the same gnuplot). Throws `PlotError` where gnuplot is missing.
[[nodiscard]] std::string make_report(const store::RunReader& run);

/// Writes the page. Throws `store::OutputExists` where `file` is there, unless `force` and it is an earlier
/// report; the file is there completely or not at all.
void write_report(const store::RunReader& run, const std::filesystem::path& file, bool force);

}  // namespace dyetrace::report
