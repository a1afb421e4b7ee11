// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/schema.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace dyetrace::store {
namespace {

constexpr std::string_view integer = "INTEGER";
constexpr std::string_view real = "REAL";
constexpr std::string_view text = "TEXT";
constexpr std::string_view required = "NOT NULL";
constexpr std::string_view key = "PRIMARY KEY";
constexpr std::string_view of_node = "NOT NULL REFERENCES nodes(id)";
constexpr std::string_view of_session = "NOT NULL REFERENCES sessions(id)";
constexpr std::string_view of_incident = "NOT NULL REFERENCES incidents(id)";
constexpr std::string_view of_tenant = "NOT NULL REFERENCES tenants(id)";
constexpr std::string_view of_pair = "NOT NULL REFERENCES tenant_pairs(id)";
constexpr std::string_view of_trace = "NOT NULL REFERENCES flow_traces(id)";

std::vector<Table> fabric_tables() {
    return {
        {.name = "nodes",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"name", text, "NOT NULL UNIQUE"},
                     {"kind", text, required},
                     {"address", text, required},
                     {"pod", integer},
                     {"position", integer}},
         .order = "id"},
        {.name = "links",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"from_node", integer, of_node},
                     {"to_node", integer, of_node},
                     {"rate_bps", integer, required},
                     {"delay_ns", integer, required}},
         .order = "id"},
    };
}

std::vector<Table> session_tables() {
    return {
        {.name = "sessions",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"requester_node", integer, of_node},
                     {"acceptor_node", integer, of_node},
                     {"session_id", integer, required},
                     {"state", text, required},
                     {"reason", text, required},
                     {"requested_ns", integer},
                     {"active_ns", integer},
                     {"closed_ns", integer},
                     {"sampling_kind", text, required},
                     {"sampling_rate", real, required}},
         .order = "id"},
        {.name = "session_events",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"session", integer, of_session},
                     {"t_ns", integer, required},
                     {"from_state", text, required},
                     {"to_state", text, required},
                     {"reason", text, required}},
         .order = "id"},
        {.name = "paths",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"session", integer, of_session},
                     {"path_index", integer, required},
                     {"generation", integer, required},
                     {"udp_source_port", integer, required},
                     {"learned_ns", integer},
                     {"complete", integer, required}},
         .order = "id"},
        {.name = "path_hops",
         .kind = TableKind::Measured,
         .columns = {{"path", integer, "NOT NULL REFERENCES paths(id)"},
                     {"hop", integer, required},
                     {"node", integer, of_node}},
         .primary_key = "path, hop",
         .order = "path, hop"},
    };
}

std::vector<Table> measurement_tables() {
    return {
        {.name = "path_records",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"session", integer, of_session},
                     {"path_index", integer, required},
                     {"generation", integer, required},
                     {"t_ns", integer, required},
                     {"sent", integer, required},
                     {"received", integer, required},
                     {"tracked_sent", integer, required},
                     {"tracked_received", integer, required},
                     {"duplicates", integer, required},
                     {"late", integer, required},
                     {"delay_ns_min", integer, required},
                     {"delay_ns_sum", integer, required},
                     {"delay_ns_max", integer, required},
                     {"delay_count", integer, required},
                     {"open", integer, required},
                     {"excess", integer, required}},
         .order = "id"},
        {.name = "updates",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"eppc_node", integer, of_node},
                     {"boot_id", text, required},
                     {"sequence", integer, required},
                     {"records", integer, required}},
         .order = "id"},
        {.name = "evidence",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"session", integer, of_session},
                     {"path_index", integer, required},
                     {"generation", integer, required},
                     {"sent", integer, required},
                     {"lost", integer, required}},
         .order = "id"},
    };
}

std::vector<Table> decision_tables() {
    return {
        {.name = "detections",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"subject", text, required},
                     {"session", integer, "REFERENCES sessions(id)"},
                     {"kind", text, required},
                     {"state", text, required},
                     {"statistic", real, required},
                     {"sent", integer, required},
                     {"lost", integer, required},
                     {"reason", text, required}},
         .order = "id"},
        {.name = "incidents",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"opened_ns", integer, required},
                     {"closed_ns", integer},
                     {"state", text, required},
                     {"subject", text, required},
                     {"reason", text, required}},
         .order = "id"},
        {.name = "incident_events",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"incident", integer, of_incident},
                     {"t_ns", integer, required},
                     {"kind", text, required},
                     {"detail", text, required}},
         .order = "id"},
        {.name = "directives",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"incident", integer, of_incident},
                     {"t_ns", integer, required},
                     {"node", integer, of_node},
                     {"kind", text, required},
                     {"detail", text, required},
                     {"acked_ns", integer}},
         .order = "id"},
        {.name = "suspects",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"incident", integer, of_incident},
                     {"t_ns", integer, required},
                     {"rank", integer, required},
                     {"kind", text, required},
                     {"from_node", integer, "REFERENCES nodes(id)"},
                     {"to_node", integer, "REFERENCES nodes(id)"},
                     {"device_node", integer, "REFERENCES nodes(id)"},
                     {"log_odds", real, required},
                     {"group_id", integer},
                     {"loss_rate", real, required}},
         .order = "id"},
        {.name = "counters",
         .kind = TableKind::Measured,
         .columns = {{"node", integer, "REFERENCES nodes(id)"},
                     {"engine", text, required},
                     {"name", text, required},
                     {"value", integer, required}},
         .order = "engine, name, node"},
    };
}

std::vector<Table> tenant_tables() {
    return {
        {.name = "tenants",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key}, {"name", text, required}},
         .order = "id",
         .since = 2},
        {.name = "tenant_guests",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"tenant", integer, of_tenant},
                     {"name", text, required},
                     {"vni", integer, required},
                     {"address", text, required},
                     {"host_node", integer, of_node}},
         .order = "id",
         .since = 2},
        {.name = "tenant_states",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"tenant", integer, of_tenant},
                     {"name", text, required},
                     {"condition", text, required}},
         .order = "id",
         .since = 2},
        {.name = "tenant_pairs",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"tenant", integer, of_tenant},
                     {"from_guest", text, required},
                     {"to_guest", text, required},
                     {"vni", integer, required},
                     {"health", text, required},
                     {"since_ns", integer, required},
                     {"confidence", real, required},
                     {"packets_at_least", integer, required},
                     {"loss", real},
                     {"loss_low", real, required},
                     {"loss_high", real, required},
                     {"ce", real},
                     {"jitter_ns_mean", real},
                     {"queueing_ns_mean", real},
                     {"delay_ns_mean", real},
                     {"reason", text, required}},
         .order = "id",
         .since = 2},
        {.name = "tenant_pair_states",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"pair", integer, of_pair},
                     {"state", text, required},
                     {"standing", text, required},
                     {"since_ns", integer, required}},
         .order = "id",
         .since = 2},
        {.name = "tenant_shares",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"tenant", integer, of_tenant},
                     {"state", text, required},
                     {"start_ns", integer, required},
                     {"end_ns", integer, required},
                     {"standing", text, required},
                     {"share", real, required}},
         .order = "id",
         .since = 2},
        {.name = "tenant_notifications",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"tenant", integer, of_tenant},
                     {"state", text, required},
                     {"from_guest", text, required},
                     {"to_guest", text, required},
                     {"before_state", text, required},
                     {"after_state", text, required},
                     {"reason", text, required}},
         .order = "id",
         .since = 2},
        {.name = "service_scores",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"tenant", integer, of_tenant},
                     {"service", text, required},
                     {"instance", text, required},
                     {"score", real, required},
                     {"own", real},
                     {"network", real},
                     {"directions", integer, required}},
         .order = "id",
         .since = 2},
        {.name = "probe_results",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"tenant", integer, of_tenant},
                     {"probe", text, required},
                     {"vni", integer, required},
                     {"from_guest", text, required},
                     {"to_guest", text, required},
                     {"share", real, required},
                     {"delivered", integer, required},
                     {"lost", integer, required},
                     {"strays", integer, required},
                     {"ambiguous", integer, required},
                     {"overflow", integer, required},
                     {"delay_ns_p50", integer},
                     {"delay_ns_p99", integer},
                     {"delay_ns_max", integer}},
         .order = "id",
         .since = 2},
    };
}

std::vector<Table> flow_tables() {
    return {
        {.name = "flow_traces",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"started_ns", integer, required},
                     {"told_ns", integer},
                     {"tenant", integer, of_tenant},
                     {"from_guest", text, required},
                     {"to_guest", text, required},
                     {"source_node", integer, of_node},
                     {"destination_node", integer, of_node},
                     {"flow", text, required},
                     {"refused", text, required},
                     {"judged", integer, required},
                     {"lost", integer, required},
                     {"ambiguous", integer, required}},
         .order = "id",
         .since = 2},
        {.name = "flow_trace_stretches",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"flow_trace", integer, of_trace},
                     {"stretch", text, required},
                     {"packets", integer, required},
                     {"delay_ns_min", integer, required},
                     {"delay_ns_p50", integer, required},
                     {"delay_ns_p99", integer, required},
                     {"delay_ns_max", integer, required},
                     {"delay_ns_bound", integer, required}},
         .order = "id",
         .since = 2},
        {.name = "flow_trace_packets",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"flow_trace", integer, of_trace},
                     {"packet", integer, required},
                     {"bytes", integer, required},
                     {"path_index", integer},
                     {"guest_out_ns", integer},
                     {"eppc_out_ns", integer},
                     {"eppc_in_ns", integer},
                     {"guest_in_ns", integer},
                     {"lost", integer, required},
                     {"captured", text, required}},
         .order = "id",
         .since = 2},
        {.name = "flow_trace_hops",
         .kind = TableKind::Measured,
         .columns = {{"id", integer, key},
                     {"flow_trace", integer, of_trace},
                     {"path_index", integer, required},
                     {"generation", integer, required},
                     {"packets", integer, required},
                     {"lost", integer, required},
                     {"hop", integer, required},
                     {"from_node", integer, "REFERENCES nodes(id)"},
                     {"to_node", integer, "REFERENCES nodes(id)"},
                     {"link_sent", integer, required},
                     {"link_lost", integer, required}},
         .order = "id",
         .since = 2},
    };
}

std::vector<Table> truth_tables() {
    return {
        {.name = "truth_faults",
         .kind = TableKind::Truth,
         .columns = {{"id", integer, key},
                     {"t_ns", integer, required},
                     {"until_ns", integer},
                     {"kind", text, required},
                     {"from_node", integer, of_node},
                     {"to_node", integer, of_node},
                     {"probability", real, required}},
         .order = "t_ns, id"},
        {.name = "truth_drops",
         .kind = TableKind::Truth,
         .columns = {{"from_node", integer, of_node},
                     {"to_node", integer, of_node},
                     {"cause", text, required},
                     {"data_packets", integer, required},
                     {"packets", integer, required}},
         .primary_key = "from_node, to_node, cause",
         .order = "from_node, to_node, cause"},
        {.name = "truth_paths",
         .kind = TableKind::Truth,
         .columns = {{"requester_node", integer, of_node},
                     {"acceptor_node", integer, of_node},
                     {"session_id", integer, required},
                     {"path_index", integer, required},
                     {"generation", integer, required},
                     {"interval", integer, required},
                     {"sent", integer, required},
                     {"lost", integer, required}},
         .primary_key = "requester_node, acceptor_node, session_id, path_index, generation, interval",
         .order = "requester_node, acceptor_node, session_id, path_index, generation, interval"},
    };
}

std::vector<Table> all_tables() {
    std::vector<Table> all{{.name = "provenance",
                            .kind = TableKind::Provenance,
                            .columns = {{"key", text, required}, {"value", text, required}},
                            .primary_key = "key",
                            .order = "key"}};
    for (const auto& part : {fabric_tables(), session_tables(), measurement_tables(), decision_tables(),
                             tenant_tables(), flow_tables(), truth_tables()}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

// For the viewer's questions (what happened on this path, at this moment) and the localiser's.
constexpr std::array<std::string_view, 9> indices{
    "CREATE INDEX path_records_by_path ON path_records (session, path_index, generation, t_ns)",
    "CREATE INDEX path_records_by_time ON path_records (t_ns)",
    "CREATE INDEX paths_by_session ON paths (session, path_index, generation)",
    "CREATE INDEX session_events_by_session ON session_events (session, t_ns)",
    "CREATE INDEX evidence_by_path ON evidence (session, path_index, generation, t_ns)",
    "CREATE INDEX evidence_by_time ON evidence (t_ns)",
    "CREATE INDEX updates_by_time ON updates (t_ns)",
    "CREATE INDEX incident_events_by_incident ON incident_events (incident, t_ns)",
    "CREATE INDEX suspects_by_incident ON suspects (incident, t_ns, rank)",
};

/// The column names, comma separated.
std::string column_list(const Table& table) {
    std::string list;
    for (const Column& column : table.columns) {
        if (!list.empty()) list += ", ";
        list += column.name;
    }
    return list;
}

}  // namespace

std::span<const Table> tables() {
    static const std::vector<Table> all = all_tables();
    return all;
}

const Table& table(std::string_view name) {
    const auto all = tables();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Table& t) { return t.name == name; });
    if (found == all.end()) throw std::logic_error("no such table in the schema: " + std::string(name));
    return *found;
}

std::string create_table_sql(const Table& table) {
    std::string sql = "CREATE TABLE " + std::string(table.name) + " (";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const Column& column = table.columns[i];
        sql += i == 0 ? "\n    " : ",\n    ";
        sql += std::string(column.name) + " " + std::string(column.type);
        if (!column.constraints.empty()) sql += " " + std::string(column.constraints);
    }
    // A compound key is the table's order on disk too: no row id beside it.
    if (!table.primary_key.empty())
        return sql + ",\n    PRIMARY KEY (" + std::string(table.primary_key) + ")\n) WITHOUT ROWID";
    return sql + "\n)";
}

std::span<const std::string_view> create_index_sql() {
    return indices;
}

std::string insert_sql(const Table& table) {
    std::string places;
    for (std::size_t i = 0; i < table.columns.size(); ++i)
        places += i == 0 ? "?" : ", ?";
    return "INSERT INTO " + std::string(table.name) + " (" + column_list(table) + ") VALUES (" + places + ")";
}

std::string select_sql(const Table& table) {
    return "SELECT " + column_list(table) + " FROM " + std::string(table.name);
}

std::string update_sql(const Table& table) {
    std::string assignments;
    for (std::size_t i = 1; i < table.columns.size(); ++i) {
        if (i != 1) assignments += ", ";
        assignments += std::string(table.columns[i].name) + " = ?" + std::to_string(i + 1);
    }
    return "UPDATE " + std::string(table.name) + " SET " + assignments + " WHERE id = ?1";
}

}  // namespace dyetrace::store
