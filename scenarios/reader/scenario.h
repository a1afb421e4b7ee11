// SPDX-License-Identifier: GPL-2.0-or-later
// A scenario as read: every value typed, in range, and with its default filled in. docs/scenario-reference.md
// lists the keys. Those that an EPPC or the health service takes over have the engines' own defaults, and the
// names of the engines' fields: tests/scenarios/runner/attributes_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/localise/fabric_plan.h"
#include "core/tracking/flow_filter.h"
#include "core/wire/flow_trace.h"
#include "core/wire/sampling_spec.h"
#include "core/wire/session_messages.h"
#include "scenarios/reader/flow_size_distribution.h"

namespace dyetrace::scenario {

struct RunSettings {
    Duration duration = Duration::milliseconds(3000);  ///< simulated time with traffic
    Duration drain = Duration::milliseconds(300);      ///< after it: sessions close, last reports arrive
    std::uint64_t seed = 1;
};

enum class FabricKind : std::uint8_t { FatTree, LeafSpine, Clos, Jellyfish, GraphMl, EdgeList };

struct FabricSettings {
    FabricKind kind = FabricKind::FatTree;
    int k = 6;  ///< of a fat-tree, ports a switch; even, 4 to 64
    std::uint64_t link_rate_bps = 1'000'000'000;
    Duration link_delay = Duration::microseconds(1);
    std::uint64_t queue_bytes = 150'000;  ///< of every port
    std::uint64_t ecn_bytes = 0;          ///< a longer queue marks CE; 0: none does
    std::uint32_t mtu = 9194;             ///< longest IP packet of a link, bytes
    /// From a link's failure, or its return, to routes that know of it; none: they never change.
    std::optional<Duration> detection_delay = Duration::milliseconds(50);
    std::string grade = "lean";
    Duration guest_delay{};         ///< between a guest and its host's EPPC, each way
    std::string underlay = "ipv4";  ///< or ipv6: what hosts speak with each other
    std::uint32_t icmp_rate = 0;    ///< messages a second of a switch; 0: no limit
    std::uint32_t icmp_burst = 10;  ///< messages at once, where there is a limit
    std::uint32_t leaves = 8;
    std::uint32_t spines = 4;  ///< of a leaf-spine; of each plane of a Clos
    std::uint32_t pods = 4;
    std::uint32_t edges = 4;   ///< of a pod
    std::uint32_t planes = 2;  ///< aggregation switches of a pod
    std::uint32_t switches = 20;
    std::uint32_t degree = 4;  ///< other switches that one of a Jellyfish is joined with
    std::uint64_t wiring_seed = 1;
    std::uint32_t hosts_per_rack = 4;                ///< of a leaf, an edge switch, a Jellyfish's switch
    std::optional<std::uint64_t> uplink_rate_bps{};  ///< between the two lowest tiers; none: link_rate
    std::optional<std::uint64_t> core_rate_bps{};    ///< between the two highest of three; none: link_rate
    std::optional<std::string> file{};               ///< GraphML or edge list
    std::uint32_t hosts_per_node = 1;                ///< at each node of the file
    bool largest_part = false;                       ///< of a file's network: all else is left out
    std::string topology_path{};                     ///< where the file was found
    std::string topology_text{};                     ///< its bytes, for provenance
    std::shared_ptr<const localise::FabricPlan> plan{};  ///< what all this comes to
};

enum class WorkloadKind : std::uint8_t { Flows, Constant, Poisson, OnOff, Incast };

/// What a kind has no key for keeps its default, and means nothing.
struct WorkloadSettings {
    WorkloadKind kind = WorkloadKind::Flows;
    std::string hosts = "*";                    ///< name or pattern: whose guests send, among themselves
    std::uint32_t vni = 1000;                   ///< that they are in
    std::string distribution = "web-search";    ///< shipped name, or a file beside the scenario
    FlowSizeDistribution flow_sizes;            ///< read from it
    double load = 0.2;                          ///< of each host's link, (0, 1]
    std::uint64_t flow_rate_bps = 250'000'000;  ///< pace of one flow, or of one response
    std::uint64_t rate_bps = 100'000'000;       ///< of a guest, all its flows together
    std::uint32_t flows = 1;                    ///< that share it
    std::string destination = "random";
    Duration on_time = Duration::milliseconds(10);  ///< mean
    Duration off_time = Duration::milliseconds(10);
    std::string times = "exponential";               ///< distribution of both
    Duration interval = Duration::milliseconds(10);  ///< between two rounds of incast
    std::uint32_t fan_in = 8;                        ///< senders of a receiver
    std::uint32_t receivers = 1;                     ///< of a round
    std::optional<std::string> receiver{};           ///< host; none: each round has another
    std::uint64_t response_bytes = 32'000;           ///< UDP payload
    Duration jitter{};                               ///< a response begins so long at most after the round
    std::uint64_t packet_bytes = 1400;               ///< UDP payload of a full packet
    Duration start{};
    std::optional<Duration> stop{};  ///< none: at the end of `duration`
};

using SamplingKind = wire::SamplingSpec::Kind;

struct TrackingSettings {
    double rate = 0.01;  ///< share of data packets that is tagged, [0, 1]
    SamplingKind sampling = SamplingKind::EveryNth;
    std::uint32_t sampling_seed = 0;            ///< of hash-consistent
    std::uint32_t sampling_budget = 1000;       ///< of rate-budget: tags a second of each session
    std::uint32_t sampling_burst = 10;          ///< of rate-budget: tags at once
    tracking::FlowFilter flow_filter;           ///< without rules: sampling looks at every packet
    std::uint32_t metrics = wire::kMetricsAll;  ///< asked for, of wire::Metric
    std::uint32_t tracked_per_second = 0;       ///< that a session promises; 0: no bound
    std::uint32_t accepted_per_second = 0;      ///< that all sessions with one acceptor may; 0: no bound
    std::uint32_t traffic_sessions = 4096;      ///< that a host asks for at a time
    Duration choice_interval = Duration::seconds(1);
    Duration turn = Duration::seconds(10);
    std::uint8_t near_prefix = 0;
    int path_count = 64;  ///< source ports to each peer, 1 to 1024
    Duration report_interval = Duration::milliseconds(100);
    Duration ride_wait = Duration::milliseconds(1);    ///< a due report's, for data packets to ride in
    Duration path_idle = Duration::milliseconds(100);  ///< END marker after so long without data on a path
    Duration waiting_time = Duration::seconds(3);      ///< what comes later behind an END is lost
    Duration session_duration{};                       ///< 0: until closed
    std::optional<std::array<std::uint8_t, 32>> key;   ///< of the underlay; none only with `insecure`
    bool insecure = false;
};

enum class RemedyMode : std::uint8_t { Off, Advisory, Automatic };

struct HealthSettings {
    std::string host = "host-0-0-0";  ///< where the health service runs; left out: the fabric's first host
    Duration update_interval = Duration::milliseconds(100);
    Duration evaluate_interval = Duration::milliseconds(100);
    double raised_rate = 0.1;                              ///< sampling that a directive asks for, (0, 1]
    Duration investigation = Duration::milliseconds(500);  ///< longest wait for fresh evidence
    Duration cover_interval{};                             ///< between two looks at it; 0: none
    std::uint32_t cover_pairs = 32;                        ///< asked for at one look
    Duration read_counters{};                              ///< of switches' ports, so often; 0: never
    // What is done about a confirmed incident
    RemedyMode repath = RemedyMode::Off;
    RemedyMode drain = RemedyMode::Off;  ///< of links and switches
    RemedyMode migrate = RemedyMode::Off;
    Duration migrate_after = Duration::milliseconds(100);
    Duration learn_after = Duration::milliseconds(1);
    RemedyMode drain_host = RemedyMode::Off;
    RemedyMode notify = RemedyMode::Off;
    double drain_share = 0.25;          ///< of a tier, at most
    std::uint32_t repath_attempts = 8;  ///< of one path
    Duration verify_within = Duration::seconds(2);
    Duration restore_after = {};  ///< 0: never
    // What tenants see
    Duration client_span = Duration::seconds(1);
    Duration share_interval = Duration::seconds(1);
    Duration score_fall = Duration::seconds(1);
    Duration score_rise = Duration::seconds(10);
};

enum class FaultKind : std::uint8_t {
    AddedDelay,
    ClockChange,
    ControlLoss,
    Corruption,
    Duplication,
    EcnBleaching,
    EcnMarking,
    EppcRestart,
    FlowDrop,
    FrameErrors,
    HostCrash,
    LinkDown,
    LinkFlap,
    MtuShrink,
    NhmsOutage,
    RateCut,
    Reordering,
    SilentDrop,
    SwitchDown
};

/// What a kind has no key for keeps its default, and means nothing.
struct Fault {
    FaultKind kind = FaultKind::SilentDrop;
    std::string from;  ///< names or patterns of the nodes of links
    std::string to;
    bool both_ways = false;
    std::string node;               ///< name or pattern of a switch or host
    std::uint32_t count = 0;        ///< how many of those that match; 0: all
    std::uint64_t choice_seed = 1;  ///< by which they are chosen
    Duration at{};
    std::optional<Duration> until;  ///< none: to the end
    double probability = 1.0;       ///< of each packet to be struck, [0, 1]
    double share = 0.1;             ///< of flows that are dropped
    tracking::FlowFilter match;     ///< outer headers of the flows that are; without rules: `share` decides
    Duration delay = Duration::microseconds(100);
    Duration jitter{};
    std::uint64_t rate_bps = 100'000'000;  ///< that a link is cut to
    std::uint32_t mtu = 1400;              ///< bytes of an IP packet
    Duration down_time = Duration::milliseconds(10);
    Duration up_time = Duration::milliseconds(90);
    Duration step{};         ///< of a clock
    std::int32_t drift = 0;  ///< of a clock, millionths
};

/// The clocks of some hosts. What it has no key for is as in ns3::DyetraceHost.
struct Clock {
    std::string hosts;       ///< name or pattern
    Duration offset{};       ///< ahead of true time at the beginning
    std::int32_t drift = 0;  ///< how much faster, millionths
    Duration jitter{};       ///< error of a reading: uniform from 0 to this
};

struct RecordSettings {
    std::vector<std::string> pcap;  ///< ports "node:peer"; empty: the usual ones
};

/// A name for the guest of a tenant that is on some host.
struct TenantGuest {
    std::string name;
    std::string host;
    std::optional<std::uint32_t> vni{};  ///< of the tenant's; none: the first that has a guest there
};
/// A health state that a tenant has defined.
struct TenantCondition {
    std::string name;
    std::string text;  ///< reads as a health::Condition
};
struct TenantSubscription {
    std::string state = "all";  ///< or "health", or the name of a condition
};
struct TenantSettings {
    std::string name;
    std::vector<std::uint32_t> vnis;  ///< whose guests are the tenant's
    std::vector<TenantGuest> guests;  ///< that have a name of their own; guests.h names the others
    std::vector<TenantCondition> conditions;
    std::vector<TenantSubscription> subscriptions;
};

struct ServiceInstance {
    std::string name;
    std::string guest;                            ///< the tenant's, that serves
    double own_health = 1;                        ///< what it says of itself without load
    std::optional<std::uint64_t> capacity_bps{};  ///< what it can take in; none: load says nothing
};
struct ServiceSettings {
    std::string name;
    std::string tenant;
    std::vector<ServiceInstance> instances;
};

struct ProbeSettings {
    std::string name;
    std::string tenant;
    std::optional<std::string> from{};  ///< guests of the tenant; none: any
    std::optional<std::string> to{};
    std::optional<std::uint32_t> vni{};  ///< none: that of its guests, or the tenant's first
    double share = 0.1;                  ///< of packets
};

struct FlowTraceSettings {
    std::string tenant;
    std::string from;  ///< guests of the tenant
    std::string to;
    std::uint32_t protocol = 0;  ///< 0: any
    std::uint32_t source_port = 0;
    std::uint32_t destination_port = 0;
    std::uint8_t stages = wire::FlowTraceSpec::kAllStages;
    std::uint32_t packets = 100;  ///< at each stage, at most
    std::uint32_t captured_packets = 0;
    std::uint32_t capture_bytes = 0;  ///< of each
    Duration at{};
    Duration duration = Duration::seconds(1);
};

struct Scenario {
    std::string path;                    ///< of the file
    std::string text;                    ///< its bytes, for provenance
    std::vector<std::string> overrides;  ///< "key=value", as given
    RunSettings run;
    FabricSettings fabric;
    std::vector<WorkloadSettings> workloads = std::vector<WorkloadSettings>(1);  ///< at once
    TrackingSettings tracking;
    HealthSettings health;
    std::vector<Clock> clocks;  ///< of a host in several the last counts
    std::vector<Fault> faults;
    RecordSettings record;
    std::vector<TenantSettings> tenants;
    std::vector<ServiceSettings> services;
    std::vector<ProbeSettings> probes;
    std::vector<FlowTraceSettings> flow_traces;
};

}  // namespace dyetrace::scenario
