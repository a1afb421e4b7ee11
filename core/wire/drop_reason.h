// SPDX-License-Identifier: GPL-2.0-or-later
// Why a packet was not carried. Every reason has a counter; none is ever silent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dyetrace::wire {

enum class DropReason : std::uint8_t {
    // Outer and inner headers
    EthernetTruncated,     ///< fewer than 14 bytes
    Ipv4Truncated,         ///< fewer bytes than the header or its IHL says
    Ipv4BadVersion,        ///< version is not 4
    Ipv4BadHeaderLength,   ///< IHL below 5
    Ipv4BadTotalLength,    ///< total length below the header's or above what arrived
    Ipv4BadChecksum,       ///< header checksum (RFC 791 §3.1)
    Ipv4Fragment,          ///< fragments of tunnel packets are not taken (RFC 8926 §4.4.1)
    Ipv6Truncated,         ///< fewer than 40 bytes, or fewer than its extension headers say
    Ipv6BadVersion,        ///< version is not 6
    Ipv6BadPayloadLength,  ///< payload length above what arrived
    Ipv6ExtensionHeader,   ///< tunnel packets have none (RFC 8926 §4.4.1)
    Ipv6Fragment,          ///< as over IPv4
    UdpTruncated,          ///< fewer than 8 bytes
    UdpBadLength,          ///< length below 8 or above what arrived
    UdpBadChecksum,        ///< non-zero and wrong (RFC 768)
    UdpZeroChecksum,       ///< over IPv6, from who was not configured to leave it out (RFC 6935 §5)
    IcmpTruncated,         ///< shorter than the header and the quoted packet
    IcmpBadChecksum,       ///< RFC 792; RFC 4443 §2.3
    // Geneve, RFC 8926
    GeneveTruncated,        ///< fewer than 8 bytes, or fewer than the options' length
    GeneveBadVersion,       ///< §3.4: unknown version
    GeneveOptionsOverrun,   ///< §3.5: option lengths that do not sum to the options' length
    GeneveUnknownCritical,  ///< §3.5: critical option that is not understood
    GeneveBadProtocol,      ///< data whose protocol type is not Ethernet
    // VXLAN, RFC 7348
    VxlanTruncated,      ///< fewer than 8 bytes
    VxlanNoVni,          ///< §5: no I flag, so no VNI
    VxlanInnerVlan,      ///< §6.1: a VLAN tag inside, where that is not configured
    VxlanBadControl,     ///< in the reserved VNI, and not a control message
    WrongEncapsulation,  ///< Geneve of a peer that is configured for VXLAN
    // Track option
    TrackBadLength,       ///< our class and type with another length
    TrackRepeated,        ///< more than one track option in a packet
    TrackUnknownSession,  ///< no such session from this peer
    TrackUnbound,         ///< no START has bound its path and generation to the port it came from
    TrackBadTag,          ///< authentication failed
    // Report option
    ReportBadLength,       ///< our class and type with another length
    ReportRepeated,        ///< more than one report option in a packet
    ReportUnknownSession,  ///< no such session was asked of this peer
    ReportBadTag,          ///< authentication failed
    ReportReplayed,        ///< seen before, or copied onto the segments of a packet that was cut
    // Control messages, updates and directives
    ControlTruncated,    ///< shorter than its header or its own length says
    ControlBadVersion,   ///< a version this engine does not speak
    ControlUnknownType,  ///< a type this engine does not know
    ControlBadLength,    ///< a body of the wrong length for its type
    ControlBadField,     ///< a field outside its range
    ControlBadTag,       ///< authentication failed
    ControlUnknownKey,   ///< a key id that is not, or no longer, configured
    ControlWrongBoot,    ///< addressed to an earlier boot of this engine, or from an earlier boot of the peer
    ControlUnknownSession,  ///< no such session from this peer
    ControlUnexpected,      ///< valid, but not in this state or not for this role
    ControlReplayed,        ///< seen before
    ControlStaleCookie,     ///< a request with a nonce that is not, or no longer, of a challenge of ours
    // Overlay
    UnknownGuestPort,    ///< no guest is plugged in there
    SourceMacMismatch,   ///< the guest's source address is not its port's
    UnknownDestination,  ///< no peer carries that address in this VNI
    GroupAddress,        ///< broadcast and multicast are not carried
    UnknownVni,          ///< no guest of this host is in that virtual network
    UnknownGuest,        ///< no guest of this host has that address in this VNI
    GuestElsewhere,      ///< that guest is another host's: whoever sent it has not heard yet
    FrameTooLong,        ///< would exceed the underlay's MTU
    NoHeadroom,          ///< the buffer has no room for the encapsulation headers
    RelayLoop,           ///< to relay, and from the peer that it would go to, or at the end of its TTL
    EcnInvalid,          ///< not-ECT inside, CE outside (RFC 6040 §4.2)
    NotForUs,            ///< another host's address, or a protocol that is not the engine's
    // Bounds
    TableFull,  ///< a configured bound of a table was reached
    QueueFull,  ///< a configured bound of a queue was reached
    kCount,
};

constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::kCount);

/// The counter's name, e.g. "ipv4-bad-checksum".
std::string_view to_string(DropReason reason);

/// Why something is refused, or nothing: an optional of one byte, which every packet passes a dozen times.
class Refusal {
  public:
    constexpr Refusal() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): as an optional has it
    constexpr Refusal(std::nullopt_t) {}
    // NOLINTNEXTLINE(google-explicit-constructor): as an optional has it
    constexpr Refusal(DropReason reason) : reason_(reason) {}

    [[nodiscard]] constexpr explicit operator bool() const { return reason_ != DropReason::kCount; }
    constexpr DropReason operator*() const { return reason_; }
    constexpr bool operator==(const Refusal&) const = default;

  private:
    DropReason reason_ = DropReason::kCount;
};

/// One counter a reason.
class DropCounters {
  public:
    void add(DropReason reason) { ++counts_[static_cast<std::size_t>(reason)]; }
    [[nodiscard]] std::uint64_t count(DropReason reason) const {
        return counts_[static_cast<std::size_t>(reason)];
    }
    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (auto n : counts_)
            sum += n;
        return sum;
    }
    /// Calls `visit(reason, count)` for each reason that something was dropped for.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if (counts_[i] != 0) visit(static_cast<DropReason>(i), counts_[i]);
    }

  private:
    std::array<std::uint64_t, kDropReasonCount> counts_{};
};

}  // namespace dyetrace::wire
