// SPDX-License-Identifier: GPL-2.0-or-later
// What tracked packets go through on the underlay, as the records of the acceptor show it.
#include <functional>

#include <gtest/gtest.h>

#include "core/wire/checksum.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using wire::Ecn;

struct Measurement : ::testing::Test {
    Network net;

    Measurement() {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](auto& config) {
                config.sampling = wire::SamplingSpec::every_nth(1);
                config.path_count = 1;
            });
        }
        for (int i = 0; i < 2; ++i) {  // the first asks for a session, the second opens an interval of it
            (void)net.send(0, 1);
            net.run_for(Duration::milliseconds(1));
        }
    }
    /// Does something to each tracked packet of host 0; the ordinal counts them.
    void treat(std::function<Fate(int ordinal, Transit& transit)> treatment) {
        net.line(0, 1).hook = [treatment = std::move(treatment), n = 0](Transit& transit) mutable {
            return transit.seen.track ? treatment(n++, transit) : Fate{};
        };
    }
    void send(int count, Ecn ecn = Ecn::NotEct) {
        for (int i = 0; i < count; ++i) {
            (void)net.send(0, 1, 0, 101, ecn);
            net.run_for(Duration::microseconds(1));
        }
        net.run_for(Duration::milliseconds(1));
    }
    wire::PathRecord final_record() {
        EXPECT_TRUE(net.close_all());
        EXPECT_FALSE(net.host(0).metrics.empty());
        return net.host(0).metrics.empty() ? wire::PathRecord{} : net.host(0).metrics.back().record;
    }
};

void set_ecn(std::vector<std::uint8_t>& frame, Ecn ecn) {
    frame[kOuterIp + 1] = static_cast<std::uint8_t>((frame[kOuterIp + 1] & ~3) | static_cast<int>(ecn));
    mend_ip(frame);
}

TEST_F(Measurement, ADamagedFrameIsCorruptedAndDeliveredAllTheSame) {
    treat([](int n, Transit& transit) {
        if (n % 4 == 0) transit.bytes.back() ^= 0x10;
        return Fate{};
    });
    const std::size_t delivered = net.host(1).delivered.size();
    send(20);
    EXPECT_EQ(net.host(1).delivered.size(), delivered + 20);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.corrupted, 5U);
    EXPECT_EQ(record.tracked_received, 20U);
    EXPECT_EQ(record.sent, record.received);
}

TEST_F(Measurement, EachFlippedBitOfAFrameIsSeenByItsOwnCheck) {
    const int bits = static_cast<int>((14 + 28 + 101) * 8);
    treat([](int n, Transit& transit) {
        transit.bytes[kGenevePayload + wire::TrackOption::kSize + static_cast<std::size_t>(n) / 8] ^=
            static_cast<std::uint8_t>(1U << (n % 8));
        return Fate{};
    });
    send(bits);
    EXPECT_EQ(final_record().corrupted, static_cast<unsigned>(bits));
}

// RFC 8926 §4.6: LSO replicates the options onto every segment.
TEST_F(Measurement, SegmentsOfOnePacketAreOnePacketAndNotCorrupted) {
    treat([this](int, Transit& transit) {
        auto segment = transit.bytes;
        segment.resize(segment.size() - 40);
        store_u16(&segment[kOuterUdp + 4], static_cast<std::uint16_t>(segment.size() - kOuterUdp));
        store_u16(&segment[kOuterIp + 2], static_cast<std::uint16_t>(segment.size() - kOuterIp));
        mend_ip(segment);
        net.deliver_later(1, segment, Duration::microseconds(10));
        transit.bytes = segment;
        return Fate{};
    });
    send(10);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.corrupted, 0U);
    EXPECT_EQ(record.tracked_received, 10U);
    EXPECT_EQ(record.duplicates, 10U);
    EXPECT_EQ(record.sent, record.received);
}

TEST_F(Measurement, MarksOfTheFabricAreToldFromThoseOfTheSender) {
    treat([](int n, Transit& transit) {
        if (n % 2 == 0) set_ecn(transit.bytes, Ecn::Ce);
        return Fate{};
    });
    send(10, Ecn::Ect0);
    send(10, Ecn::Ce);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.ce, 5U);
    EXPECT_EQ(record.ecn_invalid, 0U);
}

TEST_F(Measurement, AnInvalidCombinationOfEcnIsCountedApartFromLoss) {
    treat([](int n, Transit& transit) {
        if (n % 5 == 0) set_ecn(transit.bytes, Ecn::Ce);
        return Fate{};
    });
    const std::size_t delivered = net.host(1).delivered.size();
    send(20, Ecn::NotEct);
    EXPECT_EQ(net.host(1).delivered.size(), delivered + 16);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.ecn_invalid, 4U);
    EXPECT_EQ(record.ce, 4U);
    EXPECT_EQ(record.sent, record.received);
    EXPECT_EQ(record.tracked_received, 20U);
}

TEST_F(Measurement, AChangeOfRouteShowsInTheTtl) {
    treat([](int n, Transit& transit) {
        transit.bytes[kOuterIp + 8] = n < 10 || n >= 15 ? 60 : 58;
        mend_ip(transit.bytes);
        return Fate{};
    });
    send(20);
    EXPECT_EQ(final_record().ttl_changes, 2U);
}

TEST_F(Measurement, ReorderingIsMeasuredByNumberAndExtent) {
    treat([](int n, Transit&) {
        Fate fate;
        if (n == 5) fate.extra_delay = Duration::nanoseconds(3'500);  // three are sent meanwhile
        return fate;
    });
    send(20);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.late, 1U);
    EXPECT_EQ(record.reordering_extent_max, 3U);
    EXPECT_EQ(record.sent, record.received);
}

TEST_F(Measurement, JitterAndVariationAreThoseOfTheDelays) {
    treat([](int n, Transit&) {
        Fate fate;
        if (n % 2 == 1) fate.extra_delay = Duration::nanoseconds(160);
        return fate;
    });
    send(11);
    const wire::PathRecord record = final_record();
    EXPECT_EQ(record.ipdv_ns_sum, 10 * 160);
    double jitter = 0;
    for (int i = 0; i < 10; ++i)
        jitter += (160 - jitter) / 16;
    EXPECT_NEAR(record.jitter_ns, jitter, 1);
}

class WaitingTime : public Measurement, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(InTimeOrNot, WaitingTime, ::testing::Bool());

TEST_P(WaitingTime, ATrackedPacketBehindTheEndIsLateWithinTheWaitingTimeOnly) {
    const bool in_time = GetParam();
    const Duration waiting = net.host(1).config.waiting_time;
    treat([&](int n, Transit&) {
        Fate fate;
        if (n == 3) fate.extra_delay = in_time ? waiting / 2 : waiting * 2;
        return fate;
    });
    send(10);
    net.run_for(waiting / 4);  // the path falls idle
    const wire::PathRecord early = net.host(0).metrics.back().record;
    EXPECT_EQ(early.flags, 0);
    EXPECT_EQ(early.tracked_sent - early.tracked_received, 1U);
    EXPECT_EQ(early.sent - early.received, 1U);
    net.run_for(waiting * 2);
    const wire::PathRecord settled = net.host(0).metrics.back().record;
    EXPECT_EQ(settled.tracked_sent - settled.tracked_received, in_time ? 0U : 1U);
    EXPECT_EQ(settled.sent - settled.received, in_time ? 0U : 1U);
    EXPECT_EQ(settled.late, in_time ? 1U : 0U);
}

}  // namespace
}  // namespace dyetrace::test
