// SPDX-License-Identifier: GPL-2.0-or-later
// Types of values that core reads, for scenarios and for eppcd's file alike: lists of texts whose elements
// have a form of their own. They have what those of types.h have.
#pragma once

#include <cstdint>
#include <string>

#include "core/tracking/flow_filter.h"
#include "core/wire/sampling_spec.h"
#include "scenarios/reader/types.h"

namespace dyetrace::scenario {

/// The kinds of sampling, as wire::to_string names them.
[[nodiscard]] ChoiceType<wire::SamplingSpec::Kind> sampling_type();

/// Metrics of a session by name, as a set of wire::Metric.
struct MetricsType {
    using Value = std::uint32_t;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "list of texts"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

/// Rules of a flow filter, each as core/tracking/flow_rule_text.h reads it.
struct FlowFilterType {
    using Value = tracking::FlowFilter;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "list of texts"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(const Value& value) const;
};

/// A tenant's condition, as core/health/condition.h reads it; kept as text.
struct ConditionType {
    using Value = std::string;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "text"; }
    [[nodiscard]] std::string range() const { return "a condition: `loss > 0.5% for 1s`"; }
    [[nodiscard]] std::string show(const Value& value) const { return TextType{""}.show(value); }
};

/// Stages of a followed flow by name, as a set of bits by wire::FlowStage.
struct FlowStagesType {
    using Value = std::uint8_t;
    [[nodiscard]] Result<Value, Problem> read(const Node& node) const;
    [[nodiscard]] std::string name() const { return "list of texts"; }
    [[nodiscard]] std::string range() const;
    [[nodiscard]] std::string show(Value value) const;
};

}  // namespace dyetrace::scenario
