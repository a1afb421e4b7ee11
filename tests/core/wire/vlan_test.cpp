// SPDX-License-Identifier: GPL-2.0-or-later
// VLAN tags, and what is found behind them.
#include "core/wire/vlan.h"

#include <gtest/gtest.h>

#include "core/wire/guest_frame.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

VlanTag service_tag() {
    return {kEtherTypeServiceVlan, 5, true, 0x123};
}

TEST(VlanTagCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("vlan_tag");
    EXPECT_EQ(VlanTag::parse(bytes), service_tag());
    Buffer encoded(VlanTag::encoded_size());
    service_tag().encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(VlanTagCodec, EveryTagComesBack) {
    for (std::uint32_t control = 0; control < 0x10000; ++control) {
        Buffer bytes(VlanTag::kSize);
        store_u16(&bytes[0], kEtherTypeVlan);
        store_u16(&bytes[2], static_cast<std::uint16_t>(control));
        Buffer encoded(VlanTag::kSize);
        VlanTag::parse(bytes).encode_into(encoded);
        ASSERT_EQ(encoded, bytes);
    }
}

/// A frame with these EtherTypes one behind the other, each but the last with the control field of a tag.
Buffer frame_of(std::initializer_list<std::uint16_t> ether_types, std::size_t payload) {
    Buffer bytes(12);
    for (const std::uint16_t type : ether_types) {
        const std::size_t at = bytes.size();
        bytes.resize(at + 4);
        store_u16(&bytes[at], type);
        store_u16(&bytes[at + 2], 7);
    }
    bytes.resize(bytes.size() - 2 + payload);
    return bytes;
}

TEST(EtherPayload, IsFoundBehindTags) {
    EXPECT_EQ(find_ether_payload(frame_of({0x0800}, 20)), (EtherPayload{0x0800, 14, 0}));
    EXPECT_EQ(find_ether_payload(frame_of({0x8100, 0x86dd}, 40)), (EtherPayload{0x86dd, 18, 1}));
    EXPECT_EQ(find_ether_payload(frame_of({0x88a8, 0x8100, 0x0806}, 28)), (EtherPayload{0x0806, 22, 2}));
    EXPECT_EQ(find_ether_payload(frame_of({0x8100, 0x8100, 0x8100, 0x8100, 0x0800}, 20)),
              (EtherPayload{0x0800, 30, 4}));
}

TEST(EtherPayload, StaysATagWhereTheFrameEndsOrTheDepthDoes) {
    EXPECT_EQ(find_ether_payload(frame_of({0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x0800}, 20)),
              (EtherPayload{0x8100, 30, 4}));
    EXPECT_EQ(find_ether_payload(frame_of({0x8100}, 0)), (EtherPayload{0x8100, 14, 0}));
    const Buffer cut = frame_of({0x8100, 0x0800}, 0);
    EXPECT_EQ(find_ether_payload(first_of(cut, cut.size() - 1)), (EtherPayload{0x8100, 14, 0}));
}

TEST(GuestFrame, IsAnIpPacketOnlyWithAWholeHeaderOfItsVersion) {
    const auto kind = [](Buffer frame, std::size_t ip_at, std::uint8_t first_byte) {
        if (ip_at < frame.size()) frame[ip_at] = first_byte;
        return inspect_guest_frame(frame).kind;
    };
    using Kind = GuestFrame::Kind;
    EXPECT_EQ(kind(frame_of({0x0800}, 20), 14, 0x45), Kind::Ipv4);
    EXPECT_EQ(kind(frame_of({0x0800}, 19), 14, 0x45), Kind::Other);
    EXPECT_EQ(kind(frame_of({0x0800}, 20), 14, 0x65), Kind::Other);
    EXPECT_EQ(kind(frame_of({0x86dd}, 40), 14, 0x60), Kind::Ipv6);
    EXPECT_EQ(kind(frame_of({0x86dd}, 39), 14, 0x60), Kind::Other);
    EXPECT_EQ(kind(frame_of({0x8100, 0x86dd}, 40), 18, 0x60), Kind::Ipv6);
    EXPECT_EQ(kind(frame_of({0x86dd}, 40), 14, 0x45), Kind::Other);
    EXPECT_EQ(inspect_guest_frame(Buffer(13)).kind, Kind::Other);
}

}  // namespace
}  // namespace dyetrace::test
