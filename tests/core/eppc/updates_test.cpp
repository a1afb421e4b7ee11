// SPDX-License-Identifier: GPL-2.0-or-later
// Health updates: at least once, newest totals first of all, bounded.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/eppc/update_sender.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using session::State;
using wire::DropReason;

struct Updates : ::testing::Test {
    Network net;
    FakeNhms nhms{net};

    void two_hosts(const Network::Configure& more = {}) {
        net.add_host([&](eppc::EppcConfig& config) {
            config.nhms = FakeNhms::kEndpoint;
            config.update_interval = Duration::milliseconds(10);
            if (more) more(config);
        });
        net.add_host();
    }
    void expect_newest_arrived() {
        std::map<std::uint16_t, wire::PathRecord> newest;
        for (const auto& metrics : net.host(0).metrics)
            newest[metrics.record.path.value] = metrics.record;
        ASSERT_FALSE(newest.empty());
        for (const auto& [path, record] : newest) {
            const auto told = nhms.newest_metrics(net.host(1).config.address, PathIndex{path});
            ASSERT_TRUE(told);
            EXPECT_EQ(told->record, record);
        }
    }
    std::vector<State> states() {
        std::vector<State> found;
        for (const auto& entry : nhms.entries) {
            if (const auto* session = std::get_if<wire::SessionEntry>(&entry))
                found.push_back(static_cast<State>(session->state));
        }
        return found;
    }
};

TEST_F(Updates, TellEveryStateAndTheNewestTotals) {
    two_hosts();
    net.send_many(0, 1, 2000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(150));
    ASSERT_TRUE(net.close_all());
    net.run_for(Duration::milliseconds(100));
    expect_newest_arrived();
    EXPECT_EQ(states(), (std::vector{State::Requested, State::Active, State::Closing, State::Closed}));
    EXPECT_EQ(nhms.malformed, 0U);
    EXPECT_EQ(net.engine(0).counters().updates_sent, net.engine(0).counters().updates_acked);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

TEST_F(Updates, TheLastStateSaysHowManyPacketsWereTagged) {
    two_hosts();
    net.send_many(0, 1, 2000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(150));
    ASSERT_TRUE(net.close_all());
    net.run_for(Duration::milliseconds(100));
    std::optional<wire::SessionEntry> last;
    for (const auto& entry : nhms.entries) {
        if (const auto* session = std::get_if<wire::SessionEntry>(&entry)) last = *session;
    }
    ASSERT_TRUE(last);
    EXPECT_EQ(static_cast<State>(last->state), State::Closed);
    EXPECT_EQ(last->sampling, net.host(0).config.sampling);
    EXPECT_EQ(last->tagged, net.engine(0).counters().tagged);
    EXPECT_GT(last->tagged, 0U);
    EXPECT_LE(last->offered, 2000U);
    // Every fourth, whichever was the first.
    EXPECT_GE(last->tagged, last->offered / 4);
    EXPECT_LE(last->tagged, last->offered / 4 + 1);
}

TEST_F(Updates, WithoutAHealthServiceNothingIsSent) {
    net.add_host();
    net.add_host();
    net.send_many(0, 1, 200, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(50));
    EXPECT_TRUE(nhms.numbers.empty());
    EXPECT_EQ(net.engine(0).counters().updates_sent, 0U);
}

TEST_F(Updates, TrafficToPeersThatThereIsNoRoomToMeasureIsTold) {
    two_hosts([](eppc::EppcConfig& config) {
        config.traffic_sessions = 1;
        config.choice_interval = Duration::milliseconds(50);
    });
    net.add_host();
    net.send_many(0, 1, 2000, Duration::microseconds(100));
    net.run_for(Duration::milliseconds(20));
    net.send_many(0, 2, 900, Duration::microseconds(200));
    net.run_for(Duration::milliseconds(150));
    std::vector<wire::TrafficEntry> told;
    for (const auto& entry : nhms.entries) {
        if (const auto* traffic = std::get_if<wire::TrafficEntry>(&entry)) told.push_back(*traffic);
    }
    ASSERT_GE(told.size(), 2U);
    for (const wire::TrafficEntry& traffic : told) {
        EXPECT_EQ(traffic.peer, net.host(2).config.address) << "host 1 is measured";
        EXPECT_NEAR(static_cast<double>(traffic.packets), 250, 50);
    }
}

TEST_F(Updates, AreNumberedWithoutGapsFromOne) {
    two_hosts();
    net.send_many(0, 1, 2000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(150));
    std::set<std::uint32_t> numbers(nhms.numbers.begin(), nhms.numbers.end());
    EXPECT_EQ(numbers.size(), nhms.numbers.size());
    EXPECT_EQ(*numbers.begin(), 1U);
    EXPECT_EQ(*numbers.rbegin(), numbers.size());
}

TEST_F(Updates, NothingIsLostInAnOutage) {
    two_hosts();
    nhms.up = false;
    net.send_many(0, 1, 40'000, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(1800));
    EXPECT_EQ(net.engine(0).counters().updates_acked, 0U);
    EXPECT_TRUE(net.engine(0).is_draining());
    nhms.up = true;
    net.run_for(Duration::milliseconds(1500));
    expect_newest_arrived();
    EXPECT_EQ(net.engine(0).counters().updates_sent, net.engine(0).counters().updates_acked);
    EXPECT_EQ(net.engine(0).counters().update_entries_dropped, 0U);
    EXPECT_EQ(states().size(), 2U);  // requested, active: each once
    std::set<std::uint32_t> numbers(nhms.numbers.begin(), nhms.numbers.end());
    EXPECT_EQ(*numbers.rbegin(), numbers.size());
}

TEST_F(Updates, ASilentServiceIsAskedByOneUpdateAtATime) {
    two_hosts();
    net.send_many(0, 1, 24'000, Duration::microseconds(50));  // until 1.2 s
    net.run_for(Duration::milliseconds(200));
    nhms.up = false;
    net.run_for(Duration::milliseconds(500));
    std::set<std::uint32_t> numbers;
    std::size_t transmissions = 0;
    for (const Captured& packet : net.captured()) {
        if (packet.from != 0 || !packet.seen.is(wire::ControlType::Update)) continue;
        if (packet.at <= Time{} + Duration::milliseconds(400)) continue;
        numbers.insert(packet.seen.control->message_number);
        ++transmissions;
    }
    EXPECT_EQ(numbers.size(), 1U);
    EXPECT_GE(transmissions, 1U);
    EXPECT_LE(transmissions, 3U);  // its waits have grown towards half a second
    nhms.up = true;
    net.run_for(Duration::milliseconds(700));
    expect_newest_arrived();
}

TEST_F(Updates, ABacklogNeedsNoIntervalOnceTheServiceAnswers) {
    two_hosts([](auto& config) {
        config.path_count = 1024;
        config.update_interval = Duration::seconds(1);
        config.report_interval = Duration::milliseconds(100);
        config.underlay_mtu = 576;
    });
    net.send_many(0, 1, 3000, Duration::microseconds(300), 3000);
    net.run_for(Duration::milliseconds(1500));
    // Three records an update: the first flush, after one second, fills a window of 64 and goes on.
    EXPECT_GT(net.engine(0).counters().updates_sent, 200U);
    net.run_for(Duration::milliseconds(1500));
    expect_newest_arrived();
}

TEST_F(Updates, TotalsThatWaitAreReplacedByNewerOnes) {
    two_hosts([](auto& config) { config.bounds.update_entries = 16; });
    nhms.up = false;
    net.send_many(0, 1, 10'000, Duration::microseconds(200));
    net.run_for(Duration::milliseconds(2000));
    EXPECT_EQ(net.engine(0).counters().updates_sent, 1U);
    EXPECT_EQ(net.engine(0).counters().update_entries_dropped, 0U);  // 4 paths need 4 of the 16 places
    nhms.up = true;
    net.run_for(Duration::milliseconds(1500));
    expect_newest_arrived();
}

/// An outage through sessions that come and go, from the first packet on, with that bound of entries.
struct Outage {
    Network net;
    FakeNhms nhms{net};
    std::size_t waited = 0;  ///< entries that waited at its end: (session, path)s that changed, and events

    explicit Outage(std::size_t bound) {
        net.add_host([&](eppc::EppcConfig& config) {
            config.nhms = FakeNhms::kEndpoint;
            config.update_interval = Duration::milliseconds(10);
            config.session_duration = Duration::milliseconds(40);
            config.bounds.update_entries = bound;
        });
        net.add_host();
        nhms.up = false;
        net.send_many(0, 1, 20'000, Duration::microseconds(50));
        net.run_for(Duration::milliseconds(1100));
        EXPECT_TRUE(close());
        count_waiting();
        nhms.up = true;
        net.run_for(Duration::milliseconds(1000));
    }
    bool close() {
        net.engine(0).close_sessions(net.clock_of(0));
        net.settle(0);
        net.run_for(Duration::milliseconds(100));
        return net.engine(0).sessions().empty();
    }
    void count_waiting() {
        std::set<std::pair<SessionId, PathIndex>> paths;
        for (const auto& metrics : net.host(0).metrics)
            paths.emplace(metrics.session, metrics.record.path);
        waited = paths.size() + net.host(0).changes.size();
        std::vector<wire::UpdateEntry> in_flight;
        for (const Captured& packet : net.captured()) {
            if (in_flight.empty() && packet.seen.is(wire::ControlType::Update)) {
                EXPECT_TRUE(wire::UpdateBody::parse(packet.seen.body, in_flight));
            }
        }
        for (const auto& entry : in_flight)
            waited -= std::holds_alternative<wire::MetricsEntry>(entry) ? 0 : 1;
    }
    /// Final totals of (session, path)s that never arrived.
    [[nodiscard]] std::size_t missing() const {
        std::map<std::pair<SessionId, PathIndex>, wire::PathRecord> last;
        for (const auto& metrics : const_cast<Network&>(net).host(0).metrics)
            last[{metrics.session, metrics.record.path}] = metrics.record;
        return static_cast<std::size_t>(std::count_if(last.begin(), last.end(), [&](const auto& one) {
            return std::none_of(nhms.entries.begin(), nhms.entries.end(), [&](const auto& entry) {
                const auto* metrics = std::get_if<wire::MetricsEntry>(&entry);
                return metrics != nullptr && metrics->session == one.first.first &&
                       metrics->record == one.second;
            });
        }));
    }
};

TEST(UpdatesInAnOutage, AllFinalTotalsArriveWhereTheBoundHoldsThem) {
    const std::size_t waited = Outage(100'000).waited;
    EXPECT_GT(waited, 100U);  // some twenty sessions of four paths and four states
    Outage enough(waited);
    EXPECT_EQ(enough.missing(), 0U);
    EXPECT_EQ(enough.net.engine(0).counters().update_entries_dropped, 0U);
    EXPECT_EQ(enough.net.engine(0).counters().updates_acked, enough.net.engine(0).counters().updates_sent);
}

TEST(UpdatesInAnOutage, OneBelowTheBoundLosesOneHealthyTotal) {
    Outage outage(Outage(100'000).waited - 1);
    EXPECT_EQ(outage.missing(), 1U);
    EXPECT_EQ(outage.net.engine(0).counters().updates_dropped_healthy, 1U);
    EXPECT_EQ(outage.net.engine(0).counters().update_entries_dropped, 1U);
}

TEST_F(Updates, TroubleIsToldWhereTheBoundDoesNotHoldAll) {
    two_hosts([](auto& config) {
        config.bounds.update_entries = 6;
        config.path_count = 16;
    });
    nhms.up = false;
    // Path 3 loses every tenth packet.
    net.line(0, 1).hook = lose_if([](const Transit& transit) {
        return transit.seen.source_port == 49152 + 3 && transit.seen.kind == SeenPacket::Kind::Data &&
               transit.ordinal % 10 == 0;
    });
    net.send_many(0, 1, 20'000, Duration::microseconds(20), 200);
    net.run_for(Duration::milliseconds(400));
    ASSERT_TRUE(net.engine(0).counters().updates_dropped_healthy > 0);
    EXPECT_EQ(net.engine(0).counters().updates_dropped_troubled, 0U);
    EXPECT_EQ(net.engine(0).counters().updates_dropped_sessions, 0U);
    net.engine(0).close_sessions(net.clock_of(0));
    net.settle(0);
    net.run_for(Duration::milliseconds(200));
    nhms.up = true;
    net.run_for(Duration::milliseconds(1000));
    const auto told = nhms.newest_metrics(net.host(1).config.address, PathIndex{3});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->record, net.host(0).newest(net.host(1).config.address, told->session, PathIndex{3}));
    EXPECT_LT(told->record.received, told->record.sent);
}

TEST_F(Updates, ARepeatedAcknowledgementIsCountedOnce) {
    two_hosts();
    nhms.repeat_answers = 3;
    net.send_many(0, 1, 200, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(100));
    EXPECT_GT(net.engine(0).counters().updates_acked, 0U);
    EXPECT_EQ(net.engine(0).counters().updates_acked, net.engine(0).counters().updates_sent);
}

TEST(UpdateSender, ALossWaitsForAPartOfTheIntervalOnly) {
    constexpr Duration kInterval = Duration::milliseconds(20);
    eppc::UpdateSender sender({kInterval, {Duration::milliseconds(5), Duration::milliseconds(40), 8}}, 1);
    std::vector<eppc::UpdateSender::Transmission> sent;
    Time now{};
    const auto add = [&] { (void)sender.add(wire::SessionEntry{}, false, now); };
    add();
    now = now + kInterval;
    sender.service(now, sent);
    ASSERT_EQ(sent.size(), 1U);
    sender.on_ack(sent[0].number, now);
    sender.hurry(now);
    EXPECT_EQ(sender.next_deadline(), Time::never());  // nothing waits
    add();
    EXPECT_EQ(sender.next_deadline(), now + kInterval);
    sender.hurry(now);
    EXPECT_EQ(sender.next_deadline(), now + kInterval / 4);
    now = now + kInterval / 2;
    sender.hurry(now);
    EXPECT_EQ(sender.next_deadline(), now - kInterval / 4);  // no later than it was
}

TEST_F(Updates, FitTheUnderlay) {
    two_hosts([](auto& config) {
        config.underlay_mtu = 576;
        config.path_count = 64;
    });
    net.send_many(0, 1, 2000, Duration::microseconds(20), 500);
    net.run_for(Duration::milliseconds(200));
    for (const Captured& packet : net.captured()) {
        if (packet.from == 0) {
            EXPECT_LE(packet.bytes.size(), 576U + 14);
        }
    }
    ASSERT_TRUE(net.close_all());
    net.run_for(Duration::milliseconds(100));
    expect_newest_arrived();
}

}  // namespace
}  // namespace dyetrace::test
