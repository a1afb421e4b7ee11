// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/eppc/counter_names.h"

namespace dyetrace::host {
namespace {

using session::Role;
using session::State;

constexpr Ipv4Address kPeer{0xc0000202};

eppc::SessionChanged change(SessionId id, State to, Role role = Role::Requester) {
    return {role, kPeer, id, State::Idle, to, "because", Time{1}};
}

eppc::MetricsReported metrics(SessionId id, std::uint16_t path, std::uint64_t sent, std::uint64_t received) {
    wire::PathRecord record;
    record.path = PathIndex{path};
    record.intervals = 1;
    record.sent = sent;
    record.received = received;
    record.tracked_sent = static_cast<std::uint32_t>(sent / 10);
    record.tracked_received = static_cast<std::uint32_t>(received / 10);
    return {kPeer, id, record, Time{2}};
}

TEST(Ledger, NewerRecordOfAPathReplacesTheOlder) {
    Ledger ledger;
    ledger.on(change(SessionId{1}, State::Active));
    ledger.on(metrics(SessionId{1}, 3, 100, 90));
    ledger.on(metrics(SessionId{1}, 3, 200, 150));
    ledger.on(metrics(SessionId{1}, 4, 10, 10));
    EXPECT_EQ(ledger.totals().sent, 210U);
    EXPECT_EQ(ledger.totals().lost(), 50);
    EXPECT_EQ(ledger.totals().tracked_lost(), 5);
}

TEST(Ledger, MovedPathKeepsTheCountsOfBothGenerations) {
    Ledger ledger;
    ledger.on(change(SessionId{1}, State::Active));
    ledger.on(metrics(SessionId{1}, 3, 100, 90));
    eppc::MetricsReported moved = metrics(SessionId{1}, 3, 50, 45);
    moved.record.generation = PathGeneration{1};
    ledger.on(moved);
    EXPECT_EQ(ledger.totals().sent, 150U);
    EXPECT_EQ(ledger.totals().lost(), 15);
}

TEST(Ledger, SessionsThatPeersAskedForAreNotOurs) {
    Ledger ledger;
    ledger.on(change(SessionId{1}, State::Active, Role::Acceptor));
    EXPECT_TRUE(ledger.entries().empty());
}

TEST(Ledger, EndedSessionsBeyondTheBoundAreFoldedAndStillCounted) {
    Ledger ledger(2);
    for (std::uint32_t id = 1; id <= 5; ++id) {
        ledger.on(change(SessionId{id}, State::Active));
        ledger.on(metrics(SessionId{id}, 0, 100, 99));
        ledger.on(change(SessionId{id}, State::Closed));
    }
    EXPECT_EQ(ledger.entries().size(), 2U);
    EXPECT_EQ(ledger.entries().front().session, SessionId{4});
    EXPECT_EQ(ledger.folded_sessions(), 3U);
    EXPECT_EQ(ledger.totals().sent, 500U);
    EXPECT_EQ(ledger.totals().lost(), 5);
}

TEST(Ledger, LivingSessionsAreNeverFolded) {
    Ledger ledger(0);
    ledger.on(change(SessionId{1}, State::Active));
    ledger.on(change(SessionId{2}, State::Rejected));
    ASSERT_EQ(ledger.entries().size(), 1U);
    EXPECT_EQ(ledger.entries().front().session, SessionId{1});
}

TEST(Ledger, MoreReceivedThanSentIsNegativeLoss) {
    PathTotals totals;
    totals.sent = 3;
    totals.received = 5;
    EXPECT_EQ(totals.lost(), -2);
}

Summary example() {
    Summary summary;
    summary.final = true;
    summary.address = Ipv4Address{0xc0000201};
    PortCounters counters;
    counters.ring_full = 7;
    summary.counters.sessions_refused = 3;
    summary.counters.challenges_sent = 4;
    summary.ports.push_back({"eth1", "underlay", counters});
    summary.drops.add(wire::DropReason::GroupAddress);
    summary.ledger.on(change(SessionId{1}, State::Closed));
    summary.ledger.on(metrics(SessionId{1}, 3, 1000, 990));
    return summary;
}

TEST(SummaryJson, IsOneLineWithTotalsPathsAndDrops) {
    const std::string text = to_json(example());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    const auto json = nlohmann::json::parse(text);
    EXPECT_TRUE(json["final"]);
    EXPECT_EQ(json["totals"]["lost"], 10);
    EXPECT_DOUBLE_EQ(json["totals"]["loss"], 0.01);
    EXPECT_EQ(json["drops"]["group-address"], 1);
    EXPECT_EQ(json["counters"]["sessions_refused"], 3);
    EXPECT_EQ(json["counters"]["challenges_sent"], 4);
    EXPECT_EQ(json["counters"].size(), eppc::kCounters.size() + 3) << "all of the engine's, and the loop's";
    EXPECT_EQ(json["ports"][0]["ring_full"], 7);
    const auto& session = json["sessions"][0];
    EXPECT_EQ(session["state"], "closed");
    EXPECT_EQ(session["paths"][0]["path"], 3);
    EXPECT_EQ(session["paths"][0]["tracked_lost"], 1);
}

TEST(SummaryJson, WhatWasNotMeasuredIsNull) {
    const auto json = nlohmann::json::parse(to_json(Summary{}));
    EXPECT_TRUE(json["totals"]["loss"].is_null());
    const auto session = nlohmann::json::parse(to_json(example()))["sessions"][0];
    EXPECT_TRUE(session["paths"][0]["delay_ns_mean"].is_null());
}

TEST(SummaryText, NamesSessionsLossAndTrouble) {
    const std::string text = to_text(example());
    EXPECT_THAT(text, testing::HasSubstr("session 0x00000001 to 192.0.2.2: closed (because)"));
    EXPECT_THAT(text, testing::HasSubstr("lost 1.0000%, of tracked 1.0000%"));
    EXPECT_THAT(text, testing::HasSubstr("ring full 7"));
    EXPECT_THAT(text, testing::HasSubstr("dropped group-address: 1"));
    EXPECT_THAT(text, testing::HasSubstr("sessions refused to peers: 3"));
    EXPECT_THAT(text, testing::HasSubstr("not measured"));
}

}  // namespace
}  // namespace dyetrace::host
