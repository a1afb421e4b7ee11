// SPDX-License-Identifier: GPL-2.0-or-later
// IPv6, what both versions have in common, and what is summed over them: UDP and ICMPv6.
#include "core/wire/ip.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/wire/checksum.h"
#include "core/wire/ethernet.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/icmpv6.h"
#include "core/wire/ipv6.h"
#include "core/wire/udp.h"
#include "tests/core/wire/vectors.h"

namespace dyetrace::test {
namespace {

using namespace dyetrace::wire;

const IpAddress kRequester = *IpAddress::parse("2001:db8::1");
const IpAddress kAcceptor = *IpAddress::parse("2001:db8::1:2");
const IpAddress kRouter = *IpAddress::parse("2001:db8:ff::7");

Ipv6Header ipv6_header() {
    Ipv6Header header;
    header.dscp = 0x2e;
    header.ecn = Ecn::Ect0;
    header.flow_label = 0xbeef5;
    header.payload_length = 90;
    header.next_header = kProtocolUdp;
    header.source = kRequester;
    header.destination = kAcceptor;
    return header;
}

DropReason refusal(const Buffer& bytes, std::size_t wire_size = 130) {
    const auto header = Ipv6Header::parse(bytes, wire_size);
    EXPECT_FALSE(header.ok());
    return header.ok() ? DropReason::kCount : header.error();
}

TEST(Ipv6Codec, ReadsAndWritesItsVector) {
    const Buffer bytes = vector_of("ipv6_header");
    const auto header = Ipv6Header::parse(bytes, 130);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(*header, ipv6_header());
    Buffer encoded(Ipv6Header::encoded_size());
    ipv6_header().encode_into(encoded);
    EXPECT_EQ(encoded, bytes);
}

TEST(Ipv6Codec, RefusesEveryTruncation) {
    const Buffer bytes = vector_of("ipv6_header");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(refusal(first_of(bytes, size)), DropReason::Ipv6Truncated) << size;
}

TEST(Ipv6Codec, RefusesEachBadField) {
    const Buffer good = vector_of("ipv6_header");
    for (int version = 0; version < 16; ++version) {
        if (version == 6) continue;
        Buffer bytes = good;
        bytes[0] = static_cast<std::uint8_t>(version << 4 | (bytes[0] & 0xf));
        EXPECT_EQ(refusal(bytes), DropReason::Ipv6BadVersion) << version;
    }
    EXPECT_EQ(refusal(good, 129), DropReason::Ipv6BadPayloadLength);
    EXPECT_TRUE(Ipv6Header::parse(good, 1000).ok());  // padding of the link
}

TEST(Ipv6Codec, RandomHeadersComeBack) {
    Random random(13);
    for (int i = 0; i < 10'000; ++i) {
        Ipv6Header header;
        header.dscp = static_cast<std::uint8_t>(random.below(64));
        header.ecn = static_cast<Ecn>(random.below(4));
        header.flow_label = random.next_u32() & Ipv6Header::kFlowLabelMask;
        header.payload_length = static_cast<std::uint16_t>(random.next());
        header.next_header = static_cast<std::uint8_t>(random.next());
        header.hop_limit = static_cast<std::uint8_t>(random.next());
        header.source = {random.next(), random.next()};
        header.destination = {random.next(), random.next()};
        Buffer bytes(Ipv6Header::kSize);
        header.encode_into(bytes);
        const auto parsed = Ipv6Header::parse(bytes, Ipv6Header::kSize + header.payload_length);
        ASSERT_TRUE(parsed.ok());
        EXPECT_EQ(*parsed, header);
    }
}

TEST(Ipv6Codec, SettingEcnChangesNothingElse) {
    for (int before = 0; before < 4; ++before) {
        for (int after = 0; after < 4; ++after) {
            Ipv6Header header = ipv6_header();
            header.ecn = static_cast<Ecn>(before);
            Buffer bytes(Ipv6Header::kSize);
            header.encode_into(bytes);
            set_ipv6_ecn(bytes, static_cast<Ecn>(after));
            header.ecn = static_cast<Ecn>(after);
            EXPECT_EQ(*Ipv6Header::parse(bytes, 130), header);
        }
    }
}

/// One extension header of a kind and a length, in front of another.
Buffer extension(std::uint8_t next, std::uint8_t length_field, std::size_t size) {
    Buffer bytes(size);
    bytes[0] = next;
    bytes[1] = length_field;
    return bytes;
}

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const Buffer& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

Ipv6Header before(std::uint8_t next_header) {
    Ipv6Header header = ipv6_header();
    header.next_header = next_header;
    return header;
}

// RFC 8200 §4.1: any order, any number; each says how long it is.
TEST(Ipv6ExtensionHeaders, AreSteppedOver) {
    const Buffer udp(8);
    EXPECT_EQ(*find_ipv6_upper_layer(before(kProtocolUdp), udp),
              (Ipv6UpperLayer{kProtocolUdp, 0, false, false}));
    // Hop-by-hop options, destination options, routing and authentication header.
    const Buffer chain = joined({extension(60, 0, 8), extension(43, 1, 16), extension(51, 2, 24),
                                 extension(kProtocolUdp, 2, 16), udp});
    EXPECT_EQ(*find_ipv6_upper_layer(before(0), chain), (Ipv6UpperLayer{kProtocolUdp, 64, true, false}));
}

TEST(Ipv6ExtensionHeaders, AFragmentHeaderEndsTheWalk) {
    const Buffer chain = joined({extension(44, 0, 8), extension(kProtocolUdp, 0, 8), Buffer(8)});
    EXPECT_EQ(*find_ipv6_upper_layer(before(60), chain), (Ipv6UpperLayer{kProtocolUdp, 16, true, true}));
}

TEST(Ipv6ExtensionHeaders, CutShortAreRefusedAndEndlessOnesLeft) {
    const Buffer chain = joined({extension(43, 0, 8), extension(44, 1, 16), extension(kProtocolUdp, 0, 8)});
    for (std::size_t size = 0; size < chain.size(); ++size) {
        const auto cut = find_ipv6_upper_layer(before(0), first_of(chain, size));
        ASSERT_FALSE(cut.ok()) << size;
        EXPECT_EQ(cut.error(), DropReason::Ipv6Truncated);
    }
    Buffer endless;
    for (int i = 0; i < 100; ++i)
        endless = joined({endless, extension(60, 0, 8)});
    const auto walked = find_ipv6_upper_layer(before(60), endless);
    ASSERT_TRUE(walked.ok());
    EXPECT_EQ(walked->protocol, 60);
}

TEST(IpHeader, SaysOfBothVersionsTheSame) {
    const Buffer v6 = vector_of("ipv6_packet");
    const auto of_v6 = IpHeader::parse(kEtherTypeIpv6, Bytes(v6).subspan(14), v6.size() - 14);
    ASSERT_TRUE(of_v6.ok());
    EXPECT_EQ(of_v6->source, kRequester);
    EXPECT_EQ(of_v6->destination, kAcceptor);
    EXPECT_EQ(of_v6->flow_label, 0xbeef5U);
    EXPECT_EQ(of_v6->ttl, 64);
    EXPECT_EQ(of_v6->header_length, 40U);
    EXPECT_EQ(of_v6->payload_length, v6.size() - 54);
    const Buffer v4 = vector_of("ipv4_header");
    const auto of_v4 = IpHeader::parse(kEtherTypeIpv4, v4, 100);
    ASSERT_TRUE(of_v4.ok());
    EXPECT_EQ(of_v4->source, IpAddress(Ipv4Address{0x0a000001}));
    EXPECT_EQ(of_v4->identification, 0xbeef);
    EXPECT_EQ(of_v4->ttl, 61);
    EXPECT_EQ(of_v4->payload_length, 80U);
    for (const IpHeader& header : {*of_v4, *of_v6}) {
        EXPECT_EQ(header.dscp, 0x2e);
        EXPECT_EQ(header.ecn, Ecn::Ect0);
        EXPECT_EQ(header.protocol, kProtocolUdp);
        EXPECT_FALSE(header.is_fragment || header.is_extended);
    }
    EXPECT_EQ(IpHeader::parse(0x0806, v4, 100).error(), DropReason::NotForUs);
    EXPECT_EQ(IpHeader::parse(kEtherTypeIpv6, v4, 100).error(), DropReason::Ipv6Truncated);
    EXPECT_EQ(IpHeader::parse(kEtherTypeIpv4, Bytes(v6).subspan(14), 100).error(),
              DropReason::Ipv4BadVersion);
}

// RFC 8200 §8.1
TEST(UdpOverIpv6, ItsVectorsChecksumIsRight) {
    const Buffer bytes = vector_of("udp_datagram_ipv6");
    EXPECT_TRUE(udp_checksum_ok(kRequester, kAcceptor, bytes));
    Buffer unsummed = bytes;
    store_u16(&unsummed[6], 0);
    EXPECT_EQ(udp_checksum(kRequester, kAcceptor, unsummed), load_u16(&bytes[6]));
}

TEST(UdpOverIpv6, ChecksumCoversAddressesAndEveryByte) {
    const Buffer good = vector_of("udp_datagram_ipv6");
    for (std::size_t at = 0; at < good.size(); ++at) {
        Buffer bytes = good;
        bytes[at] ^= 0x10;
        EXPECT_FALSE(udp_checksum_ok(kRequester, kAcceptor, bytes)) << at;
    }
    for (int bit = 0; bit < 64; ++bit) {
        const std::uint64_t flip = std::uint64_t{1} << bit;
        EXPECT_FALSE(udp_checksum_ok({kRequester.high ^ flip, kRequester.low}, kAcceptor, good));
        EXPECT_FALSE(udp_checksum_ok(kRequester, {kAcceptor.high, kAcceptor.low ^ flip}, good));
    }
}

// RFC 1071 §2 (B): a tail that begins at an odd offset contributes its bytes swapped.
TEST(Checksum, OfHeadAndTailIsThatOfTheWhole) {
    Random random(17);
    for (int i = 0; i < 2000; ++i) {
        const Buffer whole = random_bytes(random, random.below(200));
        const std::size_t cut = random.below(static_cast<std::uint32_t>(whole.size()) + 1);
        Buffer head = first_of(whole, cut);
        const Bytes tail = Bytes(whole).subspan(cut);
        const std::uint16_t tail_sum = checksum_fold(checksum_add(tail));
        const std::uint64_t split = checksum_add(PartlyHeld{head, tail.size(), tail_sum});
        EXPECT_EQ(checksum_finish(split), checksum_finish(checksum_add(whole))) << whole.size() << ' ' << cut;
        FrameBuffer frame{head.data(), 0, head.size(), tail.size(), tail_sum};
        EXPECT_EQ(inner_checksum(frame), checksum_finish(checksum_add(whole)));
    }
}

TEST(Checksum, OfAnyLengthAndPlaceIsTheSumOfItsWords) {
    Random random(19);
    const Buffer bytes = random_bytes(random, 300);
    for (std::size_t from = 0; from < 17; ++from) {
        for (std::size_t size = 0; from + size <= 100; ++size) {
            std::uint64_t words = 0;
            for (std::size_t i = 0; i < size; ++i)
                words += static_cast<std::uint64_t>(bytes[from + i]) << (i % 2 == 0 ? 8 : 0);
            EXPECT_EQ(checksum_finish(checksum_add(Bytes(bytes).subspan(from, size))),
                      checksum_finish(words));
        }
    }
    const Buffer ones(65536, 0xff);
    EXPECT_EQ(checksum_finish(checksum_add(ones)), 0);
}

IcmpTimeExceeded time_exceeded() {
    IcmpTimeExceeded message;
    message.quoted_source = kRequester;
    message.quoted_destination = kAcceptor;
    message.quoted_source_port = 49157;
    message.quoted_destination_port = 6081;
    message.quoted_udp_checksum = load_u16(&vector_of("ipv6_packet")[14 + 40 + 6]);
    message.payload_offset = 8 + 40 + 8;
    return message;
}

DropReason icmpv6_refusal(const Buffer& bytes) {
    const auto message = parse_icmpv6_time_exceeded(kRouter, kRequester, bytes);
    EXPECT_FALSE(message.ok());
    return message.ok() ? DropReason::kCount : message.error();
}

void mend_icmpv6_checksum(Buffer& bytes) {
    store_u16(&bytes[2], 0);
    store_u16(&bytes[2],
              checksum_finish(checksum_add(bytes, pseudo_header_sum(kRouter, kRequester, 58, bytes.size()))));
}

TEST(Icmpv6Codec, ReadsItsVector) {
    const auto message = parse_icmpv6_time_exceeded(kRouter, kRequester, vector_of("icmpv6_time_exceeded"));
    ASSERT_TRUE(message.ok());
    EXPECT_EQ(*message, time_exceeded());
}

TEST(Icmpv6Codec, QuotesAPacketAsItsVector) {
    Buffer packet = vector_of("ipv6_packet");
    packet.erase(packet.begin(), packet.begin() + EthernetHeader::kSize);
    packet[7] = 0;
    Buffer message(kIcmpv6SizeMost);
    message.resize(encode_icmpv6_time_exceeded(kRouter, kRequester, packet, message));
    EXPECT_EQ(message, vector_of("icmpv6_time_exceeded"));
}

// RFC 4443 §2.4 (c)
TEST(Icmpv6Codec, AMessageIsNoLongerThanTheLeastMtu) {
    Buffer packet = vector_of("ipv6_packet");
    packet.erase(packet.begin(), packet.begin() + EthernetHeader::kSize);
    packet.resize(3000);
    Buffer message(kIcmpv6SizeMost);
    EXPECT_EQ(encode_icmpv6_time_exceeded(kRouter, kRequester, packet, message), 1240U);
    EXPECT_TRUE(parse_icmpv6_time_exceeded(kRouter, kRequester, message).ok());
}

TEST(Icmpv6Codec, RefusesEveryTruncationOfWhatItNeeds) {
    const Buffer good = vector_of("icmpv6_time_exceeded");
    for (std::size_t size = 0; size < 8 + 40 + 8; ++size) {
        Buffer bytes = first_of(good, size);
        if (size >= 4) mend_icmpv6_checksum(bytes);
        EXPECT_EQ(icmpv6_refusal(bytes), DropReason::IcmpTruncated) << size;
    }
    Buffer least = first_of(good, 8 + 40 + 8);  // a quote that ends with the UDP header is enough
    mend_icmpv6_checksum(least);
    EXPECT_EQ(*parse_icmpv6_time_exceeded(kRouter, kRequester, least), time_exceeded());
}

// RFC 4443 §2.3: the checksum covers the pseudo-header too.
TEST(Icmpv6Codec, RefusesEachFlippedBitByItsChecksum) {
    const Buffer good = vector_of("icmpv6_time_exceeded");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Buffer bytes = good;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        EXPECT_EQ(icmpv6_refusal(bytes), DropReason::IcmpBadChecksum) << "bit " << bit;
    }
    EXPECT_EQ(parse_icmpv6_time_exceeded(kAcceptor, kRequester, good).error(), DropReason::IcmpBadChecksum);
    EXPECT_EQ(parse_icmpv6_time_exceeded(kRouter, kAcceptor, good).error(), DropReason::IcmpBadChecksum);
}

TEST(Icmpv6Codec, LeavesWhatIsNotATimeExceededOfUdpToOthers) {
    struct Change {
        std::size_t at;
        std::uint8_t value;
        DropReason reason;
    };
    constexpr Change kChanges[] = {
        {0, 135, DropReason::NotForUs},         // neighbour solicitation
        {0, 1, DropReason::NotForUs},           // destination unreachable
        {1, 1, DropReason::NotForUs},           // fragment reassembly time exceeded
        {8 + 6, 6, DropReason::NotForUs},       // quotes TCP
        {8 + 6, 44, DropReason::NotForUs},      // quotes a fragment
        {8, 0x45, DropReason::Ipv6BadVersion},  // quotes IPv4
    };
    for (const Change& change : kChanges) {
        Buffer bytes = vector_of("icmpv6_time_exceeded");
        bytes[change.at] = change.value;
        mend_icmpv6_checksum(bytes);
        EXPECT_EQ(icmpv6_refusal(bytes), change.reason) << change.at;
    }
}

}  // namespace
}  // namespace dyetrace::test
