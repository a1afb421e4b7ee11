// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/metric_names.h"

#include <gtest/gtest.h>

#include "core/wire/session_messages.h"

namespace dyetrace::wire {
namespace {

TEST(MetricNames, EachNamesItsBit) {
    EXPECT_EQ(metric_named("counts"), kMetricCounts);
    EXPECT_EQ(metric_named("tracked"), kMetricTracked);
    EXPECT_EQ(metric_named("delay"), kMetricDelay);
    EXPECT_EQ(metric_named("jitter"), kMetricJitter);
    EXPECT_EQ(metric_named("reordering"), kMetricReordering);
    EXPECT_EQ(metric_named("ecn"), kMetricEcn);
    EXPECT_EQ(metric_named("ttl"), kMetricTtl);
    EXPECT_EQ(metric_named("corruption"), kMetricCorruption);
    EXPECT_EQ(metric_named("quantiles"), kMetricQuantiles);
    EXPECT_EQ(metric_named("all"), kMetricsAll);
    EXPECT_FALSE(metric_named("latency").has_value());
}

TEST(MetricNames, EverySetReadsBackAsTheSame) {
    for (std::uint32_t metrics = 1; metrics <= kMetricsAll; ++metrics) {
        const auto read = parse_metrics(metrics_to_string(metrics));
        ASSERT_TRUE(read.ok()) << metrics_to_string(metrics);
        EXPECT_EQ(*read, metrics);
    }
}

TEST(MetricNames, WhatIsNoMetricIsQuoted) {
    EXPECT_EQ(parse_metrics("delay,latency").error(), "\"latency\" is no metric");
    EXPECT_EQ(parse_metrics("").error(), "\"\" is no metric");
    EXPECT_EQ(parse_metrics("delay,").error(), "\"\" is no metric");
}

}  // namespace
}  // namespace dyetrace::wire
