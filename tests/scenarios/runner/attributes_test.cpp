// SPDX-License-Identifier: GPL-2.0-or-later
// A scenario's keys and the attributes that they set: one name, in two spellings, and one default.
#include "scenarios/runner/attributes.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ns3/double.h>
#include <ns3/dyetrace-fabric.h>
#include <ns3/dyetrace-fault.h>
#include <ns3/dyetrace-host.h>
#include <ns3/dyetrace-nhms.h>
#include <ns3/dyetrace-placement.h>
#include <ns3/nstime.h>
#include <ns3/object.h>
#include <ns3/string.h>

#include "scenarios/reader/fault_kinds.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/workload_kinds.h"
#include "tests/scenarios/runner/spelling.h"

namespace dyetrace::runner {
namespace {

/// Keys that no attribute stands for: what the runner itself does with them.
const std::set<std::string> runners_own{
    "run.duration",   // when the simulation stops
    "run.drain",      // the same
    "run.seed",       // goes into the seeds of everything
    "fabric.kind",    // which topology is built: DyetraceHelper::SetTopology
    "fabric.leaves",  // the same, and all these
    "fabric.spines",
    "fabric.pods",
    "fabric.edges",
    "fabric.planes",
    "fabric.switches",
    "fabric.degree",
    "fabric.wiring_seed",
    "fabric.hosts_per_rack",
    "fabric.uplink_rate",
    "fabric.core_rate",
    "fabric.file",
    "fabric.hosts_per_node",
    "fabric.largest_part",
    "workload.kind",          // which sources are built
    "workload.hosts",         // on which: DyetraceSourceHelper::Install
    "workload.vni",           // DyetraceHelper::SetVni and AddGuestGroup
    "workload.distribution",  // DyetraceSourceHelper::SetFlows
    "workload.load",          // the same
    "workload.times",         // which random variables OnTime and OffTime are
    "workload.receiver",      // Receiver is a guest's number
    "workload.stop",          // an attribute cannot know of `run.duration`, its default
    "health.host",            // DyetraceHelper::SetNhmsHost
    "record.pcap",            // DyetraceHelper::EnablePcap
};

struct Group {
    ns3::TypeId type;
    const std::vector<KeyAttribute>& keys;
};

std::vector<Group> groups() {
    return {{ns3::DyetraceFabric::GetTypeId(), fabric_attributes()},
            {ns3::DyetraceHost::GetTypeId(), host_attributes()},
            {ns3::DyetraceNhms::GetTypeId(), nhms_attributes()},
            {ns3::DyetracePlacement::GetTypeId(), placement_attributes()}};
}

ns3::TypeId::AttributeInformation attribute(const ns3::TypeId& type, const std::string& name) {
    ns3::TypeId::AttributeInformation info;
    EXPECT_TRUE(type.LookupAttributeByName(name, &info)) << type.GetName() << " has no " << name;
    return info;
}

std::string in_words(const ns3::AttributeValue& value, const ns3::TypeId::AttributeInformation& info) {
    return value.SerializeToString(info.checker);
}

TEST(KeysAndAttributes, HaveOneName) {
    for (const Group& group : groups()) {
        for (const KeyAttribute& one : group.keys) {
            attribute(group.type, one.attribute);
            EXPECT_THAT(one.attribute, testing::AnyOf(camel_case(one.key), camel_case(one.key) + "Bytes"));
        }
    }
}

TEST(KeysAndAttributes, HaveOneDefault) {
    const scenario::Scenario nothing_said;
    for (const Group& group : groups()) {
        for (const KeyAttribute& one : group.keys) {
            const auto info = attribute(group.type, one.attribute);
            EXPECT_EQ(in_words(*one.value(nothing_said), info), in_words(*info.initialValue, info))
                << one.table << '.' << one.key;
        }
    }
}

TEST(KeysAndAttributes, NoKeyIsForgotten) {
    std::set<std::string> mapped = runners_own;
    for (const Group& group : groups()) {
        for (const KeyAttribute& one : group.keys)
            mapped.insert(one.table + '.' + one.key);
    }
    for (const WorkloadKeyAttribute& one : workload_attributes())
        mapped.insert("workload." + one.key);
    std::set<std::string> keys;
    for (const scenario::TableInfo& table : scenario::schema()) {
        if (table.name == "clock" || table.name == "fault") continue;  // below
        // DyetraceNhms::SetClients and TraceFlow take them.
        const std::string list = table.name.substr(0, table.name.find('.'));
        if (list == "tenant" || list == "service" || list == "probe" || list == "flow_trace") continue;
        for (const scenario::KeyInfo& key : table.keys)
            keys.insert(table.name + '.' + key.name);
    }
    EXPECT_EQ(mapped, keys);
}

TEST(KeysAndAttributes, AKeyThatIsGivenReachesItsAttribute) {
    scenario::Scenario said;
    said.fabric = {scenario::FabricKind::FatTree, 8, 2'000'000'000, Duration::microseconds(3), 99'000};
    said.fabric.ecn_bytes = 30'000;
    said.fabric.mtu = 1700;
    said.fabric.detection_delay = std::nullopt;
    said.fabric.grade = "stock";
    said.fabric.guest_delay = Duration::microseconds(33);
    said.fabric.underlay = "ipv6";
    said.fabric.icmp_rate = 100;
    said.fabric.icmp_burst = 2;
    said.tracking.rate = 0.05;
    said.tracking.sampling = scenario::SamplingKind::HashConsistent;
    said.tracking.sampling_seed = 21;
    said.tracking.sampling_budget = 22;
    said.tracking.sampling_burst = 23;
    said.tracking.flow_filter.rules.emplace_back().protocol = 17;
    said.tracking.metrics = wire::kMetricCounts;
    said.tracking.tracked_per_second = 24;
    said.tracking.accepted_per_second = 25;
    said.tracking.traffic_sessions = 26;
    said.tracking.choice_interval = Duration::milliseconds(27);
    said.tracking.turn = Duration::milliseconds(28);
    said.tracking.near_prefix = 29;
    said.tracking.path_count = 7;
    said.tracking.report_interval = Duration::milliseconds(11);
    said.tracking.ride_wait = Duration::milliseconds(30);
    said.tracking.path_idle = Duration::milliseconds(12);
    said.tracking.waiting_time = Duration::milliseconds(31);
    said.tracking.session_duration = Duration::milliseconds(32);
    said.tracking.key.emplace().fill(0xa5);
    said.tracking.insecure = true;
    said.health = {"host-1-0-0", Duration::milliseconds(13), Duration::milliseconds(14), 0.5,
                   Duration::milliseconds(15)};
    said.health.cover_interval = Duration::milliseconds(41);
    said.health.cover_pairs = 42;
    said.health.read_counters = Duration::milliseconds(40);
    said.health.client_span = Duration::milliseconds(34);
    said.health.share_interval = Duration::milliseconds(35);
    said.health.score_fall = Duration::milliseconds(36);
    said.health.score_rise = Duration::milliseconds(37);
    said.health.repath = scenario::RemedyMode::Automatic;
    said.health.drain = scenario::RemedyMode::Advisory;
    said.health.migrate = scenario::RemedyMode::Advisory;
    said.health.migrate_after = Duration::milliseconds(38);
    said.health.learn_after = Duration::milliseconds(39);
    said.health.drain_host = scenario::RemedyMode::Advisory;
    said.health.notify = scenario::RemedyMode::Automatic;
    said.health.drain_share = 0.1;
    said.health.repath_attempts = 3;
    said.health.verify_within = Duration::milliseconds(733);
    said.health.restore_after = Duration::seconds(9);
    const scenario::Scenario nothing_said;
    for (const Group& group : groups()) {
        for (const KeyAttribute& one : group.keys) {
            const auto info = attribute(group.type, one.attribute);
            EXPECT_TRUE(info.checker->Check(*one.value(said))) << one.key;
            EXPECT_NE(in_words(*one.value(said), info), in_words(*one.value(nothing_said), info)) << one.key;
        }
    }
}

/// Calls `check` with each key of each kind of workload and the attribute that it is.
template <class Check>
void for_each_workload_key(Check check) {
    for (const scenario::WorkloadKindInfo& info : scenario::workload_kinds()) {
        const ns3::TypeId type = source_type(info.kind);
        for (const WorkloadKeyAttribute& one : workload_attributes()) {
            if (scenario::has_key(info, one.key)) check(one, attribute(type, one.attribute));
        }
    }
}

TEST(KeysAndAttributes, AWorkloadsKeysAreItsSourcesAttributes) {
    const scenario::WorkloadSettings nothing_said;
    std::set<std::string> seen;
    for_each_workload_key([&](const WorkloadKeyAttribute& one, const auto& info) {
        seen.insert(one.key);
        EXPECT_THAT(one.attribute, testing::AnyOf(camel_case(one.key), camel_case(one.key) + "Bytes"));
        EXPECT_EQ(in_words(*one.value(nothing_said), info), in_words(*info.initialValue, info)) << one.key;
    });
    EXPECT_EQ(seen.size(), workload_attributes().size()) << "a key that no kind has";
}

TEST(KeysAndAttributes, AWorkloadsKeyThatIsGivenReachesItsAttribute) {
    scenario::WorkloadSettings said;
    said.flow_rate_bps = 77'000'000;
    said.rate_bps = 78'000'000;
    said.flows = 2;
    said.destination = "permutation";
    said.on_time = Duration::milliseconds(2);
    said.off_time = Duration::milliseconds(3);
    said.interval = Duration::milliseconds(5);
    said.fan_in = 6;
    said.receivers = 7;
    said.response_bytes = 9000;
    said.jitter = Duration::milliseconds(8);
    said.packet_bytes = 1000;
    said.start = Duration::milliseconds(4);
    const scenario::WorkloadSettings nothing_said;
    for_each_workload_key([&](const WorkloadKeyAttribute& one, const auto& info) {
        EXPECT_TRUE(info.checker->CreateValidValue(*one.value(said))) << one.key;
        EXPECT_NE(in_words(*one.value(said), info), in_words(*one.value(nothing_said), info)) << one.key;
    });
}

TEST(KeysAndAttributes, TimesOnAndOffHaveTheMeanThatIsSaid) {
    scenario::WorkloadSettings said;
    said.on_time = Duration::milliseconds(6);
    const auto on_time = [&](const std::string& times) {
        said.times = times;
        const auto& all = workload_attributes();
        const auto one =
            std::find_if(all.begin(), all.end(), [](const auto& each) { return each.key == "on_time"; });
        return in_words(*one->value(said), attribute(source_type(scenario::WorkloadKind::OnOff), "OnTime"));
    };
    EXPECT_EQ(on_time("fixed"), "ns3::ConstantRandomVariable[Constant=0.006]");
    EXPECT_EQ(on_time("exponential"), "ns3::ExponentialRandomVariable[Mean=0.006]");
    EXPECT_EQ(on_time("pareto"), "ns3::ParetoRandomVariable[Scale=0.002|Shape=1.5]");
}

TEST(KeysAndAttributes, AClocksKeysAreItsHostsAttributes) {
    const scenario::Clock nothing_said;
    const scenario::Clock said{"*", Duration::milliseconds(1), 20, Duration::microseconds(1)};
    std::set<std::string> keys{"hosts"};
    for (const ClockKeyAttribute& one : clock_attributes()) {
        keys.insert(one.key);
        EXPECT_EQ(one.attribute, "Clock" + camel_case(one.key));
        const auto info = attribute(ns3::DyetraceHost::GetTypeId(), one.attribute);
        EXPECT_EQ(in_words(*one.value(nothing_said), info), in_words(*info.initialValue, info)) << one.key;
        EXPECT_TRUE(info.checker->Check(*one.value(said))) << one.key;
        EXPECT_NE(in_words(*one.value(said), info), in_words(*info.initialValue, info)) << one.key;
    }
    std::set<std::string> known;
    for (const scenario::KeyInfo& key : scenario::clock_schema().info().keys)
        known.insert(key.name);
    EXPECT_EQ(keys, known);
}

/// Names of a type's attributes and of those that it inherits.
std::set<std::string> attributes_of(ns3::TypeId type) {
    std::set<std::string> names;
    for (; type != ns3::Object::GetTypeId(); type = type.GetParent()) {
        for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
            names.insert(type.GetAttribute(i).name);
    }
    return names;
}

TEST(KeysAndAttributes, AFaultsKeysAreItsObjectsAttributes) {
    std::vector<std::string> kinds;
    for (const scenario::FaultKindInfo& info : scenario::fault_kinds()) {
        kinds.push_back(info.name);
        std::set<std::string> keys;
        for (const std::string& key : scenario::keys_of(info)) {
            if (key != "kind") keys.insert(camel_case(key));
        }
        const auto fault = ns3::DyetraceFault::Create(info.name);
        EXPECT_EQ(keys, attributes_of(fault->GetInstanceTypeId())) << info.name;
    }
    EXPECT_EQ(kinds, ns3::DyetraceFault::GetKinds());
}

TEST(KeysAndAttributes, AFaultsKeysHaveTheDefaultsOfItsAttributes) {
    const scenario::Fault nothing_said;
    for (const scenario::FaultKindInfo& info : scenario::fault_kinds()) {
        const ns3::TypeId type = ns3::DyetraceFault::Create(info.name)->GetInstanceTypeId();
        for (const FaultKeyAttribute& one : fault_attributes()) {
            if (!scenario::has_key(info, one.key)) continue;
            ns3::TypeId::AttributeInformation attribute;
            ASSERT_TRUE(type.LookupAttributeByName(one.attribute, &attribute)) << info.name << one.attribute;
            EXPECT_EQ(in_words(*one.value(nothing_said), attribute),
                      in_words(*attribute.initialValue, attribute))
                << info.name << '.' << one.key;
        }
    }
}

}  // namespace
}  // namespace dyetrace::runner
