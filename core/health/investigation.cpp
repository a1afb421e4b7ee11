// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/investigation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

#include "core/health/pair_plan.h"

namespace dyetrace::health {

using localise::Crossing;
using localise::HostPair;
using localise::NodeId;
using localise::Suspect;
using localise::Verdict;

namespace {

/// Packets that a suspect is expected to lose before fresh evidence is said to clear it: with as many, one
/// that loses none is as good as proven.
constexpr double kLossesToSee = 20;
constexpr std::uint64_t kLossesToGoOn = 10;
/// Times as long as an investigation takes, within which other services are to have said something new.
constexpr std::int64_t kWaitForOthers = 10;

std::string with_odds(const char* text, double log_odds, const Crossing& seen) {
    char odds[64];
    std::snprintf(odds, sizeof odds, ": log-odds %.1f; ", log_odds);
    return text + std::string(odds) + lost_of(seen);
}

Subject subject_of(const Suspect& suspect) {
    return suspect.kind == Suspect::Kind::Device ? Subject::of_device(suspect.device)
                                                 : Subject::link(suspect.from, suspect.to);
}

bool is_under_remedy(const Incident& incident) {
    return incident.state == IncidentState::Remedying || incident.state == IncidentState::Verifying;
}

bool is_over(const Incident& incident) {
    switch (incident.state) {
        case IncidentState::Investigating:
        case IncidentState::Confirmed:
        case IncidentState::Remedying:
        case IncidentState::Verifying: return false;
        case IncidentState::Closed:
        case IncidentState::Refuted:
        case IncidentState::Merged: return true;
    }
    return true;
}

/// Without those that are kept for what they drained.
std::size_t open_count(const std::vector<Incident>& incidents) {
    return static_cast<std::size_t>(
        std::count_if(incidents.begin(), incidents.end(), [](const Incident& i) { return !is_over(i); }));
}

}  // namespace

Investigation::Investigation(const NhmsConfig& config, const localise::FabricGraph& graph,
                             const localise::EvidenceSource& evidence)
    : config_(config),
      graph_(graph),
      evidence_(evidence),
      crossings_(graph, evidence),
      remedying_(config, graph, evidence) {}

Verdict Investigation::infer(Time since) {
    ++evaluations_;
    Verdict verdict = evidence_.infer(config_.localiser, since);
    add_accused_switches(verdict);
    return verdict;
}

void Investigation::add_accused_switches(Verdict& verdict) const {
    struct Accused {
        std::size_t links = 0;
        double log_odds = 0;  ///< of the most likely link
        double loss_rate = 0;
    };
    std::map<NodeId, Accused> accused;
    for (const Suspect& suspect : verdict.suspects) {
        if (suspect.kind != Suspect::Kind::Link || suspect.group >= 0) continue;
        for (const NodeId end : {suspect.from, suspect.to}) {
            if (graph_.kind(end) != localise::NodeKind::Switch) continue;
            Accused& one = accused[end];
            ++one.links;
            one.log_odds = std::max(one.log_odds, suspect.log_odds);
            one.loss_rate += suspect.loss_rate;
        }
    }
    const double link_log_odds = std::log(config_.localiser.faulty_share);
    std::vector<Suspect> devices;
    for (const auto& [node, one] : accused) {
        const Subject device = Subject::of_device(node);
        // A few links may each be sick, even at one switch; so many are as likely as they are together.
        const double likelier =
            config_.localiser.device_log_odds - static_cast<double>(one.links) * link_log_odds;
        const bool most_do = 2 * one.links >= crossings_.links(device).size();
        if (one.links < 3 || !most_do || likelier <= 0 || suspect_in(verdict, device) != nullptr) continue;
        Suspect& suspect = devices.emplace_back();
        suspect.kind = Suspect::Kind::Device;
        suspect.device = node;
        suspect.log_odds = one.log_odds + likelier;
        suspect.loss_rate = one.loss_rate / static_cast<double>(one.links);
    }
    verdict.suspects.insert(verdict.suspects.end(), devices.begin(), devices.end());
    std::stable_sort(verdict.suspects.begin(), verdict.suspects.end(),
                     [](const Suspect& a, const Suspect& b) { return a.log_odds > b.log_odds; });
}

const Suspect* Investigation::suspect_in(const Verdict& verdict, const Subject& subject) const {
    const auto it = std::find_if(verdict.suspects.begin(), verdict.suspects.end(),
                                 [&](const Suspect& s) { return subject_of(s) == subject; });
    return it == verdict.suspects.end() ? nullptr : &*it;
}

bool Investigation::accuses(const Verdict& verdict, const Subject& subject) const {
    if (!subject.is_link()) return false;
    const double before = localise::log_odds_before(graph_, config_.localiser, subject.from, subject.to);
    const auto is_likelier = [&](const Suspect& suspect) {
        return subject_of(suspect) == subject && suspect.log_odds > before;
    };
    return std::any_of(verdict.candidates.begin(), verdict.candidates.end(), is_likelier);
}

bool Investigation::is_cleared(const Subject& subject, Time since) {
    const Verdict verdict = infer(since);
    return suspect_in(verdict, subject) == nullptr && !accuses(verdict, subject);
}

std::vector<const Suspect*> Investigation::devices_in(const Verdict& verdict) const {
    std::vector<const Suspect*> devices;
    for (const Suspect& device : verdict.suspects) {
        if (device.kind != Suspect::Kind::Device) continue;
        // Two links that always lie on the same paths accuse it with the same evidence, and any one link
        // might be it alone.
        std::set<int> groups;
        std::size_t accusers = 0;
        for (const Suspect& link : verdict.suspects) {
            if (link.kind != Suspect::Kind::Link || !Crossings::is_at(device.device, subject_of(link)))
                continue;
            if (link.group < 0 || groups.insert(link.group).second) ++accusers;
        }
        if (accusers >= 2) devices.push_back(&device);
    }
    return devices;
}

void Investigation::set_judged(const Subject& subject, Time now) {
    judged_[subject] = now;
    if (subject.is_link()) return;
    for (const localise::LinkId link : graph_.links_of(subject.device))
        judged_[Subject::link(graph_.from(link), graph_.to(link))] = now;
}

void Investigation::set_closed(const Incident& incident, Time now) {
    const bool is_left = incident.remedy == Remedy::Migrate && crossings_.is_of_host(incident.subject);
    set_judged(is_left ? Subject::of_device(crossings_.host_of(incident.subject)) : incident.subject, now);
}

const Incident* Investigation::drain_of(const Subject& subject) const {
    const auto it = std::find_if(incidents_.begin(), incidents_.end(), [&](const Incident& i) {
        if (!i.drained) return false;
        if (!i.subject.is_link()) return i.subject == subject || Crossings::is_at(i.subject.device, subject);
        return i.subject == subject || i.subject == Subject::link(subject.to, subject.from);
    });
    return it == incidents_.end() ? nullptr : &*it;
}

bool Investigation::may_open(const Subject& subject, Time now) {
    if (drain_of(subject) != nullptr) return false;
    const bool known = std::any_of(incidents_.begin(), incidents_.end(),
                                   [&](const Incident& i) { return !is_over(i) && i.subject == subject; });
    if (known) return false;
    const auto judged = judged_.find(subject);
    if (judged != judged_.end()) {
        // What refuted or closed it stands; only evidence that came since can call it in question again.
        if (now - judged->second < config_.fresh_least ||
            suspect_in(infer(judged->second), subject) == nullptr)
            return false;
        judged_.erase(judged);
    }
    if (open_count(incidents_) >= config_.bounds.incidents) {
        ++over_limit_;
        return false;
    }
    return true;
}

void Investigation::look(Time now, IncidentOutputs& outputs) {
    const Verdict verdict = infer(now + config_.memory * -1);
    std::set<NodeId> devices;
    for (const Suspect* device : devices_in(verdict)) {
        devices.insert(device->device);
        const Subject subject = Subject::of_device(device->device);
        if (may_open(subject, now)) open(subject, *device, now, outputs);
    }
    for (const Incident& incident : incidents_) {
        if (!incident.subject.is_link() && !is_over(incident)) devices.insert(incident.subject.device);
    }
    for (const Suspect& suspect : verdict.suspects) {
        if (suspect.kind != Suspect::Kind::Link) continue;
        if (devices.contains(suspect.from) || devices.contains(suspect.to)) continue;
        const Subject subject = subject_of(suspect);
        if (!graph_.link(suspect.from, suspect.to) || confirmed_alike(suspect, verdict) != nullptr) continue;
        if (may_open(subject, now)) open(subject, suspect, now, outputs);
    }
}

void Investigation::open(const Subject& subject, const Suspect& suspect, Time now, IncidentOutputs& outputs) {
    Incident incident;
    incident.id = IncidentId{next_id_++};
    incident.subject = subject;
    incident.opened_at = now;
    incident.fresh_since = now;
    incident.named_at = now;
    incident.rate_suspected = suspect.loss_rate;
    outputs.step(
        incident, IncidentStep::Opened, now,
        with_odds("suspected", suspect.log_odds, crossings_.sum(subject, now + config_.memory * -1)));
    ask_for_evidence(incident, now, outputs);
    incidents_.push_back(std::move(incident));
}

void Investigation::ask_for_evidence(Incident& incident, Time now, IncidentOutputs& outputs) {
    // Pairs that sent across it lately can tell more soon; one that has fallen silent can't.
    const auto pairs = crossings_.pairs(incident.subject, now + config_.fresh_least * -1,
                                        config_.bounds.directives_per_incident);
    incident.ask_again = false;
    for (const auto& [requester, acceptor] : pairs) {
        outputs.directives.push_back(
            WantedDirective::to_sample(wire::DirectiveKind::Investigate, incident.id, {requester, acceptor},
                                       config_.raised_sampling, config_.investigation));
    }
    if (pairs.size() < config_.pairs_wanted) ask_for_extra_pairs(incident, pairs, outputs);
}

void Investigation::ask_for_extra_pairs(const Incident& incident, const std::vector<HostPair>& known,
                                        IncidentOutputs& outputs) {
    std::size_t room = config_.bounds.directives_per_incident - known.size();
    for (const auto& [requester, acceptor] :
         pairs_that_may_cross(graph_, incident.subject, config_.bounds.directives_per_incident)) {
        const HostPair pair{graph_.address(requester), graph_.address(acceptor)};
        if (std::find(known.begin(), known.end(), pair) != known.end()) continue;
        if (room-- == 0) return;
        outputs.directives.push_back(WantedDirective::to_sample(wire::DirectiveKind::OpenSession, incident.id,
                                                                pair, config_.raised_sampling,
                                                                config_.extra_pair));
    }
}

void Investigation::name_suspects(Incident& incident, const Verdict& verdict, Time now,
                                  IncidentOutputs& outputs) {
    const Suspect* about = suspect_in(verdict, incident.subject);
    if (about == nullptr) return;
    SuspectsNamed named;
    named.at = now;
    named.incident = incident.id;
    for (const Suspect& suspect : verdict.suspects) {
        const bool same_group = about->group >= 0 && suspect.group == about->group;
        const bool at_its_end =
            suspect.kind == Suspect::Kind::Device && Crossings::is_at(suspect.device, incident.subject);
        const bool is_its_link =
            !incident.subject.is_link() && Crossings::is_at(incident.subject.device, subject_of(suspect));
        if (&suspect == about || same_group || at_its_end || is_its_link) named.suspects.push_back(suspect);
    }
    incident.named_at = now;
    incident.alone = about->group < 0;
    outputs.named.push_back(std::move(named));
}

void Investigation::confirm(Incident& incident, const Verdict& verdict, const Suspect& suspect,
                            const Crossing& seen, Time now, IncidentOutputs& outputs) {
    if (const Incident* const twin = confirmed_alike(suspect, verdict)) {
        return merge(incident,
                     "the evidence cannot tell it from " + describe(twin->subject, graph_) + ": incident " +
                         std::to_string(twin->id.value),
                     now, outputs);
    }
    incident.state = IncidentState::Confirmed;
    incident.rate_before = std::max(suspect.loss_rate, rate_of(seen));
    outputs.step(incident, IncidentStep::Confirmed, now,
                 with_odds(seen.sent > 0 ? "fresh evidence names it again" : "others name it again",
                           suspect.log_odds, seen));
    name_suspects(incident, verdict, now, outputs);
    if (!incident.subject.is_link()) merge_into(incident, now, outputs);
}

const Incident* Investigation::confirmed_alike(const Suspect& suspect, const Verdict& verdict) const {
    if (suspect.group < 0) return nullptr;
    const auto is_alike = [&](const Incident& other) {
        if (other.state != IncidentState::Confirmed && !is_under_remedy(other)) return false;
        const Suspect* const confirmed = suspect_in(verdict, other.subject);
        return confirmed != nullptr && confirmed != &suspect && confirmed->group == suspect.group;
    };
    const auto it = std::find_if(incidents_.begin(), incidents_.end(), is_alike);
    return it == incidents_.end() ? nullptr : &*it;
}

void Investigation::merge(Incident& incident, std::string why, Time now, IncidentOutputs& outputs) {
    incident.state = IncidentState::Merged;
    set_judged(incident.subject, now);
    outputs.step(incident, IncidentStep::Merged, now, std::move(why));
}

void Investigation::merge_into(const Incident& device, Time now, IncidentOutputs& outputs) {
    for (Incident& other : incidents_) {
        const bool is_its_link = Crossings::is_at(device.subject.device, other.subject);
        const bool waits =
            other.state == IncidentState::Investigating || other.state == IncidentState::Confirmed;
        if (!is_its_link || !waits) continue;
        merge(other,
              "part of incident " + std::to_string(device.id.value) + ": " + describe(device.subject, graph_),
              now, outputs);
    }
}

void Investigation::judge(Incident& incident, Time now, IncidentOutputs& outputs) {
    if (incident.ask_again) {
        const bool has_news = !crossings_.pairs(incident.subject, incident.fresh_since, 1).empty();
        if (has_news) {
            incident.fresh_since = now;
            ask_for_evidence(incident, now, outputs);
        }
    }
    const Duration fresh = now - incident.fresh_since;
    if (fresh < config_.fresh_least) return;
    const Crossing seen = crossings_.sum(incident.subject, incident.fresh_since);
    // The weaker the loss that is suspected, the more packets it takes to see it again; and what goes on
    // losing as before is not cleared, though it may take longer to say whose fault that is.
    const bool goes_on = seen.lost >= kLossesToGoOn && rate_of(seen) >= incident.rate_suspected / 2;
    const bool enough = static_cast<double>(seen.sent) * incident.rate_suspected >= kLossesToSee && !goes_on;
    bool is_accused = false;
    if (seen.sent >= config_.fresh_packets_least || fresh >= config_.investigation) {
        const Verdict verdict = infer(incident.fresh_since);
        if (const Suspect* suspect = suspect_in(verdict, incident.subject))
            return confirm(incident, verdict, *suspect, seen, now, outputs);
        is_accused = accuses(verdict, incident.subject);
    }
    const bool goes_longer = incident.ask_again || !enough || is_accused;
    if (fresh < config_.investigation * (goes_longer ? kWaitForOthers : 1)) return;
    incident.state = IncidentState::Refuted;
    char detail[160];
    std::snprintf(
        detail, sizeof detail, "%s: %llu of %llu fresh packets across it lost on the way",
        seen.sent < config_.fresh_packets_least ? "too few packets to judge" : "fresh evidence clears it",
        static_cast<unsigned long long>(seen.lost), static_cast<unsigned long long>(seen.sent));
    outputs.step(incident, IncidentStep::Refuted, now, detail);
    judged_[incident.subject] = now;
}

void Investigation::look_again(Incident& incident, Time now, IncidentOutputs& outputs) {
    // As long as a suspicion takes to be refuted, twice over: what healed by itself may fall ill again.
    const Time since = now + config_.investigation * -2;
    const Crossing seen = crossings_.sum(incident.subject, since);
    const double well =
        std::max(config_.detector.impaired_rate, config_.remedies.recovered_share * incident.rate_before);
    const bool looks_well =
        since >= incident.fresh_since && seen.sent >= config_.fresh_packets_least && rate_of(seen) <= well;
    const auto close = [&](const std::string& by_what) {
        incident.state = IncidentState::Closed;
        set_judged(incident.subject, now);
        outputs.step(incident, IncidentStep::Closed, now, "well of its own accord" + by_what);
        if (incident.drained) remedying_.undo(incident, now, outputs);
    };
    if (looks_well && is_cleared(incident.subject, since)) return close(": " + lost_of(seen));
    if (seen.sent < config_.fresh_packets_least && others_clear(incident, now))
        return close(", as others tell");
    name_suspects(incident, infer(incident.fresh_since), now, outputs);
}

/// Where too little crosses it for own evidence, those have the word who measure there.
bool Investigation::others_clear(const Incident& incident, Time now) {
    const Time since = std::max(incident.fresh_since, now + config_.investigation * -kWaitForOthers);
    const Subject& subject = incident.subject;
    const auto link = subject.is_link() ? graph_.link(subject.from, subject.to) : std::nullopt;
    const bool is_acquitted =
        link ? evidence_.is_acquitted(*link, since) : evidence_.is_acquitted(subject.device, since);
    return is_acquitted && is_cleared(subject, since);
}

bool Investigation::waits_for_device(const Incident& incident) const {
    return std::any_of(incidents_.begin(), incidents_.end(), [&](const Incident& other) {
        return other.state == IncidentState::Investigating && !other.subject.is_link() &&
               Crossings::is_at(other.subject.device, incident.subject);
    });
}

/// What another incident has taken out of use shows nothing any more, and once it is put into use again only
/// evidence from then on counts.
bool Investigation::is_taken_over(Incident& incident, Time now, IncidentOutputs& outputs) {
    if (is_over(incident) || is_under_remedy(incident) || incident.drained) return false;
    const Incident* const drain = drain_of(incident.subject);
    // A host that gets no new guests still has the ones it has.
    if (drain == nullptr || drain->remedy == Remedy::DrainHost) return false;
    merge(incident,
          describe(drain->subject, graph_) + " is out of use: incident " + std::to_string(drain->id.value),
          now, outputs);
    return true;
}

IncidentOutputs Investigation::evaluate(Time now, bool look_for_suspects) {
    IncidentOutputs outputs;
    for (Incident& incident : incidents_) {
        if (is_taken_over(incident, now, outputs)) continue;
        if (incident.state == IncidentState::Investigating) {
            judge(incident, now, outputs);
        } else if (incident.state == IncidentState::Confirmed &&
                   now - incident.named_at >= config_.investigation) {
            look_again(incident, now, outputs);
        }
        const bool is_confirmed = incident.state == IncidentState::Confirmed;
        if ((is_confirmed && !waits_for_device(incident)) || is_under_remedy(incident)) {
            remedying_.go_on(incident, now, outputs, [&](Time since) {
                return suspect_in(infer(since), incident.subject) != nullptr;
            });
            if (incident.state == IncidentState::Closed) set_closed(incident, now);
        }
        if (incident.drained && now >= incident.restore_at) {
            remedying_.restore(incident, now, outputs);
            set_judged(incident.subject, now);
        }
    }
    std::erase_if(incidents_, [](const Incident& i) { return is_over(i) && !i.drained; });
    if (look_for_suspects) look(now, outputs);
    return outputs;
}

const Incident* Investigation::find(IncidentId id) const {
    const auto it =
        std::find_if(incidents_.begin(), incidents_.end(), [&](const Incident& i) { return i.id == id; });
    return it == incidents_.end() ? nullptr : &*it;
}

Incident* Investigation::own(IncidentId id) {
    const Incident* const found = find(id);
    return found == nullptr ? nullptr : &incidents_[static_cast<std::size_t>(found - incidents_.data())];
}

std::optional<IncidentOutputs> Investigation::on_guests_moved(const GuestsMoved& report, Time now) {
    Incident* const incident = own(report.incident);
    IncidentOutputs outputs;
    if (incident == nullptr || !remedying_.on_guests_moved(*incident, report, now, outputs))
        return std::nullopt;
    return outputs;
}

void Investigation::on_answer(const WantedDirective& asked, const wire::DirectiveResultBody& result,
                              Time now) {
    Incident* const incident = own(asked.incident);
    if (incident == nullptr) return;
    if (is_under_remedy(*incident)) return remedying_.on_answer(*incident, asked, result, now);
    if (incident->state != IncidentState::Investigating || incident->answered) return;
    // Fresh is what was measured after the first EPPC began to do what it was asked.
    incident->answered = true;
    incident->fresh_since = now;
}

void Investigation::on_no_answer(const WantedDirective& asked, bool for_good, Time /*now*/) {
    if (Incident* const incident = own(asked.incident)) remedying_.on_no_answer(*incident, asked, for_good);
}

bool Investigation::is_busy() const {
    return std::any_of(incidents_.begin(), incidents_.end(), [](const Incident& i) { return !is_over(i); });
}

Time Investigation::next_deadline() const {
    Time next = Time::never();
    for (const Incident& incident : incidents_)
        next = std::min(next, incident.restore_at);
    return next;
}

IncidentMemory Investigation::remember() const {
    IncidentMemory memory;
    memory.next_incident = next_id_;
    memory.incidents = incidents_;
    memory.judged.assign(judged_.begin(), judged_.end());
    remedying_.remember(memory);
    return memory;
}

Result<IncidentOutputs, std::string> Investigation::resume(const IncidentMemory& memory, Time now) {
    const auto exists = [this](const Subject& subject) {
        const auto is_node = [this](NodeId node) { return node.value < graph_.node_count(); };
        if (!subject.is_link()) return is_node(subject.device);
        return is_node(subject.from) && is_node(subject.to) &&
               graph_.link(subject.from, subject.to).has_value();
    };
    if (open_count(memory.incidents) > config_.bounds.incidents)
        return Failure{std::string("memory: more open incidents than bounds.incidents")};
    for (const Incident& incident : memory.incidents) {
        if (!exists(incident.subject))
            return Failure{"memory: incident " + std::to_string(incident.id.value) +
                           " is about nothing that the graph has"};
    }
    incidents_ = memory.incidents;
    judged_.clear();
    for (const auto& [subject, at] : memory.judged) {
        if (exists(subject)) judged_[subject] = at;
    }
    next_id_ = std::max(next_id_, memory.next_incident);
    remedying_.resume(memory);
    IncidentOutputs outputs;
    for (Incident& incident : incidents_) {
        if (is_over(incident)) continue;
        // What was asked has been answered to nobody, and there is no evidence yet: all that counts from
        // here.
        incident.fresh_since = now;
        incident.named_at = now;
        incident.answered = false;
        incident.ask_again = incident.state == IncidentState::Investigating;
        incident.acted_at = std::max(incident.acted_at, now);
        incident.repath.asked.clear();
        outputs.step(incident, IncidentStep::Resumed, now,
                     std::string(to_string(incident.state)) + " when the service stopped");
    }
    return outputs;
}

}  // namespace dyetrace::health
