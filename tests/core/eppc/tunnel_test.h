// SPDX-License-Identifier: GPL-2.0-or-later
// What tests of single packets do: make one of host 0's guest, encapsulate it, put it into another host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {

struct TunnelTest : ::testing::Test {
    using Frame = std::vector<std::uint8_t>;

    Network net;

    /// From one host's guest to another's.
    GuestPacket packet(std::size_t from = 0, std::size_t to = 1) {
        GuestPacket guest;
        guest.source_mac = net.host(from).guest_mac;
        guest.destination_mac = net.host(to).guest_mac;
        guest.source = net.host(from).guest_address;
        guest.destination = net.host(to).guest_address;
        return guest;
    }
    /// The packet of host 0's guest as it enters the underlay.
    Frame encapsulated(const Frame& frame) {
        OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
        EXPECT_FALSE(net.engine(0).encapsulate(kGuestPort, owned.buffer, net.clock_of(0)));
        return owned.bytes();
    }
    /// Host 1 drops the frame for `reason`, and counts it there and nowhere else.
    void expect_dropped(const Frame& frame, wire::DropReason reason, const std::string& what = {}) {
        const wire::DropCounters before = net.engine(1).drops();
        const eppc::Decapsulated result = net.inject(1, frame);
        EXPECT_EQ(result.kind, eppc::Decapsulated::Kind::Dropped) << what;
        EXPECT_EQ(wire::to_string(result.reason), wire::to_string(reason)) << what;
        EXPECT_EQ(net.engine(1).drops().count(reason), before.count(reason) + 1) << what;
        EXPECT_EQ(net.engine(1).drops().total(), before.total() + 1) << what;
    }
};

/// The field that an engine names when a good configuration is changed like this; "accepted" where it takes
/// it.
inline std::string wrong_field_of(const std::function<void(eppc::EppcConfig&)>& change) {
    eppc::EppcConfig config;
    config.address = Ipv4Address{1};
    config.key = auth::SharedKey{};
    change(config);
    const auto engine = eppc::Eppc::create(config, 1, Time{});
    if (engine.ok()) return "accepted";
    return engine.error().substr(0, engine.error().find(':'));
}

}  // namespace dyetrace::test
