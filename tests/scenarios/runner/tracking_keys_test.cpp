// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of [tracking], each by what it changes in a small run.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/store/run_reader.h"
#include "tests/scenarios/runner/program.h"

namespace dyetrace::runner {
namespace {

/// A run of 16 hosts, and its database while the object lives.
class SmallRun {
  public:
    explicit SmallRun(const std::vector<std::string>& settings) {
        std::vector<std::string> words{dyetrace(), "run", scenario("quiet.toml"), "-o", file()};
        for (const std::string& set : settings)
            words.insert(words.end(), {"--set", set});
        const Outcome outcome = run_program(words);
        EXPECT_EQ(outcome.exit, 0) << outcome.err;
        run_.emplace(file());
        for (const auto& counter : run_->counters())
            counters_[counter.name] += counter.value;
    }
    const store::RunReader* operator->() const { return &*run_; }
    /// Of all hosts together.
    std::uint64_t operator[](const std::string& counter) const {
        const auto found = counters_.find(counter);
        return found == counters_.end() ? 0 : found->second;
    }
    std::size_t active_sessions() const {
        const auto all = run_->sessions();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [](const auto& s) { return s.active_ns.has_value(); }));
    }

  private:
    std::string file() const { return folder_.file("run.db"); }

    TestFolder folder_;
    std::optional<store::RunReader> run_;
    std::map<std::string, std::uint64_t> counters_;
};

TEST(TrackingKeys, ReportsRideUnlessTheyDoNotWait) {
    const SmallRun riding({"tracking.report_interval=10ms", "tracking.ride_wait=5ms"});
    const SmallRun walking({"tracking.report_interval=10ms", "tracking.ride_wait=0s"});
    EXPECT_GT(riding["reports-ridden"], 0U);
    EXPECT_GT(riding["rides-received"], 0U);
    EXPECT_EQ(walking["reports-ridden"], 0U);
    EXPECT_GT(walking["reports-sent"], riding["reports-sent"]);
}

TEST(TrackingKeys, ABudgetTagsNoMoreThanItsTokens) {
    const SmallRun run(
        {"tracking.sampling=rate-budget", "tracking.sampling_budget=10", "tracking.sampling_burst=2"});
    EXPECT_GT(run["tagged"], 0U);
    // Two at once, and 10 a second for less than a second.
    EXPECT_LE(run["tagged"], run->sessions().size() * (2 + 10));
    EXPECT_EQ(run->sessions().at(0).sampling_kind, "rate-budget");
    EXPECT_GT(run["encapsulated"], 20 * run["tagged"]);
}

TEST(TrackingKeys, WithOneSeedTheSamePacketsAreTagged) {
    const std::vector<std::string> hash{"tracking.sampling=hash-consistent", "tracking.rate=0.05"};
    const auto with_seed = [&](const std::string& seed) {
        auto settings = hash;
        settings.push_back("tracking.sampling_seed=" + seed);
        return SmallRun(settings)["tagged"];
    };
    const std::uint64_t one = with_seed("1");
    EXPECT_GT(one, 0U);
    EXPECT_EQ(with_seed("1"), one);
    EXPECT_NE(with_seed("2"), one);
}

TEST(TrackingKeys, OnlyFilteredFlowsAreTagged) {
    const SmallRun all({"tracking.flow_filter=protocol=udp"});
    const SmallRun none({"tracking.flow_filter=protocol=tcp,destination_ports=1-1023"});
    const SmallRun some({"tracking.flow_filter=source=192.168.0.0/29"});
    EXPECT_GT(all["tagged"], 0U);
    EXPECT_EQ(none["tagged"], 0U);
    EXPECT_GT(some["tagged"], 0U);
    EXPECT_LT(some["tagged"], all["tagged"]);
    EXPECT_EQ(none->sessions().at(0).sampling_kind, "every-nth");
    EXPECT_GT(none->path_records_between(0, 1'000'000'000).size(), 0U) << "counts need no tags";
}

TEST(TrackingKeys, WhatIsNotAskedForIsNotReported) {
    const auto control = [](const std::string& metrics) {
        return SmallRun({"tracking.rate=0.1", "tracking.metrics=" + metrics})["control-sent"];
    };
    EXPECT_LT(control("counts,tracked"), control("all"))
        << "the delay's distribution has messages of its own";
}

TEST(TrackingKeys, ASessionTagsNoMoreThanItPromises) {
    const SmallRun free({"tracking.rate=1"});
    const SmallRun bound({"tracking.rate=1", "tracking.tracked_per_second=50"});
    EXPECT_GT(free["tagged"], 10 * bound["tagged"]);
    EXPECT_GT(bound["tagged"], 0U);
    EXPECT_EQ(bound["sessions-refused"], 0U);
}

TEST(TrackingKeys, SessionsBeyondTheBudgetOfAnAcceptorAreRefused) {
    // Each of 16 hosts talks with 14 others; an acceptor has room for three.
    const SmallRun run({"tracking.tracked_per_second=50", "tracking.accepted_per_second=150",
                        "workload.load=0.4", "run.duration=400ms"});
    EXPECT_GT(run["sessions-refused"], 0U);
    std::map<store::RowId, std::set<std::int64_t>> served;
    for (const auto& session : run->sessions()) {
        if (session.active_ns) served[session.acceptor_node].insert(session.id);
    }
    ASSERT_FALSE(served.empty());
    for (const auto& [host, sessions] : served)
        EXPECT_LE(sessions.size(), 3U) << "host " << host;
}

/// Most sessions that any host had asked for and not ended, at the time when one more began.
std::size_t most_at_a_time(const SmallRun& run) {
    std::size_t most = 0;
    const auto all = run->sessions();
    for (const auto& one : all) {
        const auto is_beside = [&](const auto& other) {
            return other.requester_node == one.requester_node && other.requested_ns <= one.requested_ns &&
                   other.closed_ns.value_or(INT64_MAX) > one.requested_ns.value_or(0);
        };
        most = std::max(most, static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_beside)));
    }
    return most;
}

TEST(TrackingKeys, PeersTakeTurnsBeyondTheSessionsThatAHostMayHave) {
    const std::vector<std::string> busy{"workload.load=0.4", "run.duration=400ms"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), busy.begin(), busy.end());
        return SmallRun(more);
    };
    const SmallRun unbound = with({});
    const SmallRun one = with({"tracking.traffic_sessions=1"});
    const SmallRun turns =
        with({"tracking.traffic_sessions=1", "tracking.turn=30ms", "tracking.choice_interval=10ms"});
    EXPECT_GT(most_at_a_time(unbound), 2U);
    EXPECT_EQ(most_at_a_time(one), 1U);
    EXPECT_EQ(one.active_sessions(), 16U) << "a turn of ten seconds outlasts the run";
    EXPECT_GT(turns.active_sessions(), 16U * 2);
}

TEST(TrackingKeys, NearPeersComeLater) {
    const auto in_the_pod = [](const SmallRun& run) {
        std::map<store::RowId, std::int64_t> pods;
        for (const auto& node : run->nodes())
            pods[node.id] = node.pod.value_or(-1);
        std::size_t near = 0;
        for (const auto& session : run->sessions())
            near += pods[session.requester_node] == pods[session.acceptor_node] ? 1 : 0;
        return static_cast<double>(near) / static_cast<double>(run->sessions().size());
    };
    const std::vector<std::string> turns{"workload.load=0.6", "run.duration=400ms",
                                         "tracking.traffic_sessions=1", "tracking.turn=20ms",
                                         "tracking.choice_interval=10ms"};
    auto near = turns;
    near.emplace_back("tracking.near_prefix=16");
    EXPECT_LT(in_the_pod(SmallRun(near)), in_the_pod(SmallRun(turns)));
}

TEST(TrackingKeys, ASessionOfADurationClosesAndAnotherBegins) {
    const SmallRun run({"tracking.session_duration=30ms"});
    const SmallRun lasting({});
    EXPECT_GT(run.active_sessions(), lasting.active_sessions());
    const auto sessions = run->sessions();
    EXPECT_TRUE(std::any_of(sessions.begin(), sessions.end(),
                            [](const auto& s) { return s.state == "closed" && s.closed_ns < 200'000'000; }));
}

}  // namespace
}  // namespace dyetrace::runner
