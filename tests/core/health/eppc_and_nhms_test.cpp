// SPDX-License-Identifier: GPL-2.0-or-later
// A real EPPC and a real health service, either of which restarts.
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "core/eppc/packet_builder.h"
#include "core/health/nhms.h"
#include "core/wire/udp.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

constexpr IpAddress kService{Ipv4Address{0x0a00ff01}};

/// Two hosts and the service that the first one tells.
class Site {
  public:
    Site() {
        net.add_host([](eppc::EppcConfig& config) {
            config.nhms = Endpoint{kService, health::NhmsConfig::kPortDefault};
            config.update_interval = Duration::milliseconds(10);
        });
        net.add_host();
        start_service();
        net.set_service(kService, [this](Bytes frame, std::size_t) { receive(frame); });
    }

    void start_service() {
        health::NhmsConfig config;
        config.endpoint = {kService, health::NhmsConfig::kPortDefault};
        config.key = net.host(0).config.key;
        service = std::make_unique<health::Nhms>(
            health::Nhms::create(config, {}, ++service_boots, net.now()).value());
        heard.clear();
    }

    /// What each path's newest totals are by the host's account; the service has to have heard the same.
    void expect_all_heard() {
        std::map<std::uint16_t, wire::PathRecord> newest;
        for (const auto& metrics : net.host(0).metrics)
            newest[metrics.record.path.value] = metrics.record;
        ASSERT_FALSE(newest.empty());
        EXPECT_EQ(heard, newest);
    }

    void replay(const std::vector<std::vector<std::uint8_t>>& frames) {
        for (const auto& frame : frames)
            receive(frame);
    }

    [[nodiscard]] std::vector<std::vector<std::uint8_t>> updates() const {
        std::vector<std::vector<std::uint8_t>> frames;
        for (const Captured& packet : net.captured()) {
            if (packet.seen.is(wire::ControlType::Update)) frames.push_back(packet.bytes);
        }
        return frames;
    }

    Network net;
    std::unique_ptr<health::Nhms> service;
    std::map<std::uint16_t, wire::PathRecord> heard;  ///< by path: the newest totals
    bool up = true;

  private:
    void receive(Bytes frame) {
        if (!up) return;
        const SeenPacket seen = look_at(frame);
        const Bytes payload = frame.subspan(kOuterUdp + wire::UdpHeader::kSize);
        service->handle({seen.ip.source, seen.source_port}, payload, net.now());
        while (const auto output = service->poll()) {
            if (const auto* record = std::get_if<health::RecordReceived>(&*output)) {
                wire::PathRecord& known = heard[record->entry.record.path.value];
                if (record->entry.record.measured_ns >= known.measured_ns) known = record->entry.record;
            } else if (const auto* datagram = std::get_if<health::Datagram>(&*output)) {
                eppc::ControlRoute route;
                route.next_hop_mac = net.host(0).config.mac;
                route.source = {kService, health::NhmsConfig::kPortDefault};
                route.destination = datagram->to;
                net.deliver_later(0, eppc::build_datagram(route, datagram->bytes),
                                  Duration::microseconds(10));
            }
        }
    }

    std::uint64_t service_boots = 0;
};

TEST(EppcAndNhms, UnderstandEachOther) {
    Site site;
    site.net.send_many(0, 1, 4000, Duration::microseconds(50));
    site.net.run_for(Duration::milliseconds(250));
    ASSERT_TRUE(site.net.close_all());
    site.net.run_for(Duration::milliseconds(50));
    site.expect_all_heard();
    EXPECT_EQ(site.service->counters().hellos, 1U);
    EXPECT_EQ(site.service->drops().total(), 0U);
    EXPECT_EQ(site.net.engine(0).drops().total(), 0U);
}

TEST(EppcAndNhms, AllTotalsReachAServiceThatRestartsInTheMiddle) {
    Site site;
    site.net.send_many(0, 1, 20'000, Duration::microseconds(50));
    for (int restart = 0; restart < 5; ++restart) {
        site.net.run_for(Duration::milliseconds(130));
        site.up = false;
        site.net.run_for(Duration::milliseconds(70));
        site.up = true;
        site.start_service();
    }
    ASSERT_TRUE(site.net.close_all());
    site.net.run_for(Duration::milliseconds(600));
    site.expect_all_heard();
    EXPECT_EQ(site.net.engine(0).counters().updates_sent, site.net.engine(0).counters().updates_acked);
}

// Both take both keys, each sends under the new one at another time, both forget the old one.
TEST(EppcAndNhms, KeysChangeUnderThemWithoutALoss) {
    Site site;
    const auth::NamedKey old{site.net.host(0).config.key_id, *site.net.host(0).config.key};
    auth::NamedKey fresh{KeyId{9}, {}};
    fresh.key.fill(0x99);
    const auto eppc_keys = [&](const auth::NamedKey& sending, const std::vector<auth::NamedKey>& others) {
        for (const std::size_t host : {0U, 1U})
            ASSERT_TRUE(site.net.engine(host).set_keys(sending, others, site.net.clock_of(host)).ok());
        site.net.settle(0);
        site.net.run_for(Duration::milliseconds(60));
    };
    const auto service_keys = [&](const auth::NamedKey& sending, const std::vector<auth::NamedKey>& others) {
        ASSERT_TRUE(site.service->set_keys(sending, others).ok());
        site.net.run_for(Duration::milliseconds(60));
    };
    site.net.send_many(0, 1, 10'000, Duration::microseconds(50));
    site.net.run_for(Duration::milliseconds(60));
    service_keys(old, {fresh});
    eppc_keys(old, {fresh});
    eppc_keys(fresh, {old});
    service_keys(fresh, {old});
    eppc_keys(fresh, {});
    service_keys(fresh, {});
    EXPECT_EQ(site.service->drops().total(), 0U);
    EXPECT_EQ(site.net.engine(0).drops().total(), 0U);
    ASSERT_TRUE(site.net.close_all());
    site.net.run_for(Duration::milliseconds(50));
    site.expect_all_heard();
    ASSERT_FALSE(site.updates().empty());
    EXPECT_EQ(look_at(site.updates().back()).control->key_id, fresh.id);
    // What comes under the old one is not even looked at.
    const std::uint64_t unknown = site.service->drops().count(wire::DropReason::ControlUnknownKey);
    site.replay({site.updates().front()});
    EXPECT_EQ(site.service->drops().count(wire::DropReason::ControlUnknownKey), unknown + 1);
}

TEST(EppcAndNhms, NothingOfAnEarlierLifeOfEitherIsTaken) {
    Site site;
    site.net.send_many(0, 1, 2000, Duration::microseconds(50));
    site.net.run_for(Duration::milliseconds(150));
    const auto first_life = site.updates();
    ASSERT_GT(first_life.size(), 3U);
    site.net.restart(0);
    site.net.send_many(0, 1, 2000, Duration::microseconds(50));
    site.net.run_for(Duration::milliseconds(150));
    const std::uint64_t records = site.service->counters().records;
    const std::uint64_t updates = site.service->counters().updates;
    site.replay(first_life);
    EXPECT_EQ(site.service->counters().records, records);
    site.start_service();
    site.replay(site.updates());
    EXPECT_EQ(site.service->counters().records, 0U);
    EXPECT_EQ(site.service->counters().updates, 0U);
    EXPECT_GT(updates, 3U);
}

}  // namespace
}  // namespace dyetrace::test
