// SPDX-License-Identifier: GPL-2.0-or-later
// Each file of tests offers its cases once. Which suite takes them is decided where the program is put
// together: inside an ns-3 tree the one suite `dyetrace`, as ns-3's users expect of a module; in dyetrace's
// own tests a suite for each file, which run apart.
#ifndef DYETRACE_TEST_CASES_H
#define DYETRACE_TEST_CASES_H

#include <string>
#include <utility>
#include <vector>

#include <ns3/test.h>

namespace ns3 {
namespace dyetrace_test {

/// Names and values, to be set one after the other.
using Attributes = std::vector<std::pair<std::string, std::string>>;

/// A suite that others fill.
class FilledTestSuite : public TestSuite {
  public:
    explicit FilledTestSuite(const std::string& name) : TestSuite(name, TestSuite::Type::UNIT) {}
    using TestSuite::AddTestCase;
};

/// The suite for a file's cases. Called before main(); the suite lives until the program ends.
/// \param part what the file's cases are about, e.g. "links"
FilledTestSuite& SuiteOf(const std::string& part);

/// Offers cases: a file of tests ends with a constant `const Offer<ACase, AnotherCase> g_offer{"part"}`.
template <class... Case>
struct Offer {
    explicit Offer(const std::string& part) {
        FilledTestSuite& suite = SuiteOf(part);
        (suite.AddTestCase(new Case), ...);
    }
};

}  // namespace dyetrace_test
}  // namespace ns3

#endif  // DYETRACE_TEST_CASES_H
