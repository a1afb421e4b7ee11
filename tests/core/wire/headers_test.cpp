// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet, IPv4, UDP, ICMP and the checksum that the last three share.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "core/wire/ipv4.h"
#include "core/wire/udp.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

TEST(Checksum, SumsAndFoldsAsInRfc1071) {
    const Buffer bytes = vector_of("rfc1071");
    EXPECT_EQ(checksum_finish(checksum_add(bytes)), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, PadsAnOddByteWithZero) {
    const Buffer odd{0x12, 0x34, 0x56};
    const Buffer even{0x12, 0x34, 0x56, 0x00};
    EXPECT_EQ(checksum_add(odd), checksum_add(even));
}

// RFC 1624 §4: header sum with 0x5555 changed to 0x3285, where equation 2 fails and equation 3 gives zero.
TEST(Checksum, UpdatesAsInTheExampleOfRfc1624) {
    EXPECT_EQ(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(Checksum, UpdatedEqualsRecomputed) {
    Random random(7);
    for (int i = 0; i < 10'000; ++i) {
        Buffer bytes = random_bytes(random, 20);
        bytes[0] |= 1;  // a sum of all zeros has two checksums
        const std::uint16_t before = checksum_finish(checksum_add(bytes));
        const std::uint16_t old_word = load_u16(&bytes[8]);
        store_u16(&bytes[8], static_cast<std::uint16_t>(random.next()));
        EXPECT_EQ(checksum_update(before, old_word, load_u16(&bytes[8])),
                  checksum_finish(checksum_add(bytes)));
    }
}

EthernetHeader ethernet_header() {
    return {*MacAddress::parse("02:00:0a:00:01:02"), *MacAddress::parse("02:00:0a:00:00:01"), kEtherTypeIpv4};
}

TEST(EthernetCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("ethernet_header");
    const auto header = EthernetHeader::parse(bytes);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, ethernet_header());
    Buffer encoded(EthernetHeader::encoded_size());
    ethernet_header().encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(EthernetCodec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("ethernet_header");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto header = EthernetHeader::parse(first_of(bytes, size));
        ASSERT_FALSE(header.ok());
        EXPECT_EQ(header.error(), DropReason::EthernetTruncated);
    }
}

Ipv4Header ipv4_header() {
    Ipv4Header header;
    header.dscp = 0x2e;
    header.ecn = Ecn::Ect0;
    header.total_length = 100;
    header.identification = 0xbeef;
    header.ttl = 61;
    header.protocol = kProtocolUdp;
    header.source = *Ipv4Address::parse("10.0.0.1");
    header.destination = *Ipv4Address::parse("10.0.1.2");
    return header;
}

void mend_ipv4_checksum(Buffer& bytes) {
    store_u16(&bytes[10], 0);
    const std::size_t size = std::min<std::size_t>(bytes.size(), (bytes[0] & 0xfU) * 4);
    store_u16(&bytes[10], checksum_finish(checksum_add(Bytes(bytes).first(size))));
}

DropReason ipv4_refusal(const Buffer& bytes, std::size_t wire_size = 100) {
    const auto header = Ipv4Header::parse(bytes, wire_size);
    EXPECT_FALSE(header.ok());
    return header.ok() ? DropReason::kCount : header.error();
}

TEST(Ipv4Codec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("ipv4_header");
    const auto header = Ipv4Header::parse(bytes, 100);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, ipv4_header());
    Buffer encoded(Ipv4Header::encoded_size());
    ipv4_header().encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(Ipv4Codec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("ipv4_header");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(ipv4_refusal(first_of(bytes, size)), DropReason::Ipv4Truncated) << size;
}

TEST(Ipv4Codec, RefusesEachBadField) {
    const Buffer good = vector_of("ipv4_header");
    Buffer bytes = good;
    bytes[0] = 0x65;
    mend_ipv4_checksum(bytes);
    EXPECT_EQ(ipv4_refusal(bytes), DropReason::Ipv4BadVersion);
    for (const std::uint8_t length : std::initializer_list<std::uint8_t>{0, 1, 4}) {
        bytes = good;
        bytes[0] = static_cast<std::uint8_t>(0x40 | length);
        EXPECT_EQ(ipv4_refusal(bytes), DropReason::Ipv4BadHeaderLength);
    }
    bytes = good;
    bytes[0] = 0x46;  // one word of options that is not there
    EXPECT_EQ(ipv4_refusal(bytes), DropReason::Ipv4Truncated);
    bytes = good;
    store_u16(&bytes[2], 19);
    mend_ipv4_checksum(bytes);
    EXPECT_EQ(ipv4_refusal(bytes), DropReason::Ipv4BadTotalLength);
    EXPECT_EQ(ipv4_refusal(good, 99), DropReason::Ipv4BadTotalLength);
}

// RFC 791 §3.1
TEST(Ipv4Codec, RefusesEachFlippedBitByItsChecksum) {
    const Buffer good = vector_of("ipv4_header");
    for (std::size_t bit = 32; bit < 160; ++bit) {  // behind version, lengths and their own checks
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        EXPECT_EQ(ipv4_refusal(bytes), DropReason::Ipv4BadChecksum) << "bit " << bit;
    }
}

TEST(Ipv4Codec, AcceptsPaddingOfTheLinkAndOptions) {
    EXPECT_TRUE(Ipv4Header::parse(vector_of("ipv4_header"), 1000).ok());
    Buffer bytes = vector_of("ipv4_header");
    bytes.insert(bytes.end(), {0x94, 0x04, 0x00, 0x00});  // router alert, RFC 2113
    bytes[0] = 0x46;
    mend_ipv4_checksum(bytes);
    const auto header = Ipv4Header::parse(bytes, 100);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->header_length, 24);
}

TEST(Ipv4Codec, ReadsFragmentFields) {
    Ipv4Header header = ipv4_header();
    header.dont_fragment = false;
    header.more_fragments = true;
    header.fragment_offset = 0x1abc;
    Buffer bytes(Ipv4Header::kSize);
    header.encode_into(bytes);
    EXPECT_EQ(*Ipv4Header::parse(bytes, 100), header);
}

TEST(Ipv4Codec, SettingEcnMendsTheChecksum) {
    for (int before = 0; before < 4; ++before) {
        for (int after = 0; after < 4; ++after) {
            Ipv4Header header = ipv4_header();
            header.ecn = static_cast<Ecn>(before);
            Buffer bytes(Ipv4Header::kSize);
            header.encode_into(bytes);
            set_ipv4_ecn(bytes, static_cast<Ecn>(after));
            header.ecn = static_cast<Ecn>(after);
            const auto parsed = Ipv4Header::parse(bytes, 100);
            ASSERT_TRUE(parsed.ok());
            EXPECT_EQ(*parsed, header);
        }
    }
}

TEST(Ipv4Codec, RandomHeadersComeBack) {
    Random random(11);
    for (int i = 0; i < 10'000; ++i) {
        Ipv4Header header;
        header.dscp = static_cast<std::uint8_t>(random.below(64));
        header.ecn = static_cast<Ecn>(random.below(4));
        header.total_length = static_cast<std::uint16_t>(20 + random.below(65516));
        header.identification = static_cast<std::uint16_t>(random.next());
        header.dont_fragment = random.below(2) == 1;
        header.more_fragments = random.below(2) == 1;
        header.fragment_offset = static_cast<std::uint16_t>(random.below(8192));
        header.ttl = static_cast<std::uint8_t>(random.next());
        header.protocol = static_cast<std::uint8_t>(random.next());
        header.source = Ipv4Address{random.next_u32()};
        header.destination = Ipv4Address{random.next_u32()};
        Buffer bytes(Ipv4Header::kSize);
        header.encode_into(bytes);
        const auto parsed = Ipv4Header::parse(bytes, header.total_length);
        ASSERT_TRUE(parsed.ok());
        EXPECT_EQ(*parsed, header);
    }
}

constexpr Ipv4Address kRequester{0x0a000001};
constexpr Ipv4Address kAcceptor{0x0a000102};

TEST(UdpCodec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("udp_datagram");
    const auto header = UdpHeader::parse(bytes, bytes.size());
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->source_port, 46082);
    EXPECT_EQ(header->destination_port, 46081);
    EXPECT_EQ(header->length, 16);
    EXPECT_TRUE(udp_checksum_ok(kRequester, kAcceptor, bytes));
    Buffer encoded(UdpHeader::kSize);
    header->encode_into(encoded);
    EXPECT_EQ(encoded, first_of(bytes, UdpHeader::kSize));
    Buffer unsummed = bytes;
    store_u16(&unsummed[6], 0);
    EXPECT_EQ(udp_checksum(kRequester, kAcceptor, unsummed), header->checksum);
}

TEST(UdpCodec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("udp_datagram");
    for (std::size_t size = 0; size < UdpHeader::kSize; ++size) {
        const auto header = UdpHeader::parse(first_of(bytes, size), bytes.size());
        ASSERT_FALSE(header.ok());
        EXPECT_EQ(header.error(), DropReason::UdpTruncated);
    }
}

TEST(UdpCodec, RefusesLengthsThatAreTooSmallOrTooLarge) {
    Buffer bytes = vector_of("udp_datagram");
    for (const std::uint16_t length : std::initializer_list<std::uint16_t>{0, 7, 17, 65535}) {
        store_u16(&bytes[4], length);
        const auto header = UdpHeader::parse(bytes, bytes.size());
        ASSERT_FALSE(header.ok()) << length;
        EXPECT_EQ(header.error(), DropReason::UdpBadLength) << length;
    }
}

TEST(UdpCodec, ChecksumCoversAddressesAndEveryByte) {
    const Buffer good = vector_of("udp_datagram");
    for (std::size_t at = 0; at < good.size(); ++at) {
        Buffer bytes = good;
        bytes[at] ^= 0x10;
        EXPECT_FALSE(udp_checksum_ok(kRequester, kAcceptor, bytes)) << at;
    }
    EXPECT_FALSE(udp_checksum_ok(Ipv4Address{kRequester.value + 1}, kAcceptor, good));
    EXPECT_FALSE(udp_checksum_ok(kRequester, Ipv4Address{kAcceptor.value ^ 0x100}, good));
}

// RFC 768: an all-zero transmitted checksum means that none was made; one that computes to zero is sent as
// ones.
TEST(UdpCodec, ZeroChecksumMeansNoneAndIsNeverComputed) {
    Buffer bytes = vector_of("udp_datagram");
    store_u16(&bytes[6], 0);
    EXPECT_TRUE(udp_checksum_ok(kRequester, kAcceptor, bytes));
    const std::uint16_t sum = udp_checksum(kRequester, kAcceptor, bytes);
    Buffer zero = bytes;  // adding the checksum to a word of the payload makes the new sum all ones
    store_u16(&zero[8], static_cast<std::uint16_t>(checksum_finish(
                            static_cast<std::uint64_t>(static_cast<std::uint16_t>(~load_u16(&zero[8]))) +
                            static_cast<std::uint16_t>(~sum))));
    EXPECT_EQ(udp_checksum(kRequester, kAcceptor, zero), 0xffff);
}

IcmpTimeExceeded time_exceeded() {
    return {kRequester, kAcceptor, 7, 49157, 6081, 0, 8 + 28};
}

DropReason icmp_refusal(const Buffer& bytes) {
    const auto message = IcmpTimeExceeded::parse(bytes);
    EXPECT_FALSE(message.ok());
    return message.ok() ? DropReason::kCount : message.error();
}

void mend_icmp_checksum(Buffer& bytes) {
    store_u16(&bytes[2], 0);
    store_u16(&bytes[2], checksum_finish(checksum_add(bytes)));
}

TEST(IcmpCodec, ReadsItsVector) {
    const auto message = IcmpTimeExceeded::parse(vector_of("icmp_time_exceeded"));
    ASSERT_TRUE(message.ok());
    EXPECT_EQ(*message, time_exceeded());
}

TEST(IcmpCodec, QuotesAPacketAsItsVector) {
    Buffer packet = vector_of("tracked_packet");
    packet.erase(packet.begin(), packet.begin() + EthernetHeader::kSize);
    packet[8] = 0;
    Buffer message(8 + 68);
    message.resize(encode_icmp_time_exceeded(packet, message));
    EXPECT_EQ(message, vector_of("icmp_time_exceeded"));
}

TEST(IcmpCodec, RefusesEveryTruncation) {
    const Buffer good = vector_of("icmp_time_exceeded");
    for (std::size_t size = 0; size < good.size(); ++size) {
        Buffer bytes = first_of(good, size);
        if (size >= 4) mend_icmp_checksum(bytes);
        EXPECT_EQ(icmp_refusal(bytes), DropReason::IcmpTruncated) << size;
    }
}

TEST(IcmpCodec, RefusesEachFlippedBitByItsChecksum) {
    const Buffer good = vector_of("icmp_time_exceeded");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        EXPECT_EQ(icmp_refusal(bytes), DropReason::IcmpBadChecksum) << "bit " << bit;
    }
}

TEST(IcmpCodec, LeavesWhatIsNotATimeExceededOfUdpToOthers) {
    struct Change {
        std::size_t at;
        std::uint8_t value;
        DropReason reason;
    };
    constexpr Change kChanges[] = {
        {0, 8, DropReason::NotForUs},           // echo request
        {0, 3, DropReason::NotForUs},           // destination unreachable
        {1, 1, DropReason::NotForUs},           // fragment reassembly time exceeded
        {8 + 9, 6, DropReason::NotForUs},       // quotes TCP
        {8, 0x65, DropReason::Ipv4BadVersion},  // quotes IPv6
        {8, 0x44, DropReason::Ipv4BadVersion},  // quotes a header that is too short
        {8, 0x4f, DropReason::IcmpTruncated},   // quotes options and nothing behind them
    };
    for (const Change& change : kChanges) {
        Buffer bytes = vector_of("icmp_time_exceeded");
        bytes[change.at] = change.value;
        mend_icmp_checksum(bytes);
        EXPECT_EQ(icmp_refusal(bytes), change.reason) << change.at;
    }
}

// RFC 4884 and RFC 1812 §4.3.2.3: routers may quote more, and do not mend the quoted checksum.
TEST(IcmpCodec, AcceptsLongerQuotesAndQuotedOptions) {
    Buffer longer = vector_of("icmp_time_exceeded");
    longer.resize(longer.size() + 100, 0xab);
    mend_icmp_checksum(longer);
    EXPECT_EQ(*IcmpTimeExceeded::parse(longer), time_exceeded());
    Buffer options = vector_of("icmp_time_exceeded");
    options[8] = 0x46;
    options.insert(options.begin() + 28, {1, 1, 1, 0});
    mend_icmp_checksum(options);
    IcmpTimeExceeded behind_options = time_exceeded();
    behind_options.payload_offset += 4;
    EXPECT_EQ(*IcmpTimeExceeded::parse(options), behind_options);
}

}  // namespace
}  // namespace dyetrace::test
