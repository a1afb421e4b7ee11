// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/flow_trace.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

using wire::FlowStage;

constexpr IpAddress kSource{Ipv4Address{0x0a000001}};
constexpr IpAddress kDestination{Ipv4Address{0x0a000002}};

FlowTracePolicy policy() {
    FlowTracePolicy out;
    out.allowed = true;
    out.capture_bytes_most = 64;
    return out;
}

FlowTraceRequest request() {
    FlowTraceRequest out;
    out.flow = {Vni{100}, Ipv4Address{0xc0a80001}, Ipv4Address{0xc0a80002}, 6, 1234, 80};
    out.source_host = kSource;
    out.destination_host = kDestination;
    return out;
}

/// host - leaf - spine - leaf - host
struct Fabric {
    Fabric() {
        using localise::NodeKind;
        for (const char* name : {"host-a", "leaf-a", "spine", "leaf-b", "host-b"})
            nodes.push_back(graph.add_node(name, name[0] == 'h' ? NodeKind::Host : NodeKind::Switch));
        for (std::size_t i = 0; i + 1 < nodes.size(); ++i)
            links.push_back(graph.add_link(nodes[i], nodes[i + 1]));
    }
    localise::FabricGraph graph;
    std::vector<localise::NodeId> nodes;
    std::vector<localise::LinkId> links;
};

wire::FlowStageEntry entry(FlowTraceId trace, FlowStage stage, std::uint32_t packet, std::int64_t at_ns) {
    wire::FlowStageEntry out;
    out.trace = trace.value;
    out.stage = stage;
    out.packet = packet;
    out.at_ns = at_ns;
    out.frame_length = 200;
    if (stage == FlowStage::EppcOut) out.path = PathIndex{3};
    return out;
}

struct Tracing : ::testing::Test {
    Fabric fabric;
    FlowTraces traces{policy(), 1};
    FlowTraceId id = traces.start(request(), Time{0}).value();

    /// A packet that leaves at `at_ns`: 5 us in the first EPPC, 100 us on the way, 2 us in the last; the far
    /// clock is ahead by `ahead_ns`.
    void pass(std::uint32_t packet, std::int64_t at_ns, bool arrives = true, std::int64_t ahead_ns = 0) {
        traces.take(kSource, entry(id, FlowStage::GuestOut, packet, at_ns));
        traces.take(kSource, entry(id, FlowStage::EppcOut, packet, at_ns + 5'000));
        if (!arrives) return;
        traces.take(kDestination, entry(id, FlowStage::EppcIn, packet, at_ns + 105'000 + ahead_ns));
        traces.take(kDestination, entry(id, FlowStage::GuestIn, packet, at_ns + 107'000 + ahead_ns));
    }
    FlowTraceResult result() { return *traces.result(id, fabric.graph, Time{2'000'000'000}); }
};

TEST_F(Tracing, StagesAddUpToTheWholeWayOnceClocksAreKnown) {
    for (std::uint32_t i = 0; i < 10; ++i)
        pass(i, i * 1'000'000, true, 7'000'000);
    FlowTraceResult seen = result();
    EXPECT_EQ(seen.source.packets, 10U);
    EXPECT_EQ(seen.source.p50, Duration::microseconds(5));
    EXPECT_EQ(seen.destination.max, Duration::microseconds(2));
    EXPECT_EQ(seen.fabric.packets, 0U);  // of two clocks: not measured
    traces.on_clock(kSource, kDestination, Duration::milliseconds(7), Duration::microseconds(3));
    seen = result();
    EXPECT_EQ(seen.fabric.p50, Duration::microseconds(100));
    EXPECT_EQ(seen.fabric.bound, Duration::microseconds(3));
    EXPECT_EQ(seen.whole.p99, Duration::microseconds(107));
    // The same, as the other end would tell it.
    traces.on_clock(kDestination, kSource, Duration::milliseconds(-7), Duration::microseconds(1));
    EXPECT_EQ(result().fabric.p50, Duration::microseconds(100));
    EXPECT_EQ(result().fabric.bound, Duration::microseconds(1));
    // And what others tell is of other hosts.
    traces.on_clock(kSource, Ipv4Address{9}, Duration::seconds(1), {});
    EXPECT_EQ(result().fabric.p50, Duration::microseconds(100));
}

TEST_F(Tracing, LossIsJudgedBetweenTheFirstAndTheLastThatArrived) {
    for (std::uint32_t i = 0; i < 20; ++i)
        pass(i, i * 1'000'000, i >= 3 && i < 17 && i % 5 != 0);
    const FlowTraceResult seen = result();
    EXPECT_EQ(seen.seen[1], 20U);
    EXPECT_EQ(seen.seen[2], 11U);
    EXPECT_EQ(seen.judged, 14U);  // 3 to 16
    EXPECT_EQ(seen.lost, 3U);     // 5, 10, 15
    EXPECT_TRUE(seen.packets[5].lost);
    EXPECT_FALSE(seen.packets[0].lost);
}

TEST_F(Tracing, WithoutAnyArrivalNothingIsJudged) {
    for (std::uint32_t i = 0; i < 5; ++i)
        pass(i, i * 1'000'000, false);
    EXPECT_EQ(result().judged, 0U);
    EXPECT_EQ(result().lost, 0U);
}

TEST_F(Tracing, PathsAreThoseLinksOfTheFabricThatTheFlowTook) {
    pass(1, 0);
    pass(2, 1'000'000, false);
    pass(3, 2'000'000);
    EXPECT_TRUE(result().paths.at(0).links.empty());
    traces.on_path(kSource, kDestination, PathIndex{3}, PathGeneration{0}, fabric.nodes);
    traces.on_path(kSource, kDestination, PathIndex{4}, PathGeneration{0}, fabric.nodes);
    const FlowTraceResult seen = result();
    ASSERT_EQ(seen.paths.size(), 1U);
    EXPECT_EQ(seen.paths[0].packets, 3U);
    EXPECT_EQ(seen.paths[0].lost, 1U);
    ASSERT_EQ(seen.paths[0].links.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(seen.paths[0].links[i].link, fabric.links[i]);
    EXPECT_EQ(seen.paths[0].links[1].name, fabric.graph.describe(fabric.links[1]));
    const std::string text = to_string(seen);
    EXPECT_NE(text.find("guest -> EPPC: 5us (5us to 5us), of 3 packets"), std::string::npos) << text;
    EXPECT_NE(text.find("fabric: not measured"), std::string::npos) << text;
    EXPECT_NE(text.find("lost in the fabric: 1 of 3 packets"), std::string::npos) << text;
    EXPECT_NE(text.find("path 3: 3 packets, 1 lost"), std::string::npos) << text;
}

TEST_F(Tracing, EqualPacketsAreLeftOut) {
    pass(1, 0);
    pass(2, 1'000'000);
    pass(2, 2'000'000);
    EXPECT_EQ(result().ambiguous, 1U);
    EXPECT_EQ(result().packets.size(), 1U);
}

TEST_F(Tracing, StrangersAndUnknownTracesAreCountedAndChangeNothing) {
    pass(1, 0);
    traces.take(Ipv4Address{9}, entry(id, FlowStage::EppcOut, 2, 0));
    traces.take(kSource, entry(id, FlowStage::EppcIn, 2, 0));
    traces.take(kDestination, entry(id, FlowStage::GuestOut, 2, 0));
    traces.take(kSource, entry(FlowTraceId{99}, FlowStage::EppcOut, 2, 0));
    EXPECT_EQ(traces.counters().strangers, 3U);
    EXPECT_EQ(traces.counters().unknown, 1U);
    EXPECT_EQ(result().packets.size(), 1U);
}

TEST_F(Tracing, ALiarCannotFillTheTable) {
    for (std::uint32_t i = 0; i < 5000; ++i)
        traces.take(kSource, entry(id, FlowStage::EppcOut, i, i));
    EXPECT_EQ(result().packets.size(), 200U);
    EXPECT_EQ(traces.counters().over_limit, 4800U);
}

TEST_F(Tracing, CapturedBytesAreNoMoreThanWereAskedFor) {
    FlowTraceRequest wanted = request();
    wanted.captured_packets = 1;
    wanted.capture_bytes = 4;
    id = traces.start(wanted, Time{0}).value();
    wire::FlowStageEntry one = entry(id, FlowStage::EppcOut, 1, 0);
    one.captured = 100;
    one.bytes.fill(0xaa);
    traces.take(kSource, one);
    EXPECT_EQ(result().packets.at(0).captured, std::vector<std::uint8_t>(4, 0xaa));
}

TEST_F(Tracing, RefusalsOfEitherEndAreShown) {
    traces.on_answer(kDestination, id.value, wire::DirectiveStatus::Refused);
    traces.on_answer(kSource, id.value, wire::DirectiveStatus::Done);
    EXPECT_TRUE(result().destination_refused);
    EXPECT_FALSE(result().source_refused);
    EXPECT_NE(to_string(result()).find("the destination's EPPC will not"), std::string::npos);
}

TEST_F(Tracing, DirectivesGoToBothEndsTheFarOneFirst) {
    const auto directives = traces.directives(id);
    ASSERT_EQ(directives.size(), 2U);
    EXPECT_EQ(directives[0].first, kDestination);
    EXPECT_EQ(directives[0].second.peer, kSource);
    EXPECT_EQ(directives[1].first, kSource);
    EXPECT_EQ(directives[1].second.flow.flow, request().flow);
    EXPECT_TRUE(traces.directives(FlowTraceId{99}).empty());
}

TEST(FlowTraces, AreOffUntilAnOperatorSaysSo) {
    FlowTraces traces{FlowTracePolicy{}, 1};
    EXPECT_EQ(traces.start(request(), Time{0}).error(), "flows are not to be traced here");
}

TEST(FlowTraces, RefuseWhatIsBeyondThePolicyInWords) {
    FlowTracePolicy bounds = policy();
    bounds.traces = 1;
    FlowTraces traces{bounds, 1};
    const auto error = [&](auto change) {
        FlowTraceRequest wanted = request();
        change(wanted);
        const auto id = traces.start(wanted, Time{0});
        return id ? std::string() : id.error();
    };
    EXPECT_EQ(error([](auto& r) { r.source_host = {}; }), "source_host: must be set");
    EXPECT_EQ(error([](auto& r) { r.destination_host = {}; }), "destination_host: must be set");
    EXPECT_EQ(error([](auto& r) { r.destination_host = kSource; }),
              "destination_host: is source_host, so nothing crosses the fabric");
    EXPECT_EQ(error([](auto& r) { r.packets = 1001; }), "packets: more than the 1000 that may be");
    EXPECT_EQ(error([](auto& r) { r.packets = 0; }), "flow: no packets");
    EXPECT_EQ(error([](auto& r) { r.capture_bytes = 65; }), "capture_bytes: more than the 64 that may be");
    EXPECT_EQ(error([](auto& r) { r.duration = Duration::seconds(61); }), "duration: longer than may be");
    EXPECT_EQ(error([](auto& r) { r.duration = {}; }), "flow: not for more than nothing and up to an hour");
    EXPECT_EQ(error([](auto& r) { r.flow.vni = Vni{0x1000000}; }), "flow: a VNI of more than 24 bits");
    EXPECT_EQ(error([](auto&) {}), "");
    EXPECT_EQ(error([](auto&) {}), "as many flows are being traced as may be");
    EXPECT_EQ(traces.counters().started, 1U);
    // One that is over makes room.
    EXPECT_TRUE(traces.start(request(), Time{1'000'000'000}).ok());
}

TEST_F(Tracing, ANinetyNinthIsOfNoFewerThanAHundred) {
    for (std::uint32_t i = 0; i < 99; ++i) {
        traces.take(kSource, entry(id, FlowStage::GuestOut, i, 0));
        traces.take(kSource, entry(id, FlowStage::EppcOut, i, i == 98 ? 9'000 : 5'000));
    }
    EXPECT_EQ(result().source.p50, Duration::microseconds(5));
    EXPECT_EQ(result().source.p99, Duration::microseconds(9));  // 98 of 99 are fewer than 99%
    EXPECT_EQ(to_string(result()).find("99%"), std::string::npos);
    traces.take(kSource, entry(id, FlowStage::GuestOut, 99, 0));
    traces.take(kSource, entry(id, FlowStage::EppcOut, 99, 5'000));
    EXPECT_EQ(result().source.p99, Duration::microseconds(5));
    EXPECT_NE(to_string(result()).find("guest -> EPPC: 5us (5us to 9us), 99% below 5us, of 100"),
              std::string::npos);
}

TEST(Traces, HaveOtherNumbersAtEachStartOfTheService) {
    FlowTraces before(policy(), 1);
    FlowTraces after(policy(), 2);
    const FlowTraceId first = before.start(request(), Time{0}).value();
    const FlowTraceId second = before.start(request(), Time{0}).value();
    const FlowTraceId third = after.start(request(), Time{0}).value();
    EXPECT_NE(first, second);
    EXPECT_NE(first, third);
    // What an EPPC still tells of the one before is of no trace here.
    after.take(kSource, entry(first, FlowStage::GuestOut, 1, 0));
    EXPECT_EQ(after.counters().unknown, 1U);
    EXPECT_NE(first.value, 0U);
    EXPECT_FALSE(TraceNumbers::is_of_probe(first.value));
    EXPECT_TRUE(TraceNumbers::is_of_probe(TraceNumbers(TraceNumbers::Of::Probes, 1).take()));
}

}  // namespace
}  // namespace dyetrace::health
