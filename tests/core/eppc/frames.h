// SPDX-License-Identifier: GPL-2.0-or-later
// Guests' frames and a look at encapsulation packets from outside, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/wire/control.h"
#include "core/wire/frame_buffer.h"
#include "core/wire/ip.h"
#include "core/wire/report_option.h"
#include "core/wire/track_option.h"

namespace dyetrace::test {

/// An IEEE 802.1Q or 802.1ad tag in a guest's frame.
struct GuestTag {
    std::uint16_t type = 0x8100;
    std::uint16_t control = 0;
};

/// One UDP packet of a guest, over IPv4 or IPv6, with right checksums.
struct GuestPacket {
    MacAddress source_mac;
    MacAddress destination_mac;
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 1000;
    std::uint16_t destination_port = 2000;
    std::size_t payload = 100;
    wire::Ecn ecn = wire::Ecn::NotEct;
    std::vector<GuestTag> tags = {};  ///< outermost first

    [[nodiscard]] std::vector<std::uint8_t> frame() const;
};

/// A frame that owns its memory: `headroom` bytes, then the frame, in a block of exactly that size.
struct OwnedFrame {
    explicit OwnedFrame(Bytes frame, std::size_t headroom = 0);

    std::vector<std::uint8_t> memory;
    wire::FrameBuffer buffer;

    [[nodiscard]] std::vector<std::uint8_t> bytes() const;
};

/// What a frame on the underlay is.
struct SeenPacket {
    enum class Kind : std::uint8_t { Data, Control, Icmp, Datagram, Other };
    Kind kind = Kind::Other;
    wire::IpHeader ip;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::optional<wire::TrackOption> track;      ///< Data
    std::optional<wire::ReportOption> ride;      ///< Data
    std::optional<wire::ControlHeader> control;  ///< Control, and Datagram of the health service
    std::vector<std::uint8_t> body;              ///< likewise: the message's body
    Vni vni;                                     ///< Data, Control
    bool vxlan = false;                          ///< Data, Control: not Geneve
    [[nodiscard]] Endpoint source() const { return {ip.source, source_port}; }
    [[nodiscard]] Endpoint destination() const { return {ip.destination, destination_port}; }
    bool is(wire::ControlType type) const { return control && control->type == type; }
};

SeenPacket look_at(Bytes frame);

/// Makes the outer IPv4 header's checksum right after a change.
void mend_ip(std::vector<std::uint8_t>& frame);
/// The same for the UDP checksum of a whole datagram behind the outer IP header of either version.
void mend_udp(std::vector<std::uint8_t>& frame);
/// What a router that marks does. A UDP checksum does not cover it.
void set_outer_ecn(std::vector<std::uint8_t>& frame, wire::Ecn ecn);
/// Takes `hops` off the TTL of the outer header.
void count_ttl_down(std::vector<std::uint8_t>& frame, std::uint8_t hops);
/// Where the outer UDP header of a frame over IPv4 or IPv6 begins.
std::size_t outer_udp_of(Bytes frame);

// Where the headers of an encapsulation packet over IPv4 begin.
constexpr std::size_t kOuterIp = 14;
constexpr std::size_t kOuterUdp = 34;
constexpr std::size_t kGeneve = 42;
constexpr std::size_t kGenevePayload = 50;  ///< options, or the inner frame

}  // namespace dyetrace::test
