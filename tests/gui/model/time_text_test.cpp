// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/time_text.h"

#include <limits>

#include <gtest/gtest.h>

namespace dyetrace::viewer {
namespace {

TEST(ParseTime, ReadsUnitsAndTakesABareNumberForSeconds) {
    EXPECT_EQ(parse_time("0.9s"), 900'000'000);
    EXPECT_EQ(parse_time("900ms"), 900'000'000);
    EXPECT_EQ(parse_time("0.9"), 900'000'000);
    EXPECT_EQ(parse_time("12us"), 12'000);
    EXPECT_EQ(parse_time("500ns"), 500);
    EXPECT_EQ(parse_time("0.900000 s"), 900'000'000);
}

TEST(ParseTime, KeepsTheSignForWhoeverClamps) {
    EXPECT_EQ(parse_time("-1s"), -1'000'000'000);
}

TEST(ParseTime, WhatIsTooLargeIsTheLargest) {
    EXPECT_EQ(parse_time("1e30s"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse_time("-1e999s"), std::numeric_limits<std::int64_t>::min());
}

TEST(ParseTime, RefusesAnythingElse) {
    for (const char* text : {"", "s", "1m", "1 2", "0.9sec", "nan", "inf", "abc", "1,5s"})
        EXPECT_FALSE(parse_time(text)) << text;
}

TEST(TimeText, HasMicroseconds) {
    EXPECT_EQ(time_text(900'001'500), "0.900002 s");
}

TEST(TickText, HasTheDigitsOfItsStep) {
    EXPECT_EQ(tick_text(850'000'000, 50'000'000), "0.85");
    EXPECT_EQ(tick_text(2'000'000'000, 1'000'000'000), "2");
    EXPECT_EQ(tick_text(1'500, 500), "0.0000015");
}

TEST(DurationText, PicksItsUnit) {
    EXPECT_EQ(duration_text(20'000'000), "20 ms");
    EXPECT_EQ(duration_text(1'500'000'000), "1.5 s");
    EXPECT_EQ(duration_text(850'000), "850 us");
    EXPECT_EQ(duration_text(7), "7 ns");
}

TEST(CountText, GroupsThousands) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1'234'567), "1,234,567");
    EXPECT_EQ(count_text(-123'456), "-123,456");
}

TEST(PercentText, IsShort) {
    EXPECT_EQ(percent_text(0.01), "1%");
    EXPECT_EQ(percent_text(0.012345), "1.23%");
    EXPECT_EQ(percent_text(0), "0%");
}

}  // namespace
}  // namespace dyetrace::viewer
