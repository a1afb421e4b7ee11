// SPDX-License-Identifier: GPL-2.0-or-later
// The program `dyetrace`: reads the command line, runs the command that it names, tells errors in one form.
#pragma once

namespace dyetrace::cli {

/// Returns the exit code.
int run_program(int argc, const char* const* argv);

}  // namespace dyetrace::cli
