// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of what tenants are, have and are shown.
#include "scenarios/reader/engine_types.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/schema_keys.h"

namespace dyetrace::scenario {
namespace {

constexpr std::int64_t port_most = 65'535;

}  // namespace

const TableSchema<TenantSettings>& tenant_schema() {
    using S = TenantSettings;
    static const TableSchema<S> table{
        "tenant",
        true,
        "Somebody who owns virtual networks, and with them their guests, and sees how the pairs of these "
        "fare "
        "(`dyetrace show RUN.db --tenant NAME`). Guests are called `vm-1`, `vm-2`... in the order of "
        "workloads "
        "and hosts, where `[[tenant.guest]]` gives them no other name.",
        {required(key("name", &S::name, TextType{"a name"}, "Unique.")),
         required(key("vnis", &S::vnis, IntegerListType{"VNIs", 1, vni_most, 1000},
                      "Its virtual networks: those that some `workload.vni` names, each of one tenant."))}};
    return table;
}

const TableSchema<TenantGuest>& tenant_guest_schema() {
    using S = TenantGuest;
    static const TableSchema<S> table{
        "tenant.guest",
        true,
        "A name for one guest of the tenant above it.",
        {required(key("name", &S::name, TextType{"a name"}, "Unique in the tenant.")),
         required(key("host", &S::host, TextType{"a host"}, "That carries the guest.")),
         optional_key("vni", &S::vni, IntegerType{1, vni_most}, "the first that has a guest there",
                      "One of the tenant's, that the guest is in.")}};
    return table;
}

const TableSchema<TenantCondition>& tenant_condition_schema() {
    using S = TenantCondition;
    static const TableSchema<S> table{
        "tenant.condition",
        true,
        "A health state of its own that the tenant above it has defined; docs/client-view.md says what a "
        "condition may be made of.",
        {required(key("name", &S::name, TextType{"a name"},
                      "Unique in the tenant, and none of `all`, `health`, `healthy`, `degraded`, `failed`.")),
         required(key("text", &S::text, ConditionType{}, "When a pair is in that state."))}};
    return table;
}

const TableSchema<TenantSubscription>& tenant_subscription_schema() {
    using S = TenantSubscription;
    static const TableSchema<S> table{
        "tenant.subscription",
        true,
        "The tenant above it is notified of every pair of its guests that enters or leaves a state.",
        {key("state", &S::state, TextType{"`all`, `health`, or the name of a condition"}, "Which state.")}};
    return table;
}

const TableSchema<ServiceSettings>& service_schema() {
    using S = ServiceSettings;
    static const TableSchema<S> table{
        "service",
        true,
        "A service of a tenant, whose instances have scores for load balancers.",
        {required(key("name", &S::name, TextType{"a name"}, "Unique.")),
         required(key("tenant", &S::tenant, TextType{"a tenant"}, "Whose service it is."))}};
    return table;
}

const TableSchema<ServiceInstance>& service_instance_schema() {
    using S = ServiceInstance;
    static const TableSchema<S> table{
        "service.instance",
        true,
        "An instance of the service above it. Its score is its own health times how well the network reaches "
        "it.",
        {required(key("name", &S::name, TextType{"a name"}, "Unique in the service.")),
         required(key("guest", &S::guest, TextType{"a guest of the tenant"}, "That serves.")),
         key("own_health", &S::own_health, ShareType{}, "What it says of itself, ten times a second."),
         optional_key("capacity", &S::capacity_bps, RateType{1'000, 1'000'000'000'000},
                      "none: load says nothing",
                      "What it can take in. Its own health is less by the share of that which it received "
                      "in the last tenth of a second, Ethernet frames counted.")}};
    return table;
}

const TableSchema<ProbeSettings>& probe_schema() {
    using S = ProbeSettings;
    static const TableSchema<S> table{
        "probe",
        true,
        "A logical probe of a tenant: where packets leave a guest, and where they reach another. Its EPPCs "
        "let "
        "up to four flows and probes be followed at a time.",
        {required(key("name", &S::name, TextType{"a name"}, "Unique in the virtual network.")),
         required(key("tenant", &S::tenant, TextType{"a tenant"}, "Whose probe it is.")),
         optional_key("from", &S::from, TextType{"a guest of the tenant"}, "any guest",
                      "Where packets leave."),
         optional_key("to", &S::to, TextType{"a guest of the tenant"}, "any guest", "Where they arrive."),
         optional_key("vni", &S::vni, IntegerType{1, vni_most}, "that of its guests, else the first",
                      "Virtual network of the tenant's that it is in."),
         key("share", &S::share, ShareType{least_share},
             "Of packets that are looked at, picked by hash, the same ones at both ends.")}};
    return table;
}

const TableSchema<FlowTraceSettings>& flow_trace_schema() {
    using S = FlowTraceSettings;
    static const TableSchema<S> table{
        "flow_trace",
        true,
        "One direction between two guests that the operator has followed: times at each stage, hops, loss.",
        {required(key("tenant", &S::tenant, TextType{"a tenant"}, "Whose guests they are.")),
         required(key("from", &S::from, TextType{"a guest of the tenant"}, "That sends.")),
         required(key("to", &S::to, TextType{"a guest of the tenant"}, "That receives, on another host.")),
         key("protocol", &S::protocol,
             ChoiceType<std::uint32_t>{{{"any", 0}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}}},
             "Of the flow; `any`: all that goes from the one guest to the other."),
         key("source_port", &S::source_port, IntegerType{0, port_most}, "Of the flow; 0: any."),
         key("destination_port", &S::destination_port, IntegerType{0, port_most}, "Of the flow; 0: any."),
         key("stages", &S::stages, FlowStagesType{}, "Where packets are counted and timed."),
         key("packets", &S::packets, IntegerType{1, 1000}, "Looked at, at each stage, at most."),
         key("captured_packets", &S::captured_packets, IntegerType{0, 1000},
             "Of those, captured at each stage too."),
         key("capture_bytes", &S::capture_bytes, IntegerType{0, 128},
             "Of each captured packet, from its Ethernet header on."),
         key("at", &S::at, DurationType{{}, longest}, "When it begins; before the end of `run.duration`."),
         key("duration", &S::duration, DurationType{Duration::milliseconds(1), Duration::seconds(60)},
             "How long it goes on.")}};
    return table;
}

}  // namespace dyetrace::scenario
