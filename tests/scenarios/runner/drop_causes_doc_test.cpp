// SPDX-License-Identifier: GPL-2.0-or-later
// docs/database.md names every cause for which the fabric drops.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "ns3-module/model/dyetrace-drop-cause.h"

namespace dyetrace::runner {
namespace {

TEST(DatabaseDocument, NamesEveryCauseOfADrop) {
    std::ifstream in(DYETRACE_SOURCE_DIR "/docs/database.md");
    std::ostringstream bytes;
    bytes << in.rdbuf();
    const std::string text = bytes.str();
    const std::size_t begin = text.find("| `cause` | TEXT | ");
    ASSERT_NE(begin, std::string::npos);
    const std::string causes = text.substr(begin, text.find('\n', begin) - begin);
    for (std::uint32_t i = 0; i < ns3::DyetraceDropCauseCount; ++i) {
        const std::string name = ns3::DyetraceDropCauseName(static_cast<ns3::DyetraceDropCause>(i));
        EXPECT_NE(causes.find("'" + name + "'"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace dyetrace::runner
