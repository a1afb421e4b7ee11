// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the program gnuplot.
#pragma once

#include <string>

namespace dyetrace::report {

/// What gnuplot prints for the script. Throws `PlotError` where it is not installed or refuses the script.
[[nodiscard]] std::string run_gnuplot(const std::string& script);

}  // namespace dyetrace::report
