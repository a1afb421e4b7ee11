// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/timeline.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "analysis/store/run_writer.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::report {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestFolder;

Timeline timeline_of_sample(const testing::SampleRun& sample = {}) {
    const TestFolder folder;
    testing::write_sample_run(folder.file("run.db"), sample);
    return make_timeline(store::RunReader(folder.file("run.db")));
}

std::vector<TimelineKind> kinds(const Timeline& timeline) {
    std::vector<TimelineKind> list;
    for (const auto& entry : timeline.entries)
        list.push_back(entry.kind);
    return list;
}

TEST(Timeline, TellsFaultEvidenceDetectionDirectiveAndConfirmationInTheirOrder) {
    EXPECT_THAT(kinds(timeline_of_sample()),
                ElementsAre(TimelineKind::FaultBegins, TimelineKind::FirstEvidence, TimelineKind::Detection,
                            TimelineKind::Incident, TimelineKind::Directive, TimelineKind::Confirmation));
}

TEST(Timeline, FirstEvidenceIsALossOnAPathThroughTheSuspectAfterTheFault) {
    const auto entry = timeline_of_sample().entries.at(1);
    EXPECT_GT(entry.t_ns, testing::sample_fault_ns);
    EXPECT_THAT(entry.text, HasSubstr("through agg-0-1 > core-2"));
}

TEST(Timeline, ConfirmationTellsHowLongAfterTheFaultItCame) {
    EXPECT_THAT(timeline_of_sample().entries.back().text, HasSubstr("0.160 s after the fault"));
}

TEST(Timeline, ASuspectWasNamedWhenAnInferenceFirstHadIt) {
    EXPECT_EQ(timeline_of_sample().score.suspects.at(0).named_ns, testing::sample_detected_ns);
}

TEST(Timeline, OnlyFaultsAreTruth) {
    for (const auto& entry : timeline_of_sample().entries) {
        EXPECT_EQ(is_truth(entry.kind), entry.text.find("fault") == 0) << entry.text;
    }
}

TEST(Timeline, EndsInTheSuspectsAndWhetherTruthAgrees) {
    const auto lines = to_lines(timeline_of_sample());
    EXPECT_THAT(lines.back(), HasSubstr("agg-0-1 > core-2"));
    EXPECT_THAT(lines.back(), HasSubstr("15.2"));
    EXPECT_THAT(lines.back(), HasSubstr("truth agrees"));
}

TEST(Timeline, OfAHealthyRunNamesNobody) {
    const Timeline timeline = timeline_of_sample({.fault = false});
    EXPECT_THAT(timeline.entries, IsEmpty());
    EXPECT_THAT(timeline.score.suspects, IsEmpty());
    EXPECT_EQ(to_lines(timeline).back(), "  none");
}

/// A fabric of one link, one fault on it and one suspect, which is what `suspect` says.
Score score_of(const store::SuspectRow& suspect, double probability = 0.01, store::RowId to_node = 1) {
    const TestFolder folder;
    auto run = store::RunWriter::create(folder.file("run.db"), store::Overwrite::Refuse);
    for (const char* name : {"a", "b", "c"})
        run.add_node({.name = name, .kind = "switch"});
    run.add_truth_fault(
        {.t_ns = 100, .kind = "silent-drop", .from_node = 0, .to_node = to_node, .probability = probability});
    store::SuspectRow row = suspect;
    row.incident = run.add_incident({.opened_ns = 50, .state = "confirmed"});
    run.add_suspect(row);
    run.finish();
    return score(store::RunReader(folder.file("run.db")));
}

TEST(Score, OfAFaultyNodeTheNodeIsRightAndSoIsALinkOfIt) {
    const Score device = score_of({.t_ns = 200, .rank = 1, .kind = "device", .device_node = 0}, 1, 0);
    EXPECT_EQ(device.suspects.at(0).agreement, Agreement::Agrees);
    EXPECT_THAT(device.missed, IsEmpty());
    const Score link = score_of({.t_ns = 200, .rank = 1, .kind = "link", .from_node = 2, .to_node = 0}, 1, 0);
    EXPECT_EQ(link.suspects.at(0).agreement, Agreement::Agrees);
    const Score other = score_of({.t_ns = 200, .rank = 1, .kind = "device", .device_node = 1}, 1, 0);
    EXPECT_EQ(other.suspects.at(0).agreement, Agreement::Disagrees);
    EXPECT_EQ(other.missed.size(), 1U);
}

TEST(Score, ASuspectInTheOtherDirectionDisagreesAndTheFaultIsMissed) {
    const Score result = score_of({.t_ns = 200, .rank = 1, .kind = "link", .from_node = 1, .to_node = 0});
    EXPECT_EQ(result.suspects.at(0).agreement, Agreement::Disagrees);
    EXPECT_EQ(result.missed.size(), 1U);
}

TEST(Score, ASuspectNamedBeforeTheFaultIsNotRightByLuck) {
    const Score result = score_of({.t_ns = 99, .rank = 1, .kind = "link", .from_node = 0, .to_node = 1});
    EXPECT_EQ(result.suspects.at(0).agreement, Agreement::Disagrees);
}

TEST(Score, ADeviceAtEitherEndOfTheFaultyLinkAgrees) {
    const Score result = score_of({.t_ns = 200, .rank = 1, .kind = "device", .device_node = 1});
    EXPECT_EQ(result.suspects.at(0).agreement, Agreement::Agrees);
    EXPECT_THAT(result.missed, IsEmpty());
}

TEST(Score, AFaultThatNeverDropsIsNoFault) {
    const Score result =
        score_of({.t_ns = 200, .rank = 1, .kind = "link", .from_node = 0, .to_node = 1}, 0.0);
    EXPECT_EQ(result.suspects.at(0).agreement, Agreement::Disagrees);
    EXPECT_THAT(result.missed, IsEmpty());
}

TEST(Score, WithoutTruthNobodyKnows) {
    const TestFolder folder;
    auto run = store::RunWriter::create(folder.file("run.db"), store::Overwrite::Refuse);
    run.add_node({.name = "a", .kind = "switch"});
    const auto incident = run.add_incident({.state = "confirmed"});
    run.add_suspect({.incident = incident, .rank = 1, .kind = "device", .device_node = 0});
    run.finish();
    EXPECT_EQ(score(store::RunReader(folder.file("run.db"))).suspects.at(0).agreement, Agreement::Unknown);
}

TEST(Timeline, LongListsAreCutToTheirFirstFewAndACount) {
    const TestFolder folder;
    auto run = store::RunWriter::create(folder.file("run.db"), store::Overwrite::Refuse);
    for (int i = 0; i < 10; ++i) {
        run.add_detection(
            {.t_ns = i, .subject = "pair " + std::to_string(i), .kind = "loss", .state = "degraded"});
        run.add_incident({.opened_ns = i, .closed_ns = i + 1, .state = "refuted", .subject = "x"});
    }
    run.finish();
    const auto lines = to_lines(make_timeline(store::RunReader(folder.file("run.db"))));
    EXPECT_LT(lines.size(), 16U);
    EXPECT_THAT(lines, Contains(HasSubstr("and 6 more until")));
    EXPECT_THAT(lines, Contains(HasSubstr("and 6 more incidents that were refuted")));
}

}  // namespace
}  // namespace dyetrace::report
