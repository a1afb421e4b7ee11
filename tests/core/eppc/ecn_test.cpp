// SPDX-License-Identifier: GPL-2.0-or-later
// ECN through the tunnel (RFC 6040): the function, and whole packets.
#include "core/eppc/ecn.h"

#include <optional>

#include <gtest/gtest.h>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::DropReason;
using wire::Ecn;

constexpr Ecn kAll[] = {Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce};

/// RFC 6040 §4.2, figure 4: rows by the arriving inner header, columns by the arriving outer one, both in the
/// order Not-ECT, ECT(0), ECT(1), CE. Nothing: the packet must be dropped.
constexpr std::optional<Ecn> kFigure4[4][4] = {
    {Ecn::NotEct, Ecn::NotEct, Ecn::NotEct, std::nullopt},
    {Ecn::Ect0, Ecn::Ect0, Ecn::Ect1, Ecn::Ce},
    {Ecn::Ect1, Ecn::Ect1, Ecn::Ect1, Ecn::Ce},
    {Ecn::Ce, Ecn::Ce, Ecn::Ce, Ecn::Ce},
};

TEST(Ecn, IsThatOfRfc6040Figure4) {
    for (int inner = 0; inner < 4; ++inner) {
        for (int outer = 0; outer < 4; ++outer)
            EXPECT_EQ(eppc::ecn_after_decapsulation(kAll[inner], kAll[outer]), kFigure4[inner][outer]);
    }
}

// RFC 6040 §4.1, normal mode: the outer codepoint is a copy of the inner one, or nothing could be marked.
TEST(Ecn, IsCopiedToTheOuterHeader) {
    for (const Ecn inner : kAll) {
        Network net;
        net.add_host();
        net.add_host();
        (void)net.send(0, 1, 0, 100, inner);
        EXPECT_EQ(net.captured().front().seen.ip.ecn, inner);
    }
}

TEST(Ecn, OfThePacketThatIsDeliveredIsThatOfFigure4AndItsChecksumIsRight) {
    for (int inner = 0; inner < 4; ++inner) {
        for (int outer = 0; outer < 4; ++outer) {
            Network net;
            net.add_host();
            net.add_host();
            net.line(0, 1).hook = [outer](Transit& transit) {
                if (transit.seen.kind == SeenPacket::Kind::Data) set_outer_ecn(transit.bytes, kAll[outer]);
                return Fate{};
            };
            (void)net.send(0, 1, 0, 100, kAll[inner]);
            net.run_for(Duration::milliseconds(1));
            const auto expected = kFigure4[inner][outer];
            EXPECT_EQ(net.engine(1).drops().count(DropReason::EcnInvalid), expected ? 0U : 1U);
            ASSERT_EQ(net.host(1).delivered.size(), expected ? 1U : 0U);
            if (!expected) continue;
            const auto packet = Bytes(net.host(1).delivered.front()).subspan(14);
            const auto ip = wire::Ipv4Header::parse(packet, packet.size());
            ASSERT_TRUE(ip.ok());
            EXPECT_EQ(ip->ecn, *expected);
        }
    }
}

TEST(Ecn, AnInvalidCombinationIsADropAndNotALoss) {
    Network net;
    net.add_host();
    net.add_host();
    net.line(0, 1).hook = [](Transit& transit) {
        if (transit.seen.kind == SeenPacket::Kind::Data && transit.ordinal % 3 == 0)
            set_outer_ecn(transit.bytes, Ecn::Ce);
        return Fate{};
    };
    net.send_many(0, 1, 600, Duration::microseconds(20));
    net.run_for(Duration::milliseconds(30));
    ASSERT_TRUE(net.close_all());
    EXPECT_GT(net.engine(1).drops().count(DropReason::EcnInvalid), 100U);
    ASSERT_FALSE(net.host(0).metrics.empty());
    for (const auto& metrics : net.host(0).metrics)
        EXPECT_EQ(metrics.record.sent, metrics.record.received);
}

TEST(Ecn, OfGuestsThatDoNotSpeakIpv4IsNotEct) {
    Network net;
    net.add_host();
    net.add_host();
    std::vector<std::uint8_t> frame(60);
    std::copy_n(net.host(1).guest_mac.octets.begin(), 6, frame.begin());
    std::copy_n(net.host(0).guest_mac.octets.begin(), 6, frame.begin() + 6);
    store_u16(&frame[12], 0x0806);
    EXPECT_FALSE(net.send_frame(0, kGuestPort, frame));
    EXPECT_EQ(net.captured().front().seen.ip.ecn, Ecn::NotEct);
    net.run_for(Duration::milliseconds(1));
    ASSERT_EQ(net.host(1).delivered.size(), 1U);
    EXPECT_EQ(net.host(1).delivered.front(), frame);
}

}  // namespace
}  // namespace dyetrace::test
