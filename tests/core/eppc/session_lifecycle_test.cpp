// SPDX-License-Identifier: GPL-2.0-or-later
// A session from accept to its end, in order and otherwise.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/wire/session_messages.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::Role;
using session::State;
using wire::ControlType;

struct Lifecycle : ::testing::Test {
    Network net;

    void two_hosts(const Network::Configure& requester = {}, const Network::Configure& acceptor = {}) {
        net.add_host(requester);
        net.add_host(acceptor);
    }
    int requested(State state) { return net.host(0).entered(Role::Requester, state); }
    int accepted(State state) { return net.host(1).entered(Role::Acceptor, state); }
    void cut_both_ways() {
        net.line(0, 1).hook = net.line(1, 0).hook = lose_if([](const Transit&) { return true; });
    }
};

TEST_F(Lifecycle, HandshakeTagsMarkersReportAndClose) {
    two_hosts();
    net.send_many(0, 1, 1000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(60));
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(requested(State::Closed), 1);
    EXPECT_EQ(accepted(State::Active), 1);
    EXPECT_EQ(accepted(State::Closed), 1);
    EXPECT_EQ(net.host(1).delivered.size(), 1000U);
    std::uint64_t tagged = 0;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->received, truth.sent);
        EXPECT_EQ(record->tracked_sent, truth.tagged_sent);
        EXPECT_EQ(record->tracked_received, truth.tagged_sent);
        EXPECT_EQ(record->flags, 0);
        tagged += truth.tagged_sent;
    }
    EXPECT_GT(tagged, 200U);
    for (const std::size_t host : {0U, 1U})
        EXPECT_EQ(net.engine(host).drops().total(), 0U);
}

TEST_F(Lifecycle, GuestsGetTheirFramesUnchangedTaggedOrNot) {
    two_hosts([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(2); });
    std::vector<std::vector<std::uint8_t>> sent;
    for (int i = 0; i < 200; ++i) {
        net.at(Time{} + Duration::microseconds(100) * i, [this, i, &sent] {
            GuestPacket packet{net.host(0).guest_mac, net.host(1).guest_mac, net.host(0).guest_address,
                               net.host(1).guest_address};
            packet.payload = static_cast<std::size_t>(i) * 7 % 1400;
            sent.push_back(packet.frame());
            EXPECT_FALSE(net.send_frame(0, kGuestPort, sent.back()));
        });
    }
    net.run_for(Duration::milliseconds(30));
    EXPECT_EQ(net.host(1).delivered, sent);
    EXPECT_GT(net.engine(0).counters().tagged, 50U);
}

TEST_F(Lifecycle, APathThatFallsSilentIsEndedAndReportedAtOnce) {
    two_hosts([](auto& config) { config.report_interval = Duration::seconds(1); });
    net.send_many(0, 1, 100, Duration::microseconds(100), 1);
    net.run_for(Duration::milliseconds(35));  // 10 ms of data, 20 ms of silence
    const auto truths = path_truth(net, 0, 1);
    ASSERT_EQ(truths.size(), 1U);
    EXPECT_FALSE(truths[0].open);
    const auto record = net.host(0).newest(net.host(1).config.address, truths[0].session, truths[0].path);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->flags & wire::PathRecord::kFlagOpen, 0);
    EXPECT_EQ(record->sent, truths[0].sent);
}

TEST_F(Lifecycle, ReportsOfAnOpenIntervalKeepTheGrantedDistance) {
    two_hosts();  // 10 ms
    net.send_many(0, 1, 10'000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(200));
    std::vector<Time> reports;
    for (const Captured& packet : net.captured()) {
        if (packet.seen.is(ControlType::Report)) reports.push_back(packet.at);
    }
    ASSERT_GE(reports.size(), 18U);
    ASSERT_LE(reports.size(), 21U);
    for (std::size_t i = 1; i < reports.size(); ++i)
        EXPECT_GE(reports[i] - reports[i - 1], Duration::milliseconds(10));
}

TEST_F(Lifecycle, ClosingAnIdleSessionEndsInOrder) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(500));  // the path has long been ended
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(requested(State::Closed), 1);
    EXPECT_EQ(accepted(State::Closed), 1);
}

TEST_F(Lifecycle, ClosingWhileTheRequestIsOutLeavesNoHalfOpenSession) {
    two_hosts();
    net.line(1, 0).hook = lose_first(ControlType::Accept, 100);
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    EXPECT_EQ(accepted(State::Active), 1);
    ASSERT_TRUE(net.close_all());
    EXPECT_EQ(requested(State::Closed), 1);
    EXPECT_EQ(accepted(State::Expired), 1);
    EXPECT_EQ(net.host(1).changes.back().reason, "never confirmed");
    EXPECT_EQ(net.host(1).changes.back().at, Time{} + Duration::seconds(3) + Duration::microseconds(30));
}

TEST_F(Lifecycle, ClosingAmidTrafficFlushesTheLastMetrics) {
    two_hosts([](auto& config) { config.report_interval = Duration::seconds(1); });
    net.line(0, 1).hook = lose_if([](const Transit& transit) {
        return transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 5 == 0;
    });
    net.send_many(0, 1, 5000, Duration::microseconds(10));
    net.run_for(Duration::milliseconds(20));
    ASSERT_TRUE(net.close_all());
    std::uint64_t lost = 0;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent - record->received, truth.lost);
        lost += truth.lost;
    }
    EXPECT_GT(lost, 100U);
}

TEST_F(Lifecycle, ManyPathsAreAllFlushedThoughTheyFillSeveralReports) {
    two_hosts([](auto& config) { config.path_count = 200; });
    net.send_many(0, 1, 4000, Duration::microseconds(5), 2000);
    net.run_for(Duration::milliseconds(15));
    ASSERT_TRUE(net.close_all());
    const auto truths = path_truth(net, 0, 1);
    EXPECT_GT(truths.size(), 190U);
    for (const PathTruth& truth : truths) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record) << truth.path.value;
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->flags, 0);
    }
}

TEST_F(Lifecycle, TheDurationEndsASessionAndTrafficOpensTheNext) {
    two_hosts([](auto& config) { config.session_duration = Duration::milliseconds(50); });
    net.send_many(0, 1, 2500, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(125));
    EXPECT_EQ(requested(State::Active), 3);
    EXPECT_EQ(requested(State::Closed), 2);
    EXPECT_EQ(accepted(State::Closed), 2);
    ASSERT_TRUE(net.close_all());
    const auto truths = path_truth(net, 0, 1);
    for (const PathTruth& truth : truths) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->sent, record->received);
    }
}

TEST_F(Lifecycle, KeepAlivesHoldAQuietSession) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::seconds(30));
    EXPECT_EQ(requested(State::Active), 1);
    EXPECT_EQ(requested(State::PeerLost), 0);
    EXPECT_EQ(accepted(State::PeerLost), 0);
    EXPECT_EQ(net.engine(0).sessions().size(), 1U);
}

TEST_F(Lifecycle, BothEndsNoticeACutByThemselves) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(100));
    cut_both_ways();
    net.run_for(Duration::seconds(5));
    EXPECT_EQ(requested(State::PeerLost), 1);
    EXPECT_EQ(accepted(State::PeerLost), 1);
    EXPECT_TRUE(net.engine(0).sessions().empty());
    EXPECT_TRUE(net.engine(1).sessions().empty());
    EXPECT_EQ(net.engine(0).next_deadline(), Time::never());
    EXPECT_EQ(net.engine(1).next_deadline(), Time::never());
}

TEST_F(Lifecycle, ASilentAcceptorIsLostWhenMarkersStayUnanswered) {
    two_hosts([](auto& config) { config.retransmit_most = 5; });
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(1));
    net.host(1).up = false;
    net.send_many(0, 1, 10, Duration::milliseconds(1), 1);
    net.run_for(Duration::seconds(1));
    EXPECT_EQ(requested(State::PeerLost), 1);
    EXPECT_EQ(net.host(0).changes.back().reason, "marker unanswered");
}

TEST_F(Lifecycle, ACloseNobodyAnswersEndsAsALostPeer) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(100));
    net.host(1).up = false;
    net.engine(0).close_sessions(net.clock_of(0));
    net.settle(0);
    net.run_for(Duration::seconds(10));
    EXPECT_EQ(requested(State::PeerLost), 1);
    EXPECT_FALSE(net.engine(0).is_draining());
}

TEST_F(Lifecycle, ARequesterThatVanishesLeavesNothingAtTheAcceptor) {
    two_hosts();
    net.send_many(0, 1, 200, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(5));
    net.host(0).up = false;
    net.run_for(Duration::seconds(5));
    EXPECT_EQ(accepted(State::PeerLost), 1);
    EXPECT_TRUE(net.engine(1).sessions().empty());
    EXPECT_EQ(net.engine(1).next_deadline(), Time::never());
}

TEST_F(Lifecycle, ARestartedRequesterMeasuresAgainWithACleanCount) {
    two_hosts();
    net.send_many(0, 1, 500, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(10));
    net.restart(0);
    net.run_for(Duration::seconds(10));
    ASSERT_TRUE(net.close_all());
    const auto truths = path_truth(net, 0, 1);
    const std::uint32_t second = truths.back().session.value;
    int compared = 0;
    for (const PathTruth& truth : truths) {
        if (truth.session.value != second) continue;
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, truth.sent);
        EXPECT_EQ(record->received, truth.sent);
        EXPECT_EQ(record->flags, 0);
        ++compared;
    }
    EXPECT_EQ(compared, 4);
    EXPECT_EQ(accepted(State::PeerLost), 1);  // the session of the boot before
    EXPECT_EQ(accepted(State::Closed), 1);
}

TEST_F(Lifecycle, ARestartedAcceptorIsNoticedAndAskedAgain) {
    two_hosts();
    net.send_many(0, 1, 20'000, Duration::microseconds(500));
    net.run_for(Duration::milliseconds(100));
    net.restart(1);
    net.run_for(Duration::seconds(8));
    EXPECT_EQ(requested(State::PeerLost), 1);
    EXPECT_EQ(requested(State::Active), 2);
    EXPECT_GT(net.engine(1).drops().count(wire::DropReason::TrackUnknownSession), 0U);
    EXPECT_GT(net.engine(1).drops().count(wire::DropReason::ControlWrongBoot), 0U);
    EXPECT_EQ(net.engine(1).drops().count(wire::DropReason::TrackBadTag), 0U);
    net.keep_capture = false;
    EXPECT_TRUE(net.close_all(Duration::seconds(20)));
}

TEST_F(Lifecycle, ClosedForGoodMeansNoNewSession) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(10));
    ASSERT_TRUE(net.close_all());
    net.send_many(0, 1, 10, Duration::milliseconds(1));
    net.run_for(Duration::milliseconds(50));
    EXPECT_EQ(requested(State::Requested), 1);
    EXPECT_EQ(net.host(1).delivered.size(), 11U);
}

TEST_F(Lifecycle, SamplingIsExactOverASession) {
    two_hosts([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(10); });
    net.send_many(0, 1, 4000, Duration::microseconds(10));
    net.run_for(Duration::milliseconds(41));
    const auto views = net.engine(0).sessions();
    ASSERT_EQ(views.size(), 1U);
    EXPECT_GT(views[0].offered, 3900U);
    EXPECT_LE(views[0].tagged, views[0].offered / 10 + 1);
    EXPECT_GE(views[0].tagged, views[0].offered / 10);
    EXPECT_EQ(views[0].tagged, net.engine(0).counters().tagged);
    EXPECT_EQ(views[0].tagged, net.engine(1).counters().tracked_received);
}

TEST_F(Lifecycle, RawDelayIsTheDifferenceOfTheClocks) {
    two_hosts();
    net.host(1).clock.offset = Duration::milliseconds(-7);
    net.line(0, 1).delay = Duration::microseconds(123);
    net.send_many(0, 1, 200, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(100));
    int measured = 0;
    for (const auto& [peer, session, record, at] : net.host(0).metrics) {
        if (record.delay_count == 0) continue;
        ++measured;
        EXPECT_EQ(record.delay_ns_min, 123'000 - 7'000'000);
        EXPECT_EQ(record.delay_ns_max, 123'000 - 7'000'000);
        EXPECT_EQ(record.delay_ns_sum, record.delay_count * (123'000 - std::int64_t{7'000'000}));
    }
    EXPECT_GT(measured, 0);
}

TEST_F(Lifecycle, UntaggedCopiesShowAsExcess) {
    // A rate that shares no factor with the number of flows, so that each path has packets of both kinds.
    two_hosts([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(3); });
    net.line(0, 1).hook = [](Transit& transit) {
        const bool untagged = transit.seen.kind == SeenPacket::Kind::Data && !transit.seen.track;
        return Fate{untagged ? 2 : 1, {}};
    };
    net.send_many(0, 1, 500, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(30));
    ASSERT_TRUE(net.close_all());
    for (const auto& metrics : net.host(0).metrics) {
        if (metrics.record.sent > 10) {
            EXPECT_NE(metrics.record.flags & wire::PathRecord::kFlagExcess, 0);
        }
    }
    EXPECT_GT(net.host(0).metrics.back().record.received, net.host(0).metrics.back().record.sent);
}

TEST_F(Lifecycle, TaggedCopiesAreCountedApartAndChangeNoLoss) {
    two_hosts();
    net.line(0, 1).hook = [](Transit& transit) { return Fate{transit.seen.track ? 3 : 1, {}}; };
    net.send_many(0, 1, 2000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(60));
    ASSERT_TRUE(net.close_all());
    std::uint64_t duplicates = 0;
    for (const PathTruth& truth : path_truth(net, 0, 1)) {
        const auto record = net.host(0).newest(net.host(1).config.address, truth.session, truth.path);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->sent, record->received);
        EXPECT_EQ(record->duplicates, 2 * record->tracked_received);
        EXPECT_EQ(record->flags, 0);
        duplicates += record->duplicates;
    }
    EXPECT_GT(duplicates, 500U);
}

}  // namespace
}  // namespace dyetrace::test
