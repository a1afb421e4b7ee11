// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/attributes.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <ns3/boolean.h>
#include <ns3/data-rate.h>
#include <ns3/double.h>
#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-incast-source.h>
#include <ns3/dyetrace-stream-sources.h>
#include <ns3/nstime.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "core/tracking/flow_rule_text.h"
#include "core/wire/metric_names.h"

namespace dyetrace::runner {
namespace {

using scenario::Scenario;
using Value = ns3::Ptr<ns3::AttributeValue>;

Value time(Duration duration) {
    return ns3::Create<ns3::TimeValue>(ns3::NanoSeconds(duration.ns));
}
Value rate(std::uint64_t bps) {
    return ns3::Create<ns3::DataRateValue>(ns3::DataRate(bps));
}
Value number(std::uint64_t value) {
    return ns3::Create<ns3::UintegerValue>(value);
}
Value share(double value) {
    return ns3::Create<ns3::DoubleValue>(value);
}
Value yes_or_no(bool value) {
    return ns3::Create<ns3::BooleanValue>(value);
}
Value text(const std::string& value) {
    return ns3::Create<ns3::StringValue>(value);
}

Value remedy_mode(scenario::RemedyMode mode) {
    switch (mode) {
        case scenario::RemedyMode::Off: return text("off");
        case scenario::RemedyMode::Advisory: return text("advisory");
        case scenario::RemedyMode::Automatic: return text("automatic");
    }
    return text("off");
}

/// A distribution of times with this mean, as an attribute takes it: each source makes one of its own.
Value random_time(Duration mean, const std::string& distribution) {
    const double mean_s = mean.in_seconds();
    // An exponential or Pareto distribution of mean 0 is none.
    if (distribution == "fixed" || mean == Duration{})
        return text(fmt::format("ns3::ConstantRandomVariable[Constant={}]", mean_s));
    if (distribution == "exponential")
        return text(fmt::format("ns3::ExponentialRandomVariable[Mean={}]", mean_s));
    // The mean is scale * shape / (shape - 1), and the shape 1.5.
    return text(fmt::format("ns3::ParetoRandomVariable[Scale={}|Shape=1.5]", mean_s / 3));
}

/// As an attribute takes it: hexadecimal digits, none for no key.
Value key(const std::optional<std::array<std::uint8_t, 32>>& key) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string digits;
    if (key) {
        for (const std::uint8_t byte : *key) {
            digits += kDigits[byte >> 4];
            digits += kDigits[byte & 0xf];
        }
    }
    return text(digits);
}

}  // namespace

const std::vector<FaultKeyAttribute>& fault_attributes() {
    using scenario::Fault;
    static const std::vector<FaultKeyAttribute> table{
        {"from", "From", [](const Fault& f) { return text(f.from); }},
        {"to", "To", [](const Fault& f) { return text(f.to); }},
        {"both_ways", "BothWays", [](const Fault& f) { return yes_or_no(f.both_ways); }},
        {"node", "Node", [](const Fault& f) { return text(f.node); }},
        {"count", "Count", [](const Fault& f) { return number(f.count); }},
        {"choice_seed", "ChoiceSeed", [](const Fault& f) { return number(f.choice_seed); }},
        {"at", "At", [](const Fault& f) { return time(f.at); }},
        {"until", "Until",
         [](const Fault& f) -> Value {
             if (f.until) return time(*f.until);
             return ns3::Create<ns3::TimeValue>(ns3::Time::Max());
         }},
        {"probability", "Probability", [](const Fault& f) { return share(f.probability); }},
        {"share", "Share", [](const Fault& f) { return share(f.share); }},
        {"match", "Match", [](const Fault& f) { return text(tracking::to_string(f.match)); }},
        {"delay", "Delay", [](const Fault& f) { return time(f.delay); }},
        {"jitter", "Jitter", [](const Fault& f) { return time(f.jitter); }},
        {"rate", "Rate", [](const Fault& f) { return rate(f.rate_bps); }},
        {"mtu", "Mtu", [](const Fault& f) { return number(f.mtu); }},
        {"down_time", "DownTime", [](const Fault& f) { return time(f.down_time); }},
        {"up_time", "UpTime", [](const Fault& f) { return time(f.up_time); }},
        {"step", "Step", [](const Fault& f) { return time(f.step); }},
        {"drift", "Drift", [](const Fault& f) { return share(f.drift); }},
    };
    return table;
}

const std::vector<ClockKeyAttribute>& clock_attributes() {
    using scenario::Clock;
    static const std::vector<ClockKeyAttribute> table{
        {"offset", "ClockOffset", [](const Clock& c) { return time(c.offset); }},
        {"drift", "ClockDrift", [](const Clock& c) { return share(c.drift); }},
        {"jitter", "ClockJitter", [](const Clock& c) { return time(c.jitter); }},
    };
    return table;
}

const std::vector<KeyAttribute>& fabric_attributes() {
    static const std::vector<KeyAttribute> table{
        {"fabric", "k", "K",
         [](const Scenario& s) { return number(static_cast<std::uint64_t>(s.fabric.k)); }},
        {"fabric", "link_rate", "LinkRate", [](const Scenario& s) { return rate(s.fabric.link_rate_bps); }},
        {"fabric", "link_delay", "LinkDelay", [](const Scenario& s) { return time(s.fabric.link_delay); }},
        {"fabric", "queue", "QueueBytes", [](const Scenario& s) { return number(s.fabric.queue_bytes); }},
        {"fabric", "ecn", "EcnBytes", [](const Scenario& s) { return number(s.fabric.ecn_bytes); }},
        {"fabric", "mtu", "Mtu", [](const Scenario& s) { return number(s.fabric.mtu); }},
        {"fabric", "detection_delay", "DetectionDelay",
         [](const Scenario& s) { return time(s.fabric.detection_delay.value_or(Duration{-1})); }},
        {"fabric", "grade", "Grade", [](const Scenario& s) { return text(s.fabric.grade); }},
        {"fabric", "icmp_rate", "IcmpRate", [](const Scenario& s) { return share(s.fabric.icmp_rate); }},
        {"fabric", "icmp_burst", "IcmpBurst", [](const Scenario& s) { return number(s.fabric.icmp_burst); }},
    };
    return table;
}

const std::vector<WorkloadKeyAttribute>& workload_attributes() {
    using W = scenario::WorkloadSettings;
    static const std::vector<WorkloadKeyAttribute> table{
        {"flow_rate", "FlowRate", [](const W& w) { return rate(w.flow_rate_bps); }},
        {"rate", "Rate", [](const W& w) { return rate(w.rate_bps); }},
        {"flows", "Flows", [](const W& w) { return number(w.flows); }},
        {"destination", "Destination", [](const W& w) { return text(w.destination); }},
        {"on_time", "OnTime", [](const W& w) { return random_time(w.on_time, w.times); }},
        {"off_time", "OffTime", [](const W& w) { return random_time(w.off_time, w.times); }},
        {"interval", "Interval", [](const W& w) { return time(w.interval); }},
        {"fan_in", "FanIn", [](const W& w) { return number(w.fan_in); }},
        {"receivers", "Receivers", [](const W& w) { return number(w.receivers); }},
        {"response", "ResponseBytes", [](const W& w) { return number(w.response_bytes); }},
        {"jitter", "Jitter", [](const W& w) { return time(w.jitter); }},
        {"packet", "PacketBytes", [](const W& w) { return number(w.packet_bytes); }},
        {"start", "Start", [](const W& w) { return time(w.start); }},
    };
    return table;
}

ns3::TypeId source_type(scenario::WorkloadKind kind) {
    using K = scenario::WorkloadKind;
    switch (kind) {
        case K::Flows: return ns3::DyetraceFlowSource::GetTypeId();
        case K::Constant: return ns3::DyetraceConstantSource::GetTypeId();
        case K::Poisson: return ns3::DyetracePoissonSource::GetTypeId();
        case K::OnOff: return ns3::DyetraceOnOffSource::GetTypeId();
        case K::Incast: return ns3::DyetraceIncastSource::GetTypeId();
    }
    return ns3::DyetracePacketSource::GetTypeId();
}

const std::vector<KeyAttribute>& host_attributes() {
    static const std::vector<KeyAttribute> table{
        {"fabric", "underlay", "Underlay", [](const Scenario& s) { return text(s.fabric.underlay); }},
        {"fabric", "guest_delay", "GuestDelay", [](const Scenario& s) { return time(s.fabric.guest_delay); }},
        {"tracking", "rate", "Rate", [](const Scenario& s) { return share(s.tracking.rate); }},
        {"tracking", "sampling", "Sampling",
         [](const Scenario& s) { return text(std::string(wire::to_string(s.tracking.sampling))); }},
        {"tracking", "sampling_seed", "SamplingSeed",
         [](const Scenario& s) { return number(s.tracking.sampling_seed); }},
        {"tracking", "sampling_budget", "SamplingBudget",
         [](const Scenario& s) { return number(s.tracking.sampling_budget); }},
        {"tracking", "sampling_burst", "SamplingBurst",
         [](const Scenario& s) { return number(s.tracking.sampling_burst); }},
        {"tracking", "flow_filter", "FlowFilter",
         [](const Scenario& s) { return text(tracking::to_string(s.tracking.flow_filter)); }},
        {"tracking", "metrics", "Metrics",
         [](const Scenario& s) { return text(wire::metrics_to_string(s.tracking.metrics)); }},
        {"tracking", "tracked_per_second", "TrackedPerSecond",
         [](const Scenario& s) { return number(s.tracking.tracked_per_second); }},
        {"tracking", "accepted_per_second", "AcceptedPerSecond",
         [](const Scenario& s) { return number(s.tracking.accepted_per_second); }},
        {"tracking", "traffic_sessions", "TrafficSessions",
         [](const Scenario& s) { return number(s.tracking.traffic_sessions); }},
        {"tracking", "choice_interval", "ChoiceInterval",
         [](const Scenario& s) { return time(s.tracking.choice_interval); }},
        {"tracking", "turn", "Turn", [](const Scenario& s) { return time(s.tracking.turn); }},
        {"tracking", "near_prefix", "NearPrefix",
         [](const Scenario& s) { return number(s.tracking.near_prefix); }},
        {"tracking", "path_count", "PathCount",
         [](const Scenario& s) { return number(static_cast<std::uint64_t>(s.tracking.path_count)); }},
        {"tracking", "report_interval", "ReportInterval",
         [](const Scenario& s) { return time(s.tracking.report_interval); }},
        {"tracking", "ride_wait", "RideWait", [](const Scenario& s) { return time(s.tracking.ride_wait); }},
        {"tracking", "path_idle", "PathIdle", [](const Scenario& s) { return time(s.tracking.path_idle); }},
        {"tracking", "waiting_time", "WaitingTime",
         [](const Scenario& s) { return time(s.tracking.waiting_time); }},
        {"tracking", "session_duration", "SessionDuration",
         [](const Scenario& s) { return time(s.tracking.session_duration); }},
        {"tracking", "key", "Key", [](const Scenario& s) { return key(s.tracking.key); }},
        {"tracking", "insecure", "Insecure",
         [](const Scenario& s) { return yes_or_no(s.tracking.insecure); }},
        {"health", "update_interval", "UpdateInterval",
         [](const Scenario& s) { return time(s.health.update_interval); }},
    };
    return table;
}

const std::vector<KeyAttribute>& nhms_attributes() {
    static const std::vector<KeyAttribute> table{
        {"tracking", "key", "Key", [](const Scenario& s) { return key(s.tracking.key); }},
        {"tracking", "insecure", "Insecure",
         [](const Scenario& s) { return yes_or_no(s.tracking.insecure); }},
        {"health", "evaluate_interval", "EvaluateInterval",
         [](const Scenario& s) { return time(s.health.evaluate_interval); }},
        // A directive never asks for less than what is sampled anyway.
        {"health", "raised_rate", "RaisedRate",
         [](const Scenario& s) { return share(std::max(s.health.raised_rate, s.tracking.rate)); }},
        {"health", "investigation", "Investigation",
         [](const Scenario& s) { return time(s.health.investigation); }},
        {"health", "cover_interval", "CoverInterval",
         [](const Scenario& s) { return time(s.health.cover_interval); }},
        {"health", "cover_pairs", "CoverPairs",
         [](const Scenario& s) { return number(s.health.cover_pairs); }},
        {"health", "read_counters", "ReadCounters",
         [](const Scenario& s) { return time(s.health.read_counters); }},
        {"health", "repath", "Repath", [](const Scenario& s) { return remedy_mode(s.health.repath); }},
        {"health", "drain", "Drain", [](const Scenario& s) { return remedy_mode(s.health.drain); }},
        {"health", "migrate", "Migrate", [](const Scenario& s) { return remedy_mode(s.health.migrate); }},
        {"health", "drain_host", "DrainHost",
         [](const Scenario& s) { return remedy_mode(s.health.drain_host); }},
        {"health", "notify", "Notify", [](const Scenario& s) { return remedy_mode(s.health.notify); }},
        {"health", "drain_share", "DrainShare",
         [](const Scenario& s) { return share(s.health.drain_share); }},
        {"health", "repath_attempts", "RepathAttempts",
         [](const Scenario& s) { return number(s.health.repath_attempts); }},
        {"health", "verify_within", "VerifyWithin",
         [](const Scenario& s) { return time(s.health.verify_within); }},
        {"health", "restore_after", "RestoreAfter",
         [](const Scenario& s) { return time(s.health.restore_after); }},
        {"health", "client_span", "ClientSpan", [](const Scenario& s) { return time(s.health.client_span); }},
        {"health", "share_interval", "ShareInterval",
         [](const Scenario& s) { return time(s.health.share_interval); }},
        {"health", "score_fall", "ScoreFall", [](const Scenario& s) { return time(s.health.score_fall); }},
        {"health", "score_rise", "ScoreRise", [](const Scenario& s) { return time(s.health.score_rise); }},
    };
    return table;
}

const std::vector<KeyAttribute>& placement_attributes() {
    static const std::vector<KeyAttribute> table{
        {"health", "migrate_after", "MigrateAfter",
         [](const Scenario& s) { return time(s.health.migrate_after); }},
        {"health", "learn_after", "LearnAfter", [](const Scenario& s) { return time(s.health.learn_after); }},
    };
    return table;
}

}  // namespace dyetrace::runner
