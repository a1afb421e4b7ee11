// SPDX-License-Identifier: GPL-2.0-or-later
// What the service makes of traces and records that are partial, wrong, or from before its own restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

bool is_usable(const wire::PathEntry& path) {
    HealthNetwork network;
    network.deliver(network.update({path}));
    network.collect();
    const auto reported = network.all<PathReported>();
    return reported.size() == 1 && reported[0].usable;
}

TEST(EvidenceIntake, ATraceWithSilentSwitchesIsUsedWhereOnlyOneWayFits) {
    const IpAddress silent = Ipv4Address{};
    EXPECT_TRUE(is_usable(trace({kLeft, kSpine[1], kRight}, true)));
    EXPECT_TRUE(is_usable(trace({silent, kSpine[1], silent}, false)));
    EXPECT_TRUE(is_usable(trace({kLeft, kSpine[1]}, false)));  // the rest kept to its limit
    EXPECT_FALSE(is_usable(trace({kLeft, silent, kRight}, false)));
    EXPECT_FALSE(is_usable(trace({kLeft, silent, kRight}, true)));
    EXPECT_FALSE(is_usable(trace({kLeft, Ipv4Address{0xc0a80001}, kRight}, false)));
    EXPECT_FALSE(is_usable(trace({kLeft, kRight}, true)));  // no such link
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

}  // namespace
}  // namespace dyetrace::health
