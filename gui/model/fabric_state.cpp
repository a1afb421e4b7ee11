// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/fabric_state.h"

#include <algorithm>

namespace dyetrace::viewer {
namespace {

bool same_place(const Suspect& a, const Suspect& b) {
    return a.name == b.name && (a.link >= 0) == (b.link >= 0);
}

/// The incident that is surer of its suspects comes first.
bool before(const ActiveSuspect& a, const ActiveSuspect& b) {
    if (a.status != b.status) return a.status == VerdictStatus::Confirmed;
    return a.suspect.log_odds > b.suspect.log_odds;
}

/// Before there is a verdict, the link that the incident is about.
Suspect under_investigation(const Incident& incident) {
    Suspect suspect;
    suspect.rank = 1;
    suspect.link = incident.link;
    suspect.name = incident.subject;
    return suspect;
}

void find_suspects(const RunSnapshot& run, FabricState& state) {
    std::vector<ActiveSuspect> found;
    for (const auto& incident : run.incidents) {
        if (incident.opened_ns > state.t_ns) continue;
        const VerdictStatus status = status_at(incident, state.t_ns);
        switch (status) {
            case VerdictStatus::Suspected: ++state.incidents_open; break;
            case VerdictStatus::Confirmed: ++state.incidents_confirmed; break;
            case VerdictStatus::Refuted: ++state.incidents_refuted; break;
        }
        const Inference* inference = inference_at(incident, state.t_ns);
        if (status == VerdictStatus::Refuted) continue;
        if (inference != nullptr) {
            for (const auto& suspect : inference->suspects)
                found.push_back({suspect, &incident, status, 0});
        } else if (incident.link >= 0) {
            found.push_back({under_investigation(incident), &incident, status, 0});
        }
    }
    std::stable_sort(found.begin(), found.end(), before);
    for (auto& candidate : found) {
        const bool known = std::any_of(state.suspects.begin(), state.suspects.end(), [&](const auto& other) {
            return same_place(other.suspect, candidate.suspect);
        });
        if (known) continue;
        candidate.number = static_cast<int>(state.suspects.size()) + 1;
        state.suspects.push_back(candidate);
    }
}

bool is_active(const Session& session, std::int64_t t_ns) {
    return session.active_ns && *session.active_ns <= t_ns &&
           (!session.closed_ns || t_ns < *session.closed_ns);
}

}  // namespace

QString to_text(VerdictStatus status) {
    switch (status) {
        case VerdictStatus::Suspected: return QStringLiteral("under investigation");
        case VerdictStatus::Confirmed: return QStringLiteral("confirmed");
        case VerdictStatus::Refuted: return QStringLiteral("refuted");
    }
    return {};
}

VerdictStatus status_at(const Incident& incident, std::int64_t t_ns) {
    VerdictStatus status = VerdictStatus::Suspected;
    for (const auto& step : incident.steps) {
        if (step.t_ns > t_ns) break;
        if (step.kind == QLatin1String("confirmed")) status = VerdictStatus::Confirmed;
        if (step.kind == QLatin1String("refuted")) status = VerdictStatus::Refuted;
    }
    return status;
}

const Inference* inference_at(const Incident& incident, std::int64_t t_ns) {
    const Inference* latest = nullptr;
    for (const auto& inference : incident.inferences) {
        if (inference.t_ns <= t_ns && (latest == nullptr || inference.t_ns >= latest->t_ns))
            latest = &inference;
    }
    return latest;
}

FabricState fabric_state(const RunSnapshot& run, std::int64_t t_ns, std::int64_t window_ns) {
    FabricState state;
    state.t_ns = t_ns;
    state.interval = run.link_history.bins_before(t_ns, window_ns);
    state.links.reserve(run.links.size());
    for (std::size_t link = 0; link < run.links.size(); ++link)
        state.links.push_back(run.link_history.over(link, state.interval));
    state.all = run.fabric_history.over(0, run.fabric_history.bins_before(t_ns, window_ns));
    find_suspects(run, state);
    for (const auto& fault : run.truth_faults) {
        if (fault.active_at(t_ns)) state.truth_faults.push_back(&fault);
    }
    state.sessions_active = static_cast<int>(std::count_if(
        run.sessions.begin(), run.sessions.end(), [&](const auto& s) { return is_active(s, t_ns); }));
    return state;
}

}  // namespace dyetrace::viewer
