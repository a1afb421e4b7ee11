// SPDX-License-Identifier: GPL-2.0-or-later
// The scenarios that come with dyetrace.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/reader/reader.h"

namespace dyetrace::scenario {
namespace {

const std::string folder = DYETRACE_SOURCE_DIR "/scenarios";

Scenario shipped(const std::string& name, const std::vector<std::string>& overrides = {}) {
    Diagnostics diagnostics;
    const auto scenario = load(folder + "/" + name, overrides, diagnostics);
    EXPECT_TRUE(scenario.has_value()) << diagnostics.to_text();
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.to_text();
    return scenario.value_or(Scenario{});
}

TEST(Shipped, EveryScenarioIsRight) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".toml") continue;
        shipped(entry.path().filename().string());
        ++count;
    }
    EXPECT_GE(count, 2);
}

TEST(Shipped, TheDemoIsWhatItIsSaidToBe) {
    const Scenario demo = shipped("gray-link.toml");
    EXPECT_EQ(demo.fabric.kind, FabricKind::FatTree);
    EXPECT_GE(demo.fabric.k, 6);
    EXPECT_EQ(demo.fabric.link_rate_bps, 1'000'000'000U);
    EXPECT_EQ(demo.workloads[0].distribution, "web-search");
    EXPECT_GE(demo.workloads[0].load, 0.2);
    EXPECT_EQ(demo.tracking.rate, 0.01);
    EXPECT_TRUE(demo.tracking.key.has_value());
    EXPECT_GE(demo.run.duration, Duration::milliseconds(1500));
    ASSERT_EQ(demo.faults.size(), 1U);
    const Fault& fault = demo.faults[0];
    EXPECT_EQ(fault.kind, FaultKind::SilentDrop);
    EXPECT_TRUE(fault.from.starts_with("agg-"));
    EXPECT_TRUE(fault.to.starts_with("core-"));
    EXPECT_GE(fault.at, Duration::milliseconds(500));
    EXPECT_EQ(fault.probability, 0.01);
}

TEST(Shipped, TheDemosFaultGoesToAnyLinkInEitherDirection) {
    EXPECT_EQ(shipped("gray-link.toml", {"fault.0.from=agg-5-2", "fault.0.to=core-8"}).faults[0].from,
              "agg-5-2");
    EXPECT_EQ(shipped("gray-link.toml", {"fault.0.from=core-0", "fault.0.to=agg-5-0"}).faults[0].to,
              "agg-5-0");
    EXPECT_EQ(shipped("gray-link.toml", {"fault.0.probability=0"}).faults[0].probability, 0.0);
}

TEST(Shipped, TheQuietOneHasNoFault) {
    const Scenario quiet = shipped("quiet.toml");
    EXPECT_EQ(quiet.fabric.k, 4);
    EXPECT_TRUE(quiet.faults.empty());
}

}  // namespace
}  // namespace dyetrace::scenario
