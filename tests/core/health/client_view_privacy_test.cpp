// SPDX-License-Identifier: GPL-2.0-or-later
// A tenant learns of nobody but itself: all that the view lets out is searched for what must not be in it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/health/client_view.h"

namespace dyetrace::health {
namespace {

/// Hosts whose addresses look like nothing else in a text.
IpAddress host(std::uint32_t number) {
    return Ipv4Address{0xc6336400 + number};  // 198.51.100.0/24 (RFC 5737)
}

std::vector<TenantSpec> three_tenants() {
    std::vector<TenantSpec> specs;
    for (const std::string name : {"crimson", "azure", "olive"}) {
        TenantSpec spec;
        spec.name = name;
        const Vni vni{static_cast<std::uint32_t>(7000 + specs.size())};
        spec.vnis = {vni};
        for (std::uint32_t i = 0; i < 6; ++i)
            spec.guests.push_back({name + "-guest-" + std::to_string(i), vni, host(1 + i % 4)});
        spec.states = {{name + "-state", Condition::parse("loss > 1% or packets < 100").value()}};
        specs.push_back(std::move(spec));
    }
    return specs;
}

/// Everything that one tenant can get out of a view, field by field.
std::string all_of(ClientView& view, TenantId tenant, SubscriptionId subscription, Time now) {
    std::string out;
    const auto pour = [&out](const PairView& pair) {
        out += to_string(pair) + '\n' + pair.from + ' ' + pair.to + ' ' + pair.reason + ' ' +
               std::to_string(pair.vni.value) + ' ' + std::to_string(pair.packets_at_least) + '\n';
        for (const PairView::State& state : pair.states)
            out += state.name + '\n';
    };
    for (const std::string& guest : view.guests(tenant))
        out += guest + '\n';
    for (const PairView& pair : view.pairs(tenant, 10'000, now))
        pour(pair);
    for (const std::string& one : view.guests(tenant)) {
        for (const std::string& other : view.guests(tenant)) {
            if (const auto pair = view.pair(tenant, one, other, now)) pour(*pair);
        }
    }
    while (const auto event = view.poll(subscription))
        out += to_string(*event) + '\n' + event->from + event->to + event->state + event->before +
               event->after + event->reason + '\n';
    return out;
}

class Privacy : public testing::Test {
  protected:
    Privacy() : view_(ClientView::create({}, three_tenants()).value()) {
        for (std::uint32_t i = 0; i < 3; ++i)
            subscriptions_.push_back(view_.subscribe(TenantId{i}, "").value());
        Random random(5);
        for (int step = 0; step < 60; ++step) {
            now_ = Time{step * 100'000'000LL};
            for (std::uint32_t from = 1; from <= 4; ++from) {
                for (std::uint32_t to = 1; to <= 4; ++to) {
                    MetricsWindow window;
                    window.sent = 1000 + random.below(777);
                    window.lost = random.below(40);
                    window.tracked_received = 10;
                    window.ce = random.below(3);
                    view_.add(host(from), host(to), window, now_);
                    view_.set_health(host(from), host(to), static_cast<Health>(random.below(3)), 0.9, now_);
                }
            }
            view_.advance(now_);
        }
    }

    ClientView view_;
    std::vector<SubscriptionId> subscriptions_;
    Time now_;
};

TEST_F(Privacy, NoTextNamesAHostADeviceOrAnotherTenant) {
    const std::vector<std::string> names{"crimson", "azure", "olive"};
    for (std::uint32_t i = 0; i < 3; ++i) {
        const std::string text = all_of(view_, TenantId{i}, subscriptions_[i], now_);
        ASSERT_GT(text.size(), 5000U);
        ASSERT_NE(text.find(names[i] + "-guest-0"), std::string::npos);
        for (std::uint32_t other = 0; other < 3; ++other) {
            if (other == i) continue;
            EXPECT_EQ(text.find(names[other]), std::string::npos);
            EXPECT_EQ(text.find(std::to_string(7000 + other)), std::string::npos);
        }
        for (const std::string_view secret : {"198.51", "c633", "::ffff", "host", "switch", "link", "port",
                                              "pod", "rack", "spine", "leaf", "core", "agg", "edge"}) {
            EXPECT_EQ(text.find(secret), std::string::npos) << secret;
        }
    }
}

TEST_F(Privacy, AnothersGuestLooksLikeNone) {
    EXPECT_FALSE(view_.pair(TenantId{0}, "crimson-guest-0", "azure-guest-1", now_).has_value());
    EXPECT_FALSE(view_.pair(TenantId{0}, "azure-guest-0", "azure-guest-1", now_).has_value());
    EXPECT_FALSE(view_.pair(TenantId{0}, "crimson-guest-0", "nobody", now_).has_value());
    EXPECT_EQ(view_.subscribe(TenantId{0}, "azure-state").error(),
              view_.subscribe(TenantId{0}, "none").error());
    EXPECT_TRUE(view_.shares(TenantId{0}, "azure-state", now_).empty());
    EXPECT_FALSE(view_.move_guest(TenantId{0}, "azure-guest-0", host(1), now_));
}

TEST_F(Privacy, ExactPacketCountsAreNotTold) {
    for (const PairView& pair : view_.pairs(TenantId{0}, 10'000, now_)) {
        EXPECT_FALSE(pair.figures[Figure::Packets].has_value());
        EXPECT_EQ(at_least(pair.packets_at_least), pair.packets_at_least);
    }
}

/// What a tenant is told of a pair with that traffic, its conditions on the number of packets among it.
std::string told_of(std::uint64_t sent, std::uint64_t lost) {
    TenantSpec spec{"crimson", {Vni{7000}}, {{"a", Vni{7000}, host(1)}, {"b", Vni{7000}, host(2)}}, {}};
    for (const char* text : {"packets > 5000", "packets > 6000", "packets >= 7000", "packets < 8000"})
        spec.states.push_back(
            {"state-" + std::to_string(spec.states.size()), Condition::parse(text).value()});
    ClientView view = ClientView::create({}, {spec}).value();
    const SubscriptionId subscription = view.subscribe(TenantId{0}, "").value();
    MetricsWindow window;
    window.sent = sent;
    window.lost = lost;
    window.tracked_received = static_cast<std::uint32_t>(sent / 10);
    window.jitter = Duration::nanoseconds(1234);
    view.add(host(1), host(2), window, Time{0});
    view.advance(Time{100'000'000});
    const PairView pair = view.pair(TenantId{0}, "a", "b", Time{100'000'000}).value();
    std::string out = all_of(view, TenantId{0}, subscription, Time{100'000'000});
    for (std::size_t i = 0; i < kFigureCount; ++i)
        out += std::to_string(pair.figures[static_cast<Figure>(i)].value_or(-1)) + ' ';
    return out + std::to_string(pair.loss.low) + ' ' + std::to_string(pair.loss.high);
}

TEST(ClientView, NumbersOfPacketsWithinAStepLookAlike) {
    EXPECT_EQ(told_of(6000, 60), told_of(8000, 80));
    EXPECT_EQ(told_of(5001, 0), told_of(9999, 0));
    // One lost of so many, told to the last digit, would be so many.
    EXPECT_EQ(told_of(7000, 1), told_of(9000, 1));
    EXPECT_NE(told_of(4999, 0), told_of(5000, 0));
}

TEST(ClientView, AnotherTenantsGuestsChangeNothingThatOneSees) {
    std::vector<TenantSpec> alone = three_tenants();
    alone.resize(1);
    ClientView other = ClientView::create({}, alone).value();
    ClientView both = ClientView::create({}, three_tenants()).value();
    const SubscriptionId one = other.subscribe(TenantId{0}, "").value();
    const SubscriptionId two = both.subscribe(TenantId{0}, "").value();
    for (int step = 0; step < 30; ++step) {
        const Time now{step * 100'000'000LL};
        MetricsWindow window;
        window.sent = 1000;
        window.lost = step;
        for (ClientView* view : {&other, &both}) {
            view->add(host(1), host(2), window, now);
            view->advance(now);
        }
    }
    const Time now{3'000'000'000};
    EXPECT_EQ(all_of(other, TenantId{0}, one, now), all_of(both, TenantId{0}, two, now));
}

TEST(ClientView, SameInputsGiveTheSameText) {
    ClientView one = ClientView::create({}, three_tenants()).value();
    ClientView two = ClientView::create({}, three_tenants()).value();
    const SubscriptionId a = one.subscribe(TenantId{1}, "").value();
    const SubscriptionId b = two.subscribe(TenantId{1}, "").value();
    for (ClientView* view : {&one, &two}) {
        Random random(9);
        for (int step = 0; step < 30; ++step) {
            MetricsWindow window;
            window.sent = random.below(5000);
            window.lost = window.sent / 50;
            view->add(host(1 + random.below(4)), host(1 + random.below(4)), window,
                      Time{step * 50'000'000LL});
            view->advance(Time{step * 50'000'000LL});
        }
    }
    const Time now{1'500'000'000};
    EXPECT_EQ(all_of(one, TenantId{1}, a, now), all_of(two, TenantId{1}, b, now));
}

}  // namespace
}  // namespace dyetrace::health
