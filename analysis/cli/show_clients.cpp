// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/cli/show_clients.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/report/fabric_names.h"
#include "analysis/report/seconds.h"
#include "analysis/report/timeline.h"
#include "core/health/client_text.h"

namespace dyetrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::seconds;

template <class Value>
Json or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// A time as people read it: "12.3us".
std::string time_words(double ns) {
    // Of three digits: 999.6us is 1ms.
    if (ns < 999.5) return fmt::format("{:.0f}ns", ns);
    if (ns < 999.5e3) return fmt::format("{:.3g}us", ns / 1e3);
    if (ns < 999.5e6) return fmt::format("{:.3g}ms", ns / 1e6);
    return fmt::format("{:.3g}s", ns / 1e9);
}

/// The rows of one tenant.
template <class Row>
std::vector<Row> of_tenant(std::vector<Row> rows, store::RowId tenant) {
    std::erase_if(rows, [&](const Row& row) { return row.tenant != tenant; });
    return rows;
}

store::RowId find_tenant(const store::RunReader& run, const std::string& name) {
    const auto tenants = run.tenants();
    const auto found =
        std::find_if(tenants.begin(), tenants.end(), [&](const auto& tenant) { return tenant.name == name; });
    if (found != tenants.end()) return found->id;
    // Not who else there is: whoever asks may be a tenant.
    throw CommandError(Exit::InvalidInput, fmt::format("{} has no tenant \"{}\"", run.path().string(), name),
                       "");
}

/// Everything that a tenant may see of a run.
struct TenantData {
    explicit TenantData(const store::RunReader& run, const std::string& name_)
        : name(name_), id(find_tenant(run, name_)) {
        guests = of_tenant(run.tenant_guests(), id);
        states = of_tenant(run.tenant_states(), id);
        notifications = of_tenant(run.tenant_notifications(), id);
        shares = of_tenant(run.tenant_shares(), id);
        scores = of_tenant(run.service_scores(), id);
        probes = of_tenant(run.probe_results(), id);
        pairs = of_tenant(run.tenant_pairs(), id);
        for (const auto& pair : pairs)
            newest_ns = std::max(newest_ns, pair.t_ns);
        std::erase_if(pairs, [&](const auto& pair) { return pair.t_ns != newest_ns; });
        for (auto& standing : run.tenant_pair_states())
            standings[standing.pair].push_back(std::move(standing));
    }

    std::string name;
    store::RowId id;
    std::int64_t newest_ns = 0;  ///< when pairs were told of last
    std::vector<store::TenantGuestRow> guests;
    std::vector<store::TenantStateRow> states;
    std::vector<store::TenantPairRow> pairs;
    std::map<store::RowId, std::vector<store::TenantPairStateRow>> standings;  ///< by pair
    std::vector<store::TenantShareRow> shares;
    std::vector<store::TenantNotificationRow> notifications;
    std::vector<store::ServiceScoreRow> scores;
    std::vector<store::ProbeResultRow> probes;
};

/// The last result of each probe.
std::vector<store::ProbeResultRow> last_results(const std::vector<store::ProbeResultRow>& rows) {
    std::map<std::pair<std::uint32_t, std::string>, store::ProbeResultRow> last;
    for (const auto& row : rows)
        last[{row.vni, row.probe}] = row;
    std::vector<store::ProbeResultRow> out;
    out.reserve(last.size());
    for (auto& [key, row] : last)
        out.push_back(std::move(row));
    return out;
}

std::optional<double> loss_of(const store::ProbeResultRow& row) {
    const std::uint64_t settled = row.delivered + row.lost;
    if (settled == 0) return std::nullopt;
    return static_cast<double>(row.lost) / static_cast<double>(settled);
}

Json pair_json(const TenantData& data, const store::TenantPairRow& pair) {
    Json states = Json::array();
    if (const auto found = data.standings.find(pair.id); found != data.standings.end()) {
        for (const auto& one : found->second)
            states.push_back(
                {{"state", one.state}, {"standing", one.standing}, {"since_s", seconds(one.since_ns)}});
    }
    return {{"from", pair.from_guest},
            {"to", pair.to_guest},
            {"vni", pair.vni},
            {"health", pair.health},
            {"since_s", seconds(pair.since_ns)},
            {"confidence", pair.confidence},
            {"packets_at_least", pair.packets_at_least},
            {"loss", or_null(pair.loss)},
            {"loss_low", pair.loss_low},
            {"loss_high", pair.loss_high},
            {"ce", or_null(pair.ce)},
            {"jitter_ns", or_null(pair.jitter_ns_mean)},
            {"queueing_ns", or_null(pair.queueing_ns_mean)},
            {"delay_ns", or_null(pair.delay_ns_mean)},
            {"reason", pair.reason},
            {"states", std::move(states)}};
}

Json shares_json(const std::vector<store::TenantShareRow>& rows) {
    Json list = Json::array();
    for (const auto& row : rows) {
        const bool is_same = !list.empty() && list.back()["state"] == row.state &&
                             list.back()["start_s"] == seconds(row.start_ns);
        if (!is_same) {
            list.push_back({{"state", row.state},
                            {"start_s", seconds(row.start_ns)},
                            {"end_s", seconds(row.end_ns)},
                            {"shares", Json::object()}});
        }
        list.back()["shares"][row.standing] = row.share;
    }
    return list;
}

Json score_json(const store::ServiceScoreRow& row) {
    return {{"t_s", seconds(row.t_ns)},    {"service", row.service},  {"instance", row.instance},
            {"score", row.score},          {"own", or_null(row.own)}, {"network", or_null(row.network)},
            {"directions", row.directions}};
}

Json scores_list(const std::vector<store::ServiceScoreRow>& rows) {
    Json list = Json::array();
    for (const auto& row : rows)
        list.push_back(score_json(row));
    return list;
}

Json probes_list(const std::vector<store::ProbeResultRow>& rows) {
    Json list = Json::array();
    for (const auto& row : last_results(rows)) {
        list.push_back({{"probe", row.probe},
                        {"vni", row.vni},
                        {"from", row.from_guest.empty() ? Json(nullptr) : Json(row.from_guest)},
                        {"to", row.to_guest.empty() ? Json(nullptr) : Json(row.to_guest)},
                        {"share", row.share},
                        {"delivered", row.delivered},
                        {"lost", row.lost},
                        {"loss", or_null(loss_of(row))},
                        {"strays", row.strays},
                        {"ambiguous", row.ambiguous},
                        {"overflow", row.overflow},
                        {"delay_p50_ns", or_null(row.delay_ns_p50)},
                        {"delay_p99_ns", or_null(row.delay_ns_p99)},
                        {"delay_max_ns", or_null(row.delay_ns_max)}});
    }
    return list;
}

Json notification_json(const store::TenantNotificationRow& row) {
    return {{"t_s", seconds(row.t_ns)}, {"state", row.state},         {"from", row.from_guest},
            {"to", row.to_guest},       {"before", row.before_state}, {"after", row.after_state},
            {"reason", row.reason}};
}

/// "  0.0 to 1.0 s  healthy 93%, not measured 7%"
void print_shares(const TenantData& data) {
    std::string state;
    std::string line;
    std::int64_t start = -1;
    const auto flush = [&] {
        if (!line.empty()) fmt::print("  {}\n", line);
        line.clear();
    };
    for (const auto& row : data.shares) {
        if (row.state != state || row.start_ns != start) {
            flush();
            state = row.state;
            start = row.start_ns;
            line =
                fmt::format("{:>6.2f} s to {:.2f} s  {}:", seconds(row.start_ns), seconds(row.end_ns), state);
        }
        if (row.share > 0) line += fmt::format(" {} {}", row.standing, report::percent(row.share));
    }
    flush();
}

void print_pairs(const TenantData& data) {
    constexpr std::size_t shown_most = 20;
    // The worst first; among equals by name, as they come.
    const auto rank = [](const std::string& health) {
        return health == "failed" ? 0 : health == "degraded" ? 1 : health == "healthy" ? 2 : 3;
    };
    std::vector<store::TenantPairRow> pairs = data.pairs;
    std::stable_sort(pairs.begin(), pairs.end(), [&](const auto& one, const auto& other) {
        return rank(one.health) < rank(other.health);
    });
    for (std::size_t i = 0; i < pairs.size() && i < shown_most; ++i) {
        std::string states;
        if (const auto found = data.standings.find(pairs[i].id); found != data.standings.end()) {
            for (const auto& one : found->second) {
                if (one.standing == "inside") states += fmt::format(" [{}]", one.state);
            }
        }
        fmt::print("  {} > {}: {}{}, {}\n", pairs[i].from_guest, pairs[i].to_guest, pairs[i].health, states,
                   pairs[i].reason);
    }
    if (pairs.size() > shown_most) fmt::print("  and {} more\n", pairs.size() - shown_most);
    if (pairs.empty()) fmt::print("  none was heard of\n");
}

/// Whether something is wrong with a pair that stands so.
bool is_trouble(const std::string& standing) {
    return standing == "inside" || standing == "degraded" || standing == "failed";
}

void print_notifications(const TenantData& data) {
    constexpr std::size_t shown_most = 40;
    if (data.notifications.empty()) return;
    fmt::print("\nNotifications\n");
    std::size_t shown = 0;
    std::size_t quiet = 0;
    for (const auto& row : data.notifications) {
        if (!is_trouble(row.before_state) && !is_trouble(row.after_state)) {
            ++quiet;
        } else if (++shown <= shown_most) {
            fmt::print("  {:>8.3f} s  {} > {}: {} > {} ({}), {}\n", seconds(row.t_ns), row.from_guest,
                       row.to_guest, row.before_state, row.after_state, row.state, row.reason);
        }
    }
    if (shown > shown_most) fmt::print("  and {} more\n", shown - shown_most);
    if (quiet > 0) fmt::print("  and {} of pairs that came to be measured, or are not any more\n", quiet);
}

/// Of few delays the greatest says all.
std::string p99_words(std::uint64_t delays, std::int64_t p99_ns) {
    if (delays < health::kDelaysForP99) return {};
    return ", 99% below " + time_words(static_cast<double>(p99_ns));
}

void print_probes(const std::vector<store::ProbeResultRow>& rows) {
    for (const auto& row : last_results(rows)) {
        std::string text = fmt::format(
            "{} ({} > {}, {} of packets): ", row.probe, row.from_guest.empty() ? "any" : row.from_guest,
            row.to_guest.empty() ? "any" : row.to_guest, report::percent(row.share));
        const auto loss = loss_of(row);
        text += loss ? fmt::format("lost {} of {} ({})", row.lost, row.delivered + row.lost,
                                   report::percent(*loss))
                     : "no packet is settled yet";
        if (row.delay_ns_p50) text += ", delay " + time_words(static_cast<double>(*row.delay_ns_p50));
        if (row.delay_ns_p99) text += p99_words(row.delivered, *row.delay_ns_p99);
        fmt::print("  {}\n", text);
    }
}

std::string score_words(const store::ServiceScoreRow& row) {
    const auto factor = [](const std::optional<double>& value) {
        return value ? fmt::format("{:.2f}", *value) : std::string("not measured");
    };
    return fmt::format("{}/{} {:.2f} (own {}, network {})", row.service, row.instance, row.score,
                       factor(row.own), factor(row.network));
}

void print_score_list(const std::vector<store::ServiceScoreRow>& rows) {
    std::map<std::pair<std::string, std::string>, std::pair<store::ServiceScoreRow, std::string>> last;
    for (const auto& row : rows) {
        auto& [newest, history] = last[{row.service, row.instance}];
        newest = row;
        history +=
            fmt::format("{}{:.2f} at {:.2f} s", history.empty() ? "" : ", ", row.score, seconds(row.t_ns));
    }
    for (const auto& [key, one] : last)
        fmt::print("  {}\n      {}\n", score_words(one.first), one.second);
}

}  // namespace

Json tenant_json(const store::RunReader& run, const std::string& tenant) {
    const TenantData data(run, tenant);
    Json guests = Json::array();
    for (const auto& guest : data.guests)
        guests.push_back({{"name", guest.name}, {"vni", guest.vni}, {"address", guest.address}});
    Json states = Json::array();
    for (const auto& state : data.states)
        states.push_back({{"name", state.name}, {"condition", state.condition}});
    Json pairs = Json::array();
    for (const auto& pair : data.pairs)
        pairs.push_back(pair_json(data, pair));
    Json notifications = Json::array();
    for (const auto& row : data.notifications)
        notifications.push_back(notification_json(row));
    return {{"tenant", data.name},
            {"t_s", seconds(data.newest_ns)},
            {"guests", std::move(guests)},
            {"states", std::move(states)},
            {"pairs", std::move(pairs)},
            {"shares", shares_json(data.shares)},
            {"notifications", std::move(notifications)},
            {"scores", scores_list(data.scores)},
            {"probes", probes_list(data.probes)}};
}

void print_tenant(const store::RunReader& run, const std::string& tenant) {
    const TenantData data(run, tenant);
    fmt::print("Tenant {}: {} guests\n", data.name, data.guests.size());
    for (const auto& state : data.states)
        fmt::print("  state {}: {}\n", state.name, state.condition);
    fmt::print("\nPairs at {:.2f} s\n", seconds(data.newest_ns));
    print_pairs(data);
    fmt::print("\nShares of all pairs\n");
    print_shares(data);
    print_notifications(data);
    if (!data.scores.empty()) fmt::print("\nServices\n");
    print_score_list(data.scores);
    if (!data.probes.empty()) fmt::print("\nProbes\n");
    print_probes(data.probes);
}

Json tenants_json(const store::RunReader& run) {
    Json list = Json::array();
    const auto guests = run.tenant_guests();
    for (const auto& tenant : run.tenants()) {
        const auto count = std::count_if(guests.begin(), guests.end(),
                                         [&](const auto& guest) { return guest.tenant == tenant.id; });
        list.push_back({{"name", tenant.name}, {"guests", count}});
    }
    return list;
}

Json scores_json(const store::RunReader& run) {
    return scores_list(run.service_scores());
}

void print_scores(const store::RunReader& run) {
    const auto rows = run.service_scores();
    if (!rows.empty()) fmt::print("\nServices\n");
    print_score_list(rows);
}

Json flow_traces_json(const store::RunReader& run) {
    const report::FabricNames names(run);
    std::map<store::RowId, Json> stretches;
    for (const auto& row : run.flow_trace_stretches()) {
        const bool is_measured = row.packets > 0;
        const auto time = [&](std::int64_t ns) { return is_measured ? Json(ns) : Json(nullptr); };
        stretches[row.flow_trace].push_back({{"stretch", row.stretch},
                                             {"packets", row.packets},
                                             {"min_ns", time(row.delay_ns_min)},
                                             {"p50_ns", time(row.delay_ns_p50)},
                                             {"p99_ns", time(row.delay_ns_p99)},
                                             {"max_ns", time(row.delay_ns_max)},
                                             {"bound_ns", time(row.delay_ns_bound)}});
    }
    std::map<store::RowId, Json> packets;
    for (const auto& row : run.flow_trace_packets()) {
        packets[row.flow_trace].push_back({{"packet", row.packet},
                                           {"bytes", row.bytes},
                                           {"path", or_null(row.path_index)},
                                           {"guest_out_ns", or_null(row.guest_out_ns)},
                                           {"eppc_out_ns", or_null(row.eppc_out_ns)},
                                           {"eppc_in_ns", or_null(row.eppc_in_ns)},
                                           {"guest_in_ns", or_null(row.guest_in_ns)},
                                           {"lost", row.lost},
                                           {"captured", row.captured}});
    }
    std::map<store::RowId, Json> paths;
    for (const auto& row : run.flow_trace_hops()) {
        Json& list = paths[row.flow_trace];
        const bool is_same = !list.empty() && list.back()["path"] == row.path_index &&
                             list.back()["generation"] == row.generation;
        if (!is_same)
            list.push_back({{"path", row.path_index},
                            {"generation", row.generation},
                            {"packets", row.packets},
                            {"lost", row.lost},
                            {"links", Json::array()}});
        if (row.from_node)
            list.back()["links"].push_back({{"from", names.node(*row.from_node)},
                                            {"to", names.node(row.to_node.value_or(-1))},
                                            {"sent", row.link_sent},
                                            {"lost", row.link_lost}});
    }
    const auto part = [](std::map<store::RowId, Json>& parts, store::RowId id) {
        return parts.contains(id) ? parts[id] : Json::array();
    };
    Json list = Json::array();
    for (const auto& row : run.flow_traces()) {
        list.push_back({{"id", row.id},
                        {"started_s", seconds(row.started_ns)},
                        {"told_s", row.told_ns ? Json(seconds(*row.told_ns)) : Json(nullptr)},
                        {"from", row.from_guest},
                        {"to", row.to_guest},
                        {"source", names.node(row.source_node)},
                        {"destination", names.node(row.destination_node)},
                        {"flow", row.flow},
                        {"refused", row.refused},
                        {"judged", row.judged},
                        {"lost", row.lost},
                        {"ambiguous", row.ambiguous},
                        {"stretches", part(stretches, row.id)},
                        {"paths", part(paths, row.id)},
                        {"packets", part(packets, row.id)}});
    }
    return list;
}

void print_flow_traces(const store::RunReader& run) {
    const auto rows = run.flow_traces();
    if (rows.empty()) return;
    const report::FabricNames names(run);
    const auto stretches = run.flow_trace_stretches();
    const auto hops = run.flow_trace_hops();
    fmt::print("\nFollowed flows\n");
    for (const auto& row : rows) {
        fmt::print("  {} > {} ({} > {}), {}, from {:.3f} s\n", row.from_guest, row.to_guest,
                   names.node(row.source_node), names.node(row.destination_node), row.flow,
                   seconds(row.started_ns));
        if (!row.refused.empty()) fmt::print("      not followed: {}\n", row.refused);
        for (const auto& one : stretches) {
            if (one.flow_trace != row.id) continue;
            if (one.packets == 0) {
                fmt::print("      {:<14} not measured\n", one.stretch);
                continue;
            }
            std::string bound;
            if (one.delay_ns_bound > 0)
                bound = fmt::format(", each within {}", time_words(static_cast<double>(one.delay_ns_bound)));
            const auto time = [](std::int64_t ns) { return time_words(static_cast<double>(ns)); };
            fmt::print("      {:<14} {} ({} to {}{}) of {} packets{}\n", one.stretch, time(one.delay_ns_p50),
                       time(one.delay_ns_min), time(one.delay_ns_max),
                       p99_words(one.packets, one.delay_ns_p99), one.packets, bound);
        }
        fmt::print("      lost in the fabric: {} of {} packets\n", row.lost, row.judged);
        std::optional<std::pair<std::uint16_t, std::uint8_t>> path;
        for (const auto& hop : hops) {
            if (hop.flow_trace != row.id) continue;
            if (path != std::pair(hop.path_index, hop.generation)) {
                path = {hop.path_index, hop.generation};
                fmt::print("      path {}: {} packets, {} lost{}\n", hop.path_index, hop.packets, hop.lost,
                           hop.from_node ? "" : ", not traced");
            }
            if (!hop.from_node) continue;
            std::string evidence;
            if (hop.link_lost > 0)
                evidence = fmt::format(": of all packets that cross it {} of {} are lost on their way",
                                       hop.link_lost, hop.link_sent);
            fmt::print("        {}{}\n", names.link(*hop.from_node, hop.to_node.value_or(-1)), evidence);
        }
    }
}

}  // namespace dyetrace::cli
