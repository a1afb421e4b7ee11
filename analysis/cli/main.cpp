// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

#include "analysis/cli/program.h"

namespace {

/// A simulation looks at memory all over the place, and on small pages a large fabric's lies on more of them
/// than a processor keeps the places of. malloc is told at its start or never: so the program starts once
/// more. Where the environment says anything about malloc already, that stands.
void take_large_pages(int argc, char** argv) {
    constexpr const char* kTunables = "GLIBC_TUNABLES";
    const auto is_run = [](const char* word) { return std::string_view(word) == "run"; };
    if (std::getenv(kTunables) != nullptr || std::none_of(argv, argv + argc, is_run)) return;
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return;
    self[length] = '\0';
    if (setenv(kTunables, "glibc.malloc.hugetlb=1", 1) == 0) (void)execv(self, argv);
}

}  // namespace

int main(int argc, char** argv) {
    take_large_pages(argc, argv);
    return dyetrace::cli::run_program(argc, argv);
}
