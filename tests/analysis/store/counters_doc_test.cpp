// SPDX-License-Identifier: GPL-2.0-or-later
// The guides name every counter that a run may keep, and every kind of what is detected.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eppc/counter_names.h"
#include "core/health/counter_names.h"
#include "core/health/detector.h"
#include "core/wire/drop_reason.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace {
namespace {

using ::testing::HasSubstr;

std::string guide(const std::string& name) {
    return testing::file_bytes(std::string(DYETRACE_SOURCE_DIR) + "/docs/" + name);
}

TEST(CountersDocument, NamesEveryCounterAndEveryReasonToDrop) {
    const std::string text = guide("counters.md");
    const auto expect_row = [&](std::string_view name, std::uint64_t = 0) {
        EXPECT_THAT(text, HasSubstr("\n| `" + std::string(name) + "` | "));
    };
    for (const auto& counter : eppc::kCounters)
        expect_row(counter.name);
    health::for_each_counter(health::NhmsCounters{}, expect_row);
    expect_row("client-pairs-over-limit");
    expect_row("client-events-lost");
    for (std::size_t i = 0; i < wire::kDropReasonCount; ++i)
        expect_row(wire::to_string(static_cast<wire::DropReason>(i)));
}

TEST(DatabaseDocument, NamesEveryKindOfDetection) {
    const std::string text = guide("database.md");
    const std::size_t begin = text.find("| `kind` | TEXT | what is wrong: ");
    const std::string kinds = text.substr(begin, text.find('\n', begin) - begin);
    for (auto metric = health::Metric::Loss; metric <= health::Metric::Silence;
         metric = static_cast<health::Metric>(static_cast<int>(metric) + 1))
        EXPECT_THAT(kinds, HasSubstr("'" + std::string(health::to_string(metric)) + "'"));
}

}  // namespace
}  // namespace dyetrace
