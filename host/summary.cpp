// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/summary.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/eppc/counter_names.h"

namespace dyetrace::host {
namespace {

using Json = nlohmann::ordered_json;

/// Without a denominator there is no ratio.
Json ratio(std::int64_t part, std::uint64_t whole) {
    if (whole == 0) return nullptr;
    return static_cast<double>(part) / static_cast<double>(whole);
}

Json totals_json(const PathTotals& totals) {
    return {
        {"sent", totals.sent},
        {"received", totals.received},
        {"lost", totals.lost()},
        {"loss", ratio(totals.lost(), totals.sent)},
        {"tracked_sent", totals.tracked_sent},
        {"tracked_received", totals.tracked_received},
        {"tracked_lost", totals.tracked_lost()},
        {"duplicates", totals.duplicates},
        {"late", totals.late},
        {"open_paths", totals.open_paths},
        {"excess_paths", totals.excess_paths},
    };
}

Json path_json(const wire::PathRecord& record) {
    PathTotals totals;
    totals.add(record);
    Json json{{"path", record.path.value},
              {"generation", record.generation.value},
              {"intervals", record.intervals},
              {"open", totals.open_paths != 0},
              {"excess", totals.excess_paths != 0},
              {"sent", totals.sent},
              {"received", totals.received},
              {"lost", totals.lost()},
              {"tracked_sent", totals.tracked_sent},
              {"tracked_received", totals.tracked_received},
              {"tracked_lost", totals.tracked_lost()},
              {"duplicates", totals.duplicates},
              {"late", totals.late},
              {"delay_samples", record.delay_count}};
    const bool measured = record.delay_count > 0;
    json["delay_ns_min"] = measured ? Json(record.delay_ns_min) : Json(nullptr);
    json["delay_ns_mean"] = measured ? Json(record.delay_ns_sum / record.delay_count) : Json(nullptr);
    json["delay_ns_max"] = measured ? Json(record.delay_ns_max) : Json(nullptr);
    return json;
}

Json session_json(const LedgerEntry& entry) {
    Json paths = Json::array();
    for (const auto& [path, record] : entry.paths)
        paths.push_back(path_json(record));
    return {{"role", session::to_string(session::Role::Requester)},
            {"peer", entry.peer.to_string()},
            {"session", entry.session.value},
            {"state", session::to_string(entry.state)},
            {"reason", entry.reason},
            {"totals", totals_json(entry.totals())},
            {"paths", std::move(paths)}};
}

Json session_json(const eppc::SessionView& view) {
    Json paths = Json::array();
    PathTotals totals;
    for (const wire::PathRecord& record : view.paths) {
        paths.push_back(path_json(record));
        totals.add(record);
    }
    return {{"role", session::to_string(view.role)}, {"peer", view.peer.to_string()},
            {"session", view.session.value},         {"state", session::to_string(view.state)},
            {"totals", totals_json(totals)},         {"paths", std::move(paths)}};
}

Json counters_json(const Summary& summary) {
    Json json;
    for (const eppc::NamedCounter& counter : eppc::kCounters) {
        std::string key(counter.name);
        std::replace(key.begin(), key.end(), '-', '_');
        json[key] = summary.counters.*counter.field;
    }
    json["not_ours"] = summary.loop.not_ours;
    json["data_send_failed"] = summary.loop.data_send_failed;
    json["control_send_failed"] = summary.loop.control_send_failed;
    return json;
}

Json drops_json(const wire::DropCounters& drops) {
    Json json = Json::object();
    drops.for_each(
        [&](wire::DropReason reason, std::uint64_t count) { json[std::string(to_string(reason))] = count; });
    return json;
}

Json ports_json(const std::vector<PortSummary>& ports) {
    Json json = Json::array();
    for (const PortSummary& port : ports) {
        const PortCounters& c = port.counters;
        json.push_back({{"name", port.name},
                        {"role", port.role},
                        {"received", c.received},
                        {"sent", c.sent},
                        {"send_failed", c.send_failed},
                        {"ring_full", c.ring_full},
                        {"truncated", c.truncated},
                        {"partial_checksum", c.partial_checksum}});
    }
    return json;
}

std::string percent(std::int64_t part, std::uint64_t whole) {
    if (whole == 0) return "not measured";
    return fmt::format("{:.4f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string delay(const wire::PathRecord& record) {
    if (record.delay_count == 0) return "not measured";
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-3; };
    return fmt::format("{:.1f}/{:.1f}/{:.1f}", us(record.delay_ns_min),
                       us(record.delay_ns_sum / record.delay_count), us(record.delay_ns_max));
}

std::string path_line(const wire::PathRecord& r) {
    PathTotals totals;
    totals.add(r);
    std::string note;
    if (totals.open_paths != 0) note += "  tail unsettled";
    if (totals.excess_paths != 0) note += "  more received than sent";
    std::string path = std::to_string(r.path.value);
    if (r.generation.value != 0) path += fmt::format(".{}", r.generation.value);
    return fmt::format("  {:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>8}  {}{}\n", path, totals.sent,
                       totals.received, totals.lost(), totals.tracked_sent, totals.tracked_received,
                       totals.tracked_lost(), delay(r), note);
}

std::string totals_line(const PathTotals& totals) {
    return fmt::format("  {:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>8}  lost {}, of tracked {}\n", "all",
                       totals.sent, totals.received, totals.lost(), totals.tracked_sent,
                       totals.tracked_received, totals.tracked_lost(), percent(totals.lost(), totals.sent),
                       percent(totals.tracked_lost(), totals.tracked_sent));
}

std::string session_lines(const LedgerEntry& entry) {
    std::string text =
        fmt::format("session {:#010x} to {}: {}{}\n", entry.session.value, entry.peer.to_string(),
                    session::to_string(entry.state), entry.reason.empty() ? "" : " (" + entry.reason + ")");
    if (entry.paths.empty()) return text + "  nothing measured\n";
    text += fmt::format("  {:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>8}  {}\n", "path", "sent", "received",
                        "lost", "tagged", "arrived", "lost", "delay min/mean/max, us (raw clocks)");
    for (const auto& [path, record] : entry.paths)
        text += path_line(record);
    return text + totals_line(entry.totals());
}

std::string port_line(const PortSummary& port) {
    const PortCounters& c = port.counters;
    std::string text = fmt::format("{} {}: received {}, sent {}", port.role, port.name, c.received, c.sent);
    const auto trouble = [&text](std::uint64_t count, std::string_view what) {
        if (count != 0) text += fmt::format(", {} {}", what, count);
    };
    trouble(c.send_failed, "not sent");
    trouble(c.ring_full, "ring full");
    trouble(c.truncated, "too long (segmentation offload?)");
    trouble(c.partial_checksum, "without checksum (transmit offload?)");
    return text + "\n";
}

}  // namespace

std::string to_text(const Summary& summary) {
    std::string text;
    for (const PortSummary& port : summary.ports)
        text += port_line(port);
    const eppc::EppcCounters& c = summary.counters;
    text += fmt::format(
        "encapsulated {} (tagged {}, share {}), decapsulated {} (tagged {})\n", c.encapsulated, c.tagged,
        percent(static_cast<std::int64_t>(c.tagged), c.encapsulated), c.decapsulated, c.tracked_received);
    if (summary.loop.data_send_failed != 0) {
        text +=
            fmt::format("of these not sent, and lost to the receiver: {}\n", summary.loop.data_send_failed);
    }
    const auto say = [&text](std::string_view what, std::uint64_t count) {
        if (count != 0) text += fmt::format("{}: {}\n", what, count);
    };
    say("sessions refused to peers", c.sessions_refused);
    say("paths moved", c.repaths);
    say("entries of health updates given up", c.update_entries_dropped);
    say("paths not traced, the table was full", c.traces_dropped);
    say("received in an ECN combination that nobody sends", c.ecn_unused);
    summary.drops.for_each([&](wire::DropReason reason, std::uint64_t count) {
        text += fmt::format("dropped {}: {}\n", to_string(reason), count);
    });
    if (summary.ledger.folded_sessions() != 0) {
        text += fmt::format("earlier sessions, not listed: {}\n", summary.ledger.folded_sessions());
    }
    for (const LedgerEntry& entry : summary.ledger.entries())
        text += session_lines(entry);
    for (const eppc::SessionView& view : summary.accepted) {
        text += fmt::format("session {:#010x} from {}: {}\n", view.session.value, view.peer.to_string(),
                            session::to_string(view.state));
    }
    return text;
}

std::string to_json(const Summary& summary) {
    Json sessions = Json::array();
    for (const LedgerEntry& entry : summary.ledger.entries())
        sessions.push_back(session_json(entry));
    for (const eppc::SessionView& view : summary.accepted)
        sessions.push_back(session_json(view));
    const Json json{{"final", summary.final},
                    {"address", summary.address.to_string()},
                    {"ports", ports_json(summary.ports)},
                    {"counters", counters_json(summary)},
                    {"drops", drops_json(summary.drops)},
                    {"folded_sessions", summary.ledger.folded_sessions()},
                    {"totals", totals_json(summary.ledger.totals())},
                    {"sessions", std::move(sessions)}};
    return json.dump() + "\n";
}

}  // namespace dyetrace::host
