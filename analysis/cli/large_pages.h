// SPDX-License-Identifier: GPL-2.0-or-later
// Memory in large pages, for programs that look at memory all over the place: on small pages, what a large
// fabric or ten thousand peers take lies on more of them than a processor keeps the places of.
#pragma once

#include <cstdlib>

#include <unistd.h>

namespace dyetrace::cli {

/// Begins the program once more with malloc told to ask for large pages: it is told at its start or never.
/// Where the environment says anything about malloc already, that stands. Call it first; where large pages
/// cannot be had, it returns.
inline void take_large_pages(char** argv) {
    constexpr const char* kTunables = "GLIBC_TUNABLES";
    if (std::getenv(kTunables) != nullptr) return;
    // By its own name, which tools that list programs show.
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return;
    self[length] = '\0';
    if (setenv(kTunables, "glibc.malloc.hugetlb=1", 1) == 0) (void)execv(self, argv);
}

}  // namespace dyetrace::cli
