// SPDX-License-Identifier: GPL-2.0-or-later
// Captures: that a reader of pcap files finds whole, right frames, at both ends of a link.

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <ns3/boolean.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/simulator.h>
#include <ns3/test.h>

#include "dyetrace-test-cases.h"
#include "dyetrace-test-traffic.h"

#include "core/wire/udp.h"

using namespace ns3;
using namespace ns3::dyetrace_test;
namespace wire = dyetrace::wire;

namespace {

struct Captured {
    int64_t timeNs;
    std::vector<uint8_t> frame;
};

uint32_t LittleEndian(const std::vector<uint8_t>& bytes, std::size_t at) {
    return bytes.at(at) | bytes.at(at + 1) << 8 | bytes.at(at + 2) << 16 |
           static_cast<uint32_t>(bytes.at(at + 3)) << 24;
}

/// Reads a pcap file with nanoseconds, by its specification (draft-ietf-opsawg-pcap); empty where it is none.
std::vector<Captured> ReadPcap(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
    std::vector<Captured> frames;
    if (bytes.size() < 24 || LittleEndian(bytes, 0) != 0xa1b23c4d || LittleEndian(bytes, 20) != 1)
        return frames;
    std::size_t at = 24;
    while (at < bytes.size()) {
        const int64_t timeNs = int64_t{LittleEndian(bytes, at)} * 1'000'000'000 + LittleEndian(bytes, at + 4);
        const uint32_t length = LittleEndian(bytes, at + 8);
        if (LittleEndian(bytes, at + 12) != length || at + 16 + length > bytes.size()) return {};
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at) + 16;
        frames.push_back({timeNs, {begin, begin + length}});
        at += 16 + length;
    }
    return frames;
}

std::set<uint32_t> Ordinals(const std::vector<Captured>& frames) {
    std::set<uint32_t> ordinals;
    for (const Captured& captured : frames)
        ordinals.insert(dyetrace::load_u16(&captured.frame[18]));  // identification
    return ordinals;
}

class CaptureTestCase : public TestCase {
  public:
    CaptureTestCase() : TestCase("both ends of a lossy link are captured, each frame whole and in order") {}

  private:
    void DoRun() override {
        const std::string sender = CreateTempDirFilename("sender.pcap");
        const std::string receiver = CreateTempDirFilename("receiver.pcap");
        std::set<uint32_t> lost;
        {
            TestFabric fabric{{"K", "2"}, {"Seed", "4"}};
            fabric->EnablePcap("agg-0-0:core-0", sender);
            fabric->EnablePcap("core-0:agg-0-0", receiver);
            fabric.AddFault({{"From", "agg-0-0"}, {"To", "core-0"}, {"Probability", "0.1"}});
            fabric.OnDrop([&](uint32_t, DyetraceDropCause, const DyetracePacket& packet) {
                lost.insert(dyetrace::load_u16(packet.Frame() + 18));
            });
            for (uint32_t i = 0; i < 1000; ++i) {
                Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
                if (i % 3 == 0) std::swap(datagram.from, datagram.to);
                datagram.identification = static_cast<uint16_t>(i);
                datagram.payload = i % 1400;
                fabric.SendAt(MicroSeconds(i), datagram);
            }
            fabric.Run();
            fabric->FlushCaptures();
            NS_TEST_EXPECT_MSG_EQ(fabric->GetCaptures().at(0).packets, 1000, "told how many");
            NS_TEST_EXPECT_MSG_EQ(fabric->GetCaptures().at(0).capped, false, "and that these are all");
        }
        NS_TEST_ASSERT_MSG_GT(lost.size(), 30, "some are lost");
        const auto sent = ReadPcap(sender);
        const auto received = ReadPcap(receiver);
        NS_TEST_ASSERT_MSG_EQ(sent.size(), 1000, "the sender's port has all, in both directions");
        NS_TEST_ASSERT_MSG_EQ(received.size(), 1000 - lost.size(), "the receiver's has what was not lost");
        auto expected = Ordinals(sent);
        for (const uint32_t ordinal : lost)
            expected.erase(ordinal);
        NS_TEST_EXPECT_MSG_EQ((Ordinals(received) == expected), true, "and just these");
        ExpectRight(sent);
        ExpectRight(received);
    }

    void ExpectRight(const std::vector<Captured>& frames) {
        int64_t before = 0;
        for (const Captured& captured : frames) {
            NS_TEST_EXPECT_MSG_EQ((captured.timeNs >= before), true, "time does not run backwards");
            before = captured.timeNs;
            const dyetrace::Bytes bytes(captured.frame);
            const auto ip = wire::Ipv4Header::parse(bytes.subspan(14), bytes.size() - 14);
            NS_TEST_ASSERT_MSG_EQ(ip.ok(), true, "the IPv4 header is right");
            NS_TEST_EXPECT_MSG_EQ(bytes.size(), 14U + ip->total_length, "and the frame as long as it says");
            NS_TEST_EXPECT_MSG_EQ(wire::udp_checksum_ok(ip->source, ip->destination, bytes.subspan(34)), true,
                                  "the payload's checksum is right");
        }
    }
};

class CaptureTimeTestCase : public TestCase {
  public:
    CaptureTimeTestCase()
        : TestCase("a frame is stamped when its first bit leaves and when its last bit is in") {}

  private:
    void DoRun() override {
        const std::string file = CreateTempDirFilename("port.pcap");
        {
            TestFabric fabric{{"K", "2"}};
            fabric->EnablePcap("edge-0-0:host-0-0-0", file);
            Datagram datagram{fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")};
            datagram.payload = MicrosecondPayload;
            fabric.SendAt(MicroSeconds(1), datagram);
            std::swap(datagram.from, datagram.to);
            for (int i = 0; i < 2; ++i)
                fabric.SendAt(MicroSeconds(20), datagram);
            fabric.Run();
        }
        const auto frames = ReadPcap(file);
        NS_TEST_ASSERT_MSG_EQ(frames.size(), 3, "one in, two out");
        NS_TEST_EXPECT_MSG_EQ(frames[0].timeNs, 1000 + 2000,
                              "sent at 1 us: in after 1 us on the wire and 1 us of delay");
        NS_TEST_EXPECT_MSG_EQ(frames[1].timeNs, 20000 + 5 * 2000, "out as soon as it came over five links");
        NS_TEST_EXPECT_MSG_EQ(frames[2].timeNs, 20000 + 5 * 2000 + 1000, "out behind the first");
    }
};

class CaptureCapTestCase : public TestCase {
  public:
    CaptureCapTestCase() : TestCase("a capture stops at its limit, and says so") {}

  private:
    void DoRun() override {
        const std::string file = CreateTempDirFilename("capped.pcap");
        {
            TestFabric fabric{{"K", "2"}};
            fabric->EnablePcap("host-0-0-0:edge-0-0", file, 10);
            for (int i = 0; i < 11; ++i)
                fabric.SendAt(MicroSeconds(2), {fabric.Node("host-0-0-0"), fabric.Node("host-1-0-0")});
            fabric.Run();
            NS_TEST_EXPECT_MSG_EQ(fabric->GetCaptures().at(0).capped, true, "there was one more");
        }
        NS_TEST_EXPECT_MSG_EQ(ReadPcap(file).size(), 10, "ten are there");
    }
};

class CaptureNameTestCase : public TestCase {
  public:
    CaptureNameTestCase() : TestCase("a capture is in its folder, whatever its nodes are called") {}

  private:
    void DoRun() override {
        std::string folder = CreateTempDirFilename("any");
        folder.resize(folder.rfind('/'));
        DyetraceTopology::Builder builder;
        const uint32_t left = builder.AddSwitch("../left");
        const uint32_t right = builder.AddSwitch("right");
        builder.AddHost("host/1", left);
        builder.AddHost("host/2", right);
        builder.AddCable(left, right);
        DyetraceHelper helper;
        helper.SetTopology(builder.Build());
        helper.SetHostAttribute("Insecure", BooleanValue(true));
        helper.Install();
        const std::string file = helper.EnablePcap(folder, "../left:host/1");
        NS_TEST_EXPECT_MSG_EQ(file, folder + "/_._left_host_1.pcap", "what leads elsewhere is replaced");
        helper.Dispose();
        Simulator::Destroy();
        NS_TEST_EXPECT_MSG_EQ(std::ifstream(file).good(), true, "and it is there");
    }
};

const Offer<CaptureTestCase, CaptureTimeTestCase, CaptureCapTestCase, CaptureNameTestCase> g_offer{"capture"};

}  // namespace
