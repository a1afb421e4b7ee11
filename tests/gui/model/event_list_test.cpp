// SPDX-License-Identifier: GPL-2.0-or-later
#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include <gtest/gtest.h>

#include "gui/model/event_list_model.h"
#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::ms;
using testing::sample;
using testing::SmallRun;

TEST(EventListModel, PassesTheModelTester) {
    EventListModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.set_run(sample());
    model.set_now(500 * ms);
    model.set_truth_shown(false);
    model.set_run(nullptr);
}

TEST(EventListModel, HidesTruthAndItsStepsOnRequest) {
    SmallRun small;
    small.fault(50 * ms);
    small.incident(100 * ms);
    EventListModel model;
    model.set_run(small.load());
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_TRUE(model.index(0, 0).data(EventListModel::TruthRole).toBool());
    model.set_truth_shown(false);
    ASSERT_EQ(model.rowCount(), 1);
    EXPECT_EQ(model.moments(), std::vector<std::int64_t>{100 * ms});
}

TEST(EventListModel, KnowsWhichRowThePlayheadIsAt) {
    SmallRun small;
    small.fault(50 * ms);
    small.incident(100 * ms);
    EventListModel model;
    model.set_run(small.load());
    EXPECT_EQ(model.row_at(49 * ms), -1);
    EXPECT_EQ(model.row_at(50 * ms), 0);
    EXPECT_EQ(model.row_at(900 * ms), 1);
}

TEST(EventListModel, TellsWhatBecomesPast) {
    SmallRun small;
    small.fault(50 * ms);
    small.incident(100 * ms);
    EventListModel model;
    model.set_run(small.load());
    const QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.set_now(60 * ms);
    EXPECT_EQ(changed.size(), 1);
    EXPECT_TRUE(model.index(0, 0).data(EventListModel::PastRole).toBool());
    EXPECT_FALSE(model.index(1, 0).data(EventListModel::PastRole).toBool());
    model.set_now(70 * ms);
    EXPECT_EQ(changed.size(), 1);
}

TEST(EventListModel, HasReadableCells) {
    SmallRun small;
    small.fault(50 * ms);
    EventListModel model;
    model.set_run(small.load());
    EXPECT_EQ(model.index(0, EventListModel::TimeColumn).data().toString(), "0.050000 s");
    EXPECT_EQ(model.index(0, EventListModel::KindColumn).data().toString(), "truth: fault");
    EXPECT_EQ(model.index(0, EventListModel::TextColumn).data().toString(), "silent-drop of 1% on s1 > s2");
}

}  // namespace
}  // namespace dyetrace::viewer
