// SPDX-License-Identifier: GPL-2.0-or-later
// Inside an ns-3 tree all cases are in one suite: ./test.py -s dyetrace

#include "dyetrace-test-cases.h"

namespace ns3 {
namespace dyetrace_test {

FilledTestSuite& SuiteOf(const std::string&) {
    // Made by whoever asks first: the order in which files are initialised is not defined.
    static FilledTestSuite suite("dyetrace");
    return suite;
}

}  // namespace dyetrace_test
}  // namespace ns3
