// SPDX-License-Identifier: GPL-2.0-or-later
// Following one guest flow: the directive and its entries.
#include "core/wire/flow_trace.h"

#include <gtest/gtest.h>

#include "core/wire/directive.h"
#include "core/wire/update.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

constexpr std::size_t kSpec = DirectiveBody::kFixedSize;  ///< where it begins in the directive

DirectiveBody directive() {
    DirectiveBody body;
    body.kind = DirectiveKind::TraceFlow;
    body.peer = Ipv4Address{0x0a000102};
    body.flow.trace = 0x01020304;
    body.flow.flow = {Vni{1000}, Ipv4Address{0xc0a80001}, Ipv4Address{0xc0a80002}, 17, 10000, 2000};
    body.flow.packets = 100;
    body.flow.captured_packets = 3;
    body.flow.capture_bytes = 64;
    body.flow.duration = Duration::seconds(2);
    body.flow.sampled = 0x40000000;
    return body;
}

FlowStageEntry entry() {
    FlowStageEntry out;
    out.trace = 0x01020304;
    out.stage = FlowStage::EppcOut;
    out.generation = PathGeneration{2};
    out.path = PathIndex{5};
    out.packet = 0xcafef00d;
    out.frame_length = 142;
    out.at_ns = 1'700'000'000'500'000'000;
    out.captured = 5;
    for (std::uint8_t i = 0; i < 5; ++i)
        out.bytes[i] = static_cast<std::uint8_t>(0x0a + i);
    return out;
}

TEST(FlowTraceCodec, DirectiveIsItsVectorAndNoOtherLength) {
    const Buffer bytes = vector_of("directive_trace_flow");
    const auto parsed = DirectiveBody::parse(bytes);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, directive());
    ASSERT_EQ(directive().encoded_size(), bytes.size());
    Buffer encoded(bytes.size(), 0xee);
    directive().encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
    for (std::size_t size = 0; size < bytes.size() + 4; ++size) {
        if (size == bytes.size()) continue;
        Buffer other = bytes;
        other.resize(size);
        const auto refused = DirectiveBody::parse(other);
        ASSERT_FALSE(refused.ok()) << size;
        EXPECT_EQ(refused.error(), DropReason::ControlBadLength) << size;
    }
}

TEST(FlowTraceCodec, DirectiveRefusesEachFieldOutOfRange) {
    const std::string name = "directive_trace_flow";
    expect_bad_field<DirectiveBody>(name, kSpec + 4, {0});            // no stage
    expect_bad_field<DirectiveBody>(name, kSpec + 4, {0x10});         // one that does not exist
    expect_bad_field<DirectiveBody>(name, kSpec + 8, {1});            // a VNI of 25 bits
    expect_bad_field<DirectiveBody>(name, kSpec + 16, {0, 0});        // no packets
    expect_bad_field<DirectiveBody>(name, kSpec + 18, {0, 129});      // bytes captured
    expect_bad_field<DirectiveBody>(name, kSpec + 52, {0x80});        // below no time
    expect_bad_field<DirectiveBody>(name, kSpec + 52, {1});           // for years
    expect_bad_field<DirectiveBody>(name, kSpec + 52, Buffer(8, 0));  // for no time
    expect_bad_field<DirectiveBody>(name, 0, {15});                   // kinds next to it
    expect_bad_field<DirectiveBody>(name, 0, {17});
}

TEST(FlowTraceCodec, EntryIsItsVectorInAnUpdate) {
    const Buffer data = vector_of("flow_stage");
    const auto parsed = FlowStageEntry::parse(data);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, entry());
    EXPECT_EQ(entry().encoded_size(), data.size());
    const std::vector<UpdateEntry> list{entry(), entry()};
    Buffer bytes(UpdateBody::encoded_size(list));
    UpdateBody::encode_into(bytes, list);
    EXPECT_EQ(bytes[4], 16);  // its kind
    EXPECT_EQ(Buffer(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(data.size())), data);
    std::vector<UpdateEntry> again;
    ASSERT_TRUE(UpdateBody::parse(bytes, again).ok());
    EXPECT_EQ(again, list);
}

TEST(FlowTraceCodec, EntryRefusesEveryOtherLengthAndBadField) {
    const Buffer data = vector_of("flow_stage");
    for (std::size_t size = 0; size < data.size() + 3; ++size) {
        if (size == data.size()) continue;
        Buffer other = data;
        other.resize(size);
        EXPECT_EQ(FlowStageEntry::parse(other).error(), DropReason::ControlBadLength) << size;
    }
    Buffer other = data;
    other[4] = 4;
    EXPECT_EQ(FlowStageEntry::parse(other).error(), DropReason::ControlBadField);
    other = data;
    store_u16(&other[14], 129);
    EXPECT_EQ(FlowStageEntry::parse(other).error(), DropReason::ControlBadField);
}

TEST(TracedFlow, IsOneDirectionOfOneFlowInOneNetwork) {
    const TracedFlow flow = directive().flow.flow;
    InnerPacket packet;
    packet.is_ip = packet.has_ports = true;
    packet.source = flow.source;
    packet.destination = flow.destination;
    packet.protocol = 17;
    packet.source_port = 10000;
    packet.destination_port = 2000;
    EXPECT_TRUE(flow.matches(packet, Vni{1000}));
    EXPECT_FALSE(flow.matches(packet, Vni{1001}));
    const auto other = [&](auto change) {
        InnerPacket changed = packet;
        change(changed);
        return flow.matches(changed, Vni{1000});
    };
    EXPECT_FALSE(other([](auto& p) { p.source_port = 10001; }));
    EXPECT_FALSE(other([](auto& p) { p.destination_port = 2001; }));
    EXPECT_FALSE(other([](auto& p) { p.protocol = 6; }));
    EXPECT_FALSE(other([](auto& p) { std::swap(p.source, p.destination); }));
    EXPECT_FALSE(other([](auto& p) { p.is_ip = false; }));
    EXPECT_FALSE(other([](auto& p) { p.has_ports = false; }));
}

TEST(TracedFlow, IsAnyWhereSomethingIsZero) {
    InnerPacket packet;
    packet.is_ip = packet.has_ports = true;
    packet.source = Ipv4Address{0xc0a80001};
    packet.destination = Ipv4Address{0xc0a80002};
    packet.protocol = 17;
    packet.source_port = 10000;
    packet.destination_port = 2000;
    TracedFlow flow;
    flow.vni = Vni{1000};
    EXPECT_TRUE(flow.matches(packet, Vni{1000}));
    EXPECT_FALSE(flow.matches(packet, Vni{1001}));
    flow.destination = packet.destination;
    EXPECT_TRUE(flow.matches(packet, Vni{1000}));
    flow.destination_port = 2001;
    EXPECT_FALSE(flow.matches(packet, Vni{1000}));
    packet.destination_port = 2001;
    EXPECT_TRUE(flow.matches(packet, Vni{1000}));
    flow.protocol = 6;
    EXPECT_FALSE(flow.matches(packet, Vni{1000}));
    packet.has_ports = false;
    packet.protocol = 6;
    EXPECT_FALSE(flow.matches(packet, Vni{1000}));  // a fragment has none to tell by
}

}  // namespace
}  // namespace dyetrace::test
