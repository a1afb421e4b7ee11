// SPDX-License-Identifier: GPL-2.0-or-later
// The scenario of a sick host: its guest is moved, and the run's database tells the whole of it.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

struct SickHostRun : ::testing::Test {
    std::vector<std::string> steps_of(const std::string& of, const std::string& kind) {
        std::vector<std::string> details;
        for (const auto& event : store::RunReader(of).incident_events()) {
            if (event.kind == kind) details.push_back(event.detail);
        }
        return details;
    }
    TestFolder folder;
    std::string database = folder.file("run.db");
};

TEST_F(SickHostRun, EndsVerifiedAndClosedAndIsToldAsATimeline) {
    const Outcome ran = run_of("sick-host.toml", database);
    ASSERT_EQ(ran.exit, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("migrated (1 guest has moved: guest 9 to "));
    EXPECT_THAT(ran.out, HasSubstr("verified (migrate: "));
    EXPECT_THAT(steps_of(database, "migrated"), Contains(HasSubstr("guest 9 to host-")));
    EXPECT_THAT(steps_of(database, "migrated"), Not(Contains(HasSubstr("to host-2-1"))));
    EXPECT_THAT(steps_of(database, "closed"), Contains("recovered by migrate"));
    EXPECT_TRUE(steps_of(database, "not-verified").empty());
    const auto counters = store::RunReader(database).counters();
    EXPECT_TRUE(std::any_of(counters.begin(), counters.end(),
                            [](const auto& one) { return one.name == "guests-moved" && one.value > 0; }));
    const Outcome shown = run_program({dyetrace(), "show", database});
    EXPECT_THAT(shown.out, HasSubstr("migrated (1 guest has moved"));
}

TEST_F(SickHostRun, WhereGuestsAreNotToMoveNobodyMovesThem) {
    const Outcome ran =
        run_of("sick-host.toml", database, {"health.migrate=advisory", "health.drain_host=off"});
    ASSERT_EQ(ran.exit, 0) << ran.err;
    EXPECT_TRUE(steps_of(database, "migrated").empty());
    EXPECT_TRUE(steps_of(database, "verified").empty());
    EXPECT_THAT(steps_of(database, "advised"), Contains("migrate is advised"));
}

}  // namespace
}  // namespace dyetrace::runner
