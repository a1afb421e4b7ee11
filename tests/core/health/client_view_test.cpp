// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_view.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr IpAddress kHost1{Ipv4Address{0x0a000001}};
constexpr IpAddress kHost2{Ipv4Address{0x0a000002}};
constexpr IpAddress kHost3{Ipv4Address{0x0a000003}};
constexpr TenantId kRed{0};

Time at(double seconds) {
    return Time{static_cast<std::int64_t>(seconds * 1e9 + 0.5)};
}

Condition condition(std::string_view text) {
    auto parsed = Condition::parse(text);
    return parsed ? std::move(parsed).value() : Condition{};
}

std::vector<TenantSpec> tenants() {
    return {{"red",
             {Vni{100}, Vni{101}},
             {{"web1", Vni{100}, kHost1},
              {"web2", Vni{100}, kHost2},
              {"web3", Vni{100}, kHost3},
              {"db", Vni{101}, kHost2}},
             {{"lossy", condition("loss > 1% for 500ms")}}},
            {"blue", {Vni{200}}, {{"x", Vni{200}, kHost1}, {"y", Vni{200}, kHost2}}, {}}};
}

ClientView make(const ClientViewConfig& config = {}) {
    auto view = ClientView::create(config, tenants());
    EXPECT_TRUE(view.ok()) << view.error();
    return std::move(view).value();
}

MetricsWindow window(std::uint64_t sent, std::uint64_t lost) {
    MetricsWindow out;
    out.sent = sent;
    out.lost = lost;
    out.tracked_received = 10;
    return out;
}

/// Feeds a window each 100 ms in [from, until) and advances.
void feed(ClientView& view, double from, double until, std::uint64_t lost) {
    for (int i = 0; from + i * 0.1 < until - 1e-9; ++i) {
        const Time now = at(from + i * 0.1);
        view.add(kHost1, kHost2, window(1000, lost), now);
        view.advance(now);
    }
}

/// Advances through all deadlines up to `until`; returns how many there were.
int advance_until(ClientView& view, double until) {
    int count = 0;
    for (; view.next_deadline() <= at(until); ++count)
        view.advance(view.next_deadline());
    return count;
}

TEST(ClientView, PairsAreNotMeasuredBeforeSomethingIsHeard) {
    const ClientView view = make();
    const auto pair = view.pair(kRed, "web1", "web2", at(1));
    ASSERT_TRUE(pair.has_value());
    EXPECT_EQ(pair->health, Health::NotMeasured);
    EXPECT_EQ(pair->reason, "no packets were measured lately");
    EXPECT_EQ(pair->states[0].standing, Standing::NotMeasured);
    EXPECT_TRUE(view.pairs(kRed, 100, at(1)).empty());
}

TEST(ClientView, TellsFiguresSampleSizeAndConfidence) {
    ClientView view = make();
    feed(view, 0, 1, 7);
    view.set_health(kHost1, kHost2, Health::Degraded, 0.9999, at(0.95));
    view.advance(at(1));
    const auto pair = view.pair(kRed, "web1", "web2", at(1));
    ASSERT_TRUE(pair.has_value());
    EXPECT_EQ(pair->health, Health::Degraded);
    EXPECT_EQ(pair->confidence, 0.9999);
    EXPECT_DOUBLE_EQ(*pair->figures[Figure::Loss], 0.007);
    EXPECT_EQ(pair->packets_at_least, 5000U);
    EXPECT_EQ(pair->since, at(1));
    EXPECT_EQ(pair->reason,
              "loss 0.7% (0.504% to 0.972% with 95% confidence), jitter 0ns, at least 5000 packets");
    EXPECT_EQ(to_string(*pair), "web1 -> web2 (VNI 100): degraded since 1.000 s, confidence 100%: " +
                                    pair->reason + "; lossy: outside");
}

TEST(ClientView, ADirectionSaysNothingOfTheOther) {
    ClientView view = make();
    feed(view, 0, 1, 7);
    EXPECT_FALSE(view.pair(kRed, "web2", "web1", at(1))->figures[Figure::Loss].has_value());
}

TEST(ClientView, FiguresAreOfTheLastSpan) {
    ClientView view = make();
    feed(view, 0, 1, 100);
    feed(view, 1, 2, 0);
    EXPECT_EQ(*view.pair(kRed, "web1", "web2", at(1.95))->figures[Figure::Loss], 0);
    // Asked later, without a word in between.
    EXPECT_FALSE(view.pair(kRed, "web1", "web2", at(10))->figures[Figure::Loss].has_value());
}

TEST(ClientView, ClocksMayStartBelowZero) {
    ClientView view = make();
    for (int i = 0; i < 20; ++i)
        view.add(kHost1, kHost2, window(1000, i < 10 ? 100 : 0), at(-1.0 + 0.1 * i));
    EXPECT_EQ(*view.pair(kRed, "web1", "web2", at(0.95))->figures[Figure::Loss], 0);
    EXPECT_EQ(view.pair(kRed, "web1", "web2", at(0.95))->packets_at_least, 10'000U);
}

TEST(ClientView, SilenceIsNotHealth) {
    ClientView view = make();
    feed(view, 0, 1, 0);
    view.set_health(kHost1, kHost2, Health::Healthy, 0.99, at(0.95));
    advance_until(view, 3.9);
    EXPECT_EQ(view.pair(kRed, "web1", "web2", at(3.9))->health, Health::Healthy);
    advance_until(view, 4.2);
    const auto pair = view.pair(kRed, "web1", "web2", at(4.2));
    EXPECT_EQ(pair->health, Health::NotMeasured);
    EXPECT_EQ(pair->confidence, 0);
}

TEST(ClientView, IsAtRestWhenNothingIsMeasuredAnyMore) {
    ClientView view = make();
    EXPECT_EQ(view.next_deadline(), Time::never());
    feed(view, 0, 1, 100);
    view.set_health(kHost1, kHost2, Health::Degraded, 1, at(1));
    EXPECT_LT(advance_until(view, 1000), 100);
    EXPECT_EQ(view.next_deadline(), Time::never());
}

TEST(ClientView, GuestsOnOneHostAreNotMeasured) {
    ClientView view = make();
    ASSERT_TRUE(view.move_guest(kRed, "web2", kHost1, at(0)));
    view.add(kHost1, kHost1, window(1000, 0), at(0.1));
    view.advance(at(0.2));
    EXPECT_EQ(view.pair(kRed, "web1", "web2", at(0.2))->health, Health::NotMeasured);
    EXPECT_EQ(view.pair(kRed, "web1", "web2", at(0.2))->packets_at_least, 0U);
}

TEST(ClientView, AMovedGuestHasThePairsOfItsNewHost) {
    ClientView view = make();
    feed(view, 0, 1, 7);
    ASSERT_TRUE(view.move_guest(kRed, "web3", kHost2, at(1)));
    EXPECT_DOUBLE_EQ(*view.pair(kRed, "web1", "web3", at(1))->figures[Figure::Loss], 0.007);
    ASSERT_TRUE(view.move_guest(kRed, "web2", kHost3, at(1)));
    EXPECT_FALSE(view.pair(kRed, "web1", "web2", at(1))->figures[Figure::Loss].has_value());
    EXPECT_FALSE(view.move_guest(kRed, "nobody", kHost3, at(1)));
}

TEST(ClientView, ListsPairsByNameUpToALimit) {
    ClientView view = make();
    feed(view, 0, 0.2, 0);
    view.add(kHost3, kHost1, window(10, 0), at(0.2));
    view.add(kHost2, kHost1, window(10, 0), at(0.2));
    const auto all = view.pairs(kRed, 100, at(0.2));
    ASSERT_EQ(all.size(), 3U);  // db is alone in its network
    EXPECT_EQ(all[0].from + all[0].to, "web1web2");
    EXPECT_EQ(all[1].from + all[1].to, "web2web1");
    EXPECT_EQ(all[2].from + all[2].to, "web3web1");
    EXPECT_EQ(view.pairs(kRed, 2, at(0.2)).size(), 2U);
}

TEST(ClientView, CountsWhatNobodyWatchesAndKeepsNothingOfIt) {
    ClientViewConfig config;
    config.host_pairs = 1;
    ClientView view = make(config);
    view.add(kHost1, IpAddress{Ipv4Address{0x0a0000ff}}, window(10, 0), at(0));
    EXPECT_EQ(view.counters().windows_unwatched, 1U);
    view.add(kHost1, kHost2, window(10, 0), at(0));
    view.add(kHost2, kHost1, window(10, 0), at(0));
    EXPECT_EQ(view.counters().pairs_over_limit, 1U);
    EXPECT_EQ(view.pair(kRed, "web2", "web1", at(0))->packets_at_least, 0U);
}

TEST(ClientView, CustomStateIsEnteredAfterItsTimeAndLeftAfterIt) {
    ClientView view = make();
    const SubscriptionId id = view.subscribe(kRed, "lossy").value();
    feed(view, 0, 1, 0);
    ASSERT_EQ(view.poll(id)->after, "outside");
    feed(view, 1, 3, 100);
    const auto entered = view.poll(id);
    ASSERT_TRUE(entered.has_value());
    EXPECT_EQ(entered->from, "web1");
    EXPECT_EQ(entered->to, "web2");
    EXPECT_EQ(entered->state, "lossy");
    EXPECT_EQ(entered->before, "outside");
    EXPECT_EQ(entered->after, "inside");
    // 1.0: 100 of 10,000 lost in the span, 1% is not above 1%; 1.1: 2% is; and 500 ms on.
    EXPECT_EQ(entered->at, at(1.6));
    EXPECT_FALSE(view.poll(id).has_value());
    feed(view, 3, 6, 0);
    const auto left = view.poll(id);
    ASSERT_TRUE(left.has_value());
    EXPECT_EQ(left->after, "outside");
    EXPECT_EQ(left->at,
              at(4.3));  // 3.8: two of ten windows lossy still; 3.9 (1 of 10): not above; and 500 ms
    EXPECT_FALSE(view.poll(id).has_value());
}

TEST(ClientView, SubscriptionToAllHearsHealthToo) {
    ClientView view = make();
    const SubscriptionId all = view.subscribe(kRed, "").value();
    const SubscriptionId health = view.subscribe(kRed, "health").value();
    feed(view, 0, 0.1, 0);
    view.set_health(kHost1, kHost2, Health::Healthy, 0.99, at(0.1));
    view.advance(at(0.1));
    view.set_health(kHost1, kHost2, Health::Degraded, 0.99, at(0.2));
    advance_until(view, 0.3);
    EXPECT_EQ(view.poll(all)->after, "healthy");
    EXPECT_EQ(view.poll(all)->state, "lossy");
    EXPECT_EQ(view.poll(all)->after, "degraded");
    EXPECT_EQ(view.poll(health)->before, "not measured");
    const auto event = view.poll(health);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(to_string(*event), "0.200 s web1 -> web2: health: healthy to degraded: " + event->reason);
    view.unsubscribe(all);
    EXPECT_FALSE(view.poll(all).has_value());
}

TEST(ClientView, AFullSubscriptionCountsWhatItLoses) {
    ClientViewConfig config;
    config.events_of_a_subscription = 2;
    ClientView view = make(config);
    const SubscriptionId slow = view.subscribe(kRed, "health").value();
    const SubscriptionId other = view.subscribe(kRed, "lossy").value();
    for (int i = 0; i < 6; ++i) {
        view.add(kHost1, kHost2, window(10, 0), at(0.1 * i));
        view.set_health(kHost1, kHost2, i % 2 == 0 ? Health::Healthy : Health::Degraded, 1, at(0.1 * i));
        view.advance(at(0.1 * i + 0.1));
    }
    EXPECT_EQ(view.lost(slow), 4U);
    EXPECT_EQ(view.lost(other), 0U);
    EXPECT_EQ(view.counters().events_lost, 4U);
    EXPECT_EQ(view.poll(slow)->after, "healthy");
}

TEST(ClientView, SubscriptionsAreBounded) {
    ClientViewConfig config;
    config.subscriptions = 1;
    ClientView view = make(config);
    EXPECT_EQ(view.subscribe(kRed, "mad").error(), "there is no such state");
    EXPECT_EQ(view.subscribe(TenantId{9}, "").error(), "there is no such tenant");
    ASSERT_TRUE(view.subscribe(kRed, "").ok());
    EXPECT_EQ(view.subscribe(kRed, "").error(), "there is no room");
}

TEST(ClientView, SharesCountAllPairsOfATenantOverTime) {
    ClientView view = make();
    // Six pairs in VNI 100; one of them is degraded from 1 s on.
    feed(view, 0, 1, 0);
    view.set_health(kHost1, kHost2, Health::Degraded, 1, at(1));
    feed(view, 1, 3.1, 100);
    const auto health = view.shares(kRed, "health", at(3));
    ASSERT_GE(health.size(), 3U);
    const auto degraded = static_cast<std::size_t>(Health::Degraded);
    EXPECT_NEAR(health[0].share[0], 1, 1e-9);
    EXPECT_NEAR(health[1].share[degraded], 1.0 / 6, 1e-9);
    EXPECT_NEAR(health[1].share[0], 5.0 / 6, 1e-9);
    const auto lossy = view.shares(kRed, "lossy", at(3));
    ASSERT_GE(lossy.size(), 3U);
    EXPECT_NEAR(lossy[2].share[static_cast<std::size_t>(Standing::Inside)], 1.0 / 6, 1e-9);
    EXPECT_TRUE(view.shares(kRed, "mad", at(3)).empty());
}

TEST(ClientView, QuantilesAreThoseFedInAndAge) {
    ClientView view = make();
    feed(view, 0, 0.1, 0);
    DelayFigures delays;
    delays.count = 100;
    delays.p99 = Duration::milliseconds(3);
    view.set_delays(kHost1, kHost2, delays, at(0.1));
    EXPECT_EQ(*view.pair(kRed, "web1", "web2", at(0.5))->figures[Figure::DelayP99], 3e6);
    EXPECT_FALSE(view.pair(kRed, "web1", "web2", at(3.2))->figures[Figure::DelayP99].has_value());
}

TEST(ClientView, AFewDelaysHaveAGreatestAndNoNinetyNinth) {
    ClientView view = make();
    feed(view, 0, 0.1, 0);
    DelayFigures delays;
    delays.p99 = Duration::microseconds(80);
    delays.max = delays.mean = Duration::microseconds(90);
    delays.count = 99;
    view.set_delays(kHost1, kHost2, delays, at(0.1));
    EXPECT_NE(view.pair(kRed, "web1", "web2", at(0.5))->reason.find("delay 90us, at most 90us"),
              std::string::npos);
    delays.count = 100;
    view.set_delays(kHost1, kHost2, delays, at(0.5));
    EXPECT_NE(view.pair(kRed, "web1", "web2", at(0.6))->reason.find("99% below 80us"), std::string::npos);
}

TEST(ClientView, BadConfigurationIsNamed) {
    const auto error = [](auto change) {
        ClientViewConfig config;
        change(config);
        const auto view = ClientView::create(config, tenants());
        return view ? std::string() : view.error();
    };
    EXPECT_EQ(error([](auto& c) { c.span = {}; }), "span: shorter than 10 ns");
    EXPECT_EQ(error([](auto& c) { c.silence = {}; }), "silence: shorter than the span");
    EXPECT_EQ(error([](auto& c) { c.share_interval = {}; }), "share_interval: not above zero");
    EXPECT_EQ(error([](auto& c) { c.share_intervals = 0; }), "share_intervals: none");
    EXPECT_EQ(error([](auto& c) { c.events_of_a_subscription = 0; }), "events_of_a_subscription: none");
    EXPECT_EQ(error([](auto& c) { c.tenants.tenants = 1; }), "more tenants than the 1 that may be");
}

TEST(ClientView, SampleSizesAreCoarse) {
    EXPECT_EQ(at_least(0), 0U);
    EXPECT_EQ(at_least(1), 1U);
    EXPECT_EQ(at_least(4), 2U);
    EXPECT_EQ(at_least(99), 50U);
    EXPECT_EQ(at_least(100), 100U);
    EXPECT_EQ(at_least(1630), 1000U);
    EXPECT_EQ(at_least(~0ULL), 10'000'000'000'000'000'000ULL);
}

}  // namespace
}  // namespace dyetrace::health
