// SPDX-License-Identifier: GPL-2.0-or-later
// Paths are learned from routers' own answers, and from nobody else's.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/session_messages.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::ControlType;
using wire::DropReason;

constexpr IpAddress kEdge{Ipv4Address{0x0a010001}};
constexpr IpAddress kCore{Ipv4Address{0x0a020001}};
constexpr IpAddress kFarEdge{Ipv4Address{0x0a010101}};

struct PathTraces : ::testing::Test {
    Network net;
    FakeNhms nhms{net};

    void two_hosts(const Network::Configure& more = {}) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.trace_paths = true;
                config.nhms = FakeNhms::kEndpoint;
                config.update_interval = Duration::milliseconds(5);
                if (more) more(config);
            });
        }
        net.line(0, 1).routers = {{kEdge}, {kCore}, {kFarEdge}};
        net.line(1, 0).routers = {{kFarEdge}, {kCore}, {kEdge}};
    }
    std::vector<wire::PathEntry> paths_of(std::size_t host) {
        std::vector<wire::PathEntry> found;
        for (const auto& path : nhms.paths()) {
            if (path.peer == net.host(1 - host).config.address) found.push_back(path);
        }
        return found;
    }
    std::vector<Captured> probes() {
        std::vector<Captured> found;
        for (const Captured& packet : net.captured()) {
            if (packet.from == 0 && packet.seen.is(ControlType::PathTrace)) found.push_back(packet);
        }
        return found;
    }
    std::uint64_t unexpected() { return net.engine(0).drops().count(DropReason::ControlUnexpected); }
    /// A time-exceeded message from `router` about `died`, changed by `change` before its checksum is made.
    std::vector<std::uint8_t> icmp(std::vector<std::uint8_t> died, IpAddress router,
                                   const std::function<void(MutableBytes quote)>& change = {}) {
        died.erase(died.begin(), died.begin() + wire::EthernetHeader::kSize);
        if (change) change(died);
        constexpr std::size_t kMessage = wire::EthernetHeader::kSize + wire::Ipv4Header::kSize;
        std::vector<std::uint8_t> frame(kMessage + 8 + 68);
        frame.resize(kMessage + wire::encode_icmp_time_exceeded(died, MutableBytes(frame).subspan(kMessage)));
        wire::EthernetHeader{net.host(0).config.mac, net.host(0).config.gateway_mac, wire::kEtherTypeIpv4}
            .encode_into(frame);
        wire::Ipv4Header ip;
        ip.total_length = static_cast<std::uint16_t>(frame.size() - wire::EthernetHeader::kSize);
        ip.protocol = wire::kProtocolIcmp;
        ip.source = router.ipv4();
        ip.destination = net.host(0).config.address.ipv4();
        ip.encode_into(MutableBytes(frame).subspan(wire::EthernetHeader::kSize));
        return frame;
    }
};

std::vector<IpAddress> hops(const wire::PathEntry& path) {
    return {path.hops.begin(), path.hops.begin() + path.hop_count};
}

TEST_F(PathTraces, LearnEveryRouterOfEachUsedPathInOrder) {
    two_hosts();
    net.send_many(0, 1, 200, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(100));
    const auto paths = paths_of(0);
    ASSERT_EQ(paths.size(), 4U);
    std::set<std::uint16_t> indexes;
    for (const wire::PathEntry& path : paths) {
        EXPECT_TRUE(path.complete);
        EXPECT_EQ(hops(path), (std::vector{kEdge, kCore, kFarEdge}));
        EXPECT_EQ(path.source_port, net.host(0).config.source_port_base + path.path.value);
        indexes.insert(path.path.value);
    }
    EXPECT_EQ(indexes.size(), 4U);
    EXPECT_EQ(unexpected(), 0U);
    EXPECT_EQ(nhms.malformed, 0U);
}

TEST_F(PathTraces, GoOutOnTheDataPathsOwnFiveTuple) {
    two_hosts();
    net.send_many(0, 1, 200, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(50));
    ASSERT_FALSE(probes().empty());
    for (const Captured& probe : probes()) {
        const auto trace = wire::PathTraceBody::parse(probe.seen.body);
        ASSERT_TRUE(trace.ok());
        EXPECT_EQ(probe.seen.source_port, net.host(0).config.source_port_base + trace->path.value);
        EXPECT_EQ(probe.seen.ip.ttl, trace->ttl);
        EXPECT_EQ(probe.seen.ip.dscp, net.host(0).config.dscp);
    }
}

TEST_F(PathTraces, BetweenNeighboursLearnAnEmptyPath) {
    two_hosts();
    net.line(0, 1).routers.clear();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(50));
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(50));
    ASSERT_EQ(paths_of(0).size(), 1U);
    EXPECT_TRUE(paths_of(0)[0].complete);
    EXPECT_EQ(paths_of(0)[0].hop_count, 0);
}

TEST_F(PathTraces, AskAgainWhereARouterWasSilentAtFirst) {
    two_hosts();
    net.line(0, 1).routers[1].silent_for = 2;
    net.send_many(0, 1, 20, Duration::milliseconds(1), 1);
    net.run_for(Duration::milliseconds(100));
    ASSERT_EQ(paths_of(0).size(), 1U);
    EXPECT_TRUE(paths_of(0)[0].complete);
    EXPECT_EQ(hops(paths_of(0)[0]), (std::vector{kEdge, kCore, kFarEdge}));
    // Two answers of each are wanted; only the silent one was asked more often.
    std::map<std::uint8_t, int> asked;
    for (const Captured& probe : probes())
        ++asked[probe.seen.ip.ttl];
    EXPECT_EQ(asked[1], 2);
    EXPECT_EQ(asked[2], 4);
    EXPECT_EQ(asked[3], 2);
}

TEST_F(PathTraces, CarryWhatNobodyWhoDidNotSeeThemCanQuote) {
    two_hosts();
    net.send_many(0, 1, 400, Duration::microseconds(50), 32);
    net.run_for(Duration::milliseconds(100));
    std::set<std::uint16_t> identifications;
    std::set<std::uint16_t> checksums;
    for (const Captured& probe : probes()) {
        identifications.insert(probe.seen.ip.identification);
        const Bytes datagram =
            Bytes(probe.bytes).subspan(wire::EthernetHeader::kSize + wire::Ipv4Header::kSize);
        EXPECT_NE(load_u16(&datagram[6]), 0);  // there is a checksum, over IPv4 too
        checksums.insert(load_u16(&datagram[6]));
    }
    ASSERT_GE(probes().size(), 28U);
    EXPECT_GT(identifications.size(), probes().size() * 9 / 10);
    EXPECT_GT(checksums.size(), probes().size() * 9 / 10);
}

TEST_F(PathTraces, LeaveASilentRoutersPlaceEmptyAndTryAgainWhenThePathIsNextUsed) {
    two_hosts([](auto& config) { config.trace_retry = Duration::milliseconds(100); });
    net.line(0, 1).routers[1].silent_for = -1;
    net.send_many(0, 1, 20, Duration::milliseconds(1), 1);
    net.run_for(Duration::milliseconds(400));
    ASSERT_EQ(paths_of(0).size(), 1U);
    EXPECT_FALSE(paths_of(0)[0].complete);
    EXPECT_EQ(hops(paths_of(0)[0]), (std::vector{kEdge, IpAddress{}, kFarEdge}));
    net.line(0, 1).routers[1].silent_for = 0;
    net.send_many(0, 1, 20, Duration::milliseconds(1), 1);
    net.run_for(Duration::milliseconds(200));
    ASSERT_EQ(paths_of(0).size(), 2U);
    EXPECT_TRUE(paths_of(0)[1].complete);
    EXPECT_EQ(hops(paths_of(0)[1]), (std::vector{kEdge, kCore, kFarEdge}));
}

TEST_F(PathTraces, DoNotAskARouterThatNeverAnswersAtEachBurstOfTraffic) {
    two_hosts([](auto& config) { config.trace_retry = Duration::seconds(1); });
    net.line(0, 1).routers[1].silent_for = -1;
    for (int burst = 0; burst < 20; ++burst) {
        net.at(Time{} + Duration::milliseconds(100) * burst,
               [&] { net.send_many(0, 1, 5, Duration::milliseconds(1), 1); });
    }
    net.run_for(Duration::seconds(2));
    // One trace after about 300 ms, and one a second after that.
    EXPECT_EQ(paths_of(0).size(), 2U);
}

TEST_F(PathTraces, BeyondTheirReachAreIncomplete) {
    two_hosts([](auto& config) { config.trace_ttl_most = 3; });  // four would reach the peer
    net.send_many(0, 1, 20, Duration::milliseconds(1), 1);
    net.run_for(Duration::milliseconds(400));
    ASSERT_EQ(paths_of(0).size(), 1U);
    EXPECT_FALSE(paths_of(0)[0].complete);
    EXPECT_EQ(hops(paths_of(0)[0]), (std::vector{kEdge, kCore, kFarEdge}));
}

TEST_F(PathTraces, CountOnlyAnswersThatQuoteAnOutstandingQuestion) {
    two_hosts();
    for (Router& router : net.line(0, 1).routers)
        router.silent_for = -1;
    net.send_many(0, 1, 3, Duration::milliseconds(1), 1);
    const auto asked = [&] {
        const auto all = probes();
        return std::count_if(all.begin(), all.end(), [](const Captured& p) { return p.seen.ip.ttl == 1; });
    };
    while (asked() == 0)
        net.run_for(Duration::microseconds(10));
    const Captured probe = probes().front();
    ASSERT_EQ(probe.seen.ip.ttl, 1);
    const auto flip = [](std::size_t at) { return [at](MutableBytes quote) { quote[at] ^= 1; }; };
    const std::pair<const char*, std::function<void(MutableBytes)>> forgeries[] = {
        {"another identification", flip(4)},  {"another identification", flip(5)},
        {"another source address", flip(14)}, {"another destination address", flip(19)},
        {"another source port", flip(21)},    {"another destination port", flip(23)},
        {"another UDP checksum", flip(26)},   {"another UDP checksum", flip(27)},
    };
    std::uint64_t expected = 0;
    for (const auto& [name, change] : forgeries) {
        (void)net.inject(0, icmp(probe.bytes, Ipv4Address{0x06060606}, change));
        EXPECT_EQ(unexpected(), ++expected) << name;
    }
    (void)net.inject(0, icmp(probe.bytes, IpAddress{}));  // from nowhere
    EXPECT_EQ(unexpected(), ++expected);
    (void)net.inject(0, icmp(probe.bytes, kEdge));  // the real one
    EXPECT_EQ(unexpected(), expected);
    (void)net.inject(0, icmp(probe.bytes, kEdge));  // and once more
    EXPECT_EQ(unexpected(), ++expected);
    while (asked() == 1)
        net.run_for(Duration::microseconds(10));
    const auto all = probes();
    const auto second =
        std::find_if(all.rbegin(), all.rend(), [](const Captured& p) { return p.seen.ip.ttl == 1; });
    (void)net.inject(0, icmp(second->bytes, kEdge));
    EXPECT_EQ(unexpected(), expected);
    net.run_for(Duration::milliseconds(400));
    ASSERT_FALSE(paths_of(0).empty());
    EXPECT_EQ(hops(paths_of(0)[0]), (std::vector{kEdge, IpAddress{}, IpAddress{}}));
    (void)net.inject(0, icmp(probe.bytes, kCore));  // too late
    EXPECT_EQ(unexpected(), expected + 1);
}

TEST_F(PathTraces, AStrangerWhoGuessesRightOnceMovesNoRouter) {
    two_hosts();
    net.send_many(0, 1, 20, Duration::milliseconds(1), 1);
    std::size_t seen = 0;
    // Answers the first question that each router is asked, before the router does.
    net.line(0, 1).hook = [&](Transit& transit) {
        if (transit.seen.is(ControlType::PathTrace) && seen < 3) {
            ++seen;
            net.deliver_later(0, icmp(transit.bytes, Ipv4Address{0x06060606}), Duration{});
        }
        return Fate{};
    };
    net.run_for(Duration::milliseconds(200));
    ASSERT_EQ(paths_of(0).size(), 1U);
    EXPECT_TRUE(paths_of(0)[0].complete);
    EXPECT_EQ(hops(paths_of(0)[0]), (std::vector{kEdge, kCore, kFarEdge}));
    EXPECT_EQ(net.engine(0).counters().traces_disagreed, 3U);
}

TEST_F(PathTraces, LeaveIcmpOfOthersToTheHost) {
    two_hosts();
    (void)net.send(0, 1);
    std::vector<std::uint8_t> echo = icmp(net.captured().front().bytes, kEdge);
    constexpr std::size_t kMessage = wire::EthernetHeader::kSize + wire::Ipv4Header::kSize;
    echo[kMessage] = 8;
    store_u16(&echo[kMessage + 2], 0);
    store_u16(&echo[kMessage + 2], wire::checksum_finish(wire::checksum_add(Bytes(echo).subspan(kMessage))));
    EXPECT_EQ(net.inject(0, echo).kind, eppc::Decapsulated::Kind::NotOurs);
    EXPECT_EQ(net.engine(0).drops().total(), 0U);
}

wire::DirectiveBody investigate(IpAddress peer) {
    wire::DirectiveBody directive;
    directive.peer = peer;
    directive.sampling = wire::SamplingSpec::every_nth(1);
    directive.duration = Duration::milliseconds(50);
    return directive;
}

TEST_F(PathTraces, ADirectiveTracesAnewAndRaisesSamplingForAWhile) {
    two_hosts();
    net.send_many(0, 1, 10'000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(50));
    ASSERT_EQ(paths_of(0).size(), 4U);
    net.line(0, 1).routers[1].address = Ipv4Address{0x0a020002};  // the fabric has rerouted
    nhms.direct(0, 1, investigate(net.host(1).config.address));
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 1U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::Done);
    EXPECT_EQ(nhms.results[0].sessions, 1);
    EXPECT_EQ(nhms.results[0].paths, 4);
    const std::uint64_t before = net.engine(0).counters().tagged;
    net.run_for(Duration::milliseconds(40));
    EXPECT_EQ(net.engine(0).counters().tagged - before, 2000U);  // all
    net.run_for(Duration::milliseconds(20));
    const std::uint64_t after = net.engine(0).counters().tagged;
    net.run_for(Duration::milliseconds(40));
    EXPECT_NEAR(static_cast<double>(net.engine(0).counters().tagged - after), 500, 1);  // every 4th again
    const auto paths = paths_of(0);
    ASSERT_EQ(paths.size(), 8U);
    for (std::size_t i = 4; i < 8; ++i)
        EXPECT_EQ(hops(paths[i]), (std::vector<IpAddress>{kEdge, Ipv4Address{0x0a020002}, kFarEdge}));
}

TEST_F(PathTraces, ARepeatedDirectiveIsAnsweredAndTracesNothingTwice) {
    two_hosts();
    net.send_many(0, 1, 10'000, Duration::microseconds(20), 32);
    net.run_for(Duration::milliseconds(50));
    for (int i = 0; i < 3; ++i) {
        nhms.direct(0, 7, investigate(net.host(1).config.address));
        net.run_for(Duration::milliseconds(20));
    }
    EXPECT_EQ(nhms.results.size(), 3U);
    EXPECT_EQ(paths_of(0).size(), 8U);
    nhms.boot = BootId{0xb008};  // a health service that restarted counts from the beginning
    net.run_for(Duration::milliseconds(30));
    EXPECT_EQ(paths_of(0).size(), 12U);  // and is told all paths anew
    nhms.direct(0, 7, investigate(net.host(1).config.address));
    net.run_for(Duration::milliseconds(20));
    EXPECT_EQ(paths_of(0).size(), 16U);
}

TEST_F(PathTraces, ADirectiveAboutAPeerWithoutSessionSaysSo) {
    two_hosts();
    (void)net.send(0, 1);
    net.run_for(Duration::milliseconds(50));
    nhms.direct(0, 1, investigate(Ipv4Address{0x0a0000ee}));
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 1U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::NoSession);
}

TEST_F(PathTraces, ANewSessionTellsItsPathsAnew) {
    two_hosts([](auto& config) { config.session_duration = Duration::milliseconds(50); });
    net.send_many(0, 1, 4000, Duration::microseconds(25), 32);
    net.run_for(Duration::milliseconds(99));
    std::map<std::uint32_t, int> complete;  // by session
    for (const wire::PathEntry& path : paths_of(0))
        complete[path.session.value] += path.complete ? 1 : 0;
    ASSERT_EQ(complete.size(), 2U);
    for (const auto& [session, count] : complete)
        EXPECT_EQ(count, 4);
}

TEST_F(PathTraces, BeyondTheirBoundsAreCounted) {
    two_hosts([](auto& config) {
        config.path_count = 32;
        config.bounds.traces = 1;
        config.bounds.trace_queue = 2;
        config.trace_attempts = 1;
    });
    net.line(0, 1).routers[1].silent_for = -1;  // each trace takes its time
    net.send_many(0, 1, 2000, Duration::microseconds(1), 500);
    net.run_for(Duration::milliseconds(15));
    EXPECT_GT(net.engine(0).counters().traces_dropped, 0U);
}

}  // namespace
}  // namespace dyetrace::test
