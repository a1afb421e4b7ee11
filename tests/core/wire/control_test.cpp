// SPDX-License-Identifier: GPL-2.0-or-later
// The envelope of control messages.
#include "core/wire/control.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

constexpr ControlType kTypes[] = {
    ControlType::Request,   ControlType::Accept,          ControlType::Reject,         ControlType::Marker,
    ControlType::MarkerAck, ControlType::Report,          ControlType::ReportAck,      ControlType::Close,
    ControlType::CloseAck,  ControlType::PathTrace,       ControlType::PathTraceReply, ControlType::KeepAlive,
    ControlType::Challenge, ControlType::DelaySketch,     ControlType::Update,         ControlType::UpdateAck,
    ControlType::Directive, ControlType::DirectiveResult, ControlType::NhmsHello,
};

ControlHeader control_header() {
    ControlHeader header;
    header.type = ControlType::Report;
    header.key_id = KeyId{1};
    header.from_acceptor = true;
    header.session = SessionId{0xa1b2c3d4};
    header.message_number = 77;
    header.sender_boot = BootId{0x99aabbccddeeff01};
    header.receiver_boot = BootId{0x1122334455667788};
    return header;
}

DropReason refusal(const Buffer& bytes) {
    const auto message = ControlMessage::parse(bytes);
    EXPECT_FALSE(message.ok());
    return message.ok() ? DropReason::kCount : message.error();
}

TEST(ControlCodec, WritesItsVector) {
    Buffer encoded(ControlHeader::kSize);
    control_header().encode_into(encoded, ControlHeader::kSize + ControlHeader::kTagSize);
    EXPECT_EQ(encoded, vector_of("control_header"));
}

TEST(ControlCodec, TakesAMessageApart) {
    Buffer bytes = vector_of("control_header");
    const Buffer body{1, 2, 3, 4, 5};
    store_u16(&bytes[4], 32 + 5 + 16);
    bytes.insert(bytes.end(), body.begin(), body.end());
    for (std::uint8_t i = 0; i < 16; ++i)
        bytes.push_back(static_cast<std::uint8_t>(0xf0 + i));
    const auto message = ControlMessage::parse(bytes);
    ASSERT_TRUE(message.ok());
    EXPECT_EQ(message->header, control_header());
    EXPECT_TRUE(std::equal(body.begin(), body.end(), message->body.begin(), message->body.end()));
    EXPECT_EQ(message->tagged.size(), 37U);
    EXPECT_EQ(message->tagged.data(), bytes.data());
    EXPECT_EQ(message->tag[0], 0xf0);
    EXPECT_EQ(message->tag[15], 0xff);
}

TEST(ControlCodec, EveryTypeAndRoleComesBack) {
    for (const ControlType type : kTypes) {
        for (const bool from_acceptor : {false, true}) {
            ControlHeader header = control_header();
            header.type = type;
            header.from_acceptor = from_acceptor;
            Buffer bytes(ControlHeader::kSize + ControlHeader::kTagSize);
            header.encode_into(bytes, bytes.size());
            const auto message = ControlMessage::parse(bytes);
            ASSERT_TRUE(message.ok());
            EXPECT_EQ(message->header, header);
        }
    }
}

TEST(ControlCodec, EveryTypeHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (const ControlType type : kTypes)
        names.insert(to_string(type));
    EXPECT_EQ(names.size(), std::size(kTypes));
}

TEST(ControlCodec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("control_message");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(refusal(first_of(bytes, size)), DropReason::ControlTruncated) << size;
}

TEST(ControlCodec, RefusesEveryOtherVersionWhateverFollows) {
    for (int version = 0; version < 256; ++version) {
        if (version == ControlHeader::kVersion) continue;
        Buffer bytes = vector_of("control_message");
        bytes[0] = static_cast<std::uint8_t>(version);
        EXPECT_EQ(refusal(bytes), DropReason::ControlBadVersion);
        EXPECT_EQ(refusal(first_of(bytes, 1)), DropReason::ControlBadVersion);
    }
}

TEST(ControlCodec, RefusesEveryUnknownType) {
    const std::set<ControlType> known(std::begin(kTypes), std::end(kTypes));
    for (int type = 0; type < 256; ++type) {
        if (known.contains(static_cast<ControlType>(type))) continue;
        Buffer bytes = vector_of("control_message");
        bytes[1] = static_cast<std::uint8_t>(type);
        EXPECT_EQ(refusal(bytes), DropReason::ControlUnknownType) << type;
    }
}

TEST(ControlCodec, RefusesALengthBelowTheLeastOrBeyondThePacket) {
    for (std::uint16_t length = 0; length < 48; ++length) {
        Buffer bytes = vector_of("control_message");
        store_u16(&bytes[4], length);
        EXPECT_EQ(refusal(bytes), DropReason::ControlBadLength) << length;
    }
    for (const std::uint16_t length : std::initializer_list<std::uint16_t>{49, 1000, 65535}) {
        Buffer bytes = vector_of("control_message");
        store_u16(&bytes[4], length);
        EXPECT_EQ(refusal(bytes), DropReason::ControlTruncated) << length;
    }
}

TEST(ControlCodec, IgnoresUnknownFlagsReservedFieldAndPadding) {
    const Buffer good = vector_of("control_message");
    const auto expected = ControlMessage::parse(good);
    ASSERT_TRUE(expected.ok());
    Buffer bytes = good;
    bytes[3] |= 0xfe;
    bytes[6] = bytes[7] = 0xff;
    bytes.resize(bytes.size() + 20, 0xaa);
    const auto message = ControlMessage::parse(bytes);
    ASSERT_TRUE(message.ok());
    EXPECT_EQ(message->header, expected->header);
    EXPECT_EQ(message->tag, expected->tag);
    EXPECT_TRUE(message->body.empty());
}

TEST(DropReasons, HaveNamesOfTheirOwnAndCountersOfTheirOwn) {
    std::set<std::string_view> names;
    DropCounters counters;
    for (std::size_t i = 0; i < kDropReasonCount; ++i) {
        const auto reason = static_cast<DropReason>(i);
        names.insert(to_string(reason));
        counters.add(reason);
        EXPECT_EQ(counters.count(reason), 1U);
        EXPECT_EQ(counters.total(), i + 1);
    }
    EXPECT_EQ(names.size(), kDropReasonCount);
}

}  // namespace
}  // namespace dyetrace::test
