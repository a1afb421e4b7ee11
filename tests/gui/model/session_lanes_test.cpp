// SPDX-License-Identifier: GPL-2.0-or-later
#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

#include "gui/model/session_lanes_model.h"
#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::ms;
using testing::sample;
using testing::SmallRun;

TEST(SessionLanesModel, PassesTheModelTester) {
    SessionLanesModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.set_run(sample());
    model.set_order(LaneOrder::Name);
    model.set_filter("host-0");
    model.set_run(nullptr);
}

TEST(SessionLanesModel, HasAllSessionsAndTheirPathsBelow) {
    SessionLanesModel model;
    model.set_run(sample());
    EXPECT_EQ(model.rowCount(), static_cast<int>(sample()->sessions.size()));
    int paths = 0;
    for (int row = 0; row < model.rowCount(); ++row)
        paths += model.rowCount(model.index(row, 0));
    EXPECT_EQ(paths, static_cast<int>(sample()->paths.size()));
}

TEST(SessionLanesModel, SessionsThroughAConfirmedSuspectComeFirst) {
    SessionLanesModel model;
    model.set_run(sample());
    ASSERT_TRUE(model.index(0, 0).data(SessionLanesModel::SuspectRole).toBool());
    bool others = false;
    for (int row = 0; row < model.rowCount(); ++row) {
        const bool crosses = model.index(row, 0).data(SessionLanesModel::SuspectRole).toBool();
        EXPECT_FALSE(crosses && others) << row;
        others = others || !crosses;
    }
}

TEST(SessionLanesModel, OrdersByLoss) {
    SessionLanesModel model;
    model.set_run(sample());
    model.set_order(LaneOrder::MostLost);
    const auto lost = [&](int row) {
        return sample()->sessions[static_cast<std::size_t>(model.session_at(row))].total.lost;
    };
    for (int row = 1; row < model.rowCount(); ++row)
        EXPECT_GE(lost(row - 1), lost(row));
}

TEST(SessionLanesModel, FiltersByPartOfTheName) {
    SessionLanesModel model;
    model.set_run(sample());
    model.set_filter("HOST-1-0-0 >");
    ASSERT_GT(model.rowCount(), 0);
    for (int row = 0; row < model.rowCount(); ++row)
        EXPECT_TRUE(model.index(row, 0).data().toString().startsWith("host-1-0-0 >"));
    const int hidden = 0;
    EXPECT_EQ(model.row_of_session(hidden), -1);
    model.set_filter("nobody");
    EXPECT_EQ(model.rowCount(), 0);
}

TEST(SessionLanesModel, SaysWhatAPathSentAndLost) {
    SmallRun small;
    SessionLanesModel model;
    model.set_run(small.path(3).record(3, 20 * ms, 2000, 1980).load());
    const auto session = model.index(0, 0);
    EXPECT_EQ(session.data().toString(), "host-a > host-b");
    EXPECT_EQ(model.index(0, SessionLanesModel::NameColumn, session).data().toString(), "path 3");
    EXPECT_EQ(model.index(0, SessionLanesModel::StateColumn, session).data().toString(), "tail unsettled");
    EXPECT_EQ(model.index(0, SessionLanesModel::SentColumn, session).data().toString(), "2,000");
    EXPECT_EQ(model.index(0, SessionLanesModel::LostColumn, session).data().toString(), "20");
    EXPECT_EQ(model.index(0, SessionLanesModel::RateColumn, session).data().toString(), "1%");
}

TEST(SessionLanesModel, NothingSentIsNotMeasured) {
    SmallRun small;
    SessionLanesModel model;
    model.set_run(small.load());
    EXPECT_EQ(model.index(0, SessionLanesModel::RateColumn).data().toString(), "not measured");
}

}  // namespace
}  // namespace dyetrace::viewer
