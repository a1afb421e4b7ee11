// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/health_judge.h"

#include <array>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::health {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr IpAddress kAcceptor = Ipv4Address{0x0a000001};
constexpr Duration kReport = Duration::milliseconds(100);

/// A judge and one session whose reports come each 100 ms.
/// Of a fabric where a queue of 150 kB holds 120 us.
DetectorConfig at_ten_gigabits() {
    DetectorConfig config;
    config.queue_least = Duration::microseconds(5);
    config.queue_most = Duration::microseconds(60);
    return config;
}

class Watched {
  public:
    explicit Watched(const DetectorConfig& config = {}) : judge(config) { judge.enter(session, kAcceptor); }

    /// Reports of `sent` packets, of which 20 are tracked and 10 us above the clocks' difference.
    MetricsWindow window(std::uint64_t sent, std::uint64_t lost) const {
        MetricsWindow w;
        w.start = now;
        w.end = now + kReport;
        w.sent = sent;
        w.lost = lost;
        w.tracked_received = w.delay_count = 20;
        w.delay_sum = (clocks + Duration::microseconds(10)) * 20;
        w.delay_min = clocks + Duration::microseconds(10);
        w.route_links = 6;
        return w;
    }
    bool report(const MetricsWindow& w, std::size_t path = 0) {
        now = now + kReport;
        const bool changed = judge.add(session, paths[path], w, now);
        changes += changed ? 1 : 0;
        return changed;
    }
    void reports(int n, std::uint64_t sent, std::uint64_t lost) {
        for (int i = 0; i < n; ++i)
            report(window(sent, lost));
    }
    void report_like(int n, const std::function<void(MetricsWindow&)>& change) {
        for (int i = 0; i < n; ++i) {
            MetricsWindow w = window(400, 0);
            change(w);
            report(w);
        }
    }
    void expect(Health health, Metric metric) const {
        EXPECT_EQ(to_string(session.health()), to_string(health)) << session.reason();
        EXPECT_EQ(to_string(session.metric()), to_string(metric)) << session.reason();
    }

    Time now{};
    Duration clocks = Duration::seconds(-3);
    HealthJudge judge;
    SessionDetector session;
    std::array<PathDetector, 8> paths{};
    int changes = 0;
};

void unsampled(MetricsWindow& w) {
    w.tracked_received = w.delay_count = 0;
    w.delay_sum = {};
}
/// Mean delay so much above the floor, with a queue's jitter or another's.
void delay(MetricsWindow& w, Duration above, Duration jitter) {
    w.delay_sum = w.delay_sum + above * w.delay_count;
    w.jitter = jitter;
}

TEST(HealthJudge, EnoughPacketsWithoutLossAreHealth) {
    Watched watched;
    watched.reports(11, 400, 0);
    watched.expect(Health::NotMeasured, Metric::None);
    watched.reports(1, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
    EXPECT_EQ(watched.session.sample(), 4800U);
    EXPECT_EQ(watched.session.hits(), 0U);
    EXPECT_NEAR(watched.session.confidence(), 0.99, 1e-4);
    EXPECT_EQ(watched.session.reason(), "lost 0 of 4800 packets (0%), 4.6 nats for health above 4.6");
    EXPECT_EQ(watched.changes, 1);
}

TEST(HealthJudge, SteadyLossOfOnePercentIsFoundInTheSecondReport) {
    Watched watched;
    watched.reports(50, 400, 0);
    watched.reports(1, 400, 4);
    watched.expect(Health::Healthy, Metric::Loss);
    watched.reports(1, 400, 4);
    watched.expect(Health::Degraded, Metric::Loss);
    EXPECT_EQ(watched.session.sample(), 800U);
    EXPECT_EQ(watched.session.hits(), 8U);
    EXPECT_GE(watched.session.statistic(), watched.session.threshold());
    EXPECT_GE(watched.session.confidence(), 1 - 1e-6);
    EXPECT_THAT(watched.session.reason(), StartsWith("lost 8 of 800 packets (1%), e-value 10^"));
    EXPECT_THAT(watched.session.reason(), HasSubstr("above 10^6.0"));
    EXPECT_EQ(watched.judge.faulty(), 1U);
}

TEST(HealthJudge, OnePathOfEightIsEnough) {
    Watched watched;
    for (int round = 0; round < 30; ++round) {
        for (std::size_t path = 0; path < 8; ++path)
            watched.report(watched.window(100, 0), path);
    }
    int packets = 0;
    while (!watched.session.is_faulty() && packets < 3000) {
        for (std::size_t path = 0; path < 8; ++path)
            watched.report(watched.window(100, path == 3 ? 1 : 0), path);
        packets += 100;
    }
    EXPECT_LE(packets, 400);
    EXPECT_LE(watched.session.sample(), 400U) << "of that path alone";
}

TEST(HealthJudge, WindowsOfWhichNothingIsKnownAskForMore) {
    Watched watched;
    int reports = 0;
    while (!watched.session.is_faulty() && reports < 20) {
        MetricsWindow w = watched.window(400, 4);
        unsampled(w);
        watched.report(w);
        ++reports;
    }
    EXPECT_GE(reports, 3);
    EXPECT_LE(reports, 5);
}

TEST(HealthJudge, OneBurstIsNoFault) {
    Watched watched;
    watched.reports(20, 400, 0);
    watched.reports(1, 400, 200);
    watched.expect(Health::Healthy, Metric::Loss);
    watched.reports(50, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
    EXPECT_EQ(watched.judge.faulty(), 0U);
}

TEST(HealthJudge, BurstsInAllPathsOfOneReportAreOne) {
    Watched watched;
    watched.reports(20, 400, 0);
    for (std::size_t path = 0; path < 8; ++path)  // one update: the same time
        watched.judge.add(watched.session, watched.paths[path], watched.window(100, 5), watched.now);
    EXPECT_FALSE(watched.session.is_faulty());
}

TEST(HealthJudge, LossInLongQueuesIsNoFault) {
    Watched watched;
    watched.reports(20, 400, 0);
    for (int i = 0; i < 40; ++i) {
        MetricsWindow w = watched.window(400, i % 2 == 0 ? 30 : 0);
        if (i % 2 == 0) delay(w, Duration::microseconds(100), Duration::microseconds(50));
        watched.report(w);
        EXPECT_FALSE(watched.session.is_faulty()) << watched.session.reason();
    }
}

TEST(HealthJudge, LossWithMarksIsNoFault) {
    Watched watched(at_ten_gigabits());
    watched.reports(20, 400, 0);
    for (int i = 0; i < 40; ++i) {
        MetricsWindow w = watched.window(400, 30);
        w.ce = 5;
        delay(w, Duration::microseconds(100), Duration::microseconds(50));
        watched.report(w);
        EXPECT_FALSE(watched.session.is_faulty()) << watched.session.reason();
    }
}

TEST(HealthJudge, WhatOthersToTheSameAcceptorLoseInLongQueuesIsNoFaultOfOnesOwn) {
    Watched watched;
    watched.reports(20, 400, 0);
    std::array<SessionDetector, 12> others;
    std::array<PathDetector, 12> their_paths;
    for (SessionDetector& other : others)
        watched.judge.enter(other, kAcceptor);
    for (int round = 0; round < 30; ++round) {
        MetricsWindow w = watched.window(17, 8);
        for (std::size_t i = 0; i < others.size(); ++i) {
            MetricsWindow seen = w;
            if (round == 0) seen.lost = 0;
            if (round > 0) delay(seen, Duration::microseconds(100), Duration::microseconds(50));
            watched.judge.add(others[i], their_paths[i], seen, watched.now + kReport);
        }
        unsampled(w);
        watched.report(w);
        EXPECT_FALSE(watched.session.is_faulty()) << watched.session.reason();
    }
}

TEST(HealthJudge, RecoversWhenLossStopsButNotBeforeHealthIsShown) {
    Watched watched;
    watched.reports(10, 400, 4);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(8, 400, 0);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(60, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
    EXPECT_EQ(watched.judge.faulty(), 0U);
    // And the next fault is found as fast as the first.
    watched.reports(2, 400, 4);
    watched.expect(Health::Degraded, Metric::Loss);
}

TEST(HealthJudge, StaysImpairedForTheHoldTime) {
    DetectorConfig config;
    config.hold = Duration::seconds(20);
    Watched watched(config);
    watched.reports(10, 400, 4);
    watched.reports(150, 400, 0);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(100, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, APathThatLostAndCarriesNothingAnyMoreIsForgottenInTime) {
    Watched watched;
    watched.reports(20, 400, 0);
    for (int i = 0; i < 5; ++i)
        watched.report(watched.window(400, 20), 3);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(30, 400, 0);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(30, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, APathThatIsGivenUpTakesItsEvidenceAlong) {
    Watched watched;
    watched.report(watched.window(400, 4), 1);
    watched.report(watched.window(400, 0), 2);
    watched.judge.forget(watched.session, watched.paths[1]);
    watched.paths[1] = {};
    watched.report(watched.window(400, 3), 1);
    EXPECT_FALSE(watched.session.is_faulty());
}

TEST(HealthJudge, APairThatLosesMostIsFailedAndRisesAgainInSteps) {
    Watched watched;
    watched.reports(20, 400, 0);
    watched.reports(12, 400, 360);
    watched.expect(Health::Failed, Metric::Loss);
    EXPECT_EQ(watched.judge.faulty(), 1U);
    watched.reports(30, 400, 4);
    watched.expect(Health::Degraded, Metric::Loss);
    watched.reports(100, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, SilenceIsNotHealth) {
    Watched watched;
    watched.reports(20, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
    EXPECT_FALSE(watched.judge.expire(watched.session, watched.now + Duration::milliseconds(4999)));
    EXPECT_TRUE(watched.judge.expire(watched.session, watched.now + Duration::seconds(5)));
    watched.expect(Health::NotMeasured, Metric::Silence);
    EXPECT_EQ(watched.session.confidence(), 0);
    EXPECT_EQ(watched.session.reason(), "no fresh window");
    EXPECT_FALSE(watched.judge.expire(watched.session, watched.now + Duration::seconds(6)));
    watched.reports(12, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, AFaultySessionThatFallsSilentIsNoLongerCounted) {
    Watched watched;
    watched.reports(5, 400, 8);
    EXPECT_EQ(watched.judge.faulty(), 1U);
    watched.judge.expire(watched.session, watched.now + Duration::seconds(10));
    EXPECT_EQ(watched.judge.faulty(), 0U);
    watched.reports(2, 400, 0);
    EXPECT_FALSE(watched.session.is_faulty()) << "its evidence was of another time";
}

TEST(HealthJudge, MoreReceivedThanSentIsNeverHealthy) {
    Watched watched;
    watched.report_like(30, [](MetricsWindow& w) { w.excess = true; });
    watched.expect(Health::Degraded, Metric::Excess);
    EXPECT_EQ(watched.session.reason(), "more packets were received than sent");
    watched.reports(100, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, FindsReordering) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(12, [](MetricsWindow& w) { w.late = 3; });
    watched.expect(Health::Degraded, Metric::Reordering);
    EXPECT_GE(watched.session.hits(), 3U);
    EXPECT_THAT(watched.session.reason(), HasSubstr("tracked packets came late"));
    watched.reports(40, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, FindsCorruption) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(6, [](MetricsWindow& w) { w.corrupted = 1; });
    watched.expect(Health::Degraded, Metric::Corruption);
}

TEST(HealthJudge, FindsDuplication) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(8, [](MetricsWindow& w) { w.duplicates = 2; });
    watched.expect(Health::Degraded, Metric::Duplication);
}

TEST(HealthJudge, FewLatePacketsAreNoEvidence) {
    Watched watched;
    for (int round = 0; round < 20; ++round) {
        watched.reports(40, 400, 0);
        watched.report_like(1, [](MetricsWindow& w) { w.late = 1; });
    }
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, FindsALongerWay) {
    Watched watched(at_ten_gigabits());
    watched.reports(30, 400, 0);
    watched.report_like(90, [](MetricsWindow& w) { delay(w, Duration::microseconds(200), {}); });
    watched.expect(Health::Degraded, Metric::Delay);
    watched.reports(60, 400, 0);
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, ALongQueueIsCongestionAndNoFault) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(
        12, [](MetricsWindow& w) { delay(w, Duration::microseconds(200), Duration::microseconds(80)); });
    watched.expect(Health::Degraded, Metric::Congestion);
    EXPECT_FALSE(watched.session.is_faulty());
    EXPECT_EQ(watched.judge.faulty(), 0U);
}

TEST(HealthJudge, MarksWithoutAQueueAreAFault) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(12, [](MetricsWindow& w) { w.ce = 6; });
    watched.expect(Health::Degraded, Metric::Marking);
    EXPECT_TRUE(watched.session.is_faulty());
}

TEST(HealthJudge, AFaultIsNamedBeforeCongestion) {
    Watched watched;
    watched.reports(30, 400, 0);
    watched.report_like(
        12, [](MetricsWindow& w) { delay(w, Duration::microseconds(200), Duration::microseconds(80)); });
    watched.report_like(12, [](MetricsWindow& w) {
        delay(w, Duration::microseconds(200), Duration::microseconds(80));
        w.corrupted = 1;
    });
    watched.expect(Health::Degraded, Metric::Corruption);
}

TEST(HealthJudge, ClocksThatDriftApartAreNoDelay) {
    for (const std::int64_t ppm : {-15, 15}) {
        Watched watched;
        for (int i = 0; i < 1200; ++i) {  // two minutes
            watched.clocks = watched.clocks + kReport * ppm / 1'000'000;
            watched.reports(1, 400, 0);
        }
        watched.expect(Health::Healthy, Metric::Loss);
        EXPECT_EQ(watched.changes, 1);
    }
}

TEST(HealthJudge, ManySessionsMayRiskLessEach) {
    DetectorConfig config;
    config.false_alarm = 1e-2;
    HealthJudge judge(config);
    std::vector<SessionDetector> sessions(1000);
    for (SessionDetector& session : sessions)
        judge.enter(session, kAcceptor);
    EXPECT_NEAR(judge.level(), 0.05 / 1000, 1e-12);
    for (SessionDetector& session : sessions)
        judge.forget(session);
    EXPECT_EQ(judge.sessions(), 0U);
    EXPECT_NEAR(judge.level(), 1e-2, 1e-12);
}

TEST(HealthJudge, DoesNotAlarmOnAHealthySessionForALongTime) {
    Watched watched;
    Random random(9);
    for (int i = 0; i < 20'000; ++i) {
        MetricsWindow w = watched.window(400, random.below(250) == 0 ? 1 : 0);  // 10^-5
        w.delay_sum.ns += static_cast<std::int64_t>(random.below(40'000));      // up to 2 us of queue
        w.jitter = Duration::microseconds(1);
        w.late = random.below(100) == 0 ? 1 : 0;
        watched.report(w, random.below(8));
        ASSERT_FALSE(watched.session.is_faulty()) << watched.session.reason();
    }
    watched.expect(Health::Healthy, Metric::Loss);
}

TEST(HealthJudge, MeanSampleIsWithinOneFifthOfWaldsAndOneWindow) {
    const DetectorConfig config;
    for (const double rate : {1e-3, 1e-2}) {
        Random random(13);
        double sum = 0;
        constexpr int kRuns = 60;
        constexpr std::uint64_t kPackets = 100;
        const auto losses = [&] {
            std::uint64_t lost = 0;
            for (std::uint64_t i = 0; i < kPackets; ++i)
                lost += random.uniform() < rate ? 1 : 0;
            return lost;
        };
        double level = 0;
        for (int run = 0; run < kRuns; ++run) {
            Watched watched;
            watched.reports(60, kPackets, 0);
            while (!watched.session.is_faulty()) {
                watched.report(watched.window(kPackets, losses()));
                sum += kPackets;
            }
            level = watched.judge.level();
        }
        const double limit = 1.2 * wald_sample(rate, config.baseline_rate, level, config.miss) + kPackets;
        EXPECT_LT(sum / kRuns, limit) << rate;
        EXPECT_GT(sum / kRuns, limit / 3) << rate;
    }
}

TEST(HealthJudge, LiesAboutCountsHarmNobody) {
    Watched watched;
    watched.reports(20, 400, 0);
    watched.report_like(20, [](MetricsWindow& w) {
        w.lost = w.sent + 1;
        w.late = w.duplicates = w.ce = UINT32_MAX;
        w.delay_sum = {INT64_MAX};
        w.delay_min = {INT64_MIN};
        w.start = {INT64_MIN};
        w.end = {INT64_MAX};
    });
    EXPECT_NE(watched.session.health(), Health::NotMeasured);
    watched.report_like(20, [](MetricsWindow& w) { w.sent = UINT64_MAX; });
    EXPECT_FALSE(watched.session.reason().empty());
}

TEST(HealthJudge, TheSameWindowsGiveTheSameStates) {
    const auto run = [] {
        Watched watched;
        Random random(21);
        std::string text;
        for (int i = 0; i < 500; ++i) {
            MetricsWindow w = watched.window(100, random.below(20) == 0 ? random.below(30) : 0);
            if (random.below(3) == 0) delay(w, Duration::microseconds(random.below(300)), {});
            if (watched.report(w, random.below(8))) text += watched.session.reason() + "\n";
        }
        return text;
    };
    EXPECT_EQ(run(), run());
    EXPECT_FALSE(run().empty());
}

}  // namespace
}  // namespace dyetrace::health
