// SPDX-License-Identifier: GPL-2.0-or-later
// A million packets of a stranger, made of all that a stranger can see: none is believed, none is answered,
// none changes anything, and each is counted under its reason.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "core/auth/seal.h"
#include "core/base/random.h"
#include "core/eppc/packet_builder.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using Frame = std::vector<std::uint8_t>;
using wire::ControlType;
using wire::DropReason;

// Sanitizers make it some twenty times slower.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kControlPackets = 50'000;
constexpr std::uint64_t kTags = 15'000;
#else
constexpr std::uint64_t kControlPackets = 1'000'000;
constexpr std::uint64_t kTags = 300'000;
#endif

constexpr std::size_t kAddresses = kOuterIp + 12;  ///< source, then destination
constexpr std::size_t kOptionData = kGenevePayload + wire::GeneveOption::kHeaderSize;

void mend_lengths(Frame& frame) {
    store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
    store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
    mend_ip(frame);
}

/// A packet as it would be without its options.
Frame without_options(const Frame& frame) {
    Frame bare(frame);
    const std::ptrdiff_t size = (bare[kGeneve] & 0x3f) * 4;
    bare[kGeneve] = 0;
    bare.erase(bare.begin() + kGenevePayload, bare.begin() + kGenevePayload + size);
    mend_lengths(bare);
    return bare;
}

/// A running pair, with sessions in both directions, open intervals, traces and a health service. Time stands
/// still from then on, so that nothing happens but what the stranger brings about.
struct Forgery : ::testing::Test {
    Network net;
    FakeNhms nhms{net};
    Random random{2025};
    std::array<std::vector<Frame>, 2> control;  ///< that reached the host
    std::array<std::vector<Frame>, 2> tagged;   ///< likewise
    std::array<std::vector<Frame>, 2> spoken;   ///< control that the host sent

    Forgery() {
        for (int i = 0; i < 2; ++i) {
            net.add_host([](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.trace_paths = true;
                config.path_idle = Duration::seconds(100);
                config.keep_alive_interval = Duration::seconds(100);
            });
        }
        net.line(0, 1).routers = net.line(1, 0).routers = {{Ipv4Address{0x0a010001}}};
        net.send_many(0, 1, 400, Duration::microseconds(20), 16);
        net.send_many(1, 0, 400, Duration::microseconds(20), 16);
        net.run_for(Duration::milliseconds(500));
        for (const Captured& packet : net.captured()) {
            if (!packet.arrival) continue;  // a trace that died on its way: to its receiver it would be news
            if (packet.seen.kind == SeenPacket::Kind::Control) {
                control[packet.to].push_back(packet.bytes);
                spoken[packet.from].push_back(packet.bytes);
            } else if (packet.seen.track) {
                tagged[packet.to].push_back(packet.bytes);
            }
        }
        for (const Frame& answer : nhms.answers) {
            for (const std::size_t host : {0U, 1U}) {
                if (look_at(answer).ip.destination == net.host(host).config.address)
                    control[host].push_back(answer);
            }
        }
        net.keep_capture = false;
    }

    std::size_t pick(std::size_t bound) { return random.below(static_cast<std::uint32_t>(bound)); }
    const Frame& any(const std::vector<Frame>& frames) { return frames[pick(frames.size())]; }

    /// Seals what `frame` holds under a key that the stranger made up.
    void seal_with_foreign_key(Frame& frame) {
        auto message = wire::ControlMessage::parse(Bytes(frame).subspan(kGenevePayload));
        if (!message) return;
        auth::ControlKey key{};
        store_u64(key.data(), random.next());
        wire::ControlHeader header = message->header;
        switch (pick(5)) {
            case 0: header.message_number += 1 + random.below(1000); break;
            case 1: header.session = SessionId{random.next_u32()}; break;
            case 2: header.sender_boot = BootId{random.next()}; break;
            case 3: header.key_id = KeyId{static_cast<std::uint8_t>(random.next())}; break;
            default: break;
        }
        const SeenPacket seen = look_at(frame);
        const auto sealed = auth::seal(header, message->body, key, seen.source(), seen.destination());
        std::copy(sealed.begin(), sealed.end(), frame.begin() + kGenevePayload);
    }

    /// Between the health service and a host.
    static bool is_datagram(const Frame& frame) {
        return frame.size() >= kOuterUdp + 4 && load_u16(&frame[kOuterUdp + 2]) != wire::kGenevePort;
    }

    Frame forged_control(std::size_t host) {
        Frame frame = any(control[host]);
        const bool datagram = is_datagram(frame);
        const std::size_t message = datagram ? kGeneve : kGenevePayload;
        switch (pick(10)) {
            case 0: break;  // as it was
            case 1:         // as it may have become on another way
                frame[kOuterIp + 1] ^= static_cast<std::uint8_t>(random.next());
                frame[kOuterIp + 4] ^= static_cast<std::uint8_t>(random.next());
                frame[kOuterIp + 8] = static_cast<std::uint8_t>(1 + pick(255));
                mend_ip(frame);
                break;
            case 2:  // cut
                frame.resize(kOuterUdp + 8 + pick(frame.size() - kOuterUdp - 8));
                if (pick(4) != 0) mend_lengths(frame);
                break;
            case 3:  // longer
                frame.resize(frame.size() + 1 + pick(100));
                mend_lengths(frame);
                break;
            case 4: {  // the header of one, the body of another
                const Frame& other = any(control[host]);
                const std::size_t at = message + pick(wire::ControlHeader::kSize);
                if (other.size() > at && is_datagram(other) == datagram) {
                    frame.resize(at);
                    frame.insert(frame.end(), other.begin() + static_cast<std::ptrdiff_t>(at), other.end());
                    mend_lengths(frame);
                }
                break;
            }
            case 5:  // from another port, or another host
                if (pick(2) == 0) {
                    store_u16(&frame[kOuterUdp], static_cast<std::uint16_t>(49152 + pick(64)));
                } else {
                    frame[kAddresses + 3] = static_cast<std::uint8_t>(10 + pick(200));
                    mend_ip(frame);
                }
                break;
            case 6:  // what the host said itself
                frame = any(spoken[host]);
                std::swap_ranges(&frame[kAddresses], &frame[kAddresses + 4], &frame[kAddresses + 4]);
                mend_ip(frame);
                break;
            case 7:
                if (!datagram) seal_with_foreign_key(frame);
                break;
            case 8:  // noise behind right headers
                for (std::size_t at = message + pick(wire::ControlHeader::kSize); at < frame.size(); ++at)
                    frame[at] = static_cast<std::uint8_t>(random.next());
                break;
            default:
                for (std::size_t n = 1 + pick(8); n > 0; --n)
                    frame[kGeneve + pick(frame.size() - kGeneve)] ^= static_cast<std::uint8_t>(1U << pick(8));
        }
        if (frame.size() >= kGeneve) store_u16(&frame[kOuterUdp + 6], 0);  // RFC 768: no checksum
        return frame;
    }

    /// Never the packet as it was: that is for the network to repeat.
    Frame forged_tag(std::size_t host) {
        const Frame& genuine = any(tagged[host]);
        Frame frame(genuine);
        while (frame == genuine) {
            const MutableBytes option = MutableBytes(frame).subspan(kOptionData, 40);
            switch (pick(6)) {
                case 0: option[pick(option.size())] ^= static_cast<std::uint8_t>(1U << pick(8)); break;
                case 1: store_u32(&option[8], random.next_u32()); break;  // another sequence number
                case 2: store_u64(&option[32], random.next()); break;     // another tag
                case 3:  // the option of one packet in another one
                    std::copy_n(any(tagged[1 - host]).begin() + kOptionData, 40, option.begin());
                    break;
                case 4: store_u16(&frame[kOuterUdp], static_cast<std::uint16_t>(49152 + pick(64))); break;
                default: frame[kAddresses + 3] = static_cast<std::uint8_t>(10 + pick(200)); mend_ip(frame);
            }
        }
        return frame;
    }
};

TEST_F(Forgery, OfControlPacketsIsRefusedAndCountedAndChangesNothing) {
    std::array<StateDigest::Value, 2> states{};
    for (const std::size_t host : {0U, 1U}) {
        ASSERT_EQ(net.engine(host).sessions().size(), 2U);
        states[host] = net.engine(host).digest(net.clock_of(host));
    }
    const std::array<wire::DropCounters, 2> before{net.engine(0).drops(), net.engine(1).drops()};
    for (std::uint64_t i = 0; i < kControlPackets; ++i) {
        const std::size_t host = i % 2;
        eppc::Eppc& engine = net.engine(host);
        const Time now = net.clock_of(host);
        const std::uint64_t drops = engine.drops().total();
        const std::uint64_t believed = engine.counters().control_received;
        const Frame frame = forged_control(host);
        OwnedFrame owned(frame);
        const Decapsulated result = engine.decapsulate(owned.buffer, now);
        const std::string what =
            "packet " + std::to_string(i) + " of type " +
            std::to_string(frame.size() > kGenevePayload + 1 ? frame[kGenevePayload + 1] : -1);
        ASSERT_TRUE(result.kind == Decapsulated::Kind::Dropped || result.kind == Decapsulated::Kind::Consumed)
            << what << " kind " << static_cast<int>(result.kind);
        ASSERT_EQ(engine.drops().total(), drops + 1) << what;
        // Of the health service's it also counts what is authentic and not news.
        if (!is_datagram(frame)) {
            ASSERT_EQ(engine.counters().control_received, believed) << what;
        }
        ASSERT_FALSE(engine.poll()) << what;
        ASSERT_EQ(engine.digest(now), states[host]) << what;
    }
    for (std::size_t i = 0; i < wire::kDropReasonCount; ++i) {
        const auto reason = static_cast<DropReason>(i);
        const std::uint64_t count = net.engine(0).drops().count(reason) +
                                    net.engine(1).drops().count(reason) - before[0].count(reason) -
                                    before[1].count(reason);
        if (count > 0)
            std::printf("%8llu %s\n", static_cast<unsigned long long>(count),
                        std::string(to_string(reason)).c_str());
    }
    // What there was of each kind is found under its reason.
    for (const DropReason reason :
         {DropReason::ControlReplayed, DropReason::ControlBadTag, DropReason::ControlTruncated,
          DropReason::ControlUnknownKey, DropReason::ControlWrongBoot, DropReason::ControlUnknownSession,
          DropReason::ControlUnknownType, DropReason::ControlBadVersion, DropReason::ControlUnexpected,
          DropReason::Ipv4BadTotalLength, DropReason::GeneveTruncated, DropReason::GeneveBadVersion,
          DropReason::GeneveBadProtocol})
        EXPECT_GT(net.engine(0).drops().count(reason) + net.engine(1).drops().count(reason), 0U)
            << to_string(reason);
}

TEST_F(Forgery, OfTagsLeavesWhatThePacketWouldHaveLeftWithoutATag) {
    std::array<eppc::Eppc, 2> plain{net.engine(0).clone(), net.engine(1).clone()};
    const std::array<std::uint64_t, 2> believed{net.engine(0).counters().tracked_received,
                                                net.engine(1).counters().tracked_received};
    for (std::uint64_t i = 0; i < kTags; ++i) {
        const std::size_t host = i % 2;
        eppc::Eppc& engine = net.engine(host);
        const Time now = net.clock_of(host);
        const std::uint64_t drops = engine.drops().total();
        const Frame frame = forged_tag(host);
        OwnedFrame owned(frame);
        OwnedFrame bare(without_options(frame));
        // A tag changes no packet's fate, a forged one neither.
        ASSERT_EQ(engine.decapsulate(owned.buffer, now).kind, Decapsulated::Kind::Deliver) << i;
        ASSERT_EQ(plain[host].decapsulate(bare.buffer, now).kind, Decapsulated::Kind::Deliver) << i;
        ASSERT_EQ(owned.bytes(), bare.bytes()) << i;
        ASSERT_EQ(engine.drops().total(), drops + 1) << i;
        ASSERT_EQ(engine.counters().tracked_received, believed[host]) << i;
        ASSERT_FALSE(engine.poll()) << i;
        if (i % 16 < 2) {
            ASSERT_EQ(engine.digest(now), plain[host].digest(now)) << i;
        }
    }
    for (const std::size_t host : {0U, 1U}) {
        EXPECT_EQ(net.engine(host).digest(net.clock_of(host)), plain[host].digest(net.clock_of(host)));
        for (const DropReason reason :
             {DropReason::TrackBadTag, DropReason::TrackUnbound, DropReason::TrackUnknownSession})
            EXPECT_GT(net.engine(host).drops().count(reason), 0U) << to_string(reason);
    }
}

TEST_F(Forgery, ARecordedTagIsADuplicateAndNothingElse) {
    const Frame newest = tagged[1].back();
    const wire::TrackOption option = *look_at(newest).track;
    const auto record = [&] {
        for (const auto& view : net.engine(1).sessions()) {
            if (view.role != session::Role::Acceptor) continue;
            for (const auto& path : view.paths) {
                if (path.path == option.path) return path;
            }
        }
        return wire::PathRecord{};
    };
    const wire::PathRecord before = record();
    for (int i = 0; i < 1000; ++i) {
        OwnedFrame owned(newest);
        (void)net.engine(1).decapsulate(owned.buffer, net.clock_of(1));
    }
    wire::PathRecord expected = before;
    expected.duplicates += 1000;
    expected.measured_ns = record().measured_ns;
    EXPECT_EQ(record(), expected);
}

}  // namespace
}  // namespace dyetrace::test
