// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/explain.h"

#include <QStringList>
#include <algorithm>
#include <vector>

#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

constexpr std::size_t worst_paths_shown = 4;

QString bold(const QString& text) {
    return QStringLiteral("<b>%1</b>").arg(text.toHtmlEscaped());
}

QString path_text(const RunSnapshot& run, const MeasuredPath& path) {
    QString text = run.sessions[static_cast<std::size_t>(path.session)].label.toHtmlEscaped() +
                   QStringLiteral(", path %1").arg(path.index);
    if (path.generation > 0) text += QStringLiteral(".%1").arg(path.generation);
    return text;
}

QString interval_text(TimeRange interval) {
    return QStringLiteral("%1 to %2")
               .arg(tick_text(interval.begin_ns, 1'000'000), tick_text(interval.end_ns, 1'000'000)) +
           QStringLiteral(" s");
}

void add_worst_paths(QStringList& lines, const RunSnapshot& run, const FabricState& state, int link) {
    struct Share {
        const MeasuredPath* path;
        Loss loss;
    };
    std::vector<Share> shares;
    for (const int p : run.paths_of_link[static_cast<std::size_t>(link)]) {
        const auto& path = run.paths[static_cast<std::size_t>(p)];
        // Windows are filed under the bin in which they end.
        const Loss loss = loss_between(path, state.interval.begin_ns - 1, state.interval.end_ns - 1);
        if (loss.sent > 0) shares.push_back({&path, loss});
    }
    lines << QStringLiteral("%1 of its %2 learned paths carried packets")
                 .arg(shares.size())
                 .arg(run.paths_of_link[static_cast<std::size_t>(link)].size());
    std::stable_sort(shares.begin(), shares.end(),
                     [](const auto& a, const auto& b) { return a.loss.lost > b.loss.lost; });
    for (std::size_t i = 0; i < std::min(shares.size(), worst_paths_shown); ++i) {
        if (shares[i].loss.lost <= 0) break;
        lines << QStringLiteral("&nbsp;&nbsp;%1: %2 of %3")
                     .arg(path_text(run, *shares[i].path), count_text(shares[i].loss.lost),
                          count_text(shares[i].loss.sent));
    }
}

void add_suspicion(QStringList& lines, const FabricState& state, int link, int device) {
    for (const auto& active : state.suspects) {
        const auto& suspect = active.suspect;
        if ((link < 0 || suspect.link != link) && (device < 0 || suspect.device != device)) continue;
        QString text = QStringLiteral("<b>Suspect %1</b>, %2").arg(active.number).arg(to_text(active.status));
        if (suspect.log_odds != 0) text += QStringLiteral(", log-odds %1").arg(suspect.log_odds, 0, 'f', 1);
        if (suspect.loss_rate > 0) text += QStringLiteral(", loss %1").arg(percent_text(suspect.loss_rate));
        lines << text + QStringLiteral(" (incident %1)").arg(active.incident->id);
        if (suspect.group)
            lines << QStringLiteral("The evidence cannot tell it from the others of group %1")
                         .arg(*suspect.group);
    }
}

QString suspect_line(const ActiveSuspect& active, const FabricState& state, bool score) {
    QString line = QStringLiteral("%1. <b>%2</b>, %3")
                       .arg(active.number)
                       .arg(active.suspect.name.toHtmlEscaped(), to_text(active.status));
    if (active.suspect.log_odds != 0)
        line += QStringLiteral(", log-odds %1").arg(active.suspect.log_odds, 0, 'f', 1);
    if (active.suspect.loss_rate > 0)
        line += QStringLiteral(", %1 loss").arg(percent_text(active.suspect.loss_rate));
    if (!score) return line;
    const bool right =
        std::any_of(state.truth_faults.begin(), state.truth_faults.end(), [&](const auto* fault) {
            return active.suspect.link >= 0
                       ? fault->link == active.suspect.link
                       : fault->from == active.suspect.device || fault->to == active.suspect.device;
        });
    return line +
           (right ? QStringLiteral(" \u2013 truth agrees") : QStringLiteral(" \u2013 truth disagrees"));
}

QString joined(const QStringList& lines) {
    return lines.join(QStringLiteral("<br>"));
}

const LossWindow* window_at(const MeasuredPath& path, std::int64_t t_ns, std::int64_t slack_ns) {
    const auto window = std::lower_bound(path.windows.begin(), path.windows.end(), t_ns - slack_ns,
                                         [](const LossWindow& w, std::int64_t t) { return w.to_ns < t; });
    return window != path.windows.end() && window->from_ns - slack_ns <= t_ns ? &*window : nullptr;
}

void add_path_window(QStringList& lines, const RunSnapshot& run, const MeasuredPath& path, std::int64_t t_ns,
                     std::int64_t slack_ns) {
    const LossWindow* window = window_at(path, t_ns, slack_ns);
    if (window == nullptr) return;
    lines << QStringLiteral("Path %1: %2").arg(path.index).arg(loss_text(path.loss_in(*window)));
    lines << QStringLiteral("&nbsp;&nbsp;%1 to %2").arg(time_text(window->from_ns), time_text(window->to_ns));
    QStringList names;
    for (const int hop : path.hops)
        names << run.nodes[static_cast<std::size_t>(hop)].name.toHtmlEscaped();
    if (!names.isEmpty()) lines << QStringLiteral("&nbsp;&nbsp;") + names.join(QStringLiteral(" &gt; "));
}

}  // namespace

QString loss_text(const Loss& loss) {
    if (loss.sent <= 0) return QStringLiteral("not measured");
    if (loss.lost < 0)
        return QStringLiteral("%1 more received than sent of %2 packets")
            .arg(count_text(-loss.lost), count_text(loss.sent));
    const QString counts =
        QStringLiteral("%1 of %2 packets").arg(count_text(loss.lost), count_text(loss.sent));
    if (loss_class(loss) == LossClass::TooFew) return counts + QStringLiteral(" (too few to tell)");
    return percent_text(loss.rate()) + QStringLiteral(": ") + counts;
}

QString explain_link(const RunSnapshot& run, const FabricState& state, int link, bool with_truth) {
    const Link& l = run.links[static_cast<std::size_t>(link)];
    QStringList lines{bold(run.link_name(link)) + QStringLiteral("  ") + rate_text(l.rate_bps)};
    const Loss& loss = state.links[static_cast<std::size_t>(link)];
    lines << QStringLiteral("Lost on paths through it: <b>%1</b>").arg(loss_text(loss));
    lines << QStringLiteral("in reports from %1").arg(interval_text(state.interval));
    add_worst_paths(lines, run, state, link);
    add_suspicion(lines, state, link, -1);
    if (with_truth) {
        for (const auto* fault : state.truth_faults) {
            if (fault->link == link)
                lines << QStringLiteral("<b>Truth</b>: %1 since %2")
                             .arg(fault->text.toHtmlEscaped(), time_text(fault->t_ns));
        }
    }
    return joined(lines);
}

QString explain_moment(const RunSnapshot& run, const FabricState& state, const RunEvent* last,
                       bool with_truth) {
    QStringList lines{bold(QStringLiteral("At %1").arg(time_text(state.t_ns)))};
    lines << QStringLiteral("Of all packets measured: %1").arg(loss_text(state.all));
    if (last != nullptr) {
        lines << QString()
              << QStringLiteral("<b>%1</b> at %2").arg(to_text(last->kind), time_text(last->t_ns));
        lines << last->text.toHtmlEscaped();
    }
    lines << QString() << bold(QStringLiteral("Suspects"));
    for (const auto& active : state.suspects)
        lines << suspect_line(active, state, with_truth && !run.truth_faults.empty());
    if (state.suspects.empty()) lines << QStringLiteral("none");
    if (with_truth && !run.truth_faults.empty()) {
        lines << QString() << bold(QStringLiteral("Truth"));
        for (const auto* fault : state.truth_faults)
            lines << fault->text.toHtmlEscaped() + QStringLiteral(" since %1").arg(time_text(fault->t_ns));
        if (state.truth_faults.empty()) lines << QStringLiteral("no fault now");
    }
    return joined(lines);
}

QString explain_node(const RunSnapshot& run, const FabricState& state, int node) {
    const Node& n = run.nodes[static_cast<std::size_t>(node)];
    QStringList lines{bold(n.name) + QStringLiteral("  ") + n.address.toHtmlEscaped()};
    Loss in, out;
    for (std::size_t link = 0; link < run.links.size(); ++link) {
        if (run.links[link].from == node) out += state.links[link];
        if (run.links[link].to == node) in += state.links[link];
    }
    lines << QStringLiteral("Lost on paths into it: <b>%1</b>").arg(loss_text(in));
    lines << QStringLiteral("and on paths out of it: <b>%1</b>").arg(loss_text(out));
    lines << QStringLiteral("in reports from %1").arg(interval_text(state.interval));
    add_suspicion(lines, state, -1, node);
    return joined(lines);
}

QString explain_lane(const RunSnapshot& run, int session, int path, std::int64_t t_ns,
                     std::int64_t slack_ns) {
    const Session& s = run.sessions[static_cast<std::size_t>(session)];
    QStringList lines{bold(s.label) + QStringLiteral("  at %1").arg(time_text(t_ns))};
    const QString state = state_at(s, t_ns);
    lines << QStringLiteral("Session %1 (%2): %3")
                 .arg(s.session_id)
                 .arg(s.sampling.toHtmlEscaped(),
                      state.isEmpty() ? QStringLiteral("not requested yet") : state);
    const qsizetype before = lines.size();
    for (const auto& candidate : run.paths_of(s)) {
        const bool wanted = path < 0 || &candidate == &run.paths[static_cast<std::size_t>(path)];
        if (wanted) add_path_window(lines, run, candidate, t_ns, slack_ns);
    }
    if (lines.size() == before) lines << QStringLiteral("No packets measured here");
    return joined(lines);
}

}  // namespace dyetrace::viewer
