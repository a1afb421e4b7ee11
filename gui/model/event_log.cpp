// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/event_log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

QString with_detail(const QString& text, const QString& detail) {
    return detail.isEmpty() ? text : text + QStringLiteral(": ") + detail;
}

struct FirstLoss {
    std::int64_t t_ns = 0;
    Loss loss;
    int path = 0;
};

class Teller {
  public:
    explicit Teller(const RunSnapshot& run) : run_(run) {}

    std::vector<RunEvent> tell() {
        add_truth();
        add_first_evidence();
        add_detections();
        for (const auto& incident : run_.incidents)
            add_incident(incident);
        add_directives();
        std::stable_sort(events_.begin(), events_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.t_ns, a.kind) < std::tie(b.t_ns, b.kind);
        });
        return std::move(events_);
    }

  private:
    void add_truth() {
        for (const auto& fault : run_.truth_faults) {
            events_.push_back({fault.t_ns, EventKind::TruthBegins, fault.text, -1, fault.link, -1});
            if (fault.until_ns)
                events_.push_back({*fault.until_ns, EventKind::TruthEnds, fault.text, -1, fault.link, -1});
        }
    }

    /// The best suspect of the last confirmed inference.
    [[nodiscard]] const Suspect* culprit() const {
        const Suspect* best = nullptr;
        for (const auto& incident : run_.incidents) {
            if (incident.state != QLatin1String("confirmed") && incident.state != QLatin1String("closed"))
                continue;
            if (incident.inferences.empty()) continue;
            for (const auto& suspect : incident.inferences.back().suspects) {
                if (suspect.link >= 0 && (best == nullptr || suspect.log_odds > best->log_odds))
                    best = &suspect;
            }
        }
        return best;
    }

    /// Congestion loses packets everywhere and always. What one wants to see is the first loss through the
    /// culprit since it is sick, and only truth knows since when.
    void add_first_evidence() {
        const Suspect* suspect = culprit();
        if (suspect == nullptr) return;
        std::int64_t since_ns = 0;
        for (const auto& fault : run_.truth_faults) {
            if (fault.link == suspect->link) since_ns = fault.t_ns;
        }
        std::optional<FirstLoss> first;
        for (const int p : run_.paths_of_link[static_cast<std::size_t>(suspect->link)]) {
            const auto& path = run_.paths[static_cast<std::size_t>(p)];
            for (const auto& window : path.windows) {
                const Loss loss = path.loss_in(window);
                if (window.to_ns < since_ns || loss.lost <= 0) continue;
                if (!first || window.to_ns < first->t_ns) first = {window.to_ns, loss, p};
                break;
            }
        }
        if (!first) return;
        const auto& path = run_.paths[static_cast<std::size_t>(first->path)];
        const auto& session = run_.sessions[static_cast<std::size_t>(path.session)];
        events_.push_back({first->t_ns, EventKind::FirstEvidence,
                           QStringLiteral("first loss through %1: %2 of %3 packets, %4, path %5")
                               .arg(suspect->name, count_text(first->loss.lost), count_text(first->loss.sent),
                                    session.label)
                               .arg(path.index),
                           path.session, suspect->link, -1});
    }

    void add_detections() {
        for (const auto& d : run_.detections) {
            const bool healthy = d.state == QLatin1String("healthy");
            const QString what =
                QStringLiteral("%1: %2 %3, %4 of %5 packets lost")
                    .arg(d.subject, d.kind, d.state, count_text(d.loss.lost), count_text(d.loss.sent));
            events_.push_back(
                {d.t_ns, healthy ? EventKind::Recovery : EventKind::Detection, what, d.session, -1, -1});
        }
    }

    void add_incident(const Incident& incident) {
        const QString name = QStringLiteral("incident %1").arg(incident.id);
        const auto add = [&](std::int64_t t_ns, EventKind kind, const QString& text, int link = -1) {
            events_.push_back({t_ns, kind, text, -1, link, incident.id});
        };
        add(incident.opened_ns, EventKind::Incident, with_detail(name, incident.subject));
        for (const auto& step : incident.steps) {
            if (step.kind == QLatin1String("confirmed")) add_verdict(incident, step, EventKind::Confirmed);
            if (step.kind == QLatin1String("refuted")) add_verdict(incident, step, EventKind::Refuted);
            if (step.kind == QLatin1String("closed"))
                add(step.t_ns, EventKind::Closed, with_detail(name, step.detail));
            if (step.kind == QLatin1String("evidence"))
                add(step.t_ns, EventKind::Evidence, with_detail(name, step.detail));
        }
    }

    void add_verdict(const Incident& incident, const IncidentStep& step, EventKind kind) {
        const Inference* inference = nullptr;
        for (const auto& candidate : incident.inferences) {
            if (candidate.t_ns <= step.t_ns) inference = &candidate;
        }
        const bool named =
            kind == EventKind::Confirmed && inference != nullptr && !inference->suspects.empty();
        const int link = named ? inference->suspects.front().link : -1;
        QString text = QStringLiteral("incident %1").arg(incident.id);
        if (named) text += QStringLiteral(": ") + inference->suspects.front().name;
        events_.push_back({step.t_ns, kind, with_detail(text, step.detail), -1, link, incident.id});
    }

    void add_directives() {
        struct Group {
            std::set<int> hosts;
            int sent = 0;
            int acked = 0;
        };
        std::map<std::tuple<std::int64_t, std::int64_t, QString>, Group> groups;
        for (const auto& directive : run_.directives) {
            Group& group = groups[{directive.t_ns, directive.incident, directive.kind}];
            group.hosts.insert(directive.node);
            ++group.sent;
            if (directive.acked_ns) ++group.acked;
        }
        for (const auto& [key, group] : groups) {
            const auto& [t_ns, incident, kind] = key;
            const int first = *group.hosts.begin();
            const QString whom = group.hosts.size() == 1 && first >= 0
                                     ? run_.nodes[static_cast<std::size_t>(first)].name
                                     : QStringLiteral("%1 hosts").arg(group.hosts.size());
            const QString what = QStringLiteral("%1 to %2 for incident %3, %4 of %5 acknowledged")
                                     .arg(kind, whom)
                                     .arg(incident)
                                     .arg(group.acked)
                                     .arg(group.sent);
            events_.push_back({t_ns, EventKind::Directive, what, -1, -1, incident});
        }
    }

    const RunSnapshot& run_;
    std::vector<RunEvent> events_;
};

}  // namespace

QString to_text(EventKind kind) {
    switch (kind) {
        case EventKind::TruthBegins: return QStringLiteral("truth: fault");
        case EventKind::TruthEnds: return QStringLiteral("truth: fault ends");
        case EventKind::FirstEvidence: return QStringLiteral("first evidence");
        case EventKind::Detection: return QStringLiteral("detection");
        case EventKind::Recovery: return QStringLiteral("healthy again");
        case EventKind::Incident: return QStringLiteral("incident opened");
        case EventKind::Directive: return QStringLiteral("directive");
        case EventKind::Evidence: return QStringLiteral("evidence");
        case EventKind::Confirmed: return QStringLiteral("confirmed");
        case EventKind::Refuted: return QStringLiteral("refuted");
        case EventKind::Closed: return QStringLiteral("closed");
    }
    return {};
}

bool is_truth(EventKind kind) {
    return kind == EventKind::TruthBegins || kind == EventKind::TruthEnds;
}

std::vector<RunEvent> events_of(const RunSnapshot& run) {
    return Teller(run).tell();
}

QString last_event_text(const std::vector<RunEvent>& events, std::int64_t t_ns, bool with_truth) {
    const RunEvent* last = nullptr;
    for (const auto& event : events) {
        if (event.t_ns > t_ns) break;
        if (with_truth || !is_truth(event.kind)) last = &event;
    }
    if (last == nullptr) return {};
    return QStringLiteral("%1  %2: %3").arg(time_text(last->t_ns), to_text(last->kind), last->text);
}

std::vector<std::int64_t> moments_of(const std::vector<RunEvent>& events) {
    std::vector<std::int64_t> moments;
    for (const auto& event : events) {
        if (moments.empty() || moments.back() != event.t_ns) moments.push_back(event.t_ns);
    }
    return moments;
}

}  // namespace dyetrace::viewer
