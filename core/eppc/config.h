// SPDX-License-Identifier: GPL-2.0-or-later
// Everything an EPPC is told before it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/auth/key_ring.h"
#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/eppc/ecn.h"
#include "core/tracking/flow_filter.h"
#include "core/wire/geneve.h"
#include "core/wire/sampling_spec.h"
#include "core/wire/session_messages.h"
#include "core/wire/track_option.h"
#include "core/wire/vxlan.h"

namespace dyetrace::eppc {

/// Bounds of every table and queue, each with what one more costs in heap, P being `path_count`.
/// `Eppc::memory_bound` says what all come to: 330 MB as they stand here, with 64 paths.
struct EppcBounds {
    std::size_t guests = 1024;    ///< 100 to 180 bytes each: three tables of powers of two
    std::size_t remotes = 65536;  ///< 36 to 72 bytes each, and half of that more while they grow
    std::size_t peers = 16384;    ///< 2.9 kB each, and 17 P; of those 1 kB is the clock's model, and
                                  ///< 0.7 kB are for the 16 spare ports
    std::size_t requested_sessions = 4096;  ///< 1.8 kB each with a sketch of 1 kB, and 157 P
    std::size_t requested_to_peer = 4;      ///< concurrent sessions with one peer; 200 P and 7 kB for the
                                            ///< messages that they want to send at once, whoever the peer is
    std::size_t accepted_sessions =
        4096;  ///< 3.3 kB each: their own, records that wait, and the sketch's entry
    std::size_t accepted_from_peer = 4;    ///< concurrent sessions of one peer; 20 kB for what they report at
                                           ///< once, whoever the peer is
    std::size_t paths_from_peer = 2048;    ///< source ports that a peer may announce, spare ones too
    std::size_t accepted_paths = 262144;   ///< of all accepted sessions, 218 bytes each: 189, and 29 for
                                           ///< generations that were left and are not told yet
    std::size_t announced_ports = 524288;  ///< of all peers that have accepted sessions, 8 bytes each
    std::size_t sketches = 81920;          ///< nodes of the accepted sessions' delay sketches, 64 bytes each
                                           ///< (twice that while they grow); a session takes about 20
    std::size_t outputs = 65536;           ///< 230 bytes each, and the packet: up to `underlay_mtu`
    std::size_t update_entries = 16384;    ///< waiting; metrics 300 bytes each, routers and states 544
    std::size_t update_timings = 1024;     ///< waiting, of one session each; 1.25 kB with its sketch
    std::size_t traces = 256;              ///< at most 1024: paths being traced at a time, 1.4 kB each
                                           ///< (twice that beside it while they grow, and for the probes)
    std::size_t trace_queue = 16384;       ///< paths waiting to be traced, 45 bytes each
};

/// The UDP checksum of tunnel packets (RFC 8926 §4.3).
enum class UdpChecksum : std::uint8_t {
    Default,  ///< none over IPv4, full over IPv6
    Zero,     ///< none; over IPv6 only where it is said of a peer (RFC 6936 §5)
    Full,
};

/// What becomes of VLAN tags in guests' frames on their way to VXLAN peers, and from them (RFC 7348 §6.1).
/// Geneve carries them as they are (RFC 8926 §4.7).
enum class InnerVlan : std::uint8_t {
    Strip,  ///< taken off on the way out; what comes with one is dropped
    Keep,
};

/// How to speak with one peer, where that differs from the others.
struct PeerOptions {
    /// VXLAN: it has no options, so its sessions measure by counts alone. Both ends are to be told the same.
    wire::Encapsulation encapsulation = wire::Encapsulation::Geneve;
    /// Default: EppcConfig's. Zero over IPv6 is taken from that peer as well as sent to it.
    UdpChecksum udp_checksum = UdpChecksum::Default;
    std::optional<EcnMode> ecn;  ///< none: EppcConfig's
};

/// What data packets ask for comes first, as they wait for each cache line of it.
struct EppcConfig {
    // Where it stands
    IpAddress address;                ///< of this EPPC on the underlay; peers and NHMS have the same version
    MacAddress mac;                   ///< of its underlay port
    MacAddress gateway_mac;           ///< every underlay packet is sent to it
    std::size_t underlay_mtu = 1600;  ///< longest outer IP packet, bytes

    // Wire
    std::uint16_t geneve_port = wire::kGenevePort;
    std::uint16_t option_class = wire::TrackOption::kClassDefault;
    std::uint16_t source_port_base = 49152;  ///< first source port (RFC 7348 §5; RFC 8926 §3.3: any)
    std::uint16_t path_count = 64;           ///< paths to each peer, 1 to 1024, each on its own source port
    /// Source ports in all, up to 2048; those beyond path_count are spare, for paths that are moved. Zero:
    /// path_count + 16, or as many as there are below 65536.
    std::uint16_t port_count = 0;
    /// A port that a path has left carries no other path for so long.
    Duration port_rest = Duration::milliseconds(100);
    std::uint8_t dscp = 0;  ///< of every outer packet: pipe model
    EcnMode ecn = EcnMode::Normal;
    std::uint16_t vxlan_port = wire::kVxlanPort;
    Vni vxlan_control_vni{0xffffff};  ///< of control messages to and from VXLAN peers; no guest's
    InnerVlan vxlan_vlan = InnerVlan::Strip;
    /// Of data packets, and of the control packets beside them.
    UdpChecksum udp_checksum = UdpChecksum::Default;

    // Who may speak with it
    std::optional<auth::SharedKey> key;  ///< without one it refuses to start, unless `insecure`
    KeyId key_id{1};
    std::vector<auth::NamedKey> other_keys;  ///< taken beside it, while keys change
    bool insecure = false;                   ///< an all-zero key in so many words

    // Tracking
    wire::SamplingSpec sampling = wire::SamplingSpec::every_nth(100);
    /// What `sampling` looks at where it is filtered.
    tracking::FlowFilter flow_filter;
    std::uint32_t metrics = wire::kMetricsAll;  ///< what its sessions ask for, of wire::Metric
    std::uint32_t tracked_per_second =
        0;                        ///< each of its sessions tags no more; zero: no bound, none is told
    bool open_on_traffic = true;  ///< ask for a session with a peer when a guest first sends to it
    /// No more sessions are asked for on traffic; beyond them the peers take turns (session/candidate.h).
    std::size_t traffic_sessions = 4096;
    Duration choice_interval = Duration::seconds(1);  ///< how often who waits is looked at
    Duration turn = Duration::seconds(10);  ///< a session lasts so long before it makes room for who waits
    /// Peers that share so many leading bits of the address are near; zero: none is.
    std::uint8_t near_prefix = 0;
    Duration report_interval = Duration::milliseconds(100);
    /// How long a report that is due waits for data packets to ride in (docs/sessions.md), before it goes in
    /// a packet of its own. Zero: it never rides.
    Duration ride_wait = Duration::milliseconds(1);
    Duration path_idle = Duration::milliseconds(100);  ///< END after so long without data on a path
    /// What comes later behind an interval's END is lost (RFC 7680 §2.2, Tmax); what comes earlier is only
    /// late.
    Duration waiting_time = Duration::seconds(3);
    Duration session_duration = {};                         ///< zero: until closed
    Duration retransmit_first = Duration::milliseconds(5);  ///< doubles up to retransmit_last
    Duration retransmit_last = Duration::milliseconds(500);
    int retransmit_most = 12;                             ///< then the peer is lost
    Duration keep_alive_interval = Duration::seconds(1);  ///< requester to acceptor; three missed: peer lost
    bool accept_sessions = true;                          ///< false: serves no session as acceptor
    /// Tracked packets a second that accepted sessions may promise in all; zero: no bound. With one, who
    /// promises nothing is refused.
    std::uint32_t accepted_per_second = 0;
    double load_most = 0.9;  ///< of Eppc::set_load; from there on it accepts no more sessions
    Duration reject_back_off = Duration::seconds(1);  ///< what it tells those it rejects

    // Paths
    bool trace_paths = true;
    std::uint8_t trace_ttl_most = 8;  ///< highest TTL asked for, 1 to 24: a path has a router less
    Duration trace_timeout = Duration::milliseconds(10);  ///< of a round; doubles where routers stay silent
    int trace_attempts = 5;  ///< rounds; two settle a path whose routers all answer
    Duration trace_spacing = Duration::microseconds(20);  ///< between probes, on average; grows where routers
                                                          ///< limit their answers
    Duration trace_retry =
        Duration::seconds(1);  ///< a path not learned whole is asked about again after this

    // Health service
    std::optional<Endpoint> nhms;           ///< none: measure, and tell nobody
    std::uint16_t management_port = 46082;  ///< UDP port of this EPPC for acknowledgements and directives
    Duration update_interval = Duration::milliseconds(100);
    std::size_t flow_traces = 0;   ///< flows it may have followed at a time, to `FlowTap::kFlowsMost`
    std::size_t flow_capture = 0;  ///< first bytes of such a packet that it may be told, up to 128

    EppcBounds bounds;
};

}  // namespace dyetrace::eppc
