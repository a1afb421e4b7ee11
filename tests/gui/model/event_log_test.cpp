// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/event_log.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/gui/model/small_run.h"

namespace dyetrace::viewer {
namespace {

using testing::ms;
using testing::sample;
using testing::SmallRun;

std::vector<EventKind> kinds(const std::vector<RunEvent>& events) {
    std::vector<EventKind> found;
    for (const auto& event : events)
        found.push_back(event.kind);
    return found;
}

TEST(EventLog, TellsTheStoryInItsOrder) {
    SmallRun small;
    small.fault(50 * ms).path(0).record(0, 40 * ms, 100, 99).record(0, 80 * ms, 1000, 980);
    small.writer().add_detection({0, 90 * ms, "host-a > host-b", {}, "loss", "degraded", 9.5, 1000, 20, ""});
    const auto incident = small.incident(100 * ms);
    small.writer().add_directive({0, incident, 110 * ms, 0, "raise-sampling", "", 120 * ms});
    small.suspect(incident, 300 * ms, 20).step(incident, 300 * ms, "confirmed");
    auto row = store::IncidentRow{incident, 100 * ms, {}, "confirmed", "s1 > s2", ""};
    small.writer().update_incident(row);
    const auto events = events_of(*small.load());
    EXPECT_EQ(kinds(events),
              (std::vector<EventKind>{EventKind::TruthBegins, EventKind::FirstEvidence, EventKind::Detection,
                                      EventKind::Incident, EventKind::Directive, EventKind::Confirmed}));
    EXPECT_EQ(events[1].t_ns, 80 * ms);  // the loss at 40 ms was before the fault
    EXPECT_EQ(events[2].session, 0);
    EXPECT_NE(events[4].text.indexOf("1 of 1 acknowledged"), -1);
    EXPECT_NE(events[5].text.indexOf("s1 > s2"), -1);
}

TEST(EventLog, TheSameDirectiveToManyHostsIsOneEvent) {
    SmallRun small;
    const auto incident = small.incident(100 * ms);
    small.writer().add_directive({0, incident, 110 * ms, 0, "raise-sampling", "", 120 * ms});
    small.writer().add_directive({0, incident, 110 * ms, 3, "raise-sampling", "", {}});
    const auto events = events_of(*small.load());
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].text, "raise-sampling to 2 hosts for incident 1, 1 of 2 acknowledged");
}

TEST(EventLog, AFaultThatEndsIsTwoEvents) {
    SmallRun small;
    const auto events = events_of(*small.fault(100 * ms, 200 * ms).load());
    EXPECT_EQ(kinds(events), (std::vector<EventKind>{EventKind::TruthBegins, EventKind::TruthEnds}));
}

TEST(EventLog, OfTheSampleIsSortedAndStepsAreDistinct) {
    const auto events = events_of(*sample());
    EXPECT_TRUE(std::is_sorted(events.begin(), events.end(),
                               [](const auto& a, const auto& b) { return a.t_ns < b.t_ns; }));
    const auto moments = moments_of(events);
    EXPECT_EQ(std::adjacent_find(moments.begin(), moments.end(), std::greater_equal<>()), moments.end());
    EXPECT_NE(std::find(moments.begin(), moments.end(), dyetrace::testing::sample_fault_ns), moments.end());
    EXPECT_NE(std::find(moments.begin(), moments.end(), dyetrace::testing::sample_confirmed_ns),
              moments.end());
}

TEST(EventLog, SaysWhatHappenedLast) {
    SmallRun small;
    small.fault(50 * ms);
    small.incident(100 * ms);
    const auto events = events_of(*small.load());
    EXPECT_TRUE(last_event_text(events, 49 * ms, true).isEmpty());
    EXPECT_TRUE(last_event_text(events, 60 * ms, true).contains("silent-drop of 1%"));
    EXPECT_TRUE(last_event_text(events, 60 * ms, false).isEmpty());
    EXPECT_TRUE(last_event_text(events, 500 * ms, true).contains("incident 1: s1 > s2"));
}

}  // namespace
}  // namespace dyetrace::viewer
