// SPDX-License-Identifier: GPL-2.0-or-later
// What an EPPC does that the health service asks for, beside an investigation (path_trace_test.cpp).
#include <set>

#include <gtest/gtest.h>

#include "core/wire/directive.h"
#include "core/wire/session_messages.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::DirectiveBody;
using wire::DirectiveKind;
using wire::DirectiveStatus;

struct Directives : ::testing::Test {
    Network net;
    FakeNhms nhms{net};
    std::uint32_t number = 0;

    void three_hosts(const Network::Configure& more = {}) {
        for (int i = 0; i < 3; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.update_interval = Duration::milliseconds(10);
                config.port_count = 8;
                config.port_rest = Duration::milliseconds(10);
                if (more) more(config);
            });
        }
    }
    [[nodiscard]] DirectiveBody about(DirectiveKind kind, std::size_t peer = 1) {
        DirectiveBody directive;
        directive.kind = kind;
        directive.peer = net.host(peer).config.address;
        return directive;
    }
    wire::DirectiveResultBody ask(const DirectiveBody& directive) {
        nhms.direct(0, ++number, directive);
        net.run_for(Duration::milliseconds(1));
        EXPECT_EQ(nhms.results.size(), number);
        return nhms.results.empty() ? wire::DirectiveResultBody{} : nhms.results.back();
    }
    void traffic(int ms) {
        net.send_many(0, 1, ms * 20, Duration::microseconds(50), 32);
        net.run_for(Duration::milliseconds(ms));
    }
    [[nodiscard]] std::set<std::uint16_t> ports_since(std::size_t from) const {
        std::set<std::uint16_t> ports;
        for (std::size_t i = from; i < net.captured().size(); ++i) {
            const Captured& packet = net.captured()[i];
            if (packet.from == 0 && packet.seen.kind == SeenPacket::Kind::Data)
                ports.insert(packet.seen.source_port);
        }
        return ports;
    }
};

TEST_F(Directives, RepathMovesThePathsNamedAndNoOther) {
    three_hosts();
    traffic(60);
    DirectiveBody repath = about(DirectiveKind::Repath);
    repath.paths = {{PathIndex{1}, PathGeneration{0}}, {PathIndex{3}, PathGeneration{0}}};
    const auto result = ask(repath);
    EXPECT_EQ(result.status, DirectiveStatus::Done);
    EXPECT_EQ(result.paths, 2);
    EXPECT_EQ(net.engine(0).counters().repaths, 2U);
    net.run_for(Duration::milliseconds(40));
    const std::size_t from = net.captured().size();
    traffic(40);
    const auto ports = ports_since(from);
    EXPECT_TRUE(ports.contains(49152));
    EXPECT_FALSE(ports.contains(49153));
    EXPECT_TRUE(ports.contains(49154));
    EXPECT_FALSE(ports.contains(49155));
}

TEST_F(Directives, APathThatHasBeenMovedSinceStaysWhereItIs) {
    three_hosts();
    traffic(60);
    DirectiveBody repath = about(DirectiveKind::Repath);
    repath.paths = {{PathIndex{1}, PathGeneration{0}}};
    EXPECT_EQ(ask(repath).paths, 1);
    const auto again = ask(repath);  // under another number, but of the same generation
    EXPECT_EQ(again.status, DirectiveStatus::Done);
    EXPECT_EQ(again.paths, 1);
    EXPECT_EQ(net.engine(0).counters().repaths, 1U);
}

TEST_F(Directives, RepathOfWhatCannotMoveNowSaysPartly) {
    three_hosts([](auto& config) { config.port_count = 5; });  // of four paths one can move
    traffic(60);
    DirectiveBody repath = about(DirectiveKind::Repath);
    repath.paths = {{PathIndex{1}, PathGeneration{0}},
                    {PathIndex{2}, PathGeneration{0}},
                    {PathIndex{999}, PathGeneration{0}}};
    const auto result = ask(repath);
    EXPECT_EQ(result.status, DirectiveStatus::Partly);
    EXPECT_EQ(result.paths, 1);
}

TEST_F(Directives, AnUnknownPeerIsNamedInTheResult) {
    three_hosts();
    traffic(60);
    for (const DirectiveKind kind : {DirectiveKind::Repath, DirectiveKind::Trace}) {
        DirectiveBody directive = about(kind);
        directive.peer = Ipv4Address{0x0a0000ee};
        if (kind == DirectiveKind::Repath) directive.paths = {{PathIndex{1}, PathGeneration{0}}};
        EXPECT_EQ(ask(directive).status, DirectiveStatus::NoSession);
    }
    EXPECT_EQ(net.engine(0).counters().repaths, 0U);
}

TEST_F(Directives, OpenSessionMeasuresAPairThatNobodyMeasures) {
    three_hosts([](auto& config) { config.open_on_traffic = false; });
    ASSERT_TRUE(net.engine(0).open_session(net.host(1).config.address, net.clock_of(0)).ok());
    net.settle(0);
    traffic(60);  // so that it knows the service
    DirectiveBody open = about(DirectiveKind::OpenSession, 2);
    open.sampling = wire::SamplingSpec::every_nth(1);
    open.duration = Duration::milliseconds(50);
    open.metrics = 0x3;
    const auto result = ask(open);
    EXPECT_EQ(result.status, DirectiveStatus::Done);
    EXPECT_EQ(result.sessions, 1);
    EXPECT_EQ(ask(open).sessions, 1);  // once is enough
    net.send_many(0, 2, 200, Duration::microseconds(50), 4);
    net.run_for(Duration::milliseconds(20));
    std::size_t with_third = 0;
    for (const auto& session : net.engine(0).sessions())
        with_third += session.peer == net.host(2).config.address ? 1 : 0;
    EXPECT_EQ(with_third, 1U);
    EXPECT_TRUE(nhms.newest_metrics(net.host(2).config.address, PathIndex{0}) ||
                nhms.newest_metrics(net.host(2).config.address, PathIndex{1}) ||
                nhms.newest_metrics(net.host(2).config.address, PathIndex{2}) ||
                nhms.newest_metrics(net.host(2).config.address, PathIndex{3}));
}

TEST_F(Directives, OpenSessionBeyondABoundOrWithItselfIsRefused) {
    three_hosts([](auto& config) { config.bounds.requested_sessions = 1; });
    traffic(60);
    DirectiveBody open = about(DirectiveKind::OpenSession, 2);
    EXPECT_EQ(ask(open).status, DirectiveStatus::Refused);
    open.peer = net.host(0).config.address;
    EXPECT_EQ(ask(open).status, DirectiveStatus::Refused);
}

TEST_F(Directives, TraceAsksTheRoutersAnewAndLeavesSamplingAlone) {
    three_hosts([](auto& config) { config.trace_paths = true; });
    traffic(60);
    const std::uint64_t traces = net.engine(0).counters().traces_sent;
    const std::uint64_t tagged = net.engine(0).counters().tagged;
    net.send_many(0, 1, 400, Duration::microseconds(50), 32);
    const auto result = ask(about(DirectiveKind::Trace));
    EXPECT_EQ(result.status, DirectiveStatus::Done);
    EXPECT_EQ(result.paths, 4);
    net.run_for(Duration::milliseconds(19));
    EXPECT_GT(net.engine(0).counters().traces_sent, traces);
    EXPECT_NEAR(static_cast<double>(net.engine(0).counters().tagged - tagged), 100, 5);  // every 4th
}

}  // namespace
}  // namespace dyetrace::test
