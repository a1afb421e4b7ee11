// SPDX-License-Identifier: GPL-2.0-or-later
// The ports on real interfaces: a veth pair and a TAP in a network namespace of the test's own, which ends
// with it.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/eppc/eppc.h"
#include "host/packet_port.h"
#include "host/tap_port.h"

namespace dyetrace::host {
namespace {

using Frame = std::vector<std::uint8_t>;

constexpr std::size_t kRing = std::size_t{1} << 20;

void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
}

/// Becomes the root of a network namespace; false where the machine forbids it.
bool enter_namespace() {
    const auto user = ::geteuid();
    const auto group = ::getegid();
    if (::unshare(CLONE_NEWNET | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
    if (user != 0) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
        write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    }
    return true;
}

bool is_required() {
    const char* lab = std::getenv("LAB");
    return lab != nullptr && std::string(lab) == "require";
}

void run(const std::string& command) {
    ASSERT_EQ(std::system(("PATH=$PATH:/usr/sbin:/sbin " + command).c_str()), 0) << command;
}

class PortTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!enter_namespace()) {
            const std::string why = "no network namespace: " + std::string(std::strerror(errno));
            if (is_required()) FAIL() << why;
            GTEST_SKIP() << why;
        }
        // Only what the tests send is to be seen.
        run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true");
        run("ip link add veth-a type veth peer name veth-b");
        run("ip link set veth-a up && ip link set veth-b up");
    }

    /// A frame of `size` bytes for nobody in particular.
    static Frame frame(std::size_t size, std::uint16_t ether_type = ETH_P_IP) {
        Frame bytes(size, 0x11);
        bytes[0] = bytes[6] = 2;
        bytes[12] = static_cast<std::uint8_t>(ether_type >> 8);
        bytes[13] = static_cast<std::uint8_t>(ether_type);
        return bytes;
    }

    PacketPort open(const std::string& name, PacketProtocols protocols = PacketProtocols::All) {
        return PacketPort(NetworkInterface::find(name), protocols, kRing, clock_);
    }

    static std::uint64_t send(Port& port, const std::vector<Frame>& frames) {
        const std::vector<Bytes> bytes(frames.begin(), frames.end());
        return port.send(bytes);
    }

    /// Frames that a port has within a second; it takes no longer than they need.
    static std::vector<Frame> receive(Port& port) {
        pollfd wait{port.poll_fd(), POLLIN, 0};
        ::poll(&wait, 1, 1000);
        std::vector<Frame> frames;
        for (const ReceivedFrame& received : port.receive()) {
            EXPECT_GE(received.frame.begin, eppc::Eppc::kHeadroom);
            frames.emplace_back(received.frame.head().begin(), received.frame.head().end());
        }
        port.release();
        return frames;
    }

    HostClock clock_;
};

TEST_F(PortTest, FramesArriveWholeAndInOrder) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    const std::vector<Frame> sent{frame(60), frame(1514), frame(100)};
    EXPECT_EQ(send(a, sent), 0U);
    EXPECT_EQ(receive(b), sent);
    EXPECT_EQ(a.counters().sent, 3U);
    EXPECT_EQ(b.counters().received, 3U);
}

TEST_F(PortTest, ArrivalTimeLiesBetweenSendingAndReceiving) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    const Time before = clock_.now();
    send(a, {frame(60)});
    pollfd wait{b.poll_fd(), POLLIN, 0};
    ::poll(&wait, 1, 1000);
    const auto received = b.receive();
    ASSERT_EQ(received.size(), 1U);
    // The two clocks are read one after the other; both may be slewed.
    constexpr Duration kTolerance = Duration::microseconds(100);
    EXPECT_GE(received[0].at, before + Duration{-kTolerance.ns});
    EXPECT_LE(received[0].at, clock_.now() + kTolerance);
}

TEST_F(PortTest, OwnFramesDoNotComeBack) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    send(a, {frame(60)});
    EXPECT_EQ(receive(b).size(), 1U);
    EXPECT_TRUE(a.receive().empty());
}

TEST_F(PortTest, BatchIsBoundedAndNothingIsLostBetweenBatches) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    for (int i = 0; i < 5; ++i)
        send(a, std::vector<Frame>(Port::kBatch, frame(60)));
    std::size_t count = 0;
    while (true) {
        const std::size_t batch = b.receive().size();
        EXPECT_LE(batch, Port::kBatch);
        b.release();
        if (batch == 0) break;
        count += batch;
    }
    EXPECT_EQ(count, 5 * Port::kBatch);
}

TEST_F(PortTest, RingGoesRoundMoreThanOnce) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    std::size_t count = 0;
    for (int i = 0; i < 40; ++i) {
        send(a, std::vector<Frame>(Port::kBatch, frame(60)));
        count += receive(b).size();
    }
    EXPECT_EQ(count, 40 * Port::kBatch);
    EXPECT_EQ(b.counters().ring_full, 0U);
}

TEST_F(PortTest, FullRingIsCounted) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    constexpr std::size_t kBatches = 20;  // 1280 frames, for 512 slots of 2 KiB
    for (std::size_t i = 0; i < kBatches; ++i)
        send(a, std::vector<Frame>(Port::kBatch, frame(60)));
    std::size_t count = 0;
    while (const std::size_t batch = b.receive().size()) {
        count += batch;
        b.release();
    }
    EXPECT_EQ(b.counters().ring_full, kBatches * Port::kBatch - count);
    EXPECT_GT(b.counters().ring_full, 0U);
}

TEST_F(PortTest, FrameLongerThanASlotIsCountedNotCut) {
    PacketPort a = open("veth-a");
    NetworkInterface small = NetworkInterface::find("veth-b");
    small.mtu = 300;
    PacketPort b(small, PacketProtocols::All, kRing, clock_);
    send(a, {frame(1514), frame(200)});
    EXPECT_EQ(receive(b), std::vector<Frame>{frame(200)});
    EXPECT_EQ(b.counters().truncated, 1U);
}

/// A frame with tags in front of what it carries: first the outer one.
Frame tagged(Frame bytes, const std::vector<std::uint32_t>& tags) {
    for (auto tag = tags.rbegin(); tag != tags.rend(); ++tag) {
        std::uint8_t octets[4];
        store_u32(octets, *tag);
        bytes.insert(bytes.begin() + 12, std::begin(octets), std::end(octets));
    }
    return bytes;
}

TEST_F(PortTest, VlanTagsOfGuestsArriveAsTheyWereSent) {
    PacketPort a = open("veth-a");
    PacketPort b = open("veth-b");
    constexpr std::uint32_t kTag = 0x8100'a064;      // 802.1Q, priority 5, VLAN 100
    constexpr std::uint32_t kService = 0x88a8'0007;  // 802.1ad
    const std::vector<Frame> sent{tagged(frame(60), {kTag}), frame(60), tagged(frame(1514), {kTag}),
                                  tagged(frame(100), {kService, kTag}), tagged(frame(60), {0x8100'0000})};
    EXPECT_EQ(send(a, sent), 0U);
    EXPECT_EQ(receive(b), sent);
}

TEST_F(PortTest, UnderlayTakesOneVersionOfIpAlone) {
    PacketPort a = open("veth-a");
    PacketPort ipv4 = open("veth-b", PacketProtocols::Ipv4);
    PacketPort ipv6 = open("veth-b", PacketProtocols::Ipv6);
    send(a, {frame(60, ETH_P_ARP), frame(60, ETH_P_IPV6), frame(60)});
    EXPECT_EQ(receive(ipv4), std::vector<Frame>{frame(60)});
    EXPECT_EQ(receive(ipv6), (std::vector<Frame>{frame(60, ETH_P_IPV6)}));
}

TEST_F(PortTest, FrameOfAGuestWithoutChecksumIsCountedAndNotHandedOn) {
    run("ip address add 192.168.9.1/24 dev veth-a");
    run("ip neighbour add 192.168.9.2 lladdr 02:00:00:00:00:02 dev veth-a nud permanent");
    PacketPort b = open("veth-b");
    const FileDescriptor udp(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    ::inet_pton(AF_INET, "192.168.9.2", &to.sin_addr);
    ASSERT_EQ(::sendto(udp.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 1);
    EXPECT_TRUE(receive(b).empty());
    EXPECT_EQ(b.counters().partial_checksum, 1U);
}

TEST_F(PortTest, FramesThatAnInterfaceDoesNotTakeAreTold) {
    PacketPort a = open("veth-a");
    run("ip link set veth-a down");
    EXPECT_EQ(send(a, {frame(60), frame(60)}), 0b11U);
    EXPECT_EQ(a.counters().send_failed, 2U);
    EXPECT_EQ(a.counters().sent, 0U);
}

TEST_F(PortTest, MissingInterfaceIsNamed) {
    try {
        NetworkInterface::find("nowhere0");
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_NE(std::string(error.what()).find("nowhere0"), std::string::npos);
    }
}

TEST_F(PortTest, TapCarriesFramesBothWays) {
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
    TapPort tap("t0", clock_);
    run("ip link set t0 up");
    // The kernel's side of a TAP is an interface like any other.
    PacketPort kernel = open("t0");
    EXPECT_EQ(send(kernel, {frame(60), frame(1000)}), 0U);
    EXPECT_EQ(receive(tap), (std::vector<Frame>{frame(60), frame(1000)}));
    EXPECT_EQ(send(tap, {frame(70)}), 0U);
    EXPECT_EQ(receive(kernel), std::vector<Frame>{frame(70)});
}

}  // namespace
}  // namespace dyetrace::host
