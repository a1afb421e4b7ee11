// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/trace_file.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/error.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::store {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kFlow = "FID 10001 10017 3 7 3000 0.0\nFPT 3 52 7\nSS 12.345 20 1 0\n";

class TraceFileTest : public ::testing::Test {
  protected:
    std::vector<TraceFlow> read(const std::string& text) {
        testing::write_bytes(path_, text);
        std::vector<TraceFlow> flows;
        TraceFile trace(path_);
        for (TraceFlow flow; trace.next(flow);)
            flows.push_back(flow);
        return flows;
    }
    /// What is said of `text`, without the file's name; "" where it is read.
    std::string complaint(const std::string& text) {
        try {
            read(text);
        } catch (const Error& error) {
            const std::string message = error.what();
            EXPECT_EQ(message.substr(0, path_.string().size() + 1), path_.string() + ":") << message;
            return message.substr(path_.string().size() + 1);
        }
        return {};
    }

    testing::TestFolder folder_;
    std::filesystem::path path_ = folder_.file("trace.txt");
};

TEST_F(TraceFileTest, FlowsHaveHopsFromHostToHostAndCounts) {
    const auto flows = read(kFlow + "FID 10002 10003 3 3 1500 0.0\nFPT 3\nSS 1 1 0 0\n");
    ASSERT_THAT(flows, SizeIs(2));
    EXPECT_THAT(flows[0].hops, ElementsAre(10001, 3, 52, 7, 10017));
    EXPECT_EQ(flows[0].sent, 20U);
    EXPECT_EQ(flows[0].lost, 1U);
    EXPECT_THAT(flows[1].hops, ElementsAre(10002, 3, 10003));
}

TEST_F(TraceFileTest, TruthAndCandidatePathsAreSkippedUnread) {
    EXPECT_THAT(read("Failing_link 3 52 0.01\nFailing_link nonsense\nFP 3 52 7\n\n" + kFlow), SizeIs(1));
}

TEST_F(TraceFileTest, LastCountsOfAFlowCount) {
    const auto flows = read(kFlow + "SS 20 45 3 0\n" + kFlow);
    ASSERT_THAT(flows, SizeIs(2));
    EXPECT_EQ(flows[0].sent, 45U);
    EXPECT_EQ(flows[0].lost, 3U);
    EXPECT_EQ(flows[1].sent, 20U);
}

TEST_F(TraceFileTest, EmptyFileHasNoFlows) {
    EXPECT_THAT(read(""), IsEmpty());
}

TEST_F(TraceFileTest, FileLargerThanTheBufferIsReadWhole) {
    std::string text;
    for (int i = 0; i < 60'000; ++i)
        text += kFlow;
    EXPECT_THAT(read(text), SizeIs(60'000));
}

TEST_F(TraceFileTest, EveryCutIsNoticedUnlessItIsBetweenFlows) {
    for (std::size_t length = 1; length < kFlow.size(); ++length) {
        EXPECT_THAT(complaint(kFlow + kFlow.substr(0, length)), Not(IsEmpty())) << "cut after " << length;
    }
}

TEST_F(TraceFileTest, CutInMidLineNamesTheLine) {
    EXPECT_EQ(complaint(kFlow + "FID 10001 10017 3 7 30"), "4: the line is cut off: the file ends within it");
}

TEST_F(TraceFileTest, CutInACandidatePathIsNoticedToo) {
    EXPECT_EQ(complaint("FP 3 52 7\nFP 3 5"), "2: the line is cut off: the file ends within it");
}

TEST_F(TraceFileTest, CutAtTheEndOfALineNamesWhatIsMissing) {
    EXPECT_EQ(complaint("FID 10001 10017 3 7 3000 0.0\nFPT 3 52 7\n"),
              "2: the file ends before the counts (SS) of its last flow");
}

TEST_F(TraceFileTest, BadLinesAreRefusedWithTheirNumberAndReason) {
    const std::string fid = "FID 10001 10017 3 7 3000 0.0\n", fpt = fid + "FPT 3 52 7\n";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"GARBAGE 1 2\n", "1: a line of a trace begins with"},
        {"FIDDLE 1 2\n", "not with 'FIDDLE'"},
        {kFlow + "\x01\x02\xff\n", "4: a line of a trace begins with"},
        {"FID 10001 10017 3 7 3000\n", "1: the line ends where a time should be"},
        {"FID 10001 10017 3\n", "the line ends where target rack should be"},
        {"FID 10001 10017 3 7 3000 0.0 9\n", "more on the line than belongs there: '9'"},
        {"FID 10001 -17 3 7 3000 0.0\n", "target host should be a number, not '-17'"},
        {"FID 10001 1e5 3 7 3000 0.0\n", "target host should be a number, not '1e5'"},
        {"FID 17 10017 3 7 3000 0.0\n", "source host 17 is no host"},
        {"FID 10001 10017 3 10007 3000 0.0\n", "target rack 10007 is no switch"},
        {"FID 10001 10001 3 3 3000 0.0\n", "ends at the host where it begins"},
        {"FID 10001 99999999999999999999 3 7 3000 0.0\n", "is too large"},
        {"FID 10001 4294977313 3 7 3000 0.0\n", "is too large"},
        {"FID 10001 10017 3 7 3000 nan\n", "a time should be a number of milliseconds, not 'nan'"},
        {"FPT 3 52 7\n", "1: a path (FPT) that belongs to no flow (FID)"},
        {"SS 1 20 1 0\n", "1: counts (SS) that belong to no flow (FID)"},
        {fid + "SS 1 20 1 0\n", "2: the flow that began above has no path (FPT)"},
        {fid + fid, "2: the flow that began above has no counts (SS)"},
        {fpt + "FP 3 52 7\n", "3: the flow that began above has no counts (SS)"},
        {fpt + "FPT 3 52 7\n", "3: a path (FPT) that belongs to no flow (FID)"},
        {fid + "FPT\n", "2: the path is empty"},
        {fid + "FPT 3 3 7\n", "the path goes from 3 to itself"},
        {fid + "FPT 3 52 8\n", "does not lead from the flow's source rack 3 to its target rack 7"},
        {fid + "FPT 4 52 7\n", "does not lead from the flow's source rack 3"},
        {fid + "FPT 3 x 7\n", "switch should be a number, not 'x'"},
        {fpt + "SS 1 20 21 0\n", "3: more packets lost than sent"},
        {fpt + "SS 1 20 1\n", "the line ends where packets lost at random should be"},
        {fpt + "SS 1 20 1 0\r\n", "should be a number, not '0?'"},
        {fpt + "SS 1 281474976710657 1 0\n", "is too large"},
        {fpt + "SS 1 20 1 0\nSS 2 19 1 0\n", "4: counts go down"},
    };
    for (const auto& [text, reason] : cases)
        EXPECT_THAT(complaint(text), HasSubstr(reason)) << text;
}

TEST_F(TraceFileTest, LineWithoutEndIsRefusedBeforeItFillsMemory) {
    EXPECT_THAT(complaint(std::string(3'000'000, '1')), HasSubstr("1: the line is longer than"));
}

TEST_F(TraceFileTest, PathWithoutEndIsRefused) {
    std::string path = "FPT 3";
    for (int i = 0; i < 100; ++i)
        path += i % 2 == 0 ? " 52" : " 3";
    EXPECT_THAT(complaint("FID 10001 10017 3 7 3000 0.0\n" + path + "\n"),
                HasSubstr("2: a path of more than"));
}

TEST_F(TraceFileTest, WhatCannotBeOpenedIsNamed) {
    EXPECT_THROW(TraceFile(folder_.file("missing")), Error);
    EXPECT_THROW(TraceFile(folder_.path()), Error);
}

}  // namespace
}  // namespace dyetrace::store
