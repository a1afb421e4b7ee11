// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_desk.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr Ipv4Address kOne{0x0a000001};
constexpr Ipv4Address kTwo{0x0a000002};
constexpr Ipv4Address kElse{0x0a000003};
constexpr BootId kBoot{7};
constexpr Vni kRed{100};
constexpr Vni kBlue{200};

ClientConfig config() {
    ClientConfig out;
    TenantSpec red;
    red.name = "red";
    red.vnis = {kRed};
    red.guests = {{"web", kRed, kOne, Ipv4Address{0xc0a80001}}, {"db", kRed, kTwo, Ipv4Address{0xc0a80002}}};
    red.states = {{"lossy", Condition::parse("loss > 1%").value()}};
    TenantSpec blue;
    blue.name = "blue";
    blue.vnis = {kBlue};
    blue.guests = {{"a", kBlue, kOne, {}}, {"b", kBlue, kTwo, {}}};
    out.tenants = {red, blue};
    out.subscriptions = {{"red", ""}};
    out.instances = {{"shop", "first", "red", "web"}};
    out.probes = {{"red", {"to-db", kRed, "web", "db", 0.5}}};
    return out;
}

MetricsWindow window(std::uint64_t sent, std::uint64_t lost) {
    MetricsWindow out;
    out.sent = sent;
    out.lost = lost;
    out.tracked_sent = out.tracked_received = 10;
    return out;
}

struct Desk : ::testing::Test {
    Time now = Time{} + Duration::milliseconds(50);
    TraceNumbers numbers{TraceNumbers::Of::Probes, 1};
    ClientDesk desk = ClientDesk::create(config(), numbers, now).value();

    void run_until(Time end) {
        while (desk.next_deadline() <= end) {
            now = std::max(now, desk.next_deadline());
            desk.advance(now);
            for (ClientOutput& one : desk.take())
                told.push_back(std::move(one));
            const auto more = desk.take_due(now);
            due.insert(due.end(), more.begin(), more.end());
        }
        now = end;
    }
    void settle() {
        desk.settle(now);
        for (ClientOutput& one : desk.take())
            told.push_back(std::move(one));
    }
    template <class Event>
    std::vector<Event> all() const {
        std::vector<Event> out;
        for (const ClientOutput& one : told) {
            if (const auto* event = std::get_if<Event>(&one)) out.push_back(*event);
        }
        return out;
    }
    std::vector<wire::DirectiveBody> ask(IpAddress eppc, BootId boot = kBoot) {
        auto asked = desk.ask(eppc, boot, now);
        if (!asked.empty()) trace = asked.back().flow.trace;
        return asked;
    }
    /// All ends of the probe, which look from now on.
    void all_look() {
        for (const Ipv4Address eppc : {kOne, kTwo}) {
            for (const wire::DirectiveBody& body : ask(eppc))
                desk.on_answer(eppc, body.flow.trace, true, now);
        }
    }
    /// So late that what is heard of left after they began to look.
    void wait() { run_until(now + config().probe_bounds.matcher.wait); }
    ProbeResult result() {
        wait();
        run_until(now + Duration::seconds(1));
        return all<ProbeTold>().back().result;
    }
    wire::FlowStageEntry seen(wire::FlowStage stage, std::uint32_t packet, std::int64_t at_ns) {
        wire::FlowStageEntry entry;
        entry.trace = trace;
        entry.stage = stage;
        entry.packet = packet;
        entry.at_ns = at_ns;
        return entry;
    }
    std::vector<ClientOutput> told;
    std::uint32_t trace = 0;     ///< that was asked for last
    std::vector<IpAddress> due;  ///< all that were to be asked, with time
};

std::string refusal(const std::function<void(ClientConfig&)>& change) {
    ClientConfig changed = config();
    change(changed);
    TraceNumbers numbers{TraceNumbers::Of::Probes, 1};
    const auto made = ClientDesk::create(changed, numbers, Time{});
    return made.ok() ? "" : made.error();
}

TEST_F(Desk, NotifiesTheTenantThatSubscribedAndNobodyElse) {
    desk.set_health(kOne, kTwo, Health::Degraded, 0.9, now);
    desk.add(kOne, kTwo, window(1000, 50), now);
    run_until(now + Duration::milliseconds(300));
    const auto events = all<TenantNotified>();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].tenant, "red");
    EXPECT_EQ(events[0].event.state, "health");
    EXPECT_EQ(events[0].event.after, "degraded");
    EXPECT_EQ(events[1].event.state, "lossy");
    EXPECT_EQ(events[1].event.after, "inside");
    EXPECT_EQ(events[1].event.from, "web");
    EXPECT_EQ(events[1].event.to, "db");
}

TEST_F(Desk, TellsEachIntervalOnceAndTheLastOneWhenSettled) {
    desk.set_health(kOne, kTwo, Health::Healthy, 0.9, now);
    desk.add(kOne, kTwo, window(1000, 0), now);
    run_until(Time{} + Duration::milliseconds(2500));
    settle();
    std::vector<StateShare> shares;
    for (const ShareTold& share : all<ShareTold>()) {
        if (share.tenant == "red" && share.state == "health") shares.push_back(share.share);
    }
    ASSERT_EQ(shares.size(), 3U);
    EXPECT_EQ(shares[1].start, Time{} + Duration::seconds(1));
    EXPECT_EQ(shares[1].length, Duration::seconds(1));
    EXPECT_EQ(shares[2].length, Duration::milliseconds(500));
    EXPECT_DOUBLE_EQ(shares[1].share[static_cast<std::size_t>(Health::Healthy)], 0.5);  // one of two pairs
}

TEST_F(Desk, TellsTheScoreOfAnInstanceOnceItHasMoved) {
    desk.set_own("shop", "first", 1, now);
    desk.set_health(kOne, kTwo, Health::Healthy, 0.9, now);
    for (int i = 0; i < 50; ++i) {
        desk.add(kOne, kTwo, window(1000, 0), now);
        run_until(now + Duration::milliseconds(100));
    }
    const auto scores = all<InstanceScored>();
    ASSERT_GE(scores.size(), 3U);
    EXPECT_EQ(scores.front().score.score, 0.25);
    EXPECT_GT(scores.back().score.score, 0.4);
    for (std::size_t i = 1; i < scores.size(); ++i)
        EXPECT_NE(scores[i].score.score, scores[i - 1].score.score);
    EXPECT_FALSE(desk.set_own("shop", "second", 1, now));
}

TEST_F(Desk, AsksTheHostsOfAProbesGuestsForTheirEndAlone) {
    const auto source = ask(kOne);
    const auto destination = ask(kTwo);
    ASSERT_EQ(source.size(), 1U);
    ASSERT_EQ(destination.size(), 1U);
    EXPECT_TRUE(ask(kElse).empty());
    EXPECT_TRUE(ask(kOne).empty());  // was asked
    EXPECT_EQ(source[0].flow.stages, 1U << static_cast<unsigned>(wire::FlowStage::GuestOut));
    EXPECT_EQ(destination[0].flow.stages, 1U << static_cast<unsigned>(wire::FlowStage::GuestIn));
    EXPECT_EQ(source[0].peer, IpAddress{kTwo});
    EXPECT_EQ(source[0].flow.sampled, 0x80000000U);
    EXPECT_EQ(source[0].flow.trace, destination[0].flow.trace);
    EXPECT_TRUE(source[0].flow.fault().empty());
}

TEST_F(Desk, MatchesWhatTheTwoEndsOfAProbeTellWithTheClocksTakenOut) {
    using wire::FlowStage;
    all_look();
    wait();
    desk.on_clock(kOne, kTwo, Duration::microseconds(500));
    desk.take(kOne, seen(FlowStage::GuestOut, 1, 1'000), now);
    desk.take(kTwo, seen(FlowStage::GuestIn, 1, 511'000), now);
    desk.take(kOne, seen(FlowStage::GuestOut, 2, 2'000), now);
    desk.take(kElse, seen(FlowStage::GuestIn, 2, 3'000), now);           // has no such guest
    desk.take(kOne, seen(FlowStage::GuestOut, 0x90000000, 4'000), now);  // not of the share
    run_until(now + Duration::seconds(5));
    const auto results = all<ProbeTold>();
    ASSERT_FALSE(results.empty());
    const ProbeResult& result = results.back().result;
    EXPECT_EQ(results.back().tenant, "red");
    EXPECT_EQ(result.counts.delivered, 1U);
    EXPECT_EQ(result.counts.lost, 1U);
    ASSERT_TRUE(result.delay_max.has_value());
    EXPECT_EQ(*result.delay_max, Duration::microseconds(10));
}

TEST_F(Desk, AProbeOfAnyGuestHearsOnlyHostsThatHaveOne) {
    ClientConfig any = config();
    any.probes = {{"red", {"all", kRed, "", "", 1}}};
    desk = ClientDesk::create(any, numbers, now).value();
    all_look();
    desk.take(kOne, seen(wire::FlowStage::GuestOut, 1, 1'000), now);
    desk.take(kElse, seen(wire::FlowStage::GuestOut, 2, 1'000), now);
    run_until(now + Duration::seconds(1));
    EXPECT_EQ(all<ProbeTold>().back().result.counts.first, 1U);
}

TEST_F(Desk, AProbeIsToldNothingOfOneServedBefore) {
    all_look();
    const auto before = seen(wire::FlowStage::GuestOut, 1, 1'000);
    desk = ClientDesk::create(config(), desk.numbers(), now).value();
    all_look();
    desk.take(kOne, before, now);
    run_until(now + Duration::seconds(1));
    EXPECT_EQ(all<ProbeTold>().back().result.counts.first, 0U);
}

TEST_F(Desk, WhatLeavesWhileTheFarEndDoesNotLookIsNotLost) {
    using wire::FlowStage;
    for (const wire::DirectiveBody& body : ask(kOne))
        desk.on_answer(kOne, body.flow.trace, true, now);
    for (const wire::DirectiveBody& body : ask(kTwo))
        desk.on_answer(kTwo, body.flow.trace, false, now);  // it follows others
    wait();
    desk.take(kOne, seen(FlowStage::GuestOut, 1, 1'000), now);
    const ProbeResult told = result();
    EXPECT_EQ(told.counts.lost, 0U);
    EXPECT_EQ(told.counts.unjudged, 1U);
    EXPECT_FALSE(told.loss.has_value());
}

TEST_F(Desk, WhatMayHaveLeftBeforeTheFarEndLookedIsNotLost) {
    using wire::FlowStage;
    all_look();
    desk.take(kOne, seen(FlowStage::GuestOut, 1, 1'000), now);  // heard of now, but of when?
    wait();
    desk.take(kOne, seen(FlowStage::GuestOut, 2, 1'000), now);
    const ProbeResult told = result();
    EXPECT_EQ(told.counts.unjudged, 1U);
    EXPECT_EQ(told.counts.lost, 1U);
}

TEST_F(Desk, WhoRefusesIsAskedAgainAfterPausesThatGrow) {
    (void)ask(kTwo);
    desk.on_answer(kTwo, trace, false, now);
    EXPECT_TRUE(ask(kTwo).empty());
    run_until(now + ProbeTurn::kPause);
    EXPECT_EQ(due, std::vector<IpAddress>{kTwo});
    ASSERT_EQ(ask(kTwo).size(), 1U);
    desk.on_answer(kTwo, trace, false, now);
    run_until(now + ProbeTurn::kPause);
    EXPECT_TRUE(ask(kTwo).empty());
    run_until(now + ProbeTurn::kPause);
    ASSERT_EQ(ask(kTwo).size(), 1U);
    // Where there was no room to ask, it is nobody's fault.
    desk.on_not_asked(kTwo, trace, now);
    run_until(now + ProbeTurn::kPause);
    EXPECT_EQ(ask(kTwo).size(), 1U);
}

TEST_F(Desk, AFarEndThatHasRestartedIsAskedAnewAndNothingIsLostMeanwhile) {
    using wire::FlowStage;
    all_look();
    wait();
    desk.take(kOne, seen(FlowStage::GuestOut, 1, 1'000), now);
    EXPECT_EQ(ask(kTwo, BootId{8}).size(), 1U);
    desk.take(kOne, seen(FlowStage::GuestOut, 2, 2'000), now);
    EXPECT_EQ(result().counts.lost, 0U);
    desk.on_answer(kTwo, trace, true, now);
    wait();
    desk.take(kOne, seen(FlowStage::GuestOut, 3, 3'000), now);
    EXPECT_EQ(result().counts.lost, 1U);
}

TEST_F(Desk, ATurnThatIsOverIsFollowedByAnotherUnderAnotherNumber) {
    all_look();
    const std::uint32_t before = trace;
    run_until(now + ProbeTurn::kLength + ProbeTurn::kEndsLate);
    EXPECT_EQ(due, (std::vector<IpAddress>{kOne, kTwo}));
    all_look();
    EXPECT_NE(trace, before);
    wait();
    desk.take(kOne, seen(wire::FlowStage::GuestOut, 1, 1'000), now);
    EXPECT_EQ(result().counts.lost, 1U);
}

TEST_F(Desk, AnEndThatHasToldHalfOfWhatItMayIsAskedAnewBeforeItStops) {
    all_look();
    const std::uint32_t before = trace;
    for (std::uint32_t i = 0; i < ProbeTurn::kPackets / 2; ++i)
        desk.take(kTwo, seen(wire::FlowStage::GuestIn, i, i), now);
    EXPECT_LE(desk.next_deadline(), now);
    run_until(now);
    all_look();
    EXPECT_NE(trace, before);
}

TEST_F(Desk, DoesNotTellDelaysOfAProbeWhoseClocksAreNotKnown) {
    all_look();
    wait();
    desk.take(kOne, seen(wire::FlowStage::GuestOut, 1, 1'000), now);
    desk.take(kTwo, seen(wire::FlowStage::GuestIn, 1, 511'000), now);
    run_until(now + Duration::seconds(1));
    const ProbeResult result = all<ProbeTold>().back().result;
    EXPECT_EQ(result.counts.delivered, 1U);
    EXPECT_FALSE(result.delay_max.has_value());
    EXPECT_EQ(result.delays, 0U);
}

TEST_F(Desk, FollowsAGuestThatMoves) {
    ASSERT_TRUE(desk.move_guest("red", "db", kElse, now));
    EXPECT_FALSE(desk.move_guest("red", "a", kElse, now));
    desk.set_health(kOne, kTwo, Health::Failed, 0.9, now);
    desk.set_health(kOne, kElse, Health::Healthy, 0.9, now);
    run_until(now + Duration::milliseconds(300));
    const auto events = all<TenantNotified>();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].event.after, "healthy");
    EXPECT_EQ(ask(kElse).size(), 1U);
    EXPECT_TRUE(ask(kTwo).empty());
}

TEST_F(Desk, AProbeGoesWithAGuestThatMovesToAHostOfTheOther) {
    all_look();
    const std::uint32_t before = trace;
    ASSERT_TRUE(desk.move_guest("red", "web", kElse, now));
    ASSERT_TRUE(desk.move_guest("red", "db", kOne, now));
    // What it was asked for was the other stage.
    ASSERT_EQ(ask(kOne).size(), 1U);
    EXPECT_NE(trace, before);
    EXPECT_EQ(ask(kElse).front().flow.stages, 1U << static_cast<unsigned>(wire::FlowStage::GuestOut));
}

TEST(DeskConfig, IsRefusedWithTheNameOfWhatIsWrong) {
    EXPECT_EQ(refusal([](auto&) {}), "");
    EXPECT_EQ(refusal([](auto& c) { c.subscriptions[0].tenant = "green"; }),
              "subscription: there is no tenant \"green\"");
    EXPECT_EQ(refusal([](auto& c) { c.subscriptions[0].state = "slow"; }),
              "subscription of tenant \"red\" to \"slow\": there is no such state");
    EXPECT_EQ(refusal([](auto& c) { c.instances[0].guest = "a"; }),
              "service \"shop\", instance \"first\": there is no such guest");
    EXPECT_EQ(refusal([](auto& c) { c.probes[0].tenant = "green"; }),
              "probe \"to-db\": there is no tenant \"green\"");
    EXPECT_EQ(refusal([](auto& c) { c.probes[0].spec.to = "a"; }),
              "probe \"to-db\": to: there is no such guest in that network");
    EXPECT_EQ(refusal([](auto& c) { c.tenants[0].guests[0].address = {}; }),
              "probe \"to-db\": guest \"web\" has no address");
    EXPECT_EQ(refusal([](auto& c) { c.scores.step = 2; }), "scores: step: not from 0 to 1");
}

}  // namespace
}  // namespace dyetrace::health
