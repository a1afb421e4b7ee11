// SPDX-License-Identifier: GPL-2.0-or-later
// Every key of a scenario, once: the table that the reader is driven by, and that the reference and the
// comparison with ns-3 attributes are made from. Defaults are those of scenario.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/reader/diagnostics.h"
#include "scenarios/reader/document.h"
#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

struct KeyInfo {
    std::string name;
    std::string type;      ///< "duration", "share", ...
    std::string range;     ///< in words
    std::string fallback;  ///< the default as it stands in a file, or in words; empty: the key is required
    std::string meaning;
    [[nodiscard]] bool is_required() const { return fallback.empty(); }
};

struct TableInfo {
    std::string name;
    bool is_list = false;  ///< [[name]], any number of times
    std::string meaning;
    std::vector<KeyInfo> keys;
    /// "[run]", "[[fault]]"
    [[nodiscard]] std::string header() const { return is_list ? "[[" + name + "]]" : "[" + name + "]"; }
};

/// All tables in the order of the reference.
[[nodiscard]] std::vector<TableInfo> schema();

/// A key and how its value gets into a `Section`.
template <class Section>
struct Key {
    KeyInfo info;
    std::function<std::optional<Problem>(Section&, const Node&)> read;
};

/// A table and the struct that it is read into.
template <class Section>
struct TableSchema {
    std::string name;
    bool is_list = false;
    std::string meaning;
    std::vector<Key<Section>> keys;

    [[nodiscard]] TableInfo info() const {
        TableInfo info{name, is_list, meaning, {}};
        for (const auto& key : keys)
            info.keys.push_back(key.info);
        return info;
    }
};

const TableSchema<RunSettings>& run_schema();
const TableSchema<FabricSettings>& fabric_schema();
const TableSchema<WorkloadSettings>& workload_schema();
const TableSchema<TrackingSettings>& tracking_schema();
const TableSchema<HealthSettings>& health_schema();
const TableSchema<Clock>& clock_schema();
const TableSchema<Fault>& fault_schema();
const TableSchema<RecordSettings>& record_schema();
// client_schema.cpp
const TableSchema<TenantSettings>& tenant_schema();
const TableSchema<TenantGuest>& tenant_guest_schema();
const TableSchema<TenantCondition>& tenant_condition_schema();
const TableSchema<TenantSubscription>& tenant_subscription_schema();
const TableSchema<ServiceSettings>& service_schema();
const TableSchema<ServiceInstance>& service_instance_schema();
const TableSchema<ProbeSettings>& probe_schema();
const TableSchema<FlowTraceSettings>& flow_trace_schema();

}  // namespace dyetrace::scenario
