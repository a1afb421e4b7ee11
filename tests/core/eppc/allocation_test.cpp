// SPDX-License-Identifier: GPL-2.0-or-later
// The data path allocates nothing. Every `operator new` of this program is counted.
#include <gtest/gtest.h>

#include "tests/core/base/counted_heap.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

/// Sends `count` packets through both engines by their data path alone, each time from the same memory.
std::size_t allocations_of(Network& net, int count, bool untouched_paths = false) {
    GuestPacket guest{net.host(0).guest_mac, net.host(1).guest_mac, net.host(0).guest_address,
                      net.host(1).guest_address};
    std::vector<std::vector<std::uint8_t>> frames;
    for (std::uint16_t flow = 0; flow < 64; ++flow) {
        guest.source_port = static_cast<std::uint16_t>(flow + (untouched_paths ? 40'000 : 10'000));
        frames.push_back(guest.frame());
    }
    std::vector<std::uint8_t> memory(eppc::Eppc::kHeadroom + frames[0].size());
    const std::size_t before = CountedHeap::allocations();
    for (int i = 0; i < count; ++i) {
        const auto& frame = frames[static_cast<std::size_t>(i) % frames.size()];
        std::copy(frame.begin(), frame.end(), memory.begin() + eppc::Eppc::kHeadroom);
        wire::FrameBuffer buffer;
        buffer.data = memory.data();
        buffer.begin = eppc::Eppc::kHeadroom;
        buffer.end = memory.size();
        if (net.engine(0).encapsulate(kGuestPort, buffer, net.clock_of(0))) return ~std::size_t{0};
        if (net.engine(1).decapsulate(buffer, net.clock_of(1)).kind != eppc::Decapsulated::Kind::Deliver)
            return ~std::size_t{0};
    }
    return CountedHeap::allocations() - before;
}

TEST(Allocations, NoneOnTheDataPathTaggedOrNot) {
    for (const std::uint32_t every_nth : {1U, 3U, 1'000'000U}) {
        Network net;
        for (int i = 0; i < 2; ++i)
            net.add_host([&](auto& config) { config.sampling = wire::SamplingSpec::every_nth(every_nth); });
        net.send_many(0, 1, 500, Duration::microseconds(10), 64);
        net.run_for(Duration::milliseconds(6));
        const std::uint64_t tagged = net.engine(0).counters().tagged;
        EXPECT_EQ(allocations_of(net, 10'000), 0U);
        EXPECT_EQ(net.engine(0).counters().tagged > tagged, every_nth < 1000);
    }
}

TEST(Allocations, NoneForTheFirstPacketsToAPeerEither) {
    Network net;
    net.add_host();
    net.add_host();
    EXPECT_EQ(allocations_of(net, 100), 0U);  // each wants a session, which the control path will open
}

TEST(Allocations, NoneWherePathsFallQuietAndWake) {
    Network net;
    net.add_host([](auto& config) { config.path_count = 64; });
    net.add_host();
    net.send_many(0, 1, 500, Duration::microseconds(10), 64);
    net.run_for(Duration::milliseconds(200));  // all intervals have ended
    EXPECT_EQ(allocations_of(net, 1'000, true), 0U);
}

TEST(Allocations, NoneAfterAGuestHasMovedAndNoneForTheMove) {
    Network net;
    for (int i = 0; i < 3; ++i)
        net.add_host([](auto& config) { config.open_on_traffic = false; });
    const MacAddress mac = net.host(1).guest_mac;
    const IpAddress away = net.host(2).config.address;
    ASSERT_EQ(allocations_of(net, 100), 0U);
    const std::size_t before = CountedHeap::allocations();
    ASSERT_TRUE(net.engine(0).move_remote(kVni, mac, away, net.clock_of(0)).ok());
    ASSERT_TRUE(net.engine(0).move_remote(kVni, mac, net.host(1).config.address, net.clock_of(0)).ok());
    EXPECT_EQ(CountedHeap::allocations(), before);
    EXPECT_EQ(allocations_of(net, 1'000), 0U);
}

TEST(Allocations, NoneWhereARecordRides) {
    Network net;
    for (int i = 0; i < 2; ++i) {
        net.add_host([&](auto& config) {
            config.sampling = wire::SamplingSpec::every_nth(1);
            config.metrics = wire::kMetricCounts | wire::kMetricTracked;
            config.open_on_traffic = i == 0;
        });
    }
    net.send_many(0, 1, 1000, Duration::microseconds(20), 8);
    net.run_for(Duration::milliseconds(21));
    ASSERT_EQ(allocations_of(net, 8), 0U);
    // A report is due by then.
    const Time later = net.clock_of(1) + net.host(1).config.report_interval;
    const std::vector<std::uint8_t> frame = GuestPacket{net.host(1).guest_mac, net.host(0).guest_mac,
                                                        net.host(1).guest_address, net.host(0).guest_address}
                                                .frame();
    OwnedFrame owned(frame, eppc::Eppc::kHeadroom);
    const std::size_t before = CountedHeap::allocations();
    ASSERT_FALSE(net.engine(1).encapsulate(kGuestPort, owned.buffer, later));
    EXPECT_EQ(CountedHeap::allocations() - before, 0U);
    EXPECT_EQ(net.engine(1).counters().reports_ridden, 1U);
}

TEST(Allocations, NoneForWhatIsDropped) {
    Network net;
    net.add_host();
    net.add_host();
    net.send_many(0, 1, 100, Duration::microseconds(10), 64);
    net.run_for(Duration::milliseconds(6));
    std::vector<std::uint8_t> frame = net.captured().front().bytes;
    for (std::size_t at = 0; at < frame.size(); ++at) {
        std::vector<std::uint8_t> changed = frame;
        changed[at] ^= 0xff;
        if (look_at(changed).kind == SeenPacket::Kind::Control) continue;  // speaks to the control path
        wire::FrameBuffer buffer;
        buffer.data = changed.data();
        buffer.end = changed.size();
        const std::size_t before = CountedHeap::allocations();
        (void)net.engine(1).decapsulate(buffer, net.clock_of(1));
        EXPECT_EQ(CountedHeap::allocations(), before) << "byte " << at;
    }
}

}  // namespace
}  // namespace dyetrace::test
