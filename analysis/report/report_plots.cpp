// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/report_plots.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <fmt/format.h>

#include "analysis/report/fabric_names.h"
#include "analysis/report/path_series.h"
#include "analysis/report/seconds.h"

namespace dyetrace::report {
namespace {

// Okabe and Ito's colours: told apart also by those who do not see red and green.
constexpr std::array<const char*, 4> suspect_colours{"#d55e00", "#e69f00", "#cc79a7", "#56b4e9"};
constexpr const char* others_colour = "#0072b2";
constexpr const char* truth_colour = "#7b3f98";
constexpr const char* detection_colour = "#b8860b";
constexpr const char* confirmed_colour = "#009e73";
constexpr const char* refuted_colour = "#777777";

constexpr std::size_t suspects_drawn = 3;

struct Subjects {
    std::vector<store::SuspectRow> rows;
    std::vector<std::string> names;
};

/// The best suspects; where there are none, the faults that were missed, so that one sees what there was to
/// see.
Subjects choose_subjects(const Timeline& timeline) {
    Subjects subjects;
    const Score& score = timeline.score;
    for (std::size_t i = 0; i < std::min(score.suspects.size(), suspects_drawn); ++i) {
        subjects.rows.push_back(score.suspects[i].suspect);
        subjects.names.push_back(timeline.suspect_names[i]);
    }
    if (!subjects.rows.empty()) return subjects;
    for (std::size_t i = 0; i < std::min(score.missed.size(), suspects_drawn); ++i) {
        subjects.rows.push_back(as_suspect(score.missed[i]));
        subjects.names.push_back(timeline.missed_names[i] + " (truth: faulty)");
    }
    return subjects;
}

std::vector<Marker> make_markers(const Timeline& timeline) {
    std::vector<Marker> markers;
    bool detected = false;
    for (const auto& entry : timeline.entries) {
        const double x = seconds(entry.t_ns);
        switch (entry.kind) {
            case TimelineKind::FaultBegins: markers.push_back({x, "fault (truth)", truth_colour}); break;
            case TimelineKind::FaultEnds: markers.push_back({x, "fault ends (truth)", truth_colour}); break;
            case TimelineKind::Detection:
                if (!detected) markers.push_back({x, "first detection", detection_colour});
                detected = true;
                break;
            case TimelineKind::Confirmation: markers.push_back({x, "confirmed", confirmed_colour}); break;
            case TimelineKind::Refutation: markers.push_back({x, "refuted", refuted_colour}); break;
            case TimelineKind::FirstEvidence:
            case TimelineKind::Incident:
            case TimelineKind::Directive:
            case TimelineKind::Remedy:
            case TimelineKind::Verification:
            case TimelineKind::Closing: break;
        }
    }
    return markers;
}

/// Congestion can take most of a slice's packets, and then nothing of 1% can be seen beside it: cuts such
/// peaks off, and says so.
void cut_peaks(Plot& plot) {
    constexpr double share_kept = 0.9;
    constexpr double room = 4;  // times what the kept ones reach
    std::vector<double> values;
    for (const Series& series : plot.series) {
        for (const Point& point : series.points)
            values.push_back(point.y);
    }
    if (values.empty()) return;
    std::sort(values.begin(), values.end());
    const double kept = values[static_cast<std::size_t>(share_kept * static_cast<double>(values.size() - 1))];
    if (kept <= 0 || values.back() <= room * kept) return;
    plot.y_top = room * kept;
    plot.title += fmt::format(" (peaks up to {:.3g}% are cut off)", values.back());
}

Plot loss_plot(const PathSeries& series) {
    Plot plot{.id = "loss",
              .title = "Loss of all packets, by the counts of both ends",
              .y_label = "lost, %",
              .y_from_zero = true};
    for (std::size_t i = series.groups.size(); i-- > 0;) {  // the others first: suspects are drawn above them
        const bool others = i + 1 == series.groups.size();
        plot.series.push_back({series.groups[i].title,
                               others ? others_colour : suspect_colours[i % suspect_colours.size()],
                               Shape::LinesAndPoints, 1.6, series.groups[i].loss_percent(series.slice_s)});
    }
    cut_peaks(plot);
    return plot;
}

Plot delay_plot(const PathSeries& series) {
    Plot plot{.id = "delay",
              .title = "One-way delay of tracked packets, mean of each slice",
              .y_label = "delay, µs"};
    for (std::size_t i = series.groups.size(); i-- > 0;) {
        const bool others = i + 1 == series.groups.size();
        plot.series.push_back({series.groups[i].title,
                               others ? others_colour : suspect_colours[i % suspect_colours.size()],
                               Shape::LinesAndPoints, 1.6, series.groups[i].delay_us_mean(series.slice_s)});
    }
    return plot;
}

/// Of every link that is among the best at the end of an inference; the final suspects in their own colours.
Plot odds_plot(const store::RunReader& run, const Subjects& subjects) {
    constexpr std::size_t lines_drawn = 6;
    const FabricNames names(run);
    std::map<std::string, std::vector<Point>> points;
    std::map<std::string, double> greatest;
    for (const auto& suspect : run.suspects()) {
        const std::string name = names.suspect(suspect);
        points[name].push_back({seconds(suspect.t_ns), suspect.log_odds});
        const auto [best, fresh] = greatest.emplace(name, suspect.log_odds);
        if (!fresh) best->second = std::max(best->second, suspect.log_odds);
    }
    std::vector<std::string> order = subjects.names;
    std::erase_if(order, [&](const auto& name) { return !points.contains(name); });
    std::vector<std::pair<double, std::string>> rest;
    for (const auto& [name, odds] : greatest) {
        if (std::find(order.begin(), order.end(), name) == order.end()) rest.emplace_back(-odds, name);
    }
    std::sort(rest.begin(), rest.end());
    for (const auto& [odds, name] : rest) {
        if (order.size() < lines_drawn) order.push_back(name);
    }
    constexpr std::array<const char*, 6> greys{"#555555", "#777777", "#999999",
                                               "#aaaaaa", "#bbbbbb", "#cccccc"};
    Plot plot{.id = "odds",
              .title = "Log-odds of the suspected links, inference by inference",
              .y_label = "log-odds"};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto subject =
            std::find(subjects.names.begin(), subjects.names.end(), order[i]) - subjects.names.begin();
        const bool suspected = static_cast<std::size_t>(subject) < subjects.names.size();
        auto& line = points[order[i]];
        std::stable_sort(line.begin(), line.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
        plot.series.push_back(
            {order[i],
             suspected ? suspect_colours[static_cast<std::size_t>(subject) % suspect_colours.size()]
                       : greys[i % greys.size()],
             Shape::LinesAndPoints, suspected ? 2.0 : 1.2, std::move(line)});
    }
    return plot;
}

Plot sessions_plot(const store::RunReader& run, std::int64_t duration_ns) {
    std::map<std::int64_t, std::int64_t> changes;
    for (const auto& session : run.sessions()) {
        if (!session.active_ns) continue;
        ++changes[*session.active_ns];
        if (session.closed_ns) --changes[*session.closed_ns];
    }
    std::vector<Point> points{{0, 0}};
    std::int64_t active = 0;
    for (const auto& [t_ns, change] : changes) {
        active += change;
        points.push_back({seconds(t_ns), static_cast<double>(active)});
    }
    points.push_back({seconds(duration_ns), static_cast<double>(active)});
    Plot plot{.id = "sessions",
              .title = "Sessions that track packets",
              .y_label = "active sessions",
              .y_from_zero = true};
    plot.series.push_back({"active sessions", others_colour, Shape::Steps, 1.8, std::move(points)});
    return plot;
}

Plot updates_plot(const store::RunReader& run, double slice_s) {
    std::map<std::int64_t, std::uint64_t> records;
    for (const auto& update : run.updates()) {
        records[static_cast<std::int64_t>(seconds(update.t_ns) / slice_s)] += update.records;
    }
    std::vector<Point> points;
    points.reserve(records.size());
    for (const auto& [slice, count] : records) {
        points.push_back(
            {(static_cast<double>(slice) + 0.5) * slice_s, static_cast<double>(count) / slice_s / 1000.0});
    }
    Plot plot{.id = "updates",
              .title = "Path records that the health service received",
              .y_label = "thousand records/s",
              .y_from_zero = true};
    plot.series.push_back(
        {"records in health updates", confirmed_colour, Shape::Line, 1.6, std::move(points)});
    return plot;
}

}  // namespace

std::vector<Plot> make_plots(const store::RunReader& run, const Timeline& timeline,
                             std::int64_t duration_ns) {
    const Subjects subjects = choose_subjects(timeline);
    const PathSeries series = make_path_series(run, subjects.rows, subjects.names, duration_ns);
    std::vector<Plot> plots{loss_plot(series), odds_plot(run, subjects), delay_plot(series),
                            sessions_plot(run, duration_ns), updates_plot(run, series.slice_s)};
    for (Plot& plot : plots) {
        plot.x_max = seconds(duration_ns);
        plot.markers = make_markers(timeline);
    }
    return plots;
}

}  // namespace dyetrace::report
