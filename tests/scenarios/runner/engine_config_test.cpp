// SPDX-License-Identifier: GPL-2.0-or-later
// Attributes of DyetraceHost and DyetraceNhms, and the fields of the engines' configurations that they set:
// one name, in two spellings, one default, and each reaches its field and no other.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <ns3/boolean.h>
#include <ns3/double.h>
#include <ns3/dyetrace-host.h>
#include <ns3/dyetrace-nhms.h>
#include <ns3/nstime.h>
#include <ns3/object-factory.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "core/tracking/flow_rule_text.h"
#include "core/tracking/sampling_settings.h"
#include "core/wire/metric_names.h"
#include "ns3-module/model/dyetrace-engines.h"
#include "tests/scenarios/runner/spelling.h"

namespace dyetrace::runner {
namespace {

using Kind = wire::SamplingSpec::Kind;

// Of each type that a field has: its value in words, as an attribute of that kind says it.
std::string words(bool value) {
    return value ? "true" : "false";
}
std::string words(double value) {
    return ns3::DoubleValue(value).SerializeToString(nullptr);
}
std::string words(Duration value) {
    return std::to_string(value.ns) + "ns";
}
std::string words(KeyId value) {
    return std::to_string(value.value);
}
std::string words(wire::SamplingSpec::Kind kind) {
    return std::string(wire::to_string(kind));
}
std::string words(health::RemedyMode mode) {
    return std::string(to_string(mode));
}
std::string words(const tracking::FlowFilter& filter) {
    return tracking::to_string(filter);
}
std::string words(const std::optional<auth::SharedKey>& key) {
    return key ? "a key" : "";
}
template <class Integer>
requires std::is_integral_v<Integer> std::string words(Integer value) {
    return std::to_string(value);
}

template <class Config>
struct Field {
    std::string name;  ///< as the configuration spells it
    std::function<std::string(const Config&)> read;
};

// The name is the expression itself, so that it cannot be another's.
#define FIELD(expression)                                                        \
    {                                                                            \
#expression, [](const auto& config) { return words(config.expression); } \
    }

const std::vector<Field<eppc::EppcConfig>>& fields(const eppc::EppcConfig*) {
    static const std::vector<Field<eppc::EppcConfig>> all{
        FIELD(key),
        FIELD(key_id),
        FIELD(insecure),
        FIELD(underlay_mtu),
        FIELD(option_class),
        FIELD(source_port_base),
        FIELD(path_count),
        FIELD(port_count),
        FIELD(port_rest),
        FIELD(dscp),
        FIELD(sampling.kind),
        {"sampling.rate()",
         [](const auto& config) {
             return words(config.sampling.share().value_or(tracking::SamplingSettings().rate));
         }},
        // Two kinds share a field, and each kind has what is its own.
        {"sampling_seed",
         [](const auto& config) {
             return words(config.sampling.kind == Kind::HashConsistent
                              ? config.sampling.parameter
                              : tracking::SamplingSettings().sampling_seed);
         }},
        {"sampling_budget",
         [](const auto& config) {
             return words(config.sampling.kind == Kind::RateBudget
                              ? config.sampling.value
                              : tracking::SamplingSettings().sampling_budget);
         }},
        {"sampling_burst",
         [](const auto& config) {
             return words(config.sampling.kind == Kind::RateBudget
                              ? config.sampling.parameter
                              : tracking::SamplingSettings().sampling_burst);
         }},
        FIELD(flow_filter),
        {"metrics", [](const auto& config) { return wire::metrics_to_string(config.metrics); }},
        FIELD(tracked_per_second),
        FIELD(accepted_per_second),
        FIELD(open_on_traffic),
        FIELD(traffic_sessions),
        FIELD(choice_interval),
        FIELD(turn),
        FIELD(near_prefix),
        FIELD(report_interval),
        FIELD(ride_wait),
        FIELD(path_idle),
        FIELD(waiting_time),
        FIELD(session_duration),
        FIELD(retransmit_first),
        FIELD(retransmit_last),
        FIELD(retransmit_most),
        FIELD(keep_alive_interval),
        FIELD(accept_sessions),
        FIELD(reject_back_off),
        FIELD(trace_paths),
        FIELD(trace_ttl_most),
        FIELD(trace_timeout),
        FIELD(trace_attempts),
        FIELD(trace_spacing),
        FIELD(trace_retry),
        FIELD(management_port),
        FIELD(update_interval),
        FIELD(bounds.requested_sessions),
        FIELD(bounds.accepted_sessions),
        FIELD(flow_traces),
        FIELD(flow_capture),
    };
    return all;
}

const std::vector<Field<health::NhmsConfig>>& fields(const health::NhmsConfig*) {
    static const std::vector<Field<health::NhmsConfig>> all{
        FIELD(endpoint.port),
        FIELD(key),
        FIELD(key_id),
        FIELD(insecure),
        FIELD(detector.baseline_rate),
        FIELD(detector.impaired_rate),
        FIELD(detector.false_alarm),
        FIELD(detector.miss),
        FIELD(detector.window_most),
        FIELD(evaluate_interval),
        FIELD(memory),
        FIELD(conclude_interval),
        {"cover_interval", [](const auto& config) { return words(config.cover.interval); }},
        {"cover_pairs", [](const auto& config) { return words(config.cover.pairs_most); }},
        {"raised_sampling.rate()",
         [](const auto& config) { return words(config.raised_sampling.share().value_or(0)); }},
        FIELD(investigation),
        FIELD(fresh_least),
        FIELD(fresh_packets_least),
        FIELD(directive_retry),
        FIELD(directive_attempts),
        {"repath", [](const auto& config) { return words(config.remedies.mode(health::Remedy::Repath)); }},
        {"drain", [](const auto& config) { return words(config.remedies.mode(health::Remedy::Drain)); }},
        {"migrate", [](const auto& config) { return words(config.remedies.mode(health::Remedy::Migrate)); }},
        {"drain_host",
         [](const auto& config) { return words(config.remedies.mode(health::Remedy::DrainHost)); }},
        {"notify", [](const auto& config) { return words(config.remedies.mode(health::Remedy::Notify)); }},
        FIELD(remedies.drain_share),
        FIELD(remedies.remedies_most),
        FIELD(remedies.remedy_interval),
        FIELD(remedies.repath_attempts),
        FIELD(remedies.verify_within),
        FIELD(remedies.restore_after),
        {"flow_traces", [](const auto& config) { return words(config.flow_traces.allowed); }},
        {"flow_capture", [](const auto& config) { return words(config.flow_traces.capture_bytes_most); }},
        {"clocks_are_one", [](const auto& config) { return words(config.flow_traces.clocks_are_one); }},
    };
    return all;
}
#undef FIELD

/// The attribute of a field. A part of a field is called as in the field's own type, a sampling's kind
/// `sampling` and its rate `rate`: `raised_sampling.rate()` is RaisedRate.
std::string attribute_of(std::string field) {
    const auto replace = [&](std::string_view part, std::string_view by) {
        if (const auto at = field.find(part); at != std::string::npos) field.replace(at, part.size(), by);
    };
    replace("sampling.kind", "sampling");
    replace("sampling.rate()", "rate");
    for (const std::string_view owner : {"bounds.", "detector.", "endpoint.", "remedies."})
        replace(owner, "");
    return camel_case(field);
}

std::string words(const ns3::AttributeValue& value) {
    if (const auto* time = dynamic_cast<const ns3::TimeValue*>(&value))
        return std::to_string(time->Get().GetNanoSeconds()) + "ns";
    return value.SerializeToString(nullptr);
}

/// A value that an attribute allows and does not have.
ns3::Ptr<ns3::AttributeValue> another(const ns3::TypeId::AttributeInformation& info) {
    const ns3::AttributeValue& now = *info.initialValue;
    if (const auto* time = dynamic_cast<const ns3::TimeValue*>(&now))
        return ns3::Create<ns3::TimeValue>(time->Get() + ns3::MilliSeconds(1));
    if (const auto* flag = dynamic_cast<const ns3::BooleanValue*>(&now))
        return ns3::Create<ns3::BooleanValue>(!flag->Get());
    if (const auto* number = dynamic_cast<const ns3::UintegerValue*>(&now))
        return ns3::Create<ns3::UintegerValue>(number->Get() + 1);
    if (const auto* real = dynamic_cast<const ns3::DoubleValue*>(&now))
        return ns3::Create<ns3::DoubleValue>(real->Get() / 2);
    if (info.name == "Key") return ns3::Create<ns3::StringValue>(std::string(64, '7'));
    if (info.name == "Sampling") return ns3::Create<ns3::StringValue>("probability");
    if (info.name == "FlowFilter")
        return ns3::Create<ns3::StringValue>("source=10.1.0.0/16 vni=3,protocol=tcp");
    if (info.name == "Metrics") return ns3::Create<ns3::StringValue>("counts,quantiles");
    if (now.SerializeToString(nullptr) == "off") return ns3::Create<ns3::StringValue>("automatic");
    ADD_FAILURE() << "no other value for " << info.name;
    return info.initialValue->Copy();
}

template <class Config>
std::map<std::string, std::string> values(const Config& config) {
    std::map<std::string, std::string> all;
    for (const auto& field : fields(&config))
        all[attribute_of(field.name)] = field.read(config);
    return all;
}

template <class Config>
Config default_config() {
    Config config;
    if constexpr (std::is_same_v<Config, health::NhmsConfig>) config.endpoint.port = Config::kPortDefault;
    return config;
}

/// An object of ns-3 and its engine's configuration; `others` are its attributes that are no fields of that.
template <class ObjectType, class ConfigType>
struct Home {
    using Object = ObjectType;
    using Config = ConfigType;
    static std::set<std::string> others();
};
using HostHome = Home<ns3::DyetraceHost, eppc::EppcConfig>;
using NhmsHome = Home<ns3::DyetraceNhms, health::NhmsConfig>;

template <>
std::set<std::string> HostHome::others() {
    // The engine is given its seed apart, and the underlay in the version of its address; address and port of
    // `nhms` go together, and it is there or not; of the
    // clock, and of the way to its guests, it sees nothing but what that shows.
    return {"Seed",        "NhmsAddress", "NhmsPort",    "Underlay",
            "ClockOffset", "ClockDrift",  "ClockJitter", "GuestDelay"};
}
template <>
std::set<std::string> NhmsHome::others() {
    // Those in the middle say how it is joined to the fabric and to a parent. The last four are of what
    // tenants are served with; see ClientConfig below.
    return {"Seed", "ReadCounters", "ParentDelay", "ClientSpan", "ShareInterval", "ScoreFall", "ScoreRise"};
}

template <class HomeType>
class EngineConfig : public testing::Test {
  protected:
    using Object = typename HomeType::Object;
    using Config = typename HomeType::Config;

    static std::vector<ns3::TypeId::AttributeInformation> attributes() {
        std::vector<ns3::TypeId::AttributeInformation> all;
        const ns3::TypeId type = Object::GetTypeId();
        for (std::size_t i = 0; i < type.GetAttributeN(); ++i) {
            if (!HomeType::others().contains(type.GetAttribute(i).name)) all.push_back(type.GetAttribute(i));
        }
        return all;
    }
    /// What an attribute comes to, beside `kind` of sampling where that is what gives it a meaning.
    static std::map<std::string, std::string> with(const std::string& name, const ns3::AttributeValue* value,
                                                   const std::string& kind) {
        ns3::ObjectFactory factory;
        factory.SetTypeId(Object::GetTypeId());
        if (!kind.empty()) factory.Set("Sampling", ns3::StringValue(kind));
        if (value != nullptr) factory.Set(name, *value);
        return values(ns3::DyetraceEngines::GetConfig(*factory.Create<Object>()));
    }
    static std::string sampling_for(const std::string& name) {
        if (name == "SamplingSeed") return "hash-consistent";
        return name == "SamplingBudget" || name == "SamplingBurst" ? "rate-budget" : "";
    }
};

using Homes = testing::Types<HostHome, NhmsHome>;
TYPED_TEST_SUITE(EngineConfig, Homes);

TYPED_TEST(EngineConfig, EveryAttributeIsAFieldOfTheSameName) {
    std::set<std::string> attributes;
    for (const auto& attribute : TestFixture::attributes())
        attributes.insert(attribute.name);
    std::set<std::string> fields;
    for (const auto& [name, value] : values(typename TypeParam::Config()))
        fields.insert(name);
    EXPECT_EQ(attributes, fields);
}

TYPED_TEST(EngineConfig, EveryAttributeHasItsFieldsDefault) {
    const auto defaults = values(default_config<typename TypeParam::Config>());
    for (const auto& attribute : TestFixture::attributes())
        EXPECT_EQ(words(*attribute.initialValue), defaults.at(attribute.name)) << attribute.name;
}

TYPED_TEST(EngineConfig, WithoutAttributesItIsTheDefault) {
    const auto object = ns3::CreateObject<typename TypeParam::Object>();
    EXPECT_EQ(values(ns3::DyetraceEngines::GetConfig(*object)),
              values(default_config<typename TypeParam::Config>()));
}

TYPED_TEST(EngineConfig, EveryAttributeSetsItsFieldAndNoOther) {
    for (const auto& attribute : TestFixture::attributes()) {
        const auto value = another(attribute);
        ASSERT_TRUE(attribute.checker->Check(*value)) << attribute.name;
        const std::string kind = TestFixture::sampling_for(attribute.name);
        const auto defaults = TestFixture::with(attribute.name, nullptr, kind);
        for (const auto& [name, now] : TestFixture::with(attribute.name, value.operator->(), kind)) {
            if (name != attribute.name) {
                EXPECT_EQ(now, defaults.at(name)) << attribute.name << " changes " << name;
            } else if (name == "Key") {
                EXPECT_EQ(now, "a key");
            } else {
                EXPECT_EQ(now, words(*value)) << name;
            }
        }
    }
}

TEST(ClientConfig, HasItsAttributesAndElseItsDefaults) {
    const auto nhms = ns3::CreateObjectWithAttributes<ns3::DyetraceNhms>(
        "ClientSpan", ns3::TimeValue(ns3::MilliSeconds(200)), "ShareInterval",
        ns3::TimeValue(ns3::MilliSeconds(300)), "ScoreFall", ns3::TimeValue(ns3::MilliSeconds(400)),
        "ScoreRise", ns3::TimeValue(ns3::MilliSeconds(500)), "ClocksAreOne", ns3::BooleanValue(true));
    const health::ClientConfig config = ns3::DyetraceEngines::GetClientConfig(*nhms);
    EXPECT_EQ(config.view.span, Duration::milliseconds(200));
    EXPECT_EQ(config.view.silence, Duration::milliseconds(600));
    EXPECT_EQ(config.view.share_interval, Duration::milliseconds(300));
    EXPECT_EQ(config.scores.fall, Duration::milliseconds(400));
    EXPECT_EQ(config.scores.rise, Duration::milliseconds(500));
    EXPECT_TRUE(config.view.clocks_are_one);
    const health::ClientConfig defaults;
    const health::ClientConfig unset =
        ns3::DyetraceEngines::GetClientConfig(*ns3::CreateObject<ns3::DyetraceNhms>());
    EXPECT_EQ(unset.view.span, defaults.view.span);
    EXPECT_EQ(unset.view.silence, defaults.view.silence);
    EXPECT_EQ(unset.view.share_interval, defaults.view.share_interval);
    EXPECT_EQ(unset.scores.fall, defaults.scores.fall);
    EXPECT_EQ(unset.scores.rise, defaults.scores.rise);
}

}  // namespace
}  // namespace dyetrace::runner
