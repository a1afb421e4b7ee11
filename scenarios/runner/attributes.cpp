// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/attributes.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <ns3/boolean.h>
#include <ns3/data-rate.h>
#include <ns3/double.h>
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
    };
    return table;
}

const std::vector<KeyAttribute>& guest_attributes() {
    static const std::vector<KeyAttribute> table{
        {"workload", "flow_rate", "FlowRate",
         [](const Scenario& s) { return rate(s.workload.flow_rate_bps); }},
        {"workload", "packet", "PacketBytes",
         [](const Scenario& s) { return number(s.workload.packet_bytes); }},
        {"workload", "start", "Start", [](const Scenario& s) { return time(s.workload.start); }},
        {"workload", "stop", "Stop",
         [](const Scenario& s) { return time(s.workload.stop.value_or(s.run.duration)); }},
    };
    return table;
}

const std::vector<KeyAttribute>& host_attributes() {
    static const std::vector<KeyAttribute> table{
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
    };
    return table;
}

}  // namespace dyetrace::runner
