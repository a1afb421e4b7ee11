// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/diagnostics.h"

#include <string>

#include <gtest/gtest.h>

namespace dyetrace::scenario {
namespace {

Diagnostic error_at(std::string input, std::uint32_t line, std::uint32_t column, std::string message = "m") {
    Diagnostic diagnostic;
    diagnostic.input = std::move(input);
    diagnostic.line = line;
    diagnostic.column = column;
    diagnostic.message = std::move(message);
    return diagnostic;
}

std::string text_of(const std::string& source, const Place& place) {
    return to_text(SourceText("a.toml", source).at(place, Severity::Error, {"it is wrong", "mend it"}));
}

TEST(DiagnosticText, HasPlaceLineCaretAndSuggestion) {
    EXPECT_EQ(text_of("[run]\nsede = 3\n", {2, 1, 4, 0}),
              "a.toml:2:1: error: it is wrong\n"
              "    2 | sede = 3\n"
              "      | ^~~~\n"
              "      = mend it\n");
}

TEST(DiagnosticText, CaretStandsUnderItsColumnAfterTabsAndUmlauts) {
    EXPECT_EQ(text_of("\tgrün = 3", {1, 9, 1, 0}),
              "a.toml:1:9: error: it is wrong\n"
              "    1 | \tgrün = 3\n"
              "      | \t       ^\n"
              "      = mend it\n");
}

TEST(DiagnosticText, OfALongLineTheNeighbourhoodIsShown) {
    const std::string line = std::string(500, 'a') + "!" + std::string(500, 'b');
    const std::string text = text_of(line, {1, 501, 1, 0});
    EXPECT_NE(text.find("    1 | ..." + std::string(60, 'a') + "!" + std::string(79, 'b') + "...\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("      | " + std::string(63, ' ') + "^\n"), std::string::npos) << text;
}

TEST(DiagnosticText, UnderlineEndsWithTheLine) {
    EXPECT_NE(text_of("abc", {1, 2, 100, 0}).find("| abc\n      |  ^~\n"), std::string::npos);
    EXPECT_NE(text_of("abc", {1, 4, 1, 0}).find("| abc\n      |    ^\n"), std::string::npos);
    EXPECT_NE(text_of("abc", {1, 6, 3, 0}).find("| abc\n      |      ^\n"), std::string::npos);
}

TEST(DiagnosticText, ControlCharactersDoNotReachTheTerminal) {
    const std::string text = to_text(
        SourceText("a\x1b.toml", "x = \"\x1b[2J\"").at({1, 5, 1, 0}, Severity::Error, {"\x1b", "\x1b"}));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(DiagnosticText, WithoutALineThereIsNoExcerpt) {
    EXPECT_EQ(to_text(error_at("--set a=1", 0, 0)), "--set a=1: error: m\n");
}

TEST(DiagnosticText, WarningsAreCalledSo) {
    Diagnostic warning = error_at("f", 0, 0);
    warning.severity = Severity::Warning;
    EXPECT_EQ(to_text(warning), "f: warning: m\n");
}

TEST(Diagnostics, WarningsAreNoErrors) {
    Diagnostics diagnostics;
    Diagnostic warning = error_at("f", 0, 0);
    warning.severity = Severity::Warning;
    diagnostics.add(warning);
    EXPECT_FALSE(diagnostics.has_errors());
    EXPECT_EQ(diagnostics.all().size(), 1U);
}

TEST(Diagnostics, AreSortedByPlaceWithTheFileFirst) {
    Diagnostics diagnostics;
    diagnostics.add(error_at("--set b=1", 0, 0));
    diagnostics.add(error_at("f", 3, 1));
    diagnostics.add(error_at("--set a=1", 0, 0));
    diagnostics.add(error_at("f", 2, 9));
    diagnostics.add(error_at("f", 2, 1));
    diagnostics.sort("f");
    std::string order;
    for (const auto& d : diagnostics.all())
        order += d.input + ":" + std::to_string(d.line) + ":" + std::to_string(d.column) + " ";
    EXPECT_EQ(order, "f:2:1 f:2:9 f:3:1 --set b=1:0:0 --set a=1:0:0 ");
}

TEST(Diagnostics, WhatIsTooMuchIsCounted) {
    Diagnostics some;
    for (std::size_t i = 0; i < Diagnostics::most + 50; ++i)
        some.add(error_at("f", 1, 1));
    Diagnostics all;
    all.add(error_at("g", 1, 1));
    all.append(some);
    EXPECT_EQ(all.all().size(), Diagnostics::most);
    EXPECT_EQ(all.errors(), Diagnostics::most + 51);
    EXPECT_EQ(all.left_out(), 51U);
    EXPECT_TRUE(all.to_text().ends_with("and 51 more\n"));
}

TEST(SourceText, LinesHaveNoEnds) {
    const SourceText source("f", "one\r\ntwo\n\nfour");
    EXPECT_EQ(source.line_count(), 4U);
    EXPECT_EQ(source.line(1), "one");
    EXPECT_EQ(source.line(2), "two");
    EXPECT_EQ(source.line(3), "");
    EXPECT_EQ(source.line(4), "four");
    EXPECT_EQ(source.line(5), "");
    EXPECT_EQ(source.line(0), "");
}

}  // namespace
}  // namespace dyetrace::scenario
