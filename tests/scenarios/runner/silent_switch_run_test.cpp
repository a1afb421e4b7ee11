// SPDX-License-Identifier: GPL-2.0-or-later
// Routers that answer few traces: a gray link is found all the same, and nothing is done where nobody knows
// which way packets took.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

using ::testing::HasSubstr;

struct SilentSwitchRun : ::testing::Test {
    /// `rate`: ICMP messages a second that a switch sends, one at a time.
    store::RunReader run_with(const std::string& rate) {
        const std::string database = folder.file("run.db");
        ran = run_of("closed-loop.toml", database, {"fabric.icmp_rate=" + rate, "fabric.icmp_burst=1"});
        EXPECT_EQ(ran.exit, 0) << ran.err;
        return store::RunReader(database);
    }
    static bool any_of_kind(const store::RunReader& run, const std::string& kind,
                            const std::string& with = {}) {
        const auto events = run.incident_events();
        return std::any_of(events.begin(), events.end(), [&](const auto& event) {
            return event.kind == kind && event.detail.find(with) != std::string::npos;
        });
    }
    static std::uint64_t counter(const store::RunReader& run, const std::string& name) {
        std::uint64_t sum = 0;
        for (const auto& one : run.counters())
            sum += one.name == name ? one.value : 0;
        return sum;
    }
    TestFolder folder;
    Outcome ran;
};

TEST_F(SilentSwitchRun, WhereRoutersAnswerNowAndThenTheLinkIsNamed) {
    const store::RunReader run = run_with("200");
    EXPECT_GT(counter(run, "paths-partial"), 0U);
    EXPECT_TRUE(any_of_kind(run, "confirmed"));
    EXPECT_THAT(ran.out, HasSubstr("   1  link   leaf-1 > spine-2"));
    EXPECT_THAT(ran.out, HasSubstr("truth agrees"));
}

TEST_F(SilentSwitchRun, WhereTheyHardlyAnswerNothingIsTakenOutOfUseByChance) {
    const store::RunReader run = run_with("5");
    EXPECT_GT(counter(run, "paths-partial"), 0U);
    EXPECT_FALSE(any_of_kind(run, "remedy", "drain"));
    EXPECT_TRUE(any_of_kind(run, "held-back", "no traced path crosses it"));
}

}  // namespace
}  // namespace dyetrace::runner
