// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace dyetrace::scenario {
namespace {

TEST(Utf8, EveryLengthIsKnown) {
    EXPECT_EQ(code_point_length("a"), 1U);
    EXPECT_EQ(code_point_length("ü"), 2U);
    EXPECT_EQ(code_point_length("€"), 3U);
    EXPECT_EQ(code_point_length("𝄞"), 4U);
    EXPECT_EQ(code_point_length(""), 0U);
}

// RFC 3629 §3 and §10.
TEST(Utf8, InvalidSequencesAreFound) {
    for (const std::string bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3("}) {
        EXPECT_EQ(first_invalid_utf8("ok" + bad), 2U);
    }
    EXPECT_EQ(first_invalid_utf8("grün, 5 €"), std::nullopt);
}

TEST(Utf8, CodePointsAreCountedNotBytes) {
    EXPECT_EQ(count_code_points("grün €"), 6U);
    EXPECT_EQ(count_code_points("\xff\xff"), 2U);
}

TEST(Utf8, NothingThatMovesACursorIsPrinted) {
    EXPECT_EQ(printable("a\x1b[31mb\x7f\xc2\x9b"), "a?[31mb??");
    EXPECT_EQ(printable("tab\tstays"), "tab\tstays");
    EXPECT_EQ(printable(std::string("nul\0", 4)), "nul?");
    EXPECT_EQ(printable("caf\xe9"), "caf?");
}

}  // namespace
}  // namespace dyetrace::scenario
