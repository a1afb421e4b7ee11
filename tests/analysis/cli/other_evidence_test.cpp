// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/other_evidence.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/cli/locate.h"
#include "analysis/store/error.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Flows from rack 0 to rack 1 over switches 10 and 11; by 10 each loses `lost` of 1000 packets, at one of
/// two links that they all cross.
std::string trace_text(int flows, int lost) {
    std::string text;
    for (int i = 0; i < flows; ++i) {
        const std::string middle = i % 2 == 0 ? "10" : "11";
        text += "FID 10000 10100 0 1 1500000 0.0\nFPT 0 " + middle + " 1\nSS 1.0 1000 " +
                std::to_string(middle == "10" ? lost : 0) + " 0\n";
    }
    return text;
}

class OtherEvidenceTest : public ::testing::Test {
  protected:
    std::filesystem::path write(const std::string& name, const std::string& text) {
        testing::write_bytes(folder_.file(name), text);
        return folder_.file(name);
    }
    OtherEvidence counters(const std::string& text) {
        OtherEvidence other;
        other.read_counters(write("counters.json", text));
        return other;
    }
    OtherEvidence conclusions(const std::string& text) {
        OtherEvidence other;
        other.read_conclusions(write("conclusions.json", text));
        return other;
    }
    template <class Read>
    static std::string error_of(Read read) {
        try {
            read();
        } catch (const store::Error& error) {
            return error.what();
        }
        return "no error";
    }
    /// Log odds of a link in the verdict; far below all where it is not in it.
    static double odds_of(const Located& located, const std::string& from, const std::string& to) {
        for (const auto* list : {&located.verdict.suspects, &located.verdict.candidates}) {
            for (const localise::Suspect& suspect : *list) {
                if (suspect.kind == localise::Suspect::Kind::Link &&
                    located.graph.name(suspect.from) == from && located.graph.name(suspect.to) == to)
                    return suspect.log_odds;
            }
        }
        return -1000;
    }

    testing::TestFolder folder_;
};

TEST_F(OtherEvidenceTest, ACounterTellsLinksApartThatPathsCannot) {
    const auto trace = write("trace", trace_text(200, 5));
    const Located alone = locate_trace(trace);
    ASSERT_THAT(alone.verdict.suspects, SizeIs(2));
    EXPECT_EQ(alone.verdict.suspects[0].group, alone.verdict.suspects[1].group);
    const Located told =
        locate_trace(trace, TracePaths::Known,
                     counters(R"({"counters": [{"from": 0, "to": 10, "sent": 100000, "lost": 500},
                                  {"from": "10", "to": "1", "sent": 99500, "lost": 0}]})"));
    EXPECT_THAT(told.unused, IsEmpty());
    ASSERT_FALSE(told.verdict.suspects.empty());
    EXPECT_EQ(told.graph.name(told.verdict.suspects[0].from), "0");
    EXPECT_EQ(told.verdict.suspects[0].group, -1);
    EXPECT_GT(odds_of(told, "0", "10"), odds_of(told, "10", "1") + 1);
}

TEST_F(OtherEvidenceTest, WhatAnotherServiceConcludedCountsAndIsReadAsItIsPrinted) {
    const auto weak = write("weak", trace_text(10, 1));
    const auto strong = write("strong", trace_text(400, 5));
    const auto said = locate_json(locate_trace(strong)).dump();
    const Located alone = locate_trace(weak);
    const Located told = locate_trace(weak, TracePaths::Known, conclusions(said));
    EXPECT_THAT(told.unused, IsEmpty());
    EXPECT_THAT(alone.verdict.suspects, IsEmpty());
    EXPECT_GT(odds_of(told, "10", "1"), odds_of(alone, "10", "1") + 2);
    EXPECT_LT(odds_of(told, "11", "1"), 0);
}

TEST_F(OtherEvidenceTest, WhoSaysWhatWeBelievedBeforeSaysNothing) {
    std::string text = trace_text(20, 1);
    for (int i = 0; i < 20; ++i)  // what tells 10 > 1 from 0 > 10
        text += "FID 10000 10200 0 2 1500000 0.0\nFPT 0 10 2\nSS 1.0 1000 0 0\n";
    const auto trace = write("trace", text);
    const Located alone = locate_trace(trace);
    const localise::LocaliserConfig config;
    const double prior = std::log(config.faulty_share / (1 - config.faulty_share));
    const auto said = [](double log_odds) {
        return R"({"suspects": [], "candidates": [{"kind": "link", "from": 10, "to": 1, "log_odds": )" +
               std::to_string(log_odds) + "}]}";
    };
    const Located same = locate_trace(trace, TracePaths::Known, conclusions(said(prior)));
    const Located less = locate_trace(trace, TracePaths::Known, conclusions(said(prior - 3)));
    EXPECT_NEAR(odds_of(same, "10", "1"), odds_of(alone, "10", "1"), 0.1);
    EXPECT_LT(odds_of(less, "10", "1"), odds_of(alone, "10", "1") - 1.5);
}

TEST_F(OtherEvidenceTest, EntriesThatCannotBeUsedAreNamedAndTheOthersAre) {
    const auto trace = write("trace", trace_text(200, 5));
    const OtherEvidence other = counters(R"({"counters": [
        {"from": 0, "to": 99, "sent": 1, "lost": 0},
        {"from": 10, "to": 11, "sent": 1, "lost": 0},
        {"from": 0, "to": 10, "sent": 10, "lost": 11},
        {"from": 0, "to": 10, "sent": 0, "lost": 0},
        {"from": 0, "to": 10, "sent": 100000, "lost": 500}]})");
    const Located located = locate_trace(trace, TracePaths::Known, other);
    EXPECT_THAT(located.unused, ElementsAre(HasSubstr("counters[0]: there is no link 0 > 99"),
                                            HasSubstr("counters[1]: there is no link 10 > 11"),
                                            HasSubstr("counters[2]: 11 lost of 10 sent"),
                                            HasSubstr("counters[3]: nothing was sent")));
    EXPECT_GT(odds_of(located, "0", "10"), odds_of(located, "10", "1"));
    const Located concluded = locate_trace(
        trace, TracePaths::Known,
        conclusions(R"({"suspects": [{"kind": "device", "name": "x", "log_odds": 9}], "candidates": []})"));
    EXPECT_THAT(concluded.unused, ElementsAre(HasSubstr("suspects[0]: there is no node x")));
}

TEST_F(OtherEvidenceTest, BadFilesAreErrorsThatNameThePlace) {
    const auto of_counters = [&](const std::string& text) { return error_of([&] { counters(text); }); };
    const auto of_conclusions = [&](const std::string& text) { return error_of([&] { conclusions(text); }); };
    EXPECT_THAT(of_counters("{\n\"counters\": [1,\n}"), HasSubstr("counters.json: parse error at line 3"));
    EXPECT_THAT(of_counters("[]"), HasSubstr("counters.json: is no JSON object"));
    EXPECT_THAT(of_counters("{}"), HasSubstr("counters.json: has no list \"counters\""));
    EXPECT_THAT(of_counters(R"({"counters": [7]})"), HasSubstr("counters[0]: must be an object"));
    EXPECT_THAT(of_counters(R"({"counters": [{"from": 0, "to": 1, "sent": 5}]})"),
                HasSubstr("counters[0]: \"lost\" is missing"));
    EXPECT_THAT(of_counters(R"({"counters": [{"from": 0, "to": 1, "sent": 5, "lost": -1}]})"),
                HasSubstr("counters[0]: \"lost\" must be a whole number, not negative"));
    EXPECT_THAT(of_counters(R"({"counters": [{"from": [], "to": 1, "sent": 5, "lost": 1}]})"),
                HasSubstr("\"from\" must be a node's name"));
    EXPECT_THAT(of_counters(R"({"counters": [{"from": 0, "to": 1, "sent": 1e999, "lost": 1}]})"),
                HasSubstr("number overflow"));
    EXPECT_THAT(of_conclusions(R"({"suspects": []})"), HasSubstr("has no list \"candidates\""));
    EXPECT_THAT(of_conclusions(R"({"suspects": [{"kind": "rack", "log_odds": 1}], "candidates": []})"),
                HasSubstr("suspects[0]: \"kind\" must be \"link\" or \"device\""));
    EXPECT_THAT(of_conclusions(
                    R"({"suspects": [{"kind": "device", "name": "x", "log_odds": null}], "candidates": []})"),
                HasSubstr("\"log_odds\" must be a number"));
    EXPECT_THAT(error_of([&] { OtherEvidence().read_counters(folder_.file("absent")); }),
                HasSubstr("absent: cannot be read"));
}

}  // namespace
}  // namespace dyetrace::cli
