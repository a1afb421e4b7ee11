// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/explain.h"

#include <gtest/gtest.h>

#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::link_named;
using testing::ms;
using testing::SmallRun;

TEST(Explain, SaysWhyALinkIsRed) {
    SmallRun small;
    small.fault(10 * ms).path(0).path(1).record(0, 20 * ms, 1000, 990).record(1, 30 * ms, 1000, 1000);
    const auto incident = small.incident(25 * ms);
    small.suspect(incident, 30 * ms, 12.5).step(incident, 30 * ms, "confirmed");
    const auto run = small.load();
    const auto state = fabric_state(*run, 50 * ms, 50 * ms);
    const QString text = explain_link(*run, state, link_named(*run, "s1 > s2"), true);
    EXPECT_TRUE(text.contains("s1 &gt; s2")) << text.toStdString();
    EXPECT_TRUE(text.contains("0.5%: 10 of 2,000 packets")) << text.toStdString();
    EXPECT_TRUE(text.contains("0.000 to 0.050 s")) << text.toStdString();
    EXPECT_TRUE(text.contains("2 of its 2 learned paths")) << text.toStdString();
    EXPECT_TRUE(text.contains("host-a &gt; host-b, path 0: 10 of 1,000")) << text.toStdString();
    EXPECT_TRUE(text.contains("Suspect 1</b>, confirmed, log-odds 12.5")) << text.toStdString();
    EXPECT_TRUE(text.contains("Truth</b>: silent-drop of 1%")) << text.toStdString();
}

TEST(Explain, KeepsTruthToItselfWhereItIsHidden) {
    SmallRun small;
    const auto run = small.fault(10 * ms).load();
    const auto state = fabric_state(*run, 50 * ms, 50 * ms);
    EXPECT_FALSE(explain_link(*run, state, link_named(*run, "s1 > s2"), false).contains("Truth"));
}

TEST(Explain, ALaneSaysWhatWasMeasuredThereAndWhichWayItWent) {
    SmallRun small;
    const auto run = small.path(0).record(0, 20 * ms, 1000, 990).record(0, 40 * ms, 2000, 1990).load();
    const QString text = explain_lane(*run, 0, -1, 15 * ms, 0);
    EXPECT_TRUE(text.contains("active")) << text.toStdString();
    EXPECT_TRUE(text.contains("1%: 10 of 1,000 packets")) << text.toStdString();
    EXPECT_TRUE(text.contains("host-a &gt; s1 &gt; s2 &gt; host-b")) << text.toStdString();
    EXPECT_TRUE(explain_lane(*run, 0, -1, 500 * ms, 0).contains("No packets measured here"));
    EXPECT_TRUE(explain_lane(*run, 0, -1, 1 * ms, 0).contains("not requested yet"));
}

TEST(Explain, AFewPacketsAreTooFewToTell) {
    EXPECT_EQ(loss_text({5, 1}), "1 of 5 packets (too few to tell)");
    EXPECT_EQ(loss_text({0, 0}), "not measured");
    EXPECT_EQ(loss_text({100, -2}), "2 more received than sent of 100 packets");
}

}  // namespace
}  // namespace dyetrace::viewer
