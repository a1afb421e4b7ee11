// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/engine_types.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/health/condition.h"
#include "core/tracking/flow_rule_text.h"
#include "core/wire/flow_trace.h"
#include "core/wire/metric_names.h"
#include "scenarios/reader/spelling.h"

namespace dyetrace::scenario {
namespace {

using tracking::FlowFilter;

std::vector<std::string> all_of(std::span<const std::string_view> names) {
    return {names.begin(), names.end()};
}

/// Where element `index` of a list stands; an override's elements have no place of their own.
std::optional<Place> place_in(const Node& node, std::size_t index) {
    const auto* array = node.as<Array>();
    return array != nullptr ? std::optional((*array)[index].place) : std::nullopt;
}

/// The key of a rule that is most likely misspelt.
std::string meant_key(const std::string& rule) {
    const auto known = all_of(tracking::flow_rule_keys());
    for (std::size_t at = 0; at < rule.size();) {
        const std::size_t end = std::min(rule.find(' ', at), rule.size());
        const std::string key = rule.substr(at, std::min(rule.find('=', at), end) - at);
        if (!key.empty() && std::find(known.begin(), known.end(), key) == known.end())
            return did_you_mean(key, known);
        at = end + 1;
    }
    return "";
}

std::vector<std::string> stage_names() {
    std::vector<std::string> names;
    for (std::size_t stage = 0; stage < wire::kFlowStages; ++stage)
        names.emplace_back(wire::to_string(static_cast<wire::FlowStage>(stage)));
    return names;
}

}  // namespace

ChoiceType<wire::SamplingSpec::Kind> sampling_type() {
    using Kind = wire::SamplingSpec::Kind;
    ChoiceType<Kind> type;
    for (const Kind kind : {Kind::EveryNth, Kind::Probability, Kind::HashConsistent, Kind::RateBudget})
        type.choices.emplace_back(wire::to_string(kind), kind);
    return type;
}

Result<std::uint32_t, Problem> MetricsType::read(const Node& node) const {
    const auto names = all_of(wire::metric_names());
    const auto texts = TextListType{"metrics", names.size()}.read(node);
    if (!texts) return Failure{texts.error()};
    if (texts->empty()) return Failure{Problem{"a session without metrics measures nothing", "[\"all\"]"}};
    std::uint32_t metrics = 0;
    for (std::size_t i = 0; i < texts->size(); ++i) {
        const std::string& text = (*texts)[i];
        const auto metric = wire::metric_named(text);
        if (!metric) {
            std::string meant = did_you_mean(text, names);
            if (meant.empty()) meant = fmt::format("they are {}", fmt::join(names, ", "));
            return Failure{Problem{fmt::format("\"{}\" is no metric", text), meant, place_in(node, i)}};
        }
        metrics |= *metric;
    }
    return metrics;
}

std::string MetricsType::range() const {
    return show_choices(all_of(wire::metric_names()));
}

std::string MetricsType::show(std::uint32_t value) const {
    std::string text = wire::metrics_to_string(value);
    for (std::size_t at = text.find(','); at != std::string::npos; at = text.find(',', at + 3))
        text.replace(at, 1, "\", \"");
    return "[\"" + text + "\"]";
}

Result<FlowFilter, Problem> FlowFilterType::read(const Node& node) const {
    const auto texts = TextListType{"flow rules", FlowFilter::kRulesMost}.read(node);
    if (!texts) return Failure{texts.error()};
    FlowFilter filter;
    for (std::size_t i = 0; i < texts->size(); ++i) {
        auto rule = tracking::parse_flow_rule((*texts)[i]);
        if (!rule) {
            std::string meant = meant_key((*texts)[i]);
            if (meant.empty()) meant = "\"source=10.1.0.0/16 protocol=udp destination_ports=80-443\"";
            return Failure{Problem{rule.error(), meant, place_in(node, i)}};
        }
        filter.rules.push_back(*std::move(rule));
    }
    return filter;
}

std::string FlowFilterType::range() const {
    return fmt::format("up to {} rules, each some of {}", FlowFilter::kRulesMost,
                       fmt::join(tracking::flow_rule_keys(), ", "));
}

std::string FlowFilterType::show(const FlowFilter& value) const {
    std::vector<std::string> rules;
    for (const tracking::FlowRule& rule : value.rules)
        rules.push_back('"' + tracking::to_string(rule) + '"');
    return fmt::format("[{}]", fmt::join(rules, ", "));
}

Result<std::string, Problem> ConditionType::read(const Node& node) const {
    auto text = TextType{"a condition"}.read(node);
    if (!text) return text;
    const auto condition = health::Condition::parse(*text);
    if (condition) return *std::move(text);
    const health::ConditionError& error = condition.error();
    return Failure{Problem{fmt::format("{} (character {} of the condition)", error.message, error.column),
                           error.suggestion}};
}

Result<std::uint8_t, Problem> FlowStagesType::read(const Node& node) const {
    const auto names = stage_names();
    const auto texts = TextListType{"stages", names.size()}.read(node);
    if (!texts) return Failure{texts.error()};
    if (texts->empty()) return Failure{Problem{"a flow is followed at one stage at least", ""}};
    std::uint8_t stages = 0;
    for (std::size_t i = 0; i < texts->size(); ++i) {
        const auto found = std::find(names.begin(), names.end(), (*texts)[i]);
        if (found == names.end()) {
            std::string meant = did_you_mean((*texts)[i], names);
            if (meant.empty()) meant = fmt::format("they are {}", fmt::join(names, ", "));
            return Failure{Problem{fmt::format("\"{}\" is no stage", (*texts)[i]), meant, place_in(node, i)}};
        }
        stages = static_cast<std::uint8_t>(stages | 1U << (found - names.begin()));
    }
    return stages;
}

std::string FlowStagesType::range() const {
    return show_choices(stage_names());
}

std::string FlowStagesType::show(std::uint8_t value) const {
    const auto names = stage_names();
    std::vector<std::string> shown;
    for (std::size_t stage = 0; stage < names.size(); ++stage) {
        if ((value >> stage & 1) != 0) shown.push_back('"' + names[stage] + '"');
    }
    return fmt::format("[{}]", fmt::join(shown, ", "));
}

}  // namespace dyetrace::scenario
