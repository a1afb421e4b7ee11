// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/sequence.h"
#include "core/base/time.h"

namespace dyetrace::test {
namespace {

TEST(Bytes, AreBigEndian) {
    std::array<std::uint8_t, 15> bytes{};
    ByteWriter out(bytes);
    out.u8(0x01);
    out.u16(0x0203);
    out.u32(0x04050607);
    out.u64(0x08090a0b0c0d0e0f);
    EXPECT_EQ(out.room(), 0U);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        EXPECT_EQ(bytes[i], i + 1);
    ByteReader in(bytes);
    EXPECT_EQ(in.u8(), 0x01);
    EXPECT_EQ(in.u16(), 0x0203);
    EXPECT_EQ(in.u32(), 0x04050607U);
    EXPECT_EQ(in.u64(), 0x08090a0b0c0d0e0fU);
    EXPECT_EQ(in.remaining(), 0U);
}

TEST(Bytes, KeepTheSignOfSignedIntegers) {
    std::array<std::uint8_t, 16> bytes{};
    ByteWriter out(bytes);
    out.i64(-1);
    out.i64(std::numeric_limits<std::int64_t>::min());
    ByteReader in(bytes);
    EXPECT_EQ(in.i64(), -1);
    EXPECT_EQ(in.i64(), std::numeric_limits<std::int64_t>::min());
}

TEST(BytesDeathTest, NeverReadOrWriteBeyondTheirView) {
    std::array<std::uint8_t, 3> bytes{};
    EXPECT_DEATH(ByteReader(bytes).u32(), "impossible");
    EXPECT_DEATH(ByteWriter(bytes).u32(1), "impossible");
    EXPECT_DEATH(ByteReader(bytes).skip(4), "impossible");
}

TEST(Addresses, OfTheLinkAreReadAndWritten) {
    const auto mac = MacAddress::parse("02:aa:00:00:FF:01");
    ASSERT_TRUE(mac);
    EXPECT_EQ(mac->to_string(), "02:aa:00:00:ff:01");
    EXPECT_EQ(MacAddress::from_integer(mac->to_integer()), *mac);
    EXPECT_FALSE(mac->is_group());
    EXPECT_TRUE(MacAddress::parse("01:00:5e:00:00:01")->is_group());
    EXPECT_TRUE(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_group());
}

TEST(Addresses, OfTheLinkInAnyOtherFormAreRefused) {
    for (const char* text :
         {"", "02:aa:00:00:00", "02:aa:00:00:00:01:", "02-aa-00-00-00-01", "02:aa:00:00:00:0g",
          "2:aa:00:00:00:001", "02:aa:00:00:00:1 ", "+2:aa:00:00:00:01"})
        EXPECT_FALSE(MacAddress::parse(text)) << text;
}

TEST(Addresses, OfTheNetworkAreReadAndWritten) {
    EXPECT_EQ(Ipv4Address::parse("10.0.0.1")->value, 0x0a000001U);
    EXPECT_EQ(Ipv4Address::parse("255.255.255.255")->value, 0xffffffffU);
    EXPECT_EQ(Ipv4Address{0x0a0102ff}.to_string(), "10.1.2.255");
    EXPECT_TRUE(Ipv4Address::parse("0.0.0.0")->is_unspecified());
    EXPECT_EQ((Endpoint{Ipv4Address{0x0a000001}, 6081}.to_string()), "10.0.0.1:6081");
}

TEST(Addresses, OfTheNetworkInAnyOtherFormAreRefused) {
    for (const char* text : {"", "10.0.0", "10.0.0.", "10.0.0.0.", "10.0.0.256", "10.0.0.1000", "10.0.0.-1",
                             " 10.0.0.1", "10.0.0.1 ", "10.0.0.01", "10..0.1", "0x0a.0.0.1"})
        EXPECT_FALSE(Ipv4Address::parse(text)) << text;
}

TEST(Time, NeverStaysNever) {
    EXPECT_EQ(Time::never() + Duration::nanoseconds(0), Time::never());
    EXPECT_EQ(Time::never() + Duration::seconds(1), Time::never());
    EXPECT_EQ(Time{1} + Duration{std::numeric_limits<std::int64_t>::max()}, Time::never());
}

TEST(Time, ClocksThatDifferBeyondAllReasonSaturate) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(clocks_difference(Time{5}, Time{7}).ns, -2);
    EXPECT_EQ(clocks_difference(Time{5}, Time{kLeast}).ns, kMost);
    EXPECT_EQ(clocks_difference(Time{-5}, Time{kMost}).ns, kLeast);
}

TEST(Sequence, DistanceIsTheShortWayRound) {
    EXPECT_EQ(sequence_distance(std::uint32_t{10}, std::uint32_t{13}), 3);
    EXPECT_EQ(sequence_distance(std::uint32_t{13}, std::uint32_t{10}), -3);
    EXPECT_EQ(sequence_distance(std::uint32_t{0xffffffff}, std::uint32_t{1}), 2);
    EXPECT_EQ(sequence_distance(std::uint32_t{1}, std::uint32_t{0xffffffff}), -2);
    EXPECT_EQ(sequence_distance(std::uint16_t{0xffff}, std::uint16_t{1}), 2);
    EXPECT_EQ(sequence_distance(std::uint16_t{1}, std::uint16_t{0xffff}), -2);
}

// The first outputs for seed 1234567, as published with the algorithm (Vigna's splitmix64.c;
// rosettacode.org).
TEST(Random, IsSplitmix64) {
    Random random(1234567);
    EXPECT_EQ(random.next(), 6457827717110365317U);
    EXPECT_EQ(random.next(), 3203168211198807973U);
    EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(Random, BelowCoversItsRangeAndStaysInside) {
    Random random(1);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70'000; ++i)
        ++counts.at(random.below(7));
    // Binomial(70000, 1/7): six standard deviations are 555.
    for (const int count : counts)
        EXPECT_NEAR(count, 10'000, 555);
}

TEST(ResultDeathTest, ReadingTheWrongSideStopsTheProgram) {
    const Result<int, std::string> good = 5;
    const Result<int, std::string> bad = Failure{std::string("why")};
    EXPECT_TRUE(good.ok());
    EXPECT_EQ(*good, 5);
    EXPECT_EQ(bad.error(), "why");
    EXPECT_DEATH((void)bad.value(), "impossible");
    EXPECT_DEATH((void)good.error(), "impossible");
}

// RFC 4291 §2.2 (forms read), RFC 5952 §4 (the one form written).
TEST(IpAddress, ReadsEveryFormAndWritesOne) {
    const std::vector<std::pair<const char*, const char*>> forms{
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0DB8::0001", "2001:db8::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"fe80::", "fe80::"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // §4.2.2: a single group is not shortened
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // §4.2.3: the longest run
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"10.0.0.1", "10.0.0.1"},
    };
    for (const auto& [text, written] : forms) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->to_string(), written) << text;
        EXPECT_EQ(IpAddress::parse(written), address) << written;
    }
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
    for (const char* text : {"",
                             ":",
                             ":::",
                             "1::2::3",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8:9",
                             "1:2:3:4:5:6:7:8::",
                             "12345::",
                             "g::",
                             "::1%eth0",
                             "[::1]",
                             "1.2.3.4::",
                             "::1.2.3",
                             "::1.2.3.256",
                             "1:",
                             ":1",
                             "1.2.3",
                             " ::1",
                             "::+1",
                             "::-1",
                             "::0x1"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
}

TEST(IpAddress, TravelsInSixteenBytesIpv4AsMapped) {
    const IpAddress mapped = Ipv4Address{0x0a000001};
    std::array<std::uint8_t, IpAddress::kSize> bytes{};
    store_ip(bytes.data(), mapped);
    EXPECT_EQ(bytes, (std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}));
    EXPECT_EQ(load_ip(bytes.data()), mapped);
    EXPECT_TRUE(mapped.is_ipv4());
    EXPECT_EQ(mapped.ipv4(), Ipv4Address{0x0a000001});
    EXPECT_FALSE(IpAddress::parse("2001:db8::1")->is_ipv4());
    EXPECT_TRUE(IpAddress{Ipv4Address{}}.is_unspecified());
    EXPECT_TRUE(IpAddress{}.is_unspecified());
    EXPECT_EQ((Endpoint{*IpAddress::parse("2001:db8::1"), 6081}.to_string()), "[2001:db8::1]:6081");
}

}  // namespace
}  // namespace dyetrace::test
