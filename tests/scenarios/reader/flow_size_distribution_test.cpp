// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/flow_size_distribution.h"

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using Point = FlowSizeDistribution::Point;

FlowSizeDistribution shipped(const std::string& name) {
    const std::string path = DYETRACE_SOURCE_DIR "/scenarios/distributions/" + name + ".cdf";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    Diagnostics diagnostics;
    auto distribution = FlowSizeDistribution::parse(path, text.str(), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_text();
    return distribution;
}

std::vector<std::string> told_of(const std::string& text) {
    Diagnostics diagnostics;
    const auto distribution = FlowSizeDistribution::parse("test.toml", text, diagnostics);
    EXPECT_EQ(distribution.points().empty(), diagnostics.has_errors());
    diagnostics.sort("test.toml");
    return told(diagnostics);
}

/// Mean by integration of the quantile function: a way that shares nothing with mean_bytes().
double integrated_mean(const FlowSizeDistribution& distribution) {
    constexpr int steps = 1'000'000;
    double sum = 0;
    for (int i = 0; i < steps; ++i)
        sum += distribution.quantile((i + 0.5) / steps);
    return sum / steps;
}

class EveryShipped : public testing::TestWithParam<const char*> {};

TEST_P(EveryShipped, MeanIsThatOfItsQuantiles) {
    const auto distribution = shipped(GetParam());
    EXPECT_NEAR(distribution.mean_bytes() / integrated_mean(distribution), 1, 1e-6);
}

TEST_P(EveryShipped, QuantileOfEachPointIsThePoint) {
    const auto distribution = shipped(GetParam());
    for (const Point& point : distribution.points()) {
        if (point.cumulative < 1) {
            EXPECT_NEAR(distribution.quantile(point.cumulative), point.bytes, 1e-6);
        }
    }
    EXPECT_NEAR(distribution.quantile(std::nextafter(1.0, 0.0)), distribution.points().back().bytes, 1);
}

TEST_P(EveryShipped, QuantilesNeverFall) {
    const auto distribution = shipped(GetParam());
    double last = 0;
    for (int i = 0; i < 10'000; ++i) {
        const double size = distribution.quantile(i / 10'000.0);
        EXPECT_GE(size, last);
        last = size;
    }
}

TEST_P(EveryShipped, SharesOfSamplesAreThoseOfTheFile) {
    const auto distribution = shipped(GetParam());
    constexpr int samples = 100'000;
    // A sequence that fills [0, 1) evenly stands in for random numbers: multiples of the golden ratio.
    std::vector<int> at_most(distribution.points().size());
    for (int i = 0; i < samples; ++i) {
        const double size = distribution.quantile(std::fmod(i * 0.6180339887498949, 1.0));
        for (std::size_t p = 0; p < at_most.size(); ++p)
            at_most[p] += size <= distribution.points()[p].bytes ? 1 : 0;
    }
    for (std::size_t p = 0; p < at_most.size(); ++p) {
        EXPECT_NEAR(static_cast<double>(at_most[p]) / samples, distribution.points()[p].cumulative, 1e-4);
    }
}

INSTANTIATE_TEST_SUITE_P(Named, EveryShipped,
                         testing::Values("web-search", "data-mining", "hadoop", "storage"));

TEST(FlowSizes, MeanOfWebSearchIsThatOfThePaper) {
    // (0.15*5 + 0.05*15 + 0.1*25 + 0.1*40 + 0.13*65 + 0.07*140 + 0.1*600 + 0.1*1500 + 0.1*3500 + 0.07*7500 +
    // 0.03*20000) kB
    EXPECT_DOUBLE_EQ(shipped("web-search").mean_bytes(), 1'711'250);
}

TEST(FlowSizes, TwoPointsAreAUniformDistribution) {
    const FlowSizeDistribution uniform({{100, 0}, {300, 1}});
    EXPECT_EQ(uniform.mean_bytes(), 200);
    EXPECT_EQ(uniform.quantile(0), 100);
    EXPECT_EQ(uniform.quantile(0.25), 150);
}

TEST(FlowSizes, AStepIsManyFlowsOfOneSize) {
    const FlowSizeDistribution step({{0, 0}, {1000, 0.5}, {1000, 0.9}, {2000, 1}});
    EXPECT_EQ(step.quantile(0.5), 1000);
    EXPECT_EQ(step.quantile(0.7), 1000);
    EXPECT_DOUBLE_EQ(step.quantile(0.95), 1500);
}

TEST(FlowSizes, AFlatPartIsSizesThatNoFlowHas) {
    const FlowSizeDistribution gap({{0, 0}, {10, 0.5}, {90, 0.5}, {100, 1}});
    EXPECT_EQ(gap.quantile(0.25), 5);
    EXPECT_EQ(gap.quantile(0.5), 90);
    EXPECT_EQ(gap.quantile(0.75), 95);
}

TEST(FlowSizes, CommentsBlanksAndLineEndsAreAllowed) {
    Diagnostics diagnostics;
    const auto read =
        FlowSizeDistribution::parse("f", "# head\r\n\r\n 0\t0 # none\r\n1e3   50\n2000 100", diagnostics);
    EXPECT_THAT(read.points(), ElementsAre(Point{0, 0}, Point{1000, 0.5}, Point{2000, 1}));
}

TEST(FlowSizes, AByteOrderMarkIsNoPartOfANumber) {
    EXPECT_THAT(told_of("\xef\xbb\xbf"
                        "0 0\n1000 100\n"),
                testing::IsEmpty());
    EXPECT_THAT(told_of("\xef\xbb\xbf"
                        "0 x\n"),
                testing::Contains("1:3: \"x\" is not a percentage"));
}

TEST(FlowSizes, EveryErrorIsToldWithItsPlace) {
    EXPECT_THAT(
        told_of("# sizes\n"
                "0 1\n"
                "100\n"
                "200  10 % of flows\n"
                "ten 20\n"
                "300 some\n"
                "400 30\n"
                "  350 25\n"
                "500 101\n"
                "-1 40\n"
                "600 nan\n"
                "700 90\n"),
        ElementsAre(
            "2:3: the first point is not at 0 %",
            "3:1: a line has two numbers: bytes, and the percentage of flows that are at most that large",
            "4:9: a line has two numbers: bytes, and the percentage of flows that are at most that large",
            "5:1: \"ten\" is not a number of bytes", "6:5: \"some\" is not a percentage",
            "8:3: 350 bytes comes after 400; sizes rise from line to line",
            "8:7: 25 % comes after 30 %; percentages rise from line to line",
            "9:5: 101 % is not from 0 to 100", "10:1: -1 bytes is not from 0 to 1000000000000000",
            "11:5: \"nan\" is not a percentage", "12:5: the last point is not at 100 %"));
}

TEST(FlowSizes, TooFewPointsAreTold) {
    EXPECT_THAT(told_of(""),
                ElementsAre("test.toml: a distribution has at least two points, of 0 % and of 100 %"));
    EXPECT_THAT(told_of("0 0\n"),
                ElementsAre("test.toml: a distribution has at least two points, of 0 % and of 100 %"));
}

TEST(FlowSizes, ARepeatedPointIsTold) {
    EXPECT_THAT(told_of("0 0\n5 50\n5 50\n9 100\n"), ElementsAre("3:1: the same point again"));
}

TEST(FlowSizes, OnlyEmptyFlowsAreTold) {
    EXPECT_THAT(told_of("0 0\n0 100\n"), ElementsAre("2:1: all flows are empty"));
}

TEST(FlowSizes, TooManyPointsAreToldOnce) {
    std::string text = "0 0\n";
    for (int i = 1; i < 10'010; ++i)
        text += std::to_string(i) + " 50\n";
    EXPECT_THAT(told_of(text),
                ElementsAre("10000:6: the last point is not at 100 %", "10001:1: more than 10000 points"));
}

}  // namespace
}  // namespace dyetrace::scenario
