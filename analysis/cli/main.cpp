// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/program.h"

int main(int argc, char** argv) {
    return dyetrace::cli::run_program(argc, argv);
}
