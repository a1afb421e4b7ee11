// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of [tracking] that say how a session is: sampling, filter, metrics, budgets, turns, times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A table that more keys may follow, from line 3 on.
const std::string header = "[tracking]\ninsecure = true\n";

TEST(TrackingKeys, AreTakenOver) {
    const TrackingSettings s = read(header + R"(
sampling = "rate-budget"
sampling_seed = 16777215
sampling_budget = 500
sampling_burst = 20
flow_filter = ["protocol=udp destination_ports=80-443", "vni=7"]
metrics = ["counts", "delay"]
tracked_per_second = 100
accepted_per_second = 1000
traffic_sessions = 8
choice_interval = "10ms"
turn = "50ms"
near_prefix = 24
ride_wait = "0s"
waiting_time = "1ms"
session_duration = "2s"
)")
                                   .tracking;
    EXPECT_EQ(s.sampling, SamplingKind::RateBudget);
    EXPECT_EQ(s.sampling_seed, 0xffffffU);
    EXPECT_EQ(s.sampling_budget, 500U);
    EXPECT_EQ(s.sampling_burst, 20U);
    ASSERT_EQ(s.flow_filter.rules.size(), 2U);
    EXPECT_EQ(s.flow_filter.rules[0].protocol, 17);
    EXPECT_EQ(s.flow_filter.rules[1].vni, Vni{7});
    EXPECT_EQ(s.metrics, wire::kMetricCounts | wire::kMetricDelay);
    EXPECT_EQ(s.tracked_per_second, 100U);
    EXPECT_EQ(s.accepted_per_second, 1000U);
    EXPECT_EQ(s.traffic_sessions, 8U);
    EXPECT_EQ(s.choice_interval, Duration::milliseconds(10));
    EXPECT_EQ(s.turn, Duration::milliseconds(50));
    EXPECT_EQ(s.near_prefix, 24);
    EXPECT_EQ(s.ride_wait, Duration{});
    EXPECT_EQ(s.waiting_time, Duration::milliseconds(1));
    EXPECT_EQ(s.session_duration, Duration::seconds(2));
}

TEST(TrackingKeys, ListsMayBeOverridden) {
    const TrackingSettings s =
        read(without_key, {"tracking.metrics=delay,quantiles",
                           "tracking.flow_filter=protocol=udp vni=1,source=10.0.0.0/8"})
            .tracking;
    EXPECT_EQ(s.metrics, wire::kMetricDelay | wire::kMetricQuantiles);
    EXPECT_EQ(s.flow_filter.rules.size(), 2U);
}

struct Bad {
    const char* key;
    const char* value;
    const char* message;
};

class BadTrackingKey : public testing::TestWithParam<Bad> {};

TEST_P(BadTrackingKey, IsToldWithItsPlace) {
    const auto& [key, value, message] = GetParam();
    const std::string line = std::string(key) + " = " + value;
    const std::string place = "3:" + std::to_string(std::string(key).size() + 4) + ": ";
    EXPECT_THAT(told(header + line + "\n"), ElementsAre(place + key + ": " + message));
}

INSTANTIATE_TEST_SUITE_P(
    EachKey, BadTrackingKey,
    testing::Values(
        Bad{"sampling", "\"hash\"",
            "\"hash\" is not \"every-nth\", \"probability\", \"hash-consistent\" or \"rate-budget\""},
        Bad{"sampling_seed", "16777216", "16777216 is out of range: 0 to 16777215"},
        Bad{"sampling_budget", "0", "0 is out of range: 1 to 1000000000"},
        Bad{"sampling_burst", "0", "0 is out of range: 1 to 16777215"},
        Bad{"flow_filter", "\"vni=1\"", "this is a text, where a list belongs"},
        Bad{"metrics", "[]", "a session without metrics measures nothing"},
        Bad{"tracked_per_second", "-1", "-1 is out of range: 0 to 1000000000"},
        Bad{"accepted_per_second", "\"1\"", "this is a text, where an integer belongs"},
        Bad{"traffic_sessions", "1000001", "1000001 is out of range: 0 to 1000000"},
        Bad{"choice_interval", "\"0s\"", "\"0s\" is out of range: 100us to 1min"},
        Bad{"turn", "10", "this is an integer, where a duration belongs"},
        Bad{"near_prefix", "33", "33 is out of range: 0 to 32"},
        Bad{"ride_wait", "\"-1ms\"", "\"-1ms\" is negative; allowed: 0s to 1min"},
        Bad{"waiting_time", "\"25h\"", "\"25h\" is out of range: 0s to 24h"},
        Bad{"session_duration", "\"5\"", "\"5\" has no unit; a duration needs one of ns, us, ms, s, min, h"}),
    [](const auto& bad) { return bad.param.key; });

TEST(TrackingKeys, AnElementThatIsWrongIsToldWhereItStands) {
    EXPECT_THAT(told(header + "metrics = [\"delay\", \"jiter\"]\n"),
                ElementsAre("3:21: metrics: \"jiter\" is no metric"));
    EXPECT_EQ(only_suggestion(header + "metrics = [\"delay\", \"jiter\"]\n"), "did you mean \"jitter\"?");
    const std::string misspelt = header + "flow_filter = [\"vni=1\",\n  \"protocl=udp\"]\n";
    EXPECT_THAT(told(misspelt), ElementsAre("4:3: flow_filter: \"protocl\" is no part of a flow rule"));
    EXPECT_EQ(only_suggestion(misspelt), "did you mean \"protocol\"?");
    EXPECT_THAT(
        told(without_key, {"tracking.flow_filter=vni=x"}),
        ElementsAre("--set tracking.flow_filter=vni=x: flow_filter: \"vni=x\" cannot be read, or is out "
                    "of range"));
}

TEST(TrackingKeys, AreSuggestedByName) {
    EXPECT_EQ(only_suggestion(without_key + "tracking.samplig_seed = 1\n"),
              "did you mean \"sampling_seed\"?");
    EXPECT_EQ(only_suggestion(without_key + "tracking.ride_weight = \"1ms\"\n"),
              "did you mean \"ride_wait\"?");
    EXPECT_EQ(only_suggestion(without_key + "run.turn = \"1s\"\n"), "it belongs in [tracking]");
}

TEST(TrackingKeys, WhatAKindOfSamplingDoesNotLookAtIsWarnedOf) {
    EXPECT_THAT(told(without_key + "tracking.sampling_seed = 1\n"),
                ElementsAre("2:26: warning: sampling_seed means nothing for every-nth"));
    EXPECT_THAT(told(header + "sampling = \"rate-budget\"\nrate = 0.1\nsampling_budget = 9\n"),
                ElementsAre("4:8: warning: rate means nothing for rate-budget"));
    EXPECT_THAT(told(header + "sampling = \"hash-consistent\"\nrate = 0.1\nsampling_seed = 9\n"), IsEmpty());
}

TEST(TrackingKeys, ABudgetThatLeavesNoSessionIsWarnedOf) {
    EXPECT_THAT(told(without_key + "tracking.accepted_per_second = 5\n"),
                ElementsAre("2:32: warning: every session is refused: none promises a bound"));
    EXPECT_THAT(told(header + "accepted_per_second = 5\ntracked_per_second = 6\n"),
                ElementsAre("3:23: warning: every session is refused: each promises 6 a second"));
    EXPECT_THAT(told(header + "accepted_per_second = 5\ntracked_per_second = 5\n"), IsEmpty());
}

}  // namespace
}  // namespace dyetrace::scenario
