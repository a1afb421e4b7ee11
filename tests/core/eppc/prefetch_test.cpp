// SPDX-License-Identifier: GPL-2.0-or-later
// What an engine is told to expect changes nothing: the same frames come out, and the same state is left.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/eppc/eppc.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using eppc::Eppc;
using Frame = std::vector<std::uint8_t>;

/// Two hosts with a session from 0 to 1, every second packet tagged, measured on all paths.
class Expected : public ::testing::Test {
  protected:
    Expected() {
        for (int i = 0; i < 2; ++i)
            net.add_host([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(2); });
        net.send_many(0, 1, 200, Duration::microseconds(10));
        net.run_for(Duration::milliseconds(5));
    }

    Frame guest_frame(const MacAddress& to, std::uint16_t flow) {
        GuestPacket guest{net.host(0).guest_mac, to, net.host(0).guest_address, net.host(1).guest_address};
        guest.source_port = static_cast<std::uint16_t>(20'000 + flow);
        guest.payload = 100;
        return guest.frame();
    }

    /// More than one batch holds, and among them what no engine carries.
    std::vector<Frame> from_guest() {
        std::vector<Frame> frames;
        for (std::uint16_t flow = 0; flow < Eppc::kBatchMost + 16; ++flow)
            frames.push_back(guest_frame(net.host(1).guest_mac, flow));
        frames[1] = guest_frame(MacAddress{{2, 9, 9, 9, 9, 9}}, 1);  // nobody's
        frames[2] = guest_frame(MacAddress{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, 2);
        frames[3].resize(13);
        frames[4].clear();
        return frames;
    }

    static std::vector<OwnedFrame> owned(const std::vector<Frame>& frames) {
        std::vector<OwnedFrame> buffers;
        for (const Frame& frame : frames)
            buffers.emplace_back(frame, Eppc::kHeadroom);
        return buffers;
    }
    static std::vector<const wire::FrameBuffer*> views(const std::vector<OwnedFrame>& frames) {
        std::vector<const wire::FrameBuffer*> all;
        for (const OwnedFrame& frame : frames)
            all.push_back(&frame.buffer);
        return all;
    }

    Network net{1};
};

TEST_F(Expected, FramesFromGuestsComeOutAsThoseThatWereNot) {
    Eppc& engine = net.engine(0);
    Eppc plain = engine.clone();
    const Time now = net.clock_of(0);
    const std::uint64_t tagged = engine.counters().tagged;
    std::vector<OwnedFrame> told = owned(from_guest());
    std::vector<OwnedFrame> untold = owned(from_guest());
    const auto before = engine.digest(now);
    engine.expect_from_guest(kGuestPort, views(told));
    engine.expect_from_guest(GuestPort{4711}, views(told));  // nobody's
    engine.expect_from_guest(kGuestPort, {});
    EXPECT_EQ(engine.digest(now), before);
    for (std::size_t i = 0; i < told.size(); ++i) {
        EXPECT_EQ(engine.encapsulate(kGuestPort, told[i].buffer, now),
                  plain.encapsulate(kGuestPort, untold[i].buffer, now))
            << i;
        EXPECT_EQ(told[i].bytes(), untold[i].bytes()) << i;
    }
    EXPECT_GT(engine.counters().tagged, tagged + 10);
    EXPECT_EQ(engine.digest(now), plain.digest(now));
    EXPECT_EQ(engine.drops().total(), plain.drops().total());
}

TEST_F(Expected, FramesFromTheUnderlayComeOutAsThoseThatWereNot) {
    const Time sent = net.clock_of(0);
    std::vector<Frame> frames;
    for (OwnedFrame& frame : owned(from_guest())) {
        (void)net.engine(0).encapsulate(kGuestPort, frame.buffer, sent);
        frames.push_back(frame.bytes());
    }
    frames[5].resize(20);                    // cut in its IP header
    frames[6][12] = 0x12;                    // of another EtherType
    frames[7][kOuterIp + 15] ^= 0x40;        // from an address that is no peer's
    frames[8].resize(kGenevePayload + 3);    // cut in its option, or in the guest's frame
    frames[9][kGenevePayload + 40] ^= 0x01;  // a tag that is not right, where it has one
    Eppc& engine = net.engine(1);
    Eppc plain = engine.clone();
    const Time now = net.clock_of(1);
    const std::uint64_t tracked = engine.counters().tracked_received;
    std::vector<OwnedFrame> told = owned(frames);
    std::vector<OwnedFrame> untold = owned(frames);
    const auto before = engine.digest(now);
    engine.expect_from_underlay(views(told));
    engine.expect_from_underlay({});
    EXPECT_EQ(engine.digest(now), before);
    for (std::size_t i = 0; i < told.size(); ++i) {
        const Decapsulated one = engine.decapsulate(told[i].buffer, now);
        const Decapsulated other = plain.decapsulate(untold[i].buffer, now);
        EXPECT_EQ(one.kind, other.kind) << i;
        EXPECT_EQ(one.reason, other.reason) << i;
        EXPECT_EQ(told[i].bytes(), untold[i].bytes()) << i;
    }
    EXPECT_GT(engine.counters().tracked_received, tracked + 10);
    EXPECT_EQ(engine.digest(now), plain.digest(now));
    EXPECT_EQ(engine.drops().total(), plain.drops().total());
}

}  // namespace
}  // namespace dyetrace::test
