// SPDX-License-Identifier: GPL-2.0-or-later
// Health updates: at least once, newest totals first of all, bounded.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

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
    net.send_many(0, 1, 100'000, Duration::microseconds(50));
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
    net.send_many(0, 1, 10'000, Duration::microseconds(100), 5000);
    net.run_for(Duration::milliseconds(1500));
    // Three records an update: the first flush, after one second, fills a window of 64 and goes on.
    EXPECT_GT(net.engine(0).counters().updates_sent, 200U);
    net.run_for(Duration::milliseconds(1500));
    expect_newest_arrived();
}

TEST_F(Updates, TotalsThatWaitAreReplacedByNewerOnes) {
    two_hosts([](auto& config) { config.bounds.update_entries = 16; });
    nhms.up = false;
    net.send_many(0, 1, 100'000, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(2000));
    EXPECT_EQ(net.engine(0).counters().updates_sent, 1U);
    EXPECT_EQ(net.engine(0).counters().update_entries_dropped, 0U);  // 4 paths need 4 of the 16 places
    nhms.up = true;
    net.run_for(Duration::milliseconds(1500));
    expect_newest_arrived();
}

TEST_F(Updates, BeyondTheirBoundAreCounted) {
    two_hosts([](auto& config) {
        config.bounds.update_entries = 3;
        config.update_interval = Duration::seconds(1);
        config.path_count = 16;
    });
    net.send_many(0, 1, 2000, Duration::microseconds(20), 200);
    net.run_for(Duration::milliseconds(100));
    EXPECT_GT(net.engine(0).counters().update_entries_dropped, 0U);
    net.run_for(Duration::seconds(2));
    EXPECT_EQ(net.engine(0).counters().updates_sent, net.engine(0).counters().updates_acked);
}

TEST_F(Updates, ARepeatedAcknowledgementIsCountedOnce) {
    two_hosts();
    nhms.repeat_answers = 3;
    net.send_many(0, 1, 200, Duration::microseconds(50));
    net.run_for(Duration::milliseconds(100));
    EXPECT_GT(net.engine(0).counters().updates_acked, 0U);
    EXPECT_EQ(net.engine(0).counters().updates_acked, net.engine(0).counters().updates_sent);
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
