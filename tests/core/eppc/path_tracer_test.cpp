// SPDX-License-Identifier: GPL-2.0-or-later
// The tracer alone, among routers that a test plays: which answers count, and how often routers are asked.
#include "core/eppc/path_tracer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::eppc {
namespace {

constexpr IpAddress kOwn{Ipv4Address{0x0a000001}};
constexpr IpAddress kPeer{Ipv4Address{0x0a000002}};
constexpr SessionId kSession{77};
constexpr std::uint16_t kGeneve = 6081;
constexpr std::uint8_t kRouters = 3;

IpAddress router(std::uint8_t ttl) {
    return Ipv4Address{0x0a010000U + ttl};
}

/// A probe on its way, with what the tracer was told of it.
struct Flying {
    TraceProbe probe;
    std::uint16_t checksum = 0;
    std::vector<std::uint8_t> payload;
    Time at;
};

struct Tracer : ::testing::Test {
    PathTracerConfig config{
        4, 64, 8, 5, Duration::milliseconds(10), Duration::microseconds(20),
    };
    std::optional<PathTracer> tracer;
    Time now{};
    std::vector<Flying> flying;  ///< since `run` was last called
    std::vector<Flying> sent;    ///< all
    std::vector<LearnedPath> learned;
    Random random{3};
    bool ipv6 = false;

    PathTracer& get() {
        if (!tracer) tracer.emplace(config, own(), 1);
        return *tracer;
    }
    [[nodiscard]] IpAddress own() const { return ipv6 ? IpAddress{0x20010db800000000, 1} : kOwn; }
    [[nodiscard]] IpAddress peer() const { return ipv6 ? IpAddress{0x20010db800000000, 2} : kPeer; }
    [[nodiscard]] TracedPath path(std::uint16_t index = 0) const {
        return {0,      peer(), kSession, PathIndex{index}, {}, static_cast<std::uint16_t>(50'000 + index),
                kGeneve};
    }
    void ask(std::uint16_t index = 0) { ASSERT_TRUE(get().request(path(index), now)); }

    /// Does what is due now.
    void service() {
        std::vector<TraceProbe> probes;
        get().service(now, probes, learned);
        for (const TraceProbe& probe : probes) {
            Flying one;
            one.probe = probe;
            one.checksum = static_cast<std::uint16_t>(random.next_u32());
            for (int i = 0; i < 64; ++i)
                one.payload.push_back(static_cast<std::uint8_t>(random.next_u32()));
            one.at = now;
            get().on_sent(probe, one.checksum, one.payload);
            flying.push_back(one);
            sent.push_back(one);
        }
    }
    [[nodiscard]] wire::IcmpTimeExceeded quote(const Flying& one) const {
        wire::IcmpTimeExceeded message;
        message.quoted_source = own();
        message.quoted_destination = one.probe.path.address;
        message.quoted_identification = one.probe.identification;
        message.quoted_source_port = one.probe.path.source_port;
        message.quoted_destination_port = kGeneve;
        message.quoted_udp_checksum = one.checksum;
        return message;
    }
    bool answer(const Flying& one, IpAddress from) {
        return get().on_time_exceeded(quote(one), {}, from, now);
    }
    bool reply(const Flying& one, std::uint8_t distance = kRouters + 1) {
        const auto received = static_cast<std::uint8_t>(one.probe.body.ttl - distance + 1);
        return get().on_reply(peer(), kSession,
                              {one.probe.body.path, one.probe.body.generation, one.probe.body.ttl,
                               one.probe.body.trace, received},
                              now);
    }
    /// Everybody answers at once.
    void answer_all(const std::function<bool(const Flying&)>& but = {}) {
        for (const Flying& one : flying) {
            if (but && but(one)) continue;
            if (one.probe.body.ttl <= kRouters) {
                EXPECT_TRUE(answer(one, router(one.probe.body.ttl)));
            } else {
                EXPECT_TRUE(reply(one));
            }
        }
        flying.clear();
    }
    /// Lets time run, everybody answering, until nothing is planned or `most` has passed.
    void run(Duration most, const std::function<bool(const Flying&)>& but = {}) {
        const Time end = now + most;
        while (true) {
            service();
            answer_all(but);
            if (get().next_deadline() > end) break;
            if (get().next_deadline() > now) now = get().next_deadline();
        }
        now = end;
    }
    [[nodiscard]] std::vector<IpAddress> hops(std::size_t i = 0) const {
        return {learned.at(i).hops.begin(), learned.at(i).hops.begin() + learned.at(i).hop_count};
    }
    [[nodiscard]] const Flying& with_ttl(std::uint8_t ttl) const {
        return *std::find_if(flying.begin(), flying.end(),
                             [&](const Flying& one) { return one.probe.body.ttl == ttl; });
    }
};

TEST_F(Tracer, LearnsThePathFromTwoAnswersOfEachRouter) {
    ask();
    run(Duration::seconds(1));
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_TRUE(learned[0].complete);
    EXPECT_EQ(hops(), (std::vector{router(1), router(2), router(3)}));
    std::map<std::uint8_t, int> asked;
    for (const Flying& one : sent)
        ++asked[one.probe.body.ttl];
    for (std::uint8_t ttl = 1; ttl <= kRouters; ++ttl)
        EXPECT_EQ(asked[ttl], 2);
    EXPECT_EQ(asked[4], 1);
}

TEST_F(Tracer, OneAnswerIsNoRouter) {
    ask();
    service();
    answer_all();
    EXPECT_TRUE(learned.empty());
    service();
    EXPECT_TRUE(learned.empty());
    run(Duration::seconds(5), [](const Flying& one) { return one.probe.body.ttl == 2; });
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_FALSE(learned[0].complete);
    EXPECT_EQ(hops(), (std::vector{router(1), IpAddress{}, router(3)}));
}

TEST_F(Tracer, TheSameProbeAnswersOnce) {
    ask();
    service();
    const Flying first = with_ttl(1);
    EXPECT_TRUE(answer(first, router(1)));
    EXPECT_FALSE(answer(first, router(1)));
}

TEST_F(Tracer, TwoAnswersThatDisagreeBeginTheHopAnew) {
    ask();
    service();
    answer_all();
    now = get().next_deadline();
    service();
    EXPECT_TRUE(answer(with_ttl(2), Ipv4Address{0x06060606}));  // a guess that was right once
    answer_all([](const Flying& one) { return one.probe.body.ttl == 2; });
    EXPECT_EQ(get().disagreements(), 1U);
    EXPECT_TRUE(learned.empty());
    run(Duration::seconds(1));
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_TRUE(learned[0].complete);
    EXPECT_EQ(hops(), (std::vector{router(1), router(2), router(3)}));
    EXPECT_EQ(std::count_if(sent.begin(), sent.end(), [](const Flying& f) { return f.probe.body.ttl == 2; }),
              4);
}

TEST_F(Tracer, AnAnswerThatQuotesAnythingElseDoesNotCount) {
    ask();
    service();
    const Flying& one = with_ttl(1);
    const auto refused = [&](auto change, IpAddress from = router(1)) {
        wire::IcmpTimeExceeded message = quote(one);
        change(message);
        return !get().on_time_exceeded(message, {}, from, now);
    };
    EXPECT_TRUE(refused([](auto& m) { m.quoted_source = kPeer; }));
    EXPECT_TRUE(refused([](auto& m) { m.quoted_destination = kOwn; }));
    EXPECT_TRUE(refused([](auto& m) { ++m.quoted_identification; }));
    EXPECT_TRUE(refused([](auto& m) { ++m.quoted_source_port; }));
    EXPECT_TRUE(refused([](auto& m) { ++m.quoted_destination_port; }));
    EXPECT_TRUE(refused([](auto& m) { ++m.quoted_udp_checksum; }));
    EXPECT_TRUE(refused([](auto&) {}, IpAddress{}));
    EXPECT_TRUE(refused([](auto&) {}, Ipv4Address{0xe0000001}));
    EXPECT_TRUE(refused([&](auto& m) { m.quoted_udp_checksum = with_ttl(2).checksum; }));
    EXPECT_FALSE(refused([](auto&) {}));
}

TEST_F(Tracer, WhereTheTagIsQuotedItMustBeTheProbes) {
    ask();
    service();
    const Flying& one = with_ttl(1);
    std::vector<std::uint8_t> payload = one.payload;
    for (std::size_t i = 56; i < 64; ++i) {
        payload[i] ^= 1;
        EXPECT_FALSE(get().on_time_exceeded(quote(one), payload, router(1), now)) << i;
        payload[i] ^= 1;
    }
    payload.resize(120);  // padding behind the packet: RFC 4884 §4
    EXPECT_TRUE(get().on_time_exceeded(quote(one), payload, router(1), now));
    const Flying& two = with_ttl(2);
    EXPECT_TRUE(get().on_time_exceeded(quote(two), Bytes(two.payload).first(20), router(2), now));
}

TEST_F(Tracer, OverIpv6TheChecksumAndTheTagStandForTheIdentification) {
    ipv6 = true;
    ask();
    service();
    wire::IcmpTimeExceeded message = quote(with_ttl(1));
    message.quoted_identification = 0;
    const std::vector<std::uint8_t> good = with_ttl(1).payload;
    std::vector<std::uint8_t> bad = good;
    bad[63] ^= 1;
    EXPECT_FALSE(get().on_time_exceeded(message, bad, router(1), now));
    ++message.quoted_udp_checksum;
    EXPECT_FALSE(get().on_time_exceeded(message, good, router(1), now));
    --message.quoted_udp_checksum;
    EXPECT_TRUE(get().on_time_exceeded(message, good, router(1), now));
}

TEST_F(Tracer, ALateAnswerCountsWhileItsProbeIsAmongTheLastTwo) {
    ask();
    std::vector<Flying> to_first;
    const auto silent = [](const Flying& one) { return one.probe.body.ttl == 1; };
    for (int round = 0; round < 4; ++round) {
        service();
        to_first.push_back(with_ttl(1));
        answer_all(silent);
        now = get().next_deadline();
    }
    EXPECT_FALSE(answer(to_first[0], router(1)));
    EXPECT_FALSE(answer(to_first[1], router(1)));
    EXPECT_TRUE(answer(to_first[2], router(1)));
    EXPECT_TRUE(answer(to_first[3], router(1)));
    service();
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_TRUE(learned[0].complete);
}

TEST_F(Tracer, IdentificationsAreNotToBeGuessedFromOneAnother) {
    for (std::uint16_t i = 0; i < 40; ++i)
        ask(i);
    run(Duration::seconds(1));
    std::set<std::uint16_t> identifications;
    std::set<int> steps;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        identifications.insert(sent[i].probe.identification);
        if (i > 0) steps.insert(sent[i].probe.identification - sent[i - 1].probe.identification);
    }
    EXPECT_GT(identifications.size(), sent.size() * 98 / 100);
    EXPECT_GT(steps.size(), sent.size() * 98 / 100);
}

TEST_F(Tracer, AReplyThatContradictsItselfDoesNotCount) {
    ask();
    service();
    const Flying& one = with_ttl(5);
    const wire::PathTraceReplyBody good{PathIndex{0}, {}, 5, one.probe.body.trace, 2};
    const auto refused = [&](auto change) {
        wire::PathTraceReplyBody body = good;
        change(body);
        return !get().on_reply(kPeer, kSession, body, now);
    };
    EXPECT_TRUE(refused([](auto& b) { b.ttl_received = 6; }));  // more than it was sent with
    EXPECT_TRUE(refused([](auto& b) { b.ttl_received = 0; }));
    EXPECT_TRUE(refused([](auto& b) { b.ttl = b.ttl_received = 0; }));
    EXPECT_TRUE(refused([](auto& b) { b.ttl = 9; }));  // never sent
    EXPECT_TRUE(refused([](auto& b) { ++b.trace; }));
    EXPECT_TRUE(refused([](auto& b) { b.path = PathIndex{1}; }));
    EXPECT_TRUE(refused([](auto& b) { b.generation = PathGeneration{1}; }));
    EXPECT_FALSE(get().on_reply(kOwn, kSession, good, now));
    EXPECT_FALSE(get().on_reply(kPeer, SessionId{78}, good, now));
    EXPECT_FALSE(refused([](auto&) {}));
}

TEST_F(Tracer, ARouteThatChangesItsLengthMeanwhileIsLearnedAnew) {
    ask();
    service();
    answer_all();
    now = get().next_deadline();
    service();
    EXPECT_TRUE(reply(with_ttl(3), 3));  // now one router less
    EXPECT_EQ(get().disagreements(), 1U);
    flying.clear();
    const Time end = now + Duration::seconds(1);
    while (learned.empty() && now < end) {
        now = std::max(now, get().next_deadline());
        service();
        for (const Flying& one : flying)
            EXPECT_TRUE(one.probe.body.ttl < 3 ? answer(one, router(one.probe.body.ttl)) : reply(one, 3));
        flying.clear();
    }
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_TRUE(learned[0].complete);
    EXPECT_EQ(hops(), (std::vector{router(1), router(2)}));
}

TEST_F(Tracer, APathThatNobodyEndsIsToldAsFarAsItsRoutersAnswered) {
    ask();
    run(Duration::seconds(5), [](const Flying& one) { return one.probe.body.ttl > 2; });
    ASSERT_EQ(learned.size(), 1U);
    EXPECT_FALSE(learned[0].complete);
    EXPECT_EQ(hops(), (std::vector{router(1), router(2)}));
    EXPECT_EQ(get().next_deadline(), Time::never());
}

TEST_F(Tracer, RoundsThatStayUnansweredBackOffAndEnd) {
    ask();
    std::vector<Time> asked;
    run(Duration::seconds(5), [](const Flying& one) { return one.probe.body.ttl == 1; });
    for (const Flying& one : sent) {
        if (one.probe.body.ttl == 1) asked.push_back(one.at);
    }
    ASSERT_EQ(asked.size(), static_cast<std::size_t>(config.attempts));
    for (std::size_t i = 1; i < asked.size(); ++i) {
        EXPECT_GE(asked[i] - asked[i - 1], config.timeout * (1 << std::min<std::size_t>(i - 1, 3)));
        EXPECT_LE(asked[i] - asked[i - 1], config.timeout * (1 << std::min<std::size_t>(i - 1, 3)) * 5 / 4);
    }
}

TEST_F(Tracer, ProbesKeepTheirSpacingOnAverage) {
    config.active_most = 256;
    for (std::uint16_t i = 0; i < 60; ++i)
        ask(i);
    run(Duration::seconds(1));
    EXPECT_EQ(learned.size(), 60U);
    // In any stretch no more than its length allows, plus a burst and one round that began inside it.
    for (std::size_t from = 0; from < sent.size(); ++from) {
        for (std::size_t to = from; to < sent.size(); ++to) {
            const std::int64_t allowed = (sent[to].at - sent[from].at).ns / config.spacing.ns + 16 + 8;
            ASSERT_LE(static_cast<std::int64_t>(to - from), allowed);
        }
    }
}

/// Routers with a bucket each: `rate` answers a second, `burst` at once.
struct LimitedRouters {
    double rate;
    double burst;
    std::map<std::uint8_t, std::pair<double, Time>> buckets;
    int suppressed = 0;

    bool silent(std::uint8_t ttl, Time now) {
        if (ttl > kRouters) return false;
        auto [it, fresh] = buckets.try_emplace(ttl, burst, now);
        auto& [tokens, at] = it->second;
        tokens = std::min(burst, tokens + (now - at).in_seconds() * rate);
        at = now;
        if (tokens < 1) {
            ++suppressed;
            return true;
        }
        --tokens;
        return false;
    }
};

TEST_F(Tracer, KeepsToWhatRoutersAnswerAndLearnsAllTheSame) {
    config.active_most = 256;
    config.waiting_most = 1024;
    LimitedRouters routers{1000, 10, {}};
    for (std::uint16_t i = 0; i < 200; ++i)
        ask(i);
    run(Duration::seconds(1), [&](const Flying& one) { return routers.silent(one.probe.body.ttl, now); });
    EXPECT_EQ(learned.size(), 200U);
    for (const LearnedPath& path : learned)
        EXPECT_TRUE(path.complete);
    // 7 probes a path are needed, 1,400 in all. Without restraint the routers' silence costs 3,000 more.
    EXPECT_GT(routers.suppressed, 0);
    EXPECT_LT(sent.size(), 2000U);
    EXPECT_LT(get().window(), 32U);
}

TEST_F(Tracer, ARouterThatNeverSpeaksSlowsNobodyDown) {
    config.active_most = 256;
    for (std::uint16_t i = 0; i < 60; ++i)
        ask(i);
    run(Duration::seconds(2), [](const Flying& one) { return one.probe.body.ttl == 2; });
    EXPECT_EQ(learned.size(), 60U);
    EXPECT_GE(get().window(), 60U);
}

TEST_F(Tracer, WhereAllAnswerTheNumberOfTracesGrowsQuickly) {
    config.active_most = 256;
    config.waiting_most = 1024;
    for (std::uint16_t i = 0; i < 1000; ++i)
        ask(i);
    run(Duration::milliseconds(200));
    EXPECT_EQ(learned.size(), 1000U);
    EXPECT_EQ(get().window(), 256U);
}

TEST_F(Tracer, ForgetsPathsOfASessionAndSinglePaths) {
    for (std::uint16_t i = 0; i < 10; ++i)
        ask(i);
    service();  // four of them are being traced
    get().forget(kPeer, kSession, PathIndex{1});
    get().forget(kPeer, kSession, PathIndex{7});
    flying.erase(std::remove_if(flying.begin(), flying.end(),
                                [](const Flying& one) { return one.probe.path.path.value == 1; }),
                 flying.end());
    run(Duration::seconds(1));
    EXPECT_EQ(learned.size(), 8U);
    for (std::uint16_t i = 0; i < 10; ++i)
        ask(i);
    service();
    get().forget(kPeer, kSession);
    flying.clear();
    run(Duration::seconds(1));
    EXPECT_EQ(learned.size(), 8U);
    EXPECT_EQ(get().next_deadline(), Time::never());
}

TEST_F(Tracer, TakesNoMoreThanItsBounds) {
    for (std::uint16_t i = 0; i < 64; ++i)
        EXPECT_TRUE(get().request(path(i), now));
    EXPECT_FALSE(get().request(path(64), now));
    EXPECT_TRUE(get().request(path(3), now));  // waits already
    service();
    std::set<std::uint16_t> active;
    for (const Flying& one : sent)
        active.insert(one.probe.path.path.value);
    EXPECT_LE(active.size(), config.active_most);
    run(Duration::seconds(2));
    EXPECT_EQ(learned.size(), 64U);
}

}  // namespace
}  // namespace dyetrace::eppc
