// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the module's tests outside of an ns-3 tree, a suite for each file of them, as ns-3's own test-runner
// does inside one:
//
//   dyetrace_ns3_test --suite=dyetrace-links --verbose

#include <map>
#include <string>

#include <ns3/test.h>

#include "ns3-module/test/dyetrace-test-cases.h"

namespace ns3 {
namespace dyetrace_test {

FilledTestSuite& SuiteOf(const std::string& part) {
    static std::map<std::string, FilledTestSuite> suites;
    return suites.try_emplace(part, "dyetrace-" + part).first->second;
}

}  // namespace dyetrace_test
}  // namespace ns3

int main(int argc, char** argv) {
    return ns3::TestRunner::Run(argc, argv);
}
