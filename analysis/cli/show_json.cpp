// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/show_json.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/cli/show_clients.h"
#include "analysis/report/fabric_names.h"
#include "analysis/report/scoring.h"
#include "analysis/report/seconds.h"
#include "analysis/report/timeline.h"
#include "analysis/report/totals.h"

namespace dyetrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::seconds;

Json seconds(const std::optional<std::int64_t>& ns) {
    return ns ? Json(seconds(*ns)) : Json(nullptr);
}

Json sessions_json(const store::RunReader& run, const report::FabricNames& names) {
    Json list = Json::array();
    for (const auto& s : run.sessions()) {
        list.push_back({{"id", s.id},
                        {"requester", names.node(s.requester_node)},
                        {"acceptor", names.node(s.acceptor_node)},
                        {"session_id", s.session_id},
                        {"state", s.state},
                        {"reason", s.reason},
                        {"requested_s", seconds(s.requested_ns)},
                        {"active_s", seconds(s.active_ns)},
                        {"closed_s", seconds(s.closed_ns)},
                        {"sampling", s.sampling_kind},
                        {"sampling_rate", s.sampling_rate}});
    }
    return list;
}

Json detections_json(const store::RunReader& run) {
    Json list = Json::array();
    for (const auto& d : run.detections()) {
        list.push_back({{"t_s", seconds(d.t_ns)},
                        {"subject", d.subject},
                        {"kind", d.kind},
                        {"state", d.state},
                        {"statistic", d.statistic},
                        {"sent", d.sent},
                        {"lost", d.lost},
                        {"reason", d.reason}});
    }
    return list;
}

Json faults_json(const report::Score& score, const report::FabricNames& names) {
    Json list = Json::array();
    for (const auto& f : score.faults) {
        list.push_back({{"truth", true},
                        {"kind", f.kind},
                        {"from", names.node(f.from_node)},
                        {"to", names.node(f.to_node)},
                        {"t_s", seconds(f.t_ns)},
                        {"until_s", seconds(f.until_ns)},
                        {"probability", f.probability}});
    }
    return list;
}

Json incidents_json(const store::RunReader& run) {
    std::map<store::RowId, Json> events;
    for (const auto& event : run.incident_events()) {
        events[event.incident].push_back(
            {{"t_s", seconds(event.t_ns)}, {"kind", event.kind}, {"detail", event.detail}});
    }
    Json list = Json::array();
    for (const auto& i : run.incidents()) {
        list.push_back({{"id", i.id},
                        {"opened_s", seconds(i.opened_ns)},
                        {"closed_s", seconds(i.closed_ns)},
                        {"state", i.state},
                        {"subject", i.subject},
                        {"reason", i.reason},
                        {"events", events.contains(i.id) ? events[i.id] : Json::array()}});
    }
    return list;
}

Json directives_json(const store::RunReader& run, const report::FabricNames& names) {
    Json list = Json::array();
    for (const auto& d : run.directives()) {
        list.push_back({{"incident", d.incident},
                        {"t_s", seconds(d.t_ns)},
                        {"host", names.node(d.node)},
                        {"kind", d.kind},
                        {"detail", d.detail},
                        {"acked_s", seconds(d.acked_ns)}});
    }
    return list;
}

Json suspects_json(const report::Score& score, const report::FabricNames& names) {
    constexpr store::RowId none = -1;
    Json list = Json::array();
    for (const auto& scored : score.suspects) {
        const auto& s = scored.suspect;
        Json entry = Json::object();
        entry["kind"] = s.kind;
        if (s.kind == "device") {
            entry["name"] = names.node(s.device_node.value_or(none));
        } else {
            entry["from"] = names.node(s.from_node.value_or(none));
            entry["to"] = names.node(s.to_node.value_or(none));
        }
        entry["log_odds"] = s.log_odds;
        if (s.group_id) entry["group"] = *s.group_id;
        entry["loss_rate"] = s.loss_rate;
        entry["incident"] = s.incident;
        entry["t_s"] = seconds(s.t_ns);
        list.push_back(std::move(entry));
    }
    return list;
}

Json updates_json(const store::RunReader& run) {
    const auto summary = run.update_summary();
    return {{"count", summary.count},
            {"first_t_s", seconds(summary.first_ns)},
            {"last_t_s", seconds(summary.last_ns)}};
}

Json measured_json(const report::Totals& totals) {
    return {{"sent", totals.sent},
            {"received", totals.received},
            {"lost", totals.lost()},
            {"tracked_sent", totals.tracked_sent},
            {"tracked_received", totals.tracked_received},
            {"paths", totals.paths},
            {"paths_learned", totals.paths_learned},
            {"paths_open", totals.paths_open},
            {"paths_excess", totals.paths_excess}};
}

Json counters_json(const report::Totals& totals) {
    Json list = Json::array();
    for (const auto& c : totals.counters) {
        list.push_back({{"engine", c.engine}, {"name", c.name}, {"value", c.value}, {"nodes", c.nodes}});
    }
    return list;
}

/// All but the texts of the scenario and the topology, which are long and files of their own.
Json provenance_json(const store::RunReader& run) {
    Json entries = Json::object();
    for (const auto& [key, value] : run.provenance()) {
        if (key != "scenario_text" && key != "topology_text" && key != "complete") entries[key] = value;
    }
    return entries;
}

}  // namespace

Json show_json(const store::RunReader& run) {
    const report::FabricNames names(run);
    const report::Score score = report::score(run);
    const report::Totals totals = report::make_totals(run);
    return {{"run", run.path().string()},
            {"complete", run.complete()},
            {"duration_s", seconds(totals.duration_ns)},
            {"provenance", provenance_json(run)},
            {"faults", faults_json(score, names)},
            {"suspects", suspects_json(score, names)},
            {"detections", detections_json(run)},
            {"incidents", incidents_json(run)},
            {"directives", directives_json(run, names)},
            {"tenants", tenants_json(run)},
            {"scores", scores_json(run)},
            {"flow_traces", flow_traces_json(run)},
            {"updates", updates_json(run)},
            {"measured", measured_json(totals)},
            {"counters", counters_json(totals)},
            {"sessions", sessions_json(run, names)}};
}

}  // namespace dyetrace::cli
