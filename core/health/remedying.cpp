// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/remedying.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/health/percent.h"

namespace dyetrace::health {

using localise::Crossing;
using localise::PairPath;
using localise::PathKey;

namespace {

constexpr std::uint32_t bit(Remedy remedy) {
    return 1U << static_cast<unsigned>(remedy);
}

PairPath pair_path(const PathKey& key) {
    return {key.requester, key.acceptor, key.path};
}

/// Whether `lost` of `sent` is no more than chance makes of `rate`: within three standard deviations.
bool is_within(const Crossing& crossing, double rate) {
    const double expected = static_cast<double>(crossing.sent) * rate;
    return static_cast<double>(crossing.lost) <= expected + 3 * std::sqrt(expected);
}

}  // namespace

Remedying::Remedying(const NhmsConfig& config, const localise::FabricGraph& graph,
                     const localise::EvidenceSource& evidence)
    : config_(config),
      graph_(graph),
      evidence_(evidence),
      crossings_(graph, evidence),
      migration_(config, graph, evidence),
      drains_(graph, config.remedies.drain_share) {}

std::vector<Remedy> Remedying::ladder(const Incident& incident) const {
    if (crossings_.is_of_host(incident.subject)) return {Remedy::Migrate, Remedy::DrainHost, Remedy::Notify};
    return {Remedy::Repath, Remedy::Drain, Remedy::Notify};
}

Subject Remedying::drained_subject(const Incident& incident) const {
    if (!crossings_.is_of_host(incident.subject)) return incident.subject;
    return Subject::of_device(crossings_.host_of(incident.subject));
}

bool Remedying::may_begin(const Incident& incident, Remedy remedy) const {
    return (incident.tried & bit(remedy)) == 0 && config_.remedies.mode(remedy) != RemedyMode::Off;
}

void Remedying::begin_next(Incident& incident, Time now, IncidentOutputs& outputs) {
    for (const Remedy remedy : ladder(incident)) {
        if (!may_begin(incident, remedy)) continue;
        if (config_.remedies.mode(remedy) == RemedyMode::Advisory) {
            advise(incident, remedy, now, outputs);
            continue;
        }
        const std::string refused = refusal(incident, remedy, now);
        if (!refused.empty()) {
            if (!incident.held_back)
                outputs.step(incident, IncidentStep::HeldBack, now,
                             std::string(to_string(remedy)) + ": " + refused);
            incident.held_back = true;
            // Asked again at the next look; and where nothing can be done somebody should know.
            if (may_begin(incident, Remedy::Notify)) begin(incident, Remedy::Notify, now, outputs);
            return;
        }
        incident.held_back = false;
        begin(incident, remedy, now, outputs);
        if (incident.state != IncidentState::Confirmed) return;
    }
}

void Remedying::advise(Incident& incident, Remedy remedy, Time now, IncidentOutputs& outputs) {
    incident.tried |= bit(remedy);
    std::string detail = std::string(to_string(remedy)) + " is advised";
    switch (remedy) {
        case Remedy::Repath: {
            const auto paths =
                crossings_.paths(incident.subject, incident.fresh_since, config_.remedies.watched_paths);
            detail += ": " + std::to_string(paths.size()) + " paths cross it";
            break;
        }
        case Remedy::Drain:
        case Remedy::DrainHost:
            if (const auto refused = drains_.refusal(drained_subject(incident)))
                detail += ", but " + *refused;
            ask_controller(incident, false, false, now, outputs);
            break;
        case Remedy::Migrate:
            outputs.migrations.push_back({now, incident.id, crossings_.host_of(incident.subject), false});
            break;
        case Remedy::Notify: return begin(incident, remedy, now, outputs);  // to say so is all there is to it
    }
    outputs.step(incident, IncidentStep::Advised, now, detail);
}

std::string Remedying::refusal(const Incident& incident, Remedy remedy, Time now) {
    while (!begun_.empty() && now - begun_.front() >= config_.remedies.remedy_interval)
        begun_.pop_front();
    if (remedy == Remedy::Notify) return {};
    if (begun_.size() >= config_.remedies.remedies_most) {
        return std::to_string(begun_.size()) + " remedies were begun within " +
               std::to_string(config_.remedies.remedy_interval.ns / 1'000'000) + " ms, and no more may be";
    }
    const bool is_about_paths = remedy == Remedy::Repath || remedy == Remedy::Drain;
    if (is_about_paths && crossings_.paths(incident.subject, now + config_.memory * -1, 1).empty())
        return "no traced path crosses it";  // only such that may
    if (remedy == Remedy::Drain && !incident.alone) return "the evidence cannot tell it from another";
    if (remedy == Remedy::Drain || remedy == Remedy::DrainHost)
        return drains_.refusal(drained_subject(incident)).value_or(std::string());
    return {};
}

void Remedying::begin(Incident& incident, Remedy remedy, Time now, IncidentOutputs& outputs) {
    incident.tried |= bit(remedy);
    if (remedy == Remedy::Notify) {
        std::string text = describe(incident.subject, graph_) + " loses " + percent(incident.rate_before) +
                           " of its packets";
        outputs.step(incident, IncidentStep::Advised, now, "the operator is told: " + text);
        outputs.notices.push_back({now, incident.id, incident.subject, std::move(text)});
        return;
    }
    begun_.push_back(now);
    incident.remedy = remedy;
    incident.remedy_at = now;
    incident.acted_at = now;
    watch(incident, now);
    const std::string crossing = std::to_string(incident.watched.size()) + " paths cross it";
    switch (remedy) {
        case Remedy::Repath:
            incident.state = IncidentState::Remedying;
            incident.repath = {};
            outputs.step(incident, IncidentStep::Remedy, now, "repath: " + crossing + ", and are moved");
            return;
        case Remedy::Drain:
        case Remedy::DrainHost:
            incident.state = IncidentState::Verifying;
            incident.drained = true;
            drains_.add(drained_subject(incident));
            outputs.step(incident, IncidentStep::Remedy, now,
                         std::string(to_string(remedy)) + ": " + describe(drained_subject(incident), graph_) +
                             " is to be taken out of use; " + crossing);
            ask_controller(incident, true, false, now, outputs);
            trace_again(incident, outputs);
            return;
        case Remedy::Migrate:
            incident.state = IncidentState::Remedying;
            incident.moved_to.clear();
            incident.crossed_a_second = migration_.crossing_a_second(incident, now);
            outputs.step(incident, IncidentStep::Remedy, now,
                         "migrate: the guests of " + graph_.name(crossings_.host_of(incident.subject)) +
                             " are to move elsewhere; " + crossing);
            outputs.migrations.push_back({now, incident.id, crossings_.host_of(incident.subject), true});
            return;
        case Remedy::Notify: return;
    }
}

void Remedying::watch(Incident& incident, Time now) {
    // A flow that waits for its timer sends little: paths that were quiet for a while count too.
    const auto paths =
        crossings_.paths(incident.subject, now + config_.memory * -1, config_.remedies.watched_paths);
    incident.watched.clear();
    for (const PathKey& key : paths)
        incident.watched.push_back(pair_path(key));
    std::sort(incident.watched.begin(), incident.watched.end());
    incident.watched.erase(std::unique(incident.watched.begin(), incident.watched.end()),
                           incident.watched.end());
}

void Remedying::ask_controller(const Incident& incident, bool automatic, bool undrain, Time now,
                               IncidentOutputs& outputs) const {
    outputs.drains.push_back({now, incident.id, drained_subject(incident), automatic, undrain});
}

void Remedying::trace_again(const Incident& incident, IncidentOutputs& outputs) const {
    const PairPath* last = nullptr;
    std::size_t sent = 0;
    for (const PairPath& path : incident.watched) {
        if (last != nullptr && last->requester == path.requester && last->acceptor == path.acceptor) continue;
        last = &path;
        if (sent++ == config_.remedies.repath_directives) return;
        WantedDirective directive{incident.id, path.requester, {}};
        directive.body.kind = wire::DirectiveKind::Trace;
        directive.body.peer = path.acceptor;
        outputs.directives.push_back(std::move(directive));
    }
}

std::vector<MovedPath> Remedying::to_move(const Incident& incident) const {
    // What was measured before the remedy says where a path was when it was begun, what was measured since
    // where it is: a generation that was left sends nothing more.
    const RepathProgress& progress = incident.repath;
    const Time since = progress.moves == 0 ? incident.remedy_at + config_.memory * -1 : incident.remedy_at;
    std::vector<MovedPath> wanted;
    for (const PathKey& key : crossings_.paths(incident.subject, since, config_.remedies.watched_paths)) {
        const MovedPath path{pair_path(key), key.generation};
        if (progress.asked.contains(path) || progress.done.contains(path)) continue;
        const auto attempts = progress.attempts.find(path.path);
        if (attempts != progress.attempts.end() && attempts->second >= config_.remedies.repath_attempts)
            continue;
        wanted.push_back(path);
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    return wanted;
}

bool Remedying::ask_to_move(Incident& incident, IncidentOutputs& outputs) {
    RepathProgress& progress = incident.repath;
    std::map<IpAddress, std::size_t> sent_to;
    std::size_t sent = 0;
    WantedDirective directive;
    const auto flush = [&] {
        if (directive.body.paths.empty()) return;
        ++sent;
        ++sent_to[directive.eppc];
        outputs.directives.push_back(std::move(directive));
        directive = {};
    };
    bool all = true;
    for (const MovedPath& path : to_move(incident)) {
        const auto& [requester, acceptor, index] = path.path;
        const bool is_same = directive.eppc == requester && directive.body.peer == acceptor &&
                             directive.body.paths.size() < wire::DirectiveBody::kMaxPaths;
        if (!is_same) {
            flush();
            if (sent >= config_.remedies.repath_directives ||
                sent_to[requester] >= config_.remedies.repath_directives_a_host) {
                all = false;  // at the next look
                continue;
            }
            directive.incident = incident.id;
            directive.eppc = requester;
            directive.body.kind = wire::DirectiveKind::Repath;
            directive.body.peer = acceptor;
        }
        directive.body.paths.push_back({index, path.generation});
        progress.asked.insert(path);
        if (++progress.attempts[path.path] >= config_.remedies.repath_attempts) ++progress.given_up;
    }
    flush();
    return all && sent == 0 && progress.asked.empty();
}

void Remedying::move_paths(Incident& incident, Time now, IncidentOutputs& outputs) {
    if (!ask_to_move(incident, outputs)) return;
    if (now - incident.acted_at < config_.remedies.settle) return;
    incident.state = IncidentState::Verifying;
    // A trace may have been lost on the sick link itself: what nobody knew to cross it is asked for again.
    trace_again(incident, outputs);
}

void Remedying::on_answer(Incident& incident, const WantedDirective& asked,
                          const wire::DirectiveResultBody& result, Time now) {
    if (asked.body.kind != wire::DirectiveKind::Repath) return;
    RepathProgress& progress = incident.repath;
    const bool is_done = result.status == wire::DirectiveStatus::Done;
    progress.moves += result.paths;
    for (const wire::DirectivePath& path : asked.body.paths) {
        const MovedPath moved{{asked.eppc, asked.body.peer, path.path}, path.generation};
        if (progress.asked.erase(moved) == 0) continue;
        // Which of several could not move now is not said: what has moved is not moved again when asked
        // again.
        if (is_done || result.status == wire::DirectiveStatus::NoSession) progress.done.insert(moved);
    }
    if (incident.state == IncidentState::Remedying) incident.acted_at = now;
}

void Remedying::on_no_answer(Incident& incident, const WantedDirective& asked, bool for_good) {
    if (asked.body.kind != wire::DirectiveKind::Repath) return;
    RepathProgress& progress = incident.repath;
    for (const wire::DirectivePath& path : asked.body.paths) {
        const MovedPath moved{{asked.eppc, asked.body.peer, path.path}, path.generation};
        if (progress.asked.erase(moved) == 0) continue;
        if (!for_good) {
            --progress.attempts[moved.path];
        } else if (progress.done.insert(moved).second) {
            ++progress.given_up;
        }
    }
}

void Remedying::await_guests(Incident& incident, Time now, IncidentOutputs& outputs) const {
    if (now - incident.acted_at < config_.remedies.verify_within) return;
    incident.state = IncidentState::Confirmed;
    outputs.step(incident, IncidentStep::NotVerified, now,
                 "migrate: nobody has said that the guests have moved");
}

bool Remedying::on_guests_moved(Incident& incident, const GuestsMoved& report, Time now,
                                IncidentOutputs& outputs) {
    if (incident.state != IncidentState::Remedying || incident.remedy != Remedy::Migrate) return false;
    if (report.to.empty()) {
        incident.state = IncidentState::Confirmed;
        outputs.step(incident, IncidentStep::NotVerified, now,
                     "migrate: no guest has moved: " + report.detail);
        return true;
    }
    incident.state = IncidentState::Verifying;
    incident.acted_at = now;
    incident.moved_to = report.to;
    std::sort(incident.moved_to.begin(), incident.moved_to.end());
    incident.moved_to.erase(std::unique(incident.moved_to.begin(), incident.moved_to.end()),
                            incident.moved_to.end());
    std::string detail =
        report.to.size() == 1 ? "1 guest has moved" : std::to_string(report.to.size()) + " guests have moved";
    if (report.stayed > 0) detail += ", not so " + std::to_string(report.stayed);
    outputs.step(incident, IncidentStep::Migrated, now, detail + ": " + report.detail);
    return true;
}

Remedying::Recovery Remedying::recovery(const Incident& incident, Time now) const {
    const RemedyPolicies& policies = config_.remedies;
    const Time since = incident.acted_at + policies.settle;
    const bool is_migrated = incident.remedy == Remedy::Migrate;
    const Crossing left = crossings_.sum(incident.subject, since);
    const Crossing moved =
        is_migrated ? migration_.at_new_places(incident, since) : evidence_.carried(incident.watched, since);
    // What lost at the rate of before would have lost a dozen by now, and loses none by chance once in
    // 160,000.
    const bool would_show = static_cast<double>(moved.sent) * incident.rate_before >= 12;
    const double bound =
        std::max(config_.detector.impaired_rate, policies.recovered_share * incident.rate_before);
    Recovery found;
    found.is_enough = (would_show || moved.sent >= policies.verify_packets_least) &&
                      now - incident.acted_at >= std::min(policies.verify_least, policies.verify_within / 2);
    found.is_well = is_within(moved, bound);
    found.detail = std::string(to_string(*incident.remedy)) + ": ";
    if (incident.remedy == Remedy::Repath) found.detail += std::to_string(incident.repath.moves) + " moves; ";
    const char* const what = is_migrated ? "packets between the guests' new hosts and those on the other ends"
                                         : "packets of the paths that crossed it";
    found.detail += lost_of(moved, what) + " since, " + percent(incident.rate_before) + " before";
    if (is_migrated) {
        found.is_well = found.is_well && migration_.is_left(incident, left, since, now);
        found.detail += "; " + migration_.remaining(incident, left, since, now);
    } else if (left.sent > 0) {
        found.detail += "; " + lost_of(left);
    }
    if (!found.is_enough) found.detail += "; too few packets to tell";
    return found;
}

void Remedying::close(Incident& incident, const std::string& detail, Time now, IncidentOutputs& outputs) {
    outputs.step(incident, IncidentStep::Verified, now, detail);
    incident.state = IncidentState::Closed;
    const RemedyPolicies& policies = config_.remedies;
    if (incident.drained && policies.restore_after.ns > 0) {
        const auto times = restored_.find(drained_subject(incident));
        const std::uint32_t doublings = times == restored_.end() ? 0 : std::min(times->second, 16U);
        incident.restore_at = now + policies.restore_after * (std::int64_t{1} << doublings);
    }
    outputs.step(incident, IncidentStep::Closed, now,
                 std::string("recovered by ") + std::string(to_string(*incident.remedy)));
}

void Remedying::verify(Incident& incident, Time now, bool is_named, IncidentOutputs& outputs) {
    const Recovery found = recovery(incident, now);
    if (found.is_enough && !is_named && found.is_well) return close(incident, found.detail, now, outputs);
    if (now - incident.acted_at < config_.remedies.verify_within) return;
    std::string detail = found.detail;
    if (incident.repath.given_up > 0)
        detail += "; " + std::to_string(incident.repath.given_up) + " paths could not be moved off it";
    incident.state = IncidentState::Confirmed;
    outputs.step(incident, IncidentStep::NotVerified, now, detail);
    // That no new guests are placed on a sick host heals nobody, and is right as long as it is sick.
    if (incident.drained && incident.remedy != Remedy::DrainHost) undo(incident, now, outputs);
}

void Remedying::undo(Incident& incident, Time now, IncidentOutputs& outputs) {
    drains_.remove(drained_subject(incident));
    incident.drained = false;
    incident.restore_at = Time::never();
    ask_controller(incident, true, true, now, outputs);
    trace_again(incident, outputs);
    outputs.step(incident, IncidentStep::Restored, now,
                 describe(drained_subject(incident), graph_) + " is to be taken into use again");
}

void Remedying::restore(Incident& incident, Time now, IncidentOutputs& outputs) {
    ++restored_[drained_subject(incident)];
    undo(incident, now, outputs);
}

void Remedying::remember(IncidentMemory& memory) const {
    memory.remedies.assign(begun_.begin(), begun_.end());
    memory.restored.assign(restored_.begin(), restored_.end());
}

void Remedying::resume(const IncidentMemory& memory) {
    begun_.assign(memory.remedies.begin(), memory.remedies.end());
    restored_ = {memory.restored.begin(), memory.restored.end()};
    for (const Incident& incident : memory.incidents) {
        if (incident.drained) drains_.add(drained_subject(incident));
    }
}

}  // namespace dyetrace::health
