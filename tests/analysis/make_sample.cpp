// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the sample run, for whoever wants to look at one: make_sample FILE [K]
#include <cstdio>
#include <cstdlib>

#include "tests/analysis/sample_run.h"

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FILE [K]\n", argv[0]);
        return 2;
    }
    dyetrace::testing::SampleRun sample;
    if (argc > 2) sample.k = std::atoi(argv[2]);
    dyetrace::testing::write_sample_run(argv[1], sample);
    return 0;
}
