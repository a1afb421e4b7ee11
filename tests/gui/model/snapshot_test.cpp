// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "analysis/store/error.h"
#include "gui/model/snapshot_builder.h"
#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::ms;
using testing::sample;
using testing::SmallRun;

TEST(Snapshot, RecordsOfAPathBecomeWindows) {
    SmallRun small;
    const auto run = small.path(3).record(3, 20 * ms, 100, 99).record(3, 40 * ms, 300, 296).load();
    ASSERT_EQ(run->paths.size(), 1U);
    const auto& windows = run->paths[0].windows;
    ASSERT_EQ(windows.size(), 2U);
    EXPECT_EQ(windows[0].from_ns, 10 * ms);  // since the session is active
    EXPECT_EQ(windows[0].to_ns, 20 * ms);
    EXPECT_EQ(run->paths[0].loss_in(windows[0]), (Loss{100, 1}));
    EXPECT_EQ(windows[1].from_ns, 20 * ms);
    EXPECT_EQ(run->paths[0].loss_in(windows[1]), (Loss{200, 3}));
    EXPECT_EQ(run->paths[0].total, (Loss{300, 4}));
    EXPECT_EQ(run->sessions[0].total, (Loss{300, 4}));
}

TEST(Snapshot, ARecordThatIsRepeatedOrOldAddsNothing) {
    SmallRun small;
    small.path(0).record(0, 20 * ms, 100, 100).record(0, 40 * ms, 200, 190);
    small.record(0, 40 * ms, 200, 190).record(0, 30 * ms, 150, 100);
    const auto run = small.load();
    EXPECT_EQ(run->paths[0].windows.size(), 2U);
    EXPECT_EQ(run->paths[0].total, (Loss{200, 10}));
}

TEST(Snapshot, LatePacketsAreNotLostInTheEnd) {
    SmallRun small;
    const auto run = small.path(0).record(0, 20 * ms, 100, 95).record(0, 40 * ms, 200, 200).load();
    EXPECT_EQ(run->paths[0].total, (Loss{200, 0}));
    EXPECT_EQ(loss_between(run->paths[0], -1, 100 * ms), (Loss{200, 0}));
}

TEST(Snapshot, MoreReceivedThanSentIsRemembered) {
    SmallRun small;
    const auto run = small.path(0).record(0, 20 * ms, 100, 101).load();
    EXPECT_TRUE(run->paths[0].excess);
}

TEST(Snapshot, APathThatNobodyTracedIsMeasuredButOnNoLink) {
    SmallRun small;
    const auto run = small.record(5, 20 * ms, 100, 90).load();
    ASSERT_EQ(run->paths.size(), 1U);
    EXPECT_TRUE(run->paths[0].links.empty());
    EXPECT_EQ(run->fabric_history.over(0, {0, 1000 * ms}), (Loss{100, 10}));
}

TEST(Snapshot, APathCountsOnEachOfItsLinksAndInItsDirectionOnly) {
    SmallRun small;
    const auto run = small.path(0).record(0, 20 * ms, 100, 90).load();
    for (std::size_t link = 0; link < run->links.size(); ++link) {
        const bool forward = run->links[link].from < run->links[link].to;
        EXPECT_EQ(run->link_history.over(link, {0, 1000 * ms}), forward ? (Loss{100, 10}) : Loss{});
    }
}

TEST(Snapshot, KnowsTheOtherDirectionOfALink) {
    for (std::size_t link = 0; link < sample()->links.size(); ++link) {
        const auto& forth = sample()->links[link];
        ASSERT_GE(forth.reverse, 0);
        const auto& back = sample()->links[static_cast<std::size_t>(forth.reverse)];
        EXPECT_EQ(forth.from, back.to);
        EXPECT_EQ(forth.to, back.from);
    }
}

TEST(Snapshot, TheSampleRunIsThereAsAWhole) {
    EXPECT_EQ(sample()->nodes.size(), 36U);
    EXPECT_EQ(sample()->links.size(), 96U);
    EXPECT_TRUE(sample()->complete);
    EXPECT_GE(sample()->range.end_ns, 990 * ms);
    EXPECT_FALSE(sample()->sessions.empty());
    EXPECT_GT(sample()->record_count, 0);
    ASSERT_EQ(sample()->truth_faults.size(), 1U);
    EXPECT_EQ(sample()->link_name(sample()->truth_faults[0].link), "agg-0-1 > core-2");
}

TEST(Snapshot, AnIncidentKnowsTheLinkOfItsSubject) {
    SmallRun small;
    small.incident(100 * ms);
    const auto run = small.load();
    ASSERT_EQ(run->incidents.size(), 1U);
    EXPECT_EQ(run->link_name(run->incidents[0].link), "s1 > s2");
}

TEST(Snapshot, AnInterruptedRunSaysSo) {
    const dyetrace::testing::TestFolder folder;
    dyetrace::testing::write_sample_run(folder.file("run.db"), {.finish = false});
    EXPECT_FALSE(load_snapshot(folder.file("run.db"))->complete);
}

TEST(Snapshot, AForeignFileIsAnErrorThatNamesIt) {
    const dyetrace::testing::TestFolder folder;
    const auto file = folder.file("letter.txt");
    dyetrace::testing::write_bytes(file, "Dear Sir or Madam");
    try {
        (void)load_snapshot(file);
        FAIL() << "no error";
    } catch (const store::Error& error) {
        EXPECT_NE(std::string(error.what()).find("letter.txt"), std::string::npos);
    }
}

TEST(Snapshot, EveryTruncationIsAnErrorAndNoCrash) {
    const dyetrace::testing::TestFolder folder;
    dyetrace::testing::write_sample_run(folder.file("run.db"), {.duration_ns = 100 * ms, .paths = 1});
    const auto bytes = dyetrace::testing::file_bytes(folder.file("run.db"));
    const auto cut = folder.file("cut.db");
    for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 23 + 1) {
        dyetrace::testing::write_bytes(cut, bytes.substr(0, size));
        EXPECT_THROW((void)load_snapshot(cut), store::Error) << size << " of " << bytes.size() << " bytes";
    }
}

TEST(Snapshot, LoadingCanBeGivenUp) {
    const dyetrace::testing::TestFolder folder;
    dyetrace::testing::write_sample_run(folder.file("run.db"));
    int asked = 0;
    EXPECT_EQ(load_snapshot(folder.file("run.db"), [&](const QString&) { return ++asked < 2; }), nullptr);
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace dyetrace::viewer
