// SPDX-License-Identifier: GPL-2.0-or-later
// What comes from the underlay: each header cut or wrong, each tag forged, each counted under its reason.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "core/auth/keys.h"
#include "core/wire/ethernet.h"
#include "core/wire/session_messages.h"
#include "tests/core/eppc/tunnel_test.h"

namespace dyetrace::test {
namespace {

using eppc::Decapsulated;
using wire::ControlType;
using wire::DropReason;
using Frame = std::vector<std::uint8_t>;
using Kind = Decapsulated::Kind;

struct Decapsulation : TunnelTest {
    Decapsulation() {
        for (int i = 0; i < 2; ++i)
            net.add_host([](auto& config) { config.sampling = wire::SamplingSpec::every_nth(2); });
        net.send_many(0, 1, 200, Duration::microseconds(20), 16);
        net.run_for(Duration::milliseconds(5));
    }
    /// The newest frame of host 0 that `which` holds for.
    Frame newest(const std::function<bool(const SeenPacket&)>& which) {
        for (auto it = net.captured().rbegin(); it != net.captured().rend(); ++it) {
            if (it->from == 0 && which(it->seen)) return it->bytes;
        }
        ADD_FAILURE() << "no such frame";
        return {};
    }
    Frame plain() {
        return newest([](const SeenPacket& p) { return p.kind == SeenPacket::Kind::Data && !p.track; });
    }
    Frame tagged() {
        return newest([](const SeenPacket& p) { return p.track.has_value(); });
    }
    Frame control(ControlType type) {
        return newest([type](const SeenPacket& p) { return p.is(type); });
    }
    std::uint64_t drops(DropReason reason) { return net.engine(1).drops().count(reason); }
    /// A control packet that must not be believed, for `reason`.
    void expect_refused(const Frame& frame, DropReason reason, const std::string& what) {
        const std::uint64_t before = drops(reason);
        (void)net.inject(1, frame);
        EXPECT_EQ(drops(reason), before + 1) << what << ' ' << wire::to_string(reason);
    }
    /// Inserts Geneve options in front of the inner frame and mends every length.
    static Frame with_options(Frame frame, const Frame& options, std::size_t claimed_words) {
        frame[kGeneve] = static_cast<std::uint8_t>(claimed_words);
        frame.insert(frame.begin() + kGenevePayload, options.begin(), options.end());
        store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
        store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
        mend_ip(frame);
        return frame;
    }
};

/// The same frame with a value at a place, and the IP checksum mended.
Frame with_u8(Frame frame, std::size_t at, std::uint8_t value) {
    frame[at] = value;
    mend_ip(frame);
    return frame;
}
Frame with_u16(Frame frame, std::size_t at, std::uint16_t value) {
    store_u16(&frame[at], value);
    mend_ip(frame);
    return frame;
}

TEST_F(Decapsulation, EveryTruncationIsCounted) {
    for (const Frame& frame : {plain(), tagged(), control(ControlType::Marker)}) {
        for (std::size_t size = 0; size < frame.size(); ++size) {
            const std::uint64_t total = net.engine(1).drops().total();
            const Decapsulated result =
                net.inject(1, Frame(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)));
            EXPECT_EQ(result.kind, Kind::Dropped) << size;
            EXPECT_EQ(net.engine(1).drops().total(), total + 1) << size;
        }
    }
}

TEST_F(Decapsulation, EachOuterHeaderThatIsWrongIsDroppedForItsReason) {
    const Frame good = plain();
    expect_dropped(with_u8(good, kOuterIp, 0x65), DropReason::Ipv4BadVersion, "version");
    expect_dropped(with_u8(good, kOuterIp, 0x44), DropReason::Ipv4BadHeaderLength, "header length");
    expect_dropped(with_u16(good, kOuterIp + 2, 10), DropReason::Ipv4BadTotalLength,
                   "total length below the header's");
    expect_dropped(with_u16(good, kOuterIp + 2, 60'000), DropReason::Ipv4BadTotalLength,
                   "total length beyond the frame");
    Frame frame = good;
    frame[kOuterIp + 10] ^= 1;
    expect_dropped(frame, DropReason::Ipv4BadChecksum, "checksum");
    // RFC 8926 §4.4.1: fragments need not be supported.
    expect_dropped(with_u16(good, kOuterIp + 6, 0x2000), DropReason::Ipv4Fragment, "first fragment");
    expect_dropped(with_u16(good, kOuterIp + 6, 0x0010), DropReason::Ipv4Fragment, "later fragment");
    expect_dropped(with_u16(good, kOuterUdp + 4, 7), DropReason::UdpBadLength,
                   "UDP length below the header's");
    expect_dropped(with_u16(good, kOuterUdp + 4, 60'000), DropReason::UdpBadLength,
                   "UDP length beyond the packet");
    // RFC 8926 §3.4
    expect_dropped(with_u8(good, kGeneve, 0x40), DropReason::GeneveBadVersion, "version of Geneve");
    expect_dropped(with_u16(good, kGeneve + 2, 0x0800), DropReason::GeneveBadProtocol, "IP inside");
    expect_dropped(with_u16(good, kGeneve + 2, wire::kEtherTypeControl), DropReason::GeneveBadProtocol,
                   "control without the O bit");
    expect_dropped(with_u8(good, kGeneve + 1, 0x80), DropReason::GeneveBadProtocol,
                   "an Ethernet frame with the O bit");
    frame = good;
    frame[kGenevePayload] |= 1;
    expect_dropped(frame, DropReason::GroupAddress, "inner group address");
    frame = good;
    frame[kGenevePayload + 5] ^= 1;
    expect_dropped(frame, DropReason::UnknownGuest, "inner address");
    EXPECT_EQ(net.inject(1, good).kind, Kind::Deliver);  // all the while nothing was wrong with it
}

// RFC 768, RFC 8926 §3.3: a checksum that is not zero must be right.
TEST_F(Decapsulation, AUdpChecksumThatIsThereMustBeRight) {
    Frame frame = plain();
    mend_udp(frame);
    EXPECT_NE(load_u16(&frame[kOuterUdp + 6]), 0);
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    frame.back() ^= 1;
    expect_dropped(frame, DropReason::UdpBadChecksum, "payload");
}

TEST_F(Decapsulation, WhatIsNotTheEnginesStaysTheHosts) {
    const Frame good = plain();
    const std::uint64_t total = net.engine(1).drops().total();
    Frame arp = good;
    store_u16(&arp[12], 0x0806);
    const Frame not_ours[] = {
        arp,
        with_u16(good, kOuterIp + 18, 0x0777),  // another host's
        with_u8(good, kOuterIp + 9, 6),         // TCP
        with_u16(good, kOuterUdp + 2, 4789),    // another port
        with_u16(good, kOuterUdp + 2, 46082),   // management port, without a health service
    };
    for (const Frame& frame : not_ours)
        EXPECT_EQ(net.inject(1, frame).kind, Kind::NotOurs);
    EXPECT_EQ(net.engine(1).drops().total(), total);
}

TEST_F(Decapsulation, PaddingOfTheLinkIsNotDelivered) {
    Frame frame = plain();
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    const Frame inner = net.host(1).delivered.back();
    frame.resize(frame.size() + 18, 0xee);
    EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), inner);
}

// RFC 8926 §3.5: unknown options are skipped; an unknown critical one drops the packet.
TEST_F(Decapsulation, UnknownOptionsAreSkippedUnlessCritical) {
    const Frame good = plain();
    (void)net.inject(1, good);
    const Frame inner = net.host(1).delivered.back();
    const Frame options{0x01, 0x02, 0x05, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 0x01, 0x03, 0x00, 0x00};
    EXPECT_EQ(net.inject(1, with_options(good, options, 4)).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), inner);
    Frame critical = options;
    critical[2] |= 0x80;
    Frame frame = with_options(good, critical, 4);
    frame[kGeneve + 1] |= 0x40;  // the C bit, as a sender must set it
    expect_dropped(frame, DropReason::GeneveUnknownCritical, "critical option");
    // Ours has a critical twin that we do not know.
    expect_dropped(with_options(good, {0xff, 0x44, 0x81, 0x00}, 1), DropReason::GeneveUnknownCritical,
                   "critical twin");
}

// RFC 8926 §3.4: the C bit alone says nothing that the options do not; reserved bits are ignored, as are
// those of an option (§3.5).
TEST_F(Decapsulation, ReservedBitsAndALoneCriticalBitAreIgnored) {
    const Frame good = plain();
    (void)net.inject(1, good);
    const Frame inner = net.host(1).delivered.back();
    Frame reserved = good;
    reserved[kGeneve + 1] |= 0x3f;
    reserved[kGeneve + 7] = 0xff;
    EXPECT_EQ(net.inject(1, reserved).kind, Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), inner);
    Frame critical = good;
    critical[kGeneve + 1] |= 0x40;
    EXPECT_EQ(net.inject(1, critical).kind, Kind::Deliver);
    EXPECT_EQ(net.inject(1, with_options(critical, {0x01, 0x02, 0x05, 0xe1, 1, 2, 3, 4}, 2)).kind,
              Kind::Deliver);
    EXPECT_EQ(net.host(1).delivered.back(), inner);
}

// RFC 8926 §3.5, §4.5.1: any options in any order, up to the longest that a header can say (§3.4: 252 bytes).
TEST_F(Decapsulation, OurOptionIsFoundAmongAnyOthers) {
    (void)net.send(0, 1);
    (void)net.send(0, 1);
    const Frame good = tagged();
    const Frame ours(good.begin() + kGenevePayload, good.begin() + kGenevePayload + wire::TrackOption::kSize);
    Frame bare = good;
    bare.erase(bare.begin() + kGenevePayload, bare.begin() + kGenevePayload + wire::TrackOption::kSize);
    const std::uint64_t tracked = net.engine(1).counters().tracked_received;
    for (const bool before : {false, true}) {
        Frame others{0x01, 0x02, 0x05, 0x00, 0x01, 0x03, 0x00, 0x01, 1, 2, 3, 4};
        while (others.size() + ours.size() < 252)
            others.insert(others.end(), {0x01, 0x04, 0x07, 0x00});
        Frame options = before ? others : ours;
        const Frame& rest = before ? ours : others;
        options.insert(options.end(), rest.begin(), rest.end());
        ASSERT_EQ(options.size(), 252U);
        EXPECT_EQ(net.inject(1, with_options(bare, options, 63)).kind, Kind::Deliver);
    }
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked + 2);  // the second of them a duplicate
}

// RFC 8926 §4.6: segmentation offload copies a packet's options onto each segment; they are one tag's
// repeats.
TEST_F(Decapsulation, SegmentsOfOneTaggedPacketAreItsDuplicates) {
    (void)net.send(0, 1, 0, 600);
    (void)net.send(0, 1, 0, 600);
    const Frame good = tagged();
    const std::size_t inner = kGenevePayload + wire::TrackOption::kSize;
    for (const std::size_t cut : {300U, 200U}) {
        Frame segment(good.begin(), good.end() - static_cast<std::ptrdiff_t>(cut));
        store_u16(&segment[kOuterUdp + 4], static_cast<std::uint16_t>(segment.size() - kOuterUdp));
        store_u16(&segment[kOuterIp + 2], static_cast<std::uint16_t>(segment.size() - kOuterIp));
        mend_ip(segment);
        ASSERT_GT(segment.size(), inner + 60);
        EXPECT_EQ(net.inject(1, segment).kind, Kind::Deliver);
    }
    const auto views = net.engine(1).sessions();
    std::uint32_t corrupted = 0;
    std::uint32_t duplicates = 0;
    for (const auto& record : views.at(0).paths) {
        corrupted += record.corrupted;
        duplicates += record.duplicates;
    }
    EXPECT_EQ(duplicates, 1U);
    EXPECT_EQ(corrupted, 0U);  // shorter than the tag says: no reason to call it damaged
}

// RFC 8926 §3.4: a control packet may have options; its payload is for the endpoint alone.
TEST_F(Decapsulation, ControlPacketsMayHaveOptions) {
    const std::size_t delivered = net.host(1).delivered.size();
    const Frame good = control(ControlType::Marker);
    EXPECT_EQ(net.inject(1, with_options(good, {0x01, 0x02, 0x05, 0x01, 1, 2, 3, 4}, 2)).kind,
              Kind::Consumed);
    expect_dropped(with_options(good, {0x01, 0x02, 0x85, 0x01, 1, 2, 3, 4}, 2),
                   DropReason::GeneveUnknownCritical, "critical option of a control packet");
    EXPECT_EQ(net.host(1).delivered.size(), delivered);
}

// RFC 8926 §3.5: options that do not sum to their length drop the packet.
TEST_F(Decapsulation, OptionLengthsThatDoNotSumDropThePacket) {
    const Frame good = plain();
    expect_dropped(with_options(good, {0x01, 0x02, 0x05, 0x02, 1, 2, 3, 4}, 2),
                   DropReason::GeneveOptionsOverrun, "overrun");
    expect_dropped(with_options(good, {0x01, 0x02, 0x05, 0x1f}, 1), DropReason::GeneveOptionsOverrun,
                   "longest");
    Frame beyond = good;
    beyond[kGeneve] = 63;
    beyond.resize(kGenevePayload + 200);
    store_u16(&beyond[kOuterUdp + 4], static_cast<std::uint16_t>(beyond.size() - kOuterUdp));
    store_u16(&beyond[kOuterIp + 2], static_cast<std::uint16_t>(beyond.size() - kOuterIp));
    mend_ip(beyond);
    expect_dropped(beyond, DropReason::GeneveTruncated, "options beyond the packet");
}

TEST_F(Decapsulation, AnotherLengthOfOurOptionIsCountedAndThePacketCarried) {
    const Frame good = plain();
    const std::uint64_t tracked = net.engine(1).counters().tracked_received;
    EXPECT_EQ(net.inject(1, with_options(good, {0xff, 0x44, 0x01, 0x01, 1, 2, 3, 4}, 2)).kind, Kind::Deliver);
    EXPECT_EQ(drops(DropReason::TrackBadLength), 1U);
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked);
}

TEST_F(Decapsulation, ASecondTrackOptionIsCountedAndIgnored) {
    net.send(0, 1);
    net.send(0, 1);
    Frame frame = tagged();
    const Frame option(frame.begin() + kGenevePayload,
                       frame.begin() + kGenevePayload + wire::TrackOption::kSize);
    const std::uint64_t tracked = net.engine(1).counters().tracked_received;
    EXPECT_EQ(net.inject(1, with_options(frame, option, 22)).kind, Kind::Deliver);
    EXPECT_EQ(drops(DropReason::TrackRepeated), 1U);
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked + 1);
}

TEST_F(Decapsulation, ATagIsRejectedForEachFlippedBitAndThePacketCarried) {
    (void)net.send(0, 1);
    (void)net.send(0, 1);
    const Frame good = tagged();
    const std::uint64_t tracked = net.engine(1).counters().tracked_received;
    for (std::size_t bit = 0; bit < wire::TrackOption::kDataSize * 8; ++bit) {
        Frame frame = good;
        const std::size_t at = kGenevePayload + 4 + bit / 8;
        frame[at] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        // The session id says which session to ask, path index and generation what it expects from that port;
        // all the rest is for the tag to judge.
        const auto reason = bit < 32   ? DropReason::TrackUnknownSession
                            : bit < 56 ? DropReason::TrackUnbound
                                       : DropReason::TrackBadTag;
        const std::uint64_t before = drops(reason);
        EXPECT_EQ(net.inject(1, frame).kind, Kind::Deliver) << "bit " << bit;
        EXPECT_EQ(drops(reason), before + 1) << "bit " << bit;
    }
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked);
    EXPECT_EQ(net.inject(1, good).kind, Kind::Deliver);
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked + 1);
}

TEST_F(Decapsulation, ATagHoldsForItsAddressPortAndNetworkOnly) {
    (void)net.send(0, 1);
    (void)net.send(0, 1);
    const Frame good = tagged();
    const std::uint64_t tracked = net.engine(1).counters().tracked_received;
    const auto moved = [&](const Frame& frame, DropReason reason) {
        const std::uint64_t before = drops(reason);
        (void)net.inject(1, frame);
        EXPECT_EQ(drops(reason), before + 1);
    };
    moved(with_u16(good, kOuterIp + 14, 0x0009), DropReason::TrackUnknownSession);  // another source address
    const std::uint16_t port = load_u16(&good[kOuterUdp]);
    moved(with_u16(good, kOuterUdp, static_cast<std::uint16_t>(port ^ 1)), DropReason::TrackUnbound);
    moved(with_u16(good, kOuterUdp, 1), DropReason::TrackUnbound);
    moved(with_u8(good, kGeneve + 6, 0x07), DropReason::TrackBadTag);  // another VNI
    EXPECT_EQ(net.engine(1).counters().tracked_received, tracked);
}

TEST_F(Decapsulation, AControlTagIsRejectedForEachFlippedBit) {
    const Frame good = control(ControlType::Marker);
    const auto before = net.engine(1).sessions();
    const std::uint64_t received = net.engine(1).counters().control_received;
    const std::uint64_t sent = net.engine(1).counters().control_sent;
    for (std::size_t bit = 0; bit < (good.size() - kGenevePayload) * 8; ++bit) {
        Frame frame = good;
        frame[kGenevePayload + bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        const std::uint64_t total = net.engine(1).drops().total();
        EXPECT_EQ(net.inject(1, frame).kind, Kind::Consumed);
        EXPECT_EQ(net.engine(1).drops().total(), total + 1) << "bit " << bit;
    }
    EXPECT_EQ(net.engine(1).counters().control_received, received);
    EXPECT_EQ(net.engine(1).counters().control_sent, sent);  // nothing was answered
    const auto after = net.engine(1).sessions();
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(after[0].paths, before[0].paths);
}

/// Builds control messages as the peer would, with a right tag.
class Forger {
  public:
    explicit Forger(Network& net) : net_(net) {}

    Frame operator()(ControlType type, Bytes body,
                     const std::function<void(wire::ControlHeader&)>& change = {}) {
        Frame frame;
        for (const Captured& captured : net_.captured()) {
            if (captured.from == 0 && captured.seen.is(ControlType::Marker)) frame = captured.bytes;
        }
        const SeenPacket seen = look_at(frame);
        wire::ControlHeader header = *seen.control;
        header.type = type;
        header.message_number = wire::is_handshake(type) ? 0 : ++number_;
        if (change) change(header);
        frame.resize(kGenevePayload + wire::ControlHeader::kSize + body.size() +
                     wire::ControlHeader::kTagSize);
        const MutableBytes message = MutableBytes(frame).subspan(kGenevePayload);
        header.encode_into(message, message.size());
        std::copy(body.begin(), body.end(), message.begin() + wire::ControlHeader::kSize);
        store_u16(&frame[kOuterUdp + 4], static_cast<std::uint16_t>(frame.size() - kOuterUdp));
        store_u16(&frame[kOuterIp + 2], static_cast<std::uint16_t>(frame.size() - kOuterIp));
        mend_ip(frame);
        net_.seal_anew(frame);
        return frame;
    }

  private:
    Network& net_;
    std::uint32_t number_ = 500;  ///< beyond all that was sent
};

TEST_F(Decapsulation, AuthenticControlThatDoesNotBelongIsCountedAndChangesNothing) {
    Forger forge(net);
    const Frame nothing;
    const auto before = net.engine(1).sessions();
    expect_refused(forge(ControlType::KeepAlive, nothing, [](auto& h) { h.receiver_boot.value ^= 1; }),
                   DropReason::ControlWrongBoot, "another boot");
    expect_refused(forge(ControlType::KeepAlive, nothing, [](auto& h) { h.sender_boot.value ^= 1; }),
                   DropReason::ControlUnknownSession, "of another boot of the peer");
    expect_refused(forge(ControlType::KeepAlive, nothing, [](auto& h) { h.session.value ^= 1; }),
                   DropReason::ControlUnknownSession, "another session");
    expect_refused(forge(ControlType::KeepAlive, nothing, [](auto& h) { h.from_acceptor = true; }),
                   DropReason::ControlUnknownSession, "the other role");
    expect_refused(forge(ControlType::KeepAlive, nothing, [](auto& h) { h.key_id.value ^= 1; }),
                   DropReason::ControlBadTag, "another key");
    for (const ControlType type : {ControlType::Accept, ControlType::Reject, ControlType::MarkerAck,
                                   ControlType::Report, ControlType::CloseAck, ControlType::PathTraceReply,
                                   ControlType::Challenge, ControlType::DelaySketch})
        expect_refused(forge(type, nothing), DropReason::ControlUnexpected,
                       std::string(wire::to_string(type)));
    for (const ControlType type :
         {ControlType::Update, ControlType::UpdateAck, ControlType::Directive, ControlType::DirectiveResult})
        expect_refused(forge(type, nothing), DropReason::ControlUnexpected,
                       std::string(wire::to_string(type)));
    for (const ControlType type :
         {ControlType::Request, ControlType::Marker, ControlType::Close, ControlType::PathTrace})
        expect_refused(forge(type, nothing), DropReason::ControlBadLength,
                       std::string(wire::to_string(type)));
    const auto after = net.engine(1).sessions();
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(after[0].state, before[0].state);
    EXPECT_EQ(after[0].paths, before[0].paths);
}

TEST_F(Decapsulation, AMarkerSpeaksForItsOwnPathOnly) {
    Forger forge(net);
    const Frame frame = control(ControlType::Marker);
    auto marker = *wire::MarkerBody::parse(look_at(frame).body);
    const auto told = [&](const wire::MarkerBody& body) {
        Frame bytes(wire::MarkerBody::kSize);
        body.encode_into(bytes);
        return forge(ControlType::Marker, bytes);
    };
    wire::MarkerBody other = marker;
    other.path.value = static_cast<std::uint16_t>(marker.path.value ^ 1);
    expect_refused(told(other), DropReason::ControlBadField, "another path's");
    other.path.value = 4;
    expect_refused(told(other), DropReason::ControlBadField, "a path that was not announced");
}

TEST_F(Decapsulation, ARequestUnderALiveSessionsIdIsAReplay) {
    Forger forge(net);
    const Frame original = control(ControlType::Request);
    auto request = *wire::RequestBody::parse(look_at(original).body);
    request.requester_nonce ^= 1;
    Frame bytes(wire::RequestBody::kSize);
    request.encode_into(bytes);
    expect_refused(forge(ControlType::Request, bytes), DropReason::ControlReplayed, "another nonce");
    EXPECT_EQ(net.engine(1).sessions().size(), 1U);
}

TEST_F(Decapsulation, ControlNeverReachesAGuest) {
    const std::size_t delivered = net.host(1).delivered.size();
    for (const Captured& captured : std::vector<Captured>(net.captured())) {
        if (captured.from == 0 && captured.seen.kind == SeenPacket::Kind::Control) {
            EXPECT_EQ(net.inject(1, captured.bytes).kind, Kind::Consumed);
        }
    }
    EXPECT_EQ(net.host(1).delivered.size(), delivered);
}

TEST_F(Decapsulation, ATagSeenTwiceIsADuplicate) {
    (void)net.send(0, 1);
    (void)net.send(0, 1);
    net.run_for(Duration::microseconds(20));
    const Frame frame = tagged();
    const auto path = look_at(frame).track->path;
    const auto record = [&] {
        const auto views = net.engine(1).sessions();
        for (const auto& r : views.at(0).paths) {
            if (r.path == path) return r;
        }
        return wire::PathRecord{};
    };
    const wire::PathRecord before = record();
    (void)net.inject(1, frame);
    (void)net.inject(1, frame);
    const wire::PathRecord after = record();
    EXPECT_EQ(after.duplicates, before.duplicates + 2);
    EXPECT_EQ(after.tracked_received, before.tracked_received);
    EXPECT_EQ(after.received, before.received);
}

}  // namespace
}  // namespace dyetrace::test
