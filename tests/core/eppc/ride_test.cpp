// SPDX-License-Identifier: GPL-2.0-or-later
// Reports that ride in data packets: host 0 asks for a session, host 1 reports on what comes from there, and
// its guest sends to host 0's.
#include <algorithm>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "core/auth/keys.h"
#include "tests/core/eppc/truth.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using wire::ControlType;
using wire::DropReason;
using wire::ReportOption;
using Frame = std::vector<std::uint8_t>;

constexpr Duration kInterval = Duration::milliseconds(10);
constexpr Duration kWait = Duration::milliseconds(1);
constexpr std::uint32_t kUntimed =
    wire::kMetricsAll & ~std::uint32_t{wire::kMetricDelay | wire::kMetricQuantiles};

struct Rides : ::testing::Test {
    std::unique_ptr<Network> net;

    Network& two_hosts(const Network::Configure& configure = {}, const eppc::PeerOptions& options = {}) {
        net = std::make_unique<Network>();
        net->peer_options = options;
        for (std::size_t i = 0; i < 2; ++i) {
            net->add_host([&](auto& config) {
                config.sampling = wire::SamplingSpec::every_nth(2);
                config.report_interval = kInterval;
                config.ride_wait = kWait;
                config.metrics = kUntimed;
                config.open_on_traffic = i == 0;
                if (configure) configure(config);
            });
        }
        return *net;
    }
    void talk(int packets = 2000, std::size_t payload_back = 100) {
        for (int i = 0; i < packets; ++i) {
            const auto flow = static_cast<std::uint16_t>(i % 8);
            (void)net->send(0, 1, flow);
            (void)net->send(1, 0, flow, payload_back);
            net->run_for(Duration::microseconds(100));
        }
    }
    [[nodiscard]] const eppc::EppcCounters& requester() const { return net->engine(0).counters(); }
    [[nodiscard]] const eppc::EppcCounters& acceptor() const { return net->engine(1).counters(); }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const {
        return net->engine(0).drops().count(reason);
    }
    /// Totals of each path at the end; when a record was made is left out.
    std::map<std::uint16_t, wire::PathRecord> final_records() {
        EXPECT_TRUE(net->close_all());
        std::map<std::uint16_t, wire::PathRecord> records;
        for (const auto& metrics : net->host(0).metrics) {
            wire::PathRecord record = metrics.record;
            record.measured_ns = 0;
            records[record.path.value] = record;
        }
        return records;
    }
    /// Packets of a sort from host 1.
    template <class Which>
    std::vector<const Captured*> from_acceptor(const Which& which) const {
        std::vector<const Captured*> found;
        for (const Captured& packet : net->captured()) {
            if (packet.from == 1 && which(packet.seen)) found.push_back(&packet);
        }
        return found;
    }
    /// A ride that was sent and did not arrive.
    Frame fresh_ride() {
        Frame ride;
        net->line(1, 0).hook = [&](Transit& transit) {
            if (!transit.seen.ride || !ride.empty()) return Fate{};
            ride = transit.bytes;
            return Fate{0, {}};
        };
        for (int i = 0; i < 1000 && ride.empty(); ++i)
            talk(1);
        net->line(1, 0).hook = {};
        EXPECT_FALSE(ride.empty());
        return ride;
    }
};

bool has_ride(const SeenPacket& seen) {
    return seen.ride.has_value();
}
bool is_report(const SeenPacket& seen) {
    return seen.is(ControlType::Report);
}

/// The frame with other options.
Frame with_options(Frame frame, const Frame& options) {
    const auto old = static_cast<std::ptrdiff_t>((frame[kGeneve] & 0x3fU) * 4U);
    frame.erase(frame.begin() + kGenevePayload, frame.begin() + kGenevePayload + old);
    frame.insert(frame.begin() + kGenevePayload, options.begin(), options.end());
    frame[kGeneve] = static_cast<std::uint8_t>(options.size() / 4);
    store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
    store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
    mend_ip(frame);
    return frame;
}

Frame report_option_of(const Frame& frame) {  // it stands first
    return {frame.begin() + kGenevePayload, frame.begin() + kGenevePayload + ReportOption::kSize};
}

TEST_F(Rides, SaveReportPacketsWhereThereIsTrafficBack) {
    two_hosts([](auto& config) { config.ride_wait = {}; });
    talk();
    const std::uint64_t without = acceptor().reports_sent;
    EXPECT_EQ(acceptor().reports_ridden, 0U);
    two_hosts();
    talk();
    EXPECT_GT(without, 15U);
    EXPECT_LT(acceptor().reports_sent * 4, without);
    EXPECT_GT(acceptor().reports_ridden, 50U);
    EXPECT_EQ(requester().rides_received, acceptor().reports_ridden);
    EXPECT_EQ(from_acceptor(has_ride).size(), acceptor().reports_ridden);
    EXPECT_EQ(net->host(0).delivered.size(), 2000U);
    EXPECT_EQ(net->engine(0).drops().total(), 0U);
}

TEST_F(Rides, ChangeNoTotal) {
    std::vector<std::map<std::uint16_t, wire::PathRecord>> records;
    for (const Duration wait : {Duration{}, kWait}) {
        two_hosts([&](auto& config) { config.ride_wait = wait; });
        net->line(0, 1).hook = [n = 0](Transit& transit) mutable {
            return Fate{transit.seen.kind == SeenPacket::Kind::Data && ++n % 7 == 0 ? 0 : 1, {}};
        };
        talk();
        EXPECT_EQ(acceptor().reports_ridden > 0, wait.ns > 0);
        records.push_back(final_records());
        for (const PathTruth& truth : path_truth(*net, 0, 1)) {
            const auto& record = records.back().at(truth.path.value);
            EXPECT_EQ(record.sent, truth.sent);
            EXPECT_EQ(record.sent - record.received, truth.lost);
            EXPECT_EQ(record.tracked_sent - record.tracked_received, truth.tagged_lost);
        }
    }
    EXPECT_EQ(records[0].size(), 4U);
    EXPECT_EQ(records[0], records[1]);
}

TEST_F(Rides, ThatAreLostAreRepeatedInPackets) {
    two_hosts();
    net->line(1, 0).hook = lose_if([](const Transit& transit) { return transit.seen.ride.has_value(); });
    talk();
    EXPECT_GT(acceptor().reports_ridden, 10U);
    EXPECT_EQ(requester().rides_received, 0U);
    EXPECT_GT(requester().reports_received, 10U);
    const auto records = final_records();
    EXPECT_EQ(records.size(), 4U);
    for (const PathTruth& truth : path_truth(*net, 0, 1))
        EXPECT_EQ(records.at(truth.path.value).received, truth.sent - truth.lost);
}

TEST_F(Rides, WhoseAcknowledgementIsLostAreRepeatedToo) {
    two_hosts();
    net->line(0, 1).hook = [n = 0](Transit& transit) mutable {
        return Fate{transit.seen.is(ControlType::ReportAck) && ++n % 2 == 0 ? 0 : 1, {}};
    };
    talk();
    EXPECT_GT(requester().rides_received, 10U);
    EXPECT_GT(requester().reports_received, 10U);
    const auto records = final_records();
    for (const PathTruth& truth : path_truth(*net, 0, 1))
        EXPECT_EQ(records.at(truth.path.value).sent, truth.sent);
}

/// Guests' packets are no shorter for it: it goes where it fits beside a track option, to the byte.
TEST_F(Rides, OnlyWhereTheyFitTheMtu) {
    const std::size_t around = 20 + 8 + 8 + 14 + 20 + 8 + wire::TrackOption::kSize + ReportOption::kSize;
    for (const std::size_t payload : {1600 - around, 1600 - around + 1}) {
        two_hosts([](auto& config) { config.underlay_mtu = 1600; });
        talk(1000, payload);
        const bool fits = payload + around <= 1600;
        EXPECT_EQ(acceptor().reports_ridden > 0, fits);
        EXPECT_EQ(net->host(0).delivered.size(), 1000U);
        if (!fits) {
            EXPECT_GE(requester().reports_received, 9U);
        }
        for (const Captured* packet : from_acceptor(has_ride))
            EXPECT_LE(packet->bytes.size() - kOuterIp, 1600U);
    }
}

TEST_F(Rides, AreWaitedForNoLongerThanConfigured) {
    two_hosts();
    net->send_many(0, 1, 2000, Duration::microseconds(100));
    net->run_for(Duration::milliseconds(200));
    EXPECT_EQ(acceptor().reports_ridden, 0U);
    const auto reports = from_acceptor(is_report);
    ASSERT_GT(reports.size(), 15U);
    for (std::size_t i = 1; i < reports.size(); ++i) {
        const Duration gap = reports[i]->at - reports[i - 1]->at;
        EXPECT_GE(gap, kInterval);
        EXPECT_LE(gap, kInterval + kWait + Duration::microseconds(200)) << i;
    }
}

TEST_F(Rides, AreNotWaitedForByTheLastRecordsOfAPath) {
    two_hosts([](auto& config) { config.ride_wait = Duration::milliseconds(500); });
    net->send_many(0, 1, 100, Duration::microseconds(100));
    net->run_for(Duration::milliseconds(100));  // the paths fall idle and end
    const auto reports = from_acceptor(is_report);
    ASSERT_FALSE(reports.empty());
    std::optional<Time> end;
    for (const Captured& packet : net->captured()) {
        if (packet.from != 0 || !packet.seen.is(ControlType::Marker)) continue;
        const auto marker = wire::MarkerBody::parse(packet.seen.body);
        if (marker.ok() && marker->kind == wire::MarkerKind::End) end = packet.at;
    }
    ASSERT_TRUE(end);
    EXPECT_LE(reports.back()->at - *end, Duration::microseconds(200));
}

TEST_F(Rides, EveryBitOfAnOptionIsAuthenticatedAndThePacketIsDeliveredAllTheSame) {
    two_hosts();
    talk(300);
    const Frame ride = fresh_ride();
    const auto before = net->engine(0).digest(net->clock_of(0));
    const std::uint64_t taken = requester().rides_received;
    const auto inject = [&](const Frame& frame) {
        OwnedFrame owned(frame);
        const auto result = net->engine(0).decapsulate(owned.buffer, net->clock_of(0));
        EXPECT_EQ(result.kind, Decapsulated::Kind::Deliver);
        return owned.bytes();
    };
    std::uint64_t bad = dropped(DropReason::ReportBadTag);
    Frame guest;
    for (std::size_t bit = 0; bit < ReportOption::kDataSize * 8; ++bit) {
        Frame changed = ride;
        changed[kGenevePayload + 4 + bit / 8] ^= static_cast<std::uint8_t>(0x80U >> bit % 8);
        const Frame delivered = inject(changed);
        if (guest.empty()) guest = delivered;
        EXPECT_EQ(delivered, guest);
    }
    EXPECT_EQ(dropped(DropReason::ReportUnknownSession), 32U);
    bad += ReportOption::kDataSize * 8 - 32;
    EXPECT_EQ(dropped(DropReason::ReportBadTag), bad);

    Frame other_port = ride;
    other_port[kOuterUdp + 1] ^= 1;
    (void)inject(other_port);
    Frame foreign_key = ride;
    auth::TrackKey key;
    key.fill(0x42);
    const Bytes fields = Bytes(foreign_key)
                             .subspan(kGenevePayload + ReportOption::kTaggedOffset,
                                      ReportOption::kTagOffset - ReportOption::kTaggedOffset);
    const SeenPacket seen = look_at(foreign_key);
    store_u64(&foreign_key[kGenevePayload + ReportOption::kTagOffset],
              auth::track_tag(key, fields, {seen.source_port, seen.vni}));
    (void)inject(foreign_key);
    EXPECT_EQ(dropped(DropReason::ReportBadTag), bad + 2);
    EXPECT_EQ(net->engine(0).digest(net->clock_of(0)), before);

    EXPECT_EQ(inject(ride), guest);
    EXPECT_EQ(requester().rides_received, taken + 1);
    net->settle(0);
    const auto after = net->engine(0).digest(net->clock_of(0));
    EXPECT_NE(after, before);
    for (std::uint64_t i = 1; i <= 10; ++i) {
        EXPECT_EQ(inject(ride), guest);
        EXPECT_EQ(dropped(DropReason::ReportReplayed), i);
    }
    EXPECT_EQ(requester().rides_received, taken + 1);
    EXPECT_EQ(net->engine(0).digest(net->clock_of(0)), after);
}

// RFC 8926 §4.6: LSO replicates the options onto every segment.
TEST_F(Rides, CopiedOntoSegmentsAreTakenOnce) {
    two_hosts();
    net->line(1, 0).hook = [](Transit& transit) { return Fate{transit.seen.ride ? 3 : 1, {}}; };
    talk();
    EXPECT_GT(acceptor().reports_ridden, 10U);
    EXPECT_EQ(requester().rides_received, acceptor().reports_ridden);
    EXPECT_EQ(dropped(DropReason::ReportReplayed), 2 * acceptor().reports_ridden);
    EXPECT_EQ(net->host(0).delivered.size(), 2000 + 2 * acceptor().reports_ridden);
}

// RFC 8926 §3.5: an option may be repeated, and its length is its type's affair.
TEST_F(Rides, OptionsThatAreRepeatedOrOfAnotherLengthAreCountedAndThePacketDelivered) {
    two_hosts();
    talk(300);
    const Frame ride = fresh_ride();
    const Frame option = report_option_of(ride);
    const std::size_t delivered = net->host(0).delivered.size();
    const std::uint64_t taken = requester().rides_received;
    Frame longer = option;
    longer.resize(option.size() + 4);
    longer[3] = static_cast<std::uint8_t>(longer.size() / 4 - 1);
    (void)net->inject(0, with_options(ride, longer));
    EXPECT_EQ(dropped(DropReason::ReportBadLength), 1U);
    EXPECT_EQ(requester().rides_received, taken);
    Frame options;
    for (int i = 0; i < 2; ++i)
        options.insert(options.end(), option.begin(), option.begin() + ReportOption::kSize);
    (void)net->inject(0, with_options(ride, options));
    EXPECT_EQ(dropped(DropReason::ReportRepeated), 1U);
    EXPECT_EQ(dropped(DropReason::ReportReplayed), 0U);
    EXPECT_EQ(requester().rides_received, taken + 1);
    EXPECT_EQ(net->host(0).delivered.size(), delivered + 2);
}

TEST_F(Rides, StandBesideTrackOptionsWhereBothHostsMeasure) {
    two_hosts([](auto& config) { config.open_on_traffic = true; });
    talk();
    const auto both = from_acceptor([](const SeenPacket& seen) { return seen.ride && seen.track; });
    EXPECT_GT(both.size(), 5U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_GT(net->engine(i).counters().reports_ridden, 10U);
        EXPECT_EQ(net->engine(i).counters().rides_received, net->engine(1 - i).counters().reports_ridden);
    }
    for (const auto& [path, record] : final_records()) {
        EXPECT_EQ(record.corrupted, 0U);
        EXPECT_EQ(record.tracked_sent, record.tracked_received);
    }
}

TEST_F(Rides, AreCoveredByTheUdpChecksumOverIpv6) {
    two_hosts([n = std::size_t{0}](auto& config) mutable { config.address = ipv6_of(n++); });
    talk();
    EXPECT_GT(acceptor().reports_ridden, 10U);
    EXPECT_EQ(requester().rides_received, acceptor().reports_ridden);
    EXPECT_EQ(net->engine(0).drops().total(), 0U);
}

TEST_F(Rides, AreNotSentToVxlanPeers) {
    eppc::PeerOptions options;
    options.encapsulation = wire::Encapsulation::Vxlan;
    two_hosts({}, options);
    talk();
    EXPECT_GT(acceptor().reports_sent, 10U);
    EXPECT_EQ(acceptor().reports_ridden, 0U);
}

/// An option brings no delay samples, and the clock model must not starve.
TEST_F(Rides, LeaveEverySecondReportToAPacketWhereDelaysAreMeasured) {
    two_hosts([](auto& config) { config.metrics = wire::kMetricsAll; });
    talk();
    EXPECT_GT(acceptor().reports_ridden, 10U);
    const auto reports = from_acceptor(is_report);
    ASSERT_GT(reports.size(), 7U);
    for (std::size_t i = 1; i < reports.size(); ++i)
        EXPECT_LE(reports[i]->at - reports[i - 1]->at, kInterval * 2 + kWait * 2) << i;
    ASSERT_FALSE(net->host(0).timings.empty());
    EXPECT_TRUE(net->host(0).timings.back().timing.round_trip_known);
    EXPECT_TRUE(net->host(0).timings.back().timing.clock_known);
}

/// One packet and one acknowledgement are cheaper than so many.
TEST_F(Rides, AreNotWaitedForWhereManyRecordsAreDue) {
    two_hosts([](auto& config) { config.path_count = 64; });
    for (int i = 0; i < 4000; ++i) {
        (void)net->send(0, 1, static_cast<std::uint16_t>(i % 500));
        (void)net->send(1, 0, static_cast<std::uint16_t>(i % 500));
        net->run_for(Duration::microseconds(25));
    }
    EXPECT_GT(acceptor().reports_sent, 20U);
    EXPECT_LT(acceptor().reports_ridden, acceptor().reports_sent);
}

}  // namespace
}  // namespace dyetrace::test
