// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/drop_reason.h"

#include "core/base/result.h"

namespace dyetrace::wire {

std::string_view to_string(DropReason reason) {
    switch (reason) {
        case DropReason::EthernetTruncated: return "ethernet-truncated";
        case DropReason::Ipv4Truncated: return "ipv4-truncated";
        case DropReason::Ipv4BadVersion: return "ipv4-bad-version";
        case DropReason::Ipv4BadHeaderLength: return "ipv4-bad-header-length";
        case DropReason::Ipv4BadTotalLength: return "ipv4-bad-total-length";
        case DropReason::Ipv4BadChecksum: return "ipv4-bad-checksum";
        case DropReason::Ipv4Fragment: return "ipv4-fragment";
        case DropReason::Ipv6Truncated: return "ipv6-truncated";
        case DropReason::Ipv6BadVersion: return "ipv6-bad-version";
        case DropReason::Ipv6BadPayloadLength: return "ipv6-bad-payload-length";
        case DropReason::Ipv6ExtensionHeader: return "ipv6-extension-header";
        case DropReason::Ipv6Fragment: return "ipv6-fragment";
        case DropReason::UdpTruncated: return "udp-truncated";
        case DropReason::UdpBadLength: return "udp-bad-length";
        case DropReason::UdpBadChecksum: return "udp-bad-checksum";
        case DropReason::UdpZeroChecksum: return "udp-zero-checksum";
        case DropReason::IcmpTruncated: return "icmp-truncated";
        case DropReason::IcmpBadChecksum: return "icmp-bad-checksum";
        case DropReason::GeneveTruncated: return "geneve-truncated";
        case DropReason::GeneveBadVersion: return "geneve-bad-version";
        case DropReason::GeneveOptionsOverrun: return "geneve-options-overrun";
        case DropReason::GeneveUnknownCritical: return "geneve-unknown-critical";
        case DropReason::GeneveBadProtocol: return "geneve-bad-protocol";
        case DropReason::VxlanTruncated: return "vxlan-truncated";
        case DropReason::VxlanNoVni: return "vxlan-no-vni";
        case DropReason::VxlanInnerVlan: return "vxlan-inner-vlan";
        case DropReason::VxlanBadControl: return "vxlan-bad-control";
        case DropReason::WrongEncapsulation: return "wrong-encapsulation";
        case DropReason::TrackBadLength: return "track-bad-length";
        case DropReason::TrackRepeated: return "track-repeated";
        case DropReason::TrackUnknownSession: return "track-unknown-session";
        case DropReason::TrackUnbound: return "track-unbound";
        case DropReason::TrackBadTag: return "track-bad-tag";
        case DropReason::ReportBadLength: return "report-bad-length";
        case DropReason::ReportRepeated: return "report-repeated";
        case DropReason::ReportUnknownSession: return "report-unknown-session";
        case DropReason::ReportBadTag: return "report-bad-tag";
        case DropReason::ReportReplayed: return "report-replayed";
        case DropReason::ControlTruncated: return "control-truncated";
        case DropReason::ControlBadVersion: return "control-bad-version";
        case DropReason::ControlUnknownType: return "control-unknown-type";
        case DropReason::ControlBadLength: return "control-bad-length";
        case DropReason::ControlBadField: return "control-bad-field";
        case DropReason::ControlBadTag: return "control-bad-tag";
        case DropReason::ControlUnknownKey: return "control-unknown-key";
        case DropReason::ControlWrongBoot: return "control-wrong-boot";
        case DropReason::ControlUnknownSession: return "control-unknown-session";
        case DropReason::ControlUnexpected: return "control-unexpected";
        case DropReason::ControlReplayed: return "control-replayed";
        case DropReason::ControlStaleCookie: return "control-stale-cookie";
        case DropReason::UnknownGuestPort: return "unknown-guest-port";
        case DropReason::SourceMacMismatch: return "source-mac-mismatch";
        case DropReason::UnknownDestination: return "unknown-destination";
        case DropReason::GroupAddress: return "group-address";
        case DropReason::UnknownVni: return "unknown-vni";
        case DropReason::UnknownGuest: return "unknown-guest";
        case DropReason::GuestElsewhere: return "guest-elsewhere";
        case DropReason::FrameTooLong: return "frame-too-long";
        case DropReason::NoHeadroom: return "no-headroom";
        case DropReason::RelayLoop: return "relay-loop";
        case DropReason::EcnInvalid: return "ecn-invalid";
        case DropReason::NotForUs: return "not-for-us";
        case DropReason::TableFull: return "table-full";
        case DropReason::QueueFull: return "queue-full";
        case DropReason::kCount: break;
    }
    DYETRACE_ASSERT(false);
    return {};
}

}  // namespace dyetrace::wire
