// SPDX-License-Identifier: GPL-2.0-or-later
// Every codec on arbitrary bytes. The first byte chooses the codec; what it accepts must come back equal from
// its own encoding.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/wire/control.h"
#include "core/wire/directive.h"
#include "core/wire/ethernet.h"
#include "core/wire/geneve.h"
#include "core/wire/guest_frame.h"
#include "core/wire/icmp.h"
#include "core/wire/icmpv6.h"
#include "core/wire/inner_packet.h"
#include "core/wire/ip.h"
#include "core/wire/ipv4.h"
#include "core/wire/ipv6.h"
#include "core/wire/report.h"
#include "core/wire/report_option.h"
#include "core/wire/session_messages.h"
#include "core/wire/track_option.h"
#include "core/wire/udp.h"
#include "core/wire/update.h"
#include "core/wire/vxlan.h"

namespace {

using namespace dyetrace;
using namespace dyetrace::wire;

template <class Body>
void round_trip(Bytes bytes) {
    const auto first = Body::parse(bytes);
    if (!first) return;
    std::vector<std::uint8_t> encoded(Body::kSize);
    first.value().encode_into(encoded);
    const auto second = Body::parse(encoded);
    DYETRACE_ASSERT(second.ok() && second.value() == first.value());
}

template <class Body, class Entry>
void round_trip_list(Bytes bytes) {
    std::vector<Entry> first;
    if (!Body::parse(bytes, first)) return;
    std::vector<std::uint8_t> encoded;
    if constexpr (requires { Body::encoded_size(first.size()); }) {
        encoded.resize(Body::encoded_size(first.size()));
    } else {
        encoded.resize(Body::encoded_size(first));
    }
    Body::encode_into(encoded, first);
    std::vector<Entry> second;
    DYETRACE_ASSERT(Body::parse(encoded, second).ok() && second == first);
}

void round_trip_report(Bytes bytes) {
    std::vector<PathRecord> records;
    const auto header = ReportBody::parse(bytes, records);
    if (!header) return;
    std::vector<std::uint8_t> encoded(ReportBody::encoded_size(records.size()));
    ReportBody::encode_into(encoded, header.value(), records);
    DYETRACE_ASSERT(std::equal(encoded.begin(), encoded.end(), bytes.begin(), bytes.end()));
}

void round_trip_directive(Bytes bytes) {
    const auto first = DirectiveBody::parse(bytes);
    if (!first) return;
    std::vector<std::uint8_t> encoded(first->encoded_size());
    first->encode_into(encoded);
    const auto second = DirectiveBody::parse(encoded);
    DYETRACE_ASSERT(second.ok() && second.value() == first.value());
}

void round_trip_delay_sketch(Bytes bytes) {
    const auto first = DelaySketchBody::parse(bytes);
    if (!first) return;
    std::vector<std::uint8_t> encoded(first->encoded_size());
    first->encode_into(encoded);
    const auto second = DelaySketchBody::parse(encoded);
    DYETRACE_ASSERT(second.ok() && second->corrected == first->corrected &&
                    second->sent_ns == first->sent_ns);
    DYETRACE_ASSERT(
        std::equal(second->sketch.begin(), second->sketch.end(), first->sketch.begin(), first->sketch.end()));
}

void round_trip_track_option(Bytes data) {
    const auto first = TrackOption::parse(data);
    if (!first) return;
    std::vector<std::uint8_t> encoded(TrackOption::kSize);
    first.value().encode_into(encoded, TrackOption::kClassDefault);
    const auto second = TrackOption::parse(Bytes(encoded).subspan(GeneveOption::kHeaderSize));
    DYETRACE_ASSERT(second.ok());
    DYETRACE_ASSERT(second.value() == first.value());
}

void round_trip_report_option(Bytes data) {
    const auto first = ReportOption::parse(data);
    DYETRACE_ASSERT(first.ok() == (data.size() == ReportOption::kDataSize));
    if (!first) return;
    std::vector<std::uint8_t> encoded(ReportOption::kSize);
    first.value().encode_into(encoded, TrackOption::kClassDefault);
    // Every bit of it has a meaning, so that what the tag covers is what was understood.
    DYETRACE_ASSERT(std::equal(data.begin(), data.end(), encoded.begin() + GeneveOption::kHeaderSize));
}

void walk_geneve(Bytes bytes) {
    const auto header = GeneveHeader::parse(bytes);
    if (!header) return;
    GeneveOptionIterator options(bytes.subspan(GeneveHeader::kSize, header.value().options_length));
    while (!options.done()) {
        const auto option = options.next();
        if (!option) return;
        round_trip_track_option(option.value().data);
    }
}

/// The way of a packet through the receiving data path: each header says where the next one begins.
void walk_packet(Bytes bytes) {
    const auto ethernet = EthernetHeader::parse(bytes);
    if (!ethernet) return;
    const Bytes packet = bytes.subspan(EthernetHeader::kSize);
    const auto ip = IpHeader::parse(ethernet->ether_type, packet, packet.size());
    if (!ip) return;
    const Bytes payload = packet.subspan(ip->header_length, ip->payload_length);
    (void)IcmpTimeExceeded::parse(payload);
    (void)parse_icmpv6_time_exceeded(ip->source, ip->destination, payload);
    if (!UdpHeader::parse(payload, payload.size())) return;
    const Bytes datagram = payload.subspan(UdpHeader::kSize);
    walk_geneve(datagram);
    (void)ControlMessage::parse(datagram);
}

void time_exceeded_quotes_itself(Bytes packet) {
    if (!Ipv4Header::parse(packet, packet.size())) return;
    std::vector<std::uint8_t> message(8 + 68);
    message.resize(encode_icmp_time_exceeded(packet, message));
    (void)IcmpTimeExceeded::parse(message);
}

void time_exceeded_of_ipv6_quotes_itself(Bytes packet) {
    const auto header = Ipv6Header::parse(packet, packet.size());
    if (!header) return;
    std::vector<std::uint8_t> message(kIcmpv6SizeMost);
    message.resize(encode_icmpv6_time_exceeded(header->destination, header->source, packet, message));
    (void)parse_icmpv6_time_exceeded(header->destination, header->source, message);
}

/// A guest's frame: nothing is refused, and nothing read or written beyond its end.
void look_inside(Bytes bytes) {
    if (bytes.size() < EthernetHeader::kSize) return;
    const InnerPacket packet = InnerPacket::parse(bytes);
    DYETRACE_ASSERT(packet.network_offset <= bytes.size() && packet.payload_offset <= bytes.size());
    std::vector<std::uint8_t> frame(bytes.begin(), bytes.end());
    const GuestFrame inner = inspect_guest_frame(frame);
    DYETRACE_ASSERT(inner.payload_offset <= frame.size());
    set_ecn(frame, inner, Ecn::Ce);
    const bool has_ecn = inner.kind != GuestFrame::Kind::Other;
    DYETRACE_ASSERT(inspect_guest_frame(frame).ecn == (has_ecn ? Ecn::Ce : Ecn::NotEct));
}

void every_body(std::uint8_t which, Bytes bytes) {
    switch (which) {
        case 0: return round_trip<RequestBody>(bytes);
        case 1: return round_trip<AcceptBody>(bytes);
        case 2: return round_trip<RejectBody>(bytes);
        case 3: return round_trip<MarkerBody>(bytes);
        case 4: return round_trip<MarkerAckBody>(bytes);
        case 5: return round_trip<CloseBody>(bytes);
        case 6: return round_trip<PathTraceBody>(bytes);
        case 7: return round_trip<PathTraceReplyBody>(bytes);
        case 8: return round_trip_directive(bytes);
        case 9: return round_trip<DirectiveResultBody>(bytes);
        case 10: return round_trip_report(bytes);
        case 11: return round_trip_list<UpdateBody, UpdateEntry>(bytes);
        case 12: return (void)ControlMessage::parse(bytes);
        case 13: return round_trip_track_option(bytes);
        case 14: return walk_geneve(bytes);
        case 15: return time_exceeded_quotes_itself(bytes);
        case 16: return round_trip<ReportAckBody>(bytes);
        case 17: return time_exceeded_of_ipv6_quotes_itself(bytes);
        case 18: return round_trip<ChallengeBody>(bytes);
        case 19: return round_trip<VxlanHeader>(bytes);
        case 20: return look_inside(bytes);
        case 21: return round_trip_delay_sketch(bytes);
        case 22: return round_trip_report_option(bytes);
        default: return walk_packet(bytes);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) every_body(data[0], Bytes(data + 1, size - 1));
    return 0;
}
