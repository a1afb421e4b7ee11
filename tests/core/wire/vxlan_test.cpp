// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/vxlan.h"

#include <gtest/gtest.h>

#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

TEST(VxlanCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("vxlan_header");
    EXPECT_EQ(*VxlanHeader::parse(bytes), VxlanHeader{Vni{0x123456}});
    Buffer encoded(VxlanHeader::encoded_size(), 0xee);
    VxlanHeader{Vni{0x123456}}.encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(VxlanCodec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("vxlan_header");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(VxlanHeader::parse(first_of(bytes, size)).error(), DropReason::VxlanTruncated) << size;
}

// RFC 7348 §5: the I flag makes a VNI valid.
TEST(VxlanCodec, RefusesAHeaderWithoutTheIFlag) {
    Buffer bytes = vector_of("vxlan_header");
    for (int flags = 0; flags < 256; ++flags) {
        bytes[0] = static_cast<std::uint8_t>(flags);
        EXPECT_EQ(VxlanHeader::parse(bytes).ok(), (flags & 8) != 0) << flags;
    }
    bytes[0] = 0xf7;
    EXPECT_EQ(VxlanHeader::parse(bytes).error(), DropReason::VxlanNoVni);
}

// RFC 7348 §5: the other flags and the reserved fields are ignored on receipt.
TEST(VxlanCodec, IgnoresReservedFields) {
    Buffer bytes = vector_of("vxlan_header");
    for (const std::size_t at : {0U, 1U, 2U, 3U, 7U})
        bytes[at] = 0xff;
    EXPECT_EQ(*VxlanHeader::parse(bytes), VxlanHeader{Vni{0x123456}});
}

}  // namespace
}  // namespace dyetrace::test
