// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/investigation.h"

#include <algorithm>
#include <cstdio>

namespace dyetrace::health {

using localise::LinkId;
using localise::Suspect;
using localise::Verdict;

namespace {

std::string format_odds(const char* text, double log_odds, std::uint64_t lost, std::uint64_t sent) {
    char buffer[160];
    std::snprintf(buffer, sizeof buffer, "%s: log-odds %.1f; %llu of %llu packets across it lost on the way",
                  text, log_odds, static_cast<unsigned long long>(lost),
                  static_cast<unsigned long long>(sent));
    return buffer;
}

bool crosses(const localise::WindowedObservation& window, LinkId link) {
    return std::find(window.path.begin(), window.path.end(), link) != window.path.end();
}

}  // namespace

Verdict Investigation::infer(Time since) {
    ++evaluations_;
    localise::Localiser localiser(graph_, config_.localiser);
    evidence_.feed(localiser, since);
    return localiser.infer();
}

Investigation::Crossing Investigation::crossing(LinkId link, Time since) const {
    Crossing sum;
    for (const auto& window : evidence_.windows(since)) {
        if (!crosses(window, link)) continue;
        sum.sent += window.sent;
        sum.lost += window.lost;
    }
    return sum;
}

std::vector<std::pair<IpAddress, IpAddress>> Investigation::pairs_across(LinkId link, Time since) const {
    std::map<std::pair<IpAddress, IpAddress>, std::uint64_t> sent;
    for (const auto& window : evidence_.windows(since)) {
        if (crosses(window, link)) sent[{window.key->requester, window.key->acceptor}] += window.sent;
    }
    std::vector<std::pair<std::uint64_t, std::pair<IpAddress, IpAddress>>> ranked;
    ranked.reserve(sent.size());
    for (const auto& [pair, packets] : sent)
        ranked.push_back({packets, pair});
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;  // most traffic first
    });
    std::vector<std::pair<IpAddress, IpAddress>> pairs;
    for (const auto& [packets, pair] : ranked) {
        if (pairs.size() == config_.bounds.directives_per_incident) break;
        pairs.push_back(pair);
    }
    return pairs;
}

const Suspect* Investigation::find(const Verdict& verdict, LinkId link) const {
    const auto it = std::find_if(verdict.suspects.begin(), verdict.suspects.end(), [&](const Suspect& s) {
        return s.kind == Suspect::Kind::Link && s.from == graph_.from(link) && s.to == graph_.to(link);
    });
    return it == verdict.suspects.end() ? nullptr : &*it;
}

IncidentChanged Investigation::change(const Incident& incident, IncidentStep step, Time now,
                                      std::string detail) const {
    return {now,
            incident.id,
            incident.state,
            step,
            graph_.from(incident.link),
            graph_.to(incident.link),
            std::move(detail)};
}

bool Investigation::may_open(LinkId link, Time now) {
    const bool known =
        std::any_of(incidents_.begin(), incidents_.end(), [&](const Incident& i) { return i.link == link; });
    if (known) return false;
    const auto refuted = refuted_.find(link);
    if (refuted != refuted_.end()) {
        // What refuted it stands; only evidence that came since can call it in question again.
        if (now - refuted->second < config_.fresh_least || find(infer(refuted->second), link) == nullptr)
            return false;
        refuted_.erase(refuted);
    }
    if (incidents_.size() >= config_.bounds.incidents) {
        ++over_limit_;
        return false;
    }
    return true;
}

void Investigation::open(LinkId link, const Suspect& suspect, Time now, InvestigationResult& result) {
    Incident incident;
    incident.id = IncidentId{next_id_++};
    incident.link = link;
    incident.fresh_since = now;
    incident.named_at = now;
    const Time since = now + config_.memory * -1;
    const Crossing seen = crossing(link, since);
    result.changes.push_back(change(incident, IncidentStep::Opened, now,
                                    format_odds("suspected", suspect.log_odds, seen.lost, seen.sent)));
    // Pairs that sent across it lately can tell more soon; one that has fallen silent can't.
    for (const auto& [requester, acceptor] : pairs_across(link, now + config_.fresh_least * -1)) {
        WantedDirective directive;
        directive.incident = incident.id;
        directive.eppc = requester;
        directive.body.kind = wire::DirectiveKind::Investigate;
        directive.body.peer = acceptor;
        directive.body.sampling = config_.raised_sampling;
        directive.body.duration = config_.investigation;
        result.directives.push_back(directive);
    }
    incidents_.push_back(incident);
}

void Investigation::name_suspects(Incident& incident, const Verdict& verdict, Time now,
                                  InvestigationResult& result) {
    const Suspect* link = find(verdict, incident.link);
    if (link == nullptr) return;
    SuspectsNamed named;
    named.at = now;
    named.incident = incident.id;
    for (const Suspect& suspect : verdict.suspects) {
        const bool same_group = link->group >= 0 && suspect.group == link->group;
        const bool at_its_end = suspect.kind == Suspect::Kind::Device &&
                                (suspect.device == link->from || suspect.device == link->to);
        if (&suspect == link || same_group || at_its_end) named.suspects.push_back(suspect);
    }
    incident.named_at = now;
    result.named.push_back(std::move(named));
}

void Investigation::judge(Incident& incident, Time now, InvestigationResult& result) {
    const Duration fresh = now - incident.fresh_since;
    if (fresh < config_.fresh_least) return;
    const Crossing seen = crossing(incident.link, incident.fresh_since);
    const bool over = fresh >= config_.investigation;
    if (seen.sent >= config_.fresh_packets_least || over) {
        const Verdict verdict = infer(incident.fresh_since);
        if (const Suspect* suspect = find(verdict, incident.link)) {
            incident.state = IncidentState::Confirmed;
            result.changes.push_back(change(
                incident, IncidentStep::Confirmed, now,
                format_odds("fresh evidence names it again", suspect->log_odds, seen.lost, seen.sent)));
            name_suspects(incident, verdict, now, result);
            return;
        }
    }
    if (!over) return;
    incident.state = IncidentState::Refuted;
    char detail[160];
    std::snprintf(
        detail, sizeof detail, "%s: %llu of %llu fresh packets across it lost on the way",
        seen.sent < config_.fresh_packets_least ? "too few packets to judge" : "fresh evidence clears it",
        static_cast<unsigned long long>(seen.lost), static_cast<unsigned long long>(seen.sent));
    result.changes.push_back(change(incident, IncidentStep::Refuted, now, detail));
    refuted_[incident.link] = now;
}

InvestigationResult Investigation::evaluate(Time now, bool look_for_suspects) {
    InvestigationResult result;
    for (Incident& incident : incidents_) {
        if (incident.state == IncidentState::Investigating) {
            judge(incident, now, result);
        } else if (now - incident.named_at >= config_.investigation) {
            name_suspects(incident, infer(incident.fresh_since), now, result);
        }
    }
    std::erase_if(incidents_, [](const Incident& i) { return i.state == IncidentState::Refuted; });
    if (!look_for_suspects) return result;
    const Verdict verdict = infer(now + config_.memory * -1);
    for (const Suspect& suspect : verdict.suspects) {
        if (suspect.kind != Suspect::Kind::Link) continue;
        const auto link = graph_.link(suspect.from, suspect.to);
        if (link && may_open(*link, now)) open(*link, suspect, now, result);
    }
    return result;
}

void Investigation::on_answer(IncidentId id, Time now) {
    const auto it =
        std::find_if(incidents_.begin(), incidents_.end(), [&](const Incident& i) { return i.id == id; });
    if (it == incidents_.end() || it->state != IncidentState::Investigating) return;
    if (it->answered) return;
    // Fresh is what was measured after the first EPPC began to do what it was asked.
    it->answered = true;
    it->fresh_since = now;
}

bool Investigation::is_busy() const {
    return !incidents_.empty();
}

}  // namespace dyetrace::health
