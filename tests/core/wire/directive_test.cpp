// SPDX-License-Identifier: GPL-2.0-or-later
// Directives of the NHMS to an EPPC.
#include "core/wire/directive.h"

#include <gtest/gtest.h>

#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

constexpr Ipv4Address kPeer{0x0a000102};

DirectiveBody directive(DirectiveKind kind) {
    DirectiveBody body;
    body.kind = kind;
    body.peer = kPeer;
    if (kind == DirectiveKind::Investigate || kind == DirectiveKind::OpenSession) {
        body.sampling = SamplingSpec::every_nth(10);
        body.duration = Duration::milliseconds(500);
    }
    if (kind == DirectiveKind::OpenSession) body.metrics = 0x7;
    if (kind == DirectiveKind::Repath)
        body.paths = {{PathIndex{5}, PathGeneration{2}}, {PathIndex{300}, PathGeneration{255}}};
    return body;
}

void expect_vector(const std::string& name, const DirectiveBody& expected) {
    SCOPED_TRACE(name);
    const Buffer bytes = vector_of(name);
    ASSERT_EQ(expected.encoded_size(), bytes.size());
    expect_body(bytes, expected);
}

TEST(DirectiveCodec, KnowsTheVectorOfEveryKindAndEveryLength) {
    expect_vector("directive", directive(DirectiveKind::Investigate));
    expect_vector("directive_open_session", directive(DirectiveKind::OpenSession));
    expect_vector("directive_trace", directive(DirectiveKind::Trace));
    expect_vector("directive_repath", directive(DirectiveKind::Repath));
}

TEST(DirectiveCodec, LooksPastWhatIsReserved) {
    expect_ignored<DirectiveBody>("directive", {{1, 4}, {21, 24}});
    expect_ignored<DirectiveBody>("directive_open_session", {{1, 4}, {21, 24}, {40, 44}});
    expect_ignored<DirectiveBody>("directive_trace", {{1, 4}, {22, 24}});
    expect_ignored<DirectiveBody>("directive_repath", {{1, 4}, {22, 24}, {27, 28}, {31, 32}});
}

TEST(DirectiveCodec, RefusesEveryBadField) {
    for (const char* name : {"directive", "directive_open_session", "directive_trace", "directive_repath"}) {
        expect_bad_field<DirectiveBody>(name, 0, {0});
        expect_bad_field<DirectiveBody>(name, 0, {5});
    }
    for (const char* name : {"directive", "directive_open_session"}) {
        expect_bad_field<DirectiveBody>(name, 20, {5});
        expect_bad_field<DirectiveBody>(name, 24, {0, 0, 0, 0});
        expect_bad_field<DirectiveBody>(name, 28, Buffer(8, 0xff));
    }
    expect_bad_field<DirectiveBody>("directive_trace", 20, {0, 1});
    expect_bad_field<DirectiveBody>("directive_repath", 20, {0, 0});
    expect_bad_field<DirectiveBody>("directive_repath", 20, {0, 65});
}

TEST(DirectiveCodec, TakesAsManyPathsAsMayBe) {
    DirectiveBody body = directive(DirectiveKind::Repath);
    for (std::uint16_t i = 2; i < DirectiveBody::kMaxPaths; ++i)
        body.paths.push_back({PathIndex{i}, PathGeneration{static_cast<std::uint8_t>(i)}});
    ASSERT_EQ(body.encoded_size(), DirectiveBody::kMaxSize);
    Buffer bytes(body.encoded_size());
    body.encode_into(bytes);
    const auto parsed = DirectiveBody::parse(bytes);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, body);
}

TEST(DirectiveResultCodec, KnowsItsVectorEveryLengthAndBadField) {
    expect_fixed_body("directive_result", DirectiveResultBody{DirectiveStatus::Done, 1, 12});
    expect_ignored<DirectiveResultBody>("directive_result", {{1, 2}, {6, 8}});
    expect_bad_field<DirectiveResultBody>("directive_result", 0, {0});
    expect_bad_field<DirectiveResultBody>("directive_result", 0, {5});
}

TEST(DirectiveCodec, EveryKindAndStatusHasAName) {
    for (std::uint8_t kind = 1; kind <= 4; ++kind)
        EXPECT_FALSE(to_string(static_cast<DirectiveKind>(kind)).empty());
    for (std::uint8_t status = 1; status <= 4; ++status)
        EXPECT_FALSE(to_string(static_cast<DirectiveStatus>(status)).empty());
}

}  // namespace
}  // namespace dyetrace::test
