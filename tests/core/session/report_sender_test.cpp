// SPDX-License-Identifier: GPL-2.0-or-later
// What an acceptor still has to tell, over reports and acknowledgements that get lost, late and twice.
#include "core/session/report_sender.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/session/report_receiver.h"

namespace dyetrace::session {
namespace {

constexpr Duration kInterval = Duration::milliseconds(100);
const RetransmitPolicy kRetransmit{Duration::milliseconds(5), Duration::milliseconds(500), 12};

struct Sent {
    std::uint32_t number = 0;
    wire::ReportHeader header;
    std::vector<wire::PathRecord> records;

    [[nodiscard]] const wire::PathRecord* of(std::uint16_t path) const {
        const auto it = std::find_if(records.begin(), records.end(),
                                     [path](const auto& record) { return record.path.value == path; });
        return it == records.end() ? nullptr : &*it;
    }
};

/// A sender, and the totals that it tells of.
struct Totals {
    explicit Totals(std::size_t paths, std::size_t per_report = 16, Duration ride_wait = {})
        : records(paths), sender(paths, {kInterval, kRetransmit, per_report, ride_wait}, Time{}) {
        for (std::size_t i = 0; i < paths; ++i) {
            records[i].path = PathIndex{static_cast<std::uint16_t>(i)};
            records[i].intervals = 1;
        }
    }
    void count(std::uint16_t path, bool urgent = false) {
        ++records[path].sent;
        sender.note_change(PathIndex{path}, now,
                           urgent ? ReportSender::Haste::Now : ReportSender::Haste::None);
    }
    bool repath(std::uint16_t path) {
        wire::PathRecord& record = records[path];
        if (!sender.leave(PathIndex{path}, record, now)) return false;
        record.sent = 0;
        ++record.generation.value;
        sender.note_change(PathIndex{path}, now, ReportSender::Haste::None);
        return true;
    }
    std::vector<Sent> service() {
        std::vector<Sent> all;
        while (auto report = sender.prepare(now, [this](PathIndex path) { return records[path.value]; })) {
            Sent sent;
            sent.number = ++number;
            sent.header = wire::ReportBody::parse(report->body, sent.records).value();
            sender.note_sent(report->report, sent.number, now);
            all.push_back(std::move(sent));
        }
        return all;
    }
    std::optional<Sent> ride() {
        const auto ride = sender.take_ride(now);
        if (!ride) return std::nullopt;
        Sent sent;
        sent.number = ++number;
        sent.records = {ride->left != nullptr ? *ride->left : records[ride->path.value]};
        sender.note_sent(ride->report, sent.number, now);
        return sent;
    }
    std::vector<Sent> service_after(Duration wait) {
        now = now + wait;
        return service();
    }

    Time now{};
    std::uint32_t number = 0;
    std::vector<wire::PathRecord> records;
    ReportSender sender;
};

TEST(ReportSender, OneReportTellsOfAllThatChangedInAnInterval) {
    Totals totals(4);
    EXPECT_EQ(totals.sender.next_deadline(), Time::never());
    totals.count(1);
    totals.count(3);
    totals.count(3);
    EXPECT_EQ(totals.sender.next_deadline(), Time{} + kInterval);
    EXPECT_TRUE(totals.service().empty());
    const auto sent = totals.service_after(kInterval);
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent[0].records.size(), 2U);
    EXPECT_EQ(sent[0].of(3)->sent, 2U);
    EXPECT_FALSE(totals.sender.is_done());
    totals.sender.on_ack(sent[0].number, totals.now);
    EXPECT_TRUE(totals.sender.is_done());
    EXPECT_EQ(totals.sender.next_deadline(), Time::never());
}

TEST(ReportSender, ALossIsToldOnceAPartOfTheIntervalIsOver) {
    Totals totals(2);
    using Haste = ReportSender::Haste;
    (void)totals.service_after(kInterval);
    totals.count(0);
    totals.sender.on_ack(totals.service_after(kInterval).at(0).number, totals.now);
    totals.count(0);
    EXPECT_EQ(totals.sender.next_deadline(), totals.now + kInterval);
    totals.sender.note_change(PathIndex{0}, totals.now, Haste::Soon);
    EXPECT_EQ(totals.sender.next_deadline(), totals.now + kInterval / ReportSender::kSoonShare);
    EXPECT_EQ(totals.service_after(kInterval / ReportSender::kSoonShare).size(), 1U);
}

TEST(ReportSender, ARepeatCarriesFreshTotalsUnderANewNumber) {
    Totals totals(2);
    totals.count(0);
    const auto first = totals.service_after(kInterval);
    totals.count(0);
    const auto again = totals.service_after(kRetransmit.first);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_GT(again[0].number, first[0].number);
    EXPECT_EQ(again[0].of(0)->sent, 2U);
}

TEST(ReportSender, AnAnswerToTheFirstTransmissionVouchesOnlyForWhatThatOneTold) {
    Totals totals(2);
    totals.count(0);
    totals.count(1);
    const auto first = totals.service_after(kInterval);
    totals.count(0);
    totals.service_after(kRetransmit.first);
    totals.sender.on_ack(first[0].number, totals.now);
    EXPECT_EQ(totals.sender.in_flight_count(), 0U);
    EXPECT_FALSE(totals.sender.is_done());
    const auto more = totals.service_after(kInterval);
    ASSERT_EQ(more.size(), 1U);
    ASSERT_EQ(more[0].records.size(), 1U);
    EXPECT_EQ(more[0].of(0)->sent, 2U);
}

TEST(ReportSender, APathThatChangesWhileItsReportIsInFlightGoesIntoTheNextOneToo) {
    Totals totals(2);
    totals.count(0);
    totals.count(1);
    const auto first = totals.service_after(kInterval);
    totals.count(0);
    const auto second = totals.service_after(kInterval);
    // The first one is sent again for path 1, and the next one has gone out beside it.
    ASSERT_EQ(second.size(), 2U);
    EXPECT_EQ(totals.sender.in_flight_count(), 2U);
    totals.sender.on_ack(second.back().number, totals.now);
    totals.sender.on_ack(first[0].number, totals.now);
    EXPECT_TRUE(totals.sender.is_done());
}

TEST(ReportSender, ReportsInFlightAreBoundedAndTheRestFollowsTheAnswers) {
    Totals totals(40, 2);
    for (std::uint16_t i = 0; i < 40; ++i)
        totals.count(i);
    auto sent = totals.service_after(kInterval);
    EXPECT_EQ(sent.size(), ReportSender::kInFlightMost);
    EXPECT_GT(totals.sender.next_deadline(), totals.now);
    std::vector<bool> told(40);
    int rounds = 0;
    while (!sent.empty() && ++rounds < 100) {
        for (const auto& record : sent.front().records)
            told[record.path.value] = true;
        totals.sender.on_ack(sent.front().number, totals.now);
        sent.erase(sent.begin());
        for (auto& more : totals.service())
            sent.push_back(std::move(more));
    }
    EXPECT_TRUE(totals.sender.is_done());
    EXPECT_EQ(std::count(told.begin(), told.end(), true), 40);
    EXPECT_EQ(rounds, 20);
}

TEST(ReportSender, WhatAGenerationCameToIsToldAfterItsPathHasLeftIt) {
    Totals totals(1);
    totals.count(0);
    ASSERT_TRUE(totals.repath(0));
    const auto sent = totals.service_after(kInterval);
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent[0].records.size(), 2U);
    EXPECT_EQ(sent[0].records[0].sent, 1U);
    EXPECT_EQ(sent[0].records[1].generation, PathGeneration{1});
    // And again, for as long as it is not answered.
    const auto again = totals.service_after(kRetransmit.first);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].records.size(), 2U);
    totals.sender.on_ack(again[0].number, totals.now);
    EXPECT_TRUE(totals.sender.is_done());
}

TEST(ReportSender, AGenerationLeftWhileItsReportIsInFlightIsToldByThatReport) {
    Totals totals(1);
    totals.count(0);
    const auto first = totals.service_after(kInterval);
    ASSERT_TRUE(totals.repath(0));
    const auto again = totals.service_after(kRetransmit.first);
    ASSERT_EQ(again.size(), 1U);
    ASSERT_EQ(again[0].records.size(), 1U);
    EXPECT_EQ(again[0].records[0].generation, PathGeneration{0});
    totals.sender.on_ack(first[0].number, totals.now);
    const auto next = totals.service_after(kInterval);
    ASSERT_EQ(next.size(), 1U);
    ASSERT_EQ(next[0].records.size(), 1U);
    EXPECT_EQ(next[0].records[0].generation, PathGeneration{1});
}

TEST(ReportSender, GenerationsThatWereLeftAreBounded) {
    Totals totals(1);
    std::size_t left = 0;
    for (; left < 50; ++left) {
        totals.count(0);
        if (!totals.repath(0)) break;
    }
    EXPECT_EQ(left, ReportSender::kLeftMost);
}

TEST(ReportSender, IsUnansweredAfterTheWholeSpanAndNotBefore) {
    Totals totals(1);
    totals.count(0);
    totals.service_after(kInterval);
    const Time silent = totals.now + kRetransmit.span();
    int transmissions = 1;
    while (totals.sender.next_deadline() < silent) {
        totals.now = totals.sender.next_deadline();
        EXPECT_FALSE(totals.sender.is_unanswered(totals.now));
        transmissions += static_cast<int>(totals.service().size());
    }
    EXPECT_EQ(transmissions, kRetransmit.most);
    EXPECT_TRUE(totals.sender.is_unanswered(silent));
}

TEST(ReportSender, ARoundTripLongerThanTheIntervalIsNoSilence) {
    Totals totals(1);
    const Duration trip = kInterval * 3;
    std::multimap<Time, std::uint32_t> answers;
    const Time end = Time{} + Duration::seconds(20);
    while (totals.now < end) {
        totals.count(0);
        for (const Sent& sent : totals.service_after(Duration::milliseconds(1)))
            answers.emplace(totals.now + trip, sent.number);
        while (!answers.empty() && answers.begin()->first <= totals.now) {
            totals.sender.on_ack(answers.begin()->second, totals.now);
            answers.erase(answers.begin());
        }
        ASSERT_FALSE(totals.sender.is_unanswered(totals.now)) << totals.now.ns;
    }
}

TEST(ReportSender, TellsTheNewestDelayAndTheSmallestSinceTheReportBefore) {
    Totals totals(1);
    totals.count(0);
    auto sent = totals.service_after(kInterval);
    EXPECT_EQ(sent[0].header.flags & wire::ReportHeader::kFlagDelays, 0);
    for (const std::int64_t delay : {30, -20, 25})
        totals.sender.note_delay({100 + delay, delay});
    sent = totals.service_after(kRetransmit.first);
    EXPECT_NE(sent[0].header.flags & wire::ReportHeader::kFlagDelays, 0);
    EXPECT_EQ(sent[0].header.newest, (wire::DelaySample{125, 25}));
    EXPECT_EQ(sent[0].header.best, (wire::DelaySample{80, -20}));
    totals.sender.note_delay({200, 40});
    sent = totals.service_after(kRetransmit.first * 2);
    EXPECT_EQ(sent[0].header.best, (wire::DelaySample{200, 40}));
}

constexpr Duration kRideWait = Duration::milliseconds(1);

TEST(ReportSender, RecordsThatAreDueRideOneByOneAndNoReportFollows) {
    Totals totals(3, 16, kRideWait);
    totals.count(0);
    totals.count(2);
    EXPECT_EQ(totals.sender.rides_from(), Time{} + kInterval);
    EXPECT_EQ(totals.sender.next_deadline(), Time{} + kInterval + kRideWait);
    EXPECT_FALSE(totals.ride());
    EXPECT_TRUE(totals.service_after(kInterval).empty());
    const auto first = totals.ride();
    const auto second = totals.ride();
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(first->of(0));
    EXPECT_TRUE(second->of(2));
    EXPECT_FALSE(totals.ride());
    totals.sender.on_ack(second->number, totals.now);
    EXPECT_FALSE(totals.sender.is_done());
    totals.sender.on_ack(first->number, totals.now);
    EXPECT_TRUE(totals.sender.is_done());
    EXPECT_TRUE(totals.service_after(kInterval * 10).empty());
}

TEST(ReportSender, WhatFoundNoRideGoesInAReport) {
    Totals totals(2, 16, kRideWait);
    totals.count(0);
    totals.count(1);
    totals.now = totals.now + kInterval;
    ASSERT_TRUE(totals.ride());
    const auto sent = totals.service_after(kRideWait);
    ASSERT_EQ(sent.size(), 1U);
    ASSERT_EQ(sent[0].records.size(), 1U);
    EXPECT_TRUE(sent[0].of(1));
}

TEST(ReportSender, ARecordThatChangesBehindItsRideWaitsForTheNextInterval) {
    Totals totals(2, 16, kRideWait);
    totals.count(0);
    totals.count(1);
    totals.now = totals.now + kInterval;
    ASSERT_TRUE(totals.ride()->of(0));
    totals.count(0);
    ASSERT_TRUE(totals.ride()->of(1));
    EXPECT_FALSE(totals.ride());
    EXPECT_EQ(totals.sender.rides_from(), totals.now + kInterval);
}

TEST(ReportSender, ARideThatIsNotAnsweredIsRepeatedInAReportOfFreshTotals) {
    Totals totals(1, 16, kRideWait);
    totals.count(0);
    totals.now = totals.now + kInterval;
    ASSERT_TRUE(totals.ride());
    totals.count(0);
    const auto again = totals.service_after(kRetransmit.first);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].of(0)->sent, 2U);
}

TEST(ReportSender, NothingWaitsForARideBehindAnUrgentRecordOrAHurry) {
    for (const bool hurry : {false, true}) {
        Totals totals(2, 16, Duration::seconds(1));
        totals.count(0);
        totals.now = totals.now + kInterval;
        EXPECT_TRUE(totals.service().empty());
        totals.count(1, !hurry);
        if (hurry) totals.sender.hurry(totals.now);
        EXPECT_EQ(totals.sender.rides_from(), Time::never());
        const auto sent = totals.service();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(sent[0].records.size(), 2U);
    }
}

TEST(ReportSender, ManyRecordsDoNotWaitAndFewRideAtATime) {
    constexpr auto kMost = static_cast<std::uint16_t>(ReportSender::kRidesMost);
    Totals totals(kMost + 1, 16, kRideWait);
    for (std::uint16_t path = 0; path <= kMost; ++path)
        totals.count(path);
    EXPECT_EQ(totals.sender.rides_from(), Time::never());
    EXPECT_EQ(totals.sender.next_deadline(), Time{} + kInterval);
    auto sent = totals.service_after(kInterval);
    ASSERT_EQ(sent.size(), 1U);
    totals.sender.on_ack(sent[0].number, totals.now);
    for (std::uint16_t path = 0; path < kMost; ++path)
        totals.count(path);
    totals.now = totals.now + kInterval;
    for (std::uint16_t path = 0; path < kMost; ++path)
        EXPECT_TRUE(totals.ride());
    totals.count(kMost, true);  // finds room beside them
    EXPECT_EQ(totals.service_after(ReportSender::kUrgent).size(), 1U);
    totals.count(kMost);
    EXPECT_EQ(totals.sender.rides_from(), Time::never());  // until one of them is answered
}

TEST(ReportSender, EverySecondReportBringsDelaySamplesAndDoesNotRide) {
    Totals totals(1, 16, kRideWait);
    int rides = 0;
    int reports = 0;
    for (int interval = 0; interval < 10; ++interval) {
        totals.sender.note_delay({interval, 5});
        totals.count(0);
        const auto sent = totals.service_after(kInterval);
        for (const Sent& report : sent) {
            ++reports;
            totals.sender.on_ack(report.number, totals.now);
        }
        if (const auto ride = totals.ride()) {
            ++rides;
            totals.sender.on_ack(ride->number, totals.now);
        }
    }
    EXPECT_EQ(reports, 5);
    EXPECT_EQ(rides, 5);
}

/// Sender and receiver over a line that loses, doubles and delays, with paths that change and move.
TEST(ReportSender, InTheEndTheRequesterHasEveryRecordWhateverTheLineDoes) {
    int rides = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        const auto below = [&](std::uint64_t n) { return random.next() % n; };
        const std::size_t paths = 1 + below(8);
        const std::size_t per_report = 1 + below(4);
        Totals totals(paths, per_report, kRideWait * static_cast<std::int64_t>(seed % 8));
        ReportReceiver receiver(SessionId{1}, totals.records.size());
        const std::uint64_t calm = seed % 2 == 0 ? 1 : 20;  // where little is urgent more rides
        Outbox out;
        std::map<std::pair<std::uint16_t, std::uint8_t>, std::uint64_t> told;
        std::map<std::pair<std::uint16_t, std::uint8_t>, std::uint64_t> truth;
        std::multimap<Time, Sent> reports;
        std::multimap<Time, std::uint32_t> answers;
        for (int step = 0; step < 4000; ++step) {
            totals.now = totals.now + Duration::microseconds(500);
            const bool busy = step < 2000;
            const auto path = static_cast<std::uint16_t>(below(totals.records.size()));
            if (busy && below(4) == 0) totals.count(path, below(calm * 20) == 0);
            const auto& record = totals.records[path];
            truth[{path, record.generation.value}] = record.sent;
            if (busy && below(calm * 50) == 0) totals.repath(path);
            std::vector<Sent> all = totals.service();
            if (below(2) == 0) {
                if (auto ride = totals.ride()) {
                    all.push_back(std::move(*ride));
                    ++rides;
                }
            }
            for (const Sent& sent : all) {
                for (std::uint64_t copies = busy ? below(3) : 1; copies > 0; --copies)
                    reports.emplace(
                        totals.now + Duration::microseconds(static_cast<std::int64_t>(below(20'000))), sent);
            }
            for (; !reports.empty() && reports.begin()->first <= totals.now; reports.erase(reports.begin())) {
                const Sent& sent = reports.begin()->second;
                out.clear();
                receiver.on_report(sent.number, sent.header, sent.records, totals.now, out);
                for (const NewRecord& news : out.records) {
                    auto& was = told[{news.record.path.value, news.record.generation.value}];
                    EXPECT_GE(news.record.sent, was) << "totals went back, seed " << seed;
                    was = news.record.sent;
                }
                if (!busy || below(2) == 0)
                    answers.emplace(
                        totals.now + Duration::microseconds(static_cast<std::int64_t>(below(20'000))),
                        sent.number);
            }
            for (; !answers.empty() && answers.begin()->first <= totals.now; answers.erase(answers.begin()))
                totals.sender.on_ack(answers.begin()->second, totals.now);
        }
        EXPECT_TRUE(totals.sender.is_done()) << "seed " << seed;
        std::erase_if(truth, [](const auto& entry) { return entry.second == 0; });
        std::erase_if(told, [](const auto& entry) { return entry.second == 0; });
        EXPECT_EQ(told, truth) << "seed " << seed;
    }
    EXPECT_GT(rides, 500);
}

}  // namespace
}  // namespace dyetrace::session
