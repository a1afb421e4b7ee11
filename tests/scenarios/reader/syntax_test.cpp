// SPDX-License-Identifier: GPL-2.0-or-later
// What is told of text that is no TOML, and how much is read in spite of it.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Syntax, AnEmptyFileIsToldAsSuch) {
    EXPECT_THAT(told(""), ElementsAre("test.toml: the file is empty"));
    EXPECT_THAT(told(" \r\n\t\n"), ElementsAre("test.toml: the file is empty"));
}

TEST(Syntax, OnlyCommentsLackWhatAScenarioNeeds) {
    EXPECT_THAT(told("# nothing\n"),
                ElementsAre("1:1: [tracking] has no key, and does not say insecure = true"));
}

TEST(Syntax, TextWithoutQuotesIsToldAndTheRestIsRead) {
    const std::string text =
        without_key + "[[fault]]\nkind = link-down\nfrom = agg-0-0   # here\nto = \"core-99\"\n";
    EXPECT_THAT(told(text),
                ElementsAre("3:8: link-down is not a TOML value", "4:8: agg-0-0 is not a TOML value",
                            "5:6: there is no node \"core-99\" in a fat-tree of k = 6"));
    EXPECT_EQ(diagnostics_of(text).all()[1].suggestion,
              "text and values with a unit stand in quotes: from = \"agg-0-0\"");
}

TEST(Syntax, TheUsualSlipsAreCalledByName) {
    EXPECT_THAT(told(without_key + "run.seed =\n"), ElementsAre("2:11: run.seed has no value"));
    EXPECT_THAT(told("tracking.insecure = True\n"), ElementsAre("1:21: True is not a TOML value"));
    EXPECT_EQ(only_suggestion("tracking.insecure = True\n"), "write true");
    EXPECT_THAT(told(without_key + "run.drain = \"1s\nrun.seed = 3\n"),
                ElementsAre("2:13: this text does not end on its line"));
    EXPECT_EQ(only_suggestion(without_key + "run.drain = '1s\n"), "a ' is missing");
    EXPECT_THAT(told(without_key + "tracking.rate = 1%\n"), ElementsAre("2:17: 1% is not a TOML value"));
}

TEST(Syntax, NumbersOfNoTomlFormAreToldInTomlsWords) {
    EXPECT_THAT(told(without_key + "run.seed = 007\n"),
                ElementsAre(HasSubstr("2:12: decimal integer: leading zeroes")));
    EXPECT_THAT(told(without_key + "run.seed = 99999999999999999999\n"),
                ElementsAre(HasSubstr("not representable in 64 bits")));
}

TEST(Syntax, ASecondValueOfAKeyIsToldAtTheSecond) {
    EXPECT_THAT(told("[tracking]\ninsecure = true\n  insecure = true\n"),
                ElementsAre("3:3: insecure is given a second time"));
    EXPECT_THAT(told(without_key + "clock = [{hosts = \"host-0-*\", drift = 1, hosts = \"x\"}]\n"),
                ElementsAre("2:42: hosts is given a second time"));
}

TEST(Syntax, ATableGivenTwiceStopsTheReading) {
    EXPECT_THAT(told("[run]\nseed = 1\n[run]\nsede = 2\n"),
                ElementsAre(HasSubstr("3:1: table header: cannot redefine existing table 'run'")));
}

TEST(Syntax, ABrokenHeaderHidesWhatFollowsSoNothingElseIsTold) {
    EXPECT_THAT(told("[run\nseed = 1\nbananas = 2\n"),
                ElementsAre(HasSubstr("1:5: table header: expected ']'")));
}

TEST(Syntax, TextThatNeverEndsIsToldAtTheEnd) {
    EXPECT_THAT(told(without_key + "[run]\nseed = \"\"\"\nduration = \"1s\"\n"),
                ElementsAre(HasSubstr("encountered end-of-file")));
}

TEST(Syntax, AListThatIsNotClosedIsToldWhereTheNextThingStands) {
    EXPECT_THAT(told(without_key + "record.pcap = [\"a:b\",\n\nrun.seed = 1\n"),
                ElementsAre(HasSubstr("4:1: ")));
}

TEST(Syntax, ManySyntaxErrorsAreBounded) {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "a" + std::to_string(i) + " = b\n";
    EXPECT_EQ(diagnostics_of(text).errors(), 20U);
}

TEST(Syntax, BytesThatAreNotUtf8AreToldAtTheirPlace) {
    EXPECT_THAT(told("# gr\xc3\xbcn\n# caf\xe9\nrun.seed = 1\n"), ElementsAre("2:6: byte 0xe9 is not UTF-8"));
    EXPECT_THAT(told("\xff\xfe[\0r\0"), ElementsAre("1:1: byte 0xff is not UTF-8"));
}

TEST(Syntax, ANulByteIsAnError) {
    EXPECT_THAT(told(std::string("\0", 1)), ElementsAre(HasSubstr("1:1: ")));
    EXPECT_EQ(told(without_key + std::string("run.seed = \0 1\n", 15)).size(), 1U);
}

TEST(Syntax, AByteOrderMarkAndWindowsLineEndsAreRead) {
    EXPECT_EQ(read("\xef\xbb\xbf[tracking]\r\ninsecure = true\r\n[run]\r\nseed = 5\r\n").run.seed, 5U);
    EXPECT_THAT(told("[tracking]\r\ninsecure = true\r\n[run]\r\nsede = 5\r\n"),
                ElementsAre("4:1: unknown key \"sede\" in [run]"));
    EXPECT_THAT(told("\xef\xbb\xbfsede = 1\ntracking.insecure = true\n"),
                ElementsAre(HasSubstr("1:1: unknown key \"sede\"")));
}

TEST(Syntax, DeepNestingIsRefusedNotFollowed) {
    EXPECT_FALSE(told(without_key + "run.seed = " + std::string(10'000, '[') + "\n").empty());
    EXPECT_FALSE(told(without_key, {"record.pcap=" + std::string(10'000, '[')}).empty());
    std::string tables;
    for (int i = 0; i < 200; ++i)
        tables += "{ a.a.a.a.a = ";
    EXPECT_THAT(told(without_key + "x = " + tables + "1" + std::string(200, '}') + "\n"),
                ElementsAre("2:1: unknown table [x]"));
}

TEST(Syntax, AKeyOfManyPartsIsRefusedBeforeTheParserMakesATableOfEach) {
    std::string key = "a";
    for (int i = 0; i < 400'000; ++i)
        key += ".a";
    EXPECT_THAT(told(without_key + key + " = 1\n"), ElementsAre("2:16: no key has more than 8 parts"));
    EXPECT_THAT(told(without_key + "[" + key + "]\n"), ElementsAre("2:17: no key has more than 8 parts"));
    EXPECT_THAT(told(without_key + "x = { \"q\\\".\"." + key + " = 1 }\n"),
                ElementsAre("2:27: no key has more than 8 parts"));
    EXPECT_THAT(told(without_key + "x = '''\n'''''\n" + key + " = 1\n"),
                ElementsAre("4:16: no key has more than 8 parts"));
}

TEST(Syntax, DotsInTextAndCommentsArePartsOfNoKey) {
    const std::string dots = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p";
    EXPECT_THAT(told(without_key + "# " + dots + "\nhealth.host = \"" + dots + "\"  # " + dots + "\n"),
                ElementsAre(HasSubstr("3:15: there is no node")));
}

}  // namespace
}  // namespace dyetrace::scenario
