// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/report/timeline.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "analysis/report/fabric_names.h"
#include "analysis/report/seconds.h"

namespace dyetrace::report {
namespace {

using store::RowId;

// Enough to see how it began; the rest is in the lists.
constexpr std::size_t detections_shown = 4;
constexpr std::size_t refuted_shown = 4;

class Teller {
  public:
    explicit Teller(const store::RunReader& run) : run_(run), names_(run) { timeline_.score = score(run); }

    Timeline tell() {
        add_faults();
        add_first_evidence();
        add_detections();
        add_incidents();
        add_directives();
        for (const auto& scored : timeline_.score.suspects) {
            timeline_.suspect_names.push_back(names_.suspect(scored.suspect));
        }
        for (const auto& fault : timeline_.score.missed) {
            timeline_.missed_names.push_back(names_.link(fault.from_node, fault.to_node));
        }
        std::stable_sort(timeline_.entries.begin(), timeline_.entries.end(),
                         [](const auto& a, const auto& b) {
                             return a.t_ns != b.t_ns ? a.t_ns < b.t_ns : a.kind < b.kind;
                         });
        return std::move(timeline_);
    }

  private:
    void add(std::int64_t t_ns, TimelineKind kind, std::string text) {
        timeline_.entries.push_back({t_ns, kind, std::move(text)});
    }

    void add_faults() {
        for (const auto& fault : timeline_.score.faults) {
            const std::string link = names_.link(fault.from_node, fault.to_node);
            add(fault.t_ns, TimelineKind::FaultBegins, "fault injected: " + describe(fault, link));
            if (fault.until_ns)
                add(*fault.until_ns, TimelineKind::FaultEnds, "fault ends: " + fault.kind + " on " + link);
        }
    }

    /// Congestion loses packets everywhere and always. What a reader wants to see is the first loss on a path
    /// through the culprit: the best suspect, or the injected fault where nobody is suspected.
    void add_first_evidence() {
        store::SuspectRow culprit;
        std::int64_t since_ns = 0;
        const Score& score = timeline_.score;
        if (!score.suspects.empty()) {
            culprit = score.suspects.front().suspect;
        } else if (!score.missed.empty()) {
            culprit = as_suspect(score.missed.front());
        } else {
            return;
        }
        for (const auto& fault : score.faults) {
            if (culprit.from_node == fault.from_node && culprit.to_node == fault.to_node)
                since_ns = fault.t_ns;
        }
        std::set<PathKey> through;
        for (const auto& path : run_.paths()) {
            if (crosses(path.hops, culprit)) through.insert({path.session, path.path_index, path.generation});
        }
        std::optional<store::EvidenceRow> first;
        for (const auto& evidence : run_.evidence()) {
            const bool relevant =
                evidence.t_ns >= since_ns && evidence.lost > 0 &&
                through.contains({evidence.session, evidence.path_index, evidence.generation});
            if (relevant && (!first || evidence.t_ns < first->t_ns)) first = evidence;
        }
        if (!first) return;
        add(first->t_ns, TimelineKind::FirstEvidence,
            fmt::format("first loss on a path through {}: {} of {} packets, {}, path {}",
                        names_.suspect(culprit), first->lost, first->sent, names_.session(first->session),
                        first->path_index));
    }

    void add_detections() {
        auto detections = run_.detections();
        std::erase_if(detections, [](const auto& detection) { return detection.state == "healthy"; });
        const std::size_t shown = std::min(detections.size(), detections_shown);
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& d = detections[i];
            const std::string counts = fmt::format("lost {} of {} packets", d.lost, d.sent);
            add(d.t_ns, TimelineKind::Detection,
                fmt::format("{} {}: {}", d.subject, d.state, d.reason.empty() ? counts : d.reason));
        }
        if (detections.size() > shown) {
            const auto& last = detections.back();
            add(detections[shown].t_ns, TimelineKind::Detection,
                fmt::format("and {} more until {:.6f} s", detections.size() - shown, seconds(last.t_ns)));
        }
    }

    void add_incidents() {
        std::set<RowId> told;
        std::size_t refuted = 0;
        std::optional<std::int64_t> first_untold_ns;
        const auto events = run_.incident_events();
        for (const auto& incident : run_.incidents()) {
            if (incident.state == "refuted" && ++refuted > refuted_shown) {
                if (!first_untold_ns) first_untold_ns = incident.opened_ns;
                continue;
            }
            told.insert(incident.id);
            add(incident.opened_ns, TimelineKind::Incident,
                with_reason(fmt::format("incident {} opened: {}", incident.id, incident.subject),
                            opening_reason(events, incident)));
        }
        if (first_untold_ns) {
            add(*first_untold_ns, TimelineKind::Incident,
                fmt::format("and {} more incidents that were refuted", refuted - refuted_shown));
        }
        for (const auto& event : events) {
            if (!told.contains(event.incident)) continue;
            const std::string prefix = fmt::format("incident {} {}", event.incident, event.kind);
            if (event.kind == "confirmed")
                add(event.t_ns, TimelineKind::Confirmation,
                    with_reason(prefix + since_fault(event.incident, event.t_ns), event.detail));
            if (event.kind == "refuted")
                add(event.t_ns, TimelineKind::Refutation, with_reason(prefix, event.detail));
            if (const auto kind = kind_of_remedy_step(event.kind))
                add(event.t_ns, *kind, with_reason(prefix, event.detail));
            if (event.kind == "closed" || event.kind == "merged")
                add(event.t_ns, TimelineKind::Closing, with_reason(prefix, event.detail));
        }
        told_incidents_ = std::move(told);
    }

    /// Of the steps between confirmation and end.
    static std::optional<TimelineKind> kind_of_remedy_step(const std::string& step) {
        for (const char* one : {"remedy", "advised", "held-back", "migrated", "restored", "resumed"}) {
            if (step == one) return TimelineKind::Remedy;
        }
        if (step == "verified" || step == "not-verified") return TimelineKind::Verification;
        return std::nullopt;
    }

    /// One line for all hosts that are told the same for one incident.
    void add_directives() {
        struct Group {
            std::int64_t first_ns = 0;
            std::set<RowId> hosts;
            std::set<std::string> details;
            std::size_t sent = 0, acknowledged = 0;
        };
        std::map<std::pair<RowId, std::string>, Group> groups;
        for (const auto& directive : run_.directives()) {
            if (!told_incidents_.contains(directive.incident)) continue;
            Group& group = groups[{directive.incident, directive.kind}];
            if (group.sent++ == 0) group.first_ns = directive.t_ns;
            group.hosts.insert(directive.node);
            group.details.insert(directive.detail);
            if (directive.acked_ns) ++group.acknowledged;
        }
        for (const auto& [key, group] : groups) {
            const std::string hosts = group.hosts.size() == 1 ? names_.node(*group.hosts.begin())
                                                              : fmt::format("{} hosts", group.hosts.size());
            const std::string detail = group.details.size() == 1 ? *group.details.begin() : std::string();
            add(group.first_ns, TimelineKind::Directive,
                fmt::format("{} for incident {}: {}{}{}; {} of {} acknowledged", key.second, key.first, hosts,
                            detail.empty() ? "" : ", ", detail, group.acknowledged, group.sent));
        }
    }

    /// ", 0.451 s after the fault" where the incident ended in a suspect with whom truth agrees.
    std::string since_fault(RowId incident, std::int64_t t_ns) const {
        for (const auto& scored : timeline_.score.suspects) {
            if (scored.suspect.incident != incident || !scored.fault_ns) continue;
            return fmt::format(", {:.3f} s after the fault", seconds(t_ns - *scored.fault_ns));
        }
        return {};
    }

    /// What was known when it was opened; the incident's own row tells how it stands now.
    static std::string opening_reason(const std::vector<store::IncidentEventRow>& events,
                                      const store::IncidentRow& incident) {
        for (const auto& event : events) {
            if (event.incident == incident.id && event.kind == "opened") return event.detail;
        }
        return incident.reason;
    }

    static std::string with_reason(const std::string& text, const std::string& reason) {
        return reason.empty() ? text : text + " (" + reason + ")";
    }

    const store::RunReader& run_;
    FabricNames names_;
    Timeline timeline_;
    std::set<RowId> told_incidents_;
};

std::string suspect_line(std::size_t rank, const ScoredSuspect& scored, const std::string& name) {
    std::string line =
        fmt::format("  {:>2}  {:<6} {:<24} log-odds {:>8.1f}   loss {:>7}", rank, scored.suspect.kind, name,
                    scored.suspect.log_odds, percent(scored.suspect.loss_rate));
    if (scored.suspect.group_id) line += fmt::format("   group {}", *scored.suspect.group_id);
    return line + "   truth " + to_string(scored.agreement);
}

}  // namespace

std::string to_string(TimelineKind kind) {
    switch (kind) {
        case TimelineKind::FaultBegins:
        case TimelineKind::FaultEnds: return "truth";
        case TimelineKind::FirstEvidence: return "evidence";
        case TimelineKind::Detection: return "detection";
        case TimelineKind::Incident: return "incident";
        case TimelineKind::Directive: return "directive";
        case TimelineKind::Confirmation: return "confirmed";
        case TimelineKind::Refutation: return "refuted";
        case TimelineKind::Remedy: return "remedy";
        case TimelineKind::Verification: return "verified";
        case TimelineKind::Closing: return "closed";
    }
    return "?";
}

bool is_truth(TimelineKind kind) {
    return kind == TimelineKind::FaultBegins || kind == TimelineKind::FaultEnds;
}

std::string to_string(Agreement agreement) {
    switch (agreement) {
        case Agreement::Agrees: return "agrees";
        case Agreement::Disagrees: return "disagrees";
        case Agreement::Unknown: return "not known";
    }
    return "?";
}

std::string percent(double share) {
    return fmt::format("{:.3g}%", share * 100);
}

std::string describe(const store::TruthFaultRow& fault, const std::string& link_name) {
    // Not of each packet, or each flow, that it meets.
    if (fault.probability < 1)
        return fmt::format("{} of {} on {}", fault.kind, percent(fault.probability), link_name);
    return fault.kind + " of " + link_name;
}

Timeline make_timeline(const store::RunReader& run) {
    return Teller(run).tell();
}

std::vector<std::string> to_lines(const Timeline& timeline) {
    std::vector<std::string> lines{"Timeline"};
    for (const auto& entry : timeline.entries) {
        lines.push_back(
            fmt::format("  {:>10.6f} s  {:<10} {}", seconds(entry.t_ns), to_string(entry.kind), entry.text));
    }
    if (timeline.entries.empty())
        lines.emplace_back("  nothing to tell: no fault, no detection, no incident");
    lines.emplace_back();
    lines.emplace_back("Suspects");
    const auto& suspects = timeline.score.suspects;
    for (std::size_t i = 0; i < suspects.size(); ++i) {
        lines.push_back(suspect_line(i + 1, suspects[i], timeline.suspect_names[i]));
    }
    if (suspects.empty()) lines.emplace_back("  none");
    for (const auto& name : timeline.missed_names)
        lines.push_back("  missed (truth): " + name);
    return lines;
}

}  // namespace dyetrace::report
