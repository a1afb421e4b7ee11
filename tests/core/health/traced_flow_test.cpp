// SPDX-License-Identifier: GPL-2.0-or-later
// The trace operation from end to end: a health service asks two EPPCs to follow a flow across three routers.
#include <deque>

#include <gtest/gtest.h>

#include "core/eppc/packet_builder.h"
#include "core/health/nhms.h"
#include "core/wire/udp.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

constexpr IpAddress kService{Ipv4Address{0x0a00ff01}};
constexpr Ipv4Address kEdge{0x0a010001};
constexpr Ipv4Address kCore{0x0a020001};
constexpr Ipv4Address kFarEdge{0x0a010002};
constexpr Duration kUs = Duration::microseconds(1);

struct TracedFlow : ::testing::Test {
    Network net;
    std::optional<health::Nhms> service;

    void build(bool allowed, std::size_t flows, std::size_t flows_there = 1) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.nhms = Endpoint{kService, health::NhmsConfig::kPortDefault};
                config.update_interval = Duration::milliseconds(10);
                config.trace_paths = true;
                config.flow_traces = i == 0 ? flows : flows_there;
                config.flow_capture = 64;
            });
        }
        net.line(0, 1).routers = {{kEdge}, {kCore}, {kFarEdge}};
        net.line(1, 0).routers = {{kFarEdge}, {kCore}, {kEdge}};
        localise::FabricGraph graph;
        std::vector<localise::NodeId> nodes;
        nodes.push_back(graph.add_node("host-a", localise::NodeKind::Host, net.host(0).config.address));
        nodes.push_back(graph.add_node("edge-a", localise::NodeKind::Switch, kEdge));
        nodes.push_back(graph.add_node("core", localise::NodeKind::Switch, kCore));
        nodes.push_back(graph.add_node("edge-b", localise::NodeKind::Switch, kFarEdge));
        nodes.push_back(graph.add_node("host-b", localise::NodeKind::Host, net.host(1).config.address));
        for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
            graph.add_link(nodes[i], nodes[i + 1]);
            graph.add_link(nodes[i + 1], nodes[i]);
        }
        health::NhmsConfig config;
        config.endpoint = {kService, health::NhmsConfig::kPortDefault};
        config.key = net.host(0).config.key;
        config.flow_traces.allowed = allowed;
        config.flow_traces.clocks_are_one = true;
        config.flow_traces.capture_bytes_most = 64;
        service.emplace(health::Nhms::create(config, std::move(graph), 5, net.now()).value());
        net.set_service(kService, [this](Bytes frame, std::size_t) {
            const SeenPacket seen = look_at(frame);
            service->handle({seen.ip.source, seen.source_port},
                            frame.subspan(kOuterUdp + wire::UdpHeader::kSize), net.now());
            pass_on();
        });
        net.send_many(0, 1, 400, Duration::microseconds(250), 8);
        net.send_many(1, 0, 400, Duration::microseconds(250), 8);
        net.run_for(Duration::milliseconds(150));
    }
    void pass_on() {
        while (const auto output = service->poll()) {
            const auto* datagram = std::get_if<health::Datagram>(&*output);
            if (datagram == nullptr) continue;
            const std::size_t to = datagram->to.address == net.host(0).config.address ? 0 : 1;
            eppc::ControlRoute route;
            route.next_hop_mac = net.host(to).config.mac;
            route.source = {kService, health::NhmsConfig::kPortDefault};
            route.destination = datagram->to;
            net.deliver_later(to, eppc::build_datagram(route, datagram->bytes), kUs * 10);
        }
    }
    health::FlowTraceRequest request() {
        health::FlowTraceRequest out;
        out.flow = {kVni, net.host(0).guest_address, net.host(1).guest_address, 17, 10003, 2000};
        out.source_host = net.host(0).config.address;
        out.destination_host = net.host(1).config.address;
        out.captured_packets = 1;
        out.capture_bytes = 14;
        return out;
    }
    /// Guest packets of flow 3 beside others, with guests that are 5 us and 2 us away from their EPPCs.
    void send(std::size_t payload) {
        GuestPacket packet;
        packet.source_mac = net.host(0).guest_mac;
        packet.destination_mac = net.host(1).guest_mac;
        packet.source = net.host(0).guest_address;
        packet.destination = net.host(1).guest_address;
        packet.source_port = 10003;
        packet.payload = payload;
        const auto frame = packet.frame();
        const std::size_t before = net.host(1).delivered.size();
        net.engine(0).note_at_guest(kGuestPort, frame, frame.size(), wire::FlowStage::GuestOut,
                                    net.clock_of(0) - kUs * 5);
        (void)net.send_frame(0, kGuestPort, frame);
        (void)net.send(0, 1, 4);
        net.run_for(kUs * 30);
        for (std::size_t i = before; i < net.host(1).delivered.size(); ++i)
            net.engine(1).note_at_guest(kGuestPort, net.host(1).delivered[i], net.host(1).delivered[i].size(),
                                        wire::FlowStage::GuestIn, net.clock_of(1) - kUs * 18);
        net.settle(1);
        net.run_for(kUs * 970);
    }
    /// What a tenant's probe tells of twenty packets, once all that come have come.
    health::ProbeResult probed() {
        health::ClientConfig clients;
        health::TenantSpec red{"red", {kVni}, {}, {}};
        for (std::size_t i = 0; i < 2; ++i)
            red.guests.push_back(
                {"guest-" + std::to_string(i), kVni, net.host(i).config.address, net.host(i).guest_address});
        clients.tenants = {red};
        clients.probes = {{"red", {"probe", kVni, "guest-0", "guest-1", 1}}};
        clients.view.clocks_are_one = true;
        clients.probe_bounds.matcher.wait = Duration::milliseconds(50);
        EXPECT_TRUE(service->serve(clients, net.now()).ok());
        pass_on();
        net.run_for(Duration::milliseconds(20));
        for (std::size_t i = 0; i < 20; ++i)
            send(100 + i);
        net.run_for(Duration::milliseconds(100));
        service->settle_clients(net.now());
        std::optional<health::ProbeResult> result;
        while (const auto output = service->poll()) {
            if (const auto* told = std::get_if<health::ProbeTold>(&*output)) result = told->result;
        }
        return result.value_or(health::ProbeResult{});
    }
};

TEST_F(TracedFlow, HasItsStagesHopsAndLossFromGuestToGuest) {
    build(true, 1);
    const auto id = service->trace_flow(request(), net.now());
    ASSERT_TRUE(id.ok()) << id.error();
    pass_on();
    net.run_for(Duration::milliseconds(2));
    std::uint64_t carried = 0;
    net.line(0, 1).hook = [&carried](Transit& transit) {
        Fate fate;
        // The fourth and eighth packets of the flow are lost: each second data packet is of it.
        if (transit.seen.kind == SeenPacket::Kind::Data && ++carried % 8 == 7) fate.copies = 0;
        return fate;
    };
    for (std::size_t i = 0; i < 20; ++i)
        send(100 + i);
    net.run_for(Duration::milliseconds(100));

    const auto result = service->flow_trace(*id, net.now() + Duration::seconds(2));
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->is_over);
    EXPECT_FALSE(result->source_refused || result->destination_refused);
    EXPECT_EQ(result->seen[0], 20U);
    EXPECT_EQ(result->seen[1], 20U);
    EXPECT_EQ(result->seen[2], 15U);
    EXPECT_EQ(result->seen[3], 15U);
    // 4, 8, 12, 16 and 20; the last one has none behind it that arrived.
    EXPECT_EQ(result->judged, 19U);
    EXPECT_EQ(result->lost, 4U);
    EXPECT_EQ(result->source.p50, kUs * 5);
    EXPECT_EQ(result->fabric.packets, 15U);
    EXPECT_EQ(result->fabric.min, kUs * 10);
    EXPECT_EQ(result->fabric.max, kUs * 10);
    EXPECT_EQ(result->destination.p50, kUs * 2);
    EXPECT_EQ(result->whole.p99, kUs * 17);
    ASSERT_EQ(result->paths.size(), 1U);
    ASSERT_EQ(result->paths[0].links.size(), 4U) << health::to_string(*result);
    EXPECT_EQ(result->paths[0].links[0].name, "host-a > edge-a");
    EXPECT_EQ(result->paths[0].links[3].name, "edge-b > host-b");
    EXPECT_GT(result->paths[0].links[1].sent, 0U);
    EXPECT_EQ(result->packets[0].captured.size(), 14U);
    EXPECT_TRUE(result->packets[1].captured.empty());
}

TEST_F(TracedFlow, IsNotDoneWhereTheOperatorHasNotSaidSo) {
    build(false, 1);
    EXPECT_EQ(service->trace_flow(request(), net.now()).error(), "flows are not to be traced here");
}

TEST_F(TracedFlow, AnEppcThatMayNotFollowFlowsRefusesAndIsShown) {
    build(true, 0, 0);
    const auto id = service->trace_flow(request(), net.now());
    ASSERT_TRUE(id.ok());
    pass_on();
    for (std::size_t i = 0; i < 5; ++i)
        send(100 + i);
    const auto result = service->flow_trace(*id, net.now());
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->source_refused && result->destination_refused);
    EXPECT_TRUE(result->packets.empty());
}

TEST_F(TracedFlow, AProbeSeesPacketsAtBothEppcs) {
    build(true, 1, 1);
    const health::ProbeResult result = probed();
    EXPECT_EQ(result.counts.delivered, 20U);
    EXPECT_EQ(result.loss, 0.0);
}

TEST_F(TracedFlow, AProbeLosesNothingWhereTheFarEppcMayNotFollowFlows) {
    build(true, 1, 0);
    const health::ProbeResult result = probed();
    EXPECT_EQ(result.counts.first, 20U);
    EXPECT_EQ(result.counts.lost, 0U);
    EXPECT_FALSE(result.loss.has_value());
}

TEST_F(TracedFlow, NeedsBothEppcsToBeKnown) {
    build(true, 1);
    health::FlowTraceRequest wanted = request();
    wanted.destination_host = Ipv4Address{0x0a000063};
    EXPECT_EQ(service->trace_flow(wanted, net.now()).error(), "nothing was heard of 10.0.0.99");
}

}  // namespace
}  // namespace dyetrace::test
