// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/eppc/flow_tap.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/frames.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::FlowTap;
using wire::FlowStage;

constexpr PathIndex kPath{3};
constexpr PathGeneration kGeneration{1};

GuestPacket packet(std::uint16_t source_port = 10000) {
    GuestPacket out;
    out.source = Ipv4Address{0xc0a80001};
    out.destination = Ipv4Address{0xc0a80002};
    out.source_port = source_port;
    return out;
}

wire::FlowTraceSpec spec(std::uint32_t trace = 1) {
    wire::FlowTraceSpec out;
    out.trace = trace;
    out.flow = {kVni, Ipv4Address{0xc0a80001}, Ipv4Address{0xc0a80002}, 17, 10000, 2000};
    return out;
}

void see(FlowTap& tap, Bytes frame, FlowStage stage, Time at) {
    if (const auto seen = tap.match(frame, kVni, frame.size(), at))
        tap.note(*seen, stage, kPath, kGeneration, frame, at);
}

TEST(FlowTap, IsOffUntilItMayBeOn) {
    FlowTap tap(0, 0);
    EXPECT_FALSE(tap.start(spec(), Time{}));
    EXPECT_FALSE(tap.is_busy());
}

TEST(FlowTap, NotesThePacketsOfItsFlowAndNoOther) {
    FlowTap tap(1, 0);
    ASSERT_TRUE(tap.start(spec(), Time{}));
    const auto frame = packet().frame();
    see(tap, frame, FlowStage::EppcOut, Time{5});
    see(tap, packet(10001).frame(), FlowStage::EppcOut, Time{6});
    EXPECT_FALSE(tap.match(frame, Vni{1}, frame.size(), Time{7}).has_value());
    EXPECT_FALSE(tap.match(Bytes(frame).first(10), kVni, 10, Time{7}).has_value());
    ASSERT_EQ(tap.waiting().size(), 1U);
    const wire::FlowStageEntry& entry = tap.waiting()[0];
    EXPECT_EQ(entry.trace, 1U);
    EXPECT_EQ(entry.path, kPath);
    EXPECT_EQ(entry.generation, kGeneration);
    EXPECT_EQ(entry.at_ns, 5);
    EXPECT_EQ(entry.frame_length, frame.size());
    EXPECT_EQ(entry.captured, 0);
}

TEST(FlowTap, APacketOfTwoTracesIsNotedForBoth) {
    FlowTap tap(2, 0);
    wire::FlowTraceSpec all = spec(2);
    all.flow = {kVni, {}, {}, 0, 0, 0};
    ASSERT_TRUE(tap.start(all, Time{}));
    ASSERT_TRUE(tap.start(spec(1), Time{}));
    const auto frame = packet().frame();
    const auto first = tap.match(frame, kVni, frame.size(), Time{5});
    ASSERT_TRUE(first.has_value());
    const auto second = tap.match(frame, kVni, frame.size(), Time{5}, first->flow + 1);
    ASSERT_TRUE(second.has_value());
    EXPECT_NE(first->packet, second->packet);  // each trace has names of its own
    EXPECT_FALSE(tap.match(frame, kVni, frame.size(), Time{5}, second->flow + 1).has_value());
}

TEST(FlowTap, TellsOnlyPacketsWhoseNamesAreBelowTheShare) {
    FlowTap tap(1, 0);
    wire::FlowTraceSpec quarter = spec();
    quarter.flow.source_port = 0;
    quarter.sampled = 0x40000000;
    quarter.packets = 10'000;
    ASSERT_TRUE(tap.start(quarter, Time{}));
    int told = 0;
    for (std::uint16_t port = 1; port <= 4000; ++port) {
        const auto frame = packet(port).frame();
        const auto seen = tap.match(frame, kVni, frame.size(), Time{5});
        if (!seen) continue;
        ++told;
        EXPECT_LT(seen->packet, quarter.sampled);
    }
    EXPECT_NEAR(told, 1000, 110);  // four standard deviations
}

TEST(FlowTap, EndsWithItsTime) {
    FlowTap tap(1, 0);
    ASSERT_TRUE(tap.start(spec(), Time{}));
    EXPECT_EQ(tap.next_deadline(), Time{1'000'000'000});
    see(tap, packet().frame(), FlowStage::EppcOut, Time{1'000'000'000});
    EXPECT_TRUE(tap.waiting().empty());
    tap.expire(Time{1'000'000'000});
    EXPECT_FALSE(tap.is_busy());
    EXPECT_EQ(tap.next_deadline(), Time::never());
}

TEST(FlowTap, TellsNoMorePacketsThanWereAskedForAtEachStage) {
    FlowTap tap(1, 0);
    wire::FlowTraceSpec few = spec();
    few.packets = 3;
    few.stages = 0x03;
    ASSERT_TRUE(tap.start(few, Time{}));
    for (int i = 0; i < 10; ++i) {
        see(tap, packet().frame(), FlowStage::GuestOut, Time{i});
        see(tap, packet().frame(), FlowStage::EppcOut, Time{i});
        see(tap, packet().frame(), FlowStage::EppcIn, Time{i});
    }
    const auto count = [&](FlowStage stage) {
        return std::count_if(tap.waiting().begin(), tap.waiting().end(),
                             [&](const auto& entry) { return entry.stage == stage; });
    };
    EXPECT_EQ(count(FlowStage::GuestOut), 3);
    EXPECT_EQ(count(FlowStage::EppcOut), 3);
    EXPECT_EQ(count(FlowStage::EppcIn), 0);
}

TEST(FlowTap, CapturesTheFirstBytesOfTheFirstPacketsWhereThatMayBe) {
    FlowTap tap(1, 64);
    wire::FlowTraceSpec wanted = spec();
    wanted.captured_packets = 2;
    wanted.capture_bytes = 65;
    EXPECT_FALSE(tap.start(wanted, Time{}));
    wanted.capture_bytes = 64;
    ASSERT_TRUE(tap.start(wanted, Time{}));
    const auto frame = packet().frame();
    for (int i = 0; i < 4; ++i)
        see(tap, frame, FlowStage::EppcOut, Time{i});
    ASSERT_EQ(tap.waiting().size(), 4U);
    EXPECT_EQ(tap.waiting()[1].captured, 64);
    EXPECT_TRUE(std::equal(frame.begin(), frame.begin() + 64, tap.waiting()[1].bytes.begin()));
    EXPECT_EQ(tap.waiting()[2].captured, 0);
    EXPECT_EQ(tap.waiting()[2].bytes, (std::array<std::uint8_t, 128>{}));
}

TEST(FlowTap, HasRoomForSoManyFlowsAndKnowsOneThatGoesOn) {
    FlowTap tap(2, 0);
    EXPECT_TRUE(tap.start(spec(1), Time{}));
    EXPECT_TRUE(tap.start(spec(2), Time{}));
    EXPECT_TRUE(tap.start(spec(2), Time{}));
    EXPECT_FALSE(tap.start(spec(3), Time{}));
    EXPECT_TRUE(tap.start(spec(3), Time{1'000'000'000}));  // the others' time is over
}

TEST(FlowTap, CountsEntriesForWhichThereIsNoRoom) {
    FlowTap tap(1, 0);
    wire::FlowTraceSpec many = spec();
    many.packets = 1000;
    ASSERT_TRUE(tap.start(many, Time{}));
    for (int i = 0; i < 300; ++i)
        see(tap, packet().frame(), FlowStage::EppcOut, Time{i});
    EXPECT_EQ(tap.waiting().size(), FlowTap::kWaitingMost);
    EXPECT_EQ(tap.dropped(), 300 - FlowTap::kWaitingMost);
}

/// Two engines whose health service asks them to follow the flow of guest 0 to guest 1.
struct FollowedFlow : ::testing::Test {
    Network net;
    FakeNhms nhms{net};

    void two_hosts(std::size_t flows, std::size_t capture = 0) {
        for (int i = 0; i < 2; ++i) {
            net.add_host([&](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.update_interval = Duration::milliseconds(10);
                config.flow_traces = flows;
                config.flow_capture = capture;
            });
        }
        // Both let the service know that they are there.
        net.send_many(0, 1, 40, Duration::microseconds(500), 8);
        net.send_many(1, 0, 40, Duration::microseconds(500), 8);
        net.run_for(Duration::milliseconds(60));
    }
    wire::DirectiveBody directive() {
        wire::DirectiveBody body;
        body.kind = wire::DirectiveKind::TraceFlow;
        body.peer = net.host(1).config.address;
        body.flow = spec(7);
        body.flow.flow.source = net.host(0).guest_address;
        body.flow.flow.destination = net.host(1).guest_address;
        return body;
    }
    [[nodiscard]] std::vector<wire::FlowStageEntry> told() const {
        std::vector<wire::FlowStageEntry> out;
        for (const wire::UpdateEntry& entry : nhms.entries) {
            if (const auto* stage = std::get_if<wire::FlowStageEntry>(&entry)) out.push_back(*stage);
        }
        return out;
    }
};

TEST_F(FollowedFlow, BothEndsNameEachPacketAlike) {
    two_hosts(1);
    nhms.direct(1, 1, directive());
    nhms.direct(0, 1, directive());
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 2U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::Done);
    for (std::uint16_t i = 0; i < 20; ++i) {
        // Payloads of different lengths, so that no two packets are equal.
        (void)net.send(0, 1, 0, 100 + i);
        (void)net.send(0, 1, 1, 100 + i);
        net.run_for(Duration::milliseconds(1));
    }
    net.run_for(Duration::milliseconds(50));
    std::map<std::uint32_t, int> stages;
    for (const wire::FlowStageEntry& entry : told())
        stages[entry.packet] += entry.stage == FlowStage::EppcOut  ? 1
                                : entry.stage == FlowStage::EppcIn ? 16
                                                                   : 256;
    EXPECT_EQ(stages.size(), 20U);
    for (const auto& [packet, seen] : stages)
        EXPECT_EQ(seen, 17) << packet;
    EXPECT_EQ(net.engine(0).counters().flow_stages, 20U);
    EXPECT_EQ(net.engine(1).counters().flow_stages, 20U);
}

TEST_F(FollowedFlow, IsRefusedWhereItIsOff) {
    two_hosts(0);
    nhms.direct(0, 1, directive());
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 1U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::Refused);
    net.send_many(0, 1, 40, Duration::microseconds(500), 8);
    net.run_for(Duration::milliseconds(60));
    EXPECT_TRUE(told().empty());
}

TEST_F(FollowedFlow, BytesAreRefusedWhereTheyMayNotBeTold) {
    two_hosts(1, 32);
    wire::DirectiveBody wanted = directive();
    wanted.flow.captured_packets = 1;
    wanted.flow.capture_bytes = 33;
    nhms.direct(0, 1, wanted);
    wanted.flow.capture_bytes = 32;
    nhms.direct(0, 2, wanted);
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(nhms.results.size(), 2U);
    EXPECT_EQ(nhms.results[0].status, wire::DirectiveStatus::Refused);
    EXPECT_EQ(nhms.results[1].status, wire::DirectiveStatus::Done);
}

TEST_F(FollowedFlow, ChangesNothingOfWhatGuestsGet) {
    std::vector<std::vector<std::uint8_t>> delivered[2];
    for (const bool followed : {false, true}) {
        Network one;
        FakeNhms service{one};
        for (int i = 0; i < 2; ++i) {
            one.add_host([&](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.update_interval = Duration::milliseconds(10);
                config.flow_traces = 1;
            });
        }
        one.send_many(0, 1, 400, Duration::microseconds(500), 4);
        one.run_for(Duration::milliseconds(60));
        wire::DirectiveBody body;
        body.kind = wire::DirectiveKind::TraceFlow;
        body.peer = one.host(1).config.address;
        body.flow = spec(7);
        body.flow.flow.source = one.host(0).guest_address;
        body.flow.flow.destination = one.host(1).guest_address;
        if (followed) service.direct(0, 1, body);
        one.run_for(Duration::milliseconds(200));
        delivered[followed ? 1 : 0] = one.host(1).delivered;
    }
    EXPECT_EQ(delivered[0].size(), 400U);
    EXPECT_EQ(delivered[0], delivered[1]);
}

}  // namespace
}  // namespace dyetrace::test
