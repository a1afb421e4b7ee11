// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/totals.h"

#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace dyetrace::report {
namespace {

std::optional<std::int64_t> number(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || stop != text->data() + text->size()) return std::nullopt;
    return value;
}

void count_sessions(const store::RunReader& run, Totals& totals) {
    std::map<std::pair<std::string, std::string>, std::size_t> counts;
    for (const auto& session : run.sessions())
        ++counts[{session.state, session.reason}];
    for (const auto& [key, count] : counts)
        totals.sessions.push_back({key.first, key.second, count});
}

void sum_paths(const store::RunReader& run, Totals& totals) {
    for (const auto& path : run.paths()) {
        ++totals.paths;
        if (path.complete) ++totals.paths_learned;
    }
    for (const auto& record : run.last_path_records()) {
        totals.sent += record.sent;
        totals.received += record.received;
        totals.tracked_sent += record.tracked_sent;
        totals.tracked_received += record.tracked_received;
        if (record.open) ++totals.paths_open;
        if (record.excess) ++totals.paths_excess;
    }
}

void sum_counters(const store::RunReader& run, Totals& totals) {
    for (const auto& counter : run.counters()) {  // sorted by engine and name
        if (counter.value == 0) continue;
        const bool same = !totals.counters.empty() && totals.counters.back().engine == counter.engine &&
                          totals.counters.back().name == counter.name;
        if (!same) totals.counters.push_back({counter.engine, counter.name, 0, 0});
        totals.counters.back().value += counter.value;
        ++totals.counters.back().nodes;
    }
}

}  // namespace

std::int64_t Totals::lost() const {
    return static_cast<std::int64_t>(sent) - static_cast<std::int64_t>(received);
}

Totals make_totals(const store::RunReader& run) {
    Totals totals;
    const auto simulated = number(run.provenance("simulated_ns"));
    totals.duration_ns = run.complete() && simulated ? *simulated : run.last_time_ns();
    count_sessions(run, totals);
    sum_paths(run, totals);
    sum_counters(run, totals);
    return totals;
}

}  // namespace dyetrace::report
