// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the module's TestSuites outside of an ns-3 tree, as ns-3's own test-runner does inside one:
//
//   dyetrace_ns3_test --suite=dyetrace-links --verbose

#include <ns3/test.h>

int main(int argc, char** argv) {
    return ns3::TestRunner::Run(argc, argv);
}
