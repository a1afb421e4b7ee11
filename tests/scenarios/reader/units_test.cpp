// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/units.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace dyetrace::scenario {
namespace {

std::int64_t ns(std::string_view text) {
    const auto duration = parse_duration(text);
    EXPECT_TRUE(duration.ok()) << text;
    return duration.ok() ? duration->ns : -1;
}

template <class Value>
std::string reason(const Result<Value, Problem>& result) {
    return result.ok() ? "read" : result.error().message;
}

template <class Value>
std::string suggestion(const Result<Value, Problem>& result) {
    return result.ok() ? "read" : result.error().suggestion;
}

TEST(Duration, EveryUnitIsExact) {
    EXPECT_EQ(ns("7ns"), 7);
    EXPECT_EQ(ns("10us"), 10'000);
    EXPECT_EQ(ns("10µs"), 10'000);
    EXPECT_EQ(ns("10μs"), 10'000);
    EXPECT_EQ(ns("20ms"), 20'000'000);
    EXPECT_EQ(ns("1.5s"), 1'500'000'000);
    EXPECT_EQ(ns("2min"), 120'000'000'000);
    EXPECT_EQ(ns("1.25h"), 4'500'000'000'000);
    EXPECT_EQ(ns("20 ms"), 20'000'000);
    EXPECT_EQ(ns("+3ns"), 3);
    EXPECT_EQ(ns("-1.5s"), -1'500'000'000);
}

TEST(Duration, DecimalsThatADoubleCannotHoldAreExact) {
    EXPECT_EQ(ns("0.1s"), 100'000'000);
    EXPECT_EQ(ns("1.000000001s"), 1'000'000'001);
    EXPECT_EQ(ns("9223372036.854775807s"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(ns("0.500000000000000000000s"), 500'000'000);
    EXPECT_EQ(ns("000001s"), 1'000'000'000);
}

TEST(Duration, FinerThanANanosecondIsAnError) {
    EXPECT_EQ(reason(parse_duration("0.5ns")), "\"0.5ns\" is finer than a nanosecond");
    EXPECT_EQ(reason(parse_duration("1.0000000001s")), "\"1.0000000001s\" is finer than a nanosecond");
    EXPECT_EQ(reason(parse_duration("0.1234567890123456789012345s")),
              "\"0.1234567890123456789012345s\" is finer than a nanosecond");
}

TEST(Duration, TooLongIsAnError) {
    EXPECT_EQ(reason(parse_duration("9223372036.854775808s")),
              "\"9223372036.854775808s\" is longer than 292 years");
    EXPECT_EQ(reason(parse_duration("99999999999999999999999999999999999999999h")),
              "\"99999999999999999999999999999999999999999h\" is longer than 292 years");
}

TEST(Duration, AMissingUnitIsToldWithTheUnitsThereAre) {
    EXPECT_EQ(reason(parse_duration("20")),
              "\"20\" has no unit; a duration needs one of ns, us, ms, s, min, h");
    EXPECT_EQ(suggestion(parse_duration("20")), "for example \"20ms\"");
}

TEST(Duration, AnUnknownUnitIsToldWithTheLikelyOne) {
    EXPECT_EQ(reason(parse_duration("20 sec")),
              "unknown unit \"sec\" in \"20 sec\"; a duration has one of ns, us, ms, s, min, h");
    EXPECT_EQ(suggestion(parse_duration("20mss")), "did you mean \"20ms\"?");
    EXPECT_EQ(suggestion(parse_duration("20MS")), "did you mean \"20ms\"?");
    EXPECT_EQ(suggestion(parse_duration("20m")), "did you mean \"20ms\"?");
    EXPECT_EQ(suggestion(parse_duration("20lightyears")), "");
}

TEST(Duration, WhatIsNoNumberIsToldAsSuch) {
    for (const char* text : {"", "s", "-", "soon", ".5s", "1.s", "-ms", "1e3s!", " 1s"}) {
        const auto duration = parse_duration(text);
        EXPECT_FALSE(duration.ok()) << text;
    }
    EXPECT_EQ(reason(parse_duration("soon")), "\"soon\" is not a duration");
    EXPECT_EQ(suggestion(parse_duration("soon")), "write a number and a unit, such as \"20ms\"");
}

TEST(Rate, UnitsArePowersOfAThousand) {
    EXPECT_EQ(parse_rate("10bps").value(), 10);
    EXPECT_EQ(parse_rate("10kbps").value(), 10'000);
    EXPECT_EQ(parse_rate("2.5Gbps").value(), 2'500'000'000);
    EXPECT_EQ(parse_rate("1Tbps").value(), 1'000'000'000'000);
    EXPECT_EQ(parse_rate("250Mbps").value(), 250'000'000);
}

TEST(Rate, LikelyUnitsAreSuggested) {
    EXPECT_EQ(suggestion(parse_rate("10gbps")), "did you mean \"10Gbps\"?");
    EXPECT_EQ(suggestion(parse_rate("10G")), "did you mean \"10Gbps\"?");
    EXPECT_EQ(suggestion(parse_rate("10Gb")), "did you mean \"10Gbps\"?");
    EXPECT_EQ(suggestion(parse_rate("10GBps")), "did you mean \"10Gbps\"?");
    EXPECT_EQ(suggestion(parse_rate("10m")), "did you mean \"10Mbps\"?");
    EXPECT_EQ(reason(parse_rate("0.5bps")), "\"0.5bps\" is finer than a bit per second");
    EXPECT_EQ(reason(parse_rate("99999999Tbps")), "\"99999999Tbps\" is more than 9e18 bits per second");
}

TEST(Size, UnitsOfBothKinds) {
    EXPECT_EQ(parse_size("1B").value(), 1);
    EXPECT_EQ(parse_size("150kB").value(), 150'000);
    EXPECT_EQ(parse_size("1.5MB").value(), 1'500'000);
    EXPECT_EQ(parse_size("1GB").value(), 1'000'000'000);
    EXPECT_EQ(parse_size("150KiB").value(), 153'600);
    EXPECT_EQ(parse_size("0.5MiB").value(), 524'288);
    EXPECT_EQ(parse_size("1GiB").value(), 1'073'741'824);
    EXPECT_EQ(suggestion(parse_size("150KB")), "did you mean \"150kB\"?");
    EXPECT_EQ(suggestion(parse_size("150k")), "did you mean \"150kB\"?");
    EXPECT_EQ(reason(parse_size("1.5B")), "\"1.5B\" is finer than a byte");
}

TEST(Share, PercentAndFractionAreTheSameDouble) {
    EXPECT_EQ(parse_fraction("1%").value(), 0.01);
    EXPECT_EQ(parse_fraction("0.1%").value(), 0.001);
    EXPECT_EQ(parse_fraction("12.5 %").value(), 0.125);
    EXPECT_EQ(parse_fraction("0.3%").value(), 0.003);
    EXPECT_EQ(parse_fraction("100%").value(), 1.0);
    EXPECT_EQ(parse_fraction("0.25").value(), 0.25);
    EXPECT_EQ(parse_fraction("1e-3").value(), 0.001);
    EXPECT_EQ(parse_fraction("1e-1%").value(), 0.001);
    EXPECT_EQ(parse_fraction("-5%").value(), -0.05);
}

TEST(Share, WhatIsNoNumberIsToldAsSuch) {
    for (const char* text :
         {"", "%", "one", "1%%", "nan", "inf", "0x10", "1 percent", "1e", "1e999", "e-2", "- 1%"}) {
        EXPECT_FALSE(parse_fraction(text).ok()) << text;
    }
    EXPECT_EQ(reason(parse_fraction("one")), "\"one\" is not a share");
}

TEST(Format, IsShortAndReadsBackTheSame) {
    EXPECT_EQ(format_duration({}), "0s");
    EXPECT_EQ(format_duration(Duration::milliseconds(1500)), "1.5s");
    EXPECT_EQ(format_duration(Duration::milliseconds(20)), "20ms");
    EXPECT_EQ(format_duration(Duration::nanoseconds(1'234'567)), "1234.567us");
    EXPECT_EQ(format_duration(Duration::nanoseconds(1'234'567'891)), "1234567.891us");
    EXPECT_EQ(format_duration(Duration::nanoseconds(-1)), "-1ns");
    EXPECT_EQ(format_duration(Duration::seconds(90)), "90s");
    EXPECT_EQ(format_duration(Duration::seconds(120)), "2min");
    EXPECT_EQ(format_duration(Duration::seconds(24 * 3600)), "24h");
    EXPECT_EQ(format_rate(1'000'000'000), "1Gbps");
    EXPECT_EQ(format_rate(2'500'000'000), "2.5Gbps");
    EXPECT_EQ(format_rate(0), "0bps");
    EXPECT_EQ(format_size(150'000), "150kB");
    EXPECT_EQ(format_size(1'600), "1.6kB");
    EXPECT_EQ(format_number(0.01), "0.01");

    std::uint64_t value = 1;
    for (int i = 0; i < 1000; ++i) {
        value = value * 6364136223846793005U + 1442695040888963407U;
        const auto any = static_cast<std::int64_t>(value >> (1 + i % 62));
        EXPECT_EQ(ns(format_duration(Duration{any})), any);
        EXPECT_EQ(ns(format_duration(Duration{-any})), -any);
        EXPECT_EQ(parse_rate(format_rate(static_cast<std::uint64_t>(any))).value(), any);
        EXPECT_EQ(parse_size(format_size(static_cast<std::uint64_t>(any))).value(), any);
    }
    EXPECT_EQ(format_duration(Duration{std::numeric_limits<std::int64_t>::min()}), "-9223372036854775.808us");
}

}  // namespace
}  // namespace dyetrace::scenario
