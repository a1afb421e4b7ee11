// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <string_view>

#include "analysis/cli/large_pages.h"
#include "analysis/cli/program.h"

int main(int argc, char** argv) {
    const auto is_run = [](const char* word) { return std::string_view(word) == "run"; };
    if (std::any_of(argv, argv + argc, is_run)) dyetrace::cli::take_large_pages(argv);
    return dyetrace::cli::run_program(argc, argv);
}
