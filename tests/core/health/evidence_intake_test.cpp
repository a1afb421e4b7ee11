// SPDX-License-Identifier: GPL-2.0-or-later
// What the service makes of traces and records that are partial, wrong, or from before its own restart.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/health/counter_names.h"
#include "core/health/nhms.h"
#include "tests/core/health/health_network.h"

namespace dyetrace::health {
namespace {

wire::PathEntry trace(std::initializer_list<IpAddress> hops, bool complete) {
    wire::PathEntry path;
    path.peer = kHostB;
    path.session = SessionId{5};
    path.complete = complete;
    for (const IpAddress hop : hops)
        path.hops[path.hop_count++] = hop;
    return path;
}

std::size_t ways_of(const wire::PathEntry& path, const NhmsConfig& config = HealthNetwork::config()) {
    HealthNetwork network(config);
    network.deliver(network.update({path}));
    network.collect();
    const auto reported = network.all<PathReported>();
    const NhmsCounters& counters = network.nhms.counters();
    EXPECT_EQ(reported.size(), 1U);
    EXPECT_EQ(counters.paths_unusable, reported[0].ways == 0 ? 1U : 0U);
    EXPECT_EQ(counters.paths_partial, reported[0].ways > 1 ? 1U : 0U);
    // Nodes are those of the way, whoever of them answered.
    EXPECT_EQ(reported[0].nodes.size(), reported[0].ways == 1 ? 5U : 0U);
    return reported[0].ways;
}

TEST(EvidenceIntake, ATraceWithSilentSwitchesLeavesTheWaysThatFit) {
    const IpAddress silent = Ipv4Address{};
    EXPECT_EQ(ways_of(trace({kLeft, kSpine[1], kRight}, true)), 1U);
    EXPECT_EQ(ways_of(trace({silent, kSpine[1], silent}, false)), 1U);
    EXPECT_EQ(ways_of(trace({kLeft, kSpine[1]}, false)), 1U);  // the rest kept to its limit
    EXPECT_EQ(ways_of(trace({kLeft, silent, kRight}, false)), 2U);
    EXPECT_EQ(ways_of(trace({kLeft, silent, kRight}, true)), 2U);
    EXPECT_EQ(ways_of(trace({}, false)), 2U);
    EXPECT_EQ(ways_of(trace({kLeft, Ipv4Address{0xc0a80001}, kRight}, false)), 0U);
    EXPECT_EQ(ways_of(trace({kLeft, kRight}, true)), 0U);                    // no such link
    EXPECT_EQ(ways_of(trace({silent, kLeft}, false)), 0U);                   // it is nearer
    EXPECT_EQ(ways_of(trace({silent, silent, silent, kRight}, false)), 0U);  // not a shortest way
}

TEST(EvidenceIntake, MoreWaysThanAllowedAreNone) {
    NhmsConfig config = HealthNetwork::config();
    config.evidence.ways_most = 1;
    EXPECT_EQ(ways_of(trace({kLeft, Ipv4Address{}, kRight}, false), config), 0U);
    EXPECT_EQ(ways_of(trace({Ipv4Address{}, kSpine[0]}, false), config), 1U);
    config.evidence.ways_most = 0;
    const auto refused = Nhms::create(config, {}, 1, Time{});
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error(), testing::HasSubstr("evidence.ways_most"));
}

// EPPCs ask again about paths of which not all answered; what was told in full they do not tell again.
TEST(EvidenceIntake, WaysThatFitATraceAreNotRememberedBeyondTheServicesLife) {
    HealthNetwork network;
    wire::PathEntry whole = trace({kLeft, kSpine[1], kRight}, true);
    whole.path = PathIndex{1};
    network.deliver(network.update({trace({kLeft, Ipv4Address{}, kRight}, false), whole}));
    const Memory memory = network.nhms.remember();
    ASSERT_EQ(memory.paths.size(), 2U);
    EXPECT_TRUE(memory.paths[0].hops.empty());
    EXPECT_EQ(memory.paths[1].hops.size(), 5U);
    network.restart_service();
    ASSERT_TRUE(network.nhms.resume(memory, network.now).ok());
    network.greet();
    network.deliver(network.update({trace({kLeft, Ipv4Address{}, kRight}, false)}));
    EXPECT_EQ(network.nhms.counters().paths_partial, 1U);
    EXPECT_EQ(network.nhms.remember().paths, memory.paths);
}

wire::MetricsEntry metrics(IpAddress peer, std::int64_t ms, std::uint64_t sent, std::uint64_t received) {
    wire::MetricsEntry entry;
    entry.peer = peer;
    entry.session = SessionId{5};
    entry.record.measured_ns = ms * 1'000'000;
    entry.record.sent = sent;
    entry.record.received = received;
    return entry;
}

TEST(EvidenceIntake, WhatIsWrongIsCountedByReasonAndTheRestGoesOn) {
    HealthNetwork network;
    network.deliver(network.update({
        metrics(kHostB, 100, 1000, 999),
        metrics(Ipv4Address{0xc0a80001}, 100, 1000, 900),
        metrics(kHostB, 200, 900, 899),
        metrics(kHostB, 50, 500, 500),
        metrics(kHostB, 200, 2000, 2001),
        metrics(kHostB, 200, 9'000'000'000, 8'999'999'999),
        metrics(kHostB, 200, 2000, 1997),
    }));
    network.collect();
    const RecordCounters& refused = network.nhms.counters().by_reason;
    EXPECT_EQ(refused.unknown_host, 1U);
    EXPECT_EQ(refused.ran_back, 1U);
    EXPECT_EQ(refused.late, 1U);
    EXPECT_EQ(refused.excess, 1U);
    EXPECT_EQ(refused.absurd, 1U);
    EXPECT_EQ(network.nhms.counters().impossible_records, 3U);
    ASSERT_EQ(network.all<LossSeen>().size(), 2U);
    EXPECT_EQ(network.all<LossSeen>()[1].lost, 2U);
}

TEST(EvidenceIntake, TimesFarAheadAreNoEvidenceAndForgetNothing) {
    HealthNetwork network;
    network.learn_paths();
    network.window(1000, 10);
    network.deliver(network.update({metrics(kHostB, 1'000'000'000, 1'000'000, 999'000)}));
    network.collect();
    EXPECT_EQ(network.nhms.counters().evidence.windows_ahead, 1U);
    for (int i = 0; i < 10; ++i)
        network.window(1000, 10);
    EXPECT_THAT(network.steps(), testing::Contains(IncidentStep::Opened));
}

TEST(EvidenceIntake, AServiceThatResumesGoesOnAsOneThatNeverStopped) {
    HealthNetwork stays, stops;
    for (HealthNetwork* network : {&stays, &stops}) {
        network->learn_paths();
        for (int i = 0; i < 30; ++i)
            network->window(1000, 10);
    }
    const Memory memory = stops.nhms.remember();
    EXPECT_EQ(memory.paths.size(), static_cast<std::size_t>(HealthNetwork::kPaths));
    stops.restart_service();
    ASSERT_TRUE(stops.nhms.resume(memory, Time{}).ok());
    EXPECT_EQ(stops.nhms.counters().paths_remembered, static_cast<std::size_t>(HealthNetwork::kPaths));
    EXPECT_EQ(stops.nhms.remember().paths, memory.paths);
    stops.greet();
    const auto resumed_steps = stops.steps();
    for (HealthNetwork* network : {&stays, &stops}) {
        network->outputs.clear();
        for (int i = 0; i < 30; ++i)
            network->window(1000, 10);
    }
    const auto lost = stays.all<LossSeen>(), lost_after = stops.all<LossSeen>();
    ASSERT_EQ(lost.size(), lost_after.size());
    for (std::size_t i = 0; i < lost.size(); ++i) {
        EXPECT_EQ(lost[i].sent, lost_after[i].sent);
        EXPECT_EQ(lost[i].lost, lost_after[i].lost);
    }
    EXPECT_EQ(stays.all<HealthChanged>().size(), stops.all<HealthChanged>().size());
    // Its evidence is new, its routes are not: it goes on with the fault.
    EXPECT_THAT(resumed_steps, testing::Contains(IncidentStep::Resumed));
}

TEST(EvidenceIntake, WithoutMemoryTheWholePastIsNotTakenForAWindow) {
    HealthNetwork network;
    network.deliver(network.update({metrics(kHostB, 1'000'000, 1'000'000'000'000, 990'000'000'000)}));
    network.collect();
    EXPECT_TRUE(network.all<LossSeen>().empty());
    EXPECT_EQ(network.nhms.counters().by_reason.whole_past, 1U);
}

wire::MetricsEntry of_session(std::uint32_t session, Time now, std::uint64_t sent, std::uint64_t lost) {
    wire::MetricsEntry entry = metrics(kHostB, now.ns / 1'000'000, sent, sent - lost);
    entry.session = SessionId{session};
    return entry;
}

// Sessions end and others begin, for as long as the service runs.
TEST(EvidenceIntake, SessionsThatFellSilentGiveWayHoweverManyThereWere) {
    NhmsConfig config = HealthNetwork::config();
    config.table.sessions = 4;
    config.table.paths = 4;
    config.bounds.sessions = 4;
    HealthNetwork network(config);
    for (std::uint32_t session = 1; session <= 1000; ++session) {
        network.advance(Duration::seconds(200));
        wire::TimingEntry timing;
        timing.peer = kHostB;
        timing.session = SessionId{session};
        timing.measured_ns = network.now.ns;
        network.deliver(network.update({of_session(session, network.now, 100, session % 2), timing}));
        network.collect();
        ASSERT_NE(network.nhms.timing(kHostA, kHostB, SessionId{session}), nullptr);
    }
    EXPECT_EQ(network.nhms.drops().total(), 0U);
    EXPECT_EQ(network.nhms.counters().by_reason.over_limit, 0U);
    EXPECT_EQ(network.nhms.counters().by_reason.sessions_forgotten, 996U);
    EXPECT_EQ(network.nhms.counters().timings_forgotten, 996U);
    EXPECT_EQ(network.all<LossSeen>().size(), 500U);
    const Memory memory = network.nhms.remember();
    ASSERT_EQ(memory.paths.size(), 4U);
    for (const RememberedPath& path : memory.paths)
        EXPECT_GT(path.key.session.value, 996U);
}

TEST(EvidenceIntake, WhoeverComesIntoThePlaceOfAForgottenSessionDoesNotInheritItsHealth) {
    NhmsConfig config = HealthNetwork::config();
    config.table.sessions = 1;
    HealthNetwork network(config);
    const auto send = [&](std::uint32_t session, std::uint64_t lost) {
        for (std::uint64_t i = 1; i <= 20; ++i) {
            network.advance(Duration::milliseconds(20));
            network.deliver(network.update({of_session(session, network.now, i * 1000, i * lost)}));
            network.collect();
        }
    };
    send(1, 20);
    ASSERT_EQ(network.all<HealthChanged>().back().health, Health::Degraded);
    network.outputs.clear();
    // Before anybody has looked whether the first one is silent.
    network.now = network.now + config.table.forget_after;
    send(2, 0);
    ASSERT_FALSE(network.all<HealthChanged>().empty());
    for (const HealthChanged& change : network.all<HealthChanged>())
        EXPECT_NE(change.health, Health::Degraded);
    EXPECT_EQ(network.all<HealthChanged>().back().health, Health::Healthy);
    EXPECT_EQ(network.nhms.counters().by_reason.sessions_forgotten, 1U);
}

TEST(NhmsCounters, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for_each_counter(NhmsCounters{}, [&](std::string_view name, std::uint64_t value) {
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(value, 0U) << name;
    });
}

}  // namespace
}  // namespace dyetrace::health
