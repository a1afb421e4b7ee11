// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/report.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "analysis/report/fabric_names.h"
#include "analysis/report/html.h"
#include "analysis/report/link_table.h"
#include "analysis/report/output_file.h"
#include "analysis/report/plot.h"
#include "analysis/report/report_plots.h"
#include "analysis/report/report_style.h"
#include "analysis/report/seconds.h"
#include "analysis/report/timeline.h"
#include "analysis/report/totals.h"
#include "analysis/store/output_path.h"

namespace dyetrace::report {
namespace {

constexpr std::size_t links_in_view = 15;
constexpr std::size_t pairs_shown = 15;

std::string section(std::string_view title, const std::string& html) {
    return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape(title), html);
}

std::string card(const std::string& value, std::string_view label) {
    return fmt::format("<div class=\"card\"><b>{}</b><span>{}</span></div>\n", escape(value), escape(label));
}

/// One sentence: who is sick, and whether that is so.
std::string verdict_html(const Timeline& timeline) {
    const Score& score = timeline.score;
    std::string html;
    for (std::size_t i = 0; i < score.suspects.size(); ++i) {
        const auto& scored = score.suspects[i];
        html += fmt::format(
            "<p class=\"verdict sick\"><b>{}</b> is sick: it loses {} of its packets (log-odds {:.1f}, named "
            "at {:.3f} s)."
            " <span class=\"badge {}\">truth {}</span></p>\n",
            escape(timeline.suspect_names[i]), escape(percent(scored.suspect.loss_rate)),
            scored.suspect.log_odds, seconds(scored.named_ns),
            scored.agreement == Agreement::Agrees      ? "good"
            : scored.agreement == Agreement::Disagrees ? "bad"
                                                       : "neutral",
            to_string(scored.agreement));
    }
    for (const auto& name : timeline.missed_names) {
        html += fmt::format(
            "<p class=\"verdict sick\"><b>{}</b> was faulty and nobody named it. "
            "<span class=\"badge bad\">missed (truth)</span></p>\n",
            escape(name));
    }
    if (html.empty()) {
        html = "<p class=\"verdict well\">No link is suspected. <span class=\"badge " +
               std::string(score.has_truth ? "good\">truth agrees" : "neutral\">truth not known") +
               "</span></p>\n";
    }
    return html;
}

std::string cards_html(const store::RunReader& run, const Totals& totals) {
    const auto sent = static_cast<double>(std::max<std::uint64_t>(1, totals.sent));
    std::string html = "<div class=\"cards\">\n";
    html += card(fmt::format("{:.3f} s", seconds(totals.duration_ns)), "of time");
    html += card(grouped(static_cast<std::int64_t>(run.nodes().size())), "nodes");
    html += card(grouped(static_cast<std::int64_t>(run.sessions().size())), "sessions");
    html += card(grouped(static_cast<std::int64_t>(totals.paths)), "paths");
    html += card(grouped(static_cast<std::int64_t>(totals.sent)), "packets counted");
    html += card(percent(static_cast<double>(totals.tracked_sent) / sent), "of them tracked");
    html += card(percent(static_cast<double>(totals.lost()) / sent), "lost");
    html += card(grouped(static_cast<std::int64_t>(run.update_summary().count)), "health updates");
    html += card(grouped(static_cast<std::int64_t>(run.detections().size())), "detections");
    html += card(grouped(static_cast<std::int64_t>(run.incidents().size())), "incidents");
    return html + "</div>\n";
}

std::string timeline_html(const Timeline& timeline) {
    if (timeline.entries.empty()) return "<p>Nothing to tell: no fault, no detection, no incident.</p>\n";
    std::string html = "<ol class=\"timeline\">\n";
    for (const auto& entry : timeline.entries) {
        html += fmt::format("<li class=\"{}\"><time>{:.6f} s</time><em>{}</em><span>{}</span></li>\n",
                            is_truth(entry.kind) ? "truth" : to_string(entry.kind), seconds(entry.t_ns),
                            escape(to_string(entry.kind)), escape(entry.text));
    }
    return html + "</ol>\n";
}

std::string suspects_html(const Timeline& timeline) {
    HtmlTable table({{"rank", true},
                     {"kind"},
                     {"suspect"},
                     {"log-odds", true},
                     {"loss", true},
                     {"named at", true},
                     {"group", true},
                     {"truth", false, true}});
    const auto& suspects = timeline.score.suspects;
    for (std::size_t i = 0; i < suspects.size(); ++i) {
        const auto& s = suspects[i].suspect;
        table.add_row({std::to_string(i + 1), s.kind, timeline.suspect_names[i],
                       fmt::format("{:.2f}", s.log_odds), percent(s.loss_rate),
                       fmt::format("{:.3f} s", seconds(suspects[i].named_ns)),
                       s.group_id ? std::to_string(*s.group_id) : "alone", to_string(suspects[i].agreement)});
    }
    std::string html = table.empty() ? "<p>None passed the threshold of decision.</p>\n" : table.html();
    for (const auto& name : timeline.missed_names) {
        html += "<p class=\"truth\">Truth: " + escape(name) + " was faulty and was not named.</p>\n";
    }
    return html + "<p class=\"note\">Links that the evidence cannot tell apart share a group.</p>\n";
}

std::string plots_html(const store::RunReader& run, const Timeline& timeline, const Totals& totals) {
    std::string html;
    for (const Plot& plot : make_plots(run, timeline, totals.duration_ns)) {
        html += "<figure>\n<figcaption>" + escape(plot.title) + "</figcaption>\n" + draw_svg(plot) +
                "</figure>\n";
    }
    return html;
}

HtmlTable link_table_html(const std::vector<LinkLine>& lines, std::size_t begin, std::size_t end,
                          const std::vector<std::string>& suspects) {
    const auto truth = [](const auto& drops) {
        return drops ? grouped(static_cast<std::int64_t>(*drops)) : "-";
    };
    HtmlTable table({{"link"},
                     {"paths over it", true},
                     {"packets on them", true},
                     {"lost on their way", true},
                     {"share", true},
                     {"dropped here by a fault", true, true},
                     {"dropped here by its queue", true, true}});
    for (std::size_t i = begin; i < end; ++i) {
        const LinkLine& line = lines[i];
        table.add_row({line.name, grouped(static_cast<std::int64_t>(line.paths)),
                       grouped(static_cast<std::int64_t>(line.sent)), grouped(line.lost),
                       line.sent == 0 ? "not measured" : percent(line.loss_share()),
                       truth(line.truth_fault_drops), truth(line.truth_queue_drops)},
                      std::find(suspects.begin(), suspects.end(), line.name) != suspects.end());
    }
    return table;
}

std::string links_html(const store::RunReader& run, const Timeline& timeline) {
    const auto lines = make_link_table(run);
    const std::size_t in_view = std::min(lines.size(), links_in_view);
    std::string html = link_table_html(lines, 0, in_view, timeline.suspect_names).html();
    if (lines.size() > in_view) {
        html +=
            fmt::format("<details><summary>{} more links</summary>\n{}</details>\n", lines.size() - in_view,
                        link_table_html(lines, in_view, lines.size(), timeline.suspect_names).html());
    }
    return html +
           "<p class=\"note\">Suspects are marked; columns set in purple are truth. A path's losses count "
           "for each of its links: "
           "that is why neighbours of a sick link look ill, and why somebody has to infer.</p>\n";
}

std::string pairs_html(const store::RunReader& run) {
    const FabricNames names(run);
    struct Sum {
        std::uint64_t sent = 0;
        std::int64_t lost = 0;
    };
    std::map<store::RowId, Sum> sums;
    for (const auto& record : run.last_path_records()) {
        Sum& sum = sums[record.session];
        sum.sent += record.sent;
        sum.lost += static_cast<std::int64_t>(record.sent) - static_cast<std::int64_t>(record.received);
    }
    std::vector<std::pair<store::RowId, Sum>> worst(sums.begin(), sums.end());
    std::stable_sort(worst.begin(), worst.end(),
                     [](const auto& a, const auto& b) { return a.second.lost > b.second.lost; });
    HtmlTable table({{"session"}, {"packets", true}, {"lost", true}, {"share", true}});
    for (std::size_t i = 0; i < std::min(worst.size(), pairs_shown); ++i) {
        const Sum& sum = worst[i].second;
        if (sum.lost <= 0) break;
        table.add_row({names.session(worst[i].first), grouped(static_cast<std::int64_t>(sum.sent)),
                       grouped(sum.lost),
                       percent(static_cast<double>(sum.lost) /
                               static_cast<double>(std::max<std::uint64_t>(1, sum.sent)))});
    }
    return table.empty() ? "<p>No session lost a packet.</p>\n" : table.html();
}

std::string sessions_html(const Totals& totals) {
    HtmlTable table({{"state"}, {"reason"}, {"sessions", true}});
    for (const auto& group : totals.sessions) {
        table.add_row({group.state, group.reason, grouped(static_cast<std::int64_t>(group.count))});
    }
    return table.html();
}

std::string counters_html(const Totals& totals) {
    HtmlTable table({{"engine"}, {"counter"}, {"value", true}, {"on nodes", true}});
    for (const auto& counter : totals.counters) {
        table.add_row({counter.engine, counter.name, grouped(static_cast<std::int64_t>(counter.value)),
                       grouped(static_cast<std::int64_t>(counter.nodes))});
    }
    return table.empty() ? "<p>All counters are zero.</p>\n" : table.html();
}

std::string provenance_html(const store::RunReader& run) {
    HtmlTable table({{"key"}, {"value"}});
    std::string texts;
    for (const auto& [key, value] : run.provenance()) {
        if (key == "scenario_text" || key == "topology_text") {
            texts += fmt::format("<details><summary>The {}</summary>\n<pre>{}</pre></details>\n",
                                 key.substr(0, key.find('_')), escape(value));
        } else {
            table.add_row({key, value});
        }
    }
    return "<div class=\"long\">" + table.html() + "</div>" + texts;
}

std::string title_of(const store::RunReader& run) {
    const auto scenario = run.provenance("scenario_path");
    const std::string name =
        std::filesystem::path(scenario.value_or(run.path().string())).filename().string();
    return fmt::format("{}, seed {}, run {}", name, run.provenance("seed").value_or("?"),
                       run.provenance("run").value_or("?"));
}

// Also what tells a report from any other page.
constexpr std::string_view page_begin =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>dyetrace: ";

bool is_report(const std::filesystem::path& file) {
    return store::first_bytes(file, page_begin.size()) == page_begin;
}

}  // namespace

std::string make_report(const store::RunReader& run) {
    const Timeline timeline = make_timeline(run);
    const Totals totals = make_totals(run);
    const std::string title = escape(title_of(run));
    std::string html = std::string(page_begin);
    html += fmt::format(
        "{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<header><span>dyetrace</span><h1>{}</h1></"
        "header>\n"
        "<main>\n",
        title, report_style, title);
    if (!run.complete()) {
        html +=
            "<p class=\"verdict sick\">This run was interrupted, or is still going on; what follows is what "
            "was recorded until then.</p>\n";
    }
    html += verdict_html(timeline) + cards_html(run, totals);
    html += section("What happened", timeline_html(timeline));
    html += section("Over time", plots_html(run, timeline, totals));
    html += section("Suspects", suspects_html(timeline));
    html += section("Links", links_html(run, timeline));
    html += section("Pairs that lost most", pairs_html(run));
    html += section("Sessions", sessions_html(totals));
    html += section("Counters", counters_html(totals));
    html += section("Where this comes from", provenance_html(run));
    return html + "</main>\n</body>\n</html>\n";
}

void write_report(const store::RunReader& run, const std::filesystem::path& file, bool force) {
    store::refuse_existing(file, force, {"a report of dyetrace", is_report});
    OutputFile output(file);
    output.write(make_report(run));
    output.commit();
}

}  // namespace dyetrace::report
